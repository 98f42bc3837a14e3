//! The terminal model and what stands between it and the parser.
//!
//! The parser calls [`Screen`], which passes most calls to the model and steps in where a program could make it
//! allocate without bound, answer with something unexpected, or reach outside the cells.

use std::time::Duration;

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::{Dimensions, Scroll};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::{Config, Osc52};
use alacritty_terminal::vte::ansi::{
    Attr, CharsetIndex, ClearMode, Color, CursorShape, CursorStyle, Handler, Hyperlink, LineClearMode, Mode,
    PrivateMode, Rgb as VteRgb, StandardCharset, TabulationClearMode,
};
use unicode_width::UnicodeWidthChar;

use crate::cleaning::{clean_title, decode_clipboard};
use crate::events::Outbox;
use crate::extras::{EXTRA_BYTES, Extras, FIRST_MARK_BYTES, MARKS_PER_CELL, NEXT_MARK_BYTES};
use crate::hold::Hold;
use crate::hyperlinks::LinkTable;
use crate::options::{Options, Size};
use crate::replies::Replies;

/// The embedded model. Its listener is void: every answer and event is made here.
pub(crate) type Term = alacritty_terminal::Term<VoidListener>;

/// Most titles on the title stack, as in xterm.
const TITLE_STACK_LIMIT: usize = 10;

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
    pub(crate) region_top: usize,
    /// Combining marks not kept.
    pub(crate) marks_dropped: u64,
    pub(crate) hold: Hold,
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
            hold: Hold::default(),
        }
    }

    /// Counts bytes about to be parsed at `now`.
    pub(crate) fn arriving(&mut self, bytes: usize, now: Duration) {
        self.hold.arriving(bytes, now);
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
        self.keep_view_inside();
    }

    /// Moves a view that the model left above its oldest line back to it.
    pub(crate) fn keep_view_inside(&mut self) {
        if self.term.grid().display_offset() > self.term.history_size() {
            self.term.scroll_display(Scroll::Top);
        }
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
        self.hold.end();
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
        self.change_private_mode(mode, true);
    }

    fn unset_private_mode(&mut self, mode: PrivateMode) {
        self.change_private_mode(mode, false);
    }

    fn report_mode(&mut self, mode: Mode) {
        let state = self.mode_state(mode);
        self.replies.mode(mode.raw(), state);
    }

    fn report_private_mode(&mut self, mode: PrivateMode) {
        let state = self.private_mode_state(mode);
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
    /// Lines of history above the screen.
    pub(crate) fn history_lines(&self) -> usize {
        self.term.history_size()
    }

    /// The grid line of a visible row.
    pub(crate) fn line_of_row(&self, row: u16) -> Line {
        Line(i32::from(row) - self.term.grid().display_offset() as i32)
    }
}
