//! The query language as a whole.

use proptest::prelude::*;

use super::*;
use crate::fleet::Fleet;
use crate::node::{AccountRegion, InstanceTier, ManagedNode, NodeKind, PingStatus, PlatformFamily};
use crate::testing::{named, node};

const NOW: i64 = 1_800_000_000_000;
const MINUTE: i64 = 60_000;

/// Eight nodes that differ in every fact a key asks for.
fn fleet() -> Fleet {
    let mut fleet = Fleet::new();
    let prod = fleet.declare("payments-prod", "eu-central-1", "payments-prod");
    let plants = fleet.declare("plants-eu", "eu-west-1", "plants-eu");
    fleet.begin(prod);
    fleet.begin(plants);
    let tag = |k: &str, v: &str| (k.into(), v.into());
    let windows = |node: ManagedNode| ManagedNode {
        platform: PlatformFamily::Windows,
        platform_name: "Microsoft Windows Server 2022 Datacenter".into(),
        platform_version: "10.0.20348".into(),
        ..node
    };
    fleet.merge_page(
        prod,
        vec![
            ManagedNode {
                ip: "10.20.4.11".into(),
                tags: vec![tag("env", "prod"), tag("team", "payments core")],
                vpc_id: "vpc-1".into(),
                instance_type: "t3.large".into(),
                availability_zone: "eu-central-1a".into(),
                last_ping_ms: Some(NOW - MINUTE),
                ..windows(named("i-01", "pay-win-1"))
            },
            ManagedNode {
                ip: "10.20.40.12".into(),
                tags: vec![tag("env", "")],
                agent_version: "3.1.1374.0".into(),
                last_ping_ms: Some(NOW - 10 * MINUTE),
                ..windows(named("i-02", "pay-win-2"))
            },
            ManagedNode {
                agent_version: "3.0.1390.0".into(),
                tags: vec![tag("Env", "dev")],
                ..named("i-03", "build-3")
            },
            ManagedNode { ping: PingStatus::ConnectionLost, ..windows(named("i-04", "gone")) },
        ],
    );
    let mut hybrid = |id: &str, name: &str, kind| {
        let mut hybrid = named(id, name);
        hybrid.kind = kind;
        hybrid.account_region =
            AccountRegion { account_id: "444455556666".into(), region: "eu-west-1".into() }.into();
        fleet.merge_page(plants, vec![hybrid]);
    };
    hybrid("mi-05", "hel-edge-04", NodeKind::Edge);
    hybrid("mi-06", "Größe", NodeKind::Azure);
    hybrid("mi-07", "gcp-7", NodeKind::Gcp);
    hybrid("mi-08", "", NodeKind::OnPrem);
    fleet.set_tier(plants, InstanceTier::Standard);
    fleet.complete(prod, NOW);
    fleet.complete(plants, NOW);
    fleet
}

/// The node ids that match, and the messages of the issues.
fn ask(text: &str) -> (Vec<String>, Vec<String>) {
    let fleet = fleet();
    let query = Query::parse(text);
    let matching = fleet.entries().filter(|entry| query.matches(&fleet, entry, NOW));
    let mut ids: Vec<_> = matching.map(|entry| entry.node().node_id.to_string()).collect();
    ids.sort();
    (ids, query.issues().iter().map(|issue| issue.message.clone()).collect())
}

#[track_caller]
fn finds(text: &str, ids: &[&str]) {
    assert_eq!(ask(text), (ids.iter().map(|id| (*id).to_owned()).collect(), Vec::new()), "{text}");
}

#[test]
fn free_text_looks_in_name_host_id_and_address() {
    finds("PAY-WIN", &["i-01", "i-02"]);
    finds("mi-0", &["mi-05", "mi-06", "mi-07", "mi-08"]);
    finds("10.20.4.", &["i-01"]);
    finds("größe", &["mi-06"]);
    finds("pay 2", &["i-01", "i-02"]);
    finds("nothing-like-it", &[]);
}

#[test]
fn words_must_all_match_and_a_minus_negates() {
    finds("platform:windows -ping:lost", &["i-01", "i-02"]);
    finds("-platform:windows -kind:hybrid", &["i-03"]);
    finds("pay-win -\"pay-win-1\"", &["i-02"]);
}

#[test]
fn commas_and_or_are_alternatives() {
    finds("kind:azure,gcp", &["mi-06", "mi-07"]);
    finds("-kind:azure,gcp,ec2,edge", &["mi-08"]);
    finds("name:build-3 OR kind:edge", &["i-03", "mi-05"]);
    finds("platform:windows ping:lost OR name:gcp-7", &["i-04", "mi-07"]);
}

