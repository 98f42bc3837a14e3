//! What programs rely on and people see: colours, widths, screens, scrollback, rewrapping, selecting, searching.

use std::time::Duration;

use fleetline_terminal::frame::decode::{Frame, FrameSpan, decode};
use fleetline_terminal::frame::layout::*;
use fleetline_terminal::{
    CellPoint, KeyEvent, Modifiers, MouseAction, MouseEvent, Options, Scroll, SearchQuery, SelectionKind,
    Size, Terminal,
};

fn terminal(cols: u16, rows: u16, output: &str) -> Terminal {
    let mut terminal = Terminal::new(Size::new(cols, rows), Options::default());
    feed(&mut terminal, output);
    terminal
}

fn feed(terminal: &mut Terminal, output: &str) {
    terminal.feed(output.as_bytes(), Duration::ZERO);
}

fn full(terminal: &mut Terminal) -> Frame {
    let bytes = terminal.frame(true, Duration::ZERO).unwrap_or_default();
    decode(&bytes).unwrap_or_else(|error| panic!("{error}"))
}

fn spans(terminal: &mut Terminal) -> Vec<FrameSpan> {
    full(terminal).lines.into_iter().flat_map(|line| line.spans).collect()
}

fn key(name: &str) -> KeyEvent {
    KeyEvent { key: name.to_owned(), code: name.to_owned(), modifiers: Modifiers::default() }
}

fn at(col: u16, row: u16) -> CellPoint {
    CellPoint { col, row, right_half: false }
}

#[test]
fn colours_of_all_three_kinds_reach_the_frame() {
    let mut terminal = terminal(40, 3, "\x1b[31ma\x1b[92mb\x1b[38;5;208mc\x1b[48;2;1;2;3md\x1b[39me\x1b[0mf");
    let looks: Vec<_> =
        spans(&mut terminal).into_iter().map(|span| (span.text, span.style.fg, span.style.bg)).collect();
    let rgb = COLOUR_RGB | 0x010203;
    let expected = [
        ("a", COLOUR_INDEXED | 1, 0),
        ("b", COLOUR_INDEXED | 10, 0),
        ("c", COLOUR_INDEXED | 208, 0),
        ("d", COLOUR_INDEXED | 208, rgb),
        ("e", COLOUR_DEFAULT, rgb),
        ("f", COLOUR_DEFAULT, 0),
    ];
    assert_eq!(looks, expected.map(|(text, fg, bg)| (text.to_owned(), fg, bg)));
}

#[test]
fn attributes_and_underline_styles_reach_the_frame() {
    let mut terminal = terminal(
        40,
        3,
        "\x1b[1ma\x1b[0;2mb\x1b[0;3mc\x1b[0;7md\x1b[0;8me\x1b[0;9mf\x1b[0;4mg\x1b[4:2mh\x1b[4:3mi\x1b[4:4mj\x1b[4:5m\x1b[58;5;9mk",
    );
    let attrs: Vec<u16> = spans(&mut terminal).iter().map(|span| span.style.attrs).collect();
    assert_eq!(attrs, [1, 2, 4, 8, 16, 32, 1 << 6, 2 << 6, 3 << 6, 4 << 6, 5 << 6]);
    assert_eq!(spans(&mut terminal).last().map(|span| span.style.underline), Some(COLOUR_INDEXED | 9));
}

#[test]
fn changed_palette_entries_and_backgrounds_are_sent_as_rgb() {
    let mut terminal = terminal(4, 1, "\x1b]4;1;#102030\x07\x1b[31ma\x1b]11;#445566\x07");
    let looks: Vec<_> =
        spans(&mut terminal).iter().map(|span| (span.text.clone(), span.style.fg, span.style.bg)).collect();
    let background = COLOUR_RGB | 0x445566;
    assert_eq!(
        looks,
        [("a".to_owned(), COLOUR_RGB | 0x102030, background), ("   ".to_owned(), 0, background)]
    );
    feed(&mut terminal, "\x1b]104\x07\x1b]111\x07");
    assert_eq!(spans(&mut terminal)[0].style.fg, COLOUR_INDEXED | 1);
}

