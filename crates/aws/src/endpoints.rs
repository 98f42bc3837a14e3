//! Which endpoint a source's calls go to.

use crate::config::AwsConfig;
use crate::settings::{AwsSettings, ENVIRONMENT_SOURCE};

/// Endpoint overrides of one source; `None` is the AWS endpoint of the Region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub(crate) ssm: Option<String>,
    pub(crate) ec2: Option<String>,
    pub(crate) sts: Option<String>,
    pub(crate) kms: Option<String>,
    pub(crate) fips: bool,
    pub(crate) dual_stack: bool,
}

impl Endpoints {
    /// Resolves in the order of the AWS SDKs: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's `services`
    /// section, the profile's `endpoint_url`; none of them where configured endpoints are to be ignored.
    pub(crate) fn resolve(settings: &AwsSettings, config: &AwsConfig, source: &str) -> Self {
        let profile = if source == ENVIRONMENT_SOURCE {
            settings.variable("AWS_PROFILE").unwrap_or("default")
        } else {
            source
        };
        let flag = |variable: &str, key: &str| {
            settings
                .variable(variable)
                .or_else(|| config.setting(profile, key))
                .is_some_and(|value| value.eq_ignore_ascii_case("true"))
        };
        let ignored = flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls");
        let endpoint = |variable: &str, service: &str| {
            if ignored {
                return None;
            }
            settings
                .variable(variable)
                .or_else(|| settings.variable("AWS_ENDPOINT_URL"))
                .or_else(|| config.service_endpoint(profile, service))
                .or_else(|| config.setting(profile, "endpoint_url"))
                .map(str::to_owned)
        };
        Self {
            ssm: endpoint("AWS_ENDPOINT_URL_SSM", "ssm"),
            ec2: endpoint("AWS_ENDPOINT_URL_EC2", "ec2"),
            sts: endpoint("AWS_ENDPOINT_URL_STS", "sts"),
            kms: endpoint("AWS_ENDPOINT_URL_KMS", "kms"),
            fips: flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
            dual_stack: flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
        }
    }

    /// Whether no call of this source needs TLS or may need a proxy: every endpoint is plain HTTP on this computer.
    pub(crate) fn all_plain_loopback(&self) -> bool {
        [&self.ssm, &self.ec2, &self.sts, &self.kms].into_iter().all(|endpoint| {
            endpoint.as_deref().and_then(|endpoint| url::Url::parse(endpoint).ok()).is_some_and(|url| {
                let loopback = match url.host() {
                    Some(url::Host::Ipv4(address)) => address.is_loopback(),
                    Some(url::Host::Ipv6(address)) => address.is_loopback(),
                    Some(url::Host::Domain(name)) => name == "localhost",
                    None => false,
                };
                url.scheme() == "http" && loopback
            })
        })
    }
}
