//! Policies that are loaded and evaluated: the remedy of a refusal grants what was refused, and nothing besides.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use fleetline_access::{Attempt, Denial, Effect, Feature, Node, Place, PolicyKind, Remedy, Wanted};
use fleetline_simulator::{AccountPolicies, NodeView, Simulator, SimulatorConfig, UpgradeSigning};
use serde_json::{Value, json};
use support::channel::{dial, grant};
use support::{Answer, Signer, account, host, query, simulator, ssm, ssm_error, ssm_ok};

const ACCOUNT: &str = "payments-prod";
const REGION: &str = "eu-central-1";

fn signer(simulator: &Simulator, service: &str) -> Signer {
    Signer::new(&account(simulator, ACCOUNT), REGION, service)
}

fn load(simulator: &Simulator, identity: &[&str]) {
    let policies =
        identity.iter().try_fold(AccountPolicies::none(), |all, json| all.with_identity(json)).unwrap();
    simulator.control().set_policies(ACCOUNT, Some(policies)).unwrap();
}

/// Two nodes of the account, EC2 and online.
fn two_nodes(simulator: &Simulator) -> [NodeView; 2] {
    let nodes = simulator.control().nodes(ACCOUNT, REGION);
    let mut online = nodes.into_iter().filter(|node| node.online && !node.hybrid);
    [online.next().unwrap(), online.next().unwrap()]
}

fn attempt(node: &NodeView, document: Option<&str>) -> Attempt {
    Attempt {
        place: Place::new(node.account_id.clone(), node.region.clone()),
        target: node.id.clone(),
        document: document.map(str::to_owned),
    }
}

async fn refused(simulator: &Simulator, operation: &str, body: &Value) -> Denial {
    let (code, text) = ssm_error(simulator, &signer(simulator, "ssm"), operation, body).await;
    assert_eq!(code, "AccessDeniedException", "{text}");
    Denial::find(&text).unwrap()
}

fn remedy(denial: &Denial, attempt: &Attempt) -> String {
    match Remedy::of(denial, Some(attempt)) {
        Remedy::Allow(policy) => policy.to_json(),
        other => panic!("no statement: {other:?}"),
    }
}

/// Asks for the data channel of a session with a signature.
async fn open_channel(simulator: &Simulator, answer: &Value) -> bool {
    let (url, _) = grant(answer);
    let rest = url.strip_prefix(&format!("ws://{}", host(simulator))).unwrap();
    let (path, text) = rest.split_once('?').unwrap();
    let headers = signer(simulator, "ssmmessages").sign("GET", &host(simulator), path, text, b"");
    dial(&url, &headers).await.is_ok()
}

