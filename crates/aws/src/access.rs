//! The SDK clients of one source in one Region.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_engine::{CredentialsGate, Pacing};
use fleetline_inventory::ports::CallerIdentity;
use tokio::sync::Mutex;

use crate::call_queue::CallQueue;
use crate::credentials::{SharedSource, SourceCredentials};
use crate::endpoints::Endpoints;
use crate::error;
use crate::pace::Paces;
use crate::skew::ClockSkew;

/// Longest wait for a TCP and TLS connection.
const CONNECT: Duration = Duration::from_secs(6);
/// Longest wait for one answer. A page of 1,000 nodes can take several seconds.
const ATTEMPT: Duration = Duration::from_secs(30);
/// Longest wait for an operation with its retries.
const OPERATION: Duration = Duration::from_secs(75);
/// Attempts of an operation that may be repeated.
const ATTEMPTS: u32 = 4;

/// What all Regions of a source share.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) source: String,
    pub(crate) credentials: Arc<SourceCredentials>,
    pub(crate) skew: ClockSkew,
    pub(crate) gate: CredentialsGate,
    known: Mutex<Option<Known>>,
}

/// An identity with the access key it was asked with: another key may be another identity.
#[derive(Debug)]
struct Known {
    access_key_id: String,
    caller: CallerIdentity,
}

impl Identity {
    pub(crate) fn new(source: &str, credentials: SourceCredentials, gate: CredentialsGate) -> Self {
        Self {
            source: source.to_owned(),
            credentials: Arc::new(credentials),
            skew: ClockSkew::default(),
            gate,
            known: Mutex::new(None),
        }
    }
}

/// One source in one Region. Clients are made at first use.
pub(crate) struct Access {
    pub(crate) identity: Arc<Identity>,
    pub(crate) region: String,
    http: SharedHttpClient,
    paces: Arc<Paces>,
    pub(crate) endpoints: Endpoints,
    ssm: OnceLock<aws_sdk_ssm::Client>,
    ssm_once: OnceLock<aws_sdk_ssm::Client>,
    ec2: OnceLock<aws_sdk_ec2::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
    kms: OnceLock<aws_sdk_kms::Client>,
    cloudtrail: OnceLock<aws_sdk_cloudtrail::Client>,
    connect: OnceLock<aws_sdk_ec2instanceconnect::Client>,
}

impl Access {
    pub(crate) fn new(
        identity: Arc<Identity>,
        region: &str,
        http: SharedHttpClient,
        endpoints: Endpoints,
        paces: Arc<Paces>,
    ) -> Self {
        Self {
            identity,
            region: region.to_owned(),
            http,
            paces,
            endpoints,
            ssm: OnceLock::new(),
            ssm_once: OnceLock::new(),
            ec2: OnceLock::new(),
            sts: OnceLock::new(),
            kms: OnceLock::new(),
            cloudtrail: OnceLock::new(),
            connect: OnceLock::new(),
        }
    }

    /// How fast session calls may be made. Sources of one account share it once their accounts are known.
    pub(crate) fn pacing(&self) -> Arc<Pacing> {
        let known = self.identity.known.try_lock().ok();
        let account = known.as_ref().and_then(|known| known.as_ref()).map(|known| &*known.caller.account_id);
        self.paces.of(account.unwrap_or(&self.identity.source), &self.region)
    }

    /// The queue of an inventory call. Sources of one account share it once their accounts are known.
    pub(crate) fn queue(&self, operation: &'static str) -> Arc<CallQueue> {
        let known = self.identity.known.try_lock().ok();
        let account = known.as_ref().and_then(|known| known.as_ref()).map(|known| &*known.caller.account_id);
        self.paces.queue(account.unwrap_or(&self.identity.source), &self.region, operation)
    }

    /// Systems Manager, with retries.
    pub(crate) fn ssm(&self) -> &aws_sdk_ssm::Client {
        self.ssm.get_or_init(|| self.ssm_client(&RetryConfig::standard().with_max_attempts(ATTEMPTS)))
    }

    /// Systems Manager without any retry: StartSession has no idempotency token, so a repeat after a lost answer
    /// would leave an orphan session (REL-07), and other calls are repeated at a shared pace: those of sessions by the
    /// engine, those of the inventory by their queues.
    pub(crate) fn ssm_once(&self) -> &aws_sdk_ssm::Client {
        self.ssm_once.get_or_init(|| self.ssm_client(&RetryConfig::disabled()))
    }

    /// EC2 without any retry: its listing call is repeated by its queue, and a person asks for passwords.
    pub(crate) fn ec2_once(&self) -> &aws_sdk_ec2::Client {
        self.ec2.get_or_init(|| {
            let config = aws_sdk_ec2::config::Builder::from(&self.sdk_config(self.endpoints.ec2.as_deref()))
                .retry_config(RetryConfig::disabled())
                .interceptor(self.identity.skew.clone());
            aws_sdk_ec2::Client::from_conf(config.build())
        })
    }

    fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.get_or_init(|| {
            let config = aws_sdk_sts::config::Builder::from(&self.sdk_config(self.endpoints.sts.as_deref()))
                .interceptor(self.identity.skew.clone());
            aws_sdk_sts::Client::from_conf(config.build())
        })
    }

    /// KMS, with retries.
    pub(crate) fn kms(&self) -> &aws_sdk_kms::Client {
        self.kms.get_or_init(|| {
            let config = aws_sdk_kms::config::Builder::from(&self.sdk_config(self.endpoints.kms.as_deref()))
                .interceptor(self.identity.skew.clone());
            aws_sdk_kms::Client::from_conf(config.build())
        })
    }

    /// CloudTrail without any retry: its calls are repeated by their queues.
    pub(crate) fn cloudtrail_once(&self) -> &aws_sdk_cloudtrail::Client {
        self.cloudtrail.get_or_init(|| {
            let endpoint = self.endpoints.cloudtrail.as_deref();
            let config = aws_sdk_cloudtrail::config::Builder::from(&self.sdk_config(endpoint))
                .retry_config(RetryConfig::disabled())
                .interceptor(self.identity.skew.clone());
            aws_sdk_cloudtrail::Client::from_conf(config.build())
        })
    }

    /// The client below all of them, for calls that are signed here.
    pub(crate) fn http(&self) -> SharedHttpClient {
        self.http.clone()
    }

    /// How long every call may take.
    pub(crate) fn timeouts() -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(OPERATION)
            .build()
    }

    /// EC2 Instance Connect, with retries: a key that is sent twice is taken once more.
    pub(crate) fn instance_connect(&self) -> &aws_sdk_ec2instanceconnect::Client {
        self.connect.get_or_init(|| {
            let shared = self.sdk_config(self.endpoints.connect.as_deref());
            let config = aws_sdk_ec2instanceconnect::config::Builder::from(&shared)
                .interceptor(self.identity.skew.clone());
            aws_sdk_ec2instanceconnect::Client::from_conf(config.build())
        })
    }

    fn ssm_client(&self, retry: &RetryConfig) -> aws_sdk_ssm::Client {
        let config = aws_sdk_ssm::config::Builder::from(&self.sdk_config(self.endpoints.ssm.as_deref()))
            .retry_config(retry.clone())
            .interceptor(self.identity.skew.clone());
        aws_sdk_ssm::Client::from_conf(config.build())
    }

    fn sdk_config(&self, endpoint: Option<&str>) -> SdkConfig {
        let provider = SharedSource(Arc::clone(&self.identity.credentials));
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(provider))
            // The source keeps its credentials itself, so that a changed file or a rejected key takes effect at once.
            .identity_cache(IdentityCache::no_cache())
            .http_client(self.http.clone())
            .timeout_config(Self::timeouts())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
        match endpoint {
            Some(endpoint) => config.set_endpoint_url(Some(endpoint.to_owned())),
            // FIPS and dual-stack together with a custom endpoint are a configuration error of the SDK.
            None => config
                .set_use_fips(Some(self.endpoints.fips))
                .set_use_dual_stack(Some(self.endpoints.dual_stack)),
        };
        config.build()
    }

    /// Turns an SDK failure into the port error. Rejected credentials are forgotten, so that the next call resolves
    /// them anew.
    pub(crate) fn failed<E>(&self, operation: &'static str, error: SdkError<E, HttpResponse>) -> ApiError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let error = error::from_sdk(operation, &error);
        if matches!(error.kind, ApiErrorKind::CredentialsExpired | ApiErrorKind::CredentialsInvalid) {
            self.identity.credentials.forget();
        }
        tracing::debug!(
            operation,
            source = self.identity.source,
            region = self.region,
            kind = ?error.kind,
            code = error.code,
            request_id = error.request_id,
            "AWS call failed"
        );
        error
    }

    /// GetCallerIdentity, asked once per access key.
    pub(crate) async fn caller(&self) -> Result<CallerIdentity, ApiError> {
        const OPERATION: &str = "GetCallerIdentity";
        let credentials = self
            .identity
            .credentials
            .current()
            .await
            .map_err(|failure| error::from_credentials(OPERATION, &failure))?;
        let expires_ms = credentials.expiry().and_then(epoch_ms);
        let mut known = self.identity.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| known.access_key_id == credentials.access_key_id())
        {
            return Ok(CallerIdentity { expires_ms, ..known.caller.clone() });
        }
        let answer = match self.sts().get_caller_identity().send().await {
            Ok(answer) => answer,
            Err(failure) => return Err(self.failed(OPERATION, failure)),
        };
        let (Some(account_id), Some(arn)) = (answer.account, answer.arn) else {
            return Err(ApiError {
                operation: OPERATION,
                kind: ApiErrorKind::Service,
                code: None,
                message: "The answer names no account.".to_owned(),
                request_id: None,
                never_sent: false,
            });
        };
        let caller =
            CallerIdentity { account_id, arn, user_id: answer.user_id.unwrap_or_default(), expires_ms };
        *known =
            Some(Known { access_key_id: credentials.access_key_id().to_owned(), caller: caller.clone() });
        Ok(caller)
    }

    /// The account of the source. Where GetCallerIdentity cannot be reached (a network with endpoints for Systems
    /// Manager only), the credentials themselves may name it.
    pub(crate) async fn account_id(&self) -> Result<String, ApiError> {
        let failure = match self.caller().await {
            Ok(caller) => return Ok(caller.account_id),
            Err(failure) => failure,
        };
        let credentials = self.identity.credentials.current().await.ok();
        let named = credentials.as_ref().and_then(|credentials| credentials.account_id());
        match named {
            Some(account) if failure.kind.is_on_the_way() => Ok(account.as_str().to_owned()),
            _ => Err(failure),
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("source", &self.identity.source)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

fn epoch_ms(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_millis()).ok()
}
