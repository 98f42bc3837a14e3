//! The application over sources that do exactly what a test says.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod support;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use fleetline_app::{
    ApiError, ApiErrorKind, AppHandle, Backend, BoxFuture, ControlPlane, ControlPlanes, Launcher,
    NodeListing, Ports, SourceInfo, Sources, StartOptions, Store, start,
};
use fleetline_documents::{DocumentCalls, DocumentSources};
use fleetline_history::{HistorySources, RecordCalls, RecordSources, SessionCalls};
use fleetline_inventory::hybrid::{HybridCalls, HybridSources};
use fleetline_inventory::node::{
    AccountRegion, InstanceTier, ManagedNode, NodeKind, PingStatus, PlatformFamily,
};
use fleetline_inventory::ports::{CallerIdentity, NodePage};
use fleetline_inventory::probe::{NodeProbe, NodeProbes};
use fleetline_inventory::{NodeFacts, SmolStr};
use fleetline_ipc::event::Change;
use fleetline_ipc::fleet::{FleetQuery, ListingState, SortColumn};
use fleetline_ipc::settings::{Settings, Theme};
use fleetline_ipc::system::{AppMode, StartChoice};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::Paths;
use support::{FakeUi, rows};
use tempfile::TempDir;
use tokio::sync::Semaphore;

fn node(source: &str, region: &str, id: &str) -> ManagedNode {
    ManagedNode {
        account_region: AccountRegion { account_id: "111122223333".into(), region: region.into() }.into(),
        source: source.into(),
        node_id: id.into(),
        name: format!("name-{id}").into(),
        computer_name: "".into(),
        kind: if id.starts_with("mi-") { NodeKind::OnPrem } else { NodeKind::Ec2 },
        platform: PlatformFamily::Linux,
        platform_name: "Ubuntu".into(),
        platform_version: "24.04".into(),
        ip: "".into(),
        public_ip: "".into(),
        agent_version: "3.3.2746.0".into(),
        ping: PingStatus::Online,
        last_ping_ms: None,
        registered_ms: None,
        instance_state: "".into(),
        instance_type: "".into(),
        availability_zone: "".into(),
        vpc_id: "".into(),
        iam_role: "".into(),
        tags: Vec::new(),
    }
}

fn refused(operation: &'static str, kind: ApiErrorKind) -> ApiError {
    ApiError {
        operation,
        kind,
        code: Some("Refused".into()),
        message: "no".into(),
        request_id: None,
        never_sent: false,
    }
}

/// What a listing answers.
#[derive(Clone)]
struct Script {
    identity: Result<(), ApiErrorKind>,
    /// The pages, each with node ids, or how the page fails.
    pages: Vec<Result<Vec<&'static str>, ApiErrorKind>>,
    tier: Result<InstanceTier, ApiErrorKind>,
    facts: Result<(), ApiErrorKind>,
    tags: Result<(), ApiErrorKind>,
    /// Ids whose tags were asked for.
    asked: Arc<Mutex<Vec<String>>>,
    /// One permit lets one page through.
    gate: Arc<Semaphore>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            identity: Ok(()),
            pages: vec![Ok(vec!["i-1"])],
            tier: Ok(InstanceTier::Advanced),
            facts: Ok(()),
            tags: Ok(()),
            asked: Arc::default(),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }
}

struct Listing {
    source: String,
    region: String,
    script: Script,
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listing({}/{})", self.source, self.region)
    }
}

type Port<'a, T> = fleetline_inventory::ports::BoxFuture<'a, Result<T, ApiError>>;

