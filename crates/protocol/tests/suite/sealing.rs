//! Sessions that must be encrypted with a KMS key.

use std::sync::Arc;

use bytes::Bytes;
use fleetline_protocol::{
    ActionStatus, AgentChannel, AgentEvent, ClientEvent, CloseReason, DataKey, DataKeyRequest, DataStream,
    EncChallenge, HEADER_BYTES, HandshakeFailure, HandshakeResponse, Misbehaviour, PayloadType,
    SEALING_OVERHEAD, SealingKey,
};
use serde_json::Value;

use crate::cipher::{Gcm, OnlyOpens, data_key, opened, wire};
use crate::link::{Setup, Weather, run};
use crate::peer::{agent_given, at, client_given, from_agent, from_client, output, token};
use crate::sealed_pair::{KEY_ID, NODE, Pair, SESSION, sealing_agent_config, sealing_client_config};
use crate::workload::ByteStreams;

fn needed(pair: &Pair) -> DataKeyRequest {
    match &pair.at_client[..] {
        [ClientEvent::DataKeyNeeded(request)] => request.clone(),
        other => panic!("{other:?}"),
    }
}

fn received(pair: &Pair) -> (DataKeyRequest, Vec<u8>) {
    match &pair.at_agent[..] {
        [AgentEvent::DataKeyReceived { request, cipher_text_blob }] => {
            (request.clone(), cipher_text_blob.clone())
        }
        other => panic!("{other:?}"),
    }
}

fn names(request: &DataKeyRequest) -> Vec<&str> {
    request.encryption_context.iter().map(|(name, _)| name.as_str()).collect()
}

fn misbehaved(what: Misbehaviour) -> CloseReason {
    CloseReason::PeerMisbehaved { what }
}

fn handshake_failed(why: HandshakeFailure) -> CloseReason {
    CloseReason::HandshakeFailed { why }
}

#[test]
fn the_recorded_data_key_seals_and_opens_the_recorded_payloads() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/sealing.json")).unwrap();
    let hex = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
    let key = DataKey::from_plain(&hex(&vectors["data_key_plaintext_hex"])).unwrap();
    assert_eq!(key.agent_to_client().expose().to_vec(), hex(&vectors["agent_to_client_key_hex"]));
    assert_eq!(key.client_to_agent().expose().to_vec(), hex(&vectors["client_to_agent_key_hex"]));
    let check = |half: &SealingKey, entry: &Value, names: [&str; 3]| {
        let [plain, nonce, sealed] = names.map(|name| hex(&entry[name]));
        let nonce = <[u8; 12]>::try_from(nonce).unwrap();
        assert_eq!(wire(half, nonce, &plain), sealed);
        assert_eq!(opened(half, &sealed), Some(plain));
    };
    let recorded = ["plaintext_hex", "nonce_hex", "wire_hex"];
    check(key.client_to_agent(), &vectors["input"], recorded);
    check(key.agent_to_client(), &vectors["output"], recorded);
    let challenge = &vectors["challenge"];
    let request = ["plaintext_hex", "request_nonce_hex", "request_wire_hex"];
    check(key.agent_to_client(), challenge, request);
    let response = ["plaintext_hex", "response_nonce_hex", "response_wire_hex"];
    check(key.client_to_agent(), challenge, response);

    // A client that is played the recorded challenge and the recorded output.
    let mut pair = Pair::sealing();
    pair.client.provide_data_key(at(1), b"blob", key.clone());
    let recorded = data_frame("enc_challenge_request");
    let body = EncChallenge::decode(&recorded).unwrap();
    assert_eq!(from_base64(&body.challenge), hex(&challenge["request_wire_hex"]));
    assert_eq!(body.encode().as_bytes(), recorded);
    pair.client.handle_binary(at(1), from_agent(1, PayloadType::EncChallengeRequest, recorded));
    pair.client.handle_binary(at(1), from_agent(2, PayloadType::HandshakeComplete, "{}"));
    pair.client.handle_binary(at(1), output(3, hex(&vectors["output"]["wire_hex"])));
    let given = client_given(&mut pair.client);
    let (_, _, answer) = given.data().into_iter().find(|d| d.1 == PayloadType::EncChallengeResponse).unwrap();
    let answer = from_base64(&EncChallenge::decode(answer).unwrap().challenge);
    assert_eq!(opened(key.client_to_agent(), &answer), Some(hex(&challenge["plaintext_hex"])));
    assert!(matches!(given.events.last(), Some(ClientEvent::Data { bytes, .. }) if bytes == "hello\r\n"));
}

