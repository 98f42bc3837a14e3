//! API calls and data channels of one source through one proxy, over TLS with an authority of its own (AWS-04).

use std::sync::{Arc, Mutex};

use fleetline_aws::{AwsSettings, AwsSources};
use fleetline_engine::ports::{ApiError, ApiErrorKind, ControlPlanes, SessionQuery};
use fleetline_engine::{ProxyRules, SessionOptions, SessionState, ShellOptions, open_shell};
use fleetline_simulator::{SimulatorConfig, UpgradeSigning};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::{Lab, to};

/// What clients asked the proxy for: each CONNECT with its credentials.
type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// What a proxy does with a CONNECT.
#[derive(Clone, Copy)]
enum Policy {
    /// Leads every name to this port of this computer.
    LeadsTo(u16),
    /// The same for who shows these credentials; others are asked for some.
    Wants(u16, &'static str),
    /// Answers so.
    Answers(&'static str),
}

const UNKNOWN: &str = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n\
                       content-length: 0\r\n\r\n";

/// A proxy; gives its port.
async fn proxy(policy: Policy) -> (u16, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Asked::default();
    tokio::spawn({
        let asked = asked.clone();
        async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, policy, asked.clone()));
            }
        }
    });
    (port, asked)
}

async fn serve(stream: TcpStream, policy: Policy, asked: Asked) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut first, mut credentials) = (String::new(), None);
    stream.read_line(&mut first).await?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("proxy-authorization") {
            credentials = Some(value.to_owned());
        }
    }
    let place = first.split(' ').nth(1).unwrap_or_default().to_owned();
    asked.lock().unwrap().push((place, credentials.clone()));
    let leads_to = match policy {
        Policy::LeadsTo(port) => port,
        Policy::Wants(port, wants) if credentials.as_deref() == Some(wants) => port,
        Policy::Wants(..) => return stream.write_all(UNKNOWN.as_bytes()).await,
        Policy::Answers(answer) => return stream.write_all(answer.as_bytes()).await,
    };
    let mut far = TcpStream::connect(("127.0.0.1", leads_to)).await?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    copy_bidirectional(&mut stream, &mut far).await.map(|_| ())
}

/// A simulator that is reached by name through a proxy alone, and what settings lead there.
async fn lab() -> (Lab, u16, impl Fn(u16, &str) -> AwsSources) {
    let config = SimulatorConfig {
        tls: true,
        upgrade_signing: UpgradeSigning::Required,
        demo_denials: false,
        ..SimulatorConfig::default()
    };
    let lab = Lab::new(config).await;
    let port: u16 =
        lab.simulator.endpoint().rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
    let bundle = lab.directory.path().join("authority.pem");
    std::fs::write(&bundle, lab.simulator.ca_pem().unwrap()).unwrap();
    let bundle = bundle.display().to_string();
    let account = lab.simulator.accounts().into_iter().next().unwrap();
    let nothing = lab.directory.path().join("nothing");
    let sources = move |proxy: u16, credentials: &str| {
        let address = format!("http://{credentials}127.0.0.1:{proxy}");
        let rules = ProxyRules::from_environment(|name| (name == "HTTPS_PROXY").then(|| address.clone()));
        let settings = AwsSettings::from_files(&nothing, None)
            .with_proxy(rules)
            .with_variable("AWS_CA_BUNDLE", &bundle)
            .with_variable("AWS_ENDPOINT_URL", format!("https://api.simulator.test:{port}"))
            .with_variable("AWS_ENDPOINT_URL_SSMMESSAGES", format!("https://gateway.simulator.test:{port}"))
            .with_variable("AWS_ACCESS_KEY_ID", &account.access_key_id)
            .with_variable("AWS_SECRET_ACCESS_KEY", &account.secret_access_key)
            .with_variable("AWS_SESSION_TOKEN", &account.session_token);
        AwsSources::new(settings)
    };
    (lab, port, sources)
}

