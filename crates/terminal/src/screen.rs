//! The terminal model and what stands between it and the parser.
//!
//! The parser calls [`Screen`], which passes most calls to the model and steps in where a program could make it
//! allocate without bound, answer with something unexpected, or reach outside the cells.

use std::time::Duration;

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::{Dimensions, Scroll};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::{Config, Osc52, TermMode};
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, Color, CursorShape, CursorStyle, Handler, Hyperlink, LineClearMode, Mode,
    NamedMode, NamedPrivateMode, PrivateMode, Rgb as VteRgb, StandardCharset, TabulationClearMode,
};
use unicode_width::UnicodeWidthChar;

use crate::cleaning::{clean_title, decode_clipboard};
use crate::events::Outbox;
use crate::extras::{EXTRA_BYTES, Extras, FIRST_MARK_BYTES, MARKS_PER_CELL, NEXT_MARK_BYTES};
use crate::hyperlinks::LinkTable;
use crate::options::{Options, Size};
use crate::replies::{ModeState, Replies};

/// The embedded model. Its listener is void: every answer and event is made here.
pub(crate) type Term = alacritty_terminal::Term<VoidListener>;

/// Most titles on the title stack, as in xterm.
const TITLE_STACK_LIMIT: usize = 10;

/// Longest time a program may hold frames back (mode 2026).
pub(crate) const HOLD_TIME: Duration = Duration::from_millis(150);

/// Most bytes a program may send while it holds frames back.
pub(crate) const HOLD_BYTES: u64 = 2 << 20;

/// The size of a model, with no history yet.
impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn screen_lines(&self) -> usize {
        usize::from(self.rows)
    }

    fn columns(&self) -> usize {
        usize::from(self.cols)
    }
}

/// When frames were first held back since the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hold {
    since: Duration,
    since_bytes: u64,
}

/// The model with its limits.
pub(crate) struct Screen {
    pub(crate) term: Term,
    pub(crate) options: Options,
    pub(crate) replies: Replies,
    pub(crate) outbox: Outbox,
    pub(crate) links: LinkTable,
    extras: Extras,
    title: Option<String>,
    titles: Vec<Option<String>>,
    /// Mode 9: presses only, without modifiers. The model does not know it.
    pub(crate) x10_mouse: bool,
    /// First row of the scroll region.
    region_top: usize,
    /// Combining marks not kept.
    pub(crate) marks_dropped: u64,
    /// Whether a synchronized update (mode 2026) is in progress.
    held: bool,
    /// Kept from one synchronized update to the next until a frame was sent, or a program that always has one in
    /// progress would never be seen.
    hold: Option<Hold>,
    now: Duration,
    bytes: u64,
}

impl Screen {
    pub(crate) fn new(size: Size, options: Options) -> Self {
        let term = Term::new(config(&options, size.cols), &size, VoidListener);
        Self {
            term,
            options,
            replies: Replies::new(),
            outbox: Outbox::default(),
            links: LinkTable::default(),
            extras: Extras::default(),
            title: None,
            titles: Vec::new(),
            x10_mouse: false,
            region_top: 0,
            marks_dropped: 0,
            held: false,
            hold: None,
            now: Duration::ZERO,
            bytes: 0,
        }
    }

    /// Counts bytes about to be parsed at `now`.
    pub(crate) fn arriving(&mut self, bytes: usize, now: Duration) {
        self.now = self.now.max(now);
        self.bytes += bytes as u64;
        self.replies.set_now(now);
    }

    pub(crate) fn resize(&mut self, size: Size) {
        let old_cols = self.term.columns();
        // Wider rows of the same number would need more memory than is allowed while they are rewrapped.
        if usize::from(size.cols) > old_cols {
            self.term.set_options(config(&self.options, size.cols));
        }
        self.term.resize(size);
        self.region_top = 0;
        if usize::from(size.cols) < old_cols {
            self.term.set_options(config(&self.options, size.cols));
        }
    }

    /// Until when a program holds frames back, if it does.
    pub(crate) fn held_until(&self) -> Option<Duration> {
        let hold = self.hold.filter(|_| self.held)?;
        (self.bytes.saturating_sub(hold.since_bytes) <= HOLD_BYTES)
            .then_some(hold.since.saturating_add(HOLD_TIME))
    }

    /// Whether frames are held back at `now`; a hold that ran out ends here.
    pub(crate) fn is_held(&mut self, now: Duration) -> bool {
        self.now = self.now.max(now);
        if self.held_until().is_some_and(|until| self.now < until) {
            return true;
        }
        self.held = false;
        false
    }

