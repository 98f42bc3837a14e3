//! Saved views, favourites, recents, groups and exports of the application, kept over restarts.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod support;

use std::sync::Arc;

use fleetline_app::{
    AppHandle, Backend, BoxFuture, Launcher, Ports, Scope, SourceInfo, StartOptions, Store, start,
};
use fleetline_aws::AwsSources;
use fleetline_ipc::book::{BookChange, ColumnWidth, ExportForm, SavedView, TableLayout};
use fleetline_ipc::fleet::{FleetQuery, SortColumn};
use fleetline_ipc::system::StartChoice;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_simulator::{Simulator, SimulatorConfig};
use fleetline_store::{BookEdit, Paths};
use support::{FakeUi, rows};
use tempfile::TempDir;

/// Points every start at one simulator.
struct Lab {
    simulator: Simulator,
    sources: Arc<AwsSources>,
    home: TempDir,
    _files: TempDir,
}

struct Start(Arc<AwsSources>, Vec<Scope>);

impl Launcher for Start {
    fn sources(&self) -> Vec<SourceInfo> {
        Vec::new()
    }

    fn launch(&self, _: &StartChoice) -> BoxFuture<'_, Result<Backend, CommandError>> {
        let backend = Backend::of(self.0.clone(), self.1.clone());
        Box::pin(async { Ok(backend) })
    }
}

impl Lab {
    async fn new() -> Self {
        let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
        let files = TempDir::new().unwrap();
        let (config, credentials) = simulator.write_aws_config(files.path()).unwrap();
        let sources = Arc::new(AwsSources::from_files(config, Some(credentials)));
        Self { simulator, sources, home: TempDir::new().unwrap(), _files: files }
    }

    fn store(&self) -> Store {
        Store::open(Paths::below(self.home.path())).unwrap()
    }

    /// The application on the demo fleet, listed.
    async fn start(&self) -> (AppHandle, Arc<FakeUi>) {
        let scope = self.simulator.accounts().into_iter().flat_map(|account| {
            account.regions.into_iter().map(move |region| Scope { source: account.name.clone(), region })
        });
        let ui = FakeUi::new();
        let app = start(Ports {
            launcher: Arc::new(Start(self.sources.clone(), scope.collect())),
            store: self.store(),
            ui: ui.clone(),
            options: StartOptions { choice: Some(StartChoice::Demo), ..StartOptions::default() },
        });
        ui.until("listed", |seen| seen.fleet.total > 0 && !seen.fleet.refreshing).await;
        (app, ui)
    }
}

