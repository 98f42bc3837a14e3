//! The memory cells need beyond their fixed size (combining marks, links, underline colours) is bounded here (SEC-15).
//!
//! Cells keep these in shared allocations of their own. Charging an estimate for each new one is cheap; when the
//! estimate passes the limit, what is really alive is counted, and if that is too much the oldest lines go.

use std::sync::Arc;

use alacritty_terminal::grid::{Dimensions, Grid};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, CellExtra};

/// Most combining marks on one cell.
pub(crate) const MARKS_PER_CELL: usize = 16;

/// Most bytes of extras alive.
pub(crate) const EXTRAS_LIMIT: usize = 16 << 20;

/// What may stay when the oldest lines are dropped, so that the next count is not due at once.
const EXTRAS_KEPT: usize = EXTRAS_LIMIT / 4 * 3;

/// Bytes of one extra: the allocation, its reference counts and its overhead.
pub(crate) const EXTRA_BYTES: usize = size_of::<CellExtra>() + 32;

/// Bytes charged for the first mark of a cell and for a further one.
pub(crate) const FIRST_MARK_BYTES: usize = EXTRA_BYTES + 32;
pub(crate) const NEXT_MARK_BYTES: usize = 8;

/// Estimate of what extras use.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    estimate: usize,
}

impl Extras {
    /// Adds to the estimate; `true` when [`Self::recount`] is due.
    pub(crate) fn charge(&mut self, bytes: usize) -> bool {
        self.estimate += bytes;
        self.estimate > EXTRAS_LIMIT
    }

    /// Counts what is alive and returns how many lines of history can stay.
    pub(crate) fn recount(&mut self, grid: &Grid<Cell>) -> usize {
        let history = grid.history_size();
        let mut total = 0;
        // Newest first: what does not fit is oldest.
        for line in (grid.topmost_line().0..=grid.bottommost_line().0).rev() {
            let row = &grid[Line(line)];
            for col in 0..grid.columns() {
                if let Some(extra) = &row[Column(col)].extra {
                    let marks = row[Column(col)].zerowidth().map_or(0, <[char]>::len);
                    let bytes =
                        EXTRA_BYTES + if marks == 0 { 0 } else { marks.next_power_of_two().max(4) * 4 + 16 };
                    total += bytes / Arc::strong_count(extra).max(1);
                }
            }
            if total > EXTRAS_KEPT && line < 0 {
                self.estimate = EXTRAS_KEPT;
                return usize::try_from(-line - 1).unwrap_or(0).min(history);
            }
        }
        // A screen is never cut, so what is on it alone may exceed the limit.
        self.estimate = total.min(EXTRAS_KEPT);
        history
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid_with_marks(cells: usize) -> Grid<Cell> {
        let (lines, cols) = (2_000, 100);
        let mut grid = Grid::<Cell>::new(10, cols, lines);
        grid.scroll_up(&(Line(0)..Line(10)), 1);
        while grid.history_size() < lines {
            grid.scroll_up(&(Line(0)..Line(10)), 10);
        }
        for n in 0..cells {
            let cell = &mut grid[Line(9 - (n / cols) as i32)][Column(n % cols)];
            for _ in 0..MARKS_PER_CELL {
                cell.push_zerowidth('\u{301}');
            }
        }
        grid
    }

    #[test]
    fn a_count_is_due_when_the_estimate_passes_the_limit() {
        let mut extras = Extras::default();
        assert!(!extras.charge(EXTRAS_LIMIT));
        assert!(extras.charge(1));
        assert_eq!(extras.recount(&grid_with_marks(10)), 2_000, "little is alive, so all lines stay");
        assert!(!extras.charge(EXTRAS_LIMIT / 2));
    }

    #[test]
    fn the_oldest_lines_go_when_too_much_is_alive() {
        let kept = Extras::default().recount(&grid_with_marks(200_000));
        let bytes = kept * 100 * (EXTRA_BYTES + MARKS_PER_CELL * 4);
        assert!((EXTRAS_LIMIT / 2..=EXTRAS_LIMIT).contains(&bytes), "{kept} lines kept");
    }

    #[test]
    fn shared_extras_count_once() {
        let mut grid = grid_with_marks(1);
        let cell = grid[Line(9)][Column(0)].clone();
        for line in -1_999..9 {
            for col in 0..100 {
                grid[Line(line)][Column(col)] = cell.clone();
            }
        }
        assert_eq!(Extras::default().recount(&grid), 2_000);
    }
}
