//! The session calls.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_kms::operation::generate_data_key::GenerateDataKeyOutput;
use aws_sdk_ssm::operation::resume_session::ResumeSessionOutput;
use aws_sdk_ssm::operation::start_session::StartSessionOutput;
use aws_sdk_ssm::types::{SessionFilter, SessionFilterKey, SessionState};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use fleetline_engine::ports::{
    ApiError, ApiErrorKind, BoxFuture, ControlPlane, LiveSession, ResumeOutcome, SealedDataKey, SessionGrant,
    SessionQuery, SignedHeader, StartSession, StreamUrl,
};
use fleetline_engine::{CredentialsGate, Pacing};
use fleetline_protocol::{DATA_KEY_BYTES, DataKey, DataKeyRequest, SessionId, StreamToken};
use zeroize::Zeroizing;

use crate::access::Access;
use crate::{error, upgrade};

const START: &str = "StartSession";
const RESUME: &str = "ResumeSession";
const TERMINATE: &str = "TerminateSession";
const DESCRIBE: &str = "DescribeSessions";
const DATA_KEY: &str = "GenerateDataKey";

/// Sessions a page of DescribeSessions has at most.
const PAGE: i32 = 200;
/// Pages that are asked for.
const PAGES: usize = 5;

/// What AWS calls a session it does not have (protocol.md 1.3).
const NO_SUCH_SESSION: &str = "DoesNotExistException";

/// [`ControlPlane`] of one source in one Region.
#[derive(Debug)]
pub(crate) struct Control(pub(crate) Arc<Access>);

impl Control {
    async fn start(&self, request: StartSession) -> Result<SessionGrant, ApiError> {
        check(&request)?;
        self.at_the_right_time(|| self.start_once(&request)).await
    }

    /// Makes a call, and makes it again if its signature was refused for the clock: that did nothing, and the refusal
    /// told the client the right time. The SDK does so only where it may repeat calls for any reason.
    async fn at_the_right_time<T, F>(&self, call: impl Fn() -> F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        match call().await {
            Err(refused)
                if refused.kind == ApiErrorKind::CredentialsInvalid && self.0.identity.skew.is_large() =>
            {
                call().await
            }
            first => first,
        }
    }

    async fn start_once(&self, request: &StartSession) -> Result<SessionGrant, ApiError> {
        let parameters: HashMap<_, _> = request.parameters.iter().cloned().collect();
        let sent = self
            .0
            .ssm_once()
            .start_session()
            .target(&request.target)
            .set_document_name(request.document.clone())
            .set_reason(request.reason.clone())
            .set_parameters((!parameters.is_empty()).then_some(parameters))
            .send()
            .await;
        let StartSessionOutput { session_id, token_value, stream_url, .. } = match sent {
            Ok(output) => output,
            Err(failure) => return Err(self.0.failed(START, failure)),
        };
        let token = token_value.filter(|token| !token.is_empty()).map(StreamToken::new);
        let url = stream_url.filter(|url| !url.is_empty()).map(|url| self.placed(url));
        let session_id = session_id.filter(|id| !id.is_empty()).map(SessionId::new);
        match (session_id, token, url) {
            (Some(session_id), Some(token), Some(url)) => Ok(SessionGrant { session_id, token, url }),
            (session_id, ..) => {
                // Without token or URL nobody can open the session, so nobody else would end it.
                if let Some(session) = session_id
                    && let Err(failure) = self.terminate(&session).await
                {
                    tracing::warn!(%failure, "a session that cannot be opened was left behind");
                }
                Err(incomplete(START))
            }
        }
    }

    async fn resume(&self, session: &SessionId) -> Result<ResumeOutcome, ApiError> {
        // The engine repeats the call, at a pace that all sessions share.
        let sent = self.0.ssm_once().resume_session().session_id(session.as_str()).send().await;
        let ResumeSessionOutput { token_value, stream_url, .. } = match sent {
            Ok(output) => output,
            Err(failure) => {
                let failure = self.0.failed(RESUME, failure);
                let gone = failure.code.as_deref() == Some(NO_SUCH_SESSION);
                return if gone { Ok(ResumeOutcome::Gone) } else { Err(failure) };
            }
        };
        let url = stream_url.map(|url| self.placed(url));
        let Some(token) = token_value.filter(|token| !token.is_empty()).map(StreamToken::new) else {
            return Ok(ResumeOutcome::Gone);
        };
        let url = url.filter(|url| !url.expose().is_empty()).ok_or_else(|| incomplete(RESUME))?;
        Ok(ResumeOutcome::Granted(SessionGrant { session_id: session.clone(), token, url }))
    }

