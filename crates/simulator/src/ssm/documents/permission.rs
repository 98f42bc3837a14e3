//! Sharing of documents: DescribeDocumentPermission and ModifyDocumentPermission.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::validation::Violations;
use super::change::own;
use super::{arn_of, check_name, may};
use crate::documents;
use crate::documents::store::MOST_ACCOUNTS;
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::shared::Shared;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::ssm) struct PermissionRequest {
    name: Option<String>,
    permission_type: Option<String>,
    #[serde(default)]
    account_ids_to_add: Vec<String>,
    #[serde(default)]
    account_ids_to_remove: Vec<String>,
}

impl PermissionRequest {
    fn checked(&self) -> Result<&str, ApiFailure> {
        let mut violations = Violations::default();
        check_name(&mut violations, self.name.as_ref());
        violations.required("permissionType", self.permission_type.as_ref());
        violations.one_of("permissionType", self.permission_type.as_deref(), &["Share"]);
        let ids = self.account_ids_to_add.iter().chain(&self.account_ids_to_remove);
        for id in ids {
            violations.pattern("accountIds", Some(id), "(?i)all|[0-9]{12}", |id| {
                id.eq_ignore_ascii_case("all") || (id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()))
            });
        }
        violations.check()?;
        Ok(self.name.as_deref().unwrap_or_default())
    }
}

pub(in crate::ssm) fn describe(
    shared: &Shared,
    caller: &Caller,
    request: &PermissionRequest,
) -> Result<Value, ApiFailure> {
    let name = request.checked()?;
    may(shared, caller, "ssm:DescribeDocumentPermission", arn_of(shared, caller, name))?;
    own(shared, caller, name)?;
    let ids: Vec<String> = shared.live.documents(|store| {
        let stored = store.get(caller.account, &caller.region, name);
        stored.map(|stored| stored.shared_with.iter().cloned().collect()).unwrap_or_default()
    });
    let shared_with: Vec<Value> =
        ids.iter().map(|id| json!({ "AccountId": id, "SharedDocumentVersion": "$DEFAULT" })).collect();
    Ok(json!({ "AccountIds": ids, "AccountSharingInfoList": shared_with }))
}

pub(in crate::ssm) fn modify(
    shared: &Shared,
    caller: &Caller,
    request: &PermissionRequest,
) -> Result<Value, ApiFailure> {
    let name = request.checked()?;
    may(shared, caller, "ssm:ModifyDocumentPermission", arn_of(shared, caller, name))?;
    own(shared, caller, name)?;
    shared.live.documents(|store| {
        let stored =
            store.get_mut(caller.account, &caller.region, name).ok_or_else(|| documents::unknown(name))?;
        let mut ids = stored.shared_with.clone();
        let lower = |id: &String| id.to_ascii_lowercase();
        ids.extend(request.account_ids_to_add.iter().map(lower));
        for id in &request.account_ids_to_remove {
            ids.remove(&lower(id));
        }
        if ids.len() > MOST_ACCOUNTS {
            return Err(ApiFailure::new(
                "DocumentPermissionLimit",
                "The document cannot be shared with more accounts.",
            ));
        }
        stored.shared_with = ids;
        Ok(json!({}))
    })
}
