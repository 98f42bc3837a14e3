//! Sessions past and present.

use std::sync::Arc;

use aws_sdk_ssm::types::{
    AccessType as SdkAccess, Session, SessionFilter as SdkFilter, SessionFilterKey, SessionState as SdkState,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_engine::{PacedCall, Priority};
use fleetline_history::{
    AccessType, BoxFuture, Page, SessionCalls, SessionFilter, SessionRecord, SessionState, SessionStatus,
};

use crate::access::Access;
use crate::nodes::epoch_ms;

const DESCRIBE: &str = "DescribeSessions";

/// Largest page of DescribeSessions.
const PAGE: i32 = 200;

/// [`SessionCalls`] of one source in one Region.
#[derive(Debug)]
pub(crate) struct History(pub(crate) Arc<Access>);

impl History {
    async fn page(
        &self,
        state: SessionState,
        filter: SessionFilter,
        next: Option<String>,
    ) -> Result<Page, ApiError> {
        let time = |ms: Option<i64>| ms.and_then(|ms| DateTime::from_millis(ms).fmt(Format::DateTime).ok());
        let wanted = [
            (SessionFilterKey::InvokedAfter, time(filter.after_ms)),
            (SessionFilterKey::InvokedBefore, time(filter.before_ms)),
            (SessionFilterKey::TargetId, filter.target),
            (SessionFilterKey::Owner, filter.owner),
            (SessionFilterKey::Status, filter.status.map(|status| status.wire_name().to_owned())),
            (SessionFilterKey::SessionId, filter.session_id),
        ];
        let filters: Vec<SdkFilter> = wanted
            .into_iter()
            .filter_map(|(key, value)| SdkFilter::builder().key(key).value(value?).build().ok())
            .collect();
        let state = match state {
            SessionState::Active => SdkState::Active,
            SessionState::History => SdkState::History,
        };
        let pacing = self.0.pacing();
        pacing.turn(PacedCall::DescribeSessions, Priority::Background, |_| {}).await;
        let sent = self
            .0
            .ssm()
            .describe_sessions()
            .state(state)
            .max_results(PAGE)
            .set_filters((!filters.is_empty()).then_some(filters))
            .set_next_token(next.clone())
            .send()
            .await;
        let answer = match sent {
            Ok(page) => Ok(page),
            Err(failure) => Err(self.0.failed(DESCRIBE, failure)),
        };
        let throttled = matches!(&answer, Err(error) if error.kind == ApiErrorKind::Throttled);
        pacing.answered(PacedCall::DescribeSessions, throttled);
        let page = answer?;
        Ok(Page {
            sessions: page.sessions.unwrap_or_default().into_iter().filter_map(record).collect(),
            next: page.next_token.filter(|token| !token.is_empty() && Some(token) != next.as_ref()),
        })
    }
}

impl SessionCalls<ApiError> for History {
    fn sessions(
        &self,
        state: SessionState,
        filter: SessionFilter,
        next: Option<String>,
    ) -> BoxFuture<'_, Result<Page, ApiError>> {
        Box::pin(self.page(state, filter, next))
    }

    fn caller_arn(&self) -> BoxFuture<'_, Result<String, ApiError>> {
        Box::pin(async { Ok(self.0.caller().await?.arn) })
    }
}

fn record(session: Session) -> Option<SessionRecord> {
    let output = session.output_url;
    let (s3_url, cloudwatch_url) = match output {
        Some(output) => (output.s3_output_url, output.cloud_watch_output_url),
        None => (None, None),
    };
    Some(SessionRecord {
        session_id: session.session_id?,
        target: session.target.unwrap_or_default(),
        status: session
            .status
            .map_or(SessionStatus::Unknown, |status| SessionStatus::from_wire_name(status.as_str())),
        start_ms: epoch_ms(session.start_date),
        end_ms: epoch_ms(session.end_date),
        document: session.document_name.unwrap_or_default(),
        owner: session.owner.unwrap_or_default(),
        reason: session.reason.unwrap_or_default(),
        details: session.details.unwrap_or_default(),
        s3_url: s3_url.unwrap_or_default(),
        cloudwatch_url: cloudwatch_url.unwrap_or_default(),
        max_minutes: session.max_session_duration.and_then(|minutes| minutes.parse().ok()),
        access: match session.access_type {
            Some(SdkAccess::Justintime) => AccessType::JustInTime,
            _ => AccessType::Standard,
        },
    })
}
