//! Scenario files: what happens to the simulated world and when. A schedule is repeatable: the same seed gives the same
//! times.
//!
//! ```toml
//! seed = 7                # of the jitter; default: the simulator's
//!
//! [[step]]
//! at = "5s"               # once, that long after the start
//! what = "reboot"
//! node = "pay-api-03"
//! down = "3s"
//!
//! [[step]]
//! every = "10s"           # again and again, first after 10 s (or at `at`)
//! jitter = "2s"           # each time up to that much later; no more than `every`
//! times = 6               # as often; default: as long as the simulator runs
//! what = "cut_all"
//! ```
//!
//! | `what` | keys |
//! |---|---|
//! | `cut` (`cut_all`) | `session`, `how`: `fin` or `reset` |
//! | `bye`, `half_open`, `ignore_input`, `take_input` | `session` |
//! | `stall` | `session`, `for` |
//! | `pause_storm` | `session`, `frames` |
//! | `terminate` | `session`, `output` |
//! | `link_faults` | `to_client`, `to_agent`: tables of [`FrameFaults`](crate::FrameFaults) |
//! | `no_link_faults`, `expire_tokens`, `clear_conditions`, `allow_everything` | none |
//! | `throttle`, `answer_lost` | `operation`, `calls`, `lasting` |
//! | `api_error` | `status`, `code`, `message`, `operation`, `calls`, `lasting` |
//! | `latency` | `before`, `after`, `operation`, `calls`, `lasting` |
//! | `refuse_upgrades` | `how`: `"403"`, `"page"`, `"wrong_accept"`, `"noise"`; `calls`, `lasting` |
//! | `expire_credentials` | `account`, `lasting` |
//! | `renew_credentials`, `no_policies` | `account` |
//! | `tier` | `account`, `region`, `tier` |
//! | `deny` | `rule_action`, `resource`, `reason`: a [`DenyReason`](crate::DenyReason) |
//! | `policies` | `account`, `identity`, `boundary`, `organization` |
//! | `disconnect`, `connect`, `stop` (`stop_agent`), `restart` | `node` |
//! | `reboot` | `node`, `down` |
//! | `fail_sessions` | `node`, `how`: a [`SessionFailure`](crate::SessionFailure) |
//! | `mend_sessions` | `node` |
//!
//! Without `session` a step concerns all of them, and without `operation` all calls.

use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use crate::action::Action;
use crate::control::Control;
use crate::span;

/// What happens to the simulated world and when. Read from a scenario file with [`Scenario::parse`].
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub(crate) seed: Option<u64>,
    pub(crate) steps: Vec<Step>,
}

/// One step of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// Line of the file, from 1.
    pub(crate) line: usize,
    /// When it happens first, without jitter.
    pub(crate) first: Duration,
    pub(crate) every: Option<Duration>,
    pub(crate) jitter: Duration,
    pub(crate) times: Option<u64>,
    pub(crate) action: Action,
}

/// What is wrong with a scenario file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ScenarioError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

/// Steps that repeat do so no faster.
const LEAST: Duration = Duration::from_millis(50);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Timing {
    #[serde(default, deserialize_with = "span::optional")]
    at: Option<Duration>,
    #[serde(default, deserialize_with = "span::optional")]
    every: Option<Duration>,
    #[serde(default, deserialize_with = "span::optional")]
    jitter: Option<Duration>,
    times: Option<u64>,
}

const TIMING: [&str; 4] = ["at", "every", "jitter", "times"];

impl Scenario {
    /// Reads a scenario file's text; the module's table in the sources lists the steps.
    ///
    /// # Errors
    /// [`ScenarioError`] with the line of the first thing that cannot be done.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let at = |span: Range<usize>, message: String| ScenarioError {
            line: 1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count(),
            message,
        };
        let of =
            |error: Error, near: Range<usize>| at(error.span().unwrap_or(near), error.message().to_owned());
        let document = DeTable::parse(text).map_err(|error| of(error, 0..0))?;
        let mut scenario = Self { seed: None, steps: Vec::new() };
        for (key, value) in document.into_inner() {
            let span = value.span();
            match (key.get_ref().as_ref(), value.into_inner()) {
                ("seed", value) => {
                    let value = Spanned::new(span.clone(), value);
                    let seed = u64::deserialize(toml::de::ValueDeserializer::from(value));
                    scenario.seed = Some(seed.map_err(|error| of(error, span))?);
                }
                ("step", DeValue::Array(steps)) => {
                    for step in steps {
                        let span = step.span();
                        let DeValue::Table(table) = step.into_inner() else {
                            return Err(at(span, "a step is a table: [[step]]".to_owned()));
                        };
                        let line = at(span.clone(), String::new()).line;
                        let step = Step::read(line, span.clone(), table);
                        scenario.steps.push(step.map_err(|(near, message)| at(near, message))?);
                    }
                }
                ("step", _) => return Err(at(span, "steps are tables: [[step]]".to_owned())),
                (other, _) => {
                    let message = format!("unknown key `{other}`, expected `seed` or `[[step]]`");
                    return Err(at(key.span(), message));
                }
            }
        }
        Ok(scenario)
    }

    /// Whether everything it names exists.
    pub(crate) fn check(&self, control: &Control) -> Result<(), ScenarioError> {
        self.steps.iter().try_for_each(|step| {
            step.action
                .check(control)
                .map_err(|error| ScenarioError { line: step.line, message: error.to_string() })
        })
    }
}

