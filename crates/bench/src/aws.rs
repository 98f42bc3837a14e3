//! The session calls over signed HTTP to a simulator in another process, without an AWS SDK.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use fleetline_engine::SessionId;
use fleetline_engine::ports::{
    ApiError, ApiErrorKind, BoxFuture, ControlPlane, LiveSession, ResumeOutcome, SealedDataKey, SessionGrant,
    SessionQuery, SignedHeader, StartSession, StreamUrl,
};
use fleetline_protocol::{DataKeyRequest, StreamToken};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;
use zeroize::Zeroizing;

use crate::world::Place;

/// The calls of one simulated account. Paced by nobody: the simulator's quotas are off.
#[derive(Debug)]
pub(crate) struct Aws {
    place: Place,
}

impl Aws {
    pub(crate) fn new(place: Place) -> Self {
        Self { place }
    }

    /// One call: the answer, or the error's code and text.
    pub(crate) async fn ask(&self, operation: &str, body: &Value) -> Result<Result<Value, (String, String)>> {
        let body = body.to_string();
        let mut request = format!("POST / HTTP/1.1\r\nhost: {}\r\n", self.place.host);
        for (name, value) in self.sign("ssm", "POST", "/", "", body.as_bytes())? {
            write!(request, "{name}: {value}\r\n")?;
        }
        write!(
            request,
            "content-type: application/x-amz-json-1.1\r\nx-amz-target: AmazonSSM.{operation}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut stream = TcpStream::connect(&self.place.host).await.context("connecting to the simulator")?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").context("half an answer")?;
        let body: Value = serde_json::from_str(body).context("an answer that is not JSON")?;
        if head.starts_with("HTTP/1.1 200") {
            return Ok(Ok(body));
        }
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Ok(Err((text("__type"), text("message"))))
    }

    async fn call(&self, operation: &'static str, body: Value) -> Result<Value, ApiError> {
        let failed = |kind, code, message| ApiError {
            operation,
            kind,
            code,
            message,
            request_id: None,
            never_sent: false,
        };
        match self.ask(operation, &body).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err((code, message))) => {
                let kind = match code.as_str() {
                    "TargetNotConnected" => ApiErrorKind::TargetNotConnected,
                    "ThrottlingException" => ApiErrorKind::Throttled,
                    "ExpiredTokenException" => ApiErrorKind::CredentialsExpired,
                    _ => ApiErrorKind::Other,
                };
                Err(failed(kind, Some(code), message))
            }
            Err(error) => Err(failed(ApiErrorKind::Network, None, format!("{error:#}"))),
        }
    }

    fn sign(
        &self,
        service: &str,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> Result<Vec<(String, String)>> {
        let Place { host, region, access_key_id, secret_access_key, session_token, .. } = &self.place;
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let date = &time[..8];
        let names = "host;x-amz-date;x-amz-security-token";
        let canonical = format!(
            "{method}\n{path}\n{query}\nhost:{host}\nx-amz-date:{time}\nx-amz-security-token:{session_token}\n\n\
             {names}\n{}",
            hex::encode(Sha256::digest(body))
        );
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let mut key = format!("AWS4{secret_access_key}").into_bytes();
        for part in [date, region, service, "aws4_request", &to_sign] {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
            mac.update(part.as_bytes());
            key = mac.finalize().into_bytes().to_vec();
        }
        let signature = hex::encode(key);
        Ok(vec![
            ("x-amz-date".to_owned(), time.clone()),
            ("x-amz-security-token".to_owned(), session_token.clone()),
            (
                "authorization".to_owned(),
                format!(
                    "AWS4-HMAC-SHA256 Credential={access_key_id}/{scope}, SignedHeaders={names}, \
                     Signature={signature}"
                ),
            ),
        ])
    }

    fn sign_get(&self, url: &StreamUrl) -> Result<Vec<SignedHeader>> {
        let url = Url::parse(url.expose())?;
        let mut pairs: Vec<&str> = url.query().unwrap_or_default().split('&').collect();
        pairs.sort_unstable();
        let headers = self.sign("ssmmessages", "GET", url.path(), &pairs.join("&"), b"")?;
        let headers = headers.into_iter();
        Ok(headers.map(|(name, value)| SignedHeader { name, value: Zeroizing::new(value) }).collect())
    }
}

