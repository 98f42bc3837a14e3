//! What requests to the control pages and steps of scenarios can do, with the functions of [`Control`].

use std::time::Duration;

use serde::de::{Error as _, IntoDeserializer};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::conditions::{ApiError, Calls, Condition, UpgradeRefusal};
use crate::control::{Control, ControlError};
use crate::gateway::relay::SocketCut;
use crate::iam::{AccountPolicies, PolicyProblem};
use crate::link_faults::LinkFaults;
use crate::live::Tier;
use crate::policy::{DenyReason, DenyRule};
use crate::session_failure::SessionFailure;
use crate::span;

/// One thing that happens to the simulated world. Without `session`, it happens to all of them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Action {
    #[serde(alias = "cut_all")]
    Cut {
        session: Option<String>,
        #[serde(default)]
        how: How,
    },
    Bye {
        session: Option<String>,
    },
    HalfOpen {
        session: Option<String>,
    },
    Stall {
        session: Option<String>,
        #[serde(rename = "for", deserialize_with = "span::deserialize")]
        time: Duration,
    },
    PauseStorm {
        session: Option<String>,
        frames: u32,
    },
    Terminate {
        session: Option<String>,
        #[serde(default)]
        output: String,
    },
    IgnoreInput {
        session: Option<String>,
    },
    TakeInput {
        session: Option<String>,
    },
    LinkFaults(LinkFaults),
    NoLinkFaults {},
    ExpireTokens {},
    Throttle {
        calls: Option<u64>,
        #[serde(default = "any")]
        operation: String,
        #[serde(default, deserialize_with = "span::optional")]
        lasting: Option<Duration>,
    },
    ApiError {
        #[serde(default = "any")]
        operation: String,
        status: u16,
        code: String,
        #[serde(default)]
        message: String,
        calls: Option<u64>,
        #[serde(default, deserialize_with = "span::optional")]
        lasting: Option<Duration>,
    },
    AnswerLost {
        #[serde(default = "any")]
        operation: String,
        calls: Option<u64>,
        #[serde(default, deserialize_with = "span::optional")]
        lasting: Option<Duration>,
    },
    Latency {
        #[serde(default = "any")]
        operation: String,
        #[serde(default, deserialize_with = "span::deserialize")]
        before: Duration,
        #[serde(default, deserialize_with = "span::deserialize")]
        after: Duration,
        calls: Option<u64>,
        #[serde(default, deserialize_with = "span::optional")]
        lasting: Option<Duration>,
    },
    RefuseUpgrades {
        #[serde(deserialize_with = "upgrade_refusal")]
        how: UpgradeRefusal,
        calls: Option<u64>,
        #[serde(default, deserialize_with = "span::optional")]
        lasting: Option<Duration>,
    },
    ClearConditions {},
    ExpireCredentials {
        account: String,
        #[serde(default, deserialize_with = "span::optional")]
        lasting: Option<Duration>,
    },
    RenewCredentials {
        account: String,
    },
    Tier {
        account: String,
        region: String,
        #[serde(deserialize_with = "tier")]
        tier: Tier,
    },
    Deny {
        rule_action: String,
        resource: String,
        reason: DenyReason,
    },
    AllowEverything {},
    Policies {
        account: String,
        identity: Vec<Value>,
        boundary: Option<Value>,
        #[serde(default)]
        organization: Vec<Value>,
    },
    NoPolicies {
        account: String,
    },
    Disconnect {
        node: String,
    },
    Connect {
        node: String,
    },
    #[serde(alias = "stop_agent")]
    Stop {
        node: String,
    },
    Reboot {
        node: String,
        #[serde(deserialize_with = "span::deserialize")]
        down: Duration,
    },
    Restart {
        node: String,
    },
    FailSessions {
        node: String,
        how: SessionFailure,
    },
    MendSessions {
        node: String,
    },
}

/// How a socket is cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    #[default]
    Fin,
    Reset,
}

fn any() -> String {
    "*".to_owned()
}

