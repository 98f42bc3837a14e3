//! EC2 GetPasswordData (aws-security-reliability.md A.8): empty until a test or a world gives the node a password.

use super::{check_id, not_found};
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::shared::Shared;
use crate::world::node::Kind;
use crate::xml::element;

/// The id a request is about.
pub(super) fn instance_id(form: &[(String, String)]) -> Result<String, ApiFailure> {
    let mut wanted = None;
    for (key, value) in form {
        match key.as_str() {
            "InstanceId" => wanted = Some(value.clone()),
            "Action" | "Version" | "DryRun" => {}
            _ => {
                let text = format!("The parameter {key} is not recognized");
                return Err(ApiFailure::new("UnknownParameter", text));
            }
        }
    }
    let missing = || ApiFailure::new("MissingParameter", "The request must contain the parameter InstanceId");
    let id = wanted.ok_or_else(missing)?;
    check_id(&id)?;
    Ok(id)
}

/// The answer, with the data in lines of 76 characters as EC2 sends them.
pub(super) fn answer(
    shared: &Shared,
    caller: &Caller,
    instance_id: &str,
    request_id: &str,
) -> Result<String, ApiFailure> {
    let account = caller.account(shared);
    let node = account
        .find(&caller.region, instance_id)
        .filter(|node| node.kind == Kind::Ec2)
        .ok_or_else(|| not_found(instance_id))?;
    let data = shared.live.password_data(&node.id).unwrap_or_default();
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <GetPasswordDataResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">",
    );
    element(&mut out, "requestId", request_id);
    element(&mut out, "instanceId", instance_id);
    element(&mut out, "timestamp", &jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string());
    element(&mut out, "passwordData", &data);
    out.push_str("</GetPasswordDataResponse>");
    Ok(out)
}
