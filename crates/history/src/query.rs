//! The query over sessions: words with spaces between, all of which must match.
//!
//! - Free text is looked for in node, target, owner, document, reason, session id and details, without regard to case.
//!   `"two words"` in quotes is one piece of text.
//! - `key:value` looks at one fact; commas separate values of which one must match. Keys: `account`, `region`, `node`,
//!   `target`, `owner`, `document`, `reason`, `status`, `kind`, `session`, `access`, `details`.
//! - `after:` and `before:` take a time (`2026-11-25`, `2026-11-25T14:00Z`) or an age (`3h`, `7d`).
//! - A leading `-` negates.
//!
//! A part that cannot be understood is reported and does not filter.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A part of a query that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The part.
    pub word: String,
    /// What is wrong with it, as a sentence.
    pub message: String,
}

/// A parsed query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
    issues: Vec<Issue>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    /// Lower-case text, anywhere.
    Text(String),
    /// A fact has one of these lower-case values in it.
    Fact(Fact, Vec<String>),
    After(i64),
    Before(i64),
}

/// A fact that a query can look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fact {
    Account,
    Region,
    Node,
    Target,
    Owner,
    Document,
    Reason,
    Status,
    Kind,
    Session,
    Access,
    Details,
}

impl Fact {
    const KEYS: [(&'static str, Self); 12] = [
        ("account", Self::Account),
        ("region", Self::Region),
        ("node", Self::Node),
        ("target", Self::Target),
        ("owner", Self::Owner),
        ("document", Self::Document),
        ("reason", Self::Reason),
        ("status", Self::Status),
        ("kind", Self::Kind),
        ("session", Self::Session),
        ("access", Self::Access),
        ("details", Self::Details),
    ];

    /// Whether a value must be the whole fact: words of a closed list.
    fn is_word(self) -> bool {
        matches!(self, Self::Status | Self::Kind | Self::Access)
    }
}

impl Query {
    /// Parses any text. Ages count back from `now_ms`.
    pub fn parse(text: &str, now_ms: i64) -> Self {
        let mut query = Self::default();
        for word in words(text) {
            let (negated, rest) = match word.strip_prefix('-') {
                Some(rest) if !rest.is_empty() => (true, rest),
                _ => (false, word.as_str()),
            };
            match test(rest, now_ms) {
                Ok(test) => query.terms.push(Term { negated, test }),
                Err(message) => query.issues.push(Issue { word, message }),
            }
        }
        query
    }

    /// What could not be understood, in order.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// Whether it lets every session through.
    pub fn is_unfiltered(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a session matches. `fact` gives the lower-case value of a fact, `text` all that free text is looked for in,
    /// in lower case.
    pub(crate) fn accepts<'a>(
        &self,
        start_ms: Option<i64>,
        text: &str,
        fact: impl Fn(Fact) -> std::borrow::Cow<'a, str>,
    ) -> bool {
        self.terms.iter().all(|term| {
            let met = match &term.test {
                Test::Text(wanted) => text.contains(wanted.as_str()),
                Test::Fact(of, wanted) => {
                    let found = fact(*of);
                    wanted.iter().any(|one| {
                        if of.is_word() { found == one.as_str() } else { found.contains(one.as_str()) }
                    })
                }
                Test::After(ms) => start_ms.is_some_and(|start| start >= *ms),
                Test::Before(ms) => start_ms.is_some_and(|start| start < *ms),
            };
            met != term.negated
        })
    }
}

fn test(word: &str, now_ms: i64) -> Result<Test, String> {
    let plain = |text: &str| text.replace('"', "").to_lowercase();
    let keyed = word.split_once(':').filter(|(key, _)| !key.is_empty() && !key.contains('"'));
    let Some((key, value)) = keyed else { return Ok(Test::Text(plain(word))) };
    let lower = key.to_ascii_lowercase();
    if value.is_empty() {
        return Err(format!("“{key}:” needs a value."));
    }
    match lower.as_str() {
        "after" => moment(value, now_ms).map(Test::After),
        "before" => moment(value, now_ms).map(Test::Before),
        _ => match Fact::KEYS.iter().find(|(known, _)| *known == lower) {
            Some((_, fact)) => {
                let values: Vec<String> =
                    value.split(',').map(plain).filter(|value| !value.is_empty()).collect();
                if values.is_empty() {
                    Err(format!("“{key}:” needs a value."))
                } else {
                    Ok(Test::Fact(*fact, values))
                }
            }
            None => Err(format!(
                "“{key}” is no key. Use account, region, node, target, owner, document, reason, status, kind, session, access, details, after or before."
            )),
        },
    }
}

/// A time, a day in UTC, or an age.
fn moment(text: &str, now_ms: i64) -> Result<i64, String> {
    let text = text.replace('"', "");
    if let Some((number, unit)) = text.split_at_checked(text.len().saturating_sub(1))
        && let Ok(count) = number.parse::<i64>()
    {
        let unit_ms = match unit {
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(format!("“{text}” is no time. Write 3h, 7d or 2026-11-25.")),
        };
        return Ok(now_ms.saturating_sub(count.saturating_mul(unit_ms)));
    }
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    let time = text.parse::<Timestamp>().ok().or_else(|| text.replace('Z', ":00Z").parse().ok()).or_else(day);
    time.map(Timestamp::as_millisecond)
        .ok_or_else(|| format!("“{text}” is no time. Write 3h, 7d or 2026-11-25."))
}

/// Stretches without spaces outside quotes.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut inside) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        inside ^= c == '"';
        if c.is_whitespace() && !inside {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    fn accepts(text: &str) -> bool {
        let query = Query::parse(text, 10 * 86_400_000);
        query.accepts(Some(9 * 86_400_000), "pay-api-03 mika.sato month-end check", |fact| {
            Cow::Borrowed(match fact {
                Fact::Owner => "arn:…/mika.sato",
                Fact::Status => "terminated",
                Fact::Kind => "shell",
                Fact::Region => "eu-central-1",
                _ => "",
            })
        })
    }

    #[test]
    fn words_facts_and_times_must_all_match() {
        for good in [
            "",
            "MIKA",
            "\"month-end check\"",
            "owner:mika,weber status:Terminated",
            "-ssh kind:shell",
            "region:eu-",
            "after:2d",
            "before:12h",
            "after:1970-01-09 before:1970-01-11",
            "after:1970-01-09T00:00Z",
            "-owner:weber",
        ] {
            assert!(accepts(good), "{good}");
        }
        for bad in [
            "weber",
            "\"check month\"",
            "status:term",
            "-kind:shell",
            "after:12h",
            "before:1970-01-09",
            "owner:weber",
        ] {
            assert!(!accepts(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said_and_does_not_filter() {
        let query = Query::parse("colour:red after:soon owner: mika", 0);
        assert_eq!(
            query.issues().iter().map(|i| i.word.as_str()).collect::<Vec<_>>(),
            ["colour:red", "after:soon", "owner:"]
        );
        assert!(query.issues().iter().all(|issue| issue.message.ends_with('.')));
        assert!(accepts("colour:red mika"));
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,60}") {
            Query::parse(&text, 0);
        }
    }
}
