//! What the core costs for each message and each gigabyte, without sockets:
//! `cargo bench -p fleetline-protocol` prints medians. Figures, never pass or fail.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints and may stop")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use fleetline_protocol::{
    AcknowledgeContent, AgentChannel, AgentConfig, AgentMessage, AgentOutput, ClientChannel, ClientConfig,
    ClientEvent, ClientOutput, Flags, MessageId, MessageType, Moment, MuxConfig, MuxEvent, MuxFrame,
    MuxSession, MuxStreamId, PayloadType, SessionId, StreamToken,
};

/// Bytes that each measured run moves.
const RUN_BYTES: usize = 32 * 1024 * 1024;
const RUNS: usize = 7;

fn at(ms: u64) -> Moment {
    Moment::new(Duration::from_millis(ms), 1_700_000_000_000 + ms)
}

fn message(message_type: MessageType, seq: i64, payload_type: PayloadType, payload: Vec<u8>) -> Bytes {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&seq.to_be_bytes());
    AgentMessage {
        message_type,
        schema_version: 1,
        created_ms: 1_700_000_000_000,
        seq,
        flags: Flags::NONE,
        id: MessageId::from_random(id),
        payload_type,
        payload: payload.into(),
    }
    .encode()
}

fn acknowledgement(seq: i64) -> Bytes {
    let content = AcknowledgeContent {
        message_type: "input_stream_data".to_owned(),
        message_id: MessageId::from_random([7; 16]).to_string(),
        seq,
        is_sequential: true,
    };
    message(MessageType::Acknowledge, 0, PayloadType::Unset, content.encode().into())
}

/// A client in a shell without a handshake that sends messages of that size.
fn client(payload_bytes: usize) -> ClientChannel {
    let mut config = ClientConfig::new([1; 32]);
    config.payload_bytes = payload_bytes;
    let mut client = ClientChannel::new(config);
    client.socket_opened(at(0), &StreamToken::new("T"));
    client.handle_binary(at(0), message(MessageType::OutputStreamData, 0, PayloadType::Output, vec![b'$']));
    while client.poll_output().is_some() {}
    client.consumed(at(0), 1);
    client
}

/// Frames come in, data goes to a consumer, acknowledgements go out.
fn download(payload_bytes: usize) -> (Duration, usize) {
    let count = RUN_BYTES / payload_bytes;
    let frame = |position: usize| {
        let payload = vec![position as u8; payload_bytes];
        message(MessageType::OutputStreamData, position as i64 + 1, PayloadType::Output, payload)
    };
    let frames: Vec<Bytes> = (0..count).map(frame).collect();
    let mut client = client(1024);
    let (mut taken, mut out) = (0, 0);
    let start = Instant::now();
    for (position, frame) in frames.into_iter().enumerate() {
        let now = at(position as u64 / 20);
        client.handle_binary(now, frame);
        while let Some(output) = client.poll_output() {
            match output {
                ClientOutput::Event(ClientEvent::Data { bytes, .. }) => {
                    taken += bytes.len();
                    client.consumed(now, bytes.len());
                }
                ClientOutput::Binary(frame) => out += frame.len(),
                _ => {}
            }
        }
        std::hint::black_box(client.poll_timeout());
    }
    let took = start.elapsed();
    assert!(taken == count * payload_bytes && out > count * 296);
    (took, count)
}

/// Data goes out as the window allows, acknowledgements come in.
fn upload(payload_bytes: usize) -> (Duration, usize) {
    let count = RUN_BYTES / payload_bytes;
    let acks: Vec<Bytes> = (0..count as i64).map(acknowledgement).collect();
    let mut client = client(payload_bytes);
    let bytes = vec![7; 64 * 1024];
    let (mut sent, mut out, mut acked) = (0, 0, 0);
    let start = Instant::now();
    while acked < count {
        let now = at(acked as u64 / 20);
        while sent < RUN_BYTES {
            let taken = client.send(now, &bytes[..bytes.len().min(RUN_BYTES - sent)]);
            sent += taken;
            if taken == 0 {
                break;
            }
        }
        while let Some(output) = client.poll_output() {
            if let ClientOutput::Binary(frame) = output {
                std::hint::black_box(&frame);
                out += 1;
            }
        }
        for ack in acks.get(acked..out.min(acked + 64)).unwrap() {
            client.handle_binary(now, ack.clone());
            acked += 1;
        }
        std::hint::black_box(client.poll_timeout());
    }
    (start.elapsed(), count)
}

