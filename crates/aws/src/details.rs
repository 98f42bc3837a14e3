//! What the configuration and the caches tell of sources and sign-ins, without a call.

use std::time::SystemTime;

use fleetline_signin::{
    CredentialKind, Details, Ending, SignInDetail, SourceDetail, SsoSession, Standing, TokenCache,
};

use crate::codes::now_ms;
use crate::config::{AwsConfig, environment_source, region};
use crate::role::RoleRequest;
use crate::settings::{AwsSettings, ENVIRONMENT_SOURCE};
use crate::sources::AwsSources;

/// Settings of a profile that are shown, by name. Values of those with a mark may hold secrets and are not shown whole.
const SHOWN: [(&str, Show); 27] = [
    ("ca_bundle", Show::Whole),
    ("credential_process", Show::FirstWord),
    ("credential_source", Show::Whole),
    ("defaults_mode", Show::Whole),
    ("duration_seconds", Show::Whole),
    ("endpoint_url", Show::Whole),
    ("external_id", Show::Presence),
    ("fleetline_proxy", Show::Presence),
    ("ignore_configured_endpoint_urls", Show::Whole),
    ("login_session", Show::Whole),
    ("max_attempts", Show::Whole),
    ("mfa_serial", Show::Whole),
    ("region", Show::Whole),
    ("retry_mode", Show::Whole),
    ("role_arn", Show::Whole),
    ("role_session_name", Show::Whole),
    ("services", Show::Whole),
    ("source_profile", Show::Whole),
    ("sso_account_id", Show::Whole),
    ("sso_region", Show::Whole),
    ("sso_role_name", Show::Whole),
    ("sso_session", Show::Whole),
    ("sso_start_url", Show::Whole),
    ("sts_regional_endpoints", Show::Whole),
    ("use_dualstack_endpoint", Show::Whole),
    ("use_fips_endpoint", Show::Whole),
    ("web_identity_token_file", Show::Whole),
];

/// How much of a setting is shown.
#[derive(Clone, Copy)]
enum Show {
    Whole,
    /// A command line: only the program.
    FirstWord,
    /// Only that it is set.
    Presence,
}

impl Show {
    fn text(self, value: &str) -> String {
        match self {
            Self::Whole => value.to_owned(),
            Self::FirstWord => match value.split_whitespace().next() {
                Some(word) if word.len() < value.len() => format!("{word} …"),
                _ => value.to_owned(),
            },
            Self::Presence => "…".to_owned(),
        }
    }
}

/// Reads everything anew.
pub(crate) fn read(sources: &AwsSources) -> Details {
    let settings = sources.settings();
    let Ok(config) = AwsConfig::read(settings) else {
        // What is wrong is told by `AwsSources::problem`; the environment works all the same.
        let environment = environment_source(settings, None);
        let alone = environment.map(|info| environment_detail(sources, None, info.region, info.problem));
        return Details { sources: alone.into_iter().collect(), sign_ins: Vec::new() };
    };
    let reading = Reading { sources, settings, config: &config };
    let listed: Vec<SourceDetail> = config
        .sources(settings)
        .into_iter()
        .map(|info| match environment_source(settings, Some(&config)) {
            Some(_) if info.name == ENVIRONMENT_SOURCE => {
                environment_detail(sources, Some(&config), info.region, info.problem)
            }
            _ => reading.profile(&info.name, info.problem),
        })
        .collect();
    Details { sign_ins: reading.sign_ins(&listed), sources: listed }
}

