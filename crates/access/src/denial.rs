//! What AWS says when a policy refuses.
//!
//! The grammar (aws-security-reliability.md A.11):
//!
//! ```text
//! User: PRINCIPAL is not authorized to perform: SERVICE:ACTION
//!   [ on resource: ARN | on resource: "ARN" ]
//!   [ because no KIND allows the SERVICE:ACTION action
//!   | because the role trust policy allows the SERVICE:ACTION action
//!   | with an explicit deny [in a KIND [transitively through a KIND] [: POLICY-ARN]] ]
//!   [.] [ Encoded authorization failure message: BLOB ]
//! ```

/// The kind of policy that refused. AWS names one even if several refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyKind {
    /// A policy of the identity.
    Identity,
    /// The policy of the resource.
    Resource,
    /// The permissions boundary of the identity.
    Boundary,
    /// A policy passed when the role was assumed, or that of a permission set.
    Session,
    /// An organization policy on identities (SCP). AWS may call it explicit although nothing but an Allow is missing.
    ServiceControl,
    /// An organization policy on resources (RCP).
    ResourceControl,
    /// The policy of a VPC endpoint the call went through.
    Endpoint,
    /// The trust policy of the role that was to be assumed.
    RoleTrust,
}

/// How a policy refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing allows it.
    Implicit,
    /// A statement denies it.
    Explicit,
}

/// Who may not do what on which resource. Parts AWS did not name are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Denial {
    /// Caller ARN, or another name AWS gave the caller.
    pub principal: Option<String>,
    /// "ssm:StartSession".
    pub action: Option<String>,
    /// Resource ARN, or `*`.
    pub resource: Option<String>,
    /// Which kind of policy refused.
    pub policy: Option<PolicyKind>,
    /// The kind of policy it refused through, such as a service control policy that acts through an endpoint.
    pub through: Option<PolicyKind>,
    /// Whether nothing allows it or something denies it.
    pub effect: Option<Effect>,
    /// ARN of the policy that denies.
    pub policy_arn: Option<String>,
    /// What `sts:DecodeAuthorizationMessage` reads, given by EC2.
    pub encoded: Option<String>,
}

const VERB: &str = "not authorized to perform: ";
const ENCODED: &str = "Encoded authorization failure message: ";

impl Denial {
    /// The first refusal in a text, in time linear in it. `None` if the text holds none of the known form.
    pub fn find(text: &str) -> Option<Self> {
        let encoded = text.find(ENCODED).and_then(|at| word(&text[at + ENCODED.len()..]));
        let Some(at) = text.find(VERB) else {
            let worded = text.contains("not authorized to perform this operation");
            return (worded || encoded.is_some()).then(|| Self { encoded, ..Self::default() });
        };
        let (action, rest) = take_action(&text[at + VERB.len()..]);
        let (resource, rest) = take_resource(rest);
        let mut denial =
            Self { principal: principal(&text[..at]), action, resource, encoded, ..Self::default() };
        denial.read_reason(rest.trim_start());
        Some(denial)
    }

    fn read_reason(&mut self, rest: &str) {
        if let Some(kind) = rest.strip_prefix("because no ").or_else(|| rest.strip_prefix("because the ")) {
            self.policy = kind.split_once(" allows the ").and_then(|(kind, _)| policy_kind(kind));
            self.effect = Some(Effect::Implicit);
        } else if let Some(rest) = rest.strip_prefix("with an explicit deny") {
            self.effect = Some(Effect::Explicit);
            let Some(rest) = rest.strip_prefix(" in ") else { return };
            // The words end where the ARN, the sentence or a further sentence begins; no kind has these in its name.
            let end = rest.find([':', '.', '\n', '<']).unwrap_or(rest.len());
            let (kind, through) = match rest[..end].split_once(" transitively through ") {
                Some((kind, through)) => (kind, policy_kind(through)),
                None => (&rest[..end], None),
            };
            (self.policy, self.through) = (policy_kind(kind), through);
            let arn = rest[end..].strip_prefix(": ").and_then(word);
            self.policy_arn = arn.filter(|arn| arn.starts_with("arn:"));
        }
    }
}

/// The caller in what stands before the verb: "… User: NAME is ".
fn principal(before: &str) -> Option<String> {
    let before = before.strip_suffix(" is ").or_else(|| before.strip_suffix(" are "))?;
    let start = ["User: ", "Principal: "]
        .into_iter()
        .filter_map(|mark| Some(before.rfind(mark)? + mark.len()))
        .max()?;
    let name = before[start..].trim().trim_matches('"');
    (!name.is_empty()).then(|| name.to_owned())
}

fn take_action(text: &str) -> (Option<String>, &str) {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let action = tidy(&text[..end]);
    let known = |c: char| c.is_ascii_alphanumeric() || "-*_".contains(c);
    let sound = action.split_once(':').is_some_and(|(service, name)| {
        !service.is_empty() && !name.is_empty() && (service.to_owned() + name).chars().all(known)
    });
    (sound.then(|| action.to_owned()), &text[end..])
}

fn take_resource(text: &str) -> (Option<String>, &str) {
    let Some(rest) = text.trim_start().strip_prefix("on resource: ") else { return (None, text) };
    for quote in ["\"", "&quot;"] {
        if let Some((resource, rest)) = rest.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return ((!resource.is_empty()).then(|| resource.to_owned()), rest);
        }
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    (word(rest), &rest[end..])
}

/// The first word without what ends a sentence or an XML element.
fn word(text: &str) -> Option<String> {
    let word = tidy(text.split_whitespace().next()?);
    (!word.is_empty()).then(|| word.to_owned())
}

fn tidy(word: &str) -> &str {
    word.split('<').next().unwrap_or(word).trim_end_matches(['.', ',', ';'])
}

fn policy_kind(words: &str) -> Option<PolicyKind> {
    let words = words.trim().to_ascii_lowercase();
    let words =
        ["a ", "an ", "the "].into_iter().find_map(|article| words.strip_prefix(article)).unwrap_or(&words);
    Some(match words {
        "identity-based policy" | "identity-based policies" | "identity policy" => PolicyKind::Identity,
        "resource-based policy" | "resource-based policies" | "resource policy" => PolicyKind::Resource,
        "permissions boundary" | "permissions boundaries" | "permission boundary" => PolicyKind::Boundary,
        "session policy" | "session policies" | "sessions policy" => PolicyKind::Session,
        "service control policy" | "service control policies" => PolicyKind::ServiceControl,
        "resource control policy" | "resource control policies" => PolicyKind::ResourceControl,
        "vpc endpoint policy" | "vpc endpoint policies" => PolicyKind::Endpoint,
        "role trust policy" | "trust policy" => PolicyKind::RoleTrust,
        _ => return None,
    })
}
