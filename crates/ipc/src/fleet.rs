//! The fleet: rows, views, counters, the inspector.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::CommandError;
use crate::access::CheckRow;
use crate::hybrid::TierChange;
use crate::ladder::LadderStep;

/// What a managed node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// An EC2 instance, `i-…`.
    Ec2,
    /// A hybrid node in a data centre, `mi-…`.
    OnPrem,
    /// A hybrid node in Azure.
    Azure,
    /// A hybrid node in Google Cloud.
    Gcp,
    /// A hybrid edge device (AWS IoT Greengrass).
    Edge,
}

/// Operating system family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PlatformFamily {
    /// Any Linux.
    Linux,
    /// Windows Server and Windows IoT.
    Windows,
    /// macOS.
    Macos,
    /// The service did not say.
    Unknown,
}

/// The service's view of the agent's heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PingStatus {
    /// Heard recently.
    Online,
    /// Not heard for some time.
    ConnectionLost,
    /// Deprecated value of the service.
    Inactive,
    /// Not reported.
    Unknown,
}

/// Registration tier of a hybrid node's account-Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum InstanceTier {
    /// No sessions to hybrid nodes.
    Standard,
    /// Sessions to hybrid nodes.
    Advanced,
    /// A change is under way.
    Pending,
    /// Not allowed to ask, or not asked yet.
    Unknown,
}

/// The first step of the readiness ladder that does not pass, folded into one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// Can take sessions as far as is known.
    Ready,
    /// Can take sessions, with something missing (an old agent).
    Limited,
    /// Cannot take sessions (tier).
    Blocked,
    /// The agent was lost.
    Lost,
    /// Being found out.
    Checking,
}

/// One row of the fleet table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct NodeRow {
    /// `account/region/node id`: unique over all accounts and Regions.
    pub key: String,
    /// `i-…` or `mi-…`, opaque.
    pub node_id: String,
    /// EC2 Name tag, hybrid name or computer name; falls back to the node id.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// Family.
    pub platform: PlatformFamily,
    /// Short platform text for the table: "Windows 2022", "Ubuntu 24.04".
    pub platform_text: String,
    /// Account id.
    pub account_id: String,
    /// Account name as the user's configuration calls it, else the id.
    pub account_name: String,
    /// Region.
    pub region: String,
    /// Private address.
    pub ip: String,
    /// Agent version.
    pub agent_version: String,
    /// Whether the agent is too old for a feature.
    pub agent_old: bool,
    /// Tier; `None` for EC2, which has none.
    pub tier: Option<InstanceTier>,
    /// Heartbeat.
    pub ping: PingStatus,
    /// When the agent was last heard.
    pub last_ping_ms: Option<f64>,
    /// Verdict.
    pub readiness: Readiness,
    /// Why not ready, in a sentence; empty when ready.
    pub reason: String,
    /// Whether this row comes from the cache and was not confirmed yet.
    pub stale: bool,
    /// Whether the user marked it as a favourite.
    pub favourite: bool,
    /// Host name the agent reports.
    pub computer_name: String,
    /// Public address.
    pub public_ip: String,
    /// State of an EC2 instance.
    pub instance_state: String,
    /// Type of an EC2 instance.
    pub instance_type: String,
    /// Availability zone.
    pub availability_zone: String,
    /// VPC.
    pub vpc_id: String,
    /// IAM role or instance profile.
    pub iam_role: String,
    /// When registered (hybrid) or launched (EC2).
    pub registered_ms: Option<f64>,
    /// When last used by this user.
    pub used_ms: Option<f64>,
    /// Tags as `key=value, …`, at most 200 characters.
    pub tags_text: String,
}

/// A labelled fact of the inspector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// "Host name".
    pub label: String,
    /// Value as text.
    pub value: String,
    /// Whether it is something to paste into a shell (mono, with a copy button).
    pub mono: bool,
}

/// A tag of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Tag {
    /// Key.
    pub key: String,
    /// Value.
    pub value: String,
}

/// Everything the inspector shows about a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct NodeDetail {
    /// The row.
    pub row: NodeRow,
    /// The ladder, always five steps in order.
    pub ladder: Vec<LadderStep>,
    /// Facts in display order.
    pub facts: Vec<Fact>,
    /// Tags by key.
    pub tags: Vec<Tag>,
    /// The user's groups it is in.
    pub groups: Vec<String>,
    /// Our own live sessions on it, by tab id and title.
    pub sessions: Vec<LiveSession>,
    /// The check of its session channel that runs or ran last.
    pub check: Option<CheckRow>,
}

