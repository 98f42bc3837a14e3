//! The flows with a service in memory, real sockets and real files.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fleetline_signin::{
    BoxFuture, CachedToken, Callback, CallbackError, DeviceGrant, Method, Oidc, OidcError, Pkce, Prompt,
    Registration, Secret, SignInError, SsoSession, TokenCache, TokenError, TokenGrant, TokenRequest,
    fresh_token, sign_in,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

const FAR_MS: i64 = 4_000_000_000_000;

fn session() -> SsoSession {
    SsoSession {
        name: Some("fleet".to_owned()),
        start_url: "https://fleet.awsapps.com/start".to_owned(),
        region: "eu-central-1".to_owned(),
        scopes: Vec::new(),
    }
}

fn registration(id: &str) -> Registration {
    Registration { client_id: id.to_owned(), client_secret: Secret::new("s3cret"), expires_ms: FAR_MS }
}

fn token(access: &str, expires_ms: i64) -> CachedToken {
    CachedToken {
        access_token: Secret::new(access),
        expires_ms,
        refresh_token: Some(Secret::new("refresh-1")),
        client: Some(registration("c")),
    }
}

/// Answers of the service, in order; the last one is repeated.
#[derive(Debug, Default)]
struct Service {
    answers: Mutex<Vec<Result<TokenGrant, OidcError>>>,
    asked: Mutex<Vec<TokenRequest>>,
    registrations: AtomicUsize,
    codes_live: Duration,
}

impl Service {
    fn answering(answers: Vec<Result<TokenGrant, OidcError>>) -> Self {
        Self { answers: Mutex::new(answers), codes_live: Duration::from_secs(600), ..Self::default() }
    }

    fn asked(&self) -> Vec<TokenRequest> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn granted(access: &str) -> Result<TokenGrant, OidcError> {
    Ok(TokenGrant { access_token: Secret::new(access), expires_in_s: 3_600, refresh_token: None })
}

impl Oidc for Service {
    fn register<'a>(
        &'a self,
        _session: &'a SsoSession,
        _redirect_uri: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Registration, OidcError>> {
        let number = self.registrations.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Ok(registration(&format!("client-{number}"))) })
    }

    fn start_device<'a>(
        &'a self,
        _session: &'a SsoSession,
        _client: &'a Registration,
    ) -> BoxFuture<'a, Result<DeviceGrant, OidcError>> {
        Box::pin(async move {
            Ok(DeviceGrant {
                device_code: Secret::new("device"),
                user_code: "PMPJ-VZCJ".to_owned(),
                verification_uri: "https://device.example/".to_owned(),
                verification_uri_complete: "https://device.example/?user_code=PMPJ-VZCJ".to_owned(),
                expires_in: self.codes_live,
                interval: Duration::from_millis(1),
            })
        })
    }

    fn create_token<'a>(
        &'a self,
        _client: &'a Registration,
        request: TokenRequest,
    ) -> BoxFuture<'a, Result<TokenGrant, OidcError>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(async move { answer })
    }

    fn authorize_base(&self) -> String {
        "https://oidc.example".to_owned()
    }
}

/// Hands on what a person would see.
struct Shown(mpsc::UnboundedSender<(String, Option<String>)>);

impl Prompt for Shown {
    fn visit(&self, url: &str, user_code: Option<&str>) {
        self.0.send((url.to_owned(), user_code.map(str::to_owned))).unwrap();
    }
}

