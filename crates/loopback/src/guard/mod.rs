//! The browser guard: requests of web pages are checked before they reach an HTTP forward (SEC-23).
//!
//! A page anywhere can send requests to loopback, and with a name that resolves to loopback it can even read the
//! answers. The guard looks at what a client sends, head by head, and refuses heads with a foreign name in `Host` (421) or
//! from a foreign page (403). It changes no byte. What is not HTTP/1 passes untouched from its first byte that shows it.
//!
//! Bytes a person's own program sends are never judged for their framing: where a head can be read in two ways, the
//! guard steps aside if nothing shows a browser, and refuses if something does. Browsers frame plainly.

mod body;
mod head;
mod policy;

use std::time::{Duration, Instant};

use body::{Body, Progress};
use head::Head;
pub use policy::GuardPolicy;

/// Longest head held back, in bytes. Browsers stay far below.
const HEAD_LIMIT: usize = 64 * 1024;

/// How long bytes are held that may still become a request line, when the policy says so.
const PATIENCE: Duration = Duration::from_millis(500);

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The name it was sent to is not this computer's, as after DNS rebinding.
    #[error("a request named a host that is not this computer")]
    ForeignHost,
    /// It comes from a page of another site.
    #[error("a page of another site sent a request")]
    ForeignPage,
    /// A browser sent it, and where it ends can be read in two ways.
    #[error("a browser sent a request that is not framed plainly")]
    Unclear,
}

impl Refusal {
    /// The status told to the client.
    pub fn status(self) -> u16 {
        match self {
            Self::ForeignHost => 421,
            Self::ForeignPage | Self::Unclear => 403,
        }
    }

    /// A whole response that closes the connection. It repeats nothing of the request.
    pub fn response(self) -> Vec<u8> {
        let (title, text) = match self {
            Self::ForeignHost => {
                ("Misdirected Request", "This port forward only answers to the names of this computer.\n")
            }
            Self::ForeignPage => {
                ("Forbidden", "This port forward does not answer to pages of other sites.\n")
            }
            Self::Unclear => ("Forbidden", "This port forward could not read the request.\n"),
        };
        let status = self.status();
        format!(
            "HTTP/1.1 {status} {title}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nConnection: close\r\n\r\n{text}",
            text.len()
        )
        .into_bytes()
    }
}

/// What to do with the bytes just given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// These go on to the node, in this order, before anything given later.
    pub bytes: Vec<u8>,
    /// The connection ends here: nothing more goes to the node.
    pub refused: Option<Refused>,
}

/// A request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// Whether [`Refusal::response`] may be written to the client. Not while an answer to an earlier request may
    /// still be on its way: then the connection is only closed.
    pub answer: bool,
}

/// The guard of one connection, fed with what its client sends.
#[derive(Debug)]
pub struct BrowserGuard {
    policy: GuardPolicy,
    state: State,
    held: Vec<u8>,
    /// When the oldest held byte came.
    held_since: Option<Instant>,
    /// Something on this connection could only come from a browser.
    browser: bool,
    /// Requests let through.
    requests: u64,
    /// A refusal that was not told yet.
    ended: Option<Refusal>,
}

#[derive(Debug)]
enum State {
    /// A head is expected or being collected.
    Head,
    /// The body of a request passes.
    Body(Body),
    /// Not HTTP, or no longer: everything passes.
    Aside,
    /// Refused: nothing passes.
    Ended,
}

impl BrowserGuard {
    /// A guard for a new connection.
    pub fn new(policy: GuardPolicy) -> Self {
        Self {
            policy,
            state: State::Head,
            held: Vec::new(),
            held_since: None,
            browser: false,
            requests: 0,
            ended: None,
        }
    }

