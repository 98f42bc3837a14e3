use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{AgentMessage, Decoder, Flags, MessageId, MessageType, PayloadType};

use super::faults::{FaultyLink, Frame, Toward};
use crate::link_faults::FrameFaults;

const MS: Duration = Duration::from_millis(1);

fn data(seq: i64, payload: &'static [u8]) -> Bytes {
    AgentMessage {
        message_type: MessageType::OutputStreamData,
        schema_version: 1,
        created_ms: 1,
        seq,
        flags: Flags::NONE,
        id: MessageId::from_random([7; 16]),
        payload_type: PayloadType::Output,
        payload: Bytes::from_static(payload),
    }
    .encode()
}

/// Everything that comes out, with the time it does, when `frames` go in one a millisecond.
fn travel(link: &mut FaultyLink, frames: impl IntoIterator<Item = Bytes>) -> Vec<(Duration, Frame)> {
    let mut now = Duration::ZERO;
    let mut out = Vec::new();
    let take = |link: &mut FaultyLink, until: Duration, out: &mut Vec<_>| {
        while let Some(due) = link.next_due().filter(|due| *due <= until) {
            let at = due.max(out.last().map_or(Duration::ZERO, |(at, _)| *at));
            if link.peek(at).is_some() {
                out.push((at, link.pop().unwrap()));
            }
        }
    };
    for frame in frames {
        link.push(now, frame);
        now += MS;
        take(link, now, &mut out);
    }
    take(link, Duration::from_secs(3600), &mut out);
    assert_eq!(link.len(), 0, "nothing stays on the way for ever");
    out
}

fn one_byte(n: u8) -> Bytes {
    Bytes::from(vec![n])
}

fn through(faults: FrameFaults) -> Vec<u8> {
    let mut link = FaultyLink::new(Toward::Client, faults, 5);
    travel(&mut link, (0..200).map(one_byte))
        .into_iter()
        .map(|(_, frame)| match frame {
            Frame::Binary(bytes) => bytes[0],
            Frame::Text(_) => panic!("no text was asked for"),
        })
        .collect()
}

#[test]
fn a_link_without_faults_changes_nothing_and_takes_no_time() {
    let mut link = FaultyLink::new(Toward::Client, FrameFaults::default(), 5);
    for n in 0..200 {
        let now = MS * u32::from(n);
        link.push(now, one_byte(n));
        assert!(!link.has_room(now), "what is due goes first");
        assert_eq!(link.peek(now), Some(&Frame::Binary(one_byte(n))));
        link.pop();
        assert!(link.has_room(now));
    }
}

#[test]
fn faults_drop_repeat_and_swap() {
    let dropped = through(FrameFaults { drop_per_mille: 200, ..FrameFaults::default() });
    assert!((100..190).contains(&dropped.len()), "{}", dropped.len());
    let repeated = through(FrameFaults { duplicate_per_mille: 200, ..FrameFaults::default() });
    assert!((210..300).contains(&repeated.len()), "{}", repeated.len());
    let swapped = through(FrameFaults { reorder_per_mille: 200, ..FrameFaults::default() });
    assert!(swapped.windows(2).any(|pair| pair[0] > pair[1]), "something is out of order");
    let mut sorted = swapped;
    sorted.sort_unstable();
    assert_eq!(sorted, (0..200).collect::<Vec<u8>>(), "nothing is lost or repeated");
}

#[test]
fn a_frame_nobody_overtakes_is_only_late() {
    let faults = FrameFaults { reorder_per_mille: 1000, ..FrameFaults::default() };
    let mut link = FaultyLink::new(Toward::Client, faults, 1);
    link.push(Duration::ZERO, one_byte(1));
    assert_eq!(link.peek(49 * MS), None);
    assert_eq!(link.next_due(), Some(50 * MS));
    assert_eq!(link.peek(50 * MS), Some(&Frame::Binary(one_byte(1))));
}

#[test]
fn delay_and_jitter_keep_the_order() {
    let faults = FrameFaults { delay: 20 * MS, jitter: 30 * MS, ..FrameFaults::default() };
    let mut link = FaultyLink::new(Toward::Agent, faults, 3);
    let out = travel(&mut link, (0..200).map(one_byte));
    let mut late = Vec::new();
    for (n, (at, frame)) in out.iter().enumerate() {
        assert_eq!(*frame, Frame::Binary(one_byte(n as u8)));
        late.push(*at - MS * n as u32);
    }
    assert!(late.iter().all(|late| (20 * MS..=50 * MS).contains(late)), "{late:?}");
    assert!(late.iter().max() > late.iter().min(), "they vary");
}

