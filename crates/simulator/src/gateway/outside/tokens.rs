//! The calls by which an agent gets its tokens (protocol.md 9.3): answered with 201 and XML, unlike any other call.

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use serde::Deserialize;

use super::Door;
use crate::http::auth::authenticate;
use crate::http::failure::Dialect;
use crate::http::reply::{Body, plain};
use crate::shared::Shared;

/// What tells a worker whose session is over to give up (protocol.md 2.5).
const OVER: &str = "Session is already terminated";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    message_schema_version: String,
    request_id: String,
}

/// Answers CreateControlChannel or CreateDataChannel.
pub(crate) fn answer(shared: &Shared, parts: &Parts, body: &Bytes, door: Door) -> Response<Body> {
    match grant(shared, parts, body, door) {
        Ok(xml) => plain(StatusCode::CREATED, "application/xml", xml),
        Err((status, name, message)) => {
            let message = quick_xml::escape::escape(&message);
            plain(status, "application/xml", format!("<{name}><Message>{message}</Message></{name}>"))
        }
    }
}

type Refusal = (StatusCode, String, String);

fn grant(shared: &Shared, parts: &Parts, body: &[u8], door: Door) -> Result<String, Refusal> {
    let invalid = |text: &str| (StatusCode::BAD_REQUEST, "ValidationException".to_owned(), text.to_owned());
    let caller = authenticate(shared, Dialect::Json, "ssmmessages", parts, body)
        .map_err(|failure| (StatusCode::FORBIDDEN, failure.code.to_string(), failure.message))?;
    let asked: Asked = serde_json::from_slice(body).map_err(|_| invalid("The request cannot be read."))?;
    if asked.message_schema_version != "1.0" || asked.request_id.is_empty() {
        return Err(invalid("MessageSchemaVersion must be 1.0, and there must be a RequestId."));
    }
    let denied = || {
        let text = format!("{} is not the agent of this.", caller.arn(shared));
        (StatusCode::FORBIDDEN, "AccessDeniedException".to_owned(), text)
    };
    match &door {
        Door::Control(node_id) => {
            let account = caller.account(shared);
            account
                .find(&caller.region, node_id)
                .filter(|node| shared.live.is_registered(&node.id))
                .ok_or_else(denied)?;
        }
        Door::Data(session_id) => {
            let owned = shared.registry.account_of(session_id).ok_or_else(denied)?;
            if owned != (caller.account, caller.region.clone()) {
                return Err(denied());
            }
            if shared.registry.relay(session_id).is_none() {
                return Err(invalid(OVER));
            }
        }
    }
    let token = shared.outside.grant(door, shared.config.token_ttl);
    Ok(format!(
        "<CreateChannelOutput><MessageSchemaVersion>1.0</MessageSchemaVersion>\
         <TokenValue>{}</TokenValue></CreateChannelOutput>",
        token.expose()
    ))
}
