//! A recording at rest: asciicast v3 in sealed pieces, each whole by itself, so that one that ends in the middle plays to
//! its last piece.
//!
//! The first line is in clear: an id, the time, and the recording's own key, sealed with the key of all recordings. Then
//! pieces: a length of four bytes, big endian, and that many sealed bytes, bound to the first line and their number. Inside,
//! a first byte says what a piece is.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleetline_vault::Key;
use serde::{Deserialize, Serialize};

use crate::cast::{self, Head};
use crate::{Content, Event};

/// How the first line begins; the number is the version of the form.
const BEGIN: &[u8] = b"fleetline-recording 1 ";
/// Longest first line.
const LINE_LIMIT: usize = 4096;
/// A piece of this size is sealed at once.
const PIECE: usize = 32 * 1024;
/// Largest sealed piece read.
const PIECE_LIMIT: usize = 8 * 1024 * 1024;

const ABOUT: u8 = b'a';
const CAST: u8 = b'c';
const END: u8 = b'e';

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FirstLine {
    id: String,
    started_ms: u64,
    key: String,
}

/// What a recording is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Name of the node.
    pub node: String,
    /// Id of the node, or another target.
    pub target: String,
    /// Name of the source.
    pub source: String,
    /// Region.
    pub region: String,
    /// Id of the session, where it was known.
    pub session: Option<String>,
    /// Columns and rows at the beginning.
    pub size: (u16, u16),
    /// When it began, in milliseconds of the Unix epoch.
    pub started_ms: u64,
    /// Whether what was typed and shown is in it as well.
    pub input: bool,
}

/// How a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The session ended.
    Session,
    /// Somebody stopped it.
    Stopped,
    /// It reached its largest size.
    Full,
}

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file.
    #[error("{0}")]
    File(#[from] io::Error),
    /// It is no recording of ours.
    #[error("it is no recording, or one of another version")]
    Form,
    /// The key of recordings is another one than it was made with.
    #[error("it was sealed with another key, which is gone")]
    Key,
}

/// Writes a recording.
#[derive(Debug)]
pub struct Writer {
    file: File,
    key: Key,
    line: Vec<u8>,
    pieces: u64,
    cast: cast::Writer,
    waiting: Vec<u8>,
    written: u64,
}

fn broken() -> io::Error {
    io::Error::other("the system gave no random bytes")
}

impl Writer {
    /// Begins a recording in an empty file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(file: File, id: &str, all: &Key, about: &About) -> io::Result<Self> {
        let key = Key::random().map_err(|_| broken())?;
        let sealed = all.seal(id.as_bytes(), key.expose()).map_err(|_| broken())?;
        let first =
            FirstLine { id: id.to_owned(), started_ms: about.started_ms, key: STANDARD.encode(sealed) };
        let mut line = BEGIN.to_vec();
        line.extend(serde_json::to_vec(&first)?);
        line.push(b'\n');
        let mut writer = Self {
            file,
            key,
            pieces: 0,
            cast: cast::Writer::default(),
            waiting: Vec::new(),
            written: line.len() as u64,
            line,
        };
        writer.file.write_all(&writer.line)?;
        writer.piece(ABOUT, &serde_json::to_vec(about)?)?;
        let head = Head { size: about.size, timestamp: about.started_ms / 1000, title: about.node.clone() };
        writer.waiting = head.line().into_bytes();
        writer.flush()?;
        Ok(writer)
    }

    /// Takes in an event; it is on disk at the latest with the next [`Self::flush`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        self.waiting.extend(self.cast.line(event).into_bytes());
        if self.waiting.len() >= PIECE { self.flush() } else { Ok(()) }
    }

    /// Seals and writes what waits.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.piece(CAST, &waiting)
    }

    /// Bytes in the file, and those that wait.
    pub fn size(&self) -> u64 {
        self.written + self.waiting.len() as u64
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// When its end cannot be written; what was written before can be played.
    pub fn end(mut self, ending: Ending) -> io::Result<()> {
        self.flush()?;
        self.piece(END, &serde_json::to_vec(&ending)?)?;
        self.file.sync_all()
    }

    /// One write, so that a program that is killed leaves at most one torn piece.
    fn piece(&mut self, kind: u8, content: &[u8]) -> io::Result<()> {
        let mut plain = vec![kind];
        plain.extend_from_slice(content);
        let sealed = self.key.seal(&bound(&self.line, self.pieces), &plain).map_err(|_| broken())?;
        let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        let mut piece = length.to_be_bytes().to_vec();
        piece.extend(sealed);
        self.file.write_all(&piece)?;
        self.pieces += 1;
        self.written += piece.len() as u64;
        Ok(())
    }
}

