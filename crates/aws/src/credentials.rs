//! Credentials of a source, resolved afresh when the configuration files change.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::Region;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use fleetline_engine::CredentialsGate;
use fleetline_signin::{BoxFuture, Code, CodeAsk, SsoSession};
use futures_util::FutureExt;

use crate::code_sessions::CodeSessions;
use crate::codes::{CodeDesk, CodeFailure, Exchange, Waiting};
use crate::config::{AwsConfig, Stamp};
use crate::endpoints::Endpoints;
use crate::role::{RoleRequest, Sts};
use crate::settings::{AwsSettings, ENVIRONMENT_SOURCE};
use crate::sso::{Portal, RoleCredentials};

/// Longest wait for a provider. `credential_process` has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// Credentials this close to their end are fetched anew.
const MARGIN: Duration = Duration::from_secs(120);

/// Longest wait of an SDK client's call for a code that a person is asked for; those calls have limits of their own, and
/// the question outlives them.
const CALL_PATIENCE: Duration = Duration::from_secs(20);

/// What all sources of one program share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared {
    /// Codes people are asked for.
    pub(crate) desk: CodeDesk,
    /// What those codes gave.
    pub(crate) code_sessions: Arc<CodeSessions>,
}

/// How one source is reached.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// API calls.
    pub(crate) http: SharedHttpClient,
    /// The sign-in and its portal.
    pub(crate) sign_in_http: SharedHttpClient,
    /// Where STS is asked.
    pub(crate) region: String,
}

/// The credentials of one source. Every SDK client and the data channel signer of that source share one, so a
/// renewed sign-in or a rewritten credentials file is used by the next call.
pub(crate) struct SourceCredentials {
    source: String,
    settings: Arc<AwsSettings>,
    way: Way,
    shared: Shared,
    /// Whose credentials take the role, when that is another source with a way of its own.
    base: Option<Arc<Self>>,
    gate: CredentialsGate,
    /// Held while credentials are fetched, which may take a person.
    fetching: tokio::sync::Mutex<()>,
    /// Never held across a wait.
    state: Mutex<State>,
    /// Calls that wait here.
    waiting: Arc<AtomicUsize>,
}

#[derive(Default)]
struct State {
    stamp: Option<Stamp>,
    provider: Option<Provider>,
    fetched: Option<Credentials>,
    /// End of the latest credentials: `Some(None)` never ends.
    ending: Option<Option<SystemTime>>,
    /// How often something was forgotten.
    forgets: u64,
    /// Access key id of the latest credentials, kept when they are forgotten: the same ones again are no news.
    latest_key: Option<String>,
}

/// Where credentials come from.
#[derive(Clone)]
enum Provider {
    /// One of the SDK's, or of a sign-in.
    Given(Arc<dyn ProvideCredentials>),
    /// STS, by other credentials.
    Taken(Arc<Taken>),
}

/// A role, or a session of a user, taken by other credentials.
struct Taken {
    request: RoleRequest,
    sts: Sts,
    base: Base,
}

/// What a role is taken by.
enum Base {
    Keys(Credentials),
    Source(Arc<SourceCredentials>),
}

impl State {
    fn forget(&mut self, stamp: Option<Stamp>) {
        let (latest_key, forgets) = (self.latest_key.take(), self.forgets + 1);
        *self = Self { stamp, latest_key, forgets, ..Self::default() };
    }
}

impl SourceCredentials {
    pub(crate) fn new(
        source: &str,
        settings: Arc<AwsSettings>,
        way: Way,
        shared: Shared,
        base: Option<Arc<Self>>,
        gate: CredentialsGate,
    ) -> Self {
        Self {
            source: source.to_owned(),
            settings,
            way,
            shared,
            base,
            gate,
            fetching: tokio::sync::Mutex::default(),
            state: Mutex::default(),
            waiting: Arc::default(),
        }
    }

