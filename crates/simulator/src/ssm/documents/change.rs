//! CreateDocument, UpdateDocument, UpdateDocumentDefaultVersion, DeleteDocument.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::validation::Violations;
use super::{
    SESSION, arn_of, check_format, check_name, check_version, description, is_number, may, missing_version,
};
use crate::documents::store::MOST_BYTES;
use crate::documents::{self, DocumentFormat, NewContent, StoreRefusal, lookup};
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::shared::Shared;

/// Prefixes AWS keeps for itself, whatever their case.
const RESERVED: [&str; 3] = ["aws", "amazon", "amzn"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::ssm) struct CreateRequest {
    name: Option<String>,
    content: Option<String>,
    version_name: Option<String>,
    document_type: Option<String>,
    document_format: Option<String>,
}

pub(in crate::ssm) fn create(
    shared: &Shared,
    caller: &Caller,
    request: &CreateRequest,
) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    check_name(&mut violations, request.name.as_ref());
    check_content(&mut violations, request.content.as_ref());
    check_version_name(&mut violations, request.version_name.as_deref());
    check_format(&mut violations, request.document_format.as_deref());
    violations.check()?;
    let name = request.name.as_deref().unwrap_or_default();
    may(shared, caller, "ssm:CreateDocument", arn_of(shared, caller, name))?;
    if RESERVED.iter().any(|prefix| name.to_ascii_lowercase().starts_with(prefix)) {
        return Err(ApiFailure::new(
            "ValidationException",
            format!("Invalid document name {name}: its prefix is reserved."),
        ));
    }
    let kind = request.document_type.as_deref().unwrap_or("Command");
    let new = read(request.content.as_deref(), request.document_format.as_deref(), kind)?;
    let place = (caller.account, caller.region.as_str());
    let now_ms = shared.now_ms();
    let made = shared
        .live
        .documents(|store| store.create(place, name, new, request.version_name.clone(), now_ms).map(|_| ()));
    made.map_err(|refusal| refused(refusal, name))?;
    answer(shared, caller, name, "Creating")
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::ssm) struct UpdateRequest {
    name: Option<String>,
    content: Option<String>,
    version_name: Option<String>,
    document_version: Option<String>,
    document_format: Option<String>,
}

pub(in crate::ssm) fn update(
    shared: &Shared,
    caller: &Caller,
    request: &UpdateRequest,
) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    check_name(&mut violations, request.name.as_ref());
    check_content(&mut violations, request.content.as_ref());
    check_version_name(&mut violations, request.version_name.as_deref());
    check_version(&mut violations, request.document_version.as_deref());
    check_format(&mut violations, request.document_format.as_deref());
    violations.check()?;
    let name = request.name.as_deref().unwrap_or_default();
    may(shared, caller, "ssm:UpdateDocument", arn_of(shared, caller, name))?;
    let seen = own(shared, caller, name)?;
    // Only the latest version can be built upon.
    let latest = seen.latest.number.to_string();
    if !request.document_version.as_deref().is_some_and(|asked| asked == "$LATEST" || asked == latest) {
        return Err(missing_version());
    }
    let new = read(request.content.as_deref(), request.document_format.as_deref(), SESSION)?;
    let place = (caller.account, caller.region.as_str());
    let now_ms = shared.now_ms();
    let made = shared
        .live
        .documents(|store| store.update(place, name, new, request.version_name.clone(), now_ms).map(|_| ()));
    made.map_err(|refusal| refused(refusal, name))?;
    answer(shared, caller, name, "Updating")
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::ssm) struct DefaultRequest {
    name: Option<String>,
    document_version: Option<String>,
}

