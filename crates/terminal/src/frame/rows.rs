//! One visible row as styled spans.

use alacritty_terminal::grid::Row;
use alacritty_terminal::index::Column;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::color::Colors;

use super::style::Style;

/// Blank cells inside a span that are sent as spaces: more would cost more bytes than a new span.
const JOINED_BLANKS: u16 = 8;

/// Cells of one style, and where their text ends in the row's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) col: u16,
    pub(crate) cells: u16,
    pub(crate) style: Style,
    pub(crate) text_end: u32,
}

/// A row's spans and their text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowSpans {
    pub(crate) spans: Vec<Span>,
    pub(crate) text: String,
}

/// The character a cell shows, and whether it covers the next cell too; `None` for the second cell of a wide
/// character. A tab, and half of a wide character whose other half was overwritten, show as a space.
pub(crate) fn cell_glyph(row: &Row<Cell>, col: usize) -> Option<(char, bool)> {
    let cell = &row[Column(col)];
    let is = |col: usize, flag| row[Column(col)].flags.contains(flag);
    if cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
        return if col > 0 && is(col - 1, Flags::WIDE_CHAR) { None } else { Some((' ', false)) };
    }
    if cell.flags.contains(Flags::LEADING_WIDE_CHAR_SPACER) {
        return Some((' ', false));
    }
    let wide =
        cell.flags.contains(Flags::WIDE_CHAR) && col + 1 < row.len() && is(col + 1, Flags::WIDE_CHAR_SPACER);
    Some((if cell.c == '\t' { ' ' } else { cell.c }, wide))
}

impl RowSpans {
    /// Replaces the contents with those of `row`.
    pub(crate) fn fill(&mut self, row: &Row<Cell>, colours: &Colors) {
        self.spans.clear();
        self.text.clear();
        // Blank cells since the end of the last span.
        let mut blanks: u16 = 0;
        for col in 0..row.len() {
            let Some((c, wide)) = cell_glyph(row, col) else { continue };
            let cell = &row[Column(col)];
            let marks = cell.zerowidth().unwrap_or_default();
            let style = Style::of(cell, colours, wide, !marks.is_empty());
            if c == ' ' && marks.is_empty() && style.is_blank() {
                blanks = blanks.saturating_add(1);
                continue;
            }
            let cells = if wide { 2 } else { 1 };
            // Spaces look like the blank cells they stand for only in a style that shows nothing on a space.
            let joins_blanks = blanks <= JOINED_BLANKS && !wide && style.is_blank();
            let joins = marks.is_empty()
                && self.spans.last().is_some_and(|span| span.style == style && (blanks == 0 || joins_blanks));
            if joins {
                for _ in 0..blanks {
                    self.text.push(' ');
                }
                self.text.push(c);
                let end = self.text.len() as u32;
                if let Some(span) = self.spans.last_mut() {
                    span.cells += blanks + cells;
                    span.text_end = end;
                }
            } else {
                self.text.push(c);
                self.text.extend(marks);
                let text_end = self.text.len() as u32;
                self.spans.push(Span { col: col as u16, cells, style, text_end });
            }
            blanks = 0;
        }
    }

    /// The spans with their text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Span, &str)> {
        let mut start = 0;
        self.spans.iter().map(move |span| {
            let end = span.text_end as usize;
            let text = &self.text[start..end];
            start = end;
            (span, text)
        })
    }
}