impl NodeListing<ApiError> for Listing {
    fn identity(&self) -> Port<'_, CallerIdentity> {
        let identity = CallerIdentity {
            account_id: "111122223333".into(),
            arn: "arn:aws:sts::111122223333:assumed-role/Operator/ada".into(),
            user_id: "AROA:ada".into(),
            expires_ms: None,
        };
        let answer =
            self.script.identity.map(|()| identity).map_err(|kind| refused("GetCallerIdentity", kind));
        Box::pin(async { answer })
    }

    fn page(&self, next: Option<String>) -> Port<'_, NodePage> {
        Box::pin(async move {
            self.script.gate.acquire().await.expect("open").forget();
            let at: usize = next.map_or(0, |next| next.parse().expect("our token"));
            let ids =
                self.script.pages[at].clone().map_err(|kind| refused("DescribeInstanceProperties", kind))?;
            let nodes = ids.into_iter().map(|id| node(&self.source, &self.region, id)).collect();
            Ok(NodePage { nodes, next: (at + 1 < self.script.pages.len()).then(|| (at + 1).to_string()) })
        })
    }

    fn facts(&self, node_ids: Vec<SmolStr>) -> Port<'_, Vec<NodeFacts>> {
        let tags = vec![("env".into(), "prod".into())];
        let told = |node_id| NodeFacts { node_id, tags: tags.clone(), ..NodeFacts::default() };
        let facts = node_ids.into_iter().map(told).collect();
        let answer = self.script.facts.map(|()| facts).map_err(|kind| refused("DescribeInstances", kind));
        Box::pin(async { answer })
    }

    fn tags(&self, node_id: String) -> Port<'_, Vec<(String, String)>> {
        self.script.asked.lock().unwrap().push(node_id);
        let tags = vec![("site".into(), "lej".into())];
        let answer = self.script.tags.map(|()| tags).map_err(|kind| refused("ListTagsForResource", kind));
        Box::pin(async { answer })
    }

    fn tier(&self) -> Port<'_, InstanceTier> {
        let answer = self.script.tier.map_err(|kind| refused("GetServiceSetting", kind));
        Box::pin(async { answer })
    }
}

/// Scripts by source and Region, changeable while the application runs.
#[derive(Clone, Default)]
struct World(Arc<Mutex<HashMap<(String, String), Script>>>);

impl World {
    fn set(&self, source: &str, region: &str, script: Script) {
        self.0.lock().unwrap().insert((source.into(), region.into()), script);
    }
}

impl Sources<ApiError> for World {
    fn list(&self) -> Vec<SourceInfo> {
        let info = |name: &str, region: Option<&str>| SourceInfo {
            name: name.into(),
            region: region.map(str::to_owned),
            method: "access key".into(),
            problem: None,
        };
        vec![info("prod", Some("eu-central-1")), info("nowhere", None)]
    }

    fn listing(&self, source: &str, region: &str) -> Result<Arc<dyn NodeListing<ApiError>>, ApiError> {
        let script = self.0.lock().unwrap().get(&(source.into(), region.into())).cloned();
        let script = script.ok_or_else(|| refused("AwsConfiguration", ApiErrorKind::NoCredentials))?;
        Ok(Arc::new(Listing { source: source.into(), region: region.into(), script }))
    }
}

impl ControlPlanes for World {
    fn control_plane(&self, _: &str, _: &str) -> Result<Arc<dyn ControlPlane>, ApiError> {
        Err(refused("AwsConfiguration", ApiErrorKind::NoCredentials))
    }
}

impl DocumentSources<ApiError> for World {
    fn documents(&self, _: &str, _: &str) -> Result<Arc<dyn DocumentCalls<ApiError>>, ApiError> {
        Err(refused("AwsConfiguration", ApiErrorKind::NoCredentials))
    }
}

impl HybridSources<ApiError> for World {
    fn hybrid(&self, _: &str, _: &str) -> Result<Arc<dyn HybridCalls<ApiError>>, ApiError> {
        Err(refused("AwsConfiguration", ApiErrorKind::NoCredentials))
    }
}

impl HistorySources<ApiError> for World {
    fn history(&self, _: &str, _: &str) -> Result<Arc<dyn SessionCalls<ApiError>>, ApiError> {
        Err(refused("AwsConfiguration", ApiErrorKind::NoCredentials))
    }
}

impl RecordSources<ApiError> for World {
    fn records(&self, _: &str, _: &str) -> Result<Arc<dyn RecordCalls<ApiError>>, ApiError> {
        Err(refused("AwsConfiguration", ApiErrorKind::NoCredentials))
    }
}

impl NodeProbes<ApiError> for World {
    fn probe(&self, _: &str, _: &str) -> Result<Arc<dyn NodeProbe<ApiError>>, ApiError> {
        Err(refused("AwsConfiguration", ApiErrorKind::NoCredentials))
    }
}