fn data_frame(name: &str) -> Vec<u8> {
    let all: Value = serde_json::from_str(include_str!("../vectors/data-channel.json")).unwrap();
    let frame = all["frames"].as_array().unwrap().iter().find(|frame| frame["name"] == name).unwrap().clone();
    hex::decode(frame["payload_hex"].as_str().unwrap()).unwrap()
}

fn from_base64(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[test]
fn both_sides_ask_for_the_data_key_with_the_same_key_and_encryption_context() {
    let mut pair = Pair::sealing();
    let asked = needed(&pair);
    assert_eq!(asked.key_id, KEY_ID);
    let value = |position: usize| asked.encryption_context[position].1.as_str();
    assert_eq!(names(&asked), ["aws:ssm:SessionId", "aws:ssm:TargetId", "aws:ssm:RandomChallenge"]);
    assert_eq!((value(0), value(1)), (SESSION, NODE));
    assert_eq!(from_base64(value(2)).len(), 16);
    assert!(pair.shows(format!("\"Challenge\":\"{}\"", value(2)).as_bytes()));
    pair.client.provide_data_key(at(1), b"sealed key", data_key(1));
    pair.settle(1);
    assert_eq!(received(&pair), (asked, b"sealed key".to_vec()));
    assert!(pair.shows(b"\"ChallengeAcknowledgement\":true"));
}

#[test]
fn the_challenge_is_in_the_context_only_when_it_is_acknowledged() {
    let mut config = sealing_client_config(Arc::new(Gcm));
    config.sealing.as_mut().unwrap().acknowledges_challenge = false;
    let mut agent = sealing_agent_config();
    agent.sealing.as_mut().unwrap().requires_acknowledgement = true;
    for (agent, ends) in [(sealing_agent_config(), false), (agent, true)] {
        let mut pair = Pair::new(config.clone(), agent);
        assert_eq!(names(&needed(&pair)), ["aws:ssm:SessionId", "aws:ssm:TargetId"]);
        pair.client.provide_data_key(at(1), b"blob", data_key(1));
        pair.settle(1);
        assert!(!pair.shows(b"ChallengeAcknowledgement"));
        match &pair.at_agent[..] {
            [AgentEvent::HandshakeFailed(text)] => assert!(ends, "{text}"),
            _ => assert!(!ends && names(&received(&pair).0).len() == 2),
        }
    }
    let mut old = sealing_agent_config();
    old.sealing.as_mut().unwrap().has_challenge = false;
    let mut pair = Pair::new(sealing_client_config(Arc::new(Gcm)), old);
    assert_eq!(names(&needed(&pair)), ["aws:ssm:SessionId", "aws:ssm:TargetId"]);
    pair.client.provide_data_key(at(1), b"blob", data_key(1));
    pair.settle(1);
    assert!(!pair.shows(b"ChallengeAcknowledgement") && names(&received(&pair).0).len() == 2);
}

#[test]
fn data_is_sealed_both_ways_and_nothing_of_it_shows_on_the_wire() {
    let mut pair = Pair::sealing().running();
    pair.frames.clear();
    assert_eq!(pair.client.send(at(3), b"top secret input"), 16);
    for (kind, text) in [
        (PayloadType::Output, "top secret output"),
        (PayloadType::StdErr, "top secret error"),
        (PayloadType::ExitCode, "EXIT_CODE: 7"),
    ] {
        assert_eq!(pair.agent.send(at(3), kind, text.as_bytes()), text.len());
    }
    pair.settle(3);
    assert!(!pair.shows(b"secret") && !pair.shows(b"EXIT_CODE"));
    let data = |stream, text: &'static str| ClientEvent::Data { stream, bytes: text.into() };
    let expected = [
        data(DataStream::Output, "top secret output"),
        data(DataStream::StdErr, "top secret error"),
        ClientEvent::ExitCode(7),
    ];
    assert_eq!(pair.at_client, expected);
    assert_eq!(pair.at_agent, [AgentEvent::Data("top secret input".into())]);
    let (_, sent) = pair.from_client.last().unwrap();
    assert_eq!(sent.len(), 16 + 28);
    assert_eq!(opened(data_key(1).client_to_agent(), sent).unwrap(), b"top secret input");
}

#[test]
fn a_full_message_grows_by_the_nonce_and_the_tag_and_flags_stay_readable() {
    let mut pair = Pair::sealing().running();
    pair.client.send(at(3), &[b'x'; 1024]);
    pair.client.terminate_flag(at(3));
    pair.settle(3);
    let (kind, flag) = pair.from_client.last().unwrap();
    assert_eq!((*kind, flag.as_ref()), (PayloadType::Flag, [0, 0, 0, 2].as_slice()));
    assert_eq!(pair.from_client[pair.from_client.len() - 2].1.len(), 1052);
    assert!(matches!(pair.at_agent[..], [AgentEvent::Data(_), AgentEvent::Flag(2)]));
}

#[test]
fn the_window_counts_what_sealing_adds() {
    let mut config = sealing_client_config(Arc::new(Gcm));
    // Room for three full messages, and for the header of a fourth, but not for a sealed byte in it.
    let overhead = HEADER_BYTES + SEALING_OVERHEAD;
    config.send_window_bytes = 3 * (overhead + 1024) + overhead;
    let mut pair = Pair::new(config.clone(), sealing_agent_config()).running();
    assert_eq!(pair.client.send_capacity(), 3 * 1024);
    assert_eq!(pair.client.send(at(3), &[b'x'; 5000]), 3 * 1024);
    assert_eq!(pair.client.unacked_bytes(), 3 * (overhead + 1024));
    pair.settle(3);
    assert_eq!(pair.at_client, [ClientEvent::Writable]);
    config.send_window_bytes += 1;
    let pair = Pair::new(config, sealing_agent_config()).running();
    assert_eq!(pair.client.send_capacity(), 3 * 1024 + 1);
}

#[test]
fn every_message_has_its_own_nonce_random_from_clients_and_counted_from_agents() {
    let mut pair = Pair::sealing().running();
    for _ in 0..300 {
        pair.client.send(at(3), b"same");
        pair.agent.send(at(3), PayloadType::Output, b"same");
    }
    pair.settle(3);
    let nonces = |sent: &[(PayloadType, Bytes)]| -> Vec<[u8; 12]> {
        let data = sent.iter().filter(|(kind, _)| *kind == PayloadType::Output);
        data.map(|(_, payload)| *payload.first_chunk().unwrap()).collect()
    };
    let of_client: std::collections::BTreeSet<_> = nonces(&pair.from_client).into_iter().collect();
    assert_eq!(of_client.len(), 300);
    let number = |nonce: &[u8; 12]| nonce.iter().rev().fold(0u128, |sum, byte| sum << 8 | u128::from(*byte));
    let of_agent = nonces(&pair.from_agent);
    assert_eq!(of_agent.len(), 300);
    for pair in of_agent.windows(2) {
        assert_eq!(number(&pair[1]), (number(&pair[0]) + 1) % (1 << 96));
    }
}

#[test]
fn nothing_leaves_while_the_data_key_is_awaited_but_acknowledgements() {
    let mut pair = Pair::sealing();
    assert_eq!((pair.client.send(at(1), b"secret"), pair.from_client.len()), (0, 0));
    let request = pair.from_agent[0].1.clone();
    for _ in 0..3 {
        pair.client.handle_binary(at(1), from_agent(0, PayloadType::HandshakeRequest, &request));
    }
    let given = client_given(&mut pair.client);
    assert_eq!((given.acks(), given.seqs(), given.events), (vec![0, 0, 0], vec![], vec![]));
    let pair = pair.running();
    let answers = pair.from_client.iter().filter(|(kind, _)| *kind == PayloadType::HandshakeResponse);
    assert_eq!(answers.count(), 1);
    assert_eq!(pair.client.is_closed(), None);
}

#[test]
fn a_repeated_request_after_the_answer_is_acknowledged_and_a_new_one_ends_the_session() {
    let mut pair = Pair::sealing().running();
    let request = pair.from_agent[0].1.clone();
    pair.client.handle_binary(at(3), from_agent(0, PayloadType::HandshakeRequest, &request));
    let given = client_given(&mut pair.client);
    assert_eq!((given.acks(), given.seqs(), given.events), (vec![0], vec![], vec![]));

    for key_is_here in [false, true] {
        let mut pair = Pair::sealing();
        if key_is_here {
            pair.client.provide_data_key(at(1), b"blob", data_key(1));
        }
        let plain = crate::peer::request(vec![crate::peer::session_type("Standard_Stream")]);
        pair.client.handle_binary(at(1), from_agent(1, PayloadType::HandshakeRequest, plain));
        pair.settle(1);
        assert_eq!(pair.closed(), misbehaved(Misbehaviour::SecondRequest));
        assert_eq!(pair.client.send(at(2), b"secret"), 0);
    }
}

#[test]
fn a_refused_key_is_told_to_the_agent_and_the_session_never_runs() {
    let mut pair = Pair::sealing();
    pair.client.refuse_data_key(at(1), "access denied");
    pair.client.provide_data_key(at(1), b"late", data_key(1));
    pair.settle(1);
    let why =
        HandshakeFailure::DataKeyRefused { key_id: KEY_ID.to_owned(), reason: "access denied".to_owned() };
    assert_eq!(pair.closed(), handshake_failed(why));
    let [(PayloadType::HandshakeResponse, body)] = &pair.from_client[..] else { panic!() };
    let response = HandshakeResponse::decode(body).unwrap();
    let statuses: Vec<_> = response.actions.iter().map(|action| action.status).collect();
    assert_eq!(statuses, [ActionStatus::Success, ActionStatus::Failed]);
    assert_eq!(response.errors, ["access denied"]);
    let text = "Failed to process action KMSEncryption: access denied".to_owned();
    assert_eq!(pair.at_agent, [AgentEvent::HandshakeFailed(text)]);
    pair.client.handle_binary(at(2), from_agent(1, PayloadType::HandshakeComplete, "{}"));
    pair.client.handle_binary(at(2), output(2, "clear"));
    assert_eq!(pair.client.send(at(2), b"secret"), 0);
    let given = client_given(&mut pair.client);
    assert!(given.raw.is_empty() && given.events.is_empty());
}

#[test]
fn a_key_the_agent_cannot_open_fails_its_handshake() {
    let mut pair = Pair::sealing();
    pair.client.provide_data_key(at(1), b"blob", data_key(1));
    pair.settle(1);
    pair.agent.refuse_data_key(at(2), "KMS refused");
    pair.settle(2);
    assert_eq!(pair.at_agent.last(), Some(&AgentEvent::HandshakeFailed("KMS refused".to_owned())));
    assert_eq!(pair.agent.poll_timeout(), None);
}

#[test]
fn sides_with_different_data_keys_part_at_the_challenge() {
    let mut pair = Pair::sealing();
    pair.client.provide_data_key(at(1), b"blob", data_key(1));
    pair.settle(1);
    pair.agent.provide_data_key(at(2), &data_key(2));
    pair.settle(2);
    assert_eq!(pair.closed(), handshake_failed(HandshakeFailure::ChallengeUnreadable));
    assert_eq!(pair.client.send(at(2), b"secret"), 0);
    pair.agent.handle_timeout(at(15_002));
    pair.settle(15_002);
    assert!(
        matches!(pair.at_agent.last(), Some(AgentEvent::HandshakeFailed(text)) if text.contains("challenge"))
    );
}

#[test]
fn a_wrong_answer_to_the_challenge_fails_when_the_agents_timer_runs_out() {
    let key = data_key(1);
    let mut agent = AgentChannel::new(sealing_agent_config());
    agent.socket_opened(at(0), &token("A"));
    let mut pair = Pair::sealing();
    pair.client.provide_data_key(at(0), b"blob", key.clone());
    let response = client_given(&mut pair.client).data()[0].2.to_vec();
    agent.handle_binary(at(0), from_client(0, PayloadType::HandshakeResponse, response));
    assert!(matches!(agent_given(&mut agent).events[..], [AgentEvent::DataKeyReceived { .. }]));
    // KMS may take its time: no timer runs.
    agent.handle_timeout(at(60_000));
    agent.provide_data_key(at(60_000), &key);
    use base64::Engine;
    let wrong = wire(key.client_to_agent(), [9; 12], &[0; 64]);
    let challenge = base64::engine::general_purpose::STANDARD.encode(wrong);
    let body = EncChallenge { challenge }.encode();
    agent.handle_binary(at(60_001), from_client(1, PayloadType::EncChallengeResponse, body));
    agent.handle_timeout(at(74_999));
    assert_eq!(agent_given(&mut agent).events, []);
    assert_eq!(agent.send(at(74_999), PayloadType::Output, b"secret"), 0);
    agent.handle_timeout(at(75_000));
    assert!(matches!(&agent_given(&mut agent).events[..], [AgentEvent::HandshakeFailed(_)]));
}

#[test]
fn a_handshake_that_skips_a_step_ends_the_session() {
    for key_is_here in [false, true] {
        let mut pair = Pair::sealing();
        if key_is_here {
            pair.client.provide_data_key(at(1), b"blob", data_key(1));
        }
        pair.client.handle_binary(at(1), from_agent(1, PayloadType::HandshakeComplete, "{}"));
        assert_eq!(pair.client.is_closed(), Some(&misbehaved(Misbehaviour::SealingSkipped)));
        assert_eq!(pair.client.send(at(1), b"secret"), 0);

        let mut pair = Pair::sealing();
        if key_is_here {
            pair.client.provide_data_key(at(1), b"blob", data_key(1));
        }
        pair.client.handle_binary(at(1), output(1, "early"));
        assert_eq!(pair.client.is_closed(), Some(&misbehaved(Misbehaviour::DataDuringHandshake)));
    }
}

#[test]
fn data_that_is_unsealed_changed_or_sealed_otherwise_ends_the_session_and_is_not_shown() {
    let key = data_key(1);
    let good = wire(key.agent_to_client(), [5; 12], b"hello");
    let mut changed = good.clone();
    changed[14] ^= 1;
    let mut other_nonce = good.clone();
    other_nonce[0] ^= 1;
    let foreign = wire(data_key(2).agent_to_client(), [5; 12], b"hello");
    let reflected = wire(key.client_to_agent(), [5; 12], b"hello");
    let (unsealed, unopenable) = (Misbehaviour::UnsealedData, Misbehaviour::UnopenableData);
    let cases = [
        (PayloadType::Output, b"short".to_vec(), unsealed),
        (PayloadType::Output, Vec::new(), unsealed),
        (PayloadType::Error, good.clone(), unsealed),
        (PayloadType::ExitCode, b"EXIT_CODE: 0".to_vec(), unsealed),
        (PayloadType::StdErr, vec![b'x'; 100], unopenable),
        (PayloadType::Output, changed, unopenable),
        (PayloadType::Output, other_nonce, unopenable),
        (PayloadType::Output, foreign, unopenable),
        (PayloadType::Output, reflected, unopenable),
    ];
    for (kind, payload, what) in cases {
        let mut pair = Pair::sealing().running();
        let seq = pair.next_from_agent();
        pair.client.handle_binary(at(3), from_agent(seq, kind, payload));
        assert_eq!(client_given(&mut pair.client).events, [ClientEvent::Closed(misbehaved(what))]);
    }
    let mut pair = Pair::sealing().running();
    let seq = pair.next_from_agent();
    pair.client.handle_binary(at(3), output(seq, good));
    let expected = ClientEvent::Data { stream: DataStream::Output, bytes: "hello".into() };
    assert_eq!(client_given(&mut pair.client).events, [expected]);
}

#[test]
fn an_agent_leaves_input_it_cannot_open_unacknowledged() {
    let mut pair = Pair::sealing().running();
    let seq = pair.from_client.len() as i64;
    pair.agent.handle_binary(at(3), from_client(seq, PayloadType::Output, "in the clear, and long enough"));
    let given = agent_given(&mut pair.agent);
    assert_eq!((given.acks(), given.events), (vec![], vec![]));
    assert_eq!(pair.agent.stats().rejected.sealed, 1);
    let sealed = wire(data_key(1).client_to_agent(), [3; 12], b"ls\n");
    pair.agent.handle_binary(at(3), from_client(seq, PayloadType::Output, sealed));
    assert_eq!(agent_given(&mut pair.agent).events, [AgentEvent::Data("ls\n".into())]);
}

#[test]
fn a_cipher_that_fails_ends_the_session_and_nothing_is_sent() {
    let mut pair = Pair::new(sealing_client_config(Arc::new(OnlyOpens)), sealing_agent_config()).running();
    pair.frames.clear();
    assert_eq!(pair.client.send(at(3), b"secret"), 0);
    pair.settle(3);
    assert_eq!(pair.closed(), CloseReason::SealingFailed);
    assert!(pair.frames.is_empty());
}

#[test]
fn a_client_that_can_seal_runs_sessions_that_need_not_be_sealed_as_they_are() {
    let mut agent = sealing_agent_config();
    agent.sealing = None;
    let mut pair = Pair::new(sealing_client_config(Arc::new(Gcm)), agent);
    assert!(matches!(pair.at_client[..], [ClientEvent::Started { handshake: true, .. }]));
    pair.agent.ready(at(1));
    pair.client.send(at(1), b"plain");
    pair.settle(1);
    assert_eq!(pair.at_agent.last(), Some(&AgentEvent::Data("plain".into())));
}

#[test]
fn a_cut_at_any_step_of_the_handshake_is_survived() {
    for step in 0..4 {
        let mut pair = Pair::sealing();
        let cut = |pair: &mut Pair, now: usize| {
            if now == step {
                // What was on its way is lost.
                client_given(&mut pair.client);
                agent_given(&mut pair.agent);
                pair.client.socket_closed(at(now as u64));
                pair.agent.socket_closed(at(now as u64));
                pair.client.socket_opened(at(now as u64), &token("C2"));
                pair.agent.socket_opened(at(now as u64), &token("A2"));
            }
        };
        cut(&mut pair, 0);
        pair.settle(0);
        pair.client.provide_data_key(at(1), b"blob", data_key(1));
        cut(&mut pair, 1);
        pair.settle(1);
        pair.agent.provide_data_key(at(2), &data_key(1));
        cut(&mut pair, 2);
        pair.settle(2);
        pair.agent.ready(at(3));
        pair.client.send(at(3), b"secret");
        cut(&mut pair, 3);
        pair.settle(3);
        assert_eq!(pair.at_agent.last(), Some(&AgentEvent::Data("secret".into())), "cut at {step}");
        assert!(!pair.shows(b"secret"));
    }
}

#[test]
fn sealed_sessions_deliver_everything_over_60_bad_links_and_show_no_plain_text() {
    let text = |count: usize| b"TOP-SECRET:".repeat(count);
    for seed in 0..60u32 {
        let weather = Weather {
            loss: seed % 25,
            duplication: seed * 7 % 30,
            garbage: seed % 10,
            delay_ms: seed * 13 % 150,
            jitter_ms: seed * 29 % 200,
            cuts: seed % 5,
            ..Weather::default()
        };
        let is_sealed = !seed.is_multiple_of(10);
        let mut client = crate::peer::config();
        let mut agent = sealing_agent_config();
        if is_sealed {
            client = sealing_client_config(Arc::new(Gcm));
        } else {
            agent.sealing = None;
        }
        client.transmission_limit = u32::MAX;
        let setup =
            Setup { seed: seed.into(), weather, client, agent, watches_for: Some(b"TOP-SECRET".as_slice()) };
        let up = text(100 + seed as usize * 10);
        let mut streams = ByteStreams::new(up, text(1000 - seed as usize * 10));
        let outcome = run(setup, &mut streams);
        streams.assert_exact(&format!("seed {seed}"));
        assert_eq!(streams.handshakes, 1, "seed {seed}");
        // Sessions that are not sealed show that the search finds what there is to find.
        assert_eq!(outcome.exposed == 0, is_sealed, "seed {seed}: {} frames", outcome.exposed);
    }
}
