//! What only hybrid nodes have: the tier, activations, deregistering.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use fleetline_simulator::{NodeView, Simulator, Tier};
use serde_json::{Value, json};
use support::{Signer, account, simulator, ssm_error, ssm_ok};

/// The account and Region whose hybrid nodes are on the standard tier from the start.
const ACCOUNT: &str = "plants-eu";
const REGION: &str = "eu-central-1";

fn signer(simulator: &Simulator) -> Signer {
    Signer::new(&account(simulator, ACCOUNT), REGION, "ssm")
}

fn hybrid(simulator: &Simulator) -> NodeView {
    let nodes = simulator.control().nodes(ACCOUNT, REGION);
    nodes.into_iter().find(|node| node.hybrid && node.online).unwrap()
}

fn setting(simulator: &Simulator) -> String {
    let id = account(simulator, ACCOUNT).account_id;
    format!("arn:aws:ssm:{REGION}:{id}:servicesetting/ssm/managed-instance/activation-tier")
}

async fn state(simulator: &Simulator) -> (String, String, String) {
    let body = json!({ "SettingId": setting(simulator) });
    let answer = ssm_ok(simulator, &signer(simulator), "GetServiceSetting", &body).await;
    let text = |name: &str| answer["ServiceSetting"][name].as_str().unwrap().to_owned();
    (text("SettingValue"), text("Status"), text("LastModifiedUser"))
}

