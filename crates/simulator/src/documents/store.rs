//! Documents of account-Regions with their versions, defaults and sharing (aws-security-reliability.md A.6).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{DocumentProblem, SessionDocument, managed};

/// Documents of an account-Region at most.
pub(crate) const MOST_DOCUMENTS: usize = 500;
/// Versions of a document at most.
const MOST_VERSIONS: usize = 1000;
/// Accounts a document can be shared with.
pub(crate) const MOST_ACCOUNTS: usize = 1000;
/// Bytes of a document at most.
pub(crate) const MOST_BYTES: usize = 64 * 1024;

/// How a content is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocumentFormat {
    Json,
    Yaml,
}

impl DocumentFormat {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        }
    }

    pub(crate) fn from_wire_name(name: &str) -> Option<Self> {
        [Self::Json, Self::Yaml].into_iter().find(|format| format.as_str() == name)
    }

    fn read(self, content: &str) -> Result<Value, DocumentProblem> {
        match self {
            Self::Json => serde_json::from_str(content).map_err(|e| DocumentProblem::new(e.to_string())),
            Self::Yaml => serde_saphyr::from_str(content).map_err(|e| {
                let text = e.to_string();
                DocumentProblem::new(text.lines().next().unwrap_or_default())
            }),
        }
    }
}

/// A version of a document.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) number: u64,
    pub(crate) content: Arc<str>,
    pub(crate) format: DocumentFormat,
    pub(crate) value: Arc<Value>,
    pub(crate) document: Arc<SessionDocument>,
    /// The name its author gave it.
    pub(crate) name: Option<String>,
    pub(crate) created_ms: i64,
    /// SHA-256 of the content, in hex.
    pub(crate) hash: String,
}

impl Version {
    pub(super) fn new(
        number: u64,
        content: &str,
        format: DocumentFormat,
        value: Value,
        document: Arc<SessionDocument>,
        name: Option<String>,
        created_ms: i64,
    ) -> Self {
        let hash = hex::encode(Sha256::digest(content.as_bytes()));
        Self {
            number,
            content: content.into(),
            format,
            value: Arc::new(value),
            document,
            name,
            created_ms,
            hash,
        }
    }

    /// The content in this format. JSON is a YAML as well.
    pub(crate) fn written_as(&self, format: DocumentFormat) -> String {
        match (self.format, format) {
            (DocumentFormat::Yaml, DocumentFormat::Json) => {
                serde_json::to_string_pretty(&*self.value).unwrap_or_default()
            }
            _ => self.content.to_string(),
        }
    }
}

/// A content that was read and found good, to be kept.
#[derive(Clone, Debug)]
pub(crate) struct NewContent<'a> {
    content: &'a str,
    format: DocumentFormat,
    value: Value,
    document: Arc<SessionDocument>,
}

impl<'a> NewContent<'a> {
    /// Reads it as the service does before it keeps it.
    pub(crate) fn read(content: &'a str, format: DocumentFormat) -> Result<Self, DocumentProblem> {
        let value = format.read(content)?;
        let document = Arc::new(SessionDocument::parse(&value.to_string())?);
        Ok(Self { content, format, value, document })
    }
}

/// A document of an account.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    versions: BTreeMap<u64, Version>,
    default: u64,
    /// Number of the version that was made last, even if it is gone.
    last: u64,
    /// Ids of accounts, or `all`.
    pub(crate) shared_with: BTreeSet<String>,
}

impl Stored {
    pub(crate) fn default_version(&self) -> Option<&Version> {
        self.versions.get(&self.default)
    }

    pub(crate) fn latest(&self) -> Option<&Version> {
        self.versions.values().next_back()
    }

    /// Newest first.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &Version> {
        self.versions.values().rev()
    }

    pub(crate) fn is_shared_with(&self, account_id: &str) -> bool {
        self.shared_with.contains(account_id) || self.shared_with.contains("all")
    }

    fn add(&mut self, new: NewContent<'_>, name: Option<String>, now_ms: i64) -> u64 {
        self.last += 1;
        let NewContent { content, format, value, document } = new;
        let version = Version::new(self.last, content, format, value, document, name, now_ms);
        self.versions.insert(self.last, version);
        self.last
    }
}

