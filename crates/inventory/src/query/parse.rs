//! From text to terms.

use super::Query;
use super::key::Key;
use super::pattern::Pattern;
use super::text::{self, Place};
use crate::age::parse_age;
use crate::node::{InstanceTier, NodeKind, PingStatus, PlatformFamily};
use crate::readiness::Readiness;
use crate::version::AgentVersion;

/// Something that could not be understood. Places are UTF-16 code units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// First unit concerned.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// What is wrong and what would be right.
    pub message: String,
}

/// One word of a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    pub(crate) negated: bool,
    /// One of them must match.
    pub(crate) tests: Vec<Test>,
}

/// One value of a word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// Lower-case text in the haystack.
    Free(String),
    Name(Pattern),
    Id(Pattern),
    Kind(KindTest),
    Family(PlatformFamily),
    PlatformText(Pattern),
    Account(Pattern),
    Region(Pattern),
    Address(AddressTest),
    Version(Comparison, AgentVersion),
    VersionPrefix(AgentVersion, usize),
    Tier(Option<InstanceTier>),
    Ping(PingStatus),
    /// Age in milliseconds.
    PingAge(Comparison, i64),
    State(Readiness),
    Tag(Pattern),
    TagValue(Pattern, Pattern),
    Vpc(Pattern),
    Az(Pattern),
    Type(Pattern),
    Is(IsTest),
    Group(Pattern),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum IsTest {
    Favourite,
    Recent,
    Stale,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum KindTest {
    Hybrid,
    Exactly(NodeKind),
}

/// An address: with a star as a pattern, otherwise whole parts from the beginning, in lower case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AddressTest {
    Pattern(Pattern),
    Parts(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Comparison {
    pub(crate) fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

/// Parses any text. What is not understood becomes an issue and does not filter.
pub(crate) fn parse(source: &str) -> Query {
    let mut parser = Parser { source, issues: Vec::new() };
    let mut alternatives = vec![Vec::new()];
    let words = text::words(source);
    for (at, word) in words.iter().enumerate() {
        if word.of(source) == "OR" {
            if at == 0 || at + 1 == words.len() || words[at - 1].of(source) == "OR" {
                parser.issue(*word, "OR needs a word on each side.");
            } else {
                alternatives.push(Vec::new());
            }
        } else if let (Some(term), Some(terms)) = (parser.term(*word), alternatives.last_mut()) {
            terms.push(term);
        }
    }
    // An alternative of which nothing was understood must not let everything through beside one that was.
    alternatives.retain(|terms: &Vec<Term>| !terms.is_empty());
    Query { alternatives, issues: parser.issues }
}

struct Parser<'a> {
    source: &'a str,
    issues: Vec<Issue>,
}

impl Parser<'_> {
    fn issue(&mut self, place: Place, message: impl Into<String>) {
        self.issues.push(Issue {
            start: text::utf16_at(self.source, place.start),
            end: text::utf16_at(self.source, place.end),
            message: message.into(),
        });
    }

    fn term(&mut self, word: Place) -> Option<Term> {
        let negated = word.of(self.source).starts_with('-');
        let body = Place { start: word.start + usize::from(negated), end: word.end };
        if body.start == body.end {
            self.issue(word, "Nothing follows the minus sign.");
            return None;
        }
        if text::is_open(body.of(self.source)) {
            self.issue(body, "The quote is not closed.");
        }
        let tests = match self.chip(body) {
            Some((key, value)) => self.values(Key::from_text(key.of(self.source)), key, body, value)?,
            None => self.free(body)?,
        };
        (!tests.is_empty()).then_some(Term { negated, tests })
    }

    /// Key and value, when the word is letters, a colon and more.
    fn chip(&self, body: Place) -> Option<(Place, Place)> {
        let word = body.of(self.source);
        let colon = text::find(word, ':')?;
        let letters = colon > 0 && word[..colon].bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        let key = Place { start: body.start, end: body.start + colon };
        letters.then_some((key, Place { start: key.end + 1, end: body.end }))
    }

    fn free(&mut self, body: Place) -> Option<Vec<Test>> {
        let plain = text::unquote(body.of(self.source)).to_lowercase();
        if plain.is_empty() {
            self.issue(body, "The quotes are empty.");
            return None;
        }
        Some(vec![Test::Free(plain)])
    }

    fn values(&mut self, key: Option<Key>, key_place: Place, body: Place, value: Place) -> Option<Vec<Test>> {
        let Some(key) = key else {
            let written = key_place.of(self.source);
            let help = match Key::nearest(written) {
                Some(near) => format!("did you mean {}:?", near.text()),
                None => "to search for the text itself, put it in quotes.".to_owned(),
            };
            self.issue(body, format!("There is no key {written}: – {help}"));
            return None;
        };
        if value.start == value.end {
            self.issue(body, format!("{}: needs a value: {}.", key.text(), lower_first(key.label())));
            return None;
        }
        if key == Key::Tag {
            return self.tag(body, value);
        }
        let mut tests = Vec::new();
        for part in text::split(self.source, value, ',') {
            if part.start == part.end {
                let comma = Place {
                    start: part.start.saturating_sub(1).max(value.start),
                    end: part.end.max(value.start + 1),
                };
                self.issue(comma, "A value is missing at this comma.");
                continue;
            }
            match test(key, part.of(self.source)) {
                Ok(test) => tests.push(test),
                Err(message) => self.issue(part, message),
            }
        }
        Some(tests)
    }

    fn tag(&mut self, body: Place, value: Place) -> Option<Vec<Test>> {
        let written = value.of(self.source);
        let Some(equals) = text::find(written, '=') else {
            let parts = text::split(self.source, value, ',').into_iter().filter(|p| p.start < p.end);
            return Some(parts.map(|p| Test::Tag(pattern(p.of(self.source)))).collect());
        };
        if equals == 0 {
            self.issue(body, "tag: needs a key before the equals sign.");
            return None;
        }
        let key = exact(&written[..equals]);
        let values = Place { start: value.start + equals + 1, end: value.end };
        let parts = text::split(self.source, values, ',').into_iter();
        // An empty value is a value: tags may be empty.
        Some(parts.map(|p| Test::TagValue(key.clone(), exact(p.of(self.source)))).collect())
    }
}

fn pattern(raw: &str) -> Pattern {
    Pattern::new(raw, &text::unquote(raw))
}

/// A pattern for a whole text, which may still hold stars outside quotes.
fn exact(raw: &str) -> Pattern {
    match pattern(raw) {
        Pattern::Contains(text) => Pattern::Whole(text),
        other => other,
    }
}

fn test(key: Key, raw: &str) -> Result<Test, String> {
    let lower = text::unquote(raw).to_lowercase();
    Ok(match key {
        Key::Name => Test::Name(pattern(raw)),
        Key::Id => Test::Id(pattern(raw)),
        Key::Kind => Test::Kind(kind(&lower)?),
        Key::Platform => match lower.as_str() {
            "linux" => Test::Family(PlatformFamily::Linux),
            "windows" | "win" => Test::Family(PlatformFamily::Windows),
            "macos" | "mac" => Test::Family(PlatformFamily::MacOs),
            "unknown" => Test::Family(PlatformFamily::Unknown),
            _ => Test::PlatformText(pattern(raw)),
        },
        Key::Account => Test::Account(pattern(raw)),
        Key::Region => Test::Region(pattern(raw)),
        Key::Ip if lower.contains('*') => Test::Address(AddressTest::Pattern(pattern(raw))),
        Key::Ip => Test::Address(AddressTest::Parts(lower)),
        Key::Agent => agent(&lower)?,
        Key::Tier => Test::Tier(match lower.as_str() {
            "standard" => Some(InstanceTier::Standard),
            "advanced" => Some(InstanceTier::Advanced),
            "pending" => Some(InstanceTier::Pending),
            "unknown" => Some(InstanceTier::Unknown),
            "none" => None,
            _ => return Err("A tier is standard, advanced, pending, unknown or none.".to_owned()),
        }),
        Key::Ping => ping(&lower)?,
        Key::State => Test::State(match lower.as_str() {
            "ready" => Readiness::Ready,
            "limited" => Readiness::Limited,
            "blocked" => Readiness::Blocked,
            "lost" => Readiness::Lost,
            "checking" => Readiness::Checking,
            _ => return Err("A state is ready, limited, blocked, lost or checking.".to_owned()),
        }),
        Key::Tag => Test::Tag(pattern(raw)),
        Key::Vpc => Test::Vpc(pattern(raw)),
        Key::Az => Test::Az(pattern(raw)),
        Key::Type => Test::Type(pattern(raw)),
        Key::Is => Test::Is(match lower.as_str() {
            "favourite" | "favorite" => IsTest::Favourite,
            "recent" => IsTest::Recent,
            "stale" => IsTest::Stale,
            _ => return Err("A node is favourite, recent or stale.".to_owned()),
        }),
        Key::Group => Test::Group(exact(raw)),
    })
}

fn kind(text: &str) -> Result<KindTest, String> {
    Ok(match text {
        "hybrid" => KindTest::Hybrid,
        "ec2" => KindTest::Exactly(NodeKind::Ec2),
        "onprem" | "on-prem" => KindTest::Exactly(NodeKind::OnPrem),
        "azure" => KindTest::Exactly(NodeKind::Azure),
        "gcp" => KindTest::Exactly(NodeKind::Gcp),
        "edge" => KindTest::Exactly(NodeKind::Edge),
        _ => return Err("A kind is ec2, hybrid, onprem, azure, gcp or edge.".to_owned()),
    })
}

fn agent(text: &str) -> Result<Test, String> {
    let (comparison, rest) = comparison(text);
    let Some((version, parts)) = AgentVersion::parse_parts(rest) else {
        return Err("A version is up to four numbers, as in agent:3.1 or agent:<3.1.1374.".to_owned());
    };
    Ok(match comparison {
        Some(comparison) => Test::Version(comparison, version),
        None => Test::VersionPrefix(version, parts),
    })
}

fn ping(text: &str) -> Result<Test, String> {
    Ok(match text {
        "online" => Test::Ping(PingStatus::Online),
        "lost" => Test::Ping(PingStatus::ConnectionLost),
        "inactive" => Test::Ping(PingStatus::Inactive),
        "unknown" => Test::Ping(PingStatus::Unknown),
        _ => {
            let (comparison, rest) = comparison(text);
            match (comparison, parse_age(rest)) {
                (Some(comparison), Some(age)) => Test::PingAge(comparison, age),
                _ => {
                    return Err(
                        "A ping is online, lost, inactive, unknown, or an age as in ping:>5m or ping:<2h."
                            .to_owned(),
                    );
                }
            }
        }
    })
}

fn comparison(text: &str) -> (Option<Comparison>, &str) {
    let signs = [
        ("<=", Some(Comparison::AtMost)),
        (">=", Some(Comparison::AtLeast)),
        ("<", Some(Comparison::Less)),
        (">", Some(Comparison::More)),
        ("=", None),
    ];
    signs
        .into_iter()
        .find_map(|(sign, comparison)| text.strip_prefix(sign).map(|rest| (comparison, rest)))
        .unwrap_or((None, text))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    // Abbreviations such as "VPC ID" keep their case.
    if chars.clone().next().is_some_and(char::is_uppercase) {
        text.to_owned()
    } else {
        first + chars.as_str()
    }
}
