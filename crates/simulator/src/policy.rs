//! Denials: rules that refuse an action on a resource, and the text AWS refuses with
//! (aws-security-reliability.md A.11).

/// Refuses an action on matching resources. `*` in `action` and `resource` stands for any text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenyRule {
    /// "ssm:StartSession", "ssm:Describe*".
    pub action: String,
    /// ARN of the resource. Listing calls match `arn:aws:ssm:REGION:ACCOUNT:*` as a text.
    pub resource: String,
    /// What kind of policy is named.
    pub reason: DenyReason,
}

/// The policy that denies, as the text names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenyReason {
    /// No identity-based policy allows the action: one Allow would be enough.
    NoIdentityPolicy,
    /// An identity-based policy denies it.
    IdentityPolicy,
    /// The permissions boundary does not allow it.
    PermissionsBoundary,
    /// The session policy does not allow it.
    SessionPolicy,
    /// An organization's policy denies it.
    ServiceControlPolicy,
}

impl DenyReason {
    /// The reason by its name in control requests: `no_identity_policy`, `identity_policy`, `permissions_boundary`,
    /// `session_policy`, `service_control_policy`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "no_identity_policy" => Self::NoIdentityPolicy,
            "identity_policy" => Self::IdentityPolicy,
            "permissions_boundary" => Self::PermissionsBoundary,
            "session_policy" => Self::SessionPolicy,
            "service_control_policy" => Self::ServiceControlPolicy,
            _ => return None,
        })
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
        let because = match self.reason {
            DenyReason::NoIdentityPolicy => {
                format!("because no identity-based policy allows the {action} action")
            }
            DenyReason::PermissionsBoundary => {
                format!("because no permissions boundary allows the {action} action")
            }
            DenyReason::SessionPolicy => format!("because no session policy allows the {action} action"),
            DenyReason::IdentityPolicy => {
                format!(
                    "with an explicit deny in an identity-based policy: arn:aws:iam::{account}:policy/FleetGuardrail"
                )
            }
            DenyReason::ServiceControlPolicy => "with an explicit deny in a service control policy: \
                 arn:aws:organizations::999900001111:policy/o-f1eet1ine0/service_control_policy/p-regi0n01"
                .to_owned(),
        };
        format!("User: {caller_arn} is not authorized to perform: {action}{on} {because}")
    }
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
    }
}
