//! Whether a node is connected, asked of AWS without starting anything.

use std::fmt;
use std::sync::Arc;

use crate::ports::BoxFuture;

/// The question of one identity in one Region. `E` is the port error of the implementation.
pub trait NodeProbe<E>: fmt::Debug + Send + Sync + 'static {
    /// GetConnectionStatus. Advisory: a node that is connected can still refuse (aws-security-reliability.md A.2).
    fn is_connected(&self, node_id: String) -> BoxFuture<'_, Result<bool, E>>;
}

/// Gives the probe of a source and Region.
pub trait NodeProbes<E>: Send + Sync + 'static {
    /// Opening never calls AWS.
    fn probe(&self, source: &str, region: &str) -> Result<Arc<dyn NodeProbe<E>>, E>;
}
