//! The byte layout of a frame. All integers are little endian.
//!
//! | offset | size | header field | meaning |
//! |---|---|---|---|
//! | 0 | 1 | version | [`VERSION`] |
//! | 1 | 1 | flags | [`FLAG_FULL`], [`FLAG_ALT_SCREEN`], [`FLAG_CURSOR_VISIBLE`], [`FLAG_BELL`], [`FLAG_SCROLLED_BACK`] |
//! | 2 | 2 | cols | 2 to 1,000 |
//! | 4 | 2 | rows | 1 to 500 |
//! | 6 | 2 | cursor col | from 0; the first cell of a wide character |
//! | 8 | 2 | cursor row | from 0, in the view; meaningless when the cursor is not visible |
//! | 10 | 1 | cursor shape | [`SHAPE_BLOCK`], [`SHAPE_UNDERLINE`], [`SHAPE_BAR`], [`SHAPE_HOLLOW`] |
//! | 11 | 1 | cursor width | 1 or 2 cells |
//! | 12 | 4 | seq | number of the frame, from 1, wrapping |
//! | 16 | 4 | display offset | lines the view is above the newest; 0 at the bottom |
//! | 20 | 4 | history lines | lines above the screen |
//! | 24 | 4 | modes | the `MODE_` bits |
//! | 28 | 2 | style count | |
//! | 30 | 2 | row count | |
//! | 32 | 2 | overlay count | |
//! | 34 | 2 | reserved | 0 |
//! | 36 | 4 | body length | bytes after the header |
//!
//! The body is styles, rows, overlays, without padding.
//!
//! **Style**, 16 bytes: foreground, background and underline colour (`u32` each: kind in the top byte,
//! [`COLOUR_DEFAULT`], [`COLOUR_INDEXED`] with the index in the low byte, [`COLOUR_RGB`] with `0xRRGGBB` below),
//! attributes (`u16`, the `ATTR_` bits), reserved (`u16`, 0). The underline colour's default is the text colour.
//!
//! **Row**: row (`u16`), span count (`u16`), then spans: col (`u16`), cells (`u16`), style index (`u16`), byte length
//! (`u16`), UTF-8 text. Spans are in ascending order and do not overlap. Text has one code point for each cell, or for
//! each two cells with [`ATTR_WIDE`]; with [`ATTR_CLUSTER`] the whole text is one cluster (a character and its
//! combining marks). A listed row replaces the row as a whole; cells that no span covers are blank in the default
//! style. A full frame lists every row that is not blank; the others are blank. When a frame would need more styles
//! than fit (65,535), the remaining rows come in the next one.
//!
//! **Overlay**: row (`u16`), start col (`u16`), end col (`u16`, exclusive), kind (`u16`, the `OVERLAY_` values). The
//! overlays of a frame replace those of the frame before; there are at most [`MAX_OVERLAYS`].

/// Version of this layout.
pub const VERSION: u8 = 1;
/// Bytes of the header.
pub const HEADER_LEN: usize = 40;
/// Bytes of a style.
pub const STYLE_LEN: usize = 16;
/// Bytes of a row before its spans.
pub const ROW_LEN: usize = 4;
/// Bytes of a span before its text.
pub const SPAN_LEN: usize = 8;
/// Bytes of an overlay.
pub const OVERLAY_LEN: usize = 8;
/// Most overlays in a frame. Selection comes first, then search hits from the top.
pub const MAX_OVERLAYS: usize = 4_096;

/// The frame lists every row that is not blank.
pub const FLAG_FULL: u8 = 1;
/// The alternate screen is shown.
pub const FLAG_ALT_SCREEN: u8 = 2;
/// The cursor is shown and in the view.
pub const FLAG_CURSOR_VISIBLE: u8 = 4;
/// The bell rang since the last frame.
pub const FLAG_BELL: u8 = 8;
/// The view is not at the newest line.
pub const FLAG_SCROLLED_BACK: u8 = 16;

/// A filled cell.
pub const SHAPE_BLOCK: u8 = 0;
/// A line below the character.
pub const SHAPE_UNDERLINE: u8 = 1;
/// A line before the character.
pub const SHAPE_BAR: u8 = 2;
/// An outline.
pub const SHAPE_HOLLOW: u8 = 3;

/// The program wants mouse events.
pub const MODE_MOUSE: u32 = 1;
/// Pastes are bracketed.
pub const MODE_BRACKETED_PASTE: u32 = 2;
/// Cursor keys are in application mode.
pub const MODE_APP_CURSOR: u32 = 4;
/// The wheel sends cursor keys: the alternate screen is shown and mode 1007 is set.
pub const MODE_ALTERNATE_SCROLL: u32 = 8;
/// The cursor blinks.
pub const MODE_CURSOR_BLINK: u32 = 16;
/// The program wants focus events.
pub const MODE_FOCUS_EVENTS: u32 = 32;
/// The program wants mouse moves, always or while a button is held.
pub const MODE_MOUSE_MOTION: u32 = 64;

/// Colour kind: the theme's default.
pub const COLOUR_DEFAULT: u32 = 0;
/// Colour kind: a palette index in the low byte.
pub const COLOUR_INDEXED: u32 = 1 << 24;
/// Colour kind: `0xRRGGBB` in the low bytes.
pub const COLOUR_RGB: u32 = 2 << 24;

/// Bold.
pub const ATTR_BOLD: u16 = 1;
/// Dim.
pub const ATTR_DIM: u16 = 2;
/// Italic.
pub const ATTR_ITALIC: u16 = 4;
/// Foreground and background change places.
pub const ATTR_INVERSE: u16 = 8;
/// Not shown.
pub const ATTR_HIDDEN: u16 = 16;
/// Struck through.
pub const ATTR_STRIKE: u16 = 32;
/// Where the underline style stands: 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed.
pub const ATTR_UNDERLINE_SHIFT: u16 = 6;
/// The three bits of the underline style.
pub const ATTR_UNDERLINE_MASK: u16 = 0b111 << ATTR_UNDERLINE_SHIFT;
/// Part of an OSC 8 link.
pub const ATTR_LINK: u16 = 512;
/// Each character of the span covers two cells.
pub const ATTR_WIDE: u16 = 1_024;
/// The span's text is one cluster of several code points.
pub const ATTR_CLUSTER: u16 = 2_048;

/// Selected text.
pub const OVERLAY_SELECTION: u16 = 0;
/// A search hit.
pub const OVERLAY_HIT: u16 = 1;
/// The current search hit.
pub const OVERLAY_CURRENT_HIT: u16 = 2;