impl Launcher for World {
    fn sources(&self) -> Vec<SourceInfo> {
        self.list()
    }

    fn launch(&self, _: &StartChoice) -> BoxFuture<'_, Result<Backend, CommandError>> {
        let world = Arc::new(self.clone());
        Box::pin(async { Ok(Backend::of(world, Vec::new())) })
    }
}

fn choice(regions: &[&str]) -> StartChoice {
    StartChoice::Aws {
        sources: vec!["prod".into()],
        regions: regions.iter().map(|r| (*r).to_owned()).collect(),
    }
}

fn app(world: &World, store: Store) -> (AppHandle, Arc<FakeUi>) {
    let ui = FakeUi::new();
    let ports =
        Ports { launcher: Arc::new(world.clone()), store, ui: ui.clone(), options: StartOptions::default() };
    (start(ports), ui)
}

fn on_disk(home: &TempDir) -> Store {
    Store::open(Paths::below(home.path())).unwrap()
}

async fn listed(ui: &FakeUi) {
    ui.until("listed", |seen| !seen.fleet.account_regions.is_empty() && !seen.fleet.refreshing).await;
}

#[tokio::test]
async fn the_first_run_page_waits_for_a_choice() {
    let (app, _) = app(&World::default(), Store::in_memory());
    let snapshot = app.app_snapshot().await.unwrap();
    assert_eq!(snapshot.mode, AppMode::FirstRun);
    assert_eq!(snapshot.sources.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["prod", "nowhere"]);
    assert_eq!(app.fleet_refresh().await.unwrap_err().code, ErrorCode::InvalidInput);
    for (choice, code) in [
        (StartChoice::Aws { sources: vec![], regions: vec![] }, ErrorCode::InvalidInput),
        (StartChoice::Aws { sources: vec!["gone".into()], regions: vec![] }, ErrorCode::NotFound),
        (StartChoice::Aws { sources: vec!["nowhere".into()], regions: vec![] }, ErrorCode::InvalidInput),
    ] {
        assert_eq!(app.app_start(choice).await.unwrap_err().code, code);
    }
    assert_eq!(app.app_snapshot().await.unwrap().mode, AppMode::FirstRun);
}

#[tokio::test]
async fn the_choice_is_remembered_until_the_user_leaves() {
    let home = TempDir::new().unwrap();
    let world = World::default();
    world.set("prod", "eu-central-1", Script::default());
    let (first, _) = app(&world, on_disk(&home));
    first.app_start(choice(&[])).await.unwrap();
    first.app_quit().await.unwrap();

    let (second, ui) = app(&world, on_disk(&home));
    assert_eq!(second.app_snapshot().await.unwrap().mode, AppMode::Aws { sources: vec!["prod".into()] });
    listed(&ui).await;
    second.app_leave().await.unwrap();
    assert_eq!(second.app_snapshot().await.unwrap().fleet.total, 0);
    second.app_quit().await.unwrap();

    let (third, _) = app(&world, on_disk(&home));
    assert_eq!(third.app_snapshot().await.unwrap().mode, AppMode::FirstRun);
}

#[tokio::test]
async fn the_cache_is_shown_first_and_marked_stale() {
    let home = TempDir::new().unwrap();
    let world = World::default();
    world.set("prod", "eu-central-1", Script { pages: vec![Ok(vec!["i-1", "mi-2"])], ..Script::default() });
    let (first, ui) = app(&world, on_disk(&home));
    first.app_start(choice(&[])).await.unwrap();
    listed(&ui).await;
    first.app_quit().await.unwrap();

    let gate = Arc::new(Semaphore::new(0));
    world.set(
        "prod",
        "eu-central-1",
        Script { pages: vec![Ok(vec!["i-1"])], gate: gate.clone(), ..Script::default() },
    );
    let (second, ui) = app(&world, on_disk(&home));
    ui.until("the cache", |seen| seen.fleet.total == 2).await;
    let cached = rows(&second, "").await;
    assert!(cached.iter().all(|row| row.stale), "{cached:?}");
    assert_eq!(ui.seen().fleet.stale, 2);
    assert_eq!(rows(&second, "is:stale").await.len(), 2);
    assert!(ui.seen().fleet.refreshing);
    gate.add_permits(1);
    ui.until("the truth", |seen| seen.fleet.total == 1 && !seen.fleet.refreshing).await;
    assert!(!rows(&second, "").await[0].stale);
}

