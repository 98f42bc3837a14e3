//! Sessions in the words of the interface.

use std::collections::{HashMap, HashSet};

use fleetline_history::{AccessType, SessionKind, SessionRecord, SessionStatus, without_mark};
use fleetline_inventory::Fleet;
use fleetline_ipc::history::{HistoryKind, HistoryRow, HistoryStatus};

use crate::rows;

/// What tells a session apart; with an empty id the beginning of all keys of a place.
pub(super) fn key((account, region): (&str, &str), session_id: &str) -> String {
    format!("{account}/{region}/{session_id}")
}

/// Names of nodes of a Region by their ids, of the targets of these sessions.
pub(super) fn names(fleet: &Fleet, region: &str, records: &[SessionRecord]) -> HashMap<String, String> {
    let targets: HashSet<&str> = records.iter().map(|record| record.target.as_str()).collect();
    let nodes = fleet.entries().map(|entry| entry.node());
    nodes
        .filter(|node| targets.contains(node.node_id.as_str()) && node.account_region.region == region)
        .map(|node| (node.node_id.to_string(), node.display_name().to_owned()))
        .collect()
}

pub(super) fn of(
    place: (&str, &str),
    record: &SessionRecord,
    node_name: &str,
    mine: &HashSet<String>,
    tabs: &HashMap<String, String>,
) -> HistoryRow {
    let kind = record.kind();
    let link = |url: &str| Some(url.to_owned()).filter(|url| url.starts_with("https://"));
    HistoryRow {
        key: key(place, &record.session_id),
        session_id: record.session_id.clone(),
        account_name: place.0.to_owned(),
        region: place.1.to_owned(),
        target: record.target.clone(),
        node_name: node_name.to_owned(),
        owner: record.owner_name().to_owned(),
        owner_arn: record.owner.clone(),
        mine: mine.contains(&record.owner),
        kind: match kind {
            SessionKind::Shell => HistoryKind::Shell,
            SessionKind::Command => HistoryKind::Command,
            SessionKind::Forward => HistoryKind::Forward,
            SessionKind::Ssh => HistoryKind::Ssh,
            SessionKind::Document => HistoryKind::Document,
        },
        document: record.document.clone(),
        reason: without_mark(&record.reason).to_owned(),
        status: match record.status {
            SessionStatus::Connected => HistoryStatus::Connected,
            SessionStatus::Connecting => HistoryStatus::Connecting,
            SessionStatus::Disconnected => HistoryStatus::Disconnected,
            SessionStatus::Terminated if record.timed_out() => HistoryStatus::TimedOut,
            SessionStatus::Terminated => HistoryStatus::Ended,
            SessionStatus::Terminating => HistoryStatus::Terminating,
            SessionStatus::Failed => HistoryStatus::Failed,
            SessionStatus::Unknown => HistoryStatus::Unknown,
        },
        details: record.details.clone(),
        start_ms: record.start_ms.map(rows::millis),
        end_ms: record.end_ms.map(rows::millis),
        never_logged: kind.content_is_never_logged(),
        s3_url: link(&record.s3_url),
        cloud_watch_url: link(&record.cloudwatch_url),
        tab: tabs.get(&record.session_id).cloned(),
        just_in_time: record.access == AccessType::JustInTime,
    }
}