fn tier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tier, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_str() {
        "standard" => Ok(Tier::Standard),
        "advanced" => Ok(Tier::Advanced),
        other => Err(D::Error::custom(format!("no tier {other}; there are standard and advanced"))),
    }
}

fn upgrade_refusal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UpgradeRefusal, D::Error> {
    let text = String::deserialize(deserializer)?;
    UpgradeRefusal::from_name(&text).ok_or_else(|| {
        D::Error::custom(format!(
            "{text:?} refuses no upgrade; a status as \"403\", \"page\", \"wrong_accept\" and \"noise\" do"
        ))
    })
}

fn calls(operation: &str, times: Option<u64>, lasting: Option<Duration>) -> Calls {
    let calls = Calls::of(operation);
    let calls = times.map_or(calls.clone(), |times| calls.times(times));
    lasting.map_or(calls.clone(), |time| calls.lasting(time))
}

impl Action {
    /// Whether what it names exists, as far as that does not change while the simulator runs.
    pub(crate) fn check(&self, control: &Control) -> Result<(), ControlError> {
        match self {
            Self::Disconnect { node }
            | Self::Connect { node }
            | Self::Stop { node }
            | Self::Reboot { node, .. }
            | Self::Restart { node }
            | Self::FailSessions { node, .. }
            | Self::MendSessions { node } => {
                control.node(node).map(|_| ()).ok_or_else(|| ControlError::NoNode(node.clone()))
            }
            Self::ExpireCredentials { account, .. }
            | Self::RenewCredentials { account }
            | Self::Tier { account, .. }
            | Self::NoPolicies { account } => control.check_account(account),
            Self::Policies { account, identity, boundary, organization } => {
                control.check_account(account)?;
                policies(identity, boundary.as_ref(), organization).map(|_| ()).map_err(invalid)
            }
            _ => Ok(()),
        }
    }

    /// Does it. The answer says how many sessions it met, where that is all of them.
    pub(crate) async fn perform(self, control: &Control) -> Result<Value, ControlError> {
        match self {
            Self::Cut { .. }
            | Self::Bye { .. }
            | Self::HalfOpen { .. }
            | Self::Stall { .. }
            | Self::PauseStorm { .. }
            | Self::Terminate { .. }
            | Self::IgnoreInput { .. }
            | Self::TakeInput { .. } => return self.perform_on_sessions(control).await,
            Self::LinkFaults(faults) => control.set_link_faults(faults).await,
            Self::NoLinkFaults {} => control.set_link_faults(LinkFaults::default()).await,
            Self::ExpireTokens {} => control.expire_tokens(),
            Self::ExpireCredentials { account, lasting: None } => {
                control.set_credentials_expired(&account, true)?;
            }
            Self::ExpireCredentials { account, lasting: Some(time) } => {
                control.expire_credentials_for(&account, time)?;
            }
            Self::RenewCredentials { account } => control.set_credentials_expired(&account, false)?,
            Self::Tier { account, region, tier } => control.set_tier(&account, &region, tier)?,
            Self::Deny { rule_action, resource, reason } => {
                control.deny(DenyRule { action: rule_action, resource, reason });
            }
            Self::AllowEverything {} => control.allow_everything(),
            Self::Policies { account, identity, boundary, organization } => {
                let policies = policies(&identity, boundary.as_ref(), &organization).map_err(invalid)?;
                control.set_policies(&account, Some(policies))?;
            }
            Self::NoPolicies { account } => control.set_policies(&account, None)?,
            Self::Disconnect { node } => control.disconnect_node(&node).await?,
            Self::Connect { node } => control.connect_node(&node).await?,
            Self::Stop { node } => control.stop_node(&node).await?,
            Self::Reboot { node, down } => control.reboot_node(&node, down).await?,
            Self::Restart { node } => control.restart_agent(&node).await?,
            Self::FailSessions { node, how } => control.fail_sessions(&node, Some(how))?,
            Self::MendSessions { node } => control.fail_sessions(&node, None)?,
            Self::ClearConditions {} => control.clear_conditions(),
            condition => condition.impose(control),
        }
        Ok(json!({}))
    }