/// The source made of variables.
fn environment_detail(
    sources: &AwsSources,
    config: Option<&AwsConfig>,
    named_region: Option<String>,
    problem: Option<String>,
) -> SourceDetail {
    let settings = sources.settings();
    let web = settings.variable("AWS_ACCESS_KEY_ID").is_none();
    let standing = match (web, settings.variable("AWS_SESSION_TOKEN")) {
        (true, _) => fetched(sources, ENVIRONMENT_SOURCE),
        (false, Some(_)) => Standing::Good(Ending::Unknown),
        (false, None) => Standing::Good(Ending::Never),
    };
    let role = settings.variable("AWS_ROLE_ARN").filter(|_| web);
    SourceDetail {
        name: ENVIRONMENT_SOURCE.to_owned(),
        kind: if web { CredentialKind::WebIdentity } else { CredentialKind::Environment },
        region: named_region.or_else(|| region(settings, config, ENVIRONMENT_SOURCE)),
        account_id: role.and_then(account_of),
        role: role.and_then(role_of),
        sign_in: None,
        through: Vec::new(),
        mfa_serial: None,
        settings: settings.shown_variables(),
        own: false,
        standing: if problem.is_some() { Standing::Unknown } else { standing },
        problem,
    }
}

struct Reading<'a> {
    sources: &'a AwsSources,
    settings: &'a AwsSettings,
    config: &'a AwsConfig,
}

impl Reading<'_> {
    fn profile(&self, name: &str, problem: Option<String>) -> SourceDetail {
        let get = |key: &str| self.config.setting(name, key);
        let chain = self.config.chain(name).unwrap_or_default();
        let kind = self.kind(name);
        let role_arn = get("role_arn");
        let session = self.config.sign_in_of(name).and_then(Result::ok);
        let asked = RoleRequest::of(self.config, name);
        let problem = problem.or_else(|| asked.err());
        let account = match (role_arn, get("login_session")) {
            (Some(arn), _) | (None, Some(arn)) => account_of(arn),
            (None, None) => get("sso_account_id").map(str::to_owned),
        };
        let role = match role_arn {
            Some(arn) => role_of(arn),
            None => get("sso_role_name").map(str::to_owned),
        };
        let mut shown: Vec<(String, String)> =
            SHOWN.iter().filter_map(|(key, show)| Some(((*key).to_owned(), show.text(get(key)?)))).collect();
        let services = self.config.services(name).into_iter();
        shown.extend(
            services.map(|(service, url)| (format!("services.{service}.endpoint_url"), url.to_owned())),
        );
        SourceDetail {
            name: name.to_owned(),
            kind,
            region: region(self.settings, Some(self.config), name),
            account_id: account,
            role,
            sign_in: session.map(|session| session.label().to_owned()),
            through: chain.iter().map(|name| (*name).to_owned()).collect(),
            mfa_serial: self.asks_code(name).then(|| get("mfa_serial").map(str::to_owned)).flatten(),
            settings: shown,
            own: self.config.own().roles.iter().any(|role| role.name == name),
            standing: if problem.is_some() { Standing::Unknown } else { self.standing(name) },
            problem,
        }
    }

    fn kind(&self, name: &str) -> CredentialKind {
        let has = |key: &str| self.config.setting(name, key).is_some();
        if has("role_arn") {
            return if has("web_identity_token_file") {
                CredentialKind::WebIdentity
            } else {
                CredentialKind::Role
            };
        }
        if has("sso_session") || has("sso_start_url") {
            CredentialKind::IdentityCenter
        } else if has("aws_access_key_id") {
            CredentialKind::AccessKey
        } else if has("credential_process") {
            CredentialKind::Process
        } else if has("login_session") {
            CredentialKind::ConsoleLogin
        } else {
            CredentialKind::Nothing
        }
    }

    fn asks_code(&self, name: &str) -> bool {
        RoleRequest::of(self.config, name).ok().flatten().is_some_and(|request| request.serial.is_some())
    }

    /// How a source stands. A role stands as what it is taken by, unless it asks for a code.
    fn standing(&self, name: &str) -> Standing {
        let Ok(chain) = self.config.chain(name) else { return Standing::Unknown };
        if let Ok(Some(request)) = RoleRequest::of(self.config, name)
            && request.serial.is_some()
        {
            let known = self.sources.code_sessions().get(&request.key(name));
            return match known.and_then(|known| known.expiry()).and_then(epoch_ms) {
                Some(ms) if ms > now_ms() => Standing::Good(Ending::At { ms, renews: false }),
                Some(ms) => Standing::Over { since_ms: ms },
                None => match chain.first().filter(|base| **base != name).map(|base| self.standing(base)) {
                    Some(base @ (Standing::NeedsSignIn | Standing::Over { .. })) => base,
                    _ => Standing::NeedsCode,
                },
            };
        }
        match chain.first() {
            // Keys of the profile itself take its role.
            Some(base) if *base == name => self.keys(name),
            Some(base) => self.standing(base),
            None => match self.kind(name) {
                CredentialKind::IdentityCenter => match self.config.sign_in_of(name) {
                    Some(Ok(session)) => sign_in_standing(self.settings, &session),
                    _ => Standing::Unknown,
                },
                CredentialKind::AccessKey => self.keys(name),
                _ => fetched(self.sources, name),
            },
        }
    }

    fn keys(&self, name: &str) -> Standing {
        let temporary = self.config.setting(name, "aws_session_token").is_some();
        Standing::Good(if temporary { Ending::Unknown } else { Ending::Never })
    }

    fn sign_ins(&self, listed: &[SourceDetail]) -> Vec<SignInDetail> {
        let named = self.config.sso_sessions().into_iter().filter_map(|name| self.config.sso_session(name));
        let of_profiles = self.config.profiles().into_iter().filter_map(|name| self.config.sign_in_of(name));
        let mut sessions: Vec<SsoSession> = Vec::new();
        for session in named.chain(of_profiles).filter_map(Result::ok) {
            if sessions.iter().all(|known| known.label() != session.label()) {
                sessions.push(session);
            }
        }
        sessions.sort_by(|a, b| a.label().cmp(b.label()));
        let detail = |session: SsoSession| {
            let label = session.label().to_owned();
            let uses = |source: &&SourceDetail| source.sign_in.as_deref() == Some(&*label);
            SignInDetail {
                standing: sign_in_standing(self.settings, &session),
                sources: listed.iter().filter(uses).map(|source| source.name.clone()).collect(),
                own: self.config.own().sessions.iter().any(|own| own.name == label),
                start_url: session.start_url,
                region: session.region,
                label,
            }
        };
        sessions.into_iter().map(detail).collect()
    }
}

