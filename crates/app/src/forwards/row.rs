//! Forwards as the interface and the tray see them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use fleetline_engine::SessionState;
use fleetline_engine::forward::{
    FlowEnd, FlowId, FlowSnapshot, ForwardSnapshot, ForwardState as EngineState, LaneEnd,
};
use fleetline_ipc::forward::{
    ConnectionRow, ForwardDetail, ForwardKind, ForwardRow, ForwardState, ForwardTexts, LaneRow,
};
use fleetline_ipc::{CommandError, ErrorCode};

use super::log::{events, sentence};
use super::{Blocked, ForwardDesk, Kept, Run, local, spec};
use crate::clock::epoch_ms;
use crate::problem::describe_start;
use crate::rows::millis;
use crate::tray;

/// Connections listed at most.
const CONNECTIONS: usize = 100;

impl ForwardDesk {
    pub(super) fn row_at(&self, at: usize) -> ForwardRow {
        let kept = &self.kept[at];
        let snapshot = kept.run.as_ref().map(|run| (run, run.forward.snapshot()));
        self.row_of(kept, snapshot.as_ref().map(|(run, snapshot)| (*run, snapshot)))
    }

    fn row_of(&self, kept: &Kept, running: Option<(&Run, &ForwardSnapshot)>) -> ForwardRow {
        let (rate_down, rate_up) = running.map(|(run, _)| run.rates.last()).unwrap_or_default();
        let listener = running.and_then(|(_, snapshot)| snapshot.listeners.first());
        let place = kept.place.as_ref();
        let settings = self.profiles.effective(&kept.saved);
        let target = match kept.saved.kind.target() {
            Some(
                fleetline_store::profiles::ProfileTarget::Node(text)
                | fleetline_store::profiles::ProfileTarget::Query(text),
            ) => text.clone(),
            None => String::new(),
        };
        ForwardRow {
            id: kept.id().to_owned(),
            spec: kept.spec.clone(),
            on: kept.on,
            state: self.state(kept, running),
            node_name: place.map_or_else(|| target.clone(), |place| place.node_name.clone()),
            node_id: place.map_or(target, |place| place.node_id.clone()),
            account_name: place.map(|place| place.account_name.clone()).unwrap_or_default(),
            region: place.map(|place| place.region.clone()).or(settings.region.value).unwrap_or_default(),
            local: match (listener, &kept.spec.socket) {
                (Some(listener), _) => listener.to_string(),
                (None, Some(path)) => path.clone(),
                (None, None) => {
                    let bind = kept.spec.bind.as_ref().and_then(|bind| bind.parse().ok());
                    let address = bind.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
                    SocketAddr::new(address, kept.spec.local_port).to_string()
                }
            },
            remote: spec::remote(&kept.spec),
            connections: running.map_or(0, |(_, snapshot)| count(snapshot.flows.len())),
            lanes: running.map_or(0, |(_, snapshot)| count(snapshot.lanes.len())),
            rate_down,
            rate_up,
            recent_down: running.map(|(run, _)| run.rates.recent_down()).unwrap_or_default(),
            ends_ms: running.and_then(|(run, _)| {
                let limit = u64::from(kept.spec.limits.time_limit_minutes) * 60;
                (limit > 0).then(|| millis(epoch_ms(run.since + Duration::from_secs(limit))))
            }),
        }
    }

    fn state(&self, kept: &Kept, running: Option<(&Run, &ForwardSnapshot)>) -> ForwardState {
        if !kept.on {
            return ForwardState::Off;
        }
        if self.paused {
            return ForwardState::Paused;
        }
        match (&kept.blocked, running) {
            (Some(Blocked::PortInUse(found)), _) => ForwardState::PortInUse {
                port: found.port,
                holder: found.holder.clone(),
                next_free: found.next_free,
            },
            (Some(Blocked::Exposes(address)), _) => ForwardState::Exposes { address: address.to_string() },
            (Some(Blocked::Problem(problem)), _) => {
                ForwardState::Failed { problem: problem.clone(), next_try_ms: None }
            }
            (None, Some((run, snapshot))) => running_state(kept, run, snapshot),
            (None, None) => ForwardState::Starting { step: "Closing its last listener".to_owned() },
        }
    }

