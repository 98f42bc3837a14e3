//! Key presses as xterm sends them.
//!
//! The number pad sends what its keys show: digits and operators as text, Enter as Enter, and with Num Lock off the
//! cursor keys. That is what xterm does while Num Lock is on, application keypad mode included; a web view does not
//! tell the state of Num Lock, and programs that know no keypad codes are many.

use alacritty_terminal::term::TermMode;

use super::{KeyEvent, Modifiers};

/// What a key press depends on beside the key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyContext {
    pub(crate) mode: TermMode,
    /// See [`crate::Options::alt_composes`].
    pub(crate) alt_composes: bool,
}

/// The bytes of a key press; `None` when it sends nothing.
pub(crate) fn encode_key(event: &KeyEvent, context: KeyContext) -> Option<Vec<u8>> {
    if event.modifiers.meta {
        return None;
    }
    let mut chars = event.key.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => character(c, event, context),
        _ => named(&event.key, event.modifiers, context.mode),
    }
}

/// xterm's modifier parameter: 1 plus shift 1, alt 2, control 4.
fn parameter(modifiers: Modifiers) -> u8 {
    1 + u8::from(modifiers.shift) + 2 * u8::from(modifiers.alt) + 4 * u8::from(modifiers.ctrl)
}

fn named(key: &str, modifiers: Modifiers, mode: TermMode) -> Option<Vec<u8>> {
    let Modifiers { shift, ctrl, alt, .. } = modifiers;
    let app_cursor = mode.contains(TermMode::APP_CURSOR);
    // Keys that end in a letter: SS3 in application mode or for F1 to F4, CSI otherwise, CSI 1;m with modifiers.
    let letter = |last: char, ss3: bool| match parameter(modifiers) {
        1 if ss3 => format!("\x1bO{last}"),
        1 => format!("\x1b[{last}"),
        m => format!("\x1b[1;{m}{last}"),
    };
    let tilde = |number: u8| match parameter(modifiers) {
        1 => format!("\x1b[{number}~"),
        m => format!("\x1b[{number};{m}~"),
    };
    let escaped = |text: &str| if alt { format!("\x1b{text}") } else { text.to_owned() };
    let sequence = match key {
        "Enter" if mode.contains(TermMode::LINE_FEED_NEW_LINE) => escaped("\r\n"),
        "Enter" => escaped("\r"),
        "Tab" if shift => escaped("\x1b[Z"),
        "Tab" => escaped("\t"),
        "Backspace" => escaped(if ctrl { "\x08" } else { "\x7f" }),
        "Escape" => escaped("\x1b"),
        "ArrowUp" => letter('A', app_cursor),
        "ArrowDown" => letter('B', app_cursor),
        "ArrowRight" => letter('C', app_cursor),
        "ArrowLeft" => letter('D', app_cursor),
        "Clear" => letter('E', app_cursor),
        "End" => letter('F', app_cursor),
        "Home" => letter('H', app_cursor),
        "Insert" => tilde(2),
        "Delete" => tilde(3),
        "PageUp" => tilde(5),
        "PageDown" => tilde(6),
        "ContextMenu" => tilde(29),
        "F1" => letter('P', true),
        "F2" => letter('Q', true),
        "F3" => letter('R', true),
        "F4" => letter('S', true),
        _ => tilde(function_key(key.strip_prefix('F')?.parse().ok()?)?),
    };
    Some(sequence.into_bytes())
}

/// The number of F5 to F24. From F21 on xterm counts up from 42.
fn function_key(n: u8) -> Option<u8> {
    Some(match n {
        5 => 15,
        6..=10 => 11 + n,
        11..=14 => 12 + n,
        15 | 16 => 13 + n,
        17..=20 => 14 + n,
        21..=24 => 21 + n,
        _ => return None,
    })
}

fn character(c: char, event: &KeyEvent, context: KeyContext) -> Option<Vec<u8>> {
    let Modifiers { ctrl, alt, .. } = event.modifiers;
    if c.is_control() {
        return None;
    }
    let text = c.to_string().into_bytes();
    // AltGr is Control and Alt at once on Windows; Option composes on macOS.
    let composed = alt && !is_own_character(c, &event.code);
    if composed && (ctrl || context.alt_composes) {
        return Some(text);
    }
    let bytes = if ctrl { control(c, &event.code).map_or(text, |byte| vec![byte]) } else { text };
    Some(if alt { [b"\x1b", bytes.as_slice()].concat() } else { bytes })
}