async fn get(redirect_uri: &str, query: &str, host: Option<&str>) -> String {
    let url = url::Url::parse(redirect_uri).unwrap();
    let address = format!("127.0.0.1:{}", url.port().unwrap());
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let host = host.unwrap_or(&address);
    let request = format!("GET {}?{query} HTTP/1.1\r\nHost: {host}\r\n\r\n", url.path());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn member(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap()
}

#[tokio::test]
async fn the_browser_comes_back_with_a_code_and_strangers_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let cache = TokenCache::new(directory.path().join("sso/cache"));
    let service = Arc::new(Service::answering(vec![granted("access-1")]));
    let (shown, mut visits) = mpsc::unbounded_channel();
    let (task_service, task_cache) = (Arc::clone(&service), cache.clone());
    let signing_in = tokio::spawn(async move {
        sign_in(&*task_service, &task_cache, &session(), Method::Browser, &Shown(shown)).await
    });
    let (url, user_code) = visits.recv().await.unwrap();
    assert!(url.starts_with("https://oidc.example/authorize?") && user_code.is_none(), "{url}");
    let (back, state) = (member(&url, "redirect_uri"), member(&url, "state"));
    assert_eq!(member(&url, "code_challenge_method"), "S256");
    assert_eq!(member(&url, "scopes"), "sso:account:access");

    let ours = format!("code=c0de&state={state}");
    for (query, host) in [
        ("code=evil&state=guess".to_owned(), None),
        ("code=evil".to_owned(), None),
        (format!("code=evil&state={state}&state={state}"), None),
        (ours.clone(), Some("rebound.example")),
    ] {
        let answer = get(&back, &query, host).await;
        assert!(answer.starts_with("HTTP/1.1 404 ") && !answer.contains("evil"), "{query}: {answer}");
    }
    let answer = get(&back, &ours, None).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && !answer.contains("c0de"), "{answer}");
    signing_in.await.unwrap().unwrap();

    let [TokenRequest::Code { code, verifier, redirect_uri }] = &service.asked()[..] else {
        panic!("one request")
    };
    assert_eq!((code.expose(), redirect_uri), ("c0de", &back));
    assert_eq!(member(&url, "code_challenge"), challenge(verifier.expose()));
    let kept = cache.token(&session()).unwrap().unwrap();
    assert_eq!(kept.access_token.expose(), "access-1");
    assert!(
        TcpStream::connect(url::Url::parse(&back).unwrap().socket_addrs(|| None).unwrap()[0]).await.is_err()
    );
}

fn challenge(verifier: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier.as_bytes()))
}

#[tokio::test]
async fn a_refusal_in_the_browser_ends_the_sign_in_with_its_reason() {
    let (callback, pkce) = (Callback::listen().await.unwrap(), Pkce::new());
    let back = callback.redirect_uri();
    assert!(back.starts_with("http://127.0.0.1:"), "{back}");
    let state = member(&pkce.authorize_url("https://o", &registration("c"), &back, &[]), "state");
    let waiting = tokio::spawn(async move { callback.code(&pkce).await });
    get(&back, &format!("error=access_denied&error_description=no%0A%3Cb%3E&state={state}"), None).await;
    let refused = waiting.await.unwrap().unwrap_err();
    assert!(matches!(&refused, CallbackError::Refused(reason) if reason == "no<b>"), "{refused:?}");
}

#[tokio::test]
async fn a_device_code_is_polled_until_it_is_confirmed() {
    let directory = tempfile::tempdir().unwrap();
    let cache = TokenCache::new(directory.path());
    let service = Service::answering(vec![
        Err(OidcError::Pending),
        Err(OidcError::Network("away".to_owned())),
        granted("access-2"),
    ]);
    let (shown, mut visits) = mpsc::unbounded_channel();
    sign_in(&service, &cache, &session(), Method::Device, &Shown(shown)).await.unwrap();
    assert_eq!(service.asked().len(), 3);
    assert_eq!(visits.recv().await.unwrap().1.as_deref(), Some("PMPJ-VZCJ"));
    assert_eq!(cache.token(&session()).unwrap().unwrap().access_token.expose(), "access-2");

    for error in [OidcError::Expired, OidcError::Denied] {
        let service = Service::answering(vec![Err(error.clone())]);
        let (shown, _visits) = mpsc::unbounded_channel();
        let failed = sign_in(&service, &cache, &session(), Method::Device, &Shown(shown)).await.unwrap_err();
        assert!(matches!(&failed, SignInError::Oidc(found) if *found == error), "{failed:?}");
    }
    let service = Service { codes_live: Duration::ZERO, ..Service::answering(vec![Err(OidcError::Pending)]) };
    let (shown, _visits) = mpsc::unbounded_channel();
    let failed = sign_in(&service, &cache, &session(), Method::Device, &Shown(shown)).await.unwrap_err();
    assert!(matches!(failed, SignInError::TimedOut), "{failed:?}");
    assert_eq!(
        cache.token(&session()).unwrap().unwrap().access_token.expose(),
        "access-2",
        "the old one stays"
    );
}

