//! Changes of the tier of an account-Region, until they have settled. The window and `fleetline tier` make them here.

use std::time::Duration;

use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_inventory::hybrid::HybridCalls;
use fleetline_inventory::node::InstanceTier;
use fleetline_inventory::tier::TierSetting;
use tokio::time::{Instant, sleep};

/// How a change is waited for. AWS tells of it only when asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierPatience {
    /// Between two looks.
    pub look: Duration,
    /// In all. AWS speaks of 30 minutes or more for the way back to standard.
    pub whole: Duration,
}

impl Default for TierPatience {
    fn default() -> Self {
        Self { look: Duration::from_secs(5), whole: Duration::from_secs(2 * 60 * 60) }
    }
}

/// Looks at the setting until it is no longer pending, and gives what it is then; still pending when the patience is
/// over. `seen` is told of each look. Failures that pass by themselves are waited out.
///
/// # Errors
/// If AWS refuses to tell, or does not answer until the patience is over.
pub async fn settle(
    calls: &dyn HybridCalls<ApiError>,
    patience: TierPatience,
    mut seen: impl FnMut(&TierSetting),
) -> Result<TierSetting, ApiError> {
    let until = Instant::now() + patience.whole;
    loop {
        let looked = calls.tier_setting().await;
        let over = Instant::now() >= until;
        match looked {
            Ok(setting) => {
                seen(&setting);
                if over || setting.tier != InstanceTier::Pending {
                    return Ok(setting);
                }
            }
            Err(error) if over || !passes(error.kind) => return Err(error),
            Err(error) => tracing::debug!(%error, "the tier is looked at again"),
        }
        sleep(patience.look).await;
    }
}

fn passes(kind: ApiErrorKind) -> bool {
    matches!(kind, ApiErrorKind::Network | ApiErrorKind::Throttled | ApiErrorKind::Service)
}
