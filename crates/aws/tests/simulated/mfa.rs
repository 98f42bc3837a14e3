//! Sources that ask for the code of an MFA device.

use std::sync::Arc;
use std::time::Duration;

use fleetline_aws::AwsSources;
use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_inventory::ports::Sources;
use fleetline_signin::{CODE_NEEDED, Code, CodeAsk, Ending, Identities, Standing};
use fleetline_simulator::{Simulator, SimulatorConfig};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// No step of a test takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A user's keys, a role through them with MFA, a role through that role, and the same keys with MFA themselves.
struct Lab {
    simulator: Simulator,
    sources: Arc<AwsSources>,
    _directory: tempfile::TempDir,
}

impl Lab {
    async fn new() -> Self {
        let config = SimulatorConfig { demo_denials: false, ..SimulatorConfig::default() };
        let simulator = Simulator::start(config).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let (accounts, endpoint) = (simulator.accounts(), simulator.endpoint());
        let role = |index: usize| {
            let account = &accounts[index];
            let name = account.caller_arn.split('/').nth(1).unwrap();
            format!("arn:aws:iam::{}:role/{name}", account.account_id)
        };
        let user = &accounts[0].user;
        let keys = format!(
            "aws_access_key_id = {}\naws_secret_access_key = {}\n",
            user.access_key_id, user.secret_access_key
        );
        let place = format!("region = eu-central-1\nendpoint_url = {endpoint}\n");
        let serial = &user.mfa_serial;
        let text = format!(
            "[profile user]\n{place}{keys}\
             [profile core]\n{place}role_arn = {}\nsource_profile = user\nmfa_serial = {serial}\n\
             [profile onward]\n{place}role_arn = {}\nsource_profile = core\n\
             [profile session]\n{place}{keys}mfa_serial = {serial}\nduration_seconds = 900\n\
             [profile other]\n{place}role_arn = {}\nsource_profile = user\nmfa_serial = {serial}1\n",
            role(1),
            role(2),
            role(2)
        );
        let file = directory.path().join("config");
        std::fs::write(&file, text).unwrap();
        Self { simulator, sources: Arc::new(AwsSources::from_files(file, None)), _directory: directory }
    }

    fn caller(&self, source: &str) -> JoinHandle<Result<String, ApiError>> {
        let (sources, source) = (Arc::clone(&self.sources), source.to_owned());
        tokio::spawn(async move {
            let listing = sources.listing(&source, "eu-central-1")?;
            Ok(listing.identity().await?.account_id)
        })
    }

    /// Waits for the question of a source.
    async fn asked(&self, source: &str, wanted: impl Fn(&CodeAsk) -> bool) -> CodeAsk {
        let mut changes = self.sources.codes().changes();
        let wait = async {
            loop {
                let found = self.sources.asks().into_iter().find(|ask| ask.source == source && wanted(ask));
                if let Some(ask) = found {
                    return ask;
                }
                changes.changed().await.unwrap();
            }
        };
        timeout(PATIENCE, wait).await.expect("a question comes")
    }

    /// The code the device of the first account shows next.
    fn code(&self) -> Code {
        let shown = self.simulator.control().mfa_code("payments-prod").unwrap();
        Code::parse(&shown.expect("not all codes were given")).unwrap()
    }

    fn calls(&self, operation: &str) -> u64 {
        self.simulator.control().calls().get(operation).copied().unwrap_or(0)
    }

    fn account(&self, index: usize) -> String {
        self.simulator.accounts()[index].account_id.clone()
    }

    fn standing(&self, source: &str) -> Standing {
        let details = self.sources.details().sources;
        details.into_iter().find(|detail| detail.name == source).unwrap().standing
    }
}

#[tokio::test]
async fn one_code_serves_every_call_that_waits_and_the_roles_behind_it() {
    let lab = Lab::new().await;
    lab.sources.codes().attend();
    assert_eq!(lab.standing("core"), Standing::NeedsCode);
    let calls = [lab.caller("core"), lab.caller("core"), lab.caller("onward")];
    let ask = lab.asked("core", |ask| ask.waiting == 3).await;
    assert_eq!(ask.serial, lab.simulator.accounts()[0].user.mfa_serial);
    assert_eq!((ask.duration_s, ask.refused), (3_600, None));
    assert_eq!(lab.sources.asks().len(), 1, "one question for all");
    assert!(lab.sources.give_code("core", lab.code()));
    let [first, second, onward] = calls;
    assert_eq!(first.await.unwrap().unwrap(), lab.account(1));
    assert_eq!(second.await.unwrap().unwrap(), lab.account(1));
    assert_eq!(onward.await.unwrap().unwrap(), lab.account(2));
    assert_eq!(lab.calls("AssumeRole"), 2, "one role by the code, one by that role");
    let Standing::Good(Ending::At { renews: false, .. }) = lab.standing("core") else {
        panic!("{:?}", lab.standing("core"));
    };
    assert_eq!(lab.sources.asks(), []);
}

