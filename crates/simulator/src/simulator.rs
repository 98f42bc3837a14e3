//! A running simulator.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::aws_config;
use crate::config::SimulatorConfig;
use crate::control::Control;
use crate::error::SimulatorError;
use crate::gateway::outside::OutsideAgents;
use crate::http::server;
use crate::live::Live;
use crate::logs::LogGroups;
use crate::paging::PageTokens;
use crate::play::play;
use crate::policy;
use crate::registry::Registry;
use crate::s3::Buckets;
use crate::shared::{Shared, unix_ms};
use crate::sso::SignIns;
use crate::sts::{Issued, MfaDevices};
use crate::tls::ServerTls;
use crate::trail::Trail;
use crate::world::past::PastSessions;
use crate::world::{self, World};

/// Nodes at most.
const MAX_NODES: usize = 2_000_000;

/// The AWS side of Session Manager, listening on loopback. It serves until [`shutdown`](Self::shutdown) or until it
/// is dropped; shut it down where possible, for only that waits until every shell has ended and its home is removed.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    /// Where the authority's certificate was written first.
    ca_file: OnceLock<PathBuf>,
}

/// An account of the simulated world, with throw-away credentials. They are worth nothing elsewhere and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedAccount {
    /// Name, which is also the AWS profile's name: "payments-prod".
    pub name: String,
    /// Twelve digits.
    pub account_id: String,
    /// The Region its AWS profile names.
    pub default_region: String,
    /// Every Region it uses; some have no nodes.
    pub regions: Vec<String>,
    /// ARN of the caller its credentials belong to.
    pub caller_arn: String,
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Session token; without it the key is refused, as for any temporary credentials.
    pub session_token: String,
    /// The IAM user of the account.
    pub user: SimulatedUser,
}

/// An IAM user with long-term keys and an MFA device. Its keys may call STS only, and with a code of the device
/// ([`Control::mfa_code`]) take the role of any account or get a session that may do what the account's role may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedUser {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// ARN of the device.
    pub mfa_serial: String,
}

impl Simulator {
    /// Makes the world and starts to serve on the current tokio runtime.
    ///
    /// # Errors
    /// [`SimulatorError::Config`] for an address that is not loopback, too many nodes, or a scenario with names that
    /// nothing has;
    /// [`SimulatorError::Listen`] if the address is taken; [`SimulatorError::Tls`] if no certificate can be made.
    pub async fn start(config: SimulatorConfig) -> Result<Self, SimulatorError> {
        if !config.listen.ip().is_loopback() {
            return Err(SimulatorError::Config(format!(
                "{} is not a loopback address; shells would be open to the network",
                config.listen.ip()
            )));
        }
        if config.nodes > MAX_NODES {
            return Err(SimulatorError::Config(format!("{} nodes; at most {MAX_NODES}", config.nodes)));
        }
        for route in &config.port_routes {
            route.check().map_err(SimulatorError::Config)?;
        }
        let address = config.listen;
        let failed = |source| SimulatorError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let denials = if config.demo_denials { policy::demo_denials() } else { Vec::new() };
        let tls = if config.tls { Some(ServerTls::make()?) } else { None };
        let world = World::new(config.world, config.seed, config.nodes, unix_ms());
        let past = PastSessions::make(&world, config.seed, config.past_sessions);
        let shared = Arc::new(Shared {
            address,
            tls,
            world,
            past,
            live: Live::new(denials, config.link_faults, config.port_routes.clone(), config.rates.clone()),
            registry: Registry::default(),
            pages: PageTokens::new(rand::random()),
            outside: OutsideAgents::default(),
            buckets: Buckets::default(),
            log_groups: LogGroups::default(),
            trail: Trail::default(),
            sign_ins: SignIns::default(),
            issued: Issued::default(),
            devices: MfaDevices::default(),
            changes: watch::Sender::new(0),
            sockets: Arc::new(Semaphore::new(config.max_connections.max(1))),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            began: Instant::now(),
            config,
        });
        let names: Vec<&str> = shared.world.accounts.iter().map(|account| account.plan.name).collect();
        shared.live.documents(|store| world::documents::put(store, &names, shared.world.began_ms));
        if let Some(scenario) = &shared.config.scenario {
            let control = Control::new(Arc::clone(&shared));
            scenario.check(&control).map_err(|error| SimulatorError::Config(format!("scenario, {error}")))?;
            shared.tasks.spawn(play(Arc::clone(&shared), scenario.clone()));
        }
        let serving = server::serve(Arc::clone(&shared), listener);
        shared.tasks.spawn(serving);
        Ok(Self { shared, ca_file: OnceLock::new() })
    }