    /// Valid credentials. Callers that come while a fetch runs wait for that one; a fetch that asks a person waits as
    /// long as the question stands.
    pub(crate) fn current(&self) -> BoxFuture<'_, Result<Credentials, CredentialsError>> {
        // Boxed, since a role is taken by the credentials of another source.
        Box::pin(async move {
            let _one = Waiting::count(&self.waiting);
            let _turn = self.fetching.lock().await;
            let (provider, forgets) = {
                let mut state = self.state();
                let stamp = Stamp::of(&self.settings);
                if state.stamp.as_ref() != Some(&stamp) {
                    state.forget(Some(stamp));
                }
                if let Some(fetched) = state.fetched.as_ref().filter(|fetched| outlives_margin(fetched)) {
                    return Ok(fetched.clone());
                }
                let provider = match &state.provider {
                    Some(provider) => provider.clone(),
                    None => state.provider.insert(self.provider()?).clone(),
                };
                (provider, state.forgets)
            };
            let fetched = match provider {
                Provider::Given(provider) => given(provider.as_ref()).await,
                Provider::Taken(taken) => self.take(&taken).await,
            };
            let mut state = self.state();
            let fetched = match fetched {
                Ok(fetched) => fetched,
                Err(error) => {
                    // A provider may remember its failure, so the next try begins with a new one.
                    state.provider = None;
                    return Err(error);
                }
            };
            // What was forgotten meanwhile is not known any more.
            if state.forgets == forgets {
                state.fetched = Some(fetched.clone());
                state.ending = Some(fetched.expiry());
            }
            if state.latest_key.as_deref() != Some(fetched.access_key_id()) {
                state.latest_key = Some(fetched.access_key_id().to_owned());
                self.gate.renewed();
            }
            Ok(fetched)
        })
    }

    /// Credentials by STS, with a code where the profile names a device.
    async fn take(&self, taken: &Arc<Taken>) -> Result<Credentials, CredentialsError> {
        let request = &taken.request;
        let Some(serial) = &request.serial else {
            return taken.fetch(None).await.map_err(|error| match error {
                Exchange::Failed(error) => error,
                Exchange::Refused(text) => CredentialsError::not_loaded(text),
            });
        };
        let key = request.key(&self.source);
        let sessions = &self.shared.code_sessions;
        if let Some(known) = sessions.recall(&key).await.filter(outlives_margin) {
            return Ok(known);
        }
        // First, since a code would be wasted on a role that nobody can take.
        taken.base().await?;
        let ask = CodeAsk {
            source: self.source.clone(),
            serial: serial.clone(),
            role: request.role_name(),
            duration_s: request.duration_s,
            waiting: 0,
            trying: false,
            refused: None,
        };
        let exchange = {
            let (taken, sessions, gate) = (Arc::clone(taken), Arc::clone(sessions), self.gate.clone());
            move |code: Code| {
                let (taken, sessions, gate) = (Arc::clone(&taken), Arc::clone(&sessions), gate.clone());
                let key = key.clone();
                async move {
                    let credentials = taken.fetch(Some(&code)).await?;
                    let kept = sessions.put(key, credentials.clone());
                    // Whoever asked may have given up meanwhile.
                    gate.renewed();
                    kept.await;
                    Ok(credentials)
                }
            }
        };
        let outcome = self.shared.desk.exchange(ask, &self.waiting, exchange).await;
        outcome.map_err(CredentialsError::provider_error)
    }

    /// Forgets what was fetched, since better can be had now. Never waits for a fetch.
    pub(crate) fn fetch_anew(&self) {
        self.state().forget(None);
    }

    /// Forgets what was fetched and what a code gave, after AWS rejected it or somebody signed out.
    pub(crate) fn forget(&self) {
        let mut state = self.state();
        if let Some(Provider::Taken(taken)) = &state.provider {
            self.shared.code_sessions.forget(&taken.request.key(&self.source));
        }
        state.forget(None);
    }

    /// Whether a person is asked for a code, for this source or for one its role is taken by.
    fn is_asked(&self) -> bool {
        self.shared.desk.asks_for(&self.source) || self.base.as_ref().is_some_and(|base| base.is_asked())
    }

    /// When the latest credentials end, without waiting: `None` before there were any, `Some(None)` if they do not end.
    pub(crate) fn latest_ending(&self) -> Option<Option<SystemTime>> {
        self.state().ending
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn provider(&self) -> Result<Provider, CredentialsError> {
        let region = Some(Region::new(self.way.region.clone()));
        let configured =
            ProviderConfig::without_region().with_region(region).with_http_client(self.way.http.clone());
        if self.source == ENVIRONMENT_SOURCE
            && let Some(provider) = self.variables_provider(&configured)
        {
            return Ok(Provider::Given(provider));
        }
        let config = AwsConfig::read(&self.settings).map_err(CredentialsError::invalid_configuration)?;
        if !config.has_profile(&self.source) {
            return Err(CredentialsError::not_loaded(format!(
                "there is no AWS profile named {}",
                self.source
            )));
        }
        if config.setting(&self.source, "role_arn").is_none()
            && let Some(session) = config.sign_in_of(&self.source)
        {
            let session = session.map_err(CredentialsError::invalid_configuration)?;
            return self.role(&config, session).map(Provider::Given);
        }
        let taken =
            RoleRequest::of(&config, &self.source).map_err(CredentialsError::invalid_configuration)?;
        if let Some(request) = taken {
            return self.taken(&config, request).map(|taken| Provider::Taken(Arc::new(taken)));
        }
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&configured)
            .profile_files(config.files())
            .profile_name(&self.source)
            .build();
        let by_console = config.setting(&self.source, "login_session").is_some();
        Ok(Provider::Given(match by_console {
            true => Arc::new(ConsoleLogin { provider, profile: self.source.clone() }),
            false => Arc::new(provider),
        }))
    }

    /// What STS is asked for, and by whom.
    fn taken(&self, config: &AwsConfig, request: RoleRequest) -> Result<Taken, CredentialsError> {
        let endpoints = Endpoints::resolve(&self.settings, config, &self.source)
            .map_err(CredentialsError::invalid_configuration)?;
        let sts = Sts::new(self.way.http.clone(), &self.way.region, &endpoints);
        let chain = config.chain(&self.source).map_err(CredentialsError::invalid_configuration)?;
        let base = chain.first().copied().unwrap_or(&self.source);
        // Keys take a role by themselves, even where their own profile names a device: one code is enough.
        let plain = request.serial.is_some() || config.setting(base, "mfa_serial").is_none();
        if let Some(keys) = static_keys(config, base).filter(|_| plain || base == self.source) {
            return Ok(Taken { request, sts, base: Base::Keys(keys) });
        }
        let base = match &self.base {
            Some(known) if known.source == base => Arc::clone(known),
            // The configuration names another one since this source was opened.
            _ => Arc::new(Self::new(
                base,
                Arc::clone(&self.settings),
                self.way.clone(),
                self.shared.clone(),
                None,
                self.gate.clone(),
            )),
        };
        Ok(Taken { request, sts, base: Base::Source(base) })
    }

    /// The role of a sign-in, by our own token cache: the SDK's provider rewrites cache files in place and can panic
    /// when the clock steps back (aws-security-reliability.md A.9, A.10).
    fn role(
        &self,
        config: &AwsConfig,
        session: SsoSession,
    ) -> Result<Arc<dyn ProvideCredentials>, CredentialsError> {
        let setting = |key: &str| {
            config.setting(&self.source, key).map(str::to_owned).ok_or_else(|| {
                let what = format!("the AWS profile {} has no {key}", self.source);
                CredentialsError::invalid_configuration(what)
            })
        };
        let (account, role) = (setting("sso_account_id")?, setting("sso_role_name")?);
        let endpoints = Endpoints::resolve(&self.settings, config, &self.source)
            .map_err(CredentialsError::invalid_configuration)?;
        let Some(cache) = self.settings.sso_cache() else {
            return Err(CredentialsError::not_loaded("there is no home directory for sign-ins"));
        };
        let portal = Portal::new(session, &endpoints, self.way.sign_in_http.clone(), cache);
        Ok(Arc::new(RoleCredentials { portal, account, role }))
    }

    fn variables_provider(&self, configured: &ProviderConfig) -> Option<Arc<dyn ProvideCredentials>> {
        let variable = |name| self.settings.variable(name).map(str::to_owned);
        if let Some(key) = variable("AWS_ACCESS_KEY_ID") {
            let secret = variable("AWS_SECRET_ACCESS_KEY")?;
            let token = variable("AWS_SESSION_TOKEN");
            return Some(Arc::new(Credentials::new(key, secret, token, None, "environment")));
        }
        let file = StaticConfiguration {
            web_identity_token_file: variable("AWS_WEB_IDENTITY_TOKEN_FILE")?.into(),
            role_arn: variable("AWS_ROLE_ARN")?,
            session_name: variable("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "fleetline".to_owned()),
        };
        let provider = WebIdentityTokenCredentialsProvider::builder()
            .configure(configured)
            .static_configuration(file)
            .build();
        Some(Arc::new(provider))
    }
}

