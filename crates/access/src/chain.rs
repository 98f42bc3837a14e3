//! The stages at which AWS decides about a call, as far as a refusal tells.

use crate::denial::{Denial, Effect, PolicyKind};

/// A stage, in the order in which people meet them: what bounds an identity from outside, the identity, what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// A kind of policy.
    Policy(PolicyKind),
    /// The session document, which a policy must name beside the node.
    Document,
    /// The node.
    Node,
}

/// What a refusal tells about a stage. AWS names one policy kind even if several refuse, so nothing is ever told as
/// passed: only that no deny was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// AWS names no deny here.
    NoDenyReported,
    /// Nothing allows the call: stopped here.
    NoAllow,
    /// Something denies the call: stopped here.
    Denied,
    /// Whatever it says, it cannot lift the refusal.
    CannotOverride,
    /// Stopped before it.
    NotReached,
}

/// A stage with what is known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The stage.
    pub stage: Stage,
    /// What is known.
    pub outcome: Outcome,
}

impl Denial {
    /// The stages of this refusal: the organization, the kind that refused if it is another one, the identity, and for
    /// StartSession the document and the node. Empty where AWS named no kind.
    pub fn chain(&self) -> Vec<Link> {
        let Some(kind) = self.policy else { return Vec::new() };
        let hit = if self.effect == Some(Effect::Explicit) { Outcome::Denied } else { Outcome::NoAllow };
        let link = |stage, outcome| Link { stage, outcome };
        let mut chain = Vec::new();
        match kind {
            PolicyKind::ServiceControl => {
                chain.push(link(Stage::Policy(PolicyKind::ServiceControl), hit));
                chain.push(link(Stage::Policy(PolicyKind::Identity), Outcome::CannotOverride));
            }
            PolicyKind::Identity => {
                chain.push(link(Stage::Policy(PolicyKind::ServiceControl), Outcome::NoDenyReported));
                chain.push(link(Stage::Policy(PolicyKind::Identity), hit));
            }
            other => {
                chain.push(link(Stage::Policy(PolicyKind::ServiceControl), Outcome::NoDenyReported));
                chain.push(link(Stage::Policy(other), hit));
                chain.push(link(Stage::Policy(PolicyKind::Identity), Outcome::CannotOverride));
            }
        }
        if self.action.as_deref() == Some("ssm:StartSession") {
            chain.push(link(Stage::Document, Outcome::NotReached));
            chain.push(link(Stage::Node, Outcome::NotReached));
        }
        chain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(policy: Option<PolicyKind>, effect: Effect, action: &str) -> Denial {
        Denial { policy, effect: Some(effect), action: Some(action.to_owned()), ..Denial::default() }
    }

    #[test]
    fn exactly_one_stage_stops_and_none_is_told_as_passed() {
        let kinds = [
            PolicyKind::Identity,
            PolicyKind::Resource,
            PolicyKind::Boundary,
            PolicyKind::Session,
            PolicyKind::ServiceControl,
            PolicyKind::ResourceControl,
            PolicyKind::Endpoint,
            PolicyKind::RoleTrust,
        ];
        for kind in kinds {
            for (effect, outcome) in
                [(Effect::Implicit, Outcome::NoAllow), (Effect::Explicit, Outcome::Denied)]
            {
                let chain = denial(Some(kind), effect, "ssm:StartSession").chain();
                let stops: Vec<&Link> = chain
                    .iter()
                    .filter(|link| matches!(link.outcome, Outcome::NoAllow | Outcome::Denied))
                    .collect();
                assert_eq!(stops, [&Link { stage: Stage::Policy(kind), outcome }], "{kind:?}");
                assert_eq!(chain.last().map(|link| link.stage), Some(Stage::Node));
            }
        }
        let sealed = denial(Some(PolicyKind::Identity), Effect::Implicit, "kms:GenerateDataKey").chain();
        assert_eq!(sealed.len(), 2, "a key knows no document");
        assert!(denial(None, Effect::Explicit, "ssm:StartSession").chain().is_empty(), "nothing is guessed");
    }
}
