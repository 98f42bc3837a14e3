//! IAM Identity Center through the SDK: the calls of a sign-in, and what a sign-in opens.

use std::fmt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_sso::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_signin::{
    BoxFuture, CachedToken, DeviceGrant, Oidc, OidcError, Registration, Secret, SsoSession, TokenCache,
    TokenError, TokenGrant, TokenRequest, fresh_token,
};

use crate::endpoints::Endpoints;
use crate::error::{before_call, from_sdk};

/// Longest wait for a TCP and TLS connection.
const CONNECT: Duration = Duration::from_secs(6);
/// Longest wait for one answer.
const ATTEMPT: Duration = Duration::from_secs(15);
/// Longest wait for an operation with its retries.
const OPERATION: Duration = Duration::from_secs(40);
/// Most accounts or roles of one page.
const PAGE: i32 = 100;
/// Pages at most, so that a service that never ends does not hold us.
const PAGES: usize = 1_000;

/// One sign-in: its session, its calls, and where its token is kept.
#[derive(Clone, Debug)]
pub(crate) struct Portal {
    pub(crate) session: SsoSession,
    pub(crate) oidc: SdkOidc,
    pub(crate) cache: TokenCache,
    client: aws_sdk_sso::Client,
}

impl Portal {
    pub(crate) fn new(
        session: SsoSession,
        endpoints: &Endpoints,
        http: SharedHttpClient,
        cache: &Path,
    ) -> Self {
        let config = |endpoint: &Option<String>, retry: RetryConfig| {
            let timeouts = TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .operation_attempt_timeout(ATTEMPT)
                .operation_timeout(OPERATION)
                .build();
            let mut config = SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(session.region.clone()))
                .http_client(http.clone())
                .timeout_config(timeouts)
                .retry_config(retry);
            match endpoint {
                Some(endpoint) => config.set_endpoint_url(Some(endpoint.clone())),
                None => {
                    config.set_use_fips(Some(endpoints.fips)).set_use_dual_stack(Some(endpoints.dual_stack))
                }
            };
            config.build()
        };
        // Codes and refresh tokens are good once: what was sent is not sent again.
        let oidc = SdkOidc {
            client: aws_sdk_ssooidc::Client::new(&config(&endpoints.oidc, RetryConfig::disabled())),
            base: endpoints.oidc.as_deref().map_or_else(
                || oidc_host(&session.region),
                |endpoint| endpoint.trim_end_matches('/').to_owned(),
            ),
        };
        let client = aws_sdk_sso::Client::new(&config(&endpoints.sso, RetryConfig::standard()));
        Self { oidc, client, cache: TokenCache::new(cache), session }
    }

    /// A token that lasts, refreshed where it must be.
    async fn token(&self) -> Result<CachedToken, TokenError> {
        fresh_token(&self.oidc, &self.cache, &self.session).await
    }

    /// Whether there was a sign-in that is over, or none.
    fn is_over(&self) -> bool {
        self.cache.token(&self.session).is_ok_and(|token| token.is_some())
    }

    async fn role(&self, account: &str, role: &str) -> Result<Credentials, CredentialsError> {
        let token = self.token().await.map_err(|error| match error {
            TokenError::SignInNeeded if self.is_over() => {
                CredentialsError::not_loaded(format!("the sign-in {} has expired", self.session.label()))
            }
            TokenError::SignInNeeded => {
                CredentialsError::not_loaded(format!("nobody is signed in to {}", self.session.label()))
            }
            error => CredentialsError::provider_error(error),
        })?;
        let call = self.client.get_role_credentials().account_id(account).role_name(role);
        let answer = call.access_token(token.access_token.expose()).send().await;
        let answer = answer.map_err(CredentialsError::provider_error)?;
        let given = answer.role_credentials();
        let (Some(key), Some(secret), Some(session), Some(end)) = (
            given.and_then(|given| given.access_key_id()),
            given.and_then(|given| given.secret_access_key()),
            given.and_then(|given| given.session_token()),
            // Milliseconds, unlike everywhere else.
            given.and_then(|given| u64::try_from(given.expiration()).ok()).filter(|end| *end > 0),
        ) else {
            return Err(CredentialsError::unhandled(
                "the answer of IAM Identity Center holds no credentials",
            ));
        };
        let mut credentials = Credentials::builder()
            .access_key_id(key)
            .secret_access_key(secret)
            .session_token(session)
            .account_id(account)
            .provider_name("IAM Identity Center");
        credentials.set_expiry(UNIX_EPOCH.checked_add(Duration::from_millis(end)));
        Ok(credentials.build())
    }

    /// All accounts with their roles.
    pub(crate) async fn accounts(&self) -> Result<Vec<(String, String, String)>, ApiError> {
        const OPERATION: &str = "ListAccounts";
        let token = self.token_for(OPERATION).await?;
        let mut accounts = Vec::new();
        let mut next = None;
        for _ in 0..PAGES {
            let call = self.client.list_accounts().access_token(token.expose()).max_results(PAGE);
            let page =
                call.set_next_token(next).send().await.map_err(|error| portal_error(OPERATION, &error))?;
            accounts.extend(page.account_list().iter().filter_map(|account| {
                let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
                Some((
                    account.account_id()?.to_owned(),
                    text(account.account_name()),
                    text(account.email_address()),
                ))
            }));
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        Ok(accounts)
    }

    /// Names of the roles in an account.
    pub(crate) async fn roles(&self, account: &str) -> Result<Vec<String>, ApiError> {
        const OPERATION: &str = "ListAccountRoles";
        let token = self.token_for(OPERATION).await?;
        let mut roles = Vec::new();
        let mut next = None;
        for _ in 0..PAGES {
            let call = self.client.list_account_roles().access_token(token.expose()).account_id(account);
            let page = call.max_results(PAGE).set_next_token(next).send().await;
            let page = page.map_err(|error| portal_error(OPERATION, &error))?;
            roles.extend(page.role_list().iter().filter_map(|role| role.role_name().map(str::to_owned)));
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        Ok(roles)
    }

    /// Ends the sign-in at AWS; one that is over already counts as ended.
    pub(crate) async fn log_out(&self, token: &CachedToken) -> Result<(), ApiError> {
        const OPERATION: &str = "Logout";
        match self.client.logout().access_token(token.access_token.expose()).send().await {
            Ok(_) => Ok(()),
            Err(error) => match portal_error(OPERATION, &error) {
                error if error.kind == ApiErrorKind::CredentialsExpired => Ok(()),
                error => Err(error),
            },
        }
    }

    async fn token_for(&self, operation: &'static str) -> Result<Secret, ApiError> {
        let token = self.token().await.map_err(|error| {
            let kind = match &error {
                TokenError::SignInNeeded if self.is_over() => ApiErrorKind::CredentialsExpired,
                TokenError::Oidc(OidcError::Network(_)) => ApiErrorKind::Network,
                _ => ApiErrorKind::NoCredentials,
            };
            before_call(operation, kind, error.to_string())
        })?;
        Ok(token.access_token)
    }
}

/// The portal says `UnauthorizedException` of a token that is over.
fn portal_error<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> ApiError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let error = from_sdk(operation, error);
    match error.code.as_deref() {
        Some("UnauthorizedException") => ApiError { kind: ApiErrorKind::CredentialsExpired, ..error },
        _ => error,
    }
}

