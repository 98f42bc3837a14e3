//! Where in a document something is.

use std::fmt;

/// Names of members from the top of a document down: `inputs`, `kmsKeyId`. `Display` joins them with dots.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// The document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The member `name` of what this path leads to.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        let mut names = self.0.clone();
        names.push(name.to_owned());
        Self(names)
    }

    /// The names, topmost first; empty for the document itself.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Path of what holds this, and the name in it; `None` for the document itself.
    pub fn split_last(&self) -> Option<(Self, &str)> {
        let (last, above) = self.0.split_last()?;
        Some((Self(above.to_vec()), last))
    }
}

impl<const N: usize> From<[&str; N]> for FieldPath {
    fn from(names: [&str; N]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }
}

impl FromIterator<String> for FieldPath {
    fn from_iter<T: IntoIterator<Item = String>>(names: T) -> Self {
        Self(names.into_iter().collect())
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}
