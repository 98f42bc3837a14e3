//! The least a person needs for what they want to do.

use std::collections::BTreeSet;

use crate::arn::{Arn, Place};
use crate::policy::{Condition, Policy, Statement};

/// The document a shell uses when none is named.
pub const DEFAULT_DOCUMENT: &str = "SSM-SessionManagerRunShell";

/// Something the product does that needs permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// Listing nodes with their facts, and the tier.
    Inventory,
    /// Shells.
    Shell,
    /// Commands without a terminal.
    Exec,
    /// Forwards to ports of the node.
    Forward,
    /// Forwards to other hosts through the node.
    RemoteHost,
    /// SSH through the node's agent.
    Ssh,
    /// Pushing a public key to an EC2 instance for SSH.
    PushKey,
    /// Reading the Windows password of an EC2 instance.
    Password,
    /// The list of past sessions.
    History,
    /// Changing the tier.
    Tier,
}

impl Feature {
    /// All of them, in order of [`Self::name`]'s use in help texts.
    pub const ALL: [Self; 10] = [
        Self::Inventory,
        Self::Shell,
        Self::Exec,
        Self::Forward,
        Self::RemoteHost,
        Self::Ssh,
        Self::PushKey,
        Self::Password,
        Self::History,
        Self::Tier,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Shell => "shell",
            Self::Exec => "exec",
            Self::Forward => "forward",
            Self::RemoteHost => "remote-host",
            Self::Ssh => "ssh",
            Self::PushKey => "push-key",
            Self::Password => "password",
            Self::History => "history",
            Self::Tier => "tier",
        }
    }

    /// The feature of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.name() == name)
    }

    /// The document its sessions use.
    fn document(self) -> Option<&'static str> {
        Some(match self {
            Self::Shell => DEFAULT_DOCUMENT,
            Self::Exec => "AWS-StartNonInteractiveCommand",
            Self::Forward => "AWS-StartPortForwardingSession",
            Self::RemoteHost => "AWS-StartPortForwardingSessionToRemoteHost",
            Self::Ssh => "AWS-StartSSHSession",
            _ => return None,
        })
    }
}

/// A node a policy is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it is registered.
    pub place: Place,
    /// Its id.
    pub id: String,
}

/// What a policy is to grant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The nodes, of any accounts and Regions.
    pub nodes: Vec<Node>,
    /// Session documents besides those of the features, by name or ARN.
    pub documents: Vec<String>,
    /// What for.
    pub features: BTreeSet<Feature>,
    /// ARNs of the KMS keys that seal sessions.
    pub keys: Vec<String>,
}

/// Why there is no such policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NeedsError {
    /// Nothing to grant.
    #[error("nothing was chosen to be granted")]
    Nothing,
    /// Policies name nodes one by one; all nodes is nothing this grants.
    #[error("sessions are granted for chosen nodes only, and no node was chosen")]
    NoNodes,
    /// A node id, account, Region, document or key that would not be one resource in a policy.
    #[error("{0:?} cannot stand in a policy")]
    NotConcrete(String),
}

impl Wanted {
    /// The policy: concrete ARNs only, apart from calls that know no resource and the holder's own sessions (AWS-02).
    ///
    /// # Errors
    /// If nothing is wanted, or something would not be exactly one resource.
    pub fn policy(&self) -> Result<Policy, NeedsError> {
        self.check()?;
        let documents = self.document_names();
        let mut statements = Vec::new();
        statements.extend(self.inventory());
        if !documents.is_empty() {
            if self.nodes.is_empty() {
                return Err(NeedsError::NoNodes);
            }
            let mut resources: Vec<String> =
                self.nodes.iter().map(|node| node.place.target(&node.id)).collect();
            for place in self.places() {
                resources.extend(documents.iter().map(|document| place.document(document)));
            }
            statements.push(start_statement(unique(resources)));
            let sessions = self.places().iter().map(|place| place.own_sessions()).collect();
            statements.push(own_sessions_statement(sessions));
        }
        if !self.keys.is_empty() {
            let keys = unique(self.keys.clone());
            statements.push(Statement::allow(
                "FleetlineSealSessions",
                actions(&["kms:GenerateDataKey"]),
                keys,
            ));
        }
        statements.extend(self.tier());
        statements.extend(self.of_instances(
            Feature::PushKey,
            "FleetlinePushKey",
            "ec2-instance-connect:SendSSHPublicKey",
        )?);
        statements.extend(self.of_instances(
            Feature::Password,
            "FleetlinePassword",
            "ec2:GetPasswordData",
        )?);
        if statements.is_empty() { Err(NeedsError::Nothing) } else { Ok(Policy { statements }) }
    }

    fn inventory(&self) -> Option<Statement> {
        let mut calls = Vec::new();
        if self.features.contains(&Feature::Inventory) {
            calls.extend([
                "ec2:DescribeInstances",
                "ssm:DescribeInstanceInformation",
                "ssm:DescribeInstanceProperties",
            ]);
            calls.push("ssm:GetConnectionStatus");
        }
        if self.features.contains(&Feature::History) {
            calls.push("ssm:DescribeSessions");
        }
        // None of these knows a resource (aws-security-reliability.md A.11).
        (!calls.is_empty()).then(|| Statement::allow("FleetlineList", actions(&calls), vec!["*".to_owned()]))
    }

