//! The Windows console beyond raw mode: keys arrive as terminal sequences, and output is read as such.

use std::io;

use crossterm_winapi::{ConsoleMode, Handle};

/// ENABLE_VIRTUAL_TERMINAL_INPUT
const VT_INPUT: u32 = 0x0200;
/// ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING | DISABLE_NEWLINE_AUTO_RETURN
const VT_OUTPUT: u32 = 0x0001 | 0x0004 | 0x0008;

/// Windows does not stop programs.
#[derive(Debug)]
pub(crate) struct Continued;

impl Continued {
    #[expect(clippy::unnecessary_wraps, reason = "Unix can refuse the signal")]
    pub(crate) fn watch() -> io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) {
        std::future::pending().await
    }
}

/// The console's modes as they were. Dropping it puts them back.
#[derive(Debug)]
pub(super) struct Console {
    input: (ConsoleMode, u32),
    output: Option<(ConsoleMode, u32)>,
}

impl Console {
    pub(super) fn enter() -> io::Result<Self> {
        let input = ConsoleMode::from(Handle::input_handle()?);
        let before = input.mode()?;
        input.set_mode(before | VT_INPUT)?;
        // Standard output may be a file; then there is nothing to switch.
        let output = Handle::output_handle().ok().map(ConsoleMode::from).and_then(|output| {
            let before = output.mode().ok()?;
            output.set_mode(before | VT_OUTPUT).ok()?;
            Some((output, before))
        });
        Ok(Self { input: (input, before), output })
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        drop(self.input.0.set_mode(self.input.1));
        if let Some((output, before)) = &self.output {
            drop(output.set_mode(*before));
        }
    }
}
