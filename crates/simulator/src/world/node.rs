//! One managed node, held small so that a hundred thousand of them are cheap; long texts are made on demand.

use std::net::Ipv4Addr;

use super::catalogue::{Os, PlatformType};

/// What a node is and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Ec2,
    OnPrem,
    Azure,
    Gcp,
    Edge,
    /// A container of an ECS task.
    Task,
}

impl Kind {
    pub(crate) fn is_hybrid(self) -> bool {
        !matches!(self, Self::Ec2 | Self::Task)
    }

    /// `SourceType` of the API (aws-security-reliability.md A.2).
    pub(crate) fn source_type(self) -> &'static str {
        match self {
            Self::Ec2 => "AWS::EC2::Instance",
            Self::OnPrem => "AWS::SSM::ManagedInstance",
            Self::Azure => "Microsoft.Compute/virtualMachines",
            Self::Gcp => "compute.googleapis.com/Instance",
            Self::Edge => "AWS::IoT::Thing",
            Self::Task => "AWS::ECS::Task",
        }
    }

    pub(crate) fn resource_type(self) -> &'static str {
        if self.is_hybrid() { "ManagedInstance" } else { "EC2Instance" }
    }
}

/// A node as generated. What changes at run time is kept apart, in `live`.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// `i-…` or `mi-…` with 17 hexadecimal digits; `ecs:CLUSTER_TASK_RUNTIME` for a container.
    pub(crate) id: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) kind: Kind,
    pub(crate) os: &'static Os,
    pub(crate) agent_version: &'static str,
    /// What it works for: application and team.
    pub(crate) work: (&'static str, &'static str),
    /// Nodes of one group were registered by one activation.
    pub(crate) group: &'static str,
    pub(crate) env: &'static str,
    pub(crate) ip: Ipv4Addr,
    pub(crate) public_ip: Option<Ipv4Addr>,
    pub(crate) instance_type: &'static str,
    /// Index of the availability zone: 0 is "a".
    pub(crate) zone: u8,
    /// Where in its minute the agent's ping falls, in milliseconds.
    pub(crate) ping_phase_ms: u32,
    /// Set for a node that was lost before the simulator started: how long before, in seconds.
    pub(crate) lost_for_s: Option<u32>,
    /// Registration (hybrid) or launch (EC2), seconds of the Unix epoch.
    pub(crate) registered_s: i64,
    /// Random bits the made-up ids are cut from.
    pub(crate) salt: u64,
}

/// How often an agent pings, as the list shows it.
const PING_PERIOD_MS: i64 = 60_000;

impl Node {
    pub(crate) fn computer_name(&self) -> String {
        match self.os.platform {
            PlatformType::Windows => {
                let short: String = self.name.chars().filter(char::is_ascii_alphanumeric).collect();
                format!("{}.corp.example", short.to_ascii_uppercase())
            }
            PlatformType::Linux | PlatformType::MacOs if self.kind == Kind::Ec2 => {
                let [a, b, c, d] = self.ip.octets();
                format!("ip-{a}-{b}-{c}-{d}.ec2.internal")
            }
            PlatformType::Linux | PlatformType::MacOs => format!("{}.corp.example", self.name),
        }
    }

    /// Last ping of an agent that is up: at most a minute before `now_ms`, the same for everyone who asks.
    pub(crate) fn fresh_ping_ms(&self, now_ms: i64) -> i64 {
        let phase = i64::from(self.ping_phase_ms);
        (now_ms - phase).div_euclid(PING_PERIOD_MS) * PING_PERIOD_MS + phase
    }

    pub(crate) fn activation_id(&self) -> Option<String> {
        self.kind.is_hybrid().then(|| {
            // One activation registers many nodes: it depends on the group, not on the node.
            let mut bits: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834;
            for byte in self.group.bytes() {
                bits = bits.rotate_left(7) ^ u128::from(byte).wrapping_mul(0x0100_0000_01b3_0000_0001);
            }
            uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
        })
    }

    pub(crate) fn role(&self) -> &'static str {
        match self.kind {
            Kind::Task => "FleetTask",
            kind if kind.is_hybrid() => "FleetHybridNode",
            _ => "FleetInstance",
        }
    }

    pub(crate) fn source_id(&self) -> String {
        match self.kind {
            Kind::Ec2 | Kind::OnPrem | Kind::Task => self.id.to_string(),
            Kind::Edge => self.name.to_string(),
            Kind::Gcp => format!("{}", self.salt >> 1),
            Kind::Azure => {
                let bits = u128::from(self.salt) << 64 | u128::from(self.salt.rotate_left(29));
                uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()
            }
        }
    }

    /// Tags, sorted by key.
    pub(crate) fn tags(&self) -> Vec<(&'static str, String)> {
        let mut tags = Vec::with_capacity(4);
        if self.kind == Kind::Ec2 {
            tags.push(("Name", self.name.to_string()));
        }
        tags.push(("app", self.work.0.to_owned()));
        tags.push(("env", self.env.to_owned()));
        tags.push(("team", self.work.1.to_owned()));
        tags
    }

    pub(crate) fn made_id(&self, prefix: &str, turn: u32) -> String {
        format!("{prefix}-0{:016x}", self.salt.rotate_left(turn).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}
