//! Log groups with their streams and events. A group exists once a session was recorded into it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of all messages at most. Nothing more is taken.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// An event of a log stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogEvent {
    /// When it happened, in milliseconds of the Unix epoch.
    pub(crate) at_ms: i64,
    /// When it arrived.
    pub(crate) taken_ms: i64,
    pub(crate) message: String,
}

/// A log stream.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) created_ms: i64,
    pub(crate) events: Vec<LogEvent>,
}

/// A log group.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) created_ms: i64,
    pub(crate) streams: BTreeMap<String, Stream>,
}

/// There is no room for more events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the simulator keeps at most 256 MiB of log events")]
pub(crate) struct Full;

#[derive(Debug, Default)]
struct Table {
    groups: BTreeMap<(usize, String), BTreeMap<String, Group>>,
    bytes: usize,
}

/// All log groups, by account and Region. Locks are short: no await happens under them.
#[derive(Debug, Default)]
pub(crate) struct LogGroups(Mutex<Table>);

impl LogGroups {
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event to a stream, which it makes with its group.
    pub(crate) fn put(
        &self,
        (account, region): (usize, &str),
        group: &str,
        stream: &str,
        event: LogEvent,
    ) -> Result<(), Full> {
        let mut table = self.lock();
        if table.bytes + event.message.len() > MOST_BYTES {
            return Err(Full);
        }
        table.bytes += event.message.len();
        let groups = table.groups.entry((account, region.to_owned())).or_default();
        let group = groups
            .entry(group.to_owned())
            .or_insert_with(|| Group { created_ms: event.taken_ms, streams: BTreeMap::new() });
        let stream = group
            .streams
            .entry(stream.to_owned())
            .or_insert_with(|| Stream { created_ms: event.taken_ms, events: Vec::new() });
        stream.events.push(event);
        Ok(())
    }

    /// Looks into the groups of an account-Region.
    pub(crate) fn look<T>(
        &self,
        account: usize,
        region: &str,
        look: impl FnOnce(Option<&BTreeMap<String, Group>>) -> T,
    ) -> T {
        look(self.lock().groups.get(&(account, region.to_owned())))
    }
}
