//! Data keys of KMS: names of keys, contexts, permissions.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::sync::Arc;

use aes_gcm::aead::Aead as _;
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleetline_protocol::{Aead, AeadError, ClientSealing, NONCE_BYTES, SealingKey, SessionId, TerminalSize};
use fleetline_simulator::{
    ApiError, Calls, Condition, DenyReason, DenyRule, SessionKey, SessionStatus, Simulator,
};
use serde_json::{Value, json};
use support::channel::Client;
use support::{Answer, Signer, account, host, send, simulator, ssm_ok};

const ACCOUNT: &str = "payments-prod";
const REGION: &str = "eu-central-1";

fn signer(simulator: &Simulator, service: &str) -> Signer {
    Signer::new(&account(simulator, ACCOUNT), REGION, service)
}

async fn kms_as(simulator: &Simulator, signer: &Signer, operation: &str, body: &Value) -> Answer {
    let (host, body) = (host(simulator), body.to_string());
    let mut headers = signer.sign("POST", &host, "/", "", body.as_bytes());
    headers.push(("content-type".into(), "application/x-amz-json-1.1".into()));
    headers.push(("x-amz-target".into(), format!("TrentService.{operation}")));
    send(&host, "POST", "/", &headers, body.as_bytes()).await
}

async fn kms(simulator: &Simulator, operation: &str, body: Value) -> Answer {
    kms_as(simulator, &signer(simulator, "kms"), operation, &body).await
}

