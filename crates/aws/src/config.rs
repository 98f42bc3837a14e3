//! The shared AWS configuration, read from its two files and from our own.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::property::PropertiesKey;
use aws_runtime::env_config::section::{EnvConfigSections, Profile};
use aws_types::os_shim_internal::{Env, Fs};
use fleetline_inventory::ports::SourceInfo;
use fleetline_signin::SsoSession;
use futures_util::FutureExt;

use crate::own::OwnSources;
use crate::settings::{AwsSettings, ENVIRONMENT_SOURCE};

/// What tells one state of the files from another: their modification times and lengths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stamp([Option<(SystemTime, u64)>; 3]);

impl Stamp {
    /// Looks at the files without reading them.
    pub(crate) fn of(settings: &AwsSettings) -> Self {
        let look = |path: Option<&Path>| {
            let data = std::fs::metadata(path?).ok()?;
            Some((data.modified().ok()?, data.len()))
        };
        Self([look(settings.config_file()), look(settings.credentials_file()), look(settings.own_file())])
    }
}

/// One reading of the configuration.
pub(crate) struct AwsConfig {
    sections: EnvConfigSections,
    files: EnvConfigFiles,
    own: OwnSources,
}

impl AwsConfig {
    /// Reads all files; a missing file is an empty one.
    ///
    /// # Errors
    /// A sentence naming the file that cannot be read, or what does not parse.
    pub(crate) fn read(settings: &AwsSettings) -> Result<Self, String> {
        let own = OwnSources::read(settings.own_file())?;
        let files = EnvConfigFiles::builder()
            // Earlier files give way to later ones.
            .with_contents(EnvConfigFileKind::Config, own.to_text())
            .with_contents(EnvConfigFileKind::Config, contents(settings.config_file())?)
            .with_contents(EnvConfigFileKind::Credentials, contents(settings.credentials_file())?)
            .build();
        let env = Env::from(HashMap::new());
        let fs = Fs::from_map(HashMap::<String, Vec<u8>>::new());
        // Everything is in memory, so this future is ready at its first poll.
        let loaded = aws_config::profile::load(&fs, &env, &files, None).now_or_never();
        match loaded {
            Some(Ok(sections)) => Ok(Self { sections, files, own }),
            Some(Err(error)) => {
                Err(format!("The AWS configuration cannot be read: {}", crate::error::full_text(&error)))
            }
            None => Err("The AWS configuration cannot be read.".to_owned()),
        }
    }

    /// What this program made itself.
    pub(crate) fn own(&self) -> &OwnSources {
        &self.own
    }

    /// The files' contents, for the SDK's own credential providers.
    pub(crate) fn files(&self) -> EnvConfigFiles {
        self.files.clone()
    }

    /// Whether the profile exists.
    pub(crate) fn has_profile(&self, name: &str) -> bool {
        self.sections.get_profile(name).is_some()
    }

    /// A setting of a profile; empty counts as not set.
    pub(crate) fn setting(&self, profile: &str, key: &str) -> Option<&str> {
        self.sections.get_profile(profile).and_then(|profile| get(profile, key))
    }

    /// `endpoint_url` of one service in the `services` section the profile names.
    pub(crate) fn service_endpoint(&self, profile: &str, service: &str) -> Option<&str> {
        let key = PropertiesKey::builder()
            .section_key("services")
            .section_name(self.setting(profile, "services")?)
            .property_name(service)
            .sub_property_name("endpoint_url")
            .build()
            .ok()?;
        self.sections.other_sections().get(&key).map(|value| value.as_str()).filter(|url| !url.is_empty())
    }

    /// All profiles as sources: the one AWS_PROFILE names first, then `default`, then by name.
    pub(crate) fn sources(&self, settings: &AwsSettings) -> Vec<SourceInfo> {
        let selected = settings.variable("AWS_PROFILE");
        let mut names: Vec<&str> = self.sections.profiles().collect();
        names.sort_unstable_by_key(|name| (Some(*name) != selected, *name != "default", name.to_lowercase()));
        let mut sources: Vec<SourceInfo> = names
            .into_iter()
            .filter_map(|name| self.sections.get_profile(name))
            .map(|profile| {
                let (method, problem) = self.method(profile);
                SourceInfo {
                    name: profile.name().to_owned(),
                    region: region(settings, Some(self), profile.name()),
                    method: method.to_owned(),
                    problem,
                }
            })
            .collect();
        if let Some(environment) = environment_source(settings, Some(self)) {
            sources.retain(|source| source.name != ENVIRONMENT_SOURCE);
            sources.insert(0, environment);
        }
        sources
    }

