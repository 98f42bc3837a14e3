//! The text of a document: what is edited, kept and sent.

use jsonc_parser::ast;
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Value;

use crate::path::FieldPath;

/// JSON as its grammar has it: none of the parser's tolerances.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// JSON text whose top is an object. Edits change only the place they are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentText {
    text: String,
}

/// A stretch of a text. Lines and columns count from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// First byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
    /// Line of the first character.
    pub line: usize,
    /// Column of the first character.
    pub column: usize,
}

/// Why a text is no document at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Line {line}, column {column}: {message}")]
pub struct SyntaxError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// Why an edit was not made. The text is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// Something on the way to the place is no object, so nothing can be put into it.
    #[error("{0} is not an object, so nothing can be put into it")]
    NotAnObject(FieldPath),
    /// The edit has no place.
    #[error("the document itself cannot be replaced by an edit of one field")]
    NoField,
}

impl DocumentText {
    /// Reads a text and keeps it as it is.
    ///
    /// # Errors
    /// Where it is not JSON, names a member twice in one object, or is no object.
    pub fn parse(text: impl Into<String>) -> Result<Self, SyntaxError> {
        let text = text.into();
        let root = parse_root(&text)?;
        if !matches!(root, ast::Value::Object(_)) {
            let place = place(&text, root.range());
            return Err(place.error("a document is an object: it begins with {"));
        }
        if let Some((range, name)) = first_duplicate(&root) {
            return Err(place(&text, range).error(&format!("\"{name}\" is here twice")));
        }
        drop(root);
        // Both readers must be able to read it: this one is the stricter in depth and in numbers.
        if let Err(error) = serde_json::from_str::<Value>(&text) {
            return Err(SyntaxError {
                line: error.line(),
                column: error.column(),
                message: error.to_string(),
            });
        }
        Ok(Self { text })
    }

    /// A document without any member.
    pub fn empty() -> Self {
        Self { text: "{}".to_owned() }
    }

