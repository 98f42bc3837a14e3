//! From the model's damage to the bytes of a frame.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::{TermDamage, TermMode};
use alacritty_terminal::vte::ansi::CursorShape;

use super::layout::{
    FLAG_ALT_SCREEN, FLAG_BELL, FLAG_CURSOR_VISIBLE, FLAG_FULL, FLAG_SCROLLED_BACK, HEADER_LEN, MAX_OVERLAYS,
    MODE_ALTERNATE_SCROLL, MODE_APP_CURSOR, MODE_BRACKETED_PASTE, MODE_CURSOR_BLINK, MODE_FOCUS_EVENTS,
    MODE_MOUSE, MODE_MOUSE_MOTION, SHAPE_BAR, SHAPE_BLOCK, SHAPE_HOLLOW, SHAPE_UNDERLINE, STYLE_LEN, VERSION,
};
use super::rows::{RowSpans, cell_glyph};
use super::style::{MAX_STYLES, StyleTable};
use crate::overlay::Overlay;
use crate::screen::Screen;

/// Everything of the header but counts, numbers and one-time flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct View {
    flags: u8,
    cols: u16,
    rows: u16,
    cursor_col: u16,
    cursor_row: u16,
    shape: u8,
    cursor_width: u8,
    display_offset: u32,
    history_lines: u32,
    modes: u32,
}

/// Remembers what the painter was told, and encodes what is new.
#[derive(Debug, Default)]
pub(crate) struct FrameEncoder {
    /// What the painter shows.
    shown: Vec<RowSpans>,
    /// Rows that may differ from `shown`.
    dirty: Vec<bool>,
    view: View,
    overlays: Vec<Overlay>,
    seq: u32,
    styles: StyleTable,
    scratch: RowSpans,
}

impl FrameEncoder {
    /// Collects the model's damage. Returns whether any row may have changed.
    pub(crate) fn collect_damage(&mut self, screen: &mut Screen) {
        let rows = screen.term.screen_lines();
        if self.dirty.len() != rows {
            self.dirty.clear();
            self.dirty.resize(rows, true);
        }
        match screen.term.damage() {
            TermDamage::Full => self.dirty.fill(true),
            TermDamage::Partial(lines) => {
                for line in lines {
                    if let Some(dirty) = self.dirty.get_mut(line.line) {
                        *dirty = true;
                    }
                }
            }
        }
        screen.term.reset_damage();
    }

    /// Encodes what is new since the last frame; `None` when nothing is.
    pub(crate) fn encode(
        &mut self,
        screen: &mut Screen,
        overlays: Vec<Overlay>,
        full: bool,
    ) -> Option<Vec<u8>> {
        let view = view_of(screen);
        let full = full || self.seq == 0 || (view.cols, view.rows) != (self.view.cols, self.view.rows);
        if full {
            self.shown.clear();
            self.shown.resize_with(usize::from(view.rows), RowSpans::default);
            self.dirty.fill(true);
        }
        let mut body = Vec::new();
        let row_count = self.encode_rows(screen, usize::from(view.cols), &mut body);
        let bell = screen.outbox.rang();
        if !full && !bell && row_count == 0 && view == self.view && overlays == self.overlays {
            return None;
        }
        screen.outbox.forget_ringing();
        self.view = view;
        self.overlays = overlays;
        self.seq = self.seq.wrapping_add(1).max(1);
        let once = if full { FLAG_FULL } else { 0 } | if bell { FLAG_BELL } else { 0 };
        Some(self.assemble(once, row_count, &body))
    }

    fn encode_rows(&mut self, screen: &Screen, cols: usize, body: &mut Vec<u8>) -> u16 {
        self.styles.clear();
        let mut count = 0;
        let grid = screen.term.grid();
        for row in 0..self.shown.len() {
            if !self.dirty.get(row).copied().unwrap_or(true) {
                continue;
            }
            if self.styles.len() + cols > MAX_STYLES {
                break;
            }
            if let Some(dirty) = self.dirty.get_mut(row) {
                *dirty = false;
            }
            let line = Line(row as i32 - grid.display_offset() as i32);
            self.scratch.fill(&grid[line], screen.term.colors());
            if self.scratch == self.shown[row] {
                continue;
            }
            put_u16(body, row as u16);
            put_u16(body, self.scratch.spans.len() as u16);
            for (span, text) in self.scratch.iter() {
                put_u16(body, span.col);
                put_u16(body, span.cells);
                put_u16(body, self.styles.index_of(span.style));
                put_u16(body, text.len() as u16);
                body.extend_from_slice(text.as_bytes());
            }
            std::mem::swap(&mut self.scratch, &mut self.shown[row]);
            count += 1;
        }
        count
    }

