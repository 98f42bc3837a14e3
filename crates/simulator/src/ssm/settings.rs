//! GetServiceSetting: the registration tier (aws-security-reliability.md A.4).

use serde::Deserialize;
use serde_json::{Value, json};

use super::validation::Violations;
use super::{permit, seconds};
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::live::Ask;
use crate::shared::Shared;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    setting_id: Option<String>,
}

const TIER_SETTING: &str = "/ssm/managed-instance/activation-tier";

pub(super) fn get(shared: &Shared, caller: &Caller, request: &Request) -> Result<Value, ApiFailure> {
    let mut violations = Violations::default();
    violations.required("settingId", request.setting_id.as_ref());
    violations.length("settingId", request.setting_id.as_deref(), 1, 1000);
    violations.check()?;
    let asked = request.setting_id.as_deref().unwrap_or_default();
    let account = caller.account(shared);
    let prefix = format!("arn:aws:ssm:{}:{}:servicesetting", caller.region, account.plan.id);
    // Both the ARN and the path alone are in use.
    let path = asked.strip_prefix(&prefix).unwrap_or(asked);
    let arn = format!("{prefix}{path}");
    permit(shared, caller, &[Ask { action: "ssm:GetServiceSetting", resource: arn.clone(), named: true }])?;
    if path != TIER_SETTING {
        return Err(ApiFailure::new(
            "ServiceSettingNotFound",
            format!("ServiceSetting not found for setting id: {asked}"),
        ));
    }
    let (tier, customized) = shared.live.tier(&shared.world, caller.account, &caller.region);
    let user = if customized { account.caller_arn() } else { "System".to_owned() };
    Ok(json!({ "ServiceSetting": {
        "SettingId": TIER_SETTING,
        "SettingValue": tier.as_str(),
        "LastModifiedDate": seconds(shared.world.began_ms - 90 * 86_400_000),
        "LastModifiedUser": user,
        "ARN": arn,
        "Status": if customized { "Customized" } else { "Default" },
    }}))
}
