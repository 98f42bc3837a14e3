//! The AWS CLI and boto3 against the simulator. Runs `aws_clients.py` with the Python that the variable
//! `FLEETLINE_AWS_PYTHON` names, in which both are installed; without the variable it says that it was skipped.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what fails here fails the test")]

mod support;

use std::path::Path;

use fleetline_simulator::{Simulator, SimulatorConfig};
use tokio::process::Command;

#[tokio::test]
async fn aws_cli_and_boto3_understand_every_answer() {
    understood(SimulatorConfig { past_sessions: 300, ..SimulatorConfig::default() }).await;
}

#[tokio::test]
async fn aws_cli_and_boto3_trust_the_authority_their_profile_names() {
    understood(SimulatorConfig { tls: true, past_sessions: 300, ..SimulatorConfig::default() }).await;
}

async fn understood(config: SimulatorConfig) {
    let Some(python) = std::env::var_os("FLEETLINE_AWS_PYTHON") else {
        println!("SKIPPED: FLEETLINE_AWS_PYTHON does not name a Python with awscli and boto3");
        return;
    };
    let simulator = Simulator::start(config).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (config, credentials) = simulator.write_aws_config(directory.path()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws_clients.py");
    let mut command = Command::new(python);
    command.arg(script).kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command.env("AWS_CONFIG_FILE", config).env("AWS_SHARED_CREDENTIALS_FILE", credentials);
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_MAX_ATTEMPTS", "1")
        .env("NO_PROXY", "127.0.0.1");
    let output = command.output().await.unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert_eq!(stdout.lines().last(), Some("ok"), "{stdout}\n{stderr}");
    simulator.shutdown().await;
}
