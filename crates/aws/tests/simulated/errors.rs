use fleetline_engine::ports::{ApiErrorKind, ControlPlanes, StartSession};
use fleetline_inventory::ports::Sources;
use fleetline_simulator::{DenyReason, DenyRule};

use crate::{Lab, settings, to};

#[tokio::test]
async fn a_wrong_secret_is_told_by_every_service() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let wrong = lab.with_keys(&node.account, "not the secret");
    let listing = wrong.listing("environment", &node.region).unwrap();
    let control = wrong.control_plane("environment", &node.region).unwrap();
    let refusals = [
        listing.identity().await.unwrap_err(),
        listing.page(None).await.unwrap_err(),
        control.start_session(to(&node)).await.unwrap_err(),
    ];
    for refused in refusals {
        assert_eq!(refused.kind, ApiErrorKind::CredentialsInvalid, "{refused}");
        assert!(!refused.never_sent && refused.code.is_some());
    }
    lab.end().await;
}

#[tokio::test]
async fn expired_credentials_are_told_from_wrong_ones_and_work_again_when_renewed() {
    let lab = Lab::open().await;
    let node = lab.linux();
    lab.simulator.control().set_credentials_expired(&node.account, true).unwrap();
    let refused = lab.control(&node).start_session(to(&node)).await.unwrap_err();
    assert_eq!(refused.kind, ApiErrorKind::CredentialsExpired, "{refused}");
    lab.simulator.control().set_credentials_expired(&node.account, false).unwrap();
    let grant = lab.control(&node).start_session(to(&node)).await.unwrap();
    lab.control(&node).terminate_session(grant.session_id).await.unwrap();
    lab.end().await;
}

#[tokio::test]
async fn an_endpoint_nobody_listens_on_was_never_reached() {
    let lab = Lab::open().await;
    let account = lab.simulator.accounts().remove(0);
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let sources = settings(lab.directory.path(), &closed, &account, &account.secret_access_key);
    let control = sources.control_plane("environment", &account.default_region).unwrap();
    let request = StartSession { target: "i-0123456789abcdef0".to_owned(), ..StartSession::default() };
    let refused = control.start_session(request).await.unwrap_err();
    assert_eq!((refused.kind, refused.never_sent), (ApiErrorKind::Network, true), "{refused}");
    lab.end().await;
}

#[tokio::test]
async fn an_endpoint_that_hangs_up_after_the_request_may_have_been_reached() {
    let lab = Lab::open().await;
    let account = lab.simulator.accounts().remove(0);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let calls = tokio::spawn(async move {
        let mut calls = 0;
        loop {
            let Ok((mut socket, _)) = listener.accept().await else { return calls };
            let mut request = [0; 1024];
            tokio::io::AsyncReadExt::read(&mut socket, &mut request).await.unwrap();
            calls += 1;
            if calls == 1 {
                // A second call would arrive at once; there is none to wait for when the first one failed.
                drop(socket);
                return calls;
            }
        }
    });
    let sources = settings(lab.directory.path(), &endpoint, &account, &account.secret_access_key);
    let control = sources.control_plane("environment", &account.default_region).unwrap();
    let request = StartSession { target: "i-0123456789abcdef0".to_owned(), ..StartSession::default() };
    let failed = control.start_session(request).await.unwrap_err();
    assert_eq!((failed.kind, failed.never_sent), (ApiErrorKind::Network, false), "{failed}");
    assert_eq!(calls.await.unwrap(), 1);
    lab.end().await;
}

#[tokio::test]
async fn an_answer_that_is_not_aws_is_named_with_its_status() {
    let lab = Lab::open().await;
    let account = lab.simulator.accounts().remove(0);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        tokio::io::AsyncReadExt::read(&mut socket, &mut request).await.unwrap();
        let page =
            "HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>";
        tokio::io::AsyncWriteExt::write_all(&mut socket, page.as_bytes()).await.unwrap();
    });
    let sources = settings(lab.directory.path(), &endpoint, &account, &account.secret_access_key);
    let control = sources.control_plane("environment", &account.default_region).unwrap();
    let request = StartSession { target: "i-0123456789abcdef0".to_owned(), ..StartSession::default() };
    let failed = control.start_session(request).await.unwrap_err();
    server.await.unwrap();
    assert!(failed.message.contains("403"), "{failed}");
    lab.end().await;
}

#[tokio::test]
async fn denials_keep_the_text_aws_sent() {
    let lab = Lab::open().await;
    let node = lab.linux();
    lab.simulator.control().deny(DenyRule {
        action: "ssm:StartSession".to_owned(),
        resource: "*".to_owned(),
        reason: DenyReason::ServiceControlPolicy,
    });
    let refused = lab.control(&node).start_session(to(&node)).await.unwrap_err();
    assert_eq!(refused.kind, ApiErrorKind::AccessDenied);
    assert!(refused.message.contains("ssm:StartSession"), "{refused}");
    assert!(refused.message.contains("service control policy"), "{refused}");
    lab.end().await;
}

#[tokio::test]
async fn throttling_is_told_and_a_start_is_not_repeated() {
    let lab = Lab::open().await;
    let node = lab.linux();
    lab.simulator.control().throttle_next(1);
    let refused = lab.control(&node).start_session(to(&node)).await.unwrap_err();
    assert_eq!(refused.kind, ApiErrorKind::Throttled, "{refused}");
    assert_eq!(lab.simulator.control().calls().get("StartSession"), Some(&1));
    lab.simulator.control().throttle_next(1);
    lab.listing(&node.account, &node.region).page(None).await.unwrap();
    lab.end().await;
}

#[tokio::test]
async fn an_unknown_document_is_told() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let request = StartSession { document: Some("AWS-NoSuchDocument".to_owned()), ..to(&node) };
    let refused = lab.control(&node).start_session(request).await.unwrap_err();
    assert_eq!(refused.kind, ApiErrorKind::InvalidDocument, "{refused}");
    lab.end().await;
}