#[test]
fn wide_characters_take_two_cells_and_marks_join_their_base() {
    let mut terminal = terminal(10, 2, "a日本e\u{301}b");
    let seen: Vec<_> = spans(&mut terminal)
        .into_iter()
        .map(|span| (span.col, span.cells, span.text, span.style.attrs))
        .collect();
    let expected =
        [(0, 1, "a", 0), (1, 4, "日本", ATTR_WIDE), (5, 1, "e\u{301}", ATTR_CLUSTER), (6, 1, "b", 0)];
    assert_eq!(seen, expected.map(|(col, cells, text, attrs)| (col, cells, text.to_owned(), attrs)));
    feed(&mut terminal, "\x1b[1;3Hx");
    assert_eq!(terminal.mirror()[0], "a x本e\u{301}b", "half of a wide character leaves a blank");
}

#[test]
fn a_wide_character_that_does_not_fit_leaves_a_blank_cell() {
    let mut terminal = terminal(4, 3, "abc日");
    assert_eq!(terminal.mirror(), ["abc", "日", ""]);
    terminal.selection_all();
    assert_eq!(terminal.selection_text().as_deref(), Some("abc日"));
    let frame = full(&mut terminal);
    assert_eq!((frame.cursor_col, frame.cursor_row), (2, 1));
}

#[test]
fn characters_cut_in_two_by_the_transport_are_whole() {
    let text = "éa日x🎉y";
    for cut in 0..text.len() {
        let mut terminal = terminal(20, 1, "");
        terminal.feed(&text.as_bytes()[..cut], Duration::ZERO);
        terminal.feed(&text.as_bytes()[cut..], Duration::ZERO);
        assert_eq!(terminal.mirror()[0], text, "cut at {cut}");
    }
}

#[test]
fn the_alternate_screen_comes_and_goes_without_touching_the_primary() {
    let mut terminal = terminal(20, 4, "one\r\ntwo");
    feed(&mut terminal, "\x1b[?1049h\x1b[2J\x1b[Hfull screen");
    assert!(terminal.modes().alt_screen);
    assert_eq!(full(&mut terminal).flags & FLAG_ALT_SCREEN, FLAG_ALT_SCREEN);
    assert_eq!(terminal.mirror()[0], "full screen");
    terminal.scroll(Scroll::Top);
    assert_eq!(terminal.scroll_position(), 0, "the alternate screen has no scrollback");
    feed(&mut terminal, "\x1b[?1049l");
    assert_eq!(terminal.mirror(), ["one", "two", "", ""]);
    for mode in [47, 1047] {
        feed(&mut terminal, &format!("\x1b[?{mode}hx\x1b[?{mode}l"));
        assert_eq!(terminal.mirror()[1], "two", "mode {mode}");
    }
}

#[test]
fn a_reader_who_scrolled_up_stays_where_they_are() {
    let mut terminal = terminal(10, 3, "1\r\n2\r\n3\r\n4\r\n5");
    assert_eq!(terminal.mirror(), ["3", "4", "5"]);
    terminal.scroll(Scroll::Lines(1));
    assert_eq!(terminal.mirror(), ["2", "3", "4"]);
    feed(&mut terminal, "\r\n6\r\n7");
    assert_eq!(terminal.mirror(), ["2", "3", "4"]);
    let frame = full(&mut terminal);
    assert_eq!((frame.display_offset, frame.history_lines), (3, 4));
    assert_eq!(frame.flags & (FLAG_SCROLLED_BACK | FLAG_CURSOR_VISIBLE), FLAG_SCROLLED_BACK);
    terminal.scroll(Scroll::Top);
    assert_eq!(terminal.mirror(), ["1", "2", "3"]);
    terminal.scroll(Scroll::Pages(-1));
    assert_eq!(terminal.mirror(), ["4", "5", "6"]);
    assert!(terminal.encode_key(&key("Enter")).is_some());
    assert_eq!(terminal.mirror(), ["5", "6", "7"], "a key scrolls to the bottom");
    terminal.scroll(Scroll::Lines(i32::MAX));
    terminal.scroll(Scroll::Lines(i32::MIN));
    assert_eq!(terminal.scroll_position(), 0);
}

#[test]
fn scrolling_inside_a_region_does_not_move_a_scrolled_back_view() {
    for scroll in [
        "\x1b[2;3r\x1b[3;1H\n\n\n\n\n\n",
        "\x1b[2;1H\x1b[M\x1b[M\x1b[M",
        "\x1b[2;3r\x1b[9S",
        "\x1b[2;3r\x1b[3;1Hlong text that wraps",
    ] {
        let mut terminal = terminal(10, 4, "1\r\n2\r\n3\r\n4\r\n5\r\n6");
        terminal.scroll(Scroll::Top);
        feed(&mut terminal, &scroll.repeat(3));
        assert_eq!(terminal.scroll_position(), 2, "{scroll:?}");
        assert_eq!(terminal.mirror()[..2], ["1", "2"], "{scroll:?}");
        assert!(terminal.search(&query("1")).total > 0);
        full(&mut terminal);
    }
}

