//! What a hostile program cannot do: make the terminal type for it (SEC-10), or hold memory without bound (SEC-15).

use std::time::Duration;

use fleetline_terminal::frame::decode::decode;
use fleetline_terminal::{Options, Size, Terminal, TerminalEvent};
use proptest::prelude::*;
use regex::bytes::Regex;

const MARKER: &str = "PLANTED";

/// The rule of SEC-10.
fn allowed() -> Regex {
    Regex::new(r"^(\x1b\[[?>]?[0-9;]*\$?[a-zA-Z]|\x1b\](4;[0-9]+|10|11|12);rgb:[0-9a-f/]+(\x07|\x1b\\))*$")
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Questions, attempts to plant text, and noise.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "\x1b[c",
            "\x1b[>c",
            "\x1b[=c",
            "\x1b[5n",
            "\x1b[6n",
            "\x1b[?6n",
            "\x1b[?15n",
            "\x1bZ",
            "\x05",
            "\x1b[18t",
            "\x1b[14t",
            "\x1b[20t",
            "\x1b[21t",
            "\x1b[11t",
            "\x1b[13t",
            "\x1b[19t",
            "\x1b[x",
            "\x1b[>q",
            "\x1b[?1$p",
            "\x1b[4$p",
            "\x1b[?2026$p",
            "\x1b[?u",
            "\x1b[>1u",
            "\x1b[?4m",
            "\x1b[1;1;1;1;1;1*y",
            "\x1bP$q\"p\x1b\\",
            "\x1bP$qPLANTED\x1b\\",
            "\x1bP+q5452\x1b\\",
            "\x1bP1$tPLANTED\x1b\\",
            "\x1b]0;PLANTED\x07",
            "\x1b]2;PLANTED\x1b\\",
            "\x1b]50;?\x07",
            "\x1b]50;PLANTED\x07",
            "\x1b]52;c;?\x07",
            "\x1b]52;c;UExBTlRFRA==\x07",
            "\x1b]4;1;?\x07",
            "\x1b]4;255;?;7;?\x1b\\",
            "\x1b]10;?\x07",
            "\x1b]11;?;?;?\x1b\\",
            "\x1b]12;?\x07",
            "\x1b]4;PLANTED;?\x07",
            "\x1b]10;PLANTED\x07",
            "\x1b]7;file://PLANTED/\x07",
            "\x1b]1337;ReportVariable=PLANTED\x07",
            "\x1b]8;id=PLANTED;https://PLANTED/\x07",
            "\x1b[22t",
            "\x1b[23t",
            "\x1b_PLANTED\x1b\\",
            "\x1b^PLANTED\x1b\\",
            "\x1bXPLANTED\x1b\\",
            "PLANTED",
            "\x1b]l PLANTED\x1b\\",
            "\x1b]L PLANTED\x1b\\",
            "\x1b[>0;276;0c",
            "\x1b[?62;PLANTEDc",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..20),
        "[\\[\\]?;0-9a-z$>=! ]{0,12}".prop_map(|text| format!("\x1b{text}").into_bytes()),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2_000)))]

    #[test]
    fn replies_are_only_what_is_allowed_and_never_what_was_printed(bytes in hostile()) {
        let mut terminal = Terminal::new(Size::new(80, 24), Options::default());
        terminal.feed(&bytes, Duration::ZERO);
        let replies = terminal.take_replies();
        prop_assert!(allowed().is_match(&replies), "{:?}", String::from_utf8_lossy(&replies));
        prop_assert!(!String::from_utf8_lossy(&replies).contains(MARKER));
    }

    #[test]
    fn cutting_the_stream_anywhere_changes_nothing(
        bytes in hostile(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut whole = Terminal::new(Size::new(40, 6), Options::default());
        whole.feed(&bytes, Duration::ZERO);
        let mut cut = Terminal::new(Size::new(40, 6), Options::default());
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.push(bytes.len());
        let mut from = 0;
        for to in cuts {
            cut.feed(&bytes[from..to], Duration::ZERO);
            from = to;
        }
        prop_assert_eq!(cut.text_of_everything(), whole.text_of_everything());
        prop_assert_eq!(cut.take_replies(), whole.take_replies());
        prop_assert_eq!(cut.take_events(), whole.take_events());
        prop_assert_eq!(cut.modes(), whole.modes());
        prop_assert_eq!(cut.frame(true, Duration::ZERO), whole.frame(true, Duration::ZERO));
    }

    #[test]
    fn the_frame_decoder_refuses_noise_without_panicking(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let _ = decode(&bytes);
        let mut terminal = Terminal::new(Size::new(20, 4), Options::default());
        terminal.feed(&bytes, Duration::ZERO);
        let mut frame = terminal.frame(true, Duration::ZERO).unwrap_or_default();
        prop_assert!(decode(&frame).is_ok());
        let at = at.index(frame.len());
        frame[at] ^= flip;
        let _ = decode(&frame);
        prop_assert!(decode(&frame[..at]).is_err());
    }
}

