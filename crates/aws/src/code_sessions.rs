//! What codes of MFA devices opened, kept until it ends.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use fleetline_vault::{Secret, State, Vault, names};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::config::AwsConfig;
use crate::role::RoleRequest;
use crate::settings::AwsSettings;

/// What codes gave, by what they were given for. It outlives changes of the configuration, and in the vault the program.
#[derive(Debug, Default)]
pub(crate) struct CodeSessions {
    known: Mutex<Known>,
    vault: Vault,
    /// How names of the secrets of this configuration begin; the key of [`RoleRequest`] comes next.
    scope: String,
}

#[derive(Debug, Default)]
struct Known {
    sessions: HashMap<String, Credentials>,
    /// What must not be taken out of the vault again, because it is being removed there.
    forgotten: HashSet<String>,
    removing: Vec<JoinHandle<()>>,
}

/// Credentials as they are kept, wiped when they are dropped.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Kept {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    until_ms: u64,
    account_id: Option<String>,
}

impl CodeSessions {
    pub(crate) fn new(vault: Vault, settings: &AwsSettings) -> Self {
        let config = settings.config_file().map(|file| file.display().to_string()).unwrap_or_default();
        Self { known: Mutex::default(), vault, scope: names::sessions_of(&config) }
    }

    /// What is known without looking into the vault.
    pub(crate) fn get(&self, key: &str) -> Option<Credentials> {
        self.lock().sessions.get(key).cloned()
    }

    /// What is known, or was kept by a program before.
    pub(crate) async fn recall(self: &Arc<Self>, key: &str) -> Option<Credentials> {
        let known = self.get(key);
        if known.is_some() || !self.vault.may_hold() {
            return known;
        }
        let (sessions, key) = (Arc::clone(self), key.to_owned());
        tokio::task::spawn_blocking(move || sessions.take_out(&key)).await.ok().flatten()
    }

    fn take_out(&self, key: &str) -> Option<Credentials> {
        let found = match self.vault.get(&self.name(key)) {
            Ok(found) => Kept::read(&found?)?,
            Err(state) => {
                tracing::info!(?state, "no session of an MFA device can be taken out of the vault");
                return None;
            }
        };
        let mut known = self.lock();
        if known.forgotten.contains(key) {
            return None;
        }
        Some(known.sessions.entry(key.to_owned()).or_insert(found).clone())
    }

    /// Takes out all of this configuration, after [`Self::prune`]. `true` if something is known now.
    pub(crate) fn recall_all(&self, settings: &AwsSettings) -> bool {
        if !self.vault.may_hold() {
            return false;
        }
        self.prune(settings);
        let held = self.vault.held().unwrap_or_else(|(_, held)| held);
        let keys = held.iter().filter_map(|held| held.name.strip_prefix(&self.scope));
        keys.filter(|key| self.take_out(key).is_some()).count() > 0
    }

    /// Forgets what no profile asks for any more: it was removed, or names another device or role.
    pub(crate) fn prune(&self, settings: &AwsSettings) {
        let Ok(config) = AwsConfig::read(settings) else { return };
        let asked = |source: &&str| {
            RoleRequest::of(&config, source).ok().flatten().map(|request| request.key(source))
        };
        let wanted: HashSet<String> = config.profiles().iter().filter_map(asked).collect();
        self.lock().sessions.retain(|key, _| wanted.contains(key));
        self.remove(|key| !wanted.contains(key));
    }

    /// Keeps credentials, in the vault as well; the future ends when they are there or cannot be.
    pub(crate) fn put(
        self: &Arc<Self>,
        key: String,
        credentials: Credentials,
    ) -> impl Future<Output = ()> + Send + use<> {
        let mut known = self.lock();
        known.forgotten.remove(&key);
        known.sessions.insert(key.clone(), credentials.clone());
        drop(known);
        let sessions = Arc::clone(self);
        let keep = move || {
            let (Some(until), Some(kept)) = (credentials.expiry(), Kept::of(&credentials)) else { return };
            match sessions.vault.put(&sessions.name(&key), kept, Some(until)) {
                Ok(State::Ready(_)) => {}
                Ok(state) => tracing::info!(?state, "the session of an MFA device ends with the program"),
                Err(error) => tracing::warn!(%error, "the session of an MFA device is not kept"),
            }
        };
        async move {
            if let Err(error) = tokio::task::spawn_blocking(keep).await {
                tracing::error!(%error, "keeping a session ended by a defect");
            }
        }
    }

