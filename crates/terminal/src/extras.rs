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

    #[cfg(test)]
    pub(crate) fn estimate(&self) -> usize {
        self.estimate
    }
}
