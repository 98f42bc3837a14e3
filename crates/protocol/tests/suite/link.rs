//! A client and an agent over a bad link, in virtual time. The same seed gives the same run.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{
    AgentChannel, AgentConfig, AgentEvent, AgentOutput, ChannelClosed, ClientChannel, ClientConfig,
    ClientEvent, ClientOutput, MessageType, Moment, Stats, StreamToken,
};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::cipher::{blob, data_key};

/// Longest virtual time a run may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(3600);
/// How long a run goes on after everything has arrived, for what may still come twice.
const AFTERMATH: Duration = Duration::from_secs(1);
/// Faults begin within this time.
const STORMY_MS: u32 = 3000;

/// How bad the link is. Chances are in percent, for each frame.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    pub(crate) loss: u32,
    pub(crate) duplication: u32,
    /// Chance that a frame comes twenty times.
    pub(crate) storm: u32,
    /// Chance that a piece of a frame comes beside it.
    pub(crate) garbage: u32,
    /// Chance that a frame comes damaged, in a way its reader can see.
    pub(crate) damage: u32,
    /// Each frame takes this long plus up to as much jitter; jitter reorders.
    pub(crate) delay_ms: u32,
    pub(crate) jitter_ms: u32,
    /// How many times sockets are cut and opened again.
    pub(crate) cuts: u32,
    /// How many times one direction stands still, and then delivers all at once.
    pub(crate) stalls: u32,
    /// How many times one direction swallows everything for a while, until its socket is cut.
    pub(crate) half_open: u32,
    /// How many times the gateway pauses the agent.
    pub(crate) pauses: u32,
    /// The longest frame of a client that the gateway passes on; it swallows longer ones.
    pub(crate) frame_limit: Option<usize>,
}

/// What one run is made of.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) weather: Weather,
    pub(crate) client: ClientConfig,
    pub(crate) agent: AgentConfig,
    /// Plain text to look for in the frames.
    pub(crate) watches_for: Option<&'static [u8]>,
}

/// The two ends, in the hands of a [`Workload`].
pub(crate) struct Ends {
    pub(crate) client: ClientChannel,
    pub(crate) agent: AgentChannel,
    pub(crate) rng: ChaCha12Rng,
    pub(crate) now: Duration,
    /// Set when the gateway is to end the session: what it says.
    pub(crate) closes_with: Option<String>,
}

impl Ends {
    pub(crate) fn moment(&self) -> Moment {
        Moment::new(self.now, 1_700_000_000_000 + self.now.as_millis() as u64)
    }

    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.rng.next_u32() % limit.max(1)
    }
}

/// What both ends do with the session. It checks what arrives.
pub(crate) trait Workload {
    /// Producers and consumers look around; every few milliseconds.
    fn work(&mut self, ends: &mut Ends);
    fn at_client(&mut self, ends: &mut Ends, event: ClientEvent);
    fn at_agent(&mut self, ends: &mut Ends, event: AgentEvent);
    /// Whether everything has arrived.
    fn is_done(&self, ends: &Ends) -> bool;
}

/// What one run showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) is_done: bool,
    pub(crate) took: Duration,
    /// Sockets the client opened.
    pub(crate) opens: u32,
    /// Frames that held the plain text watched for.
    pub(crate) exposed: u32,
    pub(crate) client: Stats,
    pub(crate) agent: Stats,
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
    Stall(Side),
    HalfOpen(Side),
    /// KMS has answered that side.
    KeyArrives(Side),
    /// The gateway sends a publication message to the agent.
    Publication(MessageType),
    /// Producers and consumers look around.
    Work,
}

/// One direction, by the side it leads to.
#[derive(Debug, Default)]
struct Direction {
    /// Number of the current socket, odd while it is open.
    socket: u32,
    /// Nothing arrives before.
    still_until: Duration,
    is_swallowing: bool,
}

struct Link<'a> {
    setup: Setup,
    workload: &'a mut dyn Workload,
    ends: Ends,
    schedule: BTreeMap<(Duration, u64), Happening>,
    order: u64,
    to_client: Direction,
    to_agent: Direction,
    opens: u32,
    exposed: u32,
}

/// Runs until everything has arrived and is acknowledged, or patience is up.
pub(crate) fn run(setup: Setup, workload: &mut dyn Workload) -> Outcome {
    let ends = Ends {
        client: ClientChannel::new(setup.client.clone()),
        agent: AgentChannel::new(setup.agent.clone()),
        rng: ChaCha12Rng::seed_from_u64(setup.seed),
        now: Duration::ZERO,
        closes_with: None,
    };
    let mut link = Link {
        setup,
        workload,
        ends,
        schedule: BTreeMap::new(),
        order: 0,
        to_client: Direction::default(),
        to_agent: Direction::default(),
        opens: 0,
        exposed: 0,
    };
    let done_at = link.drive();
    Outcome {
        is_done: done_at.is_some(),
        took: done_at.unwrap_or(link.ends.now),
        opens: link.opens,
        exposed: link.exposed,
        client: link.ends.client.stats(),
        agent: link.ends.agent.stats(),
    }
}

