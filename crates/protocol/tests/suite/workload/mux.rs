use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{
    AgentEvent, ClientEvent, DataStream, Moment, MuxConfig, MuxEvent, MuxFinish, MuxSession, MuxStreamId,
    PayloadType, SessionKind,
};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{random_bytes, unexpected};
use crate::link::{Ends, Workload};

/// Most bytes in one piece of the mux stream.
const PIECE_BYTES: usize = 16 * 1024;

/// A mux session with streams that are opened over time. Most carry bytes both ways; some are cut off by the client.
#[derive(Debug)]
pub(crate) struct MuxStreams {
    seed: u64,
    streams: usize,
    most_bytes: u32,
    client: Option<End>,
    agent: Option<End>,
}

#[derive(Debug)]
struct End {
    session: MuxSession,
    streams: BTreeMap<MuxStreamId, Stream>,
}

#[derive(Debug)]
struct Stream {
    says: Vec<u8>,
    written: usize,
    hears: Vec<u8>,
    heard: usize,
    waiting: usize,
    has_finished: bool,
    end: Option<MuxEvent>,
}

const CLIENT: u64 = 1;
const AGENT: u64 = 2;

impl MuxStreams {
    pub(crate) fn new(seed: u64, streams: usize, most_bytes: u32) -> Self {
        Self { seed, streams, most_bytes, client: None, agent: None }
    }

    /// What one side says on a stream: different for each stream and side.
    fn says(&self, side: u64, id: MuxStreamId) -> Vec<u8> {
        let mut rng = ChaCha12Rng::seed_from_u64(self.seed << 20 ^ u64::from(id.0) << 2 ^ side);
        random_bytes(&mut rng, self.most_bytes)
    }

    fn stream(&self, side: u64, id: MuxStreamId) -> Stream {
        Stream {
            says: self.says(side, id),
            written: 0,
            hears: self.says(CLIENT + AGENT - side, id),
            heard: 0,
            waiting: 0,
            has_finished: false,
            end: None,
        }
    }

    pub(crate) fn assert_exact(&self, what: &str) {
        let (Some(client), Some(agent)) = (&self.client, &self.agent) else {
            panic!("{what}: never started")
        };
        assert_eq!((client.streams.len(), agent.streams.len()), (self.streams, self.streams), "{what}");
        for (id, stream) in &client.streams {
            if is_cut_off(*id) {
                continue;
            }
            let other = &agent.streams[id];
            assert_eq!(stream.heard, stream.hears.len(), "{what}: stream {id} to the client");
            assert_eq!(other.heard, other.hears.len(), "{what}: stream {id} to the agent");
            assert_eq!(stream.end, Some(MuxEvent::Finished { id: *id, unsent_bytes: 0 }), "{what}");
            assert_eq!(other.end, Some(MuxEvent::Released(*id)), "{what}");
        }
        assert_eq!((client.session.open_streams(), agent.session.open_streams()), (0, 0), "{what}");
    }
}

fn is_cut_off(id: MuxStreamId) -> bool {
    id.0 % 14 == 9
}

