//! Session documents that are put into an account (protocol.md 1.9).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Program;
use super::substitution::{self, Values};
use crate::http::failure::ApiFailure;
use crate::kms::SessionKey;
use crate::world::catalogue::PlatformType;
use fleetline_protocol::SessionKind;

/// A document that is refused when it is put.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(crate) struct DocumentProblem {
    text: String,
    /// Whether it is only that the schema version is not that of sessions.
    pub(crate) is_of_version: bool,
}

impl DocumentProblem {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_of_version: false }
    }
}

/// A session document.
#[derive(Clone, Debug)]
pub(crate) struct SessionDocument {
    /// As it was written.
    written: Arc<Value>,
    kind: SessionKind,
    parameters: BTreeMap<String, Parameter>,
    properties: Value,
    inputs: Inputs,
}

#[derive(Clone, Debug)]
struct Parameter {
    is_list: bool,
    default: Option<Value>,
    pattern: Option<Regex>,
    allowed: Option<Vec<String>>,
}

/// What a document says of the session around its program. The default is that of the managed documents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inputs {
    pub(crate) session_key: Option<SessionKey>,
    /// The operating system's user that runs the program, when it is not the agent's own.
    pub(crate) run_as: Option<String>,
    /// Typed into shells by platform: Windows, others.
    shell_profile: [String; 2],
    /// The bucket the log goes to.
    pub(crate) s3: Option<S3Target>,
    /// The log group the log goes to.
    pub(crate) log_group: Option<LogGroupTarget>,
    /// Time without input or output after which the session is closed.
    pub(crate) idle: Option<Duration>,
    /// Time after which the session is closed.
    pub(crate) longest: Option<Duration>,
}

/// Where logs go in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct S3Target {
    pub(crate) bucket: String,
    /// May be empty.
    pub(crate) prefix: String,
}

