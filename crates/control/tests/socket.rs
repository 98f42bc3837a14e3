//! Both ends over real sockets.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fleetline_control::{
    Answer, AskError, BindError, Client, ConnectError, Event, Events, ForwardRow, ForwardSpec, Handler,
    LINE_LIMIT, Listen, Refusal, RefusalKind, Request, Server, StatusRow, VERSION,
};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

fn row(state: &str) -> ForwardRow {
    ForwardRow {
        id: "f1".into(),
        name: "Ledger".into(),
        state: state.into(),
        cause: None,
        local: vec!["127.0.0.1:5432".into()],
        remote: "web-1".into(),
        connections: 0,
    }
}

/// An app with one forward.
#[derive(Default)]
struct App {
    cancelled: Arc<Notify>,
    asked: AtomicU32,
}

struct TellCancelled(Arc<Notify>);

impl Drop for TellCancelled {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Handler for App {
    async fn answer(&self, request: Request, events: Events) -> Result<Answer, Refusal> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match request {
            Request::Status => Ok(Answer::Status(StatusRow { demo: true, shells: 2, forwards: 1 })),
            Request::StartForward { forward } => {
                assert_eq!(forward.port, Some(5432));
                Ok(Answer::Started { forward: row("idle"), existing: false })
            }
            Request::Follow { forward } if forward == "f1" => {
                for state in ["active", "reconnecting", "off"] {
                    events.send(Event { at_ms: 1, forward: row(state), message: state.into() }).await;
                }
                Ok(Answer::Done)
            }
            Request::Follow { .. } => {
                let _tell = TellCancelled(self.cancelled.clone());
                std::future::pending().await
            }
            Request::Forwards => Ok(Answer::Forwards { forwards: vec![row("idle"); 5000] }),
            _ => Err(Refusal::new(RefusalKind::NotFound, "There is no such forward.")),
        }
    }
}

struct Running {
    home: TempDir,
    app: Arc<App>,
    server: JoinHandle<()>,
}

impl Running {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let server = Server::bind(&home.path().join("run"), "1.2.3").unwrap();
        let app = Arc::new(App::default());
        let server = tokio::spawn(server.serve(app.clone()));
        Self { home, app, server }
    }

    fn directory(&self) -> std::path::PathBuf {
        self.home.path().join("run")
    }

    async fn raw(&self) -> UnixStream {
        UnixStream::connect(self.directory().join("control.sock")).await.unwrap()
    }
}

#[tokio::test]
async fn requests_are_answered_in_turn() {
    let running = Running::start();
    let mut client = Client::connect(&running.directory()).await.unwrap();
    assert_eq!(client.program(), "1.2.3");
    let status = client.ask(Request::Status).await.unwrap();
    assert_eq!(status, Answer::Status(StatusRow { demo: true, shells: 2, forwards: 1 }));
    let forward = ForwardSpec {
        source: None,
        region: Some("eu-west-1".into()),
        target: "web-1".into(),
        host: None,
        port: Some(5432),
        listen: Listen::Loopback { port: 0 },
        lanes: None,
    };
    let started = client.ask(Request::StartForward { forward }).await.unwrap();
    assert_eq!(started, Answer::Started { forward: row("idle"), existing: false });
    let refused = client.ask(Request::StopForward { forward: "f9".into() }).await.unwrap_err();
    assert!(matches!(refused, AskError::Refused(Refusal { kind: RefusalKind::NotFound, .. })), "{refused}");
    // Another connection is independent.
    Client::connect(&running.directory()).await.unwrap().ask(Request::Status).await.unwrap();
    client.ask(Request::Status).await.unwrap();
}

#[tokio::test]
async fn a_forward_is_followed_to_its_end() {
    let running = Running::start();
    let client = Client::connect(&running.directory()).await.unwrap();
    let mut follow = client.follow("f1".into()).await.unwrap();
    let mut seen = Vec::new();
    while let Some(event) = follow.next().await.unwrap() {
        seen.push(event.forward.state);
    }
    assert_eq!(seen, ["active", "reconnecting", "off"]);
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_request() {
    let running = Running::start();
    let client = Client::connect(&running.directory()).await.unwrap();
    let follow = client.follow("other".into()).await.unwrap();
    while running.app.asked.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    drop(follow);
    tokio::time::timeout(Duration::from_secs(20), running.app.cancelled.notified()).await.unwrap();
}

#[tokio::test]
async fn there_is_one_app_and_what_a_crashed_one_left_is_replaced() {
    let running = Running::start();
    let second = Server::bind(&running.directory(), "x").unwrap_err();
    assert!(matches!(second, BindError::Running), "{second}");
    let mut client = Client::connect(&running.directory()).await.unwrap();
    running.server.abort();
    assert!(running.server.await.unwrap_err().is_cancelled());
    assert!(matches!(client.ask(Request::Status).await, Err(AskError::Ended)));
    let directory = running.home.path().join("run");
    assert!(!directory.join("control.sock").exists());
    assert!(matches!(Client::connect(&directory).await, Err(ConnectError::NotRunning)));
    // A socket nobody listens on.
    drop(std::os::unix::net::UnixListener::bind(directory.join("control.sock")).unwrap());
    assert!(matches!(Client::connect(&directory).await, Err(ConnectError::NotRunning)));
    Server::bind(&directory, "x").unwrap();
}

#[tokio::test]
async fn no_app_means_not_running() {
    let home = tempfile::tempdir().unwrap();
    assert!(matches!(Client::connect(&home.path().join("none")).await, Err(ConnectError::NotRunning)));
}

#[tokio::test]
async fn directories_others_can_enter_are_not_used() {
    let home = tempfile::tempdir().unwrap();
    let open = home.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(Server::bind(&open, "x"), Err(BindError::Unsafe(_))));
    assert!(matches!(Client::connect(&open).await, Err(ConnectError::Stranger)));
    let link = home.path().join("link");
    let real = home.path().join("real");
    fs::create_dir(&real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o700)).unwrap();
    symlink(&real, &link).unwrap();
    assert!(matches!(Server::bind(&link, "x"), Err(BindError::Unsafe(_))));
    assert!(matches!(Client::connect(&link).await, Err(ConnectError::Stranger)));
    let long = home.path().join("x".repeat(120));
    assert!(matches!(Server::bind(&long, "x"), Err(BindError::TooLong(_))));
    let running = Running::start();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&running.directory()), 0o700);
    assert_eq!(mode(&running.directory().join("control.sock")), 0o600);
}

