//! What the fuzz target `mux_frame` does with its input. The tests of fleetline-protocol replay the corpus through it.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use fleetline_protocol::{
    Moment, MuxConfig, MuxDecoder, MuxEvent, MuxFrame, MuxFrameError, MuxPart, MuxSession, MuxStreamId,
};

/// Enough calls that a session which never stops giving out is noticed.
const MANY: usize = 10_000;

/// Any bytes as what a peer sends: into the codec, cut in several ways, and into both roles.
pub(crate) fn run(data: &[u8]) {
    let whole = decode(data, usize::MAX);
    for cut in [1, 3, 8] {
        assert_eq!(decode(data, cut), whole, "cut every {cut} bytes");
    }
    round_trip(&whole.0);
    drive(data, MuxConfig::client());
    drive(data, MuxConfig::server());
    let small = MuxConfig {
        max_streams: 2,
        stream_budget_bytes: 4,
        session_budget_bytes: 8,
        send_budget_bytes: 4,
        ..MuxConfig::server()
    };
    drive(data, small);
}

/// All parts, with the data of neighbouring ones joined, and the error that stopped it.
fn decode(data: &[u8], cut: usize) -> (Vec<MuxPart>, Option<MuxFrameError>) {
    let mut decoder = MuxDecoder::new();
    let mut parts: Vec<MuxPart> = Vec::new();
    for chunk in data.chunks(cut.min(data.len()).max(1)) {
        let mut chunk = Bytes::copy_from_slice(chunk);
        loop {
            match (decoder.next(&mut chunk), parts.last_mut()) {
                (Ok(Some(MuxPart::Data(id, more))), Some(MuxPart::Data(last, joined))) if id == *last => {
                    *joined = [joined.as_ref(), more.as_ref()].concat().into();
                }
                (Ok(Some(part)), _) => parts.push(part),
                (Ok(None), _) => break,
                (Err(error), _) => return (parts, Some(error)),
            }
        }
        assert!(!chunk.has_remaining(), "bytes were left over");
    }
    (parts, None)
}

/// What was read, written again and read again.
fn round_trip(parts: &[MuxPart]) {
    let mut wire = BytesMut::new();
    for part in parts {
        match part {
            MuxPart::Syn(id) => MuxFrame::Syn(*id).encode_into(&mut wire),
            MuxPart::Fin(id) => MuxFrame::Fin(*id).encode_into(&mut wire),
            MuxPart::Nop => MuxFrame::Nop.encode_into(&mut wire),
            MuxPart::Data(id, bytes) => {
                for frame in bytes.chunks(usize::from(u16::MAX)) {
                    MuxFrame::Data(*id, frame).encode_into(&mut wire);
                }
            }
            MuxPart::WindowUpdate => {
                wire.extend_from_slice(&[1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            }
        }
    }
    assert_eq!(decode(&wire, usize::MAX), (parts.to_vec(), None));
}

fn drive(data: &[u8], config: MuxConfig) {
    let mut session = MuxSession::new(at(0), config);
    let own = session.open(at(0)).ok();
    let mut seconds = 0;
    for chunk in data.chunks(24) {
        seconds += 1;
        session.handle_bytes(at(seconds), Bytes::copy_from_slice(chunk));
        let mut calls = 0;
        while let Some(event) = session.poll_event() {
            calls += 1;
            assert!(calls < MANY, "a session never stops giving out");
            answer(&mut session, at(seconds), event);
        }
        if let Some(id) = own {
            let _ = session.write(at(seconds), id, chunk);
        }
        for _ in 0..chunk.len() % 4 {
            let out = session.poll_transmit(at(seconds), 7);
            assert!(out.is_none_or(|out| out.len() <= 7));
        }
        if session.poll_timeout().is_some_and(|due| due <= at(seconds).elapsed) {
            session.handle_timeout(at(seconds));
        }
    }
    let mut calls = 0;
    while session.poll_transmit(at(seconds), 4096).is_some() {
        calls += 1;
        assert!(calls < MANY, "a session never stops giving out");
    }
    assert!(!session.wants_transmit());
}

/// Some owner: it answers, is slow with some streams and done early with others.
fn answer(session: &mut MuxSession, now: Moment, event: MuxEvent) {
    match event {
        MuxEvent::Opened(id) => {
            let _ = session.write(now, id, b"hello");
        }
        MuxEvent::Data { id: MuxStreamId(number), bytes } => {
            let id = MuxStreamId(number);
            match number % 4 {
                0 => session.consumed(now, id, bytes.len()),
                1 => session.finish(now, id),
                2 => session.reset(id),
                _ => {}
            }
        }
        _ => {}
    }
}

fn at(seconds: u64) -> Moment {
    Moment::new(Duration::from_secs(seconds), 1_700_000_000_000)
}
