//! The application as a client's process: its controller without a window, one node, and many saved forwards.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use fleetline_app::deep_link::Opener;
use fleetline_app::{
    ApiError, AppHandle, Backend, BoxFuture, ControlPlane, ControlPlanes, Launcher, NodeListing,
    Notification, Paths, Ports, SourceInfo, Sources, StartOptions, Store, Ui, UiError, start,
};
use fleetline_documents::{DocumentCalls, DocumentSources};
use fleetline_engine::ports::ApiErrorKind;
use fleetline_history::{HistorySources, RecordCalls, RecordSources, SessionCalls};
use fleetline_inventory::hybrid::{HybridCalls, HybridSources};
use fleetline_inventory::node::{
    AccountRegion, InstanceTier, ManagedNode, NodeKind, PingStatus, PlatformFamily,
};
use fleetline_inventory::ports::{CallerIdentity, NodePage};
use fleetline_inventory::probe::{NodeProbe, NodeProbes};
use fleetline_inventory::{NodeFacts, SmolStr};
use fleetline_ipc::CommandError;
use fleetline_ipc::event::AppEvent;
use fleetline_ipc::forward::{ForwardRow, ForwardState};
use fleetline_ipc::system::StartChoice;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::watch;

use crate::aws::Aws;
use crate::client::{tell, until_input_ends};
use crate::world::Place;

/// Descriptors for a thousand forwards on both loopback families, and what they carry.
const DESCRIPTORS: u64 = 16_384;

pub(crate) async fn application(place: Place, count: usize) -> Result<()> {
    allow_many_descriptors();
    let home = tempfile::tempdir()?;
    let paths = Paths::below(home.path());
    std::fs::create_dir_all(&paths.config)?;
    std::fs::write(paths.config.join("profiles.toml"), profiles(&place, count))?;
    let begun = Instant::now();
    let (changed, mut changes) = watch::channel(());
    let app = start(Ports {
        launcher: Arc::new(World { place: place.clone() }),
        store: Store::open(paths)?,
        ui: Arc::new(Blind { changed }),
        options: StartOptions {
            choice: Some(StartChoice::Aws {
                sources: vec![place.account.clone()],
                regions: vec![place.region.clone()],
            }),
            ..StartOptions::default()
        },
    });
    let rows = rows_until(&app, &mut changes, |rows| {
        rows.len() == count && rows.iter().all(|row| !row.spec.node_key.is_empty())
    })
    .await?;
    let ports: Vec<u16> = rows.iter().map(|row| row.spec.local_port).collect();
    tell(&json!({ "start_ms": begun.elapsed().as_secs_f64() * 1e3, "ports": ports }).to_string()).await?;

    let mut input = BufReader::new(tokio::io::stdin()).lines();
    input.next_line().await?.context("nobody switches them on")?;
    let begun = Instant::now();
    app.forward_bundle(None, true).await.map_err(|problem| anyhow::anyhow!(problem.message))?;
    let rows =
        rows_until(&app, &mut changes, |rows| rows.iter().all(|row| row.state != ForwardState::Off)).await?;
    let listening = rows.iter().filter(|row| row.state == ForwardState::Idle).count();
    tell(&json!({ "switch_ms": begun.elapsed().as_secs_f64() * 1e3, "listening": listening }).to_string())
        .await?;
    until_input_ends().await?;
    // The simulator ends with us; a thousand orderly ends prove nothing here.
    std::process::exit(0)
}

fn allow_many_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    let most = now.maximum.map_or(DESCRIPTORS, |maximum| maximum.min(DESCRIPTORS));
    // Without it the forwards that cannot listen are counted.
    setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..now }).ok();
}

/// A profile file as the forwards page writes it. Ports are picked when they are switched on.
fn profiles(place: &Place, count: usize) -> String {
    let mut text = String::from("version = 1\n");
    for number in 0..count {
        // A string takes every write.
        let _ = write!(
            text,
            "\n[profile.forward-{number}]\nkind = \"forward\"\nname = \"Forward {number}\"\nnode = \"{}\"\n\
             port = {}\nlocal-port = 0\nsource = \"{}\"\nregion = \"{}\"\n",
            place.node, place.web, place.account, place.region,
        );
    }
    text
}

async fn rows_until(
    app: &AppHandle,
    changes: &mut watch::Receiver<()>,
    wanted: impl Fn(&[ForwardRow]) -> bool,
) -> Result<Vec<ForwardRow>> {
    loop {
        changes.mark_unchanged();
        let snapshot = app.app_snapshot().await.map_err(|problem| anyhow::anyhow!(problem.message))?;
        if wanted(&snapshot.forwards.rows) {
            return Ok(snapshot.forwards.rows);
        }
        changes.changed().await?;
    }
}

/// A window nobody looks at.
struct Blind {
    changed: watch::Sender<()>,
}

impl Ui for Blind {
    fn downloads(&self) -> Option<std::path::PathBuf> {
        None
    }

    fn emit(&self, event: AppEvent) {
        // As the real window does, so that it is counted.
        std::hint::black_box(serde_json::to_string(&event).ok());
        self.changed.send_replace(());
    }

