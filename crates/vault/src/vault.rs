//! The vault: named secrets in a sealed file that several programs of a user share.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleetline_store::{PrivateFile, StoreError};

use crate::content::{Content, Entry, Header, KeyOrigin, epoch_ms, from_epoch_ms};
use crate::keyring::{KeyKeeper, KeyTrouble, SystemKeyring};
use crate::passphrase::{Derivation, read_passphrase};
use crate::seal::{Key, SealBroken};
use crate::secret::Secret;
use crate::state::{Absence, Damage, Kept, State};

/// Name of the file in the vault's directory.
const FILE: &str = "secrets.sealed";
/// Largest file read or written.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;
/// Largest secret, in bytes.
const SECRET_LIMIT: usize = 16 * 1024;
/// Longest name, in bytes.
const NAME_LIMIT: usize = 4096;
/// Most secrets at a time.
const MOST: usize = 512;
/// How often a file that other programs change meanwhile is looked at anew.
const ATTEMPTS: usize = 8;

const CONTENDED: &str = "other programs change the sealed file all the time";

/// What the user wants secrets to be kept by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// By what.
    pub kept: Kept,
    /// The file of the passphrase, where one is used.
    pub passphrase_file: Option<PathBuf>,
}

impl Default for Choice {
    fn default() -> Self {
        Self { kept: Kept::Keyring, passphrase_file: None }
    }
}

/// Says what the user wants now: it is asked at each use, since another program may be told otherwise.
pub type Chooser = Box<dyn Fn() -> Choice + Send + Sync>;

/// A secret that is held, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub name: String,
    /// When it ends by itself.
    pub until: Option<SystemTime>,
}

/// Why something was not kept at all, not even in memory, or not forgotten.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The secret or its name is larger than it may be.
    #[error("a secret can have {SECRET_LIMIT} bytes and its name {NAME_LIMIT}")]
    TooLarge,
    /// There are as many as there may be.
    #[error("there are {MOST} secrets already")]
    TooMany,
    /// The file stays in the way.
    #[error(transparent)]
    File(#[from] StoreError),
}

/// Secrets by name. Clones are one.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    file: Option<PrivateFile>,
    keeper: Box<dyn KeyKeeper>,
    chooser: Chooser,
    /// Held while the keyring is asked, so that one question is open at a time.
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    /// The header that was opened last, with its key.
    opened: Option<(Header, Key)>,
    /// What waits to be kept, or lives here only.
    memory: Content,
}

impl Vault {
    /// A vault in this directory, which is made private when the first secret comes; what is sealed is sealed anew when
    /// something else is chosen; `None` keeps everything in memory.
    /// Touches nothing yet.
    pub fn new(directory: Option<&Path>, chooser: Chooser, keeper: Box<dyn KeyKeeper>) -> Self {
        let file = directory.map(|directory| PrivateFile::new(directory, FILE));
        Self(Arc::new(Inner { file, keeper, chooser, inside: Mutex::default() }))
    }

    /// As [`Self::new`], with the keyring of the system.
    pub fn of_system(directory: Option<&Path>, chooser: Chooser) -> Self {
        Self::new(directory, chooser, Box::<SystemKeyring>::default())
    }

    /// A vault that ends with the program.
    pub fn in_memory() -> Self {
        Self::of_system(None, Box::new(|| Choice { kept: Kept::Memory, passphrase_file: None }))
    }

    /// Whether there is a file to look into: without one nothing is kept and the keyring need not be asked.
    pub fn may_hold(&self) -> bool {
        self.0.file.as_ref().is_some_and(|file| file.path().exists())
    }

    /// The file, where there is a place for one.
    pub fn path(&self) -> Option<PathBuf> {
        self.0.file.as_ref().map(PrivateFile::path)
    }

