//! The beginning of a flow whose program says where it goes.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

use super::end::{FlowEnd, LaneEnd};
use super::flow::LocalStream;
use super::goal::Goal;
use super::negotiation::{Negotiated, Negotiation, Unreached};
use super::pipe::Pipe;
use super::registry::Registry;
use crate::ports::ApiErrorKind;
use crate::state::{EndReason, StartError};

/// How long a program may take to say where it goes.
const NEGOTIATION: Duration = Duration::from_secs(30);
/// How long the node may take to refuse a destination that has never answered, until the program is told that it is
/// reached. Agents tell of failures only (protocol.md 8.5).
const REFUSES_WITHIN: Duration = Duration::from_millis(500);
/// A refusal that took longer is none of the destination's: it never answered.
const AT_ONCE: Duration = Duration::from_secs(5);
/// How long a program that was sent away may take to close.
const FAREWELL: Duration = Duration::from_secs(2);

/// A flow on the way to its destination.
pub(super) struct Opening {
    pub(super) negotiation: Box<dyn Negotiation>,
    pub(super) registry: Arc<Registry>,
}

/// What came of it.
pub(super) enum Opened {
    /// Bytes may flow: these were sent early and go first.
    Established(Arc<Goal>, Bytes),
    /// The program was told, and the connection is closed.
    Told(FlowEnd),
    /// The connection is to be reset.
    Cut(FlowEnd),
}

impl Opening {
    /// Asks the program, waits for the lane, and tells the program what came of it.
    pub(super) async fn run(mut self, stream: &mut dyn LocalStream, pipe: &Arc<Pipe>) -> Opened {
        let asked = tokio::select! {
            asked = timeout(NEGOTIATION, self.ask(stream)) => asked,
            end = cut(pipe) => return Opened::Cut(end),
        };
        let (host, port) = match asked {
            Ok(Ok(asked)) => asked,
            Ok(Err(end)) => {
                farewell(stream).await;
                return Opened::Told(end);
            }
            Err(_) => {
                let why = "the program did not say where it goes".to_owned();
                return Opened::Cut(FlowEnd::NotNegotiated { why });
            }
        };
        let goal = self.registry.arrived(pipe, host, port);
        let unreached = verdict(pipe, &goal).await;
        match &unreached {
            None => self.negotiation.reached(),
            Some((end, waited)) => self.negotiation.unreached(why(end, *waited)),
        }
        let early = self.tell(stream).await;
        match (unreached, early) {
            (None, Ok(early)) => Opened::Established(goal, early.into()),
            (None, Err(end)) => Opened::Cut(end),
            (Some((FlowEnd::Reset | FlowEnd::ForwardStopped, _)), _) => Opened::Cut(FlowEnd::Reset),
            (Some((end, _)), _) => {
                farewell(stream).await;
                Opened::Told(end)
            }
        }
    }

    async fn ask(&mut self, stream: &mut dyn LocalStream) -> Result<(String, u16), FlowEnd> {
        let mut buffer = [0; 1024];
        loop {
            while let Some(output) = self.negotiation.output() {
                match output {
                    Negotiated::Send(bytes) => {
                        stream.write_all(&bytes).await.map_err(|error| broken(&error))?
                    }
                    Negotiated::Reach { host, port } => return Ok((host, port)),
                    Negotiated::Established(_) => {
                        return Err(FlowEnd::NotNegotiated { why: "it named no destination".to_owned() });
                    }
                    Negotiated::Refused(why) => return Err(FlowEnd::NotNegotiated { why }),
                }
            }
            match stream.read(&mut buffer).await {
                Ok(0) => self.negotiation.finish(),
                Ok(read) => self.negotiation.input(buffer.get(..read).unwrap_or_default()),
                Err(error) => return Err(broken(&error)),
            }
        }
    }

    /// Writes what is to be said after the verdict; what was sent early.
    async fn tell(&mut self, stream: &mut dyn LocalStream) -> Result<Vec<u8>, FlowEnd> {
        while let Some(output) = self.negotiation.output() {
            match output {
                Negotiated::Send(bytes) => stream.write_all(&bytes).await.map_err(|error| broken(&error))?,
                Negotiated::Established(early) => return Ok(early),
                Negotiated::Refused(why) => return Err(FlowEnd::NotNegotiated { why }),
                Negotiated::Reach { .. } => break,
            }
        }
        Err(FlowEnd::NotNegotiated { why: "it did not begin".to_owned() })
    }
}

