//! Links into the app: `fleetline://connect?profile=ledger` or
//! `fleetline://connect?node=i-…&account=…&region=…&open=shell`.
//!
//! Anybody can make a page or a message with a link. So a link only names what exists, never addresses, ports,
//! documents, commands or files; and what it names is opened only after the person has said yes to a question that
//! shows what was found (SEC-50). The operating system passes links to the app only once the person has enabled them.

use std::fmt;

use fleetline_ipc::link::{LinkOpener, LinkStatus};
pub use fleetline_launch::scheme::{Links, Opener, SchemeError};
use fleetline_store::profiles::ProfileId;
use percent_encoding::percent_decode_str;

/// Longest link, in bytes.
pub const LINK_LIMIT: usize = 2048;

/// What a link asks for. Nothing is done with it before a person has agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeepLink {
    /// Run a saved profile.
    Profile(ProfileId),
    /// Open something on a node.
    Node {
        /// Its id: `i-…` or `mi-…`.
        node: String,
        /// Its account, 12 digits; `None` when the link leaves it open, and only a node that is found once is taken.
        account: Option<String>,
        /// Its Region, as for the account.
        region: Option<String>,
        /// What.
        open: LinkKind,
    },
}

/// What a link opens on a node, with the app's own defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkKind {
    /// Only shows the node.
    #[default]
    Inspector,
    /// A shell.
    Shell,
    /// SSH.
    Ssh,
    /// A remote desktop.
    Rdp,
}

impl LinkKind {
    const WORDS: [(Self, &'static str); 4] =
        [(Self::Inspector, "node"), (Self::Shell, "shell"), (Self::Ssh, "ssh"), (Self::Rdp, "rdp")];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(kind, _)| *kind == self).map_or("node", |(_, word)| word)
    }
}

/// Why a link is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefused {
    /// Longer than [`LINK_LIMIT`].
    #[error("the link is longer than {LINK_LIMIT} bytes")]
    TooLong,
    /// Not `fleetline://connect?…`.
    #[error("the link does not begin with fleetline://connect?")]
    NotOurs,
    /// A `%` without two digits, or bytes that are no text.
    #[error("the link is not encoded correctly")]
    Encoding,
    /// A key nobody knows.
    #[error("the link has a part this program does not know")]
    UnknownKey,
    /// The same key again.
    #[error("the link says {0} twice")]
    Twice(&'static str),
    /// A value that cannot be right.
    #[error("the link has no valid {0}")]
    Value(&'static str),
    /// Neither or both of profile and node, or more than a profile.
    #[error("the link must name either a profile or a node")]
    Target,
}

const KEYS: [&str; 5] = ["profile", "node", "account", "region", "open"];

impl DeepLink {
    /// Reads a link. A `/` after `connect` is accepted, because some systems add it; anything else is exact.
    pub fn parse(link: &str) -> Result<Self, LinkRefused> {
        if link.len() > LINK_LIMIT {
            return Err(LinkRefused::TooLong);
        }
        let (scheme, rest) = link.split_once("://").ok_or(LinkRefused::NotOurs)?;
        let (place, query) = rest.split_once('?').ok_or(LinkRefused::NotOurs)?;
        if !scheme.eq_ignore_ascii_case("fleetline") || !matches!(place, "connect" | "connect/") {
            return Err(LinkRefused::NotOurs);
        }
        let mut values: [Option<String>; KEYS.len()] = Default::default();
        for part in query.split('&') {
            let (key, value) = part.split_once('=').ok_or(LinkRefused::UnknownKey)?;
            let at = KEYS.iter().position(|k| *k == key).ok_or(LinkRefused::UnknownKey)?;
            if values[at].replace(decode(value)?).is_some() {
                return Err(LinkRefused::Twice(KEYS[at]));
            }
        }
        let [profile, node, account, region, open] = values;
        match (profile, node) {
            (Some(profile), None) if account.is_none() && region.is_none() && open.is_none() => {
                ProfileId::new(&profile).map(Self::Profile).ok_or(LinkRefused::Value("profile"))
            }
            (None, Some(node)) => Ok(Self::Node {
                node: valid(Some(node), is_node, "node")?.ok_or(LinkRefused::Target)?,
                account: valid(account, is_account, "account")?,
                region: valid(region, is_region, "region")?,
                open: match open {
                    None => LinkKind::default(),
                    Some(word) => LinkKind::WORDS
                        .iter()
                        .find(|(_, w)| *w == word)
                        .map(|(kind, _)| *kind)
                        .ok_or(LinkRefused::Value("open"))?,
                },
            }),
            _ => Err(LinkRefused::Target),
        }
    }
}

impl fmt::Display for DeepLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No value it can hold needs to be encoded.
        match self {
            Self::Profile(id) => write!(f, "fleetline://connect?profile={id}"),
            Self::Node { node, account, region, open } => {
                write!(f, "fleetline://connect?node={node}")?;
                for (key, value) in [("account", account), ("region", region)] {
                    if let Some(value) = value {
                        write!(f, "&{key}={value}")?;
                    }
                }
                write!(f, "&open={}", open.word())
            }
        }
    }
}

