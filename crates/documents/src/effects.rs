//! What a document does to a session, to be shown before one is started.

use crate::model::{SessionDocument, SessionType};

/// Minutes without activity after which the service ends a session whose document names none (protocol.md 1.9).
const DEFAULT_IDLE_MINUTES: u32 = 20;

/// The user agents run shells as unless told otherwise (protocol.md 7.6).
const AGENT_USER: &str = "ssm-user";

/// What happens to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// Whether AWS can record what passes. Of port sessions it never does (protocol.md 8.7).
    pub content_can_be_logged: bool,
    /// Bucket the log goes to.
    pub s3: Option<S3Target>,
    /// Log group the log goes to.
    pub cloudwatch: Option<CloudWatchTarget>,
    /// KMS key the session is sealed with, as the document names it.
    pub sealed_with: Option<String>,
    /// Whose rights it has on the node.
    pub run_as: RunAs,
    /// Minutes without activity after which it ends.
    pub idle_minutes: u32,
    /// Minutes after which it ends; `None` never.
    pub max_minutes: Option<u32>,
}

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Target {
    /// Its name.
    pub bucket: String,
    /// Prefix of keys in it.
    pub prefix: Option<String>,
    /// Whether the session is refused unless the bucket is encrypted.
    pub must_be_encrypted: bool,
}

/// A log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudWatchTarget {
    /// Its name.
    pub group: String,
    /// Whether the log is written while the session runs.
    pub streams: bool,
    /// Whether the session is refused unless the group is encrypted.
    pub must_be_encrypted: bool,
}

/// The operating system's user a session runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunAs {
    /// The agent's user for sessions.
    AgentUser {
        /// Its name.
        name: &'static str,
    },
    /// Root or the administrator, as the command asks for.
    Elevated,
    /// The user the caller's `SSMSessionRunAs` tag names, else this one; without either the session is refused.
    Named {
        /// The document's user.
        otherwise: Option<String>,
    },
    /// None: bytes go to a port.
    Nobody,
}

impl Effects {
    /// What `document` does. What it says is not checked; see [`check`](crate::check).
    pub fn of(document: &SessionDocument) -> Self {
        let inputs = &document.inputs;
        let is_port = document.session_type == Some(SessionType::Port);
        let commands = [&document.properties.linux, &document.properties.macos, &document.properties.windows];
        let is_elevated = document.session_type.is_some_and(SessionType::runs_commands)
            && commands.into_iter().flatten().any(|command| command.elevated);
        let run_as = match (is_port, inputs.run_as, is_elevated) {
            (true, ..) => RunAs::Nobody,
            (false, true, _) => RunAs::Named { otherwise: inputs.run_as_user.clone() },
            (false, false, true) => RunAs::Elevated,
            (false, false, false) => RunAs::AgentUser { name: AGENT_USER },
        };
        let unless_port = !is_port;
        Self {
            content_can_be_logged: unless_port,
            s3: inputs.s3_bucket.clone().filter(|_| unless_port).map(|bucket| S3Target {
                bucket,
                prefix: inputs.s3_prefix.clone(),
                must_be_encrypted: inputs.s3_encryption,
            }),
            cloudwatch: inputs.cloudwatch_group.clone().filter(|_| unless_port).map(|group| {
                CloudWatchTarget {
                    group,
                    streams: inputs.cloudwatch_streaming,
                    must_be_encrypted: inputs.cloudwatch_encryption,
                }
            }),
            sealed_with: inputs.kms_key.clone().filter(|_| unless_port),
            run_as,
            idle_minutes: inputs.idle_minutes.unwrap_or(DEFAULT_IDLE_MINUTES),
            max_minutes: inputs.max_minutes,
        }
    }
}
