//! The session documents the accounts of the demo world begin with: those of the design pictures.

use serde_json::{Value, json};

use super::past_log;
use crate::documents::{DocumentFormat, DocumentStore, NewContent};

const DAY_MS: i64 = 86_400_000;

/// A document with its versions, oldest first; the last one is the default.
struct Planned {
    /// Account name.
    account: &'static str,
    name: &'static str,
    versions: Vec<Value>,
    /// Ids of accounts it is shared with.
    shared_with: &'static [&'static str],
}

/// Region of the demo world's documents.
const REGION: &str = "eu-central-1";

/// Puts them into the store. `accounts`: names in the order of their indices.
pub(crate) fn put(store: &mut DocumentStore, accounts: &[&str], now_ms: i64) {
    for planned in planned() {
        let Some(account) = accounts.iter().position(|name| *name == planned.account) else { continue };
        let count = i64::try_from(planned.versions.len()).unwrap_or(0);
        for (age, version) in (0..count).rev().zip(&planned.versions) {
            let text = serde_json::to_string_pretty(version).unwrap_or_default();
            if let Ok(new) = NewContent::read(&text, DocumentFormat::Json) {
                store.put((account, REGION), planned.name, new, now_ms - (30 * age + 12) * DAY_MS);
            }
        }
        if let Some(stored) = store.get_mut(account, REGION, planned.name) {
            stored.shared_with.extend(planned.shared_with.iter().map(|id| (*id).to_owned()));
        }
    }
}

fn planned() -> Vec<Planned> {
    let own = |name, versions| Planned { account: "payments-prod", name, versions, shared_with: &[] };
    let shared = |name, versions| Planned {
        account: "shared-core",
        name,
        versions,
        shared_with: &["111122223333", "444455556666"],
    };
    vec![
        own(
            "Corp-LedgerConsole",
            vec![ledger("Ledger console", 200), ledger("Ledger console with tenant filter", 200)],
        ),
        own("Corp-LogTail", vec![log_tail()]),
        own("Corp-PlantDiag", vec![plant_diagnosis()]),
        Planned {
            account: "shared-core",
            name: crate::documents::DEFAULT,
            versions: vec![recorded()],
            shared_with: &[],
        },
        shared("Org-BreakGlass", vec![break_glass()]),
        shared("Org-VendorPort", vec![vendor_port()]),
    ]
}

/// Preferences of the one account whose shells are recorded, in both places.
fn recorded() -> Value {
    json!({
        "schemaVersion": "1.0",
        "description": "Document to hold regional settings for Session Manager",
        "sessionType": "Standard_Stream",
        "inputs": {
            "s3BucketName": "shared-core-session-logs", "s3KeyPrefix": "", "s3EncryptionEnabled": true,
            "cloudWatchLogGroupName": past_log::GROUP, "cloudWatchEncryptionEnabled": true,
            "cloudWatchStreamingEnabled": true, "kmsKeyId": "", "runAsEnabled": false, "runAsDefaultUser": "",
            "idleSessionTimeout": "20", "maxSessionDuration": "", "shellProfile": { "windows": "", "linux": "" },
        },
    })
}

fn ledger(description: &str, rows: u32) -> Value {
    let console = |shell: &str| {
        format!(
            "echo \"Ledger console of {{{{ tenant }}}} in {{{{ env }}}}, {{{{ rows }}}} rows a page\"; exec {shell}"
        )
    };
    json!({
        "schemaVersion": "1.0",
        "description": description,
        "sessionType": "InteractiveCommands",
        "inputs": { "idleSessionTimeout": "20" },
        "parameters": {
            "tenant": {
                "type": "String", "description": "Lower-case tenant name", "allowedPattern": "^[a-z][a-z0-9-]{1,30}$",
            },
            "env": { "type": "String", "allowedValues": ["dev", "stage", "prod"], "default": "dev" },
            "rows": { "type": "String", "allowedPattern": "^[0-9]{1,3}$", "default": rows.to_string() },
        },
        "properties": {
            "linux": { "commands": console("sh"), "runAsElevated": false },
            "macos": { "commands": console("sh"), "runAsElevated": false },
            "windows": { "commands": console("powershell"), "runAsElevated": false },
        },
    })
}

fn log_tail() -> Value {
    json!({
        "schemaVersion": "1.0",
        "description": "Last lines of the kernel's release and uptime",
        "sessionType": "NonInteractiveCommands",
        "parameters": { "lines": { "type": "String", "allowedPattern": "^[0-9]{1,3}$", "default": "20" } },
        "properties": {
            "linux": { "commands": "tail -n {{ lines }} /etc/os-release", "runAsElevated": false },
        },
    })
}

fn plant_diagnosis() -> Value {
    json!({
        "schemaVersion": "1.0",
        "description": "Checks of a plant's edge nodes",
        "sessionType": "InteractiveCommands",
        "inputs": { "idleSessionTimeout": "5", "maxSessionDuration": "30" },
        "properties": {
            "linux": { "commands": "uname -a; uptime; exec sh", "runAsElevated": false },
            "windows": { "commands": "systeminfo", "runAsElevated": true },
        },
    })
}

fn break_glass() -> Value {
    json!({
        "schemaVersion": "1.0",
        "description": "Emergency shell, for an hour at most",
        "sessionType": "Standard_Stream",
        "inputs": {
            "idleSessionTimeout": "10", "maxSessionDuration": "60",
            "shellProfile": { "linux": "echo 'Emergency access is watched.'", "windows": "" },
        },
    })
}

fn vendor_port() -> Value {
    json!({
        "schemaVersion": "1.0",
        "description": "The port vendors may reach",
        "sessionType": "Port",
        "parameters": { "localPortNumber": { "type": "String", "default": "0" } },
        "properties": {
            "portNumber": "8443", "localPortNumber": "{{ localPortNumber }}", "type": "LocalPortForwarding",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_them_are_good_documents() {
        let mut store = DocumentStore::default();
        put(&mut store, &["payments-prod", "plants-eu", "shared-core"], 0);
        for planned in planned() {
            let account =
                ["payments-prod", "plants-eu", "shared-core"].iter().position(|a| *a == planned.account);
            let stored = store.get(account.unwrap(), REGION, planned.name).unwrap();
            assert_eq!(stored.versions().count(), planned.versions.len(), "{}", planned.name);
        }
    }
}
