//! A real browser, where there is one: a page whose parts come from many hosts, through `fleetline socks`.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};

use fleetline_simulator::PortTarget;

use super::forwards::Forwarding;
use super::socks::{route, socks};
use super::{Lab, Ran};

/// Without a window, a sandbox that needs privileges, or calls of its own.
pub(super) const HEADLESS: [&str; 7] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
];

/// Hosts of the page's parts, and how many parts it has.
const HOSTS: usize = 6;
const PARTS: usize = 60;

/// The name of a Chromium that is installed; says so when there is none.
pub(super) fn chromium() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        let asked = Command::new(name).arg("--version").output();
        asked.is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        std::io::stderr().lock().write_all(b"skipped: no Chromium is installed\n").unwrap();
    }
    found
}

fn part(n: usize) -> String {
    format!("assets-{}.internal/part-{n}", n % HOSTS)
}

/// A server whose page loads a script from each part, and whose scripts write where they came from into the page.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if !matches!(stream.read(&mut byte), Ok(1)) {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let host = head.lines().find_map(|line| line.strip_prefix("Host: ")).unwrap_or_default();
    let (kind, body) = if path == "/page" {
        let scripts = (0..PARTS).map(|n| format!("<script src=\"http://{}\"></script>", part(n)));
        ("text/html", format!("<!doctype html><body>{}", scripts.collect::<String>()))
    } else {
        let written = "document.body.appendChild(document.createElement('p')).textContent";
        ("text/javascript", format!("{written} = '{host}{path}';"))
    };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // A browser that has left wants no answer.
    stream.write_all(answer.as_bytes()).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_loads_a_page_of_sixty_parts_from_many_hosts() {
    let Some(browser) = chromium() else { return };
    let lab = Lab::open().await;
    let node = lab.linux();
    let address = server();
    let hosts = (0..HOSTS).map(|n| format!("assets-{n}.internal"));
    for host in hosts.chain(["page.internal".to_owned()]) {
        route(&lab, &node, &host, Some(80), PortTarget::Address(address));
    }
    let mut proxy = Forwarding::start(socks(&lab, &node, &["0", "-q"]));
    let data = lab.directory.path().join("browser");
    let shown = tokio::task::spawn_blocking(move || {
        let mut command = Command::new("timeout");
        command.args(["90", browser]).args(HEADLESS);
        command.arg(format!("--proxy-server=socks5://{}", proxy.line()));
        command.arg(format!("--user-data-dir={}", data.display()));
        command.args(["--dump-dom", "http://page.internal/page"]).stdin(Stdio::null());
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(proxy.interrupt(), Some(130));
        ran
    });
    let ran = shown.await.unwrap();
    let wrote = ran.out.split("<p>").skip(1).filter_map(|rest| rest.split_once("</p>"));
    let wrote: BTreeSet<String> = wrote.map(|(text, _)| text.to_owned()).collect();
    assert_eq!(wrote, (0..PARTS).map(part).collect::<BTreeSet<_>>(), "{ran:?}");
    lab.end().await;
}