impl Taken {
    async fn base(&self) -> Result<Credentials, CredentialsError> {
        match &self.base {
            Base::Keys(keys) => Ok(keys.clone()),
            Base::Source(source) => source.current().await,
        }
    }

    async fn fetch(&self, code: Option<&Code>) -> Result<Credentials, Exchange> {
        let base = self.base().await.map_err(Exchange::Failed)?;
        self.request.credentials(&self.sts, base, code).await
    }
}

/// The sign-in that `aws login` keeps, renewed by the SDK for as long as AWS allows. Only that program begins a new one.
#[derive(Debug)]
struct ConsoleLogin {
    provider: ProfileFileCredentialsProvider,
    profile: String,
}

/// A sign-in of `aws login` gives no credentials.
#[derive(Debug, thiserror::Error)]
#[error("the sign-in of this AWS profile is missing or over; sign in with: aws login --profile {profile}")]
struct NoConsoleLogin {
    profile: String,
    source: CredentialsError,
}

impl ProvideCredentials for ConsoleLogin {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.provider.provide_credentials().await.map_err(|source| {
                CredentialsError::provider_error(NoConsoleLogin { profile: self.profile.clone(), source })
            })
        })
    }
}

async fn given(provider: &dyn ProvideCredentials) -> Result<Credentials, CredentialsError> {
    let fetch = AssertUnwindSafe(provider.provide_credentials()).catch_unwind();
    match tokio::time::timeout(PATIENCE, fetch).await {
        Ok(Ok(fetched)) => fetched,
        Ok(Err(_panic)) => Err(CredentialsError::unhandled("the credential provider failed unexpectedly")),
        Err(_elapsed) => Err(CredentialsError::provider_timed_out(PATIENCE)),
    }
}

