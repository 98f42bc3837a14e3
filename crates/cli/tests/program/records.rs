//! What sessions left behind, read by the program: logs in S3 and CloudWatch Logs, and the calls CloudTrail kept.
#![cfg(unix)]

use fleetline_history::plain_text;
use fleetline_simulator::{DenyReason, DenyRule, NodeView, SimulatorConfig};
use serde_json::{Value, json};

use crate::{Lab, at};

const KEY: &str = "alias/fleet-sessions";

fn put(lab: &Lab, node: &NodeView, name: &str, document: &Value) {
    let control = lab.simulator.control();
    control.put_document(&node.account, &node.region, name, &document.to_string()).unwrap();
}

/// Id of the session that began last.
fn latest(lab: &Lab) -> String {
    lab.simulator.control().sessions().last().unwrap().session_id.clone()
}

fn words<'a>(node: &'a NodeView, words: &[&'a str]) -> Vec<&'a str> {
    [words, &at(node)].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_sealed_session_read_in_place_is_what_the_terminal_got() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let inputs = json!({
        "kmsKeyId": KEY, "s3BucketName": "corp-logs", "s3KeyPrefix": "sessions",
        "cloudWatchLogGroupName": "/corp/sessions", "cloudWatchStreamingEnabled": true,
    });
    put(
        &lab,
        &node,
        "SSM-SessionManagerRunShell",
        &json!({ "schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs }),
    );
    let typed = b"printf '\\033[1mb\\303\\266ld\\033[0m %s\\n' $((6*7))\nexit\n";
    let ran = lab.run_fed(&words(&node, &["shell", "-q", &node.id]), typed);
    assert!(ran.code == Some(0) && ran.out.contains("\u{1b}[1mböld\u{1b}[0m 42\r\n"), "{ran:?}");
    assert_eq!(lab.simulator.control().calls()["GenerateDataKey"], 1, "the session was sealed");
    let id = latest(&lab);
    lab.nothing_left().await;

    // The object in S3 is every byte the terminal got.
    let file = lab.directory.path().join("session.log");
    let path = file.display().to_string();
    let saved = lab.run(&words(&node, &["sessions", "log", &id, "--out", &path]));
    assert_eq!(saved.code, Some(0), "{saved:?}");
    assert!(saved.err.contains(&format!("s3://corp-logs/sessions/{id}.log")), "{saved:?}");
    assert_eq!(std::fs::read(&file).unwrap(), ran.out.as_bytes());
    let again = lab.run(&words(&node, &["sessions", "log", &id, "--out", &path]));
    assert_eq!(again.code, Some(8), "nothing is replaced: {again:?}");
    // Both places give the same text, which has no control character left in it.
    let text = plain_text(ran.out.as_bytes());
    for store in ["s3", "cloudwatch"] {
        let read = lab.run(&words(&node, &["sessions", "log", &id, "--store", store]));
        assert_eq!((read.code, read.out.trim_end()), (Some(0), text.trim_end()), "{store}: {read:?}");
    }
    let read = lab.run(&words(&node, &["sessions", "log", &id, "--store", "cloudwatch", "--json"]));
    let read: Value = serde_json::from_str(&read.out).unwrap();
    assert_eq!(
        (&read["store"], &read["place"]),
        (&json!("cloudwatch"), &json!(format!("/corp/sessions · {id}")))
    );
    assert!(read["pieces"][0]["at"].as_str().unwrap().ends_with('Z'), "{read}");

    // Where a terminal gets nothing that streaming leaves out, the streamed log is the same to the byte.
    let commands = "stty -onlcr; printf 'one\\ntwo é\\n\\nfour\\n'";
    put(
        &lab,
        &node,
        "Corp-Lines",
        &json!({
            "schemaVersion": "1.0", "sessionType": "InteractiveCommands", "inputs": inputs,
            "properties": { "linux": { "commands": commands } },
        }),
    );
    let ran = lab.run_fed(&words(&node, &["shell", "-q", &node.id, "--document", "Corp-Lines"]), b"");
    assert_eq!(ran.out, "one\ntwo é\n\nfour\n", "{ran:?}");
    let id = latest(&lab);
    lab.nothing_left().await;
    let file = lab.directory.path().join("lines.log");
    let path = file.display().to_string();
    let saved = lab.run(&words(&node, &["sessions", "log", &id, "--store", "cloudwatch", "--out", &path]));
    assert_eq!(saved.code, Some(0), "{saved:?}");
    assert_eq!(std::fs::read(&file).unwrap(), ran.out.as_bytes());
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_is_no_log_the_cause_is_named_and_a_refusal_comes_with_the_policy_that_lifts_it() {
    let lab =
        Lab::new(SimulatorConfig { demo_denials: false, past_sessions: 2_000, ..SimulatorConfig::default() })
            .await;
    let place = ["--source", "payments-prod", "--region", "eu-central-1"];
    let listed = lab.run(&[&["sessions", "list", "--since", "30d", "--json"][..], &place].concat());
    let listed: Vec<Value> = serde_json::from_str(&listed.out).unwrap();
    let of = |document: &str, log: bool| {
        let fits = |row: &&Value| {
            row["document"] == document && row["s3Url"].as_str().is_some_and(|url| !url.is_empty()) == log
        };
        let found = listed.iter().find(fits).unwrap_or_else(|| panic!("{document}: {}", listed[0]));
        found["sessionId"].as_str().unwrap().to_owned()
    };
    let log = |id: &str, more: &[&str]| lab.run(&[&["sessions", "log", id][..], &place, more].concat());

    let ssh = of("AWS-StartSSHSession", false);
    let said = log(&ssh, &[]);
    assert!(said.code == Some(2) && said.err.contains("never logs"), "{said:?}");
    let said: Value = serde_json::from_str(&log(&ssh, &["--json"]).out).unwrap();
    assert_eq!(said["state"], "never_logged");
    // This document names neither a bucket nor a log group.
    let said = log(&of("Corp-PlantDiag", false), &[]);
    assert!(said.code == Some(2) && said.err.contains("Corp-PlantDiag names neither"), "{said:?}");
    // Nobody saved preferences in this account and Region.
    let said = log(&of("SSM-SessionManagerRunShell", false), &[]);
    assert!(said.code == Some(2) && said.err.contains("was never saved"), "{said:?}");
    log("nobody-0123", &[]).refused(2);

    let logged = of("SSM-SessionManagerRunShell", true);
    let read = log(&logged, &[]);
    assert!(read.code == Some(0) && read.out.ends_with("exit\n"), "{read:?}");
    lab.simulator.control().deny(DenyRule {
        action: "s3:GetObject".into(),
        resource: "arn:aws:s3:::payments-prod-session-logs/*".into(),
        reason: DenyReason::NoIdentityPolicy,
    });
    let denied = log(&logged, &["--store", "s3"]);
    assert_eq!((denied.code, denied.out.as_str()), (Some(3), ""), "{denied:?}");
    let first = denied.err.lines().next().unwrap();
    assert!(
        first.contains("may not call s3:GetObject on") && first.contains("no identity policy allows it"),
        "{first}"
    );
    let policy: String =
        denied.err.lines().skip_while(|line| !line.trim().starts_with('{')).collect::<Vec<_>>().join("\n");
    let policy: Value = serde_json::from_str(&policy).unwrap();
    let resource = format!("arn:aws:s3:::payments-prod-session-logs/{logged}.log");
    assert_eq!(
        (&policy["Statement"][0]["Action"], &policy["Statement"][0]["Resource"]),
        (&json!("s3:GetObject"), &json!(resource))
    );
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_of_a_session_are_listed_with_who_made_them() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let ran = lab.run_fed(&words(&node, &["shell", "-q", &node.id]), b"exit\n");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let id = latest(&lab);
    let other = lab.run_fed(&words(&node, &["shell", "-q", &node.id]), b"exit\n");
    assert_eq!(other.code, Some(0), "{other:?}");
    lab.nothing_left().await;
    let listed = lab.run(&words(&node, &["sessions", "events", &id, "--json"]));
    let records: Vec<Value> = serde_json::from_str(&listed.out).unwrap_or_else(|e| panic!("{e}: {listed:?}"));
    assert_eq!(records[0]["eventName"], "StartSession", "{listed:?}");
    assert_eq!(records.iter().filter(|record| record["eventName"] == "StartSession").count(), 1);
    assert_eq!(records[0]["responseElements"]["sessionId"], json!(id));
    let table = lab.run(&words(&node, &["sessions", "events", &id]));
    assert!(
        table.out.contains("StartSession") && table.out.contains("/FleetOperator/mika.sato"),
        "{table:?}"
    );
    lab.simulator.control().deny(DenyRule {
        action: "cloudtrail:LookupEvents".into(),
        resource: "*".into(),
        reason: DenyReason::ServiceControlPolicy,
    });
    lab.run(&words(&node, &["sessions", "events", &id])).refused(3);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_judges_a_place_by_its_documents_and_trails_and_says_what_it_was_read_from() {
    let lab = Lab::open().await;
    let node = lab.node(|node| node.account == "payments-prod" && node.region == "eu-central-1");
    let audit = || {
        let ran = lab.run(&words(&node, &["audit", "--json"]));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let places: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((places.len(), &places[0]["region"]), (1, &json!("eu-central-1")));
        places[0]["findings"].clone()
    };
    let of = |findings: &Value, topic: &str| {
        findings.as_array().unwrap().iter().find(|finding| finding["topic"] == topic).unwrap().clone()
    };
    let bare = audit();
    assert_eq!(of(&bare, "s3-log")["verdict"], "gap");
    assert!(of(&bare, "s3-log")["evidence"].as_str().unwrap().contains("nobody saved session preferences"));
    let other = of(&bare, "other-documents");
    assert!(other["fact"].as_str().unwrap().contains("Corp-LedgerConsole"), "{other}");
    assert!(of(&bare, "sharing")["fact"].as_str().unwrap().contains("Org-BreakGlass"));
    assert_eq!(
        (&of(&bare, "cloudtrail")["verdict"], &of(&bare, "permissions")["verdict"]),
        (&json!("good"), &json!("unknown"))
    );

    let inputs = json!({
        "s3BucketName": "corp-logs", "s3EncryptionEnabled": true, "kmsKeyId": KEY, "runAsEnabled": true,
        "runAsDefaultUser": "ops", "idleSessionTimeout": "10", "maxSessionDuration": "60",
    });
    let document = json!({ "schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs });
    put(&lab, &node, "SSM-SessionManagerRunShell", &document);
    let kept = audit();
    for topic in ["s3-log", "cloudwatch-log", "sealing", "run-as", "idle-limit", "longest-limit"] {
        assert_eq!(of(&kept, topic)["verdict"], "good", "{topic}: {kept}");
    }
    assert_eq!(of(&kept, "sealing")["evidence"], "SSM-SessionManagerRunShell v1, inputs.kmsKeyId");
    assert_eq!(of(&kept, "sealing")["setting"]["path"], "inputs.kmsKeyId");

    let control = lab.simulator.control();
    control.set_trail("payments-prod", fleetline_simulator::TrailState::Stopped).unwrap();
    assert_eq!(of(&audit(), "cloudtrail")["verdict"], "gap");
    for action in ["cloudtrail:DescribeTrails", "ssm:GetDocument"] {
        control.deny(DenyRule {
            action: action.into(),
            resource: "*".into(),
            reason: DenyReason::NoIdentityPolicy,
        });
    }
    let denied = audit();
    for topic in ["s3-log", "other-documents", "cloudtrail"] {
        let finding = of(&denied, topic);
        assert_eq!(finding["verdict"], "unknown", "{finding}");
        assert!(finding["evidence"].as_str().unwrap().contains("may not call"), "{finding}");
    }
    let text = lab.run(&words(&node, &["audit", "--gaps"]));
    assert!(
        text.out.starts_with("payments-prod · eu-central-1\n") && !text.out.contains("\n  good"),
        "{text:?}"
    );
    lab.end().await;
}
