use std::time::Duration;

use fleetline_simulator::{AccountPolicies, DenyReason, DenyRule, SimulatorConfig};
use serde_json::Value;

use crate::{Lab, Ran, at};

/// The account and Region whose hybrid nodes are on the standard tier from the start.
const STANDARD: [&str; 4] = ["--source", "plants-eu", "--region", "eu-central-1"];

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

#[track_caller]
fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

fn states(report: &Value) -> Vec<(&str, &str)> {
    let steps = report["steps"].as_array().unwrap();
    steps.iter().map(|step| (step["step"].as_str().unwrap(), step["state"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_walks_the_ladder_and_a_real_session_proves_the_last_steps() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let look = lab.run(&with(&["doctor", &node.id, "--json"], &at(&node)));
    assert_eq!((look.code, look.err.as_str()), (Some(0), ""), "{look:?}");
    let report = json(&look);
    assert_eq!(states(&report)[3..], [("IAM", "unknown"), ("Session channel", "unknown")]);
    assert!(lab.simulator.control().sessions().is_empty(), "looking starts nothing");

    let trial = lab.run(&with(&["doctor", &node.id, "--start", "--json"], &at(&node)));
    assert_eq!(trial.code, Some(0), "{trial:?}");
    let report = json(&trial);
    assert_eq!(states(&report)[3..], [("IAM", "passed"), ("Session channel", "passed")]);
    assert!(report["steps"][4]["fact"].as_str().unwrap().starts_with("opened in "), "{report}");
    assert_eq!(lab.simulator.control().sessions().len(), 1);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_stops_at_the_first_step_that_does_not_pass() {
    let lab = Lab::open().await;
    let lost = lab.node(|node| !node.online && !node.hybrid);
    let ran = lab.run(&with(&["doctor", &lost.id, "--start", "--json"], &at(&lost)));
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert_eq!(states(&json(&ran))[1..3], [("Agent online", "lost"), ("Tier", "unreached")]);
    assert!(lab.simulator.control().sessions().is_empty(), "nothing is tried after a step that stops");

    let standard = lab.node(|node| {
        node.online && node.hybrid && node.account == "plants-eu" && node.region == "eu-central-1"
    });
    let ran = lab.run(&with(&["doctor", &standard.id], &at(&standard)));
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.out.contains("stopped   Tier             Standard\n"), "{}", ran.out);
    assert!(ran.out.contains("review the change to the advanced tier"), "{}", ran.out);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policy_doctor_offers_for_a_denied_session_lets_it_pass() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let inventory = r#"{ "Statement": { "Effect": "Allow", "Action": ["ssm:Describe*", "ssm:Get*", "ec2:Describe*"],
        "Resource": "*" } }"#;
    let policies = AccountPolicies::none().with_identity(inventory).unwrap();
    let control = lab.simulator.control();
    control.set_policies(&node.account, Some(policies.clone())).unwrap();
    let args = with(&["doctor", &node.id, "--start", "--json"], &at(&node));
    let denied = lab.run(&args);
    assert_eq!(denied.code, Some(3), "{denied:?}");
    let report = json(&denied);
    assert_eq!(states(&report)[3], ("IAM", "stopped"));
    assert!(
        report["problem"]["message"].as_str().unwrap().contains("because no identity policy allows it"),
        "{report}"
    );
    let policy = report["problem"]["policy"].to_string();
    assert!(policy.contains(&node.id) && policy.contains("ssmmessages:OpenDataChannel"), "{policy}");
    control.set_policies(&node.account, Some(policies.with_identity(&policy).unwrap())).unwrap();
    let allowed = lab.run(&args);
    assert_eq!(allowed.code, Some(0), "{allowed:?}");

    control.deny(DenyRule {
        action: "ssm:StartSession".into(),
        resource: "*".into(),
        reason: DenyReason::ServiceControlPolicy,
    });
    let report = json(&lab.run(&args));
    assert_eq!(report["problem"]["policy"], Value::Null, "no statement helps against an organization");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_denied_session_says_who_may_not_do_what_and_the_policy_it_prints_lets_it_pass() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let inventory = r#"{ "Statement": { "Effect": "Allow", "Action": ["ssm:Describe*", "ssm:Get*", "ec2:Describe*"],
        "Resource": "*" } }"#;
    let policies = AccountPolicies::none().with_identity(inventory).unwrap();
    let control = lab.simulator.control();
    let shell = with(&["shell", &node.id], &at(&node));
    let exec = [&["exec", &node.id], &at(&node)[..], &["--", "true"]].concat();
    let forward = with(&["forward", &node.id, "0:80"], &at(&node));
    let proxy = with(&["ssh-proxy", &node.id], &at(&node));
    for (args, document, runs) in [
        (&shell, "SSM-SessionManagerRunShell", true),
        (&exec, "AWS-StartNonInteractiveCommand", true),
        (&forward, "AWS-StartPortForwardingSession", false),
        (&proxy, "AWS-StartSSHSession", false),
    ] {
        control.set_policies(&node.account, Some(policies.clone())).unwrap();
        let denied = lab.run(args);
        assert_eq!((denied.code, denied.out.as_str()), (Some(3), ""), "{denied:?}");
        assert!(denied.err.contains("may not call ssm:StartSession on"), "{denied:?}");
        assert!(denied.err.contains("because no identity policy allows it."), "{denied:?}");
        let (_, policy) = denied.err.split_once("The smallest policy that allows it:\n").unwrap();
        assert!(policy.contains(&node.id) && policy.contains(document), "{policy}");
        if runs {
            let fixed = policies.clone().with_identity(policy).unwrap();
            control.set_policies(&node.account, Some(fixed)).unwrap();
            let allowed = lab.run_fed(args, b"exit\n");
            assert_eq!(allowed.code, Some(0), "{allowed:?}");
        }
    }
    control.set_policies(&node.account, Some(policies)).unwrap();
    let told = lab.run(&[&["exec", "--json", &node.id], &at(&node)[..], &["--", "true"]].concat());
    assert_eq!(told.code, Some(3), "{told:?}");
    let told: Value = serde_json::from_str(&told.err).unwrap_or_else(|error| panic!("{error}: {told:?}"));
    assert_eq!(told["error"]["code"], "access_denied");
    let denied = &told["denied"];
    assert_eq!((&denied["action"], &denied["policy"]), (&"ssm:StartSession".into(), &"identity".into()));
    assert_eq!(denied["chain"][1]["outcome"], "no_allow");
    assert!(denied["remedy"]["terraform"].as_str().unwrap().starts_with("data \"aws_iam_policy_document\""));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn iam_policy_grants_what_was_chosen_as_json_and_terraform() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let ran = lab.run(&with(&["iam", "policy", &node.id, "--feature", "shell"], &at(&node)));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let policy = json(&ran);
    let arn = format!("arn:aws:ec2:{}:{}:instance/{}", node.region, node.account_id, node.id);
    assert_eq!(policy["Statement"][0]["Resource"][0], arn);
    let policies = AccountPolicies::none().with_identity(&ran.out).unwrap();
    lab.simulator.control().set_policies(&node.account, Some(policies)).unwrap();
    let shell = lab.run_fed(&with(&["shell", &node.id, "--quiet"], &at(&node)), b"exit\n");
    assert_eq!(shell.code, Some(0), "{shell:?}");
    lab.simulator.control().set_policies(&node.account, None).unwrap();

    let terraform = lab.run(&with(&["iam", "policy", "--query", &node.id, "--terraform"], &at(&node)));
    assert!(terraform.out.starts_with("data \"aws_iam_policy_document\" \"fleetline\" {\n"), "{terraform:?}");
    assert!(terraform.out.contains(&arn) && terraform.out.contains("&{aws:userid}"), "{terraform:?}");
    lab.run(&with(&["iam", "policy"], &at(&node))).refused(2);
    lab.run(&with(&["iam", "policy", "nobody"], &at(&node))).refused(4);
    lab.run(&with(&["iam", "policy", &node.id, "--document", "a*"], &at(&node))).refused(2);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tier_is_shown_reviewed_and_changed_only_on_demand() {
    let lab = Lab::new(SimulatorConfig {
        demo_denials: false,
        tier_settles_after: Duration::ZERO,
        ..SimulatorConfig::default()
    })
    .await;
    let tier = || json(&lab.run(&with(&["tier", "get", "--json"], &STANDARD)))[0].clone();
    let before = tier();
    assert_eq!((&before["tier"], &before["hybridNodes"]), (&"standard".into(), &11.into()), "{before}");
    assert_eq!(before["monthlyCost"], "USD 55.81");
    let review = lab.run(&with(&["tier", "set", "advanced"], &STANDARD));
    assert_eq!((review.code, review.out.as_str()), (Some(2), ""), "{review:?}");
    assert!(review.err.contains("USD 55.81 for 730 hours") && review.err.contains("--yes"), "{review:?}");
    assert_eq!(tier()["tier"], "standard", "a review changes nothing");
    let set = lab.run(&with(&["tier", "set", "advanced", "--yes"], &STANDARD));
    assert_eq!((set.code, set.out.as_str()), (Some(0), "advanced\n"), "{set:?}");
    assert!(tier()["changedBy"].as_str().unwrap().contains("assumed-role/"));
    let again = lab.run(&with(&["tier", "set", "advanced", "--yes"], &STANDARD));
    assert_eq!(again.code, Some(0), "{again:?}");
    lab.run(&["tier", "set", "standard", "--yes"]).refused(2);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn activations_are_made_listed_and_deleted_and_a_node_is_deregistered() {
    let lab = Lab::open().await;
    let create = ["activations", "create", "--role", "FleetHybridNode", "--limit", "2", "--hours", "720"];
    let made = lab.run(&with(&with(&create, &["--tag", "env=prod", "--json"]), &STANDARD));
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""), "{made:?}");
    let made = json(&made);
    let (id, code) = (made["activationId"].as_str().unwrap(), made["activationCode"].as_str().unwrap());
    let listed = lab.run(&with(&["activations", "list", "--json"], &STANDARD));
    assert!(!listed.out.contains(code), "the code is told once");
    let rows = json(&listed);
    assert_eq!((&rows[0]["activationId"], &rows[0]["limit"]), (&id.into(), &2.into()));
    let text = lab.run(&with(&create, &STANDARD));
    assert!(
        text.out.contains("sudo /tmp/ssm-setup-cli -register") && text.out.contains("Invoke-WebRequest"),
        "{text:?}"
    );
    assert_eq!(lab.run(&with(&["activations", "delete", id], &STANDARD)).code, Some(0));
    lab.run(&with(&["activations", "create", "--role", "a/b"], &STANDARD)).refused(2);

    let node = lab.node(|node| node.hybrid && node.account == "plants-eu" && node.region == "eu-central-1");
    lab.run(&with(&["activations", "deregister", &node.id], &STANDARD)).refused(2);
    let gone = lab.run(&with(&["activations", "deregister", &node.id, "--yes"], &STANDARD));
    assert_eq!(gone.code, Some(0), "{gone:?}");
    let nodes = lab.run(&with(&["nodes", &format!("id:{}", node.id), "--json"], &STANDARD));
    assert_eq!(json(&nodes), Value::Array(Vec::new()));
    lab.end().await;
}
