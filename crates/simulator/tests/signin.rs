//! IAM Identity Center as raw HTTP: registration, both flows, the person's word, and what a sign-in opens.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fleetline_simulator::{SignInAnswer, Simulator};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use support::{Answer, account, host, send, simulator};

const CALLBACK: &str = "http://127.0.0.1:4711/oauth/callback";
const VERIFIER: &str = "a-verifier-of-a-test";

async fn post(simulator: &Simulator, path: &str, body: &Value) -> Answer {
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    send(&host(simulator), "POST", path, &headers, body.to_string().as_bytes()).await
}

async fn get(simulator: &Simulator, target: &str, token: &str) -> Answer {
    let headers = [("x-amz-sso_bearer_token".to_owned(), token.to_owned())];
    send(&host(simulator), "GET", target, &headers, b"").await
}

#[track_caller]
fn refused(answer: &Answer, status: u16, exception: &str, error: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("x-amzn-errortype"), Some(exception), "{answer:?}");
    assert_eq!(answer.json()["error"], error);
}

async fn register(simulator: &Simulator, by_code: bool) -> Value {
    let mut body = json!({ "clientName": "test", "clientType": "public", "scopes": ["sso:account:access"] });
    if by_code {
        body["grantTypes"] = json!(["authorization_code", "refresh_token"]);
        body["redirectUris"] = json!(["http://127.0.0.1/oauth/callback"]);
        body["issuerUrl"] = json!("https://fleet.awsapps.com/start");
    }
    let answer = post(simulator, "/client/register", &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// The address a browser opens.
fn authorize(client: &Value, redirect_uri: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", client["clientId"].as_str().unwrap())
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("state", "my-state")
        .append_pair("code_challenge_method", "S256")
        .append_pair("scopes", "sso:account:access")
        .append_pair("code_challenge", &challenge)
        .finish();
    format!("/authorize?{query}")
}

/// Where a browser is sent, as a member of its query.
fn sent_back(answer: &Answer, name: &str) -> Option<String> {
    assert_eq!(answer.status, 302, "{answer:?}");
    let url = url::Url::parse(answer.header("location").unwrap()).unwrap();
    assert!(url.as_str().starts_with(CALLBACK));
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn with_client(client: &Value, mut body: Value) -> Value {
    body["clientId"] = client["clientId"].clone();
    body["clientSecret"] = client["clientSecret"].clone();
    body
}

fn code_grant(client: &Value, code: &str, verifier: &str) -> Value {
    with_client(
        client,
        json!({ "grantType": "authorization_code", "code": code, "codeVerifier": verifier,
                "redirectUri": CALLBACK }),
    )
}

#[tokio::test]
async fn a_code_is_given_to_who_asks_on_the_page_and_is_good_once_with_its_verifier() {
    let simulator = simulator(|_| {}).await;
    let client = register(&simulator, true).await;
    let page = get(&simulator, &authorize(&client, CALLBACK), "").await;
    assert!(page.status == 200 && page.body.contains("id=\"allow\""), "{page:?}");
    let allow = format!("{}&answer=allow", authorize(&client, CALLBACK));
    let answer = get(&simulator, &allow, "").await;
    assert_eq!(sent_back(&answer, "state").as_deref(), Some("my-state"));
    let code = sent_back(&answer, "code").unwrap();
    let token = post(&simulator, "/token", &code_grant(&client, &code, VERIFIER)).await;
    assert_eq!(token.status, 200, "{token:?}");
    assert_eq!(token.json()["expiresIn"], 28_800);
    let again = post(&simulator, "/token", &code_grant(&client, &code, VERIFIER)).await;
    refused(&again, 400, "InvalidGrantException", "invalid_grant");

    let code = sent_back(&get(&simulator, &allow, "").await, "code").unwrap();
    let wrong = post(&simulator, "/token", &code_grant(&client, &code, "another")).await;
    refused(&wrong, 400, "InvalidGrantException", "invalid_grant");
    let right = post(&simulator, "/token", &code_grant(&client, &code, VERIFIER)).await;
    refused(&right, 400, "InvalidGrantException", "invalid_grant");
    simulator.shutdown().await;
}

#[tokio::test]
async fn the_page_denies_forges_a_state_and_keeps_to_the_registered_address() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let client = register(&simulator, true).await;
    let elsewhere = get(&simulator, &authorize(&client, "http://127.0.0.1:1/elsewhere"), "").await;
    assert_eq!(elsewhere.status, 400, "{elsewhere:?}");
    let device_client = register(&simulator, false).await;
    assert_eq!(get(&simulator, &authorize(&device_client, CALLBACK), "").await.status, 400);

    control.answer_sign_ins(SignInAnswer::Denies);
    let denied = get(&simulator, &authorize(&client, CALLBACK), "").await;
    assert_eq!(sent_back(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(sent_back(&denied, "code"), None);
    control.answer_sign_ins(SignInAnswer::WrongState);
    let forged = get(&simulator, &authorize(&client, CALLBACK), "").await;
    assert_ne!(sent_back(&forged, "state").as_deref(), Some("my-state"));
    control.answer_sign_ins(SignInAnswer::Allows);
    let late = get(&simulator, &authorize(&client, CALLBACK), "").await;
    control.expire_sign_ins();
    let code = sent_back(&late, "code").unwrap();
    let expired = post(&simulator, "/token", &code_grant(&client, &code, VERIFIER)).await;
    refused(&expired, 400, "ExpiredTokenException", "expired_token");
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_device_code_is_pending_slowed_denied_expired_or_confirmed() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    let client = register(&simulator, false).await;
    let start = async || {
        let body = with_client(&client, json!({ "startUrl": "https://fleet.awsapps.com/start" }));
        post(&simulator, "/device_authorization", &body).await.json()
    };
    let poll = async |device: &Value| {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let body = with_client(&client, json!({ "grantType": grant, "deviceCode": device["deviceCode"] }));
        post(&simulator, "/token", &body).await
    };
    let open = async |device: &Value| {
        let url = device["verificationUriComplete"].as_str().unwrap();
        get(&simulator, url.trim_start_matches(&simulator.endpoint()), "").await
    };
    let device = start().await;
    refused(&poll(&device).await, 400, "AuthorizationPendingException", "authorization_pending");
    control.slow_sign_ins_down(1);
    refused(&poll(&device).await, 400, "SlowDownException", "slow_down");
    let page = open(&device).await;
    assert!(page.body.contains(device["userCode"].as_str().unwrap()), "{page:?}");
    refused(&poll(&device).await, 400, "AuthorizationPendingException", "authorization_pending");
    control.answer_sign_ins(SignInAnswer::Allows);
    assert_eq!(open(&device).await.status, 200);
    assert_eq!(poll(&device).await.status, 200);
    refused(&poll(&device).await, 400, "InvalidGrantException", "invalid_grant");

    control.answer_sign_ins(SignInAnswer::Denies);
    let device = start().await;
    open(&device).await;
    refused(&poll(&device).await, 400, "AccessDeniedException", "access_denied");
    let device = start().await;
    control.expire_sign_ins();
    refused(&poll(&device).await, 400, "ExpiredTokenException", "expired_token");
    assert_eq!(open(&device).await.status, 400);

    let mut stranger = client.clone();
    stranger["clientSecret"] = json!("wrong");
    let body = with_client(&stranger, json!({ "startUrl": "https://fleet.awsapps.com/start" }));
    let unknown = post(&simulator, "/device_authorization", &body).await;
    refused(&unknown, 401, "InvalidClientException", "invalid_client");
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_token_opens_accounts_roles_and_credentials_until_it_is_refreshed_or_signed_out() {
    let simulator = simulator(|_| {}).await;
    let control = simulator.control();
    control.answer_sign_ins(SignInAnswer::Allows);
    let client = register(&simulator, true).await;
    let code = sent_back(&get(&simulator, &authorize(&client, CALLBACK), "").await, "code").unwrap();
    let token = post(&simulator, "/token", &code_grant(&client, &code, VERIFIER)).await.json();
    let access = token["accessToken"].as_str().unwrap();

    let mut names = Vec::new();
    let mut next = String::new();
    loop {
        let page = get(&simulator, &format!("/assignment/accounts?max_result=2{next}"), access).await.json();
        let list = page["accountList"].as_array().unwrap();
        assert!(list.len() <= 2);
        names.extend(list.iter().map(|account| account["accountName"].as_str().unwrap().to_owned()));
        let Some(token) = page["nextToken"].as_str() else { break };
        next = format!("&next_token={token}");
    }
    let known: Vec<String> = simulator.accounts().into_iter().map(|account| account.name).collect();
    assert_eq!(names, known);

    let payments = account(&simulator, "payments-prod");
    let id = &payments.account_id;
    let roles = get(&simulator, &format!("/assignment/roles?account_id={id}"), access).await.json();
    let role = roles["roleList"][0]["roleName"].as_str().unwrap().to_owned();
    let target = format!("/federation/credentials?account_id={id}&role_name={role}");
    let answer = get(&simulator, &target, access).await.json();
    let credentials = &answer["roleCredentials"];
    assert_eq!(credentials["accessKeyId"], payments.access_key_id.as_str());
    let left = credentials["expiration"].as_i64().unwrap() - jiff::Timestamp::now().as_millisecond();
    assert!((3_500_000..=3_600_000).contains(&left), "milliseconds: {left}");
    let other = format!("/federation/credentials?account_id={id}&role_name=Nobody");
    refused(&get(&simulator, &other, access).await, 403, "ForbiddenException", "access_denied");

    let body =
        with_client(&client, json!({ "grantType": "refresh_token", "refreshToken": token["refreshToken"] }));
    let fresh = post(&simulator, "/token", &body).await.json();
    let fresh = fresh["accessToken"].as_str().unwrap();
    refused(&post(&simulator, "/token", &body).await, 400, "InvalidGrantException", "invalid_grant");
    assert_eq!(get(&simulator, &target, fresh).await.status, 200);
    let headers = [("x-amz-sso_bearer_token".to_owned(), fresh.to_owned())];
    assert_eq!(send(&host(&simulator), "POST", "/logout", &headers, b"").await.status, 200);
    refused(&get(&simulator, &target, fresh).await, 401, "UnauthorizedException", "invalid_token");
    simulator.shutdown().await;
}
