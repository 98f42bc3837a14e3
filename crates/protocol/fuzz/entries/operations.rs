//! What the fuzz target `operations` does with its input: any calls on a client and an agent, any behaviour of the
//! gateway between them, compared with a model of two byte streams. The tests of fleetline-protocol run it too.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{
    Aead, AeadError, AgentChannel, AgentConfig, AgentEvent, AgentMessage, AgentOutput, ClientChannel,
    ClientConfig, ClientEvent, ClientOutput, ClientSealing, CloseReason, DataKey, Flags, HandshakeOffer,
    MessageId, MessageType, Moment, NONCE_BYTES, PayloadType, Repeats, SealingKey, SealingOffer, SessionId,
    SessionKind, StreamToken, TAG_BYTES, TerminalSize,
};

use crate::choices::{Choices, bytes_from};

/// Enough calls that a channel which never stops giving out is noticed.
const MANY: usize = 200_000;
/// Enough steps that a pair on a good link has delivered everything.
const PATIENCE: usize = 20_000;
const UP: u32 = 1;
const DOWN: u32 = 2;

/// Any operations, then a good link: whatever was taken must have arrived, once and in order.
pub(crate) fn run(data: &[u8]) {
    let mut choices = Choices(data);
    let mut world = World::new(&mut choices);
    if choices.below(4) > 0 {
        world.begin();
    }
    while !choices.is_empty() && !world.is_over() {
        world.step(&mut choices);
        world.take_outputs();
        world.check();
    }
    world.settle();
}

struct World {
    client: ClientChannel,
    agent: AgentChannel,
    now: Duration,
    to_client: VecDeque<Bytes>,
    to_agent: VecDeque<Bytes>,
    is_client_open: bool,
    is_agent_open: bool,
    is_port: bool,
    receive_budget: usize,
    window: usize,
    // The model.
    is_started: bool,
    taken_up: usize,
    taken_down: usize,
    arrived_up: usize,
    arrived_down: usize,
    unconsumed: usize,
    /// Flags, each with the number of bytes before it.
    flags_sent: Vec<(u32, usize)>,
    flags_arrived: Vec<(u32, usize)>,
    resizes: usize,
    size: Option<TerminalSize>,
    size_at_agent: Option<TerminalSize>,
    owes_writable: bool,
    closed: Option<CloseReason>,
    /// The client did not answer within the agent's patience.
    has_agent_failed: bool,
}

impl World {
    fn new(choices: &mut Choices<'_>) -> Self {
        let kind = choices.below(3);
        let mut client = ClientConfig::new([choices.byte(); 32]);
        let payload = 1 + choices.size();
        client.payload_bytes = payload;
        client.port_payload_bytes = 1024 + choices.size();
        client.port_payload_is_proven = choices.below(4) == 0;
        client.send_window_bytes = choices.size() * 4;
        client.port_send_window_bytes = client.send_window_bytes;
        client.port_unsent_bytes = choices.size() * 2;
        client.receive_budget_bytes = choices.size();
        client.reorder_bytes = 2000 + choices.size();
        client.reorder_messages = 2 + choices.below(40);
        client.transmission_limit = u32::MAX;
        let mut agent = AgentConfig::new("i-1", SessionId::new("s-1"), [choices.byte(); 32]);
        agent.payload_bytes = 1 + choices.size();
        agent.send_window_bytes = choices.size() * 8;
        agent.reorder_bytes = 20_000 + choices.size();
        agent.reorder_messages = 2 + choices.below(40);
        agent.repeats = if choices.below(2) == 0 { Repeats::Each } else { Repeats::Oldest };
        if kind > 0 {
            let session_type = [SessionKind::Port, SessionKind::Shell][kind - 1];
            agent.handshake = Some(HandshakeOffer { session_type, properties: serde_json::Value::Null });
        }
        if kind == 2 {
            agent.sealing = Some(SealingOffer::new(Arc::new(Turn), "key"));
            client.sealing = Some(ClientSealing::new(Arc::new(Turn), SessionId::new("s-1"), "i-1"));
        }
        let largest = if kind == 1 { client.port_payload_bytes.max(payload) } else { payload };
        Self {
            is_port: kind == 1,
            receive_budget: client.receive_budget_bytes.max(agent.payload_bytes),
            window: client.send_window_bytes.max(largest + 200),
            client: ClientChannel::new(client),
            agent: AgentChannel::new(agent),
            now: Duration::ZERO,
            to_client: VecDeque::new(),
            to_agent: VecDeque::new(),
            is_client_open: false,
            is_agent_open: false,
            is_started: false,
            taken_up: 0,
            taken_down: 0,
            arrived_up: 0,
            arrived_down: 0,
            unconsumed: 0,
            flags_sent: Vec::new(),
            flags_arrived: Vec::new(),
            resizes: 0,
            size: None,
            size_at_agent: None,
            owes_writable: false,
            closed: None,
            has_agent_failed: false,
        }
    }

