//! Databases, caches and web servers with their own load programs, through `fleetline forward`, while sockets are cut.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::forwards::{Forwarding, forward};
use super::{Lab, Ran};

/// Bytes of the web server's `/large`: more than all buffers on the way hold.
const LARGE: usize = 32 * 1024 * 1024;

/// A server that ends with its test.
pub(super) struct Server {
    child: Child,
    pub(super) port: u16,
    directory: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // They end in order on this signal, their children with them.
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().ok();
        self.child.wait().ok();
    }
}

impl Server {
    /// Starts what `command` makes of a free port and a directory, and waits until it listens.
    pub(super) fn start(command: impl Fn(u16, &Path) -> Command) -> Self {
        let directory = tempfile::tempdir().unwrap();
        // Servers that drop their rights must be able to enter it.
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().port()
        };
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let mut command = command(port, directory.path());
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let server = Self { child: command.spawn().unwrap(), port, directory };
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("it does not listen: {:?}", std::fs::read_to_string(server.directory.path().join("log")));
    }

    /// A file of its directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A web server with a small `/page` and a [`LARGE`] `/large`.
    pub(super) fn nginx() -> Self {
        Self::start(|port, directory| {
            std::fs::write(directory.join("page"), vec![b'p'; 2000]).unwrap();
            std::fs::write(directory.join("large"), vec![b'l'; LARGE]).unwrap();
            let config = format!(
                "daemon off; error_log stderr; pid {0}/pid; worker_processes 1; events {{ worker_connections 1024; }}
                 http {{ access_log off; client_body_temp_path {0}; proxy_temp_path {0}; fastcgi_temp_path {0};
                 uwsgi_temp_path {0}; scgi_temp_path {0}; keepalive_requests 100000;
                 server {{ listen 127.0.0.1:{port} backlog=1024; root {0}; }} }}",
                directory.display(),
            );
            std::fs::write(directory.join("nginx.conf"), config).unwrap();
            let mut command = Command::new("/usr/sbin/nginx");
            command.arg("-c").arg(directory.join("nginx.conf"));
            command
        })
    }

    /// A database whose superuser needs no password.
    pub(super) fn postgres() -> Self {
        let version = std::fs::read_dir("/usr/lib/postgresql").unwrap().flatten().next().unwrap().path();
        let program = move |name: &str| version.join("bin").join(name);
        Self::start(move |port, directory| {
            let data = directory.join("data");
            std::fs::create_dir(&data).unwrap();
            if is_root() {
                run(Command::new("chown").arg("postgres").args([data.as_path(), directory]));
            }
            run(as_postgres(program("initdb"))
                .args(["--auth=trust", "--no-sync", "--username=postgres", "--pgdata"])
                .arg(&data));
            let mut server = as_postgres(program("postgres"));
            let port = port.to_string();
            server.arg("-D").arg(&data).args(["-p", &port, "-h", "127.0.0.1", "-k", "", "-c", "fsync=off"]);
            server
        })
    }
}

pub(super) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n")
}

/// The database refuses to run as root; others run it as themselves.
fn as_postgres(program: PathBuf) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

