use std::collections::BTreeSet;

use fleetline_engine::ports::ApiErrorKind;
use fleetline_inventory::node::{InstanceTier, NodeKind};
use fleetline_inventory::ports::Sources;
use fleetline_simulator::{DenyReason, DenyRule, Tier};

use crate::{Lab, all_pages};

fn deny(action: &str) -> DenyRule {
    DenyRule { action: action.to_owned(), resource: "*".to_owned(), reason: DenyReason::NoIdentityPolicy }
}

#[tokio::test]
async fn every_node_of_every_account_and_region_is_listed_once() {
    let lab = Lab::open().await;
    let mut keys = BTreeSet::new();
    let mut listed = 0;
    for (account, region) in lab.places() {
        let (nodes, _) = all_pages(lab.listing(&account.name, &region).as_ref()).await.unwrap();
        let known = lab.simulator.control().nodes(&account.name, &region);
        assert_eq!(nodes.len(), known.len(), "{} {region}", account.name);
        for node in &nodes {
            assert_eq!(node.account_region.account_id, account.account_id);
            assert_eq!(node.account_region.region, region);
            assert_eq!(node.source, account.name);
            assert_eq!(node.kind.is_hybrid(), node.node_id.starts_with("mi-"), "{}", node.node_id);
            keys.insert(node.key());
        }
        listed += nodes.len();
    }
    assert_eq!((listed, keys.len()), (1284, 1284));
    lab.end().await;
}

#[tokio::test]
async fn a_refusal_of_properties_falls_back_to_information_page_by_page() {
    let lab = Lab::open().await;
    let (account, region) = lab
        .places()
        .into_iter()
        .max_by_key(|(account, region)| lab.simulator.control().nodes(&account.name, region).len())
        .unwrap();
    let listing = lab.listing(&account.name, &region);
    let (by_properties, one) = all_pages(listing.as_ref()).await.unwrap();
    lab.simulator.control().deny(deny("ssm:DescribeInstanceProperties"));
    let (by_information, many) = all_pages(listing.as_ref()).await.unwrap();
    assert_eq!((one, many), (1, by_properties.len().div_ceil(50)));
    let ids = |nodes: &[fleetline_inventory::node::ManagedNode]| -> BTreeSet<String> {
        nodes.iter().map(|node| node.node_id.to_string()).collect()
    };
    assert!(by_information.len() > 50);
    assert_eq!(ids(&by_information), ids(&by_properties));
    lab.simulator.control().deny(deny("ssm:DescribeInstanceInformation"));
    let refused = listing.page(None).await.unwrap_err();
    assert_eq!(refused.kind, ApiErrorKind::AccessDenied);
    assert!(refused.message.contains("is not authorized to perform"), "{refused}");
    assert!(refused.request_id.is_some());
    lab.end().await;
}

#[tokio::test]
async fn ec2_facts_are_told_of_the_instances_that_are_asked_about() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let listing = lab.listing(&node.account, &node.region);
    let (nodes, _) = all_pages(listing.as_ref()).await.unwrap();
    let instances = nodes.iter().filter(|node| node.kind == NodeKind::Ec2);
    let ids: Vec<_> = instances.map(|node| node.node_id.clone()).collect();
    let facts = listing.facts(ids.clone()).await.unwrap();
    let told: BTreeSet<_> = facts.iter().map(|facts| &facts.node_id).collect();
    assert_eq!(told, ids.iter().collect());
    for facts in &facts {
        assert!(!facts.vpc_id.is_empty() && !facts.instance_state.is_empty(), "{facts:?}");
        assert!(facts.tags.is_sorted());
    }
    assert!(facts.iter().any(|facts| !facts.tags.is_empty()));
    let found = facts.iter().find(|facts| facts.node_id == node.id).unwrap();
    assert_eq!(found.name, node.name);
    lab.simulator.control().deny(deny("ec2:DescribeInstances"));
    let refused = listing.facts(ids).await.unwrap_err();
    assert_eq!((refused.kind, refused.operation), (ApiErrorKind::AccessDenied, "DescribeInstances"));
    lab.end().await;
}

#[tokio::test]
async fn the_tier_is_told_per_account_and_region() {
    let lab = Lab::open().await;
    let (account, region) = lab.places().into_iter().next().unwrap();
    let listing = lab.listing(&account.name, &region);
    for (set, told) in [(Tier::Standard, InstanceTier::Standard), (Tier::Advanced, InstanceTier::Advanced)] {
        lab.simulator.control().set_tier(&account.name, &region, set).unwrap();
        assert_eq!(listing.tier().await.unwrap(), told);
    }
    lab.simulator.control().deny(deny("ssm:GetServiceSetting"));
    assert_eq!(listing.tier().await.unwrap_err().kind, ApiErrorKind::AccessDenied);
    lab.end().await;
}

#[tokio::test]
async fn the_identity_is_the_accounts_and_asked_once() {
    let lab = Lab::open().await;
    for account in lab.simulator.accounts() {
        let listing = lab.listing(&account.name, &account.default_region);
        let who = listing.identity().await.unwrap();
        assert_eq!((who.account_id, who.arn), (account.account_id, account.caller_arn));
        assert!(!who.user_id.is_empty());
        listing.page(None).await.unwrap();
    }
    let asked = lab.simulator.control().calls().get("GetCallerIdentity").copied();
    assert_eq!(asked, Some(lab.simulator.accounts().len() as u64));
    lab.end().await;
}

#[tokio::test]
async fn the_files_the_simulator_writes_are_usable_sources() {
    let lab = Lab::open().await;
    let names: BTreeSet<String> = lab.simulator.accounts().into_iter().map(|account| account.name).collect();
    let list = lab.sources.list();
    assert_eq!(list.iter().map(|source| source.name.clone()).collect::<BTreeSet<_>>(), names);
    for source in list {
        assert_eq!((source.method.as_str(), source.problem), ("access key", None));
        assert!(source.region.is_some());
    }
    lab.end().await;
}
