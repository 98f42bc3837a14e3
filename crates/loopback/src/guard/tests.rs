//! What passes, what is refused, and that nothing is changed on the way.

use proptest::prelude::*;

use super::*;

fn guard() -> BrowserGuard {
    let aliases = vec!["Wiki.example".to_owned()];
    BrowserGuard::new(GuardPolicy { aliases, address: "10.0.0.5".parse().ok(), ..GuardPolicy::default() })
}

/// Everything at once.
fn judge(input: &str) -> Passed {
    guard().input(Instant::now(), input.as_bytes())
}

#[track_caller]
fn assert_passes(input: &str) {
    let passed = judge(input);
    assert_eq!(passed.refused, None, "{input}");
    assert_eq!(String::from_utf8_lossy(&passed.bytes), input);
}

#[track_caller]
fn assert_refused(input: &str, refusal: Refusal) {
    let passed = judge(input);
    assert_eq!(passed.refused, Some(Refused { refusal, answer: true }), "{input}");
    assert_eq!(passed.bytes, b"", "{input}");
}

fn get(fields: &str) -> String {
    format!("GET / HTTP/1.1\r\n{fields}\r\n")
}

#[test]
fn names_of_this_computer_pass() {
    for host in [
        "127.0.0.1:8080",
        "127.0.0.1",
        "127.9.9.9",
        "localhost:1",
        "LOCALHOST",
        "app.localhost:8080",
        "[::1]:80",
        "[::1]",
        "wiki.EXAMPLE:8080",
        "10.0.0.5",
        "[::ffff:127.0.0.1]",
    ] {
        assert_passes(&get(&format!("Host: {host}\r\n")));
        assert_passes(&get(&format!(
            "hOsT:\t{host} \r\nOrigin: http://{host}\r\nSec-Fetch-Site: cross-site\r\n"
        )));
    }
    assert_passes("GET / HTTP/1.0\r\n\r\n");
    assert_passes("GET http://127.0.0.1:8080/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

#[test]
fn other_names_are_misdirected() {
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example:8080",
        ".localhost",
        "localhost@evil.example",
        "127.0.0.1:8080:1",
        "[::1",
        "[::2]",
        "0.0.0.0",
        "10.0.0.6",
        "",
        "0x7f.1",
        "2130706433",
        "localhost.",
        "127.0.0.1,evil.example",
        "xn--localhost",
        "\u{ff4c}ocalhost",
    ] {
        assert_refused(&get(&format!("Host: {host}\r\n")), Refusal::ForeignHost);
    }
    assert_refused(&get("Host: localhost\r\nHost: localhost\r\n"), Refusal::ForeignHost);
    assert_refused("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", Refusal::ForeignHost);
    assert_refused("CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", Refusal::ForeignHost);
    // However a method or a line end is written: a page may choose the method of its own site.
    assert_refused("FETCH / HTTP/1.1\r\nHost: evil.example\r\n\r\n", Refusal::ForeignHost);
    assert_refused("GET / HTTP/1.1\nHost: evil.example\n\n", Refusal::ForeignHost);
    assert_refused("GET / HTTP/1.9\r\nHost: evil.example\r\n\r\n", Refusal::ForeignHost);
}

#[test]
fn pages_of_other_sites_are_forbidden() {
    let own = "Host: localhost:8080\r\n";
    for fields in [
        "Origin: https://evil.example\r\n",
        "Origin: null\r\n",
        "Origin: file://\r\n",
        "Origin: http://localhost.evil.example\r\n",
        "Origin: http://localhost\r\nOrigin: http://evil.example\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: other\r\n",
        "Upgrade: websocket\r\nConnection: Upgrade\r\nOrigin: https://evil.example\r\n",
    ] {
        assert_refused(&get(&format!("{own}{fields}")), Refusal::ForeignPage);
    }
    for fields in [
        "Sec-Fetch-Site: none\r\n",
        "Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost:8080\r\n",
        "Sec-Fetch-Site: same-site\r\nOrigin: http://localhost:3000\r\n",
        "User-Agent: curl/8\r\n",
    ] {
        assert_passes(&get(&format!("{own}{fields}")));
    }
}

#[test]
fn what_is_not_http_passes_from_the_byte_that_shows_it() {
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01"[..],
        b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
        b"PING\r\n",
        b"EHLO there\r\n",
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"GET key\r\n",
        b" GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"word \x00",
    ] {
        let passed = guard().input(Instant::now(), bytes);
        assert_eq!(passed, Passed { bytes: bytes.to_vec(), refused: None });
    }
}