    /// Most runs begin with a session that is up, as most of what can go wrong comes after.
    fn begin(&mut self) {
        self.open_sockets(2);
        self.agent.ready(self.moment());
        self.taken_down += self.agent.send(self.moment(), PayloadType::Output, &bytes_from(DOWN, 0, 1));
        for _ in 0..8 {
            self.take_outputs();
            self.deliver_up(usize::MAX);
            self.deliver_down(usize::MAX);
        }
    }

    fn moment(&self) -> Moment {
        Moment::new(self.now, 1_700_000_000_000)
    }

    fn is_over(&self) -> bool {
        self.closed.is_some() || self.has_agent_failed
    }

    fn step(&mut self, choices: &mut Choices<'_>) {
        let moment = self.moment();
        match choices.below(22) {
            0 | 1 => {
                let bytes = bytes_from(UP, self.taken_up, choices.size());
                let capacity = self.client.send_capacity();
                let taken = self.client.send(moment, &bytes);
                assert_eq!(taken, bytes.len().min(capacity));
                self.owes_writable |= taken < bytes.len();
                self.taken_up += taken;
            }
            2 | 3 => {
                let bytes = bytes_from(DOWN, self.taken_down, choices.size());
                self.taken_down += self.agent.send(moment, PayloadType::Output, &bytes);
            }
            4 | 5 => self.deliver_up(1 + choices.below(16)),
            6 | 7 => self.deliver_down(1 + choices.below(16)),
            8 => shuffle(&mut self.to_agent, choices),
            9 => shuffle(&mut self.to_client, choices),
            10 | 11 => {
                self.now += Duration::from_millis(choices.size() as u64);
                let moment = self.moment();
                self.client.handle_timeout(moment);
                self.agent.handle_timeout(moment);
            }
            12 => self.cut_client(),
            13 => self.cut_agent(),
            14 | 15 => self.open_sockets(choices.below(3)),
            16 => {
                let bytes = choices.size();
                self.unconsumed = self.unconsumed.saturating_sub(bytes);
                self.client.consumed(moment, bytes);
            }
            17 => {
                let size = TerminalSize { cols: choices.byte().into(), rows: choices.byte().into() };
                self.resizes += 1;
                self.size = Some(size);
                self.client.resize(moment, size);
            }
            18 => {
                let flag = 1 + choices.below(2) as u32;
                match flag {
                    1 => self.client.disconnect_flag(moment),
                    _ => self.client.terminate_flag(moment),
                }
                if self.is_started {
                    self.flags_sent.push((flag, self.taken_up));
                }
            }
            19 => {
                let types = [MessageType::PausePublication, MessageType::StartPublication];
                let frame = from_gateway(types[choices.below(2)].clone());
                if choices.below(2) == 0 {
                    self.client.handle_binary(moment, frame);
                } else {
                    self.agent.handle_binary(moment, frame);
                }
            }
            20 => {
                let noise: Vec<u8> = (0..choices.size()).map(|_| choices.byte()).collect();
                self.client.handle_binary(moment, noise.clone().into());
                self.agent.handle_binary(moment, noise.into());
            }
            _ => self.agent.ready(moment),
        }
    }

    fn cut_client(&mut self) {
        self.client.socket_closed(self.moment());
        self.to_client.clear();
        self.is_client_open = false;
    }