    fn tier(&self) -> Option<Statement> {
        let settings: Vec<String> = self.places().iter().map(|place| place.tier_setting()).collect();
        let calls: &[&str] = if self.features.contains(&Feature::Tier) {
            &["ssm:GetServiceSetting", "ssm:UpdateServiceSetting", "ssm:ResetServiceSetting"]
        } else if self.features.contains(&Feature::Inventory) {
            &["ssm:GetServiceSetting"]
        } else {
            return None;
        };
        (!settings.is_empty()).then(|| Statement::allow("FleetlineTier", actions(calls), settings))
    }

    /// A call on the chosen EC2 instances; hybrid nodes have none of these.
    fn of_instances(
        &self,
        feature: Feature,
        name: &'static str,
        call: &'static str,
    ) -> Result<Option<Statement>, NeedsError> {
        if !self.features.contains(&feature) {
            return Ok(None);
        }
        let instances = self.nodes.iter().filter(|node| node.id.starts_with("i-"));
        let resources: Vec<String> = instances.map(|node| node.place.target(&node.id)).collect();
        if resources.is_empty() {
            return Err(NeedsError::NoNodes);
        }
        Ok(Some(Statement::allow(name, actions(&[call]), unique(resources))))
    }

    fn document_names(&self) -> Vec<String> {
        let of_features = self.features.iter().filter_map(|feature| feature.document()).map(str::to_owned);
        unique(of_features.chain(self.documents.iter().cloned()).collect())
    }

    fn places(&self) -> Vec<&Place> {
        let places: BTreeSet<&Place> = self.nodes.iter().map(|node| &node.place).collect();
        places.into_iter().collect()
    }

    fn check(&self) -> Result<(), NeedsError> {
        let plain = |text: &str, also: &str| {
            !text.is_empty()
                && text.len() <= 512
                && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
        };
        let refuse = |text: &str| Err(NeedsError::NotConcrete(text.to_owned()));
        for Node { place, id } in &self.nodes {
            if !plain(id, "-_:.") {
                return refuse(id);
            }
            if place.account.len() != 12 || !place.account.bytes().all(|byte| byte.is_ascii_digit()) {
                return refuse(&place.account);
            }
            for part in [&place.region, &place.partition] {
                if !plain(part, "-") {
                    return refuse(part);
                }
            }
        }
        for document in &self.documents {
            if !plain(document, "-_.:/") {
                return refuse(document);
            }
        }
        for key in &self.keys {
            let is_key =
                Arn::parse(key).is_some_and(|arn| arn.service == "kms" && arn.resource.starts_with("key/"));
            if !is_key || !plain(key, "-_:/") {
                return refuse(key);
            }
        }
        Ok(())
    }
}

/// StartSession on nodes and documents. The condition makes the document count even where the default one is used
/// unnamed (aws-security-reliability.md A.11).
pub(crate) fn start_statement(resources: Vec<String>) -> Statement {
    Statement {
        conditions: vec![Condition {
            operator: "BoolIfExists".to_owned(),
            key: "ssm:SessionDocumentAccessCheck".to_owned(),
            values: vec!["true".to_owned()],
        }],
        ..Statement::allow("FleetlineStartSession", actions(&["ssm:StartSession"]), resources)
    }
}

/// What a session needs once it is started: the signed data channel, resuming and ending.
pub(crate) fn own_sessions_statement(resources: Vec<String>) -> Statement {
    let calls = ["ssmmessages:OpenDataChannel", "ssm:ResumeSession", "ssm:TerminateSession"];
    Statement::allow("FleetlineOwnSessions", actions(&calls), resources)
}

fn actions(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Each text once, in order of first appearance.
fn unique(texts: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.into_iter().filter(|text| seen.insert(text.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_instances_names_instances_only() {
        let node = |id: &str| Node { place: Place::new("111122223333", "eu-west-1"), id: id.to_owned() };
        let wanted = |nodes: Vec<Node>| Wanted {
            nodes,
            features: [Feature::PushKey, Feature::Password].into(),
            ..Wanted::default()
        };
        let policy =
            wanted(vec![node("i-0123456789abcdef0"), node("mi-0123456789abcdef0")]).policy().unwrap();
        let said: Vec<(&str, &[String], &[String])> = policy
            .statements
            .iter()
            .map(|one| (one.sid.as_str(), one.actions.as_slice(), one.resources.as_slice()))
            .collect();
        let instance = ["arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0".to_owned()];
        assert_eq!(
            said,
            [
                (
                    "FleetlinePushKey",
                    &["ec2-instance-connect:SendSSHPublicKey".to_owned()][..],
                    instance.as_slice()
                ),
                ("FleetlinePassword", &["ec2:GetPasswordData".to_owned()][..], instance.as_slice()),
            ]
        );
        assert_eq!(wanted(vec![node("mi-0123456789abcdef0")]).policy(), Err(NeedsError::NoNodes));
    }
}
