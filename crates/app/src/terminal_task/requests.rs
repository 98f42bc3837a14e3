//! What the window asks of a terminal.

use fleetline_engine::Priority;
use fleetline_ipc::terminal::{PasteOutcome, TerminalSize as IpcSize};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_terminal::{MAX_COLS, MAX_ROWS, MIN_COLS, Size};
use tokio::time::Instant;

use super::{TEXT_LIMIT, Task};
use super::{convert, input};
use crate::request::{Reply, TerminalRequest};

pub(super) fn within_limit(text: &str) -> Result<(), CommandError> {
    if text.len() <= TEXT_LIMIT {
        return Ok(());
    }
    let message = format!("The text has {} bytes; at most 1 MiB can be sent at once.", text.len());
    Err(CommandError::new(ErrorCode::InvalidInput, message))
}

pub(super) fn clipboard_problem(detail: &str) -> CommandError {
    CommandError {
        detail: Some(detail.to_owned()),
        ..CommandError::new(ErrorCode::Unsupported, "The clipboard cannot be used on this desktop right now.")
    }
}

pub(super) fn answer<T>(reply: Reply<T>, value: Result<T, CommandError>) {
    // A caller that has gone away no longer needs the answer.
    drop(reply.send(value));
}

impl Task {
    pub(super) async fn request(&mut self, request: TerminalRequest) {
        match request {
            TerminalRequest::Attach { frames, reply } => {
                self.painter.attach(frames);
                self.set_priority(Priority::Foreground);
                answer(reply, Ok(()));
            }
            TerminalRequest::Detach { reply } => {
                self.painter.detach();
                self.set_priority(Priority::Background);
                self.unseen_after = Instant::now();
                answer(reply, Ok(()));
            }
            TerminalRequest::Ack { seq, reply } => {
                self.painter.painted(seq);
                answer(reply, Ok(()));
            }
            TerminalRequest::Resize { size, reply } => answer(reply, self.resize(size)),
            TerminalRequest::Key { key, reply } => {
                let encoded = self.terminal.encode_key(&convert::key(key));
                self.painter.changed();
                answer(reply, encoded.map_or(Ok(false), |bytes| self.send(bytes).map(|()| true)));
            }
            TerminalRequest::Text { text, reply } => {
                let sent = within_limit(&text).and_then(|()| {
                    let bytes = self.terminal.encode_text(&text);
                    self.send(bytes)
                });
                self.painter.changed();
                answer(reply, sent);
            }
            TerminalRequest::Paste { text, confirmed, reply } => answer(reply, self.paste(&text, confirmed)),
            TerminalRequest::PasteClipboard { confirmed, reply } => {
                let outcome = match self.clipboard().await {
                    Ok(text) => self.paste(&text, confirmed),
                    Err(problem) => Err(problem),
                };
                answer(reply, outcome);
            }
            TerminalRequest::Mouse { mouse, reply } => {
                let encoded = self.terminal.encode_mouse(&convert::mouse(mouse));
                answer(reply, encoded.map_or(Ok(()), |bytes| self.send(bytes)));
            }
            TerminalRequest::Focus { focused, reply } => {
                let sent = self.terminal.encode_focus(focused).map_or(Ok(()), |bytes| self.send(bytes));
                // A window may change hands while a session is away; that is nothing to tell the user.
                drop(sent);
                answer(reply, Ok(()));
            }
            TerminalRequest::Scroll { to, reply } => {
                self.terminal.scroll(convert::scroll(to));
                self.painter.changed();
                answer(reply, Ok(()));
            }
            TerminalRequest::Select { input, reply } => {
                convert::select(&mut self.terminal, input);
                self.painter.changed();
                answer(reply, Ok(()));
            }
            TerminalRequest::Copy { reply } => {
                let copied = self.copy().await;
                answer(reply, copied);
            }
            TerminalRequest::Search { request, reply } => {
                let found = convert::search(&mut self.terminal, request);
                self.painter.changed();
                answer(reply, Ok(found));
            }
            TerminalRequest::Mirror { reply } => answer(reply, Ok(self.terminal.mirror())),
        }
    }

    /// Who is looked at goes first when AWS limits how fast sessions are resumed.
    pub(super) fn set_priority(&self, priority: Priority) {
        if let Some(live) = &self.live {
            live.session.set_priority(priority);
        }
    }

    pub(super) fn send(&mut self, bytes: Vec<u8>) -> Result<(), CommandError> {
        let Some(live) = self.live.as_ref().filter(|live| !live.over) else { return Err(input::over()) };
        if let Some((recorder, _)) = &mut self.recording {
            recorder.typed(&bytes);
        }
        live.input.send(bytes)
    }

    pub(super) fn resize(&mut self, size: IpcSize) -> Result<(), CommandError> {
        if !(MIN_COLS..=MAX_COLS).contains(&size.cols) || !(1..=MAX_ROWS).contains(&size.rows) {
            return Err(CommandError::new(
                ErrorCode::InvalidInput,
                format!("A terminal has {MIN_COLS} to {MAX_COLS} columns and 1 to {MAX_ROWS} rows."),
            ));
        }
        let size = Size::new(size.cols, size.rows);
        // What was recorded fits its own size only.
        if self
            .live
            .as_ref()
            .is_some_and(|live| live.session.replay().is_some_and(|replay| replay.size().is_some()))
        {
            return Ok(());
        }
        if size != self.terminal.size() {
            self.terminal.resize(size);
            self.painter.changed();
            self.resize_at = Some(Instant::now() + convert::RESIZE_REST);
        }
        Ok(())
    }

    pub(super) fn paste(&mut self, text: &str, confirmed: bool) -> Result<PasteOutcome, CommandError> {
        within_limit(text)?;
        if let (false, Some(review)) = (confirmed, self.terminal.paste_review(text)) {
            return Ok(convert::review(review));
        }
        let bytes = self.terminal.encode_paste(text);
        self.painter.changed();
        self.send(bytes)?;
        Ok(PasteOutcome::Sent)
    }

    /// Reading and writing the clipboard may wait for another program, so it happens on a thread for such things.
    pub(super) async fn clipboard(&mut self) -> Result<String, CommandError> {
        let ui = self.ui.clone();
        let read = tokio::task::spawn_blocking(move || ui.read_clipboard()).await;
        read.map_err(|error| clipboard_problem(&error.to_string()))?
            .map_err(|error| clipboard_problem(&error.0))
    }

    pub(super) async fn copy(&mut self) -> Result<String, CommandError> {
        let Some(text) = self.terminal.selection_text().filter(|text| !text.is_empty()) else {
            return Ok(String::new());
        };
        let (ui, copy) = (self.ui.clone(), text.clone());
        let written = tokio::task::spawn_blocking(move || ui.write_clipboard(&copy)).await;
        written
            .map_err(|error| clipboard_problem(&error.to_string()))?
            .map_err(|error| clipboard_problem(&error.0))?;
        Ok(text)
    }
}
