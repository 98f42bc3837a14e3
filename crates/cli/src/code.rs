//! Codes of MFA devices, asked for on the terminal: never in arguments, which other users of the computer may read.

use std::io::{self, IsTerminal, Write};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal;
use fleetline_aws::CodeDesk;
use fleetline_signin::{Code, CodeAsk};
use zeroize::Zeroizing;

use crate::console::{harmless, tell};

/// Asks on the terminal from now on, one source after the other, if there is one. Without a terminal nothing is asked,
/// and what needs a code fails.
pub(crate) fn attend(desk: CodeDesk) {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return;
    }
    desk.attend();
    tokio::spawn(async move {
        let mut changes = desk.changes();
        loop {
            changes.borrow_and_update();
            if let Some(ask) = desk.asks().into_iter().find(|ask| !ask.trying) {
                let source = ask.source.clone();
                let code = tokio::task::spawn_blocking(move || read(&ask)).await.ok().flatten();
                match code {
                    Some(code) => desk.give(&source, code),
                    None => desk.decline(&source),
                };
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    });
}

/// Reads one code; `None` when the person gives none.
fn read(ask: &CodeAsk) -> Option<Code> {
    // A shell has the terminal: its keys are for the node.
    if terminal::is_raw_mode_enabled().unwrap_or(true) {
        return None;
    }
    if let Some(refused) = &ask.refused {
        let why = if refused.used_before {
            "AWS refused this code because it was given before; each is good once. Wait for the next one."
        } else {
            "AWS refused this code, most likely because it was used before. Wait for the next one."
        };
        tell(why);
    }
    let whom = match &ask.role {
        Some(role) => format!("the role {role} of {}", ask.source),
        None => ask.source.clone(),
    };
    say(&format!("Code of {} for {}: ", harmless(&ask.serial), harmless(&whom)));
    terminal::enable_raw_mode().ok()?;
    let typed = keys();
    drop(terminal::disable_raw_mode());
    tell("");
    typed
}

/// The keys until a code is there and confirmed; `None` after Escape, Ctrl-C or Ctrl-D.
fn keys() -> Option<Code> {
    let mut digits = Zeroizing::new(String::with_capacity(6));
    loop {
        let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) =
            crossterm::event::read().ok()?
        else {
            continue;
        };
        match code {
            KeyCode::Char('c' | 'd') if modifiers.contains(KeyModifiers::CONTROL) => return None,
            KeyCode::Esc => return None,
            KeyCode::Char(digit) if digit.is_ascii_digit() && digits.len() < 6 => {
                digits.push(digit);
                say(digit.encode_utf8(&mut [0; 4]));
            }
            KeyCode::Backspace if !digits.is_empty() => {
                digits.pop();
                say("\u{8} \u{8}");
            }
            // What was typed before the terminal was made raw has a line feed at its end.
            KeyCode::Enter | KeyCode::Char('j') => match Code::parse(&digits) {
                Ok(code) => return Some(code),
                Err(_) => say("\u{7}"),
            },
            _ => {}
        }
    }
}

/// A part of a line on standard error.
fn say(text: &str) {
    let mut err = io::stderr().lock();
    drop(err.write_all(text.as_bytes()).and_then(|()| err.flush()));
}
