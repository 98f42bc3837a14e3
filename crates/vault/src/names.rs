//! Names of what is kept, so that whoever shows a vault can say what is in it.

/// The key that seals recordings.
pub const RECORDINGS: &str = "recordings";

/// How names of sessions that codes of MFA devices opened begin.
const SESSION: &str = "mfa session\n";

/// How the names of all sessions of one AWS configuration file begin. What comes next begins with the source and a line
/// feed.
pub fn sessions_of(config: &str) -> String {
    format!("{SESSION}{}\n", config.replace('\n', " "))
}

/// The source whose session a secret of this name is; `None` if it is something else.
pub fn session_source(name: &str) -> Option<&str> {
    name.strip_prefix(SESSION)?.split('\n').nth(1)
}
