use std::time::Duration;

use fleetline_engine::ports::ApiErrorKind;
use fleetline_inventory::hybrid::{HybridSources, NewActivation};
use fleetline_inventory::node::InstanceTier;
use fleetline_simulator::{SimulatorConfig, Tier};

use crate::Lab;

const ACCOUNT: &str = "plants-eu";
const REGION: &str = "eu-central-1";

#[tokio::test]
async fn the_tier_is_read_changed_seen_pending_and_reset() {
    let lab = Lab::new(SimulatorConfig {
        demo_denials: false,
        tier_settles_after: Duration::from_secs(3_600),
        ..SimulatorConfig::default()
    })
    .await;
    let hybrid = lab.sources.hybrid(ACCOUNT, REGION).unwrap();
    let before = hybrid.tier_setting().await.unwrap();
    assert_eq!((before.tier, before.is_default), (InstanceTier::Standard, true));
    hybrid.set_tier(InstanceTier::Advanced).await.unwrap();
    let pending = hybrid.tier_setting().await.unwrap();
    assert_eq!((pending.tier, pending.value), (InstanceTier::Pending, InstanceTier::Advanced));
    assert!(pending.changed_by.contains("assumed-role/") && pending.changed_ms > before.changed_ms);
    let again = hybrid.set_tier(InstanceTier::Standard).await.unwrap_err();
    assert_eq!(again.code.as_deref(), Some("TooManyUpdates"));
    lab.simulator.control().set_tier(ACCOUNT, REGION, Tier::Advanced).unwrap();
    assert_eq!(hybrid.tier_setting().await.unwrap().tier, InstanceTier::Advanced);
    hybrid.reset_tier().await.unwrap();
    assert_eq!(hybrid.tier_setting().await.unwrap().value, InstanceTier::Standard);
    let unsent = hybrid.set_tier(InstanceTier::Unknown).await.unwrap_err();
    assert!(unsent.never_sent && unsent.kind == ApiErrorKind::InvalidRequest);
    lab.end().await;
}

#[tokio::test]
async fn activations_are_made_listed_and_deleted_and_nodes_deregistered() {
    let lab = Lab::open().await;
    let hybrid = lab.sources.hybrid(ACCOUNT, REGION).unwrap();
    let new = NewActivation {
        role: "FleetHybridNode".to_owned(),
        limit: 5,
        expires_ms: None,
        name: "press".to_owned(),
        description: String::new(),
        tags: vec![("team".to_owned(), "plants".to_owned()), ("env".to_owned(), "prod".to_owned())],
    };
    let made = hybrid.create_activation(new.clone()).await.unwrap();
    assert!(made.code.expose().len() >= 20 && !format!("{made:?}").contains(made.code.expose()));
    for _ in 0..60 {
        hybrid.create_activation(NewActivation { tags: Vec::new(), ..new.clone() }).await.unwrap();
    }
    let first = hybrid.activations(None).await.unwrap();
    let second = hybrid.activations(first.next.clone()).await.unwrap();
    assert_eq!((first.activations.len(), second.activations.len(), second.next), (50, 11, None));
    let one = &first.activations[0];
    assert_eq!(
        (one.id.as_str(), one.name.as_str(), one.limit, one.expired),
        (made.id.as_str(), "press", 5, false)
    );
    assert_eq!(one.tags, [("env".to_owned(), "prod".to_owned()), ("team".to_owned(), "plants".to_owned())]);
    hybrid.delete_activation(made.id.clone()).await.unwrap();
    assert!(hybrid.delete_activation(made.id).await.is_err());
    let wrong = hybrid.create_activation(NewActivation { limit: 0, ..new }).await.unwrap_err();
    assert!(wrong.never_sent, "{wrong}");

    let node = lab.node(|node| node.hybrid && node.account == ACCOUNT && node.region == REGION);
    hybrid.deregister(node.id.clone()).await.unwrap();
    assert_eq!(hybrid.deregister(node.id).await.unwrap_err().kind, ApiErrorKind::UnknownNode);
    lab.end().await;
}
