//! Sockets: the open message, resuming, and the ends of a session.

use std::collections::HashSet;

use fleetline_protocol::{
    ChannelClosed, ClientChannel, ClientEvent, CloseReason, DataStream, MessageType, OpenMessage, Opener,
    PayloadType, Publication,
};

use crate::peer::{
    ack, agent_config, agent_given, at, client_given, config, from_agent, from_gateway, open_client, output,
    request, running_client, session_type, token,
};

fn closed(output: &str) -> bytes::Bytes {
    let body = ChannelClosed { output: output.to_owned(), ..ChannelClosed::default() };
    from_gateway(MessageType::ChannelClosed, body.encode().as_bytes())
}

#[test]
fn the_open_message_comes_first_with_a_new_request_id_and_a_constant_client_id() {
    let mut client = ClientChannel::new(config());
    let (mut request_ids, mut client_ids) = (HashSet::new(), HashSet::new());
    for socket in 0..3 {
        client.socket_opened(at(socket), &token(&format!("token-{socket}")));
        let first = client.poll_output();
        let Some(fleetline_protocol::ClientOutput::Text(text)) = first else { panic!("{first:?}") };
        let names = ["MessageSchemaVersion", "RequestId", "TokenValue", "ClientId", "ClientVersion"];
        let positions: Vec<_> =
            names.iter().map(|name| text.find(&format!("\"{name}\":")).unwrap()).collect();
        assert!(positions.is_sorted());
        let open = OpenMessage::decode(&text).unwrap();
        assert_eq!(open.token.expose(), format!("token-{socket}"));
        let Opener::Client { client_id, client_version } = open.opener else { panic!("not a client") };
        assert_eq!(client_version.as_deref(), Some("1.2.764.0"));
        request_ids.insert(open.request_id);
        client_ids.insert(client_id);
        client_given(&mut client);
        client.handle_binary(at(socket), output(0, "$ "));
        client.send(at(socket), b"x");
    }
    assert_eq!((request_ids.len(), client_ids.len()), (3, 1));
}

#[test]
fn resuming_keeps_the_sequence_state_and_repeats_no_handshake() {
    let mut client = open_client(config());
    client.handle_binary(
        at(0),
        from_agent(0, PayloadType::HandshakeRequest, request(vec![session_type("Port")])),
    );
    client.handle_binary(at(0), from_agent(1, PayloadType::HandshakeComplete, "{}"));
    client.send(at(0), b"lost");
    client_given(&mut client);
    client.handle_binary(at(1), ack(0));
    client.handle_binary(at(1), output(3, "b"));
    client.socket_closed(at(2));
    assert!(client_given(&mut client).raw.is_empty(), "nothing for a socket that is gone");

    client.socket_opened(at(60_000), &token("second"));
    let given = client_given(&mut client);
    assert!(given.texts[0].contains("\"TokenValue\":\"second\""));
    assert_eq!(given.data(), [(1, PayloadType::Output, b"lost".as_slice())]);
    client.handle_binary(at(60_001), output(2, "a"));
    let given = client_given(&mut client);
    let data = |bytes: &'static [u8]| ClientEvent::Data { stream: DataStream::Output, bytes: bytes.into() };
    assert_eq!(given.events, [data(b"a"), data(b"b")]);
    client.send(at(60_002), b"next");
    assert_eq!(client_given(&mut client).seqs(), [2]);
}

#[test]
fn without_a_socket_no_timer_runs() {
    let mut client = running_client(config());
    client.send(at(0), b"x");
    client_given(&mut client);
    assert!(client.poll_timeout().is_some());
    client.socket_closed(at(1));
    assert_eq!(client.poll_timeout(), None);
}

#[test]
fn channel_closed_ends_the_session_with_and_without_a_text() {
    for text in ["", "Your session timed out due to inactivity.", "<&>\u{2028}"] {
        let mut client = running_client(config());
        client.handle_binary(at(0), closed(text));
        let reason = CloseReason::ByService { output: text.to_owned() };
        assert_eq!(client_given(&mut client).events, [ClientEvent::Closed(reason.clone())]);
        assert_eq!(client.is_closed(), Some(&reason));
    }
}

