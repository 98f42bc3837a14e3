//! From the form back to the text: only what differs is written.

use serde_json::Value;

use crate::model::{Command, SessionDocument};
use crate::parameter::{Parameter, ParameterKind};
use crate::path::FieldPath;
use crate::text::{DocumentText, EditError};

impl DocumentText {
    /// Makes the text say what `form` says. Fields that say it already are left untouched, whatever way they are written,
    /// and so is everything forms do not show. A field that is `None` in the form is taken away. Parameters keep their
    /// place; new ones are added at the end. A missing schema version is added.
    ///
    /// # Errors
    /// When a field cannot be placed because something above it is no object. Earlier fields are written then.
    pub fn apply(&mut self, form: &SessionDocument) -> Result<(), EditError> {
        let version = FieldPath::from(["schemaVersion"]);
        if self.place_of(&version).is_none() {
            self.set(&version, &Value::from("1.0"))?;
        }
        let current = SessionDocument::read(self);
        let changed = fields(form);
        for ((path, wanted), (_, found)) in changed.iter().zip(fields(&current)) {
            if *wanted != found {
                self.put(path, wanted.as_ref())?;
            }
        }
        // A platform that the form no longer has goes as a whole.
        for (platform, had, has) in [
            ("linux", &current.properties.linux, &form.properties.linux),
            ("macos", &current.properties.macos, &form.properties.macos),
            ("windows", &current.properties.windows, &form.properties.windows),
        ] {
            if had.is_some() && has.is_none() {
                self.remove(&["properties", platform].into())?;
            }
        }
        let parameters = FieldPath::from(["parameters"]);
        for gone in current.parameters.iter().filter(|p| !form.parameters.iter().any(|q| q.name == p.name)) {
            self.remove(&parameters.member(&gone.name))?;
        }
        for parameter in &form.parameters {
            let path = parameters.member(&parameter.name);
            let found = current.parameters.iter().find(|p| p.name == parameter.name);
            if found.is_none() {
                self.set(&path, &Value::Object(serde_json::Map::new()))?;
            }
            let blank = Parameter {
                name: parameter.name.clone(),
                kind: ParameterKind::Other,
                ..Parameter::default()
            };
            let found = declaration(found.unwrap_or(&blank));
            for ((name, wanted), (_, found)) in declaration(parameter).iter().zip(found) {
                if *wanted != found {
                    self.put(&path.member(name), wanted.as_ref())?;
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, path: &FieldPath, value: Option<&Value>) -> Result<(), EditError> {
        match value {
            Some(value) => self.set(path, value),
            None => self.remove(path),
        }
    }
}

/// Every field but the parameters, always the same ones in the same order.
fn fields(form: &SessionDocument) -> Vec<(FieldPath, Option<Value>)> {
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let time = |minutes: Option<u32>| minutes.map(|minutes| Value::from(minutes.to_string()));
    let switch = |on: bool| on.then_some(Value::Bool(true));
    let inputs = &form.inputs;
    let mut fields = vec![
        (FieldPath::from(["description"]), text(&form.description)),
        (["sessionType"].into(), form.session_type.map(|kind| Value::from(kind.wire_name()))),
    ];
    let mut input = |name: &str, value| fields.push((FieldPath::from(["inputs", name]), value));
    input("s3BucketName", text(&inputs.s3_bucket));
    input("s3KeyPrefix", text(&inputs.s3_prefix));
    input("s3EncryptionEnabled", switch(inputs.s3_encryption));
    input("cloudWatchLogGroupName", text(&inputs.cloudwatch_group));
    input("cloudWatchEncryptionEnabled", switch(inputs.cloudwatch_encryption));
    input("cloudWatchStreamingEnabled", switch(inputs.cloudwatch_streaming));
    input("kmsKeyId", text(&inputs.kms_key));
    input("runAsEnabled", switch(inputs.run_as));
    input("runAsDefaultUser", text(&inputs.run_as_user));
    input("idleSessionTimeout", time(inputs.idle_minutes));
    input("maxSessionDuration", time(inputs.max_minutes));
    for (platform, profile) in [("linux", &inputs.linux_profile), ("windows", &inputs.windows_profile)] {
        fields.push((["inputs", "shellProfile", platform].into(), text(profile)));
    }
    let properties = &form.properties;
    let commands =
        [("linux", &properties.linux), ("macos", &properties.macos), ("windows", &properties.windows)];
    for (platform, command) in commands {
        let line = command.as_ref().map(|Command { commands, .. }| Value::from(commands.clone()));
        let elevated = command.as_ref().and_then(|command| switch(command.elevated));
        let at = FieldPath::from(["properties", platform]);
        fields.push((at.member("commands"), line));
        fields.push((at.member("runAsElevated"), elevated));
    }
    let port = &properties.port;
    for (name, value) in [
        ("portNumber", &port.port),
        ("localPortNumber", &port.local_port),
        ("host", &port.host),
        ("type", &port.kind),
    ] {
        fields.push((["properties", name].into(), text(value)));
    }
    fields
}

/// Every member of a declaration, always the same ones in the same order. A type no form knows stays as it is.
fn declaration(parameter: &Parameter) -> Vec<(&'static str, Option<Value>)> {
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let kind = match parameter.kind {
        ParameterKind::Text => Some(Value::from("String")),
        ParameterKind::TextList => Some(Value::from("StringList")),
        ParameterKind::Other => None,
    };
    let default = parameter.default.as_ref().map(|values| match values.as_slice() {
        [one] if parameter.kind != ParameterKind::TextList => Value::from(one.clone()),
        many => Value::from(many.to_vec()),
    });
    let allowed = &parameter.allowed_values;
    vec![
        ("type", kind),
        ("description", text(&parameter.description)),
        ("default", default),
        ("allowedPattern", text(&parameter.allowed_pattern)),
        ("allowedValues", (!allowed.is_empty()).then(|| Value::from(allowed.clone()))),
        ("minChars", parameter.min_chars.map(Value::from)),
        ("maxChars", parameter.max_chars.map(Value::from)),
    ]
}