    /// Says that a frame was sent.
    pub(crate) fn frame_sent(&mut self) {
        self.hold = None;
    }

    /// Runs an operation that may scroll rows from `top` on. The model moves a scrolled-back view as if every such row
    /// went to the history; only rows from the very top do, so otherwise the view is put back.
    #[inline]
    fn scrolling_from(&mut self, top: usize, operation: impl FnOnce(&mut Term)) {
        let before = self.term.grid().display_offset();
        operation(&mut self.term);
        let moved = self.term.grid().display_offset().saturating_sub(before);
        if top > 0 && moved > 0 {
            self.term.scroll_display(Scroll::Delta(-(moved as i32)));
        }
    }

    fn charge(&mut self, bytes: usize) {
        if !self.extras.charge(bytes) {
            return;
        }
        let lines = self.extras.recount(self.term.grid());
        if lines < self.term.history_size() {
            // The alternate screen has no history, so this grid is the primary one.
            let limit = self.options.history_lines(self.term.columns() as u16);
            let grid = self.term.grid_mut();
            grid.update_history(lines);
            grid.truncate();
            grid.update_history(limit);
        }
    }

    /// Whether the cell a combining mark would go to has room for it.
    fn takes_mark(&mut self) -> bool {
        let grid = self.term.grid();
        let cursor = &grid.cursor;
        let row = &grid[cursor.point.line];
        let mut col = cursor.point.column.0;
        if !cursor.input_needs_wrap {
            col = col.saturating_sub(1);
        }
        if row[Column(col)].flags.contains(Flags::WIDE_CHAR_SPACER) {
            col = col.saturating_sub(1);
        }
        let marks = row[Column(col)].zerowidth().map_or(0, <[char]>::len);
        if marks >= MARKS_PER_CELL {
            self.marks_dropped += 1;
            return false;
        }
        self.charge(if marks == 0 { FIRST_MARK_BYTES } else { NEXT_MARK_BYTES });
        true
    }

    fn announce_title(&mut self) {
        self.outbox.title(self.title.clone());
    }

    /// Switches to or from the alternate screen for the older modes 47 and 1047.
    fn set_alternate_screen(&mut self, alternate: bool) {
        if self.term.mode().contains(TermMode::ALT_SCREEN) != alternate {
            self.term.swap_alt();
        }
    }

    fn private_mode_state(&self, mode: NamedPrivateMode) -> ModeState {
        let has = |flag| ModeState::from(self.term.mode().contains(flag));
        match mode {
            NamedPrivateMode::CursorKeys => has(TermMode::APP_CURSOR),
            NamedPrivateMode::Origin => has(TermMode::ORIGIN),
            NamedPrivateMode::LineWrap => has(TermMode::LINE_WRAP),
            NamedPrivateMode::BlinkingCursor => self.term.cursor_style().blinking.into(),
            NamedPrivateMode::ShowCursor => has(TermMode::SHOW_CURSOR),
            NamedPrivateMode::ReportMouseClicks => has(TermMode::MOUSE_REPORT_CLICK),
            NamedPrivateMode::ReportCellMouseMotion => has(TermMode::MOUSE_DRAG),
            NamedPrivateMode::ReportAllMouseMotion => has(TermMode::MOUSE_MOTION),
            NamedPrivateMode::ReportFocusInOut => has(TermMode::FOCUS_IN_OUT),
            NamedPrivateMode::Utf8Mouse => has(TermMode::UTF8_MOUSE),
            NamedPrivateMode::SgrMouse => has(TermMode::SGR_MOUSE),
            NamedPrivateMode::AlternateScroll => has(TermMode::ALTERNATE_SCROLL),
            NamedPrivateMode::UrgencyHints => has(TermMode::URGENCY_HINTS),
            NamedPrivateMode::SwapScreenAndSetRestoreCursor => has(TermMode::ALT_SCREEN),
            NamedPrivateMode::BracketedPaste => has(TermMode::BRACKETED_PASTE),
            NamedPrivateMode::SyncUpdate => self.held.into(),
            NamedPrivateMode::ColumnMode => ModeState::Unknown,
        }
    }
}

fn config(options: &Options, cols: u16) -> Config {
    Config {
        scrolling_history: options.history_lines(cols),
        osc52: Osc52::Disabled,
        kitty_keyboard: false,
        ..Config::default()
    }
}