#[test]
fn a_resize_rewraps_lines_and_back() {
    let mut terminal = terminal(10, 4, "abcdefghijklmno\r\nshort");
    assert_eq!(terminal.mirror(), ["abcdefghij", "klmno", "short", ""]);
    terminal.resize(Size::new(20, 4));
    assert_eq!(terminal.mirror(), ["abcdefghijklmno", "short", "", ""]);
    terminal.resize(Size::new(5, 4));
    assert_eq!(terminal.text_of_everything(), "abcdefghijklmno\nshort");
    terminal.resize(Size::new(10, 4));
    assert_eq!(terminal.text_of_everything(), "abcdefghijklmno\nshort");
    terminal.resize(Size { cols: 0, rows: 60_000 });
    assert_eq!(terminal.size(), Size { cols: 2, rows: 500 });
}

#[test]
fn pastes_are_bracketed_when_the_program_asked() {
    let mut terminal = terminal(20, 2, "");
    assert_eq!(terminal.encode_paste("a\nb"), b"a\rb");
    assert!(terminal.paste_review("a\nb").is_some());
    feed(&mut terminal, "\x1b[?2004h");
    assert_eq!(terminal.encode_paste("a\nb\x1b[201~c"), b"\x1b[200~a\nbc\x1b[201~");
    assert!(terminal.paste_review("a\nb").is_none());
    assert_eq!(full(&mut terminal).modes & MODE_BRACKETED_PASTE, MODE_BRACKETED_PASTE);
}

#[test]
fn modes_a_program_sets_change_what_keys_mouse_and_focus_send() {
    let mut terminal = terminal(20, 2, "");
    assert_eq!(terminal.encode_focus(true), None);
    feed(&mut terminal, "\x1b[?1h\x1b[?1004h\x1b[?1002h\x1b[?1006h");
    assert_eq!(terminal.encode_key(&key("ArrowUp")).as_deref(), Some(&b"\x1bOA"[..]));
    assert_eq!(terminal.encode_focus(true).as_deref(), Some(&b"\x1b[I"[..]));
    assert_eq!(terminal.encode_focus(false).as_deref(), Some(&b"\x1b[O"[..]));
    let event = MouseEvent {
        action: MouseAction::Press,
        button: Some(0),
        col: 900,
        row: 0,
        modifiers: Modifiers::default(),
    };
    assert_eq!(
        terminal.encode_mouse(&event).as_deref(),
        Some(&b"\x1b[<0;20;1M"[..]),
        "moved into the screen"
    );
    let drag = MouseEvent { action: MouseAction::Move, col: 3, ..event };
    assert_eq!(terminal.encode_mouse(&drag).as_deref(), Some(&b"\x1b[<32;4;1M"[..]));
    assert_eq!(terminal.encode_mouse(&drag), None, "the same cell once");
    assert_eq!(
        full(&mut terminal).modes,
        MODE_MOUSE | MODE_MOUSE_MOTION | MODE_APP_CURSOR | MODE_FOCUS_EVENTS
    );
    feed(&mut terminal, "\x1b[?9h");
    assert_eq!(terminal.encode_mouse(&event).as_deref(), Some(&b"\x1b[M\x20\x34\x21"[..]), "X10");
    feed(&mut terminal, "\x1b[?9l");
    assert!(!terminal.modes().mouse);
}

#[test]
fn the_cursor_takes_the_shape_and_width_asked_for() {
    let mut terminal = terminal(20, 2, "日\x1b[1G");
    let frame = full(&mut terminal);
    assert_eq!((frame.cursor_shape, frame.cursor_width, frame.modes), (SHAPE_BLOCK, 2, 0));
    feed(&mut terminal, "\x1b[5 q\x1b[10G");
    let frame = full(&mut terminal);
    assert_eq!((frame.cursor_shape, frame.cursor_width, frame.modes), (SHAPE_BAR, 1, MODE_CURSOR_BLINK));
    feed(&mut terminal, "\x1b[4 q\x1b[?25l");
    let frame = full(&mut terminal);
    assert_eq!((frame.cursor_shape, frame.flags & FLAG_CURSOR_VISIBLE), (SHAPE_UNDERLINE, 0));
}

