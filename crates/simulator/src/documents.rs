//! The session documents the simulator knows (protocol.md 1.8 and 7.7), and those that are put into its accounts.

mod document;
mod substitution;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::http::failure::ApiFailure;
use crate::world::catalogue::PlatformType;

pub(crate) use document::{Inputs, SessionDocument};

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
}

/// The plan of a document on a node of this platform: of the account's own document of this name, else of the managed
/// one.
pub(crate) fn plan(
    own: Option<&SessionDocument>,
    document: &str,
    parameters: &BTreeMap<String, Vec<String>>,
    platform: PlatformType,
) -> Result<Plan, ApiFailure> {
    Ok(match own {
        Some(own) => {
            Plan { program: own.program(document, parameters, platform)?, inputs: own.inputs().clone() }
        }
        None => Plan { program: program(document, parameters)?, inputs: Inputs::default() },
    })
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

/// The program of a managed document with these parameters.
fn program(document: &str, parameters: &BTreeMap<String, Vec<String>>) -> Result<Program, ApiFailure> {
    let given = Given { document, parameters };
    match document {
        DEFAULT => {
            given.only(&[])?;
            Ok(Program::Shell)
        }
        "AWS-StartInteractiveCommand" | "AmazonECS-ExecuteInteractiveCommand" => {
            given.only(&["command"])?;
            Ok(Program::InteractiveCommand(given.required("command")?))
        }
        "AWS-StartNonInteractiveCommand" => {
            given.only(&[
                "command",
                "separateOutputStream",
                "stdoutSeparatorPrefix",
                "stderrSeparatorPrefix",
            ])?;
            let separate = match given.value("separateOutputStream").unwrap_or("false") {
                "true" => true,
                "false" => false,
                other => return Err(given.invalid("separateOutputStream", other)),
            };
            Ok(Program::NonInteractiveCommand {
                command: given.required("command")?,
                separate,
                stdout_prefix: given.prefix("stdoutSeparatorPrefix")?,
                stderr_prefix: given.prefix("stderrSeparatorPrefix")?,
            })
        }
        "AWS-StartSSHSession" => {
            given.only(&["portNumber"])?;
            let port = given.port("portNumber", "22", 1)?;
            Ok(port_program(json!({ "portNumber": port })))
        }
        "AWS-StartPortForwardingSession" => {
            given.only(&["portNumber", "localPortNumber"])?;
            let (port, local) = (given.port("portNumber", "80", 1)?, given.port("localPortNumber", "0", 0)?);
            Ok(port_program(
                json!({ "portNumber": port, "localPortNumber": local, "type": LOCAL_PORT_FORWARDING }),
            ))
        }
        "AWS-StartPortForwardingSessionToRemoteHost" => {
            given.only(&["host", "portNumber", "localPortNumber"])?;
            let (port, local) = (given.port("portNumber", "80", 1)?, given.port("localPortNumber", "0", 0)?);
            let host = given.required("host")?;
            if host.chars().count() < 3 || host.contains(|c| ",$^&()!;'\"<>`{}[]|#=".contains(c)) {
                return Err(given.invalid("host", &host));
            }
            Ok(port_program(json!({
                "host": host, "portNumber": port, "localPortNumber": local, "type": LOCAL_PORT_FORWARDING,
            })))
        }
        "AWS-StartPortForwardingSessionToSocket" => {
            given.only(&["portNumber", "localUnixSocket"])?;
            let (port, socket) = (given.port("portNumber", "80", 1)?, given.required("localUnixSocket")?);
            Ok(port_program(json!({
                "portNumber": port, "localConnectionType": "unix", "localUnixSocket": socket,
                "type": LOCAL_PORT_FORWARDING,
            })))
        }
        // Well known, and of another type.
        "AWS-RunShellScript" | "AWS-RunPowerShellScript" | "AWS-UpdateSSMAgent" => Err(ApiFailure::new(
            "InvalidDocument",
            "Document type: 'Command' is not supported. Only type: 'Session' is supported for Session Manager.",
        )),
        _ => {
            Err(ApiFailure::new("InvalidDocument", format!("Document with name {document} does not exist.")))
        }
    }
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

struct Given<'a> {
    document: &'a str,
    parameters: &'a BTreeMap<String, Vec<String>>,
}

impl Given<'_> {
    /// A single-valued parameter: the first of its list.
    fn value(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).and_then(|values| values.first()).map(String::as_str)
    }

    fn required(&self, name: &str) -> Result<String, ApiFailure> {
        self.value(name).map(str::to_owned).ok_or_else(|| {
            ApiFailure::new(
                "InvalidParameters",
                format!("Parameter {name} of document {} is missing.", self.document),
            )
        })
    }

    fn only(&self, known: &[&str]) -> Result<(), ApiFailure> {
        match self.parameters.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(ApiFailure::new(
                "InvalidParameters",
                format!("Document {} has no parameter {name}.", self.document),
            )),
            None => Ok(()),
        }
    }

    /// A port number as the documents' patterns want it: without leading zeros, `least` at least.
    fn port(&self, name: &str, default: &str, least: u16) -> Result<String, ApiFailure> {
        let text = self.value(name).unwrap_or(default);
        match text.parse::<u16>() {
            Ok(port) if port >= least && port.to_string() == text => Ok(text.to_owned()),
            _ => Err(self.invalid(name, text)),
        }
    }

    fn prefix(&self, name: &str) -> Result<String, ApiFailure> {
        let prefix = self.value(name).unwrap_or_default();
        let allowed = |c: char| c.is_ascii_alphanumeric() || "\r\n_:-".contains(c);
        if prefix.chars().count() > 30 || !prefix.chars().all(allowed) {
            return Err(self.invalid(name, prefix));
        }
        Ok(prefix.to_owned())
    }

    fn invalid(&self, name: &str, value: &str) -> ApiFailure {
        ApiFailure::new(
            "InvalidParameters",
            format!("Value '{value}' of parameter {name} of document {} is not allowed.", self.document),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Program, plain_name, program};

    fn with(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), vec![(*v).to_owned()])).collect()
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
