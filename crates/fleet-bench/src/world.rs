//! The simulated fleet in a process of its own.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use fleetline_simulator::{CallRate, DenyReason, DenyRule, Simulator, SimulatorConfig, WorldPlan};
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::tell;

/// Nodes of an account-Region: as many as AWS registers by default (aws-security-reliability.md A.7).
pub(crate) const NODES: usize = 2_400;
/// Account-Regions.
pub(crate) const PLACES: usize = 42;
/// Hybrid nodes among those of an account-Region.
pub(crate) const HYBRID: usize = 120;
/// Waited before each answer.
pub(crate) const LATENCY: Duration = Duration::from_millis(80);

/// Options of the measurement.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// Nodes in all.
    #[arg(long, default_value_t = NODES * PLACES)]
    pub(crate) nodes: usize,
    /// Factor on the allowed rates: 1 allows a page a second, two DescribeInstances and ten ListTagsForResource in each
    /// account-Region.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) rate: f64,
    #[arg(long, hide = true)]
    pub(crate) directory: Option<PathBuf>,
}

impl Options {
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![format!("--nodes={}", self.nodes), format!("--rate={}", self.rate)];
        arguments.extend(self.directory.iter().map(|path| format!("--directory={}", path.display())));
        arguments
    }

    /// What is allowed in each account-Region, in calls a second and at once.
    pub(crate) fn rates(&self) -> [(&'static str, f64, f64); 3] {
        let rate = self.rate;
        [
            ("DescribeInstanceProperties", rate, 2.0),
            ("DescribeInstances", 2.0 * rate, 2.0),
            ("ListTagsForResource", 10.0 * rate, 10.0),
        ]
    }
}

/// Tells the names of the accounts in one line, serves until its input ends, and tells which calls were made.
pub(crate) async fn serve(options: &Options) -> Result<()> {
    let rate = |(operation, per_second, burst): (&str, f64, f64)| CallRate {
        operation: operation.to_owned(),
        per_second,
        burst,
    };
    let config = SimulatorConfig {
        world: WorldPlan::Wide,
        nodes: options.nodes,
        latency: LATENCY,
        enforce_quotas: true,
        rates: options.rates().map(rate).to_vec(),
        demo_denials: false,
        ..SimulatorConfig::default()
    };
    let simulator = Simulator::start(config).await?;
    let directory = options.directory.as_ref().context("no directory")?;
    simulator.write_aws_config(directory)?;
    let accounts = simulator.accounts();
    let last = accounts.last().context("no account")?;
    let region = last.regions.last().context("no Region")?;
    simulator.control().deny(DenyRule {
        action: "ssm:DescribeInstance*".to_owned(),
        resource: format!("arn:aws:ssm:{region}:{}:*", last.account_id),
        reason: DenyReason::ServiceControlPolicy,
    });
    let names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
    let regions = &last.regions;
    tell(&json!({ "accounts": { "names": names, "regions": regions } })).await?;
    let mut ends = [0; 1];
    let _ = tokio::io::stdin().read(&mut ends).await?;
    tell(&json!(simulator.control().calls())).await?;
    simulator.shutdown().await;
    Ok(())
}