#[test]
fn an_open_word_passes_after_a_while_unless_the_policy_insists() {
    let start = Instant::now();
    let mut guard = guard();
    assert_eq!(guard.input(start, b"HELLO wor"), Passed::default());
    let deadline = guard.deadline().unwrap();
    assert_eq!(guard.timeout(start), Passed::default());
    assert_eq!(guard.timeout(deadline).bytes, b"HELLO wor");
    assert_eq!(guard.deadline(), None);
    assert_eq!(guard.input(deadline, b"ld").bytes, b"ld");
    let mut strict = BrowserGuard::new(GuardPolicy { always: true, ..GuardPolicy::default() });
    strict.input(start, b"HELLO wor");
    assert_eq!(strict.deadline(), None);
    assert_eq!(strict.finish().bytes, b"HELLO wor");
    // Once there is a request line, its head is waited for.
    let mut guard = self::guard();
    guard.input(start, b"GET / HTTP/1.1\r\nHo");
    assert_eq!(guard.deadline(), None);
}

#[test]
fn where_only_browsers_are_judged_programs_use_any_name_and_one_mark_is_enough() {
    let policy = GuardPolicy { browsers_only: true, ..GuardPolicy::default() };
    let judged =
        |input: &str| BrowserGuard::new(policy.clone()).input(Instant::now(), input.as_bytes()).refused;
    let program = get("Host: api.internal\r\nUser-Agent: curl/8.5.0\r\n");
    assert_eq!(judged(&program), None);
    for mark in
        ["User-Agent: Mozilla/5.0 (X11)\r\n", "Sec-Fetch-Mode: cors\r\n", "Referer: http://evil.example/\r\n"]
    {
        let refused = judged(&get(&format!("Host: evil.example\r\n{mark}"))).map(|refused| refused.refusal);
        assert_eq!(refused, Some(Refusal::ForeignHost), "{mark}");
        assert_eq!(judged(&get(&format!("Host: localhost\r\n{mark}"))), None, "{mark}");
    }
    let page = get("Host: localhost\r\nOrigin: https://evil.example\r\n");
    assert_eq!(judged(&page).map(|refused| refused.refusal), Some(Refusal::ForeignPage));
}

#[test]
fn each_request_of_a_connection_is_judged() {
    let own = get("Host: localhost\r\n");
    let foreign = get("Host: evil.example\r\n");
    let bodies = [
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nTrailer: x\r\n\r\n"
            .to_owned(),
        own.clone(),
        format!("{own}\r\n\r\n"),
    ];
    for first in bodies {
        let mut guard = guard();
        let now = Instant::now();
        assert_eq!(guard.input(now, first.as_bytes()).bytes, first.as_bytes());
        let refused = guard.input(now, foreign.as_bytes());
        let refusal = Refusal::ForeignHost;
        assert_eq!(refused, Passed { bytes: vec![], refused: Some(Refused { refusal, answer: true }) });
        assert_eq!(guard.input(now, own.as_bytes()), Passed::default(), "nothing passes any more");
        assert_eq!(guard.finish(), Passed::default());
        // In one go: the first passes, the second does not, and an answer may already be on its way.
        let passed = self::guard().input(now, format!("{first}{foreign}").as_bytes());
        assert_eq!(passed.bytes, first.as_bytes());
        assert_eq!(passed.refused, Some(Refused { refusal, answer: false }));
    }
}

#[test]
fn a_request_hidden_in_a_body_is_no_request() {
    let hidden = get("Host: evil.example\r\n");
    assert_passes(&format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{hidden}",
        hidden.len()
    ));
}

