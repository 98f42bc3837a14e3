//! Input to a terminal and small answers from it. What it shows travels as binary frames, not as these types.

use serde::{Deserialize, Serialize};
use specta::Type;

/// Size in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TerminalSize {
    /// Columns, 2 to 1,000.
    pub cols: u16,
    /// Rows, 1 to 500.
    pub rows: u16,
}

/// Modifier keys held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct Modifiers {
    /// Shift.
    pub shift: bool,
    /// Control.
    pub ctrl: bool,
    /// Alt or Option.
    pub alt: bool,
    /// Windows, Super or Command.
    pub meta: bool,
}

/// A key press as the web view reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct KeyPress {
    /// `KeyboardEvent.key`: "a", "Enter", "ArrowUp", "F5".
    pub key: String,
    /// `KeyboardEvent.code`: "KeyA", "NumpadEnter".
    pub code: String,
    /// Modifiers.
    pub modifiers: Modifiers,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum MouseAction {
    /// Pressed.
    Press,
    /// Released.
    Release,
    /// Moved (with `button` held, if any).
    Move,
    /// Wheel up.
    WheelUp,
    /// Wheel down.
    WheelDown,
}

/// A mouse event for a program that asked for the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MouseInput {
    /// What happened.
    pub action: MouseAction,
    /// 0 left, 1 middle, 2 right; `None` when no button is held.
    pub button: Option<u8>,
    /// Column from 0.
    pub col: u16,
    /// Row from 0, of the visible screen.
    pub row: u16,
    /// Modifiers.
    pub modifiers: Modifiers,
}

/// Where to scroll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "to", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ScrollTo {
    /// By lines; positive is towards the past.
    Lines {
        /// How many.
        lines: i32,
    },
    /// By screens; positive is towards the past.
    Pages {
        /// How many.
        pages: i32,
    },
    /// Oldest line.
    Top,
    /// Newest line.
    Bottom,
}

/// How a selection grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SelectionKind {
    /// Character by character.
    Simple,
    /// By words.
    Word,
    /// By lines.
    Line,
    /// A rectangle.
    Block,
}

/// A step of selecting with the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "step", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum SelectionInput {
    /// Begin at a cell of the visible screen.
    Start {
        /// How it grows.
        kind: SelectionKind,
        /// Column.
        col: u16,
        /// Row.
        row: u16,
        /// Whether the pointer is in the right half of the cell.
        right_half: bool,
    },
    /// Extend to a cell.
    Update {
        /// Column.
        col: u16,
        /// Row.
        row: u16,
        /// Whether the pointer is in the right half of the cell.
        right_half: bool,
    },
    /// Everything, scrollback included.
    All,
    /// Nothing.
    Clear,
}

/// What became of a paste.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "outcome", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum PasteOutcome {
    /// Sent.
    Sent,
    /// Held back until confirmed (SEC-14).
    NeedsConfirmation {
        /// Lines of the text.
        lines: u32,
        /// The text with control characters made visible, at most 4 KiB.
        preview: String,
        /// Why it is asked.
        reason: String,
    },
}

/// A search in a terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct SearchRequest {
    /// What to find; empty ends the search.
    pub text: String,
    /// Whether case matters.
    pub case_sensitive: bool,
    /// Whether `text` is a regular expression.
    pub regex: bool,
    /// `true`: towards newer lines.
    pub forward: bool,
}

/// Where a search stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct SearchState {
    /// Index of the current hit from 1; 0 when there is none.
    pub current: u32,
    /// Hits, counted to 1,000 at most.
    pub total: u32,
    /// Whether there are more than were counted.
    pub more: bool,
    /// What is wrong with the regular expression.
    pub error: Option<String>,
}
