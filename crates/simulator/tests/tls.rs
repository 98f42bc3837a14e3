//! HTTPS and WSS with the simulator's own authority.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use fleetline_simulator::Simulator;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use support::channel::{Client, dial_over, grant};
use support::{Signer, account, exchange, simulator};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

fn trusting(pem: &str) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

fn host(simulator: &Simulator) -> String {
    simulator.endpoint().strip_prefix("https://").unwrap().to_owned()
}

async fn connect(simulator: &Simulator, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let connector = trusting(simulator.ca_pem().unwrap());
    let stream = TcpStream::connect(host(simulator)).await.unwrap();
    connector.connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

async fn start(simulator: &Simulator) -> Value {
    let signer = Signer::new(&account(simulator, "payments-prod"), "eu-central-1", "ssm");
    let target = simulator.control().node("pay-api-03").unwrap().id;
    let body = json!({ "Target": target }).to_string();
    let host = host(simulator);
    let mut headers = signer.sign("POST", &host, "/", "", body.as_bytes());
    headers.push(("x-amz-target".into(), "AmazonSSM.StartSession".into()));
    let stream = connect(simulator, "localhost").await.unwrap();
    let answer = exchange(stream, &host, "POST", "/", &headers, body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn a_session_runs_over_https_and_wss() {
    let simulator = simulator(|config| config.tls = true).await;
    let answer = start(&simulator).await;
    let (url, token) = grant(&answer);
    assert!(url.starts_with("wss://127.0.0.1:"), "{url}");
    let stream = connect(&simulator, "127.0.0.1").await.unwrap();
    let mut client: Client<TlsStream<TcpStream>> = Client::new(None);
    client.attach(dial_over(stream, &url, &[]).await.unwrap(), &token).await;
    client.until_output("~$ ").await;
    client.send(b"echo $((6*7))\r").await;
    client.until_output("42\r\n").await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn the_certificate_is_for_the_names_of_this_computer_and_no_other() {
    let simulator = simulator(|config| config.tls = true).await;
    for name in ["localhost", "127.0.0.1", "::1"] {
        connect(&simulator, name).await.unwrap();
    }
    assert!(connect(&simulator, "ssm.eu-central-1.amazonaws.com").await.is_err());
    let other = support::simulator(|config| config.tls = true).await;
    let stream = TcpStream::connect(host(&simulator)).await.unwrap();
    let refused =
        trusting(other.ca_pem().unwrap()).connect(ServerName::try_from("localhost").unwrap(), stream).await;
    assert!(refused.is_err(), "another simulator's authority");
    other.shutdown().await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn the_authority_is_named_in_profiles_and_environment() {
    let simulator = simulator(|config| config.tls = true).await;
    let variable = |simulator: &Simulator| {
        simulator.environment().into_iter().find(|(name, _)| name == "AWS_CA_BUNDLE").map(|(_, value)| value)
    };
    assert_eq!(variable(&simulator), None, "there is no file yet");
    let directory = tempfile::tempdir().unwrap();
    let (config, _) = simulator.write_aws_config(directory.path()).unwrap();
    let bundle = variable(&simulator).unwrap();
    assert_eq!(std::fs::read_to_string(&bundle).unwrap(), simulator.ca_pem().unwrap());
    let config = std::fs::read_to_string(config).unwrap();
    assert!(config.contains(&format!("ca_bundle = {bundle}\n")), "{config}");
    assert!(config.contains("endpoint_url = https://127.0.0.1:"), "{config}");
    simulator.shutdown().await;
}

#[tokio::test]
async fn plain_http_is_not_spoken_where_tls_is() {
    let simulator = simulator(|config| config.tls = true).await;
    let mut stream = TcpStream::connect(host(&simulator)).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await.ok();
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
    simulator.shutdown().await;
}

#[tokio::test]
async fn ipv6_loopback_works_plain_and_secure() {
    let listen: SocketAddr = "[::1]:0".parse().unwrap();
    let plain = simulator(|config| config.listen = listen).await;
    let signer = Signer::new(&account(&plain, "payments-prod"), "eu-central-1", "ssm");
    let target = plain.control().node("pay-api-03").unwrap().id;
    let answer = support::ssm_ok(&plain, &signer, "StartSession", &json!({ "Target": target })).await;
    let mut client: Client<TcpStream> = Client::new(None);
    client.open(&answer).await;
    client.until("first output", |c| c.started).await;
    plain.shutdown().await;
    let secure = simulator(|config| (config.listen, config.tls) = (listen, true)).await;
    let answer = start(&secure).await;
    assert!(grant(&answer).0.starts_with("wss://[::1]:"), "{answer}");
    secure.shutdown().await;
}