/// Where logs go in CloudWatch Logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogGroupTarget {
    pub(crate) name: String,
    /// Whether they are written while the session runs.
    pub(crate) streams: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    schema_version: String,
    session_type: String,
    #[serde(default)]
    inputs: WrittenInputs,
    #[serde(default)]
    parameters: BTreeMap<String, WrittenParameter>,
    #[serde(default)]
    properties: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WrittenInputs {
    kms_key_id: String,
    s3_bucket_name: String,
    s3_key_prefix: String,
    cloud_watch_log_group_name: String,
    cloud_watch_streaming_enabled: Value,
    run_as_enabled: Value,
    run_as_default_user: String,
    idle_session_timeout: Value,
    max_session_duration: Value,
    shell_profile: WrittenProfile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WrittenProfile {
    windows: String,
    linux: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenParameter {
    #[serde(rename = "type")]
    kind: String,
    default: Option<Value>,
    allowed_pattern: Option<String>,
    allowed_values: Option<Vec<String>>,
}

/// Characters of a shell profile at most.
const MAX_PROFILE: usize = 512;

impl SessionDocument {
    /// Reads a document's JSON.
    pub(crate) fn parse(json: &str) -> Result<Self, DocumentProblem> {
        let unread = |error: serde_json::Error| DocumentProblem::new(error.to_string());
        let content: Value = serde_json::from_str(json).map_err(unread)?;
        let written = Written::deserialize(&content).map_err(unread)?;
        if written.schema_version != "1.0" {
            let text = format!("schemaVersion {} is not 1.0", written.schema_version);
            return Err(DocumentProblem { text, is_of_version: true });
        }
        let kind = SessionKind::from_wire_name(&written.session_type)
            .ok_or_else(|| problem(format!("there is no sessionType {}", written.session_type)))?;
        let parameters = written
            .parameters
            .into_iter()
            .map(|(name, parameter)| Ok((name.clone(), Parameter::read(&name, parameter)?)))
            .collect::<Result<_, _>>()?;
        let inputs = Inputs::read(written.inputs)?;
        Ok(Self { written: Arc::new(content), kind, parameters, properties: written.properties, inputs })
    }

    /// As it was written.
    pub(crate) fn written(&self) -> Arc<Value> {
        Arc::clone(&self.written)
    }

    pub(crate) fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// The program on a node of this platform, with these parameters.
    pub(crate) fn program(
        &self,
        name: &str,
        given: &BTreeMap<String, Vec<String>>,
        platform: PlatformType,
    ) -> Result<Program, ApiFailure> {
        let values = self.values(name, given)?;
        let properties = substitution::replace(&self.properties, &values);
        Ok(match self.kind {
            SessionKind::Shell => Program::Shell,
            SessionKind::Port => super::port_program(texts(properties)),
            SessionKind::InteractiveCommands => match command(&properties, platform) {
                Some(properties) => Program::InteractiveCommand(properties.commands),
                None => Program::Unsupported,
            },
            SessionKind::NonInteractiveCommands => match command(&properties, platform) {
                Some(properties) => Program::NonInteractiveCommand {
                    command: properties.commands,
                    separate: properties.separate,
                    stdout_prefix: properties.stdout_prefix,
                    stderr_prefix: properties.stderr_prefix,
                },
                None => Program::Unsupported,
            },
        })
    }

    /// A value for every parameter.
    pub(super) fn values(
        &self,
        name: &str,
        given: &BTreeMap<String, Vec<String>>,
    ) -> Result<Values, ApiFailure> {
        let invalid = |text: String| ApiFailure::new("InvalidParameters", text);
        if let Some(unknown) = given.keys().find(|given| !self.parameters.contains_key(*given)) {
            return Err(invalid(format!("Document {name} has no parameter {unknown}.")));
        }
        let values = self.parameters.iter().map(|(parameter, rule)| {
            let value = match (given.get(parameter), &rule.default) {
                (Some(values), _) if rule.is_list => Value::from(values.clone()),
                (Some(values), _) => Value::from(values.first().cloned().unwrap_or_default()),
                (None, Some(default)) => default.clone(),
                (None, None) => {
                    return Err(invalid(format!("Parameter {parameter} of document {name} is missing.")));
                }
            };
            if let Some(refused) = given.get(parameter).into_iter().flatten().find(|text| !rule.allows(text))
            {
                return Err(invalid(format!(
                    "Value '{refused}' of parameter {parameter} of document {name} is not allowed."
                )));
            }
            Ok((parameter.clone(), value))
        });
        values.collect()
    }
}

impl Parameter {
    fn read(name: &str, written: WrittenParameter) -> Result<Self, DocumentProblem> {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(problem(format!("{name:?} is no name of a parameter")));
        }
        let is_list = match written.kind.as_str() {
            "String" => false,
            "StringList" => true,
            other => return Err(problem(format!("parameter {name} has the unknown type {other}"))),
        };
        let pattern = written.allowed_pattern.as_deref().map(Regex::new).transpose();
        let pattern = pattern.map_err(|error| problem(format!("allowedPattern of {name}: {error}")))?;
        Ok(Self { is_list, default: written.default, pattern, allowed: written.allowed_values })
    }

    fn allows(&self, text: &str) -> bool {
        let listed = self.allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|one| one == text));
        listed && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
    }
}

impl Inputs {
    fn read(written: WrittenInputs) -> Result<Self, DocumentProblem> {
        let minutes = |name: &str, value: &Value, most: u64| {
            let number = match value {
                Value::Null => return Ok(None),
                Value::String(text) if text.is_empty() => return Ok(None),
                Value::String(text) => text.parse().ok(),
                other => other.as_u64(),
            };
            match number {
                Some(minutes) if (1..=most).contains(&minutes) => Ok(Some(Duration::from_secs(60 * minutes))),
                _ => Err(problem(format!("{name} must be 1 to {most} minutes"))),
            }
        };
        let run_as = match &written.run_as_enabled {
            Value::Bool(enabled) => *enabled,
            Value::String(text) => text == "true",
            _ => false,
        };
        let WrittenProfile { windows, linux } = written.shell_profile;
        if windows.chars().count() > MAX_PROFILE || linux.chars().count() > MAX_PROFILE {
            return Err(problem(format!("shellProfile must not be longer than {MAX_PROFILE} characters")));
        }
        let named = |name: String| Some(name).filter(|name| !name.is_empty());
        // Agents take this one as a boolean only.
        let streams = written.cloud_watch_streaming_enabled == Value::Bool(true);
        let s3 =
            named(written.s3_bucket_name).map(|bucket| S3Target { bucket, prefix: written.s3_key_prefix });
        let log_group =
            named(written.cloud_watch_log_group_name).map(|name| LogGroupTarget { name, streams });
        let key = Some(written.kms_key_id).filter(|key| !key.is_empty());
        Ok(Self {
            session_key: key.map(SessionKey::new),
            run_as: run_as.then_some(written.run_as_default_user),
            shell_profile: [windows, linux],
            s3,
            log_group,
            idle: minutes("idleSessionTimeout", &written.idle_session_timeout, 60)?,
            longest: minutes("maxSessionDuration", &written.max_session_duration, 1440)?,
        })
    }

