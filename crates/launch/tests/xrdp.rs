//! FreeRDP started by our plans, and the certificate of a real remote desktop server.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failed expectation is a failed test"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fleetline_launch::rdp::{
    CertificatePin, Client, Desktop, Environment, Here, NEGOTIATION_REQUEST, Negotiation, UserName, detect,
    plan, read_negotiation,
};

struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_real_desktop_continues_with_tls_and_its_certificate_gives_the_pin() {
    const XRDP: &str = "/usr/sbin/xrdp";
    if !Path::new(XRDP).exists() {
        println!("skipped: xrdp is not installed");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (key, certificate) = (home.path().join("key.pem"), home.path().join("cert.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=web-1"]);
    openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate).stderr(Stdio::null());
    assert!(openssl.status().unwrap().success());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = home.path().join("xrdp.ini");
    let text = format!(
        "[Globals]\nini_version=1\nfork=true\nport=tcp://127.0.0.1:{port}\nsecurity_layer=tls\ncertificate={}\n\
         key_file={}\nssl_protocols=TLSv1.2, TLSv1.3\n[Logging]\nLogFile={}\nLogLevel=INFO\n[Xorg]\nname=Xorg\n",
        certificate.display(),
        key.display(),
        home.path().join("log").display()
    );
    fs::write(&settings, text).unwrap();
    let mut xrdp = Command::new(XRDP);
    xrdp.arg("--nodaemon").arg("--config").arg(&settings).stdout(Stdio::null()).stderr(Stdio::null());
    let _xrdp = Ends(xrdp.spawn().unwrap());
    let start = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(error) if start.elapsed() > Duration::from_secs(20) => {
                panic!("xrdp does not listen: {error}")
            }
            // It has no other way to say that it listens.
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(&NEGOTIATION_REQUEST).unwrap();
    let mut received = Vec::new();
    while read_negotiation(&received) == Negotiation::Open {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        received.extend(byte);
    }
    assert_eq!(read_negotiation(&received), Negotiation::Tls);
    // The same exchange by another program, whose view of the certificate must give our pin.
    let mut client = Command::new("openssl");
    client.args(["x509", "-outform", "DER", "-in"]).arg(&certificate);
    let pin = CertificatePin::of(&client.output().unwrap().stdout);
    let mut shown = Command::new("openssl");
    shown.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(&certificate);
    let shown = String::from_utf8(shown.output().unwrap().stdout).unwrap().to_lowercase();
    assert!(shown.contains(&pin.pairs()), "{shown} {pin}");
    drop(stream);
    freerdp_goes_on_with_the_pin_only(home.path(), port, pin);
}

/// Starts FreeRDP by a plan on a display of its own, with the right pin and with another one.
fn freerdp_goes_on_with_the_pin_only(home: &Path, port: u16, pin: CertificatePin) {
    let Some((client, screen)) = freerdp() else {
        println!("skipped in part: FreeRDP or Xvfb is not installed");
        return;
    };
    let run = |pin: CertificatePin| {
        let mut desktop = Desktop::new(SocketAddr::from(([127, 0, 0, 1], port)), "web-1");
        desktop.user = UserName::new("ann");
        desktop.pin = Some(pin);
        let plan = plan(&client, &desktop, true).unwrap();
        let mut command = Command::new(&plan.program);
        command.args(&plan.arguments).env_clear().env("HOME", home).env("DISPLAY", &screen.name);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let log = || fs::read_to_string(home.join("log")).unwrap_or_default();
        let established = |log: &str| log.matches("TLS connection established").count();
        let before = established(&log());
        let mut child = Ends(command.spawn().unwrap());
        child.0.stdin.take().unwrap().write_all(b"secret\n").unwrap();
        let start = Instant::now();
        while child.0.try_wait().unwrap().is_none() && established(&log()) == before {
            assert!(start.elapsed() < Duration::from_secs(30), "FreeRDP neither connected nor ended");
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(child);
        // Only a client that trusts the certificate finishes the handshake.
        established(&log()) > before
    };
    assert!(run(pin), "the pin is accepted");
    assert!(!run(CertificatePin([7; 32])), "another one is not");
}

/// A display nobody sees.
struct Screen {
    name: String,
    _xvfb: Ends,
}

fn freerdp() -> Option<(Client, Screen)> {
    let client = detect(&Here).into_iter().find(|client| matches!(client, Client::FreeRdp(..)))?;
    let mut xvfb = Command::new(Here.find("Xvfb")?);
    xvfb.args(["-displayfd", "1", "-nolisten", "tcp"]).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut xvfb = Ends(xvfb.spawn().unwrap());
    let mut number = String::new();
    BufReader::new(xvfb.0.stdout.take().unwrap()).read_line(&mut number).unwrap();
    Some((client, Screen { name: format!(":{}", number.trim()), _xvfb: xvfb }))
}

#[test]
fn freerdp_knows_every_argument_of_our_plans() {
    let Some((client, screen)) = freerdp() else {
        println!("skipped: FreeRDP or Xvfb is not installed");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    // A port nobody listens on.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plain = Desktop::new(address, "web-1 (i-1)");
    let mut signed_in = plain.clone();
    signed_in.user = UserName::new("ann");
    let mut everything = signed_in.clone();
    everything.user = UserName::new("CORP\\ann");
    everything.domain = UserName::new("CORP");
    everything.screen = fleetline_launch::rdp::Screen::Window { width: 1280, height: 720 };
    everything.all_monitors = true;
    everything.clipboard = true;
    everything.drives = true;
    everything.printers = true;
    everything.sound = true;
    everything.pin = Some(CertificatePin([7; 32]));
    for desktop in [plain, signed_in, everything] {
        let plan = plan(&client, &desktop, true).unwrap();
        let run = |extra: Option<&str>| {
            let mut command = Command::new("timeout");
            command.arg("20").arg(&plan.program).args(&plan.arguments).args(extra);
            command
                .env_clear()
                .env("HOME", home.path())
                .env("DISPLAY", &screen.name)
                .env("PATH", "/usr/bin:/bin");
            let output = command.stdin(Stdio::null()).output().unwrap();
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
        };
        let said = run(None);
        assert!(!said.contains("Unexpected keyword") && !said.contains("Failed at index"), "{said}");
        assert!(said.contains("ERRCONNECT"), "it went on to connect: {said}");
        assert!(run(Some("/no-such-option:1")).contains("Unexpected keyword"), "the check can fail");
    }
}
