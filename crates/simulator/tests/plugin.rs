//! The official client against the simulator, where FLEETLINE_PEER_PLUGIN names it. Without it, each test says that it
//! was skipped.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use fleetline_simulator::{SessionKey, Simulator};
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::{Value, json};
use support::names::Names;
use support::{Signer, account, simulator, ssm_ok};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
const NODE: &str = "pay-api-03";

/// The official client; `None`, and a word about it, when there is none.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn plugin(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("FLEETLINE_PEER_PLUGIN").map(PathBuf::from);
    if named.is_none() {
        eprintln!("{test}: skipped; FLEETLINE_PEER_PLUGIN does not name the official client");
    }
    named
}

/// Starts a session and gives the arguments with which AWS's command line calls the official client.
async fn arguments(simulator: &Simulator, document: Option<&str>, parameters: Value) -> Vec<String> {
    let node = simulator.control().node(NODE).unwrap();
    let signer = Signer::new(&account(simulator, &node.account), &node.region, "ssm");
    let mut body = json!({ "Target": node.id });
    if let Some(document) = document {
        body["DocumentName"] = document.into();
        body["Parameters"] = parameters;
    }
    let answer = ssm_ok(simulator, &signer, "StartSession", &body).await;
    vec![
        answer.to_string(),
        node.region,
        "StartSession".to_owned(),
        node.account,
        body.to_string(),
        simulator.endpoint(),
    ]
}

/// The variables with which it finds its credentials; all others of AWS are taken away.
fn environment(simulator: &Simulator, directory: &Path) -> Vec<(&'static str, PathBuf)> {
    let (config, credentials) = simulator.write_aws_config(directory).unwrap();
    let profile = simulator.control().node(NODE).unwrap().account;
    vec![
        ("AWS_CONFIG_FILE", config),
        ("AWS_SHARED_CREDENTIALS_FILE", credentials),
        ("AWS_PROFILE", PathBuf::from(profile)),
    ]
}

/// Another's AWS variables.
fn foreign() -> impl Iterator<Item = std::ffi::OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("AWS_"))
}

/// What a program prints, read by a thread.
struct Printed {
    chunks: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Printed {
    fn of(mut reader: impl Read + Send + 'static) -> Self {
        let (sender, chunks) = channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(read) = reader.read(&mut buffer)
                && read > 0
                && sender.send(buffer[..read].to_vec()).is_ok()
            {}
        });
        Self { chunks, seen: Vec::new() }
    }

    /// Reads until `wanted` is true of all that was printed.
    fn until(&mut self, what: &str, wanted: impl Fn(&[u8]) -> bool) {
        let ends = Instant::now() + PATIENCE;
        while !wanted(&self.seen) {
            match self.chunks.recv_timeout(ends.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.seen.extend(bytes),
                Err(error) => panic!("no {what}: {error}; {:?}", String::from_utf8_lossy(&self.seen)),
            }
        }
    }

    fn until_text(&mut self, text: &str) {
        self.until(text, |seen| seen.windows(text.len()).any(|window| window == text.as_bytes()));
    }
}

/// The official client on a terminal.
struct OnTerminal {
    process: Box<dyn portable_pty::Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    printed: Printed,
    _terminal: Box<dyn MasterPty + Send>,
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl OnTerminal {
    fn start(plugin: &Path, arguments: Vec<String>, environment: Vec<(&str, PathBuf)>, cwd: &Path) -> Self {
        let mut command = CommandBuilder::new(plugin);
        command.args(arguments);
        command.cwd(cwd);
        for name in foreign() {
            command.env_remove(name);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, ..PtySize::default() }).unwrap();
        let process = pair.slave.spawn_command(command).unwrap();
        let printed = Printed::of(pair.master.try_clone_reader().unwrap());
        let writer = pair.master.take_writer().unwrap();
        Self { process, writer, printed, _terminal: pair.master }
    }

    fn type_in(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }
}