    /// Everything about a forward, and the connections whose programs are not known yet.
    pub(crate) fn detail(
        &self,
        id: &str,
    ) -> Result<(ForwardDetail, Vec<FlowSnapshot>, Option<u64>), CommandError> {
        let kept = &self.kept[self.at(id)?];
        let snapshot = kept.run.as_ref().map(|run| (run, run.forward.snapshot()));
        let running = snapshot.as_ref().map(|(run, snapshot)| (*run, snapshot));
        let row = self.row_of(kept, running);
        let Some((run, snapshot)) = running else {
            let detail = ForwardDetail {
                row,
                listening: Vec::new(),
                since_ms: None,
                lanes: Vec::new(),
                connections: Vec::new(),
                events: events(&kept.past, None),
                recent_up: Vec::new(),
                bytes_down: 0.0,
                bytes_up: 0.0,
            };
            return Ok((detail, Vec::new(), None));
        };
        let mut flows: Vec<&FlowSnapshot> = snapshot.flows.iter().collect();
        flows.sort_by_key(|flow| std::cmp::Reverse(flow.bytes_up + flow.bytes_down));
        flows.truncate(CONNECTIONS);
        let unknown = flows.iter().filter(|flow| !run.clients.contains_key(&flow.id));
        let unknown = unknown.map(|flow| (*flow).clone()).collect();
        let detail = ForwardDetail {
            row,
            listening: snapshot.listeners.iter().map(ToString::to_string).collect(),
            since_ms: Some(millis(epoch_ms(run.since))),
            lanes: snapshot.lanes.iter().map(lane).collect(),
            connections: flows.into_iter().map(|flow| connection(run, flow)).collect(),
            events: events(&kept.past, running),
            recent_up: run.rates.recent_up(),
            bytes_down: snapshot.totals.bytes_down as f64,
            bytes_up: snapshot.totals.bytes_up as f64,
        };
        Ok((detail, unknown, Some(run.number)))
    }

    /// Notes the programs behind connections. Those of connections that are over are forgotten.
    pub(crate) fn learn_clients(&mut self, id: &str, names: Vec<(FlowId, String)>) {
        let Some(run) = self.kept.iter_mut().find(|kept| kept.id() == id).and_then(|kept| kept.run.as_mut())
        else {
            return;
        };
        run.clients.extend(names);
        let flows = run.forward.snapshot().flows;
        run.clients.retain(|id, _| flows.iter().any(|flow| flow.id == *id));
    }

    /// Texts to copy for using a forward elsewhere.
    pub(crate) fn texts(&self, id: &str) -> Result<ForwardTexts, CommandError> {
        let at = self.at(id)?;
        let (kept, row) = (&self.kept[at], self.row_at(at));
        let url = match (kept.spec.kind, &kept.spec.socket, kept.spec.port) {
            (ForwardKind::Socks, None, _) => Some(format!("socks5h://{}", row.local)),
            (ForwardKind::Port | ForwardKind::RemoteHost, None, Some(port)) => local::url(port, &row.local),
            _ => None,
        };
        Ok(ForwardTexts { address: row.local.clone(), url, command: command(kept, &row) })
    }

    /// Whether an address is that of a forward that listens and whose URL is for a browser.
    pub(crate) fn is_own_url(&self, url: &str) -> bool {
        self.kept.iter().any(|kept| {
            kept.run.is_some() && self.texts(kept.id()).is_ok_and(|texts| texts.url.as_deref() == Some(url))
        })
    }