/// Methods the model may handle by itself.
macro_rules! pass {
    ($($name:ident($($arg:ident: $ty:ty),*);)*) => {
        $(#[inline] fn $name(&mut self, $($arg: $ty),*) { Handler::$name(&mut self.term, $($arg),*); })*
    };
}

impl Handler for Screen {
    pass! {
        set_cursor_style(style: Option<CursorStyle>);
        set_cursor_shape(shape: CursorShape);
        goto(line: i32, col: usize);
        goto_line(line: i32);
        goto_col(col: usize);
        insert_blank(count: usize);
        move_up(lines: usize);
        move_down(lines: usize);
        move_forward(cols: usize);
        move_backward(cols: usize);
        move_down_and_cr(lines: usize);
        move_up_and_cr(lines: usize);
        put_tab(count: u16);
        backspace();
        carriage_return();
        newline();
        set_horizontal_tabstop();
        scroll_down(lines: usize);
        insert_blank_lines(lines: usize);
        erase_chars(count: usize);
        delete_chars(count: usize);
        move_backward_tabs(count: u16);
        move_forward_tabs(count: u16);
        save_cursor_position();
        restore_cursor_position();
        clear_line(mode: LineClearMode);
        clear_screen(mode: ClearMode);
        clear_tabs(mode: TabulationClearMode);
        reverse_index();
        set_mode(mode: Mode);
        unset_mode(mode: Mode);
        set_keypad_application_mode();
        unset_keypad_application_mode();
        set_active_charset(index: CharsetIndex);
        configure_charset(index: CharsetIndex, charset: StandardCharset);
        set_color(index: usize, color: VteRgb);
        reset_color(index: usize);
        decaln();
    }

    #[inline]
    fn input(&mut self, c: char) {
        if c >= '\u{80}' && c.width() == Some(0) && !self.takes_mark() {
            return;
        }
        if self.region_top == 0 {
            self.term.input(c);
        } else {
            self.scrolling_from(self.region_top, |term| term.input(c));
        }
    }

    #[inline]
    fn linefeed(&mut self) {
        self.scrolling_from(self.region_top, Handler::linefeed);
    }

    fn scroll_up(&mut self, lines: usize) {
        self.scrolling_from(self.region_top, |term| term.scroll_up(lines));
    }

    fn delete_lines(&mut self, lines: usize) {
        let top = usize::try_from(self.term.grid().cursor.point.line.0).unwrap_or(0);
        self.scrolling_from(top, |term| term.delete_lines(lines));
    }

    fn set_scrolling_region(&mut self, top: usize, bottom: Option<usize>) {
        if top < bottom.unwrap_or(self.term.screen_lines()) {
            self.region_top = top.saturating_sub(1);
        }
        self.term.set_scrolling_region(top, bottom);
    }

    fn set_tabs(&mut self, interval: u16) {
        let interval = usize::from(interval.max(1));
        let cursor = self.term.grid().cursor.point;
        self.term.clear_tabs(TabulationClearMode::All);
        for col in (0..self.term.columns()).step_by(interval) {
            self.term.grid_mut().cursor.point.column = Column(col);
            self.term.set_horizontal_tabstop();
        }
        self.term.grid_mut().cursor.point = cursor;
    }

    fn terminal_attribute(&mut self, attr: Attr) {
        if matches!(attr, Attr::UnderlineColor(Some(Color::Named(_) | Color::Indexed(_) | Color::Spec(_)))) {
            self.charge(EXTRA_BYTES);
        }
        self.term.terminal_attribute(attr);
    }

    fn reset_state(&mut self) {
        self.term.reset_state();
        self.links.clear();
        self.region_top = 0;
        self.x10_mouse = false;
        self.held = false;
        self.titles.clear();
        if self.title.take().is_some() {
            self.announce_title();
        }
    }

    fn bell(&mut self) {
        self.outbox.bell();
    }

    fn set_title(&mut self, title: Option<String>) {
        let title = title.map(|title| clean_title(&title));
        if title != self.title {
            self.title = title;
            self.announce_title();
        }
    }

    fn push_title(&mut self) {
        if self.titles.len() >= TITLE_STACK_LIMIT {
            self.titles.remove(0);
        }
        self.titles.push(self.title.clone());
    }

    fn pop_title(&mut self) {
        if let Some(title) = self.titles.pop() {
            self.set_title(title);
        }
    }

    fn set_hyperlink(&mut self, link: Option<Hyperlink>) {
        let link = link.and_then(|link| self.links.intern(link.id, link.uri, self.term.grid()));
        if link.is_some() {
            self.charge(EXTRA_BYTES);
        }
        self.term.grid_mut().cursor.template.set_hyperlink(link);
    }

    fn clipboard_store(&mut self, clipboard: u8, payload: &[u8]) {
        if !matches!(clipboard, b'c' | b'p' | b's') {
            return;
        }
        if let Some(text) = decode_clipboard(payload) {
            self.outbox.clipboard(text);
        }
    }

    fn identify_terminal(&mut self, intermediate: Option<char>) {
        match intermediate {
            None => self.replies.primary_attributes(),
            Some('>') => self.replies.secondary_attributes(),
            Some(_) => {}
        }
    }

    fn device_status(&mut self, kind: usize) {
        match kind {
            5 => self.replies.ready(),
            6 => {
                let point = self.term.grid().cursor.point;
                let row = usize::try_from(point.line.0).unwrap_or(0) + 1;
                self.replies.cursor_position(row, point.column.0 + 1);
            }
            _ => {}
        }
    }

    fn set_private_mode(&mut self, mode: PrivateMode) {
        match mode {
            PrivateMode::Named(NamedPrivateMode::SyncUpdate) => {
                self.held = true;
                self.hold.get_or_insert(Hold { since: self.now, since_bytes: self.bytes });
            }
            PrivateMode::Named(named) => {
                use NamedPrivateMode::{ReportAllMouseMotion, ReportCellMouseMotion, ReportMouseClicks};
                if matches!(named, ReportMouseClicks | ReportCellMouseMotion | ReportAllMouseMotion) {
                    self.x10_mouse = false;
                }
                self.forget_region(named);
                self.term.set_private_mode(mode);
            }
            PrivateMode::Unknown(9) => {
                for other in [1000, 1002, 1003] {
                    self.unset_mouse_mode(other);
                }
                self.x10_mouse = true;
            }
            PrivateMode::Unknown(47 | 1047) => self.set_alternate_screen(true),
            PrivateMode::Unknown(1048) => self.term.save_cursor_position(),
            PrivateMode::Unknown(_) => {}
        }
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        match mode {
            PrivateMode::Named(NamedPrivateMode::SyncUpdate) => self.held = false,
            PrivateMode::Named(named) => {
                self.forget_region(named);
                self.term.unset_private_mode(mode);
            }
            PrivateMode::Unknown(9) => self.x10_mouse = false,
            PrivateMode::Unknown(47 | 1047) => self.set_alternate_screen(false),
            PrivateMode::Unknown(1048) => self.term.restore_cursor_position(),
            PrivateMode::Unknown(_) => {}
        }
    }

    fn report_mode(&mut self, mode: Mode) {
        let state = match mode {
            Mode::Named(NamedMode::Insert) => self.term.mode().contains(TermMode::INSERT).into(),
            Mode::Named(NamedMode::LineFeedNewLine) => {
                self.term.mode().contains(TermMode::LINE_FEED_NEW_LINE).into()
            }
            Mode::Unknown(_) => ModeState::Unknown,
        };
        self.replies.mode(mode.raw(), state);
    }

    fn report_private_mode(&mut self, mode: PrivateMode) {
        let alternate = self.term.mode().contains(TermMode::ALT_SCREEN);
        let state = match mode {
            PrivateMode::Named(named) => self.private_mode_state(named),
            PrivateMode::Unknown(9) => self.x10_mouse.into(),
            PrivateMode::Unknown(47 | 1047) => alternate.into(),
            PrivateMode::Unknown(_) => ModeState::Unknown,
        };
        self.replies.private_mode(mode.raw(), state);
    }

    fn dynamic_color_sequence(&mut self, _prefix: String, index: usize, terminator: &str) {
        let set = self.term.colors()[index].map(Into::into);
        self.replies.colour(index, set, &self.options.palette, terminator == "\x07");
    }

    fn text_area_size_chars(&mut self) {
        self.replies.size(self.term.screen_lines(), self.term.columns());
    }
}

impl Screen {
    /// Changing the column mode drops the scroll region.
    fn forget_region(&mut self, mode: NamedPrivateMode) {
        if mode == NamedPrivateMode::ColumnMode {
            self.region_top = 0;
        }
    }

    fn unset_mouse_mode(&mut self, mode: u16) {
        let named = match mode {
            1000 => NamedPrivateMode::ReportMouseClicks,
            1002 => NamedPrivateMode::ReportCellMouseMotion,
            _ => NamedPrivateMode::ReportAllMouseMotion,
        };
        self.term.unset_private_mode(named.into());
    }

    /// Lines of history above the screen.
    pub(crate) fn history_lines(&self) -> usize {
        self.term.history_size()
    }

    /// The grid line of a visible row.
    pub(crate) fn line_of_row(&self, row: u16) -> Line {
        Line(i32::from(row) - self.term.grid().display_offset() as i32)
    }
}
