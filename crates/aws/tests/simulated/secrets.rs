use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use fleetline_engine::ports::ResumeOutcome;
use fleetline_engine::{SessionState, ShellOptions, open_shell};
use tracing_subscriber::fmt::MakeWriter;

use crate::{Lab, to};

/// Everything logged, at any level, except what the SDK and the HTTP stack log below `info`: the programs cap those
/// at `info`, because there the SDK prints whole answers.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}

/// Logs everything the programs log, on this thread, until the guard is dropped.
fn logging() -> (Log, tracing::subscriber::DefaultGuard) {
    use tracing_subscriber::layer::SubscriberExt;
    let log = Log::default();
    let filter =
        tracing_subscriber::EnvFilter::new("trace,aws=info,hyper=info,hyper_util=info,h2=info,rustls=info")
            .add_directive("aws_smithy_runtime=info".parse().unwrap())
            .add_directive("aws_smithy_runtime_api=info".parse().unwrap())
            .add_directive("aws_smithy_http_client=info".parse().unwrap())
            .add_directive("aws_sdk_ssm=info".parse().unwrap())
            .add_directive("aws_sdk_sts=info".parse().unwrap())
            .add_directive("aws_config=info".parse().unwrap())
            .add_directive("aws_runtime=info".parse().unwrap())
            .add_directive("aws_sigv4=info".parse().unwrap());
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(tracing_subscriber::fmt::layer().with_writer(log.clone()).with_ansi(false));
    let guard = tracing::subscriber::set_default(subscriber);
    (log, guard)
}

#[tokio::test]
async fn neither_debug_nor_a_log_shows_a_secret() {
    let (log, logging) = logging();
    let lab = Lab::open().await;
    let node = lab.linux();
    let account = lab.simulator.accounts().into_iter().find(|account| account.name == node.account).unwrap();
    let control = lab.control(&node);
    let grant = control.start_session(to(&node)).await.unwrap();
    let resumed = control.resume_session(grant.session_id.clone()).await.unwrap();
    let headers = control.sign_upgrade(grant.url.clone()).await.unwrap();
    control.terminate_session(grant.session_id.clone()).await.unwrap();
    let shown = format!(
        "{grant:?} {resumed:?} {headers:?} {control:?} {:?} {:?}",
        lab.sources,
        lab.sources.settings()
    );
    drop(logging);

    let ResumeOutcome::Granted(again) = &resumed else { panic!("the session is there") };
    let mut secrets = vec![
        grant.token.expose().to_owned(),
        again.token.expose().to_owned(),
        account.secret_access_key.clone(),
        account.session_token.clone(),
    ];
    secrets.extend(headers.iter().filter(|h| h.name == "authorization").map(|h| h.value.to_string()));
    assert_eq!(secrets.len(), 5);
    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    for secret in secrets {
        assert!(!shown.contains(&secret), "a secret is shown: {shown}");
        assert!(!logged.contains(&secret), "a secret is logged");
    }
    assert!(shown.contains("StreamToken(…)"), "{shown}");
    lab.end().await;
}

#[tokio::test]
async fn a_session_that_failed_is_logged_with_what_led_to_it_and_no_secret() {
    let (log, logging) = logging();
    let lab = Lab::open().await;
    let node = lab.linux();
    let account = lab.simulator.accounts().into_iter().find(|account| account.name == node.account).unwrap();
    let session = open_shell(lab.control(&node), to(&node), ShellOptions::default());
    let mut state = session.state();
    state.wait_for(|state| matches!(state, SessionState::Open { .. })).await.unwrap();
    session.send("typed canary\r").await.unwrap();
    let id = session.session_id().unwrap();
    lab.simulator.control().terminate(id.as_str(), "ended by the test").await.unwrap();
    session.ended().await;
    session.close().await.unwrap();
    drop(logging);

    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    let failed = logged.lines().position(|line| line.contains("WARN") && line.contains("a session failed:"));
    let dump: Vec<&str> = logged.lines().skip(failed.expect("no dump")).collect();
    for step in ["AWS granted session", "Connecting to the gateway", "Open", "ended by the test"] {
        assert!(dump.iter().any(|line| line.contains(step)), "{step}: {dump:#?}");
    }
    for secret in
        [&account.secret_access_key, &account.session_token, "canary", "X-Amz-Signature", "role=publish"]
    {
        assert!(!logged.contains(secret), "{secret} is logged");
    }
    lab.end().await;
}
