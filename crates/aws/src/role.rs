//! Roles that are taken by other credentials, and sessions of users, with or without the code of an MFA device. The
//! SDK's own chain asks for no codes, knows no `duration_seconds`, and names each role session anew, which would take
//! the caller's running sessions away from it (aws-security-reliability.md A.3, A.10).

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use fleetline_signin::Code;

use crate::codes::Exchange;
use crate::config::AwsConfig;
use crate::endpoints::Endpoints;

/// Longest wait for a TCP and TLS connection.
const CONNECT: Duration = Duration::from_secs(6);
/// Longest wait for one answer.
const ATTEMPT: Duration = Duration::from_secs(15);
/// Longest wait for an operation with its retries.
const OPERATION: Duration = Duration::from_secs(40);
/// What AWS says, among other words, of a code it does not take.
const MFA_FAILED: &str = "MultiFactorAuthentication failed";
/// Life of a session of a user where the profile says nothing: what STS gives by itself.
const USER_SESSION_S: u32 = 43_200;
/// Life of a role session where the profile says nothing.
const ROLE_SESSION_S: u32 = 3_600;

/// STS as one source reaches it.
#[derive(Clone, Debug)]
pub(crate) struct Sts {
    http: SharedHttpClient,
    region: Region,
    endpoint: Option<String>,
    fips: bool,
    dual_stack: bool,
}

impl Sts {
    pub(crate) fn new(http: SharedHttpClient, region: &str, endpoints: &Endpoints) -> Self {
        Self {
            http,
            region: Region::new(region.to_owned()),
            endpoint: endpoints.sts.clone(),
            fips: endpoints.fips,
            dual_stack: endpoints.dual_stack,
        }
    }

    fn client(&self, base: Credentials, retry: RetryConfig) -> aws_sdk_sts::Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(OPERATION)
            .build();
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .credentials_provider(SharedCredentialsProvider::new(base))
            .identity_cache(IdentityCache::no_cache())
            .http_client(self.http.clone())
            .timeout_config(timeouts)
            .retry_config(retry);
        match &self.endpoint {
            Some(endpoint) => config.set_endpoint_url(Some(endpoint.clone())),
            None => config.set_use_fips(Some(self.fips)).set_use_dual_stack(Some(self.dual_stack)),
        };
        aws_sdk_sts::Client::new(&config.build())
    }
}

/// What is asked of STS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleRequest {
    /// The role; without one, a session of the user itself.
    pub(crate) role_arn: Option<String>,
    session_name: String,
    external_id: Option<String>,
    pub(crate) duration_s: u32,
    duration_named: bool,
    /// The MFA device.
    pub(crate) serial: Option<String>,
}

impl RoleRequest {
    /// What the profile says; `None` if it names neither a role that is taken from a profile nor a device.
    ///
    /// # Errors
    /// A sentence naming what cannot be used.
    pub(crate) fn of(config: &AwsConfig, profile: &str) -> Result<Option<Self>, String> {
        let setting = |key: &str| config.setting(profile, key).map(str::to_owned);
        let role_arn = setting("role_arn");
        let serial = setting("mfa_serial");
        let keys = config.setting(profile, "aws_access_key_id").is_some();
        match &role_arn {
            Some(_) if setting("source_profile").is_none() => return Ok(None),
            Some(_) if setting("web_identity_token_file").is_some() => return Ok(None),
            None if serial.is_none() || !keys => return Ok(None),
            _ => {}
        }
        let named = setting("duration_seconds");
        let duration_s = match &named {
            Some(text) => text
                .parse::<u32>()
                .ok()
                .filter(|seconds| (900..=129_600).contains(seconds))
                .ok_or_else(|| format!("duration_seconds of {profile} is {text}; it is 900 to 129600."))?,
            None if role_arn.is_some() => ROLE_SESSION_S,
            None => USER_SESSION_S,
        };
        Ok(Some(Self {
            role_arn,
            session_name: setting("role_session_name").unwrap_or_else(|| session_name().to_owned()),
            external_id: setting("external_id"),
            duration_s,
            duration_named: named.is_some(),
            serial,
        }))
    }

    /// What tells these credentials from others that a code was given for.
    pub(crate) fn key(&self, source: &str) -> String {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        format!(
            "{source}\n{}\n{}\n{}\n{}",
            part(&self.serial),
            part(&self.role_arn),
            part(&self.external_id),
            self.duration_s
        )
    }

    /// Name of the role, without its path.
    pub(crate) fn role_name(&self) -> Option<String> {
        self.role_arn.as_deref().and_then(|arn| arn.rsplit('/').next()).map(str::to_owned)
    }

