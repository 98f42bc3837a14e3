//! `fleetline doctor`.

use clap::Args as ClapArgs;
use fleetline_app::checkup::{Checkup, TrialWish, check_up};
use fleetline_app::problem::{self, Context};
use fleetline_engine::ports::StartSession;
use fleetline_inventory::probe::NodeProbes;
use fleetline_inventory::{Entry, SessionProof, Step, StepState, ladder};
use fleetline_ipc::ErrorCode;
use fleetline_ipc::access::Denied;
use serde::Serialize;

use crate::args::ScopeArgs;
use crate::console::{harmless, tell, write, write_json};
use crate::failure::Failure;
use crate::fleet::{self, Depth, now_ms};
use crate::scope::{self, Scope};
use crate::signals::EndSignals;
use crate::target;
use crate::timestamp::time;

#[derive(Debug, ClapArgs)]
pub(crate) struct DoctorArgs {
    /// Node id, or a name that only one node has
    target: String,
    /// Start a real session, open it and end it again, to find out about permissions and the channel
    #[arg(long)]
    start: bool,
    /// Session document of that session; default: the account's shell document
    #[arg(long, value_name = "DOCUMENT")]
    document: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    node_id: &'a str,
    name: &'a str,
    source: &'a str,
    account_id: &'a str,
    region: &'a str,
    steps: Vec<StepJson<'a>>,
    problem: Option<ProblemJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepJson<'a> {
    step: &'a str,
    state: &'static str,
    fact: String,
    cause: String,
    action: String,
    at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemJson<'a> {
    message: &'a str,
    hint: Option<&'a str>,
    detail: Option<&'a str>,
    /// The smallest policy that lifts it.
    policy: Option<serde_json::Value>,
    denied: Option<&'a Denied>,
}

/// Walks the readiness ladder of one node. The exit status is 0 if no step stops, else that of the reason.
pub(crate) async fn run(args: DoctorArgs) -> Result<u8, Failure> {
    let sources = scope::sources();
    let scopes = scope::chosen(&sources, &args.scope)?;
    let listed = fleet::list(&sources, &scopes, Depth::Facts, None).await;
    let entry = target::only_match(&args.target, &listed)?;
    let listing = listed.fleet.listing_of(entry);
    let node = entry.node();
    let context = Context {
        source: node.source.to_string(),
        region: node.account_region.region.clone(),
        node: Some(node.display_name().to_owned()),
        node_id: Some(node.node_id.to_string()),
        account_id: Some(node.account_region.account_id.clone()),
        document: args.document.clone(),
    };
    let mut found = Checkup::default();
    // What the listing already tells stops before AWS is asked for anything more.
    if !ladder(node, listing, SessionProof::default()).iter().any(Step::stops) {
        let mut signals =
            EndSignals::catch().map_err(|error| Failure::local("Signals could not be caught", &error))?;
        let mut ended = None;
        let at = Scope { source: node.source.to_string(), region: node.account_region.region.clone() };
        let trial = if args.start {
            let opened = target::open(&sources, at.clone(), node.node_id.to_string(), node.display_name())?;
            let request = StartSession {
                target: node.node_id.to_string(),
                document: args.document.clone(),
                ..StartSession::default()
            };
            Some(TrialWish { control: opened.control, request, options: opened.options })
        } else {
            None
        };
        let probe = sources.probe(&at.source, &at.region);
        let waiting = |tries, pause: std::time::Duration| {
            tell(&format!("Not connectable at try {tries}; the next one is in {} s.", pause.as_secs()));
        };
        let stop = async { ended = Some(signals.next().await) };
        found = check_up(probe, &node.node_id, trial, &context, waiting, stop).await;
        for aside in &found.asides {
            Failure::from(aside.clone()).tell();
        }
        if let Some(signal) = ended {
            return Err(Failure::signal(signal.number()));
        }
    }
    let steps = ladder(node, listing, found.proof);
    if args.json {
        report(entry, &steps, &found)?;
    } else {
        write_text(entry, &steps, &found)?;
    }
    if let Some(problem) = found.problem {
        return Ok(problem::exit_code(problem.code));
    }
    let stops = steps.iter().any(Step::stops);
    Ok(if stops { problem::exit_code(ErrorCode::TargetNotConnected) } else { 0 })
}

fn write_text(entry: &Entry, steps: &[Step], found: &Checkup) -> Result<(), Failure> {
    let node = entry.node();
    let mut lines = vec![format!(
        "{}  {}  {}  {}",
        node.display_name(),
        node.node_id,
        node.account_region.account_id,
        node.account_region.region
    )];
    let now = now_ms();
    for step in steps {
        let fact = step.fact(now);
        lines.push(format!("{:<9} {:<16} {fact}", word(step.state), step.name.label()).trim_end().to_owned());
        let more = [step.cause(), step.action(&node.account_region)];
        for text in more.iter().filter(|text| !text.is_empty()) {
            lines.push(format!("{:<9} {text}", ""));
        }
    }
    if let Some(problem) = &found.problem {
        lines.push(String::new());
        lines.push(problem.message.clone());
        lines.extend(problem.hint.clone());
        if let Some(remedy) = found.denied.as_ref().and_then(|denied| denied.remedy.as_ref()) {
            lines.push("The smallest policy that allows it:".to_owned());
            lines.push(remedy.json.clone());
        }
        lines.extend(problem.detail.as_ref().map(|detail| format!("    {detail}")));
    }
    write(&harmless(&lines.join("\n")))
}

fn report(entry: &Entry, steps: &[Step], found: &Checkup) -> Result<(), Failure> {
    let node = entry.node();
    let now = now_ms();
    let policy = found.denied.as_ref().and_then(|denied| denied.remedy.as_ref());
    let policy = policy.and_then(|remedy| serde_json::from_str(&remedy.json).ok());
    let report = Report {
        node_id: &node.node_id,
        name: node.display_name(),
        source: &node.source,
        account_id: &node.account_region.account_id,
        region: &node.account_region.region,
        steps: steps
            .iter()
            .map(|step| StepJson {
                step: step.name.label(),
                state: word(step.state),
                fact: step.fact(now),
                cause: step.cause(),
                action: step.action(&node.account_region),
                at: time(step.at_ms),
            })
            .collect(),
        problem: found.problem.as_ref().map(|problem| ProblemJson {
            message: &problem.message,
            hint: problem.hint.as_deref(),
            detail: problem.detail.as_deref(),
            policy,
            denied: found.denied.as_ref(),
        }),
    };
    write_json(&report)
}

fn word(state: StepState) -> &'static str {
    match state {
        StepState::Passed => "passed",
        StepState::Limited => "limited",
        StepState::Stopped => "stopped",
        StepState::Lost => "lost",
        StepState::Running => "running",
        StepState::NotChecked => "unknown",
        StepState::NotReached => "unreached",
    }
}
