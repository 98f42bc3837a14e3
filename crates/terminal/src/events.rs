//! What a program did that is not painted.

/// Something the program asked for outside the cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// The title changed. Cleaned: no control, bidirectional or invisible characters, at most 128 characters
    /// (SEC-13). `None`: back to none.
    Title(Option<String>),
    /// The bell rang, once or more.
    Bell,
    /// The program asks to put this text on the clipboard (OSC 52): at most 64 KiB, without control characters other
    /// than tab and newline. Whether it may is for the receiver to decide (SEC-11).
    ClipboardStore(String),
}

/// Events not yet taken: at most one of a kind, the newest.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    title: Option<Option<String>>,
    bell: bool,
    clipboard: Option<String>,
    /// For the next frame.
    bell_for_frame: bool,
}

impl Outbox {
    pub(crate) fn title(&mut self, title: Option<String>) {
        self.title = Some(title);
    }

    pub(crate) fn bell(&mut self) {
        self.bell = true;
        self.bell_for_frame = true;
    }

    pub(crate) fn clipboard(&mut self, text: String) {
        self.clipboard = Some(text);
    }

    pub(crate) fn take(&mut self) -> Vec<TerminalEvent> {
        let title = self.title.take().map(TerminalEvent::Title);
        let bell = std::mem::take(&mut self.bell).then_some(TerminalEvent::Bell);
        let clipboard = self.clipboard.take().map(TerminalEvent::ClipboardStore);
        title.into_iter().chain(bell).chain(clipboard).collect()
    }

    pub(crate) fn rang(&self) -> bool {
        self.bell_for_frame
    }

    pub(crate) fn forget_ringing(&mut self) {
        self.bell_for_frame = false;
    }
}
