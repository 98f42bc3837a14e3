//! Sequence numbers, acknowledgements, retransmission, ordering, window and budget.

use fleetline_protocol::{
    ClientChannel, ClientEvent, CloseReason, DataStream, Flags, MessageType, PayloadType, StreamToken,
};
use std::time::Duration;

use crate::peer::{
    SIZE, ack, agent_config, agent_given, at, client_given, config, from_client, open_agent, open_client,
    output, request, running_agent, running_client, session_type, token,
};

fn data(bytes: &'static [u8]) -> ClientEvent {
    ClientEvent::Data { stream: DataStream::Output, bytes: bytes.into() }
}

#[test]
fn one_counter_from_zero_without_gaps_for_all_payload_types() {
    let mut config = config();
    config.terminal = Some(SIZE);
    let mut client = ClientChannel::new(config);
    client.socket_opened(at(0), &token("T"));
    client.handle_binary(
        at(0),
        crate::peer::from_agent(
            0,
            PayloadType::HandshakeRequest,
            request(vec![session_type("Standard_Stream")]),
        ),
    );
    client.handle_binary(at(0), crate::peer::from_agent(1, PayloadType::HandshakeComplete, "{}"));
    client.handle_binary(at(0), output(2, "$ "));
    client.send(at(0), &[b'x'; 2500]);
    client.terminate_flag(at(0));
    let given = client_given(&mut client);
    let types: Vec<_> = given.data().into_iter().map(|(_, payload_type, _)| payload_type).collect();
    assert_eq!(given.seqs(), (0..8).collect::<Vec<_>>());
    use PayloadType::{Flag, HandshakeResponse, Output, Size};
    assert_eq!(types, [Size, HandshakeResponse, Size, Size, Output, Output, Output, Flag]);
}

#[test]
fn client_data_has_no_flags_and_acknowledgements_have_number_zero_and_flags_three() {
    let mut client = open_client(config());
    client.handle_binary(at(0), output(0, "$ "));
    client.send(at(0), b"ls\r");
    let given = client_given(&mut client);
    let [acknowledge, input] = given.frames.as_slice() else { panic!("{given:?}") };
    assert_eq!(acknowledge.message_type, MessageType::Acknowledge);
    assert_eq!((acknowledge.seq, acknowledge.flags), (0, Flags::SYN_FIN));
    assert_eq!(acknowledge.payload_type, PayloadType::Unset);
    assert_eq!((input.seq, input.flags), (0, Flags::NONE));
}

#[test]
fn agent_data_has_the_syn_flag_on_number_zero_only() {
    let mut agent = running_agent();
    agent.send(at(0), PayloadType::Output, &[b'x'; 2000]);
    let flags: Vec<_> = agent_given(&mut agent).frames.iter().map(|frame| frame.flags).collect();
    assert_eq!(flags, [Flags::SYN, Flags::NONE]);
}

#[test]
fn acknowledgements_name_type_and_id_of_the_message() {
    let mut client = open_client(config());
    let message = crate::peer::message(MessageType::OutputStreamData, 0, PayloadType::Output, b"$ ");
    client.handle_binary(at(0), message.encode());
    let given = client_given(&mut client);
    let expected = format!(
        "{{\"AcknowledgedMessageType\":\"output_stream_data\",\"AcknowledgedMessageId\":\"{}\",\
         \"AcknowledgedMessageSequenceNumber\":0,\"IsSequentialMessage\":true}}",
        message.id
    );
    assert_eq!(given.frames[0].payload, expected);
}

#[test]
fn retransmissions_are_byte_identical() {
    let mut client = running_client(config());
    client.send(at(0), b"first");
    let first = client_given(&mut client).raw;
    client.handle_timeout(at(200));
    let again = client_given(&mut client).raw;
    client.socket_closed(at(300));
    client.socket_opened(at(5000), &token("U"));
    let resumed = client_given(&mut client).raw;
    // The acknowledgement of the first output comes again too.
    assert_eq!((first.len(), &first, first.first()), (1, &again, resumed.last()));
}

