//! What a painter shows after applying frames is what the grid holds, whatever the program sent.

use std::time::Duration;

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::Color;
use proptest::prelude::*;

use super::decode::{Frame, decode};
use super::layout::*;
use crate::{CellPoint, Options, Scroll, SearchQuery, SelectionKind, Size, Terminal};

/// One cell as seen by eye: its text and look, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    text: String,
    fg: u32,
    bg: u32,
    underline: u32,
    attrs: u16,
}

/// A painter: it knows frames only.
#[derive(Debug, Default)]
struct Painter {
    cells: Vec<Vec<Option<Seen>>>,
    last: Option<Frame>,
}

impl Painter {
    fn apply(&mut self, bytes: &[u8]) {
        let frame = decode(bytes).expect("a frame the decoder accepts");
        let (cols, rows) = (usize::from(frame.cols), usize::from(frame.rows));
        if frame.is_full() {
            self.cells = vec![vec![None; cols]; rows];
        }
        assert_eq!(self.cells.len(), rows, "a new size comes with a full frame");
        for line in &frame.lines {
            let row = &mut self.cells[usize::from(line.row)];
            row.fill(None);
            for span in &line.spans {
                let style = span.style;
                let width = if style.attrs & ATTR_WIDE != 0 { 2 } else { 1 };
                let parts: Vec<String> = if style.attrs & ATTR_CLUSTER != 0 {
                    vec![span.text.clone()]
                } else {
                    span.text.chars().map(String::from).collect()
                };
                for (i, text) in parts.into_iter().enumerate() {
                    let col = usize::from(span.col) + i * width;
                    let attrs = style.attrs & !ATTR_CLUSTER;
                    let seen = Seen { text, fg: style.fg, bg: style.bg, underline: style.underline, attrs };
                    if width == 2 {
                        row[col + 1] = Some(Seen { text: String::new(), ..seen.clone() });
                    }
                    row[col] = Some(seen);
                }
            }
        }
        self.last = Some(frame);
    }

    /// Blank cells look alike whether they were sent or not.
    fn normal(&self) -> Vec<Vec<Option<Seen>>> {
        let blank = |seen: &Seen| seen.text == " " && is_plain(seen.bg, seen.attrs);
        self.cells
            .iter()
            .map(|row| row.iter().map(|cell| cell.clone().filter(|seen| !blank(seen))).collect())
            .collect()
    }
}

fn is_plain(bg: u32, attrs: u16) -> bool {
    bg == 0 && attrs & (ATTR_INVERSE | ATTR_STRIKE | ATTR_UNDERLINE_MASK | ATTR_LINK) == 0
}

/// The grid read directly, cell by cell.
fn grid_as_seen(terminal: &Terminal) -> Vec<Vec<Option<Seen>>> {
    let term = terminal.screen_for_tests();
    let grid = term.grid();
    let offset = grid.display_offset() as i32;
    (0..grid.screen_lines() as i32)
        .map(|row| {
            let line = Line(row - offset);
            let mut out = vec![None; grid.columns()];
            let mut col = 0;
            while col < grid.columns() {
                let cell = &grid[line][Column(col)];
                let spacer = |col: usize| {
                    col < grid.columns() && grid[line][Column(col)].flags.contains(Flags::WIDE_CHAR_SPACER)
                };
                let wide = cell.flags.contains(Flags::WIDE_CHAR) && spacer(col + 1);
                let lost = cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER);
                let mut text = String::from(if lost || cell.c == '\t' { ' ' } else { cell.c });
                text.extend(cell.zerowidth().unwrap_or_default());
                let seen = look(cell, term.colors(), text, wide);
                if wide {
                    out[col + 1] = Some(Seen { text: String::new(), ..seen.clone() });
                }
                if seen.text != " " || !is_plain(seen.bg, seen.attrs) {
                    out[col] = Some(seen);
                }
                col += if wide { 2 } else { 1 };
            }
            out
        })
        .collect()
}

