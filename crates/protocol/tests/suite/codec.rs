//! The codec against arbitrary input.

use bytes::Bytes;
use fleetline_protocol::{
    AcknowledgeContent, AgentMessage, AgentSessionState, ChannelClosed, Decoder, Flags, HandshakeComplete,
    HandshakeRequest, HandshakeResponse, MessageId, MessageType, OpenMessage, PayloadType, TerminalSize,
};
use proptest::prelude::*;

use crate::peer;

/// A good frame with its first bytes replaced, so that the checks behind the first one are reached as well.
fn nearly_good() -> impl Strategy<Value = Vec<u8>> {
    let good = peer::output(3, "abc").to_vec();
    (0..good.len(), any::<Vec<u8>>(), 0..300_usize).prop_map(move |(from, noise, keep)| {
        let mut frame = good.clone();
        for (slot, byte) in frame.iter_mut().skip(from).zip(noise) {
            *slot = byte;
        }
        frame.truncate(keep);
        frame
    })
}

proptest! {
    #[test]
    fn random_bytes_never_panic(frame in prop_oneof![any::<Vec<u8>>(), nearly_good()]) {
        for decoder in [Decoder::Client, Decoder::Agent] {
            if let Ok(message) = AgentMessage::decode_as(decoder, Bytes::from(frame.clone())) {
                prop_assert_eq!(message.payload.len() + 120, frame.len());
            }
        }
    }

    #[test]
    fn random_json_never_panics(body in prop_oneof![any::<Vec<u8>>(), "[\\[\\]{}\":,a-zA-Z0-9.-]{0,80}".prop_map(String::into_bytes)]) {
        let _ = (AcknowledgeContent::decode(&body), ChannelClosed::decode(&body), AgentSessionState::decode(&body));
        let _ = (HandshakeRequest::decode(&body), HandshakeResponse::decode(&body), HandshakeComplete::decode(&body));
        let _ = TerminalSize::decode(&body);
        let _ = std::str::from_utf8(&body).map(OpenMessage::decode);
    }

    #[test]
    fn what_is_encoded_is_decoded(
        name in "[a-z_]{1,32}",
        (schema_version, created_ms, seq, flags) in (any::<u32>(), 1..u64::MAX, any::<i64>(), any::<u64>()),
        (id, payload_type, payload) in (any::<[u8; 16]>(), any::<u32>(), any::<Vec<u8>>()),
    ) {
        let message = AgentMessage {
            message_type: MessageType::from_name(&name).unwrap(),
            schema_version, created_ms, seq, flags: Flags(flags), id: MessageId(id),
            payload_type: PayloadType::from_wire(payload_type),
            payload: Bytes::from(payload),
        };
        prop_assert_eq!(AgentMessage::decode(message.encode()), Ok(message));
    }
}

#[test]
fn every_length_up_to_200_is_survived() {
    let good = peer::output(0, [b'x'; 80]);
    for length in 0..=good.len() {
        let cut = AgentMessage::decode(good.slice(..length));
        assert_eq!(cut.is_ok(), length == good.len(), "{length}");
        for fill in [0x00, 0x20, 0x74, 0xff] {
            let frame = Bytes::from(vec![fill; length]);
            assert!(AgentMessage::decode(frame.clone()).is_err());
            assert!(AgentMessage::decode_as(Decoder::Agent, frame).is_err());
        }
    }
}

#[test]
fn oversized_open_messages_are_refused() {
    let long = format!("{{\"TokenValue\":\"{}\"}}", "x".repeat(20_000));
    assert!(OpenMessage::decode(&long).is_err());
}
