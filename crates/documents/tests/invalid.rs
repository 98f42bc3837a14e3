//! Every invalid field is pointed at by name, in the right place.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use fleetline_documents::{DocumentText, Severity, check};
use serde_json::{Value, json};

fn good() -> Value {
    json!({
        "schemaVersion": "1.0",
        "description": "Ledger console",
        "sessionType": "InteractiveCommands",
        "inputs": {"idleSessionTimeout": "20", "runAsEnabled": true, "runAsDefaultUser": "ops"},
        "parameters": {"tenant": {"type": "String", "allowedPattern": "^[a-z]+$"}},
        "properties": {"linux": {"commands": "ledgerctl {{ tenant }}", "runAsElevated": false}}
    })
}

/// The document with one field changed; `None` takes it away.
fn with(path: &[&str], value: Option<Value>) -> DocumentText {
    let mut text = DocumentText::of(&good()).unwrap();
    let path = path.iter().map(|name| (*name).to_owned()).collect();
    match value {
        Some(value) => text.set(&path, &value).unwrap(),
        None => text.remove(&path).unwrap(),
    }
    text
}

#[test]
fn a_good_document_has_no_problems() {
    assert_eq!(check(&DocumentText::of(&good()).unwrap()), []);
}

#[test]
fn every_invalid_field_is_named_where_it_stands() {
    let long = "x".repeat(513);
    let corpus: &[(&[&str], Option<Value>, &str)] = &[
        (&["schemaVersion"], None, "The schema version is missing."),
        (&["schemaVersion"], Some(json!("2.2")), "schema version \"1.0\""),
        (&["schemaVersion"], Some(json!(1)), "schema version \"1.0\""),
        (&["description"], Some(json!(5)), "must be a text"),
        (&["sessionType"], None, "The session type is missing."),
        (&["sessionType"], Some(json!("StandardStream")), "Did you mean Standard_Stream?"),
        (&["sessionType"], Some(json!(true)), "must be a text"),
        (&["inputs"], Some(json!([])), "must be an object"),
        (&["inputs", "idleSessionTimeout"], Some(json!("0")), "1 to 60 minutes"),
        (&["inputs", "idleSessionTimeout"], Some(json!("61")), "1 to 60 minutes"),
        (&["inputs", "idleSessionTimeout"], Some(json!("+5")), "1 to 60 minutes"),
        (&["inputs", "idleSessionTimeout"], Some(json!("ten")), "1 to 60 minutes"),
        (&["inputs", "idleSessionTimeout"], Some(json!(61)), "1 to 60 minutes"),
        (&["inputs", "maxSessionDuration"], Some(json!("1441")), "1 to 1440 minutes"),
        (&["inputs", "maxSessionDuration"], Some(json!(true)), "number of minutes"),
        (&["inputs", "runAsEnabled"], Some(json!("yes")), "must be true or false"),
        (&["inputs", "cloudWatchStreamingEnabled"], Some(json!("true")), "without quotes"),
        (&["inputs", "s3BucketName"], Some(json!(1)), "must be a text"),
        (&["inputs", "shellProfile"], Some(json!("cd")), "must be an object"),
        (&["inputs", "shellProfile", "linux"], Some(json!(long)), "513 characters; at most 512"),
        (&["parameters"], Some(json!("x")), "must be an object"),
        (&["parameters", "ten-ant"], Some(json!({"type": "String"})), "letters and digits"),
        (&["parameters", "tenant", "type"], None, "The type is missing."),
        (&["parameters", "tenant", "type"], Some(json!("Number")), "no parameter type"),
        (&["parameters", "tenant", "default"], Some(json!("ACME")), "refused by its own parameter"),
        (&["parameters", "tenant", "default"], Some(json!({})), "must be a text or a list"),
        (&["parameters", "tenant", "allowedValues"], Some(json!("a,b")), "must be a list of texts"),
        (&["properties", "linux", "commands"], Some(json!("")), "The command is missing."),
        (&["properties", "linux", "commands"], None, "The command is missing."),
        (&["properties", "linux", "commands"], Some(json!("ctl {{ tenat }}")), "Did you mean tenant?"),
        (&["properties", "linux", "runAsElevated"], Some(json!(1)), "must be true or false"),
        (&["properties", "linux"], Some(json!("ls")), "must be an object"),
        (&["properties"], Some(json!({})), "needs a command for at least one platform"),
        (&["properties"], None, "needs a command for at least one platform"),
    ];
    for (path, value, words) in corpus {
        let text = with(path, value.clone());
        let problems = check(&text);
        let named = problems.iter().find(|p| p.path.names() == *path && p.to_string().contains(words));
        let problem = named.unwrap_or_else(|| panic!("{path:?} {value:?}: {problems:#?}"));
        assert_eq!(problem.severity(), Severity::Error, "{path:?}");
        if value.is_some() {
            let there = text.place_of(&problem.path).unwrap();
            assert_eq!(problem.place, there, "{path:?}");
        }
    }
}

#[test]
fn what_does_nothing_is_a_warning() {
    let corpus: &[(&[&str], Value, &str)] = &[
        (&["inputs", "idleSessionTimeout"], json!(15), "as a text: \"15\""),
        (&["inputs", "s3KeyPrefix"], json!("logs/"), "nothing without a bucket"),
        (&["inputs", "cloudWatchStreamingEnabled"], json!(true), "nothing without a log group"),
        (&["inputs", "runAsEnabled"], json!(false), "nothing without Run As"),
        (&["inputs", "kmsKeyID2"], json!("x"), "Did you mean kmsKeyId?"),
        (&["parameters", "rows"], json!({"type": "String"}), "Nothing uses rows."),
        (&["parameters", "tenant", "allowedPattern"], json!("(["), "cannot read the pattern"),
        (&["properties", "linux", "commands"], json!("a {{ tenant }} {{ a-b }}"), "passed on as it stands"),
    ];
    for (path, value, words) in corpus {
        let problems = check(&with(path, Some(value.clone())));
        let named = problems.iter().find(|p| p.to_string().contains(words));
        let problem = named.unwrap_or_else(|| panic!("{path:?}: {problems:#?}"));
        assert_eq!(problem.severity(), Severity::Warning, "{path:?}");
    }
}

#[test]
fn ports_are_texts_in_range_or_placeholders() {
    let port = |properties: Value| {
        let mut document = good();
        document["sessionType"] = json!("Port");
        document["parameters"] = json!({"port": {"type": "String", "default": "80"}});
        document["properties"] = properties;
        let problems = check(&DocumentText::of(&document).unwrap());
        problems
            .into_iter()
            .filter(|p| p.severity() == Severity::Error)
            .map(|p| p.path.to_string())
            .collect::<Vec<_>>()
    };
    assert!(
        port(json!({"portNumber": "{{ port }}", "localPortNumber": "0", "type": "LocalPortForwarding"}))
            .is_empty()
    );
    assert_eq!(port(json!({})), ["properties.portNumber"]);
    assert_eq!(port(json!({"portNumber": 80})), ["properties.portNumber"]);
    assert_eq!(port(json!({"portNumber": "0"})), ["properties.portNumber"]);
    assert_eq!(port(json!({"portNumber": "22", "localPortNumber": "70000"})), ["properties.localPortNumber"]);
}

#[test]
fn a_document_over_the_limit_is_named() {
    let text = with(&["description"], Some(json!("x".repeat(65 * 1024))));
    assert!(check(&text).iter().any(|p| p.to_string().contains("AWS takes at most 65536")));
}