#[tokio::test]
async fn calls_and_data_channels_use_the_same_proxy_roots_and_private_endpoints() {
    let (lab, port, sources) = lab().await;
    let (proxy, asked) = proxy(Policy::Wants(port, "Basic bWU6Y2FuYXJ5")).await;
    let sources = sources(proxy, "me:canary@");
    let account = lab.simulator.accounts().into_iter().next().unwrap();
    let node = lab.node(|node| node.account == account.name && node.online && !node.hybrid);
    let control = sources.control_plane("environment", &node.region).unwrap();
    let dialer = sources.dialer("environment").unwrap();
    let options = ShellOptions {
        session: SessionOptions { dialer, ..SessionOptions::default() },
        ..ShellOptions::default()
    };
    let session = open_shell(control, to(&node), options);
    let mut state = session.state();
    let reached = state.wait_for(|s| !matches!(s, SessionState::Starting { .. })).await.unwrap().clone();
    assert!(matches!(reached, SessionState::Open { .. }), "{reached:?}");
    session.close().await.unwrap();
    let asked = asked.lock().unwrap().clone();
    let names: Vec<&str> = asked.iter().map(|(place, _)| place.as_str()).collect();
    assert!(names.contains(&format!("api.simulator.test:{port}").as_str()), "{names:?}");
    assert!(names.contains(&format!("gateway.simulator.test:{port}").as_str()), "{names:?}");
    assert!(asked.iter().all(|(_, given)| given.as_deref() == Some("Basic bWU6Y2FuYXJ5")));
    lab.end().await;
}

/// A call that the SDK repeats when it may pass, and StartSession, which the engine repeats then.
async fn both_fail(sources: &AwsSources, lab: &Lab) -> [ApiError; 2] {
    let control = sources.control_plane("environment", "eu-west-1").unwrap();
    let listed = control.live_sessions(SessionQuery::default()).await.unwrap_err();
    let started = control.start_session(to(&lab.linux())).await.unwrap_err();
    [listed, started]
}

#[tokio::test]
async fn calls_through_a_proxy_that_refuses_are_not_repeated_and_tell_its_answer_and_no_password() {
    let (lab, port, sources) = lab().await;
    let forbidden = "HTTP/1.1 403 Blocked by policy\r\ncontent-length: 0\r\n\r\n";
    for (policy, words) in [
        (
            Policy::Wants(port, "Basic other"),
            "does not accept the user name and password in its address (it offers Basic)",
        ),
        (
            Policy::Answers(forbidden),
            "refused a connection to api.simulator.test with HTTP status 403: Blocked by policy",
        ),
    ] {
        let (proxy, asked) = proxy(policy).await;
        for refused in both_fail(&sources(proxy, "me:canary@"), &lab).await {
            assert_eq!((refused.kind, refused.never_sent), (ApiErrorKind::Proxy, true), "{refused}");
            assert!(refused.message.starts_with(&format!("The proxy 127.0.0.1:{proxy} ")), "{refused}");
            assert!(refused.message.contains(words), "{refused}");
            assert!(!format!("{refused:?}").contains("canary"), "{refused:?}");
        }
        // Who calls, what is live, a start: one call each, and one look at why it failed.
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 6, "{asked:?}");
    }
    lab.end().await;
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_named_at_once_behind_a_proxy_too() {
    let (lab, port, sources) = lab().await;
    let elsewhere = Lab::new(SimulatorConfig { tls: true, ..SimulatorConfig::default() }).await;
    let other: u16 = elsewhere.simulator.endpoint().rsplit(':').next().unwrap().parse().unwrap();
    let (proxy, asked) = proxy(Policy::LeadsTo(other)).await;
    for refused in both_fail(&sources(proxy, ""), &lab).await {
        assert_eq!((refused.kind, refused.never_sent), (ApiErrorKind::Tls, true), "{refused}");
        assert!(refused.message.starts_with("TLS with api.simulator.test failed: "), "{refused}");
    }
    assert_eq!(asked.lock().unwrap().len(), 6);
    assert_ne!(port, other);
    elsewhere.end().await;
    lab.end().await;
}

#[tokio::test]
async fn a_name_without_address_is_told_at_once() {
    let (lab, _, _) = lab().await;
    // No label is that long, so that no name server is asked.
    let name = format!("{}.example", "a".repeat(64));
    let account = lab.simulator.accounts().into_iter().next().unwrap();
    let settings = AwsSettings::from_files(lab.directory.path().join("nothing"), None)
        .with_variable("AWS_ENDPOINT_URL", format!("https://{name}"))
        .with_variable("AWS_ACCESS_KEY_ID", &account.access_key_id)
        .with_variable("AWS_SECRET_ACCESS_KEY", &account.secret_access_key);
    for refused in both_fail(&AwsSources::new(settings), &lab).await {
        assert_eq!((refused.kind, refused.never_sent), (ApiErrorKind::Resolve, true), "{refused}");
        assert!(
            refused.message.starts_with(&format!("The address of {name} could not be found")),
            "{refused}"
        );
    }
    lab.end().await;
}
