//! Sockets over TLS.

use std::sync::Arc;

use fleetline_engine::{
    DialError, Dialer, ReconnectCause, SessionState, ShellOptions, StartError, open_shell,
};
use fleetline_protocol::OpenMessage;
use futures_util::StreamExt;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;

use crate::aws::ScriptedAws;
use crate::{options, request};

/// Gives an authority and a server certificate of it for `name`.
pub fn certified(name: &str) -> (CertificateDer<'static>, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (authority.as_ref().der().clone(), TlsAcceptor::from(Arc::new(config)))
}

/// A gateway with a certificate for `name`; gives its authority, its port and the tokens it is opened with.
pub async fn gateway(name: &str) -> (CertificateDer<'static>, u16, mpsc::UnboundedReceiver<String>) {
    let (authority, acceptor) = certified(name);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, tokens) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that trusts nothing here ends in the middle of the handshake.
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            let Some(Ok(Message::Text(text))) = socket.next().await else { panic!("no open message") };
            sender.send(OpenMessage::decode(&text).unwrap().token.expose().to_owned()).unwrap();
        }
    });
    (authority, port, tokens)
}

pub fn with(dialer: Dialer) -> ShellOptions {
    let mut options = options();
    options.session.dialer = dialer;
    options
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let (authority, port, mut tokens) = gateway("localhost").await;
    let aws = ScriptedAws::new(format!("wss://localhost:{port}/v1/data-channel/s"));
    let _shell = open_shell(aws, request(), with(Dialer::new().with_extra_roots([authority])));
    assert_eq!(tokens.recv().await.as_deref(), Some("t1"));
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_or_for_another_name_fails_the_start_at_once() {
    let (_, port, _tokens) = gateway("localhost").await;
    let (other, other_port, _other_tokens) = gateway("other.example").await;
    for (dialer, port) in [(Dialer::new(), port), (Dialer::new().with_extra_roots([other]), other_port)] {
        let aws = ScriptedAws::new(format!("wss://localhost:{port}/v1/data-channel/s"));
        let shell = open_shell(aws.clone(), request(), with(dialer));
        let state = shell.ended().await;
        let SessionState::Failed(StartError::Refused { cause: ReconnectCause::Dial(error) }) = state else {
            panic!("{state:?}")
        };
        assert!(
            matches!(&error, DialError::Tls { host, untrusted: true, .. } if host == "localhost"),
            "{error:?}"
        );
        shell.close().await.unwrap();
        assert_eq!((aws.count("ResumeSession"), aws.count("TerminateSession")), (0, 1));
    }
}