    /// Takes what the client has sent. What is not passed is held until more comes, [`Self::deadline`] passes or the
    /// client ends; never more than 64 KiB.
    pub fn input(&mut self, now: Instant, input: &[u8]) -> Passed {
        let mut passed = Passed::default();
        if matches!(self.state, State::Aside) && self.held.is_empty() {
            passed.bytes.extend_from_slice(input);
            return passed;
        }
        self.held.extend_from_slice(input);
        if self.held_since.is_none() && !self.held.is_empty() {
            self.held_since = Some(now);
        }
        let requests_before = self.requests;
        while self.step(&mut passed.bytes) {}
        if let State::Ended = self.state {
            self.held.clear();
        }
        if let Some(refusal) = self.ended.take() {
            // Requests of this same call are still unanswered.
            let answer = self.requests == 0 || self.requests == requests_before;
            passed.refused = Some(Refused { refusal, answer });
        }
        if self.held.is_empty() {
            self.held_since = None;
        }
        passed
    }

    /// Until when held bytes wait to become a request line. `None`: nothing is held, or it waits for as long as it
    /// takes, because it is a request.
    pub fn deadline(&self) -> Option<Instant> {
        let line_is_open = matches!(self.state, State::Head) && !self.held.contains(&b'\n');
        let since = self.held_since.filter(|_| line_is_open && !self.policy.always && !self.browser)?;
        Some(since + PATIENCE)
    }

    /// The deadline has passed: what waits is no request line of a browser, which would have come at once.
    pub fn timeout(&mut self, now: Instant) -> Passed {
        match self.deadline() {
            Some(deadline) if deadline <= now => self.step_aside(),
            _ => Passed::default(),
        }
    }

    /// The client has sent its last byte. What is held goes on as it is: an unfinished head does nothing.
    pub fn finish(&mut self) -> Passed {
        match self.state {
            State::Ended => Passed::default(),
            _ => self.step_aside(),
        }
    }

    fn step_aside(&mut self) -> Passed {
        self.state = State::Aside;
        self.held_since = None;
        Passed { bytes: std::mem::take(&mut self.held), refused: None }
    }

    /// Goes on by one head or one piece of a body. `false` when more input is needed.
    fn step(&mut self, passed: &mut Vec<u8>) -> bool {
        if self.held.is_empty() {
            return false;
        }
        match &mut self.state {
            State::Aside => {
                passed.append(&mut self.held);
                false
            }
            State::Ended => false,
            State::Body(body) => match body.take(&self.held) {
                Progress::Passed(count) => {
                    passed.extend(self.held.drain(..count));
                    true
                }
                Progress::Wait => false,
                Progress::Ended => {
                    self.state = State::Head;
                    true
                }
                Progress::Unclear => {
                    self.unclear();
                    true
                }
            },
            State::Head => self.step_head(passed),
        }
    }

    fn step_head(&mut self, passed: &mut Vec<u8>) -> bool {
        if self.requests > 0 {
            // Some clients send an empty line after a body.
            let empty = self.held.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            passed.extend(self.held.drain(..empty));
        }
        match head::first_line(&self.held) {
            head::Line::Open => return false,
            head::Line::Other => {
                self.unclear();
                return true;
            }
            head::Line::Request => {}
        }
        let Some(length) = head::length(&self.held) else {
            if self.held.len() > HEAD_LIMIT {
                self.unclear();
                return true;
            }
            return false;
        };
        let head = Head::read(&self.held[..length]);
        self.browser |= head.is_of_browser();
        let is_judged = self.browser || !self.policy.browsers_only;
        if let Some(refusal) = self.policy.judge(&head).err().filter(|_| is_judged) {
            self.refuse(refusal);
            return true;
        }
        let Some(body) = Body::of(&head) else {
            self.unclear();
            return true;
        };
        passed.extend(self.held.drain(..length));
        self.requests += 1;
        self.state = body.map_or(State::Aside, State::Body);
        true
    }

    /// What follows cannot be read in one way only.
    fn unclear(&mut self) {
        if self.browser {
            self.refuse(Refusal::Unclear);
        } else {
            self.state = State::Aside;
        }
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.state = State::Ended;
        self.ended = Some(refusal);
    }
}

#[cfg(test)]
mod tests;
