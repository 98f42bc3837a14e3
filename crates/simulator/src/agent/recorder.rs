//! What an agent writes down of a session, as its document says (protocol.md 1.9): an object in S3 at the end, and events
//! in CloudWatch Logs while the session runs or at the end.

use std::time::Duration;

use tokio::time::Instant;

use super::Job;
use super::home::USER;
use crate::documents::{LogGroupTarget, Program, S3Target};
use crate::live::{Ask, NodeState};
use crate::logs::{LogEvent, StreamedEvent};
use crate::s3::Object;
use crate::shared::Shared;

/// Bytes of a session's log at most. What comes after is not written down.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of one event at most, below what CloudWatch Logs takes.
const EVENT_BYTES: usize = 128 * 1024;

/// How long lines wait for more before they are streamed.
const STREAM_PAUSE: Duration = Duration::from_millis(250);

/// The log of one session.
#[derive(Debug)]
pub(super) struct Recorder {
    s3: Option<S3Target>,
    log_group: Option<LogGroupTarget>,
    /// All output, where it is written at the end.
    all: Vec<u8>,
    /// Output that was not streamed yet.
    rest: Vec<u8>,
    /// When lines of it are due.
    due: Option<Instant>,
    taken: usize,
}

impl Recorder {
    pub(super) fn new(job: &Job) -> Self {
        let is_port = matches!(job.program, Program::Port(_));
        let mut log_group = job.log_group.clone().filter(|_| !is_port);
        // Agents do not stream commands without a terminal; they write them down at the end.
        if let (Program::NonInteractiveCommand { .. }, Some(group)) = (&job.program, &mut log_group) {
            group.streams = false;
        }
        Self {
            s3: job.s3.clone().filter(|_| !is_port),
            log_group,
            all: Vec::new(),
            rest: Vec::new(),
            due: None,
            taken: 0,
        }
    }

    fn streams(&self) -> bool {
        self.log_group.as_ref().is_some_and(|group| group.streams)
    }

    fn keeps_all(&self) -> bool {
        self.s3.is_some() || self.log_group.as_ref().is_some_and(|group| !group.streams)
    }

    /// Takes output in the order in which the client gets it.
    pub(super) fn take(&mut self, output: &[u8], session_id: &str) {
        if self.s3.is_none() && self.log_group.is_none() {
            return;
        }
        let room = MOST_BYTES - self.taken;
        if room == 0 {
            return;
        }
        if output.len() >= room {
            tracing::warn!(session_id, "the log of the session is full; no more of it is written down");
        }
        let output = &output[..output.len().min(room)];
        self.taken += output.len();
        if self.keeps_all() {
            self.all.extend_from_slice(output);
        }
        if self.streams() {
            self.rest.extend_from_slice(output);
            if self.due.is_none() && self.rest.contains(&b'\n') {
                self.due = Some(Instant::now() + STREAM_PAUSE);
            }
        }
    }

    /// When [`stream`](Self::stream) is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Streams the lines that are complete.
    pub(super) fn stream(&mut self, shared: &Shared, job: &Job) {
        self.due = None;
        let end = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.rest.drain(..end).collect();
        self.put_lines(shared, job, &lines);
    }

    /// Writes down what is left when the session is over. Nothing is written by a node that is not there any more.
    pub(super) fn finish(&mut self, shared: &Shared, job: &Job) {
        if self.taken == 0 || !is_online(shared, job) {
            return;
        }
        let rest = std::mem::take(&mut self.rest);
        self.put_lines(shared, job, &rest);
        if let Some(group) = self.log_group.clone().filter(|group| !group.streams) {
            // The agent gives CloudWatch Logs the lines of the whole log as text.
            let text = String::from_utf8_lossy(&self.all).replace("\r\n", "\n");
            for piece in pieces(text.as_bytes()) {
                let at_ms = shared.now_ms();
                let message = String::from_utf8_lossy(piece).trim_end_matches('\n').to_owned();
                self.put_event(shared, job, &group, LogEvent { at_ms, taken_ms: at_ms, message });
            }
        }
        if let Some(target) = self.s3.take() {
            self.put_object(shared, job, &target);
        }
    }

    fn put_lines(&self, shared: &Shared, job: &Job, lines: &[u8]) {
        let Some(group) = self.log_group.as_ref().filter(|group| group.streams && !lines.is_empty()) else {
            return;
        };
        for piece in pieces(lines) {
            let event = StreamedEvent {
                region: &job.region,
                target: &job.origin.node_id,
                owner: &job.owner,
                run_as: job.run_as.as_deref().unwrap_or(USER),
                session_id: &job.session_id,
            };
            self.put_event(shared, job, group, event.of(piece, shared.now_ms()));
        }
    }

