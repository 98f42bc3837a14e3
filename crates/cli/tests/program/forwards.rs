//! `fleetline forward` with real servers behind simulated nodes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Lab, Ran, at};

/// A server that sends back what it receives; its port.
pub(super) fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut reader = stream.try_clone().unwrap();
                let mut writer = stream;
                std::io::copy(&mut reader, &mut writer).ok();
            });
        }
    });
    port
}

/// A process that does not outlive its test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended, and then there is nothing to kill.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A running `fleetline forward`.
pub(super) struct Forwarding {
    child: Running,
    out: BufReader<ChildStdout>,
}

impl Forwarding {
    /// Starts it; what it tells on its error stream goes where the test's does.
    pub(super) fn start(mut command: Command) -> Self {
        command.stderr(Stdio::inherit());
        Self::started(command)
    }

    /// Starts it as it is.
    pub(super) fn started(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child: Running(child), out }
    }

    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Its error stream, where that is a pipe.
    pub(super) fn errors(&mut self) -> ChildStderr {
        self.child.0.stderr.take().unwrap()
    }

    /// Ends it as Ctrl-C does; its exit status.
    pub(super) fn interrupt(mut self) -> Option<i32> {
        let pid = self.child.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        self.child.0.wait().unwrap().code()
    }
}

pub(super) fn forward(lab: &Lab, node: &fleetline_simulator::NodeView, rest: &[&str]) -> Command {
    let mut args = vec!["forward"];
    args.extend(at(node));
    args.push(&node.id);
    args.extend(rest);
    lab.command(&args)
}

/// Sends `bytes` and reads as many back.
pub(super) fn exchanged(address: &str, bytes: &[u8]) -> Vec<u8> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let sent = bytes.to_vec();
    let writing = std::thread::spawn(move || writer.write_all(&sent));
    let mut back = vec![0; bytes.len()];
    (&stream).read_exact(&mut back).unwrap();
    writing.join().unwrap().unwrap();
    stream.shutdown(Shutdown::Both).ok();
    back
}

#[tokio::test(flavor = "multi_thread")]
async fn forwards_carry_many_connections_and_heal_cut_sockets() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let remote = echo();
    let mut forwarding = Forwarding::start(forward(&lab, &node, &[&format!("0:{remote}"), "-q"]));
    let address = forwarding.line();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    let control = lab.simulator.control();
    let cutting = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            control.cut_all_client_sockets().await;
        }
    });
    let connections: Vec<_> = (0..8_u32)
        .map(|n| {
            let address = address.clone();
            std::thread::spawn(move || {
                let sent: Vec<u8> = (0..300_000_u32).flat_map(|i| (i ^ n).to_le_bytes()).collect();
                assert!(exchanged(&address, &sent) == sent, "connection {n} differs");
            })
        })
        .collect();
    tokio::task::spawn_blocking(move || connections.into_iter().for_each(|c| c.join().unwrap()))
        .await
        .unwrap();
    cutting.abort();
    let status = tokio::task::spawn_blocking(move || forwarding.interrupt()).await.unwrap();
    assert_eq!(status, Some(130));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_forwards_unix_sockets_and_json_name_where_they_listen() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let remote = echo();
    let specs = [format!("0:{remote}"), format!("127.0.0.2:0:{remote}")];
    let mut forwarding = Forwarding::start(forward(&lab, &node, &[&specs[0], &specs[1], "-q", "--json"]));
    for prefix in ["127.0.0.1:", "127.0.0.2:"] {
        let line: serde_json::Value = serde_json::from_str(&forwarding.line()).unwrap();
        let address = line["listening"][0].as_str().unwrap().to_owned();
        assert!(address.starts_with(prefix), "{line}");
        assert_eq!(exchanged(&address, b"\n"), b"\n", "a single line feed");
    }
    tokio::task::spawn_blocking(move || forwarding.interrupt()).await.unwrap();

    let path = lab.directory.path().join("sockets/db");
    let remote = remote.to_string();
    let socket = path.display().to_string();
    let mut forwarding = Forwarding::start(forward(&lab, &node, &[&remote, "--socket", &socket, "-q"]));
    assert_eq!(forwarding.line(), socket);
    let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    stream.write_all(b"over a socket").unwrap();
    let mut back = [0; 13];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"over a socket");
    drop(stream);
    tokio::task::spawn_blocking(move || forwarding.interrupt()).await.unwrap();
    assert!(!path.exists(), "the socket goes with its forward");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_forwarded_is_named_and_begins_no_session() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ran = |rest: &[&str]| Ran::of(forward(&lab, &node, rest).output().unwrap());
    let in_use = ran(&[&format!("{port}:80")]);
    assert_eq!(in_use.code, Some(8), "{in_use:?}");
    assert!(in_use.err.contains("another program uses it"), "{in_use:?}");
    assert!(in_use.err.contains("is the next free port"), "{in_use:?}");
    for (spec, words) in
        [("*:0:80", "--expose"), ("80", "1 parts"), ("1:0", "no port"), ("x:1:2", "no address")]
    {
        let ran = ran(&[spec]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
    }
    assert_eq!(lab.simulator.control().sessions().len(), 0);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forward_outlives_its_node_and_works_again_once_that_is_back() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let remote = echo();
    let mut forwarding = Forwarding::start(forward(&lab, &node, &[&format!("0:{remote}"), "-q"]));
    let address = forwarding.line();
    let mut cut = TcpStream::connect(&address).unwrap();
    cut.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    cut.write_all(b"before").unwrap();
    let mut back = [0; 6];
    cut.read_exact(&mut back).unwrap();

    let down = Duration::from_secs(2);
    let control = lab.simulator.control();
    control.reboot_node(&node.id, down).await.unwrap();
    let error = cut.read(&mut back).expect_err("never an orderly end: data may be lost");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");

    // Its programs may come as early as they like.
    let early = TcpStream::connect(&address);
    tokio::time::sleep(down).await;
    let returned = Instant::now();
    assert_eq!(exchanged(&address, b"after"), b"after");
    assert!(returned.elapsed() < Duration::from_secs(5), "{:?} after the node's return", returned.elapsed());
    assert!(early.is_ok(), "the listener stayed");
    let sessions = control.sessions();
    assert!(sessions[0].status.is_over() && sessions.len() >= 2, "a new session carries it: {sessions:?}");
    tokio::task::spawn_blocking(move || forwarding.interrupt()).await.unwrap();
    lab.end().await;
}
