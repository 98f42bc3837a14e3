//! Fills the plans of the catalogue with nodes: the same seed and number give the same world.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use super::catalogue::{
    ACCOUNTS, AGENT_VERSIONS, AccountPlan, Family, PICTURED, PLANNED_NODES, Pictured, RegionPlan,
};
use super::node::{Kind, Node};
use crate::random::Seeded;

/// The nodes of an account in a Region, sorted by id.
#[derive(Debug)]
pub(crate) struct RegionNodes {
    pub(crate) plan: &'static RegionPlan,
    pub(crate) nodes: Vec<Node>,
    /// Containers, which are not managed nodes.
    pub(crate) tasks: Vec<Node>,
}

/// Makes `count` nodes, spread over the planned account-Regions in proportion. `now_s` is the time registrations and
/// lost pings lie before, in seconds of the Unix epoch.
pub(crate) fn generate(
    plans: &'static [AccountPlan],
    seed: u64,
    count: usize,
    now_s: i64,
) -> Vec<Vec<RegionNodes>> {
    let weights: Vec<u64> = plans.iter().flat_map(|a| a.regions).map(|r| u64::from(r.nodes)).collect();
    let mut quotas = share(count, &weights).into_iter();
    let mut place = 0;
    plans
        .iter()
        .map(|account| {
            account
                .regions
                .iter()
                .map(|plan| {
                    place += 1;
                    let quota = quotas.next().unwrap_or(0);
                    let rng = Seeded::new(seed.rotate_left(32) ^ place);
                    RegionNodes {
                        plan,
                        nodes: Builder::new(rng, now_s, plan).build(account.name, quota),
                        tasks: super::task::tasks(seed, now_s, account, plan),
                    }
                })
                .collect()
        })
        .collect()
}

/// Splits `total` in proportion to `weights`; the parts add up to it (largest remainder).
fn share(total: usize, weights: &[u64]) -> Vec<usize> {
    let sum: u64 = weights.iter().sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let wanted = total as u64;
    let mut parts: Vec<usize> = weights.iter().map(|w| (wanted * w / sum) as usize).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(wanted * weights[i] % sum), i));
    let missing = total - parts.iter().sum::<usize>();
    for &i in order.iter().cycle().take(missing) {
        parts[i] += 1;
    }
    parts
}

/// `part` of `whole` scaled to `quota`.
fn scaled(part: u32, whole: u32, quota: usize) -> usize {
    if whole == 0 {
        return 0;
    }
    (quota * part as usize + whole as usize / 2) / whole as usize
}

struct Builder {
    rng: Seeded,
    now_s: i64,
    plan: &'static RegionPlan,
    nodes: Vec<Node>,
}

impl Builder {
    fn new(rng: Seeded, now_s: i64, plan: &'static RegionPlan) -> Self {
        Self { rng, now_s, plan, nodes: Vec::new() }
    }

    fn build(mut self, account: &str, quota: usize) -> Vec<Node> {
        self.nodes.reserve_exact(quota);
        // Names of pictured nodes are kept free everywhere, so that a name means one node.
        let names: HashSet<&str> = PICTURED.iter().map(|p| p.name).collect();
        let mut hybrid = scaled(self.plan.hybrid, self.plan.nodes, quota);
        let pictured =
            PICTURED.iter().filter(|p| p.account == account && p.region == self.plan.region).take(quota);
        for row in pictured {
            if row.kind.is_hybrid() {
                hybrid = hybrid.saturating_sub(1);
            }
            let node = self.pictured(row);
            self.nodes.push(node);
        }
        let fixed = self.nodes.len();
        hybrid = hybrid.min(quota - fixed);
        let rest = quota - fixed - hybrid;
        self.fill(&names, hybrid, |family| family.kind.is_hybrid());
        self.fill(&names, rest, |family| !family.kind.is_hybrid());
        let lost = scaled(self.plan.lost, self.plan.nodes, quota).min(self.nodes.len() - fixed);
        self.lose(fixed, lost);
        self.nodes.sort_by(|a, b| a.id.cmp(&b.id));
        self.nodes
    }

