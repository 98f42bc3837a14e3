//! Listings, readiness and views over a fleet.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use fleetline_inventory::node::{
    AccountRegion, InstanceTier, ManagedNode, NodeKind, PingStatus, PlatformFamily,
};
use fleetline_inventory::{
    Column, Fleet, ListingId, ListingState, Marks, NodeFacts, Query, Readiness, SessionProof, StepState,
    View, ladder,
};
use proptest::prelude::*;

const NOW: i64 = 1_800_000_000_000;

fn node(node_id: &str, name: &str) -> ManagedNode {
    ManagedNode {
        account_region: AccountRegion { account_id: "111122223333".into(), region: "eu-central-1".into() }
            .into(),
        source: "prod".into(),
        node_id: node_id.into(),
        name: name.into(),
        computer_name: "".into(),
        kind: if node_id.starts_with("mi-") { NodeKind::OnPrem } else { NodeKind::Ec2 },
        platform: PlatformFamily::Linux,
        platform_name: "Ubuntu".into(),
        platform_version: "24.04".into(),
        ip: "".into(),
        public_ip: "".into(),
        agent_version: "3.3.2746.0".into(),
        ping: PingStatus::Online,
        last_ping_ms: None,
        registered_ms: None,
        instance_state: "".into(),
        instance_type: "".into(),
        availability_zone: "".into(),
        vpc_id: "".into(),
        iam_role: "".into(),
        tags: Vec::new(),
    }
}

fn loaded(nodes: Vec<ManagedNode>) -> (Fleet, ListingId) {
    let mut fleet = Fleet::new();
    let id = fleet.declare("prod", "eu-central-1", "prod");
    fleet.begin(id);
    fleet.merge_page(id, nodes);
    fleet.set_tier(id, InstanceTier::Advanced);
    fleet.complete(id, NOW);
    (fleet, id)
}

fn names(fleet: &mut Fleet, text: &str, sort: Column, descending: bool) -> Vec<String> {
    let mut view = View::new(Query::parse(text), sort, descending);
    view.update(fleet, NOW);
    view.window(fleet, 0, usize::MAX).map(|entry| entry.node().display_name().to_owned()).collect()
}

fn key(node_id: &str) -> String {
    format!("111122223333/eu-central-1/{node_id}")
}

#[test]
fn a_complete_listing_removes_what_it_did_not_see() {
    let (mut fleet, id) = loaded(vec![node("i-1", "a"), node("i-2", "b")]);
    fleet.begin(id);
    fleet.merge_page(id, vec![node("i-2", "b"), node("i-3", "c")]);
    assert_eq!(fleet.len(), 3, "nothing is removed while pages are coming in");
    fleet.complete(id, NOW + 1);
    assert_eq!(names(&mut fleet, "", Column::Name, false), ["b", "c"]);
    assert!(fleet.get(&key("i-1")).is_none());
    assert_eq!(fleet.listing(id).unwrap().updated_ms, Some(NOW + 1));
}

#[test]
fn a_node_is_found_by_what_it_is_now_whatever_changed() {
    let (mut fleet, id) = loaded(vec![node("i-1", "a")]);
    let base = node("i-1", "a");
    let changes = [
        ("name:b", ManagedNode { name: "b".into(), ..base.clone() }),
        ("host-7", ManagedNode { computer_name: "host-7".into(), ..base.clone() }),
        ("ip:10.0.0.7", ManagedNode { ip: "10.0.0.7".into(), ..base.clone() }),
        ("203.0.113.7", ManagedNode { public_ip: "203.0.113.7".into(), ..base.clone() }),
        ("agent:<3.2", ManagedNode { agent_version: "3.1.1.0".into(), ..base.clone() }),
        ("platform:windows", ManagedNode { platform: PlatformFamily::Windows, ..base.clone() }),
        (
            "platform:\"Debian 12\"",
            ManagedNode { platform_name: "Debian".into(), platform_version: "12".into(), ..base.clone() },
        ),
        ("ping:lost", ManagedNode { ping: PingStatus::ConnectionLost, ..base.clone() }),
        ("tag:env=prod", ManagedNode { tags: vec![("env".into(), "prod".into())], ..base.clone() }),
    ];
    for (query, changed) in changes {
        let found = |fleet: &mut Fleet| names(fleet, query, Column::Name, false).len();
        fleet.merge_page(id, vec![changed.clone()]);
        assert_eq!(found(&mut fleet), 1, "{query}");
        assert_eq!(fleet.get(&key("i-1")).unwrap().node(), &changed);
        fleet.identify(id, "111122223333");
        fleet.merge_page(id, vec![base.clone()]);
        fleet.merge_facts(id, vec![NodeFacts { node_id: "i-1".into(), ..NodeFacts::default() }]);
        assert_eq!(found(&mut fleet), 0, "{query}");
    }
}

