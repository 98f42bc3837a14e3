//! OpenSSH's own client and server through `fleetline ssh-proxy`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fleetline_simulator::{DenyReason, DenyRule, NodeView, SimulatorConfig};

use super::{Lab, Ran, at};

/// A private OpenSSH server of the current user on a free port, and the files of its client.
pub(super) struct Server {
    child: Child,
    directory: tempfile::TempDir,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Server {
    /// One that takes the key `user` of its directory.
    pub(super) fn start() -> Self {
        Self::taking(|directory| format!("AuthorizedKeysFile {}\n", directory.join("user.pub").display()))
    }

    /// One that asks the simulator for the keys of EC2 Instance Connect, as an instance asks its metadata, and knows no
    /// others. The session's port routes are the test's.
    fn asking(lab: &Lab, node: &NodeView) -> Self {
        let pages = format!("{}/_sim/keys/{}", lab.simulator.endpoint(), node.id);
        Self::taking(|_| {
            let user = user();
            format!(
                "AuthorizedKeysFile none\nAuthorizedKeysCommand /usr/bin/curl -sf {pages}/%u\n\
                 AuthorizedKeysCommandUser {user}\n"
            )
        })
    }

    /// One with these lines about keys.
    fn taking(keys: impl Fn(&Path) -> String) -> Self {
        let program = Path::new("/usr/sbin/sshd");
        // The server's own place for the process without rights; only root's server needs it.
        std::fs::create_dir_all("/run/sshd").ok();
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for key in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(path(key))
                .status()
                .unwrap();
            assert!(made.success());
        }
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\n{}PidFile none\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\nMaxStartups 50\n",
            path("host").display(),
            keys(directory.path()),
        );
        std::fs::write(path("sshd_config"), config).unwrap();
        let child = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(path("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(path("log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { child, directory, port };
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("sshd does not listen: {}", std::fs::read_to_string(server.path("log")).unwrap());
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A client's configuration that leads every host through ssh-proxy to `node`.
    pub(super) fn config(&self, node: &NodeView) -> PathBuf {
        let path = self.path("ssh_config");
        let scope = at(node).join(" ");
        let config = format!(
            "ProxyCommand {} ssh-proxy {scope} {} {}\nIdentityFile {}\nUserKnownHostsFile /dev/null\nStrictHostKeyChecking no\n\
             LogLevel ERROR\nBatchMode yes\n",
            env!("CARGO_BIN_EXE_fleetline"),
            node.id,
            self.port,
            self.path("user").display(),
        );
        std::fs::write(&path, config).unwrap();
        path
    }

    /// `program` with the configuration that leads it through ssh-proxy to `node`.
    pub(super) fn client(&self, lab: &Lab, program: &str, node: &NodeView) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(lab.environment()).arg("-F").arg(self.config(node));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

pub(super) fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Bytes that do not repeat within a message.
pub(super) fn bytes(count: u32) -> Vec<u8> {
    (0..count).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

pub(super) async fn run(mut command: Command) -> Ran {
    tokio::task::spawn_blocking(move || Ran::of(command.output().unwrap())).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn ssh_carries_commands_streams_and_exit_status() {
    let server = Server::start();
    let lab = Lab::open().await;
    let node = lab.linux();
    let target = format!("{}@{}", user(), node.id);
    let mut ssh = server.client(&lab, "ssh", &node);
    ssh.args([&target, "echo out; echo err >&2; printf '\\n\\n'; exit 7"]);
    let ran = run(ssh).await;
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(7), "out\n\n\n", "err\n"), "{ran:?}");

    // Standard input passes whole, and its end is seen by the remote program.
    let sent = bytes(200_000);
    let mut ssh = server.client(&lab, "ssh", &node);
    std::fs::write(server.path("input"), &sent).unwrap();
    ssh.stdin(std::fs::File::open(server.path("input")).unwrap()).args([&target, "cat | wc -c"]);
    let ran = run(ssh).await;
    assert_eq!((ran.code, ran.out.trim()), (Some(0), "800000"), "{ran:?}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scp_is_byte_exact_both_ways_while_the_socket_is_cut() {
    let server = Server::start();
    let lab = Lab::open().await;
    let node = lab.linux();
    // Long enough for several cuts each way; FLEETLINE_SCP_MIB asks for more, with cuts as far apart as people meet them.
    let asked = std::env::var("FLEETLINE_SCP_MIB").ok();
    let mebibytes: u32 =
        asked.as_deref().map_or(24, |text| text.parse().expect("FLEETLINE_SCP_MIB is a number"));
    let pause = Duration::from_millis(if asked.is_some() { 3000 } else { 400 });
    let sent = bytes(mebibytes * (1024 * 1024 / 4));
    std::fs::write(server.path("sent"), &sent).unwrap();
    let control = lab.simulator.control();
    let cutting = tokio::spawn(async move {
        let mut cuts = 0_u32;
        let mut every = tokio::time::interval(pause);
        loop {
            every.tick().await;
            cuts += u32::try_from(control.cut_all_client_sockets().await).unwrap();
            if cuts > 10_000 {
                return;
            }
        }
    });
    let remote = |name: &str| format!("{}@{}:{}", user(), node.id, server.path(name).display());
    let mut up = server.client(&lab, "scp", &node);
    up.arg(server.path("sent")).arg(remote("there"));
    let ran = run(up).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mut down = server.client(&lab, "scp", &node);
    down.arg(remote("there")).arg(server.path("back"));
    let ran = run(down).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    cutting.abort();
    for name in ["there", "back"] {
        assert!(std::fs::read(server.path(name)).unwrap() == sent, "{name} differs");
    }
    let sockets: u64 = lab.simulator.control().sessions().iter().map(|s| s.client_sockets).sum();
    assert!(sockets > 4, "the sockets were cut and replaced: {sockets}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_ssh_proxy_say_why_and_leave_nothing_on_standard_output() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let scope = at(&node);
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port().to_string()
    };
    let mut args: Vec<&str> = vec!["ssh-proxy"];
    args.extend(scope);
    args.extend([node.id.as_str(), port.as_str()]);
    let ran = lab.run(&args);
    assert!(ran.code.is_some_and(|code| code != 0), "{ran:?}");
    assert_eq!(ran.out, "");
    assert!(ran.err.contains("connection refused"), "{ran:?}");
    args.pop();
    args.push("0");
    assert_eq!(lab.run(&args).code, Some(2));
    lab.end().await;
}

/// A lab whose simulator has its control pages, a node of EC2, and an SSH server that takes pushed keys only.
async fn with_pushed_keys() -> (Lab, NodeView, Server) {
    let config =
        SimulatorConfig { demo_denials: false, enable_control_http: true, ..SimulatorConfig::default() };
    let lab = Lab::new(config).await;
    let node = lab.linux();
    let server = Server::asking(&lab, &node);
    (lab, node, server)
}

/// `ssh` with its default key, through a proxy that is given `rest` as well.
fn pushing(lab: &Lab, node: &NodeView, server: &Server, rest: &str) -> Command {
    let config = std::fs::read_to_string(server.config(node)).unwrap();
    let port = format!(" {}\n", server.port);
    let config = config.replacen(&port, &format!(" {} {rest}\n", server.port), 1);
    let path = server.path("pushing_config");
    std::fs::write(&path, config).unwrap();
    let mut ssh = Command::new("ssh");
    ssh.env_clear().envs(lab.environment()).arg("-F").arg(path);
    ssh.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    ssh.args([&format!("{}@{}", user(), node.id), "echo in"]);
    ssh
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_key_opens_ssh_for_a_minute_and_nothing_else_does() {
    let (lab, node, server) = with_pushed_keys().await;
    let key = server.path("user").display().to_string();
    let before = run(pushing(&lab, &node, &server, "")).await;
    assert_eq!(before.code, Some(255), "{before:?}");
    assert!(before.err.contains("Permission denied"), "{before:?}");

    let push = format!("--push-key --user {} --key-file {key}", user());
    let ran = run(pushing(&lab, &node, &server, &push)).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "in\n"), "{ran:?}");
    let pushed = lab.simulator.control().pushed_keys(&node.id, &user()).unwrap();
    let public = std::fs::read_to_string(server.path("user.pub")).unwrap();
    let words: Vec<&str> = public.split(' ').take(2).collect();
    assert_eq!(pushed, [words.join(" ")], "without the comment");

    let still = run(pushing(&lab, &node, &server, "")).await;
    assert_eq!(still.code, Some(0), "{still:?}");
    lab.simulator.control().expire_pushed_keys();
    let after = run(pushing(&lab, &node, &server, "")).await;
    assert_eq!(after.code, Some(255), "{after:?}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_be_pushed_starts_no_session_and_says_what_is_missing() {
    let (lab, node, server) = with_pushed_keys().await;
    let key = server.path("user").display().to_string();
    let proxy = |node: &NodeView, rest: &[&str]| {
        let mut args = vec!["ssh-proxy"];
        args.extend(at(node));
        args.extend([node.id.as_str(), "22"]);
        args.extend(rest);
        lab.run(&args)
    };
    lab.simulator.control().deny(DenyRule {
        action: "ec2-instance-connect:SendSSHPublicKey".to_owned(),
        resource: "*".to_owned(),
        reason: DenyReason::NoIdentityPolicy,
    });
    let denied = proxy(&node, &["--push-key", "--user", "ec2-user", "--key-file", &key]);
    denied.refused(3);
    assert!(denied.err.contains("ec2-instance-connect:SendSSHPublicKey"), "{denied:?}");
    assert!(denied.err.contains(&format!("instance/{}", node.id)), "{denied:?}");

    let hybrid = lab.node(|node| node.online && node.hybrid);
    let refused = proxy(&hybrid, &["--push-key", "--user", "ec2-user", "--key-file", &key]);
    assert!(refused.err.contains("hybrid nodes have no EC2 Instance Connect"), "{refused:?}");
    // The home has no key.
    let missing = proxy(&node, &["--push-key", "--user", "ec2-user"]);
    missing.refused(2);
    assert!(missing.err.contains("There is no key to push"), "{missing:?}");
    let nobody = proxy(&node, &["--push-key"]);
    assert_eq!(nobody.code, Some(2), "{nobody:?}");
    assert_eq!(lab.simulator.control().sessions().len(), 0, "no session was needed");
    lab.end().await;
}