/// Why the store does not do what it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreRefusal {
    Exists,
    Missing,
    MissingVersion,
    /// The content is that of the latest version.
    Duplicate,
    DuplicateName,
    TooManyDocuments,
    TooManyVersions,
    /// It is shared, or the version is the default.
    InUse,
}

/// Documents of one account-Region, by name.
type Place = BTreeMap<String, Stored>;

/// All documents that are put.
#[derive(Debug, Default)]
pub(crate) struct DocumentStore {
    places: HashMap<(usize, String), Place>,
}

impl DocumentStore {
    /// All of an account-Region, by name.
    pub(crate) fn all(&self, account: usize, region: &str) -> impl Iterator<Item = (&str, &Stored)> {
        let place = self.places.get(&(account, region.to_owned()));
        place.into_iter().flatten().map(|(name, stored)| (name.as_str(), stored))
    }

    pub(crate) fn get(&self, account: usize, region: &str, name: &str) -> Option<&Stored> {
        self.places.get(&(account, region.to_owned()))?.get(name)
    }

    pub(crate) fn get_mut(&mut self, account: usize, region: &str, name: &str) -> Option<&mut Stored> {
        self.places.get_mut(&(account, region.to_owned()))?.get_mut(name)
    }

    pub(crate) fn create(
        &mut self,
        place: (usize, &str),
        name: &str,
        new: NewContent<'_>,
        version_name: Option<String>,
        now_ms: i64,
    ) -> Result<&Stored, StoreRefusal> {
        let documents = self.places.entry((place.0, place.1.to_owned())).or_default();
        if documents.contains_key(name) || managed::find(name).is_some() {
            return Err(StoreRefusal::Exists);
        }
        if documents.len() >= MOST_DOCUMENTS {
            return Err(StoreRefusal::TooManyDocuments);
        }
        let mut stored =
            Stored { versions: BTreeMap::new(), default: 1, last: 0, shared_with: BTreeSet::new() };
        stored.add(new, version_name, now_ms);
        Ok(documents.entry(name.to_owned()).or_insert(stored))
    }

    /// Makes a version; the default stays. Gives its number.
    pub(crate) fn update(
        &mut self,
        place: (usize, &str),
        name: &str,
        new: NewContent<'_>,
        version_name: Option<String>,
        now_ms: i64,
    ) -> Result<u64, StoreRefusal> {
        let stored = self.get_mut(place.0, place.1, name).ok_or(StoreRefusal::Missing)?;
        if stored.latest().is_some_and(|latest| *latest.content == *new.content) {
            return Err(StoreRefusal::Duplicate);
        }
        if version_name.is_some() && stored.versions.values().any(|version| version.name == version_name) {
            return Err(StoreRefusal::DuplicateName);
        }
        if stored.versions.len() >= MOST_VERSIONS {
            return Err(StoreRefusal::TooManyVersions);
        }
        Ok(stored.add(new, version_name, now_ms))
    }

    pub(crate) fn set_default(
        &mut self,
        place: (usize, &str),
        name: &str,
        number: u64,
    ) -> Result<&Version, StoreRefusal> {
        let stored = self.get_mut(place.0, place.1, name).ok_or(StoreRefusal::Missing)?;
        let version = stored.versions.get(&number).ok_or(StoreRefusal::MissingVersion)?;
        stored.default = number;
        Ok(version)
    }

    /// Deletes a version, or the document with all of them.
    pub(crate) fn delete(
        &mut self,
        place: (usize, &str),
        name: &str,
        number: Option<u64>,
    ) -> Result<(), StoreRefusal> {
        let documents = self.places.get_mut(&(place.0, place.1.to_owned())).ok_or(StoreRefusal::Missing)?;
        let stored = documents.get_mut(name).ok_or(StoreRefusal::Missing)?;
        if !stored.shared_with.is_empty() {
            return Err(StoreRefusal::InUse);
        }
        match number {
            Some(number) if !stored.versions.contains_key(&number) => {
                return Err(StoreRefusal::MissingVersion);
            }
            Some(number) if stored.versions.len() > 1 => {
                if number == stored.default {
                    return Err(StoreRefusal::InUse);
                }
                stored.versions.remove(&number);
            }
            _ => {
                documents.remove(name);
            }
        }
        Ok(())
    }

