//! OSC 8 hyperlinks: which are accepted, and one shared value for each (SEC-12, SEC-15).

use std::collections::HashMap;

use alacritty_terminal::grid::{Dimensions, Grid};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Hyperlink};

/// Longest target, in bytes.
pub(crate) const URI_LIMIT: usize = 2 << 10;

/// Longest link id, in bytes. A longer one is ignored, as if none were given.
const ID_LIMIT: usize = 256;

/// Most distinct links alive.
pub(crate) const LINK_LIMIT: usize = 10_000;

/// Most bytes of distinct targets and ids alive.
pub(crate) const LINK_BYTES_LIMIT: usize = 2 << 20;

/// The distinct links of one terminal.
#[derive(Debug, Default)]
pub(crate) struct LinkTable {
    links: HashMap<(Option<String>, String), Hyperlink>,
    bytes: usize,
    /// Refusals since links no longer on the grid were last looked for.
    refused_since_sweep: usize,
    refused: u64,
}

impl LinkTable {
    /// The shared value for a link, or `None` when it may not be a link: another scheme than http, https or mailto,
    /// too long, not printable ASCII, or too many links.
    pub(crate) fn intern(&mut self, id: Option<String>, uri: String, grid: &Grid<Cell>) -> Option<Hyperlink> {
        if !is_allowed(&uri) {
            self.refused += 1;
            return None;
        }
        let key = (id.filter(|id| id.len() <= ID_LIMIT), uri);
        if let Some(link) = self.links.get(&key) {
            return Some(link.clone());
        }
        let bytes = key.0.as_ref().map_or(0, String::len) + key.1.len();
        if self.is_full(bytes) {
            // A sweep looks at every cell, so it is done once for many refusals.
            if self.refused_since_sweep == 0 {
                self.sweep(grid);
            }
            if self.is_full(bytes) {
                self.refused_since_sweep = (self.refused_since_sweep + 1) % LINK_LIMIT;
                self.refused += 1;
                return None;
            }
        }
        self.refused_since_sweep = 0;
        // Links without an id get one of ours, so that equal links compare equal.
        let link = Hyperlink::new(Some(key.0.as_deref().unwrap_or_default()), key.1.clone());
        self.bytes += bytes;
        self.links.insert(key, link.clone());
        Some(link)
    }

    /// Distinct links held.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.links.len()
    }

    /// Links not accepted.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    pub(crate) fn clear(&mut self) {
        self.links.clear();
        self.bytes = 0;
        self.refused_since_sweep = 0;
    }

    fn is_full(&self, more: usize) -> bool {
        self.links.len() >= LINK_LIMIT || self.bytes + more > LINK_BYTES_LIMIT
    }

    /// Forgets links no cell shows.
    fn sweep(&mut self, grid: &Grid<Cell>) {
        let mut alive = HashMap::new();
        let mut bytes = 0;
        for line in grid.topmost_line().0..=grid.bottommost_line().0 {
            for col in 0..grid.columns() {
                let cell = &grid[Line(line)][Column(col)];
                let Some(link) = cell.extra.as_ref().and_then(|_| cell.hyperlink()) else { continue };
                let id = Some(link.id().to_owned()).filter(|id| !id.is_empty());
                let key = (id, link.uri().to_owned());
                let size = key.0.as_ref().map_or(0, String::len) + key.1.len();
                if alive.insert(key, link).is_none() {
                    bytes += size;
                }
            }
        }
        self.links = alive;
        self.bytes = bytes;
    }
}

/// Whether a target may be a link.
pub(crate) fn is_allowed(uri: &str) -> bool {
    let lower = |prefix: &str| uri.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    uri.len() <= URI_LIMIT
        && uri.bytes().all(|byte| byte.is_ascii_graphic())
        && (lower("https://") || lower("http://") || lower("mailto:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_and_mail_targets_of_sane_length_are_links() {
        assert!(is_allowed("https://example.com/a?b=c;d"));
        assert!(is_allowed("HTTP://EXAMPLE.COM"));
        assert!(is_allowed("mailto:a@example.com"));
        for uri in
            ["file:///etc/passwd", "ssh://h", "javascript:alert(1)", "", "https:/x", "http://a b", "http://é"]
        {
            assert!(!is_allowed(uri), "{uri}");
        }
        assert!(!is_allowed(&format!("https://{}", "x".repeat(URI_LIMIT))));
    }

    #[test]
    fn equal_links_share_one_value_and_their_number_is_bounded() {
        let grid = Grid::new(3, 10, 0);
        let mut table = LinkTable::default();
        let first = table.intern(None, "https://a/".to_owned(), &grid);
        assert_eq!(table.intern(None, "https://a/".to_owned(), &grid), first);
        assert_eq!(table.len(), 1);
        for n in 0..3 * LINK_LIMIT {
            table.intern(None, format!("https://a/{n}"), &grid);
        }
        assert!(table.len() <= LINK_LIMIT);
    }

    #[test]
    fn links_on_the_grid_survive_a_sweep_and_new_ones_are_refused_when_all_are_shown() {
        let mut grid = Grid::<Cell>::new(100, 101, 0);
        let mut table = LinkTable::default();
        for n in 0..LINK_LIMIT {
            let link = table.intern(None, format!("https://a/{n}"), &grid);
            grid[Line((n / 101) as i32)][Column(n % 101)].set_hyperlink(link);
        }
        assert_eq!(table.intern(None, "https://b/".to_owned(), &grid), None);
        assert_eq!(table.len(), LINK_LIMIT);
        assert_eq!(table.refused(), 1);
    }
}
