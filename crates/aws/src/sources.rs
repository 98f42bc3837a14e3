//! All sources of the user's AWS configuration.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use fleetline_documents::{DocumentCalls, DocumentSources};
use fleetline_engine::ports::{
    ApiError, ApiErrorKind, ControlPlane, ControlPlanes, NodeAccess, NodeAccesses,
};
use fleetline_engine::{CredentialsGate, Dialer, ProxyRules};
use fleetline_history::{HistorySources, RecordCalls, RecordSources, SessionCalls};
use fleetline_inventory::hybrid::{HybridCalls, HybridSources};
use fleetline_inventory::ports::{NodeListing, SourceInfo, Sources};
use fleetline_inventory::probe::{NodeProbe, NodeProbes};
use fleetline_vault::Vault;
use tokio::sync::watch;

use crate::access::{Access, Identity};
use crate::code_sessions::CodeSessions;
use crate::codes::CodeDesk;
use crate::config::{AwsConfig, Stamp, environment_source};
use crate::control::Control;
use crate::credentials::{Shared, SourceCredentials, Way};
use crate::documents::Documents;
use crate::endpoints::Endpoints;
use crate::error::before_call;
use crate::gates::Gates;
use crate::history::History;
use crate::hybrid::Hybrid;
use crate::instances::Instances;
use crate::listing::Listing;
use crate::pace::Paces;
use crate::probe::Probe;
use crate::records::Records;
use crate::settings::{AwsSettings, ENVIRONMENT_SOURCE};
use crate::signin::SignInFailure;
use crate::sso::Portal;
use crate::transport::{self, Transport};
use crate::watch::{ConfigWatch, WatchFailed};

/// Operation name of errors that arise while opening a source.
const CONFIGURATION: &str = "AwsConfiguration";
/// Setting of a profile that names its own proxy. Other tools ignore it.
const PROXY_SETTING: &str = "fleetline_proxy";

/// The sources of one AWS configuration, with the SDK clients they need. Clients are made at first use, kept per
/// source and Region, and made anew after the configuration files changed.
pub struct AwsSources {
    settings: Arc<AwsSettings>,
    paces: Arc<Paces>,
    gates: Gates,
    opened: Mutex<Opened>,
    watch: Mutex<Option<ConfigWatch>>,
    shared: Shared,
    /// Counts what the configuration, the caches and the questions do.
    news: watch::Sender<u64>,
}

#[derive(Default)]
struct Opened {
    stamp: Stamp,
    transports: HashMap<Transport, SharedHttpClient>,
    dialers: HashMap<Transport, Dialer>,
    identities: HashMap<String, Arc<Identity>>,
    accesses: HashMap<(String, String), Arc<Access>>,
}

impl Opened {
    /// Forgets everything when the files have changed.
    fn renew(&mut self, settings: &AwsSettings) {
        let stamp = Stamp::of(settings);
        if self.stamp != stamp {
            *self = Self { stamp, ..Self::default() };
        }
    }
}

impl AwsSources {
    /// Sources of the given settings. Reads nothing yet.
    pub fn new(settings: AwsSettings) -> Self {
        let news = watch::Sender::new(0);
        let shared = Shared { desk: CodeDesk::with_news(news.clone()), ..Shared::default() };
        Self {
            settings: Arc::new(settings),
            paces: Arc::default(),
            gates: Gates::default(),
            opened: Mutex::default(),
            watch: Mutex::default(),
            shared,
            news,
        }
    }

    /// Keeps what codes of MFA devices open in this vault until it ends, so that the next program asks for none. Without,
    /// it ends with this one.
    #[must_use]
    pub fn with_vault(self, vault: Vault) -> Self {
        let sessions = Arc::new(CodeSessions::new(vault, &self.settings));
        Self { shared: Shared { code_sessions: sessions, ..self.shared }, ..self }
    }

    /// Takes what codes opened before out of the vault, and out of it what belongs to no profile any more. Blocks as
    /// [`Vault`] does; `true` if there was something.
    pub fn recall_sessions(&self) -> bool {
        let found = self.shared.code_sessions.recall_all(&self.settings);
        if found {
            self.tell();
        }
        found
    }

