//! Accounts in the application: sign-ins, codes and scopes against the simulator, with a window without pixels and a
//! browser of a few lines.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod support;

use std::sync::Arc;

use fleetline_app::{
    ApiError, AppHandle, Backend, BoxFuture, Identities, Launcher, Ports, SourceInfo, Sources, StartOptions,
    Store, start,
};
use fleetline_aws::{AwsSettings, AwsSources};
use fleetline_ipc::account::{
    AccountPick, AccountRow, AccountState, Ending, SignInFlow, SignInMethod, SignInRow,
};
use fleetline_ipc::fleet::ListingState;
use fleetline_ipc::system::{AppMode, StartChoice};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_signin::{Method, Prompt};
use fleetline_simulator::{SignInAnswer, Simulator, SimulatorConfig};
use support::{FakeUi, Seen};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Composer(Arc<AwsSources>);

impl Launcher for Composer {
    fn sources(&self) -> Vec<SourceInfo> {
        self.0.list()
    }

    fn launch(&self, _choice: &StartChoice) -> BoxFuture<'_, Result<Backend, CommandError>> {
        let sources = self.0.clone();
        let identities = self.identities();
        Box::pin(async move {
            Ok(Backend { access: Some(sources.clone()), identities, ..Backend::of(sources, Vec::new()) })
        })
    }

    fn identities(&self) -> Option<Arc<dyn Identities<ApiError>>> {
        Some(self.0.clone())
    }
}

/// An application over a configuration: `sso` by a sign-in, `core` by a role with MFA, `keys` by keys.
struct Lab {
    simulator: Simulator,
    app: AppHandle,
    ui: Arc<FakeUi>,
    directory: tempfile::TempDir,
}

impl Lab {
    async fn new() -> Self {
        let config = SimulatorConfig { demo_denials: false, nodes: 60, ..SimulatorConfig::default() };
        let simulator = Simulator::start(config).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let accounts = simulator.accounts();
        let role = |index: usize| accounts[index].caller_arn.split('/').nth(1).unwrap().to_owned();
        let user = &accounts[0].user;
        let first = &accounts[0];
        let place = "region = eu-central-1\n";
        let text = format!(
            "[sso-session fleet]\nsso_region = eu-central-1\nsso_start_url = https://fleet.awsapps.com/start\n\
             [profile sso]\n{place}sso_session = fleet\nsso_account_id = {}\nsso_role_name = {}\n\
             [profile user]\n{place}aws_access_key_id = {}\naws_secret_access_key = {}\n\
             [profile core]\n{place}role_arn = arn:aws:iam::{}:role/{}\nsource_profile = user\nmfa_serial = {}\n\
             [profile keys]\n{place}aws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n",
            first.account_id,
            role(0),
            user.access_key_id,
            user.secret_access_key,
            accounts[1].account_id,
            role(1),
            user.mfa_serial,
            first.access_key_id,
            first.secret_access_key,
            first.session_token,
        );
        let file = directory.path().join("config");
        std::fs::write(&file, text).unwrap();
        let settings = AwsSettings::from_files(&file, None)
            .with_variable("AWS_ENDPOINT_URL", simulator.endpoint())
            .with_own_file(directory.path().join("own"));
        let ui = FakeUi::new();
        let app = start(Ports {
            launcher: Arc::new(Composer(Arc::new(AwsSources::new(settings)))),
            store: Store::in_memory(),
            ui: ui.clone(),
            options: StartOptions::default(),
        });
        Self { simulator, app, ui, directory }
    }

    async fn start(&self, sources: &[&str]) {
        let sources = sources.iter().map(|name| (*name).to_owned()).collect();
        self.app.app_start(StartChoice::Aws { sources, regions: Vec::new() }).await.unwrap();
    }

    async fn row(&self, source: &str, what: &str, wanted: impl Fn(&AccountRow) -> bool) -> AccountRow {
        let find =
            |seen: &Seen| seen.accounts.rows.iter().find(|row| row.source == source && wanted(row)).cloned();
        find(&self.ui.until(what, |seen| find(seen).is_some()).await).unwrap()
    }

