//! Denials: rules that refuse an action on a resource, and the text AWS refuses with
//! (aws-security-reliability.md A.11).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};

/// Refuses an action on matching resources. `*` in `action` and `resource` stands for any text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenyRule {
    /// "ssm:StartSession", "ssm:Describe*".
    pub action: String,
    /// ARN of the resource. Listing calls match `arn:aws:ssm:REGION:ACCOUNT:*` as a text.
    pub resource: String,
    /// What kind of policy is named.
    pub reason: DenyReason,
}

/// The policy that denies, as the text names it. The names in requests and scenarios are those of the variants in
/// lower case, with underscores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DenyReason {
    /// No identity-based policy allows the action: one Allow would be enough.
    NoIdentityPolicy,
    /// An identity-based policy denies it.
    IdentityPolicy,
    /// No resource-based policy allows the action.
    NoResourcePolicy,
    /// A resource-based policy denies it.
    ResourcePolicy,
    /// The permissions boundary does not allow it.
    PermissionsBoundary,
    /// The permissions boundary denies it.
    PermissionsBoundaryDeny,
    /// The session policy does not allow it.
    SessionPolicy,
    /// The session policy denies it.
    SessionPolicyDeny,
    /// No service control policy of the organization allows it.
    NoServiceControlPolicy,
    /// An organization's policy denies it.
    ServiceControlPolicy,
    /// An organization's policy denies it, in the older wording that names no policy.
    ServiceControlPolicyUnnamed,
    /// An organization's policy for resources denies it.
    ResourceControlPolicy,
    /// The policy of the VPC endpoint does not allow it.
    VpcEndpointPolicy,
    /// The policy of the VPC endpoint denies it.
    VpcEndpointPolicyDeny,
    /// The role's trust policy, in AWS's own odd wording.
    RoleTrustPolicy,
    /// Denied, and nothing is said of the reason.
    Unexplained,
}

impl DenyReason {
    /// The reason by its name in control requests: `no_identity_policy`, `identity_policy`, `permissions_boundary` and
    /// so on.
    pub fn from_name(name: &str) -> Option<Self> {
        let name: StrDeserializer<'_, ValueError> = name.into_deserializer();
        Self::deserialize(name).ok()
    }

    /// What follows the action and the resource in a refusal (aws-security-reliability.md A.11).
    fn because(self, account: &str, action: &str) -> String {
        let implicit = |kind: &str| format!(" because no {kind} allows the {action} action");
        let explicit = |kind: &str, policy: &str| {
            let article = if kind.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
            let policy = if policy.is_empty() { String::new() } else { format!(": {policy}") };
            format!(" with an explicit deny in {article} {kind}{policy}")
        };
        let managed = |name: &str| format!("arn:aws:iam::{account}:policy/{name}");
        let organization = |kind: &str, id: &str| {
            format!("arn:aws:organizations::999900001111:policy/o-f1eet1ine0/{kind}/{id}")
        };
        match self {
            Self::NoIdentityPolicy => implicit("identity-based policy"),
            Self::NoResourcePolicy => implicit("resource-based policy"),
            Self::PermissionsBoundary => implicit("permissions boundary"),
            Self::SessionPolicy => implicit("session policy"),
            Self::NoServiceControlPolicy => implicit("service control policy"),
            Self::VpcEndpointPolicy => implicit("VPC endpoint policy"),
            Self::IdentityPolicy => explicit("identity-based policy", &managed("FleetGuardrail")),
            Self::ResourcePolicy => explicit("resource-based policy", ""),
            Self::PermissionsBoundaryDeny => explicit("permissions boundary", &managed("FleetBoundary")),
            Self::SessionPolicyDeny => explicit("session policy", ""),
            Self::ServiceControlPolicy => {
                explicit("service control policy", &organization("service_control_policy", "p-regi0n01"))
            }
            Self::ServiceControlPolicyUnnamed => explicit("service control policy", ""),
            Self::ResourceControlPolicy => {
                explicit("resource control policy", &organization("resource_control_policy", "p-perimet3r"))
            }
            Self::VpcEndpointPolicyDeny => explicit("VPC endpoint policy", ""),
            Self::RoleTrustPolicy => format!(" because the role trust policy allows the {action} action"),
            Self::Unexplained => String::new(),
        }
    }
}

impl DenyRule {
    pub(crate) fn matches(&self, action: &str, resource: &str) -> bool {
        glob(&self.action, action) && glob(&self.resource, resource)
    }