    /// How it stands, and opens it if it can be. With `ask` the keyring may first ask a person to unlock it, for two
    /// minutes, while nobody else is held up; otherwise it takes five seconds at most.
    pub fn look(&self, ask: bool) -> State {
        if ask
            && self.0.choice().kept == Kept::Keyring
            && self.0.file.is_some()
            && let Err(trouble) = self.0.keeper.unlock()
        {
            return troubled(trouble);
        }
        let mut inside = self.lock();
        let waiting = !inside.memory.0.is_empty();
        let looked = match self.0.open(&mut inside, waiting) {
            Ok(_) if waiting => self.0.change(&mut inside, |_| {}),
            other => other.map(drop),
        };
        self.0.state(looked)
    }

    /// A secret that has not ended.
    ///
    /// # Errors
    /// How the vault stands, when it cannot be told.
    pub fn get(&self, name: &str) -> Result<Option<Secret>, State> {
        let mut inside = self.lock();
        inside.memory.drop_ended();
        if let Some(entry) = inside.memory.0.get(name) {
            return Ok(Some(entry.secret.clone()));
        }
        if !self.may_hold() {
            return Ok(None);
        }
        let content = self.0.open(&mut inside, false)?;
        Ok(content.and_then(|content| content.0.get(name).map(|entry| entry.secret.clone())))
    }

    /// All that is held, by name.
    ///
    /// # Errors
    /// How the vault stands, when it cannot be told; what lives in memory is then all there is.
    pub fn held(&self) -> Result<Vec<Held>, (State, Vec<Held>)> {
        let mut inside = self.lock();
        inside.memory.drop_ended();
        let mut all = inside.memory.0.clone();
        let state = match self.may_hold().then(|| self.0.open(&mut inside, false)) {
            Some(Ok(content)) => {
                all.extend(content.unwrap_or_default().0);
                None
            }
            Some(Err(state)) => Some(state),
            None => None,
        };
        let held =
            |(name, entry): (String, Entry)| Held { name, until: entry.until_ms.and_then(from_epoch_ms) };
        let all = all.into_iter().map(held).collect();
        match state {
            Some(state) if state != State::Ready(Kept::Memory) => Err((state, all)),
            _ => Ok(all),
        }
    }

    /// Keeps a secret, until it ends. Where it cannot be kept it lives in memory, and the state says why.
    ///
    /// # Errors
    /// When it is too large, or there are too many.
    pub fn put(&self, name: &str, secret: Secret, until: Option<SystemTime>) -> Result<State, VaultError> {
        if secret.expose().len() > SECRET_LIMIT || name.len() > NAME_LIMIT {
            return Err(VaultError::TooLarge);
        }
        let mut inside = self.lock();
        inside.memory.drop_ended();
        if inside.memory.0.len() >= MOST {
            return Err(VaultError::TooMany);
        }
        inside.memory.0.insert(name.to_owned(), Entry { secret, until_ms: until.map(epoch_ms) });
        let kept = self.0.change(&mut inside, |_| {});
        Ok(self.0.state(kept))
    }

    /// Removes all secrets whose names `unwanted` chooses.
    ///
    /// # Errors
    /// How the vault stands, when what is sealed could not be changed.
    pub fn remove(&self, unwanted: impl Fn(&str) -> bool) -> Result<(), State> {
        let mut inside = self.lock();
        inside.memory.0.retain(|name, _| !unwanted(name));
        if !self.may_hold() {
            return Ok(());
        }
        let held = self.0.open(&mut inside, false)?;
        if !held.is_some_and(|content| content.0.keys().any(|name| unwanted(name))) {
            return Ok(());
        }
        self.0.change(&mut inside, |content| content.0.retain(|name, _| !unwanted(name)))
    }

    /// A key of this name, made when it is first asked for. It is never one that would end with the program.
    ///
    /// # Errors
    /// How the vault stands, when it keeps nothing.
    pub fn key(&self, name: &str) -> Result<Key, State> {
        let unusable = |what: &str| State::Unusable(what.to_owned());
        let mut inside = self.lock();
        let mut found = None;
        self.0.change(&mut inside, |content| {
            let known = content.0.get(name).and_then(|entry| Key::from_bytes(entry.secret.expose()));
            found = known.or_else(|| Key::random().ok());
            if let Some(key) = &found {
                let secret = Secret::new(key.expose().to_vec());
                content.0.entry(name.to_owned()).or_insert(Entry { secret, until_ms: None });
            }
        })?;
        found.ok_or_else(|| unusable("the system gave no random bytes"))
    }

