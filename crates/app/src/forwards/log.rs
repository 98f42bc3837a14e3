//! The event log of a forward: what its runs went through, each end with its cause.

use std::time::SystemTime;

use fleetline_engine::HistoryEntry;
use fleetline_engine::forward::ForwardSnapshot;
use fleetline_ipc::forward::{ForwardEventLevel, ForwardEventRow};

use super::Run;
use crate::clock::epoch_ms;
use crate::rows::millis;

/// Events listed at most, and remembered of earlier runs.
const EVENTS: usize = 200;

/// Why a run was ended here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// By its switch.
    SwitchedOff,
    /// With all others.
    Paused,
    /// To be started anew as it is described now.
    Changed,
    /// It ran for as long as it may.
    TimeLimit {
        /// The limit.
        minutes: u32,
    },
}

impl Why {
    fn text(self) -> String {
        match self {
            Self::SwitchedOff => "Switched off".to_owned(),
            Self::Paused => "Paused with all forwards".to_owned(),
            Self::Changed => "Stopped to start anew as it is described now".to_owned(),
            Self::TimeLimit { minutes } => format!("Switched off by its time limit of {minutes} min"),
        }
    }
}

/// What is remembered of earlier runs, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Past(Vec<HistoryEntry>);

impl Past {
    pub(super) fn remember(&mut self, run: &Run, why: Why) {
        let mut lived = steps(run, &run.forward.snapshot());
        lived.sort_by_key(|entry| entry.at);
        self.0.append(&mut lived);
        self.0.push(HistoryEntry { at: SystemTime::now(), text: why.text() });
        let surplus = self.0.len().saturating_sub(EVENTS);
        self.0.drain(..surplus);
    }
}

/// What happened to the forward, newest first.
pub(super) fn events(past: &Past, running: Option<(&Run, &ForwardSnapshot)>) -> Vec<ForwardEventRow> {
    let mut entries = past.0.clone();
    entries.extend(running.into_iter().flat_map(|(run, snapshot)| steps(run, snapshot)));
    // What happened at one moment stays in its order.
    entries.reverse();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
    entries.truncate(EVENTS);
    let row = |entry: HistoryEntry| ForwardEventRow {
        at_ms: millis(epoch_ms(entry.at)),
        level: level(&entry.text),
        text: sentence(&entry.text),
    };
    entries.into_iter().map(row).collect()
}

/// What a run went through, with the lanes it has.
fn steps(run: &Run, snapshot: &ForwardSnapshot) -> Vec<HistoryEntry> {
    let listening: Vec<String> = snapshot.listeners.iter().map(ToString::to_string).collect();
    let mut entries =
        vec![HistoryEntry { at: run.since, text: format!("Listening on {}", listening.join(" and ")) }];
    entries.extend(run.forward.history());
    for lane in &snapshot.lanes {
        let lived = run.forward.lane_history(lane.id).unwrap_or_default();
        let told = of_lane(lived)
            .map(|entry| HistoryEntry { text: format!("Lane {}: {}", lane.id, entry.text), ..entry });
        entries.extend(told);
    }
    entries
}

/// What a lane went through beyond what the forward says of it: that it is open at first stands there already.
fn of_lane(lived: Vec<HistoryEntry>) -> impl Iterator<Item = HistoryEntry> {
    let first = lived.iter().position(|entry| entry.text == "Open");
    lived.into_iter().enumerate().filter(move |(at, _)| Some(*at) != first).map(|(_, entry)| entry)
}

/// How an entry of the engine's history reads; its texts are the engine's own.
fn level(text: &str) -> ForwardEventLevel {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["was not let in", "accepts no connection", "could not be terminated", "could not connect"]) {
        ForwardEventLevel::Bad
    } else if has(&["had finished sending"]) {
        // The program has said all it had to say: an end, not a loss.
        ForwardEventLevel::Neutral
    } else if has(&["is over:", " ended: ", "econnecting", "given up", "lost"]) {
        ForwardEventLevel::Warn
    } else if has(&["is open", "Resumed", "Listening"]) {
        ForwardEventLevel::Good
    } else {
        ForwardEventLevel::Neutral
    }
}

pub(super) fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use fleetline_engine::forward::FlowEnd;

    use super::*;

    #[test]
    fn events_are_read_by_what_the_engine_says() {
        assert_eq!(level("Lane 0 is open"), ForwardEventLevel::Good);
        assert_eq!(level("Lane 0 is over: The session was terminated."), ForwardEventLevel::Warn);
        assert_eq!(level("127.0.0.1:1 was not let in at 127.0.0.1:2: no"), ForwardEventLevel::Bad);
        assert_eq!(level("Lane 0 is started"), ForwardEventLevel::Neutral);
        let ended = |end: FlowEnd| level(&format!("Connection 3 of 127.0.0.1:1 ended: {end}"));
        assert_eq!(ended(FlowEnd::SilentAfterFinish), ForwardEventLevel::Neutral);
        assert_eq!(ended(FlowEnd::Refused), ForwardEventLevel::Bad);
        assert_eq!(ended(FlowEnd::Reset), ForwardEventLevel::Warn);
    }

    #[test]
    fn that_a_lane_is_open_is_said_once_and_that_it_is_back_again_too() {
        let entry = |text: &str| HistoryEntry { at: std::time::UNIX_EPOCH, text: text.to_owned() };
        let lived = [
            "Asking AWS for a session",
            "Open",
            "Reconnecting, attempt 1 runs: x",
            "Resumed after 80 ms",
            "Open",
        ];
        let told: Vec<String> = of_lane(lived.map(entry).to_vec()).map(|entry| entry.text).collect();
        assert_eq!(
            told,
            ["Asking AWS for a session", "Reconnecting, attempt 1 runs: x", "Resumed after 80 ms", "Open"]
        );
    }
}
