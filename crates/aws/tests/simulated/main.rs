//! Against the simulator, through the SDK's ordinary code: signed requests, real pages, real refusals.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod documents;
mod errors;
mod history;
mod hybrid;
mod inventory;
mod keys;
mod mfa;
mod own;
#[cfg(target_os = "linux")]
mod proxied;
mod records;
mod secrets;
mod sessions;
mod signin;
mod skewed;

use std::path::Path;
use std::sync::Arc;

use fleetline_aws::{AwsSettings, AwsSources};
use fleetline_engine::ports::{ApiError, ControlPlane, ControlPlanes, StartSession};
use fleetline_inventory::node::ManagedNode;
use fleetline_inventory::ports::{NodeListing, Sources};
use fleetline_simulator::{NodeView, SimulatedAccount, Simulator, SimulatorConfig};

/// A simulator with its configuration in a directory of its own.
struct Lab {
    simulator: Simulator,
    sources: AwsSources,
    directory: tempfile::TempDir,
}

impl Lab {
    async fn new(config: SimulatorConfig) -> Self {
        let simulator = Simulator::start(config).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let (config, credentials) = simulator.write_aws_config(directory.path()).unwrap();
        let sources = AwsSources::from_files(config, Some(credentials));
        Self { simulator, sources, directory }
    }

    async fn open() -> Self {
        Self::new(SimulatorConfig { demo_denials: false, ..SimulatorConfig::default() }).await
    }

    fn listing(&self, source: &str, region: &str) -> Arc<dyn NodeListing<ApiError>> {
        self.sources.listing(source, region).unwrap()
    }

    fn control(&self, node: &NodeView) -> Arc<dyn ControlPlane> {
        self.sources.control_plane(&node.account, &node.region).unwrap()
    }

    /// Every account and Region of the world.
    fn places(&self) -> Vec<(SimulatedAccount, String)> {
        let accounts = self.simulator.accounts().into_iter();
        accounts
            .flat_map(|account| {
                let regions = account.regions.clone();
                regions.into_iter().map(move |region| (account.clone(), region))
            })
            .collect()
    }

    /// The first node that satisfies `wanted`.
    fn node(&self, wanted: impl Fn(&NodeView) -> bool) -> NodeView {
        let control = self.simulator.control();
        let places = self.places().into_iter();
        let mut nodes = places.flat_map(|(account, region)| control.nodes(&account.name, &region));
        nodes.find(wanted).expect("the world has such a node")
    }

    fn linux(&self) -> NodeView {
        self.node(|node| node.online && !node.hybrid && node.platform == "Linux")
    }

    /// Sources over the same endpoint with other keys for one account.
    fn with_keys(&self, name: &str, secret: &str) -> AwsSources {
        let account = self.simulator.accounts().into_iter().find(|account| account.name == name).unwrap();
        settings(self.directory.path(), &self.simulator.endpoint(), &account, secret)
    }

    async fn end(self) {
        self.simulator.shutdown().await;
    }
}

fn settings(directory: &Path, endpoint: &str, account: &SimulatedAccount, secret: &str) -> AwsSources {
    let nothing = directory.join("nothing");
    let settings = AwsSettings::from_files(nothing, None)
        .with_variable("AWS_ENDPOINT_URL", endpoint)
        .with_variable("AWS_REGION", &account.default_region)
        .with_variable("AWS_ACCESS_KEY_ID", &account.access_key_id)
        .with_variable("AWS_SECRET_ACCESS_KEY", secret)
        .with_variable("AWS_SESSION_TOKEN", &account.session_token);
    AwsSources::new(settings)
}

fn to(node: &NodeView) -> StartSession {
    StartSession { target: node.id.clone(), ..StartSession::default() }
}

async fn all_pages(listing: &dyn NodeListing<ApiError>) -> Result<(Vec<ManagedNode>, usize), ApiError> {
    let (mut nodes, mut pages, mut next) = (Vec::new(), 0, None);
    loop {
        let page = listing.page(next).await?;
        nodes.extend(page.nodes);
        pages += 1;
        match page.next {
            Some(token) => next = Some(token),
            None => return Ok((nodes, pages)),
        }
    }
}