/// A hundred thousand nodes fit into memory because they hold what they have in common once.
#[test]
fn nodes_share_their_place_and_the_long_texts_they_have_in_common() {
    let mut fleet = Fleet::new();
    let id = fleet.declare("prod", "eu-central-1", "prod");
    fleet.begin(id);
    let long = "Microsoft Windows Server 2022 Datacenter";
    for name in ["i-1", "i-2"] {
        let tags = vec![("Name".into(), name.into()), ("aws:cloudformation:stack-name".into(), long.into())];
        fleet.merge_page(id, vec![ManagedNode { platform_name: long.into(), tags, ..node(name, name) }]);
    }
    fleet.complete(id, 1);
    let nodes: Vec<&ManagedNode> = fleet.entries().map(|entry| entry.node()).collect();
    let [one, other] = nodes[..] else { panic!("{nodes:?}") };
    assert!(std::sync::Arc::ptr_eq(&one.account_region, &other.account_region));
    let same = |a: &str, b: &str| a == b && a.as_ptr() == b.as_ptr();
    assert!(same(&one.platform_name, &other.platform_name));
    assert!(same(&one.tags[1].0, &other.tags[1].0) && same(&one.tags[1].1, &one.platform_name));
}

#[test]
fn a_listing_that_fails_keeps_its_nodes_as_stale() {
    let (mut fleet, id) = loaded(vec![node("i-1", "a"), node("i-2", "b")]);
    fleet.begin(id);
    fleet.merge_page(id, vec![node("i-2", "b")]);
    fleet.fail(id, true);
    assert_eq!(fleet.listing(id).unwrap().state, ListingState::Denied);
    let stale = |id: &str| fleet.get(&key(id)).unwrap().is_stale();
    assert_eq!((stale("i-1"), stale("i-2")), (true, false));
}

#[test]
fn one_listing_does_not_remove_the_nodes_of_another() {
    let (mut fleet, first) = loaded(vec![node("i-1", "a")]);
    let second = fleet.declare("prod", "us-east-1", "prod");
    let mut other = node("i-2", "b");
    other.account_region =
        AccountRegion { account_id: other.account_region.account_id.clone(), region: "us-east-1".into() }
            .into();
    fleet.begin(second);
    fleet.merge_page(second, vec![other]);
    fleet.complete(second, NOW);
    fleet.begin(first);
    fleet.complete(first, NOW);
    assert_eq!(names(&mut fleet, "", Column::Name, false), ["b"]);
    let counters = fleet.counters();
    assert_eq!((counters.total, counters.regions), (1, 2));
}

#[test]
fn cached_nodes_are_stale_until_a_listing_confirms_them() {
    let mut fleet = Fleet::new();
    let id = fleet.declare("prod", "eu-central-1", "prod");
    fleet.restore(id, vec![node("i-1", "a"), node("mi-2", "b")], InstanceTier::Standard, NOW - 5);
    assert!(fleet.entries().all(|entry| entry.is_stale()));
    assert_eq!(fleet.verdict(fleet.get(&key("mi-2")).unwrap()).readiness(), Readiness::Blocked);
    assert_eq!(fleet.listing(id).unwrap().updated_ms, Some(NOW - 5));
    let before = fleet.version();
    fleet.begin(id);
    fleet.merge_page(id, vec![node("i-1", "a")]);
    assert!(!fleet.get(&key("i-1")).unwrap().is_stale());
    fleet.complete(id, NOW);
    assert_eq!(fleet.len(), 1);
    assert!(fleet.version() > before);
}

