//! What only hybrid nodes have: activations that register them, and the calls on them and their tier.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::node::{AccountRegion, InstanceTier};
use crate::ports::BoxFuture;
use crate::tier::TierSetting;

/// The code that registers nodes: a password, told once and never again. Redacted and wiped.
#[derive(Clone)]
pub struct ActivationCode(Zeroizing<String>);

impl ActivationCode {
    /// Wraps a code as CreateActivation gave it.
    pub fn new(code: impl Into<String>) -> Self {
        Self(Zeroizing::new(code.into()))
    }

    /// The code itself, to be shown to the person who created it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ActivationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActivationCode(…)")
    }
}

/// An activation as AWS lists it. Texts are empty where AWS says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activation {
    /// A UUID.
    pub id: String,
    /// For people.
    pub description: String,
    /// Name of the nodes it registers.
    pub name: String,
    /// Role of the nodes it registers.
    pub role: String,
    /// Nodes it may register.
    pub limit: u32,
    /// Nodes it has registered.
    pub registered: u32,
    /// End in epoch milliseconds.
    pub expires_ms: Option<i64>,
    /// Whether it ended.
    pub expired: bool,
    /// When it was made, in epoch milliseconds.
    pub created_ms: Option<i64>,
    /// Tags of the nodes it registers, sorted by key.
    pub tags: Vec<(String, String)>,
}

/// An activation to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewActivation {
    /// Name of a role that trusts `ssm.amazonaws.com`, 1 to 64 characters.
    pub role: String,
    /// Nodes it may register, 1 to 1,000.
    pub limit: u32,
    /// End in epoch milliseconds, at most 30 days ahead; `None` is 24 hours from now.
    pub expires_ms: Option<i64>,
    /// Name of the nodes, at most 256 characters; may be empty.
    pub name: String,
    /// At most 256 characters; may be empty.
    pub description: String,
    /// At most 50; keys of 1 to 128, values of 0 to 256 characters.
    pub tags: Vec<(String, String)>,
}

/// The longest life of an activation.
pub const LONGEST_ACTIVATION_MS: i64 = 30 * 86_400_000;

impl NewActivation {
    /// What is wrong with it by the limits of the service (aws-security-reliability.md A.5), as a sentence.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, now_ms: i64) -> Result<(), &'static str> {
        let length = |text: &str| text.chars().count();
        if !(1..=64).contains(&length(&self.role)) || self.role.contains(['/', ':']) {
            return Err("A role is named by 1 to 64 characters, without its path or ARN.");
        }
        if !(1..=1_000).contains(&self.limit) {
            return Err("An activation registers 1 to 1,000 nodes.");
        }
        if let Some(end) = self.expires_ms
            && (end <= now_ms || end > now_ms.saturating_add(LONGEST_ACTIVATION_MS))
        {
            return Err("An activation ends within the next 30 days.");
        }
        if length(&self.name) > 256 || length(&self.description) > 256 {
            return Err("A name and a description have at most 256 characters.");
        }
        let sound =
            |(key, value): &(String, String)| (1..=128).contains(&length(key)) && length(value) <= 256;
        if self.tags.len() > 50 || !self.tags.iter().all(sound) {
            return Err(
                "There are at most 50 tags, with keys of 1 to 128 and values of 0 to 256 characters.",
            );
        }
        Ok(())
    }
}

/// A new activation, with the code that is told only now.
#[derive(Clone, Debug)]
pub struct CreatedActivation {
    /// Its id.
    pub id: String,
    /// Its code.
    pub code: ActivationCode,
}

impl CreatedActivation {
    /// Commands that install the agent on Linux and register the node. They contain the code.
    pub fn linux_commands(&self, at: &AccountRegion) -> Zeroizing<String> {
        let setup = "/tmp/ssm-setup-cli";
        Zeroizing::new(format!(
            "curl -fsSL {}/latest/linux_amd64/ssm-setup-cli -o {setup}\nchmod +x {setup}\nsudo {setup} -register \
             -activation-id {} -activation-code '{}' -region {}\n",
            bucket(&at.region),
            self.id,
            self.code.expose(),
            at.region
        ))
    }

    /// Commands for an elevated PowerShell that install the agent on Windows and register the node. They contain the
    /// code.
    pub fn windows_commands(&self, at: &AccountRegion) -> Zeroizing<String> {
        let setup = "$env:TEMP\\ssm-setup-cli.exe";
        Zeroizing::new(format!(
            "Invoke-WebRequest -UseBasicParsing {}/latest/windows_amd64/ssm-setup-cli.exe -OutFile \"{setup}\"\r\n& \
             \"{setup}\" -register -activation-id='{}' -activation-code='{}' -region='{}'\r\n",
            bucket(&at.region),
            self.id,
            self.code.expose(),
            at.region
        ))
    }
}

