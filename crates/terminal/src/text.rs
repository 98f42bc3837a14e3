//! Rows as plain text, and wrapped rows as the lines a program wrote.

use alacritty_terminal::grid::{Dimensions, Grid, Row};
use alacritty_terminal::index::{Column, Line, Point};
use alacritty_terminal::term::cell::{Cell, Flags};

use crate::frame::cell_glyph;

/// Most rows joined into one line. A longer wrapped line is treated as several, so that a single endless line does
/// not have to be copied whole.
const LINE_ROWS: i32 = 500;

/// Whether a row goes on in the next one.
pub(crate) fn wraps(row: &Row<Cell>) -> bool {
    row.last().is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE))
}

/// Columns up to the last character that is not a space.
pub(crate) fn content_len(row: &Row<Cell>) -> usize {
    (0..row.len())
        .rev()
        .find(|col| {
            let cell = &row[Column(*col)];
            !matches!(cell.c, ' ' | '\t') || cell.zerowidth().is_some_and(|marks| !marks.is_empty())
        })
        .map_or(0, |col| col + if cell_glyph(row, col).is_some_and(|(_, wide)| wide) { 2 } else { 1 })
}

/// Appends the characters of columns `from..to`; hidden ones become spaces. A wide character counts where it begins.
pub(crate) fn push_cells(row: &Row<Cell>, from: usize, to: usize, out: &mut String) {
    for col in from..to.min(row.len()) {
        let Some((c, _)) = cell_glyph(row, col) else { continue };
        let cell = &row[Column(col)];
        if cell.flags.contains(Flags::LEADING_WIDE_CHAR_SPACER) {
            continue;
        }
        if cell.flags.contains(Flags::HIDDEN) {
            out.push(' ');
            continue;
        }
        out.push(c);
        out.extend(cell.zerowidth().unwrap_or_default());
    }
}

/// A row without its trailing spaces.
pub(crate) fn row_text(row: &Row<Cell>) -> String {
    let mut text = String::new();
    push_cells(row, 0, content_len(row), &mut text);
    text
}

/// One line as a program wrote it: rows that wrapped, joined, and where each character came from.
#[derive(Debug, Default)]
pub(crate) struct LogicalLine {
    pub(crate) text: String,
    /// Byte offset in `text` and place of every cell that has a character.
    cells: Vec<(u32, Point)>,
    pub(crate) first: Line,
    pub(crate) last: Line,
}

impl LogicalLine {
    /// Fills in the line that begins at row `first`.
    pub(crate) fn fill(&mut self, grid: &Grid<Cell>, first: Line) {
        self.text.clear();
        self.cells.clear();
        self.first = first;
        let mut line = first;
        loop {
            let row = &grid[line];
            let goes_on = wraps(row) && line < grid.bottommost_line() && line - first < Line(LINE_ROWS - 1);
            let len = if goes_on { row.len() } else { content_len(row) };
            for col in 0..len {
                let before = self.text.len();
                push_cells(row, col, col + 1, &mut self.text);
                if self.text.len() > before {
                    self.cells.push((before as u32, Point::new(line, Column(col))));
                }
            }
            self.last = line;
            if !goes_on {
                return;
            }
            line += 1;
        }
    }

    /// The first row of the line that row `line` is part of.
    pub(crate) fn start_of(grid: &Grid<Cell>, line: Line) -> Line {
        let mut first = line;
        while first > grid.topmost_line() && line - first < Line(LINE_ROWS - 1) && wraps(&grid[first - 1]) {
            first -= 1;
        }
        first
    }

    /// The cell of the character at a byte offset.
    pub(crate) fn cell_at(&self, offset: usize) -> Option<Point> {
        let index = self.cells.partition_point(|(start, _)| *start as usize <= offset);
        self.cells.get(index.checked_sub(1)?).map(|(_, point)| *point)
    }

    /// The byte offset of the character at a cell.
    pub(crate) fn offset_of(&self, point: Point) -> Option<usize> {
        let index = self.cells.partition_point(|(_, cell)| *cell <= point);
        self.cells.get(index.checked_sub(1)?).map(|(start, _)| *start as usize)
    }
}