#[test]
fn retransmission_waits_for_the_time_out_and_backs_off_to_a_second() {
    let mut client = running_client(config());
    client.send(at(0), b"x");
    client_given(&mut client);
    let mut sent_at = vec![0];
    for _ in 0..6 {
        let due = client.poll_timeout().unwrap();
        client.handle_timeout(at(due.as_millis() as u64 - 1));
        assert!(client_given(&mut client).frames.is_empty(), "sent before its time");
        client.handle_timeout(at(due.as_millis() as u64));
        assert_eq!(client_given(&mut client).seqs(), [0]);
        sent_at.push(due.as_millis());
    }
    assert_eq!(sent_at, [0, 200, 600, 1400, 2400, 3400, 4400]);
}

#[test]
fn retransmitted_messages_give_no_round_trip_sample() {
    let mut client = running_client(config());
    client.send(at(0), b"x");
    client_given(&mut client);
    client.handle_timeout(at(200));
    client_given(&mut client);
    client.handle_binary(at(201), ack(0));
    assert_eq!(client.stats().rtt, Duration::from_millis(100));
    client.send(at(300), b"y");
    client_given(&mut client);
    client.handle_binary(at(350), ack(1));
    assert_eq!(client.stats().rtt, Duration::from_nanos(93_750_000));
    assert_eq!(client.stats().rto, Duration::from_nanos(143_750_000));
}

#[test]
fn acknowledgements_work_in_any_order_and_unknown_ones_are_ignored() {
    let mut client = running_client(config());
    client.send(at(0), &[b'x'; 3 * 1024]);
    client_given(&mut client);
    for seq in [2, 99, -1, 0, 0] {
        client.handle_binary(at(10), ack(seq));
    }
    assert_eq!(client.unacked_bytes(), 1024 + 120);
    client.handle_binary(at(10), ack(1));
    assert_eq!((client.unacked_bytes(), client.poll_timeout()), (0, None));
    assert_eq!((client.stats().acks_in, client.stats().unknown_acks), (3, 3));
}

#[test]
fn overtaken_messages_are_repeated_once_without_waiting() {
    let mut client = running_client(config());
    client.send(at(0), &[b'x'; 8 * 1024]);
    client_given(&mut client);
    for seq in [1, 2] {
        client.handle_binary(at(10), ack(seq));
    }
    assert_eq!(client_given(&mut client).seqs(), [0; 0], "two may just be reordering");
    client.handle_binary(at(10), ack(3));
    assert_eq!(client_given(&mut client).seqs(), [0]);
    client.send(at(11), &[b'x'; 8 * 1024]);
    assert_eq!(client_given(&mut client).seqs(), (8..16).collect::<Vec<_>>());
    for seq in 4..16 {
        client.handle_binary(at(12), ack(seq));
    }
    assert_eq!(client_given(&mut client).seqs(), [0; 0], "a refused message is not sent over and over");
}

#[test]
fn a_backlog_is_repeated_slowly_at_first_and_faster_with_each_acknowledgement() {
    let mut client = running_client(config());
    client.send(at(0), &[b'x'; 64 * 1024]);
    client_given(&mut client);
    client.socket_closed(at(10));
    client.socket_opened(at(1000), &token("U"));
    assert_eq!(client_given(&mut client).seqs(), [0, 1, 2, 3]);
    client.send(at(1001), b"new");
    assert_eq!(client_given(&mut client).seqs(), [0; 0], "new messages queue behind the backlog");
    for seq in 0..4 {
        client.handle_binary(at(1020), ack(seq));
    }
    assert_eq!(client_given(&mut client).seqs(), (4..12).collect::<Vec<_>>());
    for seq in (4..64).rev() {
        client.handle_binary(at(1040), ack(seq));
    }
    assert_eq!(client_given(&mut client).seqs(), [64]);
}

