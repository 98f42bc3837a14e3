//! Two channels over a bad link, in virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{
    AgentChannel, AgentConfig, AgentEvent, AgentOutput, ClientChannel, ClientConfig, ClientEvent,
    ClientOutput, ClientSealing, HandshakeOffer, MessageType, Moment, PayloadType, SealingOffer, SessionId,
    SessionKind, StreamToken,
};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::Value;

use crate::cipher::{Gcm, blob, data_key};

/// Longest virtual time a run may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(3600);

/// How bad the link is. Chances are in percent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) loss: u32,
    pub(crate) duplication: u32,
    pub(crate) garbage: u32,
    /// Each frame takes this long plus up to as much jitter; jitter reorders.
    pub(crate) delay_ms: u32,
    pub(crate) jitter_ms: u32,
    /// How many times sockets are cut.
    pub(crate) cuts: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Agent,
}

#[derive(Debug)]
enum Happening {
    Arrives {
        to: Side,
        socket: u32,
        frame: Bytes,
    },
    Cut(Side),
    Reopen(Side),
    /// KMS has answered that side.
    KeyArrives(Side),
    /// The gateway sends a publication message to the agent.
    Publication(MessageType),
    /// Producers and consumers look around.
    Work,
}

/// What one run is about.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) weather: Weather,
    pub(crate) handshake: bool,
    /// Whether the agent demands sealing; only with a handshake.
    pub(crate) sealed: bool,
    /// Plain text to look for in the frames.
    pub(crate) watches_for: Option<&'static [u8]>,
    pub(crate) to_agent: Vec<u8>,
    pub(crate) to_client: Vec<u8>,
}

/// What one run showed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) at_agent: Vec<u8>,
    pub(crate) at_client: Vec<u8>,
    pub(crate) took: Duration,
    pub(crate) opens: u32,
    pub(crate) completions: u32,
    /// Frames that held the plain text watched for.
    pub(crate) exposed: u32,
    pub(crate) client: fleetline_protocol::Stats,
    pub(crate) agent: fleetline_protocol::Stats,
}

struct Link {
    scenario: Scenario,
    rng: ChaCha12Rng,
    now: Duration,
    schedule: BTreeMap<(Duration, u64), Happening>,
    order: u64,
    client: ClientChannel,
    agent: AgentChannel,
    /// Number of the current socket, odd while it is open.
    client_socket: u32,
    agent_socket: u32,
    is_started: bool,
    sent_to_agent: usize,
    sent_to_client: usize,
    unconsumed: usize,
    outcome: Outcome,
}

/// Runs until everything is delivered and acknowledged, or patience is up.
pub(crate) fn run(scenario: Scenario) -> Outcome {
    let mut rng = ChaCha12Rng::seed_from_u64(scenario.seed);
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    let mut client = ClientConfig::new(seed);
    client.payload_bytes = 48 + below(&mut rng, 1500) as usize;
    client.send_window_bytes = 4096 + below(&mut rng, 65_536) as usize;
    client.receive_budget_bytes = 1 + below(&mut rng, 32_768) as usize;
    client.reorder_bytes = 4096 + below(&mut rng, 32_768) as usize;
    client.reorder_messages = 4 + below(&mut rng, 60) as usize;
    client.transmission_limit = u32::MAX;
    rng.fill_bytes(&mut seed);
    let mut agent = AgentConfig::new("i-1", SessionId::new("s-1"), seed);
    agent.payload_bytes = 48 + below(&mut rng, 1500) as usize;
    agent.send_window_bytes = 4096 + below(&mut rng, 65_536) as usize;
    agent.reorder_bytes = 4096 + below(&mut rng, 32_768) as usize;
    agent.reorder_messages = 4 + below(&mut rng, 60) as usize;
    if scenario.handshake {
        agent.handshake = Some(HandshakeOffer { session_type: SessionKind::Port, properties: Value::Null });
    }
    if scenario.sealed {
        agent.sealing = Some(SealingOffer::new(Arc::new(Gcm), "key"));
        client.sealing = Some(ClientSealing::new(Arc::new(Gcm), SessionId::new("s-1"), "i-1"));
    }
    let mut link = Link {
        scenario,
        rng,
        now: Duration::ZERO,
        schedule: BTreeMap::new(),
        order: 0,
        client: ClientChannel::new(client),
        agent: AgentChannel::new(agent),
        client_socket: 0,
        agent_socket: 0,
        is_started: false,
        sent_to_agent: 0,
        sent_to_client: 0,
        unconsumed: 0,
        outcome: Outcome {
            at_agent: Vec::new(),
            at_client: Vec::new(),
            took: Duration::ZERO,
            opens: 0,
            completions: 0,
            exposed: 0,
            client: Default::default(),
            agent: Default::default(),
        },
    };
    link.drive();
    Outcome { took: link.now, client: link.client.stats(), agent: link.agent.stats(), ..link.outcome }
}

