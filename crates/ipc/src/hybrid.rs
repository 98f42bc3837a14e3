//! Hybrid nodes: the tier of their account-Region, and the activations that register them.

use std::fmt;

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::CommandError;
use crate::fleet::{InstanceTier, Tag};

/// What a tier can be changed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TierTarget {
    /// No sessions to hybrid nodes, no charge.
    Standard,
    /// Sessions to hybrid nodes, charged by the node and hour.
    Advanced,
}

/// Why a change of the tier cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TierObstacle {
    /// It is that already.
    Unchanged,
    /// Another change is on its way.
    Pending,
    /// More hybrid nodes than the standard tier takes.
    TooManyNodes,
}

/// A change of the tier with everything a person should know before it is made. AWS was just asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TierReview {
    /// AWS profile the account-Region is reached through.
    pub source: String,
    /// Account id.
    pub account_id: String,
    /// Account name or the source's name.
    pub account_name: String,
    /// Region.
    pub region: String,
    /// What it is, or Pending.
    pub tier: InstanceTier,
    /// What the setting says: the same as `tier`, or what it is being changed to.
    pub value: InstanceTier,
    /// Whether nobody ever set it.
    pub is_default: bool,
    /// ARN of who set it last; empty if AWS did not say.
    pub changed_by: String,
    /// When.
    pub changed_ms: Option<f64>,
    /// What it would be changed to.
    pub to: TierTarget,
    /// Hybrid nodes of the account-Region; the setting applies to all of them.
    pub hybrid_nodes: u32,
    /// Whether all of them are known; otherwise there may be more.
    pub is_complete: bool,
    /// What AWS charges for a hybrid node and hour on the advanced tier, in US dollars.
    pub node_hour_usd: f64,
    /// For all of the nodes, an hour.
    pub hour_usd: f64,
    /// For all of the nodes, a month of 730 hours.
    pub month_usd: f64,
    /// Most hybrid nodes the standard tier takes.
    pub standard_limit: u32,
    /// What stands in the way.
    pub obstacle: Option<TierObstacle>,
    /// ARN of the setting, on which `ssm:UpdateServiceSetting` must be allowed.
    pub setting_arn: String,
    /// The change as this program's command line takes it.
    pub command: String,
    /// The change as the AWS CLI takes it.
    pub aws_command: String,
}

/// A change of a tier on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TierChange {
    /// To what.
    pub to: InstanceTier,
    /// Since when this program looks at it.
    pub since_ms: f64,
    /// Why it is not looked at any more, although it has not settled.
    pub problem: Option<CommandError>,
}

/// An activation as AWS lists it. Texts are empty where AWS says nothing. Its code is never listed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ActivationRow {
    /// A UUID.
    pub id: String,
    /// For people.
    pub description: String,
    /// Name of the nodes it registers.
    pub name: String,
    /// Role of the nodes it registers.
    pub role: String,
    /// Nodes it may register.
    pub limit: u32,
    /// Nodes it has registered.
    pub registered: u32,
    /// End.
    pub expires_ms: Option<f64>,
    /// Whether it ended.
    pub expired: bool,
    /// When it was made.
    pub created_ms: Option<f64>,
    /// Tags of the nodes it registers, by key.
    pub tags: Vec<Tag>,
}

/// The activations of an account-Region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Activations {
    /// AWS profile it is reached through.
    pub source: String,
    /// Account name or the source's name.
    pub account_name: String,
    /// Region.
    pub region: String,
    /// In service order, at most 1,000.
    pub rows: Vec<ActivationRow>,
    /// Whether there are more.
    pub more: bool,
    /// Why they could not be listed.
    pub problem: Option<CommandError>,
}

/// An activation to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ActivationSpec {
    /// AWS profile of the account.
    pub source: String,
    /// Region.
    pub region: String,
    /// Name of a role that trusts `ssm.amazonaws.com`, 1 to 64 characters.
    pub role: String,
    /// Nodes it may register, 1 to 1,000.
    pub limit: u32,
    /// Hours until it ends, 1 to 720.
    pub hours: u32,
    /// Name of the nodes, at most 256 characters; may be empty.
    pub name: String,
    /// At most 256 characters; may be empty.
    pub description: String,
    /// At most 50; keys of 1 to 128, values of 0 to 256 characters.
    pub tags: Vec<Tag>,
}

/// A new activation. Its code stays in the Rust process: it is copied from there, and shown only on demand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CreatedActivation {
    /// A UUID.
    pub id: String,
    /// Commands for Linux, with dots in place of the code.
    pub linux: String,
    /// Commands for Windows, with dots in place of the code.
    pub windows: String,
    /// When the code is forgotten here.
    pub forgotten_ms: f64,
}

/// What of a new activation is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ActivationText {
    /// The code.
    Code,
    /// The commands for Linux, with the code.
    Linux,
    /// The commands for Windows, with the code.
    Windows,
}

/// The code of a new activation on its way to the eyes of the person who asked to see it: the one secret that crosses the
/// bridge. It is in no event and no snapshot, and its debug form does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct RevealedCode(pub String);

impl fmt::Debug for RevealedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RevealedCode(…)")
    }
}