/// The keys a profile holds itself.
fn static_keys(config: &AwsConfig, profile: &str) -> Option<Credentials> {
    let setting = |key: &str| config.setting(profile, key).map(str::to_owned);
    Some(Credentials::new(
        setting("aws_access_key_id")?,
        setting("aws_secret_access_key")?,
        setting("aws_session_token"),
        None,
        "profile",
    ))
}

fn outlives_margin(credentials: &Credentials) -> bool {
    credentials
        .expiry()
        .is_none_or(|end| SystemTime::now().checked_add(MARGIN).is_some_and(|soon| soon < end))
}

impl fmt::Debug for SourceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceCredentials").field("source", &self.source).finish_non_exhaustive()
    }
}

/// [`SourceCredentials`] as the SDK clients take them.
#[derive(Clone, Debug)]
pub(crate) struct SharedSource(pub(crate) Arc<SourceCredentials>);

impl ProvideCredentials for SharedSource {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let mut current = self.0.current();
            match tokio::time::timeout(CALL_PATIENCE, &mut current).await {
                Ok(outcome) => outcome,
                Err(_) if self.0.is_asked() => Err(CredentialsError::provider_error(CodeFailure::Waiting)),
                // What is slow here is no person; the call's own limit decides.
                Err(_) => current.await,
            }
        })
    }
}
