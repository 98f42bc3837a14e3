//! Containers of ECS tasks: targets that no inventory lists (protocol.md 1.6).

use std::net::Ipv4Addr;

use super::catalogue::{AL2, AccountPlan, LATEST_AGENT, RegionPlan};
use super::node::{Kind, Node};
use crate::random::Seeded;

/// Prefix of their target strings.
pub(crate) const PREFIX: &str = "ecs:";

/// The containers of an account in a Region: one in its default Region, unless nothing runs there.
pub(super) fn tasks(seed: u64, now_s: i64, account: &AccountPlan, region: &RegionPlan) -> Vec<Node> {
    if region.region != account.default_region || region.nodes == 0 {
        return Vec::new();
    }
    // Apart from the nodes', so that a seed gives the same nodes as without tasks.
    let mut rng = account
        .id
        .bytes()
        .fold(Seeded::new(seed.rotate_left(17)), |mut rng, byte| Seeded::new(rng.next() ^ u64::from(byte)));
    let task = format!("{:016x}{:016x}", rng.next(), rng.next());
    let runtime = format!("{task}-{:010}", rng.below(4_000_000_000));
    vec![Node {
        id: format!("{PREFIX}{}_{task}_{runtime}", account.name).into(),
        name: format!("{}-web-task", account.name).into(),
        kind: Kind::Task,
        os: &AL2,
        agent_version: LATEST_AGENT,
        work: ("web", "platform"),
        group: "web",
        env: "prod",
        ip: Ipv4Addr::new(10, 96, 0, 20),
        public_ip: None,
        instance_type: "",
        zone: 0,
        ping_phase_ms: 0,
        lost_for_s: None,
        registered_s: now_s - 86_400,
        salt: rng.next(),
    }]
}

/// ARN of the task behind a target string; the string itself where it is none.
pub(crate) fn arn(target: &str, region: &str, account_id: &str) -> String {
    let mut parts = target.strip_prefix(PREFIX).unwrap_or(target).rsplitn(3, '_');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(_runtime), Some(task), Some(cluster)) => {
            format!("arn:aws:ecs:{region}:{account_id}:task/{cluster}/{task}")
        }
        _ => target.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::arn;

    #[test]
    fn a_target_names_its_task_whatever_its_cluster_is_called() {
        let of = |target: &str| arn(target, "eu-west-1", "111122223333");
        assert_eq!(of("ecs:web_0a1b_0a1b-7"), "arn:aws:ecs:eu-west-1:111122223333:task/web/0a1b");
        assert_eq!(of("ecs:web_blue_0a1b_0a1b-7"), "arn:aws:ecs:eu-west-1:111122223333:task/web_blue/0a1b");
        assert_eq!(of("ecs:x"), "ecs:x");
    }
}
