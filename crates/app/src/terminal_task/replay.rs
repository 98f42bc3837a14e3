//! A replay in place of a session: it prints by the clock what was printed before. What a person types and what the
//! terminal answers goes nowhere.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use fleetline_engine::{DataStream, OutputChunk, SessionKind, SessionState};
use fleetline_ipc::replay::ReplayRow;
use fleetline_recording::{Content, Control, Player, Standing, Step};
use fleetline_terminal::Size;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::clock::now_ms;
use crate::rows::millis;

/// How far the position moves before it is told anew; whoever shows it moves it on meanwhile.
const TOLD_EVERY: Duration = Duration::from_secs(2);

/// A replay that runs.
pub(crate) struct Replay {
    player: Mutex<Player>,
    size: Mutex<Option<Size>>,
    /// A person did something.
    controlled: Notify,
    state: watch::Sender<SessionState>,
    told: watch::Sender<(ReplayRow, Standing)>,
    epoch: Instant,
}

impl Replay {
    /// Begins to play.
    pub(crate) fn start(content: Content) -> Self {
        let size = content.size.map(|(cols, rows)| Size::new(cols, rows));
        let player = Player::new(content, Duration::ZERO);
        let standing = player.standing(Duration::ZERO);
        let open = SessionState::Open {
            kind: SessionKind::Shell,
            agent_version: None,
            resumed_after: None,
            unanswered_since: None,
        };
        Self {
            told: watch::Sender::new((row(&player, standing), standing)),
            player: Mutex::new(player),
            size: Mutex::new(size),
            controlled: Notify::new(),
            state: watch::Sender::new(open),
            epoch: Instant::now(),
        }
    }

    pub(crate) fn state(&self) -> watch::Receiver<SessionState> {
        self.state.subscribe()
    }

    /// How it stands, whenever that is another than before.
    pub(crate) fn rows(&self) -> watch::Receiver<(ReplayRow, Standing)> {
        self.told.subscribe()
    }

    /// The size its terminal has now; `None` leaves it to the view.
    pub(crate) fn size(&self) -> Option<Size> {
        *lock(&self.size)
    }

    /// What is printed next, after its time has come. Never ends: a replay that is over can begin again.
    pub(crate) async fn recv(&self) -> Option<OutputChunk> {
        loop {
            let step = self.step();
            match step {
                Step::Output(bytes) => return Some(OutputChunk { stream: DataStream::Output, bytes }),
                Step::Resize(cols, rows) => {
                    *lock(&self.size) = Some(Size::new(cols, rows));
                    return Some(OutputChunk { stream: DataStream::Output, bytes: Bytes::new() });
                }
                Step::Wait(None) => self.controlled.notified().await,
                Step::Wait(Some(until)) => {
                    tokio::select! {
                        () = self.controlled.notified() => {}
                        () = sleep_until(self.epoch + until) => {}
                    }
                }
            }
        }
    }

    fn step(&self) -> Step {
        let mut player = lock(&self.player);
        let now = self.epoch.elapsed();
        let step = player.step(now);
        self.tell(&player, now);
        step
    }

    /// Does what a person wants.
    pub(crate) fn control(&self, control: Control) {
        let mut player = lock(&self.player);
        let now = self.epoch.elapsed();
        player.control(control, now);
        self.tell(&player, now);
        drop(player);
        self.controlled.notify_one();
    }

    fn tell(&self, player: &Player, now: Duration) {
        let standing = player.standing(now);
        self.told.send_if_modified(|(told, before)| {
            let same = Standing { position: before.position, ..standing } == *before
                && standing.position.abs_diff(before.position) < TOLD_EVERY
                && (standing.playing || standing.position == before.position);
            if !same {
                (*told, *before) = (row(player, standing), standing);
            }
            !same
        });
    }
}

fn row(player: &Player, standing: Standing) -> ReplayRow {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    ReplayRow {
        position_ms: ms(standing.position),
        at_ms: millis(now_ms()),
        duration_ms: ms(standing.duration),
        playing: standing.playing,
        speed: standing.speed,
        skip_pauses: standing.skip_pauses,
        note: player.content().note.clone(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_prints_when_its_time_has_come_and_goes_where_it_is_told() {
        let stream = [(0, "a"), (20, "b"), (600_000, "c")]
            .map(|(at, text)| (Duration::from_millis(at), Bytes::from_static(text.as_bytes())));
        let replay = Replay::start(Content::of_stream("log".to_owned(), stream));
        for text in ["a", "b"] {
            assert_eq!(replay.recv().await.unwrap().bytes, text);
        }
        // A pause of ten minutes lasts a second, or as long as a person likes.
        replay.control(Control::Speed(32.0));
        assert_eq!(replay.recv().await.unwrap().bytes, "c");
        let mut rows = replay.rows();
        let mut waiting = std::pin::pin!(replay.recv());
        assert!(futures_util::poll!(&mut waiting).is_pending(), "nothing is left");
        assert!(!rows.borrow_and_update().0.playing);
        replay.control(Control::Seek(Duration::ZERO));
        assert!(waiting.await.unwrap().bytes.ends_with(b"c\x1b[3J"));
        assert_eq!(replay.recv().await.unwrap().bytes, "a");
    }
}
