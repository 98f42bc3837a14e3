//! How far this computer's clock is from AWS's, learned from answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

/// Below this the offset is not applied: a `Date` header is whole seconds old and travel takes time. The SDK's own
/// correction uses the same bound (aws-security-reliability.md A.10).
const APPLIED_FROM: Duration = Duration::from_secs(240);

/// The last offset seen, in seconds; shared by all clients of a source and by the signer of the data channel, so
/// that all of them tell the same time.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClockSkew(Arc<AtomicI64>);

impl ClockSkew {
    /// Now, as AWS would say it.
    pub(crate) fn now(&self) -> SystemTime {
        self.corrected(SystemTime::now())
    }

    /// Whether the clock is off by enough to make signatures invalid.
    pub(crate) fn is_large(&self) -> bool {
        self.0.load(Ordering::Relaxed).unsigned_abs() >= APPLIED_FROM.as_secs()
    }

    /// A time of this computer's clock, as AWS would say it.
    pub(crate) fn corrected(&self, local: SystemTime) -> SystemTime {
        if !self.is_large() {
            return local;
        }
        let offset = self.0.load(Ordering::Relaxed);
        let by = Duration::from_secs(offset.unsigned_abs());
        let moved = if offset > 0 { local.checked_add(by) } else { local.checked_sub(by) };
        moved.unwrap_or(local)
    }

    fn learn(&self, date: &str, local: SystemTime) {
        let Ok(remote) = DateTime::from_str(date, Format::HttpDate) else { return };
        let Ok(local) = local.duration_since(SystemTime::UNIX_EPOCH) else { return };
        let local = i64::try_from(local.as_secs()).unwrap_or(i64::MAX);
        self.0.store(remote.secs().saturating_sub(local), Ordering::Relaxed);
    }
}

impl Intercept for ClockSkew {
    fn name(&self) -> &'static str {
        "ClockSkew"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.learn(date, SystemTime::now());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_offsets_are_ignored_and_large_ones_applied() {
        let skew = ClockSkew::default();
        let local = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        skew.learn("Sun, 09 Sep 2001 01:47:40 GMT", local);
        assert_eq!(skew.corrected(local), local);
        skew.learn("Sun, 09 Sep 2001 02:46:40 GMT", local);
        assert!(skew.is_large());
        assert_eq!(skew.corrected(local), local + Duration::from_secs(3_600));
        skew.learn("Sun, 09 Sep 2001 00:46:40 GMT", local);
        assert_eq!(skew.corrected(local), local - Duration::from_secs(3_600));
        skew.learn("not a date", local);
        assert_eq!(skew.corrected(local), local - Duration::from_secs(3_600));
    }
}
