//! From what a person does to the bytes a program expects.

mod key;
mod mouse;
mod paste;

pub(crate) use key::{KeyContext, encode_key};
pub use mouse::{MouseAction, MouseEvent};
pub(crate) use mouse::{MouseMode, encode_mouse};
pub use paste::{PasteReason, PasteReview};
pub(crate) use paste::{encode_paste, encode_text, review};

/// Modifier keys held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modifiers {
    /// Shift.
    pub shift: bool,
    /// Control.
    pub ctrl: bool,
    /// Alt or Option.
    pub alt: bool,
    /// Windows, Super or Command. Keys with it are the desktop's and the app's, never a program's.
    pub meta: bool,
}

/// A key press as a web view reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyEvent {
    /// `KeyboardEvent.key`: "a", "Enter", "ArrowUp", "F5".
    pub key: String,
    /// `KeyboardEvent.code`: "KeyA", "NumpadEnter".
    pub code: String,
    /// Modifiers held.
    pub modifiers: Modifiers,
}