fn below(rng: &mut ChaCha12Rng, limit: u32) -> u32 {
    rng.next_u32() % limit.max(1)
}

impl Link {
    fn moment(&self) -> Moment {
        Moment::new(self.now, 1_700_000_000_000 + self.now.as_millis() as u64)
    }

    fn after_ms(&mut self, ms: u32, happening: Happening) {
        self.order += 1;
        self.schedule.insert((self.now + Duration::from_millis(ms.into()), self.order), happening);
    }

    fn below(&mut self, limit: u32) -> u32 {
        below(&mut self.rng, limit)
    }

    fn happens(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    fn drive(&mut self) {
        self.after_ms(0, Happening::Reopen(Side::Agent));
        self.after_ms(0, Happening::Reopen(Side::Client));
        self.after_ms(0, Happening::Work);
        for _ in 0..self.scenario.weather.cuts {
            let at = self.below(3000);
            let side = if self.happens(50) { Side::Client } else { Side::Agent };
            self.after_ms(at, Happening::Cut(side));
            if self.happens(50) {
                let at = self.below(3000);
                self.after_ms(at, Happening::Publication(MessageType::PausePublication));
                self.after_ms(at + 300, Happening::Publication(MessageType::StartPublication));
            }
        }
        while !self.is_done() && self.now < PATIENCE {
            let timers = [self.client.poll_timeout(), self.agent.poll_timeout()].into_iter().flatten().min();
            let scheduled = self.schedule.first_key_value().map(|(key, _)| key.0);
            self.now = [timers, scheduled].into_iter().flatten().min().unwrap_or(PATIENCE).max(self.now);
            let moment = self.moment();
            if self.client.poll_timeout().is_some_and(|at| at <= self.now) {
                self.client.handle_timeout(moment);
            }
            if self.agent.poll_timeout().is_some_and(|at| at <= self.now) {
                self.agent.handle_timeout(moment);
            }
            while let Some(entry) = self.schedule.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let happening = entry.remove();
                self.handle(happening);
            }
            self.flush();
        }
    }

    fn is_done(&self) -> bool {
        self.outcome.at_agent.len() >= self.scenario.to_agent.len()
            && self.outcome.at_client.len() >= self.scenario.to_client.len()
            && self.client.unacked_bytes() == 0
            && self.agent.unacked_bytes() == 0
    }

    fn handle(&mut self, happening: Happening) {
        let moment = self.moment();
        match happening {
            Happening::Arrives { to: Side::Client, socket, frame } if socket == self.client_socket => {
                self.client.handle_binary(moment, frame);
            }
            Happening::Arrives { to: Side::Agent, socket, frame } if socket == self.agent_socket => {
                self.agent.handle_binary(moment, frame);
            }
            Happening::Arrives { .. } => {}
            Happening::Cut(side) => {
                let away_ms = self.below(2500);
                let socket = self.socket(side);
                if *socket % 2 == 1 {
                    *socket += 1;
                    match side {
                        Side::Client => self.client.socket_closed(moment),
                        Side::Agent => self.agent.socket_closed(moment),
                    }
                    self.after_ms(away_ms, Happening::Reopen(side));
                }
            }
            Happening::Reopen(side) => {
                *self.socket(side) += 1;
                let token = StreamToken::new("token");
                match side {
                    Side::Client => self.client.socket_opened(moment, &token),
                    Side::Agent => self.agent.socket_opened(moment, &token),
                }
            }
            Happening::KeyArrives(Side::Client) => {
                self.client.provide_data_key(moment, &blob(&data_key(1)), data_key(1));
            }
            Happening::KeyArrives(Side::Agent) => self.agent.provide_data_key(moment, &data_key(1)),
            Happening::Publication(message_type) => {
                let frame = crate::peer::from_gateway(message_type, b"");
                if self.agent_socket % 2 == 1 {
                    self.agent.handle_binary(moment, frame);
                }
            }
            Happening::Work => {
                self.work();
                let pause_ms = 1 + self.below(20);
                self.after_ms(pause_ms, Happening::Work);
            }
        }
    }

