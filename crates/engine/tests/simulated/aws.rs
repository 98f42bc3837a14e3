//! The session calls over signed HTTP to a simulator, by a signer independent of the code under test.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fleetline_engine::SessionId;
use fleetline_engine::ports::{
    ApiError, ApiErrorKind, BoxFuture, ControlPlane, LiveSession, ResumeOutcome, SealedDataKey, SessionGrant,
    SessionQuery, SignedHeader, StartSession, StreamUrl,
};
use fleetline_protocol::{DataKeyRequest, StreamToken};
use fleetline_simulator::{Control, NodeView, SimulatedAccount, Simulator};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;
use zeroize::Zeroizing;

#[derive(Debug)]
pub struct SimulatedAws {
    host: String,
    account: SimulatedAccount,
    region: String,
    control: Control,
    expires_first_token: AtomicBool,
}

impl SimulatedAws {
    /// The control plane that reaches `node`.
    pub fn new(simulator: &Simulator, node: &NodeView) -> Arc<Self> {
        let account = simulator.accounts().into_iter().find(|a| a.name == node.account).unwrap();
        Arc::new(Self {
            host: simulator.endpoint().trim_start_matches("http://").to_owned(),
            account,
            region: node.region.clone(),
            control: simulator.control(),
            expires_first_token: AtomicBool::new(false),
        })
    }

    /// The token of the next StartSession is useless before anyone can use it.
    pub fn expire_first_token(&self) {
        self.expires_first_token.store(true, Ordering::SeqCst);
    }

    async fn call(&self, operation: &'static str, body: Value) -> Result<Value, ApiError> {
        let body = body.to_string();
        let mut headers = self.sign("ssm", "POST", "/", "", body.as_bytes());
        headers.push(("content-type".into(), "application/x-amz-json-1.1".into()));
        headers.push(("x-amz-target".into(), format!("AmazonSSM.{operation}")));
        let mut request = format!("POST / HTTP/1.1\r\nhost: {}\r\n", self.host);
        for (name, value) in &headers {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        write!(request, "content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).unwrap();
        let mut stream = TcpStream::connect(&self.host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        if head.starts_with("HTTP/1.1 200") {
            return Ok(body);
        }
        let code = body["__type"].as_str().unwrap().to_owned();
        Err(ApiError {
            operation,
            kind: match code.as_str() {
                "TargetNotConnected" => ApiErrorKind::TargetNotConnected,
                "ThrottlingException" => ApiErrorKind::Throttled,
                "ExpiredTokenException" => ApiErrorKind::CredentialsExpired,
                _ => ApiErrorKind::Other,
            },
            code: Some(code),
            message: body["message"].as_str().unwrap().to_owned(),
            request_id: None,
            never_sent: false,
        })
    }

    fn sign(
        &self,
        service: &str,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> Vec<(String, String)> {
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let date = &time[..8];
        let mut headers = vec![
            ("x-amz-date".to_owned(), time.clone()),
            ("x-amz-security-token".to_owned(), self.account.session_token.clone()),
        ];
        let names = "host;x-amz-date;x-amz-security-token";
        let mut canonical = format!("{method}\n{path}\n{query}\nhost:{}\n", self.host);
        for (name, value) in &headers {
            writeln!(canonical, "{name}:{value}").unwrap();
        }
        write!(canonical, "\n{names}\n{}", hex::encode(Sha256::digest(body))).unwrap();
        let scope = format!("{date}/{}/{service}/aws4_request", self.region);
        let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let mut key = format!("AWS4{}", self.account.secret_access_key).into_bytes();
        for part in [date, &self.region, service, "aws4_request", &to_sign] {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(part.as_bytes());
            key = mac.finalize().into_bytes().to_vec();
        }
        let credential = format!("{}/{scope}", self.account.access_key_id);
        let signature = hex::encode(key);
        headers.push((
            "authorization".to_owned(),
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"),
        ));
        headers
    }
}

fn grant(answer: &Value) -> SessionGrant {
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    SessionGrant {
        session_id: SessionId::new(text("SessionId")),
        token: StreamToken::new(text("TokenValue")),
        url: StreamUrl::new(text("StreamUrl")),
    }
}

impl ControlPlane for SimulatedAws {
    fn start_session(&self, request: StartSession) -> BoxFuture<'_, Result<SessionGrant, ApiError>> {
        Box::pin(async move {
            let mut body = json!({ "Target": request.target });
            if let Some(document) = request.document {
                body["DocumentName"] = document.into();
            }
            for (name, values) in request.parameters {
                body["Parameters"][name] = values.into();
            }
            let answer = self.call("StartSession", body).await?;
            if self.expires_first_token.swap(false, Ordering::SeqCst) {
                self.control.expire_tokens();
            }
            Ok(grant(&answer))
        })
    }

    fn resume_session(&self, session: SessionId) -> BoxFuture<'_, Result<ResumeOutcome, ApiError>> {
        Box::pin(async move {
            match self.call("ResumeSession", json!({ "SessionId": session.as_str() })).await {
                Ok(answer) if answer["TokenValue"].as_str().unwrap_or_default().is_empty() => {
                    Ok(ResumeOutcome::Gone)
                }
                Ok(answer) => Ok(ResumeOutcome::Granted(grant(&answer))),
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
            let text = |session: &Value, name: &str| session[name].as_str().unwrap_or_default().to_owned();
            let sessions = answer["Sessions"].as_array().unwrap();
            Ok(sessions
                .iter()
                .map(|session| LiveSession {
                    session_id: SessionId::new(text(session, "SessionId")),
                    target: text(session, "Target"),
                    reason: session["Reason"].as_str().map(str::to_owned),
                })
                .collect())
        })
    }

    fn generate_data_key(&self, _: DataKeyRequest) -> BoxFuture<'_, Result<SealedDataKey, ApiError>> {
        Box::pin(async { panic!("no session of these tests is sealed") })
    }

    fn sign_upgrade(&self, url: StreamUrl) -> BoxFuture<'_, Result<Vec<SignedHeader>, ApiError>> {
        Box::pin(async move {
            let url = Url::parse(url.expose()).unwrap();
            let mut pairs: Vec<&str> = url.query().unwrap_or_default().split('&').collect();
            pairs.sort_unstable();
            let headers = self.sign("ssmmessages", "GET", url.path(), &pairs.join("&"), b"");
            Ok(headers
                .into_iter()
                .map(|(name, value)| SignedHeader { name, value: Zeroizing::new(value) })
                .collect())
        })
    }
}
