//! Finding text in the scrollback and on the screen.

use alacritty_terminal::grid::{Dimensions, Grid, Scroll};
use alacritty_terminal::index::{Line, Point};
use alacritty_terminal::term::cell::Cell;
use regex::{Regex, RegexBuilder};

use crate::frame::cell_glyph;
use crate::frame::layout::{MAX_OVERLAYS, OVERLAY_CURRENT_HIT, OVERLAY_HIT};
use crate::overlay::Overlay;
use crate::screen::Screen;
use crate::text::LogicalLine;

/// Hits counted.
pub const COUNT_LIMIT: u32 = 1_000;

/// Longest text or expression to search for, in bytes.
pub const QUERY_LIMIT: usize = 1_000;

/// Most memory of a compiled expression, and of what it caches while matching, in bytes.
const REGEX_LIMIT: usize = 1 << 20;

/// What to find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// The text or expression; empty ends the search.
    pub text: String,
    /// Whether case matters.
    pub case_sensitive: bool,
    /// Whether `text` is a regular expression (syntax of the `regex` crate). A hit never spans lines, but does span
    /// the rows of a wrapped line.
    pub regex: bool,
    /// `true`: towards newer lines.
    pub forward: bool,
}

/// Where a search stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchState {
    /// The current hit among those counted, from 1, oldest first; 0 when there is none or it is older than those.
    pub current: u32,
    /// Hits counted: the newest 1,000 at most.
    pub total: u32,
    /// Whether there are more.
    pub more: bool,
    /// Why the expression cannot be used.
    pub error: Option<String>,
}

/// First and last cell of a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hit {
    start: Point,
    end: Point,
}

/// A search in progress.
#[derive(Debug)]
pub(crate) struct Search {
    query: SearchQuery,
    regex: Regex,
    current: Option<Hit>,
}

impl Search {
    /// Starts searching.
    pub(crate) fn new(query: &SearchQuery) -> Result<Self, String> {
        Ok(Self { query: query.clone(), regex: compile(query)?, current: None })
    }

    /// Whether `query` asks for the same text.
    pub(crate) fn is_for(&self, query: &SearchQuery) -> bool {
        SearchQuery { forward: self.query.forward, ..query.clone() } == self.query
    }

    /// Goes to the next hit in a direction, scrolls it into view, and counts.
    pub(crate) fn step(&mut self, screen: &mut Screen, forward: bool) -> SearchState {
        let grid = screen.term.grid();
        let origin = self.current.map(|hit| hit.start);
        self.current = match (origin, forward) {
            (Some(origin), true) => self.after(grid, origin).or_else(|| self.oldest(grid)),
            (Some(origin), false) => self.before(grid, origin).or_else(|| self.newest(grid)),
            (None, true) => {
                let top = screen.line_of_row(0);
                self.first_in(grid, top, |_| true).or_else(|| self.oldest(grid))
            }
            (None, false) => {
                let bottom = screen.line_of_row(screen.term.screen_lines() as u16 - 1);
                self.last_in(grid, bottom, |_| true).or_else(|| self.newest(grid))
            }
        };
        if let Some(hit) = self.current {
            show(screen, hit.start.line);
        }
        self.count(screen.term.grid())
    }

    /// Follows text that moved up by `lines`, or forgets the current hit when that is not known.
    pub(crate) fn scrolled(&mut self, lines: Option<i32>) {
        match (lines, &mut self.current) {
            (Some(lines), Some(hit)) => {
                hit.start.line -= lines;
                hit.end.line -= lines;
            }
            (None, current) => *current = None,
            (Some(_), None) => {}
        }
    }

    /// Hits of one line, oldest first.
    fn hits_in(&self, line: &LogicalLine) -> Vec<Hit> {
        self.regex
            .find_iter(&line.text)
            .filter(|found| !found.is_empty())
            .filter_map(|found| {
                Some(Hit { start: line.cell_at(found.start())?, end: line.cell_at(found.end() - 1)? })
            })
            .collect()
    }

    fn first_in(&self, grid: &Grid<Cell>, from: Line, wanted: impl Fn(&Hit) -> bool) -> Option<Hit> {
        let mut line = LogicalLine::default();
        let mut next = LogicalLine::start_of(grid, from.max(grid.topmost_line()));
        while next <= grid.bottommost_line() {
            line.fill(grid, next);
            if let Some(hit) = self.hits_in(&line).into_iter().find(&wanted) {
                return Some(hit);
            }
            next = line.last + 1;
        }
        None
    }