#[tokio::test]
async fn partial_results_are_shown_and_failures_named_where_they_belong() {
    let world = World::default();
    world.set("prod", "a-1", Script { pages: vec![Ok(vec!["i-1"]), Ok(vec!["i-2"])], ..Script::default() });
    let denied = Script { pages: vec![Err(ApiErrorKind::AccessDenied)], ..Script::default() };
    world.set("prod", "b-1", denied);
    let broken = Script { pages: vec![Ok(vec!["i-3"]), Err(ApiErrorKind::Network)], ..Script::default() };
    world.set("prod", "c-1", broken);
    let (app, ui) = app(&world, Store::in_memory());
    app.app_start(choice(&["a-1", "b-1", "c-1", "d-1"])).await.unwrap();
    listed(&ui).await;
    let fleet = ui.seen().fleet;
    let states: Vec<_> = fleet
        .account_regions
        .iter()
        .map(|row| (row.region.as_str(), row.state, row.nodes, row.problem.as_ref().map(|p| p.code)))
        .collect();
    assert_eq!(
        states,
        [
            ("a-1", ListingState::Loaded, 2, None),
            ("b-1", ListingState::Denied, 0, Some(ErrorCode::AccessDenied)),
            ("c-1", ListingState::Failed, 1, Some(ErrorCode::NetworkUnreachable)),
            ("d-1", ListingState::Failed, 0, Some(ErrorCode::NotSignedIn)),
        ]
    );
    assert_eq!(fleet.total, 3);
    assert_eq!(fleet.updated_ms, fleet.account_regions[0].updated_ms, "the age is that of what was listed");
    assert!(fleet.updated_ms.is_some());
    assert_eq!(rows(&app, "tag:env=prod").await.len(), 3);
}

#[tokio::test]
async fn missing_ec2_facts_and_tiers_do_not_end_a_listing() {
    let world = World::default();
    let script = Script {
        pages: vec![Ok(vec!["i-1", "mi-1"]), Ok(vec!["i-2"])],
        facts: Err(ApiErrorKind::AccessDenied),
        tier: Err(ApiErrorKind::AccessDenied),
        ..Script::default()
    };
    world.set("prod", "eu-central-1", script);
    let (app, ui) = app(&world, Store::in_memory());
    app.app_start(choice(&[])).await.unwrap();
    listed(&ui).await;
    let seen = ui.seen();
    assert_eq!((seen.fleet.total, seen.fleet.account_regions[0].state), (3, ListingState::Loaded));
    assert_eq!(seen.notices.len(), 1, "{:?}", seen.notices);
    assert!(
        seen.notices[0].message.starts_with("EC2 facts (tags, VPC) of prod in eu-central-1 are missing: ")
    );
    assert_eq!(rows(&app, "state:limited").await[0].node_id, "mi-1");
    world.set("prod", "eu-central-1", Script::default());
    app.fleet_refresh().await.unwrap();
    ui.until("the notice is gone", |seen| seen.notices.is_empty() && !seen.fleet.refreshing).await;
}

#[tokio::test]
async fn tags_of_hybrid_nodes_are_asked_for_once_and_all_again_on_request() {
    let home = TempDir::new().unwrap();
    let world = World::default();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let script =
        Script { pages: vec![Ok(vec!["i-1", "mi-1", "mi-2"])], asked: asked.clone(), ..Script::default() };
    world.set("prod", "eu-central-1", script.clone());
    let taken = || {
        let mut ids = std::mem::take(&mut *asked.lock().unwrap());
        ids.sort();
        ids
    };
    let (first, ui) = app(&world, on_disk(&home));
    first.app_start(choice(&[])).await.unwrap();
    listed(&ui).await;
    assert_eq!(taken(), ["mi-1", "mi-2"]);
    assert_eq!(rows(&first, "tag:site=lej").await.len(), 2);
    first.app_quit().await.unwrap();

    let (second, ui) = app(&world, on_disk(&home));
    listed(&ui).await;
    assert_eq!(taken(), [""; 0], "they are in the cache");
    assert_eq!(rows(&second, "tag:site=lej").await.len(), 2);
    second.fleet_refresh().await.unwrap();
    ui.until("listed again", |seen| !seen.fleet.refreshing).await;
    assert_eq!(taken(), ["mi-1", "mi-2"]);

    world.set("prod", "eu-central-1", Script { tags: Err(ApiErrorKind::AccessDenied), ..script });
    second.fleet_refresh().await.unwrap();
    let seen = ui.until("the notice", |seen| !seen.notices.is_empty() && !seen.fleet.refreshing).await;
    assert!(
        seen.notices[0].message.starts_with("Tags of hybrid nodes of prod in eu-central-1 are missing: ")
    );
    assert_eq!(seen.fleet.account_regions[0].state, ListingState::Loaded);
    assert_eq!(rows(&second, "tag:site=lej").await.len(), 2, "what is known stays");
}

