//! Tiers of account-Regions over time: a change is pending before it counts (aws-security-reliability.md A.4).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::live::Tier;

/// What is known of the setting of an account-Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TierView {
    /// What counts for sessions now.
    pub(crate) effective: Tier,
    /// What the setting says.
    pub(crate) value: Tier,
    pub(crate) pending: bool,
    /// Whether somebody set it.
    pub(crate) customized: bool,
    /// Who set it last, and when in milliseconds of the Unix epoch.
    pub(crate) changed: Option<(String, i64)>,
}

/// A change is on its way already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManyUpdates;

#[derive(Clone, Debug)]
struct Set {
    before: Tier,
    value: Tier,
    customized: bool,
    settles: Instant,
    changed: Option<(String, i64)>,
}

/// The settings somebody changed, by account and Region.
#[derive(Debug, Default)]
pub(crate) struct Tiers {
    set: HashMap<(String, String), Set>,
}

/// Who changes a setting to what.
pub(crate) struct Change<'a> {
    pub(crate) account_id: &'a str,
    pub(crate) region: &'a str,
    pub(crate) value: Tier,
    pub(crate) customized: bool,
    pub(crate) by: Option<(String, i64)>,
    pub(crate) settles_after: Duration,
}

impl Tiers {
    /// The setting; `planned` is what the world was made with.
    pub(crate) fn view(&self, account_id: &str, region: &str, planned: Tier, now: Instant) -> TierView {
        match self.set.get(&(account_id.to_owned(), region.to_owned())) {
            None => TierView {
                effective: planned,
                value: planned,
                pending: false,
                customized: planned == Tier::Advanced,
                changed: None,
            },
            Some(set) => {
                let pending = now < set.settles;
                TierView {
                    effective: if pending { set.before } else { set.value },
                    value: set.value,
                    pending,
                    customized: set.customized,
                    changed: set.changed.clone(),
                }
            }
        }
    }

    pub(crate) fn change(
        &mut self,
        change: Change<'_>,
        planned: Tier,
        now: Instant,
    ) -> Result<(), TooManyUpdates> {
        let view = self.view(change.account_id, change.region, planned, now);
        if view.pending {
            return Err(TooManyUpdates);
        }
        let settles_after =
            if view.effective == change.value { Duration::ZERO } else { change.settles_after };
        let set = Set {
            before: view.effective,
            value: change.value,
            customized: change.customized,
            settles: now + settles_after,
            changed: change.by,
        };
        self.set.insert((change.account_id.to_owned(), change.region.to_owned()), set);
        Ok(())
    }

    /// Sets it at once, whatever is pending.
    pub(crate) fn force(&mut self, account_id: &str, region: &str, value: Tier, now: Instant) {
        let set = Set { before: value, value, customized: true, settles: now, changed: None };
        self.set.insert((account_id.to_owned(), region.to_owned()), set);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_only_after_it_settled_and_one_is_made_at_a_time() {
        let (mut tiers, now) = (Tiers::default(), Instant::now());
        let change = |value| Change {
            account_id: "1",
            region: "r",
            value,
            customized: true,
            by: Some(("ada".to_owned(), 7)),
            settles_after: Duration::from_secs(10),
        };
        tiers.change(change(Tier::Advanced), Tier::Standard, now).unwrap();
        let view = tiers.view("1", "r", Tier::Standard, now);
        assert_eq!((view.effective, view.value, view.pending), (Tier::Standard, Tier::Advanced, true));
        assert_eq!(tiers.change(change(Tier::Standard), Tier::Standard, now), Err(TooManyUpdates));
        let later = now + Duration::from_secs(10);
        let view = tiers.view("1", "r", Tier::Standard, later);
        assert_eq!((view.effective, view.pending), (Tier::Advanced, false));
        assert_eq!(view.changed, Some(("ada".to_owned(), 7)));
        assert!(!tiers.view("1", "elsewhere", Tier::Standard, later).customized);
        tiers.change(change(Tier::Advanced), Tier::Standard, later).unwrap();
        assert!(!tiers.view("1", "r", Tier::Standard, later).pending, "no change, nothing to wait for");
    }
}
