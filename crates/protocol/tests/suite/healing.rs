//! What a client can do for an agent that repeats only its oldest message, and for a link that is slow or broken.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{
    AgentChannel, AgentOutput, ClientChannel, ClientEvent, ClientOutput, HEADER_BYTES, Moment, PayloadType,
    Repeats,
};

use crate::peer::{
    ack, agent_config, agent_given, at, client_given, config, open_agent, output, running_client, token,
};

/// An agent as the real one repeats, with so many messages sent, and their frames.
fn agent_with(messages: usize) -> (AgentChannel, Vec<Bytes>) {
    let mut config = agent_config();
    config.repeats = Repeats::Oldest;
    let mut agent = open_agent(config);
    agent.ready(at(0));
    assert_eq!(agent.send(at(0), PayloadType::Output, &vec![b'x'; messages * 1024]), messages * 1024);
    let frames = agent_given(&mut agent).raw;
    assert_eq!(frames.len(), messages);
    (agent, frames)
}

/// Carries frames both ways at once until the agent has nothing unacknowledged; when that was.
fn settle(client: &mut ClientChannel, agent: &mut AgentChannel, mut now: Duration) -> Duration {
    loop {
        let moment = Moment::new(now, 1_700_000_000_000);
        agent.handle_timeout(moment);
        let mut is_quiet = true;
        while let Some(given) = client.poll_output() {
            match given {
                ClientOutput::Binary(frame) => agent.handle_binary(moment, frame),
                ClientOutput::Event(ClientEvent::Data { bytes, .. }) => client.consumed(moment, bytes.len()),
                _ => {}
            }
            is_quiet = false;
        }
        while let Some(given) = agent.poll_output() {
            if let AgentOutput::Binary(frame) = given {
                client.handle_binary(moment, frame);
            }
            is_quiet = false;
        }
        if agent.unacked_bytes() == 0 {
            return now;
        }
        if is_quiet {
            now = agent.poll_timeout().expect("something is unacknowledged").max(now);
        }
    }
}

#[test]
fn acknowledgements_lost_with_a_socket_are_given_again_on_the_next_and_heal_at_once() {
    let (mut agent, frames) = agent_with(500);
    let mut client = ClientChannel::new(config());
    client.socket_opened(at(0), &token("T"));
    frames.into_iter().for_each(|frame| client.handle_binary(at(1), frame));
    // Some were given out and got lost on the way, some had not even been polled.
    for _ in 0..300 {
        client.poll_output();
    }
    client.socket_closed(at(2));
    client.socket_opened(at(1000), &token("U"));
    let healed = settle(&mut client, &mut agent, Duration::from_secs(1));
    assert!(healed < Duration::from_millis(1200), "{healed:?}, at the agent's own pace it takes 50 s");
    assert_eq!((client.stats().acks_repeated, agent.stats().unknown_acks), (500, 0));
}

#[test]
fn only_the_latest_acknowledgements_are_given_again() {
    let mut client = running_client(config());
    for seq in 1..5000 {
        client.handle_binary(at(0), output(seq, "x"));
        client_given(&mut client);
        client.consumed(at(0), 1);
    }
    client.socket_opened(at(1), &token("U"));
    assert_eq!(client_given(&mut client).acks(), (5000 - 1024..5000).collect::<Vec<_>>());
}

#[test]
fn what_an_agent_sends_behind_lost_messages_is_kept_while_the_loss_heals() {
    // Eight megabytes behind a gap of ten messages: a client that dropped some of them would wait for the agent to
    // repeat each, ten a second.
    let (mut agent, mut frames) = agent_with(900);
    frames.drain(..10);
    let mut client = ClientChannel::new(config());
    client.socket_opened(at(0), &token("T"));
    for (position, frame) in frames.iter().enumerate() {
        client.handle_binary(at(position as u64), frame.clone());
    }
    for seq in 900..8000 {
        client.handle_binary(at(1000), output(seq, [b'y'; 1024]));
    }
    assert_eq!((client.stats().overflowed, client.stats().reordered), (0, 890 + 7100));
    let healed = settle(&mut client, &mut agent, Duration::from_secs(2));
    assert!(healed < Duration::from_secs(4), "{healed:?}");
}

#[test]
fn a_sender_never_runs_further_ahead_of_a_missing_message_than_its_peer_can_park() {
    let mut client = running_client(config());
    let mut acked = 0;
    loop {
        let taken = client.send(at(0), &[b'x'; 64 * 1024]);
        for seq in client_given(&mut client).seqs().into_iter().filter(|seq| *seq > 0) {
            client.handle_binary(at(1), ack(seq));
            acked += 1;
        }
        if taken == 0 {
            break;
        }
    }
    assert_eq!((acked, client.send_capacity(), client.unacked_bytes()), (16_383, 0, 1024 + HEADER_BYTES));
    client.handle_binary(at(2), ack(0));
    assert_eq!(client_given(&mut client).events, [ClientEvent::Writable]);
    assert_eq!(client.send(at(2), b"on"), 2);
}

#[test]
fn an_upload_over_a_slow_and_deep_link_repeats_little() {
    // One megabyte a second with two megabytes buffered on the way: round trips of two seconds.
    let mut config = config();
    config.send_window_bytes = 2 * 1024 * 1024;
    let mut client = running_client(config);
    let (mut on_the_way, mut free_at) = (VecDeque::new(), Duration::ZERO);
    for ms in 0..30_000 {
        let now = at(ms);
        client.handle_timeout(now);
        client.send(now, &[b'x'; 64 * 1024]);
        while on_the_way.front().is_some_and(|(when, _)| *when <= now.elapsed) {
            let (_, seq) = on_the_way.pop_front().unwrap();
            client.handle_binary(now, ack(seq));
        }
        let given = client_given(&mut client);
        for frame in given.frames.iter().filter(|frame| !frame.payload.is_empty()) {
            free_at = free_at.max(now.elapsed) + Duration::from_micros(1100);
            on_the_way.push_back((free_at, frame.seq));
        }
    }
    let stats = client.stats();
    assert!(stats.acks_in > 20_000, "{stats:?}");
    assert!(stats.rto > Duration::from_secs(2), "{stats:?}");
    assert!(stats.retransmits < stats.acks_in / 50, "{stats:?}");
}
