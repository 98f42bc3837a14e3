//! OpenSSH's own regression tests (Debian's `openssh-tests`), with the connections of their clients led through
//! `fleetline ssh-proxy` while the sockets of its sessions are cut.
//!
//! Tests that start a server listen on the suite's port themselves. For the others, whose client would start a server
//! as its proxy command, this test listens there and starts that server for each connection.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::ssh::run;
use super::{Lab, at};

const SUITE: &str = "/usr/lib/openssh/regress";

/// Who answers at the suite's port.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answers {
    /// The server that the test starts.
    Test,
    /// A server for each connection, started here.
    Us,
}

#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
/// Runs one test of the suite. Says so and passes where the suite is not installed.
async fn passes(name: &str, answers: Answers) {
    if !Path::new(SUITE).join("test-exec.sh").is_file() {
        println!("skipped: openssh-tests is not installed");
        return;
    }
    std::fs::create_dir_all("/run/sshd").ok();
    let lab = Lab::open().await;
    let node = lab.linux();
    let place = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").args(["-R", SUITE]).arg(place.path()).status().unwrap();
    assert!(copied.success(), "the suite was not copied");
    let suite = place.path().join("regress");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let servers = match answers {
        Answers::Us => Some(Servers::start(listener, &suite)),
        Answers::Test => {
            drop(listener);
            None
        }
    };
    let scope = at(&node).join(" ");
    // The environment is in the command, because some tests connect on from a session of their server.
    let environment: String =
        lab.environment().iter().map(|(name, value)| format!("{name}='{value}' ")).collect();
    let proxy = format!(
        "ProxyCommand env {environment}{} ssh-proxy {scope} {} %p",
        env!("CARGO_BIN_EXE_fleetline"),
        node.id
    );
    let mut test = Command::new("sh");
    test.arg(suite.join("test-exec.sh")).arg(&suite).arg(suite.join(format!("{name}.sh")));
    test.current_dir(&suite).env_clear().envs(lab.environment());
    test.envs([("TEST_SHELL", "sh"), ("TEST_SSH_UNSAFE_PERMISSIONS", "1"), ("SUDO", "")]);
    test.env("TEST_SSH_SFTPSERVER", "/usr/lib/openssh/sftp-server");
    test.env("TEST_SSH_PORT", port.to_string()).env("TEST_SSH_SSH_CONFOPTS", proxy);
    test.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let control = lab.simulator.control();
    let cutting = tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_secs(2));
        loop {
            every.tick().await;
            control.cut_all_client_sockets().await;
        }
    });
    let ran = run(test).await;
    cutting.abort();
    let logs: String = ["failed-regress.log", "failed-ssh.log"]
        .iter()
        .filter_map(|log| std::fs::read_to_string(suite.join(log)).ok())
        .collect();
    assert_eq!(ran.code, Some(0), "{name}: {}\n{}\n{logs}", ran.out, ran.err);
    let sessions = lab.simulator.control().sessions();
    assert!(!sessions.is_empty(), "{name} connected without ssh-proxy");
    drop(servers);
    lab.end().await;
}

/// Starts a server for each connection until dropped.
struct Servers {
    port: u16,
    over: Arc<AtomicBool>,
    accepting: Option<std::thread::JoinHandle<()>>,
}

impl Servers {
    fn start(listener: TcpListener, suite: &Path) -> Self {
        let port = listener.local_addr().unwrap().port();
        let over = Arc::new(AtomicBool::new(false));
        let accepting = std::thread::spawn({
            let (over, suite) = (Arc::clone(&over), suite.to_owned());
            move || {
                let mut children = Vec::new();
                for connection in listener.incoming() {
                    if over.load(Ordering::SeqCst) {
                        break;
                    }
                    children.push(serve(connection.unwrap(), &suite));
                }
                for mut child in children {
                    child.kill().ok();
                    child.wait().ok();
                }
            }
        });
        Self { port, over, accepting: Some(accepting) }
    }
}

fn serve(connection: TcpStream, suite: &Path) -> std::process::Child {
    use std::os::fd::OwnedFd;
    let log: PathBuf = suite.join("sshd.log");
    let answer = OwnedFd::from(connection.try_clone().unwrap());
    let mut server = Command::new("sh");
    server.arg(suite.join("sshd-log-wrapper.sh")).arg(log).args(["/usr/sbin/sshd", "-i", "-f"]);
    server.arg(suite.join("sshd_proxy")).current_dir(suite);
    server.stdin(OwnedFd::from(connection)).stdout(answer).stderr(Stdio::null());
    server.spawn().unwrap()
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        TcpStream::connect(("127.0.0.1", self.port)).ok();
        self.accepting.take().unwrap().join().ok();
    }
}

/// A test here for each of the suite's that is expected to pass. Of the suite's other tests some use no connection
/// (`keygen-*`, `cfg*`, `scp`, `integrity`), some expect the client to have started the server (`proxy-connect`), and
/// some take minutes without asking more of a connection than these (`cert-userkey`, `kextype`, `reconfigure`).
macro_rules! suite {
    ($($test:ident: $name:literal, $answers:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            passes($name, Answers::$answers).await;
        }
    )*};
}

suite! {
    suite_connect: "connect", Test;
    suite_connect_uri: "connect-uri", Test;
    suite_dynamic_forward: "dynamic-forward", Test;
    suite_forwarding: "forwarding", Test;
    suite_multiplex: "multiplex", Test;
    suite_reexec: "reexec", Test;
    suite_brokenkeys: "brokenkeys", Test;
    suite_sftp_uri: "sftp-uri", Test;
    suite_exit_status: "exit-status", Us;
    suite_exit_status_signal: "exit-status-signal", Us;
    suite_envpass: "envpass", Us;
    suite_transfer: "transfer", Us;
    suite_banner: "banner", Us;
    suite_dhgex: "dhgex", Us;
    suite_stderr_data: "stderr-data", Us;
    suite_stderr_after_eof: "stderr-after-eof", Us;
    suite_agent: "agent", Us;
    suite_scp3: "scp3", Us;
    suite_localcommand: "localcommand", Us;
    suite_forcecommand: "forcecommand", Us;
    suite_keytype: "keytype", Us;
    suite_host_expand: "host-expand", Us;
    suite_keys_command: "keys-command", Us;
    suite_multipubkey: "multipubkey", Us;
    suite_limit_keytype: "limit-keytype", Us;
    suite_hostkey_rotate: "hostkey-rotate", Us;
    suite_cert_file: "cert-file", Us;
    suite_allow_deny_users: "allow-deny-users", Us;
    suite_authinfo: "authinfo", Us;
    suite_knownhosts: "knownhosts", Us;
    suite_channel_timeout: "channel-timeout", Us;
    suite_connection_timeout: "connection-timeout", Us;
}