fn look(cell: &Cell, colours: &alacritty_terminal::term::color::Colors, text: String, wide: bool) -> Seen {
    let colour = |colour: Color| {
        let index = match colour {
            Color::Spec(rgb) => {
                return 2 << 24 | u32::from(rgb.r) << 16 | u32::from(rgb.g) << 8 | u32::from(rgb.b);
            }
            Color::Indexed(index) => usize::from(index),
            Color::Named(named) => named as usize,
        };
        match (colours[index], index) {
            (Some(rgb), _) => 2 << 24 | u32::from(rgb.r) << 16 | u32::from(rgb.g) << 8 | u32::from(rgb.b),
            (None, 0..=255) => 1 << 24 | index as u32,
            (None, _) => 0,
        }
    };
    let mut attrs = 0;
    for (flag, bit) in [
        (Flags::BOLD, 1),
        (Flags::DIM, 2),
        (Flags::ITALIC, 4),
        (Flags::INVERSE, 8),
        (Flags::HIDDEN, 16),
        (Flags::STRIKEOUT, 32),
        (Flags::UNDERLINE, 1 << 6),
        (Flags::DOUBLE_UNDERLINE, 2 << 6),
        (Flags::UNDERCURL, 3 << 6),
        (Flags::DOTTED_UNDERLINE, 4 << 6),
        (Flags::DASHED_UNDERLINE, 5 << 6),
    ] {
        if cell.flags.contains(flag) {
            attrs |= bit;
        }
    }
    if cell.hyperlink().is_some() {
        attrs |= 512;
    }
    if wide {
        attrs |= 1_024;
    }
    let underline = cell.underline_color().map_or(0, colour);
    Seen { text, fg: colour(cell.fg), bg: colour(cell.bg), underline, attrs }
}

fn check(terminal: &mut Terminal, painter: &mut Painter, full: bool) {
    let seq = painter.last.as_ref().map_or(0, |frame| frame.seq);
    let mut sent = 0;
    // `Duration::MAX` is after every hold.
    while let Some(frame) = terminal.frame(full && sent == 0, Duration::MAX) {
        painter.apply(&frame);
        sent += 1;
        assert!(sent < 100, "frames end");
    }
    assert_eq!(painter.normal(), grid_as_seen(terminal));
    let last = painter.last.as_ref().expect("at least one frame was sent");
    assert_eq!(last.seq, seq + sent);
    let term = terminal.screen_for_tests();
    assert_eq!(usize::from(last.cols), term.columns());
    assert_eq!(last.display_offset as usize, term.grid().display_offset());
    assert_eq!(last.history_lines as usize, term.history_size());
    let cursor = term.grid().cursor.point;
    let row = cursor.line.0 as usize + term.grid().display_offset();
    let visible = term.mode().contains(TermMode::SHOW_CURSOR) && row < term.screen_lines();
    assert_eq!(last.flags & FLAG_CURSOR_VISIBLE != 0, visible);
    if visible {
        assert_eq!(usize::from(last.cursor_row), row);
        let col = usize::from(last.cursor_col);
        assert!(col == cursor.column.0 || (col + 1 == cursor.column.0 && last.cursor_width == 2), "{last:?}");
    }
}

