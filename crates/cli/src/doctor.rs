//! `fleetline doctor`.

use clap::Args as ClapArgs;
use fleetline_access::{Attempt, Place};
use fleetline_app::problem::{self, Context, describe, describe_close, describe_start};
use fleetline_app::trial::{PAUSES, Trial, TrialEnd, try_session};
use fleetline_engine::ports::StartSession;
use fleetline_inventory::probe::NodeProbes;
use fleetline_inventory::{ChannelProof, Entry, SessionProof, Step, StepState, ladder};
use fleetline_ipc::{CommandError, ErrorCode};
use serde::Serialize;

use crate::args::ScopeArgs;
use crate::console::{harmless, print, tell};
use crate::failure::Failure;
use crate::fleet::{self, Depth, now_ms};
use crate::scope::{self, Scope};
use crate::target;

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
    problem: Option<ProblemJson>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepJson<'a> {
    step: &'a str,
    state: &'static str,
    fact: &'a str,
    cause: &'a str,
    action: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemJson {
    message: String,
    hint: Option<String>,
    detail: Option<String>,
    policy: Option<fleetline_access::Policy>,
}

/// Why the node takes no session, as far as a trial or a probe said.
struct Problem {
    error: CommandError,
    policy: Option<fleetline_access::Policy>,
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
        source: node.source.clone(),
        region: node.account_region.region.clone(),
        node: Some(node.display_name().to_owned()),
        document: args.document.clone(),
    };
    let failed = |error| Failure::from(describe(&error, &context));
    let mut proof = SessionProof::default();
    let mut found = None;
    // What the listing already tells stops before AWS is asked for anything more.
    let stopped = ladder(node, listing, proof, now_ms()).iter().any(|step| is_stop(step.state));
    if !stopped {
        let probe = sources.probe(&node.source, &node.account_region.region).map_err(failed)?;
        match probe.is_connected(node.node_id.clone()).await {
            Ok(true) => proof.channel = ChannelProof::Connected,
            Ok(false) => proof.channel = ChannelProof::NotConnected,
            // The answer is advisory, so its absence stops nothing.
            Err(error) => Failure::from(describe(&error, &context)).tell(),
        }
        if args.start {
            let at = Scope { source: node.source.clone(), region: node.account_region.region.clone() };
            let opened = target::open(&sources, at, node.node_id.clone(), node.display_name())?;
            let request = StartSession {
                target: node.node_id.clone(),
                document: args.document.clone(),
                ..StartSession::default()
            };
            let trial = try_session(opened.control, request, opened.options, &PAUSES, |tries, pause| {
                tell(&format!("Not connectable at try {tries}; the next one is in {} s.", pause.as_secs()));
            })
            .await;
            found = problem_of(&trial, entry, &context);
            proof.denied = trial.denial().is_some();
            proof.allowed_ms = trial.is_allowed.then(now_ms);
            proof.channel = trial.channel();
            if let Some(error) = &trial.left_open {
                Failure::from(describe_close(error, &context)).tell();
            }
        }
    }
    let steps = ladder(node, listing, proof, now_ms());
    if args.json {
        write_json(entry, &steps, found.as_ref())?;
    } else {
        write_text(entry, &steps, found.as_ref())?;
    }
    if let Some(problem) = found {
        return Ok(problem::exit_code(problem.error.code));
    }
    let stops = steps.iter().any(|step| is_stop(step.state));
    Ok(if stops { problem::exit_code(ErrorCode::TargetNotConnected) } else { 0 })
}

fn is_stop(state: StepState) -> bool {
    matches!(state, StepState::Stopped | StepState::Lost)
}

fn problem_of(trial: &Trial, entry: &Entry, context: &Context) -> Option<Problem> {
    let node = entry.node();
    let at = &node.account_region;
    if let Some(denial) = trial.denial() {
        let attempt = Attempt {
            place: Place::new(at.account_id.clone(), at.region.clone()),
            target: node.node_id.clone(),
            document: context.document.clone(),
        };
        let report = problem::explain_denial(denial, context, Some(&attempt));
        return Some(Problem {
            error: describe(denial, context),
            policy: report.and_then(|report| report.policy),
        });
    }
    let error = match &trial.end {
        TrialEnd::Opened => return None,
        TrialEnd::NotConnectable(error) => describe(error, context),
        TrialEnd::Failed(error) => describe_start(error, context),
        TrialEnd::Ended(reason) => CommandError::new(
            ErrorCode::SessionEnded,
            format!("The session ended before it opened: {reason}"),
        ),
    };
    Some(Problem { error, policy: None })
}

fn write_text(entry: &Entry, steps: &[Step], problem: Option<&Problem>) -> Result<(), Failure> {
    let node = entry.node();
    let mut lines = vec![format!(
        "{}  {}  {}  {}",
        node.display_name(),
        node.node_id,
        node.account_region.account_id,
        node.account_region.region
    )];
    for step in steps {
        lines.push(format!("{:<9} {:<16} {}", word(step.state), step.label, step.fact).trim_end().to_owned());
        for more in [&step.cause, &step.action].into_iter().filter(|text| !text.is_empty()) {
            lines.push(format!("{:<9} {more}", ""));
        }
    }
    if let Some(problem) = problem {
        lines.push(String::new());
        lines.push(problem.error.message.clone());
        lines.extend(problem.error.hint.clone());
        if let Some(policy) = &problem.policy {
            lines.push("The smallest policy that allows it:".to_owned());
            lines.push(policy.to_json());
        }
        lines.extend(problem.error.detail.as_ref().map(|detail| format!("    {detail}")));
    }
    write(&harmless(&lines.join("\n")))
}

fn write_json(entry: &Entry, steps: &[Step], problem: Option<&Problem>) -> Result<(), Failure> {
    let node = entry.node();
    let report = Report {
        node_id: &node.node_id,
        name: node.display_name(),
        source: &node.source,
        account_id: &node.account_region.account_id,
        region: &node.account_region.region,
        steps: steps
            .iter()
            .map(|step| StepJson {
                step: step.label,
                state: word(step.state),
                fact: &step.fact,
                cause: &step.cause,
                action: &step.action,
            })
            .collect(),
        problem: problem.map(|problem| ProblemJson {
            message: problem.error.message.clone(),
            hint: problem.error.hint.clone(),
            detail: problem.error.detail.clone(),
            policy: problem.policy.clone(),
        }),
    };
    let text = serde_json::to_string_pretty(&report)
        .map_err(|error| Failure::local("The report could not be written", &error))?;
    write(&text)
}

fn write(text: &str) -> Result<(), Failure> {
    print(text).map_err(|error| Failure::local("The report could not be written", &error))
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
