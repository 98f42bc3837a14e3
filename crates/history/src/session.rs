//! A session as AWS describes it.

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionStatus {
    /// The client is attached.
    Connected,
    /// Started, and nobody attached yet.
    Connecting,
    /// The client is gone; the session can be resumed.
    Disconnected,
    /// Ended.
    Terminated,
    /// Being ended.
    Terminating,
    /// It never worked.
    Failed,
    /// Something this program does not know.
    Unknown,
}

impl SessionStatus {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Connected, "Connected"),
        (Self::Connecting, "Connecting"),
        (Self::Disconnected, "Disconnected"),
        (Self::Terminated, "Terminated"),
        (Self::Terminating, "Terminating"),
        (Self::Failed, "Failed"),
    ];

    /// The name in the API.
    pub fn wire_name(self) -> &'static str {
        Self::ALL.iter().find(|(status, _)| *status == self).map_or("Unknown", |(_, name)| name)
    }

    /// The status of that name, in any case.
    pub fn from_wire_name(name: &str) -> Self {
        Self::ALL
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map_or(Self::Unknown, |(s, _)| *s)
    }

    /// Whether the session is over.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Terminated | Self::Failed)
    }
}

/// How access to the node was had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AccessType {
    /// As always.
    #[default]
    Standard,
    /// By an approved request for access.
    JustInTime,
}

impl AccessType {
    /// The name in the API.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Standard => "Standard",
            Self::JustInTime => "JustInTime",
        }
    }
}

/// What a session is, as far as its document's name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SessionKind {
    /// A shell by the session preferences.
    Shell,
    /// A command by a document of AWS.
    Command,
    /// A port of the node or beyond it.
    Forward,
    /// A port for SSH.
    Ssh,
    /// A document of an account, of whatever type.
    Document,
}

impl SessionKind {
    /// By the name of the document (protocol.md 1.8).
    pub fn of(document: &str) -> Self {
        let name = document.rsplit_once(":document/").map_or(document, |(_, name)| name);
        match name {
            "" | "SSM-SessionManagerRunShell" => Self::Shell,
            "AWS-StartSSHSession" => Self::Ssh,
            name if name.starts_with("AWS-StartPortForwardingSession") => Self::Forward,
            name if name.starts_with("AWS-Start") && name.ends_with("Command") => Self::Command,
            "AWS-PasswordReset" | "AmazonECS-ExecuteInteractiveCommand" => Self::Command,
            _ => Self::Document,
        }
    }

    /// The word in queries and exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shell => "shell",
            Self::Command => "command",
            Self::Forward => "forward",
            Self::Ssh => "ssh",
            Self::Document => "document",
        }
    }

    /// Whether AWS never logs what passes: SSH and ports (protocol.md 8.7). Of others their document decides.
    pub fn content_is_never_logged(self) -> bool {
        matches!(self, Self::Forward | Self::Ssh)
    }
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its id.
    pub session_id: String,
    /// Node id or other target.
    pub target: String,
    /// Where it stands.
    pub status: SessionStatus,
    /// Begun, in epoch milliseconds.
    pub start_ms: Option<i64>,
    /// Ended, in epoch milliseconds.
    pub end_ms: Option<i64>,
    /// Name or ARN of its document; empty where AWS says nothing.
    pub document: String,
    /// ARN of the caller that began it.
    pub owner: String,
    /// Why, in the owner's words; may be empty.
    pub reason: String,
    /// What AWS says of its end; may be empty.
    pub details: String,
    /// Address of the log in S3; may be empty.
    pub s3_url: String,
    /// Address of the log in CloudWatch Logs; may be empty.
    pub cloudwatch_url: String,
    /// Minutes it may last, where there is a limit.
    pub max_minutes: Option<u32>,
    /// How access was had.
    pub access: AccessType,
}

impl SessionRecord {
    /// What it is.
    pub fn kind(&self) -> SessionKind {
        SessionKind::of(&self.document)
    }

    /// The last part of the owner's ARN, as people say it.
    pub fn owner_name(&self) -> &str {
        self.owner.rsplit(['/', ':']).next().unwrap_or(&self.owner)
    }

    /// How long it lasted, or has lasted until now, in milliseconds.
    pub fn duration_ms(&self, now_ms: i64) -> Option<i64> {
        let end = match (self.end_ms, self.status.is_over()) {
            (Some(end), _) => end,
            (None, false) => now_ms,
            (None, true) => return None,
        };
        Some((end - self.start_ms?).max(0))
    }

    /// Whether AWS names a place its content was written to.
    pub fn has_log(&self) -> bool {
        !self.s3_url.is_empty() || !self.cloudwatch_url.is_empty()
    }

    /// Whether it ended because nobody used it.
    pub fn timed_out(&self) -> bool {
        let details = self.details.to_ascii_lowercase();
        details.contains("idle")
            || details.contains("inactiv")
            || details.contains("timeout")
            || details.contains("timed out")
    }
}

/// The reason without the mark this program puts behind it (decision 0024).
pub fn without_mark(reason: &str) -> &str {
    let is_mark = |text: &str| {
        text.strip_prefix("fleetline ")
            .is_some_and(|digits| digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    if is_mark(reason) {
        return "";
    }
    match reason.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) {
        Some((own, mark)) if is_mark(mark) => own,
        _ => reason,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn session(id: &str) -> SessionRecord {
        SessionRecord {
            session_id: id.to_owned(),
            target: "i-1".to_owned(),
            status: SessionStatus::Terminated,
            start_ms: Some(1_000),
            end_ms: Some(61_000),
            document: String::new(),
            owner: "arn:aws:sts::111122223333:assumed-role/FleetOperator/mika.sato".to_owned(),
            reason: String::new(),
            details: String::new(),
            s3_url: String::new(),
            cloudwatch_url: String::new(),
            max_minutes: None,
            access: AccessType::Standard,
        }
    }

    #[test]
    fn kinds_follow_the_document() {
        for (document, kind) in [
            ("", SessionKind::Shell),
            ("SSM-SessionManagerRunShell", SessionKind::Shell),
            ("AWS-StartSSHSession", SessionKind::Ssh),
            ("AWS-StartPortForwardingSessionToRemoteHost", SessionKind::Forward),
            ("AWS-StartNonInteractiveCommand", SessionKind::Command),
            ("arn:aws:ssm:eu-west-1:1:document/Org-VendorPort", SessionKind::Document),
        ] {
            assert_eq!(SessionKind::of(document), kind, "{document}");
        }
    }

    #[test]
    fn our_own_mark_is_no_reason() {
        assert_eq!(without_mark("fleetline 0a1b2c3d"), "");
        assert_eq!(without_mark("CHG-7 (fleetline 0a1b2c3d)"), "CHG-7");
        assert_eq!(without_mark("CHG-7 (later)"), "CHG-7 (later)");
        assert_eq!(without_mark("fleetline restart"), "fleetline restart");
    }

    #[test]
    fn durations_run_until_the_end_or_now() {
        let mut one = session("s");
        assert_eq!((one.owner_name(), one.duration_ms(0)), ("mika.sato", Some(60_000)));
        one.end_ms = None;
        assert_eq!(one.duration_ms(99_000), None, "an ended session without an end has no duration");
        one.status = SessionStatus::Connected;
        assert_eq!(one.duration_ms(99_000), Some(98_000));
    }
}
