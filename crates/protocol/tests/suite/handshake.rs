//! How a session begins, seen from both roles.

use fleetline_protocol::{
    ActionStatus, AgentChannel, AgentEvent, ClientEvent, CloseReason, HandshakeFailure, HandshakeOffer,
    HandshakeResponse, MessageType, Misbehaviour, PayloadType, RequestedAction, SessionKind,
};
use serde_json::{Value, json};

use crate::peer::{
    SIZE, agent_config, agent_given, at, client_given, config, from_agent, from_client, open_agent,
    open_client, output, request, session_type, token,
};

fn kms() -> RequestedAction {
    RequestedAction::KmsEncryption { key_id: "arn:aws:kms:key/1".to_owned(), challenge: None }
}

fn handshake_request(seq: i64, actions: Vec<RequestedAction>) -> bytes::Bytes {
    from_agent(seq, PayloadType::HandshakeRequest, request(actions))
}

fn handshaking_agent(extra: Vec<RequestedAction>) -> AgentChannel {
    let mut config = agent_config();
    let properties = json!({"portNumber": "80", "localPortNumber": "0", "type": "LocalPortForwarding"});
    config.handshake = Some(HandshakeOffer { session_type: SessionKind::Port, properties });
    config.extra_actions = extra;
    config.customer_message = "welcome".to_owned();
    AgentChannel::new(config)
}

#[test]
fn a_session_without_a_handshake_starts_as_a_shell_and_shows_its_first_output() {
    let mut client = open_client(config());
    client.handle_binary(at(0), output(0, "sh-5.2$ "));
    let events = client_given(&mut client).events;
    let [ClientEvent::Started { kind, agent_version: None, properties: Value::Null, handshake: false }, data] =
        events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!(*kind, SessionKind::Shell);
    assert!(matches!(data, ClientEvent::Data { bytes, .. } if bytes == "sh-5.2$ "));
}

#[test]
fn a_handshake_starts_the_announced_session() {
    let mut client = open_client(config());
    let properties = json!({"portNumber": "80"});
    let port =
        RequestedAction::SessionType { session_type: "Port".to_owned(), properties: properties.clone() };
    client.handle_binary(at(0), handshake_request(0, vec![port]));
    let given = client_given(&mut client);
    assert_eq!((given.acks(), given.events.len()), (vec![0], 0));
    let [(0, PayloadType::HandshakeResponse, body)] = given.data()[..] else { panic!("{:?}", given.frames) };
    assert_eq!(
        std::str::from_utf8(body).unwrap(),
        "{\"ClientVersion\":\"1.2.764.0\",\"ProcessedClientActions\":[{\"ActionType\":\"SessionType\",\
         \"ActionStatus\":1,\"ActionResult\":null,\"Error\":\"\"}],\"Errors\":null}"
    );
    let complete = "{\"HandshakeTimeToComplete\":1,\"CustomerMessage\":\"encrypted\"}";
    client.handle_binary(at(1), from_agent(1, PayloadType::HandshakeComplete, complete));
    let started = ClientEvent::Started {
        kind: SessionKind::Port,
        agent_version: Some("3.3.987.0".to_owned()),
        properties,
        handshake: true,
    };
    let given = client_given(&mut client);
    assert_eq!(
        (given.acks(), given.events),
        (vec![1], vec![started, ClientEvent::Message("encrypted".to_owned())])
    );
}

#[test]
fn a_repeated_request_is_acknowledged_again_and_answered_once() {
    let mut client = open_client(config());
    for _ in 0..3 {
        client.handle_binary(at(0), handshake_request(0, vec![session_type("Port")]));
    }
    let given = client_given(&mut client);
    assert_eq!((given.acks(), given.seqs()), (vec![0, 0, 0], vec![0]));
}

#[test]
fn handshake_messages_out_of_order_are_dispatched_by_type_when_their_turn_comes() {
    let mut client = open_client(config());
    client.handle_binary(at(0), output(2, "data"));
    client.handle_binary(at(0), from_agent(1, PayloadType::HandshakeComplete, "{}"));
    assert_eq!(client_given(&mut client).events, []);
    client.handle_binary(at(0), handshake_request(0, vec![session_type("InteractiveCommands")]));
    let events = client_given(&mut client).events;
    let kind = SessionKind::InteractiveCommands;
    assert!(matches!(&events[0], ClientEvent::Started { kind: k, handshake: true, .. } if *k == kind));
    assert!(matches!(&events[1..], [ClientEvent::Data { bytes, .. }] if bytes == "data"));
}

