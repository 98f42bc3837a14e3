//! Which proxy a connection goes through, by HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.
//!
//! One [`ProxyRules`] decides for the data channel and for the API calls, so that the two never differ (AWS-04).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Host, Url};
use zeroize::{Zeroize, Zeroizing};

use super::bypass::Bypass;

/// Which proxy, if any, a connection goes through. Cheap to clone; the default is none at all.
///
/// Connections to this computer and to link-local addresses are always direct: a proxy would reach itself there, or
/// the metadata of the machine it runs on. `Debug` shows hosts, never credentials.
#[derive(Clone, Debug, Default)]
pub struct ProxyRules(Arc<Rules>);

#[derive(Clone, Debug, Default)]
struct Rules {
    plain: Choice,
    secure: Choice,
    bypass: Bypass,
}

#[derive(Clone, Debug, Default)]
enum Choice {
    #[default]
    Direct,
    Via(Arc<Proxy>),
    Unusable(ProxyProblem),
}

/// A proxy address that cannot be used. Connections it was meant for fail; they are never made directly instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} cannot be used: {problem}")]
pub struct ProxyProblem {
    /// The variable or setting the address is in. The address itself may hold a password and is not shown.
    pub setting: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl ProxyRules {
    /// The rules of the usual variables, in lower case first and then in upper case, as curl and the AWS CLI read
    /// them. `https_proxy` is for TLS, `http_proxy` for plain connections, `all_proxy` for what has none of its own;
    /// an address without a scheme is an `http` one. An empty variable counts as set to nothing.
    pub fn from_environment(env: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| {
            let upper = name.to_ascii_uppercase();
            env(name)
                .map(|value| (name.to_owned(), value))
                .or_else(|| env(&upper).map(|value| (upper, value)))
        };
        let all = get("all_proxy");
        let choice = |name: &str| match get(name).or_else(|| all.clone()) {
            Some((setting, value)) => Choice::parse(&setting, value),
            None => Choice::Direct,
        };
        let bypass = get("no_proxy").map(|(_, value)| Bypass::parse(&value)).unwrap_or_default();
        Self(Arc::new(Rules { plain: choice("http_proxy"), secure: choice("https_proxy"), bypass }))
    }

    /// The same exceptions with another proxy for everything else; the address `none` is no proxy. `setting` names
    /// where the address is from.
    #[must_use]
    pub fn overridden(&self, setting: &str, address: &str) -> Self {
        let choice = if address.trim().eq_ignore_ascii_case("none") {
            Choice::Direct
        } else {
            Choice::parse(setting, address.to_owned())
        };
        Self(Arc::new(Rules { plain: choice.clone(), secure: choice, bypass: self.0.bypass.clone() }))
    }

    /// The proxy of connections of that kind that are not excepted, if there is one that can be used.
    pub fn proxy(&self, secure: bool) -> Option<Arc<Proxy>> {
        match if secure { &self.0.secure } else { &self.0.plain } {
            Choice::Via(proxy) => Some(Arc::clone(proxy)),
            Choice::Direct | Choice::Unusable(_) => None,
        }
    }

    /// The proxy for a connection to that host and port, or `None` for a direct one. `secure`: TLS is spoken to the
    /// host.
    ///
    /// # Errors
    /// When the address that applies cannot be used.
    pub fn choose(&self, secure: bool, host: &str, port: u16) -> Result<Option<Arc<Proxy>>, ProxyProblem> {
        let choice = if secure { &self.0.secure } else { &self.0.plain };
        if matches!(choice, Choice::Direct) || is_always_direct(host) || self.0.bypass.contains(host, port) {
            return Ok(None);
        }
        match choice {
            Choice::Direct => Ok(None),
            Choice::Via(proxy) => Ok(Some(Arc::clone(proxy))),
            Choice::Unusable(problem) => Err(problem.clone()),
        }
    }
}

impl Choice {
    fn parse(setting: &str, value: String) -> Self {
        let value = Zeroizing::new(value);
        match value.trim() {
            "" => Self::Direct,
            address => match Proxy::parse(address) {
                Ok(proxy) => Self::Via(Arc::new(proxy)),
                Err(problem) => Self::Unusable(ProxyProblem { setting: setting.to_owned(), problem }),
            },
        }
    }
}

/// One proxy. `Debug` and `Display` show where it is; its credentials are wiped when dropped.
pub struct Proxy {
    pub(super) secure: bool,
    pub(super) host: Host<String>,
    pub(super) port: u16,
    credentials: Option<Credentials>,
}

struct Credentials {
    user: Zeroizing<String>,
    password: Zeroizing<String>,
}

impl Proxy {
    fn parse(address: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = address.split_once("://").unwrap_or(("http", address));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // Taken off first, so that no URL type keeps a copy.
        let (userinfo, place) = match authority.rsplit_once('@') {
            Some((userinfo, place)) => (Some(userinfo), place),
            None => (None, authority),
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err("only http and https proxies are supported"),
        };
        let unreadable = "it is not a proxy address such as http://proxy.example:3128";
        let url = Url::parse(&format!("{}://{place}", if secure { "https" } else { "http" }))
            .map_err(|_| unreadable)?;
        let host = url.host().ok_or(unreadable)?.to_owned();
        let port = url.port_or_known_default().ok_or(unreadable)?;
        let credentials = match userinfo {
            Some(userinfo) => Some(Credentials::parse(userinfo)?),
            None => None,
        };
        Ok(Self { secure, host, port, credentials })
    }

