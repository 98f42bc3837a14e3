//! What is asked of AWS about documents, as a trait the `aws` crate implements (aws-security-reliability.md A.6).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::model::SessionType;

/// A boxed future, so that the port can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Name of the document that holds the session preferences of an account-Region and runs plain shells.
pub const PREFERENCES: &str = "SSM-SessionManagerRunShell";

/// Whose documents to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The account's own.
    Mine,
    /// Those other accounts share with it.
    Shared,
    /// Those AWS gives every account.
    Aws,
}

impl Owner {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 3] = [Self::Mine, Self::Shared, Self::Aws];
}

/// A document of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDocument {
    /// What refers to it in calls: its name, or its ARN when another account shares it.
    pub name: String,
    /// Whose it is.
    pub owner: Owner,
    /// Account id of the owner; `Amazon` for AWS.
    pub owner_id: String,
    /// Number of the default version.
    pub default_version: String,
    /// When the default version was made, in epoch milliseconds.
    pub created_ms: Option<i64>,
}

impl ListedDocument {
    /// The name without the ARN around it.
    pub fn short_name(&self) -> &str {
        short_name(&self.name)
    }
}

/// The name in a name or ARN of a document.
pub fn short_name(name: &str) -> &str {
    match name.strip_prefix("arn:") {
        Some(arn) => arn.rsplit_once(":document/").map_or(name, |(_, name)| name),
        None => name,
    }
}

/// Session type of a document of AWS, without reading it (protocol.md 1.8).
pub fn managed_session_type(name: &str) -> Option<SessionType> {
    match name {
        "AWS-StartInteractiveCommand" | "AWS-PasswordReset" | "AmazonECS-ExecuteInteractiveCommand" => {
            Some(SessionType::InteractiveCommands)
        }
        "AWS-StartNonInteractiveCommand" => Some(SessionType::NonInteractiveCommands),
        "AWS-StartSSHSession" => Some(SessionType::Port),
        name if name.starts_with("AWS-StartPortForwardingSession") => Some(SessionType::Port),
        PREFERENCES => Some(SessionType::StandardStream),
        _ => None,
    }
}

/// A page of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In service order.
    pub items: Vec<T>,
    /// Continues the listing; `None` is the end.
    pub next: Option<String>,
}

/// A version of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentVersion {
    /// Its number, from 1.
    pub number: String,
    /// Whether sessions use it.
    pub is_default: bool,
    /// When it was made, in epoch milliseconds.
    pub created_ms: Option<i64>,
}

/// What AWS says of one version of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentFacts {
    /// Name or ARN.
    pub name: String,
    /// Account id of the owner; `Amazon` for AWS.
    pub owner_id: String,
    /// Number of this version.
    pub version: String,
    /// Number of the default version.
    pub default_version: String,
    /// Number of the latest version.
    pub latest_version: String,
    /// Hash of the content. Equal hashes mean equal contents; what exactly is hashed is AWS's.
    pub hash: String,
    /// When the version was made, in epoch milliseconds.
    pub created_ms: Option<i64>,
}

/// Which version a call is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VersionChoice {
    /// The one sessions use.
    #[default]
    Default,
    /// The one made last.
    Latest,
    /// The one of this number.
    Number(String),
}

impl VersionChoice {
    /// As the API takes it; `None` for the default.
    pub fn wire(&self) -> Option<&str> {
        match self {
            Self::Default => None,
            Self::Latest => Some("$LATEST"),
            Self::Number(number) => Some(number),
        }
    }

    /// Reads `default`, `latest` or a number.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "default" | "$DEFAULT" => Some(Self::Default),
            "latest" | "$LATEST" => Some(Self::Latest),
            number => is_version_number(number).then(|| Self::Number(number.to_owned())),
        }
    }
}

/// Whether the text is the number of a version, as UpdateDocumentDefaultVersion wants it.
pub fn is_version_number(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What kind of failure a document call met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentErrorKind {
    /// There is no such document in this account-Region, or it is not shared.
    Missing,
    /// The document has no such version.
    MissingVersion,
    /// The name is taken.
    Exists,
    /// The content is refused.
    Content,
    /// The content is that of the latest version: there is nothing to do.
    Unchanged,
    /// A quota of documents, versions or bytes.
    Limit,
    /// Shared or otherwise in use, so that it cannot be deleted.
    InUse,
    /// Another change is under way.
    Busy,
    /// What any call can meet; the source says what.
    Call,
}

/// A failed document call. `E` is the port error of the implementation, which holds what AWS said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source}")]
pub struct DocumentError<E: std::error::Error + 'static> {
    /// By what can be done about it.
    pub kind: DocumentErrorKind,
    /// What AWS or the way there said.
    pub source: E,
}

/// The document calls of one identity in one Region. Contents are JSON texts.
pub trait DocumentCalls<E: std::error::Error + 'static>: fmt::Debug + Send + Sync + 'static {
    /// A page of ListDocuments for session documents. Pass `None` to begin.
    fn list(
        &self,
        owner: Owner,
        next: Option<String>,
    ) -> BoxFuture<'_, Result<Page<ListedDocument>, DocumentError<E>>>;

    /// A page of ListDocumentVersions. Pass `None` to begin.
    fn versions(
        &self,
        name: String,
        next: Option<String>,
    ) -> BoxFuture<'_, Result<Page<DocumentVersion>, DocumentError<E>>>;

    /// DescribeDocument.
    fn facts(
        &self,
        name: String,
        version: VersionChoice,
    ) -> BoxFuture<'_, Result<DocumentFacts, DocumentError<E>>>;

    /// GetDocument, as JSON whatever the document was made of.
    fn content(
        &self,
        name: String,
        version: VersionChoice,
    ) -> BoxFuture<'_, Result<String, DocumentError<E>>>;

    /// CreateDocument.
    fn create(&self, name: String, content: String)
    -> BoxFuture<'_, Result<DocumentFacts, DocumentError<E>>>;

    /// UpdateDocument: a new version after the latest one. The default stays.
    fn update(&self, name: String, content: String)
    -> BoxFuture<'_, Result<DocumentFacts, DocumentError<E>>>;

    /// UpdateDocumentDefaultVersion, with a number.
    fn set_default(&self, name: String, version: String) -> BoxFuture<'_, Result<(), DocumentError<E>>>;

    /// DeleteDocument: one version, or all of it.
    fn delete(&self, name: String, version: Option<String>) -> BoxFuture<'_, Result<(), DocumentError<E>>>;
}

/// Gives the document calls of a source and Region.
pub trait DocumentSources<E: std::error::Error + 'static>: Send + Sync + 'static {
    /// Opening never calls AWS.
    fn documents(&self, source: &str, region: &str) -> Result<Arc<dyn DocumentCalls<E>>, E>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_arns() {
        assert_eq!(short_name("Corp-A"), "Corp-A");
        assert_eq!(short_name("arn:aws-cn:ssm:cn-north-1:123456789012:document/Org-B"), "Org-B");
        assert_eq!(short_name("arn:odd"), "arn:odd");
    }

    #[test]
    fn versions_are_numbers_or_words() {
        assert_eq!(VersionChoice::parse("latest"), Some(VersionChoice::Latest));
        assert_eq!(
            VersionChoice::parse("12").and_then(|v| v.wire().map(str::to_owned)),
            Some("12".to_owned())
        );
        for wrong in ["0", "01", "-1", "", "v3"] {
            assert_eq!(VersionChoice::parse(wrong), None, "{wrong}");
        }
    }
}