#[tokio::test]
async fn the_remedy_of_a_refused_start_opens_that_node_and_no_other() {
    let simulator = simulator(|config| config.upgrade_signing = UpgradeSigning::Required).await;
    let [node, other] = two_nodes(&simulator);
    load(&simulator, &[]);
    let start = |node: &NodeView| json!({ "Target": node.id });
    let denial = refused(&simulator, "StartSession", &start(&node)).await;
    assert_eq!((denial.policy, denial.effect), (Some(PolicyKind::Identity), Some(Effect::Implicit)));

    load(&simulator, &[&remedy(&denial, &attempt(&node, None))]);
    let signer = signer(&simulator, "ssm");
    let answer = ssm_ok(&simulator, &signer, "StartSession", &start(&node)).await;
    assert!(open_channel(&simulator, &answer).await);
    let session = json!({ "SessionId": answer["SessionId"] });
    ssm_ok(&simulator, &signer, "ResumeSession", &session).await;
    ssm_ok(&simulator, &signer, "TerminateSession", &session).await;

    let another = refused(&simulator, "StartSession", &start(&other)).await;
    assert!(another.resource.is_some_and(|resource| resource.ends_with(&other.id)));
    let document = json!({ "Target": node.id, "DocumentName": "AWS-StartSSHSession" });
    let another = refused(&simulator, "StartSession", &document).await;
    let arn = "arn:aws:ssm:eu-central-1::document/AWS-StartSSHSession";
    assert_eq!(another.resource.as_deref(), Some(arn));
    refused(&simulator, "DescribeInstanceProperties", &json!({})).await;
    refused(&simulator, "TerminateSession", &json!({ "SessionId": "somebody-0123456789abcdef0" })).await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn without_the_data_channel_a_started_session_stays_shut_and_the_remedy_opens_it() {
    let simulator = simulator(|config| config.upgrade_signing = UpgradeSigning::Required).await;
    let [node, _] = two_nodes(&simulator);
    let start_only = r#"{ "Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "ssm:StartSession", "Resource": "*" } }"#;
    load(&simulator, &[start_only]);
    let signer = signer(&simulator, "ssm");
    let answer = ssm_ok(&simulator, &signer, "StartSession", &json!({ "Target": node.id })).await;
    assert!(!open_channel(&simulator, &answer).await);
    let denial = Denial::find(
        "User: x is not authorized to perform: ssmmessages:OpenDataChannel because no identity-based policy allows \
         the ssmmessages:OpenDataChannel action",
    )
    .unwrap();
    load(&simulator, &[start_only, &remedy(&denial, &attempt(&node, None))]);
    assert!(open_channel(&simulator, &answer).await);
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_policy_for_chosen_nodes_and_features_permits_those_alone() {
    let simulator = simulator(|_| {}).await;
    let [node, other] = two_nodes(&simulator);
    let place = Place::new(node.account_id.clone(), node.region.clone());
    let wanted = Wanted {
        nodes: vec![Node { place: place.clone(), id: node.id.clone() }],
        features: [Feature::Inventory, Feature::Exec].into(),
        ..Wanted::default()
    };
    load(&simulator, &[&wanted.policy().unwrap().to_json()]);
    let signer = signer(&simulator, "ssm");
    ssm_ok(&simulator, &signer, "DescribeInstanceProperties", &json!({})).await;
    ssm_ok(&simulator, &signer, "GetServiceSetting", &json!({ "SettingId": place.tier_setting() })).await;
    let exec = |node: &NodeView| {
        let parameters = json!({ "command": ["true"] });
        json!({ "Target": node.id, "DocumentName": "AWS-StartNonInteractiveCommand", "Parameters": parameters })
    };
    ssm_ok(&simulator, &signer, "StartSession", &exec(&node)).await;
    refused(&simulator, "StartSession", &exec(&other)).await;
    refused(&simulator, "StartSession", &json!({ "Target": node.id })).await;
    let ec2 =
        query(&simulator, &self::signer(&simulator, "ec2"), "Action=DescribeInstances&Version=2016-11-15")
            .await;
    assert_eq!(ec2.status, 200, "{}", ec2.body);
    simulator.shutdown().await;
}

#[tokio::test]
async fn denies_boundaries_and_organizations_are_named_and_cannot_be_added_away() {
    let simulator = simulator(|_| {}).await;
    let [node, other] = two_nodes(&simulator);
    let all = r#"{ "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] }"#;
    let deny = json!({ "Statement": [{ "Effect": "Deny", "Action": "ssm:start*", "Resource": format!("*/{}", node.id) }] });
    let listing =
        r#"{ "Statement": [{ "Effect": "Allow", "NotAction": "ssm:StartSession", "Resource": "*" }] }"#;
    let start = json!({ "Target": node.id });
    let set = |policies| simulator.control().set_policies(ACCOUNT, Some(policies)).unwrap();
    let base = AccountPolicies::none().with_identity(all).unwrap();
    let cases = [
        (base.clone().with_identity(&deny.to_string()).unwrap(), PolicyKind::Identity, Effect::Explicit),
        (base.clone().with_boundary(listing).unwrap(), PolicyKind::Boundary, Effect::Implicit),
        (
            base.clone().with_boundary(all).unwrap().with_organization(&deny.to_string()).unwrap(),
            PolicyKind::ServiceControl,
            Effect::Explicit,
        ),
    ];
    for (policies, kind, effect) in cases {
        set(policies);
        let denial = refused(&simulator, "StartSession", &start).await;
        assert_eq!((denial.policy, denial.effect), (Some(kind), Some(effect)));
        assert!(!matches!(Remedy::of(&denial, Some(&attempt(&node, None))), Remedy::Allow(_)));
    }
    ssm_ok(&simulator, &signer(&simulator, "ssm"), "StartSession", &json!({ "Target": other.id })).await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn tags_and_variables_decide() {
    let simulator = simulator(|_| {}).await;
    let [node, _] = two_nodes(&simulator);
    let env = listed_env(&simulator, &node).await;
    let by_tag = |operator: &str, value: &str| {
        json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "ssm:StartSession", "Resource": "arn:aws:ec2:*:*:instance/*",
            "Condition": { operator: { "ssm:resourceTag/env": [value] } } }, {
            "Effect": "Allow", "Action": "ssm:StartSession", "Resource": "arn:aws:ssm:*:*:document/*",
            "Condition": { "BoolIfExists": { "ssm:SessionDocumentAccessCheck": "true" } } }, {
            "Effect": "Allow", "Action": "ssm:TerminateSession", "Resource": "*",
            "Condition": { "StringLike": { "ssm:resourceTag/aws:ssmmessages:session-id": ["${aws:userid}"] } } }] })
        .to_string()
    };
    let signer = signer(&simulator, "ssm");
    let start = json!({ "Target": node.id });
    for (operator, value, allowed) in [
        ("StringEquals", env.as_str(), true),
        ("StringEquals", "*", false),
        ("StringLike", "*", true),
        ("StringNotEquals", env.as_str(), false),
        ("StringEqualsIgnoreCase", &env.to_uppercase(), true),
        ("StringEqualsIfExists", "nothing", false),
    ] {
        load(&simulator, &[&by_tag(operator, value)]);
        let answer: Answer = ssm(&simulator, &signer, "StartSession", &start).await;
        assert_eq!(answer.status == 200, allowed, "{operator} {value}: {}", answer.body);
        if allowed {
            let session = json!({ "SessionId": answer.json()["SessionId"] });
            ssm_ok(&simulator, &signer, "TerminateSession", &session).await;
        }
    }
    refused(&simulator, "TerminateSession", &json!({ "SessionId": "somebody-0123456789abcdef0" })).await;
    simulator.shutdown().await;
}

