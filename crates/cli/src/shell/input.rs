//! Reading standard input.

use std::io::{self, Read};
use std::thread;

use tokio::sync::mpsc;

use super::escape::{Escapes, Typed};

/// Bytes taken in one read.
const PIECE: usize = 8 * 1024;

/// Pieces that wait; with [`PIECE`] this bounds what is taken from the terminal before the session wants it.
const WAITING: usize = 8;

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Send these.
    Bytes(Vec<u8>),
    /// The user wants help.
    Help,
    /// The user leaves.
    End,
}

/// Reads standard input in a thread of its own: a read cannot be taken back, and the program ends without waiting for
/// it.
#[derive(Debug)]
pub(crate) struct Reader(mpsc::Receiver<Input>);

impl Reader {
    /// Begins to read. `typed` says that it is a terminal, where escapes are looked for.
    pub(crate) fn start(typed: bool) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let spawned = thread::Builder::new().name("stdin".to_owned()).spawn(move || read(typed, &sender));
        if let Err(error) = spawned {
            tracing::error!(%error, "standard input is not read");
        }
        Self(receiver)
    }

    /// The next input; `None` at the end of it. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Input> {
        self.0.recv().await
    }
}

fn read(typed: bool, sender: &mpsc::Sender<Input>) {
    let mut stdin = io::stdin().lock();
    let mut escapes = Escapes::default();
    let mut piece = vec![0; PIECE];
    loop {
        let bytes = match stdin.read(&mut piece) {
            // A Windows console reports Ctrl-Z as the end of input.
            Ok(0) if typed && cfg!(windows) => &b"\x1a"[..],
            Ok(0) => return,
            Ok(read) => piece.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // Another program that shares the terminal made it non-blocking; that says nothing about us.
                thread::sleep(std::time::Duration::from_millis(10));
                continue;
            }
            // A terminal that hangs up fails with an input/output error; the signal says the rest.
            Err(error) => {
                tracing::debug!(%error, "standard input ended");
                return;
            }
        };
        let input = if typed {
            match escapes.take(bytes) {
                None => continue,
                Some(Typed::Bytes(bytes)) => Input::Bytes(bytes),
                Some(Typed::Help) => Input::Help,
                Some(Typed::End) => Input::End,
            }
        } else {
            Input::Bytes(bytes.to_vec())
        };
        if sender.blocking_send(input).is_err() {
            return;
        }
    }
}