/// What a simulated agent pays to send.
fn agent_download() -> (Duration, usize) {
    let count = RUN_BYTES / 1024;
    let acks: Vec<Bytes> = (0..count as i64).map(acknowledgement).collect();
    let mut agent = AgentChannel::new(AgentConfig::new("i-1", SessionId::new("s-1"), [2; 32]));
    agent.socket_opened(at(0), &StreamToken::new("T"));
    agent.ready(at(0));
    while agent.poll_output().is_some() {}
    let bytes = vec![7; 1024];
    let start = Instant::now();
    for (position, ack) in acks.into_iter().enumerate() {
        let now = at(position as u64 / 20);
        assert_eq!(agent.send(now, PayloadType::Output, &bytes), 1024);
        while let Some(output) = agent.poll_output() {
            if let AgentOutput::Binary(frame) = output {
                std::hint::black_box(frame);
            }
        }
        agent.handle_binary(now, ack);
        std::hint::black_box(agent.poll_timeout());
    }
    (start.elapsed(), count)
}

/// A mux session with idle neighbours takes one bulk stream in pieces of a message.
fn mux_in() -> (Duration, usize) {
    let mut session = MuxSession::new(at(0), MuxConfig::client());
    let ids: Vec<MuxStreamId> = (0..200).map(|_| session.open(at(0)).unwrap()).collect();
    while session.poll_transmit(at(0), 65_536).is_some() {}
    let frame = MuxFrame::Data(ids[0], &vec![1; 32_768]).encode();
    let frames = RUN_BYTES / 32_768;
    let mut count = 0;
    let start = Instant::now();
    for _ in 0..frames {
        let mut rest = frame.clone();
        while !rest.is_empty() {
            count += 1;
            let piece = rest.split_to(rest.len().min(1024));
            session.handle_bytes(at(1), piece);
            while let Some(event) = session.poll_event() {
                if let MuxEvent::Data { id, bytes } = event {
                    session.consumed(at(1), id, bytes.len());
                }
            }
            std::hint::black_box(session.poll_timeout());
        }
    }
    (start.elapsed(), count)
}

/// A mux session with idle neighbours sends one bulk stream in messages of 16 KiB.
fn mux_out() -> (Duration, usize) {
    let mut session = MuxSession::new(at(0), MuxConfig::client());
    let ids: Vec<MuxStreamId> = (0..200).map(|_| session.open(at(0)).unwrap()).collect();
    while session.poll_transmit(at(0), 65_536).is_some() {}
    let bytes = vec![7; 65_536];
    let (mut written, mut count) = (0, 0);
    let start = Instant::now();
    while written < RUN_BYTES {
        written += session.write(at(1), ids[0], &bytes).unwrap();
        while let Some(out) = session.poll_transmit(at(1), 16_384) {
            std::hint::black_box(out);
            count += 1;
        }
        while session.poll_event().is_some() {}
        std::hint::black_box(session.poll_timeout());
    }
    (start.elapsed(), count)
}

fn report(name: &str, run: impl Fn() -> (Duration, usize)) {
    let mut runs: Vec<(Duration, usize)> = (0..RUNS).map(|_| run()).collect();
    runs.sort();
    let (took, count) = runs[RUNS / 2];
    let seconds = took.as_secs_f64();
    println!(
        "{name:<32} {:>8.1} MB/s {:>8.0} ns each {:>7.2} s per GB",
        RUN_BYTES as f64 / 1e6 / seconds,
        seconds * 1e9 / count as f64,
        seconds * 1e9 / RUN_BYTES as f64
    );
}

fn main() {
    report("client down, 1024 B", || download(1024));
    report("client up, 1024 B", || upload(1024));
    report("client up, 16 KiB", || upload(16 * 1024));
    report("client up, 128 KiB", || upload(128 * 1024));
    report("agent down, 1024 B", agent_download);
    report("mux in, 1024 B pieces", mux_in);
    report("mux out, 16 KiB pieces", mux_out);
}