    async fn sign_in(&self, label: &str, what: &str, wanted: impl Fn(&SignInRow) -> bool) -> SignInRow {
        let find = |seen: &Seen| {
            seen.accounts.sign_ins.iter().find(|row| row.label == label && wanted(row)).cloned()
        };
        find(&self.ui.until(what, |seen| find(seen).is_some()).await).unwrap()
    }

    /// The page the application opened last, counted from 1.
    async fn page(&self, number: usize) -> String {
        let seen = self.ui.until("a page is opened", |seen| seen.opened.len() >= number).await;
        seen.opened[number - 1].clone()
    }

    fn code(&self) -> String {
        let first = self.simulator.accounts().remove(0);
        self.simulator.control().mfa_code(&first.name).unwrap().unwrap()
    }

    async fn loaded(&self, source: &str) {
        self.ui
            .until("the source is listed", |seen| {
                let mut of_it = seen.fleet.account_regions.iter().filter(|row| row.source == source);
                of_it.next().is_some_and(|row| row.state == ListingState::Loaded)
            })
            .await;
    }
}

/// Opens a page and follows where it sends, as a browser does. Returns the last answer.
async fn browse(url: &str) -> String {
    let mut url = url.to_owned();
    loop {
        let rest = url.strip_prefix("http://").expect("a page on this computer");
        let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        match answer.lines().find_map(|line| line.strip_prefix("location: ")) {
            Some(location) => url = location.to_owned(),
            None => return answer,
        }
    }
}

fn is_ready(row: &AccountRow) -> bool {
    matches!(row.state, AccountState::Ready { .. })
}

#[tokio::test]
async fn a_sign_in_in_the_browser_lets_the_fleet_that_waited_for_it_be_listed() {
    let lab = Lab::new().await;
    lab.simulator.control().answer_sign_ins(SignInAnswer::Allows);
    lab.start(&["sso", "keys"]).await;
    lab.row("sso", "it needs a sign-in", |row| row.in_use && row.state == AccountState::NeedsSignIn).await;
    // The other one does not wait for it.
    lab.loaded("keys").await;
    lab.row("keys", "its caller is known", |row| row.arn.is_some()).await;
    assert_eq!(lab.app.sign_in("sso".to_owned(), SignInMethod::Browser).await.unwrap(), "fleet");
    let url = lab.page(1).await;
    let waiting =
        lab.sign_in("fleet", "it waits", |row| matches!(row.flow, Some(SignInFlow::Waiting { .. }))).await;
    let shown = serde_json::to_string(&waiting).unwrap();
    assert!(!shown.contains("state=") && !shown.contains("challenge"), "the address stays inside: {shown}");
    lab.app.sign_in_page("fleet".to_owned(), true).await.unwrap();
    assert_eq!(lab.ui.clipboard().as_deref(), Some(url.as_str()));
    lab.app.sign_in_page("fleet".to_owned(), false).await.unwrap();
    assert_eq!(lab.page(2).await, url, "opened again");
    assert!(browse(&url).await.contains("You are signed in"));
    lab.sign_in("fleet", "it is signed in", |row| row.flow.is_none()).await;
    lab.loaded("sso").await;
    let row = lab.row("sso", "its caller is known", |row| row.arn.is_some()).await;
    let AccountState::Ready { ending: Ending::At { renews: true, .. } } = row.state else {
        panic!("{row:?}")
    };
    assert!(lab.ui.seen().shown > 0, "the window comes back to the front");

    lab.app.sign_out("fleet".to_owned()).await.unwrap();
    lab.row("sso", "signed out", |row| row.state == AccountState::NeedsSignIn).await;
    assert_eq!(lab.simulator.control().calls()["Logout"], 1);
}

/// Somebody at another program, who says what the simulator was told.
struct Elsewhere;

impl Prompt for Elsewhere {
    fn visit(&self, url: &str, _: Option<&str>) {
        let url = url.to_owned();
        tokio::spawn(async move { browse(&url).await });
    }
}

