//! The keys of chips.

/// What a chip filters by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Name or host name.
    Name,
    /// Node id.
    Id,
    /// Kind.
    Kind,
    /// Platform family or text.
    Platform,
    /// Account name or id.
    Account,
    /// Region.
    Region,
    /// Private or public address.
    Ip,
    /// Agent version.
    Agent,
    /// Tier.
    Tier,
    /// Heartbeat, or its age.
    Ping,
    /// Readiness.
    State,
    /// Tag.
    Tag,
    /// VPC id.
    Vpc,
    /// Availability zone.
    Az,
    /// Instance type.
    Type,
    /// Marked by the user, or only known from the cache.
    Is,
    /// Group of the user.
    Group,
}

impl Key {
    /// All keys in the order in which they are offered.
    pub const ALL: [Self; 17] = [
        Self::Name,
        Self::Platform,
        Self::Tag,
        Self::State,
        Self::Ping,
        Self::Account,
        Self::Region,
        Self::Kind,
        Self::Tier,
        Self::Agent,
        Self::Ip,
        Self::Id,
        Self::Vpc,
        Self::Az,
        Self::Type,
        Self::Is,
        Self::Group,
    ];

    /// The key as it is written, lower case.
    pub fn text(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Id => "id",
            Self::Kind => "kind",
            Self::Platform => "platform",
            Self::Account => "account",
            Self::Region => "region",
            Self::Ip => "ip",
            Self::Agent => "agent",
            Self::Tier => "tier",
            Self::Ping => "ping",
            Self::State => "state",
            Self::Tag => "tag",
            Self::Vpc => "vpc",
            Self::Az => "az",
            Self::Type => "type",
            Self::Is => "is",
            Self::Group => "group",
        }
    }

    /// What it filters by, in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "Name or host name",
            Self::Id => "Node ID",
            Self::Kind => "ec2, hybrid, onprem, azure, gcp or edge",
            Self::Platform => "Operating system",
            Self::Account => "Account name or ID",
            Self::Region => "Region",
            Self::Ip => "Address, or its first parts",
            Self::Agent => "Agent version, also <3.1 or >=3.2",
            Self::Tier => "standard, advanced, pending, unknown or none",
            Self::Ping => "online, lost, inactive or unknown, also >5m",
            Self::State => "ready, limited, blocked, lost or checking",
            Self::Tag => "Tag, or tag and value",
            Self::Vpc => "VPC ID",
            Self::Az => "Availability zone",
            Self::Type => "Instance type",
            Self::Is => "favourite, recent or stale",
            Self::Group => "Group of yours",
        }
    }

    /// The key of a text, without regard to case.
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.text().eq_ignore_ascii_case(text))
    }

    /// The key somebody may have meant by an unknown one.
    pub(crate) fn nearest(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let begun = Self::ALL.into_iter().find(|k| text.len() >= 2 && k.text().starts_with(&text));
        let near = || Self::ALL.into_iter().find(|k| within_one_edit(text.as_bytes(), k.text().as_bytes()));
        begun.or_else(|| if text.len() < 3 { None } else { near() })
    }
}

/// Whether one changed, added, missing or swapped byte makes one text of the other.
fn within_one_edit(a: &[u8], b: &[u8]) -> bool {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[same..], &b[same..]);
    match (a, b) {
        ([], rest) | (rest, []) => rest.len() <= 1,
        ([_, a_rest @ ..], [_, b_rest @ ..]) => {
            let swapped =
                matches!((a, b), ([x1, x2, ..], [y1, y2, ..]) if x1 == y2 && x2 == y1) && a[2..] == b[2..];
            a_rest == b_rest || a == b_rest || a_rest == b || swapped
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_text_in_any_case() {
        for key in Key::ALL {
            assert_eq!(Key::from_text(&key.text().to_uppercase()), Some(key));
        }
    }

    #[test]
    fn typing_errors_lead_to_the_key_meant() {
        for (text, key) in [
            ("plat", "platform"),
            ("regoin", "region"),
            ("tags", "tag"),
            ("agnt", "agent"),
            ("stale", "state"),
        ] {
            assert_eq!(Key::nearest(text).map(Key::text), Some(key), "{text}");
        }
        assert_eq!(Key::nearest("owner"), None);
        assert_eq!(Key::nearest("x"), None);
        assert_eq!(Key::nearest(""), None);
    }
}
