//! The terminal of one session.

use std::time::Duration;

use alacritty_terminal::grid::{Dimensions, Scroll as GridScroll};
use alacritty_terminal::index::Line;
use alacritty_terminal::term::TermMode;
use alacritty_terminal::vte::ansi::{Processor, Timeout};

use crate::events::TerminalEvent;
use crate::frame::FrameEncoder;
use crate::guard::{Guard, GuardCounters};
use crate::input::{self, KeyContext, KeyEvent, MouseAction, MouseEvent, MouseMode, PasteReview};
use crate::links::Link;
use crate::options::{Options, Palette, Size};
use crate::screen::Screen;
use crate::search::{Search, SearchQuery, SearchState};
use crate::selection::{CellPoint, SelectionKind};
use crate::text::{row_text, wraps};

/// Where to scroll the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scroll {
    /// By lines; positive is towards the past.
    Lines(i32),
    /// By screens; positive is towards the past.
    Pages(i32),
    /// To the oldest line.
    Top,
    /// To the newest line.
    Bottom,
}

/// Modes of the terminal others act upon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    /// The program wants mouse events.
    pub mouse: bool,
    /// The program wants mouse moves, always or while a button is held.
    pub mouse_motion: bool,
    /// Pastes are bracketed.
    pub bracketed_paste: bool,
    /// Cursor keys are in application mode.
    pub app_cursor: bool,
    /// The keypad is in application mode.
    pub app_keypad: bool,
    /// The alternate screen is shown.
    pub alt_screen: bool,
    /// On the alternate screen the wheel sends cursor keys.
    pub alternate_scroll: bool,
    /// The program wants focus events.
    pub focus_events: bool,
}

/// What was not done, because a program exceeded a limit. For logs and tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Sequences stopped before the parser.
    pub guard: GuardCounters,
    /// Answers not given: more than 100 a second.
    pub replies_dropped: u64,
    /// Combining marks not kept: more than 16 on a cell.
    pub marks_dropped: u64,
    /// OSC 8 links not accepted.
    pub links_refused: u64,
}

/// Synchronized updates are parsed as they arrive, and only frames are held back: no second buffer is needed.
#[derive(Default)]
struct NeverBuffer;

impl Timeout for NeverBuffer {
    fn set_timeout(&mut self, _duration: Duration) {}
    fn clear_timeout(&mut self) {}
    fn pending_timeout(&self) -> bool {
        false
    }
}

/// A terminal: bytes of a remote program in, frames and answers out; a person's input in, bytes out.
///
/// It has no clock, thread or socket. Times are given as the time since any fixed moment.
pub struct Terminal {
    guard: Guard,
    parser: Processor<NeverBuffer>,
    screen: Screen,
    encoder: FrameEncoder,
    search: Option<Search>,
    /// Where the mouse was last reported, to report a move to another cell only.
    mouse_at: Option<(u16, u16)>,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is on the screen may be secret.
        f.debug_struct("Terminal").field("size", &self.size()).finish_non_exhaustive()
    }
}

impl Terminal {
    /// A blank terminal.
    #[must_use]
    pub fn new(size: Size, options: Options) -> Self {
        let size = size.clamped();
        Self {
            guard: Guard::new(size.cols),
            parser: Processor::new(),
            screen: Screen::new(size, options),
            encoder: FrameEncoder::default(),
            search: None,
            mouse_at: None,
        }
    }

    /// Takes in output of the remote program. The result does not depend on how the stream is cut. `now` limits the
    /// rate of answers and the time frames are held back.
    pub fn feed(&mut self, bytes: &[u8], now: Duration) {
        let before = self.scroll_mark();
        let selected = self.screen.selection_to_watch();
        self.screen.arriving(bytes.len(), now);
        self.guard.filter(bytes, |bytes| self.parser.advance(&mut self.screen, bytes));
        self.screen.keep_view_inside();
        if selected.is_some() && self.screen.selection_to_watch() != selected {
            self.selection_clear();
        }
        let after = self.scroll_mark();
        if let Some(search) = &mut self.search {
            search.scrolled(before.lines_to(after));
        }
    }

    /// Takes the bytes to send to the node in answer to the program's questions. Only what SEC-10 allows, at most 100
    /// answers a second.
    pub fn take_replies(&mut self) -> Vec<u8> {
        self.screen.replies.take()
    }

    /// Takes what happened since the last call: at most one event of a kind.
    pub fn take_events(&mut self) -> Vec<TerminalEvent> {
        self.screen.outbox.take()
    }

    /// Changes the size; lines are rewrapped. Values outside the limits are moved to the nearest limit.
    pub fn resize(&mut self, size: Size) {
        let size = size.clamped();
        if size == self.size() {
            return;
        }
        self.guard.set_cols(size.cols);
        self.screen.resize(size);
        if let Some(search) = &mut self.search {
            search.scrolled(None);
        }
    }

    /// The size.
    #[must_use]
    pub fn size(&self) -> Size {
        Size { cols: self.screen.term.columns() as u16, rows: self.screen.term.screen_lines() as u16 }
    }