#[test]
fn a_rate_limit_spreads_frames_and_bounds_what_is_on_the_way() {
    let faults = FrameFaults { bytes_per_second: 100_000, ..FrameFaults::default() };
    let mut link = FaultyLink::new(Toward::Client, faults, 3);
    let frame = Bytes::from(vec![0; 10_000]);
    for n in 1..=5 {
        link.push(Duration::ZERO, frame.clone());
        assert_eq!(link.next_due(), Some(100 * MS), "the first of {n}");
    }
    assert_eq!(link.peek(99 * MS), None);
    assert!(link.peek(100 * MS).is_some());
    link.pop();
    assert_eq!(link.next_due(), Some(200 * MS));
    let mut taken = 4;
    while link.has_room(100 * MS) {
        link.push(100 * MS, frame.clone());
        taken += 1;
    }
    assert_eq!(taken, 420, "4 MiB");
}

#[test]
fn a_stall_delivers_nothing_and_then_everything() {
    let mut link = FaultyLink::new(Toward::Client, FrameFaults::default(), 3);
    link.stall(Duration::from_secs(5));
    for n in 0..10 {
        link.push(MS * u32::from(n), one_byte(n));
        assert!(link.has_room(MS * u32::from(n)), "frames are still taken");
    }
    assert_eq!(link.peek(Duration::from_millis(4999)), None);
    assert_eq!(link.next_due(), Some(Duration::from_secs(5)));
    for n in 0..10 {
        assert_eq!(link.peek(Duration::from_secs(5)), Some(&Frame::Binary(one_byte(n))));
        link.pop();
    }
}

#[test]
fn damage_is_noticed_by_a_client_or_means_nothing() {
    let good = AgentMessage::decode(data(3, b"precious")).unwrap();
    for faults in [
        FrameFaults { corrupt_per_mille: 1000, ..FrameFaults::default() },
        FrameFaults { truncate_per_mille: 1000, ..FrameFaults::default() },
    ] {
        let mut link = FaultyLink::new(Toward::Client, faults, 11);
        let mut refused = 0;
        for (_, frame) in travel(&mut link, (0..2000).map(|_| data(3, b"precious"))) {
            let Frame::Binary(frame) = frame else { panic!("a text") };
            assert_ne!(frame, data(3, b"precious"), "every frame is damaged");
            match AgentMessage::decode(frame) {
                Ok(read) if read.message_type == MessageType::OutputStreamData => {
                    assert_eq!(
                        (read.seq, read.payload_type, &read.payload),
                        (3, PayloadType::Output, &good.payload)
                    );
                }
                Ok(_) | Err(_) => refused += 1,
            }
        }
        assert!(refused > 1000, "{refused}");
    }
}

#[test]
fn damage_toward_an_agent_never_changes_what_it_takes() {
    let faults = FrameFaults { corrupt_per_mille: 1000, ..FrameFaults::default() };
    let mut link = FaultyLink::new(Toward::Agent, faults, 11);
    let mut refused = 0;
    for (_, frame) in travel(&mut link, (0..2000).map(|_| data(3, b"precious"))) {
        let Frame::Binary(frame) = frame else { panic!("a text") };
        match AgentMessage::decode_as(Decoder::Agent, frame) {
            Ok(read) if read.message_type == MessageType::OutputStreamData => {
                assert_eq!((read.seq, read.payload.as_ref()), (3, b"precious".as_slice()));
            }
            Ok(_) | Err(_) => refused += 1,
        }
    }
    assert!(refused > 500, "{refused}");
}

#[test]
fn noise_comes_between_frames_and_is_ignorable() {
    let faults = FrameFaults {
        text_per_mille: 1000,
        unknown_per_mille: 1000,
        padded_per_mille: 1000,
        ..FrameFaults::default()
    };
    let mut link = FaultyLink::new(Toward::Client, faults, 1);
    let out: Vec<Frame> = travel(&mut link, [data(0, b"a")]).into_iter().map(|(_, frame)| frame).collect();
    let [Frame::Binary(unknown), Frame::Text(_), Frame::Binary(padded), Frame::Binary(last)] = &out[..]
    else {
        panic!("{out:?}")
    };
    let unknown = AgentMessage::decode(unknown.clone()).unwrap();
    assert!(matches!(unknown.message_type, MessageType::Other(_)));
    let padded = AgentMessage::decode(padded.clone()).unwrap();
    assert_eq!((padded.message_type, padded.created_ms), (MessageType::PausePublication, 0));
    assert_eq!(*last, data(0, b"a"));
    let mut link = FaultyLink::new(Toward::Agent, faults, 1);
    assert_eq!(travel(&mut link, [data(0, b"a")]).len(), 2, "agents get no text and no pause");
}

#[test]
fn the_same_seed_does_the_same() {
    let faults = FrameFaults {
        drop_per_mille: 100,
        duplicate_per_mille: 100,
        reorder_per_mille: 100,
        corrupt_per_mille: 100,
        jitter: 5 * MS,
        ..FrameFaults::default()
    };
    let run =
        |seed| travel(&mut FaultyLink::new(Toward::Client, faults, seed), (0..200).map(|n| data(n, b"x")));
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