    /// Forgets every secret: the file goes, with its key in the keyring. A file that cannot be opened is kept under
    /// another name, which is returned.
    ///
    /// # Errors
    /// When the file stays.
    pub fn forget(&self) -> Result<Option<PathBuf>, VaultError> {
        let mut inside = self.lock();
        inside.memory = Content::default();
        let state = if self.may_hold() { self.0.open(&mut inside, false).err() } else { None };
        inside.opened = None;
        let Some(file) = &self.0.file else { return Ok(None) };
        if !self.may_hold() {
            return Ok(None);
        }
        let turn = file.turn()?;
        if matches!(state, Some(State::Damaged(_))) {
            return Ok(Some(file.set_aside(&turn)?));
        }
        let id = file.read(FILE_LIMIT)?.and_then(|bytes| Header::split(&bytes).map(|(header, _)| header));
        file.remove(&turn)?;
        drop(turn);
        if let Some(header) = id.filter(|header| header.key == KeyOrigin::Keyring)
            && let Err(trouble) = self.0.keeper.delete(&header.id)
        {
            // It opens nothing any more.
            tracing::info!(?trouble, "the key of the secrets stays in the keyring");
        }
        Ok(None)
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        lock(&self.0.inside)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn choice(&self) -> Choice {
        (self.chooser)()
    }

    /// The state after something was tried.
    fn state(&self, tried: Result<(), State>) -> State {
        match tried {
            Ok(()) => State::Ready(self.choice().kept),
            Err(state) => state,
        }
    }

    /// What is in the file, opened. Without a file `None`, unless `create`: then an empty one is made.
    fn open(&self, inside: &mut Inside, create: bool) -> Result<Option<Content>, State> {
        let choice = self.choice();
        let Some(file) = self.file.as_ref().filter(|_| choice.kept != Kept::Memory) else {
            return Err(State::Ready(Kept::Memory));
        };
        for _ in 0..ATTEMPTS {
            let Some(bytes) = file.read(FILE_LIMIT).map_err(unusable)? else {
                inside.opened = None;
                if !create {
                    return self.could_open(&choice).map(|()| None);
                }
                let (header, key) = self.new_key(&choice)?;
                if replace(file, None, &Content::default(), &header, &key)? {
                    inside.opened = Some((header, key));
                    return Ok(Some(Content::default()));
                }
                // Another program was faster; its file counts.
                self.drop_key(&header);
                continue;
            };
            let (header, sealed) = Header::split(&bytes).ok_or(State::Damaged(Damage::Form))?;
            let key = match inside.opened.take().filter(|(opened, _)| *opened == header) {
                Some((_, key)) => key,
                None => self.key_of(&choice, &header)?,
            };
            let content = Content::open(&header, sealed, &key)
                .map_err(|SealBroken| State::Damaged(Damage::DoesNotOpen))?;
            if header.kept() == choice.kept {
                inside.opened = Some((header, key));
                return Ok(Some(content));
            }
            let (new, key) = self.new_key(&choice)?;
            if replace(file, Some(&bytes), &content, &new, &key)? {
                self.drop_key(&header);
                inside.opened = Some((new, key));
                return Ok(Some(content));
            }
            self.drop_key(&new);
        }
        Err(State::Unusable(CONTENDED.to_owned()))
    }

    /// Changes what is sealed, and seals what waits in memory with it.
    fn change(&self, inside: &mut Inside, mut change: impl FnMut(&mut Content)) -> Result<(), State> {
        for _ in 0..ATTEMPTS {
            self.open(inside, true)?;
            let (Some(file), Some((header, key))) = (&self.file, inside.opened.clone()) else {
                return Err(State::Ready(Kept::Memory));
            };
            let turn = file.turn().map_err(unusable)?;
            // Another program may have changed it, sealed it anew, or forgotten everything.
            let Some(bytes) = file.read(FILE_LIMIT).map_err(unusable)? else { continue };
            let (now, sealed) = Header::split(&bytes).ok_or(State::Damaged(Damage::Form))?;
            if now != header {
                continue;
            }
            let mut content = Content::open(&header, sealed, &key)
                .map_err(|SealBroken| State::Damaged(Damage::DoesNotOpen))?;
            content.0.extend(inside.memory.0.clone());
            change(&mut content);
            if content.0.len() > MOST {
                return Err(State::Unusable(VaultError::TooMany.to_string()));
            }
            let sealed = content.seal(&header, &key).map_err(|broken| State::Unusable(broken.to_string()))?;
            file.replace(&turn, &sealed).map_err(unusable)?;
            inside.memory = Content::default();
            return Ok(());
        }
        Err(State::Unusable(CONTENDED.to_owned()))
    }

    /// Whether a file could be made and opened.
    fn could_open(&self, choice: &Choice) -> Result<(), State> {
        match choice.kept {
            Kept::Keyring => self.keeper.probe().map_err(troubled),
            Kept::Passphrase => passphrase(choice).map(drop),
            Kept::Memory => Err(State::Ready(Kept::Memory)),
        }
    }

    /// A new key, kept where the choice says.
    fn new_key(&self, choice: &Choice) -> Result<(Header, Key), State> {
        let random = || State::Unusable("the system gave no random bytes".to_owned());
        let id = uuid::Uuid::new_v4().simple().to_string();
        if choice.kept == Kept::Passphrase {
            let passphrase = passphrase(choice)?;
            let derivation = Derivation::new().ok_or_else(random)?;
            let key = derivation.key(&passphrase).ok_or_else(random)?;
            return Ok((Header { id, key: KeyOrigin::Passphrase(derivation) }, key));
        }
        let key = Key::random().map_err(|SealBroken| random())?;
        self.keeper.set(&id, &key).map_err(troubled)?;
        Ok((Header { id, key: KeyOrigin::Keyring }, key))
    }

    fn key_of(&self, choice: &Choice, header: &Header) -> Result<Key, State> {
        match &header.key {
            KeyOrigin::Keyring => {
                let key = self.keeper.get(&header.id).map_err(troubled)?;
                key.ok_or(State::Damaged(Damage::KeyGone))
            }
            KeyOrigin::Passphrase(derivation) => {
                derivation.key(&passphrase(choice)?).ok_or(State::Damaged(Damage::Form))
            }
        }
    }

    /// Takes a key that opens nothing out of the keyring.
    fn drop_key(&self, header: &Header) {
        if header.key == KeyOrigin::Keyring
            && let Err(trouble) = self.keeper.delete(&header.id)
        {
            tracing::info!(?trouble, "a key without a file stays in the keyring");
        }
    }
}

/// Writes the file if it still is what it was.
fn replace(
    file: &PrivateFile,
    before: Option<&[u8]>,
    content: &Content,
    header: &Header,
    key: &Key,
) -> Result<bool, State> {
    let turn = file.turn().map_err(unusable)?;
    if file.read(FILE_LIMIT).map_err(unusable)?.as_deref() != before {
        return Ok(false);
    }
    let sealed = content.seal(header, key).map_err(|broken| State::Unusable(broken.to_string()))?;
    file.replace(&turn, &sealed).map_err(unusable)?;
    Ok(true)
}

fn passphrase(choice: &Choice) -> Result<Secret, State> {
    let path = choice.passphrase_file.as_deref().ok_or(State::Absent(Absence::NoPassphraseFile))?;
    read_passphrase(path).map_err(State::Absent)
}

fn troubled(trouble: KeyTrouble) -> State {
    match trouble {
        KeyTrouble::Locked => State::Locked,
        KeyTrouble::Absent(absence) => State::Absent(absence),
        KeyTrouble::Hanging => State::Hanging,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in for map_err's closure")]
fn unusable(error: StoreError) -> State {
    State::Unusable(error.to_string())
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn unbase64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("file", &self.path()).finish_non_exhaustive()
    }
}

impl Default for Vault {
    fn default() -> Self {
        Self::in_memory()
    }
}

#[cfg(test)]
#[path = "vault_tests.rs"]
mod tests;
