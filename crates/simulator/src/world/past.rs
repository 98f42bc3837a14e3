//! Sessions that ended before the simulator began, so that there is a history to look at.

use std::collections::HashMap;

use super::World;
use super::catalogue::PlatformType;
use super::node::Node;
use crate::random::Seeded;
use crate::registry::{SessionStatus, SessionView};

const DAY_MS: i64 = 86_400_000;

/// How long the service keeps a session after it began (aws-security-reliability.md A.3).
pub(crate) const KEPT_MS: i64 = 30 * DAY_MS;

/// Role session names with what they usually do: index into [`WORK`].
const OWNERS: [(&str, &str, usize); 7] = [
    ("FleetOperator", "mika.sato", 0),
    ("FleetOperator", "j.weber", 3),
    ("CiDeploy", "ci-deploy", 1),
    ("PlantOperator", "a.niemi", 2),
    ("PlantOperator", "k.vogel", 4),
    ("FleetOperator", "h.tanaka", 0),
    ("FleetOperator", "r.costa", 0),
];

/// Documents with reasons.
const WORK: [(&str, &[&str]); 5] = [
    (
        "SSM-SessionManagerRunShell",
        &["CHG-48213 month-end check", "Index rebuild", "証明書の確認", "", "CHG-48190"],
    ),
    ("AWS-StartSSHSession", &["pipeline 88397", "pipeline 88412"]),
    ("AWS-StartPortForwardingSessionToRemoteHost", &["OPC UA readout", "Firmware 4.2 rollout", ""]),
    ("AWS-StartPortForwardingSession", &["INC-9921 ledger client hangs", "Patch wave 2"]),
    ("Corp-PlantDiag", &["Line 3 weekly check"]),
];

/// Past sessions by account and Region, newest first.
#[derive(Debug, Default)]
pub(crate) struct PastSessions(HashMap<(usize, String), Vec<SessionView>>);

impl PastSessions {
    /// `count` sessions over all accounts and Regions, spread over the last 31 days: the oldest are just forgotten.
    pub(crate) fn make(world: &World, seed: u64, count: usize) -> Self {
        let mut numbers = Seeded::new(seed ^ 0x7061_7374);
        let places: Vec<(usize, &str, &[Node])> = world
            .accounts
            .iter()
            .enumerate()
            .flat_map(|(index, account)| {
                account.plan.regions.iter().map(move |plan| (index, plan.region, account.nodes(plan.region)))
            })
            .filter(|(_, _, nodes)| !nodes.is_empty())
            .collect();
        let mut past: HashMap<(usize, String), Vec<SessionView>> = HashMap::new();
        for number in 0..count {
            let Some((account, region, nodes)) = places.get(numbers.below(places.len())) else { break };
            let Some(node) = nodes.get(numbers.below(nodes.len())) else { continue };
            let view = one(world, *account, region, node, number, &mut numbers);
            past.entry((*account, (*region).to_owned())).or_default().push(view);
        }
        for sessions in past.values_mut() {
            sessions.sort_by_key(|view| std::cmp::Reverse(view.start_ms));
        }
        Self(past)
    }

    /// The one of this id in an account.
    pub(crate) fn find(&self, account: usize, session_id: &str) -> Option<&SessionView> {
        let of_account = self.0.iter().filter(|((owner, _), _)| *owner == account);
        of_account.flat_map(|(_, views)| views).find(|view| view.session_id == session_id)
    }

    /// Those of an account-Region that the service still knows at `now_ms` and that are wanted, with their index, from
    /// index `from`, `most` at most.
    pub(crate) fn page(
        &self,
        account: usize,
        region: &str,
        from: usize,
        now_ms: i64,
        wanted: impl Fn(&SessionView) -> bool,
        most: usize,
    ) -> Vec<(usize, &SessionView)> {
        let all = self.0.get(&(account, region.to_owned())).map(Vec::as_slice).unwrap_or_default();
        let known =
            all.iter().enumerate().skip(from).take_while(|(_, view)| view.start_ms > now_ms - KEPT_MS);
        known.filter(|(_, view)| wanted(view)).take(most).collect()
    }
}

fn one(
    world: &World,
    account: usize,
    region: &str,
    node: &Node,
    number: usize,
    numbers: &mut Seeded,
) -> SessionView {
    let plan = world.accounts[account].plan;
    let (role, owner, usual) = OWNERS[numbers.below(OWNERS.len())];
    let (document, reasons) = if numbers.below(4) == 0 { WORK[0] } else { WORK[usual] };
    // Sessions are more frequent lately than long ago.
    let age = (numbers.below(1_000_000) as f64 / 1_000_000.0).powi(2);
    let start_ms = world.began_ms - 1_200_000 - (age * (31 * DAY_MS) as f64) as i64;
    let minutes = 1 + numbers.below(90) as i64;
    let (status, details, lasted_ms) = match numbers.below(25) {
        0 => (SessionStatus::Failed, "The session could not be started on the node.", 4_000),
        1 | 2 => (SessionStatus::Terminated, "Session ended due to idle timeout.", 20 * 60_000),
        _ => (SessionStatus::Terminated, "", minutes * 60_000 + numbers.below(60_000) as i64),
    };
    let is_shell = document == WORK[0].0;
    let logged = is_shell && status == SessionStatus::Terminated && node.os.platform != PlatformType::MacOs;
    let session_id = format!("{owner}-0{:08x}{:08x}", number, numbers.next() as u32);
    let s3_url = if logged {
        format!("https://s3.{region}.amazonaws.com/{}-session-logs/{session_id}.log", plan.name)
    } else {
        String::new()
    };
    let cloudwatch_url = if logged && numbers.below(2) == 0 {
        format!(
            "https://console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group=/fleet/sessions;stream={session_id}"
        )
    } else {
        String::new()
    };
    SessionView {
        account_id: plan.id.to_owned(),
        region: region.to_owned(),
        target: node.id.to_string(),
        status,
        owner: format!("arn:aws:sts::{}:assumed-role/{role}/{owner}", plan.id),
        document: document.to_owned(),
        reason: Some(reasons[numbers.below(reasons.len())].to_owned()).filter(|reason| !reason.is_empty()),
        start_ms,
        end_ms: Some((start_ms + lasted_ms).min(world.began_ms)),
        details: details.to_owned(),
        client_sockets: 0,
        dropped_frames: 0,
        s3_url,
        cloudwatch_url,
        session_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::WorldPlan;

    #[test]
    fn sessions_older_than_thirty_days_are_forgotten_and_the_others_are_newest_first() {
        let now = 1_700_000_000_000;
        let world = World::new(WorldPlan::Demo, 1, 200, now);
        let past = PastSessions::make(&world, 1, 5_000);
        let mut shown = 0;
        for ((account, region), all) in &past.0 {
            let page = past.page(*account, region, 0, now, |_| true, usize::MAX);
            assert!(page.is_sorted_by_key(|(_, view)| std::cmp::Reverse(view.start_ms)));
            assert!(page.iter().all(|(_, view)| view.start_ms > now - KEPT_MS));
            shown += page.len();
            let later = past.page(*account, region, 0, now + KEPT_MS, |_| true, usize::MAX);
            assert!(later.is_empty(), "{} sessions of {region} stay", all.len());
        }
        assert!(shown > 4_000 && shown < 5_000, "{shown} of 5000");
    }
}
