//! What every part of a running simulator needs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use fleetline_protocol::Moment;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::SimulatorConfig;
use crate::gateway::outside::OutsideAgents;
use crate::iam;
use crate::live::{Ask, Live};
use crate::logs::LogGroups;
use crate::paging::PageTokens;
use crate::registry::{Registry, SessionView};
use crate::s3::Buckets;
use crate::sso::SignIns;
use crate::sts::{Issued, MfaDevices};
use crate::tls::ServerTls;
use crate::trail::Trail;
use crate::world::past::PastSessions;
use crate::world::{Account, World};

/// State of one simulator.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: SimulatorConfig,
    /// The address that is listened on.
    pub(crate) address: SocketAddr,
    /// Set when everything is served over TLS.
    pub(crate) tls: Option<ServerTls>,
    pub(crate) world: World,
    pub(crate) live: Live,
    pub(crate) registry: Registry,
    pub(crate) past: PastSessions,
    pub(crate) pages: PageTokens,
    /// Agents that come through the network.
    pub(crate) outside: OutsideAgents,
    /// Objects of S3.
    pub(crate) buckets: Buckets,
    /// CloudWatch Logs.
    pub(crate) log_groups: LogGroups,
    /// What CloudTrail keeps.
    pub(crate) trail: Trail,
    /// IAM Identity Center.
    pub(crate) sign_ins: SignIns,
    /// Temporary credentials that STS gave out.
    pub(crate) issued: Issued,
    /// MFA devices of the users.
    pub(crate) devices: MfaDevices,
    /// Counts changes of sessions and calls, so that they can be waited for.
    pub(crate) changes: watch::Sender<u64>,
    /// Room for WebSockets, opened or not.
    pub(crate) sockets: Arc<Semaphore>,
    /// Connections, relays and agents.
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) began: Instant,
}

impl Shared {
    /// Milliseconds of the Unix epoch.
    pub(crate) fn now_ms(&self) -> i64 {
        unix_ms()
    }

    /// Now, for the protocol machines.
    pub(crate) fn moment(&self) -> Moment {
        Moment::new(self.began.elapsed(), u64::try_from(unix_ms()).unwrap_or(0))
    }

    /// Changes what the service knows of a session and wakes those who wait for it.
    pub(crate) fn update_session(&self, session_id: &str, change: impl FnOnce(&mut SessionView)) {
        self.registry.update(session_id, change);
        self.changed();
    }

    /// The refusal of what the account's caller asks: a rule that denies it, or policies that do not allow it.
    pub(crate) fn refusal(&self, account: &Account, asks: &[Ask<'_>]) -> Option<String> {
        self.live.denial(&account.caller_arn(), asks).or_else(|| {
            let policies = self.live.policies(account.plan.id)?;
            iam::refusal(self, account, &policies, asks)
        })
    }

    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Where everything is served.
    pub(crate) fn endpoint(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub(crate) fn stream_url(&self, session_id: &str, query: &str) -> String {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{}/v1/data-channel/{session_id}?role=publish_subscribe{query}", self.address)
    }
}

/// Milliseconds of the Unix epoch.
pub(crate) fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