    /// As the tray lists them, with the bundles.
    pub(crate) fn tray(&self) -> (Vec<tray::TrayForward>, Vec<tray::TrayBundle>, bool) {
        let mut bundles: Vec<tray::TrayBundle> = Vec::new();
        let mut forwards = Vec::new();
        for (at, kept) in self.kept.iter().enumerate() {
            let row = self.row_at(at);
            if let Some(name) = &kept.spec.bundle {
                match bundles.iter_mut().find(|bundle| bundle.name == *name) {
                    Some(bundle) => bundle.members.push(row.id.clone()),
                    None => bundles.push(tray::TrayBundle {
                        id: name.clone(),
                        name: name.clone(),
                        members: vec![row.id.clone()],
                    }),
                }
            }
            if kept.on || kept.spec.favourite || kept.spec.bundle.is_some() {
                forwards.push(in_tray(row));
            }
        }
        (forwards, bundles, self.paused)
    }
}

fn running_state(kept: &Kept, run: &Run, snapshot: &ForwardSnapshot) -> ForwardState {
    let refused = snapshot.ended.last().filter(|ended| {
        matches!(ended.end, FlowEnd::Refused)
            && run.forgiven != Some(ended.flow.id)
            && snapshot.flows.is_empty()
            // Of a proxy's destinations one says nothing of the others.
            && kept.spec.kind != ForwardKind::Socks
    });
    if refused.is_some() && matches!(snapshot.state, EngineState::Open | EngineState::Idle { .. }) {
        return ForwardState::Failed { problem: refused_destination(kept, run), next_try_ms: None };
    }
    match &snapshot.state {
        EngineState::Idle { .. } => ForwardState::Idle,
        EngineState::Starting { step } => ForwardState::Starting { step: step.to_string() },
        EngineState::Open => ForwardState::Active,
        EngineState::Unanswered { .. } => ForwardState::Reconnecting {
            cause: "The node does not answer; new connections get another session.".to_owned(),
            awaits_retry: false,
        },
        EngineState::Reconnecting { cause, awaits_retry } => {
            ForwardState::Reconnecting { cause: sentence(&cause.to_string()), awaits_retry: *awaits_retry }
        }
        EngineState::Failing { cause, next_try } => ForwardState::Failed {
            problem: lane_problem(cause, run),
            next_try_ms: next_try.map(|at| millis(epoch_ms(at))),
        },
        EngineState::Stopped => ForwardState::Starting { step: "Closing its last listener".to_owned() },
    }
}

fn refused_destination(kept: &Kept, run: &Run) -> CommandError {
    let node = run.context.node.as_deref().unwrap_or("The node");
    let port = kept.spec.port.unwrap_or_default();
    let hint = match &kept.spec.host {
        Some(host) => {
            format!(
                "{node} has a session, but could not reach port {port} of {host}. The session itself works."
            )
        }
        None => format!("Nothing listens on port {port} of {node}. The session itself works."),
    };
    CommandError {
        hint: Some(hint),
        ..CommandError::new(ErrorCode::NetworkUnreachable, "The node could not connect to the destination.")
    }
}

fn lane_problem(end: &LaneEnd, run: &Run) -> CommandError {
    match end {
        LaneEnd::Failed(error) => describe_start(error, &run.context),
        LaneEnd::Ended(reason) => CommandError::new(ErrorCode::SessionEnded, reason.to_string()),
    }
}

fn lane(lane: &fleetline_engine::forward::LaneSnapshot) -> LaneRow {
    let state = match &lane.state {
        SessionState::Starting { step } => step.to_string(),
        SessionState::Open { .. } if lane.is_held => "Open, held back by a slow program".to_owned(),
        SessionState::Open { .. } => "Open".to_owned(),
        SessionState::Reconnecting { cause, .. } => format!("Reconnecting: {cause}"),
        SessionState::Ended(reason) => reason.to_string(),
        SessionState::Failed(error) => error.to_string(),
    };
    LaneRow {
        number: lane.id.0.saturating_add(1),
        session_id: lane.session_id.as_ref().map(|id| id.as_str().to_owned()),
        state,
        open: matches!(lane.state, SessionState::Open { .. }),
        to: lane.destination.as_ref().map(ToString::to_string),
        connections: count(lane.flows),
        rtt_ms: lane.stats.node_round_trip.map(|time| time.as_secs_f64() * 1000.0),
        resumes: lane.stats.resumes,
    }
}