impl End {
    /// Takes events. Streams that the peer opened are made by `opened`.
    fn take_events(&mut self, opened: impl Fn(MuxStreamId) -> Stream) {
        while let Some(event) = self.session.poll_event() {
            match event {
                MuxEvent::Opened(id) => {
                    self.streams.insert(id, opened(id));
                }
                MuxEvent::Data { id, bytes } => {
                    let stream = self.streams.get_mut(&id).unwrap();
                    assert_eq!(stream.end, None, "data after the end of {id}");
                    let expected = stream.hears.get(stream.heard..stream.heard + bytes.len());
                    assert!(expected == Some(bytes.as_ref()), "stream {id} differs at {}", stream.heard);
                    stream.heard += bytes.len();
                    stream.waiting += bytes.len();
                }
                MuxEvent::Writable(_) => {}
                MuxEvent::Finished { id, .. } | MuxEvent::Released(id) => {
                    let stream = self.streams.get_mut(&id).unwrap();
                    assert_eq!(stream.end.replace(event), None, "stream {id} ended twice");
                }
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// Writers write, readers read, and what is said and heard is finished.
    fn work(&mut self, now: Moment, rng: &mut ChaCha12Rng, finishes_first: bool) {
        for (id, stream) in &mut self.streams {
            if stream.end.is_none() && !stream.has_finished {
                let rest = &stream.says[stream.written..];
                let take = rest.len().min(1 + rng.next_u32() as usize % 4096);
                stream.written += self.session.write(now, *id, &rest[..take]).unwrap();
                let has_heard = finishes_first || stream.heard == stream.hears.len();
                if stream.written == stream.says.len() && has_heard {
                    stream.has_finished = true;
                    self.session.finish(now, *id);
                }
            }
            let consumed = stream.waiting.min(rng.next_u32() as usize % 4096);
            stream.waiting -= consumed;
            self.session.consumed(now, *id, consumed);
        }
        if self.session.poll_timeout().is_some_and(|at| at <= now.elapsed) {
            self.session.handle_timeout(now);
        }
    }
}

impl Workload for MuxStreams {
    fn work(&mut self, ends: &mut Ends) {
        let moment = ends.moment();
        ends.agent.ready(moment);
        if let Some(mut client) = self.client.take() {
            if client.streams.len() < self.streams && ends.below(3) == 0 {
                let id = client.session.open(moment).unwrap();
                client.streams.insert(id, self.stream(CLIENT, id));
            }
            client.work(moment, &mut ends.rng, true);
            for (id, stream) in client.streams.iter_mut().filter(|(id, _)| is_cut_off(**id)) {
                if stream.end.is_none() && (stream.heard > 0 || stream.has_finished) {
                    client.session.reset(*id);
                    stream.end = Some(MuxEvent::Released(*id));
                }
            }
            while let room @ 1.. = ends.client.send_capacity().min(PIECE_BYTES) {
                let Some(bytes) = client.session.poll_transmit(moment, room) else { break };
                assert_eq!(ends.client.send(moment, &bytes), bytes.len());
            }
            client.take_events(|id| panic!("the agent opened {id}"));
            self.client = Some(client);
        }
        if let Some(mut agent) = self.agent.take() {
            agent.work(moment, &mut ends.rng, false);
            while let room @ 1.. = ends.agent.send_capacity().min(PIECE_BYTES) {
                let Some(bytes) = agent.session.poll_transmit(moment, room) else { break };
                assert_eq!(ends.agent.send(moment, PayloadType::Output, &bytes), bytes.len());
            }
            agent.take_events(|id| self.stream(AGENT, id));
            self.agent = Some(agent);
        }
    }

    fn at_client(&mut self, ends: &mut Ends, event: ClientEvent) {
        let moment = ends.moment();
        match event {
            ClientEvent::Data { stream: DataStream::Output, bytes } => {
                let length = bytes.len();
                let client = self.client.as_mut().unwrap();
                client.session.handle_bytes(moment, bytes);
                client.take_events(|id| panic!("the agent opened {id}"));
                ends.client.consumed(moment, length);
            }
            ClientEvent::Started { kind: SessionKind::Port, .. } => {
                let finish = MuxFinish::AfterPeer { idle_grace: Duration::from_secs(7200) };
                let session = MuxSession::new(moment, MuxConfig { finish, ..MuxConfig::client() });
                let before = self.client.replace(End { session, streams: BTreeMap::new() });
                assert!(before.is_none(), "started twice");
            }
            ClientEvent::Writable | ClientEvent::Publication(_) => {}
            other => unexpected(&other),
        }
    }

    fn at_agent(&mut self, ends: &mut Ends, event: AgentEvent) {
        let moment = ends.moment();
        match event {
            AgentEvent::Data(bytes) => self.agent_takes(moment, bytes),
            AgentEvent::HandshakeComplete { .. } => {
                let session = MuxSession::new(moment, MuxConfig::server());
                self.agent = Some(End { session, streams: BTreeMap::new() });
            }
            AgentEvent::Writable => {}
            other => panic!("unexpected {other:?}"),
        }
    }

    fn is_done(&self, _: &Ends) -> bool {
        let (Some(client), Some(agent)) = (&self.client, &self.agent) else { return false };
        let is_over = |end: &End| {
            end.streams.len() == self.streams
                && end.streams.values().all(|stream| stream.end.is_some())
                && end.session.open_streams() == 0
                && !end.session.wants_transmit()
        };
        is_over(client) && is_over(agent)
    }
}

impl MuxStreams {
    fn agent_takes(&mut self, moment: Moment, bytes: Bytes) {
        let Some(mut agent) = self.agent.take() else { panic!("data before the handshake was complete") };
        agent.session.handle_bytes(moment, bytes);
        agent.take_events(|id| self.stream(AGENT, id));
        self.agent = Some(agent);
    }
}
