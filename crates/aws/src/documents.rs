//! The calls on session documents.

use std::sync::Arc;

use aws_sdk_ssm::types::{
    DocumentDescription, DocumentFormat, DocumentIdentifier, DocumentKeyValuesFilter, DocumentType,
};
use fleetline_documents::{
    BoxFuture, DocumentCalls, DocumentError, DocumentErrorKind, DocumentFacts, DocumentVersion,
    ListedDocument, Owner, Page, VersionChoice,
};
use fleetline_engine::ports::{ApiError, ApiErrorKind};

use crate::access::Access;
use crate::nodes::epoch_ms;

const LIST: &str = "ListDocuments";
const VERSIONS: &str = "ListDocumentVersions";
const DESCRIBE: &str = "DescribeDocument";
const GET: &str = "GetDocument";
const CREATE: &str = "CreateDocument";
const UPDATE: &str = "UpdateDocument";
const DEFAULT: &str = "UpdateDocumentDefaultVersion";
const DELETE: &str = "DeleteDocument";

/// Largest page of ListDocuments and ListDocumentVersions.
const PAGE: i32 = 50;

type Failure = DocumentError<ApiError>;

/// [`DocumentCalls`] of one source in one Region.
#[derive(Debug)]
pub(crate) struct Documents(pub(crate) Arc<Access>);

impl Documents {
    async fn listed(&self, owner: Owner, next: Option<String>) -> Result<Page<ListedDocument>, Failure> {
        let filter =
            |key: &str, value: &str| DocumentKeyValuesFilter::builder().key(key).values(value).build();
        let whose = match owner {
            Owner::Mine => "Self",
            Owner::Shared => "Private",
            Owner::Aws => "Amazon",
        };
        let call = self
            .0
            .ssm()
            .list_documents()
            .filters(filter("Owner", whose))
            .filters(filter("DocumentType", "Session"))
            .max_results(PAGE)
            .set_next_token(next.clone());
        let page = match call.send().await {
            Ok(page) => page,
            Err(failure) => return Err(told(self.0.failed(LIST, failure))),
        };
        // Only what is shared needs telling apart from the account's own.
        let account = match owner {
            Owner::Shared => self.0.account_id().await.ok(),
            _ => None,
        };
        let items = page.document_identifiers.unwrap_or_default();
        Ok(Page {
            items: items
                .into_iter()
                .filter(|item| item.owner.is_none() || item.owner != account)
                .filter_map(|item| self.listed_document(owner, item))
                .collect(),
            next: page.next_token.filter(|token| !token.is_empty() && Some(token) != next.as_ref()),
        })
    }

    fn listed_document(&self, owner: Owner, item: DocumentIdentifier) -> Option<ListedDocument> {
        let name = item.name?;
        let owner_id = item.owner.unwrap_or_default();
        let name = match owner {
            // Another account's document is referred to by its ARN (aws-security-reliability.md A.6).
            Owner::Shared if !name.starts_with("arn:") => {
                let partition = partition(&self.0.region);
                format!("arn:{partition}:ssm:{}:{owner_id}:document/{name}", self.0.region)
            }
            _ => name,
        };
        Some(ListedDocument {
            name,
            owner,
            owner_id,
            default_version: item.document_version.unwrap_or_default(),
            created_ms: epoch_ms(item.created_date),
        })
    }

    async fn version_page(
        &self,
        name: String,
        next: Option<String>,
    ) -> Result<Page<DocumentVersion>, Failure> {
        let call =
            self.0.ssm().list_document_versions().name(name).max_results(PAGE).set_next_token(next.clone());
        let page = match call.send().await {
            Ok(page) => page,
            Err(failure) => return Err(told(self.0.failed(VERSIONS, failure))),
        };
        let versions = page.document_versions.unwrap_or_default();
        Ok(Page {
            items: versions
                .into_iter()
                .filter_map(|version| {
                    Some(DocumentVersion {
                        number: version.document_version?,
                        is_default: version.is_default_version,
                        created_ms: epoch_ms(version.created_date),
                    })
                })
                .collect(),
            next: page.next_token.filter(|token| !token.is_empty() && Some(token) != next.as_ref()),
        })
    }

    async fn described(&self, name: String, version: VersionChoice) -> Result<DocumentFacts, Failure> {
        let call = self
            .0
            .ssm()
            .describe_document()
            .name(&name)
            .set_document_version(version.wire().map(str::to_owned));
        match call.send().await {
            Ok(answer) => {
                answer.document.map(|document| facts(name, document)).ok_or_else(|| empty(DESCRIBE))
            }
            Err(failure) => Err(told(self.0.failed(DESCRIBE, failure))),
        }
    }

    async fn text(&self, name: String, version: VersionChoice) -> Result<String, Failure> {
        let call = self
            .0
            .ssm()
            .get_document()
            .name(name)
            .document_format(DocumentFormat::Json)
            .set_document_version(version.wire().map(str::to_owned));
        match call.send().await {
            Ok(answer) => answer.content.ok_or_else(|| empty(GET)),
            Err(failure) => Err(told(self.0.failed(GET, failure))),
        }
    }

