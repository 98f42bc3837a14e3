//! Where the AWS configuration is read from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use fleetline_engine::ProxyRules;
use zeroize::Zeroizing;

/// Name of the source that stands for AWS_ACCESS_KEY_ID and friends. While those variables are set it hides an AWS
/// profile of the same name.
pub const ENVIRONMENT_SOURCE: &str = "environment";

/// The environment variables that are honoured. No other variable is looked at.
const VARIABLES: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CA_BUNDLE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_SSM",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_EC2_INSTANCE_CONNECT",
    "AWS_ENDPOINT_URL_KMS",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "AWS_ENDPOINT_URL_CLOUDTRAIL",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
    "AWS_ENDPOINT_URL_SSMMESSAGES",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
];

/// The files and variables AWS access is configured by. `Debug` names the variables that are set and shows no value.
#[derive(Clone)]
pub struct AwsSettings {
    config_file: Option<PathBuf>,
    credentials_file: Option<PathBuf>,
    sso_cache: Option<PathBuf>,
    own_file: Option<PathBuf>,
    variables: BTreeMap<String, Zeroizing<String>>,
    proxy: ProxyRules,
}

impl AwsSettings {
    /// The user's own configuration: `~/.aws/config` and `~/.aws/credentials`, or where AWS_CONFIG_FILE and
    /// AWS_SHARED_CREDENTIALS_FILE point, and the AWS_* variables that `env` answers. An empty variable counts as
    /// not set. HTTPS_PROXY and its relatives apply as [`ProxyRules::from_environment`] reads them.
    pub fn from_environment(env: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| env(name).filter(|value| !value.is_empty());
        let home = get("HOME").or_else(|| get("USERPROFILE")).map(PathBuf::from);
        let file = |variable: &str, name: &str| match get(variable) {
            Some(path) => Some(expand_home(&path, home.as_deref())),
            None => home.as_deref().map(|home| home.join(".aws").join(name)),
        };
        let variables = VARIABLES
            .iter()
            .filter_map(|name| get(name).map(|value| ((*name).to_owned(), Zeroizing::new(value))))
            .collect();
        Self {
            config_file: file("AWS_CONFIG_FILE", "config"),
            credentials_file: file("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            sso_cache: home.as_deref().map(|home| home.join(".aws").join("sso").join("cache")),
            own_file: None,
            variables,
            proxy: ProxyRules::from_environment(&env),
        }
    }

    /// Only the files named: no environment variable and no proxy applies. Used for the demo fleet, which must not
    /// depend on the user's own configuration. Sign-ins are kept in `sso/cache` beside the configuration file.
    pub fn from_files(config: impl Into<PathBuf>, credentials: Option<PathBuf>) -> Self {
        let config = config.into();
        Self {
            sso_cache: config.parent().map(|directory| directory.join("sso").join("cache")),
            config_file: Some(config),
            credentials_file: credentials,
            own_file: None,
            variables: BTreeMap::new(),
            proxy: ProxyRules::default(),
        }
    }

    /// Sets one variable as if the environment had it; variables that are not honoured are ignored.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: impl Into<String>) -> Self {
        if VARIABLES.contains(&name) {
            self.variables.insert(name.to_owned(), Zeroizing::new(value.into()));
        }
        self
    }

    /// Also reads, and writes, this program's own sign-ins and sources in a file of the same form. What the user's own
    /// files say of a profile or session comes first.
    #[must_use]
    pub fn with_own_file(self, file: impl Into<PathBuf>) -> Self {
        Self { own_file: Some(file.into()), ..self }
    }

    /// Goes through proxies by these rules instead; a source with a proxy of its own keeps it.
    #[must_use]
    pub fn with_proxy(self, proxy: ProxyRules) -> Self {
        Self { proxy, ..self }
    }

    /// The configuration file, which need not exist.
    pub fn config_file(&self) -> Option<&Path> {
        self.config_file.as_deref()
    }

    /// The credentials file, which need not exist.
    pub fn credentials_file(&self) -> Option<&Path> {
        self.credentials_file.as_deref()
    }

    /// Where sign-ins of IAM Identity Center are kept, shared with the AWS CLI: `~/.aws/sso/cache`. `None` without a
    /// home.
    pub fn sso_cache(&self) -> Option<&Path> {
        self.sso_cache.as_deref()
    }

    /// The file of this program's own sources, if it may keep any.
    pub fn own_file(&self) -> Option<&Path> {
        self.own_file.as_deref()
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        debug_assert!(VARIABLES.contains(&name), "{name} is not among the honoured variables");
        self.variables.get(name).map(|value| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The variables that are set and hold nothing secret, with their values, by name.
    pub(crate) fn shown_variables(&self) -> Vec<(String, String)> {
        const SECRET: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
        let shown = self.variables.iter().filter(|(name, _)| !SECRET.contains(&name.as_str()));
        shown.map(|(name, value)| (name.clone(), value.as_str().to_owned())).collect()
    }

    pub(crate) fn proxy(&self) -> &ProxyRules {
        &self.proxy
    }
}

impl fmt::Debug for AwsSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsSettings")
            .field("config_file", &self.config_file)
            .field("credentials_file", &self.credentials_file)
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .field("proxy", &self.proxy)
            .finish()
    }
}

fn expand_home(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/").or_else(|| path.strip_prefix("~\\")), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(vars: &[(&str, &str)]) -> AwsSettings {
        AwsSettings::from_environment(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn files_default_to_the_home_directory_and_can_be_moved() {
        let plain = settings(&[("HOME", "/h")]);
        assert_eq!(plain.config_file(), Some(Path::new("/h/.aws/config")));
        assert_eq!(plain.credentials_file(), Some(Path::new("/h/.aws/credentials")));
        let moved =
            settings(&[("HOME", "/h"), ("AWS_CONFIG_FILE", "~/c"), ("AWS_SHARED_CREDENTIALS_FILE", "/x/y")]);
        assert_eq!(moved.config_file(), Some(Path::new("/h/c")));
        assert_eq!(moved.credentials_file(), Some(Path::new("/x/y")));
    }

    #[test]
    fn empty_and_unknown_variables_do_not_count() {
        let settings = settings(&[("HOME", "/h"), ("AWS_PROFILE", "")]).with_variable("PATH", "/bin");
        assert_eq!(settings.variable("AWS_PROFILE"), None);
        assert!(settings.variables.is_empty());
    }

    #[test]
    fn debug_shows_no_value() {
        let settings = settings(&[("AWS_SECRET_ACCESS_KEY", "wJalrCanary"), ("AWS_REGION", "eu-west-1")]);
        let shown = format!("{settings:?}");
        assert!(shown.contains("AWS_SECRET_ACCESS_KEY") && !shown.contains("Canary"), "{shown}");
    }
}
