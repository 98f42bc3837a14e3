//! The keyring of the system, which keeps the key of the sealed file.

#[cfg(target_os = "linux")]
#[path = "keyring/linux.rs"]
mod os;
#[cfg(not(target_os = "linux"))]
#[path = "keyring/other.rs"]
mod os;

use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::seal::Key;
use crate::state::Absence;

/// Longest wait for an answer of the keyring.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest wait while the keyring asks a person to unlock it.
const PERSON: Duration = Duration::from_secs(120);
/// What our entries belong to.
const SERVICE: &str = "dev.fleetline.app";
/// Entry that is written and deleted to have a person asked.
const UNLOCK: &str = "unlock";

/// Why the keyring gave no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyTrouble {
    /// It is locked.
    Locked,
    /// It is not there, or refuses.
    Absent(Absence),
    /// It has not answered in time, or an earlier question is still unanswered.
    Hanging,
}

/// Keeps keys by the id of the file they open. Nothing is ever shown to a person but by [`KeyKeeper::unlock`]; every other
/// call blocks for [`PATIENCE`] at most.
pub trait KeyKeeper: Send + Sync {
    /// Whether keys could be read and written now.
    ///
    /// # Errors
    /// Why not.
    fn probe(&self) -> Result<(), KeyTrouble>;

    /// Lets the keyring ask a person to unlock it. Blocks for two minutes at most.
    ///
    /// # Errors
    /// Why it is still locked.
    fn unlock(&self) -> Result<(), KeyTrouble>;

    /// The key of a file, if there is one.
    ///
    /// # Errors
    /// Why it cannot be told.
    fn get(&self, id: &str) -> Result<Option<Key>, KeyTrouble>;

    /// Keeps the key of a file.
    ///
    /// # Errors
    /// Why it is not kept.
    fn set(&self, id: &str, key: &Key) -> Result<(), KeyTrouble>;

    /// Deletes the key of a file; a missing one is fine.
    ///
    /// # Errors
    /// Why it may still be there.
    fn delete(&self, id: &str) -> Result<(), KeyTrouble>;
}

/// The keyring of the user's session: Secret Service, Keychain, Credential Manager.
#[derive(Clone, Debug, Default)]
pub struct SystemKeyring {
    question: Arc<Mutex<Question>>,
}

/// The question that is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Question {
    #[default]
    None,
    /// Somebody waits for it, or gave up.
    Open,
    /// A person is asked.
    ToPerson,
}

impl SystemKeyring {
    /// Asks on a thread of its own, so that a keyring which never answers costs that thread and nobody's patience. While
    /// one question is unanswered no other is put.
    fn ask<T: Send + 'static>(
        &self,
        kind: Question,
        question: impl FnOnce() -> Result<T, KeyTrouble> + Send + 'static,
    ) -> Result<T, KeyTrouble> {
        {
            let mut open = lock(&self.question);
            match *open {
                Question::None => *open = kind,
                Question::Open => return Err(KeyTrouble::Hanging),
                Question::ToPerson => return Err(KeyTrouble::Locked),
            }
        }
        let (sender, answer) = mpsc::sync_channel(1);
        let open = Arc::clone(&self.question);
        let to_person = kind == Question::ToPerson;
        let thread = std::thread::Builder::new().name("keyring".to_owned()).spawn(move || {
            let answer = os::probe(to_person).and_then(|()| question());
            *lock(&open) = Question::None;
            // Nobody may wait any more.
            drop(sender.send(answer));
        });
        if let Err(error) = thread {
            *lock(&self.question) = Question::None;
            return Err(KeyTrouble::Absent(Absence::Refused(error.to_string())));
        }
        let patience = if to_person { PERSON } else { PATIENCE };
        answer.recv_timeout(patience).unwrap_or(Err(KeyTrouble::Hanging))
    }
}

fn lock(question: &Mutex<Question>) -> MutexGuard<'_, Question> {
    question.lock().unwrap_or_else(PoisonError::into_inner)
}

impl KeyKeeper for SystemKeyring {
    fn probe(&self) -> Result<(), KeyTrouble> {
        self.ask(Question::Open, || Ok(()))
    }

    fn unlock(&self) -> Result<(), KeyTrouble> {
        // The library asks a person when something is written.
        self.ask(Question::ToPerson, || {
            let entry = keyring::Entry::new(SERVICE, UNLOCK).map_err(trouble)?;
            entry.set_secret(b"-").map_err(trouble)?;
            entry.delete_credential().map_err(trouble)
        })
    }

    fn get(&self, id: &str) -> Result<Option<Key>, KeyTrouble> {
        let user = user(id);
        self.ask(Question::Open, move || {
            let entry = keyring::Entry::new(SERVICE, &user).map_err(trouble)?;
            match entry.get_secret().map(Zeroizing::new) {
                // A key of another length is no key of ours.
                Ok(bytes) => Ok(Key::from_bytes(&bytes)),
                Err(keyring::Error::NoEntry) => Ok(None),
                Err(error) => Err(trouble(error)),
            }
        })
    }

    fn set(&self, id: &str, key: &Key) -> Result<(), KeyTrouble> {
        let (user, key) = (user(id), key.clone());
        self.ask(Question::Open, move || {
            let entry = keyring::Entry::new(SERVICE, &user).map_err(trouble)?;
            entry.set_secret(key.expose()).map_err(trouble)
        })
    }

    fn delete(&self, id: &str) -> Result<(), KeyTrouble> {
        let user = user(id);
        self.ask(Question::Open, move || {
            let entry = keyring::Entry::new(SERVICE, &user).map_err(trouble)?;
            match entry.delete_credential() {
                Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
                Err(error) => Err(trouble(error)),
            }
        })
    }
}

fn user(id: &str) -> String {
    format!("secrets {id}")
}

fn trouble(error: keyring::Error) -> KeyTrouble {
    match error {
        keyring::Error::NoStorageAccess(_) => KeyTrouble::Locked,
        keyring::Error::NoDefaultStore => KeyTrouble::Absent(Absence::NoKeyring),
        // Its words name no secret: the library shows none.
        keyring::Error::PlatformFailure(error) => KeyTrouble::Absent(Absence::Refused(error.to_string())),
        keyring::Error::BadEncoding(_) | keyring::Error::BadDataFormat(..) => {
            KeyTrouble::Absent(Absence::Refused("the entry in the keyring cannot be read".to_owned()))
        }
        other => KeyTrouble::Absent(Absence::Refused(other.to_string())),
    }
}
