//! No queue grows with a slow reader or a silent peer: what the allocator gave, counted.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{
    AcknowledgeContent, AgentChannel, AgentConfig, AgentEvent, AgentMessage, AgentOutput, ClientChannel,
    ClientConfig, ClientEvent, ClientOutput, Flags, HandshakeComplete, HandshakeRequest, MessageId,
    MessageType, Moment, MuxConfig, MuxEvent, MuxFrame, MuxSession, MuxStreamId, PayloadType,
    RequestedAction, SessionId, StreamToken,
};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// What one session may hold, whatever the other side does.
const LIMIT: usize = 32 * 1024 * 1024;
/// What a paced agent sends in a minute.
const MINUTE_OF_MESSAGES: i64 = 60_000;

/// The allocator counts the whole process, so that one test runs at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How far the highest use of memory was above that at the start.
fn growth(work: impl FnOnce()) -> usize {
    ALLOCATED.reset_peak_usage();
    let before = ALLOCATED.current_usage();
    work();
    ALLOCATED.peak_usage().saturating_sub(before)
}

fn at(ms: u64) -> Moment {
    Moment::new(Duration::from_millis(ms), 1_700_000_000_000 + ms)
}

fn frame(message_type: MessageType, seq: i64, payload_type: PayloadType, payload: impl Into<Bytes>) -> Bytes {
    AgentMessage {
        message_type,
        schema_version: 1,
        created_ms: 1,
        seq,
        flags: Flags::NONE,
        id: MessageId::from_random([7; 16]),
        payload_type,
        payload: payload.into(),
    }
    .encode()
}

fn output(seq: i64, bytes: usize) -> Bytes {
    frame(MessageType::OutputStreamData, seq, PayloadType::Output, vec![b'y'; bytes])
}

fn acknowledgement(seq: i64) -> Bytes {
    let (message_type, message_id) = ("input_stream_data".to_owned(), String::new());
    let content = AcknowledgeContent { message_type, message_id, seq, is_sequential: true };
    frame(MessageType::Acknowledge, 0, PayloadType::Unset, content.encode())
}

fn shell() -> ClientChannel {
    let mut client = ClientChannel::new(ClientConfig::new([1; 32]));
    client.socket_opened(at(0), &StreamToken::new("T"));
    client.handle_binary(at(0), output(0, 1));
    drain(&mut client);
    client.consumed(at(0), 1);
    client
}

fn port_session() -> ClientChannel {
    let mut client = ClientChannel::new(ClientConfig::new([1; 32]));
    client.socket_opened(at(0), &StreamToken::new("T"));
    let port =
        RequestedAction::SessionType { session_type: "Port".to_owned(), properties: Default::default() };
    let request = HandshakeRequest { agent_version: "3.3.987.0".to_owned(), actions: vec![port] }.encode();
    let complete = HandshakeComplete::default().encode();
    let kind = MessageType::OutputStreamData;
    client.handle_binary(at(0), frame(kind.clone(), 0, PayloadType::HandshakeRequest, request));
    client.handle_binary(at(0), frame(kind, 1, PayloadType::HandshakeComplete, complete));
    drain(&mut client);
    client.handle_binary(at(0), acknowledgement(0));
    client
}

/// Takes everything and keeps nothing. How many data bytes and how many frames that was.
fn drain(client: &mut ClientChannel) -> (usize, usize) {
    let (mut bytes, mut frames) = (0, 0);
    while let Some(given) = client.poll_output() {
        match given {
            ClientOutput::Event(ClientEvent::Data { bytes: data, .. }) => bytes += data.len(),
            ClientOutput::Binary(_) => frames += 1,
            _ => {}
        }
    }
    (bytes, frames)
}

#[test]
fn yes_into_a_frozen_consumer_for_a_minute_stays_bounded_and_input_is_still_acknowledged() {
    let _alone = alone();
    let mut client = shell();
    // The consumer holds what it was given.
    let mut held = Vec::new();
    let grown = growth(|| {
        for seq in 1..MINUTE_OF_MESSAGES {
            let now = at(seq as u64);
            client.handle_binary(now, output(seq, 1024));
            while let Some(given) = client.poll_output() {
                if let ClientOutput::Event(ClientEvent::Data { bytes, .. }) = given {
                    held.push(bytes);
                }
            }
        }
        assert_eq!(client.send(at(60_001), b"\x03"), 1);
        drain(&mut client);
        client.handle_binary(at(60_002), acknowledgement(0));
        assert_eq!(client.unacked_bytes(), 0, "echo does not wait for the consumer");
    });
    assert!(grown < LIMIT, "{grown} bytes");
    let given: usize = held.iter().map(Bytes::len).sum();
    assert_eq!(given, 4 * 1024 * 1024, "the receive budget");
    assert!(client.stats().overflowed > 0);
}

#[test]
fn an_owner_whose_socket_takes_nothing_and_who_takes_nothing_stays_bounded() {
    let _alone = alone();
    let mut client = shell();
    let grown = growth(|| {
        for seq in 1..MINUTE_OF_MESSAGES {
            client.handle_binary(at(seq as u64), output(seq, 1024));
            // The agent repeats what it takes for lost.
            client.handle_binary(at(seq as u64), output(0, 1));
            client.send(at(seq as u64), &[b'x'; 4096]);
        }
    });
    assert!(grown < LIMIT, "{grown} bytes");
    assert!(client.stats().acks_withheld > 0);
}

