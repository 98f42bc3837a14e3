//! ListDocuments and ListDocumentVersions.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::validation::Violations;
use super::super::{listing, permit, seconds};
use super::{SESSION, check_reference, reach};
use crate::documents::{Seen, lookup, managed};
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::shared::Shared;

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

/// The older form of a filter.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct OldFilter {
    key: Option<String>,
    value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::ssm) struct ListRequest {
    #[serde(default)]
    filters: Vec<Filter>,
    #[serde(default)]
    document_filter_list: Vec<OldFilter>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

const ACTION: &str = "ssm:ListDocuments";

pub(in crate::ssm) fn list(
    shared: &Shared,
    caller: &Caller,
    request: &ListRequest,
) -> Result<Value, ApiFailure> {
    permit(shared, caller, &[listing(shared, caller, ACTION)])?;
    let mut violations = Violations::default();
    violations.range("maxResults", request.max_results, 1, 50);
    if request.filters.len() > 6 {
        let given = format!("'{} filters'", request.filters.len());
        violations.add(&given, "filters", "Member must have length less than or equal to 6");
    }
    violations.check()?;
    let mut filters = Vec::new();
    for filter in &request.filters {
        filters.push(Wanted::read(filter.key.as_deref(), filter.values.clone())?);
    }
    for filter in &request.document_filter_list {
        filters.push(Wanted::read(filter.key.as_deref(), filter.value.iter().cloned().collect())?);
    }
    let scope = json!([ACTION, caller.account, caller.region, request.filters, request.document_filter_list]);
    let found: Vec<Seen> = visible(shared, caller)
        .into_iter()
        .filter(|seen| filters.iter().all(|filter| filter.accepts(shared, caller, seen)))
        .collect();
    page(
        shared,
        &scope.to_string(),
        ("DocumentIdentifiers", &found),
        request.max_results,
        request.next_token.as_deref(),
        identifier,
    )
}

/// A page of `items` under `name`; each is written by `write`.
fn page<T>(
    shared: &Shared,
    scope: &str,
    (name, items): (&str, &[T]),
    max_results: Option<i64>,
    token: Option<&str>,
    write: impl Fn(&T) -> Value,
) -> Result<Value, ApiFailure> {
    let first = match token.filter(|token| !token.is_empty()) {
        Some(token) => shared
            .pages
            .read(scope, token)
            .map_err(|_| ApiFailure::new("InvalidNextToken", "The specified token is not valid."))?,
        None => 0,
    };
    let first = usize::try_from(first).unwrap_or(usize::MAX);
    let size = max_results.and_then(|size| usize::try_from(size).ok()).unwrap_or(50);
    let shown: Vec<Value> = items.iter().skip(first).take(size).map(write).collect();
    let mut answer = json!({ name: shown });
    let end = first.saturating_add(size);
    if end < items.len() {
        answer["NextToken"] = json!(shared.pages.make(scope, end as u64));
    }
    Ok(answer)
}

/// All documents the caller can use: its own, those shared with it, the managed ones.
fn visible(shared: &Shared, caller: &Caller) -> Vec<Seen> {
    let id = caller.account(shared).plan.id;
    let mut all = shared.live.documents(|store| {
        let mut all = Vec::new();
        for account in 0..shared.world.accounts.len() {
            for (name, stored) in store.all(account, &caller.region) {
                if account == caller.account || stored.is_shared_with(id) {
                    all.extend(Seen::stored(shared, caller, account, name, stored));
                }
            }
        }
        all
    });
    all.extend(managed::all().iter().map(|managed| Seen::managed(caller, managed)));
    all
}

fn identifier(seen: &Seen) -> Value {
    let version = &seen.default;
    let mut value = json!({
        "Name": seen.name,
        "CreatedDate": seconds(version.created_ms),
        "Owner": seen.owner,
        "PlatformTypes": ["Windows", "Linux", "MacOS"],
        "DocumentVersion": version.number.to_string(),
        "DocumentType": SESSION,
        "SchemaVersion": "1.0",
        "DocumentFormat": version.format.as_str(),
        "Tags": [],
    });
    if let Some(name) = &version.name {
        value["VersionName"] = json!(name);
    }
    value
}

/// What a listing wants of a document: one of these values of a property.
struct Wanted {
    key: String,
    values: Vec<String>,
}

impl Wanted {
    fn read(key: Option<&str>, values: Vec<String>) -> Result<Self, ApiFailure> {
        let key = key.unwrap_or_default();
        let known = ["Owner", "Name", "PlatformTypes", "DocumentType", "TargetType", "SearchKeyword"];
        if !known.contains(&key) && !key.starts_with("tag:") {
            return Err(ApiFailure::new(
                "InvalidFilterKey",
                format!("The filter key {key} is not valid for this operation."),
            ));
        }
        Ok(Self { key: key.to_owned(), values })
    }

    fn accepts(&self, shared: &Shared, caller: &Caller, seen: &Seen) -> bool {
        let own = seen.owner == caller.account(shared).plan.id;
        let from_amazon = seen.owner == lookup::AMAZON;
        self.values.iter().any(|value| match (self.key.as_str(), value.as_str()) {
            ("Owner", "Self") => own,
            ("Owner", "Amazon") => from_amazon,
            ("Owner", "Private") => !own && !from_amazon,
            ("Owner", "All" | "Default") => true,
            ("Owner", "Public") => from_amazon,
            ("Name", prefix) => seen.name.starts_with(prefix),
            ("PlatformTypes", platform) => ["Windows", "Linux", "MacOS"].contains(&platform),
            ("DocumentType", kind) => kind == SESSION,
            ("SearchKeyword", word) => seen.name.to_lowercase().contains(&word.to_lowercase()),
            // No document here has a target type or tags.
            _ => false,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::ssm) struct VersionsRequest {
    name: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(in crate::ssm) fn versions(
    shared: &Shared,
    caller: &Caller,
    request: &VersionsRequest,
) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    check_reference(&mut violations, request.name.as_ref());
    violations.range("maxResults", request.max_results, 1, 50);
    violations.check()?;
    let name = request.name.as_deref().unwrap_or_default();
    let seen = reach(shared, caller, "ssm:ListDocumentVersions", name)?;
    let scope = json!(["ssm:ListDocumentVersions", caller.account, caller.region, seen.name]).to_string();
    page(
        shared,
        &scope,
        ("DocumentVersions", &seen.versions),
        request.max_results,
        request.next_token.as_deref(),
        |version| {
            let mut value = json!({
                "Name": seen.name,
                "DocumentVersion": version.number.to_string(),
                "CreatedDate": seconds(version.created_ms),
                "IsDefaultVersion": version.number == seen.default.number,
                "DocumentFormat": version.format.as_str(),
                "Status": "Active",
            });
            if let Some(name) = &version.name {
                value["VersionName"] = json!(name);
            }
            value
        },
    )
}
