use std::collections::HashSet;

use super::World;
use super::catalogue::PlatformType;
use crate::config::WorldPlan;

const NOW_MS: i64 = 1_790_000_000_000;

#[test]
fn default_world_has_the_numbers_of_the_design() {
    let world = World::new(WorldPlan::Demo, 1, 1284, NOW_MS);
    let nodes: Vec<_> = world.accounts.iter().flat_map(|a| &a.regions).flat_map(|r| &r.nodes).collect();
    assert_eq!(nodes.len(), 1284);
    assert_eq!(nodes.iter().filter(|n| n.kind.is_hybrid()).count(), 212);
    assert_eq!(nodes.iter().filter(|n| n.lost_for_s.is_none()).count(), 1231);
    let ids: HashSet<_> = nodes.iter().map(|n| &n.id).collect();
    assert_eq!(ids.len(), 1284, "ids are unique");
    let names: HashSet<_> = nodes.iter().map(|n| &n.name).collect();
    assert_eq!(names.len(), 1284, "names are unique");
    for platform in [PlatformType::Linux, PlatformType::Windows, PlatformType::MacOs] {
        assert!(nodes.iter().any(|n| n.os.platform == platform), "{platform:?}");
    }
}

#[test]
fn eleven_hybrid_nodes_of_plants_eu_are_on_the_standard_tier() {
    let world = World::new(WorldPlan::Demo, 1, 1284, NOW_MS);
    let account = &world.accounts[world.account_named("plants-eu").unwrap()];
    let hybrid = account.nodes("eu-central-1").iter().filter(|n| n.kind.is_hybrid()).count();
    assert_eq!(hybrid, 11);
    assert!(account.regions.iter().any(|r| r.plan.region == "eu-central-1" && r.plan.standard_tier));
}

#[test]
fn the_same_seed_gives_the_same_world_and_another_seed_another() {
    let ids = |seed| -> Vec<String> {
        let world = World::new(WorldPlan::Demo, seed, 300, NOW_MS);
        world
            .accounts
            .iter()
            .flat_map(|a| &a.regions)
            .flat_map(|r| &r.nodes)
            .map(|n| n.id.to_string())
            .collect()
    };
    assert_eq!(ids(7), ids(7));
    assert_ne!(ids(7), ids(8));
}

#[test]
fn every_size_is_met_exactly() {
    for count in [0, 1, 2, 5, 10, 57, 1283, 5000] {
        let world = World::new(WorldPlan::Demo, 3, count, NOW_MS);
        let made: usize = world.accounts.iter().flat_map(|a| &a.regions).map(|r| r.nodes.len()).sum();
        assert_eq!(made, count);
    }
}

#[test]
fn nodes_are_found_by_id() {
    let world = World::new(WorldPlan::Demo, 1, 1284, NOW_MS);
    let account = &world.accounts[0];
    for node in account.nodes("eu-central-1") {
        assert_eq!(account.find("eu-central-1", &node.id).map(|n| &n.name), Some(&node.name));
    }
    assert!(account.find("eu-central-1", "i-00000000000000000").is_none());
    assert!(account.find("nowhere-1", "i-00000000000000000").is_none());
}

#[test]
fn containers_are_found_and_not_listed() {
    let world = World::new(WorldPlan::Demo, 1, 1284, NOW_MS);
    for account in &world.accounts {
        let region = account.plan.default_region;
        for task in account.tasks(region) {
            assert!(task.id.starts_with("ecs:") && task.id.len() <= 400, "{}", task.id);
            assert_eq!(account.find(region, &task.id).map(|n| &n.name), Some(&task.name));
            assert!(account.nodes(region).iter().all(|node| node.id != task.id));
        }
    }
    assert_eq!(world.accounts[0].tasks(world.accounts[0].plan.default_region).len(), 1);
}

#[test]
fn pings_of_live_nodes_stay_within_a_minute() {
    let world = World::new(WorldPlan::Demo, 1, 1284, NOW_MS);
    for node in world.accounts[0].nodes("us-east-1") {
        for now in [NOW_MS, NOW_MS + 1, NOW_MS + 86_400_000] {
            let age = now - node.fresh_ping_ms(now);
            assert!((0..60_000).contains(&age), "{age}");
        }
    }
}
