//! What a terminal is created with: its size, its limits and the colours it names when asked.

use alacritty_terminal::vte::ansi::Rgb as VteRgb;

/// Fewest columns: a wide character needs two.
pub const MIN_COLS: u16 = 2;
/// Most columns.
pub const MAX_COLS: u16 = 1_000;
/// Most rows.
pub const MAX_ROWS: u16 = 500;

/// Size in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns, 2 to 1,000.
    pub cols: u16,
    /// Rows, 1 to 500.
    pub rows: u16,
}

impl Size {
    /// A size; values outside the limits are moved to the nearest limit.
    #[must_use]
    pub fn new(cols: u16, rows: u16) -> Self {
        Self { cols, rows }.clamped()
    }

    /// The same size within the limits.
    #[must_use]
    pub fn clamped(self) -> Self {
        Self { cols: self.cols.clamp(MIN_COLS, MAX_COLS), rows: self.rows.clamp(1, MAX_ROWS) }
    }
}

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

impl Rgb {
    /// A colour from `0xRRGGBB`.
    #[must_use]
    pub const fn from_u32(value: u32) -> Self {
        Self { r: (value >> 16) as u8, g: (value >> 8) as u8, b: value as u8 }
    }

    /// The colour as `0xRRGGBB`.
    #[must_use]
    pub const fn to_u32(self) -> u32 {
        (self.r as u32) << 16 | (self.g as u32) << 8 | self.b as u32
    }
}

impl From<VteRgb> for Rgb {
    fn from(rgb: VteRgb) -> Self {
        Self { r: rgb.r, g: rgb.g, b: rgb.b }
    }
}

/// The theme's colours. They are only used to answer a program's colour queries; frames carry palette indexes and
/// leave the painting to the theme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    /// The sixteen named colours.
    pub named: [Rgb; 16],
    /// Default text colour.
    pub foreground: Rgb,
    /// Default background.
    pub background: Rgb,
    /// Cursor colour.
    pub cursor: Rgb,
}

impl Palette {
    const fn from_u32(named: [u32; 16], foreground: u32, background: u32, cursor: u32) -> Self {
        let mut colours = [Rgb { r: 0, g: 0, b: 0 }; 16];
        let mut i = 0;
        while i < 16 {
            colours[i] = Rgb::from_u32(named[i]);
            i += 1;
        }
        Self {
            named: colours,
            foreground: Rgb::from_u32(foreground),
            background: Rgb::from_u32(background),
            cursor: Rgb::from_u32(cursor),
        }
    }

    /// The dark theme (`--t-*` in the design tokens).
    #[must_use]
    pub const fn dark() -> Self {
        Self::from_u32(
            [
                0x2a2f37, 0xff8577, 0x5fcd95, 0xe3b955, 0x82a7ff, 0xd3a3f2, 0x5dc9d8, 0xc3cad2, 0x7d8692,
                0xffa397, 0x86e0b1, 0xf2d07c, 0xa8c2ff, 0xe2c0fa, 0x8addea, 0xf3f5f7,
            ],
            0xd5dae0,
            0x0f1114,
            0x93abff,
        )
    }

    /// The light theme (`--t-*` in the design tokens).
    #[must_use]
    pub const fn light() -> Self {
        Self::from_u32(
            [
                0x262a30, 0xb3291b, 0x14713f, 0x835a00, 0x2a55c4, 0x87379f, 0x0b6b7c, 0x5d6570, 0x69717c,
                0xc2371d, 0x0d6b3a, 0x775000, 0x3450c4, 0x7a2d92, 0x08606f, 0x14171c,
            ],
            0x262a30,
            0xfcfcfb,
            0x3450c4,
        )
    }

