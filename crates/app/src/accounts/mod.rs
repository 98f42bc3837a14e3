//! Sources, sign-ins and codes as the controller keeps them: what the configuration says, what AWS said of it, and the
//! sign-ins under way. One source never waits for another.

mod ending;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::ports::ApiError;
use fleetline_ipc::account::{
    AccountState, Accounts, Ending, OpenAccount, OpenRole, SignInFlow, SignInMethod,
};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_signin::{
    self as signin, Caller, Code, CodeAsk, Details, Identities, Method, Prompt, SignInFailure, SignedIn,
    Standing,
};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

pub(crate) use ending::{EndingNotices, Expiring};

use crate::clock::now_ms;
use crate::problem::{Context, describe, describe_sign_in};

/// How long a sign-in waits for a person: what the flows themselves allow.
const SIGN_IN_LIMIT: Duration = Duration::from_secs(600);

/// The port this works through.
pub(crate) type Port = Arc<dyn Identities<ApiError>>;

/// What the tasks of this desk tell.
pub(crate) enum AccountNews {
    /// The configuration, a cache or a question changed.
    Changed,
    /// A person must go to a page.
    Visit { label: String, flow: u64, url: String, user_code: Option<String> },
    /// A page could not be opened, for this reason.
    Unopened { label: String, flow: u64, reason: String },
    /// A sign-in ended.
    SignedIn { label: String, flow: u64, outcome: Result<SignedIn, SignInFailure<ApiError>> },
    /// AWS said who a source is.
    Checked { source: String, check: u64, outcome: Result<Caller, ApiError> },
}

/// A sign-in under way, or one that failed.
struct Flow {
    number: u64,
    task: AbortHandle,
    step: SignInFlow,
    url: Option<String>,
}

/// What AWS last said of a source.
#[derive(Default)]
struct Check {
    /// The question under way.
    asking: Option<u64>,
    /// Who it was, the last time AWS told.
    caller: Option<Caller>,
    /// Why it did not tell the last time, with the standing at that time: with another one this counts no more.
    problem: Option<(Standing, CommandError)>,
    /// When it told, or did not.
    at_ms: Option<i64>,
}

/// The accounts of one backend, or of the user's configuration while none is open.
pub(crate) struct AccountsDesk {
    port: Option<Port>,
    watching: Option<AbortHandle>,
    details: Details,
    asks: Vec<CodeAsk>,
    flows: BTreeMap<String, Flow>,
    checks: BTreeMap<String, Check>,
    counter: u64,
    /// What the interface was told last.
    told: Accounts,
    news: mpsc::Sender<AccountNews>,
}

impl AccountsDesk {
    pub(crate) fn new(news: mpsc::Sender<AccountNews>) -> Self {
        Self {
            port: None,
            watching: None,
            details: Details::default(),
            asks: Vec::new(),
            flows: BTreeMap::new(),
            checks: BTreeMap::new(),
            counter: 0,
            told: Accounts::default(),
            news,
        }
    }

    /// Works through another port from now on; sign-ins under way are cancelled.
    pub(crate) fn point_at(&mut self, port: Option<Port>) {
        if let (Some(old), Some(new)) = (&self.port, &port)
            && Arc::ptr_eq(old, new)
        {
            return self.read();
        }
        for flow in std::mem::take(&mut self.flows).into_values() {
            flow.task.abort();
        }
        self.checks.clear();
        if let Some(watching) = self.watching.take() {
            watching.abort();
        }
        if let Some(mut changes) = port.as_ref().and_then(|port| port.changes()) {
            let news = self.news.clone();
            let watching = tokio::spawn(async move {
                while changes.changed().await.is_ok() {
                    if news.send(AccountNews::Changed).await.is_err() {
                        return;
                    }
                }
            });
            self.watching = Some(watching.abort_handle());
        }
        self.port = port;
        self.read();
    }

    /// Reads the configuration, the caches and the questions anew.
    pub(crate) fn read(&mut self) {
        let Some(port) = &self.port else {
            self.details = Details::default();
            self.asks.clear();
            return;
        };
        self.details = port.details();
        self.asks = port.asks();
        let standings: BTreeMap<&str, Standing> =
            self.details.sources.iter().map(|source| (&*source.name, source.standing)).collect();
        self.checks.retain(|source, check| {
            let standing = standings.get(source.as_str());
            check.problem.take_if(|(then, _)| Some(&*then) != standing);
            standing.is_some()
        });
    }

