use fleetline_engine::ports::ApiErrorKind;
use fleetline_history::{
    HistorySources, ObjectPlace, RecordSources, SessionFilter, SessionState, StreamPlace, TrailAsk,
    plain_text,
};
use fleetline_simulator::{DenyReason, DenyRule, SimulatorConfig, TrailState};

use crate::{Lab, to};

const ACCOUNT: &str = "payments-prod";
const REGION: &str = "eu-central-1";

async fn past() -> Lab {
    Lab::new(SimulatorConfig { demo_denials: false, past_sessions: 400, ..SimulatorConfig::default() }).await
}

#[tokio::test]
async fn the_log_of_a_past_session_is_read_in_windows_and_alike_in_both_places() {
    let lab = past().await;
    let listed = lab.sources.history(ACCOUNT, REGION).unwrap();
    let page = listed.sessions(SessionState::History, SessionFilter::default(), None).await.unwrap();
    let session =
        page.sessions.iter().find(|s| !s.s3_url.is_empty() && !s.cloudwatch_url.is_empty()).unwrap();
    let calls = lab.sources.records(ACCOUNT, REGION).unwrap();
    let object = ObjectPlace::of_url(&session.s3_url).unwrap();
    let (mut bytes, mut windows) = (Vec::new(), 0);
    loop {
        let from = u64::try_from(bytes.len()).unwrap();
        let window = calls.object(object.clone(), from, 100).await.unwrap().unwrap();
        assert!(window.bytes.len() <= 100);
        bytes.extend(window.bytes);
        windows += 1;
        if u64::try_from(bytes.len()).unwrap() >= window.size {
            break;
        }
    }
    assert!(windows > 2 && bytes.ends_with(b"exit\r\n"), "{windows}");
    let behind =
        calls.object(object.clone(), u64::try_from(bytes.len()).unwrap(), 100).await.unwrap().unwrap();
    assert!(behind.bytes.is_empty());

    let stream = StreamPlace::of_url(&session.cloudwatch_url).unwrap();
    let (mut output, mut next) = (Vec::new(), None);
    loop {
        let window = calls.events(stream.clone(), next).await.unwrap().unwrap();
        output.extend(window.events.iter().flat_map(fleetline_history::LogEvent::output));
        if window.is_end {
            break;
        }
        next = Some(window.next);
    }
    assert_eq!(plain_text(&output), plain_text(&bytes));

    let nowhere = ObjectPlace { key: "nothing é+.log".into(), ..object.clone() };
    assert_eq!(calls.object(nowhere, 0, 10).await.unwrap(), None);
    let nowhere = ObjectPlace { bucket: "no-such-bucket".into(), ..object };
    assert_eq!(calls.object(nowhere, 0, 10).await.unwrap(), None);
    let nowhere = StreamPlace { stream: "nobody-1".into(), ..stream };
    assert_eq!(calls.events(nowhere, None).await.unwrap(), None);
    lab.end().await;
}

#[tokio::test]
async fn refusals_name_action_and_resource_and_wrong_keys_are_told_apart() {
    let lab = past().await;
    let control = lab.simulator.control();
    for (action, resource) in
        [("s3:GetObject", "arn:aws:s3:::x/*"), ("logs:GetLogEvents", "*"), ("cloudtrail:*", "*")]
    {
        control.deny(DenyRule {
            action: action.into(),
            resource: resource.into(),
            reason: DenyReason::NoIdentityPolicy,
        });
    }
    let object = ObjectPlace { bucket: "x".into(), key: "a.log".into() };
    let stream = StreamPlace { group: "/g".into(), stream: "a-1".into() };
    let ask = TrailAsk { name: "StartSession", from_ms: 0, to_ms: 4_000_000_000_000 };
    let calls = lab.sources.records(ACCOUNT, REGION).unwrap();
    let denied = [
        (
            calls.object(object.clone(), 0, 10).await.unwrap_err(),
            "s3:GetObject on resource: arn:aws:s3:::x/a.log",
        ),
        (calls.events(stream, None).await.unwrap_err(), ":log-group:/g:log-stream:a-1"),
        (calls.lookup(ask, None).await.unwrap_err(), "cloudtrail:LookupEvents on resource: *"),
        (calls.trails().await.unwrap_err(), "cloudtrail:DescribeTrails"),
    ];
    for (error, text) in denied {
        assert_eq!(error.kind, ApiErrorKind::AccessDenied, "{error}");
        assert!(error.message.contains(text) && error.request_id.is_some(), "{error:?}");
    }
    control.allow_everything();
    let wrong = lab.with_keys(ACCOUNT, "wrong").records("environment", REGION).unwrap();
    let error = wrong.object(object.clone(), 0, 10).await.unwrap_err();
    assert_eq!(
        (error.kind, error.code.as_deref()),
        (ApiErrorKind::CredentialsInvalid, Some("SignatureDoesNotMatch"))
    );
    control.set_credentials_expired(ACCOUNT, true).unwrap();
    let error = calls.object(object, 0, 10).await.unwrap_err();
    assert_eq!(error.kind, ApiErrorKind::CredentialsExpired);
    lab.end().await;
}

#[tokio::test]
async fn cloudtrail_gives_the_events_of_a_name_page_by_page_and_the_state_of_trails() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let control = lab.control(&node);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(control.start_session(to(&node)).await.unwrap().session_id);
    }
    for id in &ids {
        control.terminate_session(id.clone()).await.unwrap();
    }
    let calls = lab.sources.records(&node.account, &node.region).unwrap();
    let ask = |name| TrailAsk { name, from_ms: 0, to_ms: 4_000_000_000_000 };
    let page = calls.lookup(ask("StartSession"), None).await.unwrap();
    assert_eq!((page.events.len(), page.next), (3, None));
    assert!(page.events[0].record.contains(ids[2].as_str()) && page.events[0].at_ms > 1_600_000_000_000);
    assert_eq!(calls.lookup(ask("ResumeSession"), None).await.unwrap().events, []);
    let old = TrailAsk { to_ms: 1_600_000_000_000, ..ask("StartSession") };
    assert_eq!(calls.lookup(old, None).await.unwrap().events, []);

    let trails = calls.trails().await.unwrap();
    assert_eq!((trails.len(), trails[0].logging, trails[0].all_regions), (1, Some(true), true));
    let simulated = lab.simulator.control();
    simulated.deny(DenyRule {
        action: "cloudtrail:GetTrailStatus".into(),
        resource: "*".into(),
        reason: DenyReason::NoIdentityPolicy,
    });
    assert_eq!(calls.trails().await.unwrap()[0].logging, None);
    simulated.set_trail(&node.account, TrailState::Missing).unwrap();
    assert!(calls.trails().await.unwrap().is_empty());
    lab.end().await;
}