    /// The stream URL at the source's own endpoint, if it has one. A URL that carries its signature cannot move: the
    /// host is part of what was signed.
    fn placed(&self, url: String) -> StreamUrl {
        let url = StreamUrl::new(url);
        match &self.0.endpoints.gateway {
            Some(gateway) if !url.is_presigned() => gateway.place(url.expose()).map_or(url, StreamUrl::new),
            _ => url,
        }
    }

    async fn terminate(&self, session: &SessionId) -> Result<(), ApiError> {
        let Err(failure) = self.0.ssm_once().terminate_session().session_id(session.as_str()).send().await
        else {
            return Ok(());
        };
        let failure = self.0.failed(TERMINATE, failure);
        let gone = failure.code.as_deref() == Some(NO_SUCH_SESSION);
        if gone { Ok(()) } else { Err(failure) }
    }

    async fn live(&self, query: SessionQuery) -> Result<Vec<LiveSession>, ApiError> {
        let after = query.invoked_after.map(|after| DateTime::from(self.0.identity.skew.corrected(after)));
        // Where the identity cannot be asked, sessions of others are listed as well.
        let owner = self.0.caller().await.ok().map(|caller| caller.arn);
        let wanted = [
            (SessionFilterKey::TargetId, query.target),
            (SessionFilterKey::InvokedAfter, after.and_then(|after| after.fmt(Format::DateTime).ok())),
            (SessionFilterKey::Owner, owner),
        ];
        let filters: Vec<_> = wanted
            .into_iter()
            .filter_map(|(key, value)| SessionFilter::builder().key(key).value(value?).build().ok())
            .collect();
        let mut found = Vec::new();
        let mut next = None;
        for _ in 0..PAGES {
            let sent = self
                .0
                .ssm()
                .describe_sessions()
                .state(SessionState::Active)
                .max_results(PAGE)
                .set_filters((!filters.is_empty()).then(|| filters.clone()))
                .set_next_token(next)
                .send()
                .await;
            let page = match sent {
                Ok(page) => page,
                Err(failure) => return Err(self.0.failed(DESCRIBE, failure)),
            };
            found.extend(page.sessions.unwrap_or_default().into_iter().filter_map(|session| {
                Some(LiveSession {
                    session_id: SessionId::new(session.session_id?),
                    target: session.target.unwrap_or_default(),
                    reason: session.reason,
                })
            }));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                break;
            }
        }
        Ok(found)
    }

    async fn data_key(&self, request: DataKeyRequest) -> Result<SealedDataKey, ApiError> {
        let sent = self
            .0
            .kms()
            .generate_data_key()
            .key_id(request.key_id)
            .number_of_bytes(i32::try_from(DATA_KEY_BYTES).unwrap_or(i32::MAX))
            .set_encryption_context(Some(request.encryption_context.into_iter().collect()))
            .send()
            .await;
        let GenerateDataKeyOutput { ciphertext_blob, plaintext, .. } = match sent {
            Ok(output) => output,
            Err(failure) => return Err(self.0.failed(DATA_KEY, failure)),
        };
        let plain = Zeroizing::new(plaintext.map(|blob| blob.into_inner()).unwrap_or_default());
        let cipher_text_blob = ciphertext_blob.map(|blob| blob.into_inner()).unwrap_or_default();
        match DataKey::from_plain(&plain) {
            Ok(plain) if !cipher_text_blob.is_empty() => Ok(SealedDataKey { plain, cipher_text_blob }),
            _ => Err(incomplete(DATA_KEY)),
        }
    }

    async fn sign(&self, url: StreamUrl) -> Result<Vec<SignedHeader>, ApiError> {
        if url.is_presigned() {
            return Ok(Vec::new());
        }
        let credentials = self
            .0
            .identity
            .credentials
            .current()
            .await
            .map_err(|failure| error::from_credentials("OpenDataChannel", &failure))?;
        upgrade::signed_headers(&url, &self.0.region, credentials, self.0.identity.skew.now())
    }
}