#[test]
fn unknown_actions_are_answered_with_status_three_and_left_to_the_agent() {
    let mut client = open_client(config());
    let dance = RequestedAction::Other { action_type: "Dance".to_owned(), parameters: Value::Null };
    client.handle_binary(at(0), handshake_request(0, vec![session_type("Port"), dance]));
    let given = client_given(&mut client);
    let response = HandshakeResponse::decode(given.data()[0].2).unwrap();
    let statuses: Vec<_> = response.actions.iter().map(|action| action.status).collect();
    assert_eq!(statuses, [ActionStatus::Success, ActionStatus::Unsupported]);
    assert_eq!(client.is_closed(), None);
}

#[test]
fn a_session_that_must_be_sealed_is_refused_and_never_run_in_the_clear() {
    let mut client = open_client(config());
    client.handle_binary(at(0), handshake_request(0, vec![session_type("Standard_Stream"), kms()]));
    let given = client_given(&mut client);
    let response = HandshakeResponse::decode(given.data()[0].2).unwrap();
    assert_eq!(response.actions[1].status, ActionStatus::Failed);
    assert!(response.actions[1].error.starts_with("Failed to process action KMSEncryption: "));
    let why = HandshakeFailure::SealingUnsupported { key_id: "arn:aws:kms:key/1".to_owned() };
    assert_eq!(given.events, [ClientEvent::Closed(CloseReason::HandshakeFailed { why })]);
    client.handle_binary(at(1), from_agent(1, PayloadType::HandshakeComplete, "{}"));
    client.handle_binary(at(1), output(2, "clear"));
    assert_eq!(client.send(at(1), b"secret"), 0);
    let given = client_given(&mut client);
    assert!(given.raw.is_empty() && given.events.is_empty());
}

#[test]
fn unreadable_requests_and_unknown_session_types_close_with_a_reason() {
    let mut client = open_client(config());
    client.handle_binary(at(0), from_agent(0, PayloadType::HandshakeRequest, "{"));
    let why = HandshakeFailure::Malformed;
    assert_eq!(client_given(&mut client).events, [ClientEvent::Closed(CloseReason::HandshakeFailed { why })]);

    let mut client = open_client(config());
    client.handle_binary(at(0), handshake_request(0, vec![session_type("Future")]));
    let given = client_given(&mut client);
    assert_eq!(HandshakeResponse::decode(given.data()[0].2).unwrap().actions[0].status, ActionStatus::Failed);
    let why = HandshakeFailure::UnknownSessionType { session_type: "Future".to_owned() };
    assert_eq!(given.events, [ClientEvent::Closed(CloseReason::HandshakeFailed { why })]);
}

#[test]
fn data_in_the_middle_of_a_handshake_closes_with_a_reason() {
    let mut client = open_client(config());
    client.handle_binary(at(0), handshake_request(0, vec![session_type("Port")]));
    client.handle_binary(at(0), output(1, "early"));
    let what = Misbehaviour::DataDuringHandshake;
    assert_eq!(client_given(&mut client).events, [ClientEvent::Closed(CloseReason::PeerMisbehaved { what })]);
}

#[test]
fn completion_without_a_session_type_closes_with_a_reason() {
    let mut client = open_client(config());
    client.handle_binary(at(0), handshake_request(0, vec![]));
    client.handle_binary(at(0), from_agent(1, PayloadType::HandshakeComplete, "{}"));
    let what = Misbehaviour::NoSessionType;
    assert_eq!(client_given(&mut client).events, [ClientEvent::Closed(CloseReason::PeerMisbehaved { what })]);
}

