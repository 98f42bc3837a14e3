//! Objects of S3, read in windows.

use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_history::{ObjectPlace, ObjectWindow};

use super::endpoint;
use super::signed::{Answer, Call, CallFailed, path_escaped};
use crate::access::Access;
use crate::error::before_call;

/// Name of S3 in signatures.
pub(super) const SERVICE: &str = "s3";
const GET: &str = "GetObject";

/// A window of an object; `None` if bucket or object are not there.
pub(super) async fn read(
    access: &Access,
    place: &ObjectPlace,
    from: u64,
    most: u32,
) -> Result<Option<ObjectWindow>, ApiError> {
    let last = from.saturating_add(u64::from(most.max(1)) - 1);
    let call = |region: &str| Call {
        service: SERVICE,
        operation: GET,
        region: region.to_owned(),
        method: "GET",
        endpoint: endpoint(&access.endpoints, access.endpoints.s3.as_deref(), SERVICE, region),
        // The bucket in the path works at every endpoint, and with dots in its name.
        path: format!("/{}/{}", path_escaped(&place.bucket), path_escaped(&place.key)),
        headers: vec![("range", format!("bytes={from}-{last}"))],
        body: Vec::new(),
    };
    let queue = access.queue(GET);
    let mut region = access.region.clone();
    let mut moved = false;
    let answer = loop {
        let made = queue
            .make(|| async {
                match call(&region).send(access).await {
                    Ok(answer) => Ok(Ok(answer)),
                    Err(CallFailed::Elsewhere(region)) => Ok(Err(region)),
                    Err(CallFailed::Failed(error)) => Err(error),
                }
            })
            .await;
        match made {
            // Once: two endpoints that send to each other would never end.
            Ok(Err(other)) if !moved && crate::is_region(&other) => (region, moved) = (other, true),
            Ok(Err(other)) => {
                let what = format!("S3 says that the bucket {} is in {other}.", place.bucket);
                return Err(before_call(GET, ApiErrorKind::Service, what));
            }
            Ok(Ok(answer)) => break Ok(answer),
            Err(error) => break Err(error),
        }
    };
    match answer {
        Ok(answer) => Ok(Some(window(answer, from))),
        Err(error) if matches!(error.code.as_deref(), Some("NoSuchKey" | "NoSuchBucket")) => Ok(None),
        // There is nothing behind the end.
        Err(error) if error.code.as_deref() == Some("InvalidRange") => {
            Ok(Some(ObjectWindow { bytes: Vec::new(), size: from }))
        }
        Err(error) => Err(error),
    }
}

fn window(answer: Answer, from: u64) -> ObjectWindow {
    let told = answer.range.as_deref().and_then(|range| range.rsplit_once('/')).map(|(_, size)| size.parse());
    let held = u64::try_from(answer.body.len()).unwrap_or(0);
    // Without a range the answer is all of it, whatever was asked for.
    let size = match told {
        Some(Ok(size)) => size,
        _ => from.saturating_add(held),
    };
    ObjectWindow { bytes: answer.body, size }
}
