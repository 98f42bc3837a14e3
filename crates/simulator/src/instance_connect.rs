//! EC2 Instance Connect: SendSSHPublicKey in AWS JSON 1.1, and the keys as an instance's SSH server asks for them.
//!
//! A real instance reads them from its metadata (`managed-ssh-keys/active-keys/USER/`), where they stay for 60 s. Here
//! they are read from the control pages, by the `AuthorizedKeysCommand` of an SSH server that plays the instance's.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use crate::http::auth::Caller;
use crate::http::failure::ApiFailure;
use crate::live::{Ask, NodeState};
use crate::shared::Shared;
use crate::ssm::parse;
use crate::ssm::validation::Violations;
use crate::world::node::Kind;

/// Prefix of `X-Amz-Target`.
pub(crate) const TARGET_PREFIX: &str = "AWSEC2InstanceConnectService.";

/// The service's name in signatures.
pub(crate) const SERVICE: &str = "ec2-instance-connect";

/// How long a key is accepted.
const LIFE: Duration = Duration::from_secs(60);

/// Keys kept at once; the oldest make room.
const MOST_KEYS: usize = 1000;

/// Kinds of keys the service takes.
const KINDS: [&str; 2] = ["ssh-ed25519 ", "ssh-rsa "];

/// The keys that were pushed.
#[derive(Debug, Default)]
pub(crate) struct PushedKeys(Vec<Pushed>);

#[derive(Debug)]
struct Pushed {
    node_id: String,
    user: String,
    key: String,
    until: Instant,
}

impl PushedKeys {
    pub(crate) fn push(&mut self, node_id: &str, user: &str, key: &str, now: Instant) {
        self.0.retain(|pushed| pushed.until > now);
        if self.0.len() >= MOST_KEYS {
            self.0.remove(0);
        }
        let (node_id, user, key) = (node_id.to_owned(), user.to_owned(), key.to_owned());
        self.0.push(Pushed { node_id, user, key, until: now + LIFE });
    }

    /// The keys of a user, those pushed first at the front.
    pub(crate) fn of(&self, node_id: &str, user: &str, now: Instant) -> Vec<String> {
        let active = self
            .0
            .iter()
            .filter(|pushed| pushed.node_id == node_id && pushed.user == user && pushed.until > now);
        active.map(|pushed| pushed.key.clone()).collect()
    }

    pub(crate) fn expire(&mut self) {
        self.0.clear();
    }
}

#[derive(Debug, Deserialize)]
struct Request {
    #[serde(rename = "InstanceId")]
    instance_id: Option<String>,
    #[serde(rename = "InstanceOSUser")]
    user: Option<String>,
    #[serde(rename = "SSHPublicKey")]
    key: Option<String>,
    #[serde(rename = "AvailabilityZone")]
    zone: Option<String>,
}

/// Answers an operation.
pub(crate) fn call(
    shared: &Shared,
    caller: &Caller,
    operation: &str,
    body: &[u8],
    request_id: &str,
) -> Result<String, ApiFailure> {
    if operation != "SendSSHPublicKey" {
        return Err(ApiFailure::new("UnknownOperationException", ""));
    }
    let request: Request = parse(body)?;
    let mut violations = Violations::default();
    violations.required("instanceId", request.instance_id.as_ref());
    violations.required("instanceOSUser", request.user.as_ref());
    violations.required("sSHPublicKey", request.key.as_ref());
    violations.length("instanceId", request.instance_id.as_deref(), 10, 32);
    violations.length("instanceOSUser", request.user.as_deref(), 1, 32);
    violations.length("sSHPublicKey", request.key.as_deref(), 80, 4096);
    violations.length("availabilityZone", request.zone.as_deref(), 6, 32);
    violations.check()?;
    let (id, user, key) = (
        request.instance_id.unwrap_or_default(),
        request.user.unwrap_or_default(),
        request.key.unwrap_or_default(),
    );
    let account = caller.account(shared);
    let ask = Ask {
        action: "ec2-instance-connect:SendSSHPublicKey",
        resource: format!("arn:aws:ec2:{}:{}:instance/{id}", caller.region, account.plan.id),
        named: true,
    };
    if let Some(text) = shared.refusal(account, &[ask]) {
        return Err(ApiFailure::new("AccessDeniedException", text));
    }
    if !KINDS.iter().any(|kind| key.starts_with(kind)) || key.contains('\n') {
        return Err(ApiFailure::new("InvalidArgsException", "The SSH public key is not valid."));
    }
    let node = account
        .find(&caller.region, &id)
        .filter(|node| node.kind == Kind::Ec2)
        .ok_or_else(|| ApiFailure::new("EC2InstanceNotFoundException", "Instance not found"))?;
    if matches!(shared.live.node_state(&shared.world, node), NodeState::Stopped { .. }) {
        let text = "The instance is not in a valid state to accept a key.";
        return Err(ApiFailure::new("EC2InstanceStateInvalidException", text));
    }
    shared.live.pushed_keys(|keys| keys.push(&node.id, &user, &key, Instant::now()));
    Ok(json!({ "RequestId": request_id, "Success": true }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_users_on_one_node_for_a_minute() {
        let mut keys = PushedKeys::default();
        let now = Instant::now();
        keys.push("i-1", "ann", "a", now);
        keys.push("i-1", "ann", "b", now + Duration::from_secs(30));
        let at = |seconds: u64| now + Duration::from_secs(seconds);
        assert_eq!(keys.of("i-1", "ann", at(59)), ["a", "b"]);
        assert_eq!(keys.of("i-1", "ann", at(60)), ["b"]);
        assert!(keys.of("i-1", "root", at(1)).is_empty() && keys.of("i-2", "ann", at(1)).is_empty());
        assert!(keys.of("i-1", "ann", at(90)).is_empty());
        for _ in 0..MOST_KEYS + 5 {
            keys.push("i-3", "x", "k", now);
        }
        assert_eq!(keys.of("i-3", "x", now).len(), MOST_KEYS);
    }
}