/// A step of a session.
#[derive(Clone, Debug)]
enum Step {
    Feed(Vec<u8>),
    Resize(u16, u16),
    Scroll(i32),
    Top,
    Bottom,
    Select(u16, u16, u16, u16, u8),
    Search(&'static str),
    Frame(bool),
}

/// Output that moves, wraps, scrolls and styles, mixed with noise.
fn output() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => "[ a-zé日🎉\u{301}\u{200d}─]{1,30}".prop_map(String::into_bytes),
        4 => prop::sample::select(vec!["\r\n", "\n", "\r", "\t", "\x08", "\x07", "\x1bM", "\x1bD", "\x1bE", "\x1b7", "\x1b8"])
            .prop_map(|text| text.as_bytes().to_vec()),
        8 => (0u16..130, 0u16..130, prop::sample::select("ABCDEFGHJKLMPSTXZ@dIfbrgu".as_bytes().to_vec()))
            .prop_map(|(a, b, last)| format!("\x1b[{a};{b}{}", last as char).into_bytes()),
        6 => (0u16..110, prop::sample::select(vec!["", ";5;196", ";2;1;2;3"]))
            .prop_map(|(code, rest)| format!("\x1b[{code}{rest}m").into_bytes()),
        2 => prop::sample::select(vec!["\x1b[4:3m", "\x1b[58:5:9m", "\x1b[38;2;9;8;7m", "\x1b[48;5;17m", "\x1b[0m", "\x1b[2J", "\x1b[3J", "\x1bc", "\x1b#8"])
            .prop_map(|text| text.as_bytes().to_vec()),
        2 => (prop::sample::select(vec![1u16, 3, 4, 6, 7, 9, 25, 47, 1000, 1003, 1006, 1047, 1048, 1049, 2004, 2026]), any::<bool>())
            .prop_map(|(mode, set)| format!("\x1b[?{mode}{}", if set { 'h' } else { 'l' }).into_bytes()),
        1 => (any::<bool>()).prop_map(|set| format!("\x1b[4{}", if set { 'h' } else { 'l' }).into_bytes()),
        1 => prop::sample::select(vec!["\x1b]4;1;#123456\x07", "\x1b]104\x07", "\x1b]11;#222222\x07", "\x1b]111\x07",
            "\x1b]8;;https://example.com/\x07", "\x1b]8;;\x07", "\x1b]0;title\x07", "\x1b(0", "\x1b(B", "\x1b[5 q"])
            .prop_map(|text| text.as_bytes().to_vec()),
        2 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => output().prop_map(Step::Feed),
        2 => (1u16..60, 1u16..20).prop_map(|(cols, rows)| Step::Resize(cols, rows)),
        2 => (-30i32..30).prop_map(Step::Scroll),
        1 => Just(Step::Top),
        1 => Just(Step::Bottom),
        1 => (0u16..70, 0u16..25, 0u16..70, 0u16..25, 0u8..4).prop_map(|(a, b, c, d, e)| Step::Select(a, b, c, d, e)),
        1 => prop::sample::select(vec!["a", "é", "[a-c]+", "日", "("]).prop_map(Step::Search),
        6 => (prop::bool::weighted(0.1)).prop_map(Step::Frame),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(400)))]

    #[test]
    fn applying_frames_reproduces_the_grid(steps in prop::collection::vec(step(), 1..40)) {
        let options = Options { scrollback_lines: 50, ..Options::default() };
        let mut terminal = Terminal::new(Size::new(24, 8), options);
        let mut painter = Painter::default();
        check(&mut terminal, &mut painter, true);
        for step in steps {
            match step {
                Step::Feed(bytes) => terminal.feed(&bytes, Duration::ZERO),
                Step::Resize(cols, rows) => terminal.resize(Size { cols, rows }),
                Step::Scroll(lines) => terminal.scroll(Scroll::Lines(lines)),
                Step::Top => terminal.scroll(Scroll::Top),
                Step::Bottom => terminal.scroll(Scroll::Bottom),
                Step::Select(a, b, c, d, kind) => {
                    use SelectionKind::{Block, Line, Simple, Word};
                    let kind = [Simple, Word, Line, Block][usize::from(kind)];
                    terminal.selection_start(kind, CellPoint { col: a, row: b, right_half: c % 2 == 0 });
                    terminal.selection_update(CellPoint { col: c, row: d, right_half: a % 2 == 0 });
                    let _ = terminal.selection_text();
                }
                Step::Search(text) => {
                    let regex = text.starts_with('[');
                    terminal.search(&SearchQuery { text: text.to_owned(), regex, ..SearchQuery::default() });
                    let _ = terminal.link_at(0, 0);
                }
                Step::Frame(full) => check(&mut terminal, &mut painter, full),
            }
        }
        check(&mut terminal, &mut painter, false);
        prop_assert_eq!(terminal.frame(false, Duration::MAX), None);
    }
}

#[test]
fn a_screen_with_more_styles_than_fit_arrives_in_several_frames() {
    let mut terminal = Terminal::new(Size::new(1_000, 80), Options::default());
    let mut out = String::new();
    for row in 0..80 {
        out.push_str(&format!("\x1b[{};1H", row + 1));
        for col in 0..1_000 {
            out.push_str(&format!("\x1b[38;2;{};{};{row}mx", col / 256, col % 256));
        }
    }
    terminal.feed(out.as_bytes(), Duration::ZERO);
    let mut painter = Painter::default();
    let first = terminal.frame(true, Duration::ZERO).expect("a first frame");
    painter.apply(&first);
    assert_ne!(painter.normal(), grid_as_seen(&terminal));
    check(&mut terminal, &mut painter, false);
}

#[test]
fn an_unchanged_screen_has_no_frame_and_an_unchanged_row_is_not_sent_again() {
    let mut terminal = Terminal::new(Size::new(20, 5), Options::default());
    terminal.feed(b"one\r\ntwo", Duration::ZERO);
    let mut painter = Painter::default();
    check(&mut terminal, &mut painter, false);
    assert_eq!(terminal.frame(false, Duration::ZERO), None);
    // A full redraw with the same text changes nothing but the cursor's row.
    terminal.feed(b"\x1b[H\x1b[2Kone\r\n\x1b[2Ktwo\x1b[5;1Hx", Duration::ZERO);
    let frame = decode(&terminal.frame(false, Duration::ZERO).expect("a frame")).expect("decodes");
    assert_eq!(frame.lines.iter().map(|line| line.row).collect::<Vec<_>>(), [4]);
}
