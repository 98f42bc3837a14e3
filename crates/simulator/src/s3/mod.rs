//! S3, as far as session logs need it: GetObject with ranges, HeadObject and ListObjectsV2, with the bucket in the path.
//!
//! Objects are put by the simulated agents. Past sessions have their logs as well, in a bucket named after the account.

mod range;
mod store;
mod written;

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::http::auth::{Caller, authenticate};
use crate::http::failure::{ApiFailure, Dialect};
use crate::http::reply::{self, Body};
use crate::live::Ask;
use crate::shared::Shared;
use crate::world::past_log;
use range::Wanted;

pub(crate) use store::{Buckets, Found, Object};

/// Service name of its signatures.
pub(crate) const SERVICE: &str = "s3";

/// Keys of one page at most.
const MOST_KEYS: usize = 1000;

/// An operation with what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    what: What,
    bucket: String,
    key: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Get,
    Head,
    List,
    Other,
}

impl Operation {
    /// The operation of a request; `None` if it is not for S3.
    pub(crate) fn of(parts: &Parts) -> Option<Self> {
        if !crate::sigv4::names_service(parts, SERVICE) {
            return None;
        }
        let path = parts.uri.path().trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let decoded = |text: &str| crate::sigv4::decoded(text);
        let what = match (&parts.method, bucket.is_empty(), key.is_empty()) {
            (&Method::GET, false, false) => What::Get,
            (&Method::HEAD, false, false) => What::Head,
            (&Method::GET, false, true) if crate::sigv4::query_value(parts, "list-type").is_some() => {
                What::List
            }
            _ => What::Other,
        };
        Some(Self { what, bucket: decoded(bucket), key: decoded(key) })
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.what {
            What::Get => "GetObject",
            What::Head => "HeadObject",
            What::List => "ListObjectsV2",
            What::Other => "unknown",
        }
    }

    /// Answers it.
    pub(crate) fn answer(
        &self,
        shared: &Arc<Shared>,
        refusal: Option<ApiFailure>,
        parts: &Parts,
        body: &Bytes,
    ) -> Response<Body> {
        let request_id = reply::request_id();
        let answered =
            authenticate(shared, Dialect::S3, SERVICE, parts, body).and_then(|caller| match refusal {
                Some(failure) => Err(failure),
                None => self.perform(shared, &caller, parts),
            });
        let mut response = answered.unwrap_or_else(|failure| {
            let text = match self.what {
                // The answer to HEAD has no body, whatever it is.
                What::Head => String::new(),
                _ => Dialect::S3.error_body(&failure, &request_id),
            };
            reply::plain(failure.status, Dialect::S3.content_type(), text)
        });
        set(&mut response, "x-amz-request-id", &request_id);
        response
    }

    fn perform(&self, shared: &Shared, caller: &Caller, parts: &Parts) -> Result<Response<Body>, ApiFailure> {
        match self.what {
            What::Get | What::Head => self.object(shared, caller, parts),
            What::List => self.list(shared, caller, parts),
            What::Other => Err(ApiFailure::new(
                "NotImplemented",
                "A header you provided implies functionality that is not implemented",
            )
            .with_status(StatusCode::NOT_IMPLEMENTED)),
        }
    }

    fn object(&self, shared: &Shared, caller: &Caller, parts: &Parts) -> Result<Response<Body>, ApiFailure> {
        let resource = format!("arn:aws:s3:::{}/{}", self.bucket, self.key);
        permit(shared, caller, "s3:GetObject", resource)?;
        let found = match shared.buckets.find(&self.bucket, &self.key) {
            Found::Object(object) => Found::Object(object),
            other => past_log::object(shared, caller.account, &self.bucket, &self.key).unwrap_or(other),
        };
        let object = match found {
            Found::NoBucket => return Err(no_bucket(&self.bucket)),
            Found::NoKey => {
                // Who may not list a bucket is not told what is missing in it.
                permit(shared, caller, "s3:ListBucket", format!("arn:aws:s3:::{}", self.bucket))?;
                return Err(ApiFailure::new("NoSuchKey", "The specified key does not exist.")
                    .with_status(StatusCode::NOT_FOUND));
            }
            Found::Object(object) => object,
        };
        self.own(shared, caller)?;
        let length = object.bytes.len();
        let asked = parts.headers.get(http::header::RANGE).and_then(|value| value.to_str().ok());
        let wanted = Wanted::read(asked, length).ok_or_else(|| {
            ApiFailure::new("InvalidRange", "The requested range is not satisfiable")
                .with_status(StatusCode::RANGE_NOT_SATISFIABLE)
        })?;
        let slice = Bytes::copy_from_slice(&object.bytes[wanted.from..wanted.to]);
        let status = if wanted.is_part { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
        let size = slice.len().to_string();
        let body = if self.what == What::Head { Bytes::new() } else { slice };
        let mut response = reply::plain(status, "binary/octet-stream", body);
        set(&mut response, "accept-ranges", "bytes");
        set(&mut response, "etag", &format!("\"{}\"", object.etag));
        set(&mut response, "last-modified", &written::http_date(object.modified_ms));
        set(&mut response, "x-amz-server-side-encryption", "AES256");
        if self.what == What::Head {
            set(&mut response, "content-length", &size);
        }
        if wanted.is_part {
            let range = format!("bytes {}-{}/{length}", wanted.from, wanted.to.saturating_sub(1));
            set(&mut response, "content-range", &range);
        }
        Ok(response)
    }

    fn list(&self, shared: &Shared, caller: &Caller, parts: &Parts) -> Result<Response<Body>, ApiFailure> {
        permit(shared, caller, "s3:ListBucket", format!("arn:aws:s3:::{}", self.bucket))?;
        if shared.buckets.home(&self.bucket).is_none() {
            return Err(no_bucket(&self.bucket));
        }
        self.own(shared, caller)?;
        let value = |name: &str| crate::sigv4::query_value(parts, name);
        let prefix = value("prefix").unwrap_or_default();
        let most = value("max-keys").and_then(|most| most.parse().ok()).unwrap_or(MOST_KEYS).min(MOST_KEYS);
        let after = value("continuation-token").or_else(|| value("start-after")).unwrap_or_default();
        let mut found = shared.buckets.list(&self.bucket, &prefix, &after, most + 1);
        let more = found.len() > most;
        found.truncate(most);
        let text = written::listing(&self.bucket, &prefix, most, &found, more);
        Ok(reply::plain(StatusCode::OK, Dialect::S3.content_type(), text))
    }

    /// Buckets of other accounts are closed.
    fn own(&self, shared: &Shared, caller: &Caller) -> Result<(), ApiFailure> {
        match shared.buckets.home(&self.bucket) {
            Some((account, _)) if account != caller.account => Err(denied("Access Denied")),
            _ => Ok(()),
        }
    }
}

fn set(response: &mut Response<Body>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

fn permit(shared: &Shared, caller: &Caller, action: &str, resource: String) -> Result<(), ApiFailure> {
    let ask = Ask { action, resource, named: true };
    match shared.refusal(caller.account(shared), &[ask]) {
        Some(text) => Err(denied(&text)),
        None => Ok(()),
    }
}

fn denied(text: &str) -> ApiFailure {
    ApiFailure::new("AccessDenied", text).with_status(StatusCode::FORBIDDEN)
}

fn no_bucket(bucket: &str) -> ApiFailure {
    ApiFailure::new("NoSuchBucket", format!("The specified bucket does not exist: {bucket}"))
        .with_status(StatusCode::NOT_FOUND)
}
