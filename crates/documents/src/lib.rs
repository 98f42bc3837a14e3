//! Session documents (protocol.md 1.8 and 1.9): reading, checking, editing, and what they do to a session.
//!
//! The model of a document is its JSON text, [`DocumentText`]. A form is a view of it, [`SessionDocument`], and an edit in
//! the form changes just that place of the text; so members this program does not know, their order and the layout
//! survive. [`check`] judges a text as AWS and its agents would and names the place of everything that is wrong.
//!
//! What is asked of AWS is a trait, [`DocumentCalls`]; nothing here calls AWS itself or touches a disk.

mod apply;
pub mod audit;
mod calls;
mod check;
mod command_line;
mod compare;
mod edit;
mod effects;
mod file;
mod model;
mod name;
mod parameter;
mod path;
mod placeholder;
mod problem;
mod save;
mod text;

pub use calls::{
    BoxFuture, DocumentCalls, DocumentError, DocumentErrorKind, DocumentFacts, DocumentSources,
    DocumentVersion, ListedDocument, Owner, PREFERENCES, Page, VersionChoice, is_version_number,
    managed_session_type, short_name,
};
pub use check::{MAX_DOCUMENT_BYTES, check};
pub use command_line::{Shell, StartCommand, quote};
pub use compare::{ComparedLine, LineChange, compare};
pub use effects::{CloudWatchTarget, Effects, RunAs, S3Target};
pub use file::{FileError, FileFormat};
pub use model::{Command, Inputs, PortProperties, Properties, SessionDocument, SessionType};
pub use name::{NameError, check_name};
pub use parameter::{Parameter, ParameterKind, ValueProblem, check_given};
pub use path::FieldPath;
pub use problem::{Problem, ProblemKind, Severity};
pub use save::{PreferencesSaved, Save, SaveError, Saved, save, save_preferences};
pub use text::{DocumentText, EditError, Place, SyntaxError};