    /// Everything the page shows.
    pub(crate) fn accounts(&self, in_use: &BTreeSet<String>) -> Accounts {
        let rows = self.details.sources.iter().map(|detail| {
            let check = self.checks.get(&detail.name);
            let caller = check.and_then(|check| check.caller.as_ref());
            let at_ms = check.and_then(|check| check.at_ms);
            rows::account(detail, self.state(&detail.name), caller, at_ms, in_use)
        });
        let sign_ins =
            self.details.sign_ins.iter().map(|detail| {
                rows::sign_in(detail, self.flows.get(&detail.label).map(|flow| flow.step.clone()))
            });
        Accounts {
            rows: rows.collect(),
            sign_ins: sign_ins.collect(),
            asks: self.asks.iter().map(rows::ask).collect(),
        }
    }

    /// What the interface is to be told, if it is news.
    pub(crate) fn news(&mut self, in_use: &BTreeSet<String>) -> Option<Accounts> {
        let now = self.accounts(in_use);
        if now == self.told {
            return None;
        }
        self.told = now.clone();
        Some(now)
    }

    /// How a source is, by everything that is known.
    pub(crate) fn state(&self, source: &str) -> AccountState {
        let Some(detail) = self.details.sources.iter().find(|detail| detail.name == source) else {
            return AccountState::NotChecked;
        };
        if let Some(problem) = &detail.problem {
            let problem = CommandError::new(ErrorCode::InvalidInput, problem.clone());
            return AccountState::Failed { problem };
        }
        let asked = |name: &String| self.asks.iter().any(|ask| ask.source == *name);
        if asked(&detail.name) || detail.through.iter().any(asked) {
            return AccountState::NeedsCode;
        }
        let check = self.checks.get(source);
        match (check, rows::state(detail.standing)) {
            (Some(check), _) if check.asking.is_some() => AccountState::Checking,
            (_, state @ (AccountState::NeedsSignIn | AccountState::Over { .. })) => state,
            // That the code is missing is what the state says already.
            (Some(Check { problem: Some((_, problem)), .. }), AccountState::NeedsCode)
                if problem.code == ErrorCode::NotSignedIn =>
            {
                AccountState::NeedsCode
            }
            (Some(Check { problem: Some((_, problem)), .. }), _) => {
                AccountState::Failed { problem: problem.clone() }
            }
            (Some(Check { caller: Some(_), .. }), AccountState::NotChecked) => {
                AccountState::Ready { ending: Ending::Unknown }
            }
            (_, state) => state,
        }
    }

    /// What a listing learned of a source.
    pub(crate) fn learn(&mut self, source: &str, outcome: Result<Caller, CommandError>) {
        let Some(standing) = self.standing(source) else { return };
        let check = self.checks.entry(source.to_owned()).or_default();
        check.take(standing, outcome);
    }

    fn standing(&self, source: &str) -> Option<Standing> {
        self.details.sources.iter().find(|detail| detail.name == source).map(|detail| detail.standing)
    }

    /// Asks AWS who a source is, or all of them.
    pub(crate) fn check(&mut self, source: Option<&str>) -> Result<(), CommandError> {
        let port = self.port()?.clone();
        let names: Vec<String> = self
            .details
            .sources
            .iter()
            .filter(|detail| match source {
                Some(source) => detail.name == source,
                // Nobody is asked for anything that was not asked about.
                None => {
                    detail.problem.is_none()
                        && !matches!(
                            detail.standing,
                            Standing::NeedsCode | Standing::NeedsSignIn | Standing::Over { .. }
                        )
                }
            })
            .map(|detail| detail.name.clone())
            .collect();
        if let (Some(source), true) = (source, names.is_empty()) {
            return Err(no_source(source));
        }
        for name in names {
            self.counter += 1;
            let number = self.counter;
            self.checks.entry(name.clone()).or_default().asking = Some(number);
            let (port, news) = (port.clone(), self.news.clone());
            tokio::spawn(async move {
                let outcome = port.caller(&name).await;
                // Without a controller nobody wants to know.
                drop(news.send(AccountNews::Checked { source: name, check: number, outcome }).await);
            });
        }
        Ok(())
    }

