//! AssumeRole and GetSessionToken. The roles of all accounts trust the users of all accounts, if they give the code of
//! their device, and each other's role sessions, as a chain of roles does.

use http::StatusCode;
use jiff::Timestamp;

use super::Form;
use super::issued::TemporaryKey;
use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::shared::Shared;
use crate::xml::element;

/// Life of credentials where the request says nothing, and what it may say, in seconds.
const ROLE_S: (i64, std::ops::RangeInclusive<i64>) = (3_600, 900..=43_200);
const USER_S: (i64, std::ops::RangeInclusive<i64>) = (43_200, 900..=129_600);

pub(super) fn assume_role(shared: &Shared, caller: &Caller, form: &Form<'_>) -> Result<String, ApiFailure> {
    let role_arn = form.get("RoleArn").ok_or_else(|| missing("roleArn"))?;
    let session_name = form.get("RoleSessionName").ok_or_else(|| missing("roleSessionName"))?;
    let sound = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !(2..=64).contains(&session_name.len()) || !session_name.chars().all(sound) {
        return Err(violation(&format!(
            "Value '{session_name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular \
             expression pattern: [\\w+=,.@-]*"
        )));
    }
    let seconds = duration(form, &ROLE_S)?;
    let role_of = |account: &crate::world::Account| {
        format!("arn:aws:iam::{}:role/{}", account.plan.id, account.plan.role)
    };
    let target = shared.world.accounts.iter().position(|account| role_of(account) == role_arn);
    let with_code = check_code(shared, caller, form)?;
    let trusted = with_code || !caller.as_user;
    let Some(target) = target.filter(|_| trusted) else {
        let who = caller.arn(shared);
        return Err(denied(format!(
            "User: {who} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        )));
    };
    let key = shared.issued.issue(target, false, seconds, shared.now_ms());
    let account = &shared.world.accounts[target];
    let mut out = String::new();
    credentials(&mut out, &key);
    out.push_str("<AssumedRoleUser>");
    element(&mut out, "Arn", &account.caller_arn());
    element(&mut out, "AssumedRoleId", &account.user_id());
    out.push_str("</AssumedRoleUser>");
    Ok(out)
}

pub(super) fn session_token(shared: &Shared, caller: &Caller, form: &Form<'_>) -> Result<String, ApiFailure> {
    if !caller.as_user {
        return Err(denied("Cannot call GetSessionToken with session credentials".to_owned()));
    }
    let seconds = duration(form, &USER_S)?;
    let with_code = check_code(shared, caller, form)?;
    let key = shared.issued.issue(caller.account, !with_code, seconds, shared.now_ms());
    let mut out = String::new();
    credentials(&mut out, &key);
    Ok(out)
}

/// Whether a good code of the caller's device came with the call.
fn check_code(shared: &Shared, caller: &Caller, form: &Form<'_>) -> Result<bool, ApiFailure> {
    let (serial, code) = match (form.get("SerialNumber"), form.get("TokenCode")) {
        (None, None) => return Ok(false),
        (Some(serial), Some(code)) => (serial, code),
        _ => {
            let text = "MultiFactorAuthentication requires both a serial number and a token code.";
            return Err(ApiFailure::new("ValidationError", text));
        }
    };
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(violation(&format!(
            "Value '{code}' at 'tokenCode' failed to satisfy constraint: Member must have length greater than or equal \
             to 6"
        )));
    }
    let account = caller.account(shared);
    if !caller.as_user || serial != account.device_arn() {
        return Err(denied(
            "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is \
             valid and associated with this user."
                .to_owned(),
        ));
    }
    let unix_s = u64::try_from(shared.now_ms() / 1_000).unwrap_or(0);
    if !shared.devices.take(caller.account, account.device_secret.as_bytes(), code, unix_s) {
        let text = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";
        return Err(denied(text.to_owned()));
    }
    Ok(true)
}

fn duration(
    form: &Form<'_>,
    (usual, allowed): &(i64, std::ops::RangeInclusive<i64>),
) -> Result<i64, ApiFailure> {
    match form.get("DurationSeconds").map(str::parse::<i64>) {
        None => Ok(*usual),
        Some(Ok(seconds)) if allowed.contains(&seconds) => Ok(seconds),
        Some(_) => Err(ApiFailure::new(
            "ValidationError",
            format!("DurationSeconds must be from {} to {}", allowed.start(), allowed.end()),
        )),
    }
}

fn credentials(out: &mut String, key: &TemporaryKey) {
    let end = Timestamp::from_millisecond(key.expires_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    out.push_str("<Credentials>");
    element(out, "AccessKeyId", &key.access_key);
    element(out, "SecretAccessKey", &key.secret_key);
    element(out, "SessionToken", &key.session_token);
    element(out, "Expiration", &end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    out.push_str("</Credentials>");
}

fn denied(text: String) -> ApiFailure {
    ApiFailure::new("AccessDenied", text).with_status(StatusCode::FORBIDDEN)
}

fn missing(member: &str) -> ApiFailure {
    violation(&format!("Value null at '{member}' failed to satisfy constraint: Member must not be null"))
}

fn violation(text: &str) -> ApiFailure {
    ApiFailure::new("ValidationError", format!("1 validation error detected: {text}"))
}
