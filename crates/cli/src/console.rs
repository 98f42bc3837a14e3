//! Lines for the user. Lints forbid `println!`, which panics when its pipe is closed.

use std::io::{self, Write};

use serde::Serialize;

use crate::failure::Failure;

/// A line on standard output.
///
/// # Errors
/// When standard output cannot be written to.
pub(crate) fn print(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A line of a command's result on standard output. A reader that went away has what it wanted.
///
/// # Errors
/// When standard output cannot be written to for another reason.
pub(crate) fn write(line: &str) -> Result<(), Failure> {
    match print(line) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::local("The result could not be written", &error))
        }
        _ => Ok(()),
    }
}

/// A command's result as JSON on standard output.
///
/// # Errors
/// As [`write`].
pub(crate) fn write_json<T: Serialize + ?Sized>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::local("The result could not be written", &error))?;
    write(&text)
}

/// Text on standard output, as it is.
///
/// # Errors
/// When standard output cannot be written to.
pub(crate) fn print_part(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A line on standard error. Nobody can be told when that fails.
pub(crate) fn tell(line: &str) {
    let mut err = io::stderr().lock();
    drop(err.write_all(line.as_bytes()).and_then(|()| err.write_all(b"\n")).and_then(|()| err.flush()));
}

/// A line on standard error while the terminal is raw, where a line feed alone does not return to the first column.
pub(crate) fn tell_raw(line: &str) {
    let mut err = io::stderr().lock();
    drop(err.write_all(format!("\r\n{line}\r\n").as_bytes()).and_then(|()| err.flush()));
}

/// Text of the other side without the characters that could drive the user's terminal.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_others_do_not_reach_the_terminal() {
        assert_eq!(harmless("a\x1b[31mb\tc\nd\u{9b}"), "a\u{fffd}[31mb\tc\nd\u{fffd}");
    }
}
