//! Edits a form makes, each of one place.

use serde_json::{Map, Value};

use crate::model::SessionType;
use crate::path::FieldPath;
use crate::text::{DocumentText, EditError};

impl DocumentText {
    /// A text to begin a document of this type with. It has no errors but for what only its author can fill in.
    pub fn template(kind: SessionType) -> Self {
        let own = match kind {
            SessionType::StandardStream => "\"inputs\": {\n    \"idleSessionTimeout\": \"20\"\n  }",
            SessionType::InteractiveCommands | SessionType::NonInteractiveCommands => {
                "\"properties\": {\n    \"linux\": {\n      \"commands\": \"\",\n      \"runAsElevated\": false\n    }\n  }"
            }
            SessionType::Port => {
                "\"parameters\": {\n    \"localPortNumber\": {\n      \"type\": \"String\",\n      \"default\": \"0\"\n    }\n  },\n  \
                 \"properties\": {\n    \"portNumber\": \"\",\n    \"localPortNumber\": \"{{ localPortNumber }}\",\n    \
                 \"type\": \"LocalPortForwarding\"\n  }"
            }
        };
        let head =
            format!("\"schemaVersion\": \"1.0\",\n  \"description\": \"\",\n  \"sessionType\": \"{kind}\"");
        // Written here, so that it can be read.
        Self::parse(format!("{{\n  {head},\n  {own}\n}}\n")).unwrap_or_else(|_| Self::empty())
    }

    /// Sets a text. An empty one takes the member away, but for commands: those are there while they are typed.
    ///
    /// # Errors
    /// When something above the field is no object.
    pub fn set_text(&mut self, path: &FieldPath, text: &str) -> Result<(), EditError> {
        let is_command = path.names().last().is_some_and(|name| name == "commands");
        if text.is_empty() && !is_command {
            return self.remove_with_empty(path);
        }
        self.set(path, &Value::from(text))
    }

    /// Sets a switch. Off takes the member away unless it is there already, which keeps what says "false" as it is.
    ///
    /// # Errors
    /// When something above the field is no object.
    pub fn set_flag(&mut self, path: &FieldPath, on: bool) -> Result<(), EditError> {
        if on || self.place_of(path).is_some() {
            return self.set(path, &Value::Bool(on));
        }
        Ok(())
    }

    /// Sets a list of texts. An empty one takes the member away.
    ///
    /// # Errors
    /// When something above the field is no object.
    pub fn set_list(&mut self, path: &FieldPath, texts: &[String]) -> Result<(), EditError> {
        if texts.is_empty() {
            return self.remove_with_empty(path);
        }
        self.set(path, &Value::from(texts.to_vec()))
    }

    /// Takes a field away, and the object around it if that would be empty then; not the document.
    ///
    /// # Errors
    /// When something above the field is no object.
    pub fn remove_with_empty(&mut self, path: &FieldPath) -> Result<(), EditError> {
        let mut path = path.clone();
        loop {
            self.remove(&path)?;
            match path.split_last() {
                Some((above, _)) if !above.names().is_empty() && self.is_empty_object(&above) => path = above,
                _ => return Ok(()),
            }
        }
    }

    /// Gives a parameter another name, keeping its place, and renames its placeholders in every text.
    ///
    /// # Errors
    /// When `parameters` is no object. A name that is taken, or a parameter that is not there, changes nothing.
    pub fn rename_parameter(&mut self, from: &str, to: &str) -> Result<(), EditError> {
        let path = FieldPath::from(["parameters"]);
        let value = self.value();
        let Some(parameters) = value.get("parameters").and_then(Value::as_object) else {
            return Err(EditError::NotAnObject(path));
        };
        if from == to || !parameters.contains_key(from) || parameters.contains_key(to) {
            return Ok(());
        }
        // Put back one by one: the order of the text is not that of the value.
        let names = self.members(&path);
        self.set(&path, &Value::Object(Map::new()))?;
        for name in names {
            let declaration = parameters.get(&name).unwrap_or(&Value::Null);
            self.set(&path.member(if name == from { to } else { &name }), declaration)?;
        }
        for (place, text) in texts(&value, &FieldPath::root()) {
            let renamed = rename_placeholders(&text, from, to);
            if renamed != text && place.names().first().is_some_and(|name| name != "parameters") {
                self.set(&place, &Value::from(renamed))?;
            }
        }
        Ok(())
    }

