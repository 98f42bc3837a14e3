//! A terminal with the program in it.

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use crate::Lab;

/// A test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

type Screen = Arc<(Mutex<Vec<u8>>, Condvar)>;

pub(crate) struct Terminal {
    pub(crate) master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    screen: Screen,
    seen: usize,
}

pub(crate) fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Terminal {
    pub(crate) fn start(lab: &Lab, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(size(33, 101)).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_fleetline"));
        command.args(args);
        command.env_clear();
        for (name, value) in lab.environment() {
            command.env(name, value);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let screen: Screen = Arc::default();
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut piece) {
                shown.0.lock().unwrap().extend_from_slice(&piece[..read]);
                shown.1.notify_all();
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { master: pair.master, child, writer, screen, seen: 0 }
    }

    pub(crate) fn pid(&self) -> String {
        self.child.process_id().unwrap().to_string()
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).unwrap();
        self.writer.flush().unwrap();
    }

    /// Waits for text that came after the last match, and returns what came before its end.
    #[track_caller]
    pub(crate) fn expect(&mut self, wanted: &str) -> String {
        let until = Instant::now() + PATIENCE;
        let mut shown = self.screen.0.lock().unwrap();
        loop {
            let rest = String::from_utf8_lossy(&shown[self.seen..]).into_owned();
            if let Some(place) = rest.find(wanted) {
                // Only whole matches are skipped; lossy text may be longer than its bytes.
                let bytes = wanted.as_bytes();
                let found =
                    shown[self.seen..].windows(bytes.len()).position(|window| window == bytes).unwrap();
                self.seen += found + bytes.len();
                return rest[..place + wanted.len()].to_owned();
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{wanted:?} did not come, but: {rest:?}");
            shown = self.screen.1.wait_timeout(shown, left).unwrap().0;
        }
    }

    /// Waits for the program's end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "it did not end: {:?}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.screen.0.lock().unwrap()).into_owned()
    }
}