    /// What is typed into shells of this platform; may be empty.
    pub(crate) fn shell_profile(&self, platform: PlatformType) -> &str {
        let [windows, others] = &self.shell_profile;
        if platform == PlatformType::Windows { windows } else { others }
    }
}

struct CommandProperties {
    commands: String,
    separate: bool,
    stdout_prefix: String,
    stderr_prefix: String,
}

/// The properties of a command on this platform; `None` if there are none. Keys are in any case, as for Go.
fn command(properties: &Value, platform: PlatformType) -> Option<CommandProperties> {
    let platform = match platform {
        PlatformType::Linux => "linux",
        PlatformType::Windows => "windows",
        PlatformType::MacOs => "macos",
    };
    let properties = member(properties, platform)?;
    let text = |name: &str| match member(properties, name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(value)) => value.to_string(),
        Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    };
    Some(CommandProperties {
        commands: text("commands"),
        separate: text("separateOutputStream") == "true",
        stdout_prefix: text("stdOutSeparatorPrefix"),
        stderr_prefix: text("stdErrSeparatorPrefix"),
    })
}

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Properties of port sessions are all texts.
fn texts(properties: Value) -> Value {
    let Value::Object(members) = properties else { return Value::Object(Map::new()) };
    let text = |value| match value {
        Value::String(_) => value,
        other => Value::String(other.to_string()),
    };
    Value::Object(members.into_iter().map(|(name, value)| (name, text(value))).collect())
}

