//! STS GetCallerIdentity: AWS Query (aws-security-reliability.md A.8).

use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::shared::Shared;
use crate::xml::element;

/// API version that tells STS from EC2.
pub(crate) const VERSION: &str = "2011-06-15";

pub(crate) fn call(
    shared: &Shared,
    caller: &Caller,
    action: &str,
    request_id: &str,
) -> Result<String, ApiFailure> {
    if action != "GetCallerIdentity" {
        return Err(ApiFailure::new(
            "InvalidAction",
            format!("Could not find operation {action} for version {VERSION}"),
        ));
    }
    let account = caller.account(shared);
    let mut out = String::new();
    out.push_str("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>");
    element(&mut out, "Arn", &account.caller_arn());
    element(&mut out, "UserId", &account.user_id());
    element(&mut out, "Account", account.plan.id);
    out.push_str("</GetCallerIdentityResult><ResponseMetadata>");
    element(&mut out, "RequestId", request_id);
    out.push_str("</ResponseMetadata></GetCallerIdentityResponse>");
    Ok(out)
}
