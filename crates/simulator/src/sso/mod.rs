//! IAM Identity Center: the sign-in (OIDC), its pages, and the portal (aws-security-reliability.md A.9). REST with JSON
//! bodies, told from the other services by paths.

mod oidc;
mod pages;
mod portal;
mod state;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::conditions::Refusal;
use crate::http::reply::{Body, plain};
use crate::shared::Shared;

pub use state::SignInAnswer;
pub(crate) use state::SignIns;

/// One operation, or one page for a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    RegisterClient,
    StartDeviceAuthorization,
    CreateToken,
    Authorize,
    Device,
    GetRoleCredentials,
    ListAccounts,
    ListAccountRoles,
    Logout,
}

impl Operation {
    /// What the path asks for, if anything of this service.
    pub(crate) fn of(parts: &Parts) -> Option<Self> {
        Some(match (&parts.method, parts.uri.path()) {
            (&Method::POST, "/client/register") => Self::RegisterClient,
            (&Method::POST, "/device_authorization") => Self::StartDeviceAuthorization,
            (&Method::POST, "/token") => Self::CreateToken,
            (&Method::GET, "/authorize") => Self::Authorize,
            (&Method::GET, "/device") => Self::Device,
            (&Method::GET, "/federation/credentials") => Self::GetRoleCredentials,
            (&Method::GET, "/assignment/accounts") => Self::ListAccounts,
            (&Method::GET, "/assignment/roles") => Self::ListAccountRoles,
            (&Method::POST, "/logout") => Self::Logout,
            _ => return None,
        })
    }

    /// As calls are counted and disturbed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RegisterClient => "RegisterClient",
            Self::StartDeviceAuthorization => "StartDeviceAuthorization",
            Self::CreateToken => "CreateToken",
            Self::Authorize => "Authorize",
            Self::Device => "Device",
            Self::GetRoleCredentials => "GetRoleCredentials",
            Self::ListAccounts => "ListAccounts",
            Self::ListAccountRoles => "ListAccountRoles",
            Self::Logout => "Logout",
        }
    }

    pub(crate) fn answer(
        self,
        shared: &Shared,
        refusal: Option<Refusal>,
        parts: &Parts,
        body: &Bytes,
    ) -> Response<Body> {
        let refused = match refusal {
            Some(Refusal::Failing(error)) => Some(Refused {
                status: StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                exception: error.code,
                error: "server_error",
                text: error.message,
            }),
            Some(Refusal::Throttled | Refusal::Upgrade(_)) => Some(
                Refused::new("TooManyRequestsException", "slow_down", "HTTP 429 Too Many Requests")
                    .with_status(StatusCode::TOO_MANY_REQUESTS),
            ),
            None => None,
        };
        let query = Query::of(parts);
        let result = match (refused, self) {
            (Some(refused), _) => Err(refused),
            (None, Self::Authorize) => return pages::authorize(&shared.sign_ins, &query, shared.now_ms()),
            (None, Self::Device) => return pages::device(&shared.sign_ins, &query, shared.now_ms()),
            (None, Self::RegisterClient) => oidc::register(shared, body),
            (None, Self::StartDeviceAuthorization) => oidc::start_device(shared, body),
            (None, Self::CreateToken) => oidc::create_token(shared, body),
            (None, Self::GetRoleCredentials) => portal::role_credentials(shared, parts, &query),
            (None, Self::ListAccounts) => portal::accounts(shared, parts, &query),
            (None, Self::ListAccountRoles) => portal::roles(shared, parts, &query),
            (None, Self::Logout) => portal::log_out(shared, parts),
        };
        match result {
            Ok(answer) => plain(StatusCode::OK, "application/json", answer.to_string()),
            Err(refused) => refused.reply(),
        }
    }
}

/// The members of a query; the first of several of one name counts.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    fn of(parts: &Parts) -> Self {
        let text = parts.uri.query().unwrap_or_default();
        let members = url::form_urlencoded::parse(text.as_bytes());
        Self(members.map(|(key, value)| (key.into_owned(), value.into_owned())).collect())
    }

    /// A member; an empty one counts as missing.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }

    /// The same query with one member more.
    pub(crate) fn with(&self, name: &str, value: &str) -> String {
        let members = self.0.iter().filter(|(key, _)| key != name);
        let mut out = url::form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(members).append_pair(name, value).finish()
    }
}

/// A refusal in the words of both protocols: `error` of OAuth, and the exception's name in a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    status: StatusCode,
    exception: String,
    error: &'static str,
    text: String,
}

impl Refused {
    fn new(exception: &str, error: &'static str, text: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            exception: exception.to_owned(),
            error,
            text: text.to_owned(),
        }
    }

    fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    fn reply(&self) -> Response<Body> {
        let body = json!({ "error": self.error, "error_description": self.text, "message": self.text });
        let mut response = plain(self.status, "application/json", body.to_string());
        if let Ok(name) = HeaderValue::from_str(&self.exception) {
            response.headers_mut().insert("x-amzn-errortype", name);
        }
        response
    }
}

type Answer = Result<Value, Refused>;