    /// Forgets one. It leaves the vault on a thread that is waited for when the program ends.
    pub(crate) fn forget(self: &Arc<Self>, key: &str) {
        let mut known = self.lock();
        known.sessions.remove(key);
        if !self.vault.may_hold() || !known.forgotten.insert(key.to_owned()) {
            return;
        }
        let (vault, name) = (self.vault.clone(), self.name(key));
        let removing = std::thread::Builder::new().name("forget-session".to_owned()).spawn(move || {
            if let Err(state) = vault.remove(|held| held == name) {
                tracing::warn!(?state, "a session that AWS does not take any more stays in the vault");
            }
        });
        match removing {
            Ok(removing) => {
                known.removing.retain(|earlier| !earlier.is_finished());
                known.removing.push(removing);
            }
            Err(error) => tracing::warn!(%error, "a session stays in the vault"),
        }
    }

    /// Forgets all of these sources.
    pub(crate) fn forget_sources(&self, sources: &[String]) {
        let of_them = |key: &str| {
            key.split('\n').next().is_some_and(|source| sources.iter().any(|wanted| wanted == source))
        };
        self.lock().sessions.retain(|key, _| !of_them(key));
        self.remove(of_them);
    }

    fn remove(&self, unwanted: impl Fn(&str) -> bool) {
        let removed = self.vault.remove(|name| name.strip_prefix(&self.scope).is_some_and(&unwanted));
        match removed {
            Ok(()) | Err(State::Ready(_)) => {}
            Err(state) => tracing::info!(?state, "sessions stay in the vault"),
        }
    }