#[tokio::test]
async fn a_change_of_the_tier_is_pending_and_counts_only_once_it_settled() {
    let simulator = simulator(|config| config.tier_settles_after = Duration::from_secs(3_600)).await;
    let signer = signer(&simulator);
    assert_eq!(state(&simulator).await, ("standard".into(), "Default".into(), "System".into()));
    let to = |value: &str| json!({ "SettingId": setting(&simulator), "SettingValue": value });
    ssm_ok(&simulator, &signer, "UpdateServiceSetting", &to("advanced")).await;
    let (value, status, user) = state(&simulator).await;
    assert_eq!((value.as_str(), status.as_str()), ("advanced", "PendingUpdate"));
    assert!(user.contains(":assumed-role/"), "{user}");
    let start = json!({ "Target": hybrid(&simulator).id });
    let (code, text) = ssm_error(&simulator, &signer, "StartSession", &start).await;
    assert!(code == "BadRequest" && text.contains("advanced-instances tier"), "{code} {text}");
    assert_eq!(
        ssm_error(&simulator, &signer, "UpdateServiceSetting", &to("standard")).await.0,
        "TooManyUpdates"
    );
    simulator.control().set_tier(ACCOUNT, REGION, Tier::Advanced).unwrap();
    ssm_ok(&simulator, &signer, "StartSession", &start).await;
    assert_eq!(
        ssm_error(&simulator, &signer, "UpdateServiceSetting", &to("gold")).await.0,
        "ValidationException"
    );
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_reset_goes_back_to_the_default() {
    let simulator = simulator(|config| config.tier_settles_after = Duration::ZERO).await;
    let signer = signer(&simulator);
    let path = "/ssm/managed-instance/activation-tier";
    let body = json!({ "SettingId": path, "SettingValue": "advanced" });
    ssm_ok(&simulator, &signer, "UpdateServiceSetting", &body).await;
    assert_eq!(state(&simulator).await.1, "Customized");
    let answer = ssm_ok(&simulator, &signer, "ResetServiceSetting", &json!({ "SettingId": path })).await;
    assert_eq!(answer["ServiceSetting"]["SettingValue"], "standard");
    assert_eq!(state(&simulator).await.1, "Default");
    simulator.shutdown().await;
}

#[tokio::test]
async fn more_than_a_thousand_hybrid_nodes_cannot_go_back_to_standard() {
    let simulator = simulator(|config| {
        config.nodes = 60_000;
        config.tier_settles_after = Duration::ZERO;
    })
    .await;
    let accounts = simulator.accounts();
    let control = simulator.control();
    let places = accounts.iter().flat_map(|a| a.regions.iter().map(move |region| (a, region)));
    let (account, region) = places
        .max_by_key(|(account, region)| {
            control.nodes(&account.name, region).iter().filter(|n| n.hybrid).count()
        })
        .unwrap();
    assert!(control.nodes(&account.name, region).iter().filter(|n| n.hybrid).count() > 1_000);
    let signer = Signer::new(account, region, "ssm");
    let body =
        |value: &str| json!({ "SettingId": "/ssm/managed-instance/activation-tier", "SettingValue": value });
    ssm_ok(&simulator, &signer, "UpdateServiceSetting", &body("advanced")).await;
    let (code, text) = ssm_error(&simulator, &signer, "UpdateServiceSetting", &body("standard")).await;
    assert!(code == "ValidationException" && text.contains("1000"), "{code} {text}");
    simulator.shutdown().await;
}

async fn list(simulator: &Simulator, body: Value) -> Value {
    ssm_ok(simulator, &signer(simulator), "DescribeActivations", &body).await
}

#[tokio::test]
async fn activations_are_created_listed_by_pages_and_deleted_and_show_their_code_once() {
    let simulator = simulator(|_| {}).await;
    let signer = signer(&simulator);
    let mut codes = BTreeSet::new();
    for name in ["press-1", "press-2", "oven"] {
        let body = json!({ "IamRole": "FleetHybridNode", "DefaultInstanceName": name, "RegistrationLimit": 3,
            "Tags": [{ "Key": "env", "Value": "prod" }] });
        let made = ssm_ok(&simulator, &signer, "CreateActivation", &body).await;
        codes.insert(made["ActivationCode"].as_str().unwrap().to_owned());
    }
    assert!(codes.len() == 3 && codes.iter().all(|code| (20..=250).contains(&code.len())));
    let first = list(&simulator, json!({ "MaxResults": 2 })).await;
    let second = list(&simulator, json!({ "MaxResults": 2, "NextToken": first["NextToken"] })).await;
    assert_eq!(second["NextToken"], Value::Null);
    let all: Vec<&Value> =
        [&first, &second].into_iter().flat_map(|page| page["ActivationList"].as_array().unwrap()).collect();
    let names: Vec<&str> = all.iter().map(|one| one["DefaultInstanceName"].as_str().unwrap()).collect();
    assert_eq!(names, ["press-1", "press-2", "oven"]);
    for code in &codes {
        assert!(!first.to_string().contains(code.as_str()) && !second.to_string().contains(code.as_str()));
    }
    assert_eq!((&all[0]["Expired"], &all[0]["RegistrationLimit"]), (&json!(false), &json!(3)));
    let filter = json!({ "Filters": [{ "FilterKey": "DefaultInstanceName", "FilterValues": ["oven"] }] });
    assert_eq!(list(&simulator, filter).await["ActivationList"].as_array().unwrap().len(), 1);
    let id = json!({ "ActivationId": all[1]["ActivationId"] });
    ssm_ok(&simulator, &signer, "DeleteActivation", &id).await;
    assert_eq!(ssm_error(&simulator, &signer, "DeleteActivation", &id).await.0, "InvalidActivation");
    assert_eq!(list(&simulator, json!({})).await["ActivationList"].as_array().unwrap().len(), 2);
    for (body, code) in [
        (json!({}), "ValidationException"),
        (json!({ "IamRole": "r", "RegistrationLimit": 1001 }), "ValidationException"),
        (json!({ "IamRole": "r", "ExpirationDate": 1.5 }), "InvalidParameters"),
    ] {
        assert_eq!(ssm_error(&simulator, &signer, "CreateActivation", &body).await.0, code, "{body}");
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_deregistered_node_is_gone_from_lists_and_takes_no_session() {
    let simulator = simulator(|_| {}).await;
    let signer = signer(&simulator);
    simulator.control().set_tier(ACCOUNT, REGION, Tier::Advanced).unwrap();
    let id = hybrid(&simulator).id;
    let count = || async {
        let body = json!({ "MaxResults": 1000 });
        let answer = ssm_ok(&simulator, &signer, "DescribeInstanceProperties", &body).await;
        answer["InstanceProperties"].as_array().unwrap().len()
    };
    let before = count().await;
    ssm_ok(&simulator, &signer, "DeregisterManagedInstance", &json!({ "InstanceId": id })).await;
    assert_eq!(count().await, before - 1);
    let again = json!({ "InstanceId": id });
    assert_eq!(
        ssm_error(&simulator, &signer, "DeregisterManagedInstance", &again).await.0,
        "InvalidInstanceId"
    );
    let start = json!({ "Target": id });
    assert_eq!(ssm_error(&simulator, &signer, "StartSession", &start).await.0, "TargetNotConnected");
    let ec2 = json!({ "InstanceId": "i-0123456789abcdef0" });
    assert_eq!(
        ssm_error(&simulator, &signer, "DeregisterManagedInstance", &ec2).await.0,
        "InvalidInstanceId"
    );
    simulator.shutdown().await;
}