#[tokio::test]
async fn another_user_who_gets_at_the_socket_is_sent_away() {
    use std::os::unix::process::CommandExt;
    let running = Running::start();
    if !fs::read_to_string("/proc/self/status").unwrap_or_default().contains("\nUid:\t0\t0") {
        println!("skipped: only root can start programs of other users");
        return;
    }
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(running.home.path(), 0o755);
    open(&running.directory(), 0o755);
    open(&running.directory().join("control.sock"), 0o666);
    let script = format!(
        "import socket\ns=socket.socket(socket.AF_UNIX)\ns.connect('{}')\n\
         try:\n s.sendall(b'{{\"id\":1,\"request\":{{\"kind\":\"hello\",\"version\":1}}}}\\n')\n print(s.recv(100))\n\
         except OSError: print(b'')",
        running.directory().join("control.sock").display()
    );
    let said = tokio::task::spawn_blocking(move || {
        let mut python = std::process::Command::new("python3");
        python.args(["-c", &script]).uid(65534).gid(65534).output().unwrap()
    });
    let said = said.await.unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "b''\n", "{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(running.app.asked.load(Ordering::Relaxed), 0);
}

async fn answer_to(running: &Running, sent: &[u8]) -> String {
    let mut stream = running.raw().await;
    // Fails when the server closes before it has read all.
    drop(stream.write_all(sent).await);
    drop(stream.shutdown().await);
    let mut said = Vec::new();
    drop(stream.read_to_end(&mut said).await);
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn other_versions_and_unknown_requests_are_refused_by_name() {
    let running = Running::start();
    let hello = format!("{{\"id\":1,\"request\":{{\"kind\":\"hello\",\"version\":{VERSION}}}}}\n");
    let said = answer_to(&running, b"{\"id\":7,\"request\":{\"kind\":\"hello\",\"version\":99}}\n").await;
    assert!(
        said.contains("\"id\":7") && said.contains("\"kind\":\"version\"") && said.contains("update the app"),
        "{said}"
    );
    let said = answer_to(&running, b"{\"id\":1,\"request\":{\"kind\":\"status\"}}\n").await;
    assert!(said.contains("must be hello"), "{said}");
    let unknown = format!(
        "{hello}{{\"id\":2,\"request\":{{\"kind\":\"fly\"}}}}\n{{\"id\":3,\"request\":{{\"kind\":\"status\",\"new\":1}}}}\n"
    );
    let said = answer_to(&running, unknown.as_bytes()).await;
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[1].contains("\"id\":2") && lines[1].contains("\"kind\":\"request\""), "{said}");
    assert!(lines[2].contains("\"shells\":2"), "fields nobody knows are ignored: {said}");
}

#[tokio::test]
async fn what_is_no_message_ends_the_connection_and_nothing_else() {
    let running = Running::start();
    for bad in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\xff\xfe\n", b"{}\n", b"[]\n", &vec![b'x'; LINE_LIMIT + 10]]
    {
        assert_eq!(answer_to(&running, bad).await, "");
    }
    Client::connect(&running.directory()).await.unwrap().ask(Request::Status).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_would_be_too_long_ends_the_connection() {
    let running = Running::start();
    let mut client = Client::connect(&running.directory()).await.unwrap();
    assert!(matches!(client.ask(Request::Forwards).await, Err(AskError::Ended)));
    Client::connect(&running.directory()).await.unwrap().ask(Request::Status).await.unwrap();
}

#[test]
fn kinds_of_a_newer_end_are_read_as_other() {
    let refusal: Refusal = serde_json::from_str("{\"kind\":\"weather\",\"message\":\"Rain.\"}").unwrap();
    assert_eq!(refusal.kind, RefusalKind::Other);
}
