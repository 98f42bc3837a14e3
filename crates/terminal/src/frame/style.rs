//! Styles of cells, and the table of those a frame uses.

use std::collections::HashMap;

use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::color::Colors;
use alacritty_terminal::vte::ansi::{Color, NamedColor};

use super::layout::{
    ATTR_BOLD, ATTR_CLUSTER, ATTR_DIM, ATTR_HIDDEN, ATTR_INVERSE, ATTR_ITALIC, ATTR_LINK, ATTR_STRIKE,
    ATTR_UNDERLINE_MASK, ATTR_UNDERLINE_SHIFT, ATTR_WIDE, COLOUR_DEFAULT, COLOUR_INDEXED, COLOUR_RGB,
};
use crate::options::Rgb;

/// How cells look, in the layout's encoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Style {
    /// Text colour.
    pub fg: u32,
    /// Background.
    pub bg: u32,
    /// Colour of the underline; the default is the text colour.
    pub underline: u32,
    /// The `ATTR_` bits.
    pub attrs: u16,
}

impl Style {
    /// The style of a cell. `wide` and `cluster` describe its text, see the layout.
    pub(crate) fn of(cell: &Cell, colours: &Colors, wide: bool, cluster: bool) -> Self {
        let flags = cell.flags;
        let mut attrs = underline_of(flags) << ATTR_UNDERLINE_SHIFT;
        for (flag, attr) in [
            (Flags::BOLD, ATTR_BOLD),
            (Flags::DIM, ATTR_DIM),
            (Flags::ITALIC, ATTR_ITALIC),
            (Flags::INVERSE, ATTR_INVERSE),
            (Flags::HIDDEN, ATTR_HIDDEN),
            (Flags::STRIKEOUT, ATTR_STRIKE),
        ] {
            if flags.contains(flag) {
                attrs |= attr;
            }
        }
        if wide {
            attrs |= ATTR_WIDE;
        }
        if cluster {
            attrs |= ATTR_CLUSTER;
        }
        let mut underline = COLOUR_DEFAULT;
        if cell.extra.is_some() {
            underline = cell.underline_color().map_or(COLOUR_DEFAULT, |colour| encode(colour, colours));
            if cell.hyperlink().is_some() {
                attrs |= ATTR_LINK;
            }
        }
        Self { fg: encode(cell.fg, colours), bg: encode(cell.bg, colours), underline, attrs }
    }

    /// Whether a space in this style looks like nothing at all.
    pub(crate) fn is_blank(&self) -> bool {
        self.bg == COLOUR_DEFAULT
            && self.attrs & (ATTR_INVERSE | ATTR_STRIKE | ATTR_UNDERLINE_MASK | ATTR_LINK) == 0
    }
}

fn underline_of(flags: Flags) -> u16 {
    if !flags.intersects(Flags::ALL_UNDERLINES) {
        0
    } else if flags.contains(Flags::DOUBLE_UNDERLINE) {
        2
    } else if flags.contains(Flags::UNDERCURL) {
        3
    } else if flags.contains(Flags::DOTTED_UNDERLINE) {
        4
    } else if flags.contains(Flags::DASHED_UNDERLINE) {
        5
    } else {
        1
    }
}

/// A colour in the layout's encoding. Palette entries and defaults a program changed (OSC 4, 10, 11) become RGB.
fn encode(colour: Color, colours: &Colors) -> u32 {
    let changed = |index: usize| colours[index].map(|rgb| COLOUR_RGB | Rgb::from(rgb).to_u32());
    match colour {
        Color::Spec(rgb) => COLOUR_RGB | Rgb::from(rgb).to_u32(),
        Color::Indexed(index) => changed(usize::from(index)).unwrap_or(COLOUR_INDEXED | u32::from(index)),
        Color::Named(NamedColor::Foreground) => {
            changed(NamedColor::Foreground as usize).unwrap_or(COLOUR_DEFAULT)
        }
        Color::Named(NamedColor::Background) => {
            changed(NamedColor::Background as usize).unwrap_or(COLOUR_DEFAULT)
        }
        Color::Named(named) => match named as usize {
            index @ 0..=15 => changed(index).unwrap_or(COLOUR_INDEXED | index as u32),
            _ => COLOUR_DEFAULT,
        },
    }
}

/// The distinct styles of one frame.
#[derive(Debug, Default)]
pub(crate) struct StyleTable {
    index: HashMap<Style, u16>,
    styles: Vec<Style>,
}

/// Most styles in a frame.
pub(crate) const MAX_STYLES: usize = u16::MAX as usize;

impl StyleTable {
    pub(crate) fn clear(&mut self) {
        self.index.clear();
        self.styles.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.styles.len()
    }

    pub(crate) fn styles(&self) -> &[Style] {
        &self.styles
    }

    /// The index of a style. The caller makes sure that there is room.
    pub(crate) fn index_of(&mut self, style: Style) -> u16 {
        let styles = &mut self.styles;
        *self.index.entry(style).or_insert_with(|| {
            styles.push(style);
            (styles.len() - 1) as u16
        })
    }
}
