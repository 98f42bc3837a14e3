//! The session documents AWS gives every account (protocol.md 1.8), as GetDocument shows them.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::SessionDocument;
use super::store::{DocumentFormat, Version};

/// A managed document.
#[derive(Debug)]
pub(crate) struct Managed {
    pub(crate) name: &'static str,
    pub(crate) version: Version,
}

const PORT: &str =
    "^([1-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$";
const LOCAL_PORT: &str =
    "^([0-9]|[1-9][0-9]{1,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$";
const HOST: &str = "^[^,$^&()!;'\"<>`{}\\[\\]|#=]{3,}$";
const SEPARATOR: &str = "^[a-zA-Z0-9_:\\-\\r\\n]{0,30}$";

static ALL: LazyLock<Vec<Managed>> = LazyLock::new(|| contents().into_iter().filter_map(read).collect());

/// All of them, by name.
pub(crate) fn all() -> &'static [Managed] {
    &ALL
}

/// The one of this name.
pub(crate) fn find(name: &str) -> Option<&'static Managed> {
    ALL.iter().find(|managed| managed.name == name)
}

fn read((name, content): (&'static str, Value)) -> Option<Managed> {
    let text = serde_json::to_string_pretty(&content).unwrap_or_default();
    let document = SessionDocument::parse(&text).ok()?;
    // Some time in the past, the same for all.
    let version =
        Version::new(1, &text, DocumentFormat::Json, content, Arc::new(document), None, 1_600_000_000_000);
    Some(Managed { name, version })
}

fn contents() -> Vec<(&'static str, Value)> {
    let port = |default: &str| {
        json!({
            "type": "String", "description": "Port on the node.", "default": default, "allowedPattern": PORT,
        })
    };
    let local = json!({
        "type": "String", "description": "Port on this computer; 0 is any.", "default": "0",
        "allowedPattern": LOCAL_PORT,
    });
    let host = json!({ "type": "String", "description": "Host beyond the node.", "allowedPattern": HOST });
    let command = json!({ "type": "String", "description": "The command to run." });
    let separator = json!({ "type": "String", "default": "", "allowedPattern": SEPARATOR });
    let forwarding = |description: &str, parameters: Value, properties: Value| {
        json!({
            "schemaVersion": "1.0", "description": description, "sessionType": "Port",
            "parameters": parameters, "properties": properties,
        })
    };
    let on_all = |members: Value| json!({ "linux": members, "macos": members, "windows": members });
    vec![
        (
            "AWS-StartInteractiveCommand",
            json!({
                "schemaVersion": "1.0", "description": "Runs a command on a terminal.",
                "sessionType": "InteractiveCommands", "parameters": { "command": command },
                "properties": on_all(json!({ "commands": "{{command}}", "runAsElevated": false })),
            }),
        ),
        (
            "AmazonECS-ExecuteInteractiveCommand",
            json!({
                "schemaVersion": "1.0", "description": "Runs a command on a terminal of a container.",
                "sessionType": "InteractiveCommands", "parameters": { "command": command },
                "properties": on_all(json!({ "commands": "{{command}}", "runAsElevated": false })),
            }),
        ),
        (
            "AWS-StartNonInteractiveCommand",
            json!({
                "schemaVersion": "1.0", "description": "Runs a command without a terminal.",
                "sessionType": "NonInteractiveCommands",
                "parameters": {
                    "command": command,
                    "separateOutputStream": {
                        "type": "String", "description": "Whether output and errors come apart.",
                        "default": "false", "allowedValues": ["true", "false"],
                    },
                    "stdoutSeparatorPrefix": separator,
                    "stderrSeparatorPrefix": separator,
                },
                "properties": on_all(json!({
                    "commands": "{{command}}", "separateOutputStream": "{{separateOutputStream}}",
                    "stdOutSeparatorPrefix": "{{stdoutSeparatorPrefix}}",
                    "stdErrSeparatorPrefix": "{{stderrSeparatorPrefix}}",
                })),
            }),
        ),
        (
            "AWS-StartPortForwardingSession",
            forwarding(
                "Forwards a port of the node.",
                json!({ "portNumber": port("80"), "localPortNumber": local }),
                json!({
                    "portNumber": "{{portNumber}}", "localPortNumber": "{{localPortNumber}}",
                    "type": "LocalPortForwarding",
                }),
            ),
        ),
        (
            "AWS-StartPortForwardingSessionToRemoteHost",
            forwarding(
                "Forwards a port of a host the node reaches.",
                json!({ "host": host, "portNumber": port("80"), "localPortNumber": local }),
                json!({
                    "host": "{{host}}", "portNumber": "{{portNumber}}",
                    "localPortNumber": "{{localPortNumber}}", "type": "LocalPortForwarding",
                }),
            ),
        ),
        (
            "AWS-StartPortForwardingSessionToSocket",
            forwarding(
                "Forwards a port of the node to a socket on this computer.",
                json!({ "portNumber": port("80"), "localUnixSocket": { "type": "String" } }),
                json!({
                    "portNumber": "{{portNumber}}", "localConnectionType": "unix",
                    "localUnixSocket": "{{localUnixSocket}}", "type": "LocalPortForwarding",
                }),
            ),
        ),
        (
            "AWS-StartSSHSession",
            forwarding(
                "Connects standard input and output with a port of the node, for SSH.",
                json!({ "portNumber": port("22") }),
                json!({ "portNumber": "{{portNumber}}" }),
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::{all, contents};

    #[test]
    fn all_are_documents_of_their_own_kind() {
        assert_eq!(all().len(), contents().len());
        assert!(
            all()
                .iter()
                .all(|managed| managed.name.starts_with("AWS-") || managed.name.starts_with("AmazonECS-"))
        );
    }
}
