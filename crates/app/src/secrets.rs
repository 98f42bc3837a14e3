//! Where secrets of ours are kept: the state for the window, and in words for the command line.

use std::path::PathBuf;

use fleetline_ipc::secrets::{
    KeptSession, SecretsAbsence, SecretsChoice, SecretsDamage, SecretsKept, SecretsState, SecretsStatus,
};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::Store;
use fleetline_vault::{Absence, Choice, Chooser, Damage, Held, Kept, State, Vault, names};

use crate::problem::describe_store;
use crate::request::Reply;

/// Name of the document with the choice.
const SECRETS: &str = "secrets";
/// Longest name of a file, in bytes.
const PATH_LIMIT: usize = 4096;

/// A request about secrets.
pub(crate) enum SecretsRequest {
    /// How they are kept; with `ask` the keyring may ask a person to unlock it.
    Status { ask: bool, reply: Reply<SecretsStatus> },
    /// Keeps them by something else.
    Keep { choice: SecretsChoice, reply: Reply<SecretsStatus> },
    /// Forgets them all.
    Forget { reply: Reply<SecretsStatus> },
}

/// What was chosen on disk, as a vault asks for it at each use.
pub fn chooser(store: Store) -> Chooser {
    Box::new(move || choice_of(&chosen(&store)))
}

fn chosen(store: &Store) -> SecretsChoice {
    store.load(SECRETS).value
}

fn choice_of(chosen: &SecretsChoice) -> Choice {
    let kept = match chosen.kept {
        SecretsKept::Keyring => Kept::Keyring,
        SecretsKept::Passphrase => Kept::Passphrase,
        SecretsKept::Memory => Kept::Memory,
    };
    let file = Some(chosen.passphrase_file.trim()).filter(|file| !file.is_empty());
    Choice { kept, passphrase_file: file.map(PathBuf::from) }
}

/// Chooses what seals secrets, for every program of the user; then how it stands. Blocks as [`Vault::look`] does.
///
/// # Errors
/// When the choice cannot be written.
pub fn keep(store: &Store, vault: &Vault, choice: &SecretsChoice) -> Result<SecretsStatus, CommandError> {
    if choice.passphrase_file.len() > PATH_LIMIT {
        let message = format!("The name of the passphrase file can have {PATH_LIMIT} bytes.");
        return Err(CommandError::new(ErrorCode::InvalidInput, message));
    }
    store.save(SECRETS, choice).map_err(|error| describe_store(&error))?;
    Ok(status(store, vault, false))
}

/// How secrets are kept and what is there. Blocks as [`Vault::look`] does.
pub fn status(store: &Store, vault: &Vault, ask: bool) -> SecretsStatus {
    let state = vault.look(ask);
    let held = vault.held().unwrap_or_else(|(_, held)| held);
    let session = |held: &Held| {
        let since = |until: std::time::SystemTime| until.duration_since(std::time::UNIX_EPOCH).ok();
        Some(KeptSession {
            source: names::session_source(&held.name)?.to_owned(),
            until_ms: held.until.and_then(since).map(|until| until.as_millis() as f64),
        })
    };
    SecretsStatus {
        choice: chosen(store),
        state: row(&state),
        path: vault.path().map(|path| path.display().to_string()),
        sessions: held.iter().filter_map(session).collect(),
        recording_key: held.iter().any(|held| held.name == names::RECORDINGS),
    }
}

/// Forgets all secrets, then says how they are kept. Blocks as [`Vault::look`] does.
///
/// # Errors
/// When the sealed file stays.
pub fn forget(store: &Store, vault: &Vault) -> Result<(SecretsStatus, Option<PathBuf>), CommandError> {
    let aside = vault.forget().map_err(|error| {
        CommandError::new(ErrorCode::Storage, format!("The sealed file could not be removed: {error}."))
    })?;
    Ok((status(store, vault, false), aside))
}