fn problem(text: String) -> DocumentProblem {
    DocumentProblem::new(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::SessionDocument;
    use crate::documents::Program;
    use crate::world::catalogue::PlatformType::{Linux, MacOs, Windows};

    fn document(value: &Value) -> SessionDocument {
        SessionDocument::parse(&value.to_string()).unwrap()
    }

    fn with(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), vec![(*v).to_owned()])).collect()
    }

    #[test]
    fn commands_are_those_of_the_platform_with_parameters_put_in() {
        let logs = document(&json!({
            "schemaVersion": "1.0", "sessionType": "InteractiveCommands",
            "parameters": {
                "unit": { "type": "String", "allowedPattern": "^[a-z-]+$" },
                "lines": { "type": "String", "default": "10", "allowedValues": ["10", "100"] },
            },
            "properties": {
                "linux": { "commands": "tail -n {{ lines }} {{unit}}.log; echo $$HOME", "runAsElevated": false },
                "windows": { "Commands": ["Get-Content {{ unit }}", "exit"] },
            },
        }));
        let ask = |pairs: &[(&str, &str)], platform| logs.program("Logs", &with(pairs), platform);
        let command = |text: &str| Ok(Program::InteractiveCommand(text.to_owned()));
        assert_eq!(ask(&[("unit", "ssh")], Linux), command("tail -n 10 ssh.log; echo $HOME"));
        assert_eq!(
            ask(&[("unit", "ssh"), ("lines", "100")], Linux),
            command("tail -n 100 ssh.log; echo $HOME")
        );
        assert_eq!(ask(&[("unit", "ssh")], Windows), command("Get-Content ssh\nexit"));
        assert_eq!(ask(&[("unit", "ssh")], MacOs), Ok(Program::Unsupported));
        for wrong in
            [&[][..], &[("unit", "a b")], &[("unit", "a"), ("lines", "11")], &[("unit", "a"), ("x", "y")]]
        {
            assert_eq!(ask(wrong, Linux).unwrap_err().code, "InvalidParameters", "{wrong:?}");
        }
    }

    #[test]
    fn the_other_types_have_their_programs() {
        let status = document(&json!({
            "schemaVersion": "1.0", "sessionType": "NonInteractiveCommands",
            "properties": { "linux": {
                "commands": "id -u", "separateOutputStream": "true", "stdoutSeparatorPrefix": "o:",
            } },
        }));
        let Ok(Program::NonInteractiveCommand { command, separate, stdout_prefix, stderr_prefix }) =
            status.program("Status", &with(&[]), Linux)
        else {
            panic!()
        };
        assert_eq!((&*command, separate, &*stdout_prefix, &*stderr_prefix), ("id -u", true, "o:", ""));
        let port = document(&json!({
            "schemaVersion": "1.0", "sessionType": "Port",
            "parameters": { "port": { "type": "String", "default": "5432" } },
            "properties": { "portNumber": "{{ port }}", "type": "LocalPortForwarding", "host": "db.internal" },
        }));
        let Ok(Program::Port(port)) = port.program("Db", &with(&[]), Linux) else { panic!() };
        assert_eq!((&*port.host, &*port.port, port.is_forwarding), ("db.internal", "5432", true));
    }

    #[test]
    fn inputs_are_read_in_every_form_that_is_seen() {
        let inputs = |value: Value| {
            let text = json!({ "schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": value });
            SessionDocument::parse(&text.to_string()).map(|document| document.inputs)
        };
        let all = inputs(json!({
            "kmsKeyId": "alias/x", "runAsEnabled": "true", "runAsDefaultUser": "deploy",
            "idleSessionTimeout": "5", "maxSessionDuration": 90,
            "shellProfile": { "linux": "cd /", "windows": "cls" },
        }))
        .unwrap();
        assert_eq!(all.session_key.as_ref().map(|key| key.key_id.as_str()), Some("alias/x"));
        assert_eq!(all.run_as.as_deref(), Some("deploy"));
        let minutes = |minutes: u64| Some(Duration::from_secs(60 * minutes));
        assert_eq!((all.idle, all.longest), (minutes(5), minutes(90)));
        assert_eq!((all.shell_profile(Linux), all.shell_profile(Windows)), ("cd /", "cls"));
        let none = inputs(json!({
            "kmsKeyId": "", "runAsEnabled": false, "runAsDefaultUser": "deploy", "idleSessionTimeout": "",
            "s3BucketName": "", "cloudWatchStreamingEnabled": true,
        }))
        .unwrap();
        assert!(none.session_key.is_none() && none.run_as.is_none() && none.idle.is_none());
        for wrong in [
            json!({ "idleSessionTimeout": "61" }),
            json!({ "idleSessionTimeout": 0 }),
            json!({ "maxSessionDuration": "1441" }),
            json!({ "shellProfile": { "linux": "x".repeat(513) } }),
        ] {
            assert!(inputs(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_session_document_is_refused() {
        for wrong in [
            json!({ "schemaVersion": "2.2", "sessionType": "Port" }),
            json!({ "schemaVersion": "1.0", "sessionType": "Shell" }),
            json!({ "schemaVersion": "1.0", "sessionType": "Port", "parameters": { "a-b": { "type": "String" } } }),
            json!({ "schemaVersion": "1.0", "sessionType": "Port", "parameters": { "a": { "type": "Map" } } }),
            json!({ "schemaVersion": "1.0", "sessionType": "Port",
                "parameters": { "a": { "type": "String", "allowedPattern": "(" } } }),
        ] {
            assert!(SessionDocument::parse(&wrong.to_string()).is_err(), "{wrong}");
        }
        assert!(SessionDocument::parse("schemaVersion: 1.0").is_err());
    }
}
