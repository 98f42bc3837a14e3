//! Large messages of port sessions: proven by a probe, given up when they do not arrive.

use std::time::Duration;

use fleetline_protocol::{
    AgentChannel, AgentConfig, AgentEvent, AgentMessage, AgentOutput, ClientChannel, ClientConfig,
    ClientEvent, ClientOutput, CloseReason, Decoder, HEADER_BYTES, HandshakeOffer, LargeMessages,
    MessageType, Moment, PayloadType, SessionId, SessionKind,
};
use serde_json::Value;

use crate::peer::{
    ack, ack_of, at, client_given, config, from_agent, open_client, request, running_client, session_type,
    token,
};

/// What the gateway does with a client's frame of more than so many bytes.
#[derive(Clone, Copy, Debug)]
enum Limit {
    None,
    DropsAbove(usize),
    CutsAbove(usize),
}

/// A port session over a gateway with a limit, in virtual time, without delay.
struct Forward {
    client: ClientChannel,
    agent: AgentChannel,
    now: Duration,
    limit: Limit,
    arrived: Vec<u8>,
    /// Payload lengths of the data messages that arrived.
    sizes: Vec<usize>,
    cuts: u32,
    is_connected: bool,
}

impl Forward {
    fn new(client: ClientConfig, limit: Limit) -> Self {
        let mut agent = AgentConfig::new("i-1", SessionId::new("s-1"), [2; 32]);
        agent.handshake = Some(HandshakeOffer { session_type: SessionKind::Port, properties: Value::Null });
        let mut forward = Self {
            client: ClientChannel::new(client),
            agent: AgentChannel::new(agent),
            now: Duration::ZERO,
            limit,
            arrived: Vec::new(),
            sizes: Vec::new(),
            cuts: 0,
            is_connected: true,
        };
        forward.client.socket_opened(at(0), &token("C"));
        forward.agent.socket_opened(at(0), &token("A"));
        forward.agent.ready(at(0));
        while forward.carry() {}
        forward
    }

    fn moment(&self) -> Moment {
        Moment::new(self.now, 1_700_000_000_000)
    }

    /// Sends all of `bytes` and waits until they have arrived or the client has closed.
    fn upload(&mut self, bytes: &[u8]) {
        let (mut sent, until) = (0, self.arrived.len() + bytes.len());
        while self.arrived.len() < until && self.client.is_closed().is_none() {
            let moment = self.moment();
            if sent < bytes.len() {
                sent += self.client.send(moment, &bytes[sent..]);
            }
            self.step();
        }
    }

    /// Carries what is there; if there was nothing, goes to the next timer or the next socket.
    fn step(&mut self) {
        if self.carry() {
            return;
        }
        let timers = [self.client.poll_timeout(), self.agent.poll_timeout()];
        self.now = timers.into_iter().flatten().min().unwrap_or(self.now).max(self.now);
        assert!(self.now < Duration::from_secs(3600), "stuck");
        let moment = self.moment();
        self.client.handle_timeout(moment);
        self.agent.handle_timeout(moment);
        if !self.is_connected {
            self.now += Duration::from_secs(1);
            self.client.socket_opened(self.moment(), &token("again"));
            self.is_connected = true;
        }
    }

    /// Carries what is there; false if there was nothing.
    fn carry(&mut self) -> bool {
        let (mut moved, moment) = (false, self.moment());
        while let Some(output) = self.client.poll_output() {
            moved = true;
            let ClientOutput::Binary(frame) = output else { continue };
            match self.limit {
                Limit::DropsAbove(limit) if frame.len() > limit => {}
                Limit::CutsAbove(limit) if frame.len() > limit => {
                    self.cuts += 1;
                    self.is_connected = false;
                    self.client.socket_closed(moment);
                }
                _ => self.agent.handle_binary(moment, frame),
            }
        }
        while let Some(output) = self.agent.poll_output() {
            moved = true;
            match output {
                AgentOutput::Binary(frame) if self.is_connected => self.client.handle_binary(moment, frame),
                AgentOutput::Event(AgentEvent::Data(bytes)) => {
                    self.sizes.push(bytes.len());
                    self.arrived.extend_from_slice(&bytes);
                }
                _ => {}
            }
        }
        moved
    }
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|position| (position * 7 + position / 251) as u8).collect()
}

/// A client in a port session whose handshake response was acknowledged.
fn port_client(config: ClientConfig) -> ClientChannel {
    let mut client = open_client(config);
    client.handle_binary(
        at(0),
        from_agent(0, PayloadType::HandshakeRequest, request(vec![session_type("Port")])),
    );
    client.handle_binary(at(0), from_agent(1, PayloadType::HandshakeComplete, "{}"));
    client_given(&mut client);
    client.handle_binary(at(0), ack(0));
    client
}

