//! Shells recorded in the application, and their replay.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fleetline_app::{AppHandle, Backend, Paths, Ports, Scope, StartOptions, Store, Vault, secrets, start};
use fleetline_aws::AwsSources;
use fleetline_ipc::ErrorCode;
use fleetline_ipc::recording::RecordingRow;
use fleetline_ipc::replay::{ReplayControl, ReplayRow};
use fleetline_ipc::secrets::{SecretsChoice, SecretsKept};
use fleetline_ipc::session::TabKind;
use fleetline_ipc::settings::Settings;
use fleetline_ipc::system::StartChoice;
use fleetline_ipc::terminal::TerminalSize;
use fleetline_recording::Content;
use fleetline_simulator::{ShellChoice, Simulator, SimulatorConfig};
use support::{FakeUi, Ready, key, mirror_until, rows, type_line};
use tempfile::TempDir;

struct World {
    app: AppHandle,
    ui: Arc<FakeUi>,
    simulator: Simulator,
    home: TempDir,
}

/// The demo fleet, and secrets kept as the settings say.
async fn world(kept: SecretsKept, change: impl FnOnce(&mut Settings)) -> World {
    let bash = ShellChoice::Program {
        program: "/bin/bash".into(),
        args: ["--noprofile", "--norc", "-i"].map(str::to_owned).to_vec(),
    };
    let config = SimulatorConfig { shell: bash, demo_denials: false, ..SimulatorConfig::default() };
    let simulator = Simulator::start(config).await.unwrap();
    let home = TempDir::new().unwrap();
    let (config, credentials) = simulator.write_aws_config(&home.path().join("aws")).unwrap();
    let sources = Arc::new(AwsSources::from_files(config, Some(credentials)));
    let scope = simulator.accounts().into_iter().flat_map(|account| {
        account.regions.into_iter().map(move |region| Scope { source: account.name.clone(), region })
    });
    let backend = Backend { access: Some(sources.clone()), ..Backend::of(sources, scope.collect()) };
    let passphrase = home.path().join("passphrase");
    std::fs::write(&passphrase, "correct horse").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&passphrase, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let paths = Paths::below(&home.path().join("files"));
    let data = paths.data.clone();
    let store = Store::open(paths).unwrap();
    let vault = Vault::of_system(Some(&data), secrets::chooser(store.clone()));
    let choice = SecretsChoice { kept, passphrase_file: passphrase.display().to_string() };
    secrets::keep(&store, &vault, &choice).unwrap();
    let mut settings = store.load::<Settings>("settings").value;
    change(&mut settings);
    store.save("settings", &settings).unwrap();
    let ui = FakeUi::new();
    let app = start(Ports {
        launcher: Arc::new(Ready::with_vault(backend, vault)),
        store,
        ui: ui.clone(),
        options: StartOptions { choice: Some(StartChoice::Demo), ..StartOptions::default() },
    });
    ui.until("listed", |seen| seen.fleet.total > 0 && !seen.fleet.refreshing).await;
    World { app, ui, simulator, home }
}

impl World {
    async fn shell(&self) -> String {
        let nodes = rows(&self.app, "platform:linux kind:ec2 state:ready").await;
        let tab = self.app.shell_open(nodes[0].key.clone(), None, None).await.unwrap().id;
        self.ui.connected(&tab).await;
        tab
    }

    async fn line(&self, tab: &str, line: &str, wanted: &str) {
        type_line(&self.app, tab, line).await;
        mirror_until(&self.app, tab, wanted, |rows| rows.iter().any(|row| row.trim_end() == wanted)).await;
    }

    async fn recordings(&self) -> Vec<RecordingRow> {
        self.app.recordings_list().await.unwrap().rows
    }

    async fn replay(&self, tab: &str, wanted: impl Fn(&ReplayRow) -> bool) -> ReplayRow {
        let find = |seen: &support::Seen| {
            let row = seen.tabs.iter().find(|row| row.id == tab)?;
            row.replay.clone().filter(&wanted)
        };
        find(&self.ui.until("the replay", |seen| find(seen).is_some()).await).unwrap()
    }