    /// As [`Self::recall_sessions`], on a thread of its own; what is found is told as news.
    pub(crate) fn recall_in_background(&self) {
        let (sessions, settings, news) =
            (Arc::clone(&self.shared.code_sessions), Arc::clone(&self.settings), self.news.clone());
        let recalling = move || {
            if sessions.recall_all(&settings) {
                news.send_modify(|count| *count += 1);
            }
        };
        if let Err(error) = std::thread::Builder::new().name("recall-sessions".to_owned()).spawn(recalling) {
            tracing::warn!(%error, "kept sessions are looked up when they are needed");
        }
    }

    /// The user's own configuration; see [`AwsSettings::from_environment`].
    pub fn from_environment(env: impl Fn(&str) -> Option<String>) -> Self {
        Self::new(AwsSettings::from_environment(env))
    }

    /// Only the files named; see [`AwsSettings::from_files`].
    pub fn from_files(config: impl Into<PathBuf>, credentials: Option<PathBuf>) -> Self {
        Self::new(AwsSettings::from_files(config, credentials))
    }

    /// Why the configuration files cannot be used at all, as a sentence; profiles are then missing from
    /// [`Sources::list`].
    pub fn problem(&self) -> Option<String> {
        AwsConfig::read(&self.settings).err()
    }

    /// The settings these sources were made of.
    pub fn settings(&self) -> &AwsSettings {
        &self.settings
    }

    /// Where sessions of the source wait for a sign-in. Tell it when one succeeded; credentials that appear by
    /// themselves, in a file or a cache, open it with the next call that uses them.
    pub fn credentials_gate(&self, source: &str) -> CredentialsGate {
        self.gates.of(source)
    }