impl Link<'_> {
    fn after_ms(&mut self, ms: u32, happening: Happening) {
        self.at(self.ends.now + Duration::from_millis(ms.into()), happening);
    }

    fn at(&mut self, when: Duration, happening: Happening) {
        self.order += 1;
        self.schedule.insert((when, self.order), happening);
    }

    fn below(&mut self, limit: u32) -> u32 {
        self.ends.below(limit)
    }

    fn happens(&mut self, percent: u32) -> bool {
        percent > 0 && self.below(100) < percent
    }

    fn any_side(&mut self) -> Side {
        if self.happens(50) { Side::Client } else { Side::Agent }
    }

    /// When everything had arrived.
    fn drive(&mut self) -> Option<Duration> {
        self.after_ms(0, Happening::Reopen(Side::Agent));
        self.after_ms(0, Happening::Reopen(Side::Client));
        self.after_ms(0, Happening::Work);
        self.plan_faults();
        let mut done_at = None;
        while self.ends.now < PATIENCE && done_at.is_none_or(|at| self.ends.now < at + AFTERMATH) {
            let timers = [self.ends.client.poll_timeout(), self.ends.agent.poll_timeout()];
            let scheduled = self.schedule.first_key_value().map(|(key, _)| key.0);
            let next = timers.into_iter().flatten().chain(scheduled).min();
            self.ends.now = next.unwrap_or(PATIENCE).max(self.ends.now);
            let moment = self.ends.moment();
            if self.ends.client.poll_timeout().is_some_and(|at| at <= self.ends.now) {
                self.ends.client.handle_timeout(moment);
            }
            if self.ends.agent.poll_timeout().is_some_and(|at| at <= self.ends.now) {
                self.ends.agent.handle_timeout(moment);
            }
            while let Some(entry) = self.schedule.first_entry().filter(|entry| entry.key().0 <= self.ends.now)
            {
                let happening = entry.remove();
                self.handle(happening);
            }
            self.flush();
            if done_at.is_none() && self.is_done() {
                done_at = Some(self.ends.now);
            }
        }
        done_at
    }

    fn plan_faults(&mut self) {
        let weather = self.setup.weather;
        for _ in 0..weather.cuts {
            let (at, side) = (self.below(STORMY_MS), self.any_side());
            self.after_ms(at, Happening::Cut(side));
        }
        for _ in 0..weather.stalls {
            let (at, side) = (self.below(STORMY_MS), self.any_side());
            self.after_ms(at, Happening::Stall(side));
        }
        for _ in 0..weather.half_open {
            let (at, side) = (self.below(STORMY_MS), self.any_side());
            self.after_ms(at, Happening::HalfOpen(side));
        }
        for _ in 0..weather.pauses {
            let (at, length) = (self.below(STORMY_MS), self.below(600));
            self.after_ms(at, Happening::Publication(MessageType::PausePublication));
            self.after_ms(at + length, Happening::Publication(MessageType::StartPublication));
        }
    }

    fn is_done(&self) -> bool {
        let has_settled = self.ends.client.is_closed().is_some()
            || (self.ends.client.unacked_bytes() == 0 && self.ends.agent.unacked_bytes() == 0);
        has_settled && self.workload.is_done(&self.ends)
    }

    fn direction(&mut self, to: Side) -> &mut Direction {
        match to {
            Side::Client => &mut self.to_client,
            Side::Agent => &mut self.to_agent,
        }
    }

    fn handle(&mut self, happening: Happening) {
        let moment = self.ends.moment();
        match happening {
            Happening::Arrives { to, socket, frame } => {
                if socket == self.direction(to).socket {
                    match to {
                        Side::Client => self.ends.client.handle_binary(moment, frame),
                        Side::Agent => self.ends.agent.handle_binary(moment, frame),
                    }
                }
            }
            Happening::Cut(side) => self.cut(side),
            Happening::Reopen(side) => {
                let direction = self.direction(side);
                direction.socket += 1;
                let token = StreamToken::new("token");
                match side {
                    Side::Client => self.ends.client.socket_opened(moment, &token),
                    Side::Agent => self.ends.agent.socket_opened(moment, &token),
                }
            }
            Happening::Stall(side) => {
                let length = Duration::from_millis(self.below(2000).into());
                let until = self.ends.now + length;
                self.direction(side).still_until = until;
            }
            Happening::HalfOpen(side) => {
                if !std::mem::replace(&mut self.direction(side).is_swallowing, true) {
                    let ms = self.below(4000);
                    self.after_ms(ms, Happening::Cut(side));
                }
            }
            Happening::KeyArrives(Side::Client) => {
                self.ends.client.provide_data_key(moment, &blob(&data_key(1)), data_key(1));
            }
            Happening::KeyArrives(Side::Agent) => self.ends.agent.provide_data_key(moment, &data_key(1)),
            Happening::Publication(message_type) => {
                let frame = crate::peer::from_gateway(message_type, b"");
                if self.to_agent.socket % 2 == 1 {
                    self.ends.agent.handle_binary(moment, frame);
                }
            }
            Happening::Work => {
                self.workload.work(&mut self.ends);
                self.close_if_asked();
                // Late in a run everything waits for an agent's slow repeats.
                let is_late = self.ends.now > Duration::from_secs(20);
                let pause_ms = if is_late { 50 + self.below(200) } else { 1 + self.below(20) };
                self.after_ms(pause_ms, Happening::Work);
            }
        }
    }

    fn cut(&mut self, side: Side) {
        let away_ms = self.below(2500);
        let moment = self.ends.moment();
        let direction = self.direction(side);
        direction.is_swallowing = false;
        if direction.socket % 2 == 1 {
            direction.socket += 1;
            match side {
                Side::Client => self.ends.client.socket_closed(moment),
                Side::Agent => self.ends.agent.socket_closed(moment),
            }
            self.after_ms(away_ms, Happening::Reopen(side));
        }
    }

    /// The gateway ends the session as soon as the client has a socket.
    fn close_if_asked(&mut self) {
        if self.to_client.socket % 2 == 1
            && let Some(output) = self.ends.closes_with.take()
        {
            let body = ChannelClosed { output, ..ChannelClosed::default() }.encode();
            let frame = crate::peer::from_gateway(MessageType::ChannelClosed, body.as_bytes());
            let moment = self.ends.moment();
            self.ends.client.handle_binary(moment, frame);
        }
    }

    fn flush(&mut self) {
        while let Some(output) = self.ends.client.poll_output() {
            match output {
                ClientOutput::Text(_) => self.opens += 1,
                ClientOutput::Binary(frame) => self.carry(Side::Agent, frame),
                ClientOutput::Event(ClientEvent::DataKeyNeeded(_)) => {
                    let ms = self.below(3000);
                    self.after_ms(ms, Happening::KeyArrives(Side::Client));
                }
                ClientOutput::Event(event) => self.workload.at_client(&mut self.ends, event),
            }
        }
        while let Some(output) = self.ends.agent.poll_output() {
            match output {
                AgentOutput::Text(_) => {}
                AgentOutput::Binary(frame) => self.carry(Side::Client, frame),
                AgentOutput::Event(AgentEvent::DataKeyReceived { cipher_text_blob, .. }) => {
                    assert_eq!(cipher_text_blob, blob(&data_key(1)));
                    let ms = self.below(3000);
                    self.after_ms(ms, Happening::KeyArrives(Side::Agent));
                }
                AgentOutput::Event(AgentEvent::HandshakeFailed(text)) => panic!("handshake failed: {text}"),
                AgentOutput::Event(event) => self.workload.at_agent(&mut self.ends, event),
            }
        }
    }

    /// What the gateway does: relays to a side that is attached, forgets otherwise.
    fn carry(&mut self, to: Side, frame: Bytes) {
        if let Some(plain) = self.setup.watches_for {
            self.exposed += u32::from(frame.windows(plain.len()).any(|window| window == plain));
        }
        let weather = self.setup.weather;
        let is_too_long = to == Side::Agent && weather.frame_limit.is_some_and(|limit| frame.len() > limit);
        let Direction { socket, is_swallowing, .. } = *self.direction(to);
        if socket.is_multiple_of(2) || is_swallowing || is_too_long || self.happens(weather.loss) {
            return;
        }
        let storm = if self.happens(weather.storm) { 19 } else { 0 };
        let copies = 1 + storm + u32::from(self.happens(weather.duplication));
        for _ in 0..copies {
            let is_damaged = self.happens(weather.damage);
            let frame = if is_damaged { self.damage(to, &frame) } else { frame.clone() };
            self.arrives(to, socket, frame);
        }
        if self.happens(weather.garbage) {
            let length = self.below(frame.len() as u32) as usize;
            self.arrives(to, socket, frame.slice(..length));
        }
    }

    fn arrives(&mut self, to: Side, socket: u32, frame: Bytes) {
        let weather = self.setup.weather;
        let ms = weather.delay_ms + self.below(weather.jitter_ms + 1);
        let when = self.ends.now + Duration::from_millis(ms.into());
        let when = when.max(self.direction(to).still_until);
        self.at(when, Happening::Arrives { to, socket, frame });
    }

    /// Flips a bit where the reader can tell: nobody guards the other fields of the header, and agents do not look at
    /// digests (protocol.md 3.3).
    fn damage(&mut self, to: Side, frame: &Bytes) -> Bytes {
        let mut bytes = frame.to_vec();
        let positions: Vec<usize> = match to {
            Side::Client => (0..32).chain(80..112).chain(116..bytes.len()).collect(),
            Side::Agent => (0..20).chain(116..120).collect(),
        };
        let position = positions[self.below(positions.len() as u32) as usize];
        bytes[position] ^= 1 << self.below(8);
        Bytes::from(bytes)
    }
}
