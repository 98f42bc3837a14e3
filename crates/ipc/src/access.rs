//! A refused call in its parts, so that the interface can say it in its own language.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::CommandError;

/// What a caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CallerKind {
    /// An IAM user.
    User,
    /// A session of a role.
    Role,
    /// A session of a permission set of IAM Identity Center; what it may do is changed there, not on its role.
    PermissionSet,
    /// The account's root user.
    Root,
    /// Something else, as AWS named it.
    Other,
    /// AWS named nobody.
    Unknown,
}

/// Who called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    /// What it is.
    pub kind: CallerKind,
    /// The person or program: user or role session name; empty if AWS named nobody.
    pub name: String,
    /// Name of the role or permission set; empty for others.
    pub capacity: String,
    /// ARN as AWS gave it, or whatever else it gave.
    pub arn: String,
}

/// The kind of policy that refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum PolicyKind {
    /// A policy of the identity.
    Identity,
    /// The policy of the resource.
    Resource,
    /// The permissions boundary of the identity.
    Boundary,
    /// A policy passed when the role was assumed.
    Session,
    /// An organization policy on identities (SCP).
    ServiceControl,
    /// An organization policy on resources (RCP).
    ResourceControl,
    /// The policy of a VPC endpoint.
    Endpoint,
    /// The trust policy of a role.
    RoleTrust,
}

/// A stage at which AWS decides: a kind of policy, or what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// [`PolicyKind::Identity`].
    Identity,
    /// [`PolicyKind::Resource`].
    Resource,
    /// [`PolicyKind::Boundary`].
    Boundary,
    /// [`PolicyKind::Session`].
    Session,
    /// [`PolicyKind::ServiceControl`].
    ServiceControl,
    /// [`PolicyKind::ResourceControl`].
    ResourceControl,
    /// [`PolicyKind::Endpoint`].
    Endpoint,
    /// [`PolicyKind::RoleTrust`].
    RoleTrust,
    /// The session document.
    Document,
    /// The node.
    Node,
}

/// What a refusal tells about a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// AWS named no deny here.
    NoDenyReported,
    /// Stopped here: nothing allows the call.
    NoAllow,
    /// Stopped here: something denies the call.
    Denied,
    /// It cannot lift the refusal.
    CannotOverride,
    /// Stopped before it.
    NotReached,
}

/// A stage with what is known about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ChainLink {
    /// The stage.
    pub stage: Stage,
    /// What is known.
    pub outcome: Outcome,
}

/// The smallest policy that would lift a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// A policy document as JSON, indented by two spaces.
    pub json: String,
    /// The same as an `aws_iam_policy_document` of Terraform.
    pub terraform: String,
}

/// A call that a policy refused. Texts are empty where AWS said nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Denied {
    /// Who may not.
    pub caller: Caller,
    /// "ssm:StartSession".
    pub action: String,
    /// ARN of the resource.
    pub resource: String,
    /// The node, as the user knows it.
    pub node_name: String,
    /// Account id of the caller.
    pub account_id: String,
    /// Region of the call.
    pub region: String,
    /// The session document that was asked for, for a refused StartSession.
    pub document: Option<String>,
    /// The kind of policy that refused; `None` where AWS did not say.
    pub policy: Option<PolicyKind>,
    /// Whether something denies it; otherwise nothing allows it.
    pub explicit: bool,
    /// ARN of the policy, if AWS gave it.
    pub policy_arn: Option<String>,
    /// The stages in order; empty where AWS named no kind.
    pub chain: Vec<ChainLink>,
    /// What would lift it; `None` where no statement of the identity helps.
    pub remedy: Option<Statement>,
    /// Whether AWS named no action and this is the likeliest one: a data channel that was refused without a reason.
    pub guessed: bool,
    /// When AWS was asked last.
    pub checked_ms: f64,
    /// Whether this refusal came in place of another one: the first obstacle is gone.
    pub first_gone: bool,
    /// The same as one sentence, with the text of AWS folded away.
    pub problem: CommandError,
}

/// A check of a node's session channel: a real session that is started, opened and ended again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CheckRow {
    /// Node key, see `NodeRow::key`.
    pub node_key: String,
    /// Whether it runs now.
    pub running: bool,
    /// When it began.
    pub since_ms: f64,
    /// How often AWS said so far that the node is not connected.
    pub tries: u32,
    /// When the next try begins, while one is waited for.
    pub next_try_ms: Option<f64>,
    /// Why the node took no session, once it is over.
    pub problem: Option<CommandError>,
    /// Its parts, where a policy refused.
    pub denied: Option<Box<Denied>>,
    /// What went wrong without stopping it.
    pub asides: Vec<CommandError>,
}
