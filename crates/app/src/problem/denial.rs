//! What AWS says when a policy refuses (aws-security-reliability.md A.11).

/// The kind of policy that refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyKind {
    /// No identity policy allows it.
    NoAllow,
    /// An identity policy forbids it.
    IdentityDeny,
    /// An organization policy (SCP).
    ServiceControl,
    /// An organization policy on resources (RCP).
    ResourceControl,
    /// A permissions boundary.
    Boundary,
    /// A policy of the session of the role.
    Session,
    /// The policy of a VPC endpoint.
    Endpoint,
    /// The policy of the resource.
    Resource,
    /// AWS did not say, or said something new.
    Unnamed,
}

/// Who may not do what on which resource. Parts AWS did not name are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Caller ARN.
    pub who: Option<String>,
    /// "ssm:StartSession".
    pub action: Option<String>,
    /// Resource ARN.
    pub resource: Option<String>,
    /// Which kind of policy refused.
    pub policy: PolicyKind,
}

impl Denial {
    /// Reads the text of an access error; never guesses what it does not say.
    pub fn parse(text: &str) -> Self {
        let between = |from: &str| {
            let rest = text.split_once(from)?.1;
            let word = rest.split_whitespace().next()?.trim_end_matches(['.', ',']);
            (!word.is_empty()).then(|| word.to_owned())
        };
        let who = between("User: ").or_else(|| between("Principal: "));
        let policy = policy(text);
        Self {
            who,
            action: between("not authorized to perform: "),
            resource: between("on resource: "),
            policy,
        }
    }

    /// One sentence; `operation` and `place` stand in where AWS named no action.
    pub(super) fn sentence(&self, operation: &str, place: &str) -> String {
        let who = match self.who.as_deref() {
            Some(arn) => short_name(arn),
            None => "This identity".to_owned(),
        };
        let action = self.action.as_deref().unwrap_or(operation);
        let on = match self.resource.as_deref() {
            Some("*") | None => place.to_owned(),
            Some(arn) => format!(" on {}", short_resource(arn)),
        };
        match self.policy {
            PolicyKind::Unnamed => {
                format!("{who} may not call {action}{on}: AWS refused and did not say which policy.")
            }
            policy => format!("{who} may not call {action}{on}, {}.", because(policy)),
        }
    }

    pub(super) fn hint(&self) -> Option<String> {
        Some(
            match self.policy {
                PolicyKind::NoAllow => return Some(self.allow_hint()),
                PolicyKind::IdentityDeny => {
                    "The deny in the identity's own policy must change; allowing more does not help."
                }
                PolicyKind::ServiceControl | PolicyKind::ResourceControl => {
                    "Only an administrator of the organization can change it."
                }
                PolicyKind::Boundary => "The permissions boundary of the identity must allow it as well.",
                PolicyKind::Session => "The policy passed when the role was assumed must allow it as well.",
                PolicyKind::Endpoint => "The policy of the VPC endpoint must allow it as well.",
                PolicyKind::Resource => "The policy of the resource must change.",
                PolicyKind::Unnamed => "The text AWS gave is in the details.",
            }
            .to_owned(),
        )
    }

    fn allow_hint(&self) -> String {
        match (&self.action, &self.resource) {
            (Some(action), Some(resource)) => {
                format!("A policy of the identity must allow {action} on {resource}.")
            }
            (Some(action), None) => format!("A policy of the identity must allow {action}."),
            _ => "A policy of the identity must allow it.".to_owned(),
        }
    }
}

fn policy(text: &str) -> PolicyKind {
    let text = text.to_ascii_lowercase();
    let names = [
        ("service control polic", PolicyKind::ServiceControl),
        ("resource control polic", PolicyKind::ResourceControl),
        ("permissions boundar", PolicyKind::Boundary),
        ("session polic", PolicyKind::Session),
        ("vpc endpoint polic", PolicyKind::Endpoint),
        ("resource-based polic", PolicyKind::Resource),
    ];
    if let Some((_, kind)) = names.into_iter().find(|(name, _)| text.contains(name)) {
        return kind;
    }
    match (text.contains("identity-based polic"), text.contains("explicit deny")) {
        (true, true) => PolicyKind::IdentityDeny,
        (true, false) => PolicyKind::NoAllow,
        (false, _) => PolicyKind::Unnamed,
    }
}

fn because(policy: PolicyKind) -> &'static str {
    match policy {
        PolicyKind::NoAllow => "because no identity policy allows it",
        PolicyKind::IdentityDeny => "because one of its own policies forbids it",
        PolicyKind::ServiceControl => "because an organization policy (SCP) forbids it",
        PolicyKind::ResourceControl => "because an organization policy (RCP) forbids it",
        PolicyKind::Boundary => "because its permissions boundary does not allow it",
        PolicyKind::Session => "because the session policy of its role does not allow it",
        PolicyKind::Endpoint => "because the policy of the VPC endpoint does not allow it",
        PolicyKind::Resource => "because the policy of the resource does not allow it",
        PolicyKind::Unnamed => "and AWS did not say which policy refused",
    }
}

/// The user or the role with its session, as people say it.
fn short_name(arn: &str) -> String {
    let last = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    match last.split('/').collect::<Vec<_>>().as_slice() {
        ["assumed-role", role, session] => format!("{session} (role {role})"),
        [.., name] => (*name).to_owned(),
        [] => arn.to_owned(),
    }
}

/// The last part of a resource's ARN; a lone star is not shortened.
fn short_resource(arn: &str) -> String {
    let last = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    match last.split_once('/') {
        Some((_, name)) if !name.is_empty() && name != "*" => name.to_owned(),
        _ => last.to_owned(),
    }
}