#[test]
fn questions_that_programs_do_ask_are_answered() {
    let mut terminal = Terminal::new(Size::new(80, 24), Options::default());
    terminal.feed(
        b"\x1b[c\x1b[>c\x1b[5n\x1b[3;7H\x1b[6n\x1b[18t\x1b[?25$p\x1b[?2004$p\x1b[4$p\x1b[?99$p\x1b]11;?\x07",
        Duration::ZERO,
    );
    let replies = String::from_utf8(terminal.take_replies()).unwrap_or_default();
    assert_eq!(
        replies,
        "\x1b[?6c\x1b[>0;2600;1c\x1b[0n\x1b[3;7R\x1b[8;24;80t\x1b[?25;1$y\x1b[?2004;2$y\x1b[4;2$y\x1b[?99;0$y\
         \x1b]11;rgb:0f0f/1111/1414\x07"
    );
    assert!(terminal.take_replies().is_empty());
}

#[test]
fn a_flood_of_questions_is_answered_at_a_bounded_rate() {
    let mut terminal = Terminal::new(Size::new(80, 24), Options::default());
    let flood = b"\x1b[5n".repeat(10_000);
    terminal.feed(&flood, Duration::ZERO);
    assert_eq!(terminal.take_replies().len(), 100 * 4);
    assert_eq!(terminal.counters().replies_dropped, 9_900);
    terminal.feed(&flood, Duration::from_secs(1));
    assert_eq!(terminal.take_replies().len(), 100 * 4);
}

#[test]
fn clipboard_and_titles_become_cleaned_events() {
    let mut terminal = Terminal::new(Size::new(80, 24), Options::default());
    let feed = |terminal: &mut Terminal, text: &str| terminal.feed(text.as_bytes(), Duration::ZERO);
    feed(&mut terminal, "\x1b]0;a\u{202e}b\x07\x1b]52;c;aGkKG1szMW0=\x07\x07\x07");
    let events = terminal.take_events();
    assert_eq!(
        events,
        [
            TerminalEvent::Title(Some("ab".to_owned())),
            TerminalEvent::Bell,
            TerminalEvent::ClipboardStore("hi\n[31m".to_owned())
        ]
    );
    assert!(terminal.take_events().is_empty());
    feed(&mut terminal, "\x1b[22t\x1b]2;other\x07\x1b[23t");
    assert_eq!(terminal.take_events(), [TerminalEvent::Title(Some("ab".to_owned()))]);
    feed(&mut terminal, "\x1bc");
    assert_eq!(terminal.take_events(), [TerminalEvent::Title(None)]);
}

/// Feeds `mib` MiB of an attack to a terminal.
fn attack(name: &str, unit: impl Fn(usize) -> String, mib: usize) -> Terminal {
    let mut terminal = Terminal::new(Size::new(200, 50), Options::default());
    let mut n = 0;
    let mut sent = 0;
    while sent < mib << 20 {
        let mut chunk = String::new();
        while chunk.len() < 16 << 10 {
            chunk.push_str(&unit(n));
            n += 1;
        }
        terminal.feed(chunk.as_bytes(), Duration::ZERO);
        sent += chunk.len();
    }
    assert!(terminal.take_replies().len() <= 16 << 10, "{name}");
    terminal
}

