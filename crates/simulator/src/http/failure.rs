//! A refused API call, and how each protocol writes it.

use std::borrow::Cow;

use http::StatusCode;

use crate::conditions::ApiError;

/// A failed API call, as the service would word it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiFailure {
    pub(crate) status: StatusCode,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
}

impl ApiFailure {
    /// A client error: HTTP 400.
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: code.into(), message: message.into() }
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Too many calls, as each service says it (aws-security-reliability.md A.7).
    pub(crate) fn throttled(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Json => Self::new("ThrottlingException", "Rate exceeded"),
            Dialect::Ec2 => Self::new("RequestLimitExceeded", "Request limit exceeded.")
                .with_status(StatusCode::SERVICE_UNAVAILABLE),
            Dialect::Query => Self::new("Throttling", "Rate exceeded"),
            Dialect::S3 => Self::new("SlowDown", "Please reduce your request rate.")
                .with_status(StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// A refusal that was asked for.
    pub(crate) fn imposed(error: ApiError) -> Self {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(error.code, error.message).with_status(status)
    }

    /// Constraint violations, worded as the service's validation words them.
    pub(crate) fn validation(violations: &[String]) -> Self {
        let count = violations.len();
        let plural = if count == 1 { "" } else { "s" };
        Self::new(
            "ValidationException",
            format!("{count} validation error{plural} detected: {}", violations.join("; ")),
        )
    }
}

/// How a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// AWS JSON 1.1: SSM.
    Json,
    /// EC2 Query.
    Ec2,
    /// AWS Query: STS.
    Query,
    /// REST with XML: S3.
    S3,
}

impl Dialect {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/x-amz-json-1.1",
            Self::Ec2 => "text/xml;charset=UTF-8",
            Self::Query => "text/xml",
            Self::S3 => "application/xml",
        }
    }

    pub(crate) fn error_body(self, failure: &ApiFailure, request_id: &str) -> String {
        let message = quick_xml::escape::escape(&failure.message);
        let code = quick_xml::escape::escape(&*failure.code);
        match self {
            Self::Json => {
                serde_json::json!({ "__type": failure.code, "message": failure.message }).to_string()
            }
            Self::Ec2 => format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code>\
                 <Message>{message}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
            ),
            Self::S3 => format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
                 <RequestId>{request_id}</RequestId></Error>"
            ),
            Self::Query => {
                let kind = if failure.status.is_server_error() { "Receiver" } else { "Sender" };
                format!(
                    "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>{kind}</Type>\
                     <Code>{code}</Code><Message>{message}</Message></Error><RequestId>{request_id}</RequestId>\
                     </ErrorResponse>"
                )
            }
        }
    }
}