    fn write_clipboard(&self, _: &str) -> Result<(), UiError> {
        Ok(())
    }

    fn read_clipboard(&self) -> Result<String, UiError> {
        Ok(String::new())
    }

    fn open_url(&self, _: &str) -> Result<(), UiError> {
        Ok(())
    }

    fn show_window(&self) {}

    fn hide_window(&self) {}

    fn set_tray(&self, menu: fleetline_app::tray::Menu) {
        std::hint::black_box(menu);
    }

    fn notify(&self, notification: Notification) {
        std::hint::black_box(notification);
    }

    fn has_tray(&self) -> bool {
        true
    }

    fn start_at_login(&self, _: bool) -> Result<(), UiError> {
        Ok(())
    }

    fn follow_links(&self, _: bool) -> Result<(), UiError> {
        Ok(())
    }

    fn link_opener(&self) -> Result<Opener, UiError> {
        Ok(Opener::Nobody)
    }

    fn exit(&self) {}
}

/// One account and Region of the simulator, with one node.
#[derive(Clone, Debug)]
struct World {
    place: Place,
}

impl World {
    fn node(&self) -> ManagedNode {
        ManagedNode {
            account_region: AccountRegion {
                account_id: "111122223333".into(),
                region: self.place.region.clone(),
            }
            .into(),
            source: self.place.account.as_str().into(),
            node_id: self.place.node.as_str().into(),
            name: "the node".into(),
            computer_name: "".into(),
            kind: NodeKind::Ec2,
            platform: PlatformFamily::Linux,
            platform_name: "".into(),
            platform_version: "".into(),
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
}

impl Launcher for World {
    fn sources(&self) -> Vec<SourceInfo> {
        Sources::list(self)
    }

    fn launch(&self, _: &StartChoice) -> BoxFuture<'_, Result<Backend, CommandError>> {
        let world = Arc::new(self.clone());
        Box::pin(async { Ok(Backend::of(world, Vec::new())) })
    }
}

impl Sources<ApiError> for World {
    fn list(&self) -> Vec<SourceInfo> {
        let region = Some(self.place.region.clone());
        vec![SourceInfo {
            name: self.place.account.clone(),
            region,
            method: "access key".into(),
            problem: None,
        }]
    }

    fn listing(&self, _: &str, _: &str) -> Result<Arc<dyn NodeListing<ApiError>>, ApiError> {
        Ok(Arc::new(self.clone()))
    }
}

impl NodeListing<ApiError> for World {
    fn identity(&self) -> BoxFuture<'_, Result<CallerIdentity, ApiError>> {
        let identity = CallerIdentity {
            account_id: "111122223333".into(),
            arn: "arn:aws:iam::111122223333:user/bench".into(),
            user_id: "AIDABENCH".into(),
            expires_ms: None,
        };
        Box::pin(async { Ok(identity) })
    }

    fn page(&self, _: Option<String>) -> BoxFuture<'_, Result<NodePage, ApiError>> {
        Box::pin(async { Ok(NodePage { nodes: vec![self.node()], next: None }) })
    }

    fn tags(&self, _: String) -> BoxFuture<'_, Result<Vec<(String, String)>, ApiError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn facts(&self, _: Vec<SmolStr>) -> BoxFuture<'_, Result<Vec<NodeFacts>, ApiError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn tier(&self) -> BoxFuture<'_, Result<InstanceTier, ApiError>> {
        Box::pin(async { Ok(InstanceTier::Unknown) })
    }
}

impl HybridSources<ApiError> for World {
    fn hybrid(&self, _: &str, _: &str) -> Result<Arc<dyn HybridCalls<ApiError>>, ApiError> {
        Err(not_here())
    }
}

impl DocumentSources<ApiError> for World {
    fn documents(&self, _: &str, _: &str) -> Result<Arc<dyn DocumentCalls<ApiError>>, ApiError> {
        Err(not_here())
    }
}

impl HistorySources<ApiError> for World {
    fn history(&self, _: &str, _: &str) -> Result<Arc<dyn SessionCalls<ApiError>>, ApiError> {
        Err(not_here())
    }
}

impl RecordSources<ApiError> for World {
    fn records(&self, _: &str, _: &str) -> Result<Arc<dyn RecordCalls<ApiError>>, ApiError> {
        Err(not_here())
    }
}

impl NodeProbes<ApiError> for World {
    fn probe(&self, _: &str, _: &str) -> Result<Arc<dyn NodeProbe<ApiError>>, ApiError> {
        Err(not_here())
    }
}

impl ControlPlanes for World {
    fn control_plane(&self, _: &str, _: &str) -> Result<Arc<dyn ControlPlane>, ApiError> {
        Ok(Arc::new(Aws::new(self.place.clone())))
    }
}

/// Forwards need neither tiers, probes, documents nor history.
fn not_here() -> ApiError {
    ApiError {
        operation: "AwsConfiguration",
        kind: ApiErrorKind::NoCredentials,
        code: None,
        message: "the bench has no such calls".to_owned(),
        request_id: None,
        never_sent: true,
    }
}
