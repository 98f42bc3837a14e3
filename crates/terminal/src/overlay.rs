//! Marks painted over cells: selection and search hits.

/// Cells of one row that are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlay {
    /// Row of the view.
    pub row: u16,
    /// First column.
    pub start_col: u16,
    /// Column after the last.
    pub end_col: u16,
    /// An `OVERLAY_` value of [`crate::frame::layout`].
    pub kind: u16,
}
