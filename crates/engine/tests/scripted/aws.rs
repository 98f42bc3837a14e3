//! A control plane whose answers a test scripts and whose calls it counts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use fleetline_engine::ports::{
    ApiError, ApiErrorKind, BoxFuture, ControlPlane, LiveSession, ResumeOutcome, SealedDataKey, SessionGrant,
    SessionQuery, SignedHeader, StartSession, StreamUrl,
};
use fleetline_engine::{CredentialsGate, SessionId};
use fleetline_protocol::{DATA_KEY_BYTES, DataKey, DataKeyRequest, StreamToken};
use tokio::sync::{oneshot, watch};
use zeroize::Zeroizing;

/// What one call does instead of succeeding.
#[derive(Debug)]
pub enum Answer {
    Error(ApiErrorKind),
    /// Fails in a way that certainly had no effect.
    NeverSent,
    /// ResumeSession: the session is gone.
    Gone,
    /// Succeeds once the sender fires or is dropped.
    After(oneshot::Receiver<()>),
    /// StartSession: begins a session and fails all the same.
    Begun(ApiErrorKind),
    Panic,
}

#[derive(Debug, Default)]
struct Script {
    start: VecDeque<Answer>,
    resume: VecDeque<Answer>,
    sign: VecDeque<Answer>,
    key: VecDeque<Answer>,
    keys_asked: Vec<DataKeyRequest>,
    list: VecDeque<Answer>,
    reasons: Vec<Option<String>>,
    began: Vec<LiveSession>,
    terminate: VecDeque<Answer>,
    tokens: u32,
}

fn session_id() -> SessionId {
    SessionId::new("someone-0123456789abcdef0")
}

/// The data key of every session, in plain; its sealed form is `sealed`.
pub fn data_key() -> DataKey {
    let plain: Vec<u8> = (0..DATA_KEY_BYTES as u8).collect();
    DataKey::from_plain(&plain).expect("64 bytes")
}

#[derive(Debug)]
pub struct ScriptedAws {
    url: String,
    script: Mutex<Script>,
    calls: watch::Sender<Vec<&'static str>>,
    gate: CredentialsGate,
}

impl ScriptedAws {
    pub fn new(url: impl Into<String>) -> Arc<Self> {
        let (calls, _) = watch::channel(Vec::new());
        Arc::new(Self { url: url.into(), script: Mutex::default(), calls, gate: CredentialsGate::new() })
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn on_start(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script().start.extend(answers);
    }

    pub fn on_resume(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script().resume.extend(answers);
    }

    pub fn on_sign(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script().sign.extend(answers);
    }

    pub fn on_list(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script().list.extend(answers);
    }

    /// The reasons sessions were asked for with.
    pub fn reasons(&self) -> Vec<Option<String>> {
        self.script().reasons.clone()
    }

    pub fn on_key(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script().key.extend(answers);
    }

    /// What KMS was asked with.
    pub fn keys_asked(&self) -> Vec<DataKeyRequest> {
        self.script().keys_asked.clone()
    }

    pub fn on_terminate(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script().terminate.extend(answers);
    }

    pub fn gate(&self) -> &CredentialsGate {
        &self.gate
    }

    pub fn count(&self, operation: &str) -> usize {
        self.calls.borrow().iter().filter(|call| **call == operation).count()
    }

    /// Waits until `operation` was called `times` times.
    pub async fn called(&self, operation: &str, times: usize) {
        let mut calls = self.calls.subscribe();
        calls
            .wait_for(|calls| calls.iter().filter(|call| **call == operation).count() >= times)
            .await
            .expect("the control plane lives");
    }

    async fn answer(&self, operation: &'static str, answer: Option<Answer>) -> Result<bool, ApiError> {
        self.calls.send_modify(|calls| calls.push(operation));
        let error = |kind, never_sent| ApiError {
            operation,
            kind,
            code: None,
            message: "as the test wants it".to_owned(),
            request_id: None,
            never_sent,
        };
        match answer {
            None => Ok(true),
            Some(Answer::Error(kind) | Answer::Begun(kind)) => Err(error(kind, false)),
            Some(Answer::NeverSent) => Err(error(ApiErrorKind::Network, true)),
            Some(Answer::Gone) => Ok(false),
            Some(Answer::After(signal)) => {
                let _ = signal.await;
                Ok(true)
            }
            Some(Answer::Panic) => panic!("as the test wants it"),
        }
    }

    /// Tokens count up: t1, t2, …
    fn grant(&self) -> SessionGrant {
        let mut script = self.script();
        script.tokens += 1;
        SessionGrant {
            session_id: session_id(),
            token: StreamToken::new(format!("t{}", script.tokens)),
            url: StreamUrl::new(self.url.clone()),
        }
    }
}

impl ControlPlane for ScriptedAws {
    fn start_session(&self, request: StartSession) -> BoxFuture<'_, Result<SessionGrant, ApiError>> {
        Box::pin(async {
            let answer = {
                let mut script = self.script();
                let answer = script.start.pop_front();
                script.reasons.push(request.reason.clone());
                if matches!(answer, Some(Answer::Begun(_))) {
                    script.began.push(LiveSession {
                        session_id: session_id(),
                        target: request.target,
                        reason: request.reason,
                    });
                }
                answer
            };
            self.answer("StartSession", answer).await?;
            Ok(self.grant())
        })
    }

    fn resume_session(&self, _: SessionId) -> BoxFuture<'_, Result<ResumeOutcome, ApiError>> {
        Box::pin(async {
            let answer = self.script().resume.pop_front();
            let lives = self.answer("ResumeSession", answer).await?;
            Ok(if lives { ResumeOutcome::Granted(self.grant()) } else { ResumeOutcome::Gone })
        })
    }

    fn terminate_session(&self, _: SessionId) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(async {
            let answer = self.script().terminate.pop_front();
            self.answer("TerminateSession", answer).await.map(|_| ())
        })
    }

    fn live_sessions(&self, query: SessionQuery) -> BoxFuture<'_, Result<Vec<LiveSession>, ApiError>> {
        Box::pin(async move {
            let answer = self.script().list.pop_front();
            let lists = self.answer("DescribeSessions", answer).await?;
            let began = self.script().began.clone();
            let of_target =
                |session: &LiveSession| query.target.as_ref().is_none_or(|t| *t == session.target);
            Ok(began.into_iter().filter(|session| lists && of_target(session)).collect())
        })
    }

    fn credentials_gate(&self) -> Option<CredentialsGate> {
        Some(self.gate.clone())
    }

    fn generate_data_key(&self, request: DataKeyRequest) -> BoxFuture<'_, Result<SealedDataKey, ApiError>> {
        Box::pin(async {
            let answer = {
                let mut script = self.script();
                script.keys_asked.push(request);
                script.key.pop_front()
            };
            self.answer("GenerateDataKey", answer).await?;
            Ok(SealedDataKey { plain: data_key(), cipher_text_blob: b"sealed".to_vec() })
        })
    }

    fn sign_upgrade(&self, _: StreamUrl) -> BoxFuture<'_, Result<Vec<SignedHeader>, ApiError>> {
        Box::pin(async {
            let answer = self.script().sign.pop_front();
            self.answer("sign", answer).await?;
            Ok(vec![SignedHeader {
                name: "authorization".to_owned(),
                value: Zeroizing::new("AWS4 test".to_owned()),
            }])
        })
    }
}