    fn assemble(&self, once: u8, row_count: u16, rows: &[u8]) -> Vec<u8> {
        let overlays = &self.overlays[..self.overlays.len().min(MAX_OVERLAYS)];
        let body_len = self.styles.len() * STYLE_LEN + rows.len() + overlays.len() * 8;
        let mut out = Vec::with_capacity(HEADER_LEN + body_len);
        let view = &self.view;
        out.extend_from_slice(&[VERSION, view.flags | once]);
        for value in [view.cols, view.rows, view.cursor_col, view.cursor_row] {
            put_u16(&mut out, value);
        }
        out.extend_from_slice(&[view.shape, view.cursor_width]);
        for value in [self.seq, view.display_offset, view.history_lines, view.modes] {
            put_u32(&mut out, value);
        }
        for value in [self.styles.len() as u16, row_count, overlays.len() as u16, 0] {
            put_u16(&mut out, value);
        }
        put_u32(&mut out, body_len as u32);
        for style in self.styles.styles() {
            for value in [style.fg, style.bg, style.underline] {
                put_u32(&mut out, value);
            }
            put_u16(&mut out, style.attrs);
            put_u16(&mut out, 0);
        }
        out.extend_from_slice(rows);
        for overlay in overlays {
            for value in [overlay.row, overlay.start_col, overlay.end_col, overlay.kind] {
                put_u16(&mut out, value);
            }
        }
        out
    }
}

fn view_of(screen: &Screen) -> View {
    let term = &screen.term;
    let grid = term.grid();
    let mode = *term.mode();
    let offset = grid.display_offset();
    let style = term.cursor_style();
    let mut point = grid.cursor.point;
    let row = &grid[point.line];
    if cell_glyph(row, point.column.0).is_none() {
        point.column = Column(point.column.0 - 1);
    }
    let wide = cell_glyph(row, point.column.0).is_some_and(|(_, wide)| wide);
    let cursor_row = usize::try_from(point.line.0).unwrap_or(0) + offset;
    let visible = mode.contains(TermMode::SHOW_CURSOR)
        && style.shape != CursorShape::Hidden
        && cursor_row < term.screen_lines();

    let alternate = mode.contains(TermMode::ALT_SCREEN);
    let mut flags = 0;
    let mut modes = 0;
    for (set, flag) in
        [(alternate, FLAG_ALT_SCREEN), (visible, FLAG_CURSOR_VISIBLE), (offset > 0, FLAG_SCROLLED_BACK)]
    {
        if set {
            flags |= flag;
        }
    }
    for (set, bit) in [
        (mode.intersects(TermMode::MOUSE_MODE) || screen.x10_mouse, MODE_MOUSE),
        (mode.contains(TermMode::BRACKETED_PASTE), MODE_BRACKETED_PASTE),
        (mode.contains(TermMode::APP_CURSOR), MODE_APP_CURSOR),
        (alternate && mode.contains(TermMode::ALTERNATE_SCROLL), MODE_ALTERNATE_SCROLL),
        (style.blinking, MODE_CURSOR_BLINK),
        (mode.contains(TermMode::FOCUS_IN_OUT), MODE_FOCUS_EVENTS),
        (mode.intersects(TermMode::MOUSE_DRAG | TermMode::MOUSE_MOTION), MODE_MOUSE_MOTION),
    ] {
        if set {
            modes |= bit;
        }
    }
    View {
        flags,
        cols: term.columns() as u16,
        rows: term.screen_lines() as u16,
        cursor_col: point.column.0 as u16,
        cursor_row: if visible { cursor_row as u16 } else { 0 },
        shape: match style.shape {
            CursorShape::Underline => SHAPE_UNDERLINE,
            CursorShape::Beam => SHAPE_BAR,
            CursorShape::HollowBlock => SHAPE_HOLLOW,
            CursorShape::Block | CursorShape::Hidden => SHAPE_BLOCK,
        },
        cursor_width: if wide { 2 } else { 1 },
        display_offset: offset as u32,
        history_lines: screen.history_lines() as u32,
        modes,
    }
}

fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}