/// The status of links as it is shown; an error says why it could not be found out who opens them.
pub fn link_status(on: bool, opener: Result<Opener, String>) -> LinkStatus {
    let (opener, detail) = match opener {
        Ok(Opener::Nobody) => (LinkOpener::Nobody, None),
        Ok(Opener::Us) => (LinkOpener::Us, None),
        Ok(Opener::Another(name)) => (LinkOpener::Another, Some(name)),
        Ok(Opener::Bundle) => (LinkOpener::Bundle, None),
        Err(error) => (LinkOpener::Unknown, Some(error)),
    };
    LinkStatus { on, opener, detail }
}

/// Who opens links, in the word the command line prints.
pub fn opener_word(opener: LinkOpener) -> &'static str {
    match opener {
        LinkOpener::Nobody => "nobody",
        LinkOpener::Us => "us",
        LinkOpener::Another => "another",
        LinkOpener::Bundle => "bundle",
        LinkOpener::Unknown => "unknown",
    }
}

fn decode(value: &str) -> Result<String, LinkRefused> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.as_bytes().get(..2).ok_or(LinkRefused::Encoding)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(LinkRefused::Encoding);
        }
        rest = &after[2..];
    }
    let text = percent_decode_str(value).decode_utf8().map_err(|_| LinkRefused::Encoding)?;
    Ok(text.into_owned())
}

fn valid(
    value: Option<String>,
    fits: fn(&str) -> bool,
    name: &'static str,
) -> Result<Option<String>, LinkRefused> {
    match value {
        Some(value) if !fits(&value) => Err(LinkRefused::Value(name)),
        value => Ok(value),
    }
}

fn is_node(text: &str) -> bool {
    let digits = text.strip_prefix("mi-").or_else(|| text.strip_prefix("i-"));
    digits.is_some_and(|digits| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (5..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NODE: &str = "i-0123456789abcdef0";

    #[test]
    fn a_link_names_a_profile_or_a_node() {
        let profile = DeepLink::Profile(ProfileId::new("ledger-2").unwrap());
        assert_eq!(DeepLink::parse("fleetline://connect?profile=ledger-2"), Ok(profile.clone()));
        assert_eq!(DeepLink::parse("FLEETLINE://connect/?profile=%6cedger-2"), Ok(profile));
        assert_eq!(
            DeepLink::parse(&format!(
                "fleetline://connect?open=rdp&node={NODE}&region=eu-west-1&account=111122223333"
            )),
            Ok(DeepLink::Node {
                node: NODE.into(),
                account: Some("111122223333".into()),
                region: Some("eu-west-1".into()),
                open: LinkKind::Rdp
            })
        );
        let plain = DeepLink::parse(&format!("fleetline://connect?node={NODE}")).unwrap();
        assert!(matches!(plain, DeepLink::Node { open: LinkKind::Inspector, account: None, .. }));
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        let refused = |link: &str| DeepLink::parse(link).unwrap_err();
        for link in [
            "",
            "fleetline:connect?profile=a",
            "fleetline://connect",
            "https://connect?profile=a",
            "fleetline://start?profile=a",
            "fleetline://user@connect?profile=a",
            "fleetline://connect:80?profile=a",
            "fleetline://connect//?profile=a",
            " fleetline://connect?profile=a",
        ] {
            assert_eq!(refused(link), LinkRefused::NotOurs, "{link}");
        }
        let query = |query: &str| refused(&format!("fleetline://connect?{query}"));
        for unknown in
            ["", "profile", "command=x", "profile=a&port=1", "profile=a&", "Profile=a", "pr%6ffile=a"]
        {
            assert_eq!(query(unknown), LinkRefused::UnknownKey, "{unknown}");
        }
        assert_eq!(query("profile=a&profile=a"), LinkRefused::Twice("profile"));
        for bad in ["profile=", "profile=A", "profile=a#b", "profile=a%00", "profile=a+b"] {
            assert_eq!(query(bad), LinkRefused::Value("profile"), "{bad}");
        }
        for bad in ["profile=%", "profile=%6", "profile=%zz", "profile=%ff"] {
            assert_eq!(query(bad), LinkRefused::Encoding, "{bad}");
        }
        for bad in ["node=i-1", "node=-oProxyCommand", "node=i-0123456789ABCDEF0"] {
            assert_eq!(query(bad), LinkRefused::Value("node"), "{bad}");
        }
        assert_eq!(query(&format!("node={NODE}&account=1")), LinkRefused::Value("account"));
        assert_eq!(query(&format!("node={NODE}&region=../x")), LinkRefused::Value("region"));
        assert_eq!(query(&format!("node={NODE}&open=exec")), LinkRefused::Value("open"));
        for both in [format!("profile=a&node={NODE}"), "profile=a&open=shell".into(), "open=shell".into()] {
            assert_eq!(query(&both), LinkRefused::Target, "{both}");
        }
        assert_eq!(query(&format!("profile={}", "a".repeat(LINK_LIMIT))), LinkRefused::TooLong);
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_short_plain_and_reads_the_same_again(
            link in prop_oneof![
                "\\PC{0,60}",
                "(fleetline|FLEETLINE)://connect/?\\?((profile|node|account|region|open)=(i-[0-9a-f]{17}|[a-z0-9%-]{0,13}|[0-9]{12})&?){0,4}",
            ]
        ) {
            if let Ok(read) = DeepLink::parse(&link) {
                let written = read.to_string();
                prop_assert!(written.len() <= LINK_LIMIT);
                prop_assert!(written.bytes().all(|b| b.is_ascii_graphic() && !b"\"'`$\\<>|;".contains(&b)));
                prop_assert_eq!(DeepLink::parse(&written), Ok(read));
            }
        }
    }
}
