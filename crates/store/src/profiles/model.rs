//! Saved profiles as values.

use std::fmt;

use super::settings::Settings;

/// The name of a profile in its file, in bundles and in links: 1 to 63 of `a-z`, `0-9` and `-`, not beginning with `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileId(String);

impl ProfileId {
    /// What an id looks like, for messages.
    pub const EXPECTED: &'static str = "1 to 63 of a-z, 0-9 and -, beginning with a letter or digit";

    /// `None` when the text is no id.
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=63).contains(&text.len())
            && !text.starts_with('-')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        fits.then(|| Self(text.to_owned()))
    }

    /// An id made from a name, not among `taken`: "Ledger database" gives `ledger-database`, then `ledger-database-2`.
    pub fn for_name(name: &str, taken: impl Fn(&Self) -> bool) -> Self {
        let mut stem = String::new();
        for c in name.chars().flat_map(char::to_lowercase) {
            if c.is_ascii_alphanumeric() {
                stem.push(c);
            } else if !stem.is_empty() && !stem.ends_with('-') {
                stem.push('-');
            }
            if stem.len() >= 50 {
                break;
            }
        }
        let stem = match stem.trim_end_matches('-') {
            "" => "profile",
            stem => stem,
        };
        let first = Self(stem.to_owned());
        if !taken(&first) {
            return first;
        }
        let mut number = 2_u64;
        loop {
            let next = Self(format!("{stem}-{number}"));
            if !taken(&next) {
                return next;
            }
            number += 1;
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A folder as names separated by `/`: `Databases/Ledger`. Empty is the top. At most 8 names and 256 bytes; a name is
/// not empty, has no control characters and no spaces at its ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderPath(String);

impl FolderPath {
    /// What a path looks like, for messages.
    pub const EXPECTED: &'static str = "folder names separated by /, at most 8 deep and 256 bytes long";

    /// `None` when the text is no path.
    pub fn new(text: &str) -> Option<Self> {
        let named = |name: &str| !name.is_empty() && name.trim() == name && !name.contains(char::is_control);
        let fits = text.is_empty()
            || (text.len() <= 256 && text.split('/').count() <= 8 && text.split('/').all(named));
        fits.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the top.
    pub fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    /// The folder around this one; `None` at the top.
    pub fn parent(&self) -> Option<Self> {
        if self.is_top() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map(|(parent, _)| parent.to_owned()).unwrap_or_default()))
    }

    /// This folder and those around it, outermost first, without the top.
    pub fn ancestry(&self) -> Vec<Self> {
        let ends = self.0.match_indices('/').map(|(at, _)| at).chain([self.0.len()]);
        ends.filter(|end| *end > 0).map(|end| Self(self.0[..end].to_owned())).collect()
    }
}

impl fmt::Display for FolderPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a profile's session goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileTarget {
    /// The node with this id.
    Node(String),
    /// The only node that matches this query of the fleet list when it is used. No match and several matches are
    /// refused then, so that a rebuilt node keeps working and a wrong one is never taken.
    Query(String),
}

/// What a forward leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The remote host behind the node; `None` is the node itself.
    pub host: Option<String>,
    /// Its port, 1 to 65535.
    pub port: u16,
}

/// The local end of a forward. The address is the setting [`Settings::bind`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Local {
    /// A TCP port; 0 takes a free one at each start.
    Port(u16),
    /// A Unix socket with this path (SEC-22).
    Socket(String),
}

