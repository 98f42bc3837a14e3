//! Reads a frame back. Painters have their own reader; this one serves tests, fuzzing and tools.

use super::layout::{
    ATTR_CLUSTER, ATTR_WIDE, FLAG_FULL, HEADER_LEN, MAX_OVERLAYS, OVERLAY_CURRENT_HIT, OVERLAY_LEN,
    STYLE_LEN, VERSION,
};
pub use super::style::Style;
pub use crate::overlay::Overlay;

/// A decoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The `FLAG_` bits.
    pub flags: u8,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// Column of the cursor.
    pub cursor_col: u16,
    /// Row of the cursor in the view.
    pub cursor_row: u16,
    /// A `SHAPE_` value.
    pub cursor_shape: u8,
    /// Cells the cursor covers.
    pub cursor_width: u8,
    /// Number of the frame.
    pub seq: u32,
    /// Lines the view is above the newest.
    pub display_offset: u32,
    /// Lines above the screen.
    pub history_lines: u32,
    /// The `MODE_` bits.
    pub modes: u32,
    /// Rows to replace.
    pub lines: Vec<FrameRow>,
    /// Overlays.
    pub overlays: Vec<Overlay>,
}

impl Frame {
    /// Whether unlisted rows are blank.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.flags & FLAG_FULL != 0
    }
}

/// A row to replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameRow {
    /// Which row of the view.
    pub row: u16,
    /// Its spans; the rest is blank.
    pub spans: Vec<FrameSpan>,
}

/// Cells of one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameSpan {
    /// First column.
    pub col: u16,
    /// Cells covered.
    pub cells: u16,
    /// How they look.
    pub style: Style,
    /// Their text.
    pub text: String,
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes end too early.
    #[error("the frame ends too early")]
    Truncated,
    /// The version is not the one of this crate.
    #[error("frame version {0} is not known")]
    Version(u8),
    /// The stated length is not the length given.
    #[error("the frame is not as long as it says")]
    Length,
    /// A value is outside what the layout allows.
    #[error("the frame has an impossible {0}")]
    Value(&'static str),
}

/// Decodes one frame. Checks everything the layout promises.
///
/// # Errors
///
/// [`FrameError`] when the bytes are not exactly one well-formed frame.
pub fn decode(bytes: &[u8]) -> Result<Frame, FrameError> {
    let mut input = Reader { bytes };
    let version = input.u8()?;
    if version != VERSION {
        return Err(FrameError::Version(version));
    }
    let flags = input.u8()?;
    let [cols, rows, cursor_col, cursor_row] = [input.u16()?, input.u16()?, input.u16()?, input.u16()?];
    let [cursor_shape, cursor_width] = [input.u8()?, input.u8()?];
    let [seq, display_offset, history_lines, modes] =
        [input.u32()?, input.u32()?, input.u32()?, input.u32()?];
    let [style_count, row_count, overlay_count, reserved] =
        [input.u16()?, input.u16()?, input.u16()?, input.u16()?];
    let body_len = input.u32()?;
    if bytes.len() - HEADER_LEN != body_len as usize {
        return Err(FrameError::Length);
    }
    check(cursor_col < cols && cursor_row < rows, "cursor")?;
    check(matches!(cursor_width, 1 | 2) && cursor_shape <= 3, "cursor shape")?;
    check(reserved == 0 && flags < 32 && modes < 128, "flag")?;
    check(usize::from(overlay_count) <= MAX_OVERLAYS && row_count <= rows, "count")?;

    check(input.bytes.len() >= usize::from(style_count) * STYLE_LEN, "style count")?;
    let styles = (0..style_count).map(|_| read_style(&mut input)).collect::<Result<Vec<_>, _>>()?;
    let mut lines = Vec::new();
    for _ in 0..row_count {
        let line = read_row(&mut input, cols, &styles)?;
        check(line.row < rows && lines.last().is_none_or(|last: &FrameRow| last.row < line.row), "row")?;
        lines.push(line);
    }
    check(input.bytes.len() == usize::from(overlay_count) * OVERLAY_LEN, "overlay count")?;
    let mut overlays = Vec::new();
    for _ in 0..overlay_count {
        let overlay =
            Overlay { row: input.u16()?, start_col: input.u16()?, end_col: input.u16()?, kind: input.u16()? };
        check(
            overlay.row < rows && overlay.start_col < overlay.end_col && overlay.end_col <= cols,
            "overlay",
        )?;
        check(overlay.kind <= OVERLAY_CURRENT_HIT, "overlay kind")?;
        overlays.push(overlay);
    }
    Ok(Frame {
        flags,
        cols,
        rows,
        cursor_col,
        cursor_row,
        cursor_shape,
        cursor_width,
        seq,
        display_offset,
        history_lines,
        modes,
        lines,
        overlays,
    })
}

fn read_style(input: &mut Reader<'_>) -> Result<Style, FrameError> {
    let style = Style { fg: input.u32()?, bg: input.u32()?, underline: input.u32()?, attrs: input.u16()? };
    check(input.u16()? == 0 && style.attrs < 4_096, "style")?;
    check([style.fg, style.bg, style.underline].iter().all(|colour| colour >> 24 <= 2), "colour")?;
    Ok(style)
}

fn read_row(input: &mut Reader<'_>, cols: u16, styles: &[Style]) -> Result<FrameRow, FrameError> {
    let row = input.u16()?;
    let span_count = input.u16()?;
    check(span_count <= cols, "span count")?;
    let mut next = 0;
    let mut spans = Vec::new();
    for _ in 0..span_count {
        let (col, cells) = (input.u16()?, input.u16()?);
        let style = *styles.get(usize::from(input.u16()?)).ok_or(FrameError::Value("style index"))?;
        let len = usize::from(input.u16()?);
        let text = std::str::from_utf8(input.take(len)?).map_err(|_| FrameError::Value("text"))?.to_owned();
        let end = u32::from(col) + u32::from(cells);
        check(u32::from(col) >= next && cells > 0 && end <= u32::from(cols), "span")?;
        next = end;
        let width: u16 = if style.attrs & ATTR_WIDE != 0 { 2 } else { 1 };
        let chars = text.chars().count();
        if style.attrs & ATTR_CLUSTER != 0 {
            check(cells == width && chars > 1, "cluster")?;
        } else {
            check(chars * usize::from(width) == usize::from(cells), "text length")?;
        }
        spans.push(FrameSpan { col, cells, style, text });
    }
    Ok(FrameRow { row, spans })
}

fn check(holds: bool, what: &'static str) -> Result<(), FrameError> {
    if holds { Ok(()) } else { Err(FrameError::Value(what)) }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], FrameError> {
        let (head, rest) = self.bytes.split_at_checked(len).ok_or(FrameError::Truncated)?;
        self.bytes = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (head, rest) = self.bytes.split_first_chunk().ok_or(FrameError::Truncated)?;
        self.bytes = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, FrameError> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    fn u16(&mut self) -> Result<u16, FrameError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, FrameError> {
        self.array().map(u32::from_le_bytes)
    }
}