#[test]
fn a_page_keeps_ec2_facts_until_they_are_told_anew() {
    let facts = |tags| NodeFacts { node_id: "i-1".into(), name: "a".into(), tags, ..NodeFacts::default() };
    let gone = NodeFacts { node_id: "i-2".into(), ..NodeFacts::default() };
    let (mut fleet, id) = loaded(vec![]);
    fleet.begin(id);
    fleet.identify(id, "111122223333");
    fleet.merge_page(id, vec![node("i-1", "")]);
    fleet.merge_facts(id, vec![facts(vec![("env".into(), "prod".into())]), gone]);
    fleet.complete(id, NOW);
    assert_eq!(fleet.len(), 1, "facts bring no node");
    fleet.begin(id);
    fleet.merge_page(id, vec![node("i-1", "")]);
    assert_eq!(names(&mut fleet, "tag:env=prod", Column::Name, false), ["a"]);
    fleet.merge_facts(id, vec![facts(Vec::new())]);
    assert_eq!(names(&mut fleet, "tag:env", Column::Name, false), Vec::<String>::new());
}

#[test]
fn readiness_is_the_first_step_that_does_not_pass() {
    let (mut fleet, id) = loaded(vec![
        node("i-ready", ""),
        ManagedNode { agent_version: "3.1.1000.0".into(), ..node("i-old", "") },
        ManagedNode { agent_version: "3.0.195.0".into(), ..node("i-older", "") },
        ManagedNode { agent_version: "strange".into(), ..node("i-strange", "") },
        ManagedNode {
            ping: PingStatus::ConnectionLost,
            last_ping_ms: Some(NOW - 3 * 86_400_000),
            ..node("mi-lost", "")
        },
        ManagedNode { ping: PingStatus::Unknown, ..node("i-new", "") },
        ManagedNode { instance_state: "stopped".into(), ..node("i-off", "") },
        node("mi-hybrid", ""),
    ]);
    let verdict = |fleet: &Fleet, id: &str| {
        let entry = fleet.get(&key(id)).unwrap();
        let verdict = fleet.verdict(entry);
        (verdict.readiness(), verdict.sentence(entry.node(), NOW))
    };
    assert_eq!(verdict(&fleet, "i-ready"), (Readiness::Ready, String::new()));
    assert_eq!(verdict(&fleet, "i-strange").0, Readiness::Ready);
    assert_eq!(
        verdict(&fleet, "i-old"),
        (
            Readiness::Limited,
            "Agent 3.1.1000.0 is old: forwards to remote hosts need 3.1.1374.0 or later.".to_owned()
        )
    );
    assert!(verdict(&fleet, "i-older").1.contains("3.0.196.0"));
    assert_eq!(
        verdict(&fleet, "mi-lost"),
        (Readiness::Lost, "Connection lost: AWS last heard the agent 3 d ago.".to_owned())
    );
    assert_eq!(verdict(&fleet, "i-new").0, Readiness::Checking);
    assert_eq!(verdict(&fleet, "i-off").1, "The instance is stopped, so its agent does not run.");
    assert_eq!(verdict(&fleet, "mi-hybrid").0, Readiness::Ready);
    for (tier, readiness) in [
        (InstanceTier::Standard, Readiness::Blocked),
        (InstanceTier::Pending, Readiness::Blocked),
        (InstanceTier::Unknown, Readiness::Limited),
    ] {
        fleet.set_tier(id, tier);
        assert_eq!(verdict(&fleet, "mi-hybrid").0, readiness);
        assert_eq!(verdict(&fleet, "mi-lost").0, Readiness::Lost, "the agent comes before the tier");
        assert_eq!(verdict(&fleet, "i-ready").0, Readiness::Ready, "EC2 has no tier");
    }
    fleet.set_tier(id, InstanceTier::Standard);
    let counters = fleet.counters();
    assert_eq!((counters.total, counters.hybrid, counters.not_connectable), (8, 2, 3));
    fleet.set_tier(id, InstanceTier::Unknown);
    fleet.begin(id);
    assert_eq!(verdict(&fleet, "mi-hybrid").0, Readiness::Checking, "the tier is being asked");
}

