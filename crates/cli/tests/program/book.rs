use serde_json::Value;

use crate::Lab;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_view_decides_query_order_and_columns_and_options_win() {
    let lab = Lab::open().await;
    let account = lab.simulator.accounts().remove(0);
    let nodes = |more: &[&str]| {
        let mut args = vec!["nodes", "--source", &account.name];
        args.extend(more);
        lab.run(&args)
    };
    let save =
        ["views", "save", "Windows", "platform:windows", "--sort", "agent", "--columns", "name,agent,tags"];
    assert_eq!(lab.run(&save).code, Some(0));
    let table = nodes(&["--view", "windows"]);
    assert_eq!((table.code, table.err.as_str()), (Some(0), ""), "{table:?}");
    assert!(table.out.starts_with("NAME "), "{}", table.out);
    assert_eq!(
        table.out.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["NAME", "AGENT", "TAGS"]
    );
    assert!(table.out.contains("env="), "tags are asked for where they are shown: {}", table.out);

    let csv = nodes(&[
        "--view",
        "Windows",
        "--csv",
        "--columns",
        "node_id,platform",
        "--sort",
        "node-id",
        "--descending",
    ]);
    let lines: Vec<&str> = csv.out.lines().collect();
    assert_eq!(lines[0], "node_id,platform");
    assert!(lines.len() > 2 && lines[1..].iter().all(|line| line.contains("Windows")), "{lines:?}");
    assert!(lines[1..].is_sorted_by(|a, b| a > b), "{lines:?}");
    let fewer = nodes(&["--view", "Windows", "--csv", "state:ready"]);
    assert!(fewer.out.lines().count() <= lines.len());

    let views = json(&lab.run(&["views", "list", "--json"]).out);
    assert_eq!(
        views,
        serde_json::json!([{
            "name": "Windows", "query": "platform:windows", "sort": "agent_version", "descending": false,
            "columns": ["name", "agent_version", "tags"],
        }])
    );
    assert_eq!(lab.run(&["views", "rename", "windows", "Servers"]).code, Some(0));
    let unknown = nodes(&["--view", "Windows"]);
    unknown.refused(2);
    assert!(unknown.err.contains("Saved views: Servers."), "{unknown:?}");
    lab.run(&["views", "save", "Bad", "plat:x"]).refused(2);
    lab.run(&["views", "save", " x", "web"]).refused(2);
    assert_eq!(lab.run(&["views", "remove", "SERVERS"]).code, Some(0));
    lab.run(&["views", "remove", "Servers"]).refused(2);
    assert_eq!(nodes(&["--sort", "colour"]).code, Some(2));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_and_favourites_are_kept_and_asked_for() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let at = ["--source", &node.account, "--region", &node.region];
    let run = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(at);
        lab.run(&all)
    };
    assert_eq!(run(&["favourites", "add", &node.id]).code, Some(0));
    assert_eq!(run(&["groups", "add", "Core payments", &node.id]).code, Some(0));
    assert_eq!(run(&["groups", "add", "core payments", &node.id]).code, Some(0), "again");
    let ids = |ran: crate::Ran| -> Vec<String> {
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let nodes = json(&ran.out);
        nodes.as_array().unwrap().iter().map(|node| node["nodeId"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(run(&["nodes", "is:favourite", "--json"])), [node.id.as_str()]);
    let found = json(&run(&["nodes", "group:\"core payments\"", "--json"]).out);
    assert_eq!(
        (&found[0]["favourite"], &found[0]["groups"]),
        (&Value::from(true), &serde_json::json!(["Core payments"]))
    );
    let groups = json(&lab.run(&["groups", "list", "--json"]).out);
    let key = groups[0]["nodes"][0].as_str().unwrap().to_owned();
    assert!(key.ends_with(&format!("/{}/{}", node.region, node.id)), "{key}");
    assert_eq!(lab.run(&["favourites", "list"]).out, format!("{key}\n"));
    // A key needs no look-up.
    assert_eq!(lab.run(&["favourites", "remove", &key]).code, Some(0));
    assert_eq!(ids(run(&["nodes", "is:favourite", "--json"])), [""; 0]);
    run(&["groups", "add", "Other", "i-0000000000000000f"]).refused(4);
    lab.run(&["favourites", "add"]).refused(2);
    assert_eq!(lab.run(&["groups", "remove", "core payments"]).code, Some(0));
    assert_eq!(lab.run(&["groups", "list", "--json"]).out, "[]\n");
    lab.end().await;
}
