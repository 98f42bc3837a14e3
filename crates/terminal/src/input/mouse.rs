//! Mouse events for programs that asked for them.

use alacritty_terminal::term::TermMode;

use super::Modifiers;

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseAction {
    /// A button was pressed.
    Press,
    /// A button was released.
    Release,
    /// The pointer moved, with `button` held if any.
    Move,
    /// The wheel turned towards the past.
    WheelUp,
    /// The wheel turned towards the newest line.
    WheelDown,
}

/// A mouse event over the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MouseEvent {
    /// What happened.
    pub action: MouseAction,
    /// 0 left, 1 middle, 2 right, 3 back, 4 forward; `None` when no button is held.
    pub button: Option<u8>,
    /// Column from 0.
    pub col: u16,
    /// Row of the screen from 0.
    pub row: u16,
    /// Modifiers held.
    pub modifiers: Modifiers,
}

/// What a mouse event depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MouseMode {
    pub(crate) mode: TermMode,
    /// Mode 9.
    pub(crate) x10: bool,
}

/// Cursor keys one wheel step sends to a program on the alternate screen.
const WHEEL_LINES: usize = 3;

/// The bytes of a mouse event; `None` when the program does not want it or its protocol cannot say it.
pub(crate) fn encode_mouse(event: &MouseEvent, MouseMode { mode, x10 }: MouseMode) -> Option<Vec<u8>> {
    use MouseAction::{Move, Press, Release, WheelDown, WheelUp};
    let wheel = matches!(event.action, WheelUp | WheelDown);
    if !mode.intersects(TermMode::MOUSE_MODE) && !x10 {
        return if wheel { alternate_scroll(event.action == WheelUp, mode) } else { None };
    }
    if x10 {
        let button = event.button.filter(|button| *button <= 2);
        return if event.action == Press { legacy(button?, event) } else { None };
    }
    let wants_move = mode.contains(TermMode::MOUSE_MOTION)
        || (mode.contains(TermMode::MOUSE_DRAG) && event.button.is_some());
    if event.action == Move && !wants_move {
        return None;
    }
    let button = match (event.action, event.button) {
        (WheelUp, _) => 64,
        (WheelDown, _) => 65,
        (Move, None) => 3,
        (_, Some(button @ 0..=2)) => button,
        (_, Some(button @ 3..=6)) => 125 + button,
        _ => return None,
    };
    let sgr = mode.contains(TermMode::SGR_MOUSE);
    let Modifiers { shift, ctrl, alt, .. } = event.modifiers;
    let held = 4 * u8::from(shift) + 8 * u8::from(alt) + 16 * u8::from(ctrl);
    let moved = if event.action == Move { 32 } else { 0 };
    if sgr {
        let last = if event.action == Release { 'm' } else { 'M' };
        let code = u16::from(button) + u16::from(held) + moved;
        return Some(format!("\x1b[<{code};{};{}{last}", event.col + 1, event.row + 1).into_bytes());
    }
    // The older forms do not say which button was released.
    let button = if event.action == Release { 3 } else { button };
    let code = u16::from(button) + u16::from(held) + moved;
    if mode.contains(TermMode::UTF8_MOUSE) {
        utf8(code, event)
    } else {
        legacy(u8::try_from(code).ok()?, event)
    }
}

/// `CSI M` with one byte for each number: columns and rows up to 223.
fn legacy(code: u8, event: &MouseEvent) -> Option<Vec<u8>> {
    let byte = |value: u16| u8::try_from(value + 33).ok();
    Some([b"\x1b[M".as_slice(), &[code.checked_add(32)?, byte(event.col)?, byte(event.row)?]].concat())
}

/// `CSI M` with one UTF-8 character of at most two bytes for each number: columns and rows up to 2,015.
fn utf8(code: u16, event: &MouseEvent) -> Option<Vec<u8>> {
    let mut text = "\x1b[M".to_owned();
    for value in [code + 32, event.col + 33, event.row + 33] {
        text.push(char::from_u32(u32::from(value)).filter(|c| c.len_utf8() <= 2)?);
    }
    Some(text.into_bytes())
}

