//! The inventory's values as the interface sees them.

use fleetline_inventory::node::{self, ManagedNode};
use fleetline_inventory::ports::{CallerIdentity, SourceInfo};
use fleetline_inventory::{
    self as inventory, Column, Counters, Entry, Fleet, Listing, ListingCounts, Verdict,
};
use fleetline_ipc::CommandError;
use fleetline_ipc::ErrorCode;
use fleetline_ipc::fleet::{
    AccountRegionRow, Completion, Completions, Fact, FleetQuery, InstanceTier, ListingState, NodeKind,
    NodeRow, PingStatus, PlatformFamily, QueryIssue, Readiness, SortColumn, Tag,
};
use fleetline_ipc::session::{SessionRow, SessionState};
use fleetline_ipc::system::{IdentityRow, SourceRow};

use crate::clock::date_text;

/// Milliseconds as JSON carries them.
pub(crate) fn millis(ms: i64) -> f64 {
    // Exact up to the year 287396.
    ms as f64
}

pub(crate) fn node_row(fleet: &Fleet, entry: &Entry, now_ms: i64) -> NodeRow {
    let node = entry.node();
    let verdict = fleet.verdict(entry);
    NodeRow {
        key: entry.key().to_owned(),
        node_id: node.node_id.to_string(),
        name: node.display_name().to_owned(),
        kind: kind(node.kind),
        platform: platform(node.platform),
        platform_text: entry.platform_text().to_owned(),
        account_id: node.account_region.account_id.clone(),
        account_name: fleet.listing_of(entry).account_name.clone(),
        region: node.account_region.region.clone(),
        ip: node.ip.to_string(),
        agent_version: node.agent_version.to_string(),
        agent_old: Verdict::of_agent(&node.agent_version).is_some(),
        tier: fleet.tier(entry).map(tier),
        ping: ping(node.ping),
        last_ping_ms: node.last_ping_ms.map(millis),
        readiness: readiness(verdict.readiness()),
        reason: verdict.sentence(node, now_ms),
        stale: entry.is_stale(),
        favourite: fleet.marks().is_favourite(entry.key()),
        computer_name: node.computer_name.to_string(),
        public_ip: node.public_ip.to_string(),
        instance_state: node.instance_state.to_string(),
        instance_type: node.instance_type.to_string(),
        availability_zone: node.availability_zone.to_string(),
        vpc_id: node.vpc_id.to_string(),
        iam_role: node.iam_role.to_string(),
        registered_ms: node.registered_ms.map(millis),
        used_ms: fleet.marks().used(entry.key()).map(millis),
        tags_text: tags_text(node),
    }
}

/// A session with a node that is being started.
pub(crate) fn new_session(
    fleet: &Fleet,
    entry: &Entry,
    document: String,
    step: &str,
    now_ms: i64,
) -> SessionRow {
    let node = entry.node();
    SessionRow {
        session_id: None,
        node_key: entry.key().to_owned(),
        node_id: node.node_id.to_string(),
        node_name: node.display_name().to_owned(),
        account_name: fleet.listing_of(entry).account_name.clone(),
        region: node.account_region.region.clone(),
        document,
        started_ms: millis(now_ms),
        state: SessionState::Connecting { step: step.to_owned() },
        denied: None,
        silent: false,
        resumed_after_ms: None,
        demo: false,
        effects: None,
        active_ms: millis(now_ms),
        recording: None,
    }
}