/// The credentials of a role, by the sign-in of its session.
pub(crate) struct RoleCredentials {
    pub(crate) portal: Portal,
    pub(crate) account: String,
    pub(crate) role: String,
}

impl ProvideCredentials for RoleCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.portal.role(&self.account, &self.role))
    }
}

impl fmt::Debug for RoleCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleCredentials")
            .field("session", &self.portal.session.label())
            .field("account", &self.account)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// The sign-in calls. Outputs are taken apart the moment they arrive.
#[derive(Clone, Debug)]
pub(crate) struct SdkOidc {
    client: aws_sdk_ssooidc::Client,
    base: String,
}

fn oidc_host(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://oidc.{region}.{suffix}")
}

impl Oidc for SdkOidc {
    fn register<'a>(
        &'a self,
        session: &'a SsoSession,
        redirect_uri: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Registration, OidcError>> {
        Box::pin(async move {
            let scopes = session.registered_scopes();
            let mut call = self.client.register_client().client_name("fleetline").client_type("public");
            call = call.set_scopes((!scopes.is_empty()).then_some(scopes));
            if let Some(redirect_uri) = redirect_uri {
                call = call
                    .grant_types("authorization_code")
                    .grant_types("refresh_token")
                    .redirect_uris(redirect_uri)
                    .issuer_url(&session.start_url);
            }
            let answer = call.send().await.map_err(|error| oidc_error("RegisterClient", &error))?;
            Ok(Registration {
                client_id: needed(answer.client_id())?,
                client_secret: Secret::new(needed(answer.client_secret())?),
                expires_ms: answer.client_secret_expires_at().saturating_mul(1000),
            })
        })
    }

