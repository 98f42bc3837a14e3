//! Session documents: lists, the editor, saving.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::CommandError;

/// An account-Region, by the source that reaches it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentPlace {
    /// AWS profile.
    pub source: String,
    /// Region.
    pub region: String,
}

/// Whose a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DocumentOwner {
    /// The account's own.
    Mine,
    /// Another account shares it.
    Shared,
    /// Of AWS.
    Aws,
}

/// What a session of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DocumentSessionType {
    /// A shell.
    StandardStream,
    /// A command on a terminal.
    InteractiveCommands,
    /// A command without a terminal.
    NonInteractiveCommands,
    /// Bytes to a port.
    Port,
}

/// A document of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentRow {
    /// What refers to it: its name, or its ARN when it is shared.
    pub name: String,
    /// Its name.
    pub title: String,
    /// Whose it is.
    pub owner: DocumentOwner,
    /// Number of the default version.
    pub default_version: String,
    /// Its session type, where that is known without reading it.
    pub session_type: Option<DocumentSessionType>,
    /// Whether it holds the session preferences of the account-Region.
    pub preferences: bool,
}

/// The session type of a document that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentTypeRow {
    /// What refers to the document.
    pub name: String,
    /// Its type; `None` when it could not be read.
    pub session_type: Option<DocumentSessionType>,
}

/// A version of a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentVersionRow {
    /// Its number.
    pub number: String,
    /// Whether sessions use it.
    pub is_default: bool,
    /// When it was made.
    pub created_ms: Option<f64>,
}

/// A document that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentDetail {
    /// What refers to it.
    pub name: String,
    /// Its name.
    pub title: String,
    /// Account id of its owner, or `Amazon`.
    pub owner_id: String,
    /// The version that is open.
    pub version: String,
    /// The version sessions use.
    pub default_version: String,
    /// The version made last.
    pub latest_version: String,
    /// Hash of the latest version, to save on top of.
    pub latest_hash: String,
    /// All versions, newest first.
    pub versions: Vec<DocumentVersionRow>,
    /// The version that is open, as the editor shows it.
    pub reading: DocumentReading,
}

/// A text as the editor shows it: the text, its form, and what is wrong with both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentReading {
    /// The text.
    pub text: String,
    /// Why it is no document at all; the form is then absent.
    pub syntax: Option<DocumentSyntax>,
    /// Its form.
    pub form: Option<DocumentForm>,
    /// What is wrong, in the order of the text.
    pub problems: Vec<DocumentProblemRow>,
    /// What it does to a session.
    pub effects: Option<DocumentEffects>,
}

/// Where a text stops being JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentSyntax {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// What is wrong, as a sentence.
    pub message: String,
}

/// Something wrong at a place of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentProblemRow {
    /// The field: names of members joined by dots; empty for the document itself.
    pub path: String,
    /// Whether AWS refuses it or sessions fail; otherwise it does nothing or not what it says.
    pub error: bool,
    /// One or two sentences.
    pub message: String,
    /// The name that was probably meant, for a correction.
    pub meant: Option<String>,
    /// The name that is there instead of it.
    pub found: Option<String>,
    /// Line of the text, from 1.
    pub line: u32,
    /// First column, from 1, in characters.
    pub column: u32,
    /// The column after the last one on that line.
    pub end_column: u32,
}

/// The fields of a document as they are written. Texts are empty where there is nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentForm {
    /// What it is for.
    pub description: String,
    /// What a session is; `None` when missing or unknown.
    pub session_type: Option<DocumentSessionType>,
    /// What is done around a session.
    pub inputs: DocumentInputs,
    /// In the order of the document.
    pub parameters: Vec<DocumentParameter>,
    /// Commands by platform: `linux`, `macos`, `windows`, those that are there.
    pub commands: Vec<DocumentCommand>,
    /// Where a port session leads.
    pub port: DocumentPort,
}

/// `inputs` of a document, as they are written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentInputs {
    /// Bucket the log is written to.
    pub s3_bucket: String,
    /// Prefix of its key.
    pub s3_prefix: String,
    /// Whether the bucket must be encrypted.
    pub s3_encryption: bool,
    /// Log group.
    pub cloud_watch_group: String,
    /// Whether it must be encrypted.
    pub cloud_watch_encryption: bool,
    /// Whether the log is streamed.
    pub cloud_watch_streaming: bool,
    /// KMS key.
    pub kms_key: String,
    /// Whether sessions run as a named user.
    pub run_as: bool,
    /// That user.
    pub run_as_user: String,
    /// Idle time as it is written.
    pub idle_minutes: String,
    /// Longest duration as it is written.
    pub max_minutes: String,
    /// Typed into Linux and macOS shells.
    pub linux_profile: String,
    /// Typed into Windows shells.
    pub windows_profile: String,
}