/// The official client on pipes.
struct OnPipes {
    process: Child,
    printed: Printed,
}

impl Drop for OnPipes {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl OnPipes {
    fn start(plugin: &Path, arguments: Vec<String>, environment: Vec<(&str, PathBuf)>, cwd: &Path) -> Self {
        let mut command = Command::new(plugin);
        command.args(arguments).current_dir(cwd);
        for name in foreign() {
            command.env_remove(name);
        }
        command.envs(environment).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output: ChildStdout = process.stdout.take().unwrap();
        Self { process, printed: Printed::of(output) }
    }
}

async fn echo_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await.ok();
            });
        }
    });
    port
}

/// Bytes that tell their place, beginning differently for each salt.
fn pattern(length: usize, salt: usize) -> Vec<u8> {
    (0..length).map(|at| (((at + salt) * 2_654_435_761) >> 7) as u8).collect()
}

async fn comes_back(port: u16, salt: usize) {
    let sent = pattern(300_000, salt);
    let mut got = vec![0; sent.len()];
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let both = async { tokio::try_join!(writer.write_all(&sent), reader.read_exact(&mut got)) };
    tokio::time::timeout(PATIENCE, both).await.unwrap().unwrap();
    assert!(sent == got, "other bytes came back");
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A forward by the official client to an echo server; its local port once it listens.
async fn forward(simulator: &Simulator, plugin: &Path, directory: &Path) -> (OnPipes, u16) {
    let (target, local) = (echo_server().await, free_port());
    let parameters = json!({ "portNumber": [target.to_string()], "localPortNumber": [local.to_string()] });
    let arguments = arguments(simulator, Some("AWS-StartPortForwardingSession"), parameters).await;
    let environment = environment(simulator, directory);
    let mut client = OnPipes::start(plugin, arguments, environment, directory);
    tokio::task::block_in_place(|| client.printed.until_text("opened for sessionId"));
    (client, local)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_runs_a_shell_and_ends_with_it() {
    let Some(plugin) = plugin("shell") else { return };
    let (simulator, directory) = (simulator(|_| {}).await, tempfile::tempdir().unwrap());
    let arguments = arguments(&simulator, None, json!({})).await;
    let environment = environment(&simulator, directory.path());
    let mut client = OnTerminal::start(&plugin, arguments, environment, directory.path());
    tokio::task::block_in_place(|| {
        client.printed.until_text("~$ ");
        client.type_in("echo sum-$((40+2)); stty size\n");
        // It leaves the terminal's line ends on.
        client.printed.until_text("sum-42\r");
        client.printed.until_text("24 80\r");
        client.type_in("exit\n");
        client.printed.until_text("Exiting session");
        assert!(client.process.wait().unwrap().success());
    });
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_runs_an_interactive_command() {
    let Some(plugin) = plugin("interactive command") else { return };
    let (simulator, directory) = (simulator(|_| {}).await, tempfile::tempdir().unwrap());
    // What is typed before the handshake is complete would be lost, so the command speaks first.
    let parameters = json!({ "command": ["echo ready; read x; echo got:$x"] });
    let arguments = arguments(&simulator, Some("AWS-StartInteractiveCommand"), parameters).await;
    let environment = environment(&simulator, directory.path());
    let mut client = OnTerminal::start(&plugin, arguments, environment, directory.path());
    tokio::task::block_in_place(|| {
        client.printed.until_text("ready");
        client.type_in("hello\n");
        client.printed.until_text("got:hello");
        client.printed.until_text("Exiting session");
    });
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_multiplexes_connections_of_a_forward() {
    let Some(plugin) = plugin("mux forward") else { return };
    let (simulator, directory) = (simulator(|_| {}).await, tempfile::tempdir().unwrap());
    let (_client, port) = forward(&simulator, &plugin, directory.path()).await;
    tokio::join!(comes_back(port, 1), comes_back(port, 2), comes_back(port, 3), comes_back(port, 4));
    assert_eq!(simulator.control().sessions().len(), 1, "all over one session");
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_forwards_one_connection_to_an_old_agent() {
    let Some(plugin) = plugin("basic forward") else { return };
    let (simulator, directory) = (simulator(|_| {}).await, tempfile::tempdir().unwrap());
    simulator.control().set_agent_version(NODE, "3.0.196.0").unwrap();
    let (_client, port) = forward(&simulator, &plugin, directory.path()).await;
    comes_back(port, 1).await;
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_pipes_a_connection_for_ssh() {
    let Some(plugin) = plugin("ssh") else { return };
    let (simulator, directory) = (simulator(|_| {}).await, tempfile::tempdir().unwrap());
    let parameters = json!({ "portNumber": [echo_server().await.to_string()] });
    let arguments = arguments(&simulator, Some("AWS-StartSSHSession"), parameters).await;
    let environment = environment(&simulator, directory.path());
    let mut client = OnPipes::start(&plugin, arguments, environment, directory.path());
    let sent = pattern(300_000, 1);
    let mut input = client.process.stdin.take().unwrap();
    let writer = {
        let sent = sent.clone();
        std::thread::spawn(move || input.write_all(&sent).map(|()| input))
    };
    tokio::task::block_in_place(|| {
        // It says a line of its own first.
        client.printed.until("echo of all bytes", |seen| seen.len() >= sent.len() && seen.ends_with(&sent));
        drop(writer.join().unwrap().unwrap());
    });
    simulator.shutdown().await;
}

/// Seals the sessions that start from now on with the account's key, which the client reaches by its name only: it knows
/// no endpoint for KMS. The variables are for its environment.
async fn seal(simulator: &Simulator, directory: &Path, has_challenge: bool) -> Vec<(&'static str, PathBuf)> {
    let control = simulator.control();
    let node = control.node(NODE).unwrap();
    let key = control.kms_key(&node.account, &node.region).unwrap();
    let key = SessionKey { has_challenge, ..SessionKey::new(key) };
    control.set_session_key(&node.account, &node.region, Some(key)).unwrap();
    let names = Names::of(simulator, &[format!("kms.{}.amazonaws.com", node.region)]).await;
    names.environment(directory)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_runs_shells_sealed_with_kms() {
    let Some(plugin) = plugin("sealed shell") else { return };
    let (simulator, directory) = (simulator(|_| {}).await, tempfile::tempdir().unwrap());
    for (keys, has_challenge) in [(1, true), (2, false)] {
        let mut environment = environment(&simulator, directory.path());
        environment.extend(seal(&simulator, directory.path(), has_challenge).await);
        let arguments = arguments(&simulator, None, json!({})).await;
        let mut client = OnTerminal::start(&plugin, arguments, environment, directory.path());
        tokio::task::block_in_place(|| {
            client.printed.until_text("~$ ");
            client.type_in("echo sum-$((40+2)); stty size\n");
            client.printed.until_text("sum-42\r");
            client.printed.until_text("24 80\r");
            client.type_in("seq 1 20000; exit\n");
            client.printed.until_text("19999\r\r\n20000\r\r\n");
            client.printed.until_text("Exiting session");
            assert!(client.process.wait().unwrap().success());
        });
        assert_eq!(simulator.control().calls().get("GenerateDataKey"), Some(&keys));
    }
    simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_forwards_unsealed_where_shells_are_sealed() {
    let Some(plugin) = plugin("forward beside a key") else { return };
    let (simulator, directory) = (simulator(|_| {}).await, tempfile::tempdir().unwrap());
    seal(&simulator, directory.path(), true).await;
    let (_client, port) = forward(&simulator, &plugin, directory.path()).await;
    tokio::join!(comes_back(port, 1), comes_back(port, 2));
    assert_eq!(
        simulator.control().calls().get("GenerateDataKey"),
        None,
        "ports have no key (protocol.md 5.1)"
    );
    simulator.shutdown().await;
}
