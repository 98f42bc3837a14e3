//! `fleetline rdp` with xrdp behind a simulated Windows node and FreeRDP on a display nobody sees.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fleetline_simulator::{NodeView, PortRoute, PortTarget};

use super::forwards::Forwarding;
use super::servers::Server;
use super::{Lab, Ran, at};

/// The password that must be found nowhere.
const CANARY: &str = "Xq7-canary-pass!word";

struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn has(program: &str) -> bool {
    ["/usr/bin", "/usr/sbin", "/bin"].iter().any(|directory| Path::new(directory).join(program).exists())
}

/// Whether everything the tests run is there; said where it is not.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn is_equipped() -> bool {
    let missing: Vec<&str> =
        ["xrdp", "xfreerdp", "Xvfb", "openssl"].into_iter().filter(|program| !has(program)).collect();
    if !missing.is_empty() {
        println!("skipped: not installed: {}", missing.join(", "));
    }
    missing.is_empty()
}

fn openssl(args: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(args).stderr(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "openssl {args:?}");
    output.stdout
}

/// xrdp with a certificate of its own.
fn xrdp() -> Server {
    Server::start(|port, directory| {
        let (key, certificate) = (directory.join("key.pem"), directory.join("cert.pem"));
        let paths = (key.display().to_string(), certificate.display().to_string());
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=win-1",
            "-keyout",
            &paths.0,
            "-out",
            &paths.1,
        ]);
        let text = format!(
            "[Globals]\nini_version=1\nfork=true\nport=tcp://127.0.0.1:{port}\nsecurity_layer=tls\n\
             certificate={}\nkey_file={}\nssl_protocols=TLSv1.2, TLSv1.3\nallow_channels=true\n[Logging]\nLogFile={}\n\
             LogLevel=DEBUG\n[Channels]\nrdpdr=true\nrdpsnd=true\ndrdynvc=true\ncliprdr=true\n[Xorg]\nname=Xorg\n\
             lib=libxup.so\nusername=ask\npassword=ask\n",
            paths.1,
            paths.0,
            directory.join("xrdp.log").display()
        );
        let settings = directory.join("xrdp.ini");
        fs::write(&settings, text).unwrap();
        let mut command = Command::new("/usr/sbin/xrdp");
        command.arg("--nodaemon").arg("--config").arg(&settings);
        command
    })
}

fn established(server: &Server) -> usize {
    let log = fs::read_to_string(server.path("xrdp.log")).unwrap_or_default();
    log.matches("TLS connection established").count()
}

/// A display, and its name.
fn display() -> (Ends, String) {
    let mut xvfb = Command::new("Xvfb");
    xvfb.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "1280x900x24"]);
    let mut xvfb = Ends(xvfb.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut number = String::new();
    BufReader::new(xvfb.0.stdout.take().unwrap()).read_line(&mut number).unwrap();
    (xvfb, format!(":{}", number.trim()))
}

fn windows(lab: &Lab) -> NodeView {
    lab.node(|node| node.online && !node.hybrid && node.platform == "Windows")
}

fn leads_to(lab: &Lab, node: &NodeView, server: &Server) {
    let target = PortTarget::Address(([127, 0, 0, 1], server.port).into());
    let route = PortRoute {
        node: node.id.clone(),
        host: "localhost".to_owned(),
        port: Some(3389),
        target,
        delay: Duration::ZERO,
    };
    lab.simulator.control().add_port_route(route).unwrap();
}

fn rdp(lab: &Lab, node: &NodeView, rest: &[&str]) -> Command {
    let mut args = vec!["rdp"];
    args.extend(at(node));
    args.push(&node.id);
    args.extend(rest);
    let mut command = lab.command(&args);
    command.env("FLEETLINE_HOME", lab.directory.path().join("fleetline"));
    command.env("FLEETLINE_LOG", "trace");
    command
}

/// The key pair of a node: a private key file, and what EC2 keeps of the password.
fn key_pair(directory: &Path, password: &str) -> (PathBuf, String) {
    let key = directory.join("node key.pem");
    let public = directory.join("public.pem");
    let (key_text, public_text) = (key.display().to_string(), public.display().to_string());
    openssl(&["genrsa", "-traditional", "-out", &key_text, "2048"]);
    openssl(&["rsa", "-in", &key_text, "-pubout", "-out", &public_text]);
    let mut seal = Command::new("openssl")
        .args(["pkeyutl", "-encrypt", "-pubin", "-inkey", &public_text])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    seal.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
    let sealed = seal.wait_with_output().unwrap().stdout;
    let mut encode = Command::new("base64").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    encode.stdin.take().unwrap().write_all(&sealed).unwrap();
    let data = String::from_utf8(encode.wait_with_output().unwrap().stdout).unwrap();
    (key, data)
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        // Foreign programs have no other way to say so.
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Argument lists and environments of all processes, and every file below a directory, that hold the canary.
fn leaks(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        for file in ["cmdline", "environ"] {
            let path = entry.path().join(file);
            if fs::read(&path).is_ok_and(|bytes| holds_canary(&bytes)) {
                found.push(path.display().to_string());
            }
        }
    }
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                directories.push(path);
            } else if fs::read(&path).is_ok_and(|bytes| holds_canary(&bytes)) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn holds_canary(bytes: &[u8]) -> bool {
    let wide: Vec<u8> = CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [CANARY.as_bytes(), &wide].iter().any(|canary| bytes.windows(canary.len()).any(|part| part == *canary))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "its client does not get to the desktop on every machine"]
