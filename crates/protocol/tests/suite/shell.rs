//! Terminal sizes, streams, exit codes, and the agent's side of a running session.

use fleetline_protocol::{
    AgentChannel, AgentEvent, ClientEvent, DataStream, MessageType, PayloadType, TerminalSize,
};

use crate::peer::{
    Given, SIZE, ack, agent_config, agent_given, at, client_given, config, from_agent, from_client,
    from_gateway, open_client, output, request, running_agent, running_client, session_type, token,
};

const WIDE: TerminalSize = TerminalSize { cols: 200, rows: 50 };

fn sizes(given: &Given<ClientEvent>) -> Vec<TerminalSize> {
    let sizes = given.data().into_iter().filter(|(_, payload_type, _)| *payload_type == PayloadType::Size);
    sizes.map(|(_, _, body)| TerminalSize::decode(body).unwrap()).collect()
}

fn with_terminal() -> fleetline_protocol::ClientConfig {
    let mut config = config();
    config.terminal = Some(SIZE);
    config
}

#[test]
fn the_size_goes_out_after_the_open_message_and_once_more_after_the_first_output() {
    let mut client = fleetline_protocol::ClientChannel::new(with_terminal());
    client.socket_opened(at(0), &token("T"));
    let given = client_given(&mut client);
    assert_eq!((given.texts.len(), sizes(&given)), (1, vec![SIZE]));
    client.handle_binary(at(1), output(0, "$ "));
    assert_eq!(sizes(&client_given(&mut client)), [SIZE]);
    client.handle_binary(at(2), output(1, "more"));
    assert_eq!(sizes(&client_given(&mut client)), []);
}

#[test]
fn the_size_is_repeated_after_a_handshake_and_after_the_first_output() {
    let mut client = open_client(with_terminal());
    client.handle_binary(
        at(0),
        from_agent(0, PayloadType::HandshakeRequest, request(vec![session_type("Standard_Stream")])),
    );
    client.resize(at(0), WIDE);
    assert_eq!(sizes(&client_given(&mut client)), [], "sizes sent now would be thrown away");
    client.handle_binary(at(1), from_agent(1, PayloadType::HandshakeComplete, "{}"));
    assert_eq!(sizes(&client_given(&mut client)), [WIDE]);
    client.handle_binary(at(2), output(2, "$ "));
    assert_eq!(sizes(&client_given(&mut client)), [WIDE]);
}

#[test]
fn sessions_without_a_pty_get_no_size() {
    for kind in ["Port", "NonInteractiveCommands"] {
        let mut client = open_client(config());
        client.handle_binary(
            at(0),
            from_agent(0, PayloadType::HandshakeRequest, request(vec![session_type(kind)])),
        );
        client.handle_binary(at(0), from_agent(1, PayloadType::HandshakeComplete, "{}"));
        client.resize(at(0), SIZE);
        client.handle_binary(at(0), output(2, "x"));
        assert_eq!(sizes(&client_given(&mut client)), [], "{kind}");
    }
}

#[test]
fn only_changes_are_sent_one_at_a_time_and_the_last_one_wins() {
    let mut client = running_client(with_terminal());
    for seq in [0, 1] {
        client.handle_binary(at(0), ack(seq));
    }
    client.resize(at(1), SIZE);
    assert_eq!(sizes(&client_given(&mut client)), [], "the agent knows it");
    for cols in 100..=120 {
        client.resize(at(1), TerminalSize { cols, rows: 24 });
    }
    assert_eq!(sizes(&client_given(&mut client)), [TerminalSize { cols: 100, rows: 24 }]);
    client.handle_binary(at(2), ack(2));
    assert_eq!(sizes(&client_given(&mut client)), [TerminalSize { cols: 120, rows: 24 }]);
    client.handle_binary(at(3), ack(3));
    assert_eq!(sizes(&client_given(&mut client)), []);
}

#[test]
fn output_standard_error_and_exit_code_are_told_apart() {
    let mut client = open_client(config());
    let action = session_type("NonInteractiveCommands");
    client.handle_binary(at(0), from_agent(0, PayloadType::HandshakeRequest, request(vec![action])));
    client.handle_binary(at(0), from_agent(1, PayloadType::HandshakeComplete, "{}"));
    client_given(&mut client);
    client.handle_binary(at(1), output(2, "out"));
    client.handle_binary(at(1), from_agent(3, PayloadType::StdErr, "err"));
    client.handle_binary(at(1), from_agent(4, PayloadType::ExitCode, "EXIT_CODE: -1"));
    client.handle_binary(at(1), from_agent(5, PayloadType::Flag, 3u32.to_be_bytes()));
    let data = |stream, bytes: &'static str| ClientEvent::Data { stream, bytes: bytes.into() };
    assert_eq!(
        client_given(&mut client).events,
        [
            data(DataStream::Output, "out"),
            data(DataStream::StdErr, "err"),
            ClientEvent::ExitCode(-1),
            ClientEvent::Flag(3),
        ]
    );
}

