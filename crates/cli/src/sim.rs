//! `fleetline sim`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use fleetline_simulator::{Scenario, Simulator, SimulatorConfig, SimulatorError, UpgradeSigning};
use serde::Serialize;

use crate::args::SimArgs;
use crate::console::{print, tell};
use crate::failure::Failure;
use crate::signals::EndSignals;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Started<'a> {
    endpoint: &'a str,
    environment: std::collections::BTreeMap<&'a str, &'a str>,
    config_file: &'a Path,
    credentials_file: &'a Path,
}

/// Serves the demo fleet until Ctrl-C, SIGTERM or SIGHUP, then ends every shell and removes what it made.
pub(crate) async fn run(args: SimArgs) -> Result<u8, Failure> {
    let config = SimulatorConfig {
        listen: args.listen,
        nodes: usize::try_from(args.nodes).unwrap_or(usize::MAX),
        seed: args.seed,
        agent_pacing: args.paced,
        tls: args.tls,
        upgrade_signing: if args.require_signed {
            UpgradeSigning::Required
        } else {
            UpgradeSigning::Optional
        },
        latency: args.latency,
        enforce_quotas: args.quotas,
        past_sessions: args.history as usize,
        demo_denials: !args.no_denials,
        enable_control_http: args.control_http,
        scenario: args.scenario.as_deref().map(scenario).transpose()?,
        ..SimulatorConfig::default()
    };
    let cannot = |error: &dyn std::fmt::Display| Failure::local("The demo fleet could not be started", error);
    // Caught before anything is made, so that nothing stays behind.
    let mut signals = EndSignals::catch().map_err(|error| cannot(&error))?;
    let temporary = match &args.directory {
        Some(_) => None,
        None => Some(
            tempfile::Builder::new().prefix("fleetline-sim-").tempdir().map_err(|error| cannot(&error))?,
        ),
    };
    let directory: PathBuf = match (&args.directory, &temporary) {
        (Some(directory), _) => std::path::absolute(directory).map_err(|error| cannot(&error))?,
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => PathBuf::new(),
    };
    let simulator = Simulator::start(config).await.map_err(|error| match error {
        SimulatorError::Config(why) => Failure::usage(format!("The demo fleet cannot be started so: {why}.")),
        other => cannot(&other),
    })?;
    let told = tell_how(&simulator, &directory, args.json);
    if told.is_ok() {
        let signal = signals.next().await;
        tracing::info!(?signal, "ending");
    }
    simulator.shutdown().await;
    if let Some(temporary) = temporary {
        temporary
            .close()
            .map_err(|error| Failure::local("The temporary directory could not be removed", &error))?;
    }
    told.map(|()| 0)
}

/// A scenario file is written by hand.
const MAX_SCENARIO_BYTES: u64 = 1024 * 1024;

fn scenario(path: &Path) -> Result<Scenario, Failure> {
    let name = path.display();
    let usage = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("The scenario file {name} cannot be used: {error}."))
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| usage(&error))?;
    file.take(MAX_SCENARIO_BYTES + 1).read_to_string(&mut text).map_err(|error| usage(&error))?;
    if text.len() as u64 > MAX_SCENARIO_BYTES {
        return Err(usage(&"it has more than 1 MiB"));
    }
    Scenario::parse(&text).map_err(|error| usage(&error))
}

fn tell_how(simulator: &Simulator, directory: &Path, json: bool) -> Result<(), Failure> {
    // First, so that the environment can name the authority's file.
    let (config, credentials) = simulator.write_aws_config(directory).map_err(|error| {
        Failure::local("The AWS configuration of the demo fleet could not be written", &error)
    })?;
    let environment = simulator.environment();
    let endpoint = simulator.endpoint();
    let mut lines = Vec::new();
    if json {
        let started = Started {
            endpoint: &endpoint,
            environment: environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
            config_file: &config,
            credentials_file: &credentials,
        };
        let line = serde_json::to_string(&started)
            .map_err(|error| Failure::local("The demo fleet could not be described", &error))?;
        lines.push(line);
    } else {
        lines.push("# One account, for any AWS client:".to_owned());
        lines.extend(environment.iter().map(|(name, value)| assignment(name, value)));
        lines.push("# Or every account as an AWS profile, without the variables above:".to_owned());
        lines.push(format!("# {}", assignment("AWS_CONFIG_FILE", &config.display().to_string())));
        lines.push(format!(
            "# {}",
            assignment("AWS_SHARED_CREDENTIALS_FILE", &credentials.display().to_string())
        ));
    }
    for line in lines {
        print(&line).map_err(|error| Failure::local("Standard output could not be written", &error))?;
    }
    tell(&format!(
        "The demo fleet is at {endpoint}. Its shells run on this computer as you. Press Ctrl-C to end it."
    ));
    Ok(())
}

/// Sets a variable in the usual shell of the platform.
fn assignment(name: &str, value: &str) -> String {
    if cfg!(windows) {
        format!("$env:{name} = '{}'", value.replace('\'', "''"))
    } else {
        format!("export {name}={}", crate::exec::quoted(value))
    }
}
