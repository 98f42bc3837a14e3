//! Who may do what at AWS, as plain data: what a refusal says, what would lift it, and the policies that grant exactly
//! what is needed.
//!
//! Nothing here calls AWS or knows its SDK. Texts are read as AWS words them (aws-security-reliability.md A.11, anchors.md
//! 4); what is not recognised stays unrecognised, and nothing is guessed.

#![forbid(unsafe_code)]

mod arn;
mod chain;
mod denial;
mod known;
mod needs;
mod policy;
mod principal;
mod remedy;
mod terraform;

pub use arn::{Arn, Place, partition_of_region};
pub use chain::{Link, Outcome, Stage};
pub use denial::{Denial, Effect, PolicyKind};
pub use known::{Fault, Known};
pub use needs::{DEFAULT_DOCUMENT, Feature, NeedsError, Node, Wanted};
pub use policy::{Condition, MANAGED_POLICY_LIMIT, Policy, Statement};
pub use principal::Principal;
pub use remedy::{Attempt, Remedy};
