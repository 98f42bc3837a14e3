//! From what the user typed to one node.

use std::sync::Arc;

use fleetline_app::problem::{Context, describe};
use fleetline_app::{ControlPlane, ControlPlanes, Journal, Paths, journal_scope};
use fleetline_aws::AwsSources;
use fleetline_engine::SessionOptions;
use fleetline_engine::ports::{NodeAccess, NodeAccesses};
use fleetline_inventory::{Entry, Query};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::profiles::ProfileTarget;

use crate::accounts;
use crate::args::ScopeArgs;
use crate::failure::Failure;
use crate::fleet::{self, Depth, Listed};
use crate::scope::{self, Scope};

/// Matches listed when a name is not unique.
const SHOWN: usize = 10;

/// Prefix of targets that are containers of ECS tasks: `ecs:CLUSTER_TASK_RUNTIME` (protocol.md 1.6). They are opaque here.
const CONTAINER: &str = "ecs:";

/// A node to open a session on.
pub(crate) struct Target {
    /// Its session calls.
    pub(crate) control: Arc<dyn ControlPlane>,
    /// Node id.
    pub(crate) id: String,
    /// What errors are about.
    pub(crate) context: Context,
    /// What EC2 is asked about it.
    pub(crate) access: Arc<dyn NodeAccess>,
    /// How its sessions are run.
    pub(crate) options: SessionOptions,
}

/// Finds the node. An id in a scope of one source and Region is opened without a look-up; otherwise every source and
/// Region in scope is searched for the id or the name.
///
/// # Errors
/// When there is no such node, more than one, or nowhere to look.
pub(crate) async fn find(wanted: &str, args: &ScopeArgs) -> Result<Target, Failure> {
    if wanted.is_empty() || wanted.chars().count() > 400 {
        return Err(Failure::usage("A target has 1 to 400 characters."));
    }
    let sources = scope::sources();
    let scopes = scope::chosen(&sources, args)?;
    let names: Vec<&str> = scopes.iter().map(|scope| scope.source.as_str()).collect();
    accounts::unlock(&sources, &names).await?;
    let is_id = looks_like_id(wanted);
    if let ([scope], true) = (&scopes[..], is_id) {
        return open(&sources, scope.clone(), wanted.to_owned(), wanted);
    }
    if wanted.starts_with(CONTAINER) {
        return Err(Failure::usage(
            "Containers are not listed by Systems Manager, so their account must be named.",
        )
        .with_hint("Choose one with --source and --region."));
    }
    let depth = if is_id { Depth::Ids } else { Depth::Facts };
    let listed = fleet::list(&sources, &scopes, depth, is_id.then_some(wanted)).await;
    let entry = only_match(wanted, &listed)?;
    let node = entry.node();
    let scope = Scope { source: node.source.to_string(), region: node.account_region.region.clone() };
    open(&sources, scope, node.node_id.to_string(), node.display_name())
}

/// Finds the node of a saved profile: by its id, or the only one that matches its query.
///
/// # Errors
/// As [`find`]; a query that matches several nodes is refused, so that a wrong one is never taken.
pub(crate) async fn find_saved(wanted: &ProfileTarget, args: &ScopeArgs) -> Result<Target, Failure> {
    let text = match wanted {
        ProfileTarget::Node(id) => return find(id, args).await,
        ProfileTarget::Query(text) => text,
    };
    let query = Query::parse(text);
    if query.is_unfiltered() || !query.issues().is_empty() {
        return Err(Failure::usage(format!("The query {text:?} of the profile cannot be used.")));
    }
    let sources = scope::sources();
    let scopes = scope::chosen(&sources, args)?;
    let listed = fleet::list(&sources, &scopes, Depth::Facts, None).await;
    let now = fleet::now_ms();
    let mut found: Vec<&Entry> =
        listed.fleet.entries().filter(|entry| query.matches(&listed.fleet, entry, now)).collect();
    found.sort_by_key(|entry| entry.key().to_owned());
    found.dedup_by_key(|entry| entry.key().to_owned());
    let entry = match found.as_slice() {
        [only] => *only,
        [] => {
            listed.failures.iter().for_each(Failure::tell);
            let message = format!("No node matches {text}.");
            return Err(Failure::from(CommandError::new(ErrorCode::NotFound, message))
                .with_hint("Look with `fleetline nodes`."));
        }
        several => return Err(ambiguous(text, several)),
    };
    let node = entry.node();
    let scope = Scope { source: node.source.to_string(), region: node.account_region.region.clone() };
    open(&sources, scope, node.node_id.to_string(), node.display_name())
}

