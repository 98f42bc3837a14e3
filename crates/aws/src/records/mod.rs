//! What sessions left behind: [`RecordCalls`] over S3, CloudWatch Logs and CloudTrail.

mod events;
mod object;
mod signed;
mod trail;

use std::sync::Arc;

use fleetline_engine::ports::ApiError;
use fleetline_history::{
    BoxFuture, EventWindow, ObjectPlace, ObjectWindow, RecordCalls, StreamPlace, TrailAsk, TrailFacts,
    TrailPage,
};

use crate::access::Access;
use crate::endpoints::Endpoints;

/// [`RecordCalls`] of one source in one Region.
#[derive(Debug)]
pub(crate) struct Records(pub(crate) Arc<Access>);

impl RecordCalls<ApiError> for Records {
    fn object(
        &self,
        place: ObjectPlace,
        from: u64,
        most: u32,
    ) -> BoxFuture<'_, Result<Option<ObjectWindow>, ApiError>> {
        Box::pin(async move { object::read(&self.0, &place, from, most).await })
    }

    fn events(
        &self,
        place: StreamPlace,
        next: Option<String>,
    ) -> BoxFuture<'_, Result<Option<EventWindow>, ApiError>> {
        Box::pin(async move { events::read(&self.0, &place, next.as_deref()).await })
    }

    fn lookup(&self, ask: TrailAsk, next: Option<String>) -> BoxFuture<'_, Result<TrailPage, ApiError>> {
        Box::pin(async move { trail::lookup(&self.0, &ask, next).await })
    }

    fn trails(&self) -> BoxFuture<'_, Result<Vec<TrailFacts>, ApiError>> {
        Box::pin(trail::trails(&self.0))
    }
}

/// Where a service that is called without its SDK is: the endpoint that was set, else AWS's of the Region.
fn endpoint(endpoints: &Endpoints, set: Option<&str>, service: &str, region: &str) -> String {
    if let Some(set) = set {
        return set.trim_end_matches('/').to_owned();
    }
    // S3 names its dual-stack endpoints otherwise than every other service, and keeps its domain for them.
    let (host, suffix) = match (service, endpoints.fips, endpoints.dual_stack) {
        (object::SERVICE, false, true) => (format!("s3.dualstack.{region}"), suffix(region).0),
        (object::SERVICE, true, true) => (format!("s3-fips.dualstack.{region}"), suffix(region).0),
        (_, true, dual) => {
            (format!("{service}-fips.{region}"), if dual { suffix(region).1 } else { suffix(region).0 })
        }
        (_, false, dual) => {
            (format!("{service}.{region}"), if dual { suffix(region).1 } else { suffix(region).0 })
        }
    };
    format!("https://{host}.{suffix}")
}

/// Domains of a Region's partition: the usual one and the dual-stack one (aws-security-reliability.md A.1).
fn suffix(region: &str) -> (&'static str, &'static str) {
    const OTHERS: [(&str, &str, &str); 6] = [
        ("cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        ("eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
        ("us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
        ("eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
        ("us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    ];
    OTHERS
        .into_iter()
        .find(|(prefix, ..)| region.starts_with(prefix))
        .map_or(("amazonaws.com", "api.aws"), |(_, usual, dual)| (usual, dual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_those_of_the_partition_unless_one_is_set() {
        let plain = Endpoints::default();
        let of = |endpoints: &Endpoints, service, region| endpoint(endpoints, None, service, region);
        assert_eq!(of(&plain, "s3", "eu-west-1"), "https://s3.eu-west-1.amazonaws.com");
        assert_eq!(of(&plain, "logs", "cn-north-1"), "https://logs.cn-north-1.amazonaws.com.cn");
        assert_eq!(of(&plain, "logs", "eusc-de-east-1"), "https://logs.eusc-de-east-1.amazonaws.eu");
        let both = Endpoints { fips: true, dual_stack: true, ..Endpoints::default() };
        assert_eq!(of(&both, "s3", "us-east-1"), "https://s3-fips.dualstack.us-east-1.amazonaws.com");
        assert_eq!(of(&both, "logs", "us-east-1"), "https://logs-fips.us-east-1.api.aws");
        assert_eq!(endpoint(&both, Some("http://127.0.0.1:1/"), "s3", "us-east-1"), "http://127.0.0.1:1");
    }
}
