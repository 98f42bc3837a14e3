//! Replaying: what is printed when, at which speed. No clock: times are given as the time since any fixed moment.

use std::time::Duration;

use bytes::Bytes;

use crate::{Content, What};

/// Most bytes of output a replay holds.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;
/// Slowest speed.
pub const MIN_SPEED: f64 = 0.25;
/// Fastest speed.
pub const MAX_SPEED: f64 = 32.0;

/// A pause is shortened to this where pauses are skipped.
const PAUSE: Duration = Duration::from_secs(1);
/// Most bytes of one step.
const STEP_BYTES: usize = 64 * 1024;
/// Cancels what is unfinished, resets the terminal, and clears what is above the screen.
const RESET: &[u8] = b"\x18\x1bc\x1b[3J";

/// What a person does to a replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// Go on; at the end, begin again.
    Play,
    /// Stay here.
    Pause,
    /// Go to a time since the beginning.
    Seek(Duration),
    /// Go faster or slower; within [`MIN_SPEED`] and [`MAX_SPEED`].
    Speed(f64),
    /// Shorten pauses longer than a second, or do not.
    SkipPauses(bool),
}

/// How a replay stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// Where it is.
    pub position: Duration,
    /// How long it is in all.
    pub duration: Duration,
    /// Whether it goes on by itself.
    pub playing: bool,
    /// How fast; 1 is as it was.
    pub speed: f64,
    /// Whether pauses are shortened.
    pub skip_pauses: bool,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This is printed now.
    Output(Bytes),
    /// The terminal has this size from now on: columns and rows.
    Resize(u16, u16),
    /// Nothing before this time; `None` until somebody does something.
    Wait(Option<Duration>),
}

/// Plays a [`Content`].
#[derive(Clone, Debug)]
pub struct Player {
    content: Content,
    /// The event that comes next.
    next: usize,
    /// The position when `since` was.
    base: Duration,
    /// When it began to go on from `base`; `None` while it is paused.
    since: Option<Duration>,
    speed: f64,
    skip_pauses: bool,
    /// The terminal is to be blanked first.
    reset: bool,
}

impl Player {
    /// Begins at once. What is beyond [`MAX_BYTES`] is left out, and said in the note.
    pub fn new(mut content: Content, now: Duration) -> Self {
        let mut bytes = 0;
        let fits = |event: &crate::Event| {
            bytes += match &event.what {
                What::Output(output) => output.len(),
                _ => 0,
            };
            bytes <= MAX_BYTES
        };
        let kept = content.events.iter().take_while({
            let mut fits = fits;
            move |event| fits(event)
        });
        let kept = kept.count();
        if kept < content.events.len() {
            content.events.truncate(kept);
            let limit = MAX_BYTES / (1024 * 1024);
            content.note = Some(format!("Only the first {limit} MiB are replayed."));
        }
        Self {
            content,
            next: 0,
            base: Duration::ZERO,
            since: Some(now),
            speed: 1.0,
            skip_pauses: true,
            reset: false,
        }
    }

    /// What is replayed.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// How it stands.
    pub fn standing(&self, now: Duration) -> Standing {
        Standing {
            position: self.position(now),
            duration: self.duration(),
            playing: self.since.is_some(),
            speed: self.speed,
            skip_pauses: self.skip_pauses,
        }
    }

    fn duration(&self) -> Duration {
        self.content.events.last().map(|event| event.at).unwrap_or_default()
    }

    fn position(&self, now: Duration) -> Duration {
        let gone = self.since.map(|since| now.saturating_sub(since).mul_f64(self.speed)).unwrap_or_default();
        self.base.saturating_add(gone).min(self.duration())
    }

    /// Does what a person wants.
    pub fn control(&mut self, control: Control, now: Duration) {
        self.base = self.position(now);
        if self.since.is_some() {
            self.since = Some(now);
        }
        match control {
            Control::Play => {
                if self.next == self.content.events.len() && self.base >= self.duration() {
                    self.go_to(Duration::ZERO);
                }
                self.since = Some(now);
            }
            Control::Pause => self.since = None,
            Control::Seek(to) => self.go_to(to.min(self.duration())),
            Control::Speed(speed) if speed.is_finite() => self.speed = speed.clamp(MIN_SPEED, MAX_SPEED),
            Control::Speed(_) => {}
            Control::SkipPauses(skip) => self.skip_pauses = skip,
        }
    }

    fn go_to(&mut self, to: Duration) {
        let printed = self.next.checked_sub(1).and_then(|last| self.content.events.get(last));
        if printed.is_some_and(|last| last.at > to) {
            self.next = 0;
            self.reset = true;
        }
        self.base = to;
    }