    /// The colour of a palette index: named colours, then the standard 6x6x6 cube (16 to 231) and greys (232 to 255).
    #[must_use]
    pub fn indexed(&self, index: u8) -> Rgb {
        match index {
            0..=15 => self.named[usize::from(index)],
            16..=231 => {
                let cube = index - 16;
                let level = |step: u8| if step == 0 { 0 } else { 55 + step * 40 };
                Rgb { r: level(cube / 36), g: level(cube / 6 % 6), b: level(cube % 6) }
            }
            232..=255 => {
                let grey = 8 + (index - 232) * 10;
                Rgb { r: grey, g: grey, b: grey }
            }
        }
    }
}

/// How a terminal behaves. [`Options::default`] is right for a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Lines kept above the screen. Default 50,000. Fewer are kept when they would need more than
    /// `scrollback_bytes`.
    pub scrollback_lines: u32,
    /// Memory for the lines above the screen, in bytes of cells. Default 36 MiB, which is 18,000 lines of 80 columns
    /// (SEC-15: what one remote program can make this terminal allocate stays under 64 MB).
    pub scrollback_bytes: usize,
    /// Colours named in answers to colour queries. Default: the dark theme.
    pub palette: Palette,
    /// Whether Alt chooses characters (macOS Option) instead of sending an ESC prefix: then Alt with a key that
    /// yields another character than the key's own sends that character. Default `false`.
    pub alt_composes: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scrollback_lines: 50_000,
            scrollback_bytes: 36 << 20,
            palette: Palette::dark(),
            alt_composes: false,
        }
    }
}

impl Options {
    /// Options for the number of lines a person chose. Up to the default number the memory limit stands; more is
    /// asked for knowingly, so memory for that many lines of 160 columns is granted with it (200,000 lines: 770 MB).
    pub fn keeping(lines: u32) -> Self {
        let options = Self::default();
        let granted =
            if lines > options.scrollback_lines { lines as usize * CHOSEN_COLUMNS * CELL_BYTES } else { 0 };
        Self { scrollback_lines: lines, scrollback_bytes: options.scrollback_bytes.max(granted), ..options }
    }
}

/// Columns that memory is granted for when more lines than the default are chosen.
const CHOSEN_COLUMNS: usize = 160;

/// Bytes of one cell in the grid.
pub(crate) const CELL_BYTES: usize = size_of::<alacritty_terminal::term::cell::Cell>();

/// Fixed bytes of a row beside its cells: the row itself and its allocation.
const ROW_BYTES: usize = 48;

/// Rows the grid allocates ahead of use.
const ROWS_AHEAD: usize = 1_000;

impl Options {
    /// Lines of scrollback a terminal of `cols` columns keeps.
    pub(crate) fn history_lines(&self, cols: u16) -> usize {
        let row = usize::from(cols) * CELL_BYTES + ROW_BYTES;
        let affordable = (self.scrollback_bytes / row).saturating_sub(ROWS_AHEAD).max(200);
        affordable.min(self.scrollback_lines as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_the_size_the_memory_limit_is_computed_with() {
        assert_eq!(CELL_BYTES, 24);
    }

    #[test]
    fn scrollback_is_bounded_by_lines_and_by_bytes() {
        let options = Options::default();
        assert!((17_000..=19_000).contains(&options.history_lines(80)));
        assert!(options.history_lines(1_000) < options.history_lines(80));
        let few = Options { scrollback_lines: 10, ..Options::default() };
        assert_eq!(few.history_lines(80), 10);
    }

    #[test]
    fn more_lines_than_the_default_bring_the_memory_they_need() {
        assert_eq!(Options::keeping(50_000), Options::default());
        assert!(Options::keeping(200_000).history_lines(150) > 190_000);
    }

    #[test]
    fn palette_indexes_follow_the_standard_cube_and_greys() {
        let palette = Palette::dark();
        assert_eq!(palette.indexed(1).to_u32(), 0xff8577);
        assert_eq!(palette.indexed(16).to_u32(), 0);
        assert_eq!(palette.indexed(208).to_u32(), 0xff8700);
        assert_eq!(palette.indexed(231).to_u32(), 0xffffff);
        assert_eq!(palette.indexed(255).to_u32(), 0xeeeeee);
    }
}
