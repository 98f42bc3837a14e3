//! A document as a form shows it: typed, read leniently. What is wrong with it is told by [`check`](crate::check).

use std::fmt;

use serde_json::Value;

use crate::parameter::Parameter;
use crate::path::FieldPath;
use crate::text::DocumentText;

/// What a session of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionType {
    /// A shell.
    StandardStream,
    /// A command on a terminal.
    InteractiveCommands,
    /// A command without a terminal.
    NonInteractiveCommands,
    /// Bytes to a port.
    Port,
}

impl SessionType {
    /// All of them, in the order they are offered.
    pub const ALL: [Self; 4] =
        [Self::StandardStream, Self::InteractiveCommands, Self::NonInteractiveCommands, Self::Port];

    /// The name in documents.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::StandardStream => "Standard_Stream",
            Self::InteractiveCommands => "InteractiveCommands",
            Self::NonInteractiveCommands => "NonInteractiveCommands",
            Self::Port => "Port",
        }
    }

    /// The type of that name, spelt exactly so.
    pub fn from_wire_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.wire_name() == name)
    }

    /// Whether it runs the commands in `properties`.
    pub fn runs_commands(self) -> bool {
        matches!(self, Self::InteractiveCommands | Self::NonInteractiveCommands)
    }
}

impl fmt::Display for SessionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire_name())
    }
}

/// A session document. Empty texts of the JSON, which AWS writes for "not set", are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionDocument {
    /// What it is for, in the author's words.
    pub description: Option<String>,
    /// What a session is; `None` when missing or unknown.
    pub session_type: Option<SessionType>,
    /// What is done around a session.
    pub inputs: Inputs,
    /// In the order of the document.
    pub parameters: Vec<Parameter>,
    /// What a session does.
    pub properties: Properties,
}

/// `inputs`: logging, sealing, user and limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Bucket the log is written to at the end.
    pub s3_bucket: Option<String>,
    /// Prefix of the log's key in it.
    pub s3_prefix: Option<String>,
    /// Whether the bucket must be encrypted.
    pub s3_encryption: bool,
    /// Log group of CloudWatch Logs.
    pub cloudwatch_group: Option<String>,
    /// Whether the log group must be encrypted.
    pub cloudwatch_encryption: bool,
    /// Whether the log is streamed while the session runs, instead of written at its end.
    pub cloudwatch_streaming: bool,
    /// KMS key the session is sealed with: id, alias or ARN.
    pub kms_key: Option<String>,
    /// Whether the session runs as a user of the operating system that the caller's tag or this document names.
    pub run_as: bool,
    /// That user, where the caller has no tag.
    pub run_as_user: Option<String>,
    /// Minutes without activity after which the service ends the session: 1 to 60; the service takes 20 where none is
    /// set.
    pub idle_minutes: Option<u32>,
    /// Minutes after which the service ends the session: 1 to 1440; none where none is set.
    pub max_minutes: Option<u32>,
    /// Typed into a Linux or macOS shell at its start; 512 characters at most.
    pub linux_profile: Option<String>,
    /// Typed into a Windows shell at its start; 512 characters at most.
    pub windows_profile: Option<String>,
}

/// `properties`, as the session type reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// Command on Linux.
    pub linux: Option<Command>,
    /// Command on macOS.
    pub macos: Option<Command>,
    /// Command on Windows.
    pub windows: Option<Command>,
    /// Of port sessions.
    pub port: PortProperties,
}

/// A command of one platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// The command line, with placeholders.
    pub commands: String,
    /// Whether it runs as administrator or root.
    pub elevated: bool,
}

/// Where a port session leads. Placeholders are kept as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortProperties {
    /// Port on the node or on `host`.
    pub port: Option<String>,
    /// Port to listen on here; "0" is any.
    pub local_port: Option<String>,
    /// Host beyond the node.
    pub host: Option<String>,
    /// `LocalPortForwarding`, or none for standard input and output (protocol.md 8.1).
    pub kind: Option<String>,
}

impl SessionDocument {
    /// What a text says.
    pub fn read(text: &DocumentText) -> Self {
        let value = text.value();
        let order = text.members(&FieldPath::from(["parameters"]));
        let parameters = order
            .iter()
            .filter_map(|name| Some(Parameter::read(name, value.get("parameters")?.get(name)?)))
            .collect();
        let session_type =
            value.get("sessionType").and_then(Value::as_str).and_then(SessionType::from_wire_name);
        let properties = value.get("properties").unwrap_or(&Value::Null);
        Self {
            description: filled(value.get("description")),
            session_type,
            inputs: Inputs::read(value.get("inputs").unwrap_or(&Value::Null)),
            parameters,
            properties: Properties::read(properties),
        }
    }
}

impl Inputs {
    fn read(inputs: &Value) -> Self {
        let text = |name: &str| filled(inputs.get(name));
        let profile = |platform: &str| filled(inputs.get("shellProfile").and_then(|p| p.get(platform)));
        Self {
            s3_bucket: text("s3BucketName"),
            s3_prefix: text("s3KeyPrefix"),
            s3_encryption: is_on(inputs.get("s3EncryptionEnabled")),
            cloudwatch_group: text("cloudWatchLogGroupName"),
            cloudwatch_encryption: is_on(inputs.get("cloudWatchEncryptionEnabled")),
            cloudwatch_streaming: is_on(inputs.get("cloudWatchStreamingEnabled")),
            kms_key: text("kmsKeyId"),
            run_as: is_on(inputs.get("runAsEnabled")),
            run_as_user: text("runAsDefaultUser"),
            idle_minutes: minutes(inputs.get("idleSessionTimeout")),
            max_minutes: minutes(inputs.get("maxSessionDuration")),
            linux_profile: profile("linux"),
            windows_profile: profile("windows"),
        }
    }
}

impl Properties {
    fn read(properties: &Value) -> Self {
        let command = |platform: &str| {
            let command = properties.get(platform)?;
            Some(Command {
                commands: filled(command.get("commands")).unwrap_or_default(),
                elevated: is_on(command.get("runAsElevated")),
            })
        };
        let text = |name: &str| filled(properties.get(name));
        Self {
            linux: command("linux"),
            macos: command("macos"),
            windows: command("windows"),
            port: PortProperties {
                port: text("portNumber"),
                local_port: text("localPortNumber"),
                host: text("host"),
                kind: text("type"),
            },
        }
    }
}

fn filled(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Booleans are seen as such and as texts (protocol.md 1.9).
fn is_on(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(yes)) => *yes,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// Times are texts; numbers are seen in the wild (protocol.md 1.9).
fn minutes(value: Option<&Value>) -> Option<u32> {
    match value? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64().and_then(|n| u32::try_from(n).ok()),
        _ => None,
    }
}
