//! IAM policies that are loaded into an account and evaluated at each call, so that refusals are real.
//!
//! What is understood: Allow and Deny, actions and resources with their Not forms, `*` and `?`, policy variables, and the
//! operators on texts, ARNs, booleans and absence, with `IfExists`. Anything else is refused when a policy is loaded, so
//! that no statement is silently ignored.

mod condition;
mod document;
mod pattern;

use crate::live::Ask;
use crate::shared::Shared;
use crate::world::Account;

use document::Document;
pub use document::PolicyProblem;

/// Policies of one account: with these loaded its caller may do what they allow, and nothing else.
#[derive(Clone, Debug, Default)]
pub struct AccountPolicies {
    identity: Vec<Document>,
    boundary: Option<Document>,
    organization: Vec<Document>,
}

impl AccountPolicies {
    /// No policy: everything is refused, because nothing allows it.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a policy of the identity, as JSON.
    ///
    /// # Errors
    /// If it is not a policy, or uses something that is not understood here.
    pub fn with_identity(mut self, json: &str) -> Result<Self, PolicyProblem> {
        self.identity.push(Document::parse(json)?);
        Ok(self)
    }

    /// Sets the permissions boundary, as JSON.
    ///
    /// # Errors
    /// If it is not a policy, or uses something that is not understood here.
    pub fn with_boundary(mut self, json: &str) -> Result<Self, PolicyProblem> {
        self.boundary = Some(Document::parse(json)?);
        Ok(self)
    }

    /// Adds a service control policy, as JSON. The organization allows what none of them denies.
    ///
    /// # Errors
    /// If it is not a policy, or uses something that is not understood here.
    pub fn with_organization(mut self, json: &str) -> Result<Self, PolicyProblem> {
        self.organization.push(Document::parse(json)?);
        Ok(self)
    }
}

/// What an ask is evaluated with.
pub(crate) struct Situation<'a> {
    pub(crate) action: &'a str,
    /// Names of the resource; a session has two (see [`resource_names`]).
    pub(crate) resources: Vec<String>,
    /// Condition keys in lower case, with their values.
    pub(crate) keys: Vec<(String, String)>,
}

impl Situation<'_> {
    pub(crate) fn key(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        self.keys.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }
}

/// The refusal of the first ask that the policies do not allow, in AWS's words.
pub(crate) fn refusal(
    shared: &Shared,
    account: &Account,
    policies: &AccountPolicies,
    asks: &[Ask<'_>],
) -> Option<String> {
    asks.iter().find_map(|ask| {
        let situation = situation(shared, account, ask);
        let reason = judge(policies, &situation)?;
        let on = if ask.named { format!(" on resource: {}", ask.resource) } else { String::new() };
        Some(format!(
            "User: {} is not authorized to perform: {}{on} {}",
            account.caller_arn(),
            ask.action,
            reason.words(ask.action)
        ))
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    OrganizationDeny,
    BoundaryDeny,
    IdentityDeny,
    NoBoundary,
    NoIdentity,
}

impl Reason {
    fn words(self, action: &str) -> String {
        match self {
            Self::OrganizationDeny => "with an explicit deny in a service control policy".to_owned(),
            Self::BoundaryDeny => "with an explicit deny in a permissions boundary".to_owned(),
            Self::IdentityDeny => "with an explicit deny in an identity-based policy".to_owned(),
            Self::NoBoundary => format!("because no permissions boundary allows the {action} action"),
            Self::NoIdentity => format!("because no identity-based policy allows the {action} action"),
        }
    }
}

/// Denies first, then the boundary, then the identity: the order in which AWS names one reason.
fn judge(policies: &AccountPolicies, situation: &Situation<'_>) -> Option<Reason> {
    let denied = |documents: &[Document]| documents.iter().any(|document| document.denies(situation));
    if denied(&policies.organization) {
        return Some(Reason::OrganizationDeny);
    }
    if policies.boundary.as_ref().is_some_and(|boundary| boundary.denies(situation)) {
        return Some(Reason::BoundaryDeny);
    }
    if denied(&policies.identity) {
        return Some(Reason::IdentityDeny);
    }
    if policies.boundary.as_ref().is_some_and(|boundary| !boundary.allows(situation)) {
        return Some(Reason::NoBoundary);
    }
    let allowed = policies.identity.iter().any(|document| document.allows(situation));
    (!allowed).then_some(Reason::NoIdentity)
}

fn situation<'a>(shared: &Shared, account: &Account, ask: &Ask<'a>) -> Situation<'a> {
    let user_id = account.user_id();
    let mut keys = vec![
        ("aws:userid".to_owned(), user_id.clone()),
        ("aws:principalarn".to_owned(), account.caller_arn()),
        ("aws:principalaccount".to_owned(), account.plan.id.to_owned()),
        ("aws:principaltype".to_owned(), "AssumedRole".to_owned()),
    ];
    if let Some(region) = ask.resource.split(':').nth(3).filter(|region| !region.is_empty()) {
        keys.push(("aws:requestedregion".to_owned(), region.to_owned()));
        let node = ask.resource.rsplit('/').next().and_then(|id| account.find(region, id));
        for (tag, value) in node.map(|node| node.tags()).unwrap_or_default() {
            keys.push((format!("ssm:resourcetag/{}", tag.to_ascii_lowercase()), value.clone()));
            keys.push((format!("aws:resourcetag/{}", tag.to_ascii_lowercase()), value));
        }
    }
    if ask.action == "ssm:StartSession" {
        // The document is always checked, named or not (aws-security-reliability.md A.11).
        keys.push(("ssm:sessiondocumentaccesscheck".to_owned(), "true".to_owned()));
    }
    let resources = resource_names(shared, account, &ask.resource, &user_id);
    if resources.len() > 1 {
        keys.push(("ssm:resourcetag/aws:ssmmessages:session-id".to_owned(), user_id));
    }
    Situation { action: ask.action, resources, keys }
}

/// The names of a resource. The id of a session begins with the name of its role session, while policies of today name
/// one's own sessions by `${aws:userid}`, which has the role's id before it. Both must match the caller's sessions and
/// no others.
fn resource_names(shared: &Shared, account: &Account, resource: &str, user_id: &str) -> Vec<String> {
    let mut names = vec![resource.to_owned()];
    if let Some((place, id)) = resource.split_once(":session/")
        && let Some(suffix) = id.strip_prefix(Account::SESSION_NAME)
    {
        let owner =
            shared.registry.views().into_iter().find(|view| view.session_id == id).map(|view| view.owner);
        if owner.is_none_or(|owner| owner == account.caller_arn()) {
            names.push(format!("{place}:session/{user_id}{suffix}"));
        }
    }
    names
}