    /// Changes the colours named in answers to colour queries.
    pub fn set_palette(&mut self, palette: Palette) {
        self.screen.options.palette = palette;
    }

    /// Scrolls the view over the scrollback.
    pub fn scroll(&mut self, to: Scroll) {
        let rows = self.screen.term.screen_lines() as i32;
        let to = match to {
            Scroll::Lines(lines) => GridScroll::Delta(bounded(lines)),
            Scroll::Pages(pages) => GridScroll::Delta(bounded(pages.saturating_mul(rows))),
            Scroll::Top => GridScroll::Top,
            Scroll::Bottom => GridScroll::Bottom,
        };
        self.screen.term.scroll_display(to);
    }

    /// Lines the view is above the newest line; 0 at the bottom.
    #[must_use]
    pub fn scroll_position(&self) -> u32 {
        self.screen.term.grid().display_offset() as u32
    }

    /// Begins a selection at a cell of the view. It follows its text when output scrolls, and ends when output changes
    /// the text (one of more than two screens stays).
    pub fn selection_start(&mut self, kind: SelectionKind, at: CellPoint) {
        self.screen.selection_start(kind, at);
    }

    /// Extends the selection to a cell of the view.
    pub fn selection_update(&mut self, at: CellPoint) {
        self.screen.selection_update(at);
    }

    /// Selects everything, scrollback included.
    pub fn selection_all(&mut self) {
        self.screen.selection_all();
    }

    /// Drops the selection.
    pub fn selection_clear(&mut self) {
        self.screen.term.selection = None;
    }

    /// The selected text: wrapped rows joined, spaces at line ends and blank lines at the end dropped, hidden
    /// characters as spaces. `None` when nothing is selected. Bounded by what the scrollback holds (36 MiB of 24-byte cells by default).
    #[must_use]
    pub fn selection_text(&self) -> Option<String> {
        self.screen.selection_text()
    }

    /// Searches: a new text begins a search from the view, the same text goes to the next hit, and an empty one ends
    /// it. The hit is scrolled into view and hits in the view are marked in frames.
    pub fn search(&mut self, query: &SearchQuery) -> SearchState {
        if query.text.is_empty() {
            self.search = None;
            return SearchState::default();
        }
        let search = match self.search.take().filter(|search| search.is_for(query)) {
            Some(search) => Ok(search),
            None => Search::new(query),
        };
        match search {
            Ok(search) => self.search.insert(search).step(&mut self.screen, query.forward),
            Err(error) => SearchState { error: Some(error), ..SearchState::default() },
        }
    }

    /// The link at a cell of the view: an OSC 8 one, or a plain address in the text.
    #[must_use]
    pub fn link_at(&self, col: u16, row: u16) -> Option<Link> {
        self.screen.link_at(col, row)
    }

    /// The rows of the view as text, without trailing spaces.
    #[must_use]
    pub fn mirror(&self) -> Vec<String> {
        let top = self.screen.line_of_row(0);
        (0..self.screen.term.screen_lines() as i32)
            .map(|row| row_text(&self.screen.term.grid()[top + row]))
            .collect()
    }

    /// Scrollback and screen as text: wrapped rows joined, blank lines at the end dropped.
    #[must_use]
    pub fn text_of_everything(&self) -> String {
        let grid = self.screen.term.grid();
        let mut text = String::new();
        for line in grid.topmost_line().0..=grid.bottommost_line().0 {
            let row = &grid[Line(line)];
            if wraps(row) {
                crate::text::push_cells(row, 0, row.len(), &mut text);
            } else {
                text.push_str(&row_text(row));
                text.push('\n');
            }
        }
        text.truncate(text.trim_end_matches('\n').len());
        text
    }

    /// What changed since the last frame, in the layout of [`crate::frame::layout`]; `None` when nothing did, or while
    /// the program holds frames back (see [`Self::held_until`]). `full` asks for the whole screen, even then. Call it
    /// again after a frame was painted: a frame with more styles than fit goes on in the next.
    pub fn frame(&mut self, full: bool, now: Duration) -> Option<Vec<u8>> {
        if self.screen.hold.is_active(now) && !full {
            return None;
        }
        self.encoder.collect_damage(&mut self.screen);
        let mut overlays = Vec::new();
        self.screen.selection_overlays(&mut overlays);
        if let Some(search) = &self.search {
            search.overlays(&self.screen, &mut overlays);
        }
        let frame = self.encoder.encode(&mut self.screen, overlays, full)?;
        self.screen.hold.frame_sent();
        Some(frame)
    }

    /// Until when [`Self::frame`] has nothing to give because the program is in a synchronized update (mode 2026): at
    /// most 150 ms after it began, and not after 2 MiB.
    #[must_use]
    pub fn held_until(&self) -> Option<Duration> {
        self.screen.hold.until()
    }

