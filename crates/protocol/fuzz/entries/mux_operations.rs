//! What the fuzz target `mux_operations` does with its input: any calls on two mux sessions and any cuts of the bytes
//! between them, compared with a model of the streams. The tests of fleetline-protocol run it too.

use std::collections::BTreeMap;
use std::time::Duration;

use fleetline_protocol::{
    Moment, MuxConfig, MuxEvent, MuxFinish, MuxOpenError, MuxResetReason, MuxSession, MuxStreamId,
    MuxWriteError,
};

use crate::choices::{Choices, bytes_from};

const MANY: usize = 100_000;
const CLIENT: usize = 0;
const SERVER: usize = 1;

/// Any operations, then a link without delay and readers without delay.
pub(crate) fn run(data: &[u8]) {
    let mut choices = Choices(data);
    let mut world = World::new(&mut choices);
    while !choices.is_empty() {
        world.step(&mut choices);
        world.take_events(CLIENT);
        world.take_events(SERVER);
        world.check();
    }
    world.settle();
}

struct World {
    ends: [End; 2],
    now: Duration,
    max_streams: usize,
    stream_budget: usize,
    session_budget: usize,
}

struct End {
    session: MuxSession,
    streams: BTreeMap<MuxStreamId, Stream>,
}

/// One stream as one end sees it.
#[derive(Debug, Default)]
struct Stream {
    written: usize,
    heard: usize,
    waiting: usize,
    has_finished: bool,
    owes_writable: bool,
    end: Option<Over>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// By a call of `reset`.
    Reset,
    /// By the session, with a reason.
    ResetFor,
    Finished,
    Released,
}