/// A live session of ours on a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct LiveSession {
    /// Tab that shows it.
    pub tab: String,
    /// "Shell".
    pub label: String,
    /// When it began.
    pub started_ms: f64,
}

/// How far the listing of one account-Region has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ListingState {
    /// Not begun.
    Waiting,
    /// Pages are coming in.
    Loading,
    /// Complete.
    Loaded,
    /// Refused by IAM.
    Denied,
    /// Ended by an error.
    Failed,
}

/// One account-Region of the scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AccountRegionRow {
    /// AWS profile it is reached through.
    pub source: String,
    /// Account id; empty until the caller identity is known.
    pub account_id: String,
    /// Account name or the source's name.
    pub account_name: String,
    /// Region.
    pub region: String,
    /// How far.
    pub state: ListingState,
    /// Nodes so far.
    pub nodes: u32,
    /// Hybrid nodes so far.
    pub hybrid: u32,
    /// Tier setting.
    pub tier: InstanceTier,
    /// A change of the tier that is being made, or failed.
    pub tier_change: Option<TierChange>,
    /// Why denied or failed.
    pub problem: Option<CommandError>,
    /// When the listing was last complete.
    pub updated_ms: Option<f64>,
}

/// Totals of the loaded scope, not of any filter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FleetSummary {
    /// Grows with each change of the inventory.
    pub version: f64,
    /// All nodes.
    pub total: u32,
    /// Nodes whose ping is online.
    pub online: u32,
    /// Hybrid nodes.
    pub hybrid: u32,
    /// Nodes that cannot take a session.
    pub not_connectable: u32,
    /// Nodes that are shown from an earlier list and were not confirmed.
    pub stale: u32,
    /// Distinct accounts.
    pub accounts: u32,
    /// Distinct Regions.
    pub regions: u32,
    /// Per account-Region.
    pub account_regions: Vec<AccountRegionRow>,
    /// Whether a refresh runs.
    pub refreshing: bool,
    /// Age base of the data: the oldest complete listing in the scope.
    pub updated_ms: Option<f64>,
}

/// Columns of the fleet. Each can be shown, and sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SortColumn {
    /// Verdict, worst first when descending.
    Readiness,
    /// Name, digits as numbers.
    #[default]
    Name,
    /// Node id.
    NodeId,
    /// Kind.
    Kind,
    /// Platform text.
    Platform,
    /// Account name, then Region.
    Account,
    /// Address, as numbers.
    Ip,
    /// Agent version, component-wise.
    Agent,
    /// Tier.
    Tier,
    /// Age of the last ping.
    Ping,
    /// Host name.
    ComputerName,
    /// Public address, as numbers.
    PublicIp,
    /// State of an EC2 instance.
    InstanceState,
    /// Type of an EC2 instance.
    InstanceType,
    /// Availability zone.
    AvailabilityZone,
    /// VPC.
    VpcId,
    /// IAM role.
    IamRole,
    /// When registered or launched, latest first.
    Registered,
    /// When last used, latest first.
    Used,
    /// Tags, most first.
    Tags,
}

/// Filter and order of a view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FleetQuery {
    /// The query language's text, at most 4,096 bytes.
    pub text: String,
    /// Sort column.
    pub sort: SortColumn,
    /// Whether largest first.
    pub descending: bool,
}

/// Something wrong in a query, pointing at the characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct QueryIssue {
    /// First UTF-16 code unit concerned.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A view's state: how many rows match and whether the query is sound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FleetViewState {
    /// The view.
    pub view: String,
    /// Grows with each change of what the view shows.
    pub version: f64,
    /// Rows that match.
    pub matched: u32,
    /// Rows there are.
    pub total: u32,
    /// Unsound parts of the query; those parts do not filter.
    pub issues: Vec<QueryIssue>,
}

/// The rows of a stretch of a view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FleetWindow {
    /// The view.
    pub view: String,
    /// The version the rows belong to.
    pub version: f64,
    /// Index of the first row.
    pub offset: u32,
    /// At most 200 rows.
    pub rows: Vec<NodeRow>,
}

/// One completion of the query box.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Completion {
    /// What to insert.
    pub text: String,
    /// What it is, in words.
    pub label: String,
    /// Nodes it would match, if counted.
    pub count: Option<u32>,
}

/// Completions at a place in a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Completions {
    /// First UTF-16 code unit the insertion replaces.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// Best first, at most 20.
    pub items: Vec<Completion>,
}