    /// The call. A code is good once, so a call with one is made once.
    pub(crate) async fn credentials(
        &self,
        sts: &Sts,
        base: Credentials,
        code: Option<&Code>,
    ) -> Result<Credentials, Exchange> {
        let retry = if code.is_some() { RetryConfig::disabled() } else { RetryConfig::standard() };
        let client = sts.client(base, retry);
        let serial = self.serial.clone().filter(|_| code.is_some());
        let code = code.map(|code| code.expose().to_owned());
        let seconds = self.duration_named.then(|| i32::try_from(self.duration_s).unwrap_or(i32::MAX));
        let (given, account) = match &self.role_arn {
            Some(role) => {
                let call = client
                    .assume_role()
                    .role_arn(role)
                    .role_session_name(&self.session_name)
                    .set_external_id(self.external_id.clone())
                    .set_duration_seconds(seconds)
                    .set_serial_number(serial)
                    .set_token_code(code);
                let answer = call.send().await.map_err(|error| failed(error, self.serial.is_some()))?;
                (answer.credentials, role.split(':').nth(4).map(str::to_owned))
            }
            None => {
                let call = client.get_session_token().set_duration_seconds(seconds);
                let call = call.set_serial_number(serial).set_token_code(code);
                let answer = call.send().await.map_err(|error| failed(error, self.serial.is_some()))?;
                (answer.credentials, None)
            }
        };
        let given = given.ok_or_else(|| {
            Exchange::Failed(CredentialsError::unhandled("the answer of STS holds no credentials"))
        })?;
        let mut credentials = Credentials::builder()
            .access_key_id(given.access_key_id)
            .secret_access_key(given.secret_access_key)
            .session_token(given.session_token)
            .provider_name("STS");
        credentials.set_expiry(SystemTime::try_from(given.expiration).ok());
        if let Some(account) = account {
            credentials = credentials.account_id(account);
        }
        Ok(credentials.build())
    }
}

fn failed<E>(error: SdkError<E, HttpResponse>, with_code: bool) -> Exchange
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let text = error.as_service_error().and_then(|service| service.message()).unwrap_or_default();
    if with_code && text.contains(MFA_FAILED) {
        return Exchange::Refused(text.trim().to_owned());
    }
    Exchange::Failed(CredentialsError::provider_error(error))
}

/// The name of every role session of this program, the same at each renewal: `${aws:userid}` in policies holds it, so
/// another name could not resume or end the sessions that were started before.
fn session_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| format!("fleetline-{}", crate::codes::now_ms()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::AwsSettings;

    fn request(text: &str) -> Result<Option<RoleRequest>, String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        std::fs::write(&file, text).unwrap();
        let config = AwsConfig::read(&AwsSettings::from_files(file, None)).unwrap();
        RoleRequest::of(&config, "p")
    }

    #[test]
    fn a_profile_says_what_is_asked_of_sts() {
        const ROLE: &str =
            "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/ops/CoreOps\nsource_profile = b\n";
        let plain = request(ROLE).unwrap().unwrap();
        assert_eq!((plain.duration_s, plain.serial.clone()), (3_600, None));
        assert_eq!(plain.role_name().as_deref(), Some("CoreOps"));
        assert_eq!(plain.session_name, request(ROLE).unwrap().unwrap().session_name, "it stays the same");
        let full = format!("{ROLE}mfa_serial = arn:x\nduration_seconds = 7200\nrole_session_name = mika\n");
        let full = request(&full).unwrap().unwrap();
        assert_eq!((full.duration_s, full.session_name.as_str()), (7_200, "mika"));
        assert_ne!(full.key("p"), plain.key("p"));
        let user = request("[profile p]\naws_access_key_id = a\naws_secret_access_key = b\nmfa_serial = s\n");
        assert_eq!(user.unwrap().map(|user| (user.role_arn, user.duration_s)), Some((None, 43_200)));
    }

    #[test]
    fn other_ways_are_not_ours_and_a_wrong_duration_is_said() {
        assert_eq!(request("[profile p]\naws_access_key_id = a\naws_secret_access_key = b\n"), Ok(None));
        assert_eq!(request("[profile p]\nrole_arn = r\ncredential_source = Environment\n"), Ok(None));
        let short = request("[profile p]\nrole_arn = r\nsource_profile = b\nduration_seconds = 60\n");
        assert_eq!(short, Err("duration_seconds of p is 60; it is 900 to 129600.".to_owned()));
    }
}