#[test]
fn the_bell_is_in_one_frame_only() {
    let mut terminal = terminal(20, 2, "");
    full(&mut terminal);
    feed(&mut terminal, "\x07");
    let frame = terminal.frame(false, Duration::ZERO).and_then(|bytes| decode(&bytes).ok());
    assert_eq!(frame.map(|frame| frame.flags & FLAG_BELL), Some(FLAG_BELL));
    assert_eq!(terminal.frame(false, Duration::ZERO), None);
}

#[test]
fn selecting_copies_lines_as_they_were_written() {
    let mut terminal = terminal(10, 5, "hello  big world\r\n\x1b[8mhid\x1b[0mden");
    assert_eq!(terminal.mirror(), ["hello  big", " world", "   den", "", ""]);
    terminal.selection_start(SelectionKind::Simple, at(7, 0));
    terminal.selection_update(CellPoint { col: 5, row: 2, right_half: true });
    assert_eq!(
        terminal.selection_text().as_deref(),
        Some("big world\n   den"),
        "joined, and hidden text left out"
    );
    terminal.selection_start(SelectionKind::Word, at(8, 0));
    assert_eq!(terminal.selection_text().as_deref(), Some("big"));
    terminal.selection_start(SelectionKind::Line, at(2, 1));
    assert_eq!(terminal.selection_text().as_deref(), Some("hello  big world"));
    terminal.selection_start(SelectionKind::Block, at(1, 0));
    terminal.selection_update(CellPoint { col: 3, row: 1, right_half: true });
    assert_eq!(terminal.selection_text().as_deref(), Some("ell\nwor"));
    let overlays: Vec<_> =
        full(&mut terminal).overlays.iter().map(|o| (o.row, o.start_col, o.end_col, o.kind)).collect();
    assert_eq!(overlays, [(0, 1, 4, OVERLAY_SELECTION), (1, 1, 4, OVERLAY_SELECTION)]);
    terminal.selection_clear();
    assert_eq!(terminal.selection_text(), None);
    assert!(full(&mut terminal).overlays.is_empty());
}

#[test]
fn a_selection_follows_its_text_when_output_scrolls() {
    let mut terminal = terminal(10, 3, "one\r\ntwo");
    terminal.selection_start(SelectionKind::Word, at(0, 0));
    feed(&mut terminal, "\r\n3\r\n4\r\n5");
    assert_eq!(terminal.selection_text().as_deref(), Some("one"));
    terminal.scroll(Scroll::Top);
    assert_eq!(full(&mut terminal).overlays.len(), 1);
    terminal.selection_all();
    assert_eq!(terminal.selection_text().as_deref(), Some("one\ntwo\n3\n4\n5"));
}

#[test]
fn a_selection_ends_when_its_text_changes() {
    let mut terminal = terminal(10, 3, "one two");
    terminal.selection_start(SelectionKind::Word, at(0, 0));
    feed(&mut terminal, "\x1b[2;1Hbelow");
    assert_eq!(terminal.selection_text().as_deref(), Some("one"));
    feed(&mut terminal, "\x1b[1;2HX");
    assert_eq!(terminal.selection_text(), None);
    terminal.selection_start(SelectionKind::Line, at(0, 0));
    feed(&mut terminal, "\x1b[?1049h");
    assert_eq!(terminal.selection_text(), None);
}

fn query(text: &str) -> SearchQuery {
    SearchQuery { text: text.to_owned(), ..SearchQuery::default() }
}

#[test]
fn searching_goes_from_hit_to_hit_and_scrolls_to_it() {
    let mut terminal = terminal(20, 3, "");
    for n in 0..50 {
        feed(&mut terminal, &format!("line {n} {}\r\n", if n % 10 == 0 { "Needle" } else { "hay" }));
    }
    let state = terminal.search(&query("needle"));
    assert_eq!((state.current, state.total, state.more), (5, 5, false));
    assert!(terminal.mirror().iter().any(|row| row == "line 40 Needle"));
    let kinds: Vec<u16> = full(&mut terminal).overlays.iter().map(|overlay| overlay.kind).collect();
    assert_eq!(kinds, [OVERLAY_CURRENT_HIT]);
    assert_eq!(terminal.search(&query("needle")).current, 4);
    assert_eq!(terminal.search(&SearchQuery { forward: true, ..query("needle") }).current, 5);
    assert_eq!(
        terminal.search(&SearchQuery { forward: true, ..query("needle") }).current,
        1,
        "around the end"
    );
    feed(&mut terminal, "more\r\nmore\r\n");
    assert_eq!(
        terminal.search(&SearchQuery { forward: true, ..query("needle") }).current,
        2,
        "the hit is kept"
    );
    assert_eq!(terminal.search(&SearchQuery { case_sensitive: true, ..query("needle") }).total, 0);
    terminal.search(&query(""));
    assert!(full(&mut terminal).overlays.is_empty());
}