#[test]
fn a_time_out_halves_what_is_repeated_at_once() {
    let mut client = running_client(config());
    client.send(at(0), &[b'x'; 64 * 1024]);
    client_given(&mut client);
    client.socket_opened(at(1000), &token("U"));
    client_given(&mut client);
    for seq in 0..4 {
        client.handle_binary(at(1020), ack(seq));
    }
    assert_eq!(client_given(&mut client).seqs().len(), 8);
    for expected in [4..8, 4..6, 4..6] {
        client.handle_timeout(at(client.poll_timeout().unwrap().as_millis() as u64 + 1));
        assert_eq!(client_given(&mut client).seqs(), expected.collect::<Vec<_>>());
    }
}

#[test]
fn duplicates_are_acknowledged_again_and_delivered_once() {
    let mut client = open_client(config());
    client.handle_binary(at(0), output(0, "a"));
    client.handle_binary(at(0), output(2, "c"));
    client_given(&mut client);
    for seq in [0, 2, 0] {
        client.handle_binary(at(1), output(seq, "?"));
    }
    let given = client_given(&mut client);
    assert_eq!((given.acks(), given.events.len()), (vec![0, 2, 0], 0));
    assert_eq!(client.stats().duplicates, 3);

    let mut agent = running_agent();
    for _ in 0..2 {
        agent.handle_binary(at(0), from_client(0, PayloadType::Output, "a"));
    }
    let given = agent_given(&mut agent);
    assert_eq!((given.acks(), given.events.len()), (vec![0, 0], 1));
}

#[test]
fn early_messages_are_acknowledged_and_wait_for_their_turn() {
    let mut client = running_client(config());
    client.handle_binary(at(0), output(3, "c"));
    client.handle_binary(at(0), output(2, "b"));
    let given = client_given(&mut client);
    assert_eq!((given.acks(), given.events), (vec![3, 2], vec![]));
    client.handle_binary(at(0), output(1, "a"));
    let given = client_given(&mut client);
    assert_eq!((given.acks(), given.events), (vec![1], vec![data(b"a"), data(b"b"), data(b"c")]));
}

#[test]
fn a_full_reorder_buffer_drops_without_acknowledging() {
    let mut by_count = config();
    by_count.reorder_messages = 2;
    let mut by_bytes = config();
    by_bytes.reorder_bytes = 2 * 121;
    for config in [by_count, by_bytes] {
        let mut client = running_client(config);
        for seq in [2, 3, 4] {
            client.handle_binary(at(0), output(seq, "x"));
        }
        assert_eq!(client_given(&mut client).acks(), [2, 3]);
        assert_eq!(client.stats().overflowed, 1);
        client.handle_binary(at(0), output(1, "x"));
        client.handle_binary(at(0), output(4, "x"));
        let given = client_given(&mut client);
        assert_eq!((given.acks(), given.events.len()), (vec![1, 4], 4));
    }
}

#[test]
fn room_in_the_reorder_buffer_comes_back() {
    let mut config = config();
    config.reorder_bytes = 2 * 121;
    let mut client = running_client(config);
    for seq in (1..100).step_by(2) {
        client.handle_binary(at(0), output(seq + 1, "b"));
        client.handle_binary(at(0), output(seq, "a"));
        assert_eq!(client_given(&mut client).acks(), [seq + 1, seq]);
    }
}

