//! Starting a forward: its port, its listener, and what stands in the way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fleetline_engine::SessionOptions;
use fleetline_engine::forward::{
    AdmitAll, Forward, ForwardOptions, LanePolicy, LaneStart, ListenError, ListenProblem, LocalAddress,
    Negotiator,
};
use fleetline_ipc::forward::{ForwardKind, ForwardSpec, ForwardStart};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::profiles::Edit;
use tokio::time::{Instant, sleep};

use super::local::pick_port;
use super::local::{PortInUse, SameUser};
use super::proxy::Socks;
use super::rates::Rates;
use super::spec;
use super::{Blocked, CALM, ForwardDesk, Kept, News, Run, Way, no_node};

pub(super) fn port_of(address: &LocalAddress) -> Option<u16> {
    match address {
        LocalAddress::Tcp(address) => Some(address.port()),
        LocalAddress::Unix(_) => None,
    }
}

impl ForwardDesk {
    /// Starts it, or notes why it cannot be. Returns what is to be written: the port that was picked.
    pub(crate) fn start(&mut self, id: &str, way: Result<Way, CommandError>) -> Vec<Edit> {
        let Ok(at) = self.at(id) else { return Vec::new() };
        let started = way.map_err(Blocked::Problem).and_then(|way| self.listen(at, way));
        let kept = &mut self.kept[at];
        match started {
            Ok(run) => {
                let picked = match run.forward.listeners().first() {
                    Some(LocalAddress::Tcp(address)) => address.port(),
                    _ => 0,
                };
                kept.run = Some(run);
                if picked != 0 && kept.spec.local_port != picked && kept.spec.socket.is_none() {
                    let spec = ForwardSpec { local_port: picked, ..kept.spec.clone() };
                    return self.put(at, spec, false);
                }
            }
            Err(blocked) => kept.blocked = Some(blocked),
        }
        Vec::new()
    }

    pub(super) fn listen(&mut self, at: usize, way: Way) -> Result<Run, Blocked> {
        let kept = &self.kept[at];
        let Some(place) = &kept.place else { return Err(Blocked::Problem(no_node())) };
        let settings = self.profiles.effective(&kept.saved);
        let wanted = ForwardSpec { local_port: self.port_for(&kept.spec), ..kept.spec.clone() };
        let listen = spec::listen(&wanted, kept.confirmed).map_err(Blocked::Exposes)?;
        let request = spec::request(&kept.spec, &place.node_id, settings.reason.value.clone());
        let defaults = ForwardOptions::default();
        let mut limits = defaults.limits;
        limits.flows = usize::try_from(kept.spec.limits.connections).unwrap_or(limits.flows);
        let idle = Duration::from_secs(u64::from(kept.spec.limits.idle_minutes) * 60);
        let lanes = usize::try_from(kept.spec.lanes).unwrap_or(1);
        let options = ForwardOptions {
            listen: vec![listen],
            start: match kept.spec.start {
                ForwardStart::OnDemand => LaneStart::OnDemand,
                ForwardStart::AtOnce => LaneStart::AtOnce,
                ForwardStart::Always => LaneStart::Always,
            },
            lanes: LanePolicy {
                max: lanes,
                retire_last_after: (!idle.is_zero()).then_some(idle),
                ..LanePolicy::default()
            },
            limits,
            negotiator: (kept.spec.kind == ForwardKind::Socks)
                .then(|| Arc::new(Socks) as Arc<dyn Negotiator>),
            screen: spec::screen(&kept.spec, &settings.host_aliases.value),
            admission: if kept.spec.limits.other_users { Arc::new(AdmitAll) } else { Arc::new(SameUser) },
            session: SessionOptions { limits: defaults.session.limits, ..way.options },
            ..defaults
        };
        let forward =
            Forward::start(way.control, request, options).map_err(|error| self.not_bound(at, &error))?;
        self.runs += 1;
        let (id, run, news) = (self.kept[at].id().to_owned(), self.runs, self.news.clone());
        let mut changes = forward.changes();
        // Ends with the forward, whose last part drops the sender.
        tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                if news.send(News::Changed { id: id.clone(), run }).await.is_err() {
                    return;
                }
                sleep(CALM).await;
            }
        });
        Ok(Run {
            number: self.runs,
            forward,
            context: way.context,
            rates: Rates::new(),
            since: SystemTime::now(),
            begun: Instant::now(),
            forgiven: None,
            clients: BTreeMap::new(),
        })
    }

    /// The port it listens on: the one it has, or one picked for it that no other saved forward has.
    pub(super) fn port_for(&self, spec: &ForwardSpec) -> u16 {
        if spec.local_port != 0 || spec.socket.is_some() {
            return spec.local_port;
        }
        let reserved = |port: u16| self.kept.iter().any(|kept| kept.spec.local_port == port);
        pick_port(spec.port.unwrap_or_default(), reserved).unwrap_or_default()
    }

    pub(super) fn not_bound(&self, at: usize, error: &ListenError) -> Blocked {
        if let (LocalAddress::Tcp(address), ListenProblem::InUse) = (&error.at, &error.problem) {
            let mut found = PortInUse::at(*address);
            let holds = |kept: &&Kept| {
                kept.run.as_ref().is_some_and(|run| {
                    let ports = run.forward.listeners().iter();
                    ports.filter_map(port_of).any(|port| port == address.port())
                })
            };
            let ours = self.kept.iter().enumerate().find(|(other, kept)| *other != at && holds(kept));
            if let Some((_, kept)) = ours {
                found.holder = format!("Port {} is held by the forward {}.", found.port, kept.spec.name);
            }
            return Blocked::PortInUse(found);
        }
        let hint = "Choose another local port or path.".to_owned();
        Blocked::Problem(CommandError {
            hint: Some(hint),
            ..CommandError::new(ErrorCode::InvalidInput, format!("{error}."))
        })
    }
}
