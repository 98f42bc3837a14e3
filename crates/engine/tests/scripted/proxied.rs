//! Sockets through a proxy.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fleetline_engine::{DialError, Dialer, ProxyRules, ReconnectCause, SessionState, StartError, open_shell};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::aws::ScriptedAws;
use crate::request;
use crate::secure::{certified, gateway, with};

/// What a test proxy does, and what it was asked.
#[derive(Default)]
struct Proxy {
    /// The answer to everything.
    answers: Option<&'static str>,
    /// `user:password` in base64 that it wants.
    wants: Option<&'static str>,
    /// Everything is connected to this port of this computer.
    leads_to: u16,
    tunnels: AtomicUsize,
    refusals: AtomicUsize,
}

impl Proxy {
    /// Starts it, over TLS with an acceptor; gives its port.
    async fn start(self: &Arc<Self>, tls: Option<TlsAcceptor>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Arc::clone(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (proxy, tls) = (Arc::clone(&proxy), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => proxy.serve(tls.accept(stream).await?).await,
                        None => proxy.serve(stream).await,
                    }
                });
            }
        });
        port
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            if line.trim().is_empty() {
                break;
            }
            lines.push(line.trim_end().to_owned());
        }
        assert!(lines[0].starts_with("CONNECT gateway.example:"), "{lines:?}");
        if let Some(answer) = self.answers {
            self.refusals.fetch_add(1, Ordering::SeqCst);
            return stream.write_all(answer.as_bytes()).await;
        }
        let given = lines.iter().find_map(|line| line.strip_prefix("Proxy-Authorization: Basic "));
        if self.wants.is_some() && given != self.wants {
            self.refusals.fetch_add(1, Ordering::SeqCst);
            let answer = "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n";
            return stream.write_all(answer.as_bytes()).await;
        }
        self.tunnels.fetch_add(1, Ordering::SeqCst);
        let mut far = TcpStream::connect(("127.0.0.1", self.leads_to)).await?;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        copy_bidirectional(&mut stream, &mut far).await.map(|_| ())
    }
}

fn rules(address: String) -> ProxyRules {
    ProxyRules::from_environment(|name| (name == "HTTPS_PROXY").then(|| address.clone()))
}

#[tokio::test]
async fn a_data_channel_goes_through_plain_and_tls_proxies_with_the_credentials_of_the_address() {
    let (authority, leads_to, mut tokens) = gateway("gateway.example").await;
    let (proxy_authority, acceptor) = certified("localhost");
    for (tls, scheme) in [(None, "http"), (Some(acceptor), "https")] {
        let wants = Some("bWU6cGFzcyB3b3Jk");
        let proxy = Arc::new(Proxy { wants, leads_to, ..Proxy::default() });
        let port = proxy.start(tls).await;
        let dialer = Dialer::new()
            .with_extra_roots([authority.clone(), proxy_authority.clone()])
            .with_proxy(rules(format!("{scheme}://me:pass%20word@localhost:{port}")));
        let aws = ScriptedAws::new("wss://gateway.example/v1/data-channel/s");
        let _shell = open_shell(aws, request(), with(dialer));
        assert_eq!(tokens.recv().await.as_deref(), Some("t1"));
        assert_eq!(proxy.tunnels.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_proxy_that_wants_other_credentials_fails_the_start_at_once_and_is_named() {
    let proxy = Arc::new(Proxy { wants: Some("b3RoZXI6b3RoZXI="), ..Proxy::default() });
    let port = proxy.start(None).await;
    let dialer = Dialer::new().with_proxy(rules(format!("http://me:canary@127.0.0.1:{port}")));
    let aws = ScriptedAws::new("wss://gateway.example/v1/data-channel/s");
    let shell = open_shell(aws.clone(), request(), with(dialer));
    let state = shell.ended().await;
    let SessionState::Failed(StartError::Refused { cause: ReconnectCause::Dial(error) }) = state else {
        panic!("{state:?}")
    };
    assert!(
        matches!(&error, DialError::ProxyRefused { status: 407, had_credentials: true, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
    shell.close().await.unwrap();
    assert_eq!((proxy.refusals.load(Ordering::SeqCst), aws.count("TerminateSession")), (1, 1));
    let told = format!("{error:?} {:?}", shell.history());
    assert!(!told.contains("canary") && !told.contains("bWU6Y2FuYXJ5"), "{told}");
}

#[tokio::test]
async fn a_proxy_that_forbids_the_gateway_fails_the_start_at_once_in_its_own_words() {
    let answers = Some("HTTP/1.1 403 Blocked by policy\r\n\r\n");
    let proxy = Arc::new(Proxy { answers, ..Proxy::default() });
    let port = proxy.start(None).await;
    let dialer = Dialer::new().with_proxy(rules(format!("http://127.0.0.1:{port}")));
    let aws = ScriptedAws::new("wss://gateway.example/v1/data-channel/s");
    let shell = open_shell(aws.clone(), request(), with(dialer));
    let SessionState::Failed(error @ StartError::Refused { .. }) = shell.ended().await else {
        panic!("opened")
    };
    let words = "refused a connection to gateway.example with HTTP status 403: Blocked by policy";
    assert!(error.to_string().contains(words), "{error}");
    shell.close().await.unwrap();
    assert_eq!((proxy.refusals.load(Ordering::SeqCst), aws.count("TerminateSession")), (1, 1));
}

#[tokio::test]
async fn a_gateway_without_address_fails_the_start_at_once_and_leaves_no_session() {
    // No label is that long, so that no name server is asked.
    let name = format!("{}.example", "a".repeat(64));
    let aws = ScriptedAws::new(format!("wss://{name}/v1/data-channel/s"));
    let shell = open_shell(aws.clone(), request(), with(Dialer::new()));
    let SessionState::Failed(error @ StartError::Refused { .. }) = shell.ended().await else {
        panic!("opened")
    };
    assert!(error.to_string().contains(&format!("The address of {name} could not be found")), "{error}");
    shell.close().await.unwrap();
    assert_eq!((aws.count("ResumeSession"), aws.count("TerminateSession")), (0, 1));
}

#[tokio::test]
async fn a_proxy_that_is_not_there_or_unusable_is_named_and_never_gone_around() {
    let (authority, _, _tokens) = gateway("gateway.example").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for (address, words) in [
        (format!("http://127.0.0.1:{port}"), format!("The proxy 127.0.0.1:{port} could not be reached")),
        ("socks5://127.0.0.1:1080".to_owned(), "HTTPS_PROXY cannot be used".to_owned()),
    ] {
        let dialer = Dialer::new().with_extra_roots([authority.clone()]).with_proxy(rules(address));
        let mut options = with(dialer);
        options.session.resume.open_budget = std::time::Duration::ZERO;
        let aws = ScriptedAws::new("wss://gateway.example/v1/data-channel/s");
        let shell = open_shell(aws, request(), options);
        let SessionState::Failed(error) = shell.ended().await else { panic!("opened") };
        assert!(error.to_string().contains(&words), "{error}");
    }
}
