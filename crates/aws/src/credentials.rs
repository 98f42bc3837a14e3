//! Credentials of a source, resolved afresh when the configuration files change.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
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
use fleetline_signin::SsoSession;
use futures_util::FutureExt;
use tokio::sync::Mutex;

use crate::config::{AwsConfig, Stamp};
use crate::endpoints::Endpoints;
use crate::settings::{AwsSettings, ENVIRONMENT_SOURCE};
use crate::sso::{Portal, RoleCredentials};

/// Longest wait for a provider. `credential_process` has no limit of its own.
const PATIENCE: Duration = Duration::from_secs(60);

/// Credentials this close to their end are fetched anew.
const MARGIN: Duration = Duration::from_secs(120);

/// The credentials of one source. Every SDK client and the data channel signer of that source share one, so a
/// renewed sign-in or a rewritten credentials file is used by the next call.
pub(crate) struct SourceCredentials {
    source: String,
    settings: Arc<AwsSettings>,
    http: SharedHttpClient,
    sign_in_http: SharedHttpClient,
    region: Option<String>,
    gate: CredentialsGate,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stamp: Option<Stamp>,
    provider: Option<Arc<dyn ProvideCredentials>>,
    fetched: Option<Credentials>,
    /// Access key id of the latest credentials, kept when they are forgotten: the same ones again are no news.
    latest_key: Option<String>,
}

impl State {
    fn forget(&mut self, stamp: Option<Stamp>) {
        *self = Self { stamp, latest_key: self.latest_key.take(), ..Self::default() };
    }
}

impl SourceCredentials {
    pub(crate) fn new(
        source: &str,
        settings: Arc<AwsSettings>,
        http: SharedHttpClient,
        sign_in_http: SharedHttpClient,
        region: Option<String>,
        gate: CredentialsGate,
    ) -> Self {
        Self {
            source: source.to_owned(),
            settings,
            http,
            sign_in_http,
            region,
            gate,
            state: Mutex::default(),
        }
    }

    /// Valid credentials. Callers that come while a fetch runs wait for that one.
    pub(crate) async fn current(&self) -> Result<Credentials, CredentialsError> {
        let mut state = self.state.lock().await;
        let stamp = Stamp::of(&self.settings);
        if state.stamp.as_ref() != Some(&stamp) {
            state.forget(Some(stamp));
        }
        if let Some(fetched) = state.fetched.as_ref().filter(|fetched| outlives_margin(fetched)) {
            return Ok(fetched.clone());
        }
        let provider = match &state.provider {
            Some(provider) => Arc::clone(provider),
            None => Arc::clone(state.provider.insert(self.provider()?)),
        };
        let fetch = AssertUnwindSafe(provider.provide_credentials()).catch_unwind();
        let fetched = match tokio::time::timeout(PATIENCE, fetch).await {
            Ok(Ok(Ok(fetched))) => fetched,
            failed => {
                // A provider may remember its failure, so the next try begins with a new one.
                state.provider = None;
                return Err(match failed {
                    Ok(Ok(Err(error))) => error,
                    Ok(Err(_panic)) => {
                        CredentialsError::unhandled("the credential provider failed unexpectedly")
                    }
                    Err(_elapsed) => CredentialsError::provider_timed_out(PATIENCE),
                    Ok(Ok(Ok(_))) => CredentialsError::unhandled("unreachable"),
                });
            }
        };
        state.fetched = Some(fetched.clone());
        if state.latest_key.as_deref() != Some(fetched.access_key_id()) {
            state.latest_key = Some(fetched.access_key_id().to_owned());
            self.gate.renewed();
        }
        Ok(fetched)
    }

    /// Forgets what was fetched, after AWS rejected it.
    pub(crate) async fn forget(&self) {
        self.state.lock().await.forget(None);
    }

    fn provider(&self) -> Result<Arc<dyn ProvideCredentials>, CredentialsError> {
        let region = self.region.clone().map(Region::new);
        let configured =
            ProviderConfig::without_region().with_region(region).with_http_client(self.http.clone());
        if self.source == ENVIRONMENT_SOURCE
            && let Some(provider) = self.variables_provider(&configured)
        {
            return Ok(provider);
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
            return self.role(&config, session);
        }
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&configured)
            .profile_files(config.files())
            .profile_name(&self.source)
            .build();
        Ok(Arc::new(provider))
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
        let portal = Portal::new(session, &endpoints, self.sign_in_http.clone(), cache);
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
        future::ProvideCredentials::new(self.0.current())
    }
}