/// The `env` tag as EC2 tells it, before any policy is loaded.
async fn listed_env(simulator: &Simulator, node: &NodeView) -> String {
    let form = format!("Action=DescribeInstances&Version=2016-11-15&InstanceId.1={}", node.id);
    let answer = query(simulator, &signer(simulator, "ec2"), &form).await;
    let (_, rest) = answer.body.split_once("<key>env</key><value>").unwrap();
    rest.split('<').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_not_understood_is_refused_when_it_is_loaded() {
    for policy in [
        "",
        "[]",
        "{}",
        r#"{ "Statement": [{ "Effect": "Allow", "Action": "*" }] }"#,
        r#"{ "Statement": [{ "Effect": "Maybe", "Action": "*", "Resource": "*" }] }"#,
        r#"{ "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*" }] }"#,
        r#"{ "Statement": [{ "Effect": "Allow", "Action": [], "Resource": "*" }] }"#,
        r#"{ "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": { "DateLess": {} } }] }"#,
        r#"{ "Version": "1999", "Statement": [] }"#,
    ] {
        assert!(AccountPolicies::none().with_identity(policy).is_err(), "{policy}");
    }
    let simulator = Simulator::start(SimulatorConfig::default()).await.unwrap();
    assert!(simulator.control().set_policies("nobody", None).is_err());
    simulator.shutdown().await;
}

/// A kind of session: its document, and what it asks for.
fn kinds() -> [(Option<&'static str>, Value); 4] {
    [
        (None, json!({})),
        (Some("AWS-StartNonInteractiveCommand"), json!({ "command": ["true"] })),
        (Some("AWS-StartPortForwardingSession"), json!({ "portNumber": ["80"] })),
        (Some("AWS-StartSSHSession"), json!({ "portNumber": ["22"] })),
    ]
}

/// Whatever was refused, on whatever node by whatever document: its remedy allows that, and neither another node nor
/// another document, nor sessions of others, nor anything that was not asked for.
#[test]
fn a_remedy_permits_exactly_what_was_refused_on_any_node_by_any_document() {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let simulator = runtime.block_on(simulator(|_| {}));
    let control = simulator.control();
    let mut places = Vec::new();
    for account in simulator.accounts() {
        for region in &account.regions {
            control.set_tier(&account.name, region, fleetline_simulator::Tier::Advanced).unwrap();
            let nodes = control.nodes(&account.name, region);
            let online: Vec<NodeView> = nodes.into_iter().filter(|node| node.online).collect();
            if online.len() > 1 {
                places.push(online);
            }
        }
    }
    assert!(places.iter().flatten().any(|node| node.hybrid) && places.len() > 5);
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let choice = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        0..4_usize,
        1..4_usize,
    );
    runner
        .run(&choice, |(place, one, other, kind, further)| {
            let nodes = place.get(&places);
            let at = one.index(nodes.len());
            let (node, other) = (&nodes[at], &nodes[(at + 1 + other.index(nodes.len() - 1)) % nodes.len()]);
            let (document, parameters) = &kinds()[kind];
            let (strange, strange_parameters) = &kinds()[(kind + further) % 4];
            let start = |node: &NodeView, document: &Option<&str>, parameters: &Value| match document {
                Some(document) => {
                    json!({ "Target": node.id, "DocumentName": document, "Parameters": parameters })
                }
                None => json!({ "Target": node.id }),
            };
            let signer = Signer::new(&account(&simulator, &node.account), &node.region, "ssm");
            let refused = |body: &Value| {
                let answer = runtime.block_on(ssm(&simulator, &signer, "StartSession", body));
                assert_eq!(answer.status, 400, "{}", answer.body);
                Denial::find(&answer.body).unwrap()
            };
            let set = |policies| simulator.control().set_policies(&node.account, Some(policies)).unwrap();
            set(AccountPolicies::none());
            let wanted = start(node, document, parameters);
            let remedy = remedy(&refused(&wanted), &attempt(node, *document));
            set(AccountPolicies::none().with_identity(&remedy).unwrap());
            let answer = runtime.block_on(ssm(&simulator, &signer, "StartSession", &wanted));
            prop_assert_eq!(answer.status, 200, "{}", answer.body);
            let session = json!({ "SessionId": answer.json()["SessionId"] });
            let ended = runtime.block_on(ssm(&simulator, &signer, "TerminateSession", &session));
            prop_assert_eq!(ended.status, 200, "{}", ended.body);

            let other = refused(&start(other, document, parameters)).resource;
            prop_assert!(other.is_some_and(|resource| !resource.ends_with(&node.id)));
            refused(&start(node, strange, strange_parameters));
            for (operation, body) in [
                ("TerminateSession", json!({ "SessionId": "somebody-0123456789abcdef0" })),
                ("DescribeInstanceProperties", json!({})),
                ("DescribeSessions", json!({ "State": "Active" })),
            ] {
                let answer = runtime.block_on(ssm(&simulator, &signer, operation, &body));
                prop_assert_eq!(answer.status, 400, "{}: {}", operation, answer.body);
            }
            simulator.control().set_policies(&node.account, None).unwrap();
            Ok(())
        })
        .unwrap();
    runtime.block_on(simulator.shutdown());
}
