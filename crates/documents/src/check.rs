//! Judging a document as AWS and its agents would (protocol.md 1.9, aws-security-reliability.md A.6).

use std::collections::BTreeSet;

use fancy_regex::Regex;
use serde_json::{Map, Value};

use crate::model::SessionType;
use crate::parameter::Parameter;
use crate::path::FieldPath;
use crate::placeholder::{Placeholder, closest, placeholders};
use crate::problem::{Problem, ProblemKind};
use crate::text::{DocumentText, Place};

/// Largest document AWS takes, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// Longest shell profile, in characters.
const MAX_PROFILE: usize = 512;

const TOP: [&str; 6] = ["schemaVersion", "description", "sessionType", "inputs", "parameters", "properties"];
const INPUTS: [&str; 12] = [
    "s3BucketName",
    "s3KeyPrefix",
    "s3EncryptionEnabled",
    "cloudWatchLogGroupName",
    "cloudWatchEncryptionEnabled",
    "cloudWatchStreamingEnabled",
    "kmsKeyId",
    "runAsEnabled",
    "runAsDefaultUser",
    "idleSessionTimeout",
    "maxSessionDuration",
    "shellProfile",
];
const PARAMETER: [&str; 10] = [
    "type",
    "description",
    "default",
    "allowedPattern",
    "allowedValues",
    "minChars",
    "maxChars",
    "minItems",
    "maxItems",
    "displayType",
];
const PLATFORMS: [&str; 3] = ["linux", "macos", "windows"];
const COMMAND: [&str; 5] =
    ["commands", "runAsElevated", "separateOutputStream", "stdOutSeparatorPrefix", "stdErrSeparatorPrefix"];
const PORT: [&str; 6] =
    ["portNumber", "localPortNumber", "host", "type", "localConnectionType", "localUnixSocket"];

/// Everything wrong with a document, in the order of its text; errors and warnings mixed.
pub fn check(text: &DocumentText) -> Vec<Problem> {
    let mut checker = Checker { text, problems: Vec::new(), used: BTreeSet::new(), declared: Vec::new() };
    checker.document();
    checker.problems.sort_by_key(|problem| problem.place.start);
    checker.problems
}

struct Checker<'a> {
    text: &'a DocumentText,
    problems: Vec<Problem>,
    /// Parameters met in placeholders.
    used: BTreeSet<String>,
    /// Declared parameters, in order.
    declared: Vec<String>,
}

