use std::time::Duration;

use fleetline_simulator::{DenyReason, DenyRule, SimulatorConfig, Tier};

use crate::{Lab, at};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_in_the_request_are_usage_errors() {
    let lab = Lab::open().await;
    assert_eq!(lab.run(&[]).code, Some(2));
    assert_eq!(lab.run(&["fly"]).code, Some(2));
    assert_eq!(lab.run(&["exec", "i-1"]).code, Some(2));
    assert_eq!(lab.run(&["shell", "i-1", "--param", "novalue"]).code, Some(2));
    lab.run(&["nodes", "nosuchkey:x"]).refused(2);
    lab.run(&["nodes", "--source", "nobody"]).refused(2);
    lab.run(&["nodes", "--region", "No Region"]).refused(2);
    lab.run(&["sim", "--listen", "0.0.0.0:0"]).refused(2);
    let help = lab.run(&["--help"]);
    assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_node_is_not_connectable() {
    let lab = Lab::open().await;
    let account = lab.simulator.accounts().remove(0);
    let known = ["--source", account.name.as_str(), "--region", account.default_region.as_str()];
    for name in ["no-such-node", "i-0123456789abcdef0", "mi-0123456789abcdef0"] {
        let mut args = vec!["shell", name];
        args.extend(known);
        lab.run(&args).refused(4);
    }
    lab.run(&["shell", "i-0123456789abcdef0"]).refused(4);
    assert!(lab.simulator.control().sessions().is_empty());
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_endpoint_is_the_network() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let variables = [("AWS_ENDPOINT_URL", closed.as_str())];
    let mut args = vec!["shell", node.id.as_str()];
    args.extend(at(&node));
    lab.run_with(&args, &variables).refused(6);
    let ran = lab.run_with(&["nodes", "--source", &node.account], &variables);
    assert_eq!(ran.code, Some(6), "{ran:?}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_that_are_missing_wrong_or_expired_are_told_apart() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let account = lab.simulator.accounts().into_iter().find(|account| account.name == node.account).unwrap();
    let endpoint = lab.simulator.endpoint();
    let keys = |secret| {
        [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_REGION", node.region.as_str()),
            ("AWS_ACCESS_KEY_ID", account.access_key_id.as_str()),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_SESSION_TOKEN", account.session_token.as_str()),
        ]
    };
    let right = lab.run_with(&["exec", &node.id, "--", "true"], &keys(&account.secret_access_key));
    assert_eq!(right.code, Some(0), "{right:?}");
    let wrong = lab.run_with(&["shell", &node.id], &keys("not the secret"));
    wrong.refused(5);
    assert!(wrong.err.contains("does not accept"), "{wrong:?}");
    assert!(!wrong.err.contains("not the secret"), "{wrong:?}");

    lab.simulator.control().set_credentials_expired(&node.account, true).unwrap();
    let mut args = vec!["shell", node.id.as_str()];
    args.extend(at(&node));
    let expired = lab.run(&args);
    expired.refused(5);
    assert!(expired.err.contains("expired"), "{expired:?}");

    let nothing = lab.directory.path().join("nothing").display().to_string();
    let none = [("AWS_CONFIG_FILE", nothing.as_str()), ("AWS_SHARED_CREDENTIALS_FILE", nothing.as_str())];
    lab.run_with(&["nodes"], &none).refused(5);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hybrid_node_on_the_standard_tier_and_a_lost_node_are_not_connectable() {
    let lab = Lab::open().await;
    let hybrid = lab.node(|node| node.hybrid && node.online);
    lab.simulator.control().set_tier(&hybrid.account, &hybrid.region, Tier::Standard).unwrap();
    let mut args = vec!["shell", hybrid.id.as_str()];
    args.extend(at(&hybrid));
    let ran = lab.run(&args);
    ran.refused(4);
    assert!(ran.err.contains("standard tier"), "{ran:?}");

    let lost = lab.linux();
    lab.simulator.control().disconnect_node(&lost.id).await.unwrap();
    let mut args = vec!["exec", lost.id.as_str()];
    args.extend(at(&lost));
    args.extend(["--", "true"]);
    lab.run(&args).refused(4);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_names_the_policy_and_throttling_has_its_own_status() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let mut args = vec!["shell", node.id.as_str()];
    args.extend(at(&node));
    lab.simulator.control().throttle_next(1_000);
    lab.run(&args).refused(7);
    lab.simulator.control().throttle_next(0);
    lab.simulator.control().deny(DenyRule {
        action: "ssm:StartSession".to_owned(),
        resource: "*".to_owned(),
        reason: DenyReason::PermissionsBoundary,
    });
    let denied = lab.run(&args);
    denied.refused(3);
    assert!(denied.err.contains("permissions boundary"), "{denied:?}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_expired_before_opening_fails_and_leaves_nothing() {
    let config =
        SimulatorConfig { token_ttl: Duration::ZERO, demo_denials: false, ..SimulatorConfig::default() };
    let lab = Lab::new(config).await;
    let node = lab.linux();
    let mut args = vec!["shell", node.id.as_str()];
    args.extend(at(&node));
    let ran = lab.run(&args);
    assert_ne!(ran.code, Some(0), "{ran:?}");
    ran.refused(ran.code.unwrap());
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_that_is_denied_leaves_the_others_and_decides_the_status() {
    let lab = Lab::open().await;
    let accounts = lab.simulator.accounts();
    let denied = &accounts[0];
    lab.simulator.control().deny(DenyRule {
        action: "ssm:DescribeInstance*".to_owned(),
        resource: format!("arn:aws:ssm:*:{}:*", denied.account_id),
        reason: DenyReason::NoIdentityPolicy,
    });
    let ran = lab.run(&["nodes", "--json"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let nodes: Vec<serde_json::Value> = serde_json::from_str(&ran.out).unwrap();
    assert!(!nodes.is_empty());
    assert!(nodes.iter().all(|node| node["source"] != denied.name.as_str()));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_cannot_be_used_is_named_never_gone_around_and_its_password_not_shown() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let mut args = vec!["shell", node.id.as_str()];
    args.extend(at(&node));
    for (variable, address) in [
        ("HTTPS_PROXY", "socks5://me:canary@127.0.0.1:1"),
        ("https_proxy", "http://me:canary@127.0.0.1:1"),
        ("ALL_PROXY", "gopher://me:canary@127.0.0.1:1"),
    ] {
        let endpoint = ("AWS_ENDPOINT_URL", "https://api.simulator.test");
        let ran = lab.run_with(&args, &[endpoint, (variable, address)]);
        ran.refused(6);
        let named = if address.starts_with("http:") { "connect" } else { variable };
        assert!(ran.err.contains(named) && !ran.err.contains("canary"), "{ran:?}");
    }
    lab.end().await;
}