    /// The text of a value, laid out with two spaces.
    pub fn of(value: &Value) -> Result<Self, SyntaxError> {
        Self::parse(serde_json::to_string_pretty(value).unwrap_or_default())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text as a value.
    pub fn value(&self) -> Value {
        // Parsed before by a stricter reader.
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// Where the value of a field stands; `None` where there is none.
    pub fn place_of(&self, path: &FieldPath) -> Option<Place> {
        let root = parse_root(&self.text).ok()?;
        walk(&root, path).map(|value| place(&self.text, value.range()))
    }

    /// Names of the members of an object, in the order of the text; none where there is no object.
    pub fn members(&self, path: &FieldPath) -> Vec<String> {
        let Ok(root) = parse_root(&self.text) else { return Vec::new() };
        match walk(&root, path) {
            Some(ast::Value::Object(object)) => {
                object.properties.iter().map(|property| property.name.as_str().to_owned()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Sets a field, making the objects above it where they are missing. A field that has this value already is left
    /// untouched, layout included.
    ///
    /// # Errors
    /// When something above the field is no object.
    pub fn set(&mut self, path: &FieldPath, value: &Value) -> Result<(), EditError> {
        let (above, name) = path.split_last().ok_or(EditError::NoField)?;
        if self.value().pointer(&pointer(path)) == Some(value) {
            return Ok(());
        }
        self.edit(&above, true, |object| match object.get(name) {
            Some(field) => field.set_value(input(value)),
            None => {
                object.append(name, input(value));
            }
        })
    }

    /// Takes a field away, if it is there.
    ///
    /// # Errors
    /// When something above the field is no object.
    pub fn remove(&mut self, path: &FieldPath) -> Result<(), EditError> {
        let (above, name) = path.split_last().ok_or(EditError::NoField)?;
        if self.value().pointer(&pointer(path)).is_none() {
            return Ok(());
        }
        self.edit(&above, false, |object| {
            if let Some(field) = object.get(name) {
                field.remove();
            }
        })
    }

    /// The text laid out anew with two spaces; order of members and values stay.
    #[must_use]
    pub fn formatted(&self) -> Self {
        let Ok(root) = parse_root(&self.text) else { return self.clone() };
        let mut text = String::with_capacity(self.text.len());
        write_pretty(&root, &self.text, 0, &mut text);
        text.push('\n');
        Self { text }
    }

    fn edit(
        &mut self,
        above: &FieldPath,
        creates: bool,
        change: impl FnOnce(&CstObject),
    ) -> Result<(), EditError> {
        // The text was parsed before with the same options.
        let Ok(root) = CstRootNode::parse(&self.text, &STRICT) else { return Err(EditError::NoField) };
        let mut object = root.object_value().ok_or_else(|| EditError::NotAnObject(FieldPath::root()))?;
        let mut walked = FieldPath::root();
        for name in above.names() {
            walked = walked.member(name);
            let is_missing = object.get(name).is_none_or(|field| {
                creates && field.value().is_some_and(|value| value.as_null_keyword().is_some())
            });
            object = if is_missing && creates {
                object.object_value_or_set(name)
            } else {
                object.object_value(name).ok_or_else(|| EditError::NotAnObject(walked.clone()))?
            };
        }
        change(&object);
        self.text = root.to_string();
        Ok(())
    }
}

impl Place {
    fn error(self, message: &str) -> SyntaxError {
        SyntaxError { line: self.line, column: self.column, message: message.to_owned() }
    }
}

fn parse_root(text: &str) -> Result<ast::Value<'_>, SyntaxError> {
    match parse_to_ast(text, &CollectOptions::default(), &STRICT) {
        Ok(result) => {
            result.value.ok_or_else(|| SyntaxError { line: 1, column: 1, message: "it is empty".to_owned() })
        }
        Err(error) => {
            let place = place(text, error.range());
            Err(place.error(&error.kind().to_string()))
        }
    }
}

/// What a path leads to; elements of lists are named by their number.
fn walk<'a, 'text>(root: &'a ast::Value<'text>, path: &FieldPath) -> Option<&'a ast::Value<'text>> {
    path.names().iter().try_fold(root, |value, name| match value {
        ast::Value::Object(object) => object.get(name).map(|property| &property.value),
        ast::Value::Array(array) => array.elements.get(name.parse::<usize>().ok()?),
        _ => None,
    })
}

fn place(text: &str, range: Range) -> Place {
    let before = text.get(..range.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Place {
        start: range.start,
        end: range.end,
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
    }
}

/// The second of two members of one object with the same name: readers disagree which one counts.
fn first_duplicate<'a>(value: &'a ast::Value<'_>) -> Option<(Range, &'a str)> {
    match value {
        ast::Value::Object(object) => {
            let mut seen = std::collections::HashSet::new();
            object.properties.iter().find_map(|property| {
                let name = property.name.as_str();
                if seen.insert(name) {
                    first_duplicate(&property.value)
                } else {
                    Some((property.name.range(), name))
                }
            })
        }
        ast::Value::Array(array) => array.elements.iter().find_map(first_duplicate),
        _ => None,
    }
}

fn pointer(path: &FieldPath) -> String {
    path.names()
        .iter()
        .flat_map(|name| ["/".to_owned(), name.replace('~', "~0").replace('/', "~1")])
        .collect()
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(yes) => CstInputValue::Bool(*yes),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(members) => {
            CstInputValue::Object(members.iter().map(|(name, value)| (name.clone(), input(value))).collect())
        }
    }
}

fn write_pretty(value: &ast::Value<'_>, source: &str, depth: usize, out: &mut String) {
    let indent = |depth: usize| "  ".repeat(depth);
    match value {
        ast::Value::Object(object) if !object.properties.is_empty() => {
            out.push_str("{\n");
            for (at, property) in object.properties.iter().enumerate() {
                out.push_str(&indent(depth + 1));
                out.push_str(property.name.text(source));
                out.push_str(": ");
                write_pretty(&property.value, source, depth + 1, out);
                out.push_str(if at + 1 < object.properties.len() { ",\n" } else { "\n" });
            }
            out.push_str(&indent(depth));
            out.push('}');
        }
        ast::Value::Array(array) if array.elements.iter().any(is_container) => {
            out.push_str("[\n");
            for (at, element) in array.elements.iter().enumerate() {
                out.push_str(&indent(depth + 1));
                write_pretty(element, source, depth + 1, out);
                out.push_str(if at + 1 < array.elements.len() { ",\n" } else { "\n" });
            }
            out.push_str(&indent(depth));
            out.push(']');
        }
        // Short lists of plain values read better on one line.
        ast::Value::Array(array) => {
            out.push('[');
            for (at, element) in array.elements.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                out.push_str(element.text(source));
            }
            out.push(']');
        }
        ast::Value::Object(_) => out.push_str("{}"),
        plain => out.push_str(plain.text(source)),
    }
}

fn is_container(value: &ast::Value<'_>) -> bool {
    matches!(value, ast::Value::Object(_) | ast::Value::Array(_))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SOURCE: &str =
        "{\n  \"schemaVersion\": \"1.0\",\n  \"inputs\": { \"x\": 1,\n    \"kmsKeyId\": \"\" }\n}\n";

    #[test]
    fn an_edit_changes_its_place_only() {
        let mut text = DocumentText::parse(SOURCE).unwrap();
        text.set(&["inputs", "kmsKeyId"].into(), &json!("alias/a")).unwrap();
        assert_eq!(text.as_str(), SOURCE.replace("\"kmsKeyId\": \"\"", "\"kmsKeyId\": \"alias/a\""));
        text.set(&["inputs", "x"].into(), &json!(1)).unwrap();
        text.set(&["inputs", "shellProfile", "linux"].into(), &json!("cd /")).unwrap();
        assert_eq!(text.value()["inputs"]["shellProfile"]["linux"], json!("cd /"));
        text.remove(&["inputs", "shellProfile"].into()).unwrap();
        text.set(&["inputs", "kmsKeyId"].into(), &json!("")).unwrap();
        assert_eq!(text.value(), DocumentText::parse(SOURCE).unwrap().value());
    }

    #[test]
    fn nothing_is_put_into_what_is_no_object_and_nulls_make_way() {
        let mut text = DocumentText::parse("{\"inputs\": 3, \"properties\": null}").unwrap();
        let before = text.clone();
        assert_eq!(
            text.set(&["inputs", "kmsKeyId"].into(), &json!("")),
            Err(EditError::NotAnObject(["inputs"].into()))
        );
        assert_eq!(text, before);
        text.set(&["properties", "linux", "commands"].into(), &json!("ls")).unwrap();
        assert_eq!(text.value()["properties"], json!({"linux": {"commands": "ls"}}));
    }

    #[test]
    fn places_count_lines_and_characters() {
        let text = DocumentText::parse("{\n \"ä\": 1, \"b\": [true, {\"c\": 2}]}").unwrap();
        let place = text.place_of(&["b", "1", "c"].into()).unwrap();
        assert_eq!((place.line, place.column, &text.as_str()[place.start..place.end]), (2, 28, "2"));
        assert_eq!(text.place_of(&["nothing"].into()), None);
    }

    #[test]
    fn what_is_no_json_is_named_with_its_place() {
        for (source, line, column) in [
            ("", 1, 1),
            ("[1]", 1, 1),
            ("{\n  \"a\": 1,\n}", 2, 9),
            ("{\"a\": 1, // c\n}", 1, 10),
            ("{\"a\": 1, \"a\": 2}", 1, 10),
            ("{\"a\": tru}", 1, 7),
            (&format!("{{\"a\": {}{}}}", "[".repeat(200), "]".repeat(200)), 1, 133),
        ] {
            let error = DocumentText::parse(source).unwrap_err();
            assert_eq!((error.line, error.column), (line, column), "{source:?}: {error}");
        }
    }

    #[test]
    fn formatting_keeps_order_values_and_short_lists() {
        let text = DocumentText::parse("{\"b\":[\"x\",\"y\"],\"a\":{\"n\":1.50,\"e\":{}}}").unwrap();
        assert_eq!(
            text.formatted().as_str(),
            "{\n  \"b\": [\"x\", \"y\"],\n  \"a\": {\n    \"n\": 1.50,\n    \"e\": {}\n  }\n}\n"
        );
    }
}