    /// What comes next. Times never go back.
    pub fn step(&mut self, now: Duration) -> Step {
        if std::mem::take(&mut self.reset) {
            return Step::Output(Bytes::from_static(RESET));
        }
        let position = self.position(now);
        let mut output: Vec<u8> = Vec::new();
        while let Some(event) = self.content.events.get(self.next).filter(|event| event.at <= position) {
            match &event.what {
                What::Output(bytes) if output.is_empty() && bytes.len() >= STEP_BYTES => {
                    self.next += 1;
                    return Step::Output(bytes.clone());
                }
                What::Output(bytes) if output.len() + bytes.len() > STEP_BYTES => break,
                What::Output(bytes) => output.extend_from_slice(bytes),
                What::Resize(..) if !output.is_empty() => break,
                What::Resize(cols, rows) => {
                    let size = Step::Resize(*cols, *rows);
                    self.next += 1;
                    return size;
                }
                What::Input(_) | What::Marker(_) | What::Exit(_) => {}
            }
            self.next += 1;
        }
        if !output.is_empty() {
            return Step::Output(Bytes::from(output));
        }
        let Some(event) = self.content.events.get(self.next) else {
            self.base = self.duration();
            self.since = None;
            return Step::Wait(None);
        };
        if self.since.is_none() {
            return Step::Wait(None);
        }
        let mut left = event.at.saturating_sub(position);
        if self.skip_pauses && left > PAUSE {
            self.base = event.at.saturating_sub(PAUSE);
            self.since = Some(now);
            left = PAUSE;
        }
        Step::Wait(Some(now.saturating_add(left.div_f64(self.speed))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;

    const S: fn(f64) -> Duration = Duration::from_secs_f64;

    /// Letters at 0, 1, 2, 10 and 11 s.
    fn player() -> Player {
        let times = [0, 1, 2, 10, 11];
        let letters = b"abcde".iter().map(|letter| Bytes::copy_from_slice(&[*letter]));
        let stream = times.into_iter().map(Duration::from_secs).zip(letters);
        Player::new(Content::of_stream("letters".to_owned(), stream), Duration::ZERO)
    }

    fn text(player: &mut Player, now: Duration) -> String {
        let mut text = Vec::new();
        while let Step::Output(bytes) = player.step(now) {
            text.extend_from_slice(&bytes);
        }
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn it_plays_at_its_speed_and_waits_exactly_until_the_next() {
        let mut player = player();
        player.control(Control::SkipPauses(false), S(0.0));
        assert_eq!(text(&mut player, S(0.0)), "a");
        assert_eq!(player.step(S(0.0)), Step::Wait(Some(S(1.0))));
        assert_eq!(text(&mut player, S(2.0)), "bc");
        player.control(Control::Speed(4.0), S(2.0));
        assert_eq!(player.step(S(2.0)), Step::Wait(Some(S(4.0))));
        assert_eq!(text(&mut player, S(4.0)), "d");
        player.control(Control::Pause, S(4.0));
        assert_eq!((text(&mut player, S(60.0)), player.step(S(60.0))), (String::new(), Step::Wait(None)));
        player.control(Control::Play, S(60.0));
        assert_eq!(text(&mut player, S(61.0)), "e");
        assert!(!player.standing(S(61.0)).playing, "it is over");
        player.control(Control::Play, S(70.0));
        assert_eq!(text(&mut player, S(70.0)), "\u{18}\u{1b}c\u{1b}[3Ja", "it begins again");
    }

    #[test]
    fn long_pauses_are_shortened_and_the_position_tells_the_truth() {
        let mut player = player();
        assert_eq!(text(&mut player, S(2.0)), "abc");
        assert_eq!(player.step(S(2.0)), Step::Wait(Some(S(3.0))));
        assert_eq!(player.standing(S(2.0)).position, S(9.0));
        assert_eq!(text(&mut player, S(3.0)), "d");
    }

    #[test]
    fn a_jump_forward_prints_what_is_between_and_one_back_begins_on_a_blank_terminal() {
        let mut player = player();
        player.control(Control::Pause, S(0.0));
        player.control(Control::Seek(S(10.5)), S(0.0));
        assert_eq!(text(&mut player, S(0.0)), "abcd");
        assert_eq!(player.standing(S(0.0)).position, S(10.5));
        player.control(Control::Seek(S(1.5)), S(0.0));
        assert_eq!(text(&mut player, S(0.0)), "\u{18}\u{1b}c\u{1b}[3Jab");
        player.control(Control::Seek(S(1.6)), S(0.0));
        assert_eq!(text(&mut player, S(0.0)), "", "nothing is between");
        player.control(Control::Seek(S(99.0)), S(0.0));
        assert_eq!(text(&mut player, S(0.0)), "cde");
        assert_eq!(player.standing(S(0.0)).position, S(11.0));
    }

    #[test]
    fn sizes_come_in_order_with_the_output_and_typed_text_never() {
        let at = |what| Event { at: Duration::ZERO, what };
        let events = vec![
            at(What::Output(Bytes::from_static(b"a"))),
            at(What::Input(Bytes::from_static(b"typed"))),
            at(What::Resize(100, 30)),
            at(What::Marker("m".to_owned())),
            at(What::Output(Bytes::from_static(b"b"))),
        ];
        let content = Content { title: String::new(), size: None, events, note: None };
        let mut player = Player::new(content, Duration::ZERO);
        assert_eq!(player.step(Duration::ZERO), Step::Output(Bytes::from_static(b"a")));
        assert_eq!(player.step(Duration::ZERO), Step::Resize(100, 30));
        assert_eq!(player.step(Duration::ZERO), Step::Output(Bytes::from_static(b"b")));
        assert_eq!(player.step(Duration::ZERO), Step::Wait(None));
    }

    #[test]
    fn nothing_to_play_and_speeds_that_are_none_do_no_harm() {
        let empty = Content::of_stream(String::new(), []);
        let mut player = Player::new(empty, Duration::ZERO);
        assert_eq!(player.step(S(1.0)), Step::Wait(None));
        player.control(Control::Play, S(2.0));
        player.control(Control::Speed(f64::NAN), S(2.0));
        player.control(Control::Speed(0.0), S(2.0));
        assert_eq!(player.standing(S(2.0)).speed, MIN_SPEED);
        assert_eq!(player.step(S(2.0)), Step::Wait(None));
    }
}
