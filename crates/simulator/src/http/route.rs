//! Which part answers a request.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;

use super::auth::authenticate;
use super::failure::{ApiFailure, Dialect};
use super::reply::{self, Body};
use crate::conditions::Refusal;
use crate::control_http;
use crate::gateway::Channel;
use crate::gateway::outside::{self, Door};
use crate::shared::Shared;
use crate::{ec2, gateway, instance_connect, kms, logs, s3, ssm, sso, sts, trail};

/// Request bodies may have this many bytes.
const MAX_BODY: usize = 1024 * 1024;

/// The connection is to end without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer was lost on purpose")]
pub(crate) struct AnswerLost;

/// Answers a request.
pub(crate) async fn route(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Body>, AnswerLost> {
    let channel = channel_of(request.uri().path());
    if let Some(channel) = channel.clone().filter(|_| request.method() != Method::POST) {
        return gateway::upgrade(&shared, request, channel).await;
    }
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            tracing::debug!(%error, "request body refused");
            let failure =
                ApiFailure::new("RequestEntityTooLargeException", "The request body is too large or broken.")
                    .with_status(StatusCode::PAYLOAD_TOO_LARGE);
            return Ok(reply::api(Dialect::Json, &reply::request_id(), Err(failure)));
        }
    };
    if let Some(channel) = channel {
        let (operation, door) = match channel {
            Channel::Control(node_id) => ("CreateControlChannel", Door::Control(node_id)),
            Channel::Data(session_id) => ("CreateDataChannel", Door::Data(session_id)),
        };
        shared.live.count(operation);
        let answer = outside::tokens::answer(&shared, &parts, &body, door);
        shared.changed();
        return Ok(answer);
    }
    if parts.uri.path().starts_with("/_sim/") && shared.config.enable_control_http {
        return Ok(control_http::answer(&shared, &parts, &body).await);
    }
    if let Some(operation) = sso::Operation::of(&parts) {
        shared.live.count(operation.name());
        let verdict = shared.live.judge(operation.name());
        wait(shared.config.latency + verdict.before).await;
        let answer = operation.answer(&shared, verdict.refusal, &parts, &body);
        shared.changed();
        wait(verdict.after).await;
        return if verdict.answer_lost { Err(AnswerLost) } else { Ok(answer) };
    }
    if let Some(operation) = s3::Operation::of(&parts) {
        shared.live.count(operation.name());
        let verdict = shared.live.judge(operation.name());
        wait(shared.config.latency + verdict.before).await;
        let refusal = verdict.refusal.map(|refusal| refused(refusal, Dialect::S3));
        let answer = operation.answer(&shared, refusal, &parts, &body);
        shared.changed();
        wait(verdict.after).await;
        return if verdict.answer_lost { Err(AnswerLost) } else { Ok(answer) };
    }
    if parts.uri.path() != "/" || !matches!(parts.method, Method::POST | Method::GET) {
        return Ok(reply::plain(StatusCode::NOT_FOUND, "text/plain", "There is no such page."));
    }
    let call = Call::read(&parts, &body);
    shared.live.count(call.operation.as_deref().unwrap_or("unknown"));
    let verdict = shared.live.judge(call.operation.as_deref().unwrap_or_default());
    wait(shared.config.latency + verdict.before).await;
    let request_id = reply::request_id();
    let result = call.answer(&shared, verdict.refusal, &parts, &body, &request_id).await;
    shared.changed();
    wait(verdict.after).await;
    if verdict.answer_lost {
        return Err(AnswerLost);
    }
    Ok(reply::api(call.dialect, &request_id, result))
}

/// The channel a path names.
fn channel_of(path: &str) -> Option<Channel> {
    if let Some(session_id) = path.strip_prefix(gateway::DATA_CHANNEL_PATH) {
        return Some(Channel::Data(session_id.to_owned()));
    }
    path.strip_prefix(outside::CONTROL_CHANNEL_PATH).map(|node_id| Channel::Control(node_id.to_owned()))
}