    /// Lets calls meet a condition.
    fn impose(self, control: &Control) {
        match self {
            Self::Throttle { calls: Some(count), operation, lasting: None } if operation == "*" => {
                control.throttle_next(count);
            }
            Self::Throttle { calls: count, operation, lasting } => {
                control.impose(calls(&operation, count, lasting), Condition::Throttled);
            }
            Self::ApiError { operation, status, code, message, calls: count, lasting } => {
                let error = ApiError::new(status, code, message);
                control.impose(calls(&operation, count, lasting), Condition::Failing(error));
            }
            Self::AnswerLost { operation, calls: count, lasting } => {
                control.impose(calls(&operation, count, lasting), Condition::AnswerLost);
            }
            Self::Latency { operation, before, after, calls: count, lasting } => {
                control.impose(calls(&operation, count, lasting), Condition::Slow { before, after });
            }
            Self::RefuseUpgrades { how, calls: count, lasting } => {
                let calls = calls(crate::conditions::UPGRADE, count, lasting);
                control.impose(calls, Condition::UpgradeRefused(how));
            }
            _ => {}
        }
    }

    async fn perform_on_sessions(self, control: &Control) -> Result<Value, ControlError> {
        let met = match self {
            Self::Cut { session, how } => {
                let cut = match how {
                    How::Fin => SocketCut::Fin,
                    How::Reset => SocketCut::Reset,
                };
                let Some(id) = session else {
                    return Ok(json!({ "cut": control.cut_all_client_sockets_with(cut).await }));
                };
                control.cut_client_socket_with(&id, cut).await?;
                1
            }
            Self::Bye { session: Some(id) } => control.say_bye(&id).await.map(|()| 1)?,
            Self::Bye { session: None } => control.cut_all_client_sockets_with(SocketCut::bye()).await,
            Self::HalfOpen { session: Some(id) } => control.half_open(&id).await.map(|()| 1)?,
            Self::HalfOpen { session: None } => control.half_open_all().await,
            Self::Stall { session: Some(id), time } => control.stall(&id, time).await.map(|()| 1)?,
            Self::Stall { session: None, time } => control.stall_all(time).await,
            Self::PauseStorm { session: Some(id), frames } => {
                control.pause_storm(&id, frames).await.map(|()| 1)?
            }
            Self::PauseStorm { session: None, frames } => control.pause_storm_all(frames).await,
            Self::Terminate { session: Some(id), output } => {
                control.terminate(&id, &output).await.map(|()| 1)?
            }
            Self::Terminate { session: None, output } => control.terminate_all(&output).await,
            Self::IgnoreInput { session: Some(id) } => control.ignore_input(&id, true).await.map(|()| 1)?,
            Self::IgnoreInput { session: None } => control.ignore_input_all(true).await,
            Self::TakeInput { session: Some(id) } => control.ignore_input(&id, false).await.map(|()| 1)?,
            Self::TakeInput { session: None } => control.ignore_input_all(false).await,
            _ => 0,
        };
        Ok(json!({ "sessions": met }))
    }

    /// The action of this name with these fields.
    pub(crate) fn from_json(name: &str, fields: Value) -> Result<Self, serde_json::Error> {
        let action: Value = [(name.to_owned(), fields)].into_iter().collect();
        Self::deserialize(action.into_deserializer())
    }
}

fn invalid(problem: PolicyProblem) -> ControlError {
    ControlError::Invalid(problem.to_string())
}

fn policies(
    identity: &[Value],
    boundary: Option<&Value>,
    organization: &[Value],
) -> Result<AccountPolicies, PolicyProblem> {
    let mut policies = AccountPolicies::none();
    for policy in identity {
        policies = policies.with_identity(&policy.to_string())?;
    }
    if let Some(policy) = boundary {
        policies = policies.with_boundary(&policy.to_string())?;
    }
    for policy in organization {
        policies = policies.with_organization(&policy.to_string())?;
    }
    Ok(policies)
}
