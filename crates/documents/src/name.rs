//! Names of documents one may create (aws-security-reliability.md A.6).

/// Prefixes AWS keeps for itself, whatever their case.
const RESERVED: [&str; 6] = ["aws", "amazon", "amzn", "awsec2", "awsconfigremediation", "awssupport"];

/// Why a document cannot have a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Fewer than 3 or more than 128 characters.
    #[error("A name has 3 to 128 characters; this one has {0}.")]
    Length(usize),
    /// A character that names cannot have.
    #[error("“{0}” cannot be in a name; letters, digits, - _ and . can.")]
    Character(char),
    /// It begins as names of AWS do.
    #[error("Names that begin with “{0}” are reserved for AWS.")]
    Reserved(&'static str),
}

/// Checks the name of a document to be created.
///
/// # Errors
/// The first rule the name breaks.
pub fn check_name(name: &str) -> Result<(), NameError> {
    if let Some(bad) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || "-_.".contains(*c))) {
        return Err(NameError::Character(bad));
    }
    if !(3..=128).contains(&name.len()) {
        return Err(NameError::Length(name.len()));
    }
    let lower = name.to_ascii_lowercase();
    match RESERVED.iter().find(|prefix| lower.starts_with(*prefix)) {
        Some(prefix) => Err(NameError::Reserved(prefix)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_the_service() {
        assert_eq!(check_name("Corp-Ledger_Console.v2"), Ok(()));
        assert_eq!(check_name("SSM-SessionManagerRunShell"), Ok(()));
        assert_eq!(check_name("ab"), Err(NameError::Length(2)));
        assert_eq!(check_name(&"x".repeat(129)), Err(NameError::Length(129)));
        assert_eq!(check_name("a b"), Err(NameError::Character(' ')));
        assert_eq!(check_name("AWS-Mine"), Err(NameError::Reserved("aws")));
        assert_eq!(check_name("amazing"), Ok(()));
        assert_eq!(check_name("Amazon-x"), Err(NameError::Reserved("amazon")));
    }
}