    fn socket(&mut self, side: Side) -> &mut u32 {
        match side {
            Side::Client => &mut self.client_socket,
            Side::Agent => &mut self.agent_socket,
        }
    }

    fn work(&mut self) {
        let moment = self.moment();
        self.agent.ready(moment);
        let take = 1 + self.below(8192) as usize;
        let rest = self.scenario.to_client.get(self.sent_to_client..).unwrap();
        self.sent_to_client += self.agent.send(moment, PayloadType::Output, &rest[..rest.len().min(take)]);
        if self.is_started {
            let rest = self.scenario.to_agent.get(self.sent_to_agent..).unwrap();
            self.sent_to_agent += self.client.send(moment, &rest[..rest.len().min(take)]);
        }
        let consumed = self.unconsumed.min(take);
        self.unconsumed -= consumed;
        self.client.consumed(moment, consumed);
    }

    fn flush(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                ClientOutput::Text(_) => self.outcome.opens += 1,
                ClientOutput::Binary(frame) => self.carry(Side::Agent, frame),
                ClientOutput::Event(ClientEvent::Data { bytes, .. }) => {
                    self.unconsumed += bytes.len();
                    self.outcome.at_client.extend_from_slice(&bytes);
                }
                ClientOutput::Event(ClientEvent::Started { .. }) => {
                    assert!(!std::mem::replace(&mut self.is_started, true), "started twice");
                }
                ClientOutput::Event(ClientEvent::DataKeyNeeded(_)) => {
                    let ms = self.below(3000);
                    self.after_ms(ms, Happening::KeyArrives(Side::Client));
                }
                ClientOutput::Event(ClientEvent::Closed(reason)) => panic!("closed: {reason}"),
                ClientOutput::Event(_) => {}
            }
        }
        while let Some(output) = self.agent.poll_output() {
            match output {
                AgentOutput::Text(_) => {}
                AgentOutput::Binary(frame) => self.carry(Side::Client, frame),
                AgentOutput::Event(AgentEvent::DataKeyReceived { cipher_text_blob, .. }) => {
                    assert_eq!(cipher_text_blob, blob(&data_key(1)));
                    let ms = self.below(3000);
                    self.after_ms(ms, Happening::KeyArrives(Side::Agent));
                }
                AgentOutput::Event(AgentEvent::Data(bytes)) => {
                    self.outcome.at_agent.extend_from_slice(&bytes)
                }
                AgentOutput::Event(AgentEvent::HandshakeComplete { .. }) => self.outcome.completions += 1,
                AgentOutput::Event(AgentEvent::HandshakeFailed(text)) => panic!("handshake failed: {text}"),
                AgentOutput::Event(_) => {}
            }
        }
    }

    /// What the gateway does: relays to a side that is attached, forgets otherwise.
    fn carry(&mut self, to: Side, frame: Bytes) {
        if let Some(plain) = self.scenario.watches_for {
            self.outcome.exposed += u32::from(frame.windows(plain.len()).any(|window| window == plain));
        }
        let weather = self.scenario.weather;
        let socket = *self.socket(to);
        if socket.is_multiple_of(2) || self.happens(weather.loss) {
            return;
        }
        let copies = 1 + u32::from(self.happens(weather.duplication));
        for _ in 0..copies {
            let ms = weather.delay_ms + self.below(weather.jitter_ms + 1);
            self.after_ms(ms, Happening::Arrives { to, socket, frame: frame.clone() });
        }
        if self.happens(weather.garbage) {
            let mut noise = frame.to_vec();
            let length = self.below(noise.len() as u32) as usize;
            noise.truncate(length);
            self.after_ms(weather.delay_ms, Happening::Arrives { to, socket, frame: Bytes::from(noise) });
        }
    }
}
