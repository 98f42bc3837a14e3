use std::collections::BTreeSet;

use crate::{Lab, at};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_lists_the_scope_as_json_and_as_a_table() {
    let lab = Lab::open().await;
    let accounts = lab.simulator.accounts();
    let regions: BTreeSet<String> = accounts.iter().flat_map(|account| account.regions.clone()).collect();
    let mut args = vec!["nodes", "--json"];
    for region in &regions {
        args.extend(["--region", region]);
    }
    let ran = lab.run(&args);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let nodes: Vec<serde_json::Value> = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(nodes.len(), 1284);
    for node in &nodes {
        let hybrid = node["nodeId"].as_str().unwrap().starts_with("mi-");
        assert_eq!(node["kind"] == "ec2", !hybrid, "{node}");
        assert_eq!(node["tier"].is_null(), !hybrid, "{node}");
        assert!(node["tags"].is_object() && node["readiness"].is_string(), "{node}");
    }

    args[1] = "platform:windows";
    let table = lab.run(&args);
    assert_eq!(table.code, Some(0), "{table:?}");
    let mut lines = table.out.lines();
    assert!(lines.next().unwrap().starts_with("NAME "));
    let windows = nodes.iter().filter(|node| node["platform"] == "windows").count();
    assert_eq!(lines.count(), windows);
    assert!(windows > 0 && windows < nodes.len());

    args[1] = "platform:windows -ping:lost";
    args.push("--json");
    let online: Vec<serde_json::Value> = serde_json::from_str(&lab.run(&args).out).unwrap();
    assert!(online.len() < windows && online.iter().all(|node| node["ping"] != "lost"));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_finds_its_node_and_an_ambiguous_one_lists_the_matches() {
    let lab = Lab::open().await;
    let account = lab.simulator.accounts().remove(0);
    let nodes = lab.simulator.control().nodes(&account.name, &account.default_region);
    let count = |name: &str| nodes.iter().filter(|node| node.name == name).count();
    let node = nodes
        .iter()
        .find(|node| node.online && !node.hybrid && node.platform == "Linux" && count(&node.name) == 1)
        .unwrap();
    let ran = lab.run(&["exec", &node.name, "--source", &account.name, "--", "echo", "hello"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "hello\n"), "{ran:?}");
    assert_eq!(lab.simulator.control().sessions()[0].target, node.id);
    if let Some(twice) = nodes.iter().find(|node| count(&node.name) > 1) {
        let ran = lab.run(&["exec", &twice.name, "--source", &account.name, "--", "true"]);
        ran.refused(2);
        assert!(ran.err.contains(&twice.id), "{ran:?}");
    }
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exec_returns_the_status_and_keeps_the_streams_apart() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let exec = |command: &[&str]| {
        let mut args = vec!["exec", node.id.as_str()];
        args.extend(at(&node));
        args.push("--");
        args.extend(command);
        lab.run(&args)
    };
    let ran = exec(&["sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(7), "out\n", "err\n"));
    assert_eq!(exec(&["true"]).code, Some(0));
    assert_eq!(exec(&["sh", "-c", "kill -9 $$"]).code, Some(255));
    let ran = exec(&["printf", "%s|", "a b", "c'd", "$HOME", "*"]);
    assert_eq!(ran.out, "a b|c'd|$HOME|*|", "{ran:?}");
    let ran = exec(&["echo one two"]);
    assert_eq!(ran.out, "one two\n", "one word is split on the node: {ran:?}");
    let ran = exec(&["seq", "1", "50000"]);
    let numbers: Vec<u32> = ran.out.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(numbers, (1..=50_000).collect::<Vec<u32>>());
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_finest_log_shows_no_secret() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let account = lab.simulator.accounts().into_iter().find(|account| account.name == node.account).unwrap();
    let mut args = vec!["exec", node.id.as_str()];
    args.extend(at(&node));
    args.extend(["--", "true"]);
    let ran = lab.run_with(&args, &[("FLEETLINE_LOG", "trace")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("fleetline_engine"), "nothing was logged: {ran:?}");
    // The SDK prints the whole answer of StartSession, this member included, once it may log at `trace`.
    for secret in ["TokenValue", &account.secret_access_key, &account.session_token, "Signature="] {
        assert!(!ran.err.contains(secret), "{secret} is logged");
    }
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ca_bundle_that_cannot_be_used_is_named() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let mut args = vec!["exec", node.id.as_str()];
    args.extend(at(&node));
    args.extend(["--", "true"]);
    let ran = lab.run_with(&args, &[("AWS_CA_BUNDLE", "/no/such/bundle.pem")]);
    ran.refused(6);
    assert!(ran.err.contains("/no/such/bundle.pem"), "{ran:?}");
    lab.end().await;
}