/// What the token cache says of a sign-in.
fn sign_in_standing(settings: &AwsSettings, session: &SsoSession) -> Standing {
    let token = settings.sso_cache().map(|cache| TokenCache::new(cache).token(session));
    let Some(Ok(Some(token))) = token else { return Standing::NeedsSignIn };
    let now = now_ms();
    let client = token.client.as_ref().filter(|client| client.expires_ms > now);
    let renews = token.refresh_token.is_some() && client.is_some();
    if token.expires_ms > now || renews {
        Standing::Good(Ending::At { ms: token.expires_ms, renews })
    } else {
        Standing::Over { since_ms: token.expires_ms }
    }
}

/// What was fetched last, of a source that only tells when it is used.
fn fetched(sources: &AwsSources, name: &str) -> Standing {
    match sources.latest_ending(name) {
        None => Standing::Unknown,
        Some(None) => Standing::Good(Ending::Unknown),
        Some(Some(end)) => match epoch_ms(end) {
            Some(ms) => Standing::Good(Ending::At { ms, renews: true }),
            None => Standing::Good(Ending::Unknown),
        },
    }
}

fn epoch_ms(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_millis()).ok()
}

/// The account an ARN names.
fn account_of(arn: &str) -> Option<String> {
    let account = arn.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then(|| account.to_owned())
}

