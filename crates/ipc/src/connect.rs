//! Connecting with a chosen document.

use serde::{Deserialize, Serialize};
use specta::Type;

/// A parameter with what is given for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConnectParameter {
    /// Its name.
    pub name: String,
    /// One value, or those of a list.
    pub values: Vec<String>,
}

/// A session to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConnectRequest {
    /// Node key, see `NodeRow::key`.
    pub node_key: String,
    /// Name or ARN of the document; `None` is a plain shell.
    pub document: Option<String>,
    /// Parameters in the order of the document, without those that are left at their defaults.
    pub parameters: Vec<ConnectParameter>,
    /// Why, for the auditors.
    pub reason: Option<String>,
}

/// Why AWS would refuse a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConnectProblem {
    /// The parameter; empty for the reason.
    pub parameter: String,
    /// One sentence.
    pub message: String,
}

/// What is to be said of a session before it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ConnectCheck {
    /// What AWS would refuse.
    pub problems: Vec<ConnectProblem>,
    /// The line of the AWS CLI that starts the same.
    pub aws_command: String,
    /// Our own.
    pub fleetline_command: String,
}
