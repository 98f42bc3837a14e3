//! Writes JSON the way the official peers' encoder does (protocol.md 3.1).

use serde_json::Value;

/// `text` as a JSON string with its quotes, appended to `out`.
pub(super) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => push_escape(out, c),
            other => out.push(other),
        }
    }
    out.push('"');
}

fn push_escape(out: &mut String, c: char) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push_str("\\u");
    let code = u32::from(c);
    for shift in [12, 8, 4, 0] {
        let digit = DIGITS.get(((code >> shift) & 0xf) as usize).copied().unwrap_or(b'0');
        out.push(char::from(digit));
    }
}

/// Any value, object members in sorted order, appended to `out`.
pub(super) fn push_value(out: &mut String, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (position, (name, member)) in sorted.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                push_string(out, name);
                out.push(':');
                push_value(out, member);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                push_value(out, item);
            }
            out.push(']');
        }
        Value::String(text) => push_string(out, text),
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&number.to_string()),
    }
}

/// Writes one object, members in the order of the calls.
pub(super) struct ObjectWriter {
    out: String,
}

impl ObjectWriter {
    pub(super) fn new() -> Self {
        Self { out: String::from("{") }
    }

    fn name(&mut self, name: &str) {
        if self.out.len() > 1 {
            self.out.push(',');
        }
        push_string(&mut self.out, name);
        self.out.push(':');
    }

    pub(super) fn string(mut self, name: &str, text: &str) -> Self {
        self.name(name);
        push_string(&mut self.out, text);
        self
    }

    pub(super) fn value(mut self, name: &str, value: &Value) -> Self {
        self.name(name);
        push_value(&mut self.out, value);
        self
    }

    /// `json` is written as it is: it must be a complete JSON value.
    pub(super) fn raw(mut self, name: &str, json: &str) -> Self {
        self.name(name);
        self.out.push_str(json);
        self
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push('}');
        self.out
    }
}

/// A list of complete JSON values; `null` where there is none.
pub(super) fn list_or_null(items: impl IntoIterator<Item = String>) -> String {
    let joined = items.into_iter().collect::<Vec<_>>().join(",");
    if joined.is_empty() { "null".to_owned() } else { format!("[{joined}]") }
}

/// `text` as a JSON string.
pub(super) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn markup_and_line_separators_are_escaped() {
        assert_eq!(string("a<b>&\u{2028}\u{1}\"\\é"), "\"a\\u003cb\\u003e\\u0026\\u2028\\u0001\\\"\\\\é\"");
    }

    #[test]
    fn members_of_values_are_sorted() {
        let mut out = String::new();
        push_value(&mut out, &json!({"b": [1, true, null], "a": {"d": "x", "c": 1.5}}));
        assert_eq!(out, r#"{"a":{"c":1.5,"d":"x"},"b":[1,true,null]}"#);
    }
}