#[test]
fn frames_that_break_the_rules_are_not_acknowledged_and_counted() {
    let mut client = running_client(config());
    let mut bad_digest = output(1, "abc").to_vec();
    *bad_digest.last_mut().unwrap() ^= 1;
    client.handle_binary(at(0), bad_digest.into());
    client.handle_binary(at(0), output(-1, "x"));
    client.handle_binary(at(0), output(1, "x").slice(..119));
    client.handle_text(at(0), "{\"message\":\"Internal server error\"}");
    client.handle_binary(at(0), crate::peer::from_gateway(MessageType::Acknowledge, b"{}"));
    let given = client_given(&mut client);
    assert!(given.frames.is_empty() && given.events.is_empty(), "{given:?}");
    let rejected = client.stats().rejected;
    assert_eq!((rejected.digest, rejected.sequence, rejected.too_short, rejected.payload), (1, 1, 2, 1));
    assert_eq!(rejected.total(), 5);
}

#[test]
fn unknown_message_and_payload_types_are_survived() {
    let mut client = running_client(config());
    client
        .handle_binary(at(0), crate::peer::from_gateway(MessageType::from_name("agent_job").unwrap(), b"{}"));
    client.handle_binary(at(0), crate::peer::from_agent(1, PayloadType::Other(99), "?"));
    client.handle_binary(at(0), output(2, "on"));
    let given = client_given(&mut client);
    assert_eq!((given.acks(), given.events), (vec![1, 2], vec![data(b"on")]));
    assert_eq!(client.stats().ignored, 2);
}

#[test]
fn the_sender_blocks_at_the_window_and_drops_nothing() {
    let mut config = config();
    config.send_window_bytes = 4 * (1024 + 120);
    let mut client = running_client(config);
    let bytes: Vec<u8> = (0..10_000).map(|i| i as u8).collect();
    let mut sent = client.send(at(0), &bytes);
    assert_eq!((sent, client.send_capacity()), (4096, 0));
    assert_eq!(client.send(at(0), &bytes[sent..]), 0);
    let mut arrived = Vec::new();
    while arrived.len() < bytes.len() {
        let given = client_given(&mut client);
        for (seq, _, payload) in given.data() {
            arrived.extend_from_slice(payload);
            client.handle_binary(at(1), ack(seq));
        }
        if sent < bytes.len() {
            assert_eq!(client_given(&mut client).events, [ClientEvent::Writable]);
            client.handle_binary(at(1), ack(0));
            assert_eq!(client_given(&mut client).events, [], "told once");
            sent += client.send(at(1), &bytes[sent..]);
        }
    }
    assert_eq!(arrived, bytes);
}

#[test]
fn input_is_kept_while_there_is_no_socket() {
    let mut client = running_client(config());
    client.socket_closed(at(0));
    assert_eq!(client.send(at(1), b"ls\r"), 3);
    assert!(client_given(&mut client).frames.is_empty());
    client.socket_opened(at(2), &token("U"));
    assert_eq!(client_given(&mut client).data(), [(0, PayloadType::Output, b"ls\r".as_slice())]);
}

#[test]
fn nothing_can_be_sent_before_the_session_type_is_known_and_writable_follows() {
    let mut client = open_client(config());
    assert_eq!((client.send(at(0), b"ls\r"), client.send_capacity()), (0, 0));
    client.handle_binary(at(1), output(0, "$ "));
    let events = client_given(&mut client).events;
    assert!(matches!(
        events.as_slice(),
        [ClientEvent::Started { .. }, ClientEvent::Data { .. }, ClientEvent::Writable]
    ));
    assert_eq!(client.send(at(1), b"ls\r"), 3);
}

#[test]
fn over_the_receive_budget_nothing_is_acknowledged_or_advanced_until_consumed() {
    let mut config = config();
    config.receive_budget_bytes = 8;
    let mut client = running_client(config);
    for (seq, payload) in [(1, "aaaa"), (2, "bbbb"), (3, "cccc"), (4, "dddd")] {
        client.handle_binary(at(0), output(seq, payload));
    }
    let given = client_given(&mut client);
    assert_eq!((given.acks(), given.events.len()), (vec![1, 2], 2));
    client.handle_binary(at(1), output(3, "cccc"));
    assert!(client_given(&mut client).frames.is_empty(), "still not acknowledged");

    client.consumed(at(2), 3);
    assert!(client_given(&mut client).events.is_empty(), "not enough room yet");
    client.consumed(at(2), 1);
    let given = client_given(&mut client);
    assert_eq!((given.acks(), given.events), (vec![3], vec![data(b"cccc")]));
    client.consumed(at(3), 8);
    let given = client_given(&mut client);
    assert_eq!((given.acks(), given.events), (vec![4], vec![data(b"dddd")]));
}

