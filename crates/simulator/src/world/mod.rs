//! The accounts, Regions and nodes of the simulated AWS. Nothing here changes after the start.

pub(crate) mod catalogue;
pub(crate) mod documents;
mod generate;
pub(crate) mod node;
pub(crate) mod past;
pub(crate) mod past_log;
pub(crate) mod task;
#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

use catalogue::{ACCOUNTS, AccountPlan, WIDE};
use generate::RegionNodes;
use node::Node;

use crate::config::WorldPlan;

/// An account with the throw-away credentials that reach it.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) plan: &'static AccountPlan,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) session_token: String,
    /// Long-term keys of the IAM user of the same name, who may do nothing without the code of the device.
    pub(crate) user_key: String,
    pub(crate) user_secret: String,
    /// Secret of the user's MFA device.
    pub(crate) device_secret: String,
    pub(crate) regions: Vec<RegionNodes>,
}

impl Account {
    /// Name of the role session, which prefixes session ids.
    pub(crate) const SESSION_NAME: &str = "mika.sato";

    /// The caller as STS names it.
    pub(crate) fn caller_arn(&self) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/{}", self.plan.id, self.plan.role, Self::SESSION_NAME)
    }

    /// The IAM user.
    pub(crate) fn user_arn(&self) -> String {
        format!("arn:aws:iam::{}:user/{}", self.plan.id, Self::SESSION_NAME)
    }

    /// The user's MFA device.
    pub(crate) fn device_arn(&self) -> String {
        format!("arn:aws:iam::{}:mfa/{}", self.plan.id, Self::SESSION_NAME)
    }

    /// `${aws:userid}`.
    pub(crate) fn user_id(&self) -> String {
        format!("AROA{}:{}", &self.access_key[4..], Self::SESSION_NAME)
    }

    /// The managed nodes of a Region, empty where there are none, sorted by id.
    pub(crate) fn nodes(&self, region: &str) -> &[Node] {
        self.regions.iter().find(|r| r.plan.region == region).map_or(&[], |r| r.nodes.as_slice())
    }

    /// The containers of a Region, which no inventory lists.
    pub(crate) fn tasks(&self, region: &str) -> &[Node] {
        self.regions.iter().find(|r| r.plan.region == region).map_or(&[], |r| r.tasks.as_slice())
    }

    /// What a target string means in a Region: a managed node, or a container.
    pub(crate) fn find(&self, region: &str, id: &str) -> Option<&Node> {
        let nodes = self.nodes(region);
        match nodes.binary_search_by(|n| (*n.id).cmp(id)) {
            Ok(index) => nodes.get(index),
            Err(_) => self.tasks(region).iter().find(|task| *task.id == *id),
        }
    }
}

/// All accounts.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) accounts: Vec<Account>,
    /// When the world began, in milliseconds of the Unix epoch: lost pings lie before it.
    pub(crate) began_ms: i64,
}

impl World {
    pub(crate) fn new(plan: WorldPlan, seed: u64, nodes: usize, now_ms: i64) -> Self {
        let plans: &[AccountPlan] = match plan {
            WorldPlan::Demo => ACCOUNTS,
            WorldPlan::Wide => &WIDE,
        };
        let regions = generate::generate(plans, seed, nodes, now_ms / 1000);
        let accounts = plans
            .iter()
            .zip(regions)
            .map(|(plan, regions)| Account {
                plan,
                access_key: format!("ASIA{}", key_text(seed, plan.id, "access", KEY_ID_LETTERS, 16)),
                secret_key: key_text(seed, plan.id, "secret", SECRET_LETTERS, 40),
                session_token: key_text(seed, plan.id, "token", SECRET_LETTERS, 120),
                user_key: format!("AKIA{}", key_text(seed, plan.id, "user", KEY_ID_LETTERS, 16)),
                user_secret: key_text(seed, plan.id, "user secret", SECRET_LETTERS, 40),
                device_secret: key_text(seed, plan.id, "device", KEY_ID_LETTERS, 32),
                regions,
            })
            .collect();
        Self { accounts, began_ms: now_ms }
    }

    pub(crate) fn account_by_key(&self, access_key: &str) -> Option<usize> {
        self.accounts.iter().position(|a| a.access_key == access_key)
    }

    pub(crate) fn account_by_user_key(&self, access_key: &str) -> Option<usize> {
        self.accounts.iter().position(|a| a.user_key == access_key)
    }

    pub(crate) fn account_named(&self, name_or_id: &str) -> Option<usize> {
        self.accounts.iter().position(|a| a.plan.name == name_or_id || a.plan.id == name_or_id)
    }
}

const KEY_ID_LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const SECRET_LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Credentials that are worth nothing anywhere else, the same for the same seed.
fn key_text(seed: u64, account: &str, what: &str, letters: &[u8], length: usize) -> String {
    let mut text = String::with_capacity(length);
    let mut block = 0_u32;
    while text.len() < length {
        let digest = Sha256::digest(format!("fleetline-simulator/{seed}/{account}/{what}/{block}"));
        text.extend(
            digest
                .iter()
                .take(length - text.len())
                .map(|b| char::from(letters[usize::from(*b) % letters.len()])),
        );
        block += 1;
    }
    text
}