/// The body of StartSession.
pub(crate) fn start_body(request: &StartSession) -> Value {
    let mut body = json!({ "Target": request.target });
    if let Some(document) = &request.document {
        body["DocumentName"] = document.clone().into();
    }
    for (name, values) in &request.parameters {
        body["Parameters"][name] = values.clone().into();
    }
    if let Some(reason) = &request.reason {
        body["Reason"] = reason.clone().into();
    }
    body
}

fn grant(answer: &Value) -> Result<SessionGrant> {
    let text = |name: &str| answer[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"));
    Ok(SessionGrant {
        session_id: SessionId::new(text("SessionId")?),
        token: StreamToken::new(text("TokenValue")?),
        url: StreamUrl::new(text("StreamUrl")?),
    })
}

fn unreadable(operation: &'static str) -> impl Fn(anyhow::Error) -> ApiError {
    move |error| ApiError {
        operation,
        kind: ApiErrorKind::Other,
        code: None,
        message: format!("{error:#}"),
        request_id: None,
        never_sent: false,
    }
}

impl ControlPlane for Aws {
    fn start_session(&self, request: StartSession) -> BoxFuture<'_, Result<SessionGrant, ApiError>> {
        Box::pin(async move {
            let answer = self.call("StartSession", start_body(&request)).await?;
            grant(&answer).map_err(unreadable("StartSession"))
        })
    }

    fn resume_session(&self, session: SessionId) -> BoxFuture<'_, Result<ResumeOutcome, ApiError>> {
        Box::pin(async move {
            match self.call("ResumeSession", json!({ "SessionId": session.as_str() })).await {
                Ok(answer) if answer["TokenValue"].as_str().unwrap_or_default().is_empty() => {
                    Ok(ResumeOutcome::Gone)
                }
                Ok(answer) => grant(&answer).map(ResumeOutcome::Granted).map_err(unreadable("ResumeSession")),
                Err(error) if error.code.as_deref() == Some("DoesNotExistException") => {
                    Ok(ResumeOutcome::Gone)
                }
                Err(error) => Err(error),
            }
        })
    }

    fn terminate_session(&self, session: SessionId) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(async move {
            self.call("TerminateSession", json!({ "SessionId": session.as_str() })).await.map(|_| ())
        })
    }

    fn live_sessions(&self, query: SessionQuery) -> BoxFuture<'_, Result<Vec<LiveSession>, ApiError>> {
        Box::pin(async move {
            let filters: Vec<Value> =
                query.target.iter().map(|target| json!({ "key": "Target", "value": target })).collect();
            let answer =
                self.call("DescribeSessions", json!({ "State": "Active", "Filters": filters })).await?;
            let sessions = answer["Sessions"].as_array().cloned().unwrap_or_default();
            let text = |session: &Value, name: &str| session[name].as_str().map(str::to_owned);
            Ok(sessions
                .iter()
                .map(|session| LiveSession {
                    session_id: SessionId::new(text(session, "SessionId").unwrap_or_default()),
                    target: text(session, "Target").unwrap_or_default(),
                    reason: text(session, "Reason"),
                })
                .collect())
        })
    }

    fn generate_data_key(&self, _: DataKeyRequest) -> BoxFuture<'_, Result<SealedDataKey, ApiError>> {
        let error = unreadable("GenerateDataKey")(anyhow::anyhow!("no session here is sealed"));
        Box::pin(async { Err(error) })
    }

    fn sign_upgrade(&self, url: StreamUrl) -> BoxFuture<'_, Result<Vec<SignedHeader>, ApiError>> {
        Box::pin(async move { self.sign_get(&url).map_err(unreadable("the upgrade")) })
    }
}

/// What the official client is given as its first argument, and what was asked for.
pub(crate) async fn start_for_plugin(aws: &Aws, request: &StartSession) -> Result<(Value, Value)> {
    let body = start_body(request);
    match aws.ask("StartSession", &body).await? {
        Ok(answer) => Ok((answer, body)),
        Err((code, message)) => bail!("StartSession: {code}: {message}"),
    }
}
