//! API calls and data channels of one source through one proxy, over TLS with an authority of its own (AWS-04).

use std::sync::{Arc, Mutex};

use fleetline_aws::{AwsSettings, AwsSources};
use fleetline_engine::ports::{ApiErrorKind, ControlPlanes};
use fleetline_engine::{ProxyRules, SessionOptions, SessionState, ShellOptions, open_shell};
use fleetline_simulator::{SimulatorConfig, UpgradeSigning};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::{Lab, to};

/// What clients asked the proxy for: each CONNECT with its credentials.
type Asked = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// A proxy that leads every name to the same port of this computer; gives its own port.
async fn proxy(leads_to: u16, wants: Option<&'static str>) -> (u16, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Asked::default();
    tokio::spawn({
        let asked = asked.clone();
        async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, leads_to, wants, asked.clone()));
            }
        }
    });
    (port, asked)
}

async fn serve(stream: TcpStream, leads_to: u16, wants: Option<&str>, asked: Asked) -> std::io::Result<()> {
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
    if wants.is_some_and(|wants| credentials.as_deref() != Some(wants)) {
        return stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\ncontent-length: 0\r\n\r\n").await;
    }
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
    let (proxy, asked) = proxy(port, Some("Basic bWU6Y2FuYXJ5")).await;
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

#[tokio::test]
async fn calls_through_a_proxy_that_refuses_say_so_and_show_no_password() {
    let (lab, port, sources) = lab().await;
    let (proxy, asked) = proxy(port, Some("Basic other")).await;
    let control = sources(proxy, "me:canary@").control_plane("environment", "eu-west-1").unwrap();
    let node = lab.linux();
    let refused = control.start_session(to(&node)).await.unwrap_err();
    assert_eq!((refused.kind, refused.never_sent), (ApiErrorKind::Network, true), "{refused}");
    assert!(refused.message.contains("proxy authorization required"), "{refused}");
    assert!(!format!("{refused:?}").contains("canary"), "{refused:?}");
    assert!(!asked.lock().unwrap().is_empty());
    lab.end().await;
}