/// Payload lengths of data messages, probes left out.
fn sizes(client: &mut ClientChannel) -> Vec<usize> {
    client_given(client).data().iter().filter(|(seq, ..)| *seq > 0).map(|(.., body)| body.len()).collect()
}

#[test]
fn the_first_large_message_is_a_probe_with_a_number_that_was_acknowledged_before() {
    let mut client = port_client(config());
    assert_eq!(client.send(at(1), &[1; 1024]), 1024);
    assert_eq!(sizes(&mut client), [1024], "small data needs no probe");
    assert_eq!(client.send(at(2), &[1; 2048]), 2048);
    let given = client_given(&mut client);
    let [probe, first, second] = given.frames.as_slice() else { panic!("{given:?}") };
    assert_eq!((probe.seq, probe.payload.len(), probe.payload_type), (0, 16_384, PayloadType::Output));
    assert_eq!(probe.message_type, MessageType::InputStreamData);
    assert_eq!([first.payload.len(), second.payload.len()], [1024; 2]);
    assert_eq!(client.stats().large_messages, LargeMessages::Untested);

    client.handle_binary(at(3), ack(0));
    assert_eq!(client.stats().large_messages, LargeMessages::Untested, "it may be of the first message");
    client.handle_binary(at(3), ack_of(probe));
    assert_eq!(client.stats().large_messages, LargeMessages::Proven);
    assert_eq!(client.send(at(4), &[1; 40_000]), 40_000);
    assert_eq!(sizes(&mut client), [16_384, 16_384, 7232]);
    assert_eq!(client.stats().probes, 1);
}

#[test]
fn agents_acknowledge_probes_and_see_none_of_their_bytes() {
    for payload_bytes in [1025, 4096, 16 * 1024, 32 * 1024, 128 * 1024] {
        let mut config = config();
        config.port_payload_bytes = payload_bytes;
        let mut forward = Forward::new(config, Limit::None);
        let bytes = bytes(1024 * 1024);
        let (first, second) = bytes.split_at(10_000);
        forward.upload(first);
        assert_eq!(forward.sizes.iter().max(), Some(&1024), "nothing waits for the answer to the probe");
        forward.upload(second);
        assert!(forward.arrived == bytes, "{payload_bytes}");
        assert_eq!(forward.sizes.iter().max(), Some(&payload_bytes));
        let stats = forward.client.stats();
        assert_eq!((stats.large_messages, stats.payload_bytes), (LargeMessages::Proven, payload_bytes));
        assert_eq!((stats.probes, stats.retransmits, stats.unknown_acks), (1, 0, 0));
    }
}

#[test]
fn a_gateway_that_takes_no_large_frames_costs_speed_and_nothing_else() {
    for limit in [Limit::DropsAbove(HEADER_BYTES + 1024), Limit::CutsAbove(HEADER_BYTES + 1024)] {
        let mut forward = Forward::new(config(), limit);
        let bytes = bytes(8 * 1024 * 1024);
        let mut rest = bytes.as_slice();
        while let Some((part, later)) = rest.split_at_checked(512 * 1024) {
            forward.upload(part);
            // Time for the next probe.
            forward.now += Duration::from_secs(6);
            rest = later;
        }
        assert!(forward.arrived == bytes, "{limit:?}");
        assert_eq!(forward.sizes.iter().max(), Some(&1024));
        let stats = forward.client.stats();
        assert_eq!((stats.large_messages, stats.probes), (LargeMessages::Refused, 3), "{limit:?}");
        assert!(forward.cuts <= 3);
    }
}

#[test]
fn large_messages_that_stop_arriving_end_the_session_with_a_name_and_the_next_one_is_small() {
    for limit in [Limit::DropsAbove(HEADER_BYTES + 1024), Limit::CutsAbove(HEADER_BYTES + 1024)] {
        let mut trusting = config();
        trusting.port_payload_is_proven = true;
        let mut forward = Forward::new(trusting, limit);
        assert_eq!(forward.client.send(at(0), &bytes(16 * 1024)), 16 * 1024);
        while forward.client.is_closed().is_none() {
            let moment = forward.moment();
            forward.client.send(moment, b"typed meanwhile");
            while forward.carry() {}
            forward.step();
        }
        let reason = CloseReason::LargeMessagesRefused;
        assert_eq!(forward.client.is_closed(), Some(&reason), "{limit:?}");
        assert_eq!(forward.client.stats().large_messages, LargeMessages::Refused);
        assert!(forward.now < Duration::from_secs(60), "{:?}", forward.now);
        assert!(forward.arrived.is_empty());

        let mut small = config();
        small.port_payload_bytes = 1024;
        let mut next = Forward::new(small, limit);
        let bytes = bytes(100_000);
        next.upload(&bytes);
        assert!(next.arrived == bytes);
        assert_eq!((next.client.stats().large_messages, next.cuts), (LargeMessages::Unused, 0));
    }
}

