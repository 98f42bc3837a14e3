//! What can be wrong with a document.

use std::fmt;

use crate::parameter::ValueProblem;
use crate::path::FieldPath;
use crate::text::Place;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The document works, but this part of it does nothing or not what it says.
    Warning,
    /// AWS refuses the document, or its sessions fail.
    Error,
}

/// Something wrong at a place of a document. `Display` is one or two sentences for beside the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field. It may be missing from the text.
    pub path: FieldPath,
    /// Where in the text: the field, or the nearest thing around a missing one.
    pub place: Place,
    /// What is wrong.
    pub kind: ProblemKind,
}

impl Problem {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

/// Kinds of problems.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The whole document is over the limit of the service.
    #[error("The document has {bytes} bytes; AWS takes at most {limit}.")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A required field is not there.
    #[error("{what} is missing.")]
    Missing {
        /// The field, as people call it.
        what: &'static str,
    },
    /// A field has another JSON type than it must have.
    #[error("This must be {expected}.")]
    WrongType {
        /// "a text", "true or false".
        expected: &'static str,
    },
    /// `schemaVersion` is not "1.0"; agents refuse any other.
    #[error("Session documents have schema version \"1.0\".")]
    SchemaVersion,
    /// A session type nobody knows.
    #[error("“{found}” is no session type.{}", suggest(*.meant))]
    SessionType {
        /// What is there.
        found: String,
        /// What may have been meant.
        meant: Option<&'static str>,
    },
    /// A number out of its range, or no number.
    #[error("{what} is {min} to {max} minutes, as whole minutes.")]
    OutOfRange {
        /// The field, as people call it.
        what: &'static str,
        /// Fewest.
        min: u32,
        /// Most.
        max: u32,
    },
    /// A time written as a number.
    #[error("AWS writes this time as a text: \"{minutes}\".")]
    TimeAsNumber {
        /// The number.
        minutes: u64,
    },
    /// A text that is too long.
    #[error("{given} characters; at most {limit} are allowed.")]
    TooLong {
        /// Characters there.
        given: usize,
        /// Most allowed.
        limit: usize,
    },
    /// A member this place does not have.
    #[error("“{name}” has no meaning here.{}", suggest(.meant.as_deref()))]
    Unknown {
        /// Its name.
        name: String,
        /// What may have been meant.
        meant: Option<String>,
    },
    /// A placeholder for a parameter that is not declared.
    #[error("No parameter is called {name}.{}", suggest(.meant.as_deref()))]
    UnknownParameter {
        /// The name in the placeholder.
        name: String,
        /// What may have been meant.
        meant: Option<String>,
    },
    /// Double braces around something that is no name: the agent leaves them as they are.
    #[error(
        "“{{{{ {text} }}}}” is no parameter: names are letters and digits. It is passed on as it stands."
    )]
    UnreadablePlaceholder {
        /// What stands between the braces.
        text: String,
    },
    /// A parameter that nothing uses.
    #[error("Nothing uses {name}.")]
    UnusedParameter {
        /// Its name.
        name: String,
    },
    /// A parameter name that placeholders cannot have.
    #[error("A parameter's name is letters and digits only.")]
    ParameterName,
    /// A parameter type nobody knows.
    #[error("“{found}” is no parameter type. Use String or StringList.")]
    ParameterType {
        /// What is there.
        found: String,
    },
    /// A pattern that is no regular expression here. AWS reads another dialect, so this is a warning.
    #[error("This program cannot read the pattern: {why}. AWS may.")]
    Pattern {
        /// What is wrong with it.
        why: String,
    },
    /// A default its own parameter refuses.
    #[error("The default is refused by its own parameter. {0}")]
    Default(ValueProblem),
    /// A command type without a command.
    #[error("{session_type} needs a command for at least one platform.")]
    NoCommand {
        /// The type.
        session_type: &'static str,
    },
    /// A port that is none.
    #[error("A port is a number from {min} to 65535, as a text, or a placeholder.")]
    Port {
        /// 0 where any free port may be taken, else 1.
        min: u16,
    },
    /// Something that needs another field to do anything.
    #[error("This does nothing without {needs}.")]
    NoEffectWithout {
        /// The field, as people call it.
        needs: &'static str,
    },
    /// A member that sessions of this type do not read.
    #[error("Sessions of type {session_type} do not read this.")]
    NotOfType {
        /// The type.
        session_type: &'static str,
    },
}

fn suggest(meant: Option<&str>) -> String {
    meant.map(|name| format!(" Did you mean {name}?")).unwrap_or_default()
}

impl ProblemKind {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::TimeAsNumber { .. }
            | Self::Unknown { .. }
            | Self::UnreadablePlaceholder { .. }
            | Self::UnusedParameter { .. }
            | Self::Pattern { .. }
            | Self::NoEffectWithout { .. }
            | Self::NotOfType { .. } => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// The name that was probably meant, to be offered as a correction.
    pub fn meant(&self) -> Option<&str> {
        match self {
            Self::SessionType { meant, .. } => *meant,
            Self::Unknown { meant, .. } | Self::UnknownParameter { meant, .. } => meant.as_deref(),
            _ => None,
        }
    }
}
