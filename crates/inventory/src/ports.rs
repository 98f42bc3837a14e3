//! What the inventory needs from AWS, as traits the `aws` crate implements.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::facts::NodeFacts;
use crate::node::{InstanceTier, ManagedNode};

/// A boxed future, so that the ports can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An AWS profile, or the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// Name in the AWS configuration, or `environment`.
    pub name: String,
    /// Region it names.
    pub region: Option<String>,
    /// "access key", "IAM Identity Center", "assume role", "credential process", "web identity".
    pub method: String,
    /// What makes it unusable, if that can be told without a call.
    pub problem: Option<String>,
}

/// Who a source is to AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// Account id.
    pub account_id: String,
    /// Caller ARN.
    pub arn: String,
    /// `${aws:userid}`.
    pub user_id: String,
    /// End of the credentials in epoch milliseconds, if they end.
    pub expires_ms: Option<i64>,
}

/// A page of nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodePage {
    /// Nodes in service order.
    pub nodes: Vec<ManagedNode>,
    /// Continues the listing; `None` is the end.
    pub next: Option<String>,
}

/// The listing calls of one identity in one Region. `E` is the port error of the implementation.
pub trait NodeListing<E>: fmt::Debug + Send + Sync + 'static {
    /// GetCallerIdentity.
    fn identity(&self) -> BoxFuture<'_, Result<CallerIdentity, E>>;

    /// One page, `DescribeInstanceProperties` first and `DescribeInstanceInformation` where that is refused; the
    /// page token remembers which. Pass `None` to begin.
    fn page(&self, next: Option<String>) -> BoxFuture<'_, Result<NodePage, E>>;

    /// EC2 facts the listing lacks (tags, VPC, state) of EC2 nodes, in any order; none of those that EC2 does not know.
    /// One call for each 200 ids, one after the other.
    fn facts(&self, node_ids: Vec<SmolStr>) -> BoxFuture<'_, Result<Vec<NodeFacts>, E>>;

    /// Tags of a hybrid node, sorted by key: ListTagsForResource, which takes one node at a time and only `mi-` ids
    /// (aws-security-reliability.md A.5).
    fn tags(&self, node_id: String) -> BoxFuture<'_, Result<Vec<(String, String)>, E>>;

    /// The activation tier setting (aws-security-reliability.md A.4).
    fn tier(&self) -> BoxFuture<'_, Result<InstanceTier, E>>;
}

/// All sources of the user's AWS configuration.
pub trait Sources<E>: Send + Sync + 'static {
    /// Reads the configuration anew; never calls AWS.
    fn list(&self) -> Vec<SourceInfo>;

    /// The listing calls of a source in a Region; never calls AWS.
    fn listing(&self, source: &str, region: &str) -> Result<Arc<dyn NodeListing<E>>, E>;
}