pub(crate) fn facts(node: &ManagedNode) -> Vec<Fact> {
    let platform = [&*node.platform_name, &*node.platform_version].join(" ");
    let kind_text = kind_text(node.kind);
    let since = node.registered_ms.map(date_text).unwrap_or_default();
    let hybrid = node.kind.is_hybrid();
    let facts: [(&str, &str, bool); 16] = [
        ("Node ID", &node.node_id, true),
        ("Host name", &node.computer_name, true),
        ("Kind", kind_text, false),
        ("Platform", platform.trim(), false),
        ("Address", &node.ip, true),
        ("Public address", &node.public_ip, true),
        ("Account", &node.account_region.account_id, true),
        ("Region", &node.account_region.region, true),
        ("AWS profile", &node.source, true),
        ("Agent", &node.agent_version, true),
        ("State", &node.instance_state, false),
        ("Instance type", &node.instance_type, true),
        ("Availability zone", &node.availability_zone, true),
        ("VPC", &node.vpc_id, true),
        ("IAM role", &node.iam_role, true),
        (if hybrid { "Registered" } else { "Launched" }, &since, false),
    ];
    facts
        .into_iter()
        .filter(|(_, value, _)| !value.is_empty())
        .map(|(label, value, mono)| Fact { label: label.to_owned(), value: value.to_string(), mono })
        .collect()
}

/// Longest text of the tags in a row, in characters.
const TAGS_TEXT: usize = 200;

fn tags_text(node: &ManagedNode) -> String {
    let tags: Vec<String> = node.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    tags.join(", ").chars().take(TAGS_TEXT).collect()
}

pub(crate) fn tags(node: &ManagedNode) -> Vec<Tag> {
    node.tags.iter().map(|(key, value)| Tag { key: key.to_string(), value: value.to_string() }).collect()
}

pub(crate) fn account_region(
    listing: &Listing,
    counts: ListingCounts,
    problem: Option<CommandError>,
) -> AccountRegionRow {
    AccountRegionRow {
        source: listing.source.clone(),
        account_id: listing.account_id.clone(),
        account_name: listing.account_name.clone(),
        region: listing.region.clone(),
        state: match listing.state {
            inventory::ListingState::Waiting => ListingState::Waiting,
            inventory::ListingState::Loading => ListingState::Loading,
            inventory::ListingState::Loaded => ListingState::Loaded,
            inventory::ListingState::Denied => ListingState::Denied,
            inventory::ListingState::Failed => ListingState::Failed,
        },
        nodes: counts.nodes,
        hybrid: counts.hybrid,
        tier: tier(listing.tier),
        tier_change: None,
        problem,
        updated_ms: listing.updated_ms.map(millis),
    }
}

/// Counters without the account-Regions.
pub(crate) fn summary(counters: Counters) -> fleetline_ipc::fleet::FleetSummary {
    fleetline_ipc::fleet::FleetSummary {
        total: counters.total,
        online: counters.online,
        hybrid: counters.hybrid,
        not_connectable: counters.not_connectable,
        stale: counters.stale,
        accounts: counters.accounts,
        regions: counters.regions,
        ..fleetline_ipc::fleet::FleetSummary::default()
    }
}

pub(crate) fn issues(issues: &[inventory::Issue]) -> Vec<QueryIssue> {
    let row = |issue: &inventory::Issue| QueryIssue {
        start: issue.start,
        end: issue.end,
        message: issue.message.clone(),
    };
    issues.iter().map(row).collect()
}

pub(crate) fn completions(found: inventory::Completions) -> Completions {
    let items = found.items.into_iter();
    Completions {
        start: found.start,
        end: found.end,
        items: items.map(|c| Completion { text: c.text, label: c.label, count: c.count }).collect(),
    }
}

/// The columns of the interface and those of the inventory.
const COLUMNS: [(SortColumn, Column); 20] = [
    (SortColumn::Readiness, Column::Readiness),
    (SortColumn::Name, Column::Name),
    (SortColumn::NodeId, Column::NodeId),
    (SortColumn::Kind, Column::Kind),
    (SortColumn::Platform, Column::Platform),
    (SortColumn::Account, Column::Account),
    (SortColumn::Ip, Column::Ip),
    (SortColumn::Agent, Column::Agent),
    (SortColumn::Tier, Column::Tier),
    (SortColumn::Ping, Column::Ping),
    (SortColumn::ComputerName, Column::ComputerName),
    (SortColumn::PublicIp, Column::PublicIp),
    (SortColumn::InstanceState, Column::InstanceState),
    (SortColumn::InstanceType, Column::InstanceType),
    (SortColumn::AvailabilityZone, Column::AvailabilityZone),
    (SortColumn::VpcId, Column::VpcId),
    (SortColumn::IamRole, Column::IamRole),
    (SortColumn::Registered, Column::Registered),
    (SortColumn::Used, Column::Used),
    (SortColumn::Tags, Column::Tags),
];