#[test]
fn expressions_match_over_wrapped_rows_and_errors_are_told() {
    let mut terminal = terminal(10, 4, "abcdefgh 12345 x\r\n12");
    let regex = |text: &str| SearchQuery { regex: true, ..query(text) };
    let state = terminal.search(&regex(r"\b\d+\b"));
    assert_eq!((state.current, state.total), (2, 2));
    terminal.search(&regex(r"\b\d+\b"));
    let overlays: Vec<_> =
        full(&mut terminal).overlays.iter().map(|o| (o.row, o.start_col, o.end_col, o.kind)).collect();
    assert_eq!(overlays, [(0, 9, 10, 2), (1, 0, 4, 2), (2, 0, 2, 1)]);
    for bad in ["(", "a{100000}{100000}", r"\w{1000}\w{1000}"] {
        let state = terminal.search(&regex(bad));
        assert!(state.error.is_some_and(|error| !error.is_empty() && !error.contains('\n')), "{bad}");
    }
    assert!(terminal.search(&query(&"x".repeat(2_000))).error.is_some());
    assert_eq!(terminal.search(&regex("x*")).total, 1, "empty matches are not hits");
    assert_eq!(terminal.search(&query("(")).error, None, "text is not an expression");
}

#[test]
fn hits_are_counted_to_a_thousand() {
    let mut terminal = terminal(80, 10, "");
    feed(&mut terminal, &"a b ".repeat(2_000));
    let state = terminal.search(&query("a"));
    assert_eq!((state.current, state.total, state.more), (1_000, 1_000, true));
    for _ in 0..1_000 {
        terminal.search(&query("a"));
    }
    assert_eq!(terminal.search(&query("a")).current, 0, "older than those counted");
}

#[test]
fn links_are_found_with_their_cells() {
    let mut terminal =
        terminal(20, 3, "\x1b]8;;https://example.com/x\x1b\\click\x1b]8;;\x1b\\ http://h/a.b.");
    let link = terminal.link_at(2, 0);
    assert_eq!(link.as_ref().map(|link| link.uri.as_str()), Some("https://example.com/x"));
    assert_eq!(link.as_ref().and_then(|link| link.text.as_deref()), Some("click"));
    assert_eq!(link.map(|link| link.cells), Some(vec![(0, 0, 5)]));
    let plain = terminal.link_at(8, 0);
    assert_eq!(plain.as_ref().map(|link| link.uri.as_str()), Some("http://h/a.b"));
    assert_eq!(plain.map(|link| link.cells), Some(vec![(0, 6, 18)]));
    assert_eq!(terminal.link_at(5, 0), None);
    assert_eq!(terminal.link_at(900, 900), None);
    assert!(spans(&mut terminal)[0].style.attrs & ATTR_LINK != 0);
    let wrapped = self::terminal(10, 3, "https://example.com/long");
    assert_eq!(wrapped.link_at(1, 1).map(|link| link.cells), Some(vec![(0, 0, 10), (1, 0, 10), (2, 0, 4)]));
}

#[test]
fn tab_stops_scroll_regions_and_line_drawing_work() {
    assert_eq!(terminal(20, 2, "a\tb\tc").mirror()[0], "a       b       c");
    let scrolled = terminal(10, 4, "top\r\n1\r\n2\r\nend\x1b[2;3r\x1b[3;1H\n3");
    assert_eq!(scrolled.mirror(), ["top", "2", "3", "end"]);
    assert_eq!(terminal(10, 1, "\x1b(0lqk\x1b(Bq").mirror()[0], "┌─┐q");
    assert_eq!(terminal(10, 1, "abc\x1b[2D\x1b[1@X").mirror()[0], "aXbc");
}
