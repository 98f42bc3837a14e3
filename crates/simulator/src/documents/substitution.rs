//! Putting parameters into a document's properties, as the agent does (protocol.md 1.9).

use std::collections::BTreeMap;

use serde_json::Value;

/// A value for each parameter.
pub(super) type Values = BTreeMap<String, Value>;

/// `value` with every `{{ name }}` of a parameter replaced and every `$$` made `$`. A text that is nothing but one
/// placeholder becomes the parameter's value, a list too. Placeholders of other names stay.
pub(super) fn replace(value: &Value, values: &Values) -> Value {
    match value {
        Value::String(text) => match whole(text).and_then(|name| values.get(name)) {
            Some(value) => value.clone(),
            None => Value::String(within(text, values)),
        },
        Value::Array(items) => items.iter().map(|item| replace(item, values)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), replace(value, values))).collect()
        }
        other => other.clone(),
    }
}

/// The name in a text that is one placeholder.
fn whole(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    (!name.contains(['{', '}'])).then_some(name)
}

fn within(text: &str, values: &Values) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '$']) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = found.strip_prefix("$$") {
            out.push('$');
            rest = after;
            continue;
        }
        let placeholder = found.strip_prefix("{{").and_then(|inner| inner.split_once("}}"));
        match placeholder.and_then(|(name, after)| Some((values.get(name.trim())?, after))) {
            Some((value, after)) => {
                match value {
                    Value::String(text) => out.push_str(text),
                    other => out.push_str(&other.to_string()),
                }
                // What was put in is not looked at again: a value cannot name another parameter.
                rest = after;
            }
            None => {
                let (first, after) = found.split_at(1);
                out.push_str(first);
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Values, replace};

    #[test]
    fn placeholders_are_replaced_once_and_others_stay() {
        let values: Values = [("a", json!("x")), ("b", json!("{{ a }}$$")), ("list", json!(["1", "2"]))]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let text = |text: &str| replace(&json!(text), &values);
        for (written, read) in [
            ("{{a}} {{ a }} {{  a}}", json!("x x x")),
            ("[{{ b }}]", json!("[{{ a }}$$]")),
            ("{{ list }}", json!(["1", "2"])),
            ("n: {{ list }}", json!("n: [\"1\",\"2\"]")),
            ("{{ c }} {{ ssm:name }} {{ a", json!("{{ c }} {{ ssm:name }} {{ a")),
            ("{{{a}} $$$ $a", json!("{x $$ $a")),
            ("日本 {{ a }} 語", json!("日本 x 語")),
            ("", json!("")),
        ] {
            assert_eq!(text(written), read, "{written}");
        }
        let nested = json!({ "p": { "q": ["{{ a }}", 7, null, true] } });
        assert_eq!(replace(&nested, &values), json!({ "p": { "q": ["x", 7, null, true] } }));
        assert_eq!(replace(&Value::Null, &values), Value::Null);
    }
}