    /// Takes in what AWS said; `false` if a newer question is under way.
    pub(crate) fn checked(&mut self, source: &str, number: u64, outcome: Result<Caller, ApiError>) -> bool {
        let context = Context { source: source.to_owned(), ..Context::default() };
        self.read();
        let standing = self.standing(source);
        let check = self.checks.get_mut(source).filter(|check| check.asking == Some(number));
        let (Some(check), Some(standing)) = (check, standing) else { return false };
        check.take(standing, outcome.map_err(|error| describe(&error, &context)));
        true
    }

    /// Begins to sign in, by the name of a source or of a sign-in. Returns the label of the sign-in.
    pub(crate) fn sign_in(&mut self, name: &str, method: SignInMethod) -> Result<String, CommandError> {
        let port = self.port()?.clone();
        let label = self.label_of(name)?;
        self.cancel(&label);
        self.counter += 1;
        let flow = self.counter;
        let method = match method {
            SignInMethod::Browser => Method::Browser,
            SignInMethod::Device => Method::Device,
        };
        let (news, of) = (self.news.clone(), label.clone());
        let task = tokio::spawn(async move {
            let person = Person { label: of.clone(), flow, news: news.clone() };
            let outcome = port.sign_in(&of, method, &person).await;
            // Without a controller nobody wants to know.
            drop(news.send(AccountNews::SignedIn { label: of, flow, outcome }).await);
        });
        let (task, step) = (task.abort_handle(), SignInFlow::Preparing);
        self.flows.insert(label.clone(), Flow { number: flow, task, step, url: None });
        Ok(label)
    }

    /// The page of a sign-in is known; returns it to be opened, unless the sign-in was cancelled.
    pub(crate) fn visit(
        &mut self,
        label: &str,
        number: u64,
        url: String,
        user_code: Option<String>,
    ) -> Option<String> {
        let flow = self.flows.get_mut(label).filter(|flow| flow.number == number)?;
        let limit = i64::try_from(SIGN_IN_LIMIT.as_millis()).unwrap_or(i64::MAX);
        let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
        flow.step = SignInFlow::Waiting {
            host: host.to_owned(),
            user_code,
            until_ms: crate::rows::millis(now_ms().saturating_add(limit)),
            unopened: None,
        };
        flow.url = Some(url.clone());
        Some(url)
    }

    /// A page could not be opened.
    pub(crate) fn unopened(&mut self, label: &str, number: u64, reason: String) {
        let flow = self.flows.get_mut(label).filter(|flow| flow.number == number);
        if let Some(SignInFlow::Waiting { unopened, .. }) = flow.map(|flow| &mut flow.step) {
            *unopened = Some(reason);
        }
    }

    /// The page of a sign-in that waits, with the number of its flow.
    pub(crate) fn page(&self, label: &str) -> Result<(u64, String), CommandError> {
        let flow = self.flows.get(label).and_then(|flow| Some((flow.number, flow.url.clone()?)));
        flow.ok_or_else(|| CommandError::new(ErrorCode::NotFound, "This sign-in does not wait any more."))
    }

    /// A sign-in ended; `None` if it was cancelled before.
    pub(crate) fn signed_in(
        &mut self,
        label: &str,
        number: u64,
        outcome: Result<SignedIn, SignInFailure<ApiError>>,
    ) -> Option<Vec<String>> {
        let flow = self.flows.get_mut(label).filter(|flow| flow.number == number)?;
        match outcome {
            Ok(signed_in) => {
                self.flows.remove(label);
                self.read();
                Some(signed_in.sources)
            }
            Err(failure) => {
                flow.url = None;
                flow.step = SignInFlow::Failed { problem: describe_sign_in(&failure, label) };
                None
            }
        }
    }

    /// Cancels a sign-in under way, or takes the word of a failed one back.
    pub(crate) fn cancel(&mut self, label: &str) {
        if let Some(flow) = self.flows.remove(label) {
            flow.task.abort();
        }
    }

