//! `fleetline secrets`: where secrets of ours are kept.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use fleetline_app::secrets;
use fleetline_app::{Paths, Store, Vault};
use fleetline_ipc::secrets::{SecretsChoice, SecretsKept, SecretsStatus};

use crate::console::{harmless, tell, write, write_json};
use crate::failure::Failure;
use crate::scope;
use crate::timestamp::time;

#[derive(Debug, ClapArgs)]
pub(crate) struct SecretsArgs {
    #[command(subcommand)]
    command: SecretsCommand,
}

#[derive(Debug, Subcommand)]
enum SecretsCommand {
    /// Say where secrets are kept, and what is there; never a secret
    Status {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Let the keyring of the system ask to be unlocked, then say how it stands
    Unlock {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Choose what seals secrets. What is kept is sealed anew; a running app follows
    Keep {
        /// The keyring of the system, a passphrase in a file, or nothing: they end with the program
        #[arg(value_name = "keyring|passphrase|memory")]
        kept: KeptArg,
        /// The file of the passphrase, readable by you alone
        #[arg(value_name = "FILE", required_if_eq("kept", "passphrase"))]
        file: Option<PathBuf>,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Forget all secrets, the key of recordings with them. A file that does not open is kept aside
    Forget {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KeptArg {
    Keyring,
    Passphrase,
    Memory,
}

/// The vault of the user's files; in memory where there is no place for any.
pub(crate) fn vault() -> Vault {
    let Ok(paths) = Paths::resolve() else { return Vault::in_memory() };
    let store = Store::open(paths.clone()).unwrap_or_else(|_| Store::in_memory());
    Vault::of_system(Some(&paths.data), secrets::chooser(store))
}

/// Does what is asked.
pub(crate) async fn run(args: SecretsArgs) -> Result<u8, Failure> {
    let done = tokio::task::spawn_blocking(move || act(args.command)).await;
    done.map_err(|error| Failure::local("The request ended by a defect", &error))?
}

fn store() -> Result<Store, Failure> {
    let paths = Paths::resolve().map_err(|error| Failure::local("There is no place for secrets", &error))?;
    Store::open(paths).map_err(|error| Failure::local("Secrets cannot be used", &error))
}

fn act(command: SecretsCommand) -> Result<u8, Failure> {
    let (store, vault) = (store()?, vault());
    match command {
        SecretsCommand::Status { json } => {
            // What belongs to no profile any more goes first.
            scope::sources_with(vault.clone()).recall_sessions();
            show(&secrets::status(&store, &vault, false), json)
        }
        SecretsCommand::Unlock { json } => show(&secrets::status(&store, &vault, true), json),
        SecretsCommand::Keep { kept, file, json } => {
            let kept = match kept {
                KeptArg::Keyring => SecretsKept::Keyring,
                KeptArg::Passphrase => SecretsKept::Passphrase,
                KeptArg::Memory => SecretsKept::Memory,
            };
            // The program may be started elsewhere next time. The file of before is needed to seal anew.
            let file = file.map(|file| std::path::absolute(&file).unwrap_or(file).display().to_string());
            let before = secrets::status(&store, &vault, false).choice.passphrase_file;
            let choice = SecretsChoice { kept, passphrase_file: file.unwrap_or(before) };
            show(&secrets::keep(&store, &vault, &choice)?, json)
        }
        SecretsCommand::Forget { json } => {
            let (status, aside) = secrets::forget(&store, &vault)?;
            if let Some(aside) = aside {
                tell(&format!(
                    "The file that does not open is kept as {}.",
                    harmless(&aside.display().to_string())
                ));
            }
            show(&status, json)
        }
    }
}

fn show(status: &SecretsStatus, json: bool) -> Result<u8, Failure> {
    if json {
        write_json(status)?;
        return Ok(0);
    }
    let (sentence, hint) = secrets::words(&status.state);
    let mut lines = vec![harmless(&sentence)];
    lines.extend(hint.as_deref().map(harmless));
    lines.extend(status.path.as_ref().map(|path| format!("File: {}", harmless(path))));
    for session in &status.sessions {
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of this age are whole and small")]
        let until = time(session.until_ms.map(|ms| ms as i64));
        let until = until.map(|until| format!(", until {until}")).unwrap_or_default();
        lines.push(format!("Session by an MFA code: {}{until}", harmless(&session.source)));
    }
    if status.recording_key {
        lines.push("Key of recordings".to_owned());
    }
    for line in lines {
        write(&line)?;
    }
    Ok(0)
}