fn bound(line: &[u8], number: u64) -> Vec<u8> {
    let mut bound = line.to_vec();
    bound.extend(number.to_be_bytes());
    bound
}

/// Reads a recording piece by piece.
#[derive(Debug)]
pub struct Reader {
    file: BufReader<File>,
    key: Key,
    line: Vec<u8>,
    pieces: u64,
    about: About,
    ending: Option<Ending>,
    note: Option<&'static str>,
}

impl Reader {
    /// Opens a recording.
    ///
    /// # Errors
    /// When it cannot be read, is none, or was made with another key.
    pub fn open(path: &Path, all: &Key) -> Result<Self, Unreadable> {
        let mut file = BufReader::new(File::open(path)?);
        let mut line = Vec::new();
        let mut byte = [0];
        while line.last() != Some(&b'\n') {
            if line.len() == LINE_LIMIT || file.read(&mut byte)? == 0 {
                return Err(Unreadable::Form);
            }
            line.push(byte[0]);
        }
        let first = line.strip_prefix(BEGIN).ok_or(Unreadable::Form)?;
        let first: FirstLine = serde_json::from_slice(first).map_err(|_| Unreadable::Form)?;
        let sealed = STANDARD.decode(&first.key).map_err(|_| Unreadable::Form)?;
        let key = all.open(first.id.as_bytes(), &sealed).map_err(|_| Unreadable::Key)?;
        let key = Key::from_bytes(&key).ok_or(Unreadable::Form)?;
        let about = About {
            node: String::new(),
            target: String::new(),
            source: String::new(),
            region: String::new(),
            session: None,
            size: (80, 24),
            started_ms: first.started_ms,
            input: false,
        };
        let mut reader = Self { file, key, line, pieces: 0, about, ending: None, note: None };
        match reader.piece()? {
            Some((ABOUT, about)) => {
                reader.about = serde_json::from_slice(&about).map_err(|_| Unreadable::Form)?;
            }
            _ => return Err(Unreadable::Form),
        }
        Ok(reader)
    }

