//! Negotiations byte by byte.

use proptest::prelude::*;

use super::*;

fn outputs(socks: &mut Socks5) -> Vec<Output> {
    std::iter::from_fn(|| socks.output()).collect()
}

fn run(bytes: &[u8]) -> Vec<Output> {
    let mut socks = Socks5::new(None);
    socks.input(bytes);
    outputs(&mut socks)
}

fn name(name: &str, port: u16) -> Destination {
    Destination { host: DestinationHost::Name(name.into()), port }
}

const GREETING: &[u8] = &[5, 1, 0];

fn request(kind: u8, address: &[u8], port: u16) -> Vec<u8> {
    [GREETING, &[5, 1, 0, kind], address, &port.to_be_bytes()].concat()
}

#[test]
fn names_and_addresses_of_both_families_are_asked_for() {
    let greeted = Output::Send(vec![5, 0]);
    let connect = |bytes: &[u8]| {
        let out = run(bytes);
        assert_eq!(out[0], greeted);
        let Output::Connect(to) = &out[1] else { panic!("{out:?}") };
        to.to_string()
    };
    assert_eq!(connect(&request(1, &[10, 0, 0, 7], 443)), "10.0.0.7:443");
    assert_eq!(connect(&request(3, b"\x0bdb.internal", 5432)), "db.internal:5432");
    let v6 = Ipv6Addr::LOCALHOST.octets();
    assert_eq!(connect(&request(4, &v6, 80)), "[::1]:80");
    assert_eq!(connect(&request(3, b"\x0310.", 80)[..]), "10.:80");
    assert_eq!(
        connect(&request(3, b"\x0810.0.0.7", 80)),
        "10.0.0.7:80",
        "an address as a name is an address"
    );
}

#[test]
fn early_bytes_reach_the_destination_and_the_reply_says_our_end() {
    let mut socks = Socks5::new(None);
    socks.input(&request(3, b"\x01a", 80));
    socks.input(b"GET /");
    assert_eq!(outputs(&mut socks)[1], Output::Connect(name("a", 80)));
    socks.input(b" HTTP");
    socks.connected("[::1]:513".parse().ok());
    let mut reply = vec![5, 0, 0, 4];
    reply.extend(Ipv6Addr::LOCALHOST.octets());
    reply.extend([2, 1]);
    assert_eq!(outputs(&mut socks), [Output::Send(reply), Output::Established(b"GET / HTTP".to_vec())]);
}

#[test]
fn each_failure_has_its_reply_code() {
    let codes = [
        (Unreachable::Failure, 1),
        (Unreachable::NotAllowed, 2),
        (Unreachable::Network, 3),
        (Unreachable::Host, 4),
        (Unreachable::Refused, 5),
        (Unreachable::TimedOut, 6),
    ];
    for (why, code) in codes {
        let mut socks = Socks5::new(None);
        socks.input(&request(3, b"\x01a", 80));
        outputs(&mut socks);
        socks.unreachable(why);
        let reply = Output::Send(vec![5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(outputs(&mut socks), [reply, Output::Close(SocksError::Unreachable(why))]);
    }
}

#[test]
fn other_protocols_and_wishes_are_named() {
    let error = |bytes: &[u8]| match run(bytes).pop() {
        Some(Output::Close(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(error(&[4, 1, 0, 80, 1, 2, 3, 4, 0]), SocksError::Socks4);
    assert_eq!(error(b"CONNECT a:1 HTTP/1.1\r\n"), SocksError::Http);
    assert_eq!(error(&[0x16, 3, 1]), SocksError::NotSocks);
    assert_eq!(error(&[5, 1, 2]), SocksError::NoMethod);
    assert_eq!(error(&[5, 0]), SocksError::NoMethod);
    for command in [2, 3, 9] {
        let out = run(&[GREETING, &[5, command, 0, 1, 0, 0, 0, 0, 0, 0]].concat());
        assert_eq!(out[1], Output::Send(vec![5, 7, 0, 1, 0, 0, 0, 0, 0, 0]));
        assert_eq!(out[2], Output::Close(SocksError::Command(command)));
    }
    let out = run(&request(5, &[0; 4], 80));
    assert_eq!(out[1], Output::Send(vec![5, 8, 0, 1, 0, 0, 0, 0, 0, 0]));
    for bad in [&b"\x00"[..], b"\x02-x", b"\x03a b", b"\x02a\n", b"\x05[::1]", b"\x03\xffab"] {
        assert_eq!(error(&request(3, bad, 80)), SocksError::Destination, "{bad:?}");
    }
    assert_eq!(error(&request(3, b"\x01a", 0)), SocksError::Destination);
    let mut cut = Socks5::new(None);
    cut.input(&GREETING[..2]);
    cut.finish();
    assert_eq!(outputs(&mut cut), [Output::Close(SocksError::Cut)]);
}

#[test]
fn with_credentials_a_client_must_sign_in() {
    let run = |greeting: &[u8], sign_in: &[u8]| {
        let mut socks = Socks5::new(Credentials::new("ann", "s3cret"));
        socks.input(greeting);
        socks.input(sign_in);
        outputs(&mut socks)
    };
    let good = run(&[5, 2, 0, 2], b"\x01\x03ann\x06s3cret\x05\x01\x00\x03\x01a\x00\x50");
    assert_eq!(good[0], Output::Send(vec![5, 2]));
    assert_eq!(good[1], Output::Send(vec![1, 0]));
    assert_eq!(good[2], Output::Connect(name("a", 80)));
    for bad in
        [&b"\x01\x03ann\x06s3creT"[..], b"\x01\x03anm\x06s3cret", b"\x01\x00\x00", b"\x02\x03ann\x06s3cret"]
    {
        let out = run(&[5, 1, 2], bad);
        assert_eq!(out[1..], [Output::Send(vec![1, 1]), Output::Close(SocksError::WrongPassword)]);
    }
    assert_eq!(run(&[5, 1, 0], b"").pop(), Some(Output::Close(SocksError::NoMethod)));
    assert!(Credentials::new("", "x").is_none() && Credentials::new("x", &"y".repeat(256)).is_none());
    assert!(!format!("{:?}", Socks5::new(Credentials::new("ann", "s3cret"))).contains("s3cret"));
}

proptest! {
    #[test]
    fn any_bytes_in_any_pieces_give_the_same_and_end_at_most_once(
        start in prop_oneof![Just(vec![]), Just(GREETING.to_vec()), Just(request(3, b"\x01a", 80))],
        tail in prop::collection::vec(any::<u8>(), 0..300), cut in 1usize..9
    ) {
        let bytes = [start, tail].concat();
        let whole = run(&bytes);
        let mut socks = Socks5::new(None);
        for piece in bytes.chunks(cut) {
            socks.input(piece);
        }
        prop_assert_eq!(&outputs(&mut socks), &whole);
        let ends = whole.iter().filter(|o| matches!(o, Output::Close(_) | Output::Connect(_))).count();
        prop_assert!(ends <= 1);
    }
}