    fn put_event(&self, shared: &Shared, job: &Job, group: &LogGroupTarget, event: LogEvent) {
        let (name, session_id) = (&group.name, &job.session_id);
        let account = shared.world.accounts[job.account].plan.id;
        let place = format!("arn:aws:logs:{}:{account}:log-group:{name}", job.region);
        let ask = Ask {
            action: "logs:PutLogEvents",
            resource: format!("{place}:log-stream:{session_id}"),
            named: true,
        };
        if let Some(text) = shared.live.denial(&job.role_arn, &[ask]) {
            return tracing::warn!(session_id, text, "log events were refused");
        }
        match shared.log_groups.put((job.account, &job.region), name, session_id, event) {
            Ok(()) => shared.update_session(session_id, |view| {
                if view.cloudwatch_url.is_empty() {
                    view.cloudwatch_url = format!(
                        "https://console.aws.amazon.com/cloudwatch/home?region={}#logEventViewer:group={name};stream={session_id}",
                        job.region
                    );
                }
            }),
            Err(error) => tracing::warn!(session_id, %error, "log events were not taken"),
        }
    }

    fn put_object(&self, shared: &Shared, job: &Job, target: &S3Target) {
        let session_id = &job.session_id;
        let key = match target.prefix.trim_matches('/') {
            "" => format!("{session_id}.log"),
            prefix => format!("{prefix}/{session_id}.log"),
        };
        let resource = format!("arn:aws:s3:::{}/{key}", target.bucket);
        let ask = Ask { action: "s3:PutObject", resource, named: true };
        if let Some(text) = shared.live.denial(&job.role_arn, &[ask]) {
            return tracing::warn!(session_id, text, "the log was refused");
        }
        let object = Object::new(&self.all, shared.now_ms());
        match shared.buckets.put((job.account, &job.region), &target.bucket, &key, object) {
            Ok(()) => {
                let url = format!("https://s3.{}.amazonaws.com/{}/{key}", job.region, target.bucket);
                shared.update_session(session_id, |view| view.s3_url = url);
            }
            Err(error) => tracing::warn!(session_id, %error, "the log was not taken"),
        }
    }
}

fn is_online(shared: &Shared, job: &Job) -> bool {
    let account = &shared.world.accounts[job.account];
    let node = account.find(&job.region, &job.origin.node_id);
    node.is_some_and(|node| shared.live.node_state(&shared.world, node) == NodeState::Online)
}

/// Whole lines, as many as fit an event; a line that is longer is cut.
fn pieces(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while bytes.len() > EVENT_BYTES {
        let end =
            bytes[..EVENT_BYTES].iter().rposition(|byte| *byte == b'\n').map_or(EVENT_BYTES, |at| at + 1);
        let (piece, rest) = bytes.split_at(end);
        pieces.push(piece);
        bytes = rest;
    }
    if !bytes.is_empty() {
        pieces.push(bytes);
    }
    pieces
}

/// Output without the control sequences that only terminals understand (ECMA-48): what an escape begins. Other control
/// characters stay.
pub(crate) fn plain(output: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(output.len());
    let mut bytes = output.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != 0x1b {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            // CSI: parameters, then a letter.
            Some(b'[') => while bytes.next().is_some_and(|byte| !(0x40..=0x7e).contains(&byte)) {},
            // OSC and other strings: until BEL or ST.
            Some(b']' | b'P' | b'X' | b'^' | b'_') => {
                while let Some(byte) = bytes.next() {
                    if byte == 0x07 {
                        break;
                    }
                    if byte == 0x1b {
                        bytes.next();
                        break;
                    }
                }
            }
            // A character set: one more byte.
            Some(b' '..=b'/') => {
                bytes.next();
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{EVENT_BYTES, pieces, plain};

    #[test]
    fn control_sequences_are_left_out_and_text_stays() {
        for (output, text) in [
            ("\x1b[1;31mred\x1b[0m", "red"),
            ("\x1b]0;title\x07a\x1b]8;;x\x1b\\b", "ab"),
            ("\x1b(Bx\x1bcy\x1b=z", "xyz"),
            ("\x1b[?2004h$ \x1b[K", "$ "),
            ("é\tü\r\n", "é\tü\r\n"),
            ("cut\x1b[1", "cut"),
        ] {
            assert_eq!(String::from_utf8_lossy(&plain(output.as_bytes())), text, "{output:?}");
        }
    }

    #[test]
    fn pieces_are_whole_lines_and_lose_nothing() {
        let lines = "x".repeat(999) + "\n";
        let text = lines.repeat(400);
        let found = pieces(text.as_bytes());
        assert!(found.len() > 2 && found.iter().all(|piece| piece.len() <= EVENT_BYTES));
        assert!(found.iter().all(|piece| piece.ends_with(b"\n")));
        assert_eq!(found.concat(), text.as_bytes());
        let long = "y".repeat(3 * EVENT_BYTES);
        assert_eq!(pieces(long.as_bytes()).concat(), long.as_bytes());
        assert!(pieces(b"").is_empty());
    }
}