/// What a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DocumentParameterKind {
    /// One text.
    Text,
    /// Any number of texts.
    TextList,
    /// A type this program does not know.
    Other,
}

/// A parameter of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentParameter {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: DocumentParameterKind,
    /// What it is for.
    pub description: String,
    /// Its values when none are given; `None` makes it required.
    pub default: Option<Vec<String>>,
    /// Pattern of every value; empty allows all.
    pub allowed_pattern: String,
    /// The only values; empty allows all.
    pub allowed_values: Vec<String>,
}

/// A command of one platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentCommand {
    /// `linux`, `macos` or `windows`.
    pub platform: String,
    /// The command line.
    pub commands: String,
    /// Whether it runs as root or administrator.
    pub elevated: bool,
}

/// Where a port session leads, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentPort {
    /// Port on the node or on the host.
    pub port: String,
    /// Port here.
    pub local_port: String,
    /// Host beyond the node.
    pub host: String,
    /// `LocalPortForwarding` or empty.
    pub kind: String,
}

/// An edit of one place of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "edit", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum DocumentEdit {
    /// A text; an empty one takes the member away, but for commands, which may be empty while they are typed.
    Text {
        /// Names of members joined by dots.
        path: String,
        /// The text.
        value: String,
    },
    /// A switch; off takes the member away unless it is there.
    Flag {
        /// Names of members joined by dots.
        path: String,
        /// On or off.
        value: bool,
    },
    /// A list of texts; an empty one takes the member away.
    List {
        /// Names of members joined by dots.
        path: String,
        /// The texts.
        value: Vec<String>,
    },
    /// Takes a member away.
    Remove {
        /// Names of members joined by dots.
        path: String,
    },
    /// Gives a parameter another name, in its placeholders too.
    RenameParameter {
        /// Its name.
        from: String,
        /// The new name.
        to: String,
    },
    /// Lays the text out anew.
    Format,
}

/// A document to be saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentSave {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Hash of the latest version when the edit began; `None` makes a new document.
    pub base_hash: Option<String>,
    /// Whether sessions use it from now on.
    pub make_default: bool,
}

/// What became of saving.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentSaved {
    /// The version with this text.
    pub version: String,
    /// The version sessions use.
    pub default_version: String,
    /// Whether a version was made: not when the text was there already.
    pub is_new: bool,
}

/// What a line of a comparison is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DocumentLineChange {
    /// In both.
    Same,
    /// Only in the older.
    Removed,
    /// Only in the newer.
    Added,
}

/// A line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentLine {
    /// Where it is.
    pub change: DocumentLineChange,
    /// Its number in the older text, from 1.
    pub old: Option<u32>,
    /// Its number in the newer text, from 1.
    pub new: Option<u32>,
    /// Its text.
    pub text: String,
}

/// What a document does to a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DocumentEffects {
    /// Whether AWS can record what passes: not of port sessions.
    pub content_can_be_logged: bool,
    /// Bucket and prefix the log goes to.
    pub s3: Option<String>,
    /// Log group the log goes to.
    pub cloud_watch: Option<String>,
    /// Whether it is streamed there.
    pub streams: bool,
    /// KMS key that seals the session.
    pub sealed_with: Option<String>,
    /// Whose rights it has.
    pub run_as: DocumentRunAs,
    /// Minutes without activity after which it ends.
    pub idle_minutes: u32,
    /// Minutes after which it ends; `None` never.
    pub max_minutes: Option<u32>,
}

/// The operating system's user a session runs as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum DocumentRunAs {
    /// The agent's user.
    AgentUser {
        /// Its name.
        name: String,
    },
    /// Root or the administrator.
    Elevated,
    /// The user the caller's `SSMSessionRunAs` tag names, else this one; without either the session is refused.
    Named {
        /// The document's user.
        otherwise: Option<String>,
    },
    /// None: bytes go to a port.
    Nobody,
}

/// What became of the session preferences of an account-Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PreferencesChange {
    /// They were saved for the first time.
    Created,
    /// They have a new version, which is the default.
    Updated,
    /// They said this already.
    Unchanged,
}

/// What became of saving session preferences in an account-Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PreferencesOutcome {
    /// The account-Region.
    pub place: DocumentPlace,
    /// What was done; `None` nothing.
    pub change: Option<PreferencesChange>,
    /// The version sessions use now, if it was done.
    pub version: Option<String>,
    /// Why nothing was done.
    pub problem: Option<CommandError>,
}
