//! Links under the pointer: OSC 8 ones and plain addresses in the text.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Point};

use crate::hyperlinks::is_allowed;
use crate::screen::Screen;
use crate::text::LogicalLine;

/// A link and the cells of the view that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The target: http, https or mailto, printable ASCII, at most 2 KiB (SEC-12).
    pub uri: String,
    /// The text it is shown with, when that is not the target itself: then the target must be shown before it is
    /// opened.
    pub text: Option<String>,
    /// Visible cells: row, first column, column after the last.
    pub cells: Vec<(u16, u16, u16)>,
}

impl Screen {
    /// The link at a cell of the view.
    pub(crate) fn link_at(&self, col: u16, row: u16) -> Option<Link> {
        let grid = self.term.grid();
        if usize::from(row) >= grid.screen_lines() || usize::from(col) >= grid.columns() {
            return None;
        }
        let point = Point::new(self.line_of_row(row), Column(usize::from(col)));
        let mut line = LogicalLine::default();
        line.fill(grid, LogicalLine::start_of(grid, point.line));
        let offset = line.offset_of(point)?;
        if let Some(hyperlink) = grid[point].hyperlink() {
            let same = |offset: usize| {
                line.cell_at(offset).is_some_and(|at| grid[at].hyperlink() == Some(hyperlink.clone()))
            };
            let (start, end) = extent(&line.text, offset, same);
            let text = line.text[start..end].trim().to_owned();
            return Some(Link {
                uri: hyperlink.uri().to_owned(),
                text: (text != hyperlink.uri()).then_some(text),
                cells: self.visible_cells(&line, start, end),
            });
        }
        let (start, end) = plain_address(&line.text, offset)?;
        let uri = &line.text[start..end];
        is_allowed(uri).then(|| Link {
            uri: uri.to_owned(),
            text: None,
            cells: self.visible_cells(&line, start, end),
        })
    }

    fn visible_cells(&self, line: &LogicalLine, start: usize, end: usize) -> Vec<(u16, u16, u16)> {
        let (Some(first), Some(last)) = (line.cell_at(start), line.cell_at(end.saturating_sub(1))) else {
            return Vec::new();
        };
        let top = self.line_of_row(0);
        (first.line.0..=last.line.0)
            .filter_map(|row| {
                let visible = u16::try_from(row - top.0).ok()?;
                let from = if row == first.line.0 { first.column.0 } else { 0 };
                let to = if row == last.line.0 { last.column.0 + 1 } else { self.term.columns() };
                (usize::from(visible) < self.term.screen_lines()).then_some((visible, from as u16, to as u16))
            })
            .collect()
    }
}

/// The stretch of text around `offset` whose characters all are `same`.
fn extent(text: &str, offset: usize, same: impl Fn(usize) -> bool) -> (usize, usize) {
    let start =
        text[..offset].char_indices().rev().take_while(|(i, _)| same(*i)).last().map_or(offset, |(i, _)| i);
    let end = text[offset..]
        .char_indices()
        .take_while(|(i, _)| same(offset + i))
        .last()
        .map_or(offset, |(i, c)| offset + i + c.len_utf8());
    (start, end)
}

/// The address around `offset`, if there is one.
fn plain_address(text: &str, offset: usize) -> Option<(usize, usize)> {
    let part =
        |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '`' | '{' | '}' | '|' | '\\' | '^');
    if !text[offset..].starts_with(part) {
        return None;
    }
    let (word, word_end) = extent(text, offset, |i| text[i..].starts_with(part));
    let lower = text[word..word_end].to_ascii_lowercase();
    let starts = ["https://", "http://", "mailto:"];
    let start = starts
        .iter()
        .flat_map(|scheme| lower.match_indices(scheme).map(|(i, _)| word + i))
        .filter(|start| *start <= offset)
        .max()?;
    let end = start + trimmed_len(&text[start..word_end]);
    (offset < end).then_some((start, end))
}

/// Length without punctuation that belongs to the sentence: final dots and quotes, and closing brackets that were
/// not opened inside.
fn trimmed_len(address: &str) -> usize {
    let mut end = address.len();
    while let Some(last) = address[..end].chars().next_back() {
        let unopened = |open: char| {
            let count = |c: char| address[..end].matches(c).count();
            count(last) > count(open)
        };
        let drop = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' => true,
            ')' => unopened('('),
            ']' => unopened('['),
            _ => false,
        };
        if !drop {
            break;
        }
        end -= last.len_utf8();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let offset = text.find('@').unwrap_or(0);
        plain_address(text, offset).map(|(start, end)| &text[start..end])
    }

    #[test]
    fn plain_addresses_end_where_the_sentence_goes_on() {
        assert_eq!(found("see https://example.com/@a, and"), Some("https://example.com/@a"));
        assert_eq!(found("(https://example.com/@x)"), Some("https://example.com/@x"));
        assert_eq!(found("https://example.com/@(x)."), Some("https://example.com/@(x)"));
        assert_eq!(found("\"http://h/@\""), Some("http://h/@"));
        assert_eq!(found("<mailto:a@example.com>"), Some("mailto:a@example.com"));
        assert_eq!(found("git@example.com"), None);
    }
}
