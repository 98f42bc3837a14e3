//! Which endpoint a source's calls go to.

use url::Url;

use crate::config::AwsConfig;
use crate::settings::{AwsSettings, ENVIRONMENT_SOURCE};

/// Endpoint overrides of one source; `None` is the AWS endpoint of the Region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub(crate) ssm: Option<String>,
    pub(crate) ec2: Option<String>,
    pub(crate) sts: Option<String>,
    pub(crate) kms: Option<String>,
    pub(crate) s3: Option<String>,
    /// CloudWatch Logs.
    pub(crate) logs: Option<String>,
    pub(crate) cloudtrail: Option<String>,
    /// EC2 Instance Connect.
    pub(crate) connect: Option<String>,
    /// The portal of IAM Identity Center.
    pub(crate) sso: Option<String>,
    /// Its sign-in.
    pub(crate) oidc: Option<String>,
    pub(crate) gateway: Option<GatewayEndpoint>,
    pub(crate) fips: bool,
    pub(crate) dual_stack: bool,
}

/// Where data channels are opened instead of at the host AWS names, for private endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GatewayEndpoint {
    scheme: &'static str,
    /// Host, with its port if that is not the scheme's own.
    authority: String,
}

impl GatewayEndpoint {
    fn parse(endpoint: &str) -> Option<Self> {
        let url = Url::parse(endpoint).ok()?;
        let scheme = match url.scheme() {
            "https" | "wss" => "wss",
            "http" | "ws" => "ws",
            _ => return None,
        };
        let host = url.host_str().filter(|host| !host.is_empty())?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        Some(Self { scheme, authority })
    }

    /// The same stream URL at this endpoint; path and query stay as they are. `None` when it is no URL.
    pub(crate) fn place(&self, stream_url: &str) -> Option<String> {
        let (_, rest) = stream_url.split_once("://")?;
        let tail = rest.find(['/', '?', '#']).map_or("", |at| &rest[at..]);
        Some(format!("{}://{}{tail}", self.scheme, self.authority))
    }
}

impl Endpoints {
    /// Resolves in the order of the AWS SDKs: AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's `services`
    /// section, the profile's `endpoint_url`; none of them where configured endpoints are to be ignored. Data channels
    /// are opened where AWS says unless AWS_ENDPOINT_URL_SSMMESSAGES or `ssmmessages` in the `services` section names
    /// another place: the endpoint for all services is for API calls.
    ///
    /// # Errors
    /// A sentence naming an endpoint of `ssmmessages` that is no URL. It is checked before a session could be
    /// started that cannot be opened.
    pub(crate) fn resolve(settings: &AwsSettings, config: &AwsConfig, source: &str) -> Result<Self, String> {
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
        let gateway = settings
            .variable("AWS_ENDPOINT_URL_SSMMESSAGES")
            .or_else(|| config.service_endpoint(profile, "ssmmessages"))
            .filter(|_| !ignored);
        let gateway = match gateway {
            Some(endpoint) => Some(GatewayEndpoint::parse(endpoint).ok_or_else(|| {
                format!("The endpoint of ssmmessages, {endpoint}, is not an https, wss, http or ws URL.")
            })?),
            None => None,
        };
        Ok(Self {
            ssm: endpoint("AWS_ENDPOINT_URL_SSM", "ssm"),
            ec2: endpoint("AWS_ENDPOINT_URL_EC2", "ec2"),
            sts: endpoint("AWS_ENDPOINT_URL_STS", "sts"),
            kms: endpoint("AWS_ENDPOINT_URL_KMS", "kms"),
            s3: endpoint("AWS_ENDPOINT_URL_S3", "s3"),
            logs: endpoint("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "cloudwatch_logs"),
            cloudtrail: endpoint("AWS_ENDPOINT_URL_CLOUDTRAIL", "cloudtrail"),
            connect: endpoint("AWS_ENDPOINT_URL_EC2_INSTANCE_CONNECT", "ec2_instance_connect"),
            sso: endpoint("AWS_ENDPOINT_URL_SSO", "sso"),
            oidc: endpoint("AWS_ENDPOINT_URL_SSO_OIDC", "sso_oidc"),
            gateway,
            fips: flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
            dual_stack: flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
        })
    }

    /// Where Systems Manager is called: whether over TLS, host and port. Of the AWS endpoints only the usual one is
    /// known here, which stands for its relatives when exceptions from a proxy are looked for.
    pub(crate) fn ssm_place(&self, region: &str) -> (bool, String, u16) {
        let custom = self.ssm.as_deref().and_then(|endpoint| Url::parse(endpoint).ok());
        let place = custom.as_ref().and_then(|url| {
            Some((url.scheme() == "https", url.host_str()?.to_owned(), url.port_or_known_default()?))
        });
        place.unwrap_or_else(|| (true, format!("ssm.{region}.amazonaws.com"), 443))
    }

    /// Whether no call of this source needs TLS or may need a proxy: every endpoint is plain HTTP on this computer.
    pub(crate) fn all_plain_loopback(&self) -> bool {
        plain_loopback(&[
            &self.ssm,
            &self.ec2,
            &self.sts,
            &self.kms,
            &self.s3,
            &self.logs,
            &self.cloudtrail,
            &self.connect,
        ])
    }

    /// The same for the sign-in and the portal of IAM Identity Center.
    pub(crate) fn sign_in_plain_loopback(&self) -> bool {
        plain_loopback(&[&self.sso, &self.oidc])
    }
}

fn plain_loopback(endpoints: &[&Option<String>]) -> bool {
    endpoints.iter().all(|endpoint| {
        endpoint.as_deref().and_then(|endpoint| Url::parse(endpoint).ok()).is_some_and(|url| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_url_moves_to_the_endpoint_with_path_and_query_unchanged() {
        let vended =
            "wss://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/s-1?role=a&cell-number=A%2FB%3D";
        let tail = "/v1/data-channel/s-1?role=a&cell-number=A%2FB%3D";
        for (endpoint, start) in [
            (
                "https://vpce-1.ssmmessages.eu-west-1.vpce.amazonaws.com",
                "wss://vpce-1.ssmmessages.eu-west-1.vpce.amazonaws.com",
            ),
            ("https://vpce.example:8443/ignored", "wss://vpce.example:8443"),
            ("wss://vpce.example/", "wss://vpce.example"),
            ("http://127.0.0.1:81", "ws://127.0.0.1:81"),
            ("https://[2001:db8::1]:444", "wss://[2001:db8::1]:444"),
        ] {
            let endpoint = GatewayEndpoint::parse(endpoint).unwrap();
            assert_eq!(endpoint.place(vended), Some(format!("{start}{tail}")));
        }
        let endpoint = GatewayEndpoint::parse("https://h").unwrap();
        assert_eq!(endpoint.place("wss://x?role=a").as_deref(), Some("wss://h?role=a"));
        assert_eq!(endpoint.place("nothing"), None);
        for bad in ["", "vpce.example", "ftp://h", "https://"] {
            assert_eq!(GatewayEndpoint::parse(bad), None, "{bad}");
        }
    }
}