pub(in crate::ssm) fn set_default(
    shared: &Shared,
    caller: &Caller,
    request: &DefaultRequest,
) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    check_name(&mut violations, request.name.as_ref());
    violations.required("documentVersion", request.document_version.as_ref());
    violations.pattern("documentVersion", request.document_version.as_deref(), "^[1-9][0-9]*$", is_number);
    violations.check()?;
    let name = request.name.as_deref().unwrap_or_default();
    may(shared, caller, "ssm:UpdateDocumentDefaultVersion", arn_of(shared, caller, name))?;
    own(shared, caller, name)?;
    let number = request.document_version.as_deref().and_then(|number| number.parse().ok()).unwrap_or(0);
    let place = (caller.account, caller.region.as_str());
    let set = shared
        .live
        .documents(|store| store.set_default(place, name, number).map(|version| version.name.clone()));
    let version_name = set.map_err(|refusal| refused(refusal, name))?;
    let mut answer = json!({ "Name": name, "DefaultVersion": number.to_string() });
    if let Some(version_name) = version_name {
        answer["DefaultVersionName"] = json!(version_name);
    }
    Ok(json!({ "Description": answer }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::ssm) struct DeleteRequest {
    name: Option<String>,
    document_version: Option<String>,
}

pub(in crate::ssm) fn delete(
    shared: &Shared,
    caller: &Caller,
    request: &DeleteRequest,
) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    check_name(&mut violations, request.name.as_ref());
    check_version(&mut violations, request.document_version.as_deref());
    violations.check()?;
    let name = request.name.as_deref().unwrap_or_default();
    may(shared, caller, "ssm:DeleteDocument", arn_of(shared, caller, name))?;
    let seen = own(shared, caller, name)?;
    let number = match request.document_version.as_deref() {
        None => None,
        asked => Some(seen.version(asked).ok_or_else(missing_version)?.number),
    };
    let place = (caller.account, caller.region.as_str());
    shared
        .live
        .documents(|store| store.delete(place, name, number))
        .map_err(|refusal| refused(refusal, name))?;
    Ok(json!({}))
}

/// A document of the caller's own account: others cannot be changed.
pub(super) fn own(shared: &Shared, caller: &Caller, name: &str) -> Result<documents::Seen, ApiFailure> {
    lookup::find(shared, caller, name)
        .filter(|seen| seen.owner == caller.account(shared).plan.id)
        .ok_or_else(|| documents::unknown(name))
}

fn answer(shared: &Shared, caller: &Caller, name: &str, status: &str) -> Result<Value, ApiFailure> {
    let seen = own(shared, caller, name)?;
    Ok(json!({ "DocumentDescription": description(&seen, &seen.latest, status) }))
}

fn check_content(violations: &mut Violations, content: Option<&String>) {
    violations.required("content", content);
    violations.length("content", content.map(String::as_str), 1, usize::MAX);
}

fn check_version_name(violations: &mut Violations, name: Option<&str>) {
    violations.pattern("versionName", name, "^[a-zA-Z0-9_\\-.]{1,128}$", |name| {
        (1..=128).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    });
}

/// Reads a content as the service does before it keeps it.
fn read<'a>(
    content: Option<&'a str>,
    format: Option<&str>,
    kind: &str,
) -> Result<NewContent<'a>, ApiFailure> {
    let content = content.unwrap_or_default();
    if content.len() > MOST_BYTES {
        return Err(ApiFailure::new("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB."));
    }
    if kind != SESSION {
        return Err(ApiFailure::new(
            "InvalidDocumentContent",
            format!("This simulator keeps documents of type {SESSION} only, not of type {kind}."),
        ));
    }
    let format = format.map_or(Some(DocumentFormat::Json), DocumentFormat::from_wire_name);
    let Some(format) = format else {
        return Err(ApiFailure::new(
            "InvalidDocumentContent",
            "Session documents are written as JSON or YAML.",
        ));
    };
    NewContent::read(content, format).map_err(|problem| {
        let code =
            if problem.is_of_version { "InvalidDocumentSchemaVersion" } else { "InvalidDocumentContent" };
        ApiFailure::new(code, format!("The content of the document is not valid: {problem}."))
    })
}

/// A refusal of the store in the words of the service.
pub(super) fn refused(refusal: StoreRefusal, name: &str) -> ApiFailure {
    let of = |code: &'static str, text: String| ApiFailure::new(code, text);
    match refusal {
        StoreRefusal::Exists => {
            of("DocumentAlreadyExists", format!("Document with same name {name} already exists"))
        }
        StoreRefusal::Missing => documents::unknown(name),
        StoreRefusal::MissingVersion => missing_version(),
        StoreRefusal::Duplicate => of(
            "DuplicateDocumentContent",
            "The content of the document matches that of another version. Change it and try again."
                .to_owned(),
        ),
        StoreRefusal::DuplicateName => of(
            "DuplicateDocumentVersionName",
            "The version name has already been used in this document.".to_owned(),
        ),
        StoreRefusal::TooManyDocuments => {
            of("DocumentLimitExceeded", "You can have at most 500 documents.".to_owned())
        }
        StoreRefusal::TooManyVersions => of(
            "DocumentVersionLimitExceeded",
            "The document has too many versions. Delete one and try again.".to_owned(),
        ),
        StoreRefusal::InUse => of(
            "InvalidDocumentOperation",
            format!("{name} cannot be deleted: it is shared, or the version is its default."),
        ),
    }
}