    /// The label of the sign-in of a source, or of a sign-in.
    pub(crate) fn label_of(&self, name: &str) -> Result<String, CommandError> {
        let Details { sources, sign_ins } = &self.details;
        let of_source =
            sources.iter().find(|source| source.name == name).map(|source| source.sign_in.clone());
        let named =
            sign_ins.iter().find(|sign_in| sign_in.label == name).map(|sign_in| sign_in.label.clone());
        match (of_source, named) {
            (Some(Some(label)), _) | (_, Some(label)) => Ok(label),
            (Some(None), None) => Err(CommandError::new(
                ErrorCode::InvalidInput,
                format!("The AWS profile {name} does not sign in through IAM Identity Center."),
            )),
            (None, None) => Err(no_source(name)),
        }
    }

    /// Gives a code to the question of a source.
    pub(crate) fn give_code(&mut self, source: &str, text: &str) -> Result<(), CommandError> {
        let code = Code::parse(text)
            .map_err(|_| CommandError::new(ErrorCode::InvalidInput, "A code has six digits."))?;
        let given = self.port()?.give_code(source, code);
        self.read();
        if given { Ok(()) } else { Err(no_question(source)) }
    }

    /// Takes the question of a source back.
    pub(crate) fn decline_code(&mut self, source: &str) -> Result<(), CommandError> {
        let taken = self.port()?.decline_code(source);
        self.read();
        if taken { Ok(()) } else { Err(no_question(source)) }
    }

    pub(crate) fn port(&self) -> Result<&Port, CommandError> {
        self.port.as_ref().ok_or_else(|| {
            CommandError::new(ErrorCode::Unsupported, "This fleet has no accounts that could be signed in.")
        })
    }

    /// What is known of ends that come by themselves, for notices: each with its end.
    pub(crate) fn endings(&self, in_use: &BTreeSet<String>) -> Vec<(Expiring, i64)> {
        let mut endings: Vec<(Expiring, i64)> = Vec::new();
        for detail in self.details.sources.iter().filter(|detail| in_use.contains(&detail.name)) {
            let end = match detail.standing {
                Standing::Good(signin::Ending::At { ms, renews: false }) => ms,
                Standing::Over { since_ms } => since_ms,
                _ => continue,
            };
            let coded = detail.mfa_serial.is_some();
            let ending = match &detail.sign_in {
                Some(label) if !coded => Expiring::SignIn(label.clone()),
                _ => Expiring::Source(detail.name.clone()),
            };
            if endings.iter().all(|(known, _)| *known != ending) {
                endings.push((ending, end));
            }
        }
        endings
    }
}

impl Check {
    fn take(&mut self, standing: Standing, outcome: Result<Caller, CommandError>) {
        self.asking = None;
        self.at_ms = Some(now_ms());
        match outcome {
            Ok(caller) => (self.caller, self.problem) = (Some(caller), None),
            Err(problem) => self.problem = Some((standing, problem)),
        }
    }
}

/// Hands what a person must see to the controller.
struct Person {
    label: String,
    flow: u64,
    news: mpsc::Sender<AccountNews>,
}

impl Prompt for Person {
    fn visit(&self, url: &str, user_code: Option<&str>) {
        let news = AccountNews::Visit {
            label: self.label.clone(),
            flow: self.flow,
            url: url.to_owned(),
            user_code: user_code.map(str::to_owned),
        };
        let sender = self.news.clone();
        // The port calls from inside its future, which must not wait.
        tokio::spawn(async move { drop(sender.send(news).await) });
    }
}

/// The accounts of a sign-in as the interface sees them.
pub(crate) fn open_accounts(
    accounts: Vec<signin::SignedInAccount>,
    in_use: &BTreeSet<String>,
) -> Vec<OpenAccount> {
    let role = |role: signin::SignedInRole| OpenRole {
        in_use: role.source.as_ref().is_some_and(|source| in_use.contains(source)),
        name: role.name,
        source: role.source,
    };
    accounts
        .into_iter()
        .map(|account| OpenAccount {
            account_id: account.account_id,
            name: account.name,
            email: account.email,
            roles: account.roles.into_iter().map(role).collect(),
        })
        .collect()
}

fn no_source(name: &str) -> CommandError {
    CommandError::new(
        ErrorCode::NotFound,
        format!("There is no AWS profile and no sign-in named {name} in the AWS configuration."),
    )
}

fn no_question(source: &str) -> CommandError {
    CommandError::new(ErrorCode::NotFound, format!("{source} does not wait for a code at the moment."))
}