    fn start_device<'a>(
        &'a self,
        session: &'a SsoSession,
        client: &'a Registration,
    ) -> BoxFuture<'a, Result<DeviceGrant, OidcError>> {
        Box::pin(async move {
            let call = self
                .client
                .start_device_authorization()
                .client_id(&client.client_id)
                .client_secret(client.client_secret.expose())
                .start_url(&session.start_url);
            let answer = call.send().await.map_err(|error| oidc_error("StartDeviceAuthorization", &error))?;
            Ok(DeviceGrant {
                device_code: Secret::new(needed(answer.device_code())?),
                user_code: needed(answer.user_code())?,
                verification_uri: needed(answer.verification_uri())?,
                verification_uri_complete: needed(answer.verification_uri_complete())?,
                expires_in: seconds(answer.expires_in()),
                interval: seconds(answer.interval()),
            })
        })
    }

    fn create_token<'a>(
        &'a self,
        client: &'a Registration,
        request: TokenRequest,
    ) -> BoxFuture<'a, Result<TokenGrant, OidcError>> {
        Box::pin(async move {
            let call = self
                .client
                .create_token()
                .client_id(&client.client_id)
                .client_secret(client.client_secret.expose());
            let call = match &request {
                TokenRequest::Device(code) => {
                    call.grant_type("urn:ietf:params:oauth:grant-type:device_code").device_code(code.expose())
                }
                TokenRequest::Code { code, verifier, redirect_uri } => call
                    .grant_type("authorization_code")
                    .code(code.expose())
                    .code_verifier(verifier.expose())
                    .redirect_uri(redirect_uri),
                TokenRequest::Refresh(token) => {
                    call.grant_type("refresh_token").refresh_token(token.expose())
                }
            };
            let answer = call.send().await.map_err(|error| oidc_error("CreateToken", &error))?;
            Ok(TokenGrant {
                access_token: Secret::new(needed(answer.access_token())?),
                expires_in_s: u64::try_from(answer.expires_in()).unwrap_or(0),
                refresh_token: answer.refresh_token().map(Secret::new),
            })
        })
    }

    fn authorize_base(&self) -> String {
        self.base.clone()
    }
}

fn seconds(seconds: i32) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

fn needed(member: Option<&str>) -> Result<String, OidcError> {
    let missing = || OidcError::Other("the answer of IAM Identity Center is not complete".to_owned());
    member.map(str::to_owned).ok_or_else(missing)
}

fn oidc_error<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> OidcError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let error = from_sdk(operation, error);
    match error.code.as_deref().unwrap_or_default() {
        "AuthorizationPendingException" => OidcError::Pending,
        "SlowDownException" => OidcError::SlowDown,
        "ExpiredTokenException" => OidcError::Expired,
        "AccessDeniedException" => OidcError::Denied,
        "InvalidClientException" | "UnauthorizedClientException" => OidcError::InvalidClient,
        "InvalidGrantException" => OidcError::InvalidGrant,
        _ if error.kind.is_on_the_way() => OidcError::Network(error.message),
        _ => OidcError::Other(error.message),
    }
}
