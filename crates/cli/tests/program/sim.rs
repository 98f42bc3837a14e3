use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;

use crate::Lab;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sim_serves_the_program_itself_and_cleans_up_when_ended() {
    let lab = Lab::open().await;
    let mut child = lab.command(&["sim", "--nodes", "60", "--json"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let started: serde_json::Value = serde_json::from_str(&line).unwrap();
    let environment: Vec<(&str, &str)> = started["environment"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let config = started["configFile"].as_str().unwrap();
    assert!(Path::new(config).exists());

    let by_keys = lab.run_with(&["nodes", "--json"], &environment);
    assert_eq!(by_keys.code, Some(0), "{by_keys:?}");
    let credentials = started["credentialsFile"].as_str().unwrap();
    let files = [("AWS_CONFIG_FILE", config), ("AWS_SHARED_CREDENTIALS_FILE", credentials)];
    let by_profile = lab.run_with(&["nodes", "--json", "--region", "eu-central-1"], &files);
    assert_eq!(by_profile.code, Some(0), "{by_profile:?}");
    let nodes: Vec<serde_json::Value> = serde_json::from_str(&by_profile.out).unwrap();
    assert!(!nodes.is_empty() && nodes.len() < 60);

    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!Path::new(config).exists());
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sim_prints_lines_a_shell_can_evaluate() {
    let lab = Lab::open().await;
    let mut child = lab.command(&["sim", "--nodes", "5"]).spawn().unwrap();
    let lines: Vec<String> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .take_while(|line| !line.contains("AWS_SHARED_CREDENTIALS_FILE"))
        .collect();
    let exported = |name: &str| lines.iter().any(|line| line.starts_with(&format!("export {name}=")));
    for name in ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        assert!(exported(name), "{name} in {lines:?}");
    }
    assert!(lines.iter().all(|line| line.starts_with("export ") || line.starts_with('#')), "{lines:?}");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sim_serves_tls_that_its_environment_makes_trusted() {
    let lab = Lab::open().await;
    let mut child =
        lab.command(&["sim", "--nodes", "60", "--tls", "--latency", "1ms", "--json"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let started: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(started["endpoint"].as_str().unwrap().starts_with("https://127.0.0.1:"), "{line}");
    let environment: Vec<(&str, &str)> = started["environment"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let nodes = lab.run_with(&["nodes", "--json"], &environment);
    assert_eq!(nodes.code, Some(0), "{nodes:?}");
    let untrusting: Vec<(&str, &str)> =
        environment.iter().copied().filter(|(name, _)| *name != "AWS_CA_BUNDLE").collect();
    assert_eq!(untrusting.len() + 1, environment.len(), "the bundle is named");
    let refused = lab.run_with(&["nodes", "--json"], &untrusting);
    assert_eq!(refused.code, Some(6), "{refused:?}");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sim_lets_a_scenario_happen_and_names_the_line_of_its_mistakes() {
    let lab = Lab::open().await;
    let file = lab.directory.path().join("scenario.toml");
    let path = file.to_str().unwrap();
    std::fs::write(
        &file,
        "[[step]]\nat = \"0s\"\nwhat = \"expire_credentials\"\naccount = \"payments-prod\"\n",
    )
    .unwrap();
    let mut child = lab.command(&["sim", "--nodes", "60", "--json", "--scenario", path]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let started: serde_json::Value = serde_json::from_str(&line).unwrap();
    let config = started["configFile"].as_str().unwrap();
    let credentials = started["credentialsFile"].as_str().unwrap();
    let files = [("AWS_CONFIG_FILE", config), ("AWS_SHARED_CREDENTIALS_FILE", credentials)];
    let expired = lab.run_with(&["nodes", "--source", "payments-prod", "--region", "eu-central-1"], &files);
    assert!(expired.code != Some(0) && expired.err.contains("expired"), "{expired:?}");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));

    for (text, line) in [
        ("[[step]]\nat = \"0s\"\nwhat = \"explode\"\n", "line 3: unknown variant `explode`"),
        ("\n[[step]]\nat = \"0s\"\nwhat = \"stop\"\nnode = \"nowhere\"\n", "line 2: no node nowhere"),
    ] {
        std::fs::write(&file, text).unwrap();
        let ran = lab.run(&["sim", "--scenario", path]);
        ran.refused(2);
        assert!(ran.err.contains(line), "{ran:?}");
    }
    std::fs::remove_file(&file).unwrap();
    lab.run(&["sim", "--scenario", path]).refused(2);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sim_refuses_what_it_cannot_do_as_wrong_usage() {
    let lab = Lab::open().await;
    lab.run(&["sim", "--listen", "192.0.2.1:0"]).refused(2);
    for arguments in [["--latency", "soon"], ["--nodes", "0"], ["--listen", "here"]] {
        let ran = lab.run(&[&["sim"], arguments.as_slice()].concat());
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    }
    lab.end().await;
}