impl Step {
    /// Reads a table. Errors say where in the text.
    fn read(line: usize, span: Range<usize>, table: DeTable<'_>) -> Result<Self, (Range<usize>, String)> {
        let of = |error: Error| (error.span().unwrap_or(span.clone()), error.message().to_owned());
        let (mut timing, mut rest, mut what) = (DeTable::new(), DeTable::new(), None);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                name if TIMING.contains(&name) => {
                    timing.insert(key, value);
                }
                "what" => what = Some(value),
                _ => {
                    rest.insert(key, value);
                }
            }
        }
        let timing =
            Timing::deserialize(Deserializer::from(Spanned::new(span.clone(), timing))).map_err(of)?;
        let what = what.ok_or_else(|| (span.clone(), "`what` is missing".to_owned()))?;
        let what_span = what.span();
        let DeValue::String(name) = what.into_inner() else {
            return Err((what_span, "`what` is a text".to_owned()));
        };
        let mut action = DeTable::new();
        let fields = Spanned::new(span.clone(), DeValue::Table(rest));
        action.insert(Spanned::new(what_span, name), fields);
        let action =
            Action::deserialize(Deserializer::from(Spanned::new(span.clone(), action))).map_err(of)?;
        let wrong = |text: &str| Err((span.clone(), text.to_owned()));
        let Timing { at, every, jitter, times } = timing;
        match (at, every) {
            (None, None) => return wrong("a step needs `at` or `every`"),
            (_, Some(every)) if every < LEAST => return wrong("`every` must be at least 50ms"),
            (_, Some(every)) if jitter > Some(every) => {
                return wrong("`jitter` must be no longer than `every`");
            }
            (_, None) if times.is_some() => return wrong("`times` needs `every`"),
            _ => {}
        }
        Ok(Self {
            line,
            first: at.or(every).unwrap_or_default(),
            every,
            jitter: jitter.unwrap_or_default(),
            times,
            action,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Scenario;
    use crate::action::{Action, How};
    use crate::link_faults::{FrameFaults, LinkFaults};

    #[test]
    fn every_step_of_the_file_is_read() {
        let scenario = Scenario::parse(
            r#"
seed = 7

[[step]]
at = "5s"
what = "reboot"
node = "pay-api-03"
down = "3s"

[[step]]
every = "10s"
jitter = "2s"
times = 3
what = "cut_all"
how = "reset"

[[step]]
at = "1s"
what = "link_faults"
to_client = { drop_per_mille = 20, delay = "5ms" }
"#,
        )
        .unwrap();
        assert_eq!(scenario.seed, Some(7));
        let lines: Vec<_> = scenario.steps.iter().map(|step| step.line).collect();
        assert_eq!(lines, [4, 10, 17]);
        let [reboot, cut, faults] = &scenario.steps[..] else { panic!("{scenario:?}") };
        let down = Duration::from_secs(3);
        assert_eq!(reboot.action, Action::Reboot { node: "pay-api-03".to_owned(), down });
        assert_eq!((reboot.first, reboot.every), (Duration::from_secs(5), None));
        assert_eq!(cut.action, Action::Cut { session: None, how: How::Reset });
        assert_eq!((cut.first, cut.every), (Duration::from_secs(10), Some(Duration::from_secs(10))));
        assert_eq!((cut.jitter, cut.times), (Duration::from_secs(2), Some(3)));
        let to_client =
            FrameFaults { drop_per_mille: 20, delay: Duration::from_millis(5), ..FrameFaults::default() };
        assert_eq!(faults.action, Action::LinkFaults(LinkFaults { to_client, ..LinkFaults::default() }));
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let step = "[[step]]\nat = \"1s\"\n";
        for (text, line, words) in [
            ("\nseed = -1\n", 2, "-1"),
            ("speed = 1\n", 1, "unknown key `speed`"),
            ("seed = 1\n\nseed = 2\n", 3, "duplicate key"),
            ("step = 4\n", 1, "[[step]]"),
            ("[[step]\n", 1, "unclosed array table"),
            ("[[step]]\nwhat = \"cut\"\n", 1, "needs `at` or `every`"),
            ("\n[[step]]\nat = \"1s\"\n", 2, "`what` is missing"),
            ("[[step]]\nat = \"soon\"\nwhat = \"cut\"\n", 2, "\"soon\" is no time"),
            ("[[step]]\nevery = \"1ms\"\nwhat = \"cut\"\n", 1, "at least 50ms"),
            ("[[step]]\nevery = \"1s\"\njitter = \"2s\"\nwhat = \"cut\"\n", 1, "no longer than `every`"),
            (&format!("{step}what = \"explode\"\n"), 3, "unknown variant `explode`"),
            (&format!("{step}what = 7\n"), 3, "`what` is a text"),
            (&format!("{step}what = \"cut\"\n\nsesion = \"x\"\n"), 5, "unexpected keys in table: sesion"),
            (&format!("{step}what = \"pause_storm\"\nframes = \"many\"\n"), 4, "invalid type"),
            (&format!("{step}what = \"reboot\"\nnode = \"x\"\n"), 1, "missing field `down`"),
            (
                &format!("{step}what = \"link_faults\"\nto_agent = {{ drop = 1 }}\n"),
                4,
                "unknown field `drop`",
            ),
            (&format!("{step}times = 2\nwhat = \"cut\"\n"), 1, "`times` needs `every`"),
            (&format!("{step}what = \"refuse_upgrades\"\nhow = \"200\"\n"), 4, "refuses no upgrade"),
        ] {
            let error = Scenario::parse(text).expect_err(text);
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.message.contains(words), "{text}: {error}");
        }
    }
}
