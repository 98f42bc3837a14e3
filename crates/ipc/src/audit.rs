//! Whether sessions of an account-Region are recorded, sealed and bounded.

use serde::{Deserialize, Serialize};
use specta::Type;

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AuditTopic {
    /// The log in S3.
    S3Log,
    /// The log in CloudWatch Logs.
    CloudWatchLog,
    /// Encryption of sessions with a KMS key.
    Sealing,
    /// Whose rights shells have on nodes.
    RunAs,
    /// The end of sessions nobody uses.
    IdleLimit,
    /// The end of sessions that last too long.
    LongestLimit,
    /// SSH and ports.
    PortContent,
    /// Documents that record nothing.
    OtherDocuments,
    /// Documents of other accounts.
    Sharing,
    /// Who may start what.
    Permissions,
    /// Where calls are kept.
    CloudTrail,
}

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AuditVerdict {
    /// As an auditor would want it.
    Good,
    /// Worth a decision.
    Attention,
    /// A gap.
    Gap,
    /// Cannot be known from here.
    Unknown,
}

/// What changes a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum AuditSetting {
    /// A field of the session preferences.
    Preference {
        /// Its path.
        path: String,
    },
    /// The documents named in the finding.
    Documents,
    /// IAM policies.
    Policies,
    /// The account's trail in CloudTrail.
    Trail,
}

/// What is the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum AuditFact {
    /// Logs go to a bucket.
    S3 {
        /// Its name.
        bucket: String,
        /// Prefix of keys.
        prefix: Option<String>,
        /// Whether sessions are refused unless it is encrypted.
        encrypted: bool,
    },
    /// Logs go to a log group.
    CloudWatch {
        /// Its name.
        group: String,
        /// Whether they are written while sessions run.
        streams: bool,
        /// Whether sessions are refused unless it is encrypted.
        encrypted: bool,
    },
    /// Logs go elsewhere.
    NotHere,
    /// Nothing is recorded.
    NotRecorded,
    /// Sealed with a key.
    Sealed {
        /// As the document names it.
        key: String,
    },
    /// Not sealed.
    NotSealed,
    /// Shells run as the agent's user.
    AgentUser,
    /// Shells run as a user of one's own.
    NamedUser {
        /// Where the caller has no tag.
        user: Option<String>,
    },
    /// Sessions end without activity.
    Idle {
        /// Minutes.
        minutes: u32,
        /// Whether the document says so; otherwise it is what AWS takes.
        set: bool,
    },
    /// Sessions end at last.
    Longest {
        /// Minutes.
        minutes: u32,
    },
    /// They need not end.
    NoLongest,
    /// AWS never logs what passes through SSH and port sessions.
    PortsUnseen,
    /// Documents that record nothing.
    Unrecorded {
        /// Their names.
        names: Vec<String>,
    },
    /// Every document records, or there is none.
    AllRecorded,
    /// Documents of other accounts can be used here.
    SharedHere {
        /// Their names.
        names: Vec<String>,
    },
    /// None of another account.
    NoneShared,
    /// Only IAM policies tell.
    PoliciesTell,
    /// Trails are logging.
    TrailLogging {
        /// Their names.
        names: Vec<String>,
    },
    /// Trails are stopped.
    TrailStopped {
        /// Their names.
        names: Vec<String>,
    },
    /// There is no trail.
    NoTrail,
    /// It could not be found out.
    Unknown,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AuditRow {
    /// What about.
    pub topic: AuditTopic,
    /// How to take it.
    pub verdict: AuditVerdict,
    /// What is the case.
    pub fact: AuditFact,
    /// What it was read from, or why it is not known.
    pub evidence: String,
    /// What changes it.
    pub setting: AuditSetting,
}

/// An account-Region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// Account name.
    pub source: String,
    /// Region.
    pub region: String,
    /// A finding for each topic.
    pub rows: Vec<AuditRow>,
    /// When it was read.
    pub at_ms: f64,
}
