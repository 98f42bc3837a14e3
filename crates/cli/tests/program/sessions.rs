use fleetline_simulator::SimulatorConfig;
use serde_json::{Value, json};

use crate::{Lab, Ran, at};

#[track_caller]
fn json_of(ran: &Ran) -> Vec<Value> {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

const AT: [&str; 4] = ["--source", "payments-prod", "--region", "eu-central-1"];

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [args, more].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_sessions_are_listed_filtered_and_written_as_tables() {
    let lab =
        Lab::new(SimulatorConfig { demo_denials: false, past_sessions: 4_000, ..SimulatorConfig::default() })
            .await;
    let list = ["sessions", "list", "--since", "30d", "--json"];
    let all = json_of(&lab.run(&with(&list, &AT)));
    assert!(all.len() > 200, "{}", all.len());
    assert!(all.is_sorted_by(|a, b| a["start"].as_str() >= b["start"].as_str()));
    let weber =
        json_of(&lab.run(&with(&["sessions", "list", "owner:j.weber", "--since", "30d", "--json"], &AT)));
    assert!(!weber.is_empty() && weber.len() < all.len());
    assert!(weber.iter().all(|row| row["owner"].as_str().unwrap().ends_with("/j.weber")));
    let table = lab.run(&with(&["sessions", "list", "--since", "30d", "--csv"], &AT));
    assert_eq!(table.out.lines().count(), all.len() + 1, "{}", table.err);
    let few = lab.run(&with(&["sessions", "list", "--since", "30d", "--limit", "3"], &AT));
    assert_eq!(few.out.lines().count(), 4, "{few:?}");
    assert!(few.err.contains(&format!("3 of {} sessions", all.len())), "{}", few.err);
    lab.run(&["sessions", "list", "colour:red"]).refused(2);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_an_owner_end_only_after_they_were_named() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let mut shells = Vec::new();
    for _ in 0..3 {
        let mut command = lab.command(&with(&["shell", "-q", &node.id, "--reason", "INC-7"], &at(&node)));
        shells.push(command.stdin(std::process::Stdio::piped()).spawn().unwrap());
    }
    let control = lab.simulator.control();
    let open = |sessions: &[fleetline_simulator::SessionView]| {
        sessions.len() == 3 && sessions.iter().all(|s| s.client_sockets > 0)
    };
    control.wait_for(open).await.unwrap();
    let active = json_of(&lab.run(&with(&["sessions", "list", "--active", "--json"], &at(&node))));
    assert_eq!(active.len(), 3);
    assert!(active.iter().all(|row| row["reason"] == "INC-7" && row["status"] == "Connected"), "{active:?}");
    let asked = lab.run(&with(&["sessions", "terminate", "--owner", "mika.sato"], &at(&node)));
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert_eq!(asked.err.matches("INC-7").count(), 3, "each is named: {}", asked.err);
    assert!(control.sessions().iter().all(|session| !session.status.is_over()), "nothing ended yet");
    let nobody = lab.run(&with(&["sessions", "terminate", "nobody-0123", "--yes"], &at(&node)));
    nobody.refused(2);
    let ended =
        lab.run(&with(&["sessions", "terminate", "--owner", "mika.sato", "--yes", "--json"], &at(&node)));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(json_of(&ended).iter().all(|row| row["terminated"] == json!(true)));
    for mut shell in shells {
        shell.wait().unwrap();
    }
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_and_its_parameters_are_judged_before_the_session_starts() {
    let lab = Lab::open().await;
    let node = lab.node(|node| {
        node.online
            && !node.hybrid
            && node.platform == "Linux"
            && node.account == "payments-prod"
            && node.region == "eu-central-1"
    });
    let shell = |params: &[&str]| {
        let args = with(&["shell", "-q", &node.id, "--document", "Corp-LedgerConsole"], params);
        lab.run_fed(&with(&args, &at(&node)), b"exit\n")
    };
    for (params, said) in [
        (&[][..], "tenant is required."),
        (&["--param", "tenant=Acme"], "does not match the pattern of tenant"),
        (&["--param", "tenant=acme", "--param", "rows=5000"], "does not match the pattern of rows"),
        (&["--param", "tenant=acme", "--param", "env=qa"], "Use dev, stage, prod."),
        (&["--param", "tenat=acme"], "Did you mean tenant?"),
    ] {
        let refused = shell(params);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains(said), "{}", refused.err);
    }
    assert!(!lab.simulator.control().calls().contains_key("StartSession"), "AWS was not asked to start any");
    let opened = shell(&["--param", "tenant=acme-eu", "--param", "env=prod"]);
    assert!(opened.out.contains("Ledger console of acme-eu in prod, 200 rows a page"), "{opened:?}");
    let wrong = lab.run(&with(&["shell", &node.id, "--document", "Corp-LogTail"], &at(&node)));
    assert!(wrong.err.contains("Use `fleetline exec` with it."), "{}", wrong.err);
    let tail =
        lab.run(&with(&["exec", &node.id, "--document", "Corp-LogTail", "--param", "lines=2"], &at(&node)));
    assert_eq!(tail.out.lines().count(), 2, "{tail:?}");
    let usual = lab.run(&with(
        &["exec", &node.id, "--document", "AWS-StartNonInteractiveCommand"],
        &with(&at(&node), &["--", "echo", "hi"]),
    ));
    assert_eq!((usual.code, usual.out.as_str()), (Some(0), "hi\n"), "{usual:?}");
    lab.end().await;
}