/// Mode 1007: on the alternate screen the wheel is cursor keys.
fn alternate_scroll(up: bool, mode: TermMode) -> Option<Vec<u8>> {
    if !mode.contains(TermMode::ALT_SCREEN | TermMode::ALTERNATE_SCROLL) {
        return None;
    }
    let key: &[u8] = match (up, mode.contains(TermMode::APP_CURSOR)) {
        (true, true) => b"\x1bOA",
        (true, false) => b"\x1b[A",
        (false, true) => b"\x1bOB",
        (false, false) => b"\x1b[B",
    };
    Some(key.repeat(WHEEL_LINES))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRESS: MouseEvent = MouseEvent {
        action: MouseAction::Press,
        button: Some(0),
        col: 4,
        row: 9,
        modifiers: Modifiers { shift: false, ctrl: false, alt: false, meta: false },
    };

    fn sent(event: MouseEvent, mode: TermMode) -> Option<Vec<u8>> {
        encode_mouse(&event, MouseMode { mode, x10: false })
    }

    #[test]
    fn nothing_is_sent_to_a_program_that_did_not_ask() {
        assert_eq!(sent(PRESS, TermMode::empty()), None);
        assert_eq!(sent(MouseEvent { action: MouseAction::WheelUp, ..PRESS }, TermMode::ALT_SCREEN), None);
    }

    #[test]
    fn sgr_names_the_button_and_the_end() {
        let mode = TermMode::MOUSE_REPORT_CLICK | TermMode::SGR_MOUSE;
        assert_eq!(sent(PRESS, mode).as_deref(), Some(&b"\x1b[<0;5;10M"[..]));
        let release = MouseEvent { action: MouseAction::Release, button: Some(2), ..PRESS };
        assert_eq!(sent(release, mode).as_deref(), Some(&b"\x1b[<2;5;10m"[..]));
        let modifiers = Modifiers { ctrl: true, shift: true, alt: true, meta: false };
        let wheel = MouseEvent { action: MouseAction::WheelDown, button: None, modifiers, ..PRESS };
        assert_eq!(sent(wheel, mode).as_deref(), Some(&b"\x1b[<93;5;10M"[..]));
        let back = MouseEvent { button: Some(3), ..PRESS };
        assert_eq!(sent(back, mode).as_deref(), Some(&b"\x1b[<128;5;10M"[..]));
    }

    #[test]
    fn moves_are_sent_as_asked() {
        let sgr = TermMode::SGR_MOUSE;
        let hover = MouseEvent { action: MouseAction::Move, button: None, ..PRESS };
        let drag = MouseEvent { action: MouseAction::Move, ..PRESS };
        assert_eq!(sent(drag, TermMode::MOUSE_REPORT_CLICK | sgr), None);
        assert_eq!(sent(hover, TermMode::MOUSE_DRAG | sgr), None);
        assert_eq!(sent(drag, TermMode::MOUSE_DRAG | sgr).as_deref(), Some(&b"\x1b[<32;5;10M"[..]));
        assert_eq!(sent(hover, TermMode::MOUSE_MOTION | sgr).as_deref(), Some(&b"\x1b[<35;5;10M"[..]));
    }

    #[test]
    fn legacy_and_utf8_forms_stop_where_they_cannot_count_further() {
        let legacy = TermMode::MOUSE_REPORT_CLICK;
        assert_eq!(sent(PRESS, legacy).as_deref(), Some(&b"\x1b[M\x20\x25\x2a"[..]));
        assert_eq!(
            sent(MouseEvent { action: MouseAction::Release, ..PRESS }, legacy).as_deref(),
            Some(&b"\x1b[M\x23\x25\x2a"[..])
        );
        assert!(sent(MouseEvent { col: 222, ..PRESS }, legacy).is_some());
        assert_eq!(sent(MouseEvent { col: 223, ..PRESS }, legacy), None);
        let utf8 = legacy | TermMode::UTF8_MOUSE;
        let far = sent(MouseEvent { col: 300, ..PRESS }, utf8);
        assert_eq!(far.as_deref(), Some("\x1b[M \u{14d}*".as_bytes()));
    }

    #[test]
    fn x10_mode_sends_presses_without_modifiers() {
        let x10 = |event| encode_mouse(&event, MouseMode { mode: TermMode::empty(), x10: true });
        let modifiers = Modifiers { ctrl: true, ..Modifiers::default() };
        assert_eq!(x10(MouseEvent { modifiers, ..PRESS }).as_deref(), Some(&b"\x1b[M\x20\x25\x2a"[..]));
        assert_eq!(x10(MouseEvent { action: MouseAction::Release, ..PRESS }), None);
        assert_eq!(x10(MouseEvent { action: MouseAction::WheelUp, button: None, ..PRESS }), None);
    }

    #[test]
    fn the_wheel_is_cursor_keys_on_the_alternate_screen() {
        let mode = TermMode::ALT_SCREEN | TermMode::ALTERNATE_SCROLL;
        let up = MouseEvent { action: MouseAction::WheelUp, button: None, ..PRESS };
        assert_eq!(sent(up, mode).as_deref(), Some(&b"\x1b[A\x1b[A\x1b[A"[..]));
        let down = MouseEvent { action: MouseAction::WheelDown, ..up };
        assert_eq!(sent(down, mode | TermMode::APP_CURSOR).as_deref(), Some(&b"\x1bOB\x1bOB\x1bOB"[..]));
    }
}