/// How the destination is not reached and how long that took; `None` once it answers, or has had the time to refuse.
async fn verdict(pipe: &Arc<Pipe>, goal: &Goal) -> Option<(FlowEnd, Duration)> {
    let attached = poll_fn(|cx| {
        pipe.register(cx);
        match pipe.cut_end() {
            Some(end) => Poll::Ready(Err(end)),
            None if pipe.lane().is_some() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    });
    if let Err(end) = attached.await {
        return Some((end, Duration::ZERO));
    }
    if goal.has_answered() {
        return None;
    }
    let since = Instant::now();
    let answered = poll_fn(|cx| {
        pipe.register(cx);
        match pipe.cut_end() {
            Some(end) => Poll::Ready(Some((end, since.elapsed()))),
            None if pipe.has_down() => Poll::Ready(None),
            None => Poll::Pending,
        }
    });
    tokio::select! {
        answered = answered => answered,
        () = sleep(REFUSES_WITHIN) => None,
    }
}

/// Waits until the flow is ended from outside.
async fn cut(pipe: &Arc<Pipe>) -> FlowEnd {
    poll_fn(|cx| {
        pipe.register(cx);
        pipe.cut_end().map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// Closes in order, so that the program reads what it was told.
async fn farewell(stream: &mut dyn LocalStream) {
    let rest = async {
        if stream.shutdown().await.is_ok() {
            let mut buffer = [0; 1024];
            while matches!(stream.read(&mut buffer).await, Ok(read) if read > 0) {}
        }
    };
    // A program that does not close is left.
    let _ = timeout(FAREWELL, rest).await;
}

fn broken(error: &std::io::Error) -> FlowEnd {
    FlowEnd::LocalBroken { message: error.to_string() }
}

fn why(end: &FlowEnd, waited: Duration) -> Unreached {
    match end {
        FlowEnd::Refused if waited <= AT_ONCE => Unreached::Refused,
        FlowEnd::Refused => Unreached::NoAnswer,
        FlowEnd::LaneTimeout { .. } => Unreached::TimedOut,
        FlowEnd::NoLane(end) | FlowEnd::LaneLost(end) => why_no_lane(end),
        _ => Unreached::Other,
    }
}

fn why_no_lane(end: &LaneEnd) -> Unreached {
    match end {
        LaneEnd::Failed(StartError::Api(error)) => match error.kind {
            ApiErrorKind::AccessDenied => Unreached::NotAllowed,
            ApiErrorKind::TargetNotConnected => Unreached::NoNode,
            _ => Unreached::Other,
        },
        LaneEnd::Failed(StartError::ByService { text, .. })
        | LaneEnd::Ended(EndReason::ByService { text, .. }) => of_text(text),
        _ => Unreached::Other,
    }
}

/// The agent's words (protocol.md 8.6).
fn of_text(text: &str) -> Unreached {
    let has = |word: &str| text.contains(word);
    if has("is forbidden") {
        Unreached::NotAllowed
    } else if has("connection refused") || has("missing address") {
        Unreached::Refused
    } else if has("timed out") || has("unreachable") || has("no route to host") {
        Unreached::NoAnswer
    } else {
        Unreached::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_node_says_decides_what_the_program_is_told() {
        assert_eq!(why(&FlowEnd::Refused, Duration::from_millis(90)), Unreached::Refused);
        assert_eq!(why(&FlowEnd::Refused, Duration::from_secs(20)), Unreached::NoAnswer);
        for (text, told) in [
            ("Forwarding to IP address 169.254.169.254 is forbidden.", Unreached::NotAllowed),
            (
                "Unable to connect to specified port: dial tcp [::1]:9: connect: connection refused",
                Unreached::Refused,
            ),
            ("Unable to connect to specified port: dial tcp: missing address", Unreached::Refused),
            ("dial tcp 10.1.2.3:80: connect: network is unreachable", Unreached::NoAnswer),
            ("Something new", Unreached::Other),
        ] {
            assert_eq!(of_text(text), told, "{text}");
        }
    }
}
