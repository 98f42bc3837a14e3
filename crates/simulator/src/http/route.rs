//! Which part answers a request.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::auth::authenticate;
use super::failure::{ApiFailure, Dialect};
use super::reply::{self, Body};
use crate::control_http;
use crate::shared::Shared;
use crate::{ec2, gateway, ssm, sts};

/// Request bodies may have this many bytes.
const MAX_BODY: usize = 1024 * 1024;

/// Answers a request.
pub(crate) async fn route(shared: Arc<Shared>, request: Request<Incoming>) -> Response<Body> {
    if let Some(session_id) = request.uri().path().strip_prefix(gateway::DATA_CHANNEL_PATH) {
        let session_id = session_id.to_owned();
        return gateway::upgrade(&shared, request, &session_id);
    }
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            tracing::debug!(%error, "request body refused");
            let failure =
                ApiFailure::new("RequestEntityTooLargeException", "The request body is too large or broken.")
                    .with_status(StatusCode::PAYLOAD_TOO_LARGE);
            return reply::api(Dialect::Json, &reply::request_id(), Err(failure));
        }
    };
    if parts.uri.path().starts_with("/_sim/") && shared.config.enable_control_http {
        return control_http::answer(&shared, &parts, &body).await;
    }
    if !shared.config.latency.is_zero() {
        tokio::time::sleep(shared.config.latency).await;
    }
    if parts.uri.path() != "/" || !matches!(parts.method, Method::POST | Method::GET) {
        return reply::plain(StatusCode::NOT_FOUND, "text/plain", "There is no such page.");
    }
    let request_id = reply::request_id();
    let (dialect, result) = match parts.headers.get("x-amz-target") {
        Some(target) => {
            let target = String::from_utf8_lossy(target.as_bytes()).into_owned();
            (Dialect::Json, json_call(&shared, &target, &parts, &body).await)
        }
        None => query_call(&shared, &parts, &body, &request_id),
    };
    shared.changed();
    reply::api(dialect, &request_id, result)
}

async fn json_call(
    shared: &Arc<Shared>,
    target: &str,
    parts: &Parts,
    body: &Bytes,
) -> Result<String, ApiFailure> {
    let operation = target.strip_prefix(ssm::TARGET_PREFIX);
    shared.live.count(operation.unwrap_or("unknown"));
    let caller = authenticate(shared, Dialect::Json, "ssm", parts, body)?;
    let Some(operation) = operation else {
        return Err(ApiFailure::new("UnknownOperationException", ""));
    };
    if !shared.live.admit(caller.account, &caller.region, operation, shared.config.enforce_quotas) {
        return Err(ApiFailure::throttled());
    }
    ssm::call(shared, &caller, operation, body).await
}

/// EC2 and STS: a form names the action.
fn query_call(
    shared: &Shared,
    parts: &Parts,
    body: &Bytes,
    request_id: &str,
) -> (Dialect, Result<String, ApiFailure>) {
    let form =
        if parts.method == Method::GET { parts.uri.query().unwrap_or_default().as_bytes() } else { body };
    let form: Vec<(String, String)> =
        url::form_urlencoded::parse(form).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
    let value = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let action = value("Action");
    shared.live.count(if action.is_empty() { "unknown" } else { action });
    let (dialect, service) = match value("Version") {
        sts::VERSION => (Dialect::Query, "sts"),
        _ => (Dialect::Ec2, "ec2"),
    };
    let answer = || {
        let caller = authenticate(shared, dialect, service, parts, body)?;
        if !shared.live.admit(caller.account, &caller.region, action, shared.config.enforce_quotas) {
            return Err(match dialect {
                Dialect::Ec2 => ApiFailure::new("RequestLimitExceeded", "Request limit exceeded.")
                    .with_status(StatusCode::SERVICE_UNAVAILABLE),
                _ => ApiFailure::new("Throttling", "Rate exceeded"),
            });
        }
        match dialect {
            Dialect::Query => sts::call(shared, &caller, action, request_id),
            _ => ec2::call(shared, &caller, action, &form, request_id),
        }
    };
    (dialect, answer())
}