/// Answers off the controller's task.
pub(crate) fn asked(store: Store, vault: Vault, request: SecretsRequest) {
    tokio::task::spawn_blocking(move || {
        // A caller that has gone away no longer needs the answer.
        match request {
            SecretsRequest::Status { ask, reply } => drop(reply.send(Ok(status(&store, &vault, ask)))),
            SecretsRequest::Keep { choice, reply } => drop(reply.send(keep(&store, &vault, &choice))),
            SecretsRequest::Forget { reply } => {
                drop(reply.send(forget(&store, &vault).map(|(status, _)| status)));
            }
        }
    });
}

fn row(state: &State) -> SecretsState {
    let absent = |what, detail: Option<String>| SecretsState::Absent { what, detail };
    let file = |path: &PathBuf| Some(path.display().to_string());
    match state {
        State::Ready(Kept::Keyring) => SecretsState::Ready { kept: SecretsKept::Keyring },
        State::Ready(Kept::Passphrase) => SecretsState::Ready { kept: SecretsKept::Passphrase },
        State::Ready(Kept::Memory) => SecretsState::Ready { kept: SecretsKept::Memory },
        State::Locked => SecretsState::Locked,
        State::Hanging => SecretsState::Hanging,
        State::Absent(what) => match what {
            Absence::NoKeyring => absent(SecretsAbsence::Keyring, None),
            Absence::NoCollection => absent(SecretsAbsence::Collection, None),
            Absence::Refused(words) => absent(SecretsAbsence::Consent, Some(words.clone())),
            Absence::NoPassphraseFile => absent(SecretsAbsence::PassphraseFile, None),
            Absence::PassphraseUnreadable(path) => absent(SecretsAbsence::PassphraseReadable, file(path)),
            Absence::PassphraseNotPrivate(path) => absent(SecretsAbsence::PassphrasePrivate, file(path)),
            Absence::PassphraseUnfit(path) => absent(SecretsAbsence::PassphraseFit, file(path)),
        },
        State::Damaged(damage) => SecretsState::Damaged {
            damage: match damage {
                Damage::Form => SecretsDamage::Form,
                Damage::KeyGone => SecretsDamage::KeyGone,
                Damage::DoesNotOpen => SecretsDamage::DoesNotOpen,
            },
        },
        State::Unusable(detail) => SecretsState::Unusable { detail: detail.clone() },
    }
}

/// Why nothing can be kept, as an error: what happened, and what to do. `None` where secrets outlive the program.
pub fn trouble(state: &SecretsState) -> Option<CommandError> {
    let (message, hint) = words(state);
    let lasting =
        matches!(state, SecretsState::Ready { kept: SecretsKept::Keyring | SecretsKept::Passphrase });
    (!lasting).then(|| CommandError { hint, ..CommandError::new(ErrorCode::Storage, message) })
}

/// [`trouble`] of a vault's own state.
pub fn trouble_of(state: &State) -> Option<CommandError> {
    trouble(&row(state))
}