    fn fill(&mut self, names: &HashSet<&str>, count: usize, sort: impl Fn(&Family) -> bool) {
        let plan = self.plan;
        let families: Vec<(usize, &'static Family)> =
            plan.families.iter().enumerate().filter(|(_, f)| sort(f)).collect();
        let weights: Vec<u64> = families.iter().map(|(_, f)| u64::from(f.weight)).collect();
        for ((place, family), count) in families.iter().zip(share(count, &weights)) {
            let mut number = 0;
            for made in 0..count {
                let name = loop {
                    number += 1;
                    let name = format!("{}-{number:02}", family.stem);
                    if !names.contains(name.as_str()) {
                        break name;
                    }
                };
                let node = self.node(family, *place, made, name);
                self.nodes.push(node);
            }
        }
    }

    /// Marks `count` of the nodes after the pictured ones as lost.
    fn lose(&mut self, fixed: usize, count: usize) {
        let mut left = count;
        while left > 0 {
            let index = fixed + self.below(self.nodes.len() - fixed);
            // Between 12 minutes and 6 days ago, the shorter the likelier.
            let scale = 10 + self.below(10);
            let age = 720 + self.below(1 << scale) as u32;
            if self.nodes[index].lost_for_s.is_none() {
                self.nodes[index].lost_for_s = Some(age);
                left -= 1;
            }
        }
    }

    fn node(&mut self, family: &'static Family, place: usize, made: usize, name: String) -> Node {
        let (a, b) = family.network;
        let third = (place * 37 + 1 + made / 250) % 256;
        let salt = self.rng.next();
        let public = family.kind == Kind::Ec2 && self.below(8) == 0;
        Node {
            id: format!("{}-0{:016x}", if family.kind.is_hybrid() { "mi" } else { "i" }, self.rng.next())
                .into(),
            name: name.into(),
            kind: family.kind,
            os: family.systems[self.below(family.systems.len())],
            agent_version: self.agent_version(),
            work: family.work,
            group: family.stem,
            env: family.envs[self.below(family.envs.len())],
            ip: Ipv4Addr::new(a, b, third as u8, (made % 250 + 4) as u8),
            public_ip: public.then(|| Ipv4Addr::new(198, 51, 100 + (salt % 2) as u8 * 13, (salt >> 8) as u8)),
            instance_type: family.instance_types[self.below(family.instance_types.len())],
            zone: self.below(3) as u8,
            ping_phase_ms: self.below(60_000) as u32,
            lost_for_s: None,
            registered_s: self.now_s - 86_400 - self.below(700 * 86_400) as i64,
            salt,
        }
    }

    fn pictured(&mut self, row: &'static Pictured) -> Node {
        let salt = self.rng.next();
        Node {
            id: row.id.into(),
            name: row.name.into(),
            kind: row.kind,
            os: row.os,
            agent_version: row.agent_version,
            work: row.work,
            group: row.account,
            env: if row.work.0 == "build" { "dev" } else { "prod" },
            ip: row.ip.into(),
            public_ip: None,
            instance_type: if row.kind == Kind::Ec2 { "m7i.large" } else { "" },
            zone: 0,
            ping_phase_ms: (60_000 - row.ping_s * 1000 + (self.now_s.rem_euclid(60) as u32) * 1000) % 60_000,
            lost_for_s: None,
            registered_s: self.now_s - 86_400 * (90 + self.below(600) as i64),
            salt,
        }
    }

    fn agent_version(&mut self) -> &'static str {
        let total: u32 = AGENT_VERSIONS.iter().map(|(_, w)| w).sum();
        let mut at = self.below(total as usize) as u32;
        for (version, weight) in AGENT_VERSIONS {
            if at < *weight {
                return version;
            }
            at -= weight;
        }
        super::catalogue::LATEST_AGENT
    }

    fn below(&mut self, bound: usize) -> usize {
        self.rng.below(bound)
    }
}

const _: () = {
    let mut sum = 0;
    let mut account = 0;
    while account < ACCOUNTS.len() {
        let mut region = 0;
        while region < ACCOUNTS[account].regions.len() {
            sum += ACCOUNTS[account].regions[region].nodes;
            region += 1;
        }
        account += 1;
    }
    assert!(sum == PLANNED_NODES, "the plans must add up to the default fleet");
};
