//! What people do with OpenSSH beyond a command: its own forwards, shared connections, sftp and rsync, by ssh-proxy.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::forwards::{echo, exchanged};
use super::ssh::{Server, bytes, run, user};
use super::{Lab, Ran, servers};

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An ssh that stays until its standard input ends.
struct Staying(Child);

impl Staying {
    /// Starts it and waits until its remote program runs, so that all its forwards listen.
    fn start(mut ssh: Command, target: &str) -> Self {
        let mut child = ssh.stdin(Stdio::piped()).args([target, "echo ready; cat"]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let staying = Self(child);
        assert_eq!(line, "ready\n");
        staying
    }

    fn end(mut self) -> Option<i32> {
        drop(self.0.stdin.take());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ssh_forwards_ports_and_serves_socks() {
    let (server, web) = (Server::start(), servers::Server::nginx());
    let lab = Lab::open().await;
    let node = lab.linux();
    let (local, socks) = (free_port(), free_port());
    let mut ssh = server.client(&lab, "ssh", &node);
    ssh.args(["-o", "ExitOnForwardFailure=yes", "-L", &format!("127.0.0.1:{local}:127.0.0.1:{}", echo())]);
    ssh.args(["-D", &format!("127.0.0.1:{socks}")]);
    let staying = Staying::start(ssh, &format!("{}@{}", user(), node.id));
    let sent = bytes(500_000);
    let address = format!("127.0.0.1:{local}");
    let each = std::thread::spawn({
        let (address, sent) = (address.clone(), sent.clone());
        move || assert!(exchanged(&address, &sent) == sent, "bytes differ")
    });
    assert!(exchanged(&address, &sent) == sent, "bytes differ");
    each.join().unwrap();
    let mut curl = Command::new("curl");
    curl.args(["-sSf", "--socks5-hostname", &format!("127.0.0.1:{socks}")]);
    curl.arg(format!("http://127.0.0.1:{}/page", web.port)).stdin(Stdio::null());
    let ran = Ran::of(curl.output().unwrap());
    assert_eq!((ran.code, ran.out), (Some(0), "p".repeat(2000)), "{}", ran.err);
    assert_eq!(staying.end(), Some(0));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_connections_use_one_session_for_many_programs() {
    let server = Server::start();
    let lab = Lab::open().await;
    let node = lab.linux();
    let target = format!("{}@{}", user(), node.id);
    let path = format!("ControlPath={}", server.path("shared").display());
    let mut master = server.client(&lab, "ssh", &node);
    master.args(["-o", &path, "-o", "ControlMaster=yes"]);
    let staying = Staying::start(master, &target);
    let clients: Vec<_> = (0..5)
        .map(|n| {
            let mut ssh = server.client(&lab, "ssh", &node);
            ssh.args(["-o", &path, "-o", "ControlMaster=no", &target]);
            ssh.arg(format!("head -c 100000 /dev/zero | tr '\\0' {n}; exit {n}"));
            std::thread::spawn(move || Ran::of(ssh.output().unwrap()))
        })
        .collect();
    for (n, client) in (0_i32..).zip(clients) {
        let ran = client.join().unwrap();
        assert_eq!((ran.code, ran.out), (Some(n), n.to_string().repeat(100_000)), "{}", ran.err);
    }
    assert_eq!(staying.end(), Some(0));
    assert_eq!(lab.simulator.control().sessions().len(), 1);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sftp_and_rsync_are_byte_exact_while_the_socket_is_cut() {
    let server = Server::start();
    let lab = Lab::open().await;
    let node = lab.linux();
    let sent = bytes(2 * 1024 * 1024);
    std::fs::write(server.path("sent"), &sent).unwrap();
    let control = lab.simulator.control();
    let cutting = tokio::spawn(async move {
        let mut every = tokio::time::interval(std::time::Duration::from_millis(400));
        loop {
            every.tick().await;
            control.cut_all_client_sockets().await;
        }
    });
    let target = format!("{}@{}", user(), node.id);
    let place = |name: &str| server.path(name).display().to_string();
    let batch = format!("put {0} {1}\nget {1} {2}\n", place("sent"), place("there"), place("back"));
    std::fs::write(server.path("batch"), batch).unwrap();
    let mut sftp = server.client(&lab, "sftp", &node);
    sftp.arg("-b").arg(server.path("batch")).arg(&target);
    let ran = run(sftp).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");

    let tree = server.path("tree");
    std::fs::create_dir_all(tree.join("deep/er")).unwrap();
    for (name, count) in [("one", 1_u32), ("deep/empty", 0), ("deep/er/much", 1024 * 1024)] {
        std::fs::write(tree.join(name), bytes(count)).unwrap();
    }
    let config = server.config(&node);
    let rsync = |from: String, to: String| {
        let mut rsync = Command::new("rsync");
        rsync.env_clear().envs(lab.environment()).args(["-a", "--delete", "-e"]);
        rsync.arg(format!("ssh -F {}", config.display())).args([from, to]).stdin(Stdio::null());
        rsync
    };
    let remote = format!("{target}:{}/", place("mirror"));
    for changed in [false, true] {
        if changed {
            // The second time only differences are sent.
            let mut much = bytes(1024 * 1024);
            much[2_000_000] ^= 1;
            std::fs::write(tree.join("deep/er/much"), much).unwrap();
            std::fs::remove_file(tree.join("one")).unwrap();
        }
        for (from, to) in [(format!("{}/", place("tree")), remote.clone()), (remote.clone(), place("again"))]
        {
            let ran = run(rsync(from, to)).await;
            assert_eq!(ran.code, Some(0), "{ran:?}");
        }
    }
    cutting.abort();
    for name in ["there", "back"] {
        assert!(std::fs::read(server.path(name)).unwrap() == sent, "{name} differs");
    }
    let same = Command::new("diff").arg("-r").arg(&tree).arg(server.path("again")).status().unwrap();
    assert!(same.success(), "the tree differs");
    let sockets: u64 = lab.simulator.control().sessions().iter().map(|s| s.client_sockets).sum();
    assert!(sockets > 5, "the sockets were cut and replaced: {sockets}");
    lab.end().await;
}