fn windows() -> SavedView {
    SavedView {
        name: "Windows prod".into(),
        query: FleetQuery {
            text: "tag:env=prod platform:windows".into(),
            sort: SortColumn::Agent,
            descending: true,
        },
        layout: TableLayout {
            columns: vec!["readiness".into(), "name".into(), "agent".into(), "ip".into()],
            widths: vec![ColumnWidth { column: "name".into(), px: 240 }],
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_favourites_and_groups_outlive_the_program() {
    let lab = Lab::new().await;
    let (app, ui) = lab.start().await;
    let keys: Vec<String> =
        rows(&app, "platform:windows").await.into_iter().take(2).map(|row| row.key).collect();
    let view = windows();
    let book = app.fleet_book(BookChange::SaveView { view: view.clone() }).await.unwrap();
    assert_eq!(book.views, std::slice::from_ref(&view));
    app.fleet_book(BookChange::Open { view: Some("windows PROD".into()) }).await.unwrap();
    app.fleet_book(BookChange::Favourite { nodes: keys.clone(), on: true }).await.unwrap();
    app.fleet_book(BookChange::AddGroup { name: "Core payments".into() }).await.unwrap();
    let member = BookChange::Member { group: "core payments".into(), nodes: keys[..1].to_vec(), on: true };
    let told = app.fleet_book(member).await.unwrap();
    assert_eq!(ui.seen().book, told, "the window is told what the command answers");
    let found = |found: Vec<fleetline_ipc::fleet::NodeRow>| {
        let mut keys: Vec<String> = found.into_iter().map(|row| row.key).collect();
        keys.sort();
        keys
    };
    let mut both = keys.clone();
    both.sort();
    assert_eq!(found(rows(&app, "is:favourite").await), both);
    assert_eq!(found(rows(&app, "group:\"core payments\"").await), keys[..1]);
    let detail = app.fleet_node(keys[0].clone()).await.unwrap();
    assert!(detail.row.favourite && detail.groups == ["Core payments"], "{detail:?}");
    app.app_quit().await.unwrap();

    let (app, _) = lab.start().await;
    let snapshot = app.app_snapshot().await.unwrap();
    assert_eq!(snapshot.book, told);
    assert_eq!(snapshot.book.open.as_deref(), Some("Windows prod"));
    assert_eq!(found(rows(&app, "is:favourite").await), both);
    app.app_quit().await.unwrap();
    lab.simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_changes_change_nothing_and_those_of_other_programs_are_seen() {
    let lab = Lab::new().await;
    let (app, ui) = lab.start().await;
    app.fleet_book(BookChange::SaveView { view: windows() }).await.unwrap();
    let wide =
        TableLayout { columns: Vec::new(), widths: vec![ColumnWidth { column: "name".into(), px: 9_999 }] };
    for (change, code) in [
        (BookChange::AddGroup { name: " ".into() }, ErrorCode::InvalidInput),
        (BookChange::RemoveView { name: "nobody".into() }, ErrorCode::NotFound),
        (BookChange::Layout { view: None, layout: wide }, ErrorCode::InvalidInput),
        (
            BookChange::SaveView { view: SavedView { name: "a\nb".into(), ..windows() } },
            ErrorCode::InvalidInput,
        ),
    ] {
        assert_eq!(app.fleet_book(change.clone()).await.unwrap_err().code, code, "{change:?}");
    }
    assert_eq!(app.app_snapshot().await.unwrap().book.views, [windows()]);
    lab.store().edit_fleet_book(&[BookEdit::AddGroup("from a terminal".into())]).unwrap();
    app.fleet_refresh().await.unwrap();
    let seen = ui.until("the group", |seen| seen.book.groups.len() == 1).await;
    assert_eq!(seen.book.views, [windows()]);
    app.app_quit().await.unwrap();
    lab.simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_used_stands_first_among_the_recent_ones() {
    let lab = Lab::new().await;
    lab.simulator.control().allow_everything();
    let (app, _) = lab.start().await;
    let ready = rows(&app, "platform:linux kind:ec2 state:ready").await;
    let ms = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    for node in &ready[..2] {
        app.shell_open(node.key.clone(), None, None).await.unwrap();
        // Uses are told apart by the millisecond.
        let then = ms();
        while ms() == then {
            tokio::task::yield_now().await;
        }
    }
    let query = FleetQuery { text: "is:recent".into(), sort: SortColumn::Used, descending: false };
    let view = app.fleet_view_open(query).await.unwrap();
    assert_eq!(view.matched, 2);
    let first = app.fleet_view_window(view.view, 0, 1).await.unwrap().rows.remove(0);
    assert!(first.used_ms.is_some());
    assert_eq!(first.key, ready[1].key);
    app.app_quit().await.unwrap();
    assert_eq!(lab.store().fleet_book().value.recents.len(), 2);
    lab.simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_view_shows_is_written_to_a_new_file_in_its_order() {
    let lab = Lab::new().await;
    let (app, ui) = lab.start().await;
    let view = app.fleet_view_open(windows().query).await.unwrap();
    let nowhere = app.fleet_export(view.view.clone(), ExportForm::Csv, None).await.unwrap_err();
    assert_eq!(nowhere.code, ErrorCode::Storage);
    ui.set_downloads(&lab.home.path().join("Downloads"));
    let csv = app.fleet_export(view.view.clone(), ExportForm::Csv, None).await.unwrap();
    let json = app.fleet_export(view.view.clone(), ExportForm::Json, None).await.unwrap();
    assert_eq!((csv.nodes, json.nodes), (view.matched, view.matched));
    let window = app.fleet_view_window(view.view.clone(), 0, 200).await.unwrap();
    let shown: Vec<&str> = window.rows.iter().map(|row| row.node_id.as_str()).collect();
    let ids_of = |path: &str| -> Vec<String> {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().skip(1).filter_map(|line| line.split(',').next()).map(str::to_owned).collect()
    };
    assert_eq!(ids_of(&csv.path), shown);
    // Chosen nodes are written in the order of the view; a key that is not in it adds nothing.
    let chosen = vec![window.rows[2].key.clone(), window.rows[0].key.clone(), "elsewhere".to_owned()];
    let some = app.fleet_export(view.view, ExportForm::Csv, Some(chosen)).await.unwrap();
    assert_eq!((some.nodes, ids_of(&some.path)), (2, vec![shown[0].to_owned(), shown[2].to_owned()]));
    let text = std::fs::read_to_string(&json.path).unwrap();
    let ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("{\"nodeId\":\"")).collect();
    assert_eq!(ids.len(), shown.len());
    assert!(ids.iter().zip(&shown).all(|(line, id)| line.starts_with(id)), "{ids:?}");
    assert_eq!(
        app.fleet_export("view-99".into(), ExportForm::Csv, None).await.unwrap_err().code,
        ErrorCode::NotFound
    );
    app.app_quit().await.unwrap();
    lab.simulator.shutdown().await;
}