#[test]
fn an_agent_that_never_acknowledges_blocks_the_sender_at_its_window() {
    let _alone = alone();
    for (mut client, window) in [(shell(), 1024 * 1024), (port_session(), 2 * 1024 * 1024)] {
        let mut taken = 0;
        let grown = growth(|| {
            for ms in 0..60_000 {
                taken += client.send(at(ms), &[b'x'; 16 * 1024]);
                client.handle_timeout(at(ms));
                drain(&mut client);
            }
        });
        assert!(grown < 2 * window && taken < window, "{grown} bytes held, {taken} taken");
        assert!(client.stats().retransmits > 0);
    }
}

#[test]
fn an_agent_that_acknowledges_all_but_one_message_gains_nothing() {
    let _alone = alone();
    let mut client = shell();
    let grown = growth(|| {
        for round in 0..100_000 {
            client.send(at(round), &[b'x'; 1024]);
            drain(&mut client);
            client.handle_binary(at(round), acknowledgement(round as i64 + 1));
        }
    });
    assert!(grown < 4 * 1024 * 1024, "{grown} bytes");
}

#[test]
fn duplicates_garbage_and_early_messages_leave_nothing_behind() {
    let _alone = alone();
    let mut client = shell();
    let grown = growth(|| {
        for round in 0..200_000_i64 {
            client.handle_binary(at(round as u64), output(0, 100));
            client.handle_binary(at(round as u64), output(i64::MAX - round, 1024));
            client.handle_binary(at(round as u64), acknowledgement(round));
            client.handle_binary(at(round as u64), Bytes::from_static(&[0x74; 300]));
            drain(&mut client);
        }
    });
    assert!(grown < LIMIT, "{grown} bytes");
    client.close(at(200_001));
    drain(&mut client);
}

#[test]
fn a_bulk_download_with_a_reader_holds_next_to_nothing() {
    let _alone = alone();
    let mut client = shell();
    let mut total = 0;
    let grown = growth(|| {
        for seq in 1..200_000 {
            client.handle_binary(at(seq as u64), output(seq, 1024));
            let (bytes, _) = drain(&mut client);
            client.consumed(at(seq as u64), bytes);
            total += bytes;
        }
    });
    assert_eq!(total, 199_999 * 1024);
    assert!(grown < 256 * 1024, "{grown} bytes");
}

#[test]
fn a_forward_whose_peer_never_reads_ends_alone_and_the_others_go_on() {
    let _alone = alone();
    let mut session = MuxSession::new(at(0), MuxConfig::client());
    let (frozen, alive) = (session.open(at(0)).unwrap(), session.open(at(0)).unwrap());
    while session.poll_transmit(at(0), 4096).is_some() {}
    let flood = MuxFrame::Data(frozen, &[1; 32_768]).encode();
    let trickle = MuxFrame::Data(alive, &[2; 100]).encode();
    let (mut held, mut heard, mut is_reset) = (Vec::new(), 0, false);
    let grown = growth(|| {
        for round in 0..2000 {
            for frame in [&flood, &trickle] {
                session.handle_bytes(at(round), Bytes::copy_from_slice(frame));
                while let Some(event) = session.poll_event() {
                    match event {
                        MuxEvent::Data { id, bytes } if id == frozen => held.push(bytes),
                        MuxEvent::Data { id, bytes } => {
                            heard += bytes.len();
                            session.consumed(at(round), id, bytes.len());
                        }
                        MuxEvent::Reset { id, .. } => {
                            assert_eq!(id, frozen);
                            is_reset = true;
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
    });
    assert!(is_reset && heard == 200_000, "{heard}");
    assert!(grown < 8 * 1024 * 1024, "{grown} bytes");
}

#[test]
fn streams_that_come_and_go_leave_nothing_behind() {
    let _alone = alone();
    let mut server = MuxSession::new(at(0), MuxConfig::server());
    let grown = growth(|| {
        for number in 1..100_000_u32 {
            let id = MuxStreamId(2 * number + 1);
            for frame in [MuxFrame::Syn(id), MuxFrame::Data(id, b"request"), MuxFrame::Fin(id)] {
                server.handle_bytes(at(number.into()), frame.encode());
            }
            while let Some(event) = server.poll_event() {
                if let MuxEvent::Data { id, bytes } = event {
                    server.consumed(at(number.into()), id, bytes.len());
                }
            }
            while server.poll_transmit(at(number.into()), 4096).is_some() {}
        }
    });
    assert!(grown < 64 * 1024, "{grown} bytes");
    assert_eq!(server.open_streams(), 0);
}

#[test]
fn a_thousand_idle_forwards_are_small() {
    let _alone = alone();
    let mut forwards = Vec::with_capacity(1000);
    let grown = growth(|| {
        for _ in 0..1000 {
            forwards.push((port_session(), MuxSession::new(at(0), MuxConfig::client())));
        }
    });
    let each = grown / forwards.len();
    assert!(each < 16 * 1024, "{each} bytes each");
    assert!(
        forwards
            .iter()
            .all(|(client, session)| { client.poll_timeout().is_none() && session.poll_timeout().is_none() })
    );
}

#[test]
fn an_agent_holds_its_window_for_a_client_that_never_acknowledges() {
    let _alone = alone();
    let mut agent = AgentChannel::new(AgentConfig::new("i-1", SessionId::new("s-1"), [2; 32]));
    agent.socket_opened(at(0), &StreamToken::new("T"));
    agent.ready(at(0));
    let mut blocked = 0;
    let grown = growth(|| {
        for ms in 0..60_000 {
            blocked += u32::from(agent.send(at(ms), PayloadType::Output, &[b'y'; 1024]) == 0);
            agent.handle_timeout(at(ms));
            while let Some(given) = agent.poll_output() {
                assert!(!matches!(given, AgentOutput::Event(AgentEvent::Drained)));
            }
        }
    });
    assert!(grown < 2 * 1024 * 1024 && blocked > 50_000, "{grown} bytes, {blocked} blocked");
}
