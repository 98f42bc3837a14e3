//! Selecting text with the mouse.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line, Point, Side};
use alacritty_terminal::selection::{Selection, SelectionRange, SelectionType};
use alacritty_terminal::term::cell::Flags;

use crate::frame::layout::OVERLAY_SELECTION;
use crate::overlay::Overlay;
use crate::screen::Screen;
use crate::text::{content_len, push_cells, wraps};

/// How a selection grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectionKind {
    /// Character by character.
    Simple,
    /// By words.
    Word,
    /// By lines, wrapped rows included.
    Line,
    /// A rectangle.
    Block,
}

/// A place the pointer is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellPoint {
    /// Column from 0.
    pub col: u16,
    /// Row of the view from 0.
    pub row: u16,
    /// Whether the pointer is in the right half of the cell.
    pub right_half: bool,
}

impl Screen {
    /// The grid place of a pointer place; outside ones move to the nearest cell.
    fn locate(&self, at: CellPoint) -> (Point, Side) {
        let row = at.row.min(self.term.screen_lines() as u16 - 1);
        let col = usize::from(at.col).min(self.term.columns() - 1);
        let side = if at.right_half { Side::Right } else { Side::Left };
        (Point::new(self.line_of_row(row), Column(col)), side)
    }

    pub(crate) fn selection_start(&mut self, kind: SelectionKind, at: CellPoint) {
        let kind = match kind {
            SelectionKind::Simple => SelectionType::Simple,
            SelectionKind::Word => SelectionType::Semantic,
            SelectionKind::Line => SelectionType::Lines,
            SelectionKind::Block => SelectionType::Block,
        };
        let (point, side) = self.locate(at);
        self.term.selection = Some(Selection::new(kind, point, side));
    }

    pub(crate) fn selection_update(&mut self, at: CellPoint) {
        let (point, side) = self.locate(at);
        if let Some(selection) = &mut self.term.selection {
            selection.update(point, side);
        }
    }

    pub(crate) fn selection_all(&mut self) {
        let grid = self.term.grid();
        let first = Point::new(grid.topmost_line(), Column(0));
        let last = Point::new(grid.bottommost_line(), grid.last_column());
        let mut selection = Selection::new(SelectionType::Simple, first, Side::Left);
        selection.update(last, Side::Right);
        self.term.selection = Some(selection);
    }

    /// The selected cells, widened to whole wide characters.
    fn selected(&self) -> Option<SelectionRange> {
        let mut range = self.term.selection.as_ref()?.to_range(&self.term)?;
        let grid = self.term.grid();
        if range.start.line < grid.topmost_line() || range.end.line > grid.bottommost_line() {
            return None;
        }
        let last = grid.last_column();
        range.start.column = range.start.column.min(last);
        range.end.column = range.end.column.min(last);
        Some(range)
    }

    /// First column and column after the last of a selected row.
    fn selected_cols(&self, range: &SelectionRange, line: Line) -> (usize, usize) {
        let row = &self.term.grid()[line];
        let mut from = if range.is_block || line == range.start.line { range.start.column.0 } else { 0 };
        let mut to =
            if range.is_block || line == range.end.line { range.end.column.0 + 1 } else { row.len() };
        if from > 0 && row[Column(from)].flags.contains(Flags::WIDE_CHAR_SPACER) {
            from -= 1;
        }
        if to < row.len() && to > 0 && row[Column(to - 1)].flags.contains(Flags::WIDE_CHAR) {
            to += 1;
        }
        (from, to)
    }

    /// The selected text: wrapped rows joined, spaces at line ends and blank lines at the end dropped, hidden
    /// characters as spaces. Bounded by what the scrollback holds.
    pub(crate) fn selection_text(&self) -> Option<String> {
        let range = self.selected()?;
        let mut text = String::new();
        for line in range.start.line.0..=range.end.line.0 {
            let row = &self.term.grid()[Line(line)];
            let (from, to) = self.selected_cols(&range, Line(line));
            let joins = !range.is_block && wraps(row) && to >= row.len();
            push_cells(row, from, if joins { to } else { to.min(content_len(row)) }, &mut text);
            if !joins && line < range.end.line.0 {
                text.push('\n');
            }
        }
        text.truncate(text.trim_end_matches('\n').len());
        (!text.is_empty()).then_some(text)
    }

    /// The selected text, when it is short enough to be compared whenever output comes.
    pub(crate) fn selection_to_watch(&self) -> Option<String> {
        let range = self.selected()?;
        let rows = (range.end.line - range.start.line).0 + 1;
        if rows > 2 * self.term.screen_lines() as i32 { None } else { self.selection_text() }
    }

    /// Adds the visible part of the selection.
    pub(crate) fn selection_overlays(&self, out: &mut Vec<Overlay>) {
        let Some(range) = self.selected() else { return };
        let top = self.line_of_row(0);
        for row in 0..self.term.screen_lines() as u16 {
            let line = top + i32::from(row);
            if line < range.start.line || line > range.end.line {
                continue;
            }
            let (from, to) = self.selected_cols(&range, line);
            if from < to {
                out.push(Overlay {
                    row,
                    start_col: from as u16,
                    end_col: to as u16,
                    kind: OVERLAY_SELECTION,
                });
            }
        }
    }
}
