//! Building HTTP answers.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use uuid::Uuid;

use super::failure::{ApiFailure, Dialect};

/// The body of every answer.
pub(crate) type Body = Full<Bytes>;

/// Name of the header that carries the request id.
const REQUEST_ID_HEADER: &str = "x-amzn-requestid";

pub(crate) fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// The answer to an API call.
pub(crate) fn api(dialect: Dialect, request_id: &str, result: Result<String, ApiFailure>) -> Response<Body> {
    let (status, body) = match result {
        Ok(body) => (StatusCode::OK, body),
        Err(failure) => (failure.status, dialect.error_body(&failure, request_id)),
    };
    let mut response = plain(status, dialect.content_type(), body);
    if let Ok(value) = http::HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID_HEADER, value);
    }
    response
}

pub(crate) fn plain(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

/// The gateway's refusal, worded as the real one words it.
pub(crate) fn forbidden(message: &str) -> Response<Body> {
    let message = quick_xml::escape::escape(message);
    plain(
        StatusCode::FORBIDDEN,
        "application/xml",
        format!("<UnauthorizedRequest><message>{message}</message></UnauthorizedRequest>"),
    )
}
