//! The built program against a simulator in this process, through pipes and through a terminal.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod access;
mod book;
mod browser;
mod commands;
mod console;
mod containers;
mod document_commands;
mod documents;
mod forwards;
mod guard;
#[cfg(target_os = "linux")]
mod keyring;
mod links;
mod login;
mod long_runs;
mod mfa;
mod middleboxes;
mod openssh;
mod openssh_suite;
mod orphans;
mod presigned;
mod rdp;
#[cfg(target_os = "linux")]
mod real_agent;
mod recordings;
mod records;
mod refusals;
mod saved;
mod screen;
mod sealed;
mod servers;
mod sessions;
mod shells;
mod silence;
mod sim;
mod socks;
mod ssh;
mod tap;
mod terminal;
mod users;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use fleetline_simulator::{NodeView, Simulator, SimulatorConfig};

/// A simulator with its AWS configuration, and a home without any other.
struct Lab {
    simulator: Simulator,
    directory: tempfile::TempDir,
    config: PathBuf,
    credentials: PathBuf,
}

impl Lab {
    async fn new(config: SimulatorConfig) -> Self {
        let simulator = Simulator::start(config).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let (config, credentials) = simulator.write_aws_config(directory.path()).unwrap();
        Self { simulator, directory, config, credentials }
    }

    async fn open() -> Self {
        Self::new(SimulatorConfig { demo_denials: false, ..SimulatorConfig::default() }).await
    }

    /// The environment of the program; nothing else is inherited.
    fn environment(&self) -> Vec<(String, String)> {
        let path = std::env::var("PATH").unwrap_or_default();
        [
            ("PATH", path),
            ("HOME", self.directory.path().display().to_string()),
            ("TERM", "xterm-256color".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("AWS_CONFIG_FILE", self.config.display().to_string()),
            ("AWS_SHARED_CREDENTIALS_FILE", self.credentials.display().to_string()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetline"));
        command.args(args).env_clear().envs(self.environment());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        Ran::of(self.command(args).envs(variables.iter().copied()).output().unwrap())
    }

    fn run_fed(&self, args: &[&str], input: &[u8]) -> Ran {
        self.fed(self.command(args), input)
    }

    fn fed(&self, mut command: Command, input: &[u8]) -> Ran {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let feeding = std::thread::spawn(move || stdin.write_all(&input));
        let ran = Ran::of(child.wait_with_output().unwrap());
        // A program that refuses reads nothing.
        feeding.join().unwrap().ok();
        ran
    }

    fn node(&self, wanted: impl Fn(&NodeView) -> bool) -> NodeView {
        let control = self.simulator.control();
        let places = self.simulator.accounts().into_iter().flat_map(|account| {
            let regions = account.regions.clone();
            regions.into_iter().map(move |region| (account.name.clone(), region))
        });
        let mut nodes = places.flat_map(|(account, region)| control.nodes(&account, &region));
        nodes.find(wanted).expect("the world has such a node")
    }

    fn linux(&self) -> NodeView {
        self.node(|node| node.online && !node.hybrid && node.platform == "Linux")
    }

    /// Waits until every session is over; a hang here is a session left behind.
    async fn nothing_left(&self) {
        let over =
            |sessions: &[fleetline_simulator::SessionView]| sessions.iter().all(|s| s.status.is_over());
        let control = self.simulator.control();
        let waited = control.wait_for(over);
        let limit = std::time::Duration::from_secs(20);
        let sessions = tokio::time::timeout(limit, waited).await;
        assert!(sessions.is_ok(), "left behind: {:?}", self.simulator.control().sessions());
    }

    async fn end(self) {
        self.nothing_left().await;
        self.simulator.shutdown().await;
    }
}

/// How a run of the program ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Exit status, nothing on standard output, and one sentence that begins as ours do.
    #[track_caller]
    fn refused(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        let lines: Vec<&str> = self.err.lines().collect();
        assert!(lines[0].starts_with("fleetline: "), "{self:?}");
        assert!(lines[1..].iter().all(|line| line.starts_with("    ")), "{self:?}");
        assert!(!self.err.contains("panicked"), "{self:?}");
    }
}

/// The options that name a node's source and Region, so that nothing is looked up.
fn at(node: &NodeView) -> [&str; 4] {
    ["--source", &node.account, "--region", &node.region]
}