    async fn end(self) {
        self.app.app_quit().await.unwrap();
        self.simulator.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_is_recorded_while_its_mark_is_on_and_replayed_in_a_tab() {
    let world = world(SecretsKept::Passphrase, |_| {}).await;
    let tab = world.shell().await;
    world.line(&tab, "echo be''fore", "before").await;
    world.app.tab_record(tab.clone(), true).await.unwrap();
    let session = world.ui.session(&tab, "the mark", |session| session.recording.is_some()).await;
    assert!(!session.recording.unwrap().input);
    world.line(&tab, "echo dur''ing", "during").await;
    world.app.tab_record(tab.clone(), false).await.unwrap();
    world.ui.session(&tab, "no mark", |session| session.recording.is_none()).await;
    world.line(&tab, "echo af''ter", "after").await;
    let listed = world.recordings().await;
    assert_eq!(listed.len(), 1);
    assert!(listed[0].readable && listed[0].session.is_some() && !listed[0].source.is_empty(), "{listed:?}");
    let id = listed[0].id.clone();
    let replay = world.app.recording_play(id.clone()).await.unwrap();
    assert_eq!((replay.kind, replay.session.is_none()), (TabKind::Replay, true));
    world.replay(&replay.id, |row| !row.playing && row.position_ms >= row.duration_ms).await;
    let screen = world.app.terminal_mirror(replay.id.clone()).await.unwrap().join("\n");
    assert!(screen.contains("during") && !screen.contains("before") && !screen.contains("after"), "{screen}");
    // Typing reaches nobody, and is no failure either.
    world.app.terminal_key(replay.id.clone(), key("x")).await.unwrap();
    world.app.replay_control(replay.id.clone(), ReplayControl::Seek { ms: 0.0 }).await.unwrap();
    world.replay(&replay.id, |row| row.position_ms == 0.0).await;
    let exported = world.app.recording_export(id.clone()).await.unwrap();
    assert!(exported.starts_with(&world.home.path().display().to_string()), "{exported}");
    assert!(std::fs::read_to_string(exported).unwrap().starts_with("{\"version\":3"));
    world.app.recording_delete(id).await.unwrap();
    assert!(world.recordings().await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_ends_with_its_session_and_by_its_size_and_says_so() {
    let world = world(SecretsKept::Passphrase, |settings| settings.recording_mib = 1).await;
    let tab = world.shell().await;
    world.app.tab_record(tab.clone(), true).await.unwrap();
    world.ui.session(&tab, "the mark", |session| session.recording.is_some()).await;
    type_line(&world.app, &tab, "yes 0123456789012345678901234567890123456789 | head -c 1500000; echo fi''n")
        .await;
    let seen =
        world.ui.until("told", |seen| seen.notices.iter().any(|n| n.id.starts_with("recording:"))).await;
    let notice = seen.notices.iter().find(|notice| notice.id.starts_with("recording:")).unwrap();
    assert!(notice.message.contains("largest size"), "{notice:?}");
    mirror_until(&world.app, &tab, "fin", |rows| rows.iter().any(|row| row.trim_end().ends_with("fin")))
        .await;
    world.app.tab_record(tab.clone(), true).await.unwrap();
    world.ui.session(&tab, "the mark", |session| session.recording.is_some()).await;
    type_line(&world.app, &tab, "exit").await;
    world.ui.session(&tab, "no mark", |session| session.recording.is_none()).await;
    let listed = world.recordings().await;
    assert_eq!(listed.len(), 2);
    let full = world.app.recording_play(listed[1].id.clone()).await.unwrap();
    let row = world.replay(&full.id, |_| true).await;
    assert!(row.note.unwrap().contains("largest size"));
    let ended = world.app.recording_play(listed[0].id.clone()).await.unwrap();
    assert_eq!(world.replay(&ended.id, |_| true).await.note, None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_secrets_end_with_the_program_recording_is_refused_with_what_to_do() {
    let world = world(SecretsKept::Memory, |_| {}).await;
    let tab = world.shell().await;
    let refused = world.app.tab_record(tab.clone(), true).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Storage);
    assert!(refused.message.starts_with("Recordings need a key that is kept."), "{refused:?}");
    assert!(refused.hint.is_some());
    assert!(world.recordings().await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_stream_answers_nothing_opens_nothing_and_leaves_no_clipboard() {
    const HOSTILE: &str = "a\x1b[6n\x1b[c\x1b[>c\x05\x1b]52;c;ZXZpbA==\x07\x1b]52;c;?\x07\x1b]11;?\x07\
        \x1b]8;;https://evil.example/\x1b\\b\x1b]8;;\x1b\\\x1b[?1000h\x1b[?1004h\x1b[21t\x1bP$qm\x1b\\\x1b]777;notify;x;y\x07c";
    let world = world(SecretsKept::Passphrase, |_| {}).await;
    world.ui.set_clipboard("untouched");
    let stream = [(Duration::ZERO, Bytes::from_static(HOSTILE.as_bytes()))];
    let tab = world.app.replay_open(Content::of_stream("log".to_owned(), stream)).await.unwrap();
    mirror_until(&world.app, &tab.id, "abc", |rows| rows.iter().any(|row| row.trim_end() == "abc")).await;
    // A stream without a size takes that of the view; the mouse and the focus it asked for are told to nobody.
    world.app.terminal_resize(tab.id.clone(), TerminalSize { cols: 100, rows: 30 }).await.unwrap();
    assert_eq!(world.app.terminal_mirror(tab.id.clone()).await.unwrap().len(), 30);
    world.app.terminal_focus(tab.id.clone(), true).await.unwrap();
    let seen = world.ui.seen();
    assert_eq!(world.ui.clipboard().as_deref(), Some("untouched"));
    assert!(seen.opened.is_empty() && seen.notified.is_empty());
    assert!(world.simulator.control().sessions().is_empty(), "there is no node it could reach");
    world.end().await;
}