async fn wait(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// A refusal that was asked for, in the service's words.
fn refused(refusal: Refusal, dialect: Dialect) -> ApiFailure {
    match refusal {
        Refusal::Failing(error) => ApiFailure::imposed(error),
        Refusal::Throttled | Refusal::Upgrade(_) => ApiFailure::throttled(dialect),
    }
}

/// What is called, as far as it can be told before anything is checked.
struct Call {
    dialect: Dialect,
    service: &'static str,
    /// `None` if the service has no such name.
    operation: Option<String>,
    /// Of the query protocols.
    form: Vec<(String, String)>,
}

impl Call {
    fn read(parts: &Parts, body: &Bytes) -> Self {
        if let Some(target) = parts.headers.get("x-amz-target") {
            let target = String::from_utf8_lossy(target.as_bytes());
            let services = [
                (kms::TARGET_PREFIX, "kms"),
                (logs::TARGET_PREFIX, "logs"),
                (instance_connect::TARGET_PREFIX, instance_connect::SERVICE),
                (trail::TARGET_PREFIXES[0], "cloudtrail"),
                (trail::TARGET_PREFIXES[1], "cloudtrail"),
                (ssm::TARGET_PREFIX, "ssm"),
            ];
            let known = services
                .into_iter()
                .find_map(|(prefix, service)| Some((service, Some(target.strip_prefix(prefix)?))));
            let (service, operation) = known.unwrap_or(("ssm", None));
            let operation = operation.map(str::to_owned);
            return Self { dialect: Dialect::Json, service, operation, form: Vec::new() };
        }
        // EC2 and STS: a form names the action.
        let form =
            if parts.method == Method::GET { parts.uri.query().unwrap_or_default().as_bytes() } else { body };
        let form: Vec<(String, String)> =
            url::form_urlencoded::parse(form).map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
        let value =
            |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        let (dialect, service) = match value("Version") {
            sts::VERSION => (Dialect::Query, "sts"),
            _ => (Dialect::Ec2, "ec2"),
        };
        let operation = Some(value("Action").to_owned()).filter(|action| !action.is_empty());
        Self { dialect, service, operation, form }
    }

    async fn answer(
        &self,
        shared: &Arc<Shared>,
        refusal: Option<Refusal>,
        parts: &Parts,
        body: &Bytes,
        request_id: &str,
    ) -> Result<String, ApiFailure> {
        let caller = authenticate(shared, self.dialect, self.service, parts, body)?;
        if let Some(refusal) = refusal {
            return Err(refused(refusal, self.dialect));
        }
        let Some(operation) = &self.operation else {
            return Err(match self.dialect {
                Dialect::Json => ApiFailure::new("UnknownOperationException", ""),
                Dialect::Ec2 | Dialect::Query | Dialect::S3 => {
                    ApiFailure::new("MissingAction", "The request is missing an action.")
                }
            });
        };
        if shared.config.enforce_quotas
            && !shared.live.within_quota(caller.account, &caller.region, operation)
        {
            return Err(ApiFailure::throttled(self.dialect));
        }
        match self.dialect {
            Dialect::Json if self.service == "kms" => kms::call(shared, &caller, operation, body),
            Dialect::Json if self.service == instance_connect::SERVICE => {
                instance_connect::call(shared, &caller, operation, body, request_id)
            }
            Dialect::Json if self.service == "logs" => logs::call(shared, &caller, operation, body),
            Dialect::Json if self.service == "cloudtrail" => trail::call(shared, &caller, operation, body),
            Dialect::Json => {
                let answer = ssm::call(shared, &caller, operation, body).await;
                let agent = parts.headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok());
                let told = answer.as_ref().map(String::as_str);
                trail::note(shared, &caller, operation, body, told, agent.unwrap_or_default());
                answer
            }
            // Answered before, by its path.
            Dialect::S3 => Err(ApiFailure::new("NotImplemented", "")),
            Dialect::Query => sts::call(shared, &caller, operation, &self.form, request_id),
            Dialect::Ec2 => ec2::call(shared, &caller, operation, &self.form, request_id),
        }
    }
}