/// The role an ARN names, without its path.
fn role_of(arn: &str) -> Option<String> {
    let name = arn.rsplit(['/', ':']).next()?;
    (!name.is_empty() && name != arn).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
[default]
region = eu-central-1
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-central-1
[profile base]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = FleetOperator
use_fips_endpoint = true
services = private
[services private]
ssm =
  endpoint_url = https://ssm.example.internal
[profile chain]
role_arn = arn:aws:iam::123456789012:role/ops/CoreOps
source_profile = base
mfa_serial = arn:aws:iam::111122223333:mfa/mika
external_id = hush
[profile over]
role_arn = arn:aws:iam::123456789012:role/Second
source_profile = chain
[profile loop]
role_arn = arn:aws:iam::123456789012:role/A
source_profile = pool
[profile pool]
role_arn = arn:aws:iam::123456789012:role/B
source_profile = loop
[profile tool]
credential_process = /opt/tool --secret canary
[profile web]
role_arn = arn:aws:iam::123456789012:role/Web
web_identity_token_file = /run/token
[profile console]
login_session = arn:aws:sts::111122223333:assumed-role/Admin/mika
[profile keys]
aws_access_key_id = AKIACANARY
aws_secret_access_key = canary
[profile self]
role_arn = arn:aws:iam::123456789012:role/Self
source_profile = self
aws_access_key_id = AKIACANARY
aws_secret_access_key = canary
";

    fn details() -> Details {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config");
        std::fs::write(&file, CONFIG).unwrap();
        let settings = AwsSettings::from_files(file, None)
            .with_variable("AWS_ACCESS_KEY_ID", "AKIACANARY")
            .with_variable("AWS_SECRET_ACCESS_KEY", "canary")
            .with_variable("AWS_REGION", "us-east-1");
        read(&AwsSources::new(settings))
    }

    fn source(name: &str) -> SourceDetail {
        details().sources.into_iter().find(|source| source.name == name).unwrap()
    }

    #[test]
    fn every_way_to_credentials_is_listed_with_its_state() {
        use CredentialKind as Kind;
        for (name, kind, standing) in [
            (ENVIRONMENT_SOURCE, Kind::Environment, Standing::Good(Ending::Never)),
            ("base", Kind::IdentityCenter, Standing::NeedsSignIn),
            // A code is no use before somebody is signed in.
            ("chain", Kind::Role, Standing::NeedsSignIn),
            ("over", Kind::Role, Standing::NeedsSignIn),
            ("tool", Kind::Process, Standing::Unknown),
            ("web", Kind::WebIdentity, Standing::Unknown),
            ("console", Kind::ConsoleLogin, Standing::Unknown),
            ("keys", Kind::AccessKey, Standing::Good(Ending::Never)),
            ("self", Kind::Role, Standing::Good(Ending::Never)),
            ("default", Kind::Nothing, Standing::Unknown),
        ] {
            let found = source(name);
            assert_eq!((found.kind, found.standing), (kind, standing), "{name}");
        }
    }

    #[test]
    fn chains_are_followed_and_circles_are_named() {
        let over = source("over");
        assert_eq!(over.through, ["chain", "base"]);
        assert_eq!((over.sign_in.as_deref(), over.mfa_serial), (Some("corp"), None));
        let chain = source("chain");
        assert_eq!(
            (chain.account_id.as_deref(), chain.role.as_deref()),
            (Some("123456789012"), Some("CoreOps"))
        );
        assert!(chain.mfa_serial.is_some());
        let circle = source("loop").problem.unwrap();
        assert_eq!(circle, "The role is taken in a circle of AWS profiles: loop → pool → loop.");
    }

    #[test]
    fn settings_are_shown_and_secrets_are_not() {
        let shown = format!("{:?}", details());
        assert!(!shown.contains("canary") && !shown.contains("hush") && !shown.contains("CANARY"), "{shown}");
        let base = source("base").settings;
        let has = |key: &str, value: &str| base.contains(&(key.to_owned(), value.to_owned()));
        assert!(has("use_fips_endpoint", "true") && has("services", "private"), "{base:?}");
        assert!(has("services.ssm.endpoint_url", "https://ssm.example.internal"), "{base:?}");
        assert!(
            source("tool").settings.contains(&("credential_process".to_owned(), "/opt/tool …".to_owned()))
        );
        assert!(
            source(ENVIRONMENT_SOURCE).settings.contains(&("AWS_REGION".to_owned(), "us-east-1".to_owned()))
        );
    }

    #[test]
    fn sign_ins_name_the_sources_whose_chains_begin_with_them() {
        let details = details();
        let [corp] = &details.sign_ins[..] else { panic!("{:?}", details.sign_ins) };
        assert_eq!((corp.label.as_str(), corp.standing), ("corp", Standing::NeedsSignIn));
        assert_eq!(corp.sources, ["base", "chain", "over"]);
    }
}
