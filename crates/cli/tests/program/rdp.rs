//! `fleetline rdp` with xrdp behind a simulated Windows node and FreeRDP on a display nobody sees.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fleetline_simulator::{NodeView, PortRoute, PortTarget};

use super::forwards::Forwarding;
use super::screen::Screen;
use super::servers::Server;
use super::{Lab, Ran, at};

/// The password that must be found nowhere.
const CANARY: &str = "Xq7-canary-pass!word";

/// What is behind the login window of [`xrdp`], as red, green and blue.
const BEHIND_LOGIN: [u8; 3] = [0x12, 0x9a, 0x5c];

/// A program that ends with its test.
pub(super) struct Ends(pub(super) Child);

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
             certificate={}\nkey_file={}\nssl_protocols=TLSv1.2, TLSv1.3\nallow_channels=true\n\
             ls_top_window_bg_color={}\n[Logging]\nLogFile={}\nLogLevel=DEBUG\n[Channels]\nrdpdr=true\nrdpsnd=true\ndrdynvc=true\ncliprdr=true\n[Xorg]\nname=Xorg\n\
             lib=libxup.so\nusername=ask\npassword=ask\n",
            paths.1,
            paths.0,
            BEHIND_LOGIN.map(|part| format!("{part:02x}")).concat(),
            directory.join("xrdp.log").display()
        );
        let settings = directory.join("xrdp.ini");
        fs::write(&settings, text).unwrap();
        let mut command = Command::new("/usr/sbin/xrdp");
        command.arg("--nodaemon").arg("--config").arg(&settings);
        command
    })
}

/// How often its log says something.
fn said(server: &Server, what: &str) -> usize {
    fs::read_to_string(server.path("xrdp.log")).unwrap_or_default().matches(what).count()
}

/// What its log says of a client, and not of ours, which only looks at the certificate.
const CLIENT_IS_THERE: &str = "xrdp_wm_init: ";

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

/// Starts the client at a display, with what is said in a file.
fn launched(lab: &Lab, node: &NodeView, screen: &Screen, rest: &[&str]) -> (Ends, PathBuf) {
    let said = lab.directory.path().join("said");
    let mut args = vec!["--launch", "--client", "freerdp", "--screen", "1024x768"];
    args.extend(rest);
    let mut command = rdp(lab, node, &args);
    command.env("DISPLAY", screen.name()).stderr(fs::File::create(&said).unwrap());
    (Ends(command.spawn().unwrap()), said)
}

/// Ends the command as a person does, and gives its status.
fn interrupted(mut child: Ends) -> Option<i32> {
    Command::new("kill").args(["-INT", &child.0.id().to_string()]).status().unwrap();
    child.0.wait().unwrap().code()
}

#[tokio::test(flavor = "multi_thread")]
async fn freerdp_shows_the_login_screen_and_takes_keys_after_the_data_channel_was_cut() {
    if !is_equipped() {
        return;
    }
    let lab = Lab::open().await;
    let node = windows(&lab);
    let (xrdp, screen) = (xrdp(), Screen::start());
    leads_to(&lab, &node, &xrdp);
    let (child, _) = launched(&lab, &node, &screen, &[]);
    let pictures = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let shown = tokio::task::spawn_blocking(move || {
        // The window of 350 x 350 covers a part of it.
        let is_painted = || screen.count(BEHIND_LOGIN) > 1024 * 768 - 360 * 360;
        wait_until("the login screen", is_painted);
        screen.keep(&pictures.join("rdp-login.png"));
        (screen, xrdp)
    });
    let (screen, xrdp) = shown.await.unwrap();
    let clients = said(&xrdp, CLIENT_IS_THERE);

    // The data channel is cut: the session is resumed, and the client does not notice.
    let control = lab.simulator.control();
    assert!(control.cut_all_client_sockets().await >= 1);
    let resumed = control.wait_for(|sessions| sessions.iter().any(|session| session.client_sockets > 1));
    tokio::time::timeout(Duration::from_secs(30), resumed).await.expect("resumed").unwrap();
    let after = tokio::task::spawn_blocking(move || {
        let before = screen.pixels();
        // The key "a": the login window shows a star for it.
        screen.press(38);
        wait_until("a sign of the key", || screen.pixels() != before);
        let painted = screen.count(BEHIND_LOGIN);
        (painted, interrupted(child), said(&xrdp, CLIENT_IS_THERE))
    });
    let (painted, status, clients_after) = after.await.unwrap();
    assert!(painted > 1024 * 768 - 360 * 360, "the login screen is still shown");
    assert_eq!((status, clients_after), (Some(130), clients), "it is the same connection");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn freerdp_is_handed_the_password_and_it_is_found_nowhere_else() {
    if !is_equipped() {
        return;
    }
    let lab = Lab::open().await;
    let node = windows(&lab);
    let (xrdp, screen) = (xrdp(), Screen::start());
    leads_to(&lab, &node, &xrdp);
    let (key, data) = key_pair(lab.directory.path(), CANARY);
    lab.simulator.control().set_password_data(&node.id, &data).unwrap();
    let planted = lab.directory.path().join("planted");
    fs::write(&planted, format!("x{CANARY}x")).unwrap();
    assert_eq!(leaks(lab.directory.path()), [planted.display().to_string()], "the search finds it");
    fs::remove_file(planted).unwrap();
    let key = key.display().to_string();
    let (child, log) = launched(&lab, &node, &screen, &["--key-file", &key]);
    let signed_in = tokio::task::spawn_blocking(move || {
        // With a user and a password, xrdp asks for nothing and begins the session.
        wait_until("the password is used", || said(&xrdp, "started connecting") >= 1);
        (xrdp, screen)
    });
    let (xrdp, _screen) = signed_in.await.unwrap();
    let places = [lab.directory.path().to_owned(), xrdp.path("")];
    let found: Vec<String> = places.iter().flat_map(|place| leaks(place)).collect();
    assert_eq!(found, Vec::<String>::new());
    let told = fs::read_to_string(&log).unwrap();
    assert!(told.contains("its certificate is ") && told.contains("FreeRDP"), "{told}");
    assert!(!told.contains("cannot be handed the password"), "{told}");
    let status = tokio::task::spawn_blocking(move || interrupted(child)).await.unwrap();
    assert_eq!(status, Some(130));
    let found: Vec<String> = places.iter().flat_map(|place| leaks(place)).collect();
    assert_eq!(found, Vec::<String>::new());
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