/// Opens the session calls of a node.
///
/// # Errors
/// When its source cannot be used.
pub(crate) fn open(sources: &AwsSources, scope: Scope, id: String, name: &str) -> Result<Target, Failure> {
    let context = Context {
        source: scope.source.clone(),
        region: scope.region.clone(),
        node: Some(name.to_owned()),
        node_id: Some(id.clone()),
        ..Context::default()
    };
    let opened = sources.control_plane(&scope.source, &scope.region).and_then(|control| {
        let access = sources.node_access(&scope.source, &scope.region)?;
        Ok((control, access, sources.dialer(&scope.source)?))
    });
    match opened {
        Ok((control, access, dialer)) => {
            let journal = journal().map(|on| journal_scope(&on, &scope.source, &scope.region));
            let options = SessionOptions { dialer, journal, ..SessionOptions::default() };
            Ok(Target { control, id, context, access, options })
        }
        Err(error) => Err(Failure::from(describe(&error, &context))),
    }
}

/// The journal of this user's sessions; without it a session goes unnoted.
fn journal() -> Option<Journal> {
    let opened = Paths::resolve().and_then(|paths| Journal::open(&paths));
    opened.inspect_err(|error| tracing::warn!(%error, "the session journal cannot be used")).ok()
}

/// Whether the text is an id: EC2, hybrid, or a container. Other ids are found by looking them up.
fn looks_like_id(text: &str) -> bool {
    let hex = |rest: &str| matches!(rest.len(), 8 | 17) && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.strip_prefix("i-").is_some_and(hex)
        || text.strip_prefix("mi-").is_some_and(hex)
        || text.starts_with(CONTAINER)
}

/// The one node of this id or name.
///
/// # Errors
/// When there is none or more than one.
pub(crate) fn only_match<'a>(wanted: &str, listed: &'a Listed) -> Result<&'a Entry, Failure> {
    let entries = || listed.fleet.entries();
    let tests: [&dyn Fn(&Entry) -> bool; 3] = [
        &|entry| entry.node().node_id == wanted,
        &|entry| entry.node().name == wanted || entry.node().computer_name == wanted,
        &|entry| {
            let same = |name: &str| name.eq_ignore_ascii_case(wanted);
            same(&entry.node().name) || same(&entry.node().computer_name)
        },
    ];
    for test in tests {
        let mut found: Vec<&Entry> = entries().filter(|entry| test(entry)).collect();
        found.sort_by_key(|entry| entry.key().to_owned());
        // Two sources may reach the same node; either will do.
        found.dedup_by_key(|entry| entry.key().to_owned());
        match found.as_slice() {
            [] => {}
            [only] => return Ok(only),
            several => return Err(ambiguous(wanted, several)),
        }
    }
    if let Some(first) = listed.failures.first().filter(|_| listed.failures.len() == listed.listings) {
        return Err(first.clone());
    }
    listed.failures.iter().for_each(Failure::tell);
    let searched = entries().count();
    let message = format!("There is no node {wanted} among the {searched} nodes in scope.");
    let hint = if listed.failures.is_empty() {
        "Look with `fleetline nodes`, and widen the scope with --source and --region."
    } else {
        "Part of the scope could not be listed."
    };
    Err(Failure::from(CommandError::new(ErrorCode::NotFound, message)).with_hint(hint))
}

fn ambiguous(wanted: &str, several: &[&Entry]) -> Failure {
    let mut lines: Vec<String> = several
        .iter()
        .take(SHOWN)
        .map(|entry| {
            let node = entry.node();
            format!(
                "{}  {}  {}  {}",
                node.node_id,
                node.display_name(),
                node.source,
                node.account_region.region
            )
        })
        .collect();
    if several.len() > SHOWN {
        lines.push(format!("and {} more", several.len() - SHOWN));
    }
    Failure::from(CommandError {
        detail: Some(lines.join("\n")),
        hint: Some("Use the node id.".to_owned()),
        ..CommandError::new(ErrorCode::InvalidInput, format!("{} nodes are called {wanted}.", several.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_names() {
        for id in ["i-0123456789abcdef0", "mi-0123456789abcdef0", "i-01234567", "ecs:cluster_task_runtime"] {
            assert!(looks_like_id(id), "{id}");
        }
        for name in ["i-am-a-name", "web-1", "mi-", "0123456789abcdef0", ""] {
            assert!(!looks_like_id(name), "{name}");
        }
    }
}
