//! The application over the real AWS crate and the real simulator.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod support;

use std::sync::Arc;

use fleetline_app::tray::{Item, TrayAction};
use fleetline_app::{AppHandle, Backend, ControlPlanes, Ports, Scope, StartOptions, Store, start};
use fleetline_aws::AwsSources;
use fleetline_engine::ports::StartSession;
use fleetline_ipc::document::{
    DocumentEdit, DocumentLineChange, DocumentOwner, DocumentPlace, DocumentSave, DocumentSessionType,
};
use fleetline_ipc::fleet::{AccountRegionRow, ListingState, NodeRow, PingStatus, Readiness};
use fleetline_ipc::history::{HistoryKind, HistoryQuery, HistoryShow, HistorySort, HistoryStatus};
use fleetline_ipc::ladder::StepState;
use fleetline_ipc::session::SessionState;
use fleetline_ipc::system::{AppMode, StartChoice};
use fleetline_ipc::terminal::{PasteOutcome, SearchRequest, SelectionInput, TerminalSize};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_simulator::{
    CallRate, Control, DenyReason, DenyRule, SessionStatus, ShellChoice, Simulator, SimulatorConfig, Tier,
};
use support::{FakeUi, PATIENCE, Ready, Seen, frames, key, mirror_until, rows, type_line};
use tempfile::TempDir;
use tokio::time::timeout;

struct World {
    app: AppHandle,
    ui: Arc<FakeUi>,
    control: Control,
    simulator: Simulator,
    sources: Arc<AwsSources>,
    _files: TempDir,
}

/// The demo fleet, listed.
async fn world(change: impl FnOnce(&mut SimulatorConfig)) -> World {
    let bash = ShellChoice::Program {
        program: "/bin/bash".into(),
        args: ["--noprofile", "--norc", "-i"].map(str::to_owned).to_vec(),
    };
    let mut config = SimulatorConfig { shell: bash, ..SimulatorConfig::default() };
    change(&mut config);
    let simulator = Simulator::start(config).await.unwrap();
    let files = TempDir::new().unwrap();
    let (config, credentials) = simulator.write_aws_config(files.path()).unwrap();
    let sources = Arc::new(AwsSources::from_files(config, Some(credentials)));
    let scope = simulator.accounts().into_iter().flat_map(|account| {
        account.regions.into_iter().map(move |region| Scope { source: account.name.clone(), region })
    });
    let kept = Arc::clone(&sources);
    let backend = Backend { access: Some(sources.clone()), ..Backend::of(sources, scope.collect()) };
    let ui = FakeUi::new();
    let app = start(Ports {
        launcher: Arc::new(Ready::new(backend)),
        store: Store::in_memory(),
        ui: ui.clone(),
        options: StartOptions { choice: Some(StartChoice::Demo), ..StartOptions::default() },
    });
    let control = simulator.control();
    ui.until("listed", |seen| seen.fleet.total > 0 && !seen.fleet.refreshing).await;
    World { app, ui, control, simulator, sources: kept, _files: files }
}

impl World {
    async fn end(self) {
        self.app.app_quit().await.unwrap();
        // No session is left behind; the simulator ends one a moment after TerminateSession answered.
        let ended = self.control.wait_for(|sessions| sessions.iter().all(|session| session.end_ms.is_some()));
        timeout(PATIENCE, ended).await.expect("every session ends").unwrap();
        self.simulator.shutdown().await;
    }

    /// A Linux node on EC2 that takes sessions.
    async fn ready_node(&self) -> NodeRow {
        let nodes = rows(&self.app, "platform:linux kind:ec2 state:ready").await;
        nodes.into_iter().next().expect("the demo has ready nodes")
    }

    async fn shell(&self) -> (NodeRow, String) {
        self.control.allow_everything();
        let node = self.ready_node().await;
        let tab = self.app.shell_open(node.key.clone(), None, None).await.unwrap();
        assert!(matches!(tab.session.as_ref().unwrap().state, SessionState::Connecting { .. }));
        (node, tab.id)
    }