pub(super) fn run(command: &mut Command) -> Ran {
    let ran = Ran::of(command.stdin(Stdio::null()).output().unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

/// Runs `load` with the local port of a forward to `port`, the sockets being cut all the time.
async fn through_a_forward(port: u16, load: impl FnOnce(&str) + Send + 'static) {
    let lab = Lab::open().await;
    let node = lab.linux();
    let mut forwarding = Forwarding::start(forward(&lab, &node, &[&format!("0:{port}"), "-q"]));
    let address = forwarding.line();
    let control = lab.simulator.control();
    let cutting = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(900)).await;
            control.cut_all_client_sockets().await;
        }
    });
    let local = address.rsplit(':').next().unwrap().to_owned();
    tokio::task::spawn_blocking(move || load(&local)).await.unwrap();
    cutting.abort();
    tokio::task::spawn_blocking(move || forwarding.interrupt()).await.unwrap();
    let sockets: u64 = lab.simulator.control().sessions().iter().map(|s| s.client_sockets).sum();
    assert!(sockets > 2, "the sockets were cut and replaced: {sockets}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pgbench_loses_no_transaction_and_copy_is_exact() {
    let server = Server::postgres();
    through_a_forward(server.port, |port| {
        let to = |program: &str| {
            let mut command = Command::new(program);
            command.args(["-h", "127.0.0.1", "-p", port, "-U", "postgres"]);
            command
        };
        run(to("pgbench").args(["-i", "-q", "-s", "1", "postgres"]));
        let ran = run(to("pgbench").args(["-c", "20", "-j", "2", "-T", "4", "postgres"]));
        assert!(ran.out.contains("number of failed transactions: 0"), "{ran:?}");
        assert!(!ran.err.contains("aborted"), "{ran:?}");
        let copy = "create table t(n int, s text); insert into t select n, repeat('x', 50) from generate_series(1, 50000) n;
                    \\copy t to 'PATH'\n create table u(n int, s text);\n \\copy u from 'PATH'\n
                    select count(*), sum(hashtext(s || n)::bigint) = (select sum(hashtext(s || n)::bigint) from t) from u;";
        let directory = tempfile::tempdir().unwrap();
        let script = directory.path().join("copy.sql");
        let path = directory.path().join("rows");
        std::fs::write(&script, copy.replace("PATH", &path.display().to_string())).unwrap();
        let ran = run(to("psql").args(["-At", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&script).arg("postgres"));
        assert!(ran.out.trim_end().ends_with("50000|t"), "{ran:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_benchmark_runs_with_fifty_clients() {
    let server = Server::start(|port, directory| {
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(directory);
        command
    });
    through_a_forward(server.port, |port| {
        let mut load = Command::new("redis-benchmark");
        load.args(["-p", port, "-c", "50", "-n", "20000", "-P", "4", "-t", "set,get,lrange_100", "-q"]);
        let ran = run(&mut load);
        for name in ["SET:", "GET:", "LRANGE_100"] {
            assert!(ran.out.contains(name), "{ran:?}");
        }
        assert!(!ran.out.contains("rror") && !ran.err.contains("rror"), "{ran:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrk_gets_every_answer_over_two_hundred_connections() {
    let server = Server::nginx();
    through_a_forward(server.port, |port| {
        let mut load = Command::new("wrk");
        load.args(["-t", "2", "-c", "200", "-d", "4", "--timeout", "30"]);
        load.arg(format!("http://127.0.0.1:{port}/page"));
        let ran = run(&mut load);
        assert!(ran.out.contains("requests in"), "{ran:?}");
        assert!(!ran.out.contains("Socket errors") && !ran.out.contains("Non-2xx"), "{ran:?}");
    })
    .await;
}

/// Asks for `path` over an open connection.
pub(super) fn ask(mut stream: &TcpStream, path: &str) {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
}

/// Reads an answer whose content has `length` bytes, all of them `byte`.
pub(super) fn answer(mut stream: &TcpStream, length: usize, byte: u8) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut one = [0];
        stream.read_exact(&mut one).unwrap();
        head.push(one[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    let mut content = vec![0; length];
    stream.read_exact(&mut content).unwrap();
    assert!(content.iter().all(|b| *b == byte), "the content differs");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_abort_in_mid_answer_disturb_no_other_and_lose_no_session() {
    let server = Server::nginx();
    let lab = Lab::open().await;
    let node = lab.linux();
    let mut forwarding = Forwarding::start(forward(&lab, &node, &[&format!("0:{}", server.port), "-q"]));
    let address = forwarding.line();
    let connect = move || {
        let stream = TcpStream::connect(&address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    };
    tokio::task::spawn_blocking(move || {
        // Connections that are kept alive all the while.
        let kept: Vec<TcpStream> = (0..4).map(|_| connect()).collect();
        for round in 0..12 {
            let aborted = connect();
            ask(&aborted, "/page");
            answer(&aborted, 2000, b'p');
            ask(&aborted, "/large");
            let mut some = [0; 5000];
            (&aborted).read_exact(&mut some).unwrap();
            // What is unread makes the system send a reset; every other time the connection ends before the rest.
            if round % 2 == 0 {
                aborted.shutdown(std::net::Shutdown::Both).unwrap();
            }
            drop(aborted);
            for kept in &kept {
                ask(kept, "/page");
                answer(kept, 2000, b'p');
            }
        }
        ask(&kept[0], "/large");
        answer(&kept[0], LARGE, b'l');
    })
    .await
    .unwrap();
    let sessions = lab.simulator.control().sessions();
    assert!(sessions.iter().all(|s| !s.status.is_over() && s.client_sockets == 1), "{sessions:?}");
    assert_eq!(tokio::task::spawn_blocking(move || forwarding.interrupt()).await.unwrap(), Some(130));
    lab.end().await;
}