    /// What it is of.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The next text of asciicast lines; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn text(&mut self) -> io::Result<Option<String>> {
        match self.piece()? {
            Some((CAST, text)) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
            Some((END, ending)) => {
                self.ending = serde_json::from_slice(&ending).ok();
                Ok(None)
            }
            Some(_) => {
                self.note = Some("The recording goes on in a form of another version.");
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// How it ended, after its last text; `None` if nobody ended it.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// What is missing, after its last text.
    pub fn note(&self) -> Option<&'static str> {
        const CUT: &str = "The recording was cut off: the program ended before it.";
        const FULL: &str = "The recording reached its largest size and ends before the session did.";
        self.note.or(match self.ending {
            None => Some(CUT),
            Some(Ending::Full) => Some(FULL),
            Some(Ending::Session | Ending::Stopped) => None,
        })
    }

    /// A whole piece; `None` at the end, or at one that is torn or does not open.
    fn piece(&mut self) -> io::Result<Option<(u8, Vec<u8>)>> {
        let mut length = [0; 4];
        if !read_whole(&mut self.file, &mut length)? {
            return Ok(None);
        }
        let length = u32::from_be_bytes(length) as usize;
        if length > PIECE_LIMIT {
            self.note = Some(CHANGED);
            return Ok(None);
        }
        let mut sealed = vec![0; length];
        if !read_whole(&mut self.file, &mut sealed)? {
            return Ok(None);
        }
        let Ok(plain) = self.key.open(&bound(&self.line, self.pieces), &sealed) else {
            self.note = Some(CHANGED);
            return Ok(None);
        };
        self.pieces += 1;
        Ok(plain.split_first().map(|(kind, content)| (*kind, content.to_vec())))
    }
}

const CHANGED: &str = "The file was changed after it was written; what comes from there on is not shown.";

/// Fills the buffer; `false` if the file ends before.
fn read_whole(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// All of a recording, to replay it. Output beyond what a replay holds is left out, and said.
///
/// # Errors
/// As [`Reader::open`].
pub fn content(path: &Path, all: &Key) -> Result<Content, Unreadable> {
    let mut reader = Reader::open(path, all)?;
    let about = reader.about().clone();
    let mut content = Content { title: about.node, size: Some(about.size), events: Vec::new(), note: None };
    let (mut cast, mut bytes, mut full) = (cast::Reader::default(), 0, false);
    while let Some(text) = reader.text()? {
        bytes += text.len();
        full = bytes > crate::MAX_BYTES;
        if full {
            break;
        }
        for line in text.split_inclusive('\n') {
            // Ours are whole lines.
            content.events.extend(cast.line(line).map_err(|_| Unreadable::Form)?);
        }
    }
    content.note = if full {
        Some(format!("Only the first {} MiB are replayed.", crate::MAX_BYTES / (1024 * 1024)))
    } else {
        reader.note().map(str::to_owned)
    };
    Ok(content)
}

/// Time between an event and its being on disk, at most.
pub const FLUSH_EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::What;

    fn about() -> About {
        About {
            node: "core-1".to_owned(),
            target: "i-0123456789abcdef0".to_owned(),
            source: "ops".to_owned(),
            region: "eu-west-1".to_owned(),
            session: Some("mika-1".to_owned()),
            size: (80, 24),
            started_ms: 1_700_000_000_000,
            input: false,
        }
    }

    fn event(ms: u64, text: &str) -> Event {
        Event { at: Duration::from_millis(ms), what: What::Output(Bytes::copy_from_slice(text.as_bytes())) }
    }

    fn record(path: &Path, key: &Key, texts: &[&str], ending: Option<Ending>) {
        let mut writer = Writer::begin(File::create_new(path).unwrap(), "id", key, &about()).unwrap();
        for (at, text) in texts.iter().enumerate() {
            writer.event(&event(at as u64, text)).unwrap();
            writer.flush().unwrap();
        }
        if let Some(ending) = ending {
            writer.end(ending).unwrap();
        }
    }

    fn printed(content: &Content) -> String {
        let texts = content.events.iter().map(|event| match &event.what {
            What::Output(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        });
        texts.collect()
    }

    #[test]
    fn a_recording_is_read_back_and_is_nowhere_in_clear() {
        let home = tempfile::tempdir().unwrap();
        let (path, key) = (home.path().join("r"), Key::random().unwrap());
        record(&path, &key, &["hello ", "canary\r\n"], Some(Ending::Session));
        let content = content(&path, &key).unwrap();
        assert_eq!((printed(&content).as_str(), content.note), ("hello canary\r\n", None));
        assert_eq!((content.title.as_str(), content.size), ("core-1", Some((80, 24))));
        assert_eq!(Reader::open(&path, &key).unwrap().about(), &about());
        let file = std::fs::read(&path).unwrap();
        for clear in ["canary", "core-1", "i-0123", "mika", "\"o\""] {
            assert!(!file.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear}");
        }
        assert!(matches!(super::content(&path, &Key::random().unwrap()), Err(Unreadable::Key)));
        std::fs::write(&path, "something else").unwrap();
        assert!(matches!(super::content(&path, &key), Err(Unreadable::Form)));
    }

    #[test]
    fn wherever_it_is_cut_off_it_plays_to_its_last_whole_piece() {
        let home = tempfile::tempdir().unwrap();
        let (path, key) = (home.path().join("r"), Key::random().unwrap());
        record(&path, &key, &["a", "b", "c"], Some(Ending::Stopped));
        let whole = std::fs::read(&path).unwrap();
        let (mut last, mut seen) = (String::new(), Vec::new());
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let Ok(content) = content(&path, &key) else {
                assert!(last.is_empty(), "{length}");
                continue;
            };
            let text = printed(&content);
            assert!(text.starts_with(&last), "{length}: {text}");
            assert_eq!(content.note.is_none(), length == whole.len(), "{length}");
            if seen.last() != Some(&text) {
                seen.push(text.clone());
            }
            last = text;
        }
        assert_eq!(seen, ["", "a", "ab", "abc"]);
    }

    #[test]
    fn a_byte_that_was_changed_and_pieces_that_changed_places_are_noticed() {
        let home = tempfile::tempdir().unwrap();
        let (path, key) = (home.path().join("r"), Key::random().unwrap());
        record(&path, &key, &["a", "b", "c"], Some(Ending::Session));
        let whole = std::fs::read(&path).unwrap();
        for at in whole.len() - 120..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x40;
            std::fs::write(&path, &changed).unwrap();
            let content = content(&path, &key).unwrap();
            assert!(content.note.is_some() && "abc".starts_with(&printed(&content)), "byte {at}");
        }
        let mut pieces = Vec::new();
        let mut at = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let line = whole[..at].to_vec();
        while at < whole.len() {
            let length = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
            pieces.push(whole[at..at + 4 + length].to_vec());
            at += 4 + length;
        }
        pieces.swap(2, 3);
        std::fs::write(&path, [line, pieces.concat()].concat()).unwrap();
        let content = content(&path, &key).unwrap();
        assert_eq!((printed(&content).as_str(), content.note.as_deref()), ("", Some(CHANGED)));
    }
}
