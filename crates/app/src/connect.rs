//! Connecting with a chosen document: judging what is given, and the same as command lines.

use std::collections::BTreeMap;

use fleetline_documents::{
    DocumentText, SessionDocument, SessionType, Shell, StartCommand, ValueProblem, check_given, quote,
};
use fleetline_ipc::connect::{ConnectCheck, ConnectProblem, ConnectRequest};
use serde::{Deserialize, Serialize};

/// Longest reason AWS takes, in characters (protocol.md 1.2).
const REASON_CHARS: usize = 256;
/// Nodes whose last choice is remembered; the oldest are forgotten.
const REMEMBERED: usize = 500;

/// What was chosen last for each node, by node key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LastChoices {
    /// Counts choices, so that the oldest can be told.
    count: u64,
    nodes: BTreeMap<String, (u64, ConnectRequest)>,
}

impl LastChoices {
    pub(crate) fn of(&self, node_key: &str) -> Option<ConnectRequest> {
        self.nodes.get(node_key).map(|(_, request)| request.clone())
    }

    pub(crate) fn remember(&mut self, request: ConnectRequest) {
        self.count += 1;
        self.nodes.insert(request.node_key.clone(), (self.count, request));
        if self.nodes.len() > REMEMBERED {
            let oldest = self.nodes.iter().min_by_key(|(_, (count, _))| *count).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.nodes.remove(&oldest);
            }
        }
    }
}

/// Where a session goes, for command lines.
pub(crate) struct Target<'a> {
    pub(crate) node_id: &'a str,
    pub(crate) source: &'a str,
    pub(crate) region: &'a str,
}

/// Judges a request by the document's text; without one only what needs none.
pub(crate) fn check(request: &ConnectRequest, text: Option<&str>, target: &Target<'_>) -> ConnectCheck {
    let document =
        text.and_then(|text| DocumentText::parse(text).ok()).map(|text| SessionDocument::read(&text));
    let given: Vec<(String, Vec<String>)> =
        request.parameters.iter().map(|one| (one.name.clone(), one.values.clone())).collect();
    let mut problems: Vec<ConnectProblem> = match &document {
        Some(document) => check_given(&document.parameters, &given).iter().map(problem).collect(),
        None => Vec::new(),
    };
    let reason = request.reason.as_deref().unwrap_or_default();
    if reason.chars().count() > REASON_CHARS || reason.chars().any(char::is_control) {
        let message = format!("A reason has at most {REASON_CHARS} characters in one line.");
        problems.push(ConnectProblem { parameter: String::new(), message });
    }
    let kind = document.and_then(|document| document.session_type);
    ConnectCheck {
        problems,
        aws_command: aws(request, &given, target),
        fleetline_command: own(request, &given, target, kind),
    }
}

fn problem(problem: &ValueProblem) -> ConnectProblem {
    let name = match problem {
        ValueProblem::Unknown { name, .. }
        | ValueProblem::Missing { name }
        | ValueProblem::TooMany { name, .. }
        | ValueProblem::NotListed { name, .. }
        | ValueProblem::Pattern { name, .. }
        | ValueProblem::Length { name, .. } => name.clone(),
    };
    ConnectProblem { parameter: name, message: problem.to_string() }
}

fn shell() -> Shell {
    if cfg!(windows) { Shell::PowerShell } else { Shell::Posix }
}

fn aws(request: &ConnectRequest, given: &[(String, Vec<String>)], target: &Target<'_>) -> String {
    StartCommand {
        target: target.node_id.to_owned(),
        document: request.document.clone(),
        parameters: given.to_vec(),
        reason: request.reason.clone(),
        region: Some(target.region.to_owned()),
        profile: Some(target.source.to_owned()),
    }
    .line(shell())
}

fn own(
    request: &ConnectRequest,
    given: &[(String, Vec<String>)],
    target: &Target<'_>,
    kind: Option<SessionType>,
) -> String {
    let command = if kind == Some(SessionType::NonInteractiveCommands) { "exec" } else { "shell" };
    let mut words = vec!["fleetline".to_owned(), command.to_owned(), target.node_id.to_owned()];
    let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
    if let Some(document) = &request.document {
        option("--document", document);
    }
    for (name, values) in given {
        for value in values {
            option("--param", &format!("{name}={value}"));
        }
    }
    if let Some(reason) = &request.reason {
        option("--reason", reason);
    }
    option("--source", target.source);
    option("--region", target.region);
    words.iter().map(|word| quote(word, shell())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use fleetline_ipc::connect::ConnectParameter;

    use super::*;

    fn request(rows: &str) -> ConnectRequest {
        let one =
            |name: &str, value: &str| ConnectParameter { name: name.into(), values: vec![value.into()] };
        ConnectRequest {
            node_key: "1/eu-central-1/i-1".into(),
            document: Some("Corp-LedgerConsole".into()),
            parameters: vec![one("tenant", "acme eu"), one("rows", rows)],
            reason: Some("CHG-1".into()),
        }
    }

    #[test]
    fn each_wrong_value_is_named_and_the_lines_are_those_of_the_form() {
        let text = r#"{"schemaVersion": "1.0", "sessionType": "InteractiveCommands", "parameters": {
            "tenant": {"type": "String"}, "rows": {"type": "String", "allowedPattern": "^[0-9]{1,3}$"}}}"#;
        let target = Target { node_id: "i-1", source: "prod", region: "eu-central-1" };
        let checked = check(&request("5000"), Some(text), &target);
        assert_eq!(checked.problems.iter().map(|p| p.parameter.as_str()).collect::<Vec<_>>(), ["rows"]);
        assert!(checked.aws_command.contains("rows"), "invalid parts are in the line too");
        let good = check(&request("200"), Some(text), &target);
        assert!(good.problems.is_empty());
        #[cfg(unix)]
        assert_eq!(
            good.fleetline_command,
            "fleetline shell i-1 --document Corp-LedgerConsole --param 'tenant=acme eu' --param rows=200 --reason CHG-1 \
             --source prod --region eu-central-1"
        );
        let long = ConnectRequest { reason: Some("x".repeat(257)), ..request("1") };
        assert_eq!(check(&long, None, &target).problems[0].parameter, "");
    }

    #[test]
    fn the_oldest_choices_are_forgotten() {
        let mut last = LastChoices::default();
        for number in 0..=REMEMBERED {
            last.remember(ConnectRequest { node_key: format!("n{number}"), ..request("1") });
        }
        assert!(last.of("n0").is_none() && last.of("n1").is_some());
        last.remember(ConnectRequest { reason: None, ..request("2") });
        assert_eq!(last.of("1/eu-central-1/i-1").and_then(|request| request.reason), None);
    }
}