pub(crate) fn sort(query: &FleetQuery) -> Column {
    COLUMNS.iter().find(|(row, _)| *row == query.sort).map(|(_, column)| *column).unwrap_or_default()
}

/// The name of a column in the book.
pub(crate) fn sort_name(sort: SortColumn) -> &'static str {
    COLUMNS.iter().find(|(row, _)| *row == sort).map_or("", |(_, column)| column.name())
}

/// The column of a name in the book; the default for one that is not known here.
pub(crate) fn sort_from_name(name: &str) -> SortColumn {
    let column = Column::from_name(name).unwrap_or_default();
    COLUMNS.iter().find(|(_, known)| *known == column).map(|(row, _)| *row).unwrap_or_default()
}

pub(crate) fn source(info: SourceInfo) -> SourceRow {
    let problem = info.problem.map(|message| CommandError::new(ErrorCode::NotSignedIn, message));
    SourceRow { name: info.name, region: info.region, method: info.method, problem }
}

pub(crate) fn identity(source: &str, caller: &CallerIdentity) -> IdentityRow {
    let name = caller.arn.rsplit(['/', ':']).next().unwrap_or(&caller.arn);
    IdentityRow {
        source: source.to_owned(),
        account_id: caller.account_id.clone(),
        arn: caller.arn.clone(),
        name: name.to_owned(),
        expires_ms: caller.expires_ms.map(millis),
    }
}

fn kind(kind: node::NodeKind) -> NodeKind {
    match kind {
        node::NodeKind::Ec2 => NodeKind::Ec2,
        node::NodeKind::OnPrem => NodeKind::OnPrem,
        node::NodeKind::Azure => NodeKind::Azure,
        node::NodeKind::Gcp => NodeKind::Gcp,
        node::NodeKind::Edge => NodeKind::Edge,
    }
}

fn kind_text(kind: node::NodeKind) -> &'static str {
    match kind {
        node::NodeKind::Ec2 => "EC2 instance",
        node::NodeKind::OnPrem => "Hybrid, on-premises",
        node::NodeKind::Azure => "Hybrid, Azure",
        node::NodeKind::Gcp => "Hybrid, Google Cloud",
        node::NodeKind::Edge => "Hybrid, edge device",
    }
}

fn platform(family: node::PlatformFamily) -> PlatformFamily {
    match family {
        node::PlatformFamily::Linux => PlatformFamily::Linux,
        node::PlatformFamily::Windows => PlatformFamily::Windows,
        node::PlatformFamily::MacOs => PlatformFamily::Macos,
        node::PlatformFamily::Unknown => PlatformFamily::Unknown,
    }
}

fn ping(ping: node::PingStatus) -> PingStatus {
    match ping {
        node::PingStatus::Online => PingStatus::Online,
        node::PingStatus::ConnectionLost => PingStatus::ConnectionLost,
        node::PingStatus::Inactive => PingStatus::Inactive,
        node::PingStatus::Unknown => PingStatus::Unknown,
    }
}

pub(crate) fn tier(tier: node::InstanceTier) -> InstanceTier {
    match tier {
        node::InstanceTier::Standard => InstanceTier::Standard,
        node::InstanceTier::Advanced => InstanceTier::Advanced,
        node::InstanceTier::Pending => InstanceTier::Pending,
        node::InstanceTier::Unknown => InstanceTier::Unknown,
    }
}

fn readiness(readiness: inventory::Readiness) -> Readiness {
    match readiness {
        inventory::Readiness::Ready => Readiness::Ready,
        inventory::Readiness::Checking => Readiness::Checking,
        inventory::Readiness::Limited => Readiness::Limited,
        inventory::Readiness::Lost => Readiness::Lost,
        inventory::Readiness::Blocked => Readiness::Blocked,
    }
}
