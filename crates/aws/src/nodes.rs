//! Service answers as managed nodes.

use std::net::IpAddr;
use std::sync::Arc;

use aws_sdk_ec2::types::Instance;
use aws_sdk_ssm::types::{InstanceInformation, InstanceProperty};
use aws_smithy_types::DateTime;
use fleetline_inventory::NodeFacts;
use fleetline_inventory::node::{AccountRegion, ManagedNode, NodeKind, PingStatus, PlatformFamily};
use smol_str::SmolStr;

/// A node of a DescribeInstanceProperties page; `None` without an id.
pub(crate) fn from_property(
    at: &Arc<AccountRegion>,
    source: &SmolStr,
    property: InstanceProperty,
) -> Option<ManagedNode> {
    let id = property.instance_id.filter(|id| !id.is_empty())?;
    let source_type = property.source_type.as_ref().map(|kind| kind.as_str());
    let kind = kind(&id, property.resource_type.as_deref(), source_type);
    let (ip, public_ip) = addresses(kind, property.ip_address);
    Some(ManagedNode {
        account_region: Arc::clone(at),
        source: source.clone(),
        node_id: id.into(),
        name: text(property.name),
        computer_name: text(property.computer_name),
        kind,
        platform: platform(property.platform_type.as_ref().map(|platform| platform.as_str())),
        platform_name: text(property.platform_name),
        platform_version: text(property.platform_version),
        ip,
        public_ip,
        agent_version: text(property.agent_version),
        ping: ping(property.ping_status.as_ref().map(|ping| ping.as_str())),
        last_ping_ms: epoch_ms(property.last_ping_date_time),
        registered_ms: epoch_ms(property.registration_date).or_else(|| epoch_ms(property.launch_time)),
        instance_state: text(property.instance_state),
        instance_type: text(property.instance_type),
        availability_zone: text(property.availability_zone),
        vpc_id: SmolStr::default(),
        iam_role: text(property.iam_role.or(property.instance_role)),
        tags: Vec::new(),
    })
}

/// A node of a DescribeInstanceInformation page; `None` without an id.
pub(crate) fn from_information(
    at: &Arc<AccountRegion>,
    source: &SmolStr,
    information: InstanceInformation,
) -> Option<ManagedNode> {
    let id = information.instance_id.filter(|id| !id.is_empty())?;
    let resource_type = information.resource_type.as_ref().map(|kind| kind.as_str());
    let source_type = information.source_type.as_ref().map(|kind| kind.as_str());
    let kind = kind(&id, resource_type, source_type);
    Some(ManagedNode {
        account_region: Arc::clone(at),
        source: source.clone(),
        node_id: id.into(),
        name: text(information.name),
        computer_name: text(information.computer_name),
        kind,
        platform: platform(information.platform_type.as_ref().map(|platform| platform.as_str())),
        platform_name: text(information.platform_name),
        platform_version: text(information.platform_version),
        ip: text(information.ip_address),
        public_ip: SmolStr::default(),
        agent_version: text(information.agent_version),
        ping: ping(information.ping_status.as_ref().map(|ping| ping.as_str())),
        last_ping_ms: epoch_ms(information.last_ping_date_time),
        registered_ms: epoch_ms(information.registration_date),
        instance_state: SmolStr::default(),
        instance_type: SmolStr::default(),
        availability_zone: SmolStr::default(),
        vpc_id: SmolStr::default(),
        iam_role: text(information.iam_role),
        tags: Vec::new(),
    })
}

/// What EC2 tells of an instance; `None` without an id.
pub(crate) fn facts(instance: Instance) -> Option<NodeFacts> {
    let node_id = instance.instance_id.filter(|id| !id.is_empty())?;
    let tags = instance.tags.unwrap_or_default().into_iter();
    let mut tags: Vec<_> = tags.map(|tag| (text(tag.key), text(tag.value))).collect();
    tags.sort();
    let name = tags.iter().find(|(key, _)| key == "Name").map(|(_, name)| name.clone());
    let state = instance.state.and_then(|state| state.name);
    Some(NodeFacts {
        node_id: node_id.into(),
        name: name.unwrap_or_default(),
        ip: text(instance.private_ip_address),
        public_ip: text(instance.public_ip_address),
        vpc_id: text(instance.vpc_id),
        instance_state: state.map(|name| name.as_str().into()).unwrap_or_default(),
        instance_type: instance.instance_type.map(|kind| kind.as_str().into()).unwrap_or_default(),
        availability_zone: text(instance.placement.and_then(|placement| placement.availability_zone)),
        iam_role: text(instance.iam_instance_profile.and_then(|profile| profile.arn)),
        launched_ms: epoch_ms(instance.launch_time),
        tags,
    })
}

fn text(value: Option<String>) -> SmolStr {
    value.map(SmolStr::from).unwrap_or_default()
}