    /// How the profile signs in through IAM Identity Center, itself or through the profile its role is taken from;
    /// `None` if it does not.
    ///
    /// # Errors
    /// A sentence naming what is missing.
    pub(crate) fn sign_in_of(&self, profile: &str) -> Option<Result<SsoSession, String>> {
        let profile = self.chain(profile).unwrap_or_default().pop().unwrap_or(profile);
        if let Some(name) = self.setting(profile, "sso_session") {
            return Some(self.sso_session(name).unwrap_or_else(|| {
                Err(format!("The sso-session {name} of {profile} is not in the configuration."))
            }));
        }
        let start_url = self.setting(profile, "sso_start_url")?.to_owned();
        let Some(region) = self.setting(profile, "sso_region") else {
            return Some(Err(format!("The AWS profile {profile} has an sso_start_url but no sso_region.")));
        };
        Some(Ok(SsoSession { name: None, start_url, region: region.to_owned(), scopes: Vec::new() }))
    }

    /// The profiles a role is taken through, nearest first; empty for one that gets its credentials by itself. A profile
    /// with keys of its own ends the chain, whatever else it names, as with the SDKs.
    ///
    /// # Errors
    /// A sentence, when they lead in a circle.
    pub(crate) fn chain<'a>(&'a self, profile: &'a str) -> Result<Vec<&'a str>, String> {
        let mut chain: Vec<&str> = Vec::new();
        let mut at = profile;
        while self.setting(at, "role_arn").is_some()
            && self.setting(at, "web_identity_token_file").is_none()
            && (chain.is_empty() || self.setting(at, "aws_access_key_id").is_none())
            && let Some(source) = self.setting(at, "source_profile")
        {
            let keys = self.setting(source, "aws_access_key_id").is_some();
            if !keys && (source == profile || chain.contains(&source)) {
                let way: Vec<&str> = [profile].into_iter().chain(chain).chain([source]).collect();
                return Err(format!("The role is taken in a circle of AWS profiles: {}.", way.join(" → ")));
            }
            chain.push(source);
            if keys {
                break;
            }
            at = source;
        }
        Ok(chain)
    }

    /// Names of all `sso-session`s.
    pub(crate) fn sso_sessions(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.sections.sso_sessions().collect();
        names.sort_unstable();
        names
    }

    /// Endpoints of single services the profile's `services` section names, by service.
    pub(crate) fn services(&self, profile: &str) -> Vec<(&'static str, &str)> {
        let known = ["ec2", "kms", "ssm", "ssmmessages", "sso", "sso_oidc", "sts"];
        known
            .into_iter()
            .filter_map(|service| Some((service, self.service_endpoint(profile, service)?)))
            .collect()
    }

    /// The `sso-session` of this name.
    ///
    /// # Errors
    /// A sentence naming what is missing.
    pub(crate) fn sso_session(&self, name: &str) -> Option<Result<SsoSession, String>> {
        let section = self.sections.sso_session(name)?;
        let get = |key: &str| section.get(key).map(str::trim).filter(|value| !value.is_empty());
        let scopes = get("sso_registration_scopes").unwrap_or_default().split(',');
        let scopes = scopes.map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect();
        Some(match (get("sso_start_url"), get("sso_region")) {
            (Some(start_url), Some(region)) => Ok(SsoSession {
                name: Some(name.to_owned()),
                start_url: start_url.to_owned(),
                region: region.to_owned(),
                scopes,
            }),
            (None, _) => Err(format!("The sso-session {name} has no sso_start_url.")),
            (_, None) => Err(format!("The sso-session {name} has no sso_region.")),
        })
    }