    /// Opens a shell that is expected to fail and returns why.
    async fn failure(&self, node: &NodeRow) -> CommandError {
        let tab = self.app.shell_open(node.key.clone(), None, None).await.unwrap().id;
        let failed = |state: &SessionState| matches!(state, SessionState::Failed { .. });
        let session = self.ui.session(&tab, "failed", |session| failed(&session.state)).await;
        match session.state {
            SessionState::Failed { problem } => problem,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_fleet_is_listed_with_what_was_denied_named() {
    let world = world(|_| {}).await;
    let fleet = world.ui.seen().fleet;
    let denied: Vec<_> =
        fleet.account_regions.iter().filter(|row| row.state == ListingState::Denied).collect();
    assert_eq!(denied.len(), 1, "{:#?}", fleet.account_regions);
    let problem = denied[0].problem.as_ref().expect("a denial says why");
    assert_eq!(problem.code, ErrorCode::AccessDenied);
    assert!(problem.message.contains("organization policy (SCP)"), "{}", problem.message);
    assert!(
        fleet.account_regions.iter().all(|row| row.state == ListingState::Denied || row.problem.is_none())
    );

    assert_eq!(fleet.total, 1284);

    world.control.allow_everything();
    world.app.fleet_refresh().await.unwrap();
    let all_loaded = |seen: &Seen| {
        let rows = &seen.fleet.account_regions;
        !seen.fleet.refreshing
            && rows.iter().all(|row| row.state == ListingState::Loaded && row.problem.is_none())
    };
    let seen = world.ui.until("all listed", all_loaded).await;
    assert_eq!(seen.fleet.total, 1284);
    let mode = world.app.app_snapshot().await.unwrap();
    assert_eq!((mode.mode, mode.fleet.total), (AppMode::Demo, seen.fleet.total));
    assert!(!mode.identities.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_shows_exactly_the_nodes_that_match() {
    let world = world(|config| config.demo_denials = false).await;
    let mut expected: Vec<String> = Vec::new();
    for account in world.simulator.accounts() {
        for region in &account.regions {
            let nodes = world.control.nodes(&account.name, region).into_iter();
            expected.extend(nodes.filter(|n| n.platform == "Windows" && n.online).map(|n| n.id));
        }
    }
    let shown = rows(&world.app, "platform:windows -ping:lost").await;
    assert!(shown.iter().all(|row| row.ping == PingStatus::Online));
    let mut shown: Vec<String> = shown.into_iter().map(|row| row.node_id).collect();
    shown.sort();
    expected.sort();
    assert!(!expected.is_empty());
    assert_eq!(shown, expected);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_runs_commands_and_closing_its_tab_terminates_it() {
    let world = world(|_| {}).await;
    let (node, tab) = world.shell().await;
    let session = world.ui.connected(&tab).await;
    type_line(&world.app, &tab, "echo is-$((6*7))").await;
    mirror_until(&world.app, &tab, "the answer", |rows| rows.iter().any(|row| row == "is-42")).await;

    let id = session.session_id.expect("a session id");
    assert_eq!(world.control.session(&id).unwrap().target, node.node_id);
    let detail = world.app.fleet_node(node.key.clone()).await.unwrap();
    assert_eq!(detail.sessions.iter().map(|s| s.tab.as_str()).collect::<Vec<_>>(), [tab.as_str()]);
    assert_eq!(detail.ladder.iter().map(|step| step.state).collect::<Vec<_>>(), [StepState::Passed; 5]);
    let leads_there =
        |item: &Item| matches!(item, Item::Action { action: TrayAction::OpenTab(t), .. } if *t == tab);
    world.ui.until("in the tray", |seen| seen.tray.items.iter().any(leads_there)).await;

    world.app.tab_close(tab.clone()).await.unwrap();
    let ended = |sessions: &[fleetline_simulator::SessionView]| {
        sessions.iter().any(|s| s.session_id == id && s.status == SessionStatus::Terminated)
    };
    world.control.wait_for(ended).await.unwrap();
    assert_eq!(world.app.terminal_mirror(tab).await.unwrap_err().code, ErrorCode::NotFound);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_socket_is_resumed_with_nothing_lost() {
    let world = world(|_| {}).await;
    let (_, tab) = world.shell().await;
    let id = world.ui.connected(&tab).await.session_id.unwrap();
    type_line(&world.app, &tab, "PS1=; stty -echo; printf ready-%d 1").await;
    mirror_until(&world.app, &tab, "ready", |rows| rows.iter().any(|row| row.ends_with("ready-1"))).await;
    type_line(&world.app, &tab, "clear; for i in $(seq 1 200); do echo line-$i; sleep 0.01; done").await;
    mirror_until(&world.app, &tab, "some output", |rows| rows.iter().any(|row| row == "line-5")).await;

    world.control.cut_client_socket(&id).await.unwrap();
    let reconnecting = |state: &SessionState| matches!(state, SessionState::Reconnecting { .. });
    world.ui.session(&tab, "reconnecting", |session| reconnecting(&session.state)).await;
    let resumed = |session: &fleetline_ipc::session::SessionRow| {
        session.state == SessionState::Connected && session.resumed_after_ms.is_some()
    };
    let session = world.ui.session(&tab, "resumed", resumed).await;
    assert_eq!(session.session_id.as_deref(), Some(id.as_str()));
    mirror_until(&world.app, &tab, "the end", |rows| rows.iter().any(|row| row == "line-200")).await;
    world.app.terminal_select(tab.clone(), SelectionInput::All).await.unwrap();
    let text = world.app.terminal_copy(tab.clone()).await.unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("line-")).collect();
    assert_eq!(lines, (1..=200).map(|n| format!("line-{n}")).collect::<Vec<_>>());
    assert_eq!(world.ui.clipboard().as_deref(), Some(text.as_str()));
    assert_eq!(world.control.session(&id).unwrap().client_sockets, 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ended_elsewhere_says_so_and_can_be_started_anew() {
    let world = world(|_| {}).await;
    let (_, tab) = world.shell().await;
    let id = world.ui.connected(&tab).await.session_id.unwrap();
    world.control.terminate(&id, "Session terminated due to inactivity.").await.unwrap();
    let ended = |state: &SessionState| matches!(state, SessionState::Ended { .. });
    let session = world.ui.session(&tab, "ended", |session| ended(&session.state)).await;
    let SessionState::Ended { cause, normal, .. } = session.state else { panic!("ended") };
    assert!(cause.contains("idle"), "{cause}");
    assert!(!normal);
    let refused = world.app.terminal_key(tab.clone(), key("a")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::SessionEnded);
    assert_eq!(world.app.session_retry(tab.clone()).await, Ok(()), "nothing to retry is no error");

    world.app.tab_restart(tab.clone()).await.unwrap();
    let session = world.ui.connected(&tab).await;
    assert_ne!(session.session_id.as_deref(), Some(id.as_str()));
    assert_eq!(world.app.tab_restart(tab.clone()).await.unwrap_err().code, ErrorCode::InvalidInput);
    type_line(&world.app, &tab, "echo again-$((1+1))").await;
    mirror_until(&world.app, &tab, "the new shell", |rows| rows.iter().any(|row| row == "again-2")).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_a_session_has_its_code_and_leaves_nothing_behind() {
    let world = world(|config| config.demo_denials = false).await;
    let blocked = rows(&world.app, "state:blocked").await;
    let problem = world.failure(blocked.first().expect("a standard-tier node")).await;
    assert_eq!(problem.code, ErrorCode::TierRequired);
    assert!(problem.message.starts_with(&blocked[0].name), "{}", problem.message);

    let lost = rows(&world.app, "state:lost kind:ec2").await;
    assert_eq!(world.failure(lost.first().expect("a lost node")).await.code, ErrorCode::TargetNotConnected);

    let node = world.ready_node().await;
    world.control.set_credentials_expired(&node.account_name, true).unwrap();
    assert_eq!(world.failure(&node).await.code, ErrorCode::CredentialsExpired);
    world.control.set_credentials_expired(&node.account_name, false).unwrap();

    let unknown = world.app.shell_open("1/eu-central-1/i-0".into(), None, None).await.unwrap_err();
    assert_eq!(unknown.code, ErrorCode::NotFound);
    let bad = world.app.shell_open(node.key.clone(), Some("no good".into()), None).await.unwrap_err();
    assert_eq!(bad.code, ErrorCode::InvalidInput);
    let tab = world.app.shell_open(node.key.clone(), Some("No-Such-Document".into()), None).await.unwrap().id;
    let failed = |session: &fleetline_ipc::session::SessionRow| matches!(&session.state, SessionState::Failed { problem } if problem.code == ErrorCode::InvalidDocument);
    world.ui.session(&tab, "failed", failed).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_session_is_explained_and_stops_the_ladder() {
    let world = world(|_| {}).await;
    let denied = rows(&world.app, "id:i-0c4e8f7a21b93d506").await.remove(0);
    let problem = world.failure(&denied).await;
    assert_eq!(problem.code, ErrorCode::AccessDenied);
    assert!(
        problem.message.contains("may not call ssm:StartSession on i-0c4e8f7a21b93d506"),
        "{}",
        problem.message
    );
    assert!(problem.message.ends_with("because no identity policy allows it."), "{}", problem.message);
    let ladder = world.app.fleet_node(denied.key).await.unwrap().ladder;
    assert_eq!((ladder[3].state, ladder[4].state), (StepState::Stopped, StepState::NotReached));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_frame_is_on_its_way_until_it_was_painted() {
    let world = world(|_| {}).await;
    let (_, tab) = world.shell().await;
    world.ui.connected(&tab).await;
    let (sink, mut window) = frames();
    world.app.terminal_attach(tab.clone(), sink).await.unwrap();
    let (first, full) = window.next().await;
    assert!(full, "the first frame after attaching is a full one");
    type_line(&world.app, &tab, "echo painted-$((2+3))").await;
    let (sink, mut other) = frames();
    assert!(window.none_waiting(), "no second frame without credit");
    world.app.terminal_ack(tab.clone(), first).await.unwrap();
    let (second, full) = window.next().await;
    assert!(!full && second != first);
    world.app.terminal_attach(tab.clone(), sink).await.unwrap();
    let (_, full) = other.next().await;
    assert!(full, "a window that was reloaded has nothing");
    world.app.terminal_ack(tab.clone(), second).await.unwrap();
    assert!(window.none_waiting(), "the earlier window gets nothing any more");
    drop(other);
    mirror_until(&world.app, &tab, "the echo", |rows| rows.iter().any(|row| row == "painted-5")).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_learns_the_terminal_size() {
    let world = world(|_| {}).await;
    let (_, tab) = world.shell().await;
    world.ui.connected(&tab).await;
    world.app.terminal_resize(tab.clone(), TerminalSize { cols: 101, rows: 33 }).await.unwrap();
    for wrong in [
        TerminalSize { cols: 1, rows: 24 },
        TerminalSize { cols: 80, rows: 0 },
        TerminalSize { cols: 1001, rows: 1 },
    ] {
        let refused = world.app.terminal_resize(tab.clone(), wrong).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidInput);
    }
    // The shell hears of it by SIGWINCH, whenever that is.
    type_line(
        &world.app,
        &tab,
        "until [ \"$(stty size)\" = '33 101' ]; do read -t 0.1; done; echo size-$((1+1))",
    )
    .await;
    mirror_until(&world.app, &tab, "the size", |rows| {
        rows.len() == 33 && rows.iter().any(|row| row == "size-2")
    })
    .await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pastes_are_reviewed_search_finds_and_hidden_output_is_marked() {
    let world = world(|_| {}).await;
    let (_, tab) = world.shell().await;
    world.ui.connected(&tab).await;
    type_line(&world.app, &tab, "bind 'set enable-bracketed-paste off' 2>/dev/null; cat; echo done-$((3*3))")
        .await;
    mirror_until(&world.app, &tab, "cat", |rows| rows.iter().any(|row| row.contains("cat;"))).await;
    world.ui.set_clipboard("first\nsecond");
    let asked = world.app.terminal_paste_clipboard(tab.clone(), false).await.unwrap();
    let PasteOutcome::NeedsConfirmation { lines, .. } = asked else { panic!("{asked:?}") };
    assert_eq!(lines, 2);
    assert_eq!(world.app.terminal_paste_clipboard(tab.clone(), true).await.unwrap(), PasteOutcome::Sent);
    mirror_until(&world.app, &tab, "the paste", |rows| rows.iter().any(|row| row == "first")).await;
    let too_long = "x".repeat((1 << 20) + 1);
    assert_eq!(
        world.app.terminal_paste(tab.clone(), too_long, true).await.unwrap_err().code,
        ErrorCode::InvalidInput
    );
    let request = SearchRequest { text: "first".into(), ..SearchRequest::default() };
    assert!(world.app.terminal_search(tab.clone(), request).await.unwrap().total >= 1);
    world.ui.take_clipboard_away();
    let refused = world.app.terminal_paste_clipboard(tab.clone(), false).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unsupported);

    world.app.tab_activate("fleet".into()).await.unwrap();
    let interrupt = fleetline_ipc::terminal::Modifiers { ctrl: true, ..Default::default() };
    let ctrl_c = fleetline_ipc::terminal::KeyPress { modifiers: interrupt, code: "KeyC".into(), ..key("c") };
    assert!(world.app.terminal_key(tab.clone(), ctrl_c).await.unwrap());
    let unseen = |seen: &Seen| seen.tabs.iter().any(|row| row.id == tab && row.unseen);
    world.ui.until("the tab is marked", unseen).await;
    world.app.tab_activate(tab.clone()).await.unwrap();
    assert!(!unseen(&world.ui.seen()));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quitting_asks_while_sessions_live_and_terminates_them() {
    let world = world(|_| {}).await;
    let (node, tab) = world.shell().await;
    let id = world.ui.connected(&tab).await.session_id.unwrap();
    assert_eq!(world.app.app_leave().await.unwrap_err().code, ErrorCode::InvalidInput);
    assert_eq!(world.app.app_start(StartChoice::Demo).await.unwrap_err().code, ErrorCode::InvalidInput);
    world.app.close_requested().await;
    let seen = world.ui.until("asked", |seen| seen.quit_requested.is_some()).await;
    assert_eq!(seen.quit_requested.unwrap().shells, [node.name]);
    assert!(!seen.exited);
    world.app.app_hide().await.unwrap();
    world.app.tray_chosen(TrayAction::OpenTab(tab.clone())).await;
    world.ui.until("shown", |seen| seen.hidden == 1 && seen.shown >= 2 && seen.active == tab).await;

    world.app.app_quit().await.unwrap();
    assert!(world.ui.seen().exited);
    let status = world.control.session(&id).unwrap().status;
    assert!(matches!(status, SessionStatus::Terminating | SessionStatus::Terminated), "{status:?}");
    assert_eq!(world.app.app_snapshot().await.unwrap_err().code, ErrorCode::Cancelled);
    world.simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_change_is_seen_with_the_next_refresh() {
    let world = world(|config| config.demo_denials = false).await;
    let blocked = rows(&world.app, "state:blocked").await;
    let row = blocked.first().expect("a standard-tier node").clone();
    world.control.set_tier(&row.account_name, &row.region, Tier::Advanced).unwrap();
    // What is seen is the latest state only, so a quick refresh shows in nothing but its time.
    let listed = |seen: &Seen| {
        let of_row = |r: &&AccountRegionRow| r.account_name == row.account_name && r.region == row.region;
        seen.fleet.account_regions.iter().find(of_row).and_then(|r| r.updated_ms)
    };
    let before = listed(&world.ui.seen());
    world.app.fleet_refresh().await.unwrap();
    world.ui.until("refreshed", |seen| !seen.fleet.refreshing && listed(seen) > before).await;
    let after = world.app.fleet_node(row.key).await.unwrap().row;
    assert_ne!(after.readiness, Readiness::Blocked);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_made_edited_and_saved_on_top_of_what_was_read_only() {
    let world = world(|config| config.demo_denials = false).await;
    let place = || DocumentPlace { source: "payments-prod".into(), region: "eu-central-1".into() };
    let listed = world.app.documents_list(place()).await.unwrap();
    let of = |owner| listed.iter().filter(|row| row.owner == owner).count();
    assert_eq!((of(DocumentOwner::Mine), of(DocumentOwner::Shared), of(DocumentOwner::Aws)), (3, 2, 7));
    let names = listed.iter().filter(|row| row.session_type.is_none()).map(|row| row.name.clone()).collect();
    let types = world.app.documents_types(place(), names).await.unwrap();
    assert!(types.len() == 5 && types.iter().all(|row| row.session_type.is_some()), "{types:?}");

    let begun = world.app.document_template(DocumentSessionType::InteractiveCommands).await.unwrap();
    let set = |path: &str, value: &str| DocumentEdit::Text { path: path.into(), value: value.into() };
    let save = |text: &str, base_hash: Option<&str>, make_default| DocumentSave {
        name: "Corp-App".into(),
        text: text.into(),
        base_hash: base_hash.map(str::to_owned),
        make_default,
    };
    let refused = world.app.document_save(place(), save(&begun.text, None, false)).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidInput, "a command is missing");
    let one = world.app.document_edit(begun.text, set("properties.linux.commands", "id")).await.unwrap();
    let saved = world.app.document_save(place(), save(&one.text, None, false)).await.unwrap();
    assert_eq!((saved.version.as_str(), saved.is_new), ("1", true));

    let open = world.app.document_open(place(), "Corp-App".into(), None).await.unwrap();
    let two = world.app.document_edit(open.reading.text, set("description", "two")).await.unwrap();
    let base = open.latest_hash;
    let saved = world.app.document_save(place(), save(&two.text, Some(&base), true)).await.unwrap();
    assert_eq!((saved.version.as_str(), saved.default_version.as_str()), ("2", "2"));
    // What another one began with is gone.
    let lost = world.app.document_save(place(), save(&one.text, Some(&base), true)).await.unwrap_err();
    assert_eq!(lost.code, ErrorCode::Conflict);
    assert!(lost.message.contains("Somebody saved version 2 of Corp-App"), "{}", lost.message);
    let lines = world.app.document_compare(one.text, two.text).await.unwrap();
    assert!(lines.iter().any(|line| line.change == DocumentLineChange::Added && line.text.contains("two")));
    world.app.document_set_default(place(), "Corp-App".into(), "1".into()).await.unwrap();
    world.app.document_delete(place(), "Corp-App".into(), Some("2".into())).await.unwrap();
    world.app.document_delete(place(), "Corp-App".into(), None).await.unwrap();
    let gone = world.app.document_open(place(), "Corp-App".into(), None).await.unwrap_err();
    assert_eq!(gone.code, ErrorCode::InvalidDocument);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_finds_our_session_pages_through_thousands_and_ends_what_is_chosen() {
    let world = world(|config| {
        config.demo_denials = false;
        config.past_sessions = 5_000;
    })
    .await;
    let (node, tab) = world.shell().await;
    let session = world.ui.connected(&tab).await;
    let id = session.session_id.unwrap();
    world.app.history_watch(true).await.unwrap();
    world
        .ui
        .until("sessions are listed", |seen| {
            seen.history.as_ref().is_some_and(|summary| summary.loading == 0 && summary.updated_ms.is_some())
        })
        .await;
    let query = |text: &str, show| HistoryQuery {
        text: text.into(),
        show,
        hours: None,
        sort: HistorySort::Start,
        descending: true,
    };
    let all = world.app.history_window(query("", HistoryShow::All), 0, 200).await.unwrap();
    assert!(
        all.active == 1 && all.ended > 4_000 && all.rows.len() == 200,
        "{} and {}",
        all.active,
        all.ended
    );
    let ours = &all.rows[0];
    assert_eq!((&ours.session_id, ours.tab.as_deref(), ours.mine), (&id, Some(tab.as_str()), true));
    assert_eq!((ours.node_name.as_str(), ours.status), (node.name.as_str(), HistoryStatus::Connected));
    let mut seen = std::collections::HashSet::new();
    for offset in (0..all.matched).step_by(200) {
        let page = world.app.history_window(query("", HistoryShow::All), offset, 200).await.unwrap();
        seen.extend(page.rows.into_iter().map(|row| row.key));
    }
    assert_eq!(seen.len(), all.matched as usize, "every session has its place on one page");
    let weber = world
        .app
        .history_window(query("owner:j.weber -kind:shell", HistoryShow::Ended), 0, 200)
        .await
        .unwrap();
    assert!(!weber.rows.is_empty() && weber.rows.iter().all(|row| row.owner == "j.weber"));
    assert!(weber.rows.iter().filter(|row| row.kind == HistoryKind::Forward).all(|row| row.never_logged));

    let keys = world.app.history_of_owner(ours.owner_arn.clone()).await.unwrap();
    assert_eq!(keys, std::slice::from_ref(&ours.key));
    let ended = world.app.history_end(keys).await.unwrap();
    assert!(ended.iter().all(|one| one.problem.is_none()), "{ended:?}");
    world.ui.session(&tab, "ended", |session| matches!(session.state, SessionState::Ended { .. })).await;
    let after = world.app.history_window(query("", HistoryShow::Active), 0, 10).await.unwrap();
    assert_eq!((after.active, after.rows.len()), (0, 0));
    world.end().await;
}

/// Everything AWS has of the past, without an order of one's own.
fn past(text: &str) -> HistoryQuery {
    HistoryQuery {
        text: text.into(),
        show: HistoryShow::Ended,
        hours: None,
        sort: HistorySort::Start,
        descending: true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_sessions_are_listed_while_others_are_served_and_come_in_pages_and_filters() {
    let world = world(|config| {
        config.demo_denials = false;
        config.past_sessions = 50_000;
    })
    .await;
    let summary = world.app.history_watch(true).await.unwrap();
    assert!(summary.places >= 12 && summary.loading > 0, "{summary:?}");
    // While the pages come, everybody else is answered: a filter over all nodes, and windows of what is there so far.
    let mut seen_loading = 0;
    loop {
        let nodes = rows(&world.app, "platform:linux").await;
        assert!(!nodes.is_empty());
        let window = world.app.history_window(past(""), 0, 200).await.unwrap();
        assert!(window.rows.len() <= 200);
        let loading = world.ui.until("a summary", |seen| seen.history.is_some()).await;
        let summary = loading.history.unwrap();
        if summary.loading == 0 && summary.updated_ms.is_some() {
            break;
        }
        seen_loading += 1;
    }
    assert!(seen_loading > 0, "something was served meanwhile");
    let all = world.app.history_window(past(""), 0, 1).await.unwrap().matched;
    assert!((45_000..50_000).contains(&all), "those older than 30 days are gone: {all}");
    let mut keys = std::collections::HashSet::new();
    for offset in (0..all).step_by(200) {
        let page = world.app.history_window(past(""), offset, 200).await.unwrap();
        keys.extend(page.rows.into_iter().map(|row| row.key));
    }
    assert_eq!(keys.len(), all as usize, "every session has its place on one page");
    let count = async |text: &str| world.app.history_window(past(text), 0, 1).await.unwrap().matched;
    let (weber, others) = (count("owner:j.weber").await, count("-owner:j.weber").await);
    assert!(weber > 0 && weber + others == all, "{weber} and {others} of {all}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_sessions_ended_at_once_keep_to_the_quota_and_each_is_reported() {
    let world = world(|config| {
        config.demo_denials = false;
        config.enforce_quotas = true;
        // Only what ends them is under its real quota here.
        let free =
            |operation: &str| CallRate { operation: operation.into(), per_second: 1_000.0, burst: 1_000.0 };
        config.rates =
            ["StartSession", "DescribeSessions", "DescribeInstanceProperties", "DescribeInstances"]
                .map(free)
                .to_vec();
    })
    .await;
    let node = world.ready_node().await;
    let (account, region) = (node.account_name.clone(), node.region.clone());
    let plane = world.sources.control_plane(&account, &region).unwrap();
    let mut ids = std::collections::HashSet::new();
    for _ in 0..20 {
        let request = StartSession { target: node.node_id.clone(), ..StartSession::default() };
        ids.insert(plane.start_session(request).await.unwrap().session_id.as_str().to_owned());
    }
    world.app.history_watch(true).await.unwrap();
    world
        .ui
        .until("sessions are listed", |seen| {
            seen.history.as_ref().is_some_and(|summary| summary.loading == 0 && summary.updated_ms.is_some())
        })
        .await;
    let query = HistoryQuery { show: HistoryShow::Active, ..past("") };
    let rows = world.app.history_window(query, 0, 200).await.unwrap().rows;
    assert_eq!(rows.len(), 20);
    let denied = &rows[7];
    world.control.deny(DenyRule {
        action: "ssm:TerminateSession".into(),
        resource: format!("*:session/{}", denied.session_id),
        reason: DenyReason::NoIdentityPolicy,
    });
    let keys: Vec<String> = rows.iter().map(|row| row.key.clone()).collect();
    let ended = world.app.history_end(keys.clone()).await.unwrap();
    assert_eq!(
        ended.iter().map(|one| one.key.clone()).collect::<Vec<_>>(),
        keys,
        "each is reported, in order"
    );
    for one in &ended {
        let code = one.problem.as_ref().map(|problem| problem.code);
        let expected = (one.key == denied.key).then_some(ErrorCode::AccessDenied);
        assert_eq!(code, expected, "{one:?}");
    }
    // A call that AWS throttles is made again and counted again. Without a pace fourteen of twenty would be; on a busy
    // machine the way to the service may push one or two together.
    let calls = world.control.calls()["TerminateSession"];
    assert!((20..25).contains(&calls), "{calls} calls: not faster than AWS allows");
    world.control.allow_everything();
    world.control.terminate(&denied.session_id, "").await.unwrap();
    world.end().await;
}
