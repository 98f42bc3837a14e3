//! Changes of tiers that are looked at until they settle, and the review of a change before it is made.

use std::collections::HashMap;

use fleetline_access::Place;
use fleetline_inventory::node::InstanceTier;
use fleetline_inventory::tier::{
    self as inventory, ADVANCED_MICRO_USD_PER_HOUR, STANDARD_LIMIT, TierSetting,
};
use fleetline_inventory::{Listing, ListingState};
use fleetline_ipc::CommandError;
use fleetline_ipc::hybrid::{TierChange, TierObstacle, TierReview, TierTarget};
use tokio::task::AbortHandle;

use crate::clock::now_ms;
use crate::ports::Scope;
use crate::rows::{self, millis};

/// What is known of an account-Region without asking.
#[derive(Clone, Debug)]
pub(crate) struct TierPlace {
    pub(crate) scope: Scope,
    account_id: String,
    account_name: String,
    hybrid_nodes: u32,
    is_complete: bool,
}

impl TierPlace {
    pub(crate) fn new(scope: Scope, listing: &Listing, hybrid_nodes: u32) -> Self {
        Self {
            scope,
            account_id: listing.account_id.clone(),
            account_name: listing.account_name.clone(),
            hybrid_nodes,
            is_complete: listing.state == ListingState::Loaded,
        }
    }

    pub(crate) fn change(&self, setting: &TierSetting, to: TierTarget) -> inventory::TierReview {
        inventory::TierReview {
            from: setting.tier,
            to: target(to),
            hybrid_nodes: self.hybrid_nodes,
            is_complete: self.is_complete,
        }
    }

    /// The change to `to` with everything a person should know. Sums are for the nodes that are known.
    pub(crate) fn review(self, setting: TierSetting, to: TierTarget) -> TierReview {
        let change = self.change(&setting, to);
        let word = match to {
            TierTarget::Standard => "standard",
            TierTarget::Advanced => "advanced",
        };
        let Scope { source, region } = self.scope;
        let setting_arn = Place::new(&self.account_id, &region).tier_setting();
        let (source_word, region_word) = (quoted(&source), quoted(&region));
        TierReview {
            tier: rows::tier(setting.tier),
            value: rows::tier(setting.value),
            is_default: setting.is_default,
            changed_by: setting.changed_by,
            changed_ms: setting.changed_ms.map(millis),
            to,
            hybrid_nodes: self.hybrid_nodes,
            is_complete: self.is_complete,
            node_hour_usd: micro(ADVANCED_MICRO_USD_PER_HOUR),
            hour_usd: micro(change.hour_micro_usd()),
            month_usd: micro(change.month_cents() * 10_000),
            standard_limit: STANDARD_LIMIT,
            obstacle: change.obstacle().map(|obstacle| match obstacle {
                inventory::TierObstacle::Unchanged => TierObstacle::Unchanged,
                inventory::TierObstacle::Pending => TierObstacle::Pending,
                inventory::TierObstacle::TooManyNodes => TierObstacle::TooManyNodes,
            }),
            command: format!("fleetline tier set {word} --source {source_word} --region {region_word} --yes"),
            aws_command: format!(
                "aws ssm update-service-setting --profile {source_word} --region {region_word} --setting-id {setting_arn} \
                 --setting-value {word}"
            ),
            account_id: self.account_id,
            account_name: self.account_name,
            source,
            region,
            setting_arn,
        }
    }
}

/// As the inventory calls it.
pub(crate) fn target(to: TierTarget) -> InstanceTier {
    match to {
        TierTarget::Standard => InstanceTier::Standard,
        TierTarget::Advanced => InstanceTier::Advanced,
    }
}

fn micro(millionths: u64) -> f64 {
    millionths as f64 / 1_000_000.0
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@:/".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A change that is looked at.
struct Watch {
    number: u64,
    change: TierChange,
    task: Option<AbortHandle>,
}

/// All of them, at most one for each account-Region.
#[derive(Default)]
pub(crate) struct Tiers {
    watches: HashMap<Scope, Watch>,
    begun: u64,
}

impl Tiers {
    /// Whether a change of this account-Region is looked at now.
    pub(crate) fn is_watched(&self, scope: &Scope) -> bool {
        self.watches.get(scope).is_some_and(|watch| watch.change.problem.is_none())
    }

    /// A change is looked at from now on, in place of what was known of another. Gives it a number.
    pub(crate) fn begin(&mut self, scope: Scope, to: InstanceTier) -> u64 {
        self.begun += 1;
        let change = TierChange { to: rows::tier(to), since_ms: millis(now_ms()), problem: None };
        let watch = Watch { number: self.begun, change, task: None };
        if let Some(Watch { task: Some(task), .. }) = self.watches.insert(scope, watch) {
            task.abort();
        }
        self.begun
    }

    /// What looks at it.
    pub(crate) fn by(&mut self, scope: &Scope, task: AbortHandle) {
        if let Some(watch) = self.watches.get_mut(scope) {
            watch.task = Some(task);
        }
    }

    /// What the setting says became known.
    pub(crate) fn seen(&mut self, scope: &Scope, setting: &TierSetting) {
        if let Some(watch) = self.watches.get_mut(scope) {
            watch.change.to = rows::tier(setting.value);
        }
    }

    /// It settled, or is not looked at any more. `false` if another watch took its place.
    pub(crate) fn ended(&mut self, scope: &Scope, number: u64, problem: Option<CommandError>) -> bool {
        let Some(watch) = self.watches.get_mut(scope).filter(|watch| watch.number == number) else {
            return false;
        };
        match problem {
            Some(problem) => (watch.change.problem, watch.task) = (Some(problem), None),
            None => drop(self.watches.remove(scope)),
        }
        true
    }

    pub(crate) fn row(&self, source: &str, region: &str) -> Option<TierChange> {
        let scope = Scope { source: source.to_owned(), region: region.to_owned() };
        self.watches.get(&scope).map(|watch| watch.change.clone())
    }

    /// Ends all looking; AWS goes on with the changes.
    pub(crate) fn leave(&mut self) {
        for (_, watch) in self.watches.drain() {
            if let Some(task) = watch.task {
                task.abort();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_command_line_are_quoted_where_a_shell_needs_it() {
        for (word, written) in [
            ("prod", "prod"),
            ("my profile", "'my profile'"),
            ("a'b", r"'a'\''b'"),
            ("", "''"),
            ("$x", "'$x'"),
        ] {
            assert_eq!(quoted(word), written);
        }
    }

    #[test]
    fn the_end_of_a_watch_that_was_replaced_is_not_heard() {
        let mut tiers = Tiers::default();
        let scope = Scope { source: "prod".into(), region: "eu-central-1".into() };
        let first = tiers.begin(scope.clone(), InstanceTier::Advanced);
        let second = tiers.begin(scope.clone(), InstanceTier::Standard);
        assert!(!tiers.ended(&scope, first, None) && tiers.is_watched(&scope));
        let problem = CommandError::new(fleetline_ipc::ErrorCode::Service, "no");
        assert!(tiers.ended(&scope, second, Some(problem)));
        assert!(!tiers.is_watched(&scope) && tiers.row("prod", "eu-central-1").is_some(), "it says why");
    }
}