#[tokio::test]
async fn a_refused_code_asks_again_and_is_never_sent_twice() {
    let lab = Lab::new().await;
    lab.sources.codes().attend();
    let call = lab.caller("core");
    lab.asked("core", |_| true).await;
    let right = lab.code();
    let wrong = if right.expose() == "000000" { "111111" } else { "000000" };
    assert!(lab.sources.give_code("core", Code::parse(wrong).unwrap()));
    let ask = lab.asked("core", |ask| ask.refused.is_some() && !ask.trying).await;
    let refused = ask.refused.unwrap();
    assert!(refused.text.contains("invalid MFA one time pass code") && !refused.used_before, "{refused:?}");
    assert_eq!(lab.calls("AssumeRole"), 1);
    assert!(lab.sources.give_code("core", Code::parse(wrong).unwrap()));
    lab.asked("core", |ask| ask.refused.as_ref().is_some_and(|refused| refused.used_before)).await;
    assert!(lab.sources.give_code("core", right));
    assert_eq!(call.await.unwrap().unwrap(), lab.account(1));
    assert_eq!(lab.calls("AssumeRole"), 3);
}

#[tokio::test]
async fn a_cancelled_question_fails_what_waits_and_no_other_source() {
    let lab = Lab::new().await;
    lab.sources.codes().attend();
    let call = lab.caller("core");
    lab.asked("core", |_| true).await;
    // Another identity goes its way meanwhile.
    assert_eq!(lab.caller("user").await.unwrap().unwrap(), lab.account(0));
    assert!(lab.sources.decline_code("core"));
    let error = call.await.unwrap().unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ApiErrorKind::NoCredentials, Some(CODE_NEEDED)));
    let again = lab.caller("core").await.unwrap().unwrap_err();
    assert_eq!(again.code.as_deref(), Some(CODE_NEEDED), "it does not nag");
    assert_eq!(lab.calls("AssumeRole"), 0);
    // A person who wants it is asked again.
    let sources = Arc::clone(&lab.sources);
    let wanted = tokio::spawn(async move { sources.caller("core").await });
    lab.asked("core", |_| true).await;
    assert!(lab.sources.give_code("core", lab.code()));
    assert_eq!(wanted.await.unwrap().unwrap().account_id, lab.account(1));
}

#[tokio::test]
async fn a_user_gets_a_session_by_a_code_and_nothing_without() {
    let lab = Lab::new().await;
    lab.sources.codes().attend();
    let plain = lab.sources.listing("user", "eu-central-1").unwrap();
    let denied = plain.page(None).await.unwrap_err();
    assert_eq!(denied.kind, ApiErrorKind::AccessDenied, "{denied:?}");
    let call = lab.caller("session");
    let ask = lab.asked("session", |_| true).await;
    assert_eq!((ask.role, ask.duration_s), (None, 900));
    assert!(lab.sources.give_code("session", lab.code()));
    assert_eq!(call.await.unwrap().unwrap(), lab.account(0));
    let listing = lab.sources.listing("session", "eu-central-1").unwrap();
    assert!(!listing.page(None).await.unwrap().nodes.is_empty());
}

#[tokio::test]
async fn the_device_of_somebody_else_is_told_and_expired_sessions_ask_anew() {
    let lab = Lab::new().await;
    lab.sources.codes().attend();
    let call = lab.caller("other");
    lab.asked("other", |_| true).await;
    assert!(lab.sources.give_code("other", lab.code()));
    let ask = lab.asked("other", |ask| ask.refused.is_some()).await;
    assert!(ask.refused.unwrap().text.contains("verify your MFA serial number"));
    while !lab.sources.decline_code("other") {
        tokio::task::yield_now().await;
    }
    call.await.unwrap().unwrap_err();

    lab.simulator.control().set_temporary_life(Some(130));
    let call = lab.caller("core");
    lab.asked("core", |_| true).await;
    assert!(lab.sources.give_code("core", lab.code()));
    call.await.unwrap().unwrap();
    // Two minutes before their end they are not used any more.
    loop {
        let mut next = lab.caller("core");
        tokio::select! {
            _ = lab.asked("core", |_| true) => break next.abort(),
            again = &mut next => drop(again.unwrap().unwrap()),
        }
    }
}

#[tokio::test]
async fn without_anybody_to_ask_it_fails_at_once() {
    let lab = Lab::new().await;
    let error = lab.caller("core").await.unwrap().unwrap_err();
    assert_eq!(error.code.as_deref(), Some(CODE_NEEDED));
    assert_eq!(lab.calls("AssumeRole"), 0);
}