#[test]
fn shells_and_commands_send_small_messages_however_much_is_pasted() {
    let mut shell = running_client(config());
    assert_eq!(shell.send(at(0), &[b'x'; 100_000]), 100_000);
    let given = client_given(&mut shell);
    assert!(given.data().iter().all(|(.., body)| body.len() <= 1024), "{given:?}");
    assert_eq!(shell.stats().probes, 0);
}

#[test]
fn a_port_session_has_a_window_of_its_own() {
    let mut config = config();
    config.send_window_bytes = 10_000;
    config.port_send_window_bytes = 100_000;
    let mut client = port_client(config);
    let sent = client.send(at(0), &[1; 1_000_000]);
    assert!((80_000..100_000).contains(&sent), "{sent}");
    client_given(&mut client);
    assert!(client.unacked_bytes() <= 100_000);
}

#[test]
fn what_is_taken_but_not_polled_is_known() {
    let mut client = running_client(config());
    client.send(at(0), &[b'x'; 2048]);
    assert_eq!(client.unsent_bytes(), 2 * (1024 + HEADER_BYTES));
    while client.unsent_bytes() > 1024 + HEADER_BYTES {
        assert!(client.poll_output().is_some());
    }
    client_given(&mut client);
    assert_eq!(client.unsent_bytes(), 0);
    client.socket_closed(at(1));
    assert_eq!((client.unsent_bytes(), client.unacked_bytes()), (0, 2 * (1024 + HEADER_BYTES)));
}

#[test]
fn the_disconnect_flag_is_a_big_endian_one_behind_the_data() {
    let mut client = port_client(config());
    client.send(at(1), b"bye");
    client.disconnect_flag(at(1));
    let given = client_given(&mut client);
    let expected = [(1, PayloadType::Output, b"bye".as_slice()), (2, PayloadType::Flag, &[0, 0, 0, 1])];
    assert_eq!(given.data(), expected);
}

#[test]
fn probes_are_frames_that_agents_accept() {
    let mut client = port_client(config());
    client.send(at(0), &[1; 2000]);
    let probe = client.poll_output();
    let Some(ClientOutput::Binary(frame)) = probe else { panic!("{probe:?}") };
    assert!(AgentMessage::decode_as(Decoder::Agent, frame).is_ok());
    assert!(!matches!(client.poll_output(), Some(ClientOutput::Event(ClientEvent::Closed(_)))));
}

#[test]
fn a_single_line_feed_of_a_port_arrives_as_one() {
    // The official client makes a CR of it, also where a remainder of port data happens to be one.
    let mut forward = Forward::new(config(), Limit::None);
    forward.upload(b"\n");
    let bytes = [vec![b'x'; 1024], vec![b'\n']].concat();
    forward.upload(&bytes);
    assert_eq!(forward.arrived, [b"\n".as_slice(), &bytes].concat());
    assert_eq!(forward.sizes, [1, 1024, 1]);
}

#[test]
fn a_port_session_takes_little_ahead_of_its_socket_and_tells_when_it_takes_more() {
    let mut config = config();
    config.port_unsent_bytes = 10 * (1024 + HEADER_BYTES);
    config.port_payload_bytes = 1024;
    let mut client = port_client(config);
    assert_eq!(client.send(at(0), &[1; 50_000]), 10 * 1024);
    assert!(matches!(client.poll_output(), Some(ClientOutput::Binary(_))));
    assert_eq!(client.poll_output(), Some(ClientOutput::Event(ClientEvent::Writable)));
    assert_eq!(client.send(at(0), &[1; 50_000]), 1024, "as much as was polled");
    client.socket_closed(at(1));
    assert_eq!(client.send(at(1), &[1; 50_000]), 0, "no more while away");
}

#[test]
fn a_full_window_is_refilled_with_full_messages() {
    let mut config = config();
    config.port_payload_is_proven = true;
    config.port_send_window_bytes = 100_000;
    let mut client = port_client(config);
    for seq in 1..200 {
        client.send(at(1), &[1; 1_000_000]);
        let sent = sizes(&mut client);
        assert!(!sent.is_empty() && sent.iter().all(|size| *size == 16 * 1024), "{sent:?}");
        client.handle_binary(at(1), ack(seq));
    }
    client.send(at(1), &[1; 1_000_000]);
    assert_eq!(client.send_capacity(), 0);
}