#[test]
fn the_ladder_stops_at_the_first_failure_and_never_claims_iam() {
    let (mut fleet, id) =
        loaded(vec![node("mi-1", ""), ManagedNode { ping: PingStatus::ConnectionLost, ..node("mi-2", "") }]);
    let states = |fleet: &Fleet, id: &str, proof| {
        let entry = fleet.get(&key(id)).unwrap();
        ladder(entry.node(), fleet.listing_of(entry), proof).map(|step| step.state)
    };
    use StepState::{Lost, NotChecked, NotReached, Passed, Stopped};
    let none = SessionProof::default();
    assert_eq!(states(&fleet, "mi-1", none), [Passed, Passed, Passed, NotChecked, NotChecked]);
    let allowed = SessionProof { allowed_ms: Some(NOW), open: true, ..none };
    assert_eq!(states(&fleet, "mi-1", allowed), [Passed; 5]);
    let denied = SessionProof { denied: true, ..none };
    assert_eq!(states(&fleet, "mi-1", denied), [Passed, Passed, Passed, Stopped, NotReached]);
    fleet.set_tier(id, InstanceTier::Standard);
    assert_eq!(states(&fleet, "mi-1", none), [Passed, Passed, Stopped, NotReached, NotReached]);
    assert_eq!(states(&fleet, "mi-2", none), [Passed, Lost, NotReached, NotReached, NotReached]);
}

#[test]
fn every_column_sorts_and_puts_missing_values_last() {
    let facts = |id: &str, name: &str, ip: &str, agent: &str, ping: Option<i64>| ManagedNode {
        ip: ip.into(),
        agent_version: agent.into(),
        last_ping_ms: ping,
        ..node(id, name)
    };
    let (mut fleet, _) = loaded(vec![
        facts("i-3", "web-10", "10.0.0.9", "3.10.0.0", Some(NOW - 1000)),
        facts("mi-1", "web-9", "10.0.0.10", "3.9.1.0", Some(NOW - 9000)),
        facts("i-2", "Web-1", "fe80::1", "", None),
        facts("i-1", "api", "", "3.9.0.5", Some(NOW)),
    ]);
    let mut sorted = |sort, descending| names(&mut fleet, "", sort, descending);
    assert_eq!(sorted(Column::Name, false), ["api", "Web-1", "web-9", "web-10"]);
    assert_eq!(sorted(Column::Name, true), ["web-10", "web-9", "Web-1", "api"]);
    assert_eq!(sorted(Column::NodeId, false), ["api", "Web-1", "web-10", "web-9"]);
    assert_eq!(sorted(Column::NodeId, true), ["web-9", "web-10", "Web-1", "api"]);
    assert_eq!(sorted(Column::Ip, false), ["web-10", "web-9", "Web-1", "api"]);
    assert_eq!(sorted(Column::Ip, true), ["Web-1", "web-9", "web-10", "api"]);
    assert_eq!(sorted(Column::Agent, false), ["api", "web-9", "web-10", "Web-1"]);
    assert_eq!(sorted(Column::Agent, true), ["web-10", "web-9", "api", "Web-1"]);
    assert_eq!(sorted(Column::Ping, false), ["api", "web-10", "web-9", "Web-1"]);
    assert_eq!(sorted(Column::Ping, true), ["web-9", "web-10", "api", "Web-1"]);
    assert_eq!(sorted(Column::Kind, true), ["web-9", "api", "Web-1", "web-10"]);
    assert_eq!(sorted(Column::Tier, true), ["web-9", "api", "Web-1", "web-10"]);
    for sort in [Column::Platform, Column::Account, Column::Readiness] {
        assert_eq!(sorted(sort, false), ["api", "Web-1", "web-9", "web-10"], "ties stand by name: {sort:?}");
        assert_eq!(sorted(sort, true), ["api", "Web-1", "web-9", "web-10"], "in either direction: {sort:?}");
    }
}

