//! The session documents the simulator knows (protocol.md 1.8 and 7.7), and those that are put into its accounts.

mod document;
pub(crate) mod lookup;
pub(crate) mod managed;
pub(crate) mod store;
mod substitution;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::http::failure::ApiFailure;
use crate::world::catalogue::PlatformType;

use substitution::Values;

pub(crate) use document::{DocumentProblem, Inputs, LogGroupTarget, S3Target, SessionDocument};
pub(crate) use lookup::{Seen, default_of};
pub(crate) use store::{DocumentFormat, DocumentStore, NewContent, StoreRefusal, Stored, Version};

/// The account's preferences: the document of a plain shell.
pub(crate) const DEFAULT: &str = "SSM-SessionManagerRunShell";

/// What an agent runs for a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// A shell on a pty.
    Shell,
    /// A command line, run by a shell on a pty.
    InteractiveCommand(String),
    /// A command line, split into words and run without terminal or shell.
    NonInteractiveCommand {
        /// The command line.
        command: String,
        /// Whether output and errors are streamed apart, and the exit status is told.
        separate: bool,
        /// Put before stdout after each read that ended a line.
        stdout_prefix: String,
        /// The same for stderr.
        stderr_prefix: String,
    },
    /// Connections to a port.
    Port(PortProgram),
    /// Nothing: the document has no command for the node's platform.
    Unsupported,
}

/// What a session runs, and under which conditions.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) program: Program,
    pub(crate) inputs: Inputs,
    /// The document as it was written, and a value for each of its parameters.
    written: (Arc<Value>, Values),
}

impl Plan {
    /// What an agent is told of the session (protocol.md 9.5). It resolves the parameters itself.
    pub(crate) fn told(&self, session_id: &str, document: &str, owner: &str) -> Value {
        let (content, parameters) = &self.written;
        json!({
            "DocumentName": document,
            "DocumentContent": **content,
            "SessionId": session_id,
            "Parameters": parameters,
            "RunAsUser": "",
            "SessionOwner": owner,
        })
    }
}

/// The preferences of an account that never saved any.
fn plain_shell() -> Value {
    json!({
        "schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {}, "parameters": {}, "properties": null,
    })
}

/// The plan of a document on a node of this platform: of a document of an account, else of the managed one of this name.
pub(crate) fn plan(
    own: Option<&SessionDocument>,
    document: &str,
    parameters: &BTreeMap<String, Vec<String>>,
    platform: PlatformType,
) -> Result<Plan, ApiFailure> {
    let known = own.or_else(|| managed::find(document).map(|managed| &*managed.version.document));
    match known {
        Some(known) => Ok(Plan {
            program: known.program(document, parameters, platform)?,
            inputs: known.inputs().clone(),
            written: (known.written(), known.values(document, parameters)?),
        }),
        // Sessions work although nobody ever saved preferences (aws-security-reliability.md A.6).
        None if document == DEFAULT && parameters.is_empty() => {
            let written = (Arc::new(plain_shell()), Values::new());
            Ok(Plan { program: Program::Shell, inputs: Inputs::default(), written })
        }
        None if document == DEFAULT => {
            Err(ApiFailure::new("InvalidParameters", format!("Document {document} has no parameters.")))
        }
        // Well known, and of another type.
        None if ["AWS-RunShellScript", "AWS-RunPowerShellScript", "AWS-UpdateSSMAgent"]
            .contains(&document) =>
        {
            Err(ApiFailure::new(
                "InvalidDocument",
                "Document type: 'Command' is not supported. Only type: 'Session' is supported for Session Manager.",
            ))
        }
        None => Err(unknown(document)),
    }
}

/// What is said of a document nobody has.
pub(crate) fn unknown(document: &str) -> ApiFailure {
    ApiFailure::new("InvalidDocument", format!("Document with name {document} does not exist."))
}

/// What a port session connects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PortProgram {
    /// Host beyond the node; empty for the node itself.
    pub(crate) host: String,
    /// Port number, as the document has it.
    pub(crate) port: String,
    /// Whether the client listens, `type` being `LocalPortForwarding`; otherwise it has one connection.
    pub(crate) is_forwarding: bool,
    /// The resolved properties, for the handshake.
    pub(crate) properties: Value,
}