#[test]
fn no_input_leaves_before_the_handshake_is_complete_and_the_size_follows_at_once() {
    let mut config = config();
    config.terminal = Some(SIZE);
    let mut client = open_client(config);
    client.handle_binary(at(0), handshake_request(0, vec![session_type("Standard_Stream")]));
    assert_eq!(client.send(at(0), b"early"), 0);
    client.resize(at(0), SIZE);
    let types: Vec<_> = client_given(&mut client).data().iter().map(|(_, t, _)| *t).collect();
    assert_eq!(types, [PayloadType::HandshakeResponse]);
    client.handle_binary(at(1), from_agent(1, PayloadType::HandshakeComplete, "{}"));
    let given = client_given(&mut client);
    assert_eq!(given.data(), [(2, PayloadType::Size, br#"{"cols":80,"rows":24}"#.as_slice())]);
}

#[test]
fn agents_speak_first_and_complete_on_a_good_response() {
    let mut agent = handshaking_agent(vec![]);
    agent.socket_opened(at(0), &token("T"));
    let given = agent_given(&mut agent);
    let [(0, PayloadType::HandshakeRequest, body)] = given.data()[..] else { panic!("{:?}", given.frames) };
    assert_eq!(
        std::str::from_utf8(body).unwrap(),
        "{\"AgentVersion\":\"3.3.987.0\",\"RequestedClientActions\":[{\"ActionType\":\"SessionType\",\
         \"ActionParameters\":{\"SessionType\":\"Port\",\"Properties\":{\"localPortNumber\":\"0\",\
         \"portNumber\":\"80\",\"type\":\"LocalPortForwarding\"}}}]}"
    );
    let response =
        HandshakeResponse { client_version: "1.2.3.4".to_owned(), actions: vec![], errors: vec![] };
    agent.handle_binary(at(5), from_client(0, PayloadType::HandshakeResponse, response.encode()));
    let given = agent_given(&mut agent);
    assert_eq!(given.events, [AgentEvent::HandshakeComplete { client_version: "1.2.3.4".to_owned() }]);
    assert_eq!(given.acks(), [0]);
    let complete = br#"{"HandshakeTimeToComplete":5000000,"CustomerMessage":"welcome"}"#.as_slice();
    assert_eq!(given.data(), [(1, PayloadType::HandshakeComplete, complete)]);
}

#[test]
fn input_during_the_handshake_is_acknowledged_and_dropped() {
    let mut agent = handshaking_agent(vec![]);
    agent.socket_opened(at(0), &token("T"));
    agent.ready(at(0));
    agent_given(&mut agent);
    agent.handle_binary(at(1), from_client(0, PayloadType::Size, SIZE.encode()));
    agent.handle_binary(at(1), from_client(1, PayloadType::Output, "typed"));
    let given = agent_given(&mut agent);
    assert_eq!((given.acks(), given.events), (vec![0, 1], vec![]));
}

#[test]
fn input_before_ready_is_left_unacknowledged() {
    let mut agent = open_agent(agent_config());
    agent.handle_binary(at(0), from_client(0, PayloadType::Size, SIZE.encode()));
    agent.handle_binary(at(0), from_client(1, PayloadType::Output, "typed"));
    assert_eq!(agent_given(&mut agent).acks(), [1], "what is ahead may be parked");
    assert_eq!(agent.stats().not_ready, 1);
    agent.ready(at(1));
    agent.handle_binary(at(2), from_client(0, PayloadType::Size, SIZE.encode()));
    let given = agent_given(&mut agent);
    assert_eq!(
        (given.acks(), given.events),
        (vec![0], vec![AgentEvent::Resize(SIZE), AgentEvent::Data("typed".into())])
    );
}

#[test]
fn acknowledged_input_behind_a_handshake_survives_until_ready() {
    let mut agent = handshaking_agent(vec![]);
    agent.socket_opened(at(0), &token("T"));
    agent.handle_binary(at(0), from_client(1, PayloadType::Output, "typed"));
    let response = HandshakeResponse { client_version: String::new(), actions: vec![], errors: vec![] };
    agent.handle_binary(at(0), from_client(0, PayloadType::HandshakeResponse, response.encode()));
    assert_eq!(agent_given(&mut agent).acks(), [1, 0]);
    agent.ready(at(1));
    assert_eq!(agent_given(&mut agent).events, [AgentEvent::Data("typed".into())]);
}

#[test]
fn agents_give_up_on_a_silent_client_after_15_seconds() {
    let mut agent = handshaking_agent(vec![]);
    agent.socket_opened(at(100), &token("T"));
    agent_given(&mut agent);
    agent.handle_timeout(at(15_099));
    assert_eq!(agent_given(&mut agent).events, []);
    agent.handle_timeout(at(15_100));
    let events = agent_given(&mut agent).events;
    assert!(matches!(events.as_slice(), [AgentEvent::HandshakeFailed(_)]), "{events:?}");
    assert_eq!(agent.poll_timeout(), None);
}

#[test]
fn agents_fail_a_handshake_in_which_any_action_did_not_succeed() {
    let mut agent = handshaking_agent(vec![kms()]);
    agent.socket_opened(at(0), &token("T"));
    let frames = agent_given(&mut agent).raw;
    let mut client = open_client(config());
    for frame in frames {
        client.handle_binary(at(1), frame);
    }
    for frame in client_given(&mut client).raw {
        agent.handle_binary(at(2), frame);
    }
    let events = agent_given(&mut agent).events;
    let [AgentEvent::HandshakeFailed(text)] = events.as_slice() else { panic!("{events:?}") };
    assert!(text.starts_with("Failed to process action KMSEncryption: "), "{text}");
    agent.handle_binary(at(3), crate::peer::from_gateway(MessageType::ChannelClosed, b"{}"));
    assert_eq!(agent_given(&mut agent).events, []);
}