    /// The sources that use a sign-in by themselves, by account and role.
    pub(crate) fn sources_of_roles(&self, label: &str) -> HashMap<(&str, &str), &str> {
        let mut sources = HashMap::new();
        for profile in self.profiles().into_iter().rev() {
            let setting = |key| self.setting(profile, key);
            if setting("role_arn").is_none()
                && let (Some(account), Some(role)) = (setting("sso_account_id"), setting("sso_role_name"))
                && self
                    .sign_in_of(profile)
                    .and_then(Result::ok)
                    .is_some_and(|session| session.label() == label)
            {
                sources.insert((account, role), profile);
            }
        }
        sources
    }

    /// Names of all profiles.
    pub(crate) fn profiles(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.sections.profiles().collect();
        names.sort_unstable();
        names
    }

    /// How the profile gets credentials, in the order the SDK looks, and what is plainly missing.
    fn method(&self, profile: &Profile) -> (&'static str, Option<String>) {
        let has = |key: &str| get(profile, key);
        if let Some(role) = has("role_arn") {
            if has("web_identity_token_file").is_some() {
                return ("web identity", None);
            }
            let problem = match (has("source_profile"), has("credential_source")) {
                (Some(source), _) if !self.has_profile(source) => Some(format!(
                    "It takes its credentials from the AWS profile {source}, which does not exist."
                )),
                (None, None) => {
                    Some("It names a role but no source_profile or credential_source.".to_owned())
                }
                _ if !role.starts_with("arn:") => Some(format!("Its role_arn, {role}, is not an ARN.")),
                _ => self.chain(profile.name()).err(),
            };
            return ("assume role", problem);
        }
        if let Some(session) = has("sso_session") {
            let problem = self
                .sections
                .sso_session(session)
                .is_none()
                .then(|| format!("Its sso-session {session} is not in the configuration."));
            return ("IAM Identity Center", problem);
        }
        if has("sso_start_url").is_some() {
            return ("IAM Identity Center", None);
        }
        if has("aws_access_key_id").is_some() {
            let problem = has("aws_secret_access_key")
                .is_none()
                .then(|| "It has an access key id but no secret access key.".to_owned());
            return ("access key", problem);
        }
        if has("credential_process").is_some() {
            return ("credential process", None);
        }
        if has("login_session").is_some() {
            return ("console sign-in", None);
        }
        ("none", Some("It names no way to get credentials.".to_owned()))
    }
}

/// The source made of variables, if they are set.
pub(crate) fn environment_source(settings: &AwsSettings, config: Option<&AwsConfig>) -> Option<SourceInfo> {
    let (method, problem) = match settings.variable("AWS_ACCESS_KEY_ID") {
        Some(_) => {
            let problem = settings
                .variable("AWS_SECRET_ACCESS_KEY")
                .is_none()
                .then(|| "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not.".to_owned());
            ("access key", problem)
        }
        None => {
            settings.variable("AWS_WEB_IDENTITY_TOKEN_FILE")?;
            settings.variable("AWS_ROLE_ARN")?;
            ("web identity", None)
        }
    };
    Some(SourceInfo {
        name: ENVIRONMENT_SOURCE.to_owned(),
        region: region(settings, config, ENVIRONMENT_SOURCE),
        method: method.to_owned(),
        problem,
    })
}

/// The Region a source names. AWS_REGION (or AWS_DEFAULT_REGION) decides for the environment and for the profile
/// AWS_PROFILE selects; for every other profile its own `region` decides and the variable fills in.
pub(crate) fn region(settings: &AwsSettings, config: Option<&AwsConfig>, source: &str) -> Option<String> {
    let selected = settings.variable("AWS_PROFILE");
    let from_variable = settings.variable("AWS_REGION").or_else(|| settings.variable("AWS_DEFAULT_REGION"));
    let profile = if source == ENVIRONMENT_SOURCE { selected.unwrap_or("default") } else { source };
    let from_profile = config.and_then(|config| config.setting(profile, "region"));
    let variable_first = source == ENVIRONMENT_SOURCE || Some(source) == selected;
    let region = if variable_first { from_variable.or(from_profile) } else { from_profile.or(from_variable) };
    region.map(str::to_owned)
}

fn get<'a>(profile: &'a Profile, key: &str) -> Option<&'a str> {
    profile.get(key).map(str::trim).filter(|value| !value.is_empty())
}

pub(crate) fn contents(path: Option<&Path>) -> Result<String, String> {
    let Some(path) = path else { return Ok(String::new()) };
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(format!("The AWS configuration file {} cannot be read: {error}", path.display())),
    }
}
