//! The registration tier: GetServiceSetting, UpdateServiceSetting, ResetServiceSetting (aws-security-reliability.md A.4).

use serde::Deserialize;
use serde_json::{Value, json};

use super::validation::Violations;
use super::{permit, seconds};
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::live::{Ask, Tier};
use crate::shared::Shared;
use crate::tiers::Change;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    setting_id: Option<String>,
    setting_value: Option<String>,
}

const TIER_SETTING: &str = "/ssm/managed-instance/activation-tier";

/// Hybrid nodes an account-Region on the standard tier may have.
const STANDARD_LIMIT: usize = 1_000;

pub(super) fn get(shared: &Shared, caller: &Caller, request: &Request) -> Result<Value, ApiFailure> {
    let arn = request.permitted(shared, caller, "ssm:GetServiceSetting", false)?;
    Ok(setting(shared, caller, &arn))
}

pub(super) fn update(shared: &Shared, caller: &Caller, request: &Request) -> Result<Value, ApiFailure> {
    request.permitted(shared, caller, "ssm:UpdateServiceSetting", true)?;
    let value = match request.setting_value.as_deref() {
        Some("standard") => Tier::Standard,
        Some("advanced") => Tier::Advanced,
        other => {
            let text = format!("The setting value {} is not valid.", other.unwrap_or_default());
            return Err(ApiFailure::new("ValidationException", text));
        }
    };
    change(shared, caller, value, true)?;
    Ok(json!({}))
}

pub(super) fn reset(shared: &Shared, caller: &Caller, request: &Request) -> Result<Value, ApiFailure> {
    let arn = request.permitted(shared, caller, "ssm:ResetServiceSetting", false)?;
    change(shared, caller, Tier::Standard, false)?;
    Ok(setting(shared, caller, &arn))
}

impl Request {
    /// The ARN of the setting, if the caller may do this to it and it exists.
    fn permitted(
        &self,
        shared: &Shared,
        caller: &Caller,
        action: &str,
        with_value: bool,
    ) -> Result<String, ApiFailure> {
        let mut violations = Violations::default();
        violations.required("settingId", self.setting_id.as_ref());
        violations.length("settingId", self.setting_id.as_deref(), 1, 1000);
        if with_value {
            violations.required("settingValue", self.setting_value.as_ref());
            violations.length("settingValue", self.setting_value.as_deref(), 1, 4096);
        }
        violations.check()?;
        let asked = self.setting_id.as_deref().unwrap_or_default();
        let prefix =
            format!("arn:aws:ssm:{}:{}:servicesetting", caller.region, caller.account(shared).plan.id);
        // Both the ARN and the path alone are in use.
        let path = asked.strip_prefix(&prefix).unwrap_or(asked);
        let arn = format!("{prefix}{path}");
        permit(shared, caller, &[Ask { action, resource: arn.clone(), named: true }])?;
        if path != TIER_SETTING {
            return Err(ApiFailure::new(
                "ServiceSettingNotFound",
                format!("ServiceSetting not found for setting id: {asked}"),
            ));
        }
        Ok(arn)
    }
}

fn change(shared: &Shared, caller: &Caller, value: Tier, customized: bool) -> Result<(), ApiFailure> {
    let account = caller.account(shared);
    let hybrid = account
        .nodes(&caller.region)
        .iter()
        .filter(|node| node.kind.is_hybrid() && shared.live.is_registered(&node.id));
    if value == Tier::Standard && hybrid.count() > STANDARD_LIMIT {
        // AWS documents the rule, not the words.
        return Err(ApiFailure::new(
            "ValidationException",
            "The standard-instances tier holds at most 1000 managed nodes; deregister nodes first.",
        ));
    }
    let change = Change {
        account_id: account.plan.id,
        region: &caller.region,
        value,
        customized,
        by: Some((account.caller_arn(), shared.now_ms())),
        settles_after: shared.config.tier_settles_after,
    };
    shared
        .live
        .change_tier(&shared.world, caller.account, change)
        .map_err(|_| ApiFailure::new("TooManyUpdates", "There are concurrent updates for a resource."))
}

fn setting(shared: &Shared, caller: &Caller, arn: &str) -> Value {
    let view = shared.live.tier_view(&shared.world, caller.account, &caller.region);
    let (user, changed_ms) = match view.changed {
        Some((user, at)) => (user, at),
        None => {
            let user =
                if view.customized { caller.account(shared).caller_arn() } else { "System".to_owned() };
            (user, shared.world.began_ms - 90 * 86_400_000)
        }
    };
    let status = match (view.pending, view.customized) {
        (true, _) => "PendingUpdate",
        (false, true) => "Customized",
        (false, false) => "Default",
    };
    json!({ "ServiceSetting": {
        "SettingId": TIER_SETTING,
        "SettingValue": view.value.as_str(),
        "LastModifiedDate": seconds(changed_ms),
        "LastModifiedUser": user,
        "ARN": arn,
        "Status": status,
    }})
}
