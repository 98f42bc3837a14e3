//! Recordings of shells.
//!
//! [`cast`] writes and reads asciicast v3, [`sealed`] keeps it at rest, and [`Recordings`] are those of a user. [`Player`] replays any stream of times and bytes, with pauses, speeds and
//! jumps; it has no clock. Nothing here is a terminal: what is replayed goes through the terminal's own guard, or through
//! [`Quiet`] on its way to somebody else's terminal.

pub mod cast;
mod echo;
mod library;
mod player;
mod quiet;
pub mod sealed;
mod text;

pub use echo::Echo;
pub use library::{Recorded, RecordingError, Recordings, export_file};
pub use player::{Control, MAX_BYTES, MAX_SPEED, MIN_SPEED, Player, Standing, Step};
pub use quiet::Quiet;
pub use text::Utf8;

use std::time::Duration;

use bytes::Bytes;

/// Something that happened in a recorded terminal, at a time since the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, since the beginning. Never less than that of the event before.
    pub at: Duration,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The node printed this.
    Output(Bytes),
    /// Somebody typed this. It is never replayed.
    Input(Bytes),
    /// The terminal got another size: columns and rows.
    Resize(u16, u16),
    /// A point with a name.
    Marker(String),
    /// The shell exited with this status.
    Exit(i32),
}

/// Something to replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// What to call it.
    pub title: String,
    /// The size it begins with, in columns and rows; `None` takes the size of the view.
    pub size: Option<(u16, u16)>,
    /// What happened, in order.
    pub events: Vec<Event>,
    /// What is missing, as a sentence, where it does not end as it should.
    pub note: Option<String>,
}

impl Content {
    /// The replay of a plain stream, such as a log of a session: bytes with their times.
    pub fn of_stream(title: String, stream: impl IntoIterator<Item = (Duration, Bytes)>) -> Self {
        let mut latest = Duration::ZERO;
        let event = |(at, bytes): (Duration, Bytes)| {
            latest = latest.max(at);
            Event { at: latest, what: What::Output(bytes) }
        };
        Self { title, size: None, events: stream.into_iter().map(event).collect(), note: None }
    }
}