#[test]
fn channel_closed_ends_the_session_even_when_it_cannot_be_read() {
    for body in ["", "{", "[]", "{\"Output\":5}"] {
        let mut client = open_client(config());
        client.handle_binary(at(0), from_gateway(MessageType::ChannelClosed, body.as_bytes()));
        let reason = CloseReason::ByService { output: String::new() };
        assert_eq!(client_given(&mut client).events, [ClientEvent::Closed(reason)], "{body}");
    }
}

#[test]
fn data_waiting_for_the_consumer_is_delivered_before_the_end() {
    let mut config = config();
    config.receive_budget_bytes = 1;
    let mut client = running_client(config);
    for (seq, payload) in [(1, "a"), (2, "b"), (3, "c"), (5, "e")] {
        client.handle_binary(at(0), output(seq, payload));
    }
    client.handle_binary(at(0), closed("bye"));
    let events = client_given(&mut client).events;
    assert_eq!(events.len(), 4, "{events:?}");
    assert!(
        matches!(events.last(), Some(ClientEvent::Closed(CloseReason::ByService { output })) if output == "bye")
    );
    assert_eq!(client.stats().undelivered, 1, "the one behind the gap is counted");
}

#[test]
fn a_closed_channel_says_so_once_and_does_nothing_more() {
    let mut client = running_client(config());
    client.send(at(0), b"x");
    client.close(at(0));
    client.handle_binary(at(0), closed("too late"));
    assert_eq!(client_given(&mut client).events, [ClientEvent::Closed(CloseReason::ByOwner)]);
    client.socket_opened(at(1), &token("U"));
    client.handle_binary(at(1), output(1, "x"));
    client.resize(at(1), crate::peer::SIZE);
    client.terminate_flag(at(1));
    client.consumed(at(1), 1);
    client.handle_timeout(at(100_000));
    assert_eq!(client.send(at(1), b"x"), 0);
    let given = client_given(&mut client);
    assert!(given.texts.is_empty() && given.raw.is_empty() && given.events.is_empty(), "{given:?}");
    assert_eq!((client.poll_timeout(), client.unacked_bytes()), (None, 0));
}

#[test]
fn publications_are_told_and_change_nothing_for_a_client() {
    let mut client = running_client(config());
    let zeroes = |name: &str| {
        let mut frame = vec![0; 120];
        frame[3] = 116;
        frame[4..4 + name.len()].copy_from_slice(name.as_bytes());
        bytes::Bytes::from(frame)
    };
    client.handle_binary(at(0), zeroes("pause_publication"));
    client.handle_binary(at(0), zeroes("start_publication"));
    let [pause, start] = [Publication::Pause, Publication::Start].map(ClientEvent::Publication);
    let given = client_given(&mut client);
    assert_eq!((given.events, given.raw.len()), (vec![pause, start], 0));
    assert_eq!(client.send(at(0), b"x"), 1);
    assert_eq!(client_given(&mut client).seqs(), [0]);
}

#[test]
fn agents_open_with_their_node_and_announce_the_session_once() {
    let mut agent = fleetline_protocol::AgentChannel::new(agent_config());
    agent.socket_opened(at(0), &token("T"));
    let given = agent_given(&mut agent);
    let open = OpenMessage::decode(&given.texts[0]).unwrap();
    assert_eq!(open.opener, Opener::Agent { instance_id: "i-0abcdef1234567890".to_owned() });
    assert_eq!(given.frames.len(), 1);
    assert_eq!(given.frames[0].message_type, MessageType::AgentSessionState);
    assert_eq!(
        given.frames[0].payload,
        r#"{"SchemaVersion":1,"SessionState":"Connected","SessionId":"alice-0123456789abcdef0"}"#
    );
    agent.socket_closed(at(1));
    agent.socket_opened(at(2), &token("U"));
    let given = agent_given(&mut agent);
    assert_eq!((given.texts.len(), given.raw.len()), (1, 0));
}
