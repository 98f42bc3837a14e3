//! A terminal model that turns bytes into compact paint frames.
//!
//! [`Terminal`] takes in what a remote program prints, through a guard that bounds what a program can make it hold
//! (SEC-15), and gives frames ([`frame::layout`]) to a painter that knows no terminal. It keeps scrollback, selection
//! and search, answers the few questions a program may ask (SEC-10), and encodes keys, text, pastes, mouse and focus
//! for the program. It has no clock, thread, socket, font or pixel.
//!
//! ```
//! use std::time::Duration;
//! use fleetline_terminal::{KeyEvent, Options, Size, Terminal};
//!
//! let mut terminal = Terminal::new(Size::new(80, 24), Options::default());
//! terminal.feed(b"\x1b[1mhello\x1b[0m\r\n", Duration::ZERO);
//! assert_eq!(terminal.mirror()[0], "hello");
//! assert!(terminal.frame(false, Duration::ZERO).is_some());
//! assert!(terminal.frame(false, Duration::ZERO).is_none());
//! let key = KeyEvent { key: "ArrowUp".into(), code: "ArrowUp".into(), ..KeyEvent::default() };
//! assert_eq!(terminal.encode_key(&key).as_deref(), Some(&b"\x1b[A"[..]));
//! ```

mod cleaning;
mod events;
mod extras;
pub mod frame;
mod guard;
mod hold;
mod hyperlinks;
mod input;
mod links;
mod modes;
mod options;
mod overlay;
mod replies;
mod screen;
mod search;
mod selection;
mod terminal;
mod text;

pub use events::TerminalEvent;
pub use guard::GuardCounters;
pub use input::{KeyEvent, Modifiers, MouseAction, MouseEvent, PasteReason, PasteReview};
pub use links::Link;
pub use options::{MAX_COLS, MAX_ROWS, MIN_COLS, Options, Palette, Rgb, Size};
pub use search::{COUNT_LIMIT, QUERY_LIMIT, SearchQuery, SearchState};
pub use selection::{CellPoint, SelectionKind};
pub use terminal::{Counters, Modes, Scroll, Terminal};
