//! A refusal in words: who may not do what, which policy said so, and what would lift it.

use fleetline_access::{Arn, Denial, Effect, Policy, PolicyKind, Principal, Remedy};

use super::Context;

/// A refusal as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenialReport {
    /// The parts AWS named.
    pub denial: Denial,
    /// One sentence: who may not do what on which resource, because which kind of policy said so.
    pub sentence: String,
    /// What must change, and who can change it.
    pub advice: String,
    /// The smallest policy that lifts it, where a policy of the identity would.
    pub policy: Option<Policy>,
}

impl DenialReport {
    /// Explains the text of a refused call. `operation` and the Region of `context` stand in where AWS named no action or
    /// resource. A text of no known form is reported as what AWS did not explain.
    pub fn of(text: &str, operation: &str, context: &Context) -> Self {
        let denial = Denial::find(text).unwrap_or_default();
        let principal = denial.principal.as_deref().map(Principal::parse);
        let sentence = sentence(&denial, principal.as_ref(), operation, &context.place());
        let remedy = Remedy::of(&denial, context.attempt(&denial).as_ref());
        let advice = advice(&denial, principal.as_ref(), &remedy);
        let policy = match remedy {
            Remedy::Allow(policy) => Some(policy),
            Remedy::LiftDeny { .. } | Remedy::RaiseLimit { .. } | Remedy::Unknown => None,
        };
        Self { denial, sentence, advice, policy }
    }
}

fn sentence(denial: &Denial, principal: Option<&Principal>, operation: &str, place: &str) -> String {
    let who = principal.map_or_else(|| "This identity".to_owned(), Principal::words);
    let action = denial.action.as_deref().unwrap_or(operation);
    let on = match denial.resource.as_deref() {
        Some("*") | None => place.to_owned(),
        Some(arn) => format!(" on {}", short_resource(arn)),
    };
    match because(denial) {
        Some(because) => format!("{who} may not call {action}{on}, {because}."),
        None => format!("{who} may not call {action}{on}: AWS refused and did not say which policy."),
    }
}

fn because(denial: &Denial) -> Option<&'static str> {
    let explicit = denial.effect == Some(Effect::Explicit);
    Some(match denial.policy? {
        PolicyKind::Identity if explicit => "because one of its own policies forbids it",
        PolicyKind::Identity => "because no identity policy allows it",
        PolicyKind::ServiceControl => "because an organization policy (SCP) forbids it",
        PolicyKind::ResourceControl => "because an organization policy (RCP) forbids it",
        PolicyKind::Boundary if explicit => "because its permissions boundary forbids it",
        PolicyKind::Boundary => "because its permissions boundary does not allow it",
        PolicyKind::Session if explicit => "because the session policy of its role forbids it",
        PolicyKind::Session => "because the session policy of its role does not allow it",
        PolicyKind::Endpoint if explicit => "because the policy of the VPC endpoint forbids it",
        PolicyKind::Endpoint => "because the policy of the VPC endpoint does not allow it",
        PolicyKind::Resource if explicit => "because the policy of the resource forbids it",
        PolicyKind::Resource => "because the policy of the resource does not allow it",
        PolicyKind::RoleTrust => "because the trust policy of the role does not allow it",
    })
}

fn advice(denial: &Denial, principal: Option<&Principal>, remedy: &Remedy) -> String {
    let kind = match remedy {
        Remedy::Allow(_) => return allow_advice(denial, principal),
        Remedy::Unknown => return "The text AWS gave is in the details.".to_owned(),
        Remedy::LiftDeny { policy, .. } | Remedy::RaiseLimit { policy, .. } => *policy,
    };
    let named = denial.policy_arn.as_deref().map(|arn| format!(" ({arn})")).unwrap_or_default();
    let lift = matches!(remedy, Remedy::LiftDeny { .. });
    match kind {
        PolicyKind::Identity => {
            format!("The deny in the identity's own policy{named} must change; allowing more does not help.")
        }
        PolicyKind::ServiceControl | PolicyKind::ResourceControl => {
            format!("Only an administrator of the organization can change its policy{named}.")
        }
        PolicyKind::Boundary if lift => format!("The deny in the permissions boundary{named} must change."),
        PolicyKind::Boundary => "The permissions boundary of the identity must allow it as well.".to_owned(),
        PolicyKind::Session if lift => "The deny in the session policy of the role must change.".to_owned(),
        PolicyKind::Session => {
            "The policy passed when the role was assumed must allow it as well.".to_owned()
        }
        PolicyKind::Endpoint if lift => "The deny in the policy of the VPC endpoint must change.".to_owned(),
        PolicyKind::Endpoint => {
            "The policy of the VPC endpoint must allow it as well; another way to AWS may be open.".to_owned()
        }
        PolicyKind::Resource => "The policy of the resource must change.".to_owned(),
        PolicyKind::RoleTrust => "The trust policy of the role must name this identity.".to_owned(),
    }
}

fn allow_advice(denial: &Denial, principal: Option<&Principal>) -> String {
    let what = match (&denial.action, &denial.resource) {
        (Some(action), Some(resource)) => format!("allow {action} on {resource}"),
        (Some(action), None) => format!("allow {action}"),
        _ => "allow it".to_owned(),
    };
    match principal {
        // The role of a permission set is written anew from the set, so a policy added to it would be lost.
        Some(Principal::PermissionSet { set, .. }) => format!("The permission set {set} must {what}."),
        _ => format!("A policy of the identity must {what}."),
    }
}

/// The last part of a resource's ARN; a lone star is not shortened.
fn short_resource(arn: &str) -> String {
    let Some(parts) = Arn::parse(arn) else { return arn.to_owned() };
    match parts.name() {
        "" | "*" => parts.resource.to_owned(),
        name => name.to_owned(),
    }
}
