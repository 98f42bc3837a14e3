//! Sessions by documents of the account, with parameters from the command line.

use fleetline_simulator::NodeView;
use serde_json::{Value, json};

use super::terminal::Terminal;
use super::{Lab, Ran, at};

fn put(lab: &Lab, node: &NodeView, name: &str, document: &Value) {
    lab.simulator.control().put_document(&node.account, &node.region, name, &document.to_string()).unwrap();
}

fn shell(lab: &Lab, node: &NodeView, rest: &[&str]) -> Ran {
    let mut args = vec!["shell", "-q"];
    args.extend(at(node));
    args.push(&node.id);
    args.extend(rest);
    lab.run(&args)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_runs_with_the_parameters_of_the_command_line_and_its_own_defaults() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let greet = json!({
        "schemaVersion": "1.0", "sessionType": "InteractiveCommands",
        "parameters": {
            "who": { "type": "String", "allowedPattern": "^[a-z =]+$" },
            "word": { "type": "String", "default": "hello", "allowedValues": ["hello", "goodbye"] },
        },
        "properties": { "linux": { "commands": "echo \"<{{ word }}, {{ who }}>\"; tty" } },
    });
    put(&lab, &node, "Corp-Greet", &greet);
    let greet = |rest: &[&str]| {
        let mut args = vec!["--document", "Corp-Greet"];
        args.extend(rest);
        shell(&lab, &node, &args)
    };
    let ran = greet(&["--param", "who=a = b"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("<hello, a = b>\r\n/dev/"), "on a terminal: {ran:?}");
    let ran = greet(&["--param", "who=world", "--param", "word=goodbye"]);
    assert!(ran.out.contains("<goodbye, world>"), "{ran:?}");

    for (rest, named) in [
        (&["--param", "who=a;b"][..], "“a;b” does not match the pattern of who"),
        (&["--param", "who=x", "--param", "word=hi"], "“hi” is not allowed for word"),
        (&["--param", "who=x", "--param", "whom=y"], "no parameter whom"),
        (&[], "who"),
    ] {
        let ran = greet(rest);
        ran.refused(2);
        assert!(ran.err.contains(named), "{ran:?}");
    }
    let ran = shell(&lab, &node, &["--document", "Corp-Nothing"]);
    ran.refused(2);
    assert!(ran.err.contains("Corp-Nothing"), "{ran:?}");
    assert_eq!(lab.simulator.control().sessions().len(), 2, "those that ran");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_that_is_given_twice_is_a_list() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let lines = json!({
        "schemaVersion": "1.0", "sessionType": "InteractiveCommands",
        "parameters": { "lines": { "type": "StringList" } },
        "properties": { "linux": { "commands": "{{ lines }}" } },
    });
    put(&lab, &node, "Corp-Lines", &lines);
    let ran = shell(
        &lab,
        &node,
        &["--document", "Corp-Lines", "--param", "lines=echo one", "--param", "lines=echo two"],
    );
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "one\r\ntwo\r\n"), "{ran:?}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_with_a_key_seals_its_own_sessions_and_no_others() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let control = lab.simulator.control();
    let made = || control.calls().get("GenerateDataKey").copied().unwrap_or_default();
    let document = |kind: &str, key: &str| {
        json!({
            "schemaVersion": "1.0", "sessionType": kind, "inputs": { "kmsKeyId": key },
            "parameters": {
                "command": { "type": "String" },
                "separateOutputStream": { "type": "String", "default": "false" },
            },
            "properties": { "linux": {
                "commands": "{{ command }}", "separateOutputStream": "{{ separateOutputStream }}",
            } },
        })
    };
    put(&lab, &node, "Corp-Run", &document("NonInteractiveCommands", "alias/fleet-sessions"));
    let exec = |rest: &[&str]| {
        let mut args = vec!["exec"];
        args.extend(at(&node));
        args.push(&node.id);
        args.extend(rest);
        lab.run(&args)
    };
    let ran = exec(&["--document", "Corp-Run", "--", "sh", "-c", "echo out; echo err >&2; exit 3"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(3), "out\n", "err\n"));
    assert_eq!(made(), 1);
    assert_eq!(exec(&["--", "true"]).code, Some(0));
    assert_eq!(made(), 1, "the managed document names no key");

    put(&lab, &node, "Corp-Broken", &document("NonInteractiveCommands", "alias/nothing"));
    let ran = exec(&["--document", "Corp-Broken", "--", "true"]);
    ran.refused(2);
    assert!(ran.err.contains("alias/nothing"), "{ran:?}");
    assert_eq!(made(), 2, "the one that was refused");

    // The preferences of the account are a document like any other.
    let preferences = json!({
        "schemaVersion": "1.0", "sessionType": "Standard_Stream",
        "inputs": { "kmsKeyId": "alias/fleet-sessions", "shellProfile": { "linux": "echo pro''file" } },
    });
    put(&lab, &node, "SSM-SessionManagerRunShell", &preferences);
    let mut args = vec!["shell", "-q"];
    args.extend(at(&node));
    args.push(&node.id);
    let ran = lab.run_fed(&args, b"exit\n");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("profile\r\n"), "{ran:?}");
    assert_eq!(made(), 3);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_for_ports_is_no_shell() {
    let lab = Lab::open().await;
    let node = lab.linux();
    for document in ["AWS-StartPortForwardingSession", "AWS-StartSSHSession"] {
        let ran = shell(&lab, &node, &["--document", document]);
        ran.refused(2);
        assert!(ran.err.contains("are of type Port"), "{ran:?}");
    }
    lab.end().await;
}

/// It really takes the minute it is about.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_with_a_profile_a_user_and_a_minute_of_idleness_does_all_of_it() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let document = |user: &str| {
        json!({
            "schemaVersion": "1.0", "sessionType": "Standard_Stream",
            "parameters": { "ticket": { "type": "String", "allowedPattern": "^CHG-[0-9]+$" } },
            "inputs": {
                "runAsEnabled": true, "runAsDefaultUser": user, "idleSessionTimeout": "1",
                "shellProfile": { "linux": "echo pro''file" },
            },
        })
    };
    put(&lab, &node, "Corp-Minute", &document("nobody-here"));
    let ran = shell(&lab, &node, &["--document", "Corp-Minute", "--param", "ticket=CHG-1"]);
    assert_ne!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("nobody-here"), "{ran:?}");
    shell(&lab, &node, &["--document", "Corp-Minute", "--param", "ticket=1"]).refused(2);

    put(&lab, &node, "Corp-Timed", &document("ssm-user"));
    let mut args = vec!["shell", node.id.as_str(), "--document", "Corp-Timed", "--param", "ticket=CHG-1"];
    args.extend(at(&node));
    let mut terminal = Terminal::start(&lab, &args, &[]);
    terminal.expect("profile\r\n");
    let control = lab.simulator.control();
    let is_timed = |sessions: &[fleetline_simulator::SessionView]| {
        sessions.iter().any(|one| one.document == "Corp-Timed" && one.status.is_over())
    };
    let sessions = control.wait_for(is_timed).await.unwrap();
    let session = sessions.iter().find(|one| one.document == "Corp-Timed").unwrap();
    let lasted = session.end_ms.unwrap() - session.start_ms;
    assert!((60_000..90_000).contains(&lasted), "{lasted} ms");
    terminal.expect("timed out due to inactivity");
    assert!(!terminal.wait().success());
    lab.end().await;
}
