//! RegisterClient, StartDeviceAuthorization and CreateToken.

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::state::{CODE_S, Grant};
use super::{Answer, Refused};
use crate::shared::Shared;

/// Pause between polls that the service names, in seconds.
const INTERVAL_S: u32 = 1;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Register {
    client_name: String,
    client_type: String,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    grant_types: Vec<String>,
    issuer_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StartDevice {
    client_id: String,
    client_secret: String,
    start_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateToken {
    client_id: String,
    client_secret: String,
    grant_type: String,
    device_code: Option<String>,
    code: Option<String>,
    code_verifier: Option<String>,
    redirect_uri: Option<String>,
    refresh_token: Option<String>,
}

pub(super) fn register(shared: &Shared, body: &Bytes) -> Answer {
    let asked: Register = read(body)?;
    if asked.client_type != "public" || asked.client_name.is_empty() {
        return Err(invalid("The client type must be public, and the client must have a name"));
    }
    let by_code = asked.grant_types.iter().any(|grant| grant == "authorization_code");
    let callback = match asked.redirect_uris.as_slice() {
        [uri] if by_code && asked.issuer_url.is_some() => Some(uri.clone()),
        [] if !by_code => None,
        _ => return Err(invalid("An authorization code needs one redirect URI and the issuer URL")),
    };
    // Without scopes there is no refresh token: the older form of the configuration.
    let refreshes = !asked.scopes.is_empty()
        && (asked.grant_types.is_empty() || asked.grant_types.iter().any(|grant| grant == "refresh_token"));
    let client = shared.sign_ins.register(callback, refreshes, shared.now_ms());
    Ok(json!({
        "clientId": client.id,
        "clientSecret": client.secret,
        "clientIdIssuedAt": shared.now_ms() / 1_000,
        "clientSecretExpiresAt": client.expires_ms / 1_000,
    }))
}

pub(super) fn start_device(shared: &Shared, body: &Bytes) -> Answer {
    let asked: StartDevice = read(body)?;
    if asked.start_url.is_empty() {
        return Err(invalid("The start URL is missing"));
    }
    let device = shared.sign_ins.start_device(&asked.client_id, &asked.client_secret, shared.now_ms())?;
    let page = format!("{}/device", shared.endpoint());
    Ok(json!({
        "deviceCode": device.code,
        "userCode": device.user_code,
        "verificationUri": page,
        "verificationUriComplete": format!("{page}?user_code={}", device.user_code),
        "expiresIn": CODE_S,
        "interval": INTERVAL_S,
    }))
}

pub(super) fn create_token(shared: &Shared, body: &Bytes) -> Answer {
    let asked: CreateToken = read(body)?;
    let missing = || invalid("A member of the request is missing");
    let grant = match asked.grant_type.as_str() {
        "urn:ietf:params:oauth:grant-type:device_code" => {
            Grant::Device(asked.device_code.as_deref().ok_or_else(missing)?)
        }
        "authorization_code" => Grant::Code {
            code: asked.code.as_deref().ok_or_else(missing)?,
            verifier: asked.code_verifier.as_deref().ok_or_else(missing)?,
            redirect_uri: asked.redirect_uri.as_deref().ok_or_else(missing)?,
        },
        "refresh_token" => Grant::Refresh(asked.refresh_token.as_deref().ok_or_else(missing)?),
        _ => {
            let text = "The grant type is not supported";
            return Err(Refused::new("UnsupportedGrantTypeException", "unsupported_grant_type", text));
        }
    };
    let token =
        shared.sign_ins.create_token(&asked.client_id, &asked.client_secret, grant, shared.now_ms())?;
    let mut answer = json!({ "accessToken": token.access, "expiresIn": token.life_s, "tokenType": "Bearer" });
    if let Some(refresh) = token.refresh {
        answer["refreshToken"] = refresh.into();
    }
    Ok(answer)
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| invalid(&error.to_string()))
}

fn invalid(text: &str) -> Refused {
    Refused::new("InvalidRequestException", "invalid_request", text)
}
