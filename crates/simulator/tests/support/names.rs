//! Names of AWS that lead to the simulator, for programs that cannot be told another endpoint: a proxy that answers for
//! them over TLS, with an authority of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleetline_simulator::Simulator;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::host;

/// The proxy. It serves until the test's runtime ends.
pub struct Names {
    port: u16,
    ca_pem: String,
}

impl Names {
    /// Answers for these names of hosts.
    pub async fn of(simulator: &Simulator, names: &[String]) -> Self {
        let (acceptor, ca_pem) = identity(names);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, target) = (listener.local_addr().unwrap().port(), host(simulator));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, target) = (acceptor.clone(), target.clone());
                // What goes wrong here goes wrong for the program under test.
                tokio::spawn(async move { tunnel(stream, &acceptor, &target).await.ok() });
            }
        });
        Self { port, ca_pem }
    }

    /// The variables by which a program finds them.
    pub fn environment(&self, directory: &Path) -> Vec<(&'static str, PathBuf)> {
        let bundle = directory.join("names.pem");
        std::fs::write(&bundle, &self.ca_pem).unwrap();
        vec![
            ("AWS_CA_BUNDLE", bundle),
            ("HTTPS_PROXY", PathBuf::from(format!("http://127.0.0.1:{}", self.port))),
            ("NO_PROXY", PathBuf::from("127.0.0.1")),
        ]
    }
}

/// Takes a CONNECT to any host, and passes on what comes through its TLS.
async fn tunnel(mut stream: TcpStream, acceptor: &TlsAcceptor, target: &str) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let mut near = acceptor.accept(stream).await?;
    let mut far = TcpStream::connect(target).await?;
    copy_bidirectional(&mut near, &mut far).await.map(|_| ())
}

/// A certificate for the names, and its authority's.
fn identity(names: &[String]) -> (TlsAcceptor, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let body: Vec<u8> = STANDARD.encode(authority.as_ref().der()).into_bytes();
    let lines: Vec<_> = body.chunks(64).map(String::from_utf8_lossy).collect();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
    (TlsAcceptor::from(Arc::new(config)), pem)
}