#[tokio::test]
async fn one_account_region_is_listed_again_alone() {
    let world = World::default();
    world.set("prod", "a-1", Script::default());
    let denied = Script { pages: vec![Err(ApiErrorKind::AccessDenied)], ..Script::default() };
    world.set("prod", "b-1", denied);
    let (app, ui) = app(&world, Store::in_memory());
    app.app_start(choice(&["a-1", "b-1"])).await.unwrap();
    listed(&ui).await;
    let before = ui.seen().fleet.account_regions[0].updated_ms;
    assert_eq!(ui.seen().fleet.account_regions[1].state, ListingState::Denied);
    world.set("prod", "b-1", Script { pages: vec![Ok(vec!["i-2"])], ..Script::default() });
    // Would be waited for, if it were listed again.
    world.set("prod", "a-1", Script { gate: Arc::new(Semaphore::new(0)), ..Script::default() });
    app.fleet_refresh_one("prod".into(), "b-1".into()).await.unwrap();
    let seen = ui.until("listed", |seen| seen.fleet.total == 2 && !seen.fleet.refreshing).await;
    assert_eq!(seen.fleet.account_regions[1].state, ListingState::Loaded);
    assert_eq!(seen.fleet.account_regions[1].problem, None);
    assert_eq!(seen.fleet.account_regions[0].updated_ms, before);
    let unknown = app.fleet_refresh_one("prod".into(), "c-1".into()).await.unwrap_err();
    assert_eq!(unknown.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_cancelled_refresh_keeps_what_was_listed() {
    let world = World::default();
    let gate = Arc::new(Semaphore::new(1));
    let script =
        Script { pages: vec![Ok(vec!["i-1"]), Ok(vec!["i-2"])], gate: gate.clone(), ..Script::default() };
    world.set("prod", "eu-central-1", script);
    let (app, ui) = app(&world, Store::in_memory());
    app.app_start(choice(&[])).await.unwrap();
    ui.until("the first page", |seen| seen.fleet.total == 1).await;
    app.fleet_cancel().await.unwrap();
    ui.until("stopped", |seen| !seen.fleet.refreshing).await;
    gate.add_permits(10);
    assert_eq!(app.app_snapshot().await.unwrap().fleet.total, 1);
    app.fleet_refresh().await.unwrap();
    ui.until("all of it", |seen| seen.fleet.total == 2 && !seen.fleet.refreshing).await;
}

#[tokio::test]
async fn an_identity_that_is_refused_fails_every_region_of_the_source() {
    let world = World::default();
    for region in ["a-1", "b-1"] {
        world.set(
            "prod",
            region,
            Script { identity: Err(ApiErrorKind::CredentialsExpired), ..Script::default() },
        );
    }
    let (app, ui) = app(&world, Store::in_memory());
    app.app_start(choice(&["a-1", "b-1"])).await.unwrap();
    listed(&ui).await;
    let codes: Vec<_> =
        ui.seen().fleet.account_regions.iter().map(|row| row.problem.as_ref().map(|p| p.code)).collect();
    assert_eq!(codes, [Some(ErrorCode::CredentialsExpired); 2]);
}

#[tokio::test]
async fn views_answer_bad_input_with_its_reason() {
    let world = World::default();
    world.set("prod", "eu-central-1", Script { pages: vec![Ok(vec!["i-2", "i-10"])], ..Script::default() });
    let (app, ui) = app(&world, Store::in_memory());
    app.app_start(choice(&[])).await.unwrap();
    listed(&ui).await;
    let query = |text: &str| FleetQuery { text: text.into(), sort: SortColumn::Name, descending: true };
    let view = app.fleet_view_open(query("plat:linux")).await.unwrap();
    assert_eq!((view.matched, view.total, view.issues.len()), (2, 2, 1));
    let window = app.fleet_view_window(view.view.clone(), 0, 200).await.unwrap();
    assert_eq!(window.rows.iter().map(|r| r.node_id.as_str()).collect::<Vec<_>>(), ["i-10", "i-2"]);
    let key = window.rows[1].key.clone();
    assert_eq!(app.fleet_view_find(view.view.clone(), key).await.unwrap(), Some(1));
    assert_eq!(app.fleet_view_type_ahead(view.view.clone(), "name-i-2".into(), 0).await.unwrap(), Some(1));
    assert!(app.fleet_view_window(view.view.clone(), 99, 10).await.unwrap().rows.is_empty());
    let code = |result: Result<(), CommandError>| result.unwrap_err().code;
    assert_eq!(
        code(app.fleet_view_window(view.view.clone(), 0, 201).await.map(drop)),
        ErrorCode::InvalidInput
    );
    assert_eq!(code(app.fleet_view_open(query(&"x".repeat(4097))).await.map(drop)), ErrorCode::InvalidInput);
    assert_eq!(code(app.fleet_complete("x".repeat(4097), 0).await.map(drop)), ErrorCode::InvalidInput);
    assert_eq!(code(app.fleet_node("nobody".into()).await.map(drop)), ErrorCode::NotFound);
    app.fleet_view_close(view.view.clone()).await.unwrap();
    assert_eq!(code(app.fleet_view_close(view.view.clone()).await), ErrorCode::NotFound);
    assert_eq!(code(app.fleet_view_query(view.view, query("")).await.map(drop)), ErrorCode::NotFound);
    for _ in 0..16 {
        app.fleet_view_open(query("")).await.unwrap();
    }
    assert_eq!(code(app.fleet_view_open(query("")).await.map(drop)), ErrorCode::InvalidInput);
    let completions = app.fleet_complete("pl".into(), 2).await.unwrap();
    assert_eq!(completions.items[0].text, "platform:");
}

#[tokio::test]
async fn an_open_view_is_told_when_its_rows_change() {
    let world = World::default();
    world.set("prod", "eu-central-1", Script::default());
    let (app, ui) = app(&world, Store::in_memory());
    app.app_start(choice(&[])).await.unwrap();
    listed(&ui).await;
    let view = app.fleet_view_open(FleetQuery::default()).await.unwrap();
    world.set("prod", "eu-central-1", Script { pages: vec![Ok(vec!["i-1", "i-2"])], ..Script::default() });
    app.fleet_refresh().await.unwrap();
    let told = |seen: &support::Seen| {
        seen.events.iter().any(|event| {
            matches!(&event.change, Change::View { view: now } if now.matched == 2 && now.version > view.version)
        })
    };
    ui.until("the view grew", told).await;
}

#[tokio::test]
async fn a_snapshot_names_the_last_event_it_includes() {
    let world = World::default();
    world.set("prod", "eu-central-1", Script::default());
    let (app, ui) = app(&world, Store::in_memory());
    app.app_start(choice(&[])).await.unwrap();
    listed(&ui).await;
    let snapshot = app.app_snapshot().await.unwrap();
    assert_eq!(ui.seen().events.last().unwrap().version, snapshot.version);
    app.settings_apply(Settings { theme: Theme::Light, ..snapshot.settings }).await.unwrap();
    assert!(ui.seen().events.last().unwrap().version > snapshot.version);
    assert_eq!(app.app_snapshot().await.unwrap().settings.theme, Theme::Light);
}

#[tokio::test]
async fn settings_outlive_the_program_and_a_garbled_file_is_named() {
    let home = TempDir::new().unwrap();
    let (first, _) = app(&World::default(), on_disk(&home));
    let wanted = Settings { theme: Theme::Dark, terminal_font_px: 16, ..Settings::default() };
    first.settings_apply(wanted.clone()).await.unwrap();
    let refused = first.settings_apply(Settings { terminal_font_px: 3, ..wanted.clone() }).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidInput);
    first.app_quit().await.unwrap();

    let (second, _) = app(&World::default(), on_disk(&home));
    assert_eq!(second.app_snapshot().await.unwrap().settings, wanted);
    second.app_quit().await.unwrap();

    std::fs::write(Paths::below(home.path()).config.join("settings.toml"), "theme = [").unwrap();
    let (third, _) = app(&World::default(), on_disk(&home));
    let snapshot = third.app_snapshot().await.unwrap();
    assert_eq!(snapshot.settings, Settings::default());
    assert_eq!(snapshot.notices.len(), 1);
    assert!(
        snapshot.notices[0].message.contains("is kept as settings.toml.backup-1"),
        "{:?}",
        snapshot.notices
    );
}

#[tokio::test]
async fn a_disk_that_refuses_writes_costs_persistence_only() {
    let home = TempDir::new().unwrap();
    let store = on_disk(&home);
    std::fs::remove_dir_all(Paths::below(home.path()).config).unwrap();
    let (app, ui) = app(&World::default(), store);
    let wanted = Settings { theme: Theme::Dark, ..Settings::default() };
    assert_eq!(app.settings_apply(wanted.clone()).await, Ok(wanted.clone()));
    ui.until("a notice", |seen| seen.notices.iter().any(|notice| notice.id == "storage")).await;
    assert_eq!(app.app_snapshot().await.unwrap().settings, wanted);
    std::fs::create_dir_all(Paths::below(home.path()).config).unwrap();
    app.settings_apply(Settings { theme: Theme::Light, ..wanted }).await.unwrap();
    ui.until("taken back", |seen| seen.notices.is_empty()).await;
}

#[tokio::test]
async fn clipboard_and_browser_take_only_what_they_may() {
    let (app, ui) = app(&World::default(), Store::in_memory());
    app.clipboard_write("i-1".into()).await.unwrap();
    assert_eq!(ui.clipboard().as_deref(), Some("i-1"));
    let long = "x".repeat((1 << 20) + 1);
    assert_eq!(app.clipboard_write(long).await.unwrap_err().code, ErrorCode::InvalidInput);
    app.system_open_url("https://docs.aws.amazon.com/".into()).await.unwrap();
    assert_eq!(
        app.system_open_url("file:///etc/passwd".into()).await.unwrap_err().code,
        ErrorCode::InvalidInput
    );
    assert_eq!(ui.seen().opened, ["https://docs.aws.amazon.com/"]);
    ui.take_clipboard_away();
    assert_eq!(app.clipboard_write("x".into()).await.unwrap_err().code, ErrorCode::Unsupported);
}

#[tokio::test]
async fn a_session_that_cannot_begin_is_refused_at_once() {
    let world = World::default();
    world.set("prod", "eu-central-1", Script::default());
    let (app, ui) = app(&world, Store::in_memory());
    app.app_start(choice(&[])).await.unwrap();
    listed(&ui).await;
    let key = rows(&app, "").await[0].key.clone();
    assert_eq!(app.shell_open(key, None, None).await.unwrap_err().code, ErrorCode::NotSignedIn);
    assert_eq!(app.app_snapshot().await.unwrap().tabs.len(), 1, "no tab is left");
    for tab in ["fleet", "shell-9"] {
        assert!(app.tab_close(tab.into()).await.is_err());
        assert!(app.tab_move(tab.into(), 1).await.is_err());
    }
    assert_eq!(app.tab_activate("shell-9".into()).await.unwrap_err().code, ErrorCode::NotFound);
}

#[tokio::test]
async fn without_sessions_closing_the_window_ends_the_program() {
    let (app, ui) = app(&World::default(), Store::in_memory());
    app.close_requested().await;
    ui.until("exit", |seen| seen.exited).await;
    assert_eq!(app.app_snapshot().await.unwrap_err().code, ErrorCode::Cancelled);
}

#[tokio::test]
async fn dropping_every_handle_ends_the_application() {
    let (app, ui) = app(&World::default(), Store::in_memory());
    drop(app);
    ui.until("exit", |seen| seen.exited).await;
}
