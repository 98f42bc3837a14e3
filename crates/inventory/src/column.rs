//! What a table of nodes can show and be ordered by.

use crate::entry::Entry;
use crate::fleet::Fleet;
use crate::words;

/// A column. Each can be shown, exported and ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Column {
    /// Verdict; ordered ready, checking, limited, lost, blocked.
    Readiness,
    /// Name, digits as numbers.
    #[default]
    Name,
    /// Node id.
    NodeId,
    /// Kind.
    Kind,
    /// Platform text, digits as numbers.
    Platform,
    /// Account name, then Region.
    Account,
    /// Private address, ordered as a number, IPv4 before IPv6.
    Ip,
    /// Agent version, ordered component by component.
    Agent,
    /// Tier; ordered standard, pending, advanced, unknown. EC2 has none.
    Tier,
    /// Heartbeat; ordered by the age of the last ping, youngest first.
    Ping,
    /// Host name the agent reports. This and what has no other order is ordered as text, digits as numbers.
    ComputerName,
    /// Public address, ordered as a number.
    PublicIp,
    /// State of an EC2 instance.
    InstanceState,
    /// Type of an EC2 instance.
    InstanceType,
    /// Availability zone.
    AvailabilityZone,
    /// VPC.
    VpcId,
    /// IAM role or instance profile.
    IamRole,
    /// When registered (hybrid) or launched (EC2), latest first.
    Registered,
    /// When last used by this user, latest first.
    Used,
    /// The AWS profile it was listed through.
    Source,
    /// Account id.
    AccountId,
    /// Region.
    Region,
    /// When last heard, as epoch milliseconds; ordered like `Ping`.
    LastPing,
    /// Tags as `key=value`, by key; ordered by their number, most first.
    Tags,
}

impl Column {
    /// All columns.
    pub const ALL: [Self; 24] = [
        Self::Readiness,
        Self::Name,
        Self::NodeId,
        Self::Kind,
        Self::Platform,
        Self::Account,
        Self::Ip,
        Self::Agent,
        Self::Tier,
        Self::Ping,
        Self::ComputerName,
        Self::PublicIp,
        Self::InstanceState,
        Self::InstanceType,
        Self::AvailabilityZone,
        Self::VpcId,
        Self::IamRole,
        Self::Registered,
        Self::Used,
        Self::Source,
        Self::AccountId,
        Self::Region,
        Self::LastPing,
        Self::Tags,
    ];

    /// Its name in exports, options and saved views; never changed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Readiness => "readiness",
            Self::Name => "name",
            Self::NodeId => "node_id",
            Self::Kind => "kind",
            Self::Platform => "platform",
            Self::Account => "account",
            Self::Ip => "ip",
            Self::Agent => "agent_version",
            Self::Tier => "tier",
            Self::Ping => "ping",
            Self::ComputerName => "computer_name",
            Self::PublicIp => "public_ip",
            Self::InstanceState => "instance_state",
            Self::InstanceType => "instance_type",
            Self::AvailabilityZone => "availability_zone",
            Self::VpcId => "vpc_id",
            Self::IamRole => "iam_role",
            Self::Registered => "registered",
            Self::Used => "used",
            Self::Source => "source",
            Self::AccountId => "account_id",
            Self::Region => "region",
            Self::LastPing => "last_ping_ms",
            Self::Tags => "tags",
        }
    }

    /// The column of a name, in any case and with `-` for `_`; the interface says `agent`.
    pub fn from_name(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase().replace('-', "_");
        if text == "agent" {
            return Some(Self::Agent);
        }
        Self::ALL.into_iter().find(|column| column.name() == text)
    }

    /// What it shows of a node; empty where nothing is known.
    pub fn cell(self, fleet: &Fleet, entry: &Entry) -> String {
        let node = entry.node();
        let time = |ms: Option<i64>| words::time(ms).unwrap_or_default();
        match self {
            Self::Readiness => words::readiness(fleet.verdict(entry)).to_owned(),
            Self::Name => node.name.to_string(),
            Self::NodeId => node.node_id.to_string(),
            Self::Kind => words::kind(node.kind).to_owned(),
            Self::Platform => entry.platform_text().to_owned(),
            Self::Account => fleet.listing_of(entry).account_name.clone(),
            Self::Ip => node.ip.to_string(),
            Self::Agent => node.agent_version.to_string(),
            Self::Tier => words::tier(fleet.tier(entry)).unwrap_or_default().to_owned(),
            Self::Ping => words::ping(node.ping).to_owned(),
            Self::ComputerName => node.computer_name.to_string(),
            Self::PublicIp => node.public_ip.to_string(),
            Self::InstanceState => node.instance_state.to_string(),
            Self::InstanceType => node.instance_type.to_string(),
            Self::AvailabilityZone => node.availability_zone.to_string(),
            Self::VpcId => node.vpc_id.to_string(),
            Self::IamRole => node.iam_role.to_string(),
            Self::Registered => time(node.registered_ms),
            Self::Used => time(fleet.marks().used(entry.key())),
            Self::Source => node.source.to_string(),
            Self::AccountId => node.account_region.account_id.clone(),
            Self::Region => node.account_region.region.clone(),
            Self::LastPing => node.last_ping_ms.map(|ms| ms.to_string()).unwrap_or_default(),
            Self::Tags => {
                let tags: Vec<String> =
                    node.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
                tags.join(";")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_found_by_its_name() {
        for column in Column::ALL {
            assert_eq!(Column::from_name(&column.name().to_uppercase().replace('_', "-")), Some(column));
        }
        assert_eq!(Column::from_name("agent"), Some(Column::Agent));
        assert_eq!(Column::from_name("colour"), None);
    }
}