#[test]
fn columns_of_text_and_times_sort_with_missing_values_last() {
    let facts = |id: &str, name: &str, host: &str, kind: &str, registered: Option<i64>| ManagedNode {
        computer_name: host.into(),
        instance_type: kind.into(),
        registered_ms: registered,
        ..node(id, name)
    };
    let (mut fleet, _) = loaded(vec![
        facts("i-1", "a", "HOST-10", "t3.micro", Some(NOW)),
        facts("i-2", "b", "host-9", "", Some(NOW - 1)),
        facts("i-3", "c", "", "m5.large", None),
    ]);
    fleet.set_marks(Marks::default().with_used([(key("i-2"), NOW - 5), (key("i-3"), NOW)]));
    let mut sorted = |column, descending| names(&mut fleet, "", column, descending).concat();
    assert_eq!(sorted(Column::ComputerName, false), "bac");
    assert_eq!(sorted(Column::ComputerName, true), "abc");
    assert_eq!(sorted(Column::InstanceType, false), "cab");
    assert_eq!(sorted(Column::InstanceType, true), "acb");
    assert_eq!(sorted(Column::Registered, false), "abc");
    assert_eq!(sorted(Column::Registered, true), "bac");
    assert_eq!(sorted(Column::Used, false), "cba");
    for column in Column::ALL {
        assert_eq!(sorted(column, true).len(), 3, "{column:?}");
    }
}

#[test]
fn marks_are_asked_for_and_stay_when_the_fleet_is_another() {
    let (mut fleet, _) = loaded(vec![node("i-1", "a"), node("i-2", "b"), node("i-3", "c")]);
    let mut view = View::new(Query::parse("is:favourite"), Column::Name, false);
    view.update(&mut fleet, NOW);
    assert_eq!(view.matched(), 0);
    let marks = Marks::default()
        .with_favourites([key("i-2"), key("gone")])
        .with_used([(key("i-1"), NOW)])
        .with_group("Core payments", [key("i-1"), key("i-3")]);
    fleet.set_marks(marks.clone());
    assert!(view.update(&mut fleet, NOW), "a view notices marks");
    assert_eq!(view.matched(), 1);
    let mut asked = |text| names(&mut fleet, text, Column::Name, false).concat();
    assert_eq!(asked("is:favourite"), "b");
    assert_eq!(asked("is:favourite,recent"), "ab");
    assert_eq!(asked("-is:favorite"), "ac");
    assert_eq!(asked("group:\"core payments\""), "ac");
    assert_eq!(asked("group:core"), "", "groups are named as a whole");
    assert_eq!(asked("is:stale"), "");
    assert_eq!(Query::parse("is:mine").issues()[0].start, 3);
    assert_eq!(fleet.followed_by(Fleet::new()).marks(), &marks);
}

#[test]
fn platforms_and_accounts_sort_in_natural_order() {
    let on = |id: &str, platform: &str, version: &str| ManagedNode {
        platform_name: platform.into(),
        platform_version: version.into(),
        ..node(id, id)
    };
    let unknown = ManagedNode { platform: PlatformFamily::Unknown, ..on("i-4", "", "") };
    let (mut fleet, _) = loaded(vec![
        on("i-1", "Ubuntu", "24.04"),
        on("i-2", "Ubuntu", "9.10"),
        on("i-3", "Debian", "12"),
        unknown,
    ]);
    assert_eq!(names(&mut fleet, "", Column::Platform, false), ["i-3", "i-2", "i-1", "i-4"]);
    assert_eq!(names(&mut fleet, "", Column::Platform, true), ["i-1", "i-2", "i-3", "i-4"]);

    let mut fleet = Fleet::new();
    for (source, region) in [("team-10", "us-east-1"), ("team-9", "us-east-1"), ("team-9", "eu-west-1")] {
        let id = fleet.declare(source, region, source);
        let mut node = node("i-1", &format!("{source} {region}"));
        node.account_region = AccountRegion { account_id: source.into(), region: region.into() }.into();
        fleet.merge_page(id, vec![node]);
    }
    let order = ["team-9 eu-west-1", "team-9 us-east-1", "team-10 us-east-1"];
    assert_eq!(names(&mut fleet, "", Column::Account, false), order);
    assert_eq!(names(&mut fleet, "team", Column::Name, true), [order[2], order[1], order[0]]);
}