    /// Modes others act upon.
    #[must_use]
    pub fn modes(&self) -> Modes {
        let mode = *self.screen.term.mode();
        Modes {
            mouse: mode.intersects(TermMode::MOUSE_MODE) || self.screen.x10_mouse,
            mouse_motion: mode.intersects(TermMode::MOUSE_MOTION | TermMode::MOUSE_DRAG),
            bracketed_paste: mode.contains(TermMode::BRACKETED_PASTE),
            app_cursor: mode.contains(TermMode::APP_CURSOR),
            app_keypad: mode.contains(TermMode::APP_KEYPAD),
            alt_screen: mode.contains(TermMode::ALT_SCREEN),
            alternate_scroll: mode.contains(TermMode::ALTERNATE_SCROLL),
            focus_events: mode.contains(TermMode::FOCUS_IN_OUT),
        }
    }

    /// The bytes of a key press; `None` when it sends nothing. A key that sends something scrolls to the bottom.
    pub fn encode_key(&mut self, event: &KeyEvent) -> Option<Vec<u8>> {
        let context =
            KeyContext { mode: *self.screen.term.mode(), alt_composes: self.screen.options.alt_composes };
        let bytes = input::encode_key(event, context)?;
        self.scroll(Scroll::Bottom);
        Some(bytes)
    }

    /// The bytes of text typed through an input method, without control characters other than tab and Enter. Scrolls
    /// to the bottom.
    pub fn encode_text(&mut self, text: &str) -> Vec<u8> {
        self.scroll(Scroll::Bottom);
        input::encode_text(text)
    }

    /// The bytes of a paste (SEC-14): control characters removed, bracketed when the program asked for it, otherwise
    /// lines ended with CR. Scrolls to the bottom.
    pub fn encode_paste(&mut self, text: &str) -> Vec<u8> {
        self.scroll(Scroll::Bottom);
        input::encode_paste(text, *self.screen.term.mode())
    }

    /// What to show a person before a text is pasted; `None` when it can be sent at once (SEC-14).
    #[must_use]
    pub fn paste_review(&self, text: &str) -> Option<PasteReview> {
        input::review(text, *self.screen.term.mode())
    }

    /// The bytes of a mouse event; `None` when the program does not want it: then selecting and scrolling are the
    /// caller's. Moves within one cell are sent once.
    pub fn encode_mouse(&mut self, event: &MouseEvent) -> Option<Vec<u8>> {
        let size = self.size();
        let event =
            MouseEvent { col: event.col.min(size.cols - 1), row: event.row.min(size.rows - 1), ..*event };
        let at = Some((event.col, event.row));
        if event.action == MouseAction::Move && self.mouse_at == at {
            return None;
        }
        let mode = MouseMode { mode: *self.screen.term.mode(), x10: self.screen.x10_mouse };
        let bytes = input::encode_mouse(&event, mode)?;
        self.mouse_at = at;
        Some(bytes)
    }

    /// The bytes of a focus change; `None` when the program did not ask for them.
    #[must_use]
    pub fn encode_focus(&self, focused: bool) -> Option<Vec<u8>> {
        let wanted = self.screen.term.mode().contains(TermMode::FOCUS_IN_OUT);
        wanted.then(|| if focused { b"\x1b[I".to_vec() } else { b"\x1b[O".to_vec() })
    }

    /// What was not done because a program exceeded a limit.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            guard: self.guard.counters(),
            replies_dropped: self.screen.replies.dropped(),
            marks_dropped: self.screen.marks_dropped,
            links_refused: self.screen.links.refused(),
        }
    }

    #[cfg(test)]
    pub(crate) fn screen_for_tests(&self) -> &crate::screen::Term {
        &self.screen.term
    }

    fn scroll_mark(&self) -> ScrollMark {
        let grid = self.screen.term.grid();
        ScrollMark {
            history: self.screen.history_lines(),
            offset: grid.display_offset(),
            limit: self.screen.options.history_lines(self.screen.term.columns() as u16),
            alternate: self.screen.term.mode().contains(TermMode::ALT_SCREEN),
        }
    }
}

/// What tells how far text moved up while bytes were taken in.
#[derive(Clone, Copy, Debug)]
struct ScrollMark {
    history: usize,
    offset: usize,
    limit: usize,
    alternate: bool,
}

impl ScrollMark {
    /// Lines the text moved up until `after`, where that can be told.
    fn lines_to(self, after: Self) -> Option<i32> {
        if self.alternate || after.alternate || after.history < self.history {
            return (self.alternate && after.alternate).then_some(0);
        }
        if after.history < after.limit {
            return i32::try_from(after.history - self.history).ok();
        }
        // A full history says nothing, but a view held in place moves with the text.
        let followed = self.offset > 0 && after.offset > self.offset && after.offset < after.limit;
        if followed { i32::try_from(after.offset - self.offset).ok() } else { None }
    }
}

/// Scroll distances within what a grid can have.
fn bounded(lines: i32) -> i32 {
    lines.clamp(-1_000_000_000, 1_000_000_000)
}