#[test]
fn every_key_filters_its_fact() {
    finds("name:pay-*", &["i-01", "i-02"]);
    finds("name:win-1", &["i-01"]);
    finds("id:mi-05", &["mi-05"]);
    finds("kind:hybrid", &["mi-05", "mi-06", "mi-07", "mi-08"]);
    finds("kind:on-prem", &["mi-08"]);
    finds("platform:\"windows 2022\" -ping:lost", &["i-01", "i-02"]);
    finds("account:payments,4444", &["i-01", "i-02", "i-03", "i-04", "mi-05", "mi-06", "mi-07", "mi-08"]);
    finds("account:444455556666", &["mi-05", "mi-06", "mi-07", "mi-08"]);
    finds("region:eu-west", &["mi-05", "mi-06", "mi-07", "mi-08"]);
    finds("ip:10.20.4", &["i-01"]);
    finds("ip:10.20.4.11", &["i-01"]);
    finds("ip:10.20", &["i-01", "i-02"]);
    finds("ip:10.*.12", &["i-02"]);
    finds("tier:standard", &["mi-05", "mi-06", "mi-07", "mi-08"]);
    finds("tier:none", &["i-01", "i-02", "i-03", "i-04"]);
    finds("ping:lost", &["i-04"]);
    finds("state:blocked", &["mi-05", "mi-06", "mi-07", "mi-08"]);
    finds("state:ready", &["i-01", "i-02"]);
    finds("state:limited,lost", &["i-03", "i-04"]);
    finds("vpc:vpc-1", &["i-01"]);
    finds("az:1a", &["i-01"]);
    finds("type:t3", &["i-01"]);
}

#[test]
fn tags_match_by_key_and_by_exact_value() {
    finds("tag:env", &["i-01", "i-02", "i-03"]);
    finds("tag:env=prod", &["i-01"]);
    finds("tag:env=pro", &[]);
    finds("tag:env=pro*", &["i-01"]);
    finds("tag:env=prod,dev", &["i-01", "i-03"]);
    finds("tag:env=", &["i-02"]);
    finds("tag:team=\"payments core\"", &["i-01"]);
    finds("tag:team,nope", &["i-01"]);
}

#[test]
fn versions_and_ages_compare() {
    finds("agent:<3.1", &["i-03"]);
    finds("agent:<=3.1.1374", &["i-02", "i-03"]);
    finds("agent:3.1", &["i-02"]);
    finds("agent:=3.1.1374.0", &["i-02"]);
    finds("agent:>=3.1 agent:<3.2", &["i-02"]);
    finds("ping:>5m", &["i-02"]);
    finds("ping:<=1m", &["i-01"]);
    finds("ping:lost,>5m", &["i-02", "i-04"]);
}

#[test]
fn what_is_not_understood_is_reported_and_does_not_filter() {
    let all = ask("").0;
    for (text, message) in [
        ("plat:windows", "There is no key plat: – did you mean platform:?"),
        ("owner:me", "There is no key owner: – to search for the text itself, put it in quotes."),
        ("platform:", "platform: needs a value: operating system."),
        ("kind:mainframe", "A kind is ec2, hybrid, onprem, azure, gcp or edge."),
        ("agent:new", "A version is up to four numbers, as in agent:3.1 or agent:<3.1.1374."),
        ("ping:>5", "A ping is online, lost, inactive, unknown, or an age as in ping:>5m or ping:<2h."),
        ("tier:gold", "A tier is standard, advanced, pending, unknown or none."),
        ("state:great", "A state is ready, limited, blocked, lost or checking."),
        ("-", "Nothing follows the minus sign."),
        ("\"\"", "The quotes are empty."),
        ("OR", "OR needs a word on each side."),
        ("tag:=x", "tag: needs a key before the equals sign."),
        ("vpc:", "vpc: needs a value: VPC ID."),
    ] {
        assert_eq!(ask(text), (all.clone(), vec![message.to_owned()]), "{text}");
    }
    assert_eq!(ask("kind:ec2,mainframe").0, ask("kind:ec2").0, "the sound value still filters");
    assert_eq!(
        ask("gone OR plat:x").0,
        ["i-04"],
        "a part that is not understood does not let everything through"
    );
}

#[test]
fn an_open_quote_and_a_lost_comma_are_pointed_at() {
    let (ids, issues) = ask("name:\"pay-win-1");
    assert_eq!((ids, issues), (vec!["i-01".to_owned()], vec!["The quote is not closed.".to_owned()]));
    let (ids, issues) = ask("kind:edge,");
    assert_eq!(
        (ids, issues),
        (vec!["mi-05".to_owned()], vec!["A value is missing at this comma.".to_owned()])
    );
}