/// The code and the text of a refusal.
fn refused(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    let body = answer.json();
    (body["__type"].as_str().unwrap().to_owned(), body["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_data_key_opens_with_its_context_alone() {
    let simulator = simulator(|_| {}).await;
    let arn = simulator.control().kms_key(ACCOUNT, REGION).unwrap();
    let id = arn.rsplit('/').next().unwrap();
    let alias_arn = arn.replace(&format!("key/{id}"), "alias/fleet-sessions");
    let context = json!({ "aws:ssm:SessionId": "someone-1", "aws:ssm:TargetId": "i-1" });
    for name in [&*arn, id, "alias/fleet-sessions", &*alias_arn] {
        let ask = json!({ "KeyId": name, "NumberOfBytes": 64, "EncryptionContext": context });
        let made = kms(&simulator, "GenerateDataKey", ask.clone()).await.json();
        assert_eq!(made["KeyId"], arn, "{name}");
        assert_eq!(STANDARD.decode(made["Plaintext"].as_str().unwrap()).unwrap().len(), 64);
        let again = kms(&simulator, "GenerateDataKey", ask).await.json();
        assert_ne!(made["Plaintext"], again["Plaintext"]);

        let blob = &made["CiphertextBlob"];
        let open = json!({ "CiphertextBlob": blob, "EncryptionContext": context, "KeyId": name });
        let opened = kms(&simulator, "Decrypt", open).await.json();
        assert_eq!((&opened["Plaintext"], &opened["KeyId"]), (&made["Plaintext"], &json!(arn)));
        let other = json!({ "aws:ssm:SessionId": "someone-1", "aws:ssm:TargetId": "i-2" });
        for context in [json!({}), other] {
            let open = json!({ "CiphertextBlob": blob, "EncryptionContext": context });
            let (code, _) = refused(&kms(&simulator, "Decrypt", open).await);
            assert_eq!(code, "InvalidCiphertextException");
        }
        let mut changed = STANDARD.decode(blob.as_str().unwrap()).unwrap();
        *changed.last_mut().unwrap() ^= 1;
        let open = json!({ "CiphertextBlob": STANDARD.encode(changed), "EncryptionContext": context });
        assert_eq!(refused(&kms(&simulator, "Decrypt", open).await).0, "InvalidCiphertextException");
    }
    let described = kms(&simulator, "DescribeKey", json!({ "KeyId": "alias/fleet-sessions" })).await.json();
    let key = &described["KeyMetadata"];
    assert_eq!(
        (&key["Arn"], &key["Enabled"], &key["KeyState"]),
        (&json!(arn), &json!(true), &json!("Enabled"))
    );
    simulator.shutdown().await;
}

#[tokio::test]
async fn what_kms_refuses_is_named_as_kms_names_it() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let arn = control.kms_key(ACCOUNT, REGION).unwrap();
    let ask = |name: &str| json!({ "KeyId": name, "NumberOfBytes": 64 });
    let generate = |body: Value| kms(&simulator, "GenerateDataKey", body);

    let elsewhere = control.kms_key(ACCOUNT, "us-east-1").unwrap();
    assert_ne!(elsewhere, arn);
    for name in ["alias/nothing", "5f2f6f7e-0000-0000-0000-000000000000", &elsewhere] {
        let (code, text) = refused(&generate(ask(name)).await);
        assert_eq!(code, "NotFoundException");
        assert!(text.contains(name), "{text}");
    }
    for body in [
        json!({}),
        json!({ "KeyId": arn }),
        json!({ "KeyId": arn, "NumberOfBytes": 0 }),
        json!({ "KeyId": arn, "NumberOfBytes": 1025 }),
        json!({ "KeyId": arn, "KeySpec": "AES_512" }),
        json!({ "KeyId": arn, "NumberOfBytes": 64, "KeySpec": "AES_256" }),
    ] {
        assert_eq!(refused(&generate(body).await).0, "ValidationException");
    }

    let ssm_signer = signer(&simulator, "ssm");
    let answer = kms_as(&simulator, &ssm_signer, "GenerateDataKey", &ask(&arn)).await;
    assert_eq!(refused(&answer).0, "InvalidSignatureException");

    control.deny(DenyRule {
        action: "kms:GenerateDataKey".into(),
        resource: arn.clone(),
        reason: DenyReason::NoIdentityPolicy,
    });
    let (code, text) = refused(&generate(ask("alias/fleet-sessions")).await);
    assert_eq!(code, "AccessDeniedException");
    assert!(text.contains(&format!("kms:GenerateDataKey on resource: {arn} because")), "{text}");
    control.allow_everything();

    control.impose(
        Calls::of("GenerateDataKey").times(1),
        Condition::Failing(ApiError::new(400, "KMSInternalException", "later")),
    );
    assert_eq!(refused(&generate(ask(&arn)).await).0, "KMSInternalException");

    control.set_kms_key_enabled(ACCOUNT, REGION, false).unwrap();
    assert_eq!(
        refused(&generate(ask(&arn)).await),
        ("DisabledException".into(), format!("{arn} is disabled."))
    );
    let described = kms(&simulator, "DescribeKey", json!({ "KeyId": arn })).await.json();
    assert_eq!(described["KeyMetadata"]["KeyState"], "Disabled");
    control.set_kms_key_enabled(ACCOUNT, REGION, true).unwrap();
    assert_eq!(generate(ask(&arn)).await.status, 200);
    simulator.shutdown().await;
}

struct TestAead;

impl Aead for TestAead {
    fn seal(&self, key: &SealingKey, nonce: &[u8; NONCE_BYTES], plain: &[u8]) -> Result<Vec<u8>, AeadError> {
        Aes256Gcm::new(key.expose().into()).encrypt(nonce.into(), plain).map_err(|_| AeadError)
    }

    fn open(&self, key: &SealingKey, nonce: &[u8; NONCE_BYTES], sealed: &[u8]) -> Result<Vec<u8>, AeadError> {
        Aes256Gcm::new(key.expose().into()).decrypt(nonce.into(), sealed).map_err(|_| AeadError)
    }
}

/// A shell on the first Linux node, up to the moment when the agent has a sealed data key.
async fn sealed_shell(simulator: &Simulator) -> Client {
    let nodes = simulator.control().nodes(ACCOUNT, REGION);
    let node = nodes.iter().find(|n| n.online && !n.hybrid && n.platform == "Linux").unwrap();
    let ask = json!({ "Target": node.id });
    let answer = ssm_ok(simulator, &signer(simulator, "ssm"), "StartSession", &ask).await;
    let session = SessionId::new(answer["SessionId"].as_str().unwrap());
    let sealing = ClientSealing::new(Arc::new(TestAead), session, &node.id);
    let mut client = Client::sealing(Some(TerminalSize { cols: 80, rows: 24 }), Some(sealing));
    client.open(&answer).await;
    client.until("request for a key", |client| client.key_wanted.is_some()).await;
    let request = client.key_wanted.clone().unwrap();
    let context: Value =
        request.encryption_context.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let body = json!({ "KeyId": request.key_id, "NumberOfBytes": 64, "EncryptionContext": context });
    let made = kms(simulator, "GenerateDataKey", body).await.json();
    let bytes = |name: &str| STANDARD.decode(made[name].as_str().unwrap()).unwrap();
    client.provide_key(&bytes("CiphertextBlob"), &bytes("Plaintext")).await;
    client
}

#[cfg(unix)]
#[tokio::test]
async fn shells_are_sealed_with_the_key_of_the_preferences_until_it_is_taken_away() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    for has_challenge in [true, false] {
        let key = SessionKey { has_challenge, ..SessionKey::new("alias/fleet-sessions") };
        control.set_session_key(ACCOUNT, REGION, Some(key)).unwrap();
        let mut client = sealed_shell(&simulator).await;
        client.until_output("$ ").await;
        client.send(b"echo $((6*7))end\r").await;
        client.until_output("42end").await;
        client.send(b"exit\r").await;
        client.until("end", |client| client.closed.is_some()).await;
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_node_that_may_not_open_the_data_key_ends_the_session_without_a_word() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let key = control.kms_key(ACCOUNT, REGION).unwrap();
    control.set_session_key(ACCOUNT, REGION, Some(SessionKey::new(&*key))).unwrap();
    control.deny(DenyRule {
        action: "kms:Decrypt".into(),
        resource: key,
        reason: DenyReason::NoIdentityPolicy,
    });
    let mut client = sealed_shell(&simulator).await;
    client.until("end", |client| client.closed.is_some()).await;
    assert!(!client.started && client.output.is_empty());
    let sessions = control.wait_for(|sessions| sessions[0].status.is_over()).await.unwrap();
    assert_eq!((sessions[0].status, sessions[0].details.as_str()), (SessionStatus::Failed, ""));
    simulator.shutdown().await;
}