    fn cut_agent(&mut self) {
        self.agent.socket_closed(self.moment());
        self.to_agent.clear();
        self.is_agent_open = false;
    }

    fn open_sockets(&mut self, which: usize) {
        let (moment, token) = (self.moment(), StreamToken::new("T"));
        if which != 1 {
            self.to_client.clear();
            self.client.socket_opened(moment, &token);
            self.is_client_open = true;
        }
        if which != 0 {
            self.to_agent.clear();
            self.agent.socket_opened(moment, &token);
            self.is_agent_open = true;
        }
    }

    fn deliver_up(&mut self, count: usize) {
        let moment = self.moment();
        for frame in self.to_agent.drain(..count.min(self.to_agent.len())) {
            self.agent.handle_binary(moment, frame);
        }
    }

    fn deliver_down(&mut self, count: usize) {
        let moment = self.moment();
        for frame in self.to_client.drain(..count.min(self.to_client.len())) {
            self.client.handle_binary(moment, frame);
        }
    }

    /// Takes everything both sides give out; false if that was nothing.
    fn take_outputs(&mut self) -> bool {
        let mut calls = 0;
        while let Some(output) = self.client.poll_output() {
            calls += 1;
            assert!(calls < MANY, "a client never stops giving out");
            assert!(self.closed.is_none(), "{output:?} after the end");
            match output {
                ClientOutput::Text(_) => assert!(self.is_client_open),
                ClientOutput::Binary(frame) => {
                    assert!(self.is_client_open, "a frame without a socket");
                    if self.is_agent_open {
                        self.to_agent.push_back(frame);
                    }
                }
                ClientOutput::Event(event) => self.at_client(event),
            }
        }
        while let Some(output) = self.agent.poll_output() {
            calls += 1;
            assert!(calls < MANY, "an agent never stops giving out");
            match output {
                AgentOutput::Text(_) => assert!(self.is_agent_open),
                AgentOutput::Binary(frame) => {
                    assert!(self.is_agent_open, "a frame without a socket");
                    if self.is_client_open {
                        self.to_client.push_back(frame);
                    }
                }
                AgentOutput::Event(event) => self.at_agent(event),
            }
        }
        calls > 0
    }