#[test]
fn acknowledgements_are_processed_over_the_receive_budget() {
    let mut config = config();
    config.receive_budget_bytes = 1;
    let mut client = running_client(config);
    client.send(at(0), b"x");
    client.handle_binary(at(0), output(1, "a"));
    client.handle_binary(at(0), output(2, "b"));
    client.handle_binary(at(0), ack(0));
    assert_eq!((client.unacked_bytes(), client.stats().over_budget), (0, 1));
}

#[test]
fn messages_parked_over_budget_behind_a_gap_are_acknowledged_when_there_is_room() {
    let mut config = config();
    config.receive_budget_bytes = 4;
    let mut client = running_client(config);
    for (seq, payload) in [(1, "aaaa"), (2, "bbbb"), (4, "dddd")] {
        client.handle_binary(at(0), output(seq, payload));
    }
    assert_eq!(client_given(&mut client).acks(), [1]);
    client.consumed(at(0), 4);
    assert_eq!(client_given(&mut client).acks(), [2, 4]);
}

#[test]
fn a_message_that_is_never_acknowledged_closes_the_client_with_a_reason() {
    let mut config = config();
    config.transmission_limit = 3;
    let mut client = running_client(config);
    client.send(at(0), b"x");
    client_given(&mut client);
    while let Some(due) = client.poll_timeout() {
        client.handle_timeout(at(due.as_millis() as u64));
        client_given(&mut client);
    }
    assert_eq!(client.is_closed(), Some(&CloseReason::RetransmitsExhausted { seq: 0, transmissions: 3 }));
    assert_eq!(client.stats().retransmits, 2);
}

#[test]
fn agents_repeat_for_ever() {
    let mut agent = open_agent(agent_config());
    agent.send(at(0), PayloadType::Output, b"$ ");
    agent_given(&mut agent);
    for _ in 0..5000 {
        let due = agent.poll_timeout().unwrap();
        agent.handle_timeout(at(due.as_millis() as u64));
        assert_eq!(agent_given(&mut agent).seqs(), [0]);
    }
}

#[test]
fn time_that_goes_back_is_survived() {
    let mut client = running_client(config());
    client.send(at(1000), b"x");
    client_given(&mut client);
    client.handle_timeout(at(0));
    client.socket_opened(at(10), &StreamToken::new("U"));
    client.handle_binary(at(5), ack(0));
    assert_eq!(client.unacked_bytes(), 0);
}

#[test]
fn an_owner_that_does_not_poll_is_not_flooded() {
    let mut client = running_client(config());
    let pause = crate::peer::from_gateway(MessageType::PausePublication, b"");
    for seq in 1..40_000 {
        client.handle_binary(at(0), output(seq, "x"));
        client.handle_binary(at(0), output(0, "again"));
        client.handle_binary(at(0), pause.clone());
    }
    let given = client_given(&mut client);
    assert!(client.stats().acks_withheld > 0 && client.stats().over_budget > 0);
    let told = given.events.iter().filter(|event| matches!(event, ClientEvent::Data { .. })).count();
    assert!(given.frames.len() <= 32_768 + 10_000, "{}", given.frames.len());
    let mut arrived = told as i64;
    for seq in arrived + 1..40_000 {
        client.handle_binary(at(1), output(seq, "x"));
        arrived += client_given(&mut client).events.len() as i64;
    }
    assert_eq!(arrived, 39_999, "what was held back comes when its sender repeats it");
}