#[test]
fn a_view_finds_nodes_by_key_and_by_typing() {
    let (mut fleet, _) = loaded((0..20).map(|n| node(&format!("i-{n}"), &format!("Web-{n}"))).collect());
    let mut view = View::new(Query::parse("web"), Column::Name, false);
    assert!(view.update(&mut fleet, NOW));
    assert!(!view.update(&mut fleet, NOW), "nothing changed");
    assert_eq!(view.matched(), 20);
    assert_eq!(view.index_of(&fleet, &key("i-10")), Some(10));
    assert_eq!(view.index_of(&fleet, &key("i-99")), None);
    assert_eq!(view.type_ahead(&fleet, "WEB-1", 2), Some(10));
    assert_eq!(view.type_ahead(&fleet, "web-1", 19), Some(19));
    assert_eq!(view.type_ahead(&fleet, "web-1", 20), Some(1), "goes round");
    assert_eq!(view.type_ahead(&fleet, "x", 0), None);
    assert_eq!(view.window(&fleet, 18, 200).count(), 2);
    assert_eq!(view.window(&fleet, 50, 200).count(), 0);
    let version = view.version();
    view.set(Query::parse("web-19"), Column::Name, false);
    assert!(view.update(&mut fleet, NOW) && view.version() > version);
    assert_eq!(view.matched(), 1);
}

#[test]
fn a_hundred_thousand_nodes_keep_their_order_through_changes() {
    let many = |from: usize| {
        (from..from + 100_000).map(|n| node(&format!("i-{n:06}"), &format!("n-{}", n * 7919 % 100_003)))
    };
    let (mut fleet, id) = loaded(many(0).collect());
    let mut view = View::new(Query::parse("n-"), Column::Name, false);
    view.update(&mut fleet, NOW);
    fleet.begin(id);
    fleet.merge_page(id, many(50_000).collect());
    fleet.complete(id, NOW);
    view.update(&mut fleet, NOW);
    assert_eq!(view.matched(), 100_000);
    let numbers: Vec<usize> =
        view.window(&fleet, 0, usize::MAX).map(|e| e.node().name[2..].parse().unwrap()).collect();
    assert!(numbers.is_sorted());
}

#[derive(Clone, Debug)]
enum Act {
    Begin,
    Page(Vec<u8>),
    Complete,
    Fail,
    Cancel,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        Just(Act::Begin),
        prop::collection::vec(0_u8..12, 0..6).prop_map(Act::Page),
        Just(Act::Complete),
        Just(Act::Fail),
        Just(Act::Cancel),
    ];
    prop::collection::vec(act, 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A plain set of node ids, told the same, always holds the same nodes.
    #[test]
    fn any_course_of_listings_leaves_the_nodes_of_a_plain_set(acts in acts()) {
        use std::collections::BTreeSet;
        let mut fleet = Fleet::new();
        let id = fleet.declare("prod", "eu-central-1", "prod");
        let (mut known, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut view = View::new(Query::default(), Column::Name, false);
        for act in acts {
            match act {
                Act::Begin => { fleet.begin(id); seen.clear(); }
                Act::Page(ids) => {
                    known.extend(ids.iter().copied());
                    seen.extend(ids.iter().copied());
                    fleet.merge_page(id, ids.into_iter().map(|n| node(&format!("i-{n}"), &format!("n-{n}"))).collect());
                }
                Act::Complete => { fleet.complete(id, NOW); known.clone_from(&seen); }
                Act::Fail => fleet.fail(id, false),
                Act::Cancel => fleet.cancel(id),
            }
            view.update(&mut fleet, NOW);
            let shown: Vec<String> = view.window(&fleet, 0, usize::MAX).map(|e| e.node().name.to_string()).collect();
            let expected: Vec<String> = known.iter().map(|n| format!("n-{n}")).collect();
            prop_assert_eq!(shown, expected);
            prop_assert_eq!(fleet.len(), known.len());
        }
    }
}
