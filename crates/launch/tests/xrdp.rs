//! The certificate of a real remote desktop server, seen as FreeRDP would see it.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fleetline_launch::rdp::{CertificatePin, NEGOTIATION_REQUEST, Negotiation, read_negotiation};

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
}
