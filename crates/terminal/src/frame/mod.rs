//! Frames: what changed on the visible screen, as bytes a painter can apply without knowing a terminal.
//!
//! [`layout`] is the byte layout, [`decode`] the reader used by tests and fuzzing.

pub mod decode;
mod encode;
pub mod layout;
#[cfg(test)]
mod round_trip_tests;
mod rows;
mod style;

pub(crate) use encode::FrameEncoder;
pub(crate) use rows::cell_glyph;
