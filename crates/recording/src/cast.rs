//! asciicast v3: a header and one event per line, each with the seconds since the one before.
//! (docs.asciinema.org/manual/asciicast/v3)

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::text::Utf8;
use crate::{Content, Event, What};

/// Longest line read, in bytes.
const LINE_LIMIT: usize = 4 * 1024 * 1024;

/// What stands in front of the events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Columns and rows.
    pub size: (u16, u16),
    /// When it began, in seconds of the Unix epoch.
    pub timestamp: u64,
    /// What to call it.
    pub title: String,
}

#[derive(Serialize, Deserialize)]
struct HeadLine {
    version: u32,
    term: Term,
    #[serde(default)]
    timestamp: Option<u64>,
    #[serde(default)]
    title: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Term {
    cols: u16,
    rows: u16,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

/// A file that is no asciicast v3.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is no asciicast v3: {why}")]
pub struct NotACast {
    /// Which line, from 1.
    pub line: usize,
    /// Why.
    pub why: String,
}

impl Head {
    /// The first line, with its line feed.
    pub fn line(&self) -> String {
        let line = HeadLine {
            version: 3,
            term: Term { cols: self.size.0, rows: self.size.1, kind: Some("xterm-256color".to_owned()) },
            timestamp: Some(self.timestamp),
            title: Some(self.title.clone()),
        };
        // Texts and numbers only: nothing that JSON cannot hold.
        serde_json::to_string(&line).unwrap_or_default() + "\n"
    }
}

/// Makes lines of events. Times are whole milliseconds; what is rounded off one is in the next.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    /// The time of the last line, in milliseconds.
    told_ms: u64,
    output: Utf8,
    input: Utf8,
}

impl Writer {
    /// The line of an event; empty while all of it is the beginning of a character.
    pub fn line(&mut self, event: &Event) -> String {
        let (code, data) = match &event.what {
            What::Output(bytes) => ("o", self.output.push(bytes)),
            What::Input(bytes) => ("i", self.input.push(bytes)),
            What::Resize(cols, rows) => ("r", format!("{cols}x{rows}")),
            What::Marker(name) => ("m", name.clone()),
            What::Exit(status) => ("x", status.to_string()),
        };
        if data.is_empty() && matches!(event.what, What::Output(_) | What::Input(_)) {
            return String::new();
        }
        let at_ms = u64::try_from(event.at.as_millis()).unwrap_or(u64::MAX);
        let interval = at_ms.saturating_sub(self.told_ms);
        self.told_ms = self.told_ms.max(at_ms);
        format!("[{}.{:03},{},{}]\n", interval / 1000, interval % 1000, json!(code), json!(data))
    }
}

/// Reads lines as they come.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    head: Option<Head>,
    now: Duration,
    lines: usize,
}

impl Reader {
    /// The head, once its line was read.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Takes in a line; an event if it is one. Comments, blank lines and events of unknown kinds are none.
    ///
    /// # Errors
    /// When the line is no part of an asciicast v3.
    pub fn line(&mut self, line: &str) -> Result<Option<Event>, NotACast> {
        self.lines += 1;
        let number = self.lines;
        let wrong = |why: String| NotACast { line: number, why };
        if line.len() > LINE_LIMIT {
            return Err(wrong(format!("it has more than {LINE_LIMIT} bytes")));
        }
        if self.head.is_none() {
            let head: HeadLine = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            if head.version != 3 {
                return Err(wrong(format!("its version is {}", head.version)));
            }
            self.head = Some(Head {
                size: (head.term.cols, head.term.rows),
                timestamp: head.timestamp.unwrap_or_default(),
                title: head.title.unwrap_or_default(),
            });
            return Ok(None);
        }
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let (interval, code, data): (f64, String, Value) =
            serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        let interval = Duration::try_from_secs_f64(interval).map_err(|error| wrong(error.to_string()))?;
        self.now = self.now.saturating_add(interval);
        let text = || data.as_str().map(str::to_owned).ok_or_else(|| wrong("its data is no text".to_owned()));
        let what = match code.as_str() {
            "o" => What::Output(Bytes::from(text()?)),
            "i" => What::Input(Bytes::from(text()?)),
            "m" => What::Marker(text()?),
            "r" => {
                let size = text()?;
                let parsed = size
                    .split_once('x')
                    .and_then(|(cols, rows)| Some((cols.parse().ok()?, rows.parse().ok()?)));
                let (cols, rows) = parsed.ok_or_else(|| wrong(format!("{size:?} is no size")))?;
                What::Resize(cols, rows)
            }
            "x" => {
                let status = data.as_str().map_or_else(|| data.to_string(), str::to_owned);
                What::Exit(status.parse().map_err(|_| wrong(format!("{status:?} is no status")))?)
            }
            _ => return Ok(None),
        };
        Ok(Some(Event { at: self.now, what }))
    }
}