impl ControlPlane for Control {
    fn start_session(&self, request: StartSession) -> BoxFuture<'_, Result<SessionGrant, ApiError>> {
        Box::pin(self.start(request))
    }

    fn resume_session(&self, session: SessionId) -> BoxFuture<'_, Result<ResumeOutcome, ApiError>> {
        Box::pin(async move { self.at_the_right_time(|| self.resume(&session)).await })
    }

    fn terminate_session(&self, session: SessionId) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(async move { self.at_the_right_time(|| self.terminate(&session)).await })
    }

    fn live_sessions(&self, query: SessionQuery) -> BoxFuture<'_, Result<Vec<LiveSession>, ApiError>> {
        Box::pin(self.live(query))
    }

    fn credentials_gate(&self) -> Option<CredentialsGate> {
        Some(self.0.identity.gate.clone())
    }

    fn pacing(&self) -> Option<Arc<Pacing>> {
        Some(self.0.pacing())
    }

    fn generate_data_key(&self, request: DataKeyRequest) -> BoxFuture<'_, Result<SealedDataKey, ApiError>> {
        Box::pin(self.data_key(request))
    }

    fn sign_upgrade(&self, url: StreamUrl) -> BoxFuture<'_, Result<Vec<SignedHeader>, ApiError>> {
        Box::pin(self.sign(url))
    }
}

fn incomplete(operation: &'static str) -> ApiError {
    ApiError {
        operation,
        kind: ApiErrorKind::Service,
        code: None,
        message: "The answer lacks what it was asked for.".to_owned(),
        request_id: None,
        never_sent: false,
    }
}

/// The limits of the service model (protocol.md 1.2), checked here so that the words are ours.
fn check(request: &StartSession) -> Result<(), ApiError> {
    let wrong = |what: &str| Err(error::before_call(START, ApiErrorKind::InvalidRequest, what));
    let length = |text: &str| text.chars().count();
    if !(1..=400).contains(&length(&request.target)) {
        return wrong("A target has 1 to 400 characters.");
    }
    if let Some(document) = &request.document {
        let known = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
        if !(3..=128).contains(&length(document)) || !document.chars().all(known) {
            return wrong("A document name has 3 to 128 characters of A-Z a-z 0-9 _ - . : /");
        }
    }
    if let Some(reason) = &request.reason
        && (!(1..=256).contains(&length(reason)) || reason.contains(['\n', '\r']))
    {
        return wrong("A reason is one line of 1 to 256 characters.");
    }
    for (name, values) in &request.parameters {
        if !(1..=255).contains(&length(name))
            || values.iter().any(|value| !(1..=65_535).contains(&length(value)))
        {
            return wrong(
                "A document parameter has a name of 1 to 255 and values of 1 to 65,535 characters.",
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_outside_the_service_limits_are_refused_before_sending() {
        let ok = StartSession { target: "i-1".to_owned(), ..StartSession::default() };
        assert_eq!(check(&ok), Ok(()));
        let cases = [
            StartSession { target: String::new(), ..ok.clone() },
            StartSession { target: "x".repeat(401), ..ok.clone() },
            StartSession { document: Some("ab".to_owned()), ..ok.clone() },
            StartSession { document: Some("a b c".to_owned()), ..ok.clone() },
            StartSession { reason: Some(String::new()), ..ok.clone() },
            StartSession { reason: Some("two\nlines".to_owned()), ..ok.clone() },
            StartSession { parameters: vec![(String::new(), vec!["x".to_owned()])], ..ok.clone() },
            StartSession { parameters: vec![("x".to_owned(), vec![String::new()])], ..ok },
        ];
        for case in cases {
            let refused = check(&case).unwrap_err();
            assert!(refused.never_sent && refused.kind == ApiErrorKind::InvalidRequest, "{case:?}");
        }
    }
}
