use serde_json::{Value, json};

use crate::{Lab, Ran};

const AT: [&str; 4] = ["--source", "payments-prod", "--region", "eu-central-1"];

fn with<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &AT].concat()
}

#[track_caller]
fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

fn document(idle: &str) -> String {
    json!({
        "schemaVersion": "1.0", "sessionType": "InteractiveCommands",
        "inputs": { "idleSessionTimeout": idle },
        "parameters": { "who": { "type": "String", "allowedPattern": "^[a-z]+$" } },
        "properties": { "linux": { "commands": "echo {{ who }}" } },
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_made_changed_compared_and_deleted_from_the_command_line() {
    let lab = Lab::open().await;
    let made =
        lab.run_fed(&with(&["documents", "create", "Corp-Cli", "-", "--json"]), document("5").as_bytes());
    assert_eq!(made.code, Some(0), "{made:?}");
    let made = json_of(&made);
    assert_eq!((&made["version"], &made["isNew"]), (&json!("1"), &json!(true)));
    let hash = made["hash"].as_str().unwrap().to_owned();

    let update = ["documents", "update", "Corp-Cli", "-", "--if-hash", &hash];
    let second = lab.run_fed(&with(&update), document("6").as_bytes());
    assert_eq!(second.out, "Corp-Cli version 2, default 1\n", "{second:?}");
    // The hash is that of version 1 now.
    let conflict = lab.run_fed(&with(&update), document("7").as_bytes());
    assert_eq!(conflict.code, Some(1), "{conflict:?}");
    assert!(conflict.err.contains("Somebody saved version 2 of Corp-Cli"), "{}", conflict.err);
    let same =
        lab.run_fed(&with(&["documents", "update", "Corp-Cli", "-", "--default"]), document("6").as_bytes());
    assert_eq!((same.code, same.out.as_str()), (Some(0), "Corp-Cli version 2, default 2\n"), "{same:?}");
    assert!(same.err.contains("has this content already"), "{}", same.err);

    let differ = lab.run(&with(&["documents", "diff", "Corp-Cli", "--from", "1", "--to", "2"]));
    assert_eq!(differ.code, Some(1), "{differ:?}");
    assert!(
        differ.out.contains("-    \"idleSessionTimeout\": \"5\"\n+    \"idleSessionTimeout\": \"6\"\n"),
        "{}",
        differ.out
    );
    assert_eq!(lab.run(&with(&["documents", "diff", "Corp-Cli"])).code, Some(0));

    let back = lab.run(&with(&["documents", "default", "Corp-Cli", "1"]));
    assert_eq!(back.code, Some(0), "{back:?}");
    let shown = json_of(&lab.run(&with(&["documents", "show", "Corp-Cli", "--json"])));
    assert_eq!(shown["versions"].as_array().unwrap().len(), 2);
    assert_eq!(shown["content"]["inputs"]["idleSessionTimeout"], "5");
    let shown = lab.run(&with(&["documents", "show", "Corp-Cli"]));
    assert!(shown.out.contains("Ends      after 5 min without activity\n"), "{}", shown.out);

    let asked = lab.run(&with(&["documents", "delete", "Corp-Cli"]));
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert_eq!(lab.run(&with(&["documents", "delete", "Corp-Cli", "--yes"])).code, Some(0));
    let gone = lab.run(&with(&["documents", "show", "Corp-Cli"]));
    assert_eq!(gone.code, Some(2), "{gone:?}");
    assert!(gone.err.contains("There is no document Corp-Cli in eu-central-1"), "{}", gone.err);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_aws_would_refuse_is_said_with_its_place_before_any_call() {
    let lab = Lab::open().await;
    let bad = document("61").replace("echo {{ who }}", "echo {{ whoo }}");
    let made = lab.run_fed(&with(&["documents", "create", "Corp-Bad", "-"]), bad.as_bytes());
    assert_eq!(made.code, Some(2), "{made:?}");
    assert!(made.err.contains("error: inputs.idleSessionTimeout: "), "{}", made.err);
    assert!(made.err.contains("No parameter is called whoo. Did you mean who?"), "{}", made.err);
    assert!(!lab.simulator.control().calls().contains_key("CreateDocument"));
    let checked = lab.run_fed(&["documents", "check", "-", "--json"], bad.as_bytes());
    assert_eq!(checked.code, Some(2), "{checked:?}");
    let problems = json_of(&checked);
    assert!(
        problems.as_array().unwrap().iter().any(|p| p["field"] == "properties.linux.commands"),
        "{problems}"
    );
    let syntax = lab.run_fed(&["documents", "check", "-"], b"{\"a\": }");
    assert_eq!(syntax.code, Some(2), "{syntax:?}");
    assert!(syntax.out.starts_with("-:1:7: error: "), "{}", syntax.out);
    let unchecked =
        lab.run_fed(&with(&["documents", "create", "Corp-Bad", "-", "--unchecked"]), bad.as_bytes());
    assert!(unchecked.err.contains("AWS does not accept the content"), "{}", unchecked.err);
    let reserved = lab.run_fed(&with(&["documents", "create", "aws-x", "-"]), document("5").as_bytes());
    assert!(reserved.err.contains("reserved for AWS"), "{}", reserved.err);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_name_every_owner_and_files_go_out_and_come_back() {
    let lab = Lab::open().await;
    let listed = json_of(&lab.run(&with(&["documents", "list", "--json"])));
    let of = |owner: &str| listed.as_array().unwrap().iter().filter(|row| row["owner"] == owner).count();
    assert_eq!((of("mine"), of("shared"), of("aws")), (3, 2, 7), "{listed}");
    let directory = tempfile::tempdir().unwrap();
    let to = directory.path().display().to_string();
    let names = ["Corp-LogTail", "Corp-PlantDiag"];
    let out = lab.run(&with(&["documents", "export", names[0], names[1], "--format", "yaml", "--to", &to]));
    assert_eq!(out.code, Some(0), "{out:?}");
    let files: Vec<String> = names.iter().map(|name| format!("{to}/{name}.yaml")).collect();
    // Into another Region, where they are new, and again, where they are there.
    let import = [
        "documents",
        "import",
        &files[0],
        &files[1],
        "--json",
        "--source",
        "payments-prod",
        "--region",
        "us-east-1",
    ];
    let outcomes = |ran: &Ran| -> Vec<String> {
        json_of(ran)
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["outcome"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(outcomes(&lab.run(&[&import[..], &["--dry-run"]].concat())), ["created", "created"]);
    assert_eq!(outcomes(&lab.run(&import)), ["created", "created"]);
    assert_eq!(outcomes(&lab.run(&[&import[..], &["--dry-run"]].concat())), ["unchanged", "unchanged"]);
    assert_eq!(outcomes(&lab.run(&import)), ["unchanged", "unchanged"]);
    std::fs::write(&files[0], document("9")).unwrap();
    assert_eq!(outcomes(&lab.run(&import)), ["updated", "unchanged"]);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn preferences_are_compared_then_saved_in_several_regions_with_a_result_for_each() {
    let lab = Lab::open().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("preferences.json");
    let write = |idle: &str| {
        let value = json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {"idleSessionTimeout": idle}});
        std::fs::write(&path, value.to_string()).unwrap();
    };
    write("5");
    let file = path.display().to_string();
    let place = ["--source", "payments-prod", "--region", "eu-west-1", "--region", "us-east-1"];
    let apply = |more: &[&str]| lab.run(&[&["preferences", "apply", &file], more, &place].concat());
    let shown = apply(&[]);
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(shown.out.contains("+    \"idleSessionTimeout\": \"5\"\n"), "{}", shown.out);
    assert!(
        !lab.simulator.control().calls().contains_key("CreateDocument"),
        "nothing is saved without a yes"
    );
    let outcomes = |ran: &Ran| -> Vec<String> {
        json_of(ran)
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["outcome"].as_str().unwrap_or("failed").to_owned())
            .collect()
    };
    assert_eq!(outcomes(&apply(&["--yes", "--json"])), ["created", "created"]);
    assert_eq!(outcomes(&apply(&["--yes", "--json"])), ["unchanged", "unchanged"]);
    write("6");
    assert_eq!(outcomes(&apply(&["--yes", "--json"])), ["updated", "updated"]);
    let now = json_of(&lab.run(&[&["preferences", "show", "--json"][..], &place].concat()));
    assert_eq!(
        now[1]["content"]["inputs"]["idleSessionTimeout"], "6",
        "the new version is the default: {now}"
    );
    lab.end().await;
}