#[test]
fn unclear_framing_is_refused_to_browsers_and_left_alone_otherwise() {
    let own = "Host: localhost\r\n";
    let heads = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5, 5\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "X: a\r\n b\r\n",
        "X : a\r\n",
        "Broken\r\n",
        "X: a\rb\r\n",
    ];
    let foreign = get("Host: evil.example\r\n");
    for head in heads {
        let text = format!("POST / HTTP/1.1\r\n{own}{head}\r\n{foreign}");
        assert_passes(&text);
        let text = format!("POST / HTTP/1.1\r\n{own}{head}Sec-Fetch-Site: same-origin\r\n\r\n");
        assert_refused(&text, Refusal::Unclear);
    }
    // Once a browser was seen, the connection stays strict.
    let mut guard = guard();
    let now = Instant::now();
    guard.input(now, get("Host: localhost\r\nSec-Fetch-Mode: cors\r\n").as_bytes());
    let passed = guard.input(now, b"PING\r\n");
    assert_eq!(passed.refused.map(|refused| refused.refusal), Some(Refusal::Unclear));
}

#[test]
fn upgraded_connections_pass_after_their_head() {
    let head =
        get("Host: localhost\r\nOrigin: http://localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
    assert_passes(&format!("{head}\u{1}\u{2}{}", get("Host: evil.example\r\n")));
}

#[test]
fn heads_without_an_end_do_not_grow_for_ever() {
    let mut guard = guard();
    let now = Instant::now();
    let mut passed = guard.input(now, b"GET / HTTP/1.1\r\nHost: localhost\r\n").bytes.len();
    for _ in 0..100 {
        let line = format!("X: {}\r\n", "x".repeat(1000));
        passed += guard.input(now, line.as_bytes()).bytes.len();
        assert!(guard.held.len() <= HEAD_LIMIT + 1100);
    }
    assert!(passed > 0, "no browser sends this");
}

#[test]
fn responses_say_their_length_and_repeat_nothing() {
    for refusal in [Refusal::ForeignHost, Refusal::ForeignPage, Refusal::Unclear] {
        let text = String::from_utf8(refusal.response()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {} ", refusal.status())));
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
        assert!(head.ends_with("Connection: close"));
    }
}

/// Pieces that meet in real and in hostile streams.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"GET / HTTP/1.1\r\n".to_vec()),
        Just(b"POST /x HTTP/1.1\r\n".to_vec()),
        Just(b"Host: localhost\r\n".to_vec()),
        Just(b"Host: evil.example\r\n".to_vec()),
        Just(b"Content-Length: 7\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"Sec-Fetch-Site: same-origin\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"3\r\nabc\r\n0\r\n\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_passes_is_the_beginning_of_what_came_however_it_is_cut(
        stream in stream(), cuts in prop::collection::vec(1usize..40, 1..20)
    ) {
        let now = Instant::now();
        let run = |chunks: &[&[u8]]| {
            let mut guard = guard();
            let mut bytes = Vec::new();
            for chunk in chunks {
                let passed = guard.input(now, chunk);
                bytes.extend(passed.bytes);
                if let Some(refused) = passed.refused {
                    return (bytes, Some(refused.refusal));
                }
            }
            bytes.extend(guard.finish().bytes);
            (bytes, None)
        };
        let whole = run(&[&stream]);
        let mut chunks: Vec<&[u8]> = Vec::new();
        let (mut rest, mut cuts) = (stream.as_slice(), cuts.iter().cycle());
        while !rest.is_empty() {
            let (chunk, left) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
            chunks.push(chunk);
            rest = left;
        }
        prop_assert_eq!(&run(&chunks), &whole);
        prop_assert!(stream.starts_with(&whole.0));
        if whole.1.is_none() {
            prop_assert_eq!(whole.0, stream);
        }
    }

    #[test]
    fn a_foreign_host_never_passes_as_the_first_request(
        method in "[A-Z]{1,10}", path in "/[a-z%?=&]{0,20}", before in prop::collection::vec("[A-Za-z-]{1,10}: [ -~]{0,20}", 0..4)
    ) {
        let before: String = before.iter().map(|line| format!("X-{line}\r\n")).collect();
        let text = format!("{method} {path} HTTP/1.1\r\n{before}Host: evil.example\r\n\r\n");
        let passed = judge(&text);
        prop_assert_eq!(passed.bytes, Vec::<u8>::new());
        prop_assert_eq!(passed.refused.map(|r| r.refusal), Some(Refusal::ForeignHost));
    }
}
