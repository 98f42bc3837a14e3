//! Sign-in through IAM Identity Center, and the sources that live on it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fleetline_aws::{AwsSources, SignInError, SignInFailure, SignInMethod, SignInPrompt};
use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_inventory::ports::Sources;
use fleetline_simulator::{SignInAnswer, Simulator, SimulatorConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Two profiles of one session, one of the older form, and one that is wrong.
struct Lab {
    simulator: Simulator,
    sources: Arc<AwsSources>,
    directory: tempfile::TempDir,
}

/// Hands on what a person would see.
struct Shown(mpsc::UnboundedSender<(String, Option<String>)>);

impl SignInPrompt for Shown {
    fn visit(&self, url: &str, user_code: Option<&str>) {
        drop(self.0.send((url.to_owned(), user_code.map(str::to_owned))));
    }
}

type Outcome = JoinHandle<Result<fleetline_aws::SignedIn, SignInFailure>>;

impl Lab {
    async fn new() -> Self {
        let config = SimulatorConfig { demo_denials: false, ..SimulatorConfig::default() };
        let simulator = Simulator::start(config).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let (accounts, endpoint) = (simulator.accounts(), simulator.endpoint());
        let role = |index: usize| accounts[index].caller_arn.split('/').nth(1).unwrap().to_owned();
        let mut text = "[sso-session fleet]\nsso_region = eu-central-1\n\
            sso_start_url = https://fleet.awsapps.com/start\n"
            .to_owned();
        for (name, index) in [("one", 0), ("two", 1)] {
            text.push_str(&format!(
                "[profile {name}]\nregion = {}\nendpoint_url = {endpoint}\nsso_session = fleet\n\
                 sso_account_id = {}\nsso_role_name = {}\n",
                accounts[index].default_region,
                accounts[index].account_id,
                role(index)
            ));
        }
        text.push_str(&format!(
            "[profile old]\nregion = eu-central-1\nendpoint_url = {endpoint}\nsso_region = eu-central-1\n\
             sso_start_url = https://old.awsapps.com/start\nsso_account_id = {}\nsso_role_name = {}\n",
            accounts[0].account_id,
            role(0)
        ));
        text.push_str(&format!(
            "[profile nobody]\nregion = eu-central-1\nendpoint_url = {endpoint}\nsso_session = fleet\n\
             sso_account_id = {}\nsso_role_name = Nobody\n\
             [profile keys]\nregion = eu-central-1\naws_access_key_id = a\naws_secret_access_key = b\n",
            accounts[0].account_id
        ));
        let file = directory.path().join("config");
        std::fs::write(&file, text).unwrap();
        let sources = Arc::new(AwsSources::from_files(file, None));
        Self { simulator, sources, directory }
    }

    fn cache(&self) -> std::path::PathBuf {
        self.directory.path().join("sso/cache")
    }

    /// Begins to sign in; what a person sees comes out of the receiver.
    fn begin(
        &self,
        name: &str,
        method: SignInMethod,
    ) -> (mpsc::UnboundedReceiver<(String, Option<String>)>, Outcome) {
        let (shown, visits) = mpsc::unbounded_channel();
        let (sources, name) = (Arc::clone(&self.sources), name.to_owned());
        let task = tokio::spawn(async move { sources.sign_in(&name, method, &Shown(shown)).await });
        (visits, task)
    }

    /// Signs in with a person who says what the simulator was told.
    async fn sign_in(
        &self,
        name: &str,
        method: SignInMethod,
    ) -> Result<fleetline_aws::SignedIn, SignInFailure> {
        let (mut visits, task) = self.begin(name, method);
        let (url, _) = visits.recv().await.unwrap();
        browse(&url).await;
        task.await.unwrap()
    }

    async fn caller(&self, source: &str) -> Result<String, ApiError> {
        let listing = self.sources.listing(source, "eu-central-1")?;
        Ok(listing.identity().await?.account_id)
    }
}

/// Opens a page and follows where it sends, as a browser does. Returns the last answer.
pub(crate) async fn browse(url: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    loop {
        let host = format!("127.0.0.1:{}", url.port().unwrap());
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let target = &url[url::Position::BeforePath..];
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let location = answer.lines().find_map(|line| line.strip_prefix("location: "));
        match location {
            Some(location) => url = url::Url::parse(location).unwrap(),
            None => return answer,
        }
    }
}

fn token_file(cache: &Path) -> serde_json::Value {
    // SHA-1 of "fleet".
    let file = cache.join("f35f940f055fcd1badde7e5fecb2531e079eaa52.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[tokio::test]
async fn a_sign_in_serves_every_source_of_its_session_and_no_other() {
    let lab = Lab::new().await;
    lab.simulator.control().answer_sign_ins(SignInAnswer::Allows);
    let before = lab.caller("one").await.unwrap_err();
    assert_eq!(before.kind, ApiErrorKind::NoCredentials, "{before:?}");
    assert!(before.message.contains("nobody is signed in to fleet"), "{before:?}");

    let signed_in = lab.sign_in("one", SignInMethod::Browser).await.unwrap();
    assert_eq!(
        (signed_in.session.as_str(), &signed_in.sources[..]),
        ("fleet", &["nobody", "one", "two"].map(str::to_owned)[..])
    );
    let accounts = lab.simulator.accounts();
    assert_eq!(lab.caller("one").await.unwrap(), accounts[0].account_id);
    assert_eq!(lab.caller("two").await.unwrap(), accounts[1].account_id);
    let unassigned = lab.caller("nobody").await.unwrap_err();
    assert_eq!(unassigned.kind, ApiErrorKind::AccessDenied, "{unassigned:?}");
    assert_eq!(lab.caller("old").await.unwrap_err().kind, ApiErrorKind::NoCredentials);

    let opened = lab.sources.signed_in_accounts("fleet").await.unwrap();
    assert_eq!(opened.len(), accounts.len());
    let first = opened.iter().find(|account| account.account_id == accounts[0].account_id).unwrap();
    assert_eq!(first.name, accounts[0].name);
    let [role] = &first.roles[..] else { panic!("{first:?}") };
    assert_eq!(role.name, accounts[0].caller_arn.split('/').nth(1).unwrap());
    assert_eq!(role.source.as_deref(), Some("one"), "the profile that uses it already");
    lab.simulator.shutdown().await;
}

#[tokio::test]
async fn the_older_form_and_device_codes_work_and_slow_down_when_told() {
    let lab = Lab::new().await;
    let control = lab.simulator.control();
    control.answer_sign_ins(SignInAnswer::Allows);
    let (mut visits, task) = lab.begin("old", SignInMethod::Device);
    let (url, code) = visits.recv().await.unwrap();
    let code = code.unwrap();
    assert!(url.ends_with(&code) && code.len() == 9, "{url} {code}");
    browse(&url).await;
    let signed_in = task.await.unwrap().unwrap();
    assert_eq!(signed_in.sources, ["old"]);
    assert_eq!(lab.caller("old").await.unwrap(), lab.simulator.accounts()[0].account_id);

    // One demand to slow down adds five seconds, so the second poll comes after it.
    control.slow_sign_ins_down(1);
    let polls = control.calls().get("CreateToken").copied().unwrap_or_default();
    lab.sign_in("fleet", SignInMethod::Device).await.unwrap();
    assert_eq!(control.calls()["CreateToken"] - polls, 2);
    lab.simulator.shutdown().await;
}

#[tokio::test]
async fn denial_expiry_and_a_wrong_state_sign_nobody_in() {
    let lab = Lab::new().await;
    let control = lab.simulator.control();
    control.answer_sign_ins(SignInAnswer::Denies);
    let denied = lab.sign_in("one", SignInMethod::Browser).await.unwrap_err();
    assert!(matches!(denied, SignInFailure::SignIn(SignInError::Callback(_))), "{denied:?}");
    let denied = lab.sign_in("one", SignInMethod::Device).await.unwrap_err();
    assert_eq!(denied.to_string(), "the sign-in was refused");

    control.answer_sign_ins(SignInAnswer::Asks);
    let (mut visits, task) = lab.begin("one", SignInMethod::Device);
    visits.recv().await.unwrap();
    control.expire_sign_ins();
    assert_eq!(task.await.unwrap().unwrap_err().to_string(), "the code has expired");

    // A page with a forged state changes nothing; the person's own one still counts.
    control.answer_sign_ins(SignInAnswer::WrongState);
    let (mut visits, task) = lab.begin("one", SignInMethod::Browser);
    let (url, _) = visits.recv().await.unwrap();
    assert!(browse(&url).await.starts_with("HTTP/1.1 404"));
    assert!(!task.is_finished());
    control.answer_sign_ins(SignInAnswer::Allows);
    assert!(browse(&url).await.contains("You are signed in."));
    task.await.unwrap().unwrap();

    let other = lab.sources.sign_in("keys", SignInMethod::Device, &Shown(mpsc::unbounded_channel().0)).await;
    assert!(matches!(other, Err(SignInFailure::OtherWay(_))), "{other:?}");
    let unknown =
        lab.sources.sign_in("none", SignInMethod::Device, &Shown(mpsc::unbounded_channel().0)).await;
    assert!(matches!(unknown, Err(SignInFailure::Unknown(_))), "{unknown:?}");
    lab.simulator.shutdown().await;
}

#[tokio::test]
async fn a_token_near_its_end_is_refreshed_once_for_all_and_a_revoked_one_asks_for_a_person() {
    let lab = Lab::new().await;
    let control = lab.simulator.control();
    control.answer_sign_ins(SignInAnswer::Allows);
    control.set_sign_in_life(120);
    lab.sign_in("one", SignInMethod::Browser).await.unwrap();
    let short = token_file(&lab.cache());
    control.set_sign_in_life(28_800);
    let before = control.calls()["CreateToken"];
    let (one, two) = tokio::join!(lab.caller("one"), lab.caller("two"));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(control.calls()["CreateToken"] - before, 1, "two sources share one refresh");
    let fresh = token_file(&lab.cache());
    assert_ne!(short["accessToken"], fresh["accessToken"]);
    assert_ne!(short["refreshToken"], fresh["refreshToken"]);
    assert_eq!(short["clientId"], fresh["clientId"]);

    control.revoke_sign_ins();
    let failure = lab.sources.signed_in_accounts("fleet").await.unwrap_err();
    let SignInFailure::Portal(error) = failure else { panic!("{failure:?}") };
    assert_eq!(error.kind, ApiErrorKind::CredentialsExpired, "{error:?}");
    lab.simulator.shutdown().await;
}

#[tokio::test]
async fn signing_out_forgets_the_token_here_and_at_aws() {
    let lab = Lab::new().await;
    lab.simulator.control().answer_sign_ins(SignInAnswer::Allows);
    lab.sign_in("fleet", SignInMethod::Browser).await.unwrap();
    assert!(lab.caller("one").await.is_ok());
    assert!(lab.sources.sign_out("two").await.unwrap());
    assert_eq!(lab.simulator.control().calls()["Logout"], 1);
    assert_eq!(
        lab.sources.listing("one", "eu-west-1").unwrap().identity().await.unwrap_err().kind,
        ApiErrorKind::NoCredentials
    );
    assert!(!lab.sources.sign_out("one").await.unwrap());
    tokio::time::timeout(Duration::from_secs(20), lab.simulator.shutdown()).await.unwrap();
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_no_missing_sign_in() {
    let lab = Lab::new().await;
    let control = lab.simulator.control();
    control.answer_sign_ins(SignInAnswer::Allows);
    lab.sign_in("one", SignInMethod::Browser).await.unwrap();
    let Lab { simulator, sources, directory } = lab;
    simulator.shutdown().await;
    let identity = async |source: &str| sources.listing(source, "eu-central-1")?.identity().await;
    let unreached = identity("one").await.unwrap_err();
    assert_eq!(unreached.kind, ApiErrorKind::Network, "the portal: {unreached:?}");
    let file = directory.path().join("sso/cache/f35f940f055fcd1badde7e5fecb2531e079eaa52.json");
    let mut token: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    token["expiresAt"] = "2020-01-01T00:00:00Z".into();
    std::fs::write(&file, token.to_string()).unwrap();
    let unreached = identity("two").await.unwrap_err();
    assert_eq!(unreached.kind, ApiErrorKind::Network, "the refresh: {unreached:?}");
}