/// A whole file. A last line that is torn costs itself only, and is said.
///
/// # Errors
/// When it is no asciicast v3.
pub fn read(text: &str) -> Result<Content, NotACast> {
    let mut reader = Reader::default();
    let mut content = Content { title: String::new(), size: None, events: Vec::new(), note: None };
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let torn = lines.peek().is_none() && !line.ends_with('\n') && reader.head().is_some();
        match reader.line(line) {
            Ok(event) => content.events.extend(event),
            Err(_) if torn => content.note = Some("The recording ends in the middle of a line.".to_owned()),
            Err(error) => return Err(error),
        }
    }
    let Some(head) = reader.head else { return Err(NotACast { line: 1, why: "it is empty".to_owned() }) };
    content.title = head.title;
    content.size = Some(head.size);
    Ok(content)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head() -> Head {
        Head { size: (80, 24), timestamp: 1_700_000_000, title: "core-1".to_owned() }
    }

    fn event(ms: u64, what: What) -> Event {
        Event { at: Duration::from_millis(ms), what }
    }

    fn output(text: &str) -> What {
        What::Output(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn lines_are_those_of_the_specification() {
        let mut writer = Writer::default();
        let mut text = head().line();
        for event in [
            event(248, output("\u{1b}[1mhi\r\n")),
            event(1_248, What::Resize(100, 40)),
            event(1_248, What::Marker("here".to_owned())),
            event(2_000, What::Exit(3)),
        ] {
            text += &writer.line(&event);
        }
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], r#"[0.248,"o","\u001b[1mhi\r\n"]"#);
        assert_eq!(lines[2..], [r#"[1.000,"r","100x40"]"#, r#"[0.000,"m","here"]"#, r#"[0.752,"x","3"]"#]);
        let head: Value = serde_json::from_str(lines[0]).unwrap();
        assert_eq!((&head["version"], &head["term"]["cols"]), (&json!(3), &json!(80)));
        let content = read(&text).unwrap();
        assert_eq!((content.title.as_str(), content.size), ("core-1", Some((80, 24))));
        assert_eq!(content.events[3], event(2_000, What::Exit(3)));
    }

    #[test]
    fn what_others_wrote_is_read_and_what_is_none_is_refused_by_its_line() {
        let text = "{\"version\":3,\"term\":{\"cols\":90,\"rows\":30},\"idle_time_limit\":2}\n# comment\n\n[0.5,\"o\",\"a\"]\n[1,\"z\",\"?\"]\n[0.25,\"x\",0]\n";
        let content = read(text).unwrap();
        assert_eq!(content.events, [event(500, output("a")), event(1_750, What::Exit(0))]);
        let torn = format!("{text}[0.1,\"o\",\"b");
        assert_eq!(read(&torn).unwrap().events.len(), 2);
        assert!(read(&torn).unwrap().note.is_some());
        for (wrong, line) in [
            ("", 1),
            ("{\"version\":2}\n", 1),
            (&format!("{text}[-1,\"o\",\"b\"]\n"), 7),
            (&format!("{text}[1,\"r\",\"wide\"]\n"), 7),
            (&format!("{text}[1,\"o\",7]\n"), 7),
        ] {
            assert_eq!(read(wrong).map_err(|error| error.line), Err(line), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(pieces: Vec<(u16, String)>) {
            let (mut writer, mut text, mut now, mut all) = (Writer::default(), head().line(), 0, String::new());
            for (ms, piece) in &pieces {
                now += u64::from(*ms);
                all += piece;
                text += &writer.line(&event(now, output(piece)));
            }
            let read = read(&text).unwrap();
            let mut back = Vec::new();
            for event in &read.events {
                if let What::Output(bytes) = &event.what {
                    back.extend_from_slice(bytes);
                }
            }
            prop_assert_eq!(back, all.into_bytes());
        }
    }
}