/// Whether a character is what a key yields without AltGr or Option: any Latin letter, since letters move between
/// layouts, or what a US keyboard has on that key.
fn is_own_character(c: char, code: &str) -> bool {
    if c.is_ascii_alphabetic() || c == ' ' {
        return true;
    }
    if let Some(digit) = code.strip_prefix("Digit").and_then(|digit| digit.parse::<usize>().ok()) {
        return c.is_ascii_digit() || ")!@#$%^&*(".chars().nth(digit) == Some(c);
    }
    if code.starts_with("Numpad") {
        return true;
    }
    let pair = match code {
        "Minus" => "-_",
        "Equal" => "=+",
        "BracketLeft" => "[{",
        "BracketRight" => "]}",
        "Backslash" | "IntlBackslash" => "\\|",
        "Semicolon" => ";:",
        "Quote" => "'\"",
        "Backquote" => "`~",
        "Comma" => ",<",
        "Period" => ".>",
        "Slash" => "/?",
        _ => return false,
    };
    pair.contains(c)
}

/// The control character of a key with Control; `None` where Control changes nothing.
fn control(c: char, code: &str) -> Option<u8> {
    let c = if c.is_ascii() {
        c
    } else {
        // Layouts of other scripts: the key's place on a Latin keyboard counts.
        code.strip_prefix("Key")?.chars().next()?
    };
    Some(match c {
        'a'..='z' | 'A'..='Z' => c as u8 & 0x1f,
        ' ' | '@' | '2' => 0x00,
        '[' | '{' | '3' => 0x1b,
        '\\' | '|' | '4' => 0x1c,
        ']' | '}' | '5' => 0x1d,
        '^' | '~' | '6' => 0x1e,
        '_' | '/' | '7' => 0x1f,
        '?' | '8' => 0x7f,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(keys: &str, code: &str, mode: TermMode) -> Option<Vec<u8>> {
        let mut modifiers = Modifiers::default();
        let mut rest = keys;
        while let Some((name, tail)) = rest.split_once('+').filter(|(_, tail)| !tail.is_empty()) {
            match name {
                "Shift" => modifiers.shift = true,
                "Ctrl" => modifiers.ctrl = true,
                "Alt" => modifiers.alt = true,
                "Meta" => modifiers.meta = true,
                _ => break,
            }
            rest = tail;
        }
        let event = KeyEvent { key: rest.to_owned(), code: code.to_owned(), modifiers };
        encode_key(&event, KeyContext { mode, alt_composes: false })
    }

    fn sent(keys: &str) -> String {
        let code = match keys.rsplit('+').next() {
            Some(key) if key.len() == 1 && key.is_ascii() => format!("Key{}", key.to_ascii_uppercase()),
            _ => String::new(),
        };
        press(keys, &code, TermMode::empty())
            .map_or("nothing".to_owned(), |bytes| String::from_utf8(bytes).unwrap_or_default())
    }

    #[test]
    fn text_keys_send_their_text() {
        assert_eq!(sent("a"), "a");
        assert_eq!(sent("Shift+A"), "A");
        assert_eq!(sent("é"), "é");
        assert_eq!(sent("日"), "日");
        assert_eq!(sent("+"), "+");
    }

    #[test]
    fn editing_keys_follow_xterm() {
        for (keys, bytes) in [
            ("Enter", "\r"),
            ("Alt+Enter", "\x1b\r"),
            ("Tab", "\t"),
            ("Shift+Tab", "\x1b[Z"),
            ("Backspace", "\x7f"),
            ("Ctrl+Backspace", "\x08"),
            ("Alt+Backspace", "\x1b\x7f"),
            ("Escape", "\x1b"),
            ("Insert", "\x1b[2~"),
            ("Delete", "\x1b[3~"),
            ("Ctrl+Delete", "\x1b[3;5~"),
            ("PageUp", "\x1b[5~"),
            ("Alt+PageDown", "\x1b[6;3~"),
            ("Home", "\x1b[H"),
            ("Shift+End", "\x1b[1;2F"),
        ] {
            assert_eq!(sent(keys), bytes, "{keys}");
        }
    }

    #[test]
    fn cursor_keys_follow_their_mode_and_modifiers() {
        assert_eq!(sent("ArrowUp"), "\x1b[A");
        assert_eq!(press("ArrowUp", "", TermMode::APP_CURSOR).as_deref(), Some(&b"\x1bOA"[..]));
        assert_eq!(press("Home", "", TermMode::APP_CURSOR).as_deref(), Some(&b"\x1bOH"[..]));
        assert_eq!(press("Ctrl+ArrowLeft", "", TermMode::APP_CURSOR).as_deref(), Some(&b"\x1b[1;5D"[..]));
        assert_eq!(sent("Ctrl+Shift+Alt+ArrowRight"), "\x1b[1;8C");
    }

    #[test]
    fn function_keys_have_their_xterm_numbers() {
        let numbers = [15, 17, 18, 19, 20, 21, 23, 24, 25, 26, 28, 29, 31, 32, 33, 34, 42, 43, 44, 45];
        for (n, number) in (5..=24).zip(numbers) {
            assert_eq!(sent(&format!("F{n}")), format!("\x1b[{number}~"), "F{n}");
        }
        assert_eq!(sent("F1"), "\x1bOP");
        assert_eq!(sent("F4"), "\x1bOS");
        assert_eq!(sent("Shift+F1"), "\x1b[1;2P");
        assert_eq!(sent("Ctrl+F5"), "\x1b[15;5~");
        assert_eq!(sent("F25"), "nothing");
    }

    #[test]
    fn control_combinations_send_control_characters() {
        for (keys, byte) in [
            ("Ctrl+a", 0x01),
            ("Ctrl+Shift+C", 0x03),
            ("Ctrl+z", 0x1a),
            ("Ctrl+ ", 0x00),
            ("Ctrl+@", 0x00),
            ("Ctrl+2", 0x00),
            ("Ctrl+3", 0x1b),
            ("Ctrl+4", 0x1c),
            ("Ctrl+5", 0x1d),
            ("Ctrl+6", 0x1e),
            ("Ctrl+7", 0x1f),
            ("Ctrl+8", 0x7f),
            ("Ctrl+[", 0x1b),
            ("Ctrl+\\", 0x1c),
            ("Ctrl+]", 0x1d),
            ("Ctrl+^", 0x1e),
            ("Ctrl+_", 0x1f),
            ("Ctrl+/", 0x1f),
        ] {
            assert_eq!(press(keys, "", TermMode::empty()), Some(vec![byte]), "{keys}");
        }
        assert_eq!(press("Ctrl+с", "KeyC", TermMode::empty()), Some(vec![3]), "a Cyrillic layout");
        assert_eq!(press("Ctrl+1", "Digit1", TermMode::empty()), Some(b"1".to_vec()));
    }

    #[test]
    fn alt_prefixes_escape_and_altgr_composes() {
        assert_eq!(sent("Alt+b"), "\x1bb");
        assert_eq!(press("Alt+.", "Period", TermMode::empty()).as_deref(), Some(&b"\x1b."[..]));
        assert_eq!(press("Ctrl+Alt+a", "KeyA", TermMode::empty()).as_deref(), Some(&b"\x1b\x01"[..]));
        assert_eq!(press("Ctrl+Alt+z", "KeyY", TermMode::empty()).as_deref(), Some(&b"\x1b\x1a"[..]));
        assert_eq!(press("Ctrl+Alt+@", "KeyQ", TermMode::empty()).as_deref(), Some(&b"@"[..]));
        assert_eq!(press("Ctrl+Alt+[", "Digit8", TermMode::empty()).as_deref(), Some(&b"["[..]));
        assert_eq!(press("Ctrl+Alt+[", "BracketLeft", TermMode::empty()).as_deref(), Some(&b"\x1b\x1b"[..]));
        assert_eq!(press("Ctrl+Alt+€", "KeyE", TermMode::empty()).as_deref(), Some("€".as_bytes()));
        let option_a = KeyEvent {
            key: "å".to_owned(),
            code: "KeyA".to_owned(),
            modifiers: Modifiers { alt: true, ..Modifiers::default() },
        };
        let context = |alt_composes| KeyContext { mode: TermMode::empty(), alt_composes };
        assert_eq!(encode_key(&option_a, context(true)).as_deref(), Some("å".as_bytes()));
        assert_eq!(encode_key(&option_a, context(false)).as_deref(), Some("\x1bå".as_bytes()));
    }

    #[test]
    fn keys_that_are_no_input_send_nothing() {
        for keys in
            ["Shift", "Control", "Dead", "Process", "Unidentified", "CapsLock", "F0", "Fn", "Meta+c", ""]
        {
            assert_eq!(sent(keys), "nothing", "{keys}");
        }
    }
}