    fn is_empty_object(&self, path: &FieldPath) -> bool {
        self.place_of(path).is_some() && self.members(path).is_empty() && {
            let value = self.value();
            let found = path.names().iter().try_fold(&value, |value, name| value.get(name));
            found.is_some_and(Value::is_object)
        }
    }
}

/// Every text below a value that objects lead to, with its place.
fn texts(value: &Value, at: &FieldPath) -> Vec<(FieldPath, String)> {
    match value {
        Value::String(text) => vec![(at.clone(), text.clone())],
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| texts(value, &at.member(name))).collect()
        }
        _ => Vec::new(),
    }
}

fn rename_placeholders(text: &str, from: &str, to: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        out.push_str("{{");
        match after.split_once("}}") {
            Some((inner, after)) => {
                if inner.trim() == from {
                    out.push_str(&inner.replace(from, to));
                } else {
                    out.push_str(inner);
                }
                out.push_str("}}");
                rest = after;
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::check::check;
    use crate::problem::Severity;

    #[test]
    fn templates_lack_only_what_their_author_knows() {
        for kind in SessionType::ALL {
            let text = DocumentText::template(kind);
            let open: Vec<String> = check(&text)
                .iter()
                .filter(|problem| problem.severity() == Severity::Error)
                .map(|problem| problem.path.to_string())
                .collect();
            let expected: &[&str] = match kind {
                SessionType::StandardStream => &[],
                SessionType::Port => &["properties.portNumber"],
                _ => &["properties.linux.commands"],
            };
            assert_eq!(open, expected, "{kind}");
        }
    }

    #[test]
    fn clearing_a_field_takes_it_and_what_it_leaves_empty() {
        let mut text = DocumentText::parse(
            "{\"schemaVersion\": \"1.0\", \"inputs\": {\"shellProfile\": {\"linux\": \"ls\"}}}",
        )
        .unwrap();
        text.set_text(&["inputs", "shellProfile", "linux"].into(), "").unwrap();
        assert_eq!(text.value(), json!({"schemaVersion": "1.0"}));
        text.set_flag(&["inputs", "runAsEnabled"].into(), false).unwrap();
        assert_eq!(text.value(), json!({"schemaVersion": "1.0"}));
        text.set_flag(&["inputs", "runAsEnabled"].into(), true).unwrap();
        text.set_flag(&["inputs", "runAsEnabled"].into(), false).unwrap();
        assert_eq!(text.value()["inputs"], json!({"runAsEnabled": false}));
        text.set_text(&["properties", "linux", "commands"].into(), "").unwrap();
        assert_eq!(text.value()["properties"], json!({"linux": {"commands": ""}}));
    }

    #[test]
    fn renaming_a_parameter_renames_its_placeholders_and_keeps_its_place() {
        let mut text = DocumentText::parse(
            "{\"parameters\": {\"b\": {\"type\": \"String\"}, \"a\": {\"type\": \"StringList\"}},\n\
             \"properties\": {\"linux\": {\"commands\": \"x {{b}} {{ b }} {{ ab }} {{ssm:b}} {{ open\"}}}",
        )
        .unwrap();
        text.rename_parameter("b", "a").unwrap();
        assert_eq!(text.members(&["parameters"].into()), ["b", "a"], "the name is taken");
        text.rename_parameter("b", "who").unwrap();
        assert_eq!(text.members(&["parameters"].into()), ["who", "a"]);
        assert_eq!(
            text.value()["properties"]["linux"]["commands"],
            "x {{who}} {{ who }} {{ ab }} {{ssm:b}} {{ open"
        );
        assert_eq!(text.value()["parameters"]["a"]["type"], "StringList");
    }
}
