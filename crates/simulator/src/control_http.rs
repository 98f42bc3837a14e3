//! The control handle over HTTP, for tests that run the simulator in another process. Served only when the
//! configuration asks for it, and only on loopback as everything here.
//!
//! `GET /_sim/sessions` and `GET /_sim/calls` answer with JSON. `POST /_sim/control` takes one action as a JSON object:
//! `{"action":"cut","session":"…"}`. `GET /_sim/keys/NODE/USER` answers with the keys EC2 Instance Connect holds, one a
//! line, for an `AuthorizedKeysCommand`. Actions and their keys are those of scenarios (`scenario.rs`), times as in
//! `"1.5s"`.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::action::Action;
use crate::control::Control;
use crate::http::reply::{Body, plain};
use crate::registry::SessionView;
use crate::shared::Shared;

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
        (&Method::GET, path) if path.starts_with(KEYS_PATH) => keys(&control, &path[KEYS_PATH.len()..]),
        (&Method::GET, "/_sim/calls") => write(StatusCode::OK, &json!({ "calls": control.calls() })),
        // A page in a browser cannot send this content type to another origin without asking first.
        (&Method::POST, "/_sim/control") if is_json(parts) => match read(body) {
            Ok(action) => match action.perform(&control).await {
                Ok(done) => write(StatusCode::OK, &done),
                Err(error) => write(StatusCode::NOT_FOUND, &json!({ "error": error.to_string() })),
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

/// Where an SSH server asks for keys.
const KEYS_PATH: &str = "/_sim/keys/";

fn keys(control: &Control, place: &str) -> Response<Body> {
    let found = place.split_once('/').and_then(|(node, user)| control.pushed_keys(node, user).ok());
    match found {
        Some(keys) => {
            plain(StatusCode::OK, "text/plain", keys.iter().map(|key| format!("{key}\n")).collect::<String>())
        }
        None => write(StatusCode::NOT_FOUND, &json!({ "error": "there is no such node" })),
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

/// The action a request asks for.
fn read(body: &[u8]) -> Result<Action, serde_json::Error> {
    let mut fields: Map<String, Value> = serde_json::from_slice(body)?;
    let Some(Value::String(name)) = fields.remove("action") else {
        return Err(serde::de::Error::missing_field("action"));
    };
    Action::from_json(&name, Value::Object(fields))
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