#[tokio::test]
async fn a_sign_in_by_another_program_lists_what_waited_for_it_and_its_sign_out_is_seen() {
    let lab = Lab::new().await;
    lab.simulator.control().answer_sign_ins(SignInAnswer::Allows);
    lab.start(&["sso"]).await;
    lab.row("sso", "it needs a sign-in", |row| row.in_use && row.state == AccountState::NeedsSignIn).await;
    // It shares no more with the application than the files.
    let settings = AwsSettings::from_files(lab.directory.path().join("config"), None)
        .with_variable("AWS_ENDPOINT_URL", lab.simulator.endpoint());
    let other = AwsSources::new(settings);
    other.sign_in("fleet", Method::Browser, &Elsewhere).await.unwrap();
    lab.loaded("sso").await;
    lab.row("sso", "it is ready", is_ready).await;
    other.sign_out("fleet").await.unwrap();
    lab.row("sso", "signed out", |row| row.state == AccountState::NeedsSignIn).await;
}

#[tokio::test]
async fn refusal_expiry_and_cancelling_are_told_and_a_device_code_is_shown() {
    let lab = Lab::new().await;
    let control = lab.simulator.control();
    let failed = |row: &SignInRow| match &row.flow {
        Some(SignInFlow::Failed { problem }) => Some(problem.clone()),
        _ => None,
    };
    control.answer_sign_ins(SignInAnswer::Denies);
    lab.app.sign_in("fleet".to_owned(), SignInMethod::Browser).await.unwrap();
    browse(&lab.page(1).await).await;
    let denied = failed(&lab.sign_in("fleet", "it was denied", |row| failed(row).is_some()).await).unwrap();
    assert_eq!(denied.code, ErrorCode::NotSignedIn);
    assert!(denied.message.contains("refused"), "{denied:?}");

    // A page that sends another state changes nothing; the sign-in waits on and can be cancelled.
    control.answer_sign_ins(SignInAnswer::WrongState);
    lab.app.sign_in("fleet".to_owned(), SignInMethod::Browser).await.unwrap();
    assert!(browse(&lab.page(2).await).await.starts_with("HTTP/1.1 404"));
    let waits = |row: &SignInRow| matches!(row.flow, Some(SignInFlow::Waiting { user_code: None, .. }));
    lab.sign_in("fleet", "it still waits", waits).await;
    lab.app.sign_in_cancel("fleet".to_owned()).await.unwrap();
    lab.sign_in("fleet", "cancelled", |row| row.flow.is_none()).await;
    let gone = lab.app.sign_in_page("fleet".to_owned(), false).await.unwrap_err();
    assert_eq!(gone.code, ErrorCode::NotFound);

    control.answer_sign_ins(SignInAnswer::Asks);
    control.slow_sign_ins_down(1);
    lab.app.sign_in("fleet".to_owned(), SignInMethod::Device).await.unwrap();
    let device = |row: &SignInRow| matches!(row.flow, Some(SignInFlow::Waiting { user_code: Some(_), .. }));
    lab.sign_in("fleet", "a code is shown", device).await;
    lab.page(3).await;
    control.expire_sign_ins();
    let expired =
        failed(&lab.sign_in("fleet", "the code is over", |row| failed(row).is_some()).await).unwrap();
    assert_eq!(expired.code, ErrorCode::NotSignedIn);

    let other = lab.app.sign_in("keys".to_owned(), SignInMethod::Browser).await.unwrap_err();
    assert_eq!(other.code, ErrorCode::InvalidInput);
    let unknown = lab.app.sign_in("nobody".to_owned(), SignInMethod::Browser).await.unwrap_err();
    assert_eq!(unknown.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn one_code_lists_what_waited_and_a_refused_one_is_explained() {
    let lab = Lab::new().await;
    lab.start(&["core", "keys"]).await;
    let asked = |seen: &Seen| seen.accounts.asks.iter().any(|ask| ask.source == "core" && !ask.trying);
    lab.ui.until("a code is asked for", asked).await;
    lab.loaded("keys").await;
    let nonsense = lab.app.mfa_answer("core".to_owned(), "12345".to_owned()).await.unwrap_err();
    assert_eq!(nonsense.code, ErrorCode::InvalidInput);
    let right = lab.code();
    let wrong = if right == "000000" { "111111" } else { "000000" };
    lab.app.mfa_answer("core".to_owned(), wrong.to_owned()).await.unwrap();
    let refused = |seen: &Seen| seen.accounts.asks.iter().any(|ask| ask.refused.is_some() && !ask.trying);
    lab.ui.until("it is refused", refused).await;
    lab.app.mfa_answer("core".to_owned(), right).await.unwrap();
    lab.loaded("core").await;
    let row = lab.row("core", "it is ready", is_ready).await;
    assert!(matches!(row.state, AccountState::Ready { ending: Ending::At { renews: false, .. } }), "{row:?}");
    assert!(lab.ui.seen().accounts.asks.is_empty());

    let none = lab.app.mfa_answer("core".to_owned(), "123456".to_owned()).await.unwrap_err();
    assert_eq!(none.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_declined_code_fails_its_source_alone_and_can_be_asked_for_again() {
    let lab = Lab::new().await;
    lab.start(&["core", "keys"]).await;
    lab.ui.until("a code is asked for", |seen| !seen.accounts.asks.is_empty()).await;
    lab.app.mfa_decline("core".to_owned()).await.unwrap();
    lab.ui
        .until("its listing says why", |seen| {
            let mut of_it = seen.fleet.account_regions.iter().filter(|row| row.source == "core");
            of_it
                .next()
                .and_then(|row| row.problem.as_ref())
                .is_some_and(|problem| problem.message.contains("MFA"))
        })
        .await;
    lab.loaded("keys").await;
    lab.app.accounts_check(Some("core".to_owned())).await.unwrap();
    lab.ui.until("it is asked for again", |seen| !seen.accounts.asks.is_empty()).await;
    lab.app.mfa_answer("core".to_owned(), lab.code()).await.unwrap();
    lab.loaded("core").await;
}

#[tokio::test]
async fn roles_of_a_sign_in_join_the_fleet_while_it_runs() {
    let lab = Lab::new().await;
    lab.simulator.control().answer_sign_ins(SignInAnswer::Allows);
    lab.start(&["keys"]).await;
    lab.loaded("keys").await;
    let url = "https://corp.awsapps.com/start".to_owned();
    let region = "eu-central-1".to_owned();
    let label = lab.app.sign_in_add(url, region.clone(), SignInMethod::Browser).await.unwrap();
    assert_eq!(label, "corp");
    browse(&lab.page(1).await).await;
    lab.sign_in("corp", "it is signed in", |row| row.flow.is_none()).await;
    let opened = lab.app.sign_in_accounts("corp".to_owned()).await.unwrap();
    assert_eq!(opened.len(), lab.simulator.accounts().len());
    let picks: Vec<AccountPick> = opened
        .iter()
        .map(|account| AccountPick {
            account_id: account.account_id.clone(),
            account_name: account.name.clone(),
            role: account.roles[0].name.clone(),
        })
        .collect();
    let names = lab.app.accounts_use_roles("corp".to_owned(), region, picks).await.unwrap();
    for name in &names {
        lab.loaded(name).await;
        lab.row(name, "it is in use", |row| row.in_use && row.own).await;
    }
    let Some(AppMode::Aws { sources }) = lab.ui.seen().mode else { panic!("AWS") };
    assert_eq!(sources.len(), names.len() + 1);
    assert!(lab.directory.path().join("own").exists());

    let used = lab.app.account_remove("corp".to_owned()).await.unwrap_err();
    assert_eq!(used.code, ErrorCode::InvalidInput);
    lab.app.accounts_use(names.clone(), false).await.unwrap();
    lab.row(&names[0], "it is out of the fleet", |row| !row.in_use).await;
    lab.app.account_remove("corp".to_owned()).await.unwrap();
    lab.ui
        .until("it is forgotten", |seen| seen.accounts.sign_ins.iter().all(|row| row.label != "corp"))
        .await;
}

#[tokio::test]
async fn credentials_that_end_are_told_before_and_after() {
    let lab = Lab::new().await;
    lab.simulator.control().set_temporary_life(Some(600));
    lab.start(&["core"]).await;
    lab.ui.until("a code is asked for", |seen| !seen.accounts.asks.is_empty()).await;
    lab.app.mfa_answer("core".to_owned(), lab.code()).await.unwrap();
    let seen =
        lab.ui.until("their end is told", |seen| seen.notices.iter().any(|n| n.id == "ending-soon")).await;
    let notice = seen.notices.iter().find(|notice| notice.id == "ending-soon").unwrap();
    assert!(
        notice.message.starts_with("The session of core ends in less than 15 minutes."),
        "{}",
        notice.message
    );
    lab.ui.until("the tray says so", |seen| seen.tray.tooltip.contains("ends soon")).await;
}