    fn at_client(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::DataKeyNeeded(_) => {
                self.client.provide_data_key(self.moment(), b"blob", key());
            }
            ClientEvent::Started { kind, .. } => {
                assert!(!std::mem::replace(&mut self.is_started, true), "started twice");
                assert_eq!(kind == SessionKind::Port, self.is_port);
            }
            ClientEvent::Data { bytes, .. } => {
                assert!(self.is_started && !bytes.is_empty());
                assert_eq!(bytes, bytes_from(DOWN, self.arrived_down, bytes.len()), "the download differs");
                self.arrived_down += bytes.len();
                self.unconsumed += bytes.len();
                assert!(self.unconsumed <= self.receive_budget, "{} bytes waiting", self.unconsumed);
            }
            ClientEvent::Writable => {
                // A size that went out since may have taken the room again.
                assert!(self.is_started);
                self.owes_writable = false;
            }
            ClientEvent::Closed(reason) => self.closed = Some(reason),
            ClientEvent::Publication(_) => {}
            other => panic!("{other:?}"),
        }
    }

    fn at_agent(&mut self, event: AgentEvent) {
        match event {
            AgentEvent::Data(bytes) => {
                assert_eq!(bytes, bytes_from(UP, self.arrived_up, bytes.len()), "the upload differs");
                self.arrived_up += bytes.len();
            }
            AgentEvent::Flag(flag) => self.flags_arrived.push((flag, self.arrived_up)),
            AgentEvent::Resize(size) => self.size_at_agent = Some(size),
            AgentEvent::DataKeyReceived { .. } => self.agent.provide_data_key(self.moment(), &key()),
            AgentEvent::HandshakeComplete { .. } | AgentEvent::Writable => {}
            // Fifteen seconds may pass at any time.
            AgentEvent::HandshakeFailed(_) => self.has_agent_failed = true,
            other => panic!("{other:?}"),
        }
    }

    fn check(&self) {
        assert!(self.arrived_up <= self.taken_up && self.arrived_down <= self.taken_down);
        assert_eq!(self.flags_arrived, self.flags_sent[..self.flags_arrived.len()]);
        // Flags, sizes and handshakes pass the window.
        let control = 600 + 200 * (self.flags_sent.len() + self.resizes + 4);
        assert!(self.client.unacked_bytes() <= self.window + control, "the window is overrun");
        assert!(self.client.unsent_bytes() <= self.client.unacked_bytes());
        if self.closed.is_none() {
            assert!(self.is_started || self.client.send_capacity() == 0);
        } else {
            assert_eq!((self.client.send_capacity(), self.client.poll_timeout()), (0, None));
        }
    }

    /// A good link until nothing is missing.
    fn settle(&mut self) {
        self.open_sockets(2);
        self.agent.ready(self.moment());
        let is_settled = |world: &Self| {
            world.is_over()
                || (world.client.unacked_bytes() + world.agent.unacked_bytes() == 0
                    && world.arrived_up == world.taken_up
                    && world.arrived_down == world.taken_down)
        };
        for _ in 0..PATIENCE {
            let mut moved = self.take_outputs();
            moved |= !(self.to_agent.is_empty() && self.to_client.is_empty());
            self.deliver_up(usize::MAX);
            self.deliver_down(usize::MAX);
            let unconsumed = std::mem::take(&mut self.unconsumed);
            self.client.consumed(self.moment(), unconsumed);
            if moved {
                continue;
            }
            self.check();
            if is_settled(self) {
                break;
            }
            let timers = [self.client.poll_timeout(), self.agent.poll_timeout()];
            self.now = timers.into_iter().flatten().min().expect("a timer for what is missing").max(self.now);
            let moment = self.moment();
            self.client.handle_timeout(moment);
            self.agent.handle_timeout(moment);
        }
        assert!(is_settled(self), "stuck: {:?} {:?}", self.client, self.agent);
        match &self.closed {
            None if self.has_agent_failed => {}
            None => {
                assert_eq!(self.flags_arrived, self.flags_sent);
                assert!(!self.owes_writable || !self.is_started, "a writer was never woken");
            }
            // Cuts and losses may look like a gateway that takes nothing large.
            Some(CloseReason::LargeMessagesRefused) => assert!(self.is_port),
            Some(other) => panic!("closed: {other}"),
        }
    }
}

fn shuffle(frames: &mut VecDeque<Bytes>, choices: &mut Choices<'_>) {
    if frames.is_empty() {
        return;
    }
    let position = choices.below(frames.len());
    let frame = frames.remove(position).expect("a position within");
    match choices.below(4) {
        0 => {}
        1 => frames.push_back(frame),
        2 => {
            frames.push_back(frame.clone());
            frames.push_front(frame);
        }
        _ => frames.push_front(frame.slice(..choices.below(frame.len().max(1)))),
    }
}

fn from_gateway(message_type: MessageType) -> Bytes {
    AgentMessage {
        message_type,
        schema_version: 1,
        created_ms: 1,
        seq: 0,
        flags: Flags::NONE,
        id: MessageId::from_random([9; 16]),
        payload_type: PayloadType::Unset,
        payload: Bytes::new(),
    }
    .encode()
}

fn key() -> DataKey {
    DataKey::from_plain(&[7; 64]).expect("64 bytes")
}

/// Looks like a cipher from outside, at no cost.
struct Turn;

impl Aead for Turn {
    fn seal(&self, key: &SealingKey, _: &[u8; NONCE_BYTES], plain: &[u8]) -> Result<Vec<u8>, AeadError> {
        let mut sealed: Vec<u8> = plain.iter().map(|byte| byte ^ key.expose()[0]).collect();
        sealed.extend_from_slice(&[0x5a; TAG_BYTES]);
        Ok(sealed)
    }

    fn open(&self, key: &SealingKey, _: &[u8; NONCE_BYTES], sealed: &[u8]) -> Result<Vec<u8>, AeadError> {
        let plain = sealed.strip_suffix(&[0x5a; TAG_BYTES]).ok_or(AeadError)?;
        Ok(plain.iter().map(|byte| byte ^ key.expose()[0]).collect())
    }
}
