//! What a sign-in opens: accounts, roles, and the credentials of a role.

use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};

use super::{Answer, Query, Refused};
use crate::shared::Shared;

/// Header of the access token.
const BEARER: &str = "x-amz-sso_bearer_token";
/// Life of role credentials.
const CREDENTIALS_MS: i64 = 3_600_000;

pub(super) fn accounts(shared: &Shared, parts: &Parts, query: &Query) -> Answer {
    bearer(shared, parts)?;
    let accounts: Vec<Value> = shared
        .world
        .accounts
        .iter()
        .map(|account| {
            let name = account.plan.name;
            json!({ "accountId": account.plan.id, "accountName": name,
                    "emailAddress": format!("aws+{name}@example.com") })
        })
        .collect();
    page("accountList", &accounts, query)
}

pub(super) fn roles(shared: &Shared, parts: &Parts, query: &Query) -> Answer {
    bearer(shared, parts)?;
    let id = query.get("account_id").ok_or_else(missing)?;
    let Some(account) = shared.world.accounts.iter().find(|account| account.plan.id == id) else {
        return Err(no_access());
    };
    let roles = [json!({ "accountId": id, "roleName": account.plan.role })];
    page("roleList", &roles, query)
}

pub(super) fn role_credentials(shared: &Shared, parts: &Parts, query: &Query) -> Answer {
    bearer(shared, parts)?;
    let (id, role) =
        (query.get("account_id").ok_or_else(missing)?, query.get("role_name").ok_or_else(missing)?);
    let assigned = |account: &&crate::world::Account| account.plan.id == id && account.plan.role == role;
    let account = shared.world.accounts.iter().find(assigned).ok_or_else(no_access)?;
    Ok(json!({ "roleCredentials": {
        "accessKeyId": account.access_key,
        "secretAccessKey": account.secret_key,
        "sessionToken": account.session_token,
        // Milliseconds, unlike everywhere else.
        "expiration": shared.now_ms().saturating_add(CREDENTIALS_MS),
    } }))
}

pub(super) fn log_out(shared: &Shared, parts: &Parts) -> Answer {
    shared.sign_ins.log_out(bearer(shared, parts)?);
    Ok(json!({}))
}

fn page(name: &str, items: &[Value], query: &Query) -> Answer {
    let size = match query.get("max_result").map(str::parse::<usize>) {
        None => 20,
        Some(Ok(size)) if (1..=100).contains(&size) => size,
        Some(_) => return Err(invalid("max_result must be a number from 1 to 100")),
    };
    let start = match query.get("next_token").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(start)) if start <= items.len() => start,
        Some(_) => return Err(invalid("The next token is not valid")),
    };
    let end = (start + size).min(items.len());
    let mut answer = json!({ name: items[start..end] });
    if end < items.len() {
        answer["nextToken"] = end.to_string().into();
    }
    Ok(answer)
}

fn bearer<'a>(shared: &Shared, parts: &'a Parts) -> Result<&'a str, Refused> {
    let token = parts.headers.get(BEARER).and_then(|value| value.to_str().ok());
    token.filter(|token| shared.sign_ins.is_good(token, shared.now_ms())).ok_or_else(|| {
        Refused::new("UnauthorizedException", "invalid_token", "Session token not found or invalid")
            .with_status(StatusCode::UNAUTHORIZED)
    })
}

fn no_access() -> Refused {
    Refused::new("ForbiddenException", "access_denied", "No access").with_status(StatusCode::FORBIDDEN)
}

fn missing() -> Refused {
    invalid("A member of the request is missing")
}

fn invalid(text: &str) -> Refused {
    Refused::new("InvalidRequestException", "invalid_request", text)
}