async fn freerdp_reaches_the_desktop_and_outlives_a_cut_and_the_password_is_found_nowhere() {
    if !is_equipped() {
        return;
    }
    let lab = Lab::open().await;
    let node = windows(&lab);
    let (xrdp, (_screen, display)) = (xrdp(), display());
    leads_to(&lab, &node, &xrdp);
    let (key, data) = key_pair(lab.directory.path(), CANARY);
    lab.simulator.control().set_password_data(&node.id, &data).unwrap();
    let key = key.display().to_string();
    let log = lab.directory.path().join("said");
    let mut command =
        rdp(&lab, &node, &["--launch", "--client", "freerdp", "--screen", "1024x768", "--key-file", &key]);
    command.env("DISPLAY", &display).stderr(fs::File::create(&log).unwrap());
    let child = Ends(command.spawn().unwrap());
    let server = xrdp.path("xrdp.log");
    let before = tokio::task::spawn_blocking(move || {
        // The first is ours, which looks at the certificate; the client's is another.
        wait_until("the client connects", || established(&xrdp) >= 2);
        xrdp
    });
    let xrdp = before.await.unwrap();
    assert_eq!(leaks(lab.directory.path()), Vec::<String>::new());
    let said = fs::read_to_string(&log).unwrap();
    assert!(said.contains("its certificate is "), "{said}");
    assert!(said.contains("FreeRDP"), "{said}");

    // The data channel is cut: the session is resumed, and the client does not notice.
    let count = established(&xrdp);
    let control = lab.simulator.control();
    assert!(control.cut_all_client_sockets().await >= 1);
    let resumed = control.wait_for(|sessions| sessions.iter().any(|session| session.client_sockets > 1));
    tokio::time::timeout(Duration::from_secs(30), resumed).await.expect("resumed").unwrap();
    let still = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_secs(2));
        let mut child = child;
        let running = child.0.try_wait().unwrap().is_none();
        Command::new("kill").args(["-INT", &child.0.id().to_string()]).status().unwrap();
        (running, child.0.wait().unwrap().code(), established(&xrdp))
    });
    let (running, status, now) = still.await.unwrap();
    assert!(running, "the client ended: {}", fs::read_to_string(&server).unwrap_or_default());
    assert_eq!((status, now), (Some(130), count), "it is the same connection");
    assert_eq!(leaks(lab.directory.path()), Vec::<String>::new());
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_certificate_than_before_stops_the_launch_until_it_is_accepted() {
    if !is_equipped() {
        return;
    }
    let lab = Lab::open().await;
    let node = windows(&lab);
    let first = xrdp();
    leads_to(&lab, &node, &first);
    let file = lab.directory.path().join("desk.rdp").display().to_string();
    let mut held = Forwarding::start(rdp(&lab, &node, &["-q", "--file", &file, "--user", "CORP\\ann"]));
    assert!(held.line().starts_with("127.0.0.1:"));
    tokio::task::spawn_blocking(move || held.interrupt()).await.unwrap();
    let bytes = fs::read(&file).unwrap();
    let units: Vec<u16> = bytes.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).unwrap();
    assert!(text.contains("username:s:CORP\\ann\r\n") && text.contains("drivestoredirect:s:\r\n"), "{text}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    let second = xrdp();
    leads_to(&lab, &node, &second);
    let other = lab.directory.path().join("other.rdp").display().to_string();
    let mut refused = rdp(&lab, &node, &["-q", "--file", &other]);
    refused.env_remove("FLEETLINE_LOG");
    let ran = tokio::task::spawn_blocking(move || Ran::of(refused.output().unwrap())).await.unwrap();
    assert!(
        ran.err.contains("another certificate than before") && ran.err.contains("--accept-certificate"),
        "{ran:?}"
    );
    assert_ne!(ran.code, Some(0));
    assert!(!Path::new(&other).exists(), "nothing was written");
    let accepted = ["-q", "--file", &other, "--accept-certificate"];
    let mut held = Forwarding::start(rdp(&lab, &node, &accepted));
    assert!(held.line().starts_with("127.0.0.1:"));
    tokio::task::spawn_blocking(move || held.interrupt()).await.unwrap();
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_printed_once_and_a_wrong_key_or_none_yet_is_named() {
    if !has("openssl") {
        return;
    }
    let lab = Lab::open().await;
    let node = windows(&lab);
    let (key, data) = key_pair(lab.directory.path(), CANARY);
    let key = key.display().to_string();
    let run = |rest: &[&str]| {
        let mut command = rdp(&lab, &node, rest);
        command.env_remove("FLEETLINE_LOG");
        Ran::of(command.output().unwrap())
    };
    let early = run(&["--print-password", "--key-file", &key]);
    assert!(early.err.contains("EC2 has no password for this node yet"), "{early:?}");
    lab.simulator.control().set_password_data(&node.id, &data).unwrap();
    let printed = run(&["--print-password", "--key-file", &key]);
    assert_eq!((printed.code, printed.out.trim_end()), (Some(0), CANARY), "{printed:?}");
    let missing = run(&["--print-password", "--key-file", "/nowhere.pem"]);
    missing.refused(2);
    let other = tempfile::tempdir().unwrap();
    let (wrong, _) = key_pair(other.path(), "x");
    let wrong = run(&["--print-password", "--key-file", &wrong.display().to_string()]);
    assert!(wrong.err.contains("the key does not fit") && wrong.out.is_empty(), "{wrong:?}");
    assert_eq!(lab.simulator.control().sessions().len(), 0, "no session was needed");
    lab.end().await;
}
