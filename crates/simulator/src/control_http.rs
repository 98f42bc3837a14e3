//! The control handle over HTTP, for tests that run the simulator in another process. Served only when the
//! configuration asks for it, and only on loopback as everything here.
//!
//! `GET /_sim/sessions` and `GET /_sim/calls` answer with JSON. `POST /_sim/control` takes one action as a JSON object:
//! `{"action":"cut","session":"…"}`, without `session` for all; `bye`, `terminate` (`output`); `expire_tokens`;
//! `throttle` (`calls`); `expire_credentials` and `renew_credentials` (`account`); `tier` (`account`, `region`,
//! `tier`); `policies` (`account`, `identity`: a list of policies, `boundary`, `organization`); `no_policies` (`account`);
//! `deny` (`rule_action`, `resource`, `reason`); `allow_everything`; `disconnect`, `connect` and `stop`
//! (`node`).

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::{Control, ControlError};
use crate::http::reply::{Body, plain};
use crate::iam::{AccountPolicies, PolicyProblem};
use crate::live::Tier;
use crate::policy::{DenyReason, DenyRule};
use crate::registry::SessionView;
use crate::shared::Shared;

#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
enum Action {
    Cut {
        session: Option<String>,
    },
    Bye {
        session: String,
    },
    Terminate {
        session: String,
        #[serde(default)]
        output: String,
    },
    ExpireTokens {},
    Throttle {
        calls: u64,
    },
    ExpireCredentials {
        account: String,
    },
    RenewCredentials {
        account: String,
    },
    Tier {
        account: String,
        region: String,
        tier: String,
    },
    Deny {
        rule_action: String,
        resource: String,
        reason: String,
    },
    Policies {
        account: String,
        identity: Vec<Value>,
        boundary: Option<Value>,
        #[serde(default)]
        organization: Vec<Value>,
    },
    NoPolicies {
        account: String,
    },
    AllowEverything {},
    Disconnect {
        node: String,
    },
    Connect {
        node: String,
    },
    Stop {
        node: String,
    },
}

/// Answers a request below `/_sim/`.
pub(crate) async fn answer(shared: &Arc<Shared>, parts: &Parts, body: &Bytes) -> Response<Body> {
    if !is_local(parts) {
        return write(StatusCode::FORBIDDEN, &json!({ "error": "the host must be a loopback address" }));
    }
    let control = Control::new(Arc::clone(shared));
    match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/_sim/sessions") => {
            let sessions: Vec<Value> = control.sessions().iter().map(session).collect();
            write(StatusCode::OK, &json!({ "sessions": sessions }))
        }
        (&Method::GET, "/_sim/calls") => write(StatusCode::OK, &json!({ "calls": control.calls() })),
        // A page in a browser cannot send this content type to another origin without asking first.
        (&Method::POST, "/_sim/control") if is_json(parts) => match serde_json::from_slice(body) {
            Ok(action) => match perform(&control, action).await {
                Ok(done) => write(StatusCode::OK, &done),
                Err(message) => write(StatusCode::NOT_FOUND, &json!({ "error": message })),
            },
            Err(error) => write(StatusCode::BAD_REQUEST, &json!({ "error": error.to_string() })),
        },
        (&Method::POST, "/_sim/control") => write(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            &json!({ "error": "Content-Type must be application/json" }),
        ),
        _ => write(StatusCode::NOT_FOUND, &json!({ "error": "there is no such page" })),
    }
}

/// Whether the request names this computer. A page whose name was made to point here names something else.
fn is_local(parts: &Parts) -> bool {
    let host = parts.headers.get(http::header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let authority: Option<http::uri::Authority> = host.parse().ok();
    authority.is_some_and(|a| matches!(a.host(), "127.0.0.1" | "localhost" | "[::1]"))
}

fn is_json(parts: &Parts) -> bool {
    parts
        .headers
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|v| v.as_bytes().starts_with(b"application/json"))
}

async fn perform(control: &Control, action: Action) -> Result<Value, String> {
    let text = |error: ControlError| error.to_string();
    match action {
        Action::Cut { session: None } => {
            return Ok(json!({ "cut": control.cut_all_client_sockets().await }));
        }
        Action::Cut { session: Some(id) } => control.cut_client_socket(&id).await.map_err(text)?,
        Action::Bye { session } => control.say_bye(&session).await.map_err(text)?,
        Action::Terminate { session, output } => control.terminate(&session, &output).await.map_err(text)?,
        Action::ExpireTokens {} => control.expire_tokens(),
        Action::Throttle { calls } => control.throttle_next(calls),
        Action::ExpireCredentials { account } => {
            control.set_credentials_expired(&account, true).map_err(text)?
        }
        Action::RenewCredentials { account } => {
            control.set_credentials_expired(&account, false).map_err(text)?
        }
        Action::Tier { account, region, tier } => {
            let tier = match tier.as_str() {
                "standard" => Tier::Standard,
                "advanced" => Tier::Advanced,
                other => return Err(format!("no tier {other}")),
            };
            control.set_tier(&account, &region, tier).map_err(text)?;
        }
        Action::Deny { rule_action, resource, reason } => {
            let reason = DenyReason::from_name(&reason).ok_or_else(|| format!("no reason {reason}"))?;
            control.deny(DenyRule { action: rule_action, resource, reason });
        }
        Action::Policies { account, identity, boundary, organization } => {
            let policies =
                policies(&identity, boundary.as_ref(), &organization).map_err(|e| e.to_string())?;
            control.set_policies(&account, Some(policies)).map_err(text)?;
        }
        Action::NoPolicies { account } => control.set_policies(&account, None).map_err(text)?,
        Action::AllowEverything {} => control.allow_everything(),
        Action::Disconnect { node } => control.disconnect_node(&node).await.map_err(text)?,
        Action::Connect { node } => control.connect_node(&node).await.map_err(text)?,
        Action::Stop { node } => control.stop_node(&node).await.map_err(text)?,
    }
    Ok(json!({}))
}

fn policies(
    identity: &[Value],
    boundary: Option<&Value>,
    organization: &[Value],
) -> Result<AccountPolicies, PolicyProblem> {
    let mut policies = AccountPolicies::none();
    for policy in identity {
        policies = policies.with_identity(&policy.to_string())?;
    }
    if let Some(policy) = boundary {
        policies = policies.with_boundary(&policy.to_string())?;
    }
    for policy in organization {
        policies = policies.with_organization(&policy.to_string())?;
    }
    Ok(policies)
}

fn session(view: &SessionView) -> Value {
    json!({
        "session_id": view.session_id,
        "account_id": view.account_id,
        "region": view.region,
        "target": view.target,
        "status": view.status.as_str(),
        "owner": view.owner,
        "document": view.document,
        "reason": view.reason,
        "start_ms": view.start_ms,
        "end_ms": view.end_ms,
        "details": view.details,
        "client_sockets": view.client_sockets,
        "dropped_frames": view.dropped_frames,
    })
}

fn write(status: StatusCode, body: &Value) -> Response<Body> {
    plain(status, "application/json", body.to_string())
}