/// The state in words: what is, and what to do if something is.
pub fn words(state: &SecretsState) -> (String, Option<String>) {
    const FALLBACK: &str =
        "choose a passphrase file in the settings, or with `fleetline secrets keep passphrase FILE`";
    let only = |text: &str| (text.to_owned(), None);
    let with = |text: String, hint: String| (text, Some(hint));
    match state {
        SecretsState::Ready { kept: SecretsKept::Keyring } => {
            only("Secrets are sealed on disk with a key in the keyring of this system.")
        }
        SecretsState::Ready { kept: SecretsKept::Passphrase } => {
            only("Secrets are sealed on disk with a key made of your passphrase.")
        }
        SecretsState::Ready { kept: SecretsKept::Memory } => with(
            "Secrets are kept in memory only and end with the program.".to_owned(),
            "Choose the keyring or a passphrase file in the settings, or with `fleetline secrets keep`."
                .to_owned(),
        ),
        SecretsState::Locked => with(
            "The keyring is locked, so secrets live in memory only.".to_owned(),
            "Unlock it with `fleetline secrets unlock`, or in the settings of the app.".to_owned(),
        ),
        SecretsState::Hanging => with(
            "The keyring has not answered for 5 seconds, so secrets live in memory only.".to_owned(),
            format!("Restart the keyring, or {FALLBACK}."),
        ),
        SecretsState::Absent { what, detail } => absent_words(*what, detail.as_deref(), FALLBACK),
        SecretsState::Damaged { damage } => {
            let why = match damage {
                SecretsDamage::Form => "The file of secrets is damaged or of another version",
                SecretsDamage::KeyGone => "The keyring has lost the key of the file of secrets",
                SecretsDamage::DoesNotOpen => "The file of secrets does not open with this key or passphrase",
            };
            with(
                format!("{why}; it stays as it is, and secrets live in memory only."),
                "Start anew in the settings, or with `fleetline secrets forget`; the file is kept aside."
                    .to_owned(),
            )
        }
        SecretsState::Unusable { detail } => with(
            format!("The file of secrets cannot be used, so they live in memory only: {detail}."),
            "Mend what is said, then try again.".to_owned(),
        ),
    }
}

fn absent_words(what: SecretsAbsence, detail: Option<&str>, fallback: &str) -> (String, Option<String>) {
    let file = detail.unwrap_or_default();
    let (why, hint) = match what {
        SecretsAbsence::Keyring => {
            ("There is no keyring in this session".to_owned(), format!("Start one, or {fallback}."))
        }
        SecretsAbsence::Collection => (
            "The keyring holds no collection yet".to_owned(),
            format!("Make a default keyring in your desktop's password program, or {fallback}."),
        ),
        SecretsAbsence::Consent => {
            (format!("The keyring refused ({file})"), format!("Try again, or {fallback}."))
        }
        SecretsAbsence::PassphraseFile => (
            "No passphrase file was named".to_owned(),
            "Name one in the settings, or with `fleetline secrets keep passphrase FILE`.".to_owned(),
        ),
        SecretsAbsence::PassphraseReadable => (
            format!("The passphrase file {file} cannot be read"),
            "Make it, readable by you alone, with a passphrase of 8 characters or more.".to_owned(),
        ),
        SecretsAbsence::PassphrasePrivate => {
            (format!("Others can read the passphrase file {file}"), "Make it private: chmod 600.".to_owned())
        }
        SecretsAbsence::PassphraseFit => (
            format!("The passphrase in {file} is too short or too long"),
            "It has 8 to 1024 characters.".to_owned(),
        ),
    };
    (format!("{why}, so secrets live in memory only."), Some(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_a_sentence_and_those_that_keep_nothing_say_what_to_do() {
        let path = || PathBuf::from("/h/p");
        let states = [
            State::Ready(Kept::Keyring),
            State::Ready(Kept::Passphrase),
            State::Ready(Kept::Memory),
            State::Locked,
            State::Hanging,
            State::Absent(Absence::NoKeyring),
            State::Absent(Absence::NoCollection),
            State::Absent(Absence::Refused("no".to_owned())),
            State::Absent(Absence::NoPassphraseFile),
            State::Absent(Absence::PassphraseUnreadable(path())),
            State::Absent(Absence::PassphraseNotPrivate(path())),
            State::Absent(Absence::PassphraseUnfit(path())),
            State::Damaged(Damage::Form),
            State::Damaged(Damage::KeyGone),
            State::Damaged(Damage::DoesNotOpen),
            State::Unusable("the disk is full".to_owned()),
        ];
        for state in states {
            let (sentence, hint) = words(&row(&state));
            assert!(sentence.ends_with('.') && !sentence.contains(".."), "{sentence}");
            assert_eq!(hint.is_some(), !state.is_lasting(), "{sentence}");
            assert_eq!(trouble_of(&state).is_some(), !state.is_lasting(), "{sentence}");
        }
    }
}