    /// The text of the refusal. `resource` is left out where the service does not name one.
    pub(crate) fn text(&self, caller_arn: &str, action: &str, resource: Option<&str>) -> String {
        let on = resource.map(|r| format!(" on resource: {r}")).unwrap_or_default();
        let account = caller_arn.split(':').nth(4).unwrap_or_default();
        let because = self.reason.because(account, action);
        format!("User: {caller_arn} is not authorized to perform: {action}{on}{because}")
    }
}

/// What EC2 adds to a refusal: a text only `sts:DecodeAuthorizationMessage` understands. Here nothing is in it.
pub(crate) fn encoded_message(seed: &str) -> String {
    let text: String = seed.bytes().cycle().take(288).map(char::from).filter(|c| *c != '-').collect();
    format!(" Encoded authorization failure message: {}", STANDARD.encode(text).replace(['+', '/', '='], "-"))
}

/// The policies of the demo world.
pub(crate) fn demo_denials() -> Vec<DenyRule> {
    let rule = |action: &str, resource: &str, reason| DenyRule {
        action: action.to_owned(),
        resource: resource.to_owned(),
        reason,
    };
    let organization = DenyReason::ServiceControlPolicy;
    vec![
        rule("ssm:DescribeInstance*", "arn:aws:ssm:ap-northeast-1:123456789012:*", organization),
        rule("ec2:DescribeInstances", "arn:aws:ec2:ap-northeast-1:123456789012:*", organization),
        rule(
            "ssm:StartSession",
            "arn:aws:ec2:ap-northeast-1:111122223333:instance/i-05d7e21f84ca6b390",
            organization,
        ),
        rule(
            "ssm:StartSession",
            "arn:aws:ec2:ap-northeast-1:111122223333:instance/i-0e6b48a07df3925c1",
            organization,
        ),
        rule(
            "ssm:StartSession",
            "arn:aws:ec2:eu-central-1:111122223333:instance/i-0c4e8f7a21b93d506",
            DenyReason::NoIdentityPolicy,
        ),
    ]
}

/// Whether `text` matches `pattern`, where `*` stands for any text and `?` for one character.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    // Most patterns are plain, and some calls compare hundreds of them with thousands of nodes.
    if !pattern.contains(['*', '?']) {
        return pattern == text;
    }
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // The last star takes one character more.
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::{DenyReason, DenyRule, glob};

    #[test]
    fn globs_match_like_policies() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("ssm:*", "ssm:StartSession", true),
            ("ssm:Start*", "ssm:Resume", false),
            ("a*b*c", "a-x-b-y-c", true),
            ("a*b*c", "a-x-c", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("abc", "abcd", false),
            ("*d", "abcdd", true),
        ] {
            assert_eq!(glob(pattern, text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn texts_are_those_of_the_reference() {
        let rule = |reason| DenyRule { action: "ssm:StartSession".into(), resource: "*".into(), reason };
        let user = "arn:aws:iam::111122223333:user/a";
        let node = "arn:aws:ec2:us-west-2:111122223333:instance/i-0abc";
        assert_eq!(
            rule(DenyReason::NoIdentityPolicy).text(user, "ssm:StartSession", Some(node)),
            "User: arn:aws:iam::111122223333:user/a is not authorized to perform: ssm:StartSession on resource: \
             arn:aws:ec2:us-west-2:111122223333:instance/i-0abc because no identity-based policy allows the \
             ssm:StartSession action"
        );
        let text = rule(DenyReason::ServiceControlPolicy).text(user, "ssm:StartSession", Some(node));
        assert!(
            text.contains(" with an explicit deny in a service control policy: arn:aws:organizations::"),
            "{text}"
        );
        for (reason, end) in [
            ("permissions_boundary", " because no permissions boundary allows the ssm:StartSession action"),
            ("vpc_endpoint_policy", " because no VPC endpoint policy allows the ssm:StartSession action"),
            ("role_trust_policy", " because the role trust policy allows the ssm:StartSession action"),
            ("service_control_policy_unnamed", " with an explicit deny in a service control policy"),
            ("session_policy_deny", " with an explicit deny in a session policy"),
            (
                "identity_policy",
                " with an explicit deny in an identity-based policy: \
                 arn:aws:iam::111122223333:policy/FleetGuardrail",
            ),
            ("unexplained", "instance/i-0abc"),
        ] {
            let text =
                rule(DenyReason::from_name(reason).unwrap()).text(user, "ssm:StartSession", Some(node));
            assert!(text.ends_with(end), "{reason}: {text}");
        }
        assert_eq!(DenyReason::from_name("whim"), None);
    }
}
