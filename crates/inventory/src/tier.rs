//! The tier of an account-Region: what is set, and what a change means.

use crate::node::InstanceTier;

/// Price of a hybrid node on the advanced tier, in millionths of a US dollar per hour: USD 0.00695. The same in every
/// commercial Region as far as is known; AWS's price list decides.
pub const ADVANCED_MICRO_USD_PER_HOUR: u64 = 6_950;

/// Hours AWS counts for a month.
pub const HOURS_PER_MONTH: u64 = 730;

/// Hybrid nodes an account-Region on the standard tier may have (aws-security-reliability.md A.4).
pub const STANDARD_LIMIT: u32 = 1_000;

/// The setting as AWS tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierSetting {
    /// What it is, or Pending.
    pub tier: InstanceTier,
    /// What it says: the same as `tier`, or what it is being changed to.
    pub value: InstanceTier,
    /// Whether nobody ever set it.
    pub is_default: bool,
    /// ARN of who set it last; empty if AWS did not say.
    pub changed_by: String,
    /// When, in epoch milliseconds.
    pub changed_ms: Option<i64>,
}

/// Why a change cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TierObstacle {
    /// It is that already.
    Unchanged,
    /// Another change is on its way.
    Pending,
    /// More than [`STANDARD_LIMIT`] hybrid nodes.
    TooManyNodes,
}

/// A change of the tier with everything a person should know before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierReview {
    /// From.
    pub from: InstanceTier,
    /// To: [`InstanceTier::Standard`] or [`InstanceTier::Advanced`].
    pub to: InstanceTier,
    /// Hybrid nodes of the account-Region. The setting applies to all of them.
    pub hybrid_nodes: u32,
    /// Whether all of them are known; otherwise there may be more.
    pub is_complete: bool,
}

impl TierReview {
    /// What stands in the way, if anything.
    pub fn obstacle(&self) -> Option<TierObstacle> {
        if self.from == InstanceTier::Pending {
            return Some(TierObstacle::Pending);
        }
        if self.from == self.to {
            return Some(TierObstacle::Unchanged);
        }
        let too_many = self.to == InstanceTier::Standard && self.hybrid_nodes > STANDARD_LIMIT;
        too_many.then_some(TierObstacle::TooManyNodes)
    }

    /// Cost of the advanced tier for these nodes in a month, in US cents.
    pub fn month_cents(&self) -> u64 {
        let micro = u64::from(self.hybrid_nodes) * ADVANCED_MICRO_USD_PER_HOUR * HOURS_PER_MONTH;
        (micro + 5_000) / 10_000
    }

    /// The same for one hour, in millionths of a US dollar.
    pub fn hour_micro_usd(&self) -> u64 {
        u64::from(self.hybrid_nodes) * ADVANCED_MICRO_USD_PER_HOUR
    }

    /// Cost of the advanced tier for these nodes, "USD 55.81" a month.
    pub fn month_text(&self) -> String {
        let cents = self.month_cents();
        format!("USD {}.{:02}", cents / 100, cents % 100)
    }

    /// Cost of one hour, "USD 0.07645".
    pub fn hour_text(&self) -> String {
        let micro = self.hour_micro_usd();
        format!("USD {}.{:05}", micro / 1_000_000, micro % 1_000_000 / 10)
    }

    /// What the change means, a sentence each.
    pub fn consequences(&self) -> Vec<String> {
        let nodes = match self.hybrid_nodes {
            1 => "1 hybrid node".to_owned(),
            count => format!("{count} hybrid nodes"),
        };
        let known = if self.is_complete { "" } else { " that are known so far" };
        let mut sentences = Vec::new();
        if self.to == InstanceTier::Advanced {
            sentences.push(format!("{nodes}{known} can take sessions once the change has settled."));
            sentences.push(format!(
                "AWS charges USD 0.00695 per hybrid node and hour: {} an hour, {} for {HOURS_PER_MONTH} hours.",
                self.hour_text(),
                self.month_text()
            ));
            sentences.push(
                "The change applies to every hybrid node of this account and Region, whoever registered it."
                    .to_owned(),
            );
            sentences.push(format!(
                "Going back takes 30 minutes or more, and AWS refuses it with more than {STANDARD_LIMIT} hybrid nodes."
            ));
        } else {
            let take = if self.hybrid_nodes == 1 { "takes" } else { "take" };
            sentences.push(format!(
                "{nodes}{known} {take} no sessions any more, for anybody in this account and Region."
            ));
            sentences.push(format!(
                "The charge of {} an hour ends once the change has settled.",
                self.hour_text()
            ));
            sentences.push("The change takes 30 minutes or more.".to_owned());
            sentences.push(format!("AWS refuses it with more than {STANDARD_LIMIT} hybrid nodes."));
        }
        sentences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(from: InstanceTier, to: InstanceTier, hybrid_nodes: u32) -> TierReview {
        TierReview { from, to, hybrid_nodes, is_complete: true }
    }

    #[test]
    fn the_price_is_exact_to_the_cent() {
        for (nodes, hour, month) in [
            (0, "USD 0.00000", "USD 0.00"),
            (1, "USD 0.00695", "USD 5.07"),
            (11, "USD 0.07645", "USD 55.81"),
            (200, "USD 1.39000", "USD 1014.70"),
        ] {
            let review = review(InstanceTier::Standard, InstanceTier::Advanced, nodes);
            assert_eq!((review.hour_text().as_str(), review.month_text().as_str()), (hour, month));
        }
    }

    #[test]
    fn what_cannot_be_done_is_said_before() {
        use InstanceTier::{Advanced, Pending, Standard, Unknown};
        for (from, to, nodes, obstacle) in [
            (Standard, Advanced, 5_000, None),
            (Unknown, Advanced, 1, None),
            (Advanced, Standard, 1_000, None),
            (Advanced, Standard, 1_001, Some(TierObstacle::TooManyNodes)),
            (Advanced, Advanced, 1, Some(TierObstacle::Unchanged)),
            (Pending, Standard, 1, Some(TierObstacle::Pending)),
        ] {
            assert_eq!(review(from, to, nodes).obstacle(), obstacle, "{from:?} {to:?} {nodes}");
        }
    }

    #[test]
    fn consequences_are_sentences_with_numbers() {
        let partial =
            TierReview { is_complete: false, ..review(InstanceTier::Standard, InstanceTier::Advanced, 11) };
        let sentences = partial.consequences();
        assert!(sentences.iter().all(|s| s.ends_with('.')), "{sentences:?}");
        assert!(sentences[0].starts_with("11 hybrid nodes that are known so far"), "{sentences:?}");
        assert!(sentences[1].contains("USD 55.81"), "{sentences:?}");
        let back = review(InstanceTier::Advanced, InstanceTier::Standard, 1).consequences();
        assert!(back[0].starts_with("1 hybrid node takes no sessions"), "{back:?}");
    }
}
