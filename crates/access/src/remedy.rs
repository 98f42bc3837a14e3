//! What would lift a refusal.

use crate::arn::{Arn, Place};
use crate::denial::{Denial, Effect, PolicyKind};
use crate::needs::{DEFAULT_DOCUMENT, own_sessions_statement, start_statement};
use crate::policy::{Policy, Statement};

/// What the caller was doing. AWS names the node or the document of a refused StartSession, unpredictably
/// (aws-security-reliability.md A.11), so the remedy needs both from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Account and Region of the node.
    pub place: Place,
    /// Node id.
    pub target: String,
    /// Document name or ARN; `None` is the account's shell document.
    pub document: Option<String>,
}

/// What must change so that the refused call is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Adding these statements to the identity's policies, and nothing less.
    Allow(Policy),
    /// A deny must be taken back; no further Allow helps.
    LiftDeny {
        /// Where it is.
        policy: PolicyKind,
        /// ARN of the policy, if AWS gave it.
        arn: Option<String>,
    },
    /// A policy that bounds the identity's own ones must allow it as well; an Allow in those alone does not help.
    RaiseLimit {
        /// Which.
        policy: PolicyKind,
        /// ARN of the policy, if AWS gave it.
        arn: Option<String>,
    },
    /// AWS did not say enough.
    Unknown,
}

impl Remedy {
    /// The remedy of a refusal. A policy is offered only where one would help.
    pub fn of(denial: &Denial, attempt: Option<&Attempt>) -> Self {
        let Some(policy) = denial.policy else { return Self::Unknown };
        let arn = denial.policy_arn.clone();
        match (policy, denial.effect) {
            (PolicyKind::Identity, Some(Effect::Implicit)) => statements(denial, attempt)
                .map_or(Self::Unknown, |statements| Self::Allow(Policy { statements })),
            (PolicyKind::Identity, _) | (PolicyKind::Resource, Some(Effect::Explicit)) => {
                Self::LiftDeny { policy, arn }
            }
            // AWS calls every refusal by an organization explicit, so what it says tells nothing (A.11).
            (PolicyKind::ServiceControl | PolicyKind::ResourceControl, _) => Self::RaiseLimit { policy, arn },
            (_, Some(Effect::Explicit)) => Self::LiftDeny { policy, arn },
            _ => Self::RaiseLimit { policy, arn },
        }
    }
}

impl Policy {
    /// What opens, resumes and ends the holder's own sessions in a place.
    pub fn of_own_sessions(place: &Place) -> Self {
        Self { statements: vec![own_sessions_statement(vec![place.own_sessions()])] }
    }
}

fn statements(denial: &Denial, attempt: Option<&Attempt>) -> Option<Vec<Statement>> {
    let action = denial.action.as_deref()?;
    let resource = denial.resource.as_deref();
    match (action, attempt) {
        ("ssm:StartSession", Some(attempt)) => {
            let document = attempt.document.as_deref().unwrap_or(DEFAULT_DOCUMENT);
            let mut resources = vec![attempt.place.target(&attempt.target), attempt.place.document(document)];
            // What AWS named counts most: the attempt may have been written down otherwise.
            if let Some(named) =
                resource.filter(|named| is_concrete(named) && !resources.iter().any(|r| r == named))
            {
                resources.push(named.to_owned());
            }
            Some(vec![start_statement(resources), own_sessions_statement(vec![attempt.place.own_sessions()])])
        }
        ("ssmmessages:OpenDataChannel" | "ssm:ResumeSession" | "ssm:TerminateSession", attempt) => {
            let place = match attempt {
                Some(attempt) => attempt.place.clone(),
                None => place_of(resource?)?,
            };
            Some(vec![own_sessions_statement(vec![place.own_sessions()])])
        }
        // Without the attempt the other half of StartSession is not known, but the half AWS named is right.
        ("ssm:StartSession", None) => {
            Some(vec![start_statement(vec![resource.filter(|r| is_concrete(r))?.to_owned()])])
        }
        _ => Some(vec![Statement::allow(
            "Fleetline",
            vec![action.to_owned()],
            vec![resource.unwrap_or("*").to_owned()],
        )]),
    }
}

fn is_concrete(resource: &str) -> bool {
    Arn::parse(resource).is_some() && !resource.contains(['*', '?'])
}

fn place_of(resource: &str) -> Option<Place> {
    let arn = Arn::parse(resource)?;
    let named = !arn.region.is_empty() && !arn.account.is_empty();
    named.then(|| Place {
        partition: arn.partition.to_owned(),
        region: arn.region.to_owned(),
        account: arn.account.to_owned(),
    })
}