#[test]
fn endless_strings_leave_the_terminal_usable() {
    for introducer in ["]0;", "]52;c;", "]8;;", "]9999;", "P", "_", "^", "X"] {
        let mut terminal =
            attack(introducer, |n| if n == 0 { format!("\x1b{introducer}") } else { "A".repeat(1_000) }, 2);
        terminal.feed(b"\x1b\\ok", Duration::ZERO);
        assert_eq!(terminal.mirror()[0], "ok", "{introducer}");
        assert!(terminal.take_events().is_empty(), "{introducer}");
    }
}

#[test]
fn combining_marks_beyond_sixteen_are_dropped() {
    let terminal =
        attack("marks", |n| format!("a{}", "\u{301}".repeat(if n == 0 { 1_000_000 } else { 16 })), 4);
    assert!(terminal.counters().marks_dropped >= 999_984);
    let longest =
        terminal.mirror().iter().flat_map(|row| row.split('a')).map(|marks| marks.chars().count()).max();
    assert_eq!(longest, Some(16));
}

#[test]
fn repeating_a_character_prints_one_row_at_most() {
    let terminal = attack("repeat", |_| "x\x1b[65535b".to_owned(), 1);
    assert!(terminal.counters().guard.shortened > 1_000);
}

#[test]
fn links_of_other_schemes_and_endless_new_links_are_refused() {
    let terminal = attack("links", |n| format!("\x1b]8;;https://example.com/{n}\x1b\\x"), 3);
    assert!(terminal.counters().links_refused > 0);
    let terminal = attack("schemes", |n| format!("\x1b]8;;file:///etc/{n}\x1b\\x\x1b]8;;\x1b\\"), 1);
    assert_eq!(terminal.link_at(0, 0), None);
}

#[test]
fn a_program_cannot_hold_frames_back_for_long() {
    let mut terminal = Terminal::new(Size::new(80, 24), Options::default());
    let at = Duration::from_millis;
    assert!(terminal.frame(false, at(0)).is_some());
    terminal.feed(b"\x1b[?2026hone", at(1_000));
    assert_eq!(terminal.held_until(), Some(at(1_150)));
    assert_eq!(terminal.frame(false, at(1_100)), None);
    assert!(terminal.frame(false, at(1_150)).is_some(), "150 ms are over");

    terminal.feed(b"\x1b[?2026htwo\x1b[?2026l", at(2_000));
    assert!(terminal.frame(false, at(2_000)).is_some(), "the update is complete");

    terminal.feed(b"\x1b[?2026hthree", at(3_000));
    terminal.feed(b"\x1b[?2026l\x1b[?2026h", at(3_100));
    assert_eq!(terminal.frame(false, at(3_149)), None);
    assert!(terminal.frame(false, at(3_150)).is_some(), "one update after the other does not hold longer");

    terminal.feed(b"\x1b[?2026h", at(4_000));
    terminal.feed(&vec![b'x'; 3 << 20], at(4_000));
    assert!(terminal.frame(false, at(4_000)).is_some(), "2 MiB are over");
}

#[test]
fn plain_floods_keep_the_scrollback_within_its_memory() {
    let options = Options { scrollback_bytes: 8 << 20, ..Options::default() };
    let mut terminal = Terminal::new(Size::new(200, 50), options);
    let line = [b"x".repeat(4_000), b"\r\n".to_vec()].concat();
    for _ in 0..1_000 {
        terminal.feed(&line, Duration::ZERO);
    }
    terminal.scroll(fleetline_terminal::Scroll::Top);
    let lines = terminal.scroll_position() as usize;
    assert!(lines > 100 && lines * 200 * 24 <= 8 << 20, "{lines} lines kept");
    terminal.resize(Size::new(1_000, 50));
    terminal.scroll(fleetline_terminal::Scroll::Top);
    let lines = terminal.scroll_position() as usize;
    assert!(lines * 1_000 * 24 <= 8 << 20, "{lines} lines kept after growing wider");
}
