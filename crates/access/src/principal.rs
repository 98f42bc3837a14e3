//! Who a caller is, by its ARN.

use crate::arn::Arn;

/// What role names of permission sets begin with.
const PERMISSION_SET: &str = "AWSReservedSSO_";

/// A caller, as people name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// An IAM user.
    User {
        /// Name without its path.
        name: String,
    },
    /// A session of a role.
    Role {
        /// Name of the role.
        role: String,
        /// Name of the session: often a person.
        session: String,
    },
    /// A session of a permission set of IAM Identity Center. What it may do is changed in the permission set; its role is
    /// written anew from it.
    PermissionSet {
        /// Name of the permission set.
        set: String,
        /// Name of the session: the signed-in person.
        session: String,
    },
    /// The account's root user.
    Root,
    /// Anything else, as AWS named it.
    Other(String),
}

impl Principal {
    /// Reads a caller ARN; any text is at least [`Principal::Other`].
    pub fn parse(arn: &str) -> Self {
        let other = || Self::Other(arn.to_owned());
        let Some(parts) = Arn::parse(arn) else { return other() };
        match parts.resource.split('/').collect::<Vec<_>>()[..] {
            ["assumed-role", role, session] => match permission_set(role) {
                Some(set) => Self::PermissionSet { set: set.to_owned(), session: session.to_owned() },
                None => Self::Role { role: role.to_owned(), session: session.to_owned() },
            },
            ["user", .., name] => Self::User { name: name.to_owned() },
            ["root"] => Self::Root,
            _ => other(),
        }
    }

    /// The person or program, and in what capacity: "ada (role FleetOperator)".
    pub fn words(&self) -> String {
        match self {
            Self::User { name } => name.clone(),
            Self::Role { role, session } => format!("{session} (role {role})"),
            Self::PermissionSet { set, session } => format!("{session} (permission set {set})"),
            Self::Root => "The root user".to_owned(),
            Self::Other(arn) => match Arn::parse(arn) {
                Some(parts) => parts.resource.rsplit('/').next().unwrap_or(parts.resource).to_owned(),
                None => arn.clone(),
            },
        }
    }
}

/// The set of "AWSReservedSSO_FleetOperator_0123456789abcdef".
fn permission_set(role: &str) -> Option<&str> {
    let (set, hash) = role.strip_prefix(PERMISSION_SET)?.rsplit_once('_')?;
    (!set.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_named_as_people_say_it() {
        for (arn, words) in [
            ("arn:aws:iam::111122223333:user/team/ada", "ada"),
            ("arn:aws:sts::111122223333:assumed-role/Ops/ada", "ada (role Ops)"),
            (
                "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Fleet_Op_0123456789abcdef/ada@example.com",
                "ada@example.com (permission set Fleet_Op)",
            ),
            ("arn:aws:iam::111122223333:root", "The root user"),
            ("arn:aws:sts::111122223333:federated-user/ada", "ada"),
            ("anonymous", "anonymous"),
        ] {
            assert_eq!(Principal::parse(arn).words(), words, "{arn}");
        }
    }
}
