//! The WebSocket upgrade of a data channel: who may open it, and the switch of protocols.

use std::sync::Arc;

use http::header::{
    CONNECTION, HeaderMap, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::socket;
use crate::conditions::{self, Refusal, UpgradeRefusal};
use crate::config::UpgradeSigning;
use crate::http::auth::authenticate;
use crate::http::failure::Dialect;
use crate::http::reply::{Body, forbidden, plain};
use crate::http::route::AnswerLost;
use crate::http::wire::WireFaults;
use crate::live::Ask;
use crate::shared::Shared;
use crate::sigv4::{Claim, SignatureProblem};

/// What a WebSocket is for.
#[derive(Clone, Debug)]
pub(crate) enum Channel {
    /// A side of this session.
    Data(String),
    /// The agent of this node.
    Control(String),
}

impl Channel {
    /// The role its client asks for.
    fn role(&self) -> &'static str {
        match self {
            Self::Data(_) => "publish_subscribe",
            Self::Control(_) => "subscribe",
        }
    }
}

/// Answers an upgrade request. The token comes later, in the first message.
pub(crate) async fn upgrade(
    shared: &Arc<Shared>,
    mut request: Request<Incoming>,
    channel: Channel,
) -> Result<Response<Body>, AnswerLost> {
    let on_upgrade = hyper::upgrade::on(&mut request);
    let wire = request.extensions().get::<WireFaults>().cloned().unwrap_or_default();
    let (parts, _) = request.into_parts();
    shared.live.count(conditions::UPGRADE);
    shared.changed();
    let verdict = shared.live.judge(conditions::UPGRADE);
    let wait = verdict.before + verdict.after;
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    if verdict.answer_lost {
        return Err(AnswerLost);
    }
    let mut wrong_accept = false;
    match verdict.refusal {
        Some(Refusal::Upgrade(UpgradeRefusal::WrongAccept)) => wrong_accept = true,
        Some(Refusal::Upgrade(UpgradeRefusal::Noise)) => {
            wire.noise();
            return Ok(plain(StatusCode::BAD_GATEWAY, "text/plain", ""));
        }
        Some(refusal) => return Ok(refused(refusal)),
        None => {}
    }
    Ok(switch(shared, on_upgrade, wire, parts, channel, wrong_accept))
}

/// The refusal that was asked for.
fn refused(refusal: Refusal) -> Response<Body> {
    let status = match refusal {
        Refusal::Upgrade(UpgradeRefusal::Status(status)) => status,
        Refusal::Upgrade(_) => {
            let page =
                "<!doctype html><title>Welcome</title><p>Please accept the terms of use of this network.";
            return plain(StatusCode::OK, "text/html", page);
        }
        Refusal::Failing(error) => error.status,
        Refusal::Throttled => 429,
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if matches!(status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED) {
        let mut response = forbidden("Forbidden.");
        *response.status_mut() = status;
        return response;
    }
    plain(status, "text/plain", status.canonical_reason().unwrap_or_default())
}

/// Checks the request and switches protocols.
fn switch(
    shared: &Arc<Shared>,
    on_upgrade: OnUpgrade,
    wire: WireFaults,
    parts: Parts,
    channel: Channel,
    wrong_accept: bool,
) -> Response<Body> {
    let Some(key) = websocket_key(&parts.method, &parts.headers) else {
        return plain(StatusCode::BAD_REQUEST, "text/plain", "A WebSocket upgrade was expected.");
    };
    let accept = derive_accept_key(if wrong_accept { b"another key" } else { key.as_bytes() });
    let role = channel.role();
    let asks = |query: &str| query.split('&').any(|pair| pair.strip_prefix("role=") == Some(role));
    if !parts.uri.query().is_some_and(asks) {
        return plain(StatusCode::BAD_REQUEST, "text/plain", format!("The role must be {role}."));
    }
    if let Err(message) = permitted(shared, &parts, &channel) {
        return forbidden(&message);
    }
    let Ok(place) = Arc::clone(&shared.sockets).try_acquire_owned() else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "Too many sockets are open.");
    };
    let task = {
        let shared = Arc::clone(shared);
        async move {
            match on_upgrade.await {
                Ok(upgraded) => socket::serve(shared, TokioIo::new(upgraded), wire, channel).await,
                Err(error) => tracing::debug!(%error, "upgrade failed"),
            }
            drop(place);
        }
    };
    shared.tasks.spawn(task);
    let mut response = plain(StatusCode::SWITCHING_PROTOCOLS, "text/plain", "");
    let headers = response.headers_mut();
    headers.remove(http::header::CONTENT_TYPE);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

fn websocket_key(method: &Method, headers: &HeaderMap) -> Option<String> {
    let has = |name, wanted: &str| {
        let values = headers.get_all(name);
        values.iter().any(|v| {
            let text = String::from_utf8_lossy(v.as_bytes()).to_ascii_lowercase();
            text.split(',').any(|part| part.trim() == wanted)
        })
    };
    let asked = *method == Method::GET
        && has(CONNECTION, "upgrade")
        && has(UPGRADE, "websocket")
        && has(SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| asked)?;
    key.to_str().ok().map(str::to_owned)
}

/// Verifies the signature if there is one, and that its account owns the session or node.
fn permitted(shared: &Shared, parts: &Parts, channel: &Channel) -> Result<(), String> {
    let unsigned = matches!(Claim::read(parts), Err(SignatureProblem::Missing));
    match (shared.config.upgrade_signing, unsigned) {
        (UpgradeSigning::Ignored, _) | (UpgradeSigning::Optional | UpgradeSigning::Forbidden, true) => {
            return Ok(());
        }
        (UpgradeSigning::Required, true) | (UpgradeSigning::Forbidden, false) => {
            return Err("Forbidden.".to_owned());
        }
        (UpgradeSigning::Optional | UpgradeSigning::Required, false) => {}
    }
    let caller = authenticate(shared, Dialect::Json, "ssmmessages", parts, b"").map_err(|f| f.message)?;
    let session_id = match channel {
        Channel::Data(session_id) => session_id,
        Channel::Control(node_id) => {
            let node = caller.account(shared).find(&caller.region, node_id);
            return node.map(|_| ()).ok_or_else(|| "Forbidden.".to_owned());
        }
    };
    let owned = shared
        .registry
        .account_of(session_id)
        // An unknown session is refused by its token, like any other wrong token.
        .is_none_or(|(account, region)| account == caller.account && region == caller.region);
    if !owned {
        return Err("Forbidden.".to_owned());
    }
    let account = caller.account(shared);
    let resource = format!("arn:aws:ssm:{}:{}:session/{session_id}", caller.region, account.plan.id);
    let ask = Ask { action: "ssmmessages:OpenDataChannel", resource, named: true };
    match shared.refusal(account, &[ask]) {
        Some(text) => Err(text),
        None => Ok(()),
    }
}
