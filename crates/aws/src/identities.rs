//! The port of the application to sources, sign-ins and codes.

use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_inventory::ports::Sources;
use fleetline_signin::{
    BoxFuture, Caller, Code, CodeAsk, Details, Identities, Method, Prompt, RolePick, SignedIn,
    SignedInAccount,
};
use tokio::sync::watch;
use url::Url;

use crate::config::AwsConfig;
use crate::details;
use crate::error::before_call;
use crate::own::{OwnRole, OwnSession, OwnSources, SessionRef, section_name};
use crate::signin::SignInFailure;
use crate::sources::{AwsSources, is_region};

/// Where GetCallerIdentity is asked for a source that names no Region.
const ANY_REGION: &str = "us-east-1";
/// Longest name of a source that is made here.
const NAME_LIMIT: usize = 120;

impl Identities<ApiError> for AwsSources {
    fn details(&self) -> Details {
        details::read(self)
    }

    fn changes(&self) -> Option<watch::Receiver<u64>> {
        self.desk().attend();
        self.recall_in_background();
        if let Err(error) = self.changed() {
            tracing::warn!(%error, "AWS configuration");
        }
        Some(self.news())
    }

    fn caller<'a>(&'a self, source: &'a str) -> BoxFuture<'a, Result<Caller, ApiError>> {
        Box::pin(async move {
            let detail = self.details().sources.into_iter().find(|detail| detail.name == source);
            let Some(detail) = detail else {
                let what = format!("There is no AWS profile named {source} in the configuration.");
                return Err(before_call("GetCallerIdentity", ApiErrorKind::NoCredentials, what));
            };
            for name in detail.through.iter().chain([&detail.name]) {
                self.desk().ask_again(name);
            }
            let listing = self.listing(source, detail.region.as_deref().unwrap_or(ANY_REGION))?;
            let caller = listing.identity().await;
            self.tell();
            caller.map(|caller| Caller { account_id: caller.account_id, arn: caller.arn })
        })
    }

    fn sign_in<'a>(
        &'a self,
        name: &'a str,
        method: Method,
        prompt: &'a dyn Prompt,
    ) -> BoxFuture<'a, Result<SignedIn, SignInFailure>> {
        Box::pin(Self::sign_in(self, name, method, prompt))
    }

    fn sign_out<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<bool, SignInFailure>> {
        Box::pin(Self::sign_out(self, name))
    }

    fn accounts<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<SignedInAccount>, SignInFailure>> {
        Box::pin(self.signed_in_accounts(name))
    }

    fn add_sign_in(&self, start_url: &str, region: &str) -> Result<String, SignInFailure> {
        let configuration = SignInFailure::Configuration;
        let start_url = start_url.trim().trim_end_matches('/');
        let host = start_host(start_url).ok_or_else(|| {
            configuration(
                "The start URL is not an https address such as https://corp.awsapps.com/start.".to_owned(),
            )
        })?;
        if !is_region(region) {
            return Err(configuration(format!("{region:?} is not the name of a Region.")));
        }
        let mut known = self.details().sign_ins.into_iter();
        if let Some(known) = known.find(|known| known.start_url.trim_end_matches('/') == start_url) {
            return Ok(known.label);
        }
        let first = section_name(host.split('.').next().unwrap_or_default());
        let first = if first.is_empty() { "sign-in".to_owned() } else { first };
        self.edit_own(|config, own| {
            let taken = |name: &str| config.sso_session(name).is_some();
            let name = free_name(&first, taken);
            own.sessions.push(OwnSession {
                name: name.clone(),
                start_url: start_url.to_owned(),
                region: region.to_owned(),
            });
            Ok(name)
        })
    }

    fn add_roles(&self, name: &str, region: &str, picks: &[RolePick]) -> Result<Vec<String>, SignInFailure> {
        let configuration = SignInFailure::Configuration;
        if !is_region(region) {
            return Err(configuration(format!("{region:?} is not the name of a Region.")));
        }
        let (portal, _) = self.portal(name)?;
        let session = &portal.session;
        let reference = match &session.name {
            Some(name) => SessionRef::Named(name.clone()),
            None => {
                SessionRef::Address { start_url: session.start_url.clone(), region: session.region.clone() }
            }
        };
        self.edit_own(|config, own| {
            let known = config.sources_of_roles(session.label());
            let mut names = Vec::new();
            for RolePick { account_id, account_name, role } in picks {
                let sound = account_id.len() == 12
                    && account_id.bytes().all(|byte| byte.is_ascii_digit())
                    && (1..=128).contains(&role.len())
                    && role.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@-_".contains(c));
                if !sound {
                    return Err(format!("{role} in {account_id} is not a role of an account."));
                }
                let key = (account_id.as_str(), role.as_str());
                let added = own
                    .roles
                    .iter()
                    .find(|own| own.session == reference && own.account == *account_id && own.role == *role);
                if let Some(source) = known.get(&key).copied().or(added.map(|own| own.name.as_str())) {
                    names.push(source.to_owned());
                    continue;
                }
                let account = section_name(account_name);
                let account = if account.is_empty() { account_id.clone() } else { account };
                let mut wanted = format!("{account}.{role}");
                wanted.truncate(NAME_LIMIT);
                let taken =
                    |name: &str| config.has_profile(name) || own.roles.iter().any(|own| own.name == name);
                let name = free_name(&section_name(&wanted), taken);
                names.push(name.clone());
                own.roles.push(OwnRole {
                    name,
                    session: reference.clone(),
                    account: account_id.clone(),
                    role: role.clone(),
                    region: region.to_owned(),
                });
            }
            Ok(names)
        })
    }

    fn remove(&self, name: &str) -> Result<(), SignInFailure> {
        self.edit_own(|_, own| {
            let before = (own.sessions.len(), own.roles.len());
            own.roles.retain(|role| role.name != name && role.session != SessionRef::Named(name.to_owned()));
            own.sessions.retain(|session| session.name != name);
            if before == (own.sessions.len(), own.roles.len()) {
                return Err(format!(
                    "{name} was not added in Fleetline; edit the AWS configuration instead."
                ));
            }
            Ok(())
        })
    }

    fn asks(&self) -> Vec<CodeAsk> {
        self.desk().asks()
    }

    fn give_code(&self, source: &str, code: Code) -> bool {
        self.desk().give(source, code)
    }

    fn decline_code(&self, source: &str) -> bool {
        self.desk().decline(source)
    }
}

impl AwsSources {
    /// Changes our own file in one step.
    fn edit_own<T>(
        &self,
        change: impl FnOnce(&AwsConfig, &mut OwnSources) -> Result<T, String>,
    ) -> Result<T, SignInFailure> {
        let edit = || {
            let Some(file) = self.settings().own_file() else {
                return Err("There is no place to keep sources in.".to_owned());
            };
            let config = AwsConfig::read(self.settings())?;
            let mut own = config.own().clone();
            let done = change(&config, &mut own)?;
            if own != *config.own() {
                own.write(file)?;
            }
            Ok(done)
        };
        let done = edit().map_err(SignInFailure::Configuration)?;
        self.tell();
        Ok(done)
    }
}

/// The host of a start URL: HTTPS, without a user name.
fn start_host(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    let short = text.len() <= 512 && !text.contains(char::is_whitespace);
    (url.scheme() == "https" && plain && short).then(|| url.host_str().map(str::to_owned)).flatten()
}

/// The name, or the name with the first number that makes it free.
fn free_name(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2..).map(|number| format!("{wanted}-{number}"));
    [wanted.to_owned()].into_iter().chain(numbered).find(|name| !taken(name)).unwrap_or_default()
}
