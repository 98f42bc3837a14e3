//! STS: who calls, and temporary credentials with or without the code of an MFA device. AWS Query
//! (aws-security-reliability.md A.8).

mod device;
mod issue;
mod issued;

use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::shared::Shared;
use crate::xml::element;

pub(crate) use device::MfaDevices;
pub(crate) use issued::{Issued, Lookup};

/// API version that tells STS from EC2.
pub(crate) const VERSION: &str = "2011-06-15";
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// The members of a form.
pub(crate) struct Form<'a>(&'a [(String, String)]);

impl Form<'_> {
    /// A member; an empty one counts as missing.
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }
}

pub(crate) fn call(
    shared: &Shared,
    caller: &Caller,
    action: &str,
    form: &[(String, String)],
    request_id: &str,
) -> Result<String, ApiFailure> {
    let form = Form(form);
    let result = match action {
        "GetCallerIdentity" => identity(shared, caller),
        "AssumeRole" => issue::assume_role(shared, caller, &form)?,
        "GetSessionToken" => issue::session_token(shared, caller, &form)?,
        _ => {
            let text = format!("Could not find operation {action} for version {VERSION}");
            return Err(ApiFailure::new("InvalidAction", text));
        }
    };
    let mut out =
        format!("<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>");
    out.push_str("<ResponseMetadata>");
    element(&mut out, "RequestId", request_id);
    out.push_str(&format!("</ResponseMetadata></{action}Response>"));
    Ok(out)
}

fn identity(shared: &Shared, caller: &Caller) -> String {
    let account = caller.account(shared);
    let (arn, user_id) = match caller.as_user {
        true => (account.user_arn(), account.user_key.replacen("AKIA", "AIDA", 1)),
        false => (account.caller_arn(), account.user_id()),
    };
    let mut out = String::new();
    element(&mut out, "Arn", &arn);
    element(&mut out, "UserId", &user_id);
    element(&mut out, "Account", account.plan.id);
    out
}