/// Name of a document given by name or ARN.
pub(crate) fn plain_name<'a>(document: &'a str, region: &str, account_id: &str) -> &'a str {
    [account_id, ""]
        .into_iter()
        .find_map(|owner| document.strip_prefix(format!("arn:aws:ssm:{region}:{owner}:document/").as_str()))
        .unwrap_or(document)
}

/// The `type` of sessions whose client listens.
const LOCAL_PORT_FORWARDING: &str = "LocalPortForwarding";

fn port_program(properties: Value) -> Program {
    let text = |name: &str| properties[name].as_str().unwrap_or_default().to_owned();
    Program::Port(PortProgram {
        host: text("host"),
        port: text("portNumber"),
        is_forwarding: text("type") == LOCAL_PORT_FORWARDING,
        properties,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Program, plain_name, plan};
    use crate::http::failure::ApiFailure;
    use crate::world::catalogue::PlatformType;

    fn with(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), vec![(*v).to_owned()])).collect()
    }

    fn program(document: &str, parameters: &BTreeMap<String, Vec<String>>) -> Result<Program, ApiFailure> {
        plan(None, document, parameters, PlatformType::Linux).map(|plan| plan.program)
    }

    #[test]
    fn documents_give_their_programs() {
        assert_eq!(program("SSM-SessionManagerRunShell", &with(&[])), Ok(Program::Shell));
        assert_eq!(
            program("AWS-StartInteractiveCommand", &with(&[("command", "top")])),
            Ok(Program::InteractiveCommand("top".into()))
        );
        assert_eq!(
            program(
                "AWS-StartNonInteractiveCommand",
                &with(&[
                    ("command", "id -u"),
                    ("separateOutputStream", "true"),
                    ("stdoutSeparatorPrefix", "o:")
                ])
            ),
            Ok(Program::NonInteractiveCommand {
                command: "id -u".into(),
                separate: true,
                stdout_prefix: "o:".into(),
                stderr_prefix: String::new(),
            })
        );
    }

    #[test]
    fn wrong_documents_and_parameters_are_refused_by_name() {
        let code = |document: &str, pairs: &[(&str, &str)]| program(document, &with(pairs)).unwrap_err().code;
        assert_eq!(code("Corp-Nothing", &[]), "InvalidDocument");
        assert_eq!(code("AWS-RunShellScript", &[]), "InvalidDocument");
        for port in ["", "0", "022", "65536", "ssh", "+22", " 22"] {
            assert_eq!(code("AWS-StartSSHSession", &[("portNumber", port)]), "InvalidParameters", "{port}");
        }
        let remote = "AWS-StartPortForwardingSessionToRemoteHost";
        for host in ["db", "a;b", "$(id)", "a|b", "[::1]"] {
            assert_eq!(code(remote, &[("host", host)]), "InvalidParameters", "{host}");
        }
        assert_eq!(code(remote, &[]), "InvalidParameters");
        assert_eq!(code("AWS-StartInteractiveCommand", &[]), "InvalidParameters");
        assert_eq!(code("SSM-SessionManagerRunShell", &[("command", "x")]), "InvalidParameters");
        let bad = [("command", "x"), ("separateOutputStream", "yes")];
        assert_eq!(code("AWS-StartNonInteractiveCommand", &bad), "InvalidParameters");
        let bad = [("command", "x"), ("stdoutSeparatorPrefix", "a b")];
        assert_eq!(code("AWS-StartNonInteractiveCommand", &bad), "InvalidParameters");
    }

    #[test]
    fn arns_name_documents() {
        let arn = "arn:aws:ssm:eu-west-1::document/AWS-StartInteractiveCommand";
        assert_eq!(plain_name(arn, "eu-west-1", "111122223333"), "AWS-StartInteractiveCommand");
        assert_eq!(plain_name(arn, "us-east-1", "111122223333"), arn);
        assert_eq!(plain_name("X", "us-east-1", "111122223333"), "X");
    }
}