fn connection(run: &Run, flow: &FlowSnapshot) -> ConnectionRow {
    ConnectionRow {
        number: flow.id.0 as f64,
        client: run.clients.get(&flow.id).unwrap_or(&flow.label).clone(),
        to: flow.destination.as_ref().map(ToString::to_string),
        from_port: flow.label.parse::<SocketAddr>().ok().map(|address| address.port()),
        bytes: (flow.bytes_up + flow.bytes_down) as f64,
        opened_ms: millis(epoch_ms(flow.opened)),
        lane: flow.lane.map(|lane| lane.0.saturating_add(1)),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The `fleetline forward` command for a forward, for a POSIX shell.
fn command(kept: &Kept, row: &ForwardRow) -> String {
    let port = kept.spec.port.unwrap_or_default();
    let goal = match &kept.spec.host {
        Some(host) if host.contains(':') => format!("[{host}]:{port}"),
        Some(host) => format!("{host}:{port}"),
        None => port.to_string(),
    };
    let verb = if kept.spec.kind == ForwardKind::Socks { "socks" } else { "forward" };
    let bind = kept.spec.bind.as_ref().map_or_else(String::new, |bind| {
        if bind.contains(':') { format!("[{bind}]:") } else { format!("{bind}:") }
    });
    let mut words = vec!["fleetline".to_owned(), verb.to_owned(), quoted(&row.node_id)];
    match &kept.spec.socket {
        Some(path) if kept.spec.kind == ForwardKind::Socks => {
            words.extend(["--socket".to_owned(), quoted(path)]);
        }
        None if kept.spec.kind == ForwardKind::Socks => {
            words.push(quoted(&format!("{bind}{}", kept.spec.local_port)));
        }
        Some(path) => words.extend([quoted(&goal), "--socket".to_owned(), quoted(path)]),
        None => words.push(quoted(&format!("{bind}{}:{goal}", kept.spec.local_port))),
    }
    if spec::exposed(&kept.spec).is_some() {
        words.push("--expose".to_owned());
    }
    if let Some(place) = &kept.place {
        words.extend([
            "--source".to_owned(),
            quoted(&place.source),
            "--region".to_owned(),
            quoted(&place.region),
        ]);
    }
    words.join(" ")
}

fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:/@~".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn in_tray(row: ForwardRow) -> tray::TrayForward {
    let connections = row.connections as usize;
    let state = match row.state {
        ForwardState::Off => tray::ForwardState::Off,
        ForwardState::Paused => tray::ForwardState::Paused,
        ForwardState::Idle => tray::ForwardState::Idle,
        ForwardState::Starting { .. } => tray::ForwardState::Starting,
        ForwardState::Active => tray::ForwardState::Active { connections },
        ForwardState::Reconnecting { .. } => tray::ForwardState::Reconnecting { connections },
        ForwardState::PortInUse { .. } => tray::ForwardState::PortInUse,
        ForwardState::Exposes { .. } => tray::ForwardState::Exposes,
        ForwardState::Failed { problem, .. } => {
            tray::ForwardState::Failed { cause: problem.message.trim_end_matches('.').to_owned() }
        }
    };
    let local = row.local.rsplit([':', '/']).next().unwrap_or_default().to_owned();
    tray::TrayForward {
        id: row.id,
        name: row.spec.name,
        local,
        favourite: row.spec.favourite,
        on: row.on,
        state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_command_are_quoted_when_they_need_it() {
        assert_eq!(quoted("5433:db.internal:5432"), "5433:db.internal:5432");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