    async fn made(&self, name: String, content: String) -> Result<DocumentFacts, Failure> {
        // Not repeated: after a lost answer the repeat would say that the name is taken.
        let call = self
            .0
            .ssm_once()
            .create_document()
            .name(&name)
            .content(content)
            .document_type(DocumentType::Session)
            .document_format(DocumentFormat::Json);
        match call.send().await {
            Ok(answer) => {
                answer.document_description.map(|made| facts(name, made)).ok_or_else(|| empty(CREATE))
            }
            Err(failure) => Err(told(self.0.failed(CREATE, failure))),
        }
    }

    async fn updated(&self, name: String, content: String) -> Result<DocumentFacts, Failure> {
        let call = self
            .0
            .ssm()
            .update_document()
            .name(&name)
            .content(content)
            .document_format(DocumentFormat::Json)
            .document_version("$LATEST");
        match call.send().await {
            Ok(answer) => {
                answer.document_description.map(|made| facts(name, made)).ok_or_else(|| empty(UPDATE))
            }
            Err(failure) => Err(told(self.0.failed(UPDATE, failure))),
        }
    }

    async fn made_default(&self, name: String, version: String) -> Result<(), Failure> {
        let call = self.0.ssm().update_document_default_version().name(name).document_version(version);
        match call.send().await {
            Ok(_) => Ok(()),
            Err(failure) => Err(told(self.0.failed(DEFAULT, failure))),
        }
    }

    async fn deleted(&self, name: String, version: Option<String>) -> Result<(), Failure> {
        let call = self.0.ssm().delete_document().name(name).set_document_version(version);
        match call.send().await {
            Ok(_) => Ok(()),
            Err(failure) => Err(told(self.0.failed(DELETE, failure))),
        }
    }
}

impl DocumentCalls<ApiError> for Documents {
    fn list(
        &self,
        owner: Owner,
        next: Option<String>,
    ) -> BoxFuture<'_, Result<Page<ListedDocument>, Failure>> {
        Box::pin(self.listed(owner, next))
    }

    fn versions(
        &self,
        name: String,
        next: Option<String>,
    ) -> BoxFuture<'_, Result<Page<DocumentVersion>, Failure>> {
        Box::pin(self.version_page(name, next))
    }

    fn facts(&self, name: String, version: VersionChoice) -> BoxFuture<'_, Result<DocumentFacts, Failure>> {
        Box::pin(self.described(name, version))
    }

    fn content(&self, name: String, version: VersionChoice) -> BoxFuture<'_, Result<String, Failure>> {
        Box::pin(self.text(name, version))
    }

    fn create(&self, name: String, content: String) -> BoxFuture<'_, Result<DocumentFacts, Failure>> {
        Box::pin(self.made(name, content))
    }

    fn update(&self, name: String, content: String) -> BoxFuture<'_, Result<DocumentFacts, Failure>> {
        Box::pin(self.updated(name, content))
    }

    fn set_default(&self, name: String, version: String) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.made_default(name, version))
    }

    fn delete(&self, name: String, version: Option<String>) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(self.deleted(name, version))
    }
}

/// Facts of a description. AWS does not repeat the ARN that was asked for.
fn facts(asked: String, document: DocumentDescription) -> DocumentFacts {
    DocumentFacts {
        name: asked,
        owner_id: document.owner.unwrap_or_default(),
        version: document.document_version.unwrap_or_default(),
        default_version: document.default_version.unwrap_or_default(),
        latest_version: document.latest_version.unwrap_or_default(),
        hash: document.hash.or(document.sha1).unwrap_or_default(),
        created_ms: epoch_ms(document.created_date),
    }
}

/// The failure of a document call, told apart by the code AWS sent.
fn told(source: ApiError) -> Failure {
    use DocumentErrorKind as Kind;
    let kind = match source.code.as_deref().unwrap_or_default() {
        "InvalidDocument" => Kind::Missing,
        "InvalidDocumentVersion" => Kind::MissingVersion,
        "DocumentAlreadyExists" => Kind::Exists,
        "InvalidDocumentContent" | "InvalidDocumentSchemaVersion" => Kind::Content,
        "DuplicateDocumentContent" => Kind::Unchanged,
        "DocumentLimitExceeded" | "DocumentVersionLimitExceeded" | "MaxDocumentSizeExceeded" => Kind::Limit,
        "InvalidDocumentOperation" | "AssociatedInstances" => Kind::InUse,
        "TooManyUpdates" => Kind::Busy,
        _ => Kind::Call,
    };
    DocumentError { kind, source }
}

fn empty(operation: &'static str) -> Failure {
    let source = ApiError {
        operation,
        kind: ApiErrorKind::Service,
        code: None,
        message: "The answer holds no document.".to_owned(),
        request_id: None,
        never_sent: false,
    };
    DocumentError { kind: DocumentErrorKind::Call, source }
}

/// Partition of a Region, by the beginning of its name.
fn partition(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("eusc-", "aws-eusc"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
    ];
    PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_follow_the_region() {
        for (region, name) in [
            ("eu-central-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-isob-east-1", "aws-iso-b"),
            ("us-iso-east-1", "aws-iso"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(partition(region), name, "{region}");
        }
    }
}