    fn last_in(&self, grid: &Grid<Cell>, from: Line, wanted: impl Fn(&Hit) -> bool) -> Option<Hit> {
        let mut line = LogicalLine::default();
        let mut next = from.min(grid.bottommost_line());
        while next >= grid.topmost_line() {
            line.fill(grid, LogicalLine::start_of(grid, next));
            if let Some(hit) = self.hits_in(&line).into_iter().rev().find(&wanted) {
                return Some(hit);
            }
            next = line.first - 1;
        }
        None
    }

    fn after(&self, grid: &Grid<Cell>, origin: Point) -> Option<Hit> {
        self.first_in(grid, origin.line, |hit| hit.start > origin)
    }

    fn before(&self, grid: &Grid<Cell>, origin: Point) -> Option<Hit> {
        self.last_in(grid, origin.line, |hit| hit.start < origin)
    }

    fn oldest(&self, grid: &Grid<Cell>) -> Option<Hit> {
        self.first_in(grid, grid.topmost_line(), |_| true)
    }

    fn newest(&self, grid: &Grid<Cell>) -> Option<Hit> {
        self.last_in(grid, grid.bottommost_line(), |_| true)
    }

    fn count(&self, grid: &Grid<Cell>) -> SearchState {
        let mut state = SearchState::default();
        let mut from_newest = None;
        let mut line = LogicalLine::default();
        let mut next = grid.bottommost_line();
        'lines: while next >= grid.topmost_line() {
            line.fill(grid, LogicalLine::start_of(grid, next));
            for hit in self.hits_in(&line).into_iter().rev() {
                if state.total == COUNT_LIMIT {
                    state.more = true;
                    break 'lines;
                }
                if self.current == Some(hit) {
                    from_newest = Some(state.total);
                }
                state.total += 1;
            }
            next = line.first - 1;
        }
        state.current = from_newest.map_or(0, |index| state.total - index);
        state
    }

    /// Adds the hits in the view.
    pub(crate) fn overlays(&self, screen: &Screen, out: &mut Vec<Overlay>) {
        let grid = screen.term.grid();
        let top = screen.line_of_row(0);
        let bottom = top + (grid.screen_lines() as i32 - 1);
        let mut line = LogicalLine::default();
        let mut next = LogicalLine::start_of(grid, top);
        while next <= bottom {
            line.fill(grid, next);
            for hit in self.hits_in(&line) {
                let kind = if self.current == Some(hit) { OVERLAY_CURRENT_HIT } else { OVERLAY_HIT };
                for row in hit.start.line.0.max(top.0)..=hit.end.line.0.min(bottom.0) {
                    if out.len() >= MAX_OVERLAYS {
                        return;
                    }
                    out.push(overlay_of(grid, hit, Line(row), top, kind));
                }
            }
            next = line.last + 1;
        }
    }
}

fn overlay_of(grid: &Grid<Cell>, hit: Hit, line: Line, top: Line, kind: u16) -> Overlay {
    let start = if line == hit.start.line { hit.start.column.0 } else { 0 };
    let end = if line == hit.end.line {
        let wide = cell_glyph(&grid[line], hit.end.column.0).is_some_and(|(_, wide)| wide);
        hit.end.column.0 + if wide { 2 } else { 1 }
    } else {
        grid.columns()
    };
    Overlay { row: (line - top).0 as u16, start_col: start as u16, end_col: end as u16, kind }
}

/// Scrolls so that a line is in view, in the middle when it was not.
fn show(screen: &mut Screen, line: Line) {
    let offset = screen.term.grid().display_offset() as i32;
    let rows = screen.term.screen_lines() as i32;
    let row = line.0 + offset;
    if !(0..rows).contains(&row) {
        let wanted = (rows / 2 - line.0).max(0);
        screen.term.scroll_display(Scroll::Delta(wanted - offset));
    }
}

fn compile(query: &SearchQuery) -> Result<Regex, String> {
    if query.text.len() > QUERY_LIMIT {
        return Err(format!("The search text is longer than {QUERY_LIMIT} bytes."));
    }
    let pattern = if query.regex { query.text.clone() } else { regex::escape(&query.text) };
    RegexBuilder::new(&pattern)
        .case_insensitive(!query.case_sensitive)
        .size_limit(REGEX_LIMIT)
        .dfa_size_limit(REGEX_LIMIT)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "The expression is too large.".to_owned(),
            regex::Error::Syntax(text) => {
                // The last line says what is wrong; those before draw the expression.
                text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
            }
            other => other.to_string(),
        })
}
