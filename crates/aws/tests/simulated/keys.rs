//! Data keys of KMS, from an endpoint that answers as a test wants it and keeps what it was asked.

use std::sync::{Arc, Mutex};

use fleetline_aws::{AwsSettings, AwsSources};
use fleetline_engine::ports::{ApiErrorKind, ControlPlane, ControlPlanes};
use fleetline_protocol::DataKeyRequest;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// 64 bytes counted up from 0, in base64.
const PLAIN: &str =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

/// An endpoint with one answer for every request; gives its address, and the heads and bodies of the requests.
async fn endpoint(status: &'static str, body: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let keeps = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let (mut request, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                }
                request.push_str(&line);
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut content = vec![0; length];
            stream.read_exact(&mut content).await.unwrap();
            request.push_str(&String::from_utf8(content).unwrap());
            keeps.lock().unwrap().push(request);
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, asked)
}

fn control(kms: &str) -> Arc<dyn ControlPlane> {
    let settings = AwsSettings::from_files("/nonexistent", None)
        .with_variable("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .with_variable("AWS_ENDPOINT_URL_KMS", kms)
        .with_variable("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .with_variable("AWS_SECRET_ACCESS_KEY", "secret");
    AwsSources::new(settings).control_plane("environment", "eu-west-1").unwrap()
}

fn request() -> DataKeyRequest {
    DataKeyRequest {
        key_id: "alias/sessions".to_owned(),
        encryption_context: vec![
            ("aws:ssm:SessionId".to_owned(), "someone-1".to_owned()),
            ("aws:ssm:TargetId".to_owned(), "i-1".to_owned()),
        ],
    }
}

#[tokio::test]
async fn a_data_key_is_asked_for_with_the_sessions_context_and_split_and_hidden() {
    let body = format!(r#"{{"CiphertextBlob":"c2VhbGVk","Plaintext":"{PLAIN}","KeyId":"arn:key"}}"#);
    let (kms, asked) = endpoint("200 OK", body).await;
    let key = control(&kms).generate_data_key(request()).await.unwrap();
    assert_eq!(key.cipher_text_blob, b"sealed");
    let half = |from: u8| -> Vec<u8> { (from..from + 32).collect() };
    assert_eq!(key.plain.agent_to_client().expose()[..], half(0));
    assert_eq!(key.plain.client_to_agent().expose()[..], half(32));
    assert!(!format!("{key:?}").contains("[0, 1, 2"), "{key:?}");
    let asked = asked.lock().unwrap().concat();
    for part in [
        "TrentService.GenerateDataKey",
        r#""KeyId":"alias/sessions""#,
        r#""NumberOfBytes":64"#,
        r#""aws:ssm:SessionId":"someone-1""#,
        r#""aws:ssm:TargetId":"i-1""#,
    ] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
}

#[tokio::test]
async fn what_kms_refuses_is_told_by_who_can_do_something_about_it() {
    for (code, text, kind) in [
        (
            "AccessDeniedException",
            "User: arn:aws:iam::111122223333:user/a is not authorized to perform: kms:GenerateDataKey on resource: \
             arn:key because no identity-based policy allows the kms:GenerateDataKey action",
            ApiErrorKind::AccessDenied,
        ),
        ("DisabledException", "arn:key is disabled.", ApiErrorKind::KeyUnusable),
        ("NotFoundException", "Alias alias/sessions is not found.", ApiErrorKind::KeyUnusable),
        ("KMSInvalidStateException", "arn:key is pending deletion.", ApiErrorKind::KeyUnusable),
        ("ExpiredTokenException", "The security token is expired", ApiErrorKind::CredentialsExpired),
    ] {
        let (kms, _) =
            endpoint("400 Bad Request", format!(r#"{{"__type":"{code}","message":"{text}"}}"#)).await;
        let refused = control(&kms).generate_data_key(request()).await.unwrap_err();
        assert_eq!((refused.kind, refused.operation), (kind, "GenerateDataKey"), "{refused}");
        assert_eq!(refused.message, text);
    }
}

#[tokio::test]
async fn a_key_of_the_wrong_length_or_without_its_sealed_form_is_no_key() {
    for body in [
        r#"{"CiphertextBlob":"c2VhbGVk","Plaintext":"AAECAw=="}"#.to_owned(),
        format!(r#"{{"Plaintext":"{PLAIN}"}}"#),
        "{}".to_owned(),
    ] {
        let (kms, _) = endpoint("200 OK", body).await;
        let refused = control(&kms).generate_data_key(request()).await.unwrap_err();
        assert_eq!(refused.kind, ApiErrorKind::Service, "{refused}");
    }
}