    /// Whether the proxy's address holds a user name.
    pub(super) fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// The value of a `Proxy-Authorization` header.
    pub(super) fn authorization(&self) -> Option<Zeroizing<String>> {
        let credentials = self.credentials.as_ref()?;
        let pair = Zeroizing::new(format!("{}:{}", *credentials.user, *credentials.password));
        let mut encoded = STANDARD.encode(pair.as_bytes());
        let value = Zeroizing::new(format!("Basic {encoded}"));
        encoded.zeroize();
        Some(value)
    }

    /// The whole address with its credentials, for an HTTP client that is told of the proxy. A secret.
    pub fn expose_url(&self) -> Zeroizing<String> {
        let scheme = if self.secure { "https" } else { "http" };
        let (host, port) = (&self.host, self.port);
        Zeroizing::new(match &self.credentials {
            Some(Credentials { user, password }) => {
                let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
                let (user, password) = (Zeroizing::new(encode(user)), Zeroizing::new(encode(password)));
                format!("{scheme}://{}:{}@{host}:{port}", *user, *password)
            }
            None => format!("{scheme}://{host}:{port}"),
        })
    }
}

impl Credentials {
    fn parse(userinfo: &str) -> Result<Self, &'static str> {
        let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
        let decode = |text| {
            percent_decode_str(text)
                .decode_utf8()
                .map(|text| Zeroizing::new(text.into_owned()))
                .map_err(|_| "its user name or password is not UTF-8")
        };
        let (user, password) = (decode(user)?, decode(password)?);
        if [&user, &password].iter().any(|text| text.chars().any(char::is_control)) {
            return Err("its user name or password holds a control character");
        }
        Ok(Self { user, password })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

/// This computer (RFC 6761 6.3), and addresses that mean another machine to the proxy than to us.
fn is_always_direct(host: &str) -> bool {
    let host = bare(host);
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unspecified(),
        Err(_) => {
            let name = host.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

/// A host without the brackets of an IPv6 address.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(variables: &[(&str, &str)]) -> ProxyRules {
        ProxyRules::from_environment(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn chosen(rules: &ProxyRules, secure: bool, host: &str) -> Option<String> {
        rules
            .choose(secure, host, if secure { 443 } else { 80 })
            .expect("usable")
            .map(|proxy| proxy.to_string())
    }

    #[test]
    fn each_kind_of_connection_has_its_variable_and_all_proxy_fills_in() {
        let both = rules(&[("HTTPS_PROXY", "http://s:1"), ("HTTP_PROXY", "http://p:2")]);
        assert_eq!(chosen(&both, true, "a.example").as_deref(), Some("s:1"));
        assert_eq!(chosen(&both, false, "a.example").as_deref(), Some("p:2"));
        let all = rules(&[("ALL_PROXY", "q:3"), ("http_proxy", "")]);
        assert_eq!(chosen(&all, true, "a.example").as_deref(), Some("q:3"));
        assert_eq!(chosen(&all, false, "a.example"), None, "set to nothing");
        assert_eq!(chosen(&rules(&[]), true, "a.example"), None);
    }

    #[test]
    fn lower_case_wins_over_upper_case() {
        let rules = rules(&[("https_proxy", "http://low:1"), ("HTTPS_PROXY", "http://up:1")]);
        assert_eq!(chosen(&rules, true, "a.example").as_deref(), Some("low:1"));
    }

    #[test]
    fn addresses_are_read_with_and_without_scheme_port_and_credentials() {
        for (address, shown, secure) in [
            ("proxy", "proxy:80", false),
            ("proxy.example:3128", "proxy.example:3128", false),
            ("http://u:p@proxy:3128/", "proxy:3128", false),
            ("https://proxy", "proxy:443", true),
            ("HTTPS://[2001:db8::1]:8443", "[2001:db8::1]:8443", true),
            ("10.0.0.1:8080", "10.0.0.1:8080", false),
        ] {
            let proxy = Proxy::parse(address).expect(address);
            assert_eq!((proxy.to_string().as_str(), proxy.secure), (shown, secure), "{address}");
        }
    }

    #[test]
    fn an_unusable_address_is_named_by_its_variable_and_never_bypassed_or_shown() {
        for address in
            ["socks5://u:canary@proxy:1080", "http://", "http://u:canary@:80", "http://u:canary%00@h"]
        {
            let rules = rules(&[("HTTPS_PROXY", address)]);
            let problem = rules.choose(true, "a.example", 443).expect_err(address);
            assert_eq!(problem.setting, "HTTPS_PROXY");
            assert!(!format!("{problem} {problem:?} {rules:?}").contains("canary"), "{problem:?}");
        }
    }

    #[test]
    fn credentials_are_decoded_sent_encoded_and_never_shown() {
        let rules = rules(&[("HTTPS_PROXY", "http://us%40er:can%3Aary%2F@proxy:3128")]);
        let proxy = rules.choose(true, "a.example", 443).expect("usable").expect("a proxy");
        let expected = format!("Basic {}", STANDARD.encode("us@er:can:ary/"));
        assert_eq!(proxy.authorization().as_deref(), Some(&expected));
        assert_eq!(*proxy.expose_url(), "http://us%40er:can%3Aary%2F@proxy:3128");
        let shown = format!("{rules:?} {proxy:?} {proxy}");
        assert!(!shown.contains("can") && !shown.contains("us@"), "{shown}");
    }

    #[test]
    fn this_computer_and_link_local_addresses_are_always_direct() {
        let rules = rules(&[("ALL_PROXY", "http://proxy:3128")]);
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "[::1]",
            "169.254.169.254",
            "fe80::1",
            "0.0.0.0",
        ] {
            assert_eq!(chosen(&rules, true, host), None, "{host}");
        }
        for host in ["localhost.example.com", "128.0.0.1", "::2", "10.0.0.1"] {
            assert!(chosen(&rules, true, host).is_some(), "{host}");
        }
    }

    #[test]
    fn an_override_keeps_the_exceptions() {
        let rules = rules(&[("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", "inside.example")]);
        let other = rules.overridden("fleetline_proxy", "http://other:1");
        assert_eq!(chosen(&other, true, "a.example").as_deref(), Some("other:1"));
        assert_eq!(chosen(&other, false, "a.example").as_deref(), Some("other:1"));
        assert_eq!(chosen(&other, true, "inside.example"), None);
        assert_eq!(chosen(&rules.overridden("fleetline_proxy", "none"), true, "a.example"), None);
        let bad = rules.overridden("fleetline_proxy", "ftp://x").choose(true, "a.example", 443);
        assert_eq!(bad.map(|_| ()).map_err(|problem| problem.setting), Err("fleetline_proxy".to_owned()));
    }
}