#[tokio::test]
async fn a_registration_is_used_again_and_replaced_when_it_was_revoked() {
    let directory = tempfile::tempdir().unwrap();
    let cache = TokenCache::new(directory.path());
    let run = |answers| {
        let cache = cache.clone();
        async move {
            let service = Service::answering(answers);
            let (shown, _visits) = mpsc::unbounded_channel();
            sign_in(&service, &cache, &session(), Method::Device, &Shown(shown)).await.unwrap();
            service.registrations.load(Ordering::SeqCst)
        }
    };
    assert_eq!(run(vec![granted("a")]).await, 1);
    assert_eq!(run(vec![granted("b")]).await, 0);
    assert_eq!(run(vec![Err(OidcError::InvalidClient), granted("c")]).await, 1);
    assert_eq!(cache.registration(&session(), true).unwrap(), None, "one for device codes cannot call back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_who_refresh_at_once_refresh_once_and_keep_what_others_wrote() {
    let directory = tempfile::tempdir().unwrap();
    let cache = TokenCache::new(directory.path());
    cache.put_token(&session(), &token("old", 1)).unwrap();
    let file = only_json(directory.path());
    let mut content: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    content["someoneElses"] = serde_json::json!({ "kept": true });
    std::fs::write(&file, content.to_string()).unwrap();
    let service = Arc::new(Service::answering(vec![granted("new")]));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        // A cache and lock file handle of its own, as another process has.
        let (service, cache) = (Arc::clone(&service), TokenCache::new(directory.path()));
        tasks.spawn(async move { fresh_token(&*service, &cache, &session()).await.map(|t| t.access_token) });
    }
    while let Some(fresh) = tasks.join_next().await {
        assert_eq!(fresh.unwrap().unwrap().expose(), "new");
    }
    assert_eq!(service.asked().len(), 1);
    let kept: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((&kept["someoneElses"]["kept"], &kept["refreshToken"]), (&true.into(), &"refresh-1".into()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        2,
        "the token and its lock, nothing temporary"
    );
}

fn only_json(directory: &std::path::Path) -> std::path::PathBuf {
    let mut entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.extension().is_some_and(|end| end == "json")).unwrap()
}

#[tokio::test]
async fn what_cannot_be_refreshed_asks_for_a_sign_in_only_once_it_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let cache = TokenCache::new(directory.path());
    let over = Service::answering(vec![Err(OidcError::InvalidGrant)]);
    let needed = |outcome: Result<CachedToken, TokenError>| matches!(outcome, Err(TokenError::SignInNeeded));
    assert!(needed(fresh_token(&over, &cache, &session()).await), "nothing is cached");
    cache.put_token(&session(), &token("old", 1)).unwrap();
    assert!(needed(fresh_token(&over, &cache, &session()).await));
    cache.put_token(&session(), &CachedToken { refresh_token: None, ..token("old", 1) }).unwrap();
    assert!(needed(fresh_token(&over, &cache, &session()).await));

    let in_two_minutes = jiff::Timestamp::now().as_millisecond() + 120_000;
    cache.put_token(&session(), &token("good for two minutes", in_two_minutes)).unwrap();
    let away = Service::answering(vec![Err(OidcError::Network("away".to_owned()))]);
    for service in [&over, &away] {
        assert!(fresh_token(service, &cache, &session()).await.is_ok(), "it still works for a while");
    }
    cache.put_token(&session(), &token("old", 1)).unwrap();
    assert!(matches!(
        fresh_token(&away, &cache, &session()).await,
        Err(TokenError::Oidc(OidcError::Network(_)))
    ));
    cache.forget_token(&session()).unwrap();
    cache.forget_token(&session()).unwrap();
    assert_eq!(cache.token(&session()).unwrap(), None);
}

#[test]
fn files_of_other_programs_are_read_and_garbled_ones_are_no_sign_in() {
    let directory = tempfile::tempdir().unwrap();
    let cache = TokenCache::new(directory.path());
    cache.put_token(&session(), &token("x", 1)).unwrap();
    let file = only_json(directory.path());
    std::fs::write(&file, r#"{"accessToken":"a","expiresAt":"2033-05-18T03:33:20UTC","region":"r"}"#)
        .unwrap();
    let read = cache.token(&session()).unwrap().unwrap();
    assert_eq!((read.expires_ms, read.client, read.refresh_token), (2_000_000_000_000, None, None));
    for garbled in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"accessToken":1,"expiresAt":"x"}"#,
        r#"{"accessToken":"a","expiresAt":"soon"}"#,
    ] {
        std::fs::write(&file, garbled).unwrap();
        assert_eq!(cache.token(&session()).unwrap(), None, "{garbled}");
    }
    assert!(!format!("{:?}", token("canary", 1)).contains("canary"));
}
