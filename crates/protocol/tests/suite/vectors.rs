//! The recorded vectors, byte for byte.

use bytes::Bytes;
use fleetline_protocol::{
    AcknowledgeContent, AgentMessage, AgentSessionState, ChannelClosed, DecodeError, Decoder, Flags,
    HandshakeComplete, HandshakeRequest, HandshakeResponse, MessageType, OpenMessage, Opener, PayloadType,
    StreamToken, TerminalSize,
};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/data-channel.json")).unwrap()
}

fn list(name: &str) -> Vec<Value> {
    vectors()[name].as_array().unwrap().clone()
}

fn bytes(value: &Value, member: &str) -> Bytes {
    Bytes::from(hex::decode(value[member].as_str().unwrap()).unwrap())
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

fn tolerance(name: &str) -> Bytes {
    let all = list("tolerance");
    bytes(all.iter().find(|entry| text(entry, "name") == name).unwrap(), "frame_hex")
}

fn payload(name: &str) -> Bytes {
    let all = list("frames");
    bytes(all.iter().find(|entry| text(entry, "name") == name).unwrap(), "payload_hex")
}

#[test]
fn every_frame_encodes_and_decodes_byte_exact() {
    let frames = list("frames");
    assert_eq!(frames.len(), 26);
    for vector in &frames {
        let (name, fields, wire) = (text(vector, "name"), &vector["fields"], bytes(vector, "frame_hex"));
        let message = AgentMessage {
            message_type: MessageType::from_name(text(fields, "MessageType")).unwrap(),
            schema_version: fields["SchemaVersion"].as_u64().unwrap().try_into().unwrap(),
            created_ms: fields["CreatedDate"].as_u64().unwrap(),
            seq: fields["SequenceNumber"].as_i64().unwrap(),
            flags: Flags(fields["Flags"].as_u64().unwrap()),
            id: text(fields, "MessageId").parse().unwrap(),
            payload_type: PayloadType::from_wire(fields["PayloadType"].as_u64().unwrap().try_into().unwrap()),
            payload: bytes(vector, "payload_hex"),
        };
        assert_eq!(hex::encode(message.encode()), hex::encode(&wire), "{name}");
        assert_eq!(AgentMessage::decode(wire.clone()), Ok(message.clone()), "{name}");
        assert_eq!(AgentMessage::decode_as(Decoder::Agent, wire), Ok(message), "{name}");
    }
}

#[test]
fn every_tolerance_entry_gives_the_advised_result_for_a_client() {
    let expected = [
        ("digest_mismatch", Some(DecodeError::Digest)),
        ("nul_padded_type", None),
        ("created_date_zero", Some(DecodeError::CreatedDate)),
        ("payload_length_short", Some(DecodeError::PayloadLength { announced: 1, actual: 3 })),
        ("payload_length_zero_bad_digest", Some(DecodeError::PayloadLength { announced: 0, actual: 3 })),
        ("header_length_zero", Some(DecodeError::HeaderLength(0))),
        ("header_length_200", Some(DecodeError::HeaderLength(200))),
        ("truncated_119", Some(DecodeError::TooShort(119))),
        ("truncated_80", Some(DecodeError::TooShort(80))),
        ("empty_payload_120", None),
        ("start_publication_zeroes", None),
    ];
    assert_eq!(list("tolerance").len(), expected.len());
    for (name, error) in expected {
        assert_eq!(AgentMessage::decode(tolerance(name)).err(), error, "{name}");
    }
    let nul_padded = AgentMessage::decode(tolerance("nul_padded_type")).unwrap();
    assert_eq!(
        (nul_padded.message_type, nul_padded.payload),
        (MessageType::OutputStreamData, Bytes::from("abc"))
    );
    assert!(AgentMessage::decode(tolerance("empty_payload_120")).unwrap().payload.is_empty());
}

#[test]
fn agents_check_dates_of_publications_but_no_digests() {
    let decode = |name| AgentMessage::decode_as(Decoder::Agent, tolerance(name));
    assert!(decode("digest_mismatch").is_ok());
    assert_eq!(decode("start_publication_zeroes"), Err(DecodeError::CreatedDate));
    assert_eq!(decode("created_date_zero"), Err(DecodeError::CreatedDate));
    assert_eq!(decode("header_length_200"), Err(DecodeError::HeaderLength(200)));
}

#[test]
fn every_json_body_is_read_and_written_back_byte_exact() {
    let check = |name: &str, write: fn(&[u8]) -> String| {
        let body = payload(name);
        assert_eq!(write(&body), std::str::from_utf8(&body).unwrap(), "{name}");
    };
    check("ack_of_output_first_shell", |b| AcknowledgeContent::decode(b).unwrap().encode());
    check("ack_of_input_ls", |b| AcknowledgeContent::decode(b).unwrap().encode());
    check("handshake_request_port", |b| HandshakeRequest::decode(b).unwrap().encode());
    check("handshake_request_shell_kms", |b| HandshakeRequest::decode(b).unwrap().encode());
    check("handshake_response_port", |b| HandshakeResponse::decode(b).unwrap().encode());
    check("handshake_response_kms", |b| HandshakeResponse::decode(b).unwrap().encode());
    check("handshake_complete", |b| HandshakeComplete::decode(b).unwrap().encode());
    check("size_80x24", |b| TerminalSize::decode(b).unwrap().encode());
    check("agent_session_state_connected", |b| AgentSessionState::decode(b).unwrap().encode());
    check("channel_closed_to_client", |b| ChannelClosed::decode(b).unwrap().encode());
}

#[test]
fn open_messages_are_written_and_read_byte_exact() {
    let messages = &vectors()["text_messages"];
    let request_id = "00112233-4455-4677-8899-aabbccddeeff".to_owned();
    let client = Opener::Client {
        client_id: "f81d4fae-7dec-41d0-a765-00a0c91e6bf6".to_owned(),
        client_version: Some("1.2.677.0".to_owned()),
    };
    let agent = Opener::Agent { instance_id: "i-0abcdef1234567890".to_owned() };
    for (name, opener) in [("open_data_channel_client", client), ("open_data_channel_agent", agent)] {
        let open = OpenMessage { request_id: request_id.clone(), token: StreamToken::new("TOKEN"), opener };
        assert_eq!(open.encode().as_str(), text(messages, name));
        let read = OpenMessage::decode(text(messages, name)).unwrap();
        assert_eq!(
            (&read.request_id, read.token.expose(), &read.opener),
            (&request_id, "TOKEN", &open.opener)
        );
    }
}

#[test]
fn readers_match_names_in_any_case_and_skip_unknown_members() {
    let content = br#"{"x":[{}],"acknowledgedmessagesequencenumber":7,"ACKNOWLEDGEDMESSAGETYPE":"t"}"#;
    let content = AcknowledgeContent::decode(content).unwrap();
    assert_eq!((content.seq, content.message_type.as_str()), (7, "t"));
    let size = TerminalSize::decode(br#"{"Rows":70000,"COLS":132}"#).unwrap();
    assert_eq!(size, TerminalSize { cols: 132, rows: u16::MAX });
    let open = OpenMessage::decode(r#"{"tokenvalue":"t","Extra":{"a":[1]},"clientid":"c"}"#).unwrap();
    assert_eq!(open.opener, Opener::Client { client_id: "c".to_owned(), client_version: None });
}

#[test]
fn tokens_never_show_in_debug_output() {
    let open = OpenMessage::decode(r#"{"TokenValue":"very-secret","ClientId":""}"#).unwrap();
    assert!(!format!("{open:?}").contains("very-secret"));
}
