//! Documents survive the way through the form.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use fleetline_documents::{
    Command, DocumentText, Inputs, Parameter, ParameterKind, PortProperties, Properties, SessionDocument,
    SessionType, Severity, check,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn words() -> impl Strategy<Value = String> + Clone {
    "[a-zA-Z0-9 äöü/\"\\\\:_-]{1,20}"
}

fn parameter() -> impl Strategy<Value = Parameter> {
    let kind = prop_oneof![Just(ParameterKind::Text), Just(ParameterKind::TextList)];
    ("[a-z][a-zA-Z0-9]{0,8}", kind, of(words()), of(vec(words(), 2..4)), any::<bool>(), of(0..=1_u64))
        .prop_map(|(name, kind, description, allowed, has_default, min_chars)| {
            let allowed_values = allowed.unwrap_or_default();
            let default =
                has_default.then(|| vec![allowed_values.first().cloned().unwrap_or("value".into())]);
            Parameter { name, kind, description, default, allowed_values, min_chars, ..Parameter::default() }
        })
}

fn inputs() -> impl Strategy<Value = Inputs> {
    let logs = (of(words()), of(words()), any::<bool>(), of(words()), any::<bool>(), any::<bool>());
    let rest =
        (of(words()), any::<bool>(), of(words()), of(1..=60_u32), of(1..=1440_u32), of(words()), of(words()));
    (logs, rest).prop_map(|(logs, rest)| Inputs {
        s3_bucket: logs.0,
        s3_prefix: logs.1,
        s3_encryption: logs.2,
        cloudwatch_group: logs.3,
        cloudwatch_encryption: logs.4,
        cloudwatch_streaming: logs.5,
        kms_key: rest.0,
        run_as: rest.1,
        run_as_user: rest.2,
        idle_minutes: rest.3,
        max_minutes: rest.4,
        linux_profile: rest.5,
        windows_profile: rest.6,
    })
}

fn properties(kind: SessionType) -> BoxedStrategy<Properties> {
    let command = (words(), any::<bool>())
        .prop_map(|(rest, elevated)| Command { commands: format!("run {rest}"), elevated });
    match kind {
        SessionType::StandardStream => Just(Properties::default()).boxed(),
        SessionType::Port => (1..=u16::MAX, of(0..=u16::MAX), of("[a-z]{3,10}\\.internal"))
            .prop_map(|(port, local, host)| Properties {
                port: PortProperties {
                    port: Some(port.to_string()),
                    local_port: local.map(|port| port.to_string()),
                    host,
                    kind: Some("LocalPortForwarding".to_owned()),
                },
                ..Properties::default()
            })
            .boxed(),
        _ => (command.clone(), of(command.clone()), of(command))
            .prop_map(|(linux, macos, windows)| Properties {
                linux: Some(linux),
                macos,
                windows,
                ..Properties::default()
            })
            .boxed(),
    }
}

fn form() -> impl Strategy<Value = SessionDocument> {
    prop::sample::select(SessionType::ALL.to_vec()).prop_flat_map(|kind| {
        (of(words()), inputs(), vec(parameter(), 0..4), properties(kind)).prop_map(
            move |(description, inputs, mut parameters, properties)| {
                let mut names = std::collections::HashSet::new();
                parameters.retain(|p| names.insert(p.name.clone()));
                SessionDocument { description, session_type: Some(kind), inputs, parameters, properties }
            },
        )
    })
}

/// Puts members no form knows into every object.
fn salted(value: &Value, salt: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut salted_members: Map<String, Value> =
                members.iter().map(|(name, value)| (name.clone(), salted(value, salt))).collect();
            salted_members.insert("xFuture".to_owned(), salt.clone());
            Value::Object(salted_members)
        }
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn a_form_written_into_an_empty_document_is_read_back_and_passes(form in form()) {
        let mut text = DocumentText::parse("{}").unwrap();
        text.apply(&form).unwrap();
        prop_assert_eq!(SessionDocument::read(&text), form);
        let errors: Vec<String> = check(&text)
            .iter()
            .filter(|p| p.severity() == Severity::Error)
            .map(|p| format!("{}: {p}", p.path))
            .collect();
        prop_assert!(errors.is_empty(), "{errors:?}\n{}", text.as_str());
    }

    #[test]
    fn applying_what_a_document_says_leaves_every_byte(form in form(), salt in any::<u32>()) {
        let mut text = DocumentText::parse("{}").unwrap();
        text.apply(&form).unwrap();
        let with_unknown = salted(&text.value(), &json!({"n": salt}));
        // Members of a parameter called like the salt would be a parameter.
        let mut text = DocumentText::of(&with_unknown).unwrap();
        let before = text.clone();
        let read = SessionDocument::read(&text);
        text.apply(&read).unwrap();
        prop_assert_eq!(text, before);
    }

    #[test]
    fn an_edit_in_the_form_keeps_members_no_form_knows(before in form(), after in form(), salt in any::<u32>()) {
        let mut text = DocumentText::parse("{}").unwrap();
        text.apply(&before).unwrap();
        let salt = json!([salt, {"deep": null}]);
        text.set(&["xTop"].into(), &salt).unwrap();
        text.set(&["inputs", "xInput"].into(), &salt).unwrap();
        text.apply(&after).unwrap();
        prop_assert_eq!(&text.value()["xTop"], &salt);
        prop_assert_eq!(&text.value()["inputs"]["xInput"], &salt);
        let mut read = SessionDocument::read(&text);
        let by_name = |p: &Parameter| p.name.clone();
        read.parameters.sort_by_key(by_name);
        let mut wanted = after;
        wanted.parameters.sort_by_key(by_name);
        prop_assert_eq!(read, wanted);
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,200}") {
        if let Ok(text) = DocumentText::parse(text) {
            check(&text);
            SessionDocument::read(&text);
            prop_assert_eq!(text.formatted().value(), text.value());
        }
    }
}

#[test]
fn switches_and_times_written_otherwise_are_left_as_they_are() {
    let source = "{\"schemaVersion\": \"1.0\", \"inputs\": {\"runAsEnabled\": \"true\", \"idleSessionTimeout\": 15, \"kmsKeyId\": \"\"}}";
    let mut text = DocumentText::parse(source).unwrap();
    let form = SessionDocument::read(&text);
    assert!(form.inputs.run_as);
    assert_eq!((form.inputs.idle_minutes, &form.inputs.kms_key), (Some(15), &None));
    text.apply(&form).unwrap();
    assert_eq!(text.as_str(), source);
}