/// What a node is (aws-security-reliability.md A.2). Where the service does not say, the id's prefix decides.
fn kind(id: &str, resource_type: Option<&str>, source_type: Option<&str>) -> NodeKind {
    let ec2 = match resource_type {
        Some("EC2Instance") => true,
        Some("ManagedInstance") => false,
        _ => id.starts_with("i-"),
    };
    if ec2 {
        return NodeKind::Ec2;
    }
    match source_type {
        Some("AWS::IoT::Thing") => NodeKind::Edge,
        Some("Microsoft.Compute/virtualMachines") => NodeKind::Azure,
        Some("compute.googleapis.com/Instance") => NodeKind::Gcp,
        _ => NodeKind::OnPrem,
    }
}

/// Private and public address. DescribeInstanceProperties documents its address as the public one of an instance;
/// an address of a private range is taken for the private one, whatever the documentation says.
fn addresses(kind: NodeKind, address: Option<String>) -> (SmolStr, SmolStr) {
    let address = text(address);
    let public = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => {
            let shared = v4.octets()[0] == 100 && (64..128).contains(&v4.octets()[1]);
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || shared)
        }
        Ok(IpAddr::V6(v6)) => !(v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()),
        Err(_) => false,
    };
    if public && !kind.is_hybrid() { (SmolStr::default(), address) } else { (address, SmolStr::default()) }
}

fn platform(platform: Option<&str>) -> PlatformFamily {
    match platform {
        Some("Linux") => PlatformFamily::Linux,
        Some("Windows") => PlatformFamily::Windows,
        Some("MacOS") => PlatformFamily::MacOs,
        _ => PlatformFamily::Unknown,
    }
}

fn ping(ping: Option<&str>) -> PingStatus {
    match ping {
        Some("Online") => PingStatus::Online,
        Some("ConnectionLost") => PingStatus::ConnectionLost,
        Some("Inactive") => PingStatus::Inactive,
        _ => PingStatus::Unknown,
    }
}

pub(crate) fn epoch_ms(time: Option<DateTime>) -> Option<i64> {
    time.and_then(|time| time.to_millis().ok())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::Tag;

    use super::*;

    #[test]
    fn kinds_follow_resource_and_source_type() {
        let cases = [
            ("i-1", Some("EC2Instance"), Some("AWS::EC2::Instance"), NodeKind::Ec2),
            ("mi-1", Some("ManagedInstance"), Some("AWS::SSM::ManagedInstance"), NodeKind::OnPrem),
            ("mi-1", Some("ManagedInstance"), Some("Microsoft.Compute/virtualMachines"), NodeKind::Azure),
            ("mi-1", Some("ManagedInstance"), Some("compute.googleapis.com/Instance"), NodeKind::Gcp),
            ("mi-1", Some("ManagedInstance"), Some("AWS::IoT::Thing"), NodeKind::Edge),
            ("i-1", None, None, NodeKind::Ec2),
            ("mi-1", None, None, NodeKind::OnPrem),
            ("mi-1", Some("ManagedInstance"), Some("something new"), NodeKind::OnPrem),
        ];
        for (id, resource, source, expected) in cases {
            assert_eq!(kind(id, resource, source), expected, "{id} {resource:?} {source:?}");
        }
    }

    #[test]
    fn an_ec2_address_is_public_only_when_it_is() {
        let own = |text: &str| Some(text.to_owned());
        assert_eq!(addresses(NodeKind::Ec2, own("203.0.113.9")).1, "203.0.113.9");
        assert_eq!(addresses(NodeKind::Ec2, own("10.1.2.3")).0, "10.1.2.3");
        assert_eq!(addresses(NodeKind::Ec2, own("100.64.0.1")).0, "100.64.0.1");
        assert_eq!(addresses(NodeKind::OnPrem, own("203.0.113.9")).0, "203.0.113.9");
        assert_eq!(addresses(NodeKind::Ec2, None), (SmolStr::default(), SmolStr::default()));
    }

    #[test]
    fn ec2_facts_fill_in_and_tags_are_sorted() {
        let at =
            AccountRegion { account_id: "111122223333".to_owned(), region: "eu-west-1".to_owned() }.into();
        let property = InstanceProperty::builder().instance_id("i-1").instance_state("running").build();
        let mut node = from_property(&at, &"ops".into(), property).unwrap();
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let instance = Instance::builder()
            .instance_id("i-1")
            .vpc_id("vpc-1")
            .tags(tag("Name", "web"))
            .tags(tag("Env", "prod"))
            .build();
        facts(instance).unwrap().add_to(&mut node);
        assert_eq!(
            (node.name.as_str(), node.vpc_id.as_str(), node.instance_state.as_str()),
            ("web", "vpc-1", "running")
        );
        assert_eq!(node.tags.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["Env", "Name"]);
    }
}
