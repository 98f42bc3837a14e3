//! A refusal in parts, for whoever says it in words of their own.

use fleetline_access as access;
use fleetline_access::{Arn, Denial, Effect, Place, Policy, Principal};
use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_engine::{DialError, ReconnectCause, StartError};
use fleetline_ipc::access::{Caller, CallerKind, ChainLink, Denied, Outcome, PolicyKind, Stage, Statement};
use fleetline_ipc::{CommandError, ErrorCode};

use super::{Context, DenialReport, clipped, describe, describe_start};
use crate::clock::now_ms;

/// What opens the data channel of a session (aws-security-reliability.md 0.1).
const OPEN_CHANNEL: &str = "ssmmessages:OpenDataChannel";
/// The one call that names a document.
const START: &str = "ssm:StartSession";
/// Name of the policy as Terraform.
const TERRAFORM_NAME: &str = "fleetline";

/// The refusal that kept a session from beginning; `None` if it failed in another way.
pub fn denied(error: &StartError, context: &Context) -> Option<Denied> {
    let whole = || describe_start(error, context);
    match error {
        StartError::Api(call) | StartError::DataKey { error: call, .. } => of_call(call, context, whole),
        StartError::Refused { cause } | StartError::Unreachable { cause, .. } => match cause {
            ReconnectCause::Api(call) => of_call(call, context, whole),
            ReconnectCause::Dial(DialError::Upgrade { status: 401 | 403, body }) => {
                Some(of_channel(body, context, whole()))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A refused call in its parts; `None` if it failed in another way.
pub fn denied_call(error: &ApiError, context: &Context) -> Option<Denied> {
    of_call(error, context, || describe(error, context))
}

fn of_call(error: &ApiError, context: &Context, problem: impl FnOnce() -> CommandError) -> Option<Denied> {
    (error.kind == ApiErrorKind::AccessDenied).then(|| {
        let DenialReport { denial, policy, .. } = DenialReport::of(&error.message, error.operation, context);
        parts(&denial, policy.as_ref(), context, problem())
    })
}

/// The gateway refused the data channel. It gives no reason as a rule; then the likeliest one is told as such (A.11).
fn of_channel(body: &str, context: &Context, problem: CommandError) -> Denied {
    if Denial::find(body).is_some() {
        let DenialReport { denial, policy, .. } = DenialReport::of(body, OPEN_CHANNEL, context);
        return parts(&denial, policy.as_ref(), context, problem);
    }
    let denial = Denial { action: Some(OPEN_CHANNEL.to_owned()), ..Denial::default() };
    let account = context.account_id.clone().unwrap_or_else(|| "*".to_owned());
    let policy = Policy::of_own_sessions(&Place::new(account, context.region.clone()));
    Denied { guessed: true, ..parts(&denial, Some(&policy), context, problem) }
}

/// The words for a data channel that the gateway refused.
pub(super) fn refused_channel(body: &str, whole: &StartError, context: &Context) -> CommandError {
    let detail = Some(clipped(whole.to_string()));
    if Denial::find(body).is_some() {
        let report = DenialReport::of(body, OPEN_CHANNEL, context);
        let hint = Some(report.advice);
        return CommandError { hint, detail, ..CommandError::new(ErrorCode::AccessDenied, report.sentence) };
    }
    let message = format!(
        "AWS granted a session to {}, and its gateway refused the data channel without a reason.",
        context.node()
    );
    let hint = format!(
        "Most likely no policy allows {OPEN_CHANNEL} on your own sessions. If one does, look at the proxy and at the clock \
         of this computer."
    );
    CommandError { hint: Some(hint), detail, ..CommandError::new(ErrorCode::AccessDenied, message) }
}

fn parts(denial: &Denial, policy: Option<&Policy>, context: &Context, problem: CommandError) -> Denied {
    let caller = caller(denial.principal.as_deref());
    let of_caller = || Arn::parse(&caller.arn).map(|arn| arn.account.to_owned());
    let account_id = context.account_id.clone().or_else(of_caller).unwrap_or_default();
    let action = denial.action.clone().unwrap_or_default();
    let document = (action == START)
        .then(|| context.document.clone().unwrap_or_else(|| access::DEFAULT_DOCUMENT.to_owned()));
    Denied {
        account_id,
        action,
        resource: denial.resource.clone().unwrap_or_default(),
        node_name: context.node.clone().unwrap_or_default(),
        region: context.region.clone(),
        document,
        policy: denial.policy.map(policy_kind),
        explicit: denial.effect == Some(Effect::Explicit),
        policy_arn: denial.policy_arn.clone(),
        chain: denial.chain().into_iter().map(link).collect(),
        remedy: policy.map(|policy| Statement {
            json: policy.to_json(),
            terraform: policy.to_terraform(TERRAFORM_NAME),
        }),
        guessed: false,
        checked_ms: crate::rows::millis(now_ms()),
        first_gone: false,
        problem,
        caller,
    }
}

fn caller(arn: Option<&str>) -> Caller {
    let Some(arn) = arn else {
        let (name, capacity, arn) = Default::default();
        return Caller { kind: CallerKind::Unknown, name, capacity, arn };
    };
    let principal = Principal::parse(arn);
    let (kind, name, capacity) = match &principal {
        Principal::User { name } => (CallerKind::User, name.clone(), String::new()),
        Principal::Role { role, session } => (CallerKind::Role, session.clone(), role.clone()),
        Principal::PermissionSet { set, session } => {
            (CallerKind::PermissionSet, session.clone(), set.clone())
        }
        Principal::Root => (CallerKind::Root, principal.words(), String::new()),
        Principal::Other(_) => (CallerKind::Other, principal.words(), String::new()),
    };
    Caller { kind, name, capacity, arn: arn.to_owned() }
}

fn policy_kind(kind: access::PolicyKind) -> PolicyKind {
    match kind {
        access::PolicyKind::Identity => PolicyKind::Identity,
        access::PolicyKind::Resource => PolicyKind::Resource,
        access::PolicyKind::Boundary => PolicyKind::Boundary,
        access::PolicyKind::Session => PolicyKind::Session,
        access::PolicyKind::ServiceControl => PolicyKind::ServiceControl,
        access::PolicyKind::ResourceControl => PolicyKind::ResourceControl,
        access::PolicyKind::Endpoint => PolicyKind::Endpoint,
        access::PolicyKind::RoleTrust => PolicyKind::RoleTrust,
    }
}

fn link(link: access::Link) -> ChainLink {
    let stage = match link.stage {
        access::Stage::Policy(access::PolicyKind::Identity) => Stage::Identity,
        access::Stage::Policy(access::PolicyKind::Resource) => Stage::Resource,
        access::Stage::Policy(access::PolicyKind::Boundary) => Stage::Boundary,
        access::Stage::Policy(access::PolicyKind::Session) => Stage::Session,
        access::Stage::Policy(access::PolicyKind::ServiceControl) => Stage::ServiceControl,
        access::Stage::Policy(access::PolicyKind::ResourceControl) => Stage::ResourceControl,
        access::Stage::Policy(access::PolicyKind::Endpoint) => Stage::Endpoint,
        access::Stage::Policy(access::PolicyKind::RoleTrust) => Stage::RoleTrust,
        access::Stage::Document => Stage::Document,
        access::Stage::Node => Stage::Node,
    };
    let outcome = match link.outcome {
        access::Outcome::NoDenyReported => Outcome::NoDenyReported,
        access::Outcome::NoAllow => Outcome::NoAllow,
        access::Outcome::Denied => Outcome::Denied,
        access::Outcome::CannotOverride => Outcome::CannotOverride,
        access::Outcome::NotReached => Outcome::NotReached,
    };
    ChainLink { stage, outcome }
}
