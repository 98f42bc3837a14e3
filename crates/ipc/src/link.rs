//! Links into the app. Nothing is done with one before the user has agreed to what it would do (SEC-50).

use serde::{Deserialize, Serialize};
use specta::Type;

/// What a link opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum LinkOpens {
    /// Shows a node.
    Node,
    /// Opens a shell, or a session with a document.
    Shell,
    /// Opens SSH.
    Ssh,
    /// Asks how to open a remote desktop.
    Desktop,
    /// Switches a forward on.
    Forward,
    /// Switches the forwards of a bundle on.
    Bundle,
}

/// What was found for a link, to be agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LinkQuestion {
    /// Number of the question; an answer names it, so that an answer to an earlier one does nothing.
    pub number: u32,
    /// What it opens.
    pub opens: LinkOpens,
    /// Name of the saved profile it names; `None` when it names a node.
    pub profile: Option<String>,
    /// Name of the node; empty for bundles.
    pub node_name: String,
    /// Id of the node; empty for bundles.
    pub node_id: String,
    /// Account of the node.
    pub account_name: String,
    /// Region of the node.
    pub region: String,
    /// Session document, when the profile names one.
    pub document: Option<String>,
    /// Local ends and where they lead, one for each forward: `127.0.0.1:5433 › db.internal:5432`.
    pub ports: Vec<String>,
}

/// Who opens links of this program for this user at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum LinkOpener {
    /// Nobody.
    Nobody,
    /// This program.
    Us,
    /// Another program, or this one at another place.
    Another,
    /// The system, by what the app's bundle says: macOS.
    Bundle,
    /// It could not be found out.
    Unknown,
}

/// Whether links are followed, and who gets them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LinkStatus {
    /// Whether this program follows links, after asking.
    pub on: bool,
    /// Who gets them.
    pub opener: LinkOpener,
    /// The other program as the desktop names it, or what stood in the way of finding out.
    pub detail: Option<String>,
}

/// What the interface does after a link was agreed to: what needs nobody else was done already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "then", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum LinkDone {
    /// Nothing more.
    Nothing,
    /// Show this node.
    ShowNode {
        /// Its key.
        node_key: String,
    },
    /// Ask how to open this node's desktop.
    AskDesktop {
        /// Its key.
        node_key: String,
    },
}