    /// Puts a content in place of whatever is there, as its default.
    pub(crate) fn put(&mut self, place: (usize, &str), name: &str, new: NewContent<'_>, now_ms: i64) {
        match self.get_mut(place.0, place.1, name) {
            Some(stored) => stored.default = stored.add(new, None, now_ms),
            None => {
                let _ = self.create(place, name, new, None, now_ms);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: (usize, &str) = (0, "eu-west-1");

    fn content(idle: u32) -> String {
        format!(
            "{{\"schemaVersion\":\"1.0\",\"sessionType\":\"Standard_Stream\",\"inputs\":{{\"idleSessionTimeout\":\"{idle}\"}}}}"
        )
    }

    fn read(text: &str) -> NewContent<'_> {
        NewContent::read(text, DocumentFormat::Json).unwrap()
    }

    #[test]
    fn versions_count_up_and_the_default_moves_only_when_asked() {
        let mut store = DocumentStore::default();
        let (one, two) = (content(1), content(2));
        store.create(HERE, "Corp-A", read(&one), None, 0).unwrap();
        assert_eq!(store.create(HERE, "Corp-A", read(&two), None, 0).unwrap_err(), StoreRefusal::Exists);
        assert_eq!(store.update(HERE, "Corp-A", read(&one), None, 0), Err(StoreRefusal::Duplicate));
        assert_eq!(store.update(HERE, "Corp-A", read(&two), None, 0), Ok(2));
        let default = |store: &DocumentStore| {
            store.get(0, "eu-west-1", "Corp-A").unwrap().default_version().unwrap().number
        };
        assert_eq!(default(&store), 1);
        assert_eq!(store.set_default(HERE, "Corp-A", 3).unwrap_err(), StoreRefusal::MissingVersion);
        store.set_default(HERE, "Corp-A", 2).unwrap();
        assert_eq!(default(&store), 2);
        assert_eq!(store.delete(HERE, "Corp-A", Some(2)), Err(StoreRefusal::InUse));
        store.delete(HERE, "Corp-A", Some(1)).unwrap();
        // Numbers are not used again.
        assert_eq!(store.update(HERE, "Corp-A", read(&one), None, 0), Ok(3));
        store.get_mut(0, "eu-west-1", "Corp-A").unwrap().shared_with.insert("all".to_owned());
        assert_eq!(store.delete(HERE, "Corp-A", None), Err(StoreRefusal::InUse));
        store.get_mut(0, "eu-west-1", "Corp-A").unwrap().shared_with.clear();
        store.delete(HERE, "Corp-A", None).unwrap();
        assert!(store.get(0, "eu-west-1", "Corp-A").is_none());
    }

    #[test]
    fn an_account_region_holds_500_documents() {
        let mut store = DocumentStore::default();
        let text = content(1);
        for n in 0..MOST_DOCUMENTS {
            store.create(HERE, &format!("Corp-{n}"), read(&text), None, 0).unwrap();
        }
        let refused = store.create(HERE, "Corp-more", read(&text), None, 0).unwrap_err();
        assert_eq!(refused, StoreRefusal::TooManyDocuments);
        assert!(store.create((1, "eu-west-1"), "Corp-more", read(&text), None, 0).is_ok());
    }

    #[test]
    fn yaml_is_kept_as_it_is_and_told_as_json_on_request() {
        let mut store = DocumentStore::default();
        let yaml = "schemaVersion: '1.0'\nsessionType: Standard_Stream\n";
        let new = NewContent::read(yaml, DocumentFormat::Yaml).unwrap();
        let stored = store.create(HERE, "Corp-Y", new, None, 0).unwrap();
        let version = stored.latest().unwrap();
        assert_eq!(version.written_as(DocumentFormat::Yaml), yaml);
        let json: Value = serde_json::from_str(&version.written_as(DocumentFormat::Json)).unwrap();
        assert_eq!(json["sessionType"], "Standard_Stream");
    }
}
