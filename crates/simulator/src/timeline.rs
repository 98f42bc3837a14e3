//! When the steps of a scenario are due. It knows no clock: times are durations since the start.

use std::time::Duration;

use crate::random::Seeded;
use crate::scenario::Step;

/// The steps that are still to come.
#[derive(Debug)]
pub(crate) struct Timeline {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Place of the step in the scenario.
    step: usize,
    /// When it is due without jitter.
    planned: Duration,
    due: Duration,
    every: Option<Duration>,
    jitter: Duration,
    /// How often it is still to happen; `None` for ever.
    left: Option<u64>,
    rng: Seeded,
}

impl Timeline {
    pub(crate) fn new(seed: u64, steps: &[Step]) -> Self {
        let entry = |(place, step): (usize, &Step)| {
            let mut entry = Entry {
                step: place,
                planned: step.first,
                due: step.first,
                every: step.every,
                jitter: step.jitter,
                left: if step.every.is_some() { step.times } else { Some(1) },
                // Every step has its own dice, so that another step does not change its times.
                rng: Seeded::new(seed ^ ((place as u64 + 1) << 32)),
            };
            entry.draw();
            entry
        };
        let mut entries: Vec<Entry> = steps.iter().enumerate().map(entry).collect();
        entries.retain(|entry| entry.left != Some(0));
        Self { entries }
    }

    /// When something is due next.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.entries.iter().map(|entry| entry.due).min()
    }

    /// The step that is due at `now`, the earliest first, those of the same time in the order of the file. A repetition
    /// that was missed, because the computer slept, is left out. Call until `None`.
    pub(crate) fn poll(&mut self, now: Duration) -> Option<usize> {
        let due = self.entries.iter().enumerate().filter(|(_, entry)| entry.due <= now);
        let (place, _) = due.min_by_key(|(_, entry)| (entry.due, entry.step))?;
        let entry = self.entries.get_mut(place)?;
        let step = entry.step;
        entry.left = entry.left.map(|left| left - 1);
        match entry.every {
            Some(every) if entry.left != Some(0) => {
                entry.planned += every;
                while entry.planned + every <= now {
                    entry.planned += every;
                }
                entry.draw();
            }
            _ => {
                self.entries.remove(place);
            }
        }
        Some(step)
    }
}

impl Entry {
    fn draw(&mut self) {
        let micros = usize::try_from(self.jitter.as_micros()).unwrap_or(usize::MAX);
        self.due = self.planned + Duration::from_micros(self.rng.below(micros.saturating_add(1)) as u64);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Timeline;
    use crate::scenario::Scenario;

    /// Step and time of all that is due until `end`, in milliseconds.
    fn run(seed: u64, text: &str, end: u64) -> Vec<(usize, u64)> {
        let mut timeline = Timeline::new(seed, &Scenario::parse(text).unwrap().steps);
        let mut happened = Vec::new();
        while let Some(due) = timeline.next_due().filter(|due| *due <= Duration::from_millis(end)) {
            while let Some(step) = timeline.poll(due) {
                happened.push((step, u64::try_from(due.as_millis()).unwrap()));
            }
        }
        happened
    }

    const MIXED: &str = r#"
        step = [
            { every = "2s", times = 3, what = "cut" },
            { at = "4s", what = "expire_tokens" },
            { at = "1s", every = "4s", what = "bye" },
            { every = "1s", times = 0, what = "cut" },
        ]"#;

    #[test]
    fn steps_come_once_or_again_and_again_in_the_order_of_their_time() {
        let expected = [(2, 1000), (0, 2000), (0, 4000), (1, 4000), (2, 5000), (0, 6000), (2, 9000)];
        assert_eq!(run(1, MIXED, 10_000), expected);
    }

    #[test]
    fn jitter_is_repeatable_bounded_and_does_not_add_up() {
        let text = r#"step = [{ every = "1s", jitter = "400ms", what = "cut" }]"#;
        let times = run(5, text, 60_000);
        assert_eq!(times, run(5, text, 60_000));
        assert_ne!(times, run(6, text, 60_000));
        assert!(times.len() >= 59);
        for (n, (_, at)) in times.iter().enumerate() {
            let planned = 1000 * (n as u64 + 1);
            assert!((planned..=planned + 400).contains(at), "{at}");
        }
        let two = r#"step = [{ every = "1s", jitter = "400ms", what = "cut" }, { at = "3s", what = "bye" }]"#;
        let with_another: Vec<_> = run(5, two, 60_000).into_iter().filter(|(step, _)| *step == 0).collect();
        assert_eq!(times, with_another, "another step changes nothing");
    }

    #[test]
    fn what_was_missed_in_sleep_is_not_made_up_for() {
        let scenario = Scenario::parse(r#"step = [{ every = "1s", what = "cut" }]"#).unwrap();
        let mut timeline = Timeline::new(1, &scenario.steps);
        let woke = Duration::from_millis(3_600_500);
        assert_eq!(
            (timeline.poll(woke), timeline.poll(woke)),
            (Some(0), Some(0)),
            "the missed one, and the latest"
        );
        assert_eq!(timeline.poll(woke), None);
        assert_eq!(timeline.next_due(), Some(Duration::from_secs(3601)));
    }
}
