//! The frame codec of mux sessions.

use bytes::Bytes;
use fleetline_protocol::{
    Moment, MuxCloseReason, MuxConfig, MuxDecoder, MuxEvent, MuxFrame, MuxFrameError, MuxPart, MuxSession,
    MuxStreamId,
};
use proptest::prelude::*;
use serde_json::Value;

fn vectors() -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../vectors/mux.json")).unwrap();
    all["frames"].as_array().unwrap().clone()
}

fn wire(vector: &Value) -> Bytes {
    Bytes::from(hex::decode(vector["frame_hex"].as_str().unwrap()).unwrap())
}

/// All parts in `pieces`; data of one stream that follows itself is joined.
fn decode(pieces: &[Bytes]) -> Result<Vec<MuxPart>, MuxFrameError> {
    let mut decoder = MuxDecoder::new();
    let mut parts: Vec<MuxPart> = Vec::new();
    for piece in pieces {
        let mut piece = piece.clone();
        while let Some(part) = decoder.next(&mut piece)? {
            match (part, parts.last_mut()) {
                (MuxPart::Data(id, more), Some(MuxPart::Data(last, joined))) if id == *last => {
                    *joined = [joined.as_ref(), more.as_ref()].concat().into();
                }
                (part, _) => parts.push(part),
            }
        }
        assert!(piece.is_empty());
    }
    Ok(parts)
}

fn decode_one(bytes: &'static [u8]) -> Result<Vec<MuxPart>, MuxFrameError> {
    decode(&[Bytes::from_static(bytes)])
}

#[test]
fn every_vector_encodes_and_decodes_byte_exact() {
    assert_eq!(vectors().len(), 5);
    for vector in &vectors() {
        let id = MuxStreamId(vector["stream"].as_u64().unwrap().try_into().unwrap());
        let data = Bytes::from(hex::decode(vector["data_hex"].as_str().unwrap()).unwrap());
        let (frame, part) = match vector["command"].as_str().unwrap() {
            "SYN" => (MuxFrame::Syn(id), MuxPart::Syn(id)),
            "FIN" => (MuxFrame::Fin(id), MuxPart::Fin(id)),
            "PSH" => (MuxFrame::Data(id, &data), MuxPart::Data(id, data.clone())),
            "NOP" => (MuxFrame::Nop, MuxPart::Nop),
            other => panic!("unknown command {other}"),
        };
        assert_eq!(frame.encode(), wire(vector), "{vector}");
        assert_eq!(decode(&[wire(vector)]), Ok(vec![part]), "{vector}");
    }
}

#[test]
fn frames_may_be_cut_at_every_offset() {
    let all: Vec<u8> = vectors().iter().flat_map(wire).collect();
    let all = Bytes::from(all);
    let whole = decode(std::slice::from_ref(&all)).unwrap();
    assert_eq!(whole.len(), 5);
    for first in 0..=all.len() {
        for second in first..=all.len() {
            let pieces = [all.slice(..first), all.slice(first..second), all.slice(second..)];
            assert_eq!(decode(&pieces).as_ref(), Ok(&whole), "cut at {first} and {second}");
        }
    }
    let single: Vec<Bytes> = (0..all.len()).map(|at| all.slice(at..=at)).collect();
    assert_eq!(decode(&single), Ok(whole));
}

#[test]
fn only_data_frames_have_a_length_when_written() {
    for frame in [MuxFrame::Syn(MuxStreamId(3)), MuxFrame::Fin(MuxStreamId(3)), MuxFrame::Nop] {
        let wire = frame.encode();
        assert_eq!((wire.len(), &wire[2..4]), (8, &[0_u8, 0][..]), "{frame:?}");
    }
    let long = vec![7; 70_000];
    let wire = MuxFrame::Data(MuxStreamId(3), &long).encode();
    assert_eq!((wire.len(), &wire[2..4]), (8 + 65_535, &[0xff_u8, 0xff][..]));
}

#[test]
fn window_updates_of_version_two_are_skipped() {
    let read = decode_one(b"\x01\x04\x08\x00\x03\0\0\0--------\x01\x02\x02\x00\x03\0\0\0ok");
    let data = MuxPart::Data(MuxStreamId(3), Bytes::from_static(b"ok"));
    assert_eq!(read, Ok(vec![MuxPart::WindowUpdate, data]));
}

#[test]
fn frames_that_are_none_are_told_apart() {
    assert_eq!(decode_one(b"\x02\x00\0\0\x03\0\0\0"), Err(MuxFrameError::Version(2)));
    assert_eq!(decode_one(b"\x01\x05\0\0\x03\0\0\0"), Err(MuxFrameError::Command(5)));
    for command in [0, 1, 3] {
        let wire = Bytes::from(vec![1, command, 4, 0, 3, 0, 0, 0]);
        assert_eq!(decode(&[wire]), Err(MuxFrameError::Length { command, length: 4 }));
    }
}

#[test]
fn a_bad_version_closes_the_session_once_and_for_good() {
    let mut server = MuxSession::new(Moment::default(), MuxConfig::server());
    let bytes =
        Bytes::from_static(b"\x01\0\0\0\x03\0\0\0\x01\x02\x02\0\x03\0\0\0ok\x02\x02\x02\0\x03\0\0\0no");
    let id = MuxStreamId(3);
    for _ in 0..2 {
        server.handle_bytes(Moment::default(), bytes.clone());
    }
    let reason = MuxCloseReason::Frame(MuxFrameError::Version(2));
    let events: Vec<MuxEvent> = std::iter::from_fn(|| server.poll_event()).collect();
    let data = MuxEvent::Data { id, bytes: Bytes::from_static(b"ok") };
    assert_eq!(events, [MuxEvent::Opened(id), data, MuxEvent::Closed(reason)]);
    assert_eq!(server.closed(), Some(reason));
    assert!(server.write(Moment::default(), id, b"x").is_err());
    assert_eq!((server.poll_transmit(Moment::default(), 99), server.poll_timeout()), (None, None));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(data in any::<Vec<u8>>()) {
        crate::corpus::mux_frame::run(&data);
    }

    #[test]
    fn frames_with_some_noise_never_panic(
        frames in prop::collection::vec((0..6_u8, 0..6_u8, 0..12_u16, any::<[u8; 12]>(), 0..13_usize), 0..40),
    ) {
        let mut wire = Vec::new();
        for (command, id, length, data, keep) in frames {
            let length = if command == 2 { length } else { length / 11 };
            wire.extend_from_slice(&[1, command % 5, length.to_le_bytes()[0], 0, id, 0, 0, 0]);
            let follows = if keep == 0 { 5 } else { usize::from(length) };
            wire.extend_from_slice(&data[..follows.min(data.len())]);
        }
        crate::corpus::mux_frame::run(&wire);
    }
}