/// Where AWS keeps the agent for a Region.
fn bucket(region: &str) -> String {
    let suffix = match region {
        region if region.starts_with("cn-") => "amazonaws.com.cn",
        region if region.starts_with("eusc-") => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    format!("https://amazon-ssm-{region}.s3.{region}.{suffix}")
}

/// A page of activations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivationPage {
    /// In service order.
    pub activations: Vec<Activation>,
    /// Continues the list; `None` is the end.
    pub next: Option<String>,
}

/// The calls of one identity in one Region that concern hybrid nodes. `E` is the port error of the implementation.
pub trait HybridCalls<E>: fmt::Debug + Send + Sync + 'static {
    /// GetServiceSetting of the activation tier.
    fn tier_setting(&self) -> BoxFuture<'_, Result<TierSetting, E>>;

    /// UpdateServiceSetting of the activation tier to Standard or Advanced; anything else is refused unsent.
    fn set_tier(&self, to: InstanceTier) -> BoxFuture<'_, Result<(), E>>;

    /// ResetServiceSetting of the activation tier.
    fn reset_tier(&self) -> BoxFuture<'_, Result<(), E>>;

    /// A page of DescribeActivations. Pass `None` to begin.
    fn activations(&self, next: Option<String>) -> BoxFuture<'_, Result<ActivationPage, E>>;

    /// CreateActivation, never repeated: each one would be a further activation with a code nobody saw.
    fn create_activation(&self, new: NewActivation) -> BoxFuture<'_, Result<CreatedActivation, E>>;

    /// DeleteActivation. Nodes it registered stay.
    fn delete_activation(&self, id: String) -> BoxFuture<'_, Result<(), E>>;

    /// DeregisterManagedInstance.
    fn deregister(&self, node_id: String) -> BoxFuture<'_, Result<(), E>>;
}

/// Gives the hybrid calls of a source and Region.
pub trait HybridSources<E>: Send + Sync + 'static {
    /// Opening never calls AWS.
    fn hybrid(&self, source: &str, region: &str) -> Result<Arc<dyn HybridCalls<E>>, E>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> NewActivation {
        NewActivation {
            role: "FleetHybridNode".to_owned(),
            limit: 1,
            expires_ms: None,
            name: String::new(),
            description: String::new(),
            tags: Vec::new(),
        }
    }

    #[test]
    fn activations_outside_the_limits_of_the_service_are_refused() {
        assert_eq!(sound().check(0), Ok(()));
        let edge = NewActivation { expires_ms: Some(LONGEST_ACTIVATION_MS), limit: 1_000, ..sound() };
        assert_eq!(edge.check(0), Ok(()));
        for wrong in [
            NewActivation { role: String::new(), ..sound() },
            NewActivation { role: "arn:aws:iam::1:role/x".to_owned(), ..sound() },
            NewActivation { limit: 0, ..sound() },
            NewActivation { limit: 1_001, ..sound() },
            NewActivation { expires_ms: Some(0), ..sound() },
            NewActivation { expires_ms: Some(LONGEST_ACTIVATION_MS + 1), ..sound() },
            NewActivation { name: "x".repeat(257), ..sound() },
            NewActivation { tags: vec![(String::new(), String::new())], ..sound() },
            NewActivation { tags: vec![("k".to_owned(), "v".repeat(257))], ..sound() },
        ] {
            assert!(wrong.check(0).is_err_and(|text| text.ends_with('.')), "{wrong:?}");
        }
    }

    #[test]
    fn install_commands_name_the_regions_own_bucket_and_the_code_stays_out_of_debug_output() {
        let made = CreatedActivation { id: "id-1".to_owned(), code: ActivationCode::new("c0de") };
        assert!(!format!("{made:?}").contains("c0de"));
        for (region, host) in [
            ("eu-central-1", "https://amazon-ssm-eu-central-1.s3.eu-central-1.amazonaws.com/"),
            ("cn-north-1", "https://amazon-ssm-cn-north-1.s3.cn-north-1.amazonaws.com.cn/"),
        ] {
            let at = AccountRegion { account_id: "111122223333".to_owned(), region: region.to_owned() };
            for commands in [made.linux_commands(&at), made.windows_commands(&at)] {
                for part in [host, "id-1", "c0de", region] {
                    assert!(commands.contains(part), "{part}");
                }
            }
        }
    }
}