impl World {
    fn new(choices: &mut Choices<'_>) -> Self {
        let max_streams = 1 + choices.below(12);
        let (stream_budget, session_budget) = (choices.size(), choices.size() * 2);
        let finish = |choices: &mut Choices<'_>| match choices.below(2) {
            0 => MuxFinish::AtOnce,
            _ => MuxFinish::AfterPeer { idle_grace: Duration::from_secs(1 + choices.below(200) as u64) },
        };
        let config = |choices: &mut Choices<'_>, config: MuxConfig| MuxConfig {
            finish: finish(choices),
            max_streams,
            frame_bytes: 1 + choices.size(),
            send_budget_bytes: 1 + choices.size(),
            stream_budget_bytes: stream_budget,
            session_budget_bytes: session_budget,
            ..config
        };
        let end =
            |config| End { session: MuxSession::new(Moment::default(), config), streams: BTreeMap::new() };
        let client = end(config(choices, MuxConfig::client()));
        let server = end(config(choices, MuxConfig { max_streams: 64, ..MuxConfig::server() }));
        Self { ends: [client, server], now: Duration::ZERO, max_streams, stream_budget, session_budget }
    }

    fn moment(&self) -> Moment {
        Moment::new(self.now, 0)
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        let moment = self.moment();
        let side = choices.below(2);
        let end = &mut self.ends[side];
        match choices.below(10) {
            0 => match end.session.open(moment) {
                Ok(id) => {
                    assert_eq!(side, CLIENT);
                    assert!(end.streams.insert(id, Stream::default()).is_none(), "{id} is used twice");
                }
                Err(MuxOpenError::NotAClient) => assert_eq!(side, SERVER),
                Err(MuxOpenError::TooManyStreams { limit }) => assert_eq!(limit, self.max_streams),
                Err(other) => panic!("{other}"),
            },
            1..=3 => {
                let Some(id) = pick(end, choices) else { return };
                write(side, moment, end, id, choices.size());
            }
            4 => {
                let Some(id) = pick(end, choices) else { return };
                end.session.finish(moment, id);
                end.streams.get_mut(&id).expect("picked").has_finished = true;
            }
            5 => {
                let Some(id) = pick(end, choices) else { return };
                if choices.below(3) > 0 {
                    return;
                }
                end.session.reset(id);
                let stream = end.streams.get_mut(&id).expect("picked");
                if stream.end.is_none() {
                    stream.end = Some(Over::Reset);
                    stream.waiting = 0;
                }
            }
            6 => {
                let Some(id) = pick(end, choices) else { return };
                let bytes = choices.size();
                end.session.consumed(moment, id, bytes);
                let stream = end.streams.get_mut(&id).expect("picked");
                stream.waiting = stream.waiting.saturating_sub(bytes);
            }
            7 | 8 => {
                for _ in 0..choices.below(8) {
                    self.carry(side, 1 + choices.size(), choices.below(64));
                }
            }
            _ => {
                self.now += Duration::from_secs(choices.below(40) as u64);
                let moment = self.moment();
                self.ends[side].session.handle_timeout(moment);
            }
        }
    }

    /// Moves at most so many bytes from one side to the other, cut in two.
    fn carry(&mut self, from: usize, most: usize, cut: usize) -> bool {
        let moment = self.moment();
        let out = self.ends[from].session.poll_transmit(moment, most);
        let Some(mut bytes) = out else { return false };
        assert!(!bytes.is_empty() && bytes.len() <= most);
        self.take_events(from);
        let first = bytes.split_to(cut.min(bytes.len()));
        self.ends[1 - from].session.handle_bytes(moment, first);
        self.take_events(1 - from);
        self.ends[1 - from].session.handle_bytes(moment, bytes);
        self.take_events(1 - from);
        true
    }

    fn take_events(&mut self, side: usize) {
        let mut calls = 0;
        while let Some(event) = self.ends[side].session.poll_event() {
            calls += 1;
            assert!(calls < MANY, "a session never stops giving out");
            self.event(side, event);
        }
    }

    fn event(&mut self, side: usize, event: MuxEvent) {
        let peer = 1 - side;
        match event {
            MuxEvent::Opened(id) => {
                assert_eq!(side, SERVER);
                assert!(self.ends[CLIENT].streams.contains_key(&id), "{id} was never opened");
                assert!(self.ends[side].streams.insert(id, Stream::default()).is_none());
            }
            MuxEvent::Data { id, bytes } => {
                let written = self.ends[peer].streams[&id].written;
                let stream = self.ends[side].streams.get_mut(&id).expect("data of a stream that is known");
                assert_eq!(stream.end, None, "data after the end of {id}");
                assert_eq!(bytes, bytes_from(salt(peer, id), stream.heard, bytes.len()), "{id} differs");
                stream.heard += bytes.len();
                stream.waiting += bytes.len();
                assert!(!bytes.is_empty() && stream.heard <= written);
            }
            MuxEvent::Writable(id) => {
                let stream = self.ends[side].streams.get_mut(&id).expect("known");
                assert!(std::mem::take(&mut stream.owes_writable), "nobody waits to write to {id}");
                assert_eq!(stream.end, None);
            }
            MuxEvent::Finished { id, unsent_bytes } => {
                self.over(side, id, Over::Finished);
                let (here, there) = (&self.ends[side].streams[&id], self.ends[peer].streams.get(&id));
                // Refused streams are unknown to the peer.
                if let Some(there) = there.filter(|there| there.end == Some(Over::Released)) {
                    assert_eq!(here.heard, there.written, "{id} was finished before all was heard");
                }
                assert!(unsent_bytes <= here.written);
            }
            MuxEvent::Released(id) => {
                assert!(self.ends[side].streams[&id].has_finished);
                self.over(side, id, Over::Released);
            }
            MuxEvent::Reset { id, reason } => {
                self.over(side, id, Over::ResetFor);
                let stream = self.ends[side].streams.get_mut(&id).expect("known");
                match reason {
                    MuxResetReason::Overrun { unconsumed_bytes } => {
                        assert!(
                            unconsumed_bytes > self.stream_budget,
                            "a stream within its budget was reset"
                        );
                        stream.waiting = 0;
                    }
                    MuxResetReason::IdleAfterFinish => assert!(stream.has_finished),
                    other => panic!("{other}"),
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn over(&mut self, side: usize, id: MuxStreamId, how: Over) {
        let stream = self.ends[side].streams.get_mut(&id).expect("known");
        assert_eq!(stream.end.replace(how), None, "{id} ended twice");
    }

    fn check(&self) {
        for end in &self.ends {
            let mut held = 0;
            for (id, stream) in &end.streams {
                assert_eq!(end.session.unconsumed_bytes(*id), stream.waiting, "{id}");
                held += stream.waiting;
            }
            let streams = end.streams.values().filter(|stream| stream.waiting > 0).count();
            assert!(held <= self.session_budget + streams * self.stream_budget, "{held} bytes held");
            assert!(end.session.open_streams() <= self.max_streams.max(64));
        }
    }

    /// Everybody says the rest and finishes, readers read, bytes flow: then every stream is over at both ends.
    fn settle(&mut self) {
        for _ in 0..MANY {
            let mut moved = false;
            for side in [CLIENT, SERVER] {
                let moment = self.moment();
                let end = &mut self.ends[side];
                let ids: Vec<MuxStreamId> = end.streams.keys().copied().collect();
                for id in ids {
                    let stream = end.streams.get_mut(&id).expect("listed");
                    let waiting = std::mem::take(&mut stream.waiting);
                    end.session.consumed(moment, id, waiting);
                    if stream.end.is_none() && !stream.has_finished {
                        stream.has_finished = true;
                        end.session.finish(moment, id);
                    }
                }
                self.take_events(side);
                moved |= self.carry(side, 4096, 5);
            }
            if !moved {
                let timers = self.ends.iter().filter_map(|end| end.session.poll_timeout()).min();
                let Some(next) = timers else { break };
                self.now = next.max(self.now);
                let moment = self.moment();
                self.ends.iter_mut().for_each(|end| end.session.handle_timeout(moment));
                self.take_events(CLIENT);
                self.take_events(SERVER);
            }
        }
        for end in &self.ends {
            assert_eq!(end.session.open_streams(), 0, "a stream is stuck");
            assert!(end.session.closed().is_none() && !end.session.wants_transmit());
            for (id, stream) in &end.streams {
                assert!(stream.end.is_some(), "{id} ended without a word");
                assert_eq!(end.session.unconsumed_bytes(*id), 0);
            }
        }
    }
}

fn pick(end: &End, choices: &mut Choices<'_>) -> Option<MuxStreamId> {
    let count = end.streams.len();
    (count > 0).then(|| end.streams.keys().nth(choices.below(count)).copied())?
}

fn write(side: usize, moment: Moment, end: &mut End, id: MuxStreamId, count: usize) {
    let stream = end.streams.get_mut(&id).expect("picked");
    let bytes = bytes_from(salt(side, id), stream.written, count);
    match end.session.write(moment, id, &bytes) {
        Ok(taken) => {
            assert!(stream.end.is_none() && !stream.has_finished && taken <= count);
            stream.owes_writable |= taken < count;
            stream.written += taken;
        }
        Err(MuxWriteError::Finished) => assert!(stream.has_finished && stream.end.is_none()),
        Err(MuxWriteError::Over) => assert!(stream.end.is_some()),
        Err(other) => panic!("{other}"),
    }
}

fn salt(side: usize, id: MuxStreamId) -> u32 {
    id.0 * 2 + side as u32
}
