//! Managed nodes in memory: what they are, whether they can take a session, and views over them.
//!
//! A [`Fleet`] holds the nodes of every account-Region that is listed. A listing goes through
//! [`Fleet::begin`], any number of pages, and one of [`Fleet::complete`], [`Fleet::fail`] or [`Fleet::cancel`]; what a
//! complete listing did not see is removed. A [`View`] is a [`Query`] and an order over the fleet, worked out anew when
//! the fleet's version grew. No clock is read here: the caller passes the time.

mod age;
mod column;
mod entry;
pub mod export;
mod facts;
mod fleet;
pub mod hybrid;
mod json;
mod ladder;
mod ladder_words;
mod marks;
mod natural;
pub mod node;
mod platform;
pub mod ports;
pub mod probe;
mod query;
mod readiness;
#[cfg(test)]
mod testing;
pub mod tier;
mod version;
mod view;
pub mod words;

pub use age::age_text;
pub use column::Column;
pub use entry::Entry;
pub use facts::NodeFacts;
pub use fleet::{Counters, Fleet, Listing, ListingCounts, ListingId, ListingState};
pub use ladder::{ChannelProof, Evidence, SessionProof, Step, StepName, StepState, ladder};
pub use marks::Marks;
pub use query::{Completion, Completions, Issue, Key, Query};
pub use readiness::{Readiness, Verdict};
/// How texts of nodes are held.
pub use smol_str::SmolStr;
pub use version::{AgentVersion, Gate, MUX_SINCE, REMOTE_HOST_SINCE};
pub use view::View;
