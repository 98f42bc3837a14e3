//! The inventory's values as the interface sees them.

use fleetline_inventory::node::{self, ManagedNode};
use fleetline_inventory::ports::{CallerIdentity, SourceInfo};
use fleetline_inventory::{self as inventory, Counters, Entry, Fleet, Listing, ListingCounts, Sort, Verdict};
use fleetline_ipc::CommandError;
use fleetline_ipc::ErrorCode;
use fleetline_ipc::fleet::{
    AccountRegionRow, Completion, Completions, Fact, FleetQuery, InstanceTier, ListingState, NodeKind,
    NodeRow, PingStatus, PlatformFamily, QueryIssue, Readiness, SortColumn, Tag,
};
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
        node_id: node.node_id.clone(),
        name: node.display_name().to_owned(),
        kind: kind(node.kind),
        platform: platform(node.platform),
        platform_text: entry.platform_text().to_owned(),
        account_id: node.account_region.account_id.clone(),
        account_name: fleet.listing_of(entry).account_name.clone(),
        region: node.account_region.region.clone(),
        ip: node.ip.clone(),
        agent_version: node.agent_version.clone(),
        agent_old: Verdict::of_agent(&node.agent_version).is_some(),
        tier: fleet.tier(entry).map(tier),
        ping: ping(node.ping),
        last_ping_ms: node.last_ping_ms.map(millis),
        readiness: readiness(verdict.readiness()),
        reason: verdict.sentence(node, now_ms),
        stale: entry.is_stale(),
    }
}

pub(crate) fn facts(node: &ManagedNode) -> Vec<Fact> {
    let platform = [&*node.platform_name, &*node.platform_version].join(" ");
    let kind_text = kind_text(node.kind);
    let date = |ms: Option<i64>| ms.map(date_text).unwrap_or_default();
    let hybrid = node.kind.is_hybrid();
    let facts = [
        ("Node ID", node.node_id.clone(), true),
        ("Host name", node.computer_name.clone(), true),
        ("Kind", kind_text.to_owned(), false),
        ("Platform", platform.trim().to_owned(), false),
        ("Address", node.ip.clone(), true),
        ("Public address", node.public_ip.clone(), true),
        ("Account", node.account_region.account_id.clone(), true),
        ("Region", node.account_region.region.clone(), true),
        ("AWS profile", node.source.clone(), true),
        ("Agent", node.agent_version.clone(), true),
        ("State", node.instance_state.clone(), false),
        ("Instance type", node.instance_type.clone(), true),
        ("Availability zone", node.availability_zone.clone(), true),
        ("VPC", node.vpc_id.clone(), true),
        ("IAM role", node.iam_role.clone(), true),
        (if hybrid { "Registered" } else { "Launched" }, date(node.registered_ms), false),
    ];
    facts
        .into_iter()
        .filter(|(_, value, _)| !value.is_empty())
        .map(|(label, value, mono)| Fact { label: label.to_owned(), value, mono })
        .collect()
}

pub(crate) fn tags(node: &ManagedNode) -> Vec<Tag> {
    node.tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect()
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

pub(crate) fn sort(query: &FleetQuery) -> Sort {
    match query.sort {
        SortColumn::Readiness => Sort::Readiness,
        SortColumn::Name => Sort::Name,
        SortColumn::NodeId => Sort::NodeId,
        SortColumn::Kind => Sort::Kind,
        SortColumn::Platform => Sort::Platform,
        SortColumn::Account => Sort::Account,
        SortColumn::Ip => Sort::Ip,
        SortColumn::Agent => Sort::Agent,
        SortColumn::Tier => Sort::Tier,
        SortColumn::Ping => Sort::Ping,
    }
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
