//! Session documents: reading, changing and sharing them (aws-security-reliability.md A.6). Documents of other types are
//! not kept.

mod change;
mod list;
mod permission;

pub(super) use change::{create, delete, set_default, update};
pub(super) use list::{list, versions};
pub(super) use permission::{describe as describe_permission, modify as modify_permission};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::validation::Violations;
use super::{permit, seconds};
use crate::documents::{self, DocumentFormat, Seen, Version, lookup};
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::live::Ask;
use crate::shared::Shared;

/// The only type of document that is kept.
const SESSION: &str = "Session";
const REFERENCE_PATTERN: &str = "^[a-zA-Z0-9_\\-.:/]{3,128}$";
const NAME_PATTERN: &str = "^[a-zA-Z0-9_\\-.]{3,128}$";
const VERSION_PATTERN: &str = "([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)";

/// A name or ARN that refers to a document.
fn check_reference(violations: &mut Violations, name: Option<&String>) {
    violations.required("name", name);
    violations.pattern("name", name.map(String::as_str), REFERENCE_PATTERN, |name| {
        (3..=128).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b))
    });
}

/// The name of a document of one's own.
fn check_name(violations: &mut Violations, name: Option<&String>) {
    violations.required("name", name);
    violations.pattern("name", name.map(String::as_str), NAME_PATTERN, |name| {
        (3..=128).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    });
}

fn check_version(violations: &mut Violations, version: Option<&str>) {
    violations.pattern("documentVersion", version, VERSION_PATTERN, |version| {
        matches!(version, "$LATEST" | "$DEFAULT") || is_number(version)
    });
}

fn is_number(text: &str) -> bool {
    !text.starts_with('0') && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn check_format(violations: &mut Violations, format: Option<&str>) {
    violations.one_of("documentFormat", format, &["YAML", "TEXT", "JSON"]);
}

fn missing_version() -> ApiFailure {
    ApiFailure::new("InvalidDocumentVersion", "The document version is not valid or does not exist.")
}

/// Whether the caller may do `action` to a document of this ARN.
fn may(shared: &Shared, caller: &Caller, action: &str, arn: String) -> Result<(), ApiFailure> {
    permit(shared, caller, &[Ask { action, resource: arn, named: true }])
}

/// ARN of a document by the name or ARN in a request, whether it exists or not.
fn arn_of(shared: &Shared, caller: &Caller, name: &str) -> String {
    match lookup::find(shared, caller, name) {
        Some(seen) => seen.arn,
        None if name.starts_with("arn:") => name.to_owned(),
        None => format!("arn:aws:ssm:{}:{}:document/{name}", caller.region, caller.account(shared).plan.id),
    }
}

/// A document that the caller may do `action` to.
fn reach(shared: &Shared, caller: &Caller, action: &str, name: &str) -> Result<Seen, ApiFailure> {
    may(shared, caller, action, arn_of(shared, caller, name))?;
    lookup::find(shared, caller, name).ok_or_else(|| documents::unknown(name))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetRequest {
    name: Option<String>,
    document_version: Option<String>,
    document_format: Option<String>,
}

pub(super) fn get(shared: &Shared, caller: &Caller, request: &GetRequest) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    check_reference(&mut violations, request.name.as_ref());
    check_version(&mut violations, request.document_version.as_deref());
    check_format(&mut violations, request.document_format.as_deref());
    violations.check()?;
    let name = request.name.as_deref().unwrap_or_default();
    let seen = reach(shared, caller, "ssm:GetDocument", name)?;
    let version = seen.version(request.document_version.as_deref()).ok_or_else(missing_version)?;
    // Without a format JSON is meant, whatever the document was made of.
    let format = request.document_format.as_deref().and_then(DocumentFormat::from_wire_name);
    let format = format.unwrap_or(DocumentFormat::Json);
    let mut answer = json!({
        "Name": seen.name,
        "CreatedDate": seconds(version.created_ms),
        "DocumentVersion": version.number.to_string(),
        "Status": "Active",
        "Content": version.written_as(format),
        "DocumentType": SESSION,
        "DocumentFormat": format.as_str(),
    });
    if let Some(name) = &version.name {
        answer["VersionName"] = json!(name);
    }
    Ok(answer)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeRequest {
    name: Option<String>,
    document_version: Option<String>,
}

pub(super) fn describe(
    shared: &Shared,
    caller: &Caller,
    request: &DescribeRequest,
) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    check_reference(&mut violations, request.name.as_ref());
    check_version(&mut violations, request.document_version.as_deref());
    violations.check()?;
    let name = request.name.as_deref().unwrap_or_default();
    let seen = reach(shared, caller, "ssm:DescribeDocument", name)?;
    let version = seen.version(request.document_version.as_deref()).ok_or_else(missing_version)?;
    Ok(json!({ "Document": description(&seen, version, "Active") }))
}

/// A DocumentDescription of the API.
fn description(seen: &Seen, version: &Version, status: &str) -> Value {
    let mut value = json!({
        "Hash": version.hash,
        "HashType": "Sha256",
        "Name": seen.name,
        "Owner": seen.owner,
        "CreatedDate": seconds(version.created_ms),
        "Status": status,
        "DocumentVersion": version.number.to_string(),
        "Parameters": parameters(&version.value),
        "PlatformTypes": ["Windows", "Linux", "MacOS"],
        "DocumentType": SESSION,
        "SchemaVersion": "1.0",
        "LatestVersion": seen.latest.number.to_string(),
        "DefaultVersion": seen.default.number.to_string(),
        "DocumentFormat": version.format.as_str(),
        "Tags": [],
    });
    if let Some(text) = version.value.get("description").and_then(Value::as_str) {
        value["Description"] = json!(text);
    }
    if let Some(name) = &version.name {
        value["VersionName"] = json!(name);
    }
    value
}

fn parameters(document: &Value) -> Vec<Value> {
    let declared = document.get("parameters").and_then(Value::as_object);
    let write = |(name, declaration): (&String, &Value)| {
        let mut parameter = Map::new();
        parameter.insert("Name".to_owned(), json!(name));
        for (from, to) in [("type", "Type"), ("description", "Description"), ("default", "DefaultValue")] {
            match declaration.get(from) {
                Some(Value::String(text)) => drop(parameter.insert(to.to_owned(), json!(text))),
                Some(other) => drop(parameter.insert(to.to_owned(), json!(other.to_string()))),
                None => {}
            }
        }
        Value::Object(parameter)
    };
    declared.into_iter().flatten().map(write).collect()
}
