//! The built program against the real agent, where FLEETLINE_PEER_AGENT names the directory of the agent's programs.
//! Without it, the test says that it was skipped. It needs the rights of root: the agent gets a file system and
//! processes of its own, so that nothing of it stays.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fleetline_simulator::{NodeView, SimulatorConfig, SocketCut};
use serde_json::json;

use super::forwards::{Forwarding, echo, exchanged, forward};
use super::terminal::Terminal;
use super::{Lab, Ran, at};

/// Its arguments: a directory, that of the agent's programs, and the agent's settings.
const HOST: &str = r#"
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" "$1/root"
mkdir -p "$1/root/etc/amazon/ssm"
cp "$2"/* "$1/root/usr/bin/" 2>/dev/null || true
printf %s "$3" > "$1/root/etc/amazon/ssm/amazon-ssm-agent.json"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
exec chroot "$1/root" /usr/bin/amazon-ssm-agent
"#;

/// The agent, which ends with its test.
struct RealAgent {
    namespace: Child,
    _files: tempfile::TempDir,
}

impl Drop for RealAgent {
    fn drop(&mut self) {
        // The first process of the namespace takes all others with it.
        self.namespace.kill().ok();
        self.namespace.wait().ok();
    }
}

impl RealAgent {
    /// Starts the agent of a node and waits until its control channel is open.
    async fn start(lab: &Lab, programs: &Path, node: &NodeView) -> Self {
        let account = lab.simulator.accounts().into_iter().find(|one| one.name == node.account).unwrap();
        let settings = json!({
            "Agent": { "Region": node.region, "ContainerMode": true },
            "Mgs": { "Region": node.region, "Endpoint": lab.simulator.endpoint() },
            "Identity": {
                "ConsumptionOrder": ["CustomIdentity"],
                "CustomIdentities":
                    [{ "InstanceID": node.id, "Region": node.region, "CredentialsProvider": "DEFAULT" }],
            },
        });
        let files = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(lab.directory.path().join("agent.log")).unwrap();
        let namespace = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", HOST, "host"])
            .arg(files.path())
            .arg(programs)
            .arg(settings.to_string())
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root")
            .env("SSL_CERT_FILE", lab.directory.path().join("ca.pem"))
            .env("AWS_ACCESS_KEY_ID", &account.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &account.secret_access_key)
            .env("AWS_SESSION_TOKEN", &account.session_token)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let agent = Self { namespace, _files: files };
        let control = lab.simulator.control();
        let connected = control.wait_for(|_| control.has_outside_agent(&node.id));
        if tokio::time::timeout(Duration::from_secs(60), connected).await.is_err() {
            panic!("{}", std::fs::read_to_string(lab.directory.path().join("agent.log")).unwrap());
        }
        agent
    }
}

/// The directory of the agent's programs; `None`, and a word about it, when there is none.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn programs() -> Option<PathBuf> {
    let named = std::env::var_os("FLEETLINE_PEER_AGENT").map(PathBuf::from);
    if named.is_none() {
        eprintln!("skipped; FLEETLINE_PEER_AGENT does not name the directory of the agent's programs");
    }
    named
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_agent_serves_commands_shells_and_forwards_also_after_cuts() {
    let Some(programs) = programs() else { return };
    let config = SimulatorConfig { tls: true, demo_denials: false, ..SimulatorConfig::default() };
    let lab = Lab::new(config).await;
    let node = lab.linux();
    let agent = RealAgent::start(&lab, &programs, &node).await;
    commands(&lab, &node);
    shell(&lab, &node).await;
    forwarded(&lab, &node).await;
    lab.nothing_left().await;
    drop(agent);
}

fn commands(lab: &Lab, node: &NodeView) {
    let exec = |command: &[&str]| -> Ran {
        let mut args = vec!["exec", node.id.as_str()];
        args.extend(at(node));
        args.push("--");
        args.extend(command);
        lab.run(&args)
    };
    let ran = exec(&["/bin/ls", "/nonexistent"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.err.contains("/nonexistent"), "{ran:?}");
    let ran = exec(&["/usr/bin/seq", "20000"]);
    let wanted: String = (1..=20_000).map(|number| format!("{number}\n")).collect();
    assert!((ran.code, ran.out) == (Some(0), wanted), "{}", ran.err);
}

/// A terminal of a size, and a long output in the middle of which the client's socket is cut.
async fn shell(lab: &Lab, node: &NodeView) {
    let mut args = vec!["shell", node.id.as_str()];
    args.extend(at(node));
    let mut terminal = Terminal::start(lab, &args, &[]);
    terminal.expect("# ");
    terminal.write(b"echo $((6*7))x; stty size\r");
    terminal.expect("42x");
    terminal.expect("33 101");
    terminal.write(b"seq 1 30000; echo do''ne\r");
    terminal.expect("\n1000\r");
    assert_eq!(lab.simulator.control().cut_all_client_sockets_with(SocketCut::Reset).await, 1);
    let shown = terminal.expect("done\r");
    let numbers: Vec<u32> = shown.lines().filter_map(|line| line.trim().parse().ok()).collect();
    assert_eq!(numbers, (1001..=30_000).collect::<Vec<u32>>());
    terminal.write(b"exit\r");
    assert!(terminal.wait().success());
}

/// Bytes both ways through connections side by side, with the sockets cut in between.
async fn forwarded(lab: &Lab, node: &NodeView) {
    let port = echo();
    let mut forwarding = Forwarding::start(forward(lab, node, &[&format!("0:{port}")]));
    let address = forwarding.line();
    let bytes: Vec<u8> = (0..300_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for round in 0..2 {
        let connections: Vec<_> = (0..3)
            .map(|shift: usize| {
                let (address, mut sent) = (address.clone(), bytes.clone());
                sent.rotate_left(shift + 3 * round);
                std::thread::spawn(move || exchanged(&address, &sent) == sent)
            })
            .collect();
        for connection in connections {
            assert!(connection.join().unwrap());
        }
        lab.simulator.control().cut_all_client_sockets_with(SocketCut::Reset).await;
    }
    assert_eq!(forwarding.interrupt(), Some(130));
}
