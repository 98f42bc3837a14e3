//! What CloudTrail keeps.

use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use aws_smithy_types::DateTime;
use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_history::{TrailAsk, TrailEvent, TrailFacts, TrailPage};

use crate::access::Access;
use crate::nodes::epoch_ms;

const LOOKUP: &str = "LookupEvents";
const TRAILS: &str = "DescribeTrails";
const STATUS: &str = "GetTrailStatus";

/// Largest page of LookupEvents.
const PAGE: i32 = 50;

pub(super) async fn lookup(
    access: &Access,
    ask: &TrailAsk,
    next: Option<String>,
) -> Result<TrailPage, ApiError> {
    let attribute = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::EventName)
        .attribute_value(ask.name)
        .build()
        .map_err(|error| {
            crate::error::before_call(LOOKUP, ApiErrorKind::InvalidRequest, error.to_string())
        })?;
    // Two lookups a second are allowed; the queue finds that out.
    let page = access
        .queue(LOOKUP)
        .make(|| async {
            let call = access
                .cloudtrail_once()
                .lookup_events()
                .lookup_attributes(attribute.clone())
                .start_time(DateTime::from_millis(ask.from_ms))
                .end_time(DateTime::from_millis(ask.to_ms))
                .max_results(PAGE)
                .set_next_token(next.clone());
            match call.send().await {
                Ok(page) => Ok(page),
                Err(failure) => Err(access.failed(LOOKUP, failure)),
            }
        })
        .await?;
    Ok(TrailPage {
        events: page.events.unwrap_or_default().into_iter().filter_map(event).collect(),
        next: page.next_token.filter(|token| !token.is_empty() && Some(token) != next.as_ref()),
    })
}

fn event(event: Event) -> Option<TrailEvent> {
    Some(TrailEvent {
        id: event.event_id?,
        name: event.event_name.unwrap_or_default(),
        at_ms: epoch_ms(event.event_time).unwrap_or(0),
        user: event.username.unwrap_or_default(),
        record: event.cloud_trail_event.unwrap_or_default(),
    })
}

pub(super) async fn trails(access: &Access) -> Result<Vec<TrailFacts>, ApiError> {
    let client = access.cloudtrail_once();
    let listed = access
        .queue(TRAILS)
        .make(|| async {
            match client.describe_trails().send().await {
                Ok(answer) => Ok(answer),
                Err(failure) => Err(access.failed(TRAILS, failure)),
            }
        })
        .await?;
    let mut found = Vec::new();
    for trail in listed.trail_list.unwrap_or_default() {
        let Some(arn) = trail.trail_arn else { continue };
        let status = access
            .queue(STATUS)
            .make(|| async {
                match client.get_trail_status().name(&arn).send().await {
                    Ok(answer) => Ok(answer.is_logging),
                    Err(failure) => Err(access.failed(STATUS, failure)),
                }
            })
            .await;
        let logging = match status {
            Ok(logging) => logging,
            // Listing trails and looking into them are permissions of their own; those of an organization may be closed.
            Err(error) if error.kind == ApiErrorKind::AccessDenied => None,
            Err(error) if error.code.as_deref() == Some("TrailNotFoundException") => None,
            Err(error) => return Err(error),
        };
        found.push(TrailFacts {
            name: trail.name.unwrap_or_else(|| arn.clone()),
            arn,
            bucket: trail.s3_bucket_name.unwrap_or_default(),
            all_regions: trail.is_multi_region_trail.unwrap_or(false),
            logging,
        });
    }
    Ok(found)
}