/// What a profile opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileKind {
    /// A shell.
    Shell {
        /// Where.
        target: ProfileTarget,
        /// The session document; `None` is the account's own.
        document: Option<String>,
        /// Its parameters, in order of their names.
        parameters: Vec<(String, Vec<String>)>,
    },
    /// A session with a document chosen for what it does.
    Document {
        /// Where.
        target: ProfileTarget,
        /// The document.
        document: String,
        /// Its parameters, in order of their names.
        parameters: Vec<(String, Vec<String>)>,
    },
    /// A port forward.
    Forward {
        /// The node it goes through.
        target: ProfileTarget,
        /// Where it leads.
        remote: Remote,
        /// Where it listens.
        local: Local,
    },
    /// A SOCKS5 proxy whose connections leave from the node's side.
    Socks {
        /// The node.
        target: ProfileTarget,
        /// Where it listens.
        local: Local,
    },
    /// A remote desktop through a forward.
    Rdp {
        /// The node.
        target: ProfileTarget,
        /// Port of the desktop on the node; 3389 unless changed.
        port: u16,
        /// Local port of its forward; 0 takes a free one.
        local_port: u16,
    },
    /// SSH through the node's session.
    Ssh {
        /// The node.
        target: ProfileTarget,
        /// Port of its SSH server; 22 unless changed.
        port: u16,
    },
    /// Several profiles switched as one.
    Bundle {
        /// Which; an id nobody has is kept and told.
        members: Vec<ProfileId>,
    },
}

impl ProfileKind {
    /// The word of the file.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Shell { .. } => "shell",
            Self::Document { .. } => "document",
            Self::Forward { .. } => "forward",
            Self::Socks { .. } => "socks",
            Self::Rdp { .. } => "rdp",
            Self::Ssh { .. } => "ssh",
            Self::Bundle { .. } => "bundle",
        }
    }

    /// Where its session goes; a bundle has none of its own.
    pub fn target(&self) -> Option<&ProfileTarget> {
        match self {
            Self::Shell { target, .. }
            | Self::Document { target, .. }
            | Self::Forward { target, .. }
            | Self::Socks { target, .. }
            | Self::Rdp { target, .. }
            | Self::Ssh { target, .. } => Some(target),
            Self::Bundle { .. } => None,
        }
    }
}

/// A saved profile.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedProfile {
    /// Its name in the file.
    pub id: ProfileId,
    /// Its name for people, 1 to 256 bytes.
    pub name: String,
    /// Where it is listed.
    pub folder: FolderPath,
    /// Its place in the folder: lower first, those without one after them in the order of the file.
    pub order: Option<i64>,
    /// Whether it is listed first, and in the tray.
    pub favourite: bool,
    /// Free text, at most 4 KiB.
    pub note: Option<String>,
    /// What it opens.
    pub kind: ProfileKind,
    /// Settings it does not inherit.
    pub settings: Settings,
}

/// What a file says about a folder. A folder exists as soon as a profile is in it, even when nothing is said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Folder {
    /// Which.
    pub path: FolderPath,
    /// Its place among its siblings, as for profiles.
    pub order: Option<i64>,
    /// Settings of what is in it.
    pub settings: Settings,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_from_names_and_stay_apart() {
        let made = |name: &str, taken: &[&str]| {
            ProfileId::for_name(name, |id| taken.contains(&id.as_str())).as_str().to_owned()
        };
        assert_eq!(made("Ledger database", &[]), "ledger-database");
        assert_eq!(made("Ledger database", &["ledger-database"]), "ledger-database-2");
        assert_eq!(made("  ö!/ ", &[]), "profile");
        assert_eq!(made("台帳", &["profile", "profile-2"]), "profile-3");
        assert!(ProfileId::new(&made(&"x y ".repeat(100), &[])).is_some());
        for bad in ["", "-a", "A", "a b", "a_b", &"a".repeat(64)] {
            assert_eq!(ProfileId::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn folders_know_what_is_around_them() {
        let path = FolderPath::new("a/b/c").unwrap();
        let texts: Vec<_> = path.ancestry().iter().map(|p| p.as_str().to_owned()).collect();
        assert_eq!(texts, ["a", "a/b", "a/b/c"]);
        assert_eq!(path.parent().unwrap().as_str(), "a/b");
        assert_eq!(FolderPath::default().ancestry(), []);
        assert_eq!(FolderPath::new("a").unwrap().parent(), Some(FolderPath::default()));
        for bad in ["/", "a/", "/a", "a//b", " a", "a\n", "1/2/3/4/5/6/7/8/9"] {
            assert_eq!(FolderPath::new(bad), None, "{bad}");
        }
    }
}
