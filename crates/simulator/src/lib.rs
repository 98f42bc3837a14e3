//! The AWS side of Session Manager on loopback: signed HTTP APIs, the gateway's WebSocket, and agents with real
//! shells. It is the demo fleet, the peer of the tests, and `fleetline sim`.
//!
//! [`Simulator::start`] makes a seeded world of accounts, Regions and managed nodes and serves it to any AWS client:
//! SSM, KMS, CloudWatch Logs and CloudTrail in AWS JSON 1.1, EC2 and STS in their query protocols, S3 in REST, SigV4
//! verified. Sessions run real programs on this
//! computer, as its user, each in a throw-away home; so only loopback is listened on, and [`Simulator::shutdown`]
//! ends every one of them.
//!
//! # Denials and failures on demand
//!
//! Every row of aws-security-reliability.md A.11, and how a test gets it:
//!
//! | Row | How |
//! |---|---|
//! | denials of every kind of policy | [`Control::deny`] with each [`DenyReason`], or [`Control::set_policies`] |
//! | EC2's encoded message | [`Control::set_encoded_denials`] |
//! | `TargetNotConnected` | [`Control::disconnect_node`], [`Control::stop_node`], [`Control::reboot_node`] |
//! | advanced-instances text | [`Control::set_tier`] with [`Tier::Standard`] and a hybrid node |
//! | `InvalidDocument` | StartSession with `AWS-RunShellScript` |
//! | `ExpiredTokenException` | [`Control::set_credentials_expired`], [`Control::expire_credentials_for`] |
//! | `Server authentication failed` | [`Control::impose`] with [`ApiError::server_authentication`] |
//! | `ThrottlingException` | [`Control::throttle_next`], [`SimulatorConfig::enforce_quotas`] |
//! | WebSocket 401 and 403 | [`Condition::UpgradeRefused`], [`SimulatorConfig::upgrade_signing`] |
//! | data channel set-up failed, three texts | [`Control::fail_sessions`] with [`SessionFailure`] |
//! | document worker timed out | [`SessionFailure::WorkerTimeout`] |
//! | blank screen | [`SessionFailure::BlankScreen`] |

mod action;
mod activations;
mod agent;
mod aws_config;
mod conditions;
mod config;
mod control;
mod control_http;
mod documents;
mod ec2;
mod error;
mod gateway;
mod http;
mod iam;
mod instance_connect;
mod kms;
mod link_faults;
mod live;
mod logs;
mod paging;
mod play;
mod policy;
mod quotas;
mod random;
mod registry;
mod s3;
mod scenario;
mod session_failure;
mod session_settings;
mod shared;
mod sigv4;
mod simulator;
mod span;
mod ssm;
mod sso;
mod sts;
mod tiers;
mod timeline;
mod tls;
mod trail;
mod world;
mod xml;

pub use conditions::{ApiError, Calls, Condition, UpgradeRefusal};
pub use config::{
    CallRate, PortErrorOrder, PortRoute, PortTarget, ShellChoice, SimulatorConfig, UpgradeSigning, WorldPlan,
};
pub use control::{Control, ControlError, NodeView};
pub use error::SimulatorError;
pub use gateway::relay::SocketCut;
pub use iam::{AccountPolicies, PolicyProblem};
pub use kms::SessionKey;
pub use link_faults::{FrameFaults, LinkFaults};
pub use live::Tier;
pub use policy::{DenyReason, DenyRule};
pub use registry::{SessionStatus, SessionView};
pub use scenario::{Scenario, ScenarioError};
pub use session_failure::SessionFailure;
pub use simulator::{SimulatedAccount, SimulatedUser, Simulator};
pub use sso::SignInAnswer;
pub use trail::TrailState;