#[test]
fn issues_point_at_utf16_units() {
    let query = Query::parse("😀 plat:ä,b x");
    let issue = &query.issues()[0];
    assert_eq!((issue.start, issue.end), (3, 11));
    let query = Query::parse("kind:ec2,mainframe");
    assert_eq!((query.issues()[0].start, query.issues()[0].end), (9, 18));
}

#[test]
fn addresses_and_times_are_free_text() {
    finds("fe80::1", &[]);
    finds("12:30", &[]);
    assert_eq!(ask(":").1, Vec::<String>::new());
}

fn completions(text: &str) -> (u32, u32, Vec<(String, Option<u32>)>) {
    let cursor = u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX);
    let found = Completions::at(&fleet(), text, cursor);
    (found.start, found.end, found.items.into_iter().map(|item| (item.text, item.count)).collect())
}

fn item(text: &str, count: u32) -> (String, Option<u32>) {
    (text.to_owned(), Some(count))
}

#[test]
fn keys_are_completed_then_values_with_counts() {
    assert_eq!(completions("x pl"), (2, 4, vec![("platform:".to_owned(), None)]));
    assert_eq!(completions("-re"), (1, 3, vec![("region:".to_owned(), None)]));
    assert_eq!(completions("").2.len(), Key::ALL.len());
    assert_eq!(completions("a ").2.len(), Key::ALL.len());
    assert_eq!(completions("ping:"), (5, 5, vec![item("online", 7), item("lost", 1)]));
    assert_eq!(
        completions("platform:linux,win"),
        (15, 18, vec![item("\"Windows 2022\"", 3), item("windows", 3)])
    );
    assert_eq!(completions("tag:e"), (4, 5, vec![item("env=", 2), item("Env=", 1), item("team=", 1)]));
    assert_eq!(completions("tag:env=").2, [item("\"\"", 1), item("dev", 1), item("prod", 1)]);
    assert_eq!(completions("tag:team=pay"), (9, 12, vec![item("\"payments core\"", 1)]));
    assert_eq!(completions("nokey:").2, []);
    assert_eq!(completions("name:\"pay w").2, []);
}

#[test]
fn a_completed_value_finds_the_nodes_it_was_counted_with() {
    for key in Key::ALL {
        for (text, count) in completions(&format!("{}:", key.text())).2 {
            let query = format!("{}:{}", key.text(), text.trim_end_matches('='));
            let (ids, issues) = ask(&query);
            assert_eq!(issues, Vec::<String>::new(), "{query}");
            // Tag keys match without regard to case, and texts match inside longer ones.
            assert!(ids.len() >= count.unwrap_or(0) as usize && !ids.is_empty(), "{query}");
        }
    }
}

/// Texts made of the pieces the parser knows, and anything else.
fn query_text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "-",
        "\"",
        "\\",
        ",",
        ":",
        "=",
        "*",
        " ",
        "OR",
        "tag",
        "agent",
        "ping",
        "<",
        ">=",
        "3.1",
        "5m",
        "ip",
        "10.",
        "é",
        "😀",
        "platform:",
        "windows",
        "name:",
        "\u{3000}",
        "\0",
    ]);
    prop_oneof![prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat()), any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_parsed_and_issues_stay_inside_it(text in query_text()) {
        let query = Query::parse(&text);
        let len = u32::try_from(text.encode_utf16().count()).unwrap();
        for issue in query.issues() {
            prop_assert!(issue.start <= issue.end && issue.end <= len, "{issue:?} in {text:?}");
            prop_assert!(issue.start < issue.end || len == 0, "an issue points at something: {issue:?} in {text:?}");
        }
        let mut fleet = Fleet::new();
        let id = fleet.declare("a", "b", "c");
        fleet.begin(id);
        fleet.merge_page(id, vec![node("i-1"), node("mi-2")]);
        for entry in fleet.entries() {
            query.matches(&fleet, entry, NOW);
        }
    }

    #[test]
    fn completions_of_any_text_replace_a_stretch_before_the_cursor(text in query_text(), cursor in 0_u32..40) {
        let found = Completions::at(&fleet(), &text, cursor);
        let len = u32::try_from(text.encode_utf16().count()).unwrap();
        prop_assert!(found.start <= found.end && found.end <= cursor.min(len), "{found:?}");
        prop_assert!(found.items.len() <= 20);
    }

    #[test]
    fn a_negated_word_matches_the_other_nodes(word in "[a-z0-9-]{1,6}|kind:(ec2|azure)|tag:env|agent:<3\\.1") {
        let all = ask("").0;
        prop_assume!(!word.starts_with('-') && word != "OR");
        let (mut with, _) = ask(&word);
        let (without, _) = ask(&format!("-{word}"));
        with.extend(without);
        with.sort();
        prop_assert_eq!(with, all);
    }
}
