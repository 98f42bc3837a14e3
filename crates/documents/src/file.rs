//! Documents as files, as `aws ssm create-document --content file://…` takes them: JSON or YAML.

use serde_json::Value;

use crate::text::{DocumentText, SyntaxError};

/// A format of document files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// Why a file is no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is no text.
    #[error("The file is not UTF-8 text.")]
    NotText,
    /// It cannot be read as what it is.
    #[error("{0}")]
    Syntax(SyntaxError),
    /// It is YAML that cannot be read.
    #[error("The YAML cannot be read: {0}")]
    Yaml(String),
}

impl FileFormat {
    /// The format of a file by its content: what begins with `{` is JSON.
    pub fn of(content: &str) -> Self {
        if content.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
            Self::Json
        } else {
            Self::Yaml
        }
    }

    /// A document as such a file: JSON as it is, YAML with the same members in the same order.
    ///
    /// # Errors
    /// When it cannot be written as YAML.
    pub fn write(self, document: &DocumentText) -> Result<String, FileError> {
        match self {
            Self::Json => Ok(format!("{}\n", document.as_str().trim_end())),
            Self::Yaml => serde_saphyr::to_string(&document.value())
                .map_err(|error| FileError::Yaml(first_line(&error))),
        }
    }

    /// Reads a file. JSON is kept as it is but for a byte order mark; YAML is turned into JSON.
    ///
    /// # Errors
    /// When it is no document.
    pub fn read(content: &[u8]) -> Result<DocumentText, FileError> {
        let content = std::str::from_utf8(content).map_err(|_| FileError::NotText)?;
        let content = content.trim_start_matches('\u{feff}');
        match Self::of(content) {
            Self::Json => DocumentText::parse(content).map_err(FileError::Syntax),
            Self::Yaml => {
                let value: Value =
                    serde_saphyr::from_str(content).map_err(|error| FileError::Yaml(first_line(&error)))?;
                DocumentText::of(&value).map_err(FileError::Syntax)
            }
        }
    }
}

/// The message without the excerpt some errors draw.
fn first_line(error: &impl ToString) -> String {
    error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_stays_as_it_is_and_yaml_becomes_json() {
        let json_text = "\u{feff}{ \"schemaVersion\" : \"1.0\" }";
        assert_eq!(
            FileFormat::read(json_text.as_bytes()).unwrap().as_str(),
            "{ \"schemaVersion\" : \"1.0\" }"
        );
        let yaml = "---\nschemaVersion: '1.0'\nsessionType: Standard_Stream\ninputs:\n  idleSessionTimeout: '20'\n  runAsEnabled: false\n";
        assert_eq!(
            FileFormat::read(yaml.as_bytes()).unwrap().value(),
            json!({
                "schemaVersion": "1.0",
                "sessionType": "Standard_Stream",
                "inputs": {"idleSessionTimeout": "20", "runAsEnabled": false}
            })
        );
    }

    #[test]
    fn yaml_is_read_back_as_the_document_it_was_written_from() {
        let text = r#"{"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {"idleSessionTimeout": "20",
            "shellProfile": {"linux": "cd /\nexport A='x: y' # no\n", "windows": ""}}, "x": [true, null, "true", "no", "1e3"]}"#;
        let document = DocumentText::parse(text).unwrap();
        let yaml = FileFormat::Yaml.write(&document).unwrap();
        assert_eq!(FileFormat::read(yaml.as_bytes()).unwrap().value(), document.value(), "{yaml}");
        let json = FileFormat::Json.write(&document).unwrap();
        assert_eq!(FileFormat::read(json.as_bytes()).unwrap().value(), document.value());
    }

    #[test]
    fn other_files_are_named_for_what_is_wrong() {
        assert_eq!(FileFormat::read(b"\xff\xfe{").unwrap_err(), FileError::NotText);
        assert!(matches!(FileFormat::read(b"a: [1"), Err(FileError::Yaml(_))));
        assert!(matches!(FileFormat::read(b"just words"), Err(FileError::Syntax(_))));
        assert!(matches!(FileFormat::read(b"{\"a\": }"), Err(FileError::Syntax(_))));
        // Aliases that expand without end are cut off by the reader.
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                    d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n\
                    g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n";
        assert!(matches!(FileFormat::read(bomb.as_bytes()), Err(FileError::Yaml(_))));
    }
}