    /// The endpoint for every service: `http://127.0.0.1:PORT`, with TLS `https://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        self.shared.endpoint()
    }

    /// Certificate of the authority behind the server's certificate, PEM; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.shared.tls.as_ref().map(|tls| tls.ca_pem.as_str())
    }

    /// Environment variables that point any AWS client at the first account. A client that is given these should
    /// be given no other `AWS_` variable. With TLS, `AWS_CA_BUNDLE` is among them once
    /// [`write_aws_config`](Self::write_aws_config) has written the file it names.
    pub fn environment(&self) -> Vec<(String, String)> {
        let accounts = self.accounts();
        let mut variables = vec![("AWS_ENDPOINT_URL", self.endpoint())];
        if let Some(file) = self.ca_file.get() {
            variables.push(("AWS_CA_BUNDLE", file.display().to_string()));
        }
        if let Some(account) = accounts.into_iter().next() {
            variables.extend([
                ("AWS_REGION", account.default_region.clone()),
                ("AWS_DEFAULT_REGION", account.default_region),
                ("AWS_ACCESS_KEY_ID", account.access_key_id),
                ("AWS_SECRET_ACCESS_KEY", account.secret_access_key),
                ("AWS_SESSION_TOKEN", account.session_token),
            ]);
        }
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// Writes `config` and `credentials` into `directory`, with one AWS profile for each account, and returns their
    /// paths in this order, for `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`. With TLS, `ca.pem` is written
    /// beside them and named in the profiles. Creates the directory; replaces the files.
    ///
    /// # Errors
    /// [`SimulatorError::WriteConfig`] if a file cannot be written.
    pub fn write_aws_config(&self, directory: &Path) -> Result<(PathBuf, PathBuf), SimulatorError> {
        let written = aws_config::write(directory, &self.endpoint(), self.ca_pem(), &self.accounts())?;
        if let Some(file) = written.ca {
            // The first one stays the one the environment names.
            self.ca_file.set(file).ok();
        }
        Ok((written.config, written.credentials))
    }

    /// The accounts.
    pub fn accounts(&self) -> Vec<SimulatedAccount> {
        let accounts = self.shared.world.accounts.iter();
        accounts
            .map(|account| SimulatedAccount {
                name: account.plan.name.to_owned(),
                account_id: account.plan.id.to_owned(),
                default_region: account.plan.default_region.to_owned(),
                regions: account.plan.regions.iter().map(|r| r.region.to_owned()).collect(),
                caller_arn: account.caller_arn(),
                access_key_id: account.access_key.clone(),
                secret_access_key: account.secret_key.clone(),
                session_token: account.session_token.clone(),
                user: SimulatedUser {
                    access_key_id: account.user_key.clone(),
                    secret_access_key: account.user_secret.clone(),
                    mfa_serial: account.device_arn(),
                },
            })
            .collect()
    }

    /// The handle that looks into the simulator and disturbs it.
    pub fn control(&self) -> Control {
        Control::new(Arc::clone(&self.shared))
    }

    /// Stops: closes every connection, ends every session, kills every program and removes its home. Returns when
    /// all of it is done.
    pub async fn shutdown(self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}
