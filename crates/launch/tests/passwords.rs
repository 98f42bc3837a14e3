//! Passwords encrypted by openssl, with keys made by openssl and ssh-keygen.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use fleetline_launch::password::{PasswordError, decrypt};
use proptest::prelude::*;

fn run(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn openssl(arguments: &str) -> Vec<u8> {
    run("openssl", &arguments.split(' ').collect::<Vec<_>>(), b"")
}

/// What EC2 would answer.
fn sealed(key: &Path, password: &[u8]) -> String {
    let key = key.to_str().unwrap();
    let sealed = run(
        "openssl",
        &["pkeyutl", "-encrypt", "-inkey", key, "-pkeyopt", "rsa_padding_mode:pkcs1"],
        password,
    );
    String::from_utf8(run("openssl", &["base64"], &sealed)).unwrap()
}

#[test]
fn both_pem_formats_of_rsa_keys_open_a_password() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("key.pem");
    for bits in [2048, 3072, 4096] {
        let pkcs1 = openssl(&format!("genrsa -traditional {bits}"));
        assert!(pkcs1.starts_with(b"-----BEGIN RSA PRIVATE KEY-----"));
        fs::write(&path, &pkcs1).unwrap();
        let pkcs8 = openssl(&format!("pkcs8 -topk8 -nocrypt -in {}", path.display()));
        assert!(pkcs8.starts_with(b"-----BEGIN PRIVATE KEY-----"));
        let data = sealed(&path, "pä$$\"w;rd)(".as_bytes());
        for key in [pkcs1, pkcs8] {
            let crlf = String::from_utf8(key.clone()).unwrap().replace('\n', "\r\n");
            for key in [key, crlf.into_bytes()] {
                let password = decrypt(&data, &key).unwrap();
                assert_eq!(password.expose(), "pä$$\"w;rd)(");
                assert_eq!(format!("{password:?}"), "WindowsPassword(..)");
            }
        }
    }
}

#[test]
fn each_wrong_key_and_answer_is_named() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("key.pem");
    let pem = openssl("genrsa -traditional 2048");
    fs::write(&path, &pem).unwrap();
    let data = sealed(&path, b"secret");
    let error = |key: &[u8]| decrypt(&data, key).unwrap_err();
    let path = path.display();
    let out = home.path().join("out");
    let out = out.to_str().unwrap();

    assert_eq!(error(&openssl("genrsa -traditional 2048")), PasswordError::WrongKey);
    let protected = openssl(&format!("rsa -traditional -aes128 -passout pass:x -in {path}"));
    assert_eq!(error(&protected), PasswordError::Protected);
    let protected = openssl(&format!("pkcs8 -topk8 -passout pass:x -in {path}"));
    assert_eq!(error(&protected), PasswordError::Protected);
    assert_eq!(error(&openssl("genpkey -algorithm ed25519")), PasswordError::Kind("Ed25519"));
    assert_eq!(
        error(&openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256")),
        PasswordError::Kind("elliptic curve")
    );
    assert_eq!(error(&openssl("ecparam -genkey -name prime256v1")), PasswordError::Kind("elliptic curve"));
    let public = openssl(&format!("rsa -pubout -in {path}"));
    assert_eq!(error(&public), PasswordError::NotPrivate("a public key".into()));
    run("ssh-keygen", &["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", out], b"");
    assert_eq!(error(&fs::read(out).unwrap()), PasswordError::OpenSsh);
    assert_eq!(error(b"PuTTY-User-Key-File-3: ssh-rsa\n"), PasswordError::Putty);
    for nothing in [&b""[..], b"hello", b"\xff\xfe", b"-----BEGIN RSA PRIVATE KEY-----\nAAAA"] {
        assert_eq!(error(nothing), PasswordError::NoKey, "{nothing:?}");
    }
    let damaged = String::from_utf8(pem.clone()).unwrap().replacen("MII", "AAA", 1);
    assert!(matches!(error(damaged.as_bytes()), PasswordError::Key(_)));
    assert_eq!(decrypt(" \r\n", &pem).unwrap_err(), PasswordError::NotReady);
    assert_eq!(decrypt("%%%", &pem).unwrap_err(), PasswordError::Answer);
    assert_eq!(decrypt("AAAA", &pem).unwrap_err(), PasswordError::WrongKey);
}

proptest! {
    #[test]
    fn any_key_file_is_refused_without_a_panic(
        label in "(RSA |EC |ENCRYPTED )?PRIVATE KEY", body in "[A-Za-z0-9+/=\\n]{0,200}", tail in "\\PC{0,20}"
    ) {
        let file = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----{tail}");
        prop_assert!(decrypt("AAAA", file.as_bytes()).is_err());
    }
}