impl Checker<'_> {
    fn document(&mut self) {
        let root = FieldPath::root();
        let bytes = self.text.as_str().len();
        if bytes > MAX_DOCUMENT_BYTES {
            self.add(&root, ProblemKind::TooLarge { bytes, limit: MAX_DOCUMENT_BYTES });
        }
        let value = self.text.value();
        let Some(document) = value.as_object() else { return };
        self.unknown(&root, document, &TOP);
        match document.get("schemaVersion") {
            Some(Value::String(version)) if version == "1.0" => {}
            Some(_) => self.add(&["schemaVersion"].into(), ProblemKind::SchemaVersion),
            None => self.add(&["schemaVersion"].into(), ProblemKind::Missing { what: "The schema version" }),
        }
        self.text_at(&["description"].into(), document.get("description"));
        let session_type = self.session_type(document.get("sessionType"));
        self.declared = self.text.members(&["parameters"].into());
        if let Some(inputs) = self.object(&["inputs"].into(), document.get("inputs")) {
            self.inputs(inputs, session_type);
        }
        if let Some(parameters) = self.object(&["parameters"].into(), document.get("parameters")) {
            for (name, declaration) in parameters {
                self.parameter(&FieldPath::from(["parameters", name]), name, declaration);
            }
        }
        self.properties(document.get("properties"), session_type);
        for name in self.declared.clone() {
            if !self.used.contains(&name) {
                let path = ["parameters", &name].into();
                self.add(&path, ProblemKind::UnusedParameter { name });
            }
        }
    }

    fn session_type(&mut self, value: Option<&Value>) -> Option<SessionType> {
        let path = FieldPath::from(["sessionType"]);
        let found = match value {
            Some(Value::String(found)) => found,
            Some(_) => {
                self.add(&path, ProblemKind::WrongType { expected: "a text" });
                return None;
            }
            None => {
                self.add(&path, ProblemKind::Missing { what: "The session type" });
                return None;
            }
        };
        let known = SessionType::from_wire_name(found);
        if known.is_none() {
            let meant = closest(found, SessionType::ALL.into_iter().map(SessionType::wire_name));
            self.add(&path, ProblemKind::SessionType { found: found.clone(), meant });
        }
        known
    }

    fn inputs(&mut self, inputs: &Map<String, Value>, session_type: Option<SessionType>) {
        let at = |name: &str| FieldPath::from(["inputs", name]);
        self.unknown(&["inputs"].into(), inputs, &INPUTS);
        for name in ["s3BucketName", "s3KeyPrefix", "cloudWatchLogGroupName", "kmsKeyId", "runAsDefaultUser"]
        {
            self.text_at(&at(name), inputs.get(name));
        }
        for name in ["s3EncryptionEnabled", "cloudWatchEncryptionEnabled", "runAsEnabled"] {
            self.switch(&at(name), inputs.get(name));
        }
        // The agent reads this one as a boolean only.
        if inputs.get("cloudWatchStreamingEnabled").is_some_and(|value| !value.is_boolean()) {
            self.add(
                &at("cloudWatchStreamingEnabled"),
                ProblemKind::WrongType { expected: "true or false, without quotes" },
            );
        }
        self.minutes("idleSessionTimeout", "The idle time", inputs, 1, 60);
        self.minutes("maxSessionDuration", "The longest duration", inputs, 1, 1440);
        if let Some(profile) = self.object(&at("shellProfile"), inputs.get("shellProfile")) {
            self.unknown(&at("shellProfile"), profile, &["linux", "windows"]);
            for platform in ["linux", "windows"] {
                let path = at("shellProfile").member(platform);
                if let Some(typed) = self.text_at(&path, profile.get(platform)) {
                    let given = typed.chars().count();
                    if given > MAX_PROFILE {
                        self.add(&path, ProblemKind::TooLong { given, limit: MAX_PROFILE });
                    }
                }
            }
        }
        self.effects(inputs, session_type);
    }

    /// What is set and does nothing.
    fn effects(&mut self, inputs: &Map<String, Value>, session_type: Option<SessionType>) {
        let at = |name: &str| FieldPath::from(["inputs", name]);
        let is_set = |name: &str| {
            inputs.get(name).is_some_and(|value| match value {
                Value::String(text) => !(text.is_empty() || text.eq_ignore_ascii_case("false")),
                Value::Bool(yes) => *yes,
                _ => false,
            })
        };
        if is_set("s3KeyPrefix") && !is_set("s3BucketName") {
            self.add(&at("s3KeyPrefix"), ProblemKind::NoEffectWithout { needs: "a bucket" });
        }
        if is_set("cloudWatchStreamingEnabled") && !is_set("cloudWatchLogGroupName") {
            self.add(
                &at("cloudWatchStreamingEnabled"),
                ProblemKind::NoEffectWithout { needs: "a log group" },
            );
        }
        if is_set("runAsDefaultUser") && !is_set("runAsEnabled") {
            self.add(&at("runAsDefaultUser"), ProblemKind::NoEffectWithout { needs: "Run As" });
        }
        // Port sessions are neither sealed nor recorded (protocol.md 5.1 and 8.7).
        if session_type == Some(SessionType::Port) {
            for name in ["kmsKeyId", "s3BucketName", "cloudWatchLogGroupName", "shellProfile"] {
                if is_set(name) || inputs.get(name).is_some_and(Value::is_object) {
                    self.add(&at(name), ProblemKind::NotOfType { session_type: "Port" });
                }
            }
        }
    }

    fn minutes(
        &mut self,
        name: &'static str,
        what: &'static str,
        inputs: &Map<String, Value>,
        min: u32,
        max: u32,
    ) {
        let path = FieldPath::from(["inputs", name]);
        let in_range = |minutes: u64| (u64::from(min)..=u64::from(max)).contains(&minutes);
        let problem = match inputs.get(name) {
            None | Some(Value::Null) => return,
            Some(Value::String(text)) if text.is_empty() => return,
            Some(Value::String(text)) => {
                // The service takes digits only: no sign, no spaces.
                let is_number = text.bytes().all(|b| b.is_ascii_digit());
                if is_number && text.parse().is_ok_and(in_range) {
                    return;
                }
                // A placeholder is judged when a session starts.
                if self.has_parameter(&path, text) {
                    return;
                }
                ProblemKind::OutOfRange { what, min, max }
            }
            Some(Value::Number(number)) => match number.as_u64().filter(|minutes| in_range(*minutes)) {
                Some(minutes) => ProblemKind::TimeAsNumber { minutes },
                None => ProblemKind::OutOfRange { what, min, max },
            },
            Some(_) => ProblemKind::WrongType { expected: "a text with a number of minutes" },
        };
        self.add(&path, problem);
    }

    fn parameter(&mut self, path: &FieldPath, name: &str, declaration: &Value) {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            self.add(path, ProblemKind::ParameterName);
        }
        let Some(members) = self.object(path, Some(declaration)) else { return };
        self.unknown(path, members, &PARAMETER);
        match members.get("type") {
            Some(Value::String(kind)) if kind == "String" || kind == "StringList" => {}
            Some(Value::String(kind)) => {
                self.add(&path.member("type"), ProblemKind::ParameterType { found: kind.clone() });
            }
            Some(_) => self.add(&path.member("type"), ProblemKind::WrongType { expected: "a text" }),
            None => self.add(&path.member("type"), ProblemKind::Missing { what: "The type" }),
        }
        self.text_at(&path.member("description"), members.get("description"));
        if let Some(pattern) = self.text_at(&path.member("allowedPattern"), members.get("allowedPattern"))
            && let Err(error) = Regex::new(pattern)
        {
            let why = error.to_string().lines().last().unwrap_or_default().to_owned();
            self.add(&path.member("allowedPattern"), ProblemKind::Pattern { why });
        }
        if let Some(values) = members.get("allowedValues")
            && !values.as_array().is_some_and(|values| values.iter().all(Value::is_string))
        {
            self.add(&path.member("allowedValues"), ProblemKind::WrongType { expected: "a list of texts" });
        }
        let parameter = Parameter::read(name, declaration);
        if members.contains_key("default") && parameter.default.is_none() {
            self.add(
                &path.member("default"),
                ProblemKind::WrongType { expected: "a text or a list of texts" },
            );
        } else if let Some(default) = &parameter.default
            // A list may be empty where one text may not be.
            && !default.is_empty()
            && let Err(refused) = parameter.check_values(default)
        {
            self.add(&path.member("default"), ProblemKind::Default(refused));
        }
    }

    fn properties(&mut self, value: Option<&Value>, session_type: Option<SessionType>) {
        let path = FieldPath::from(["properties"]);
        let properties = match value {
            None | Some(Value::Null) => None,
            some => self.object(&path, some),
        };
        match session_type {
            Some(SessionType::Port) => self.port(&path, properties),
            Some(kind) if kind.runs_commands() => self.commands(&path, properties, kind.wire_name()),
            Some(kind) => {
                if properties.is_some_and(|properties| !properties.is_empty()) {
                    self.add(&path, ProblemKind::NotOfType { session_type: kind.wire_name() });
                }
                self.placeholders_below(&path, properties);
            }
            None => self.placeholders_below(&path, properties),
        }
    }

    fn commands(
        &mut self,
        path: &FieldPath,
        properties: Option<&Map<String, Value>>,
        session_type: &'static str,
    ) {
        let mut commands = 0;
        if let Some(properties) = properties {
            self.unknown(path, properties, &PLATFORMS);
            for platform in PLATFORMS {
                let at = path.member(platform);
                let Some(command) = self.object(&at, properties.get(platform)) else { continue };
                self.unknown(&at, command, &COMMAND);
                match self.text_at(&at.member("commands"), command.get("commands")) {
                    Some(line) if !line.trim().is_empty() => commands += 1,
                    Some(_) => {
                        self.add(&at.member("commands"), ProblemKind::Missing { what: "The command" });
                    }
                    None if !command.contains_key("commands") => {
                        self.add(&at.member("commands"), ProblemKind::Missing { what: "The command" });
                    }
                    None => {}
                }
                self.switch(&at.member("runAsElevated"), command.get("runAsElevated"));
            }
        }
        self.placeholders_below(path, properties);
        if commands == 0 && !self.problems.iter().any(|p| p.path.names().starts_with(path.names())) {
            self.add(path, ProblemKind::NoCommand { session_type });
        }
    }

    fn port(&mut self, path: &FieldPath, properties: Option<&Map<String, Value>>) {
        let empty = Map::new();
        let properties = properties.unwrap_or(&empty);
        self.unknown(path, properties, &PORT);
        // Agents and clients decode all of them as texts (protocol.md 8.1).
        for name in PORT {
            self.text_at(&path.member(name), properties.get(name));
        }
        for (name, min) in [("portNumber", 1), ("localPortNumber", 0)] {
            let at = path.member(name);
            match properties.get(name) {
                Some(Value::String(text)) if text.is_empty() && name == "localPortNumber" => {}
                Some(Value::String(text)) => {
                    let is_port = text.parse::<u16>().is_ok_and(|port| port >= min);
                    if !is_port && placeholders(text).next().is_none() {
                        self.add(&at, ProblemKind::Port { min });
                    }
                }
                None if name == "portNumber" && !properties.contains_key("localUnixSocket") => {
                    self.add(&at, ProblemKind::Missing { what: "The port" });
                }
                _ => {}
            }
        }
        self.placeholders_below(path, Some(properties));
    }

    /// Placeholders in every text below a path.
    fn placeholders_below(&mut self, path: &FieldPath, members: Option<&Map<String, Value>>) {
        for (name, value) in members.into_iter().flatten() {
            let at = path.member(name);
            match value {
                Value::String(text) => {
                    self.has_parameter(&at, text);
                }
                Value::Object(members) => self.placeholders_below(&at, Some(members)),
                _ => {}
            }
        }
    }

    /// Judges the placeholders of a text; true if a declared parameter is among them.
    fn has_parameter(&mut self, path: &FieldPath, text: &str) -> bool {
        let mut found = false;
        for placeholder in placeholders(text) {
            match placeholder {
                Placeholder::Parameter(name) if self.declared.iter().any(|known| known == name) => {
                    self.used.insert(name.to_owned());
                    found = true;
                }
                Placeholder::Parameter(name) => {
                    let meant = closest(name, self.declared.iter().map(String::as_str)).map(str::to_owned);
                    self.add(path, ProblemKind::UnknownParameter { name: name.to_owned(), meant });
                }
                Placeholder::Unreadable(text) => {
                    self.add(path, ProblemKind::UnreadablePlaceholder { text: text.to_owned() });
                }
                Placeholder::ParameterStore(_) => {}
            }
        }
        found
    }

    fn unknown(&mut self, path: &FieldPath, members: &Map<String, Value>, known: &[&'static str]) {
        for name in members.keys() {
            // Agents match names of members whatever their case (protocol.md 1.9).
            if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                let meant = closest(name, known.iter().copied()).map(str::to_owned);
                self.add(&path.member(name), ProblemKind::Unknown { name: name.clone(), meant });
            }
        }
    }

    fn object<'v>(&mut self, path: &FieldPath, value: Option<&'v Value>) -> Option<&'v Map<String, Value>> {
        let value = value?;
        if value.as_object().is_none() {
            self.add(path, ProblemKind::WrongType { expected: "an object" });
        }
        value.as_object()
    }

    fn text_at<'v>(&mut self, path: &FieldPath, value: Option<&'v Value>) -> Option<&'v str> {
        let value = value?;
        if value.as_str().is_none() {
            self.add(path, ProblemKind::WrongType { expected: "a text" });
        }
        value.as_str()
    }

    /// A boolean, or the text of one.
    fn switch(&mut self, path: &FieldPath, value: Option<&Value>) {
        let is_switch = match value {
            None | Some(Value::Bool(_)) => true,
            Some(Value::String(text)) => {
                matches!(text.to_ascii_lowercase().as_str(), "true" | "false" | "")
                    || self.has_parameter(path, text)
            }
            Some(_) => false,
        };
        if !is_switch {
            self.add(path, ProblemKind::WrongType { expected: "true or false" });
        }
    }

    fn add(&mut self, path: &FieldPath, kind: ProblemKind) {
        let place = self.nearest(path);
        self.problems.push(Problem { path: path.clone(), place, kind });
    }

    /// Where a field stands, or what is around it.
    fn nearest(&self, path: &FieldPath) -> Place {
        let mut path = path.clone();
        loop {
            if let Some(place) = self.text.place_of(&path) {
                return place;
            }
            match path.split_last() {
                Some((above, _)) => path = above,
                None => return Place { start: 0, end: self.text.as_str().len(), line: 1, column: 1 },
            }
        }
    }
}