#[test]
fn bytes_pass_unchanged_in_both_directions() {
    // Translating Enter is the terminal's matter: a lone line feed of a port session must stay one.
    let mut client = running_client(config());
    for bytes in [b"\n".as_slice(), b"\x03", b"\x1c", b"\x1a", b"\xe3\x81", b"\x82"] {
        assert_eq!(client.send(at(0), bytes), bytes.len());
        assert_eq!(client_given(&mut client).data()[0].2, bytes);
    }
    let euro = "€".as_bytes();
    client.handle_binary(at(0), output(1, &euro[..2]));
    client.handle_binary(at(0), output(2, &euro[2..]));
    let events = client_given(&mut client).events;
    let [ClientEvent::Data { bytes: a, .. }, ClientEvent::Data { bytes: b, .. }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((a.as_ref(), b.as_ref()), (&euro[..2], &euro[2..]));
}

#[test]
fn empty_output_is_acknowledged_and_not_told() {
    let mut client = running_client(config());
    client.handle_binary(at(0), output(1, ""));
    let given = client_given(&mut client);
    assert_eq!((given.acks(), given.events), (vec![1], vec![]));
}

#[test]
fn the_terminate_flag_is_a_big_endian_two() {
    let mut client = open_client(config());
    client.terminate_flag(at(0));
    assert_eq!(client_given(&mut client).seqs(), [0; 0], "no session to terminate yet");
    client.handle_binary(at(0), output(0, "$ "));
    client.terminate_flag(at(0));
    assert_eq!(client_given(&mut client).data(), [(0, PayloadType::Flag, [0, 0, 0, 2].as_slice())]);
}

#[test]
fn a_pause_stops_agent_output_and_any_input_resumes_it() {
    let resumes =
        [from_client(0, PayloadType::Output, "x"), ack(99), from_gateway(MessageType::StartPublication, b"")];
    for resume in resumes {
        let mut agent = running_agent();
        agent.send(at(0), PayloadType::Output, b"before");
        agent_given(&mut agent);
        agent.handle_binary(at(0), from_gateway(MessageType::PausePublication, b""));
        assert!(agent.is_paused());
        assert_eq!(agent.send(at(0), PayloadType::Output, b"while"), 5);
        agent.handle_timeout(at(10_000));
        assert_eq!((agent_given(&mut agent).seqs(), agent.poll_timeout()), (vec![], None));
        agent.handle_binary(at(10_000), resume);
        assert!(!agent.is_paused());
        assert_eq!(agent_given(&mut agent).seqs(), [1]);
        agent.handle_timeout(at(10_001));
        assert_eq!(agent_given(&mut agent).seqs(), [0]);
    }
}

#[test]
fn a_new_socket_ends_a_pause() {
    let mut agent = running_agent();
    agent.handle_binary(at(0), from_gateway(MessageType::PausePublication, b""));
    agent.send(at(0), PayloadType::Output, b"x");
    agent.socket_opened(at(1), &token("U"));
    assert_eq!(agent_given(&mut agent).seqs(), [0]);
}

#[test]
fn finishing_waits_for_acknowledgements_and_then_announces_the_end() {
    let mut agent = running_agent();
    agent.send(at(0), PayloadType::Output, b"last words");
    agent.finish(at(0));
    assert_eq!(agent_given(&mut agent).events, []);
    assert_eq!(agent.send(at(0), PayloadType::Output, b"more"), 0);
    agent.handle_binary(at(1), ack(0));
    let given = agent_given(&mut agent);
    assert_eq!(given.events, [AgentEvent::Drained]);
    let state = r#"{"SchemaVersion":1,"SessionState":"Terminating","SessionId":"alice-0123456789abcdef0"}"#;
    assert_eq!(given.frames[0].payload, state);
}

#[test]
fn draining_ends_after_two_seconds_whatever_is_unacknowledged() {
    let mut agent = running_agent();
    agent.send(at(0), PayloadType::Output, b"x");
    agent.finish(at(100));
    agent.handle_timeout(at(2099));
    assert_eq!(agent_given(&mut agent).events, []);
    agent.handle_timeout(at(2100));
    assert_eq!(agent_given(&mut agent).events, [AgentEvent::Drained]);
}

#[test]
fn port_agents_announce_no_end() {
    let mut config = agent_config();
    config.announces_end = false;
    let mut agent = AgentChannel::new(config);
    agent.socket_opened(at(0), &token("T"));
    agent_given(&mut agent);
    agent.finish(at(1));
    let given = agent_given(&mut agent);
    assert_eq!((given.events, given.raw.len()), (vec![AgentEvent::Drained], 0));
}

#[test]
fn channel_closed_cancels_the_agent_once() {
    let mut agent = running_agent();
    agent.send(at(0), PayloadType::Output, b"x");
    for _ in 0..2 {
        agent.handle_binary(at(0), from_gateway(MessageType::ChannelClosed, b"no json"));
    }
    let given = agent_given(&mut agent);
    assert_eq!((given.seqs(), given.events), (vec![], vec![AgentEvent::Cancelled]));
    assert_eq!((agent.poll_timeout(), agent.unacked_bytes()), (None, 0));
}

#[test]
fn agents_with_a_budget_leave_input_unacknowledged_until_consumed() {
    let mut config = agent_config();
    config.receive_budget_bytes = Some(4);
    let mut agent = crate::peer::open_agent(config);
    agent.ready(at(0));
    agent.handle_binary(at(0), from_client(0, PayloadType::Output, "aaaa"));
    agent.handle_binary(at(0), from_client(1, PayloadType::Output, "bbbb"));
    assert_eq!(agent_given(&mut agent).acks(), [0]);
    agent.consumed(at(1), 4);
    let given = agent_given(&mut agent);
    assert_eq!((given.acks(), given.events), (vec![1], vec![AgentEvent::Data("bbbb".into())]));
}