    /// Counts changes of the configuration files and of the token cache, a burst of writes as one. Sessions that wait for credentials try again
    /// by themselves with each; whoever shows sources lists them anew. Watching begins with the first call and ends
    /// with the sources.
    ///
    /// # Errors
    /// When the operating system does not let them be watched. A later call tries again.
    pub fn changed(&self) -> Result<watch::Receiver<u64>, WatchFailed> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = watch.as_ref() {
            return Ok(watch.changes());
        }
        let (gates, news) = (self.gates.clone(), self.news.clone());
        let (sessions, settings) = (Arc::clone(&self.shared.code_sessions), Arc::clone(&self.settings));
        let started = ConfigWatch::start(Arc::clone(&self.settings), move || {
            gates.renew_all();
            // On the watch's own thread, which may wait for a keyring.
            sessions.prune(&settings);
            news.send_modify(|count| *count += 1);
        })?;
        Ok(watch.insert(started).changes())
    }

    /// What opens data channels for the source: it trusts the source's CA bundle and goes through its proxies, as the
    /// API calls do (AWS-04). Dialers of one configuration share their trust store.
    ///
    /// # Errors
    /// When the configuration or the bundle cannot be read, or the bundle holds no usable certificate.
    pub fn dialer(&self, source: &str) -> Result<Dialer, ApiError> {
        let failed = |problem| before_call(CONFIGURATION, ApiErrorKind::Tls, problem);
        let config = AwsConfig::read(&self.settings).map_err(failed)?;
        let way = self.way(&config, source);
        let mut opened = self.lock();
        opened.renew(&self.settings);
        if let Some(dialer) = opened.dialers.get(&way) {
            return Ok(dialer.clone());
        }
        let roots = match self.ca_bundle(&config, source) {
            Some(path) => transport::bundle_roots(Path::new(path)).map_err(failed)?,
            None => Vec::new(),
        };
        let dialer = Dialer::new().with_extra_roots(roots).with_proxy(self.rules(&way));
        opened.dialers.insert(way, dialer.clone());
        Ok(dialer)
    }

    /// How the source reaches what is not on this computer. Its own proxy is `fleetline_proxy` in its profile: an
    /// address like those of HTTPS_PROXY, or `none`.
    fn way(&self, config: &AwsConfig, source: &str) -> Transport {
        Transport::Tls {
            ca_bundle: self.ca_bundle(config, source).map(str::to_owned),
            proxy: config.setting(source, PROXY_SETTING).map(str::to_owned),
        }
    }

    fn rules(&self, way: &Transport) -> ProxyRules {
        match way {
            Transport::Tls { proxy: Some(address), .. } => {
                self.settings.proxy().overridden(PROXY_SETTING, address)
            }
            Transport::Tls { proxy: None, .. } => self.settings.proxy().clone(),
            Transport::PlainLoopback => ProxyRules::default(),
        }
    }

    fn ca_bundle<'a>(&'a self, config: &'a AwsConfig, source: &str) -> Option<&'a str> {
        self.settings.variable("AWS_CA_BUNDLE").or_else(|| config.setting(source, "ca_bundle"))
    }

    fn access(&self, source: &str, region: &str) -> Result<Arc<Access>, ApiError> {
        if !is_region(region) {
            let what = format!("{region:?} is not the name of a Region.");
            return Err(before_call(CONFIGURATION, ApiErrorKind::InvalidRequest, what));
        }
        let mut opened = self.lock();
        opened.renew(&self.settings);
        let key = (source.to_owned(), region.to_owned());
        if let Some(access) = opened.accesses.get(&key) {
            return Ok(Arc::clone(access));
        }
        let config = AwsConfig::read(&self.settings)
            .map_err(|problem| before_call(CONFIGURATION, ApiErrorKind::NoCredentials, problem))?;
        let info = environment_source(&self.settings, Some(&config)).filter(|_| source == ENVIRONMENT_SOURCE);
        if info.is_none() && !config.has_profile(source) {
            let what = format!("There is no AWS profile named {source} in the configuration.");
            return Err(before_call(CONFIGURATION, ApiErrorKind::NoCredentials, what));
        }
        let endpoints = Endpoints::resolve(&self.settings, &config, source)
            .map_err(|problem| before_call(CONFIGURATION, ApiErrorKind::InvalidRequest, problem))?;
        let transport =
            if endpoints.all_plain_loopback() { Transport::PlainLoopback } else { self.way(&config, source) };
        // Told at once: no later attempt can succeed.
        let (secure, host, port) = endpoints.ssm_place(region);
        if let Err(problem) = self.rules(&transport).choose(secure, &host, port) {
            return Err(before_call(CONFIGURATION, ApiErrorKind::Proxy, problem.to_string()));
        }
        let http = self.http(&mut opened, transport)?;
        let identity = self.identity(&mut opened, &config, source, region)?;
        let access = Arc::new(Access::new(identity, region, http, endpoints, Arc::clone(&self.paces)));
        opened.accesses.insert(key, Arc::clone(&access));
        Ok(access)
    }

    /// The identity of a source, with those its role is taken through. `region` is where STS is asked when the source
    /// names none.
    fn identity(
        &self,
        opened: &mut Opened,
        config: &AwsConfig,
        source: &str,
        region: &str,
    ) -> Result<Arc<Identity>, ApiError> {
        if let Some(identity) = opened.identities.get(source) {
            return Ok(Arc::clone(identity));
        }
        let chain = config
            .chain(source)
            .map_err(|problem| before_call(CONFIGURATION, ApiErrorKind::NoCredentials, problem))?;
        // A chain ends, so this does.
        let base = match chain.first().filter(|base| **base != source && config.has_profile(base)) {
            Some(base) => Some(self.identity(opened, config, base, region)?),
            None => None,
        };
        let endpoints = Endpoints::resolve(&self.settings, config, source)
            .map_err(|problem| before_call(CONFIGURATION, ApiErrorKind::InvalidRequest, problem))?;
        let transport =
            if endpoints.all_plain_loopback() { Transport::PlainLoopback } else { self.way(config, source) };
        let way = Way {
            http: self.http(opened, transport)?,
            sign_in_http: self.sign_in_http(opened, config, source, &endpoints)?,
            region: config.setting(source, "region").unwrap_or(region).to_owned(),
        };
        let gate = self.gates.of(source);
        let credentials = SourceCredentials::new(
            source,
            Arc::clone(&self.settings),
            way,
            self.shared.clone(),
            base.map(|base| Arc::clone(&base.credentials)),
            gate.clone(),
        );
        let identity = Arc::new(Identity::new(source, credentials, gate));
        opened.identities.insert(source.to_owned(), Arc::clone(&identity));
        Ok(identity)
    }

    fn http(&self, opened: &mut Opened, transport: Transport) -> Result<SharedHttpClient, ApiError> {
        if let Some(http) = opened.transports.get(&transport) {
            return Ok(http.clone());
        }
        let http = transport
            .client(&self.rules(&transport))
            .map_err(|problem| before_call(CONFIGURATION, ApiErrorKind::Tls, problem))?;
        opened.transports.insert(transport, http.clone());
        Ok(http)
    }

    /// What the sign-in of the source and its portal are reached through.
    fn sign_in_http(
        &self,
        opened: &mut Opened,
        config: &AwsConfig,
        source: &str,
        endpoints: &Endpoints,
    ) -> Result<SharedHttpClient, ApiError> {
        let plain = endpoints.sign_in_plain_loopback();
        self.http(opened, if plain { Transport::PlainLoopback } else { self.way(config, source) })
    }

    /// The sign-in of a source, or of an `sso-session`, with the sources that use it.
    ///
    /// # Errors
    /// When there is none, or the configuration cannot be used.
    pub(crate) fn portal(&self, name: &str) -> Result<(Portal, Vec<String>), SignInFailure> {
        let config = AwsConfig::read(&self.settings).map_err(SignInFailure::Configuration)?;
        let session = match config.sign_in_of(name).or_else(|| config.sso_session(name)) {
            Some(session) => session.map_err(SignInFailure::Configuration)?,
            None if config.has_profile(name) => return Err(SignInFailure::OtherWay(name.to_owned())),
            None => return Err(SignInFailure::Unknown(name.to_owned())),
        };
        let uses = |profile: &&str| {
            config
                .sign_in_of(profile)
                .and_then(Result::ok)
                .is_some_and(|other| other.label() == session.label())
        };
        let sources: Vec<String> = config.profiles().into_iter().filter(uses).map(str::to_owned).collect();
        // A session has no endpoints and no proxy of its own.
        let source =
            if config.has_profile(name) { name } else { sources.first().map_or("default", String::as_str) };
        let endpoints =
            Endpoints::resolve(&self.settings, &config, source).map_err(SignInFailure::Configuration)?;
        let Some(cache) = self.settings.sso_cache() else {
            let what = "There is no home directory to keep the sign-in in.".to_owned();
            return Err(SignInFailure::Configuration(what));
        };
        let mut opened = self.lock();
        opened.renew(&self.settings);
        let http =
            self.sign_in_http(&mut opened, &config, source, &endpoints).map_err(SignInFailure::Portal)?;
        Ok((Portal::new(session, &endpoints, http, cache), sources))
    }

    /// Questions for codes, for whoever asks people. Unless it is attended, what needs a code fails.
    pub fn codes(&self) -> CodeDesk {
        self.shared.desk.clone()
    }

    /// Questions for codes.
    pub(crate) fn desk(&self) -> &CodeDesk {
        &self.shared.desk
    }

    /// What the codes given so far opened.
    pub(crate) fn code_sessions(&self) -> &CodeSessions {
        &self.shared.code_sessions
    }

    /// Receives a count of what changed.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Tells that something changed.
    pub(crate) fn tell(&self) {
        self.news.send_modify(|count| *count += 1);
    }

    /// When the credentials last fetched for a source end; `None` before there were any.
    pub(crate) fn latest_ending(&self, source: &str) -> Option<Option<SystemTime>> {
        let mut opened = self.lock();
        opened.renew(&self.settings);
        opened.identities.get(source)?.credentials.latest_ending()
    }

    /// Fetched credentials of these sources are fetched anew.
    pub(crate) fn fetch_anew(&self, sources: &[String]) {
        self.known(sources).iter().for_each(|identity| identity.credentials.fetch_anew());
    }

    /// Forgets credentials of these sources, and those a role is taken by through them. Ends when they are gone from
    /// the vault as well.
    pub(crate) async fn forget(&self, sources: &[String]) {
        let through = AwsConfig::read(&self.settings).map(|config| {
            let goes = |profile: &str| {
                let chain = config.chain(profile).unwrap_or_default();
                chain.into_iter().chain([profile]).any(|name| sources.iter().any(|source| source == name))
            };
            let profiles = config.profiles().into_iter();
            profiles.filter(|profile| goes(profile)).map(str::to_owned).collect::<Vec<String>>()
        });
        let sources = through.unwrap_or_else(|_| sources.to_vec());
        self.known(&sources).iter().for_each(|identity| identity.credentials.forget());
        let sessions = Arc::clone(&self.shared.code_sessions);
        // A task that cannot be waited for has ended.
        drop(tokio::task::spawn_blocking(move || sessions.forget_sources(&sources)).await);
    }

    fn known(&self, sources: &[String]) -> Vec<Arc<Identity>> {
        let opened = self.lock();
        sources.iter().filter_map(|source| opened.identities.get(source)).map(Arc::clone).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Opened> {
        // A panic cannot leave the maps half changed: each insert is its last step.
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for AwsSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsSources").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Sources<ApiError> for AwsSources {
    fn list(&self) -> Vec<SourceInfo> {
        match AwsConfig::read(&self.settings) {
            Ok(config) => config.sources(&self.settings),
            Err(problem) => {
                tracing::warn!(problem, "AWS configuration");
                environment_source(&self.settings, None).into_iter().collect()
            }
        }
    }

    fn listing(&self, source: &str, region: &str) -> Result<Arc<dyn NodeListing<ApiError>>, ApiError> {
        Ok(Arc::new(Listing(self.access(source, region)?)))
    }
}

impl HybridSources<ApiError> for AwsSources {
    fn hybrid(&self, source: &str, region: &str) -> Result<Arc<dyn HybridCalls<ApiError>>, ApiError> {
        Ok(Arc::new(Hybrid(self.access(source, region)?)))
    }
}

impl DocumentSources<ApiError> for AwsSources {
    fn documents(&self, source: &str, region: &str) -> Result<Arc<dyn DocumentCalls<ApiError>>, ApiError> {
        Ok(Arc::new(Documents(self.access(source, region)?)))
    }
}

impl HistorySources<ApiError> for AwsSources {
    fn history(&self, source: &str, region: &str) -> Result<Arc<dyn SessionCalls<ApiError>>, ApiError> {
        Ok(Arc::new(History(self.access(source, region)?)))
    }
}

impl RecordSources<ApiError> for AwsSources {
    fn records(&self, source: &str, region: &str) -> Result<Arc<dyn RecordCalls<ApiError>>, ApiError> {
        Ok(Arc::new(Records(self.access(source, region)?)))
    }
}

impl NodeProbes<ApiError> for AwsSources {
    fn probe(&self, source: &str, region: &str) -> Result<Arc<dyn NodeProbe<ApiError>>, ApiError> {
        Ok(Arc::new(Probe(self.access(source, region)?)))
    }
}

impl NodeAccesses for AwsSources {
    fn node_access(&self, source: &str, region: &str) -> Result<Arc<dyn NodeAccess>, ApiError> {
        Ok(Arc::new(Instances(self.access(source, region)?)))
    }
}

impl ControlPlanes for AwsSources {
    fn control_plane(&self, source: &str, region: &str) -> Result<Arc<dyn ControlPlane>, ApiError> {
        Ok(Arc::new(Control(self.access(source, region)?)))
    }
}

/// Whether the text can be the name of a Region: 2 to 32 lower-case letters, digits and inner hyphens, since it becomes
/// part of a host name. Says nothing about whether AWS has such a Region.
pub fn is_region(text: &str) -> bool {
    (2..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests;