    fn name(&self, key: &str) -> String {
        format!("{}{key}", self.scope)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CodeSessions {
    fn drop(&mut self) {
        let removing = std::mem::take(&mut self.lock().removing);
        for thread in removing {
            // It ends by itself: the vault never waits long.
            drop(thread.join());
        }
    }
}

impl Kept {
    /// Temporary credentials only: others are not ours to keep.
    fn of(credentials: &Credentials) -> Option<Secret> {
        let until = credentials.expiry()?.duration_since(UNIX_EPOCH).ok()?;
        let kept = Self {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: credentials.secret_access_key().to_owned(),
            session_token: credentials.session_token().map(str::to_owned),
            until_ms: u64::try_from(until.as_millis()).ok()?,
            account_id: credentials.account_id().map(|id| id.as_str().to_owned()),
        };
        serde_json::to_vec(&kept).ok().map(Secret::new)
    }

    fn read(secret: &Secret) -> Option<Credentials> {
        let kept: Self = serde_json::from_slice(secret.expose()).ok()?;
        let until: SystemTime = UNIX_EPOCH.checked_add(Duration::from_millis(kept.until_ms))?;
        let mut credentials = Credentials::builder()
            .access_key_id(&kept.access_key_id)
            .secret_access_key(&kept.secret_access_key)
            .expiry(until)
            .provider_name("STS");
        credentials.set_session_token(kept.session_token.clone());
        if let Some(account) = kept.account_id.clone() {
            credentials = credentials.account_id(account);
        }
        Some(credentials.build())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fleetline_signin::{Ending, Identities, Standing};
    use fleetline_vault::{Choice, Kept as KeptBy};

    use super::*;
    use crate::sources::AwsSources;

    const ROLE: &str =
        "role_arn = arn:aws:iam::123456789012:role/Ops\nsource_profile = b\nmfa_serial = arn:m\n";
    const KEY: &str = "p\narn:m\narn:aws:iam::123456789012:role/Ops\n\n3600";

    struct Place(tempfile::TempDir);

    impl Place {
        fn new(config: &str) -> Self {
            let place = Self(tempfile::tempdir().unwrap());
            place.configure(config);
            let passphrase = place.0.path().join("passphrase");
            std::fs::write(&passphrase, "correct horse").unwrap();
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(&passphrase, std::fs::Permissions::from_mode(0o600)).unwrap();
            }
            place
        }

        fn configure(&self, config: &str) {
            std::fs::write(self.0.path().join("config"), config).unwrap();
        }

        fn settings(&self) -> AwsSettings {
            AwsSettings::from_files(self.0.path().join("config"), None)
        }

        /// As another program would begin.
        fn sessions(&self) -> Arc<CodeSessions> {
            Arc::new(CodeSessions::new(self.vault(), &self.settings()))
        }

        fn vault(&self) -> Vault {
            let choice =
                Choice { kept: KeptBy::Passphrase, passphrase_file: Some(self.0.path().join("passphrase")) };
            let chooser = Box::new(move || choice.clone());
            Vault::of_system(Some(&self.0.path().join("private")), chooser)
        }
    }

    fn credentials(seconds: u64) -> Credentials {
        let until = SystemTime::now() + Duration::from_secs(seconds);
        let credentials = Credentials::builder().access_key_id("ASIAEXAMPLE").secret_access_key("canary");
        credentials
            .session_token("token")
            .expiry(until)
            .account_id("123456789012")
            .provider_name("STS")
            .build()
    }

    #[tokio::test]
    async fn a_session_is_there_for_the_next_program_until_it_is_rejected() {
        let place = Place::new(&format!("[profile p]\n{ROLE}"));
        place.sessions().put(KEY.to_owned(), credentials(3600)).await;
        let next = place.sessions();
        assert!(next.get(KEY).is_none(), "nothing is read before it is wanted");
        let known = next.recall(KEY).await.unwrap();
        assert_eq!((known.access_key_id(), known.session_token()), ("ASIAEXAMPLE", Some("token")));
        assert_eq!(known.account_id().map(|id| id.as_str()), Some("123456789012"));
        next.forget(KEY);
        assert!(next.recall(KEY).await.is_none(), "not even while it is being removed");
        drop(next);
        assert!(place.sessions().recall(KEY).await.is_none());
        place.sessions().put(KEY.to_owned(), credentials(0)).await;
        assert!(place.sessions().recall(KEY).await.is_none(), "it has ended");
    }

    #[tokio::test]
    async fn it_goes_with_its_profile_or_with_what_the_profile_asks_for() {
        let named = format!("[profile p]\n{ROLE}");
        let place = Place::new(&named);
        for changed in ["[profile q]\nregion = a\n".to_owned(), named.replace("arn:m", "arn:other")] {
            place.configure(&named);
            place.sessions().put(KEY.to_owned(), credentials(3600)).await;
            assert!(place.sessions().recall_all(&place.settings()));
            place.configure(&changed);
            let sessions = place.sessions();
            assert!(!sessions.recall_all(&place.settings()), "{changed}");
            place.configure(&named);
            assert!(place.sessions().recall(KEY).await.is_none(), "{changed}");
        }
        place.sessions().put(KEY.to_owned(), credentials(3600)).await;
        let name = place.sessions().vault.held().unwrap().remove(0).name;
        assert_eq!(names::session_source(&name), Some("p"));
        place.sessions().forget_sources(&["p".to_owned()]);
        assert!(place.sessions().recall(KEY).await.is_none());
    }

    #[tokio::test]
    async fn a_sign_out_takes_the_sessions_of_roles_that_are_taken_through_it() {
        let place = Place::new(&format!("[profile b]\nregion = a\n[profile p]\n{ROLE}"));
        place.sessions().put(KEY.to_owned(), credentials(3600)).await;
        let sources = AwsSources::new(place.settings()).with_vault(place.vault());
        assert!(sources.recall_sessions());
        sources.forget(&["other".to_owned()]).await;
        assert!(place.sessions().recall(KEY).await.is_some());
        sources.forget(&["b".to_owned()]).await;
        assert!(place.sessions().recall(KEY).await.is_none());
        assert!(!sources.recall_sessions());
    }

    #[tokio::test]
    async fn whoever_shows_sources_is_told_of_a_kept_session_soon_after_the_start() {
        let place = Place::new(&format!("[profile b]\nregion = a\n[profile p]\n{ROLE}"));
        place.sessions().put(KEY.to_owned(), credentials(3600)).await;
        let sources = AwsSources::new(place.settings()).with_vault(place.vault());
        let mut news = Identities::changes(&sources).unwrap();
        let standing = || sources.details().sources.into_iter().find(|s| s.name == "p").unwrap().standing;
        while !matches!(standing(), Standing::Good(Ending::At { .. })) {
            news.changed().await.unwrap();
        }
    }
}
