use std::collections::HashMap;
use std::time::Duration;

use super::*;

/// A keyring whose troubles are chosen.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<FakeState>>);

#[derive(Default)]
struct FakeState {
    keys: HashMap<String, [u8; 32]>,
    trouble: Option<KeyTrouble>,
    asked: usize,
}

impl Fake {
    fn with<T>(&self, act: impl FnOnce(&mut FakeState) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    fn trouble(&self, trouble: Option<KeyTrouble>) {
        self.with(|state| state.trouble = trouble);
    }

    fn answer<T>(&self, act: impl FnOnce(&mut FakeState) -> T) -> Result<T, KeyTrouble> {
        self.with(|state| {
            state.asked += 1;
            match state.trouble.clone() {
                Some(trouble) => Err(trouble),
                None => Ok(act(state)),
            }
        })
    }
}

impl KeyKeeper for Fake {
    fn probe(&self) -> Result<(), KeyTrouble> {
        self.answer(|_| ())
    }

    fn unlock(&self) -> Result<(), KeyTrouble> {
        self.with(|state| {
            if state.trouble == Some(KeyTrouble::Locked) {
                state.trouble = None;
            }
        });
        self.answer(|_| ())
    }

    fn get(&self, id: &str) -> Result<Option<Key>, KeyTrouble> {
        self.answer(|state| state.keys.get(id).and_then(|key| Key::from_bytes(key)))
    }

    fn set(&self, id: &str, key: &Key) -> Result<(), KeyTrouble> {
        self.answer(|state| state.keys.insert(id.to_owned(), *key.expose())).map(drop)
    }

    fn delete(&self, id: &str) -> Result<(), KeyTrouble> {
        self.answer(|state| state.keys.remove(id)).map(drop)
    }
}

struct Place {
    home: tempfile::TempDir,
    keyring: Fake,
}

impl Place {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap(), keyring: Fake::default() }
    }

    /// The vault as another program would open it.
    fn vault(&self, choice: Choice) -> Vault {
        self.following(Arc::new(Mutex::new(choice)))
    }

    /// A vault whose choice is made elsewhere.
    fn following(&self, choice: Arc<Mutex<Choice>>) -> Vault {
        let chooser = Box::new(move || choice.lock().unwrap().clone());
        Vault::new(Some(&self.home.path().join("private")), chooser, Box::new(self.keyring.clone()))
    }

    fn by_keyring(&self) -> Vault {
        self.vault(Choice::default())
    }

    fn by_passphrase(&self, text: &str) -> Choice {
        let file = self.home.path().join("passphrase");
        std::fs::write(&file, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        Choice { kept: Kept::Passphrase, passphrase_file: Some(file) }
    }

    fn sealed(&self) -> Vec<u8> {
        std::fs::read(self.home.path().join("private/secrets.sealed")).unwrap()
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

const BY_KEYRING: State = State::Ready(Kept::Keyring);

#[test]
fn a_secret_is_read_back_by_another_program_and_is_nowhere_in_clear() {
    let place = Place::new();
    let vault = place.by_keyring();
    assert_eq!(vault.look(false), BY_KEYRING);
    assert!(!vault.may_hold(), "looking makes no file");
    assert_eq!(vault.put("a", secret("open sesame"), None), Ok(BY_KEYRING));
    assert_eq!(place.by_keyring().get("a"), Ok(Some(secret("open sesame"))));
    assert_eq!(place.by_keyring().get("b"), Ok(None));
    let sealed = place.sealed();
    for clear in ["open sesame", "b3BlbiBzZXNhbWU"] {
        assert!(!sealed.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear}");
    }
    // Two programs at once: neither loses what the other put.
    let other = place.by_keyring();
    assert_eq!(other.put("b", secret("two"), None), Ok(BY_KEYRING));
    assert_eq!(vault.put("c", secret("three"), None), Ok(BY_KEYRING));
    let names: Vec<String> = other.held().unwrap().into_iter().map(|held| held.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    vault.remove(|name| name != "b").unwrap();
    assert_eq!((other.get("a"), other.get("b")), (Ok(None), Ok(Some(secret("two")))));
}

#[test]
fn what_has_ended_is_not_held_any_more() {
    let place = Place::new();
    let vault = place.by_keyring();
    let soon = SystemTime::now() + Duration::from_secs(3600);
    let past = SystemTime::now() - Duration::from_secs(1);
    vault.put("over", secret("one"), Some(past)).unwrap();
    vault.put("running", secret("two"), Some(soon)).unwrap();
    let held = place.by_keyring().held().unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].until.map(epoch_ms), Some(epoch_ms(soon)));
    assert_eq!(vault.get("over"), Ok(None));
}

#[test]
fn a_keyring_in_trouble_costs_lasting_and_what_waited_is_kept_when_it_is_over() {
    let place = Place::new();
    let named = [
        (KeyTrouble::Locked, State::Locked),
        (KeyTrouble::Hanging, State::Hanging),
        (KeyTrouble::Absent(Absence::NoKeyring), State::Absent(Absence::NoKeyring)),
    ];
    let vault = place.by_keyring();
    for (trouble, state) in named {
        place.keyring.trouble(Some(trouble));
        assert_eq!(vault.look(false), state);
        assert_eq!(vault.put("a", secret("one"), None), Ok(state.clone()));
        assert_eq!(vault.get("a"), Ok(Some(secret("one"))), "it lives in memory");
        assert_eq!(vault.key("recordings").map(drop), Err(state), "a key that would end is none");
        assert!(!vault.may_hold());
    }
    place.keyring.trouble(Some(KeyTrouble::Locked));
    assert_eq!(vault.look(true), BY_KEYRING, "a person unlocked it");
    assert_eq!(place.by_keyring().get("a"), Ok(Some(secret("one"))));
    place.keyring.trouble(Some(KeyTrouble::Locked));
    assert_eq!(place.by_keyring().get("a"), Err(State::Locked));
    assert_eq!(vault.get("a"), Ok(Some(secret("one"))), "an open vault asks for its key once");
}

#[test]
fn a_file_that_does_not_open_stays_until_somebody_starts_anew_and_is_kept_aside_then() {
    let place = Place::new();
    place.by_keyring().put("a", secret("one"), None).unwrap();
    let path = place.by_keyring().path().unwrap();
    let sealed = place.sealed();
    let mut changed = sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    let gone = place.keyring.with(|state| std::mem::take(&mut state.keys));
    for (bytes, keys, damage) in [
        (b"nonsense".to_vec(), &gone, Damage::Form),
        (changed, &gone, Damage::DoesNotOpen),
        (sealed, &HashMap::new(), Damage::KeyGone),
    ] {
        place.keyring.with(|state| state.keys.clone_from(keys));
        std::fs::write(&path, &bytes).unwrap();
        let vault = place.by_keyring();
        let state = State::Damaged(damage);
        assert_eq!(vault.look(false), state);
        assert_eq!(vault.get("a"), Err(state.clone()));
        assert_eq!(vault.put("b", secret("two"), None), Ok(state.clone()));
        assert_eq!(vault.key("k").map(drop), Err(state));
        assert_eq!(place.sealed(), bytes, "it is never written over");
        let aside = vault.forget().unwrap().unwrap();
        assert_eq!(std::fs::read(aside).unwrap(), bytes);
        assert_eq!(vault.put("b", secret("two"), None), Ok(BY_KEYRING));
        assert_eq!(place.by_keyring().get("b"), Ok(Some(secret("two"))));
    }
}

#[test]
fn a_passphrase_opens_it_where_there_is_no_keyring_and_a_change_of_mind_seals_it_anew() {
    let place = Place::new();
    let by_passphrase = place.by_passphrase("correct horse\n");
    let state = State::Ready(Kept::Passphrase);
    place.by_keyring().put("a", secret("one"), None).unwrap();
    assert_eq!(place.vault(by_passphrase.clone()).look(false), state);
    assert!(place.keyring.with(|state| state.keys.is_empty()), "the old key opens nothing and is gone");
    place.keyring.trouble(Some(KeyTrouble::Absent(Absence::NoKeyring)));
    let vault = place.vault(by_passphrase.clone());
    assert_eq!(vault.get("a"), Ok(Some(secret("one"))));
    place.by_passphrase("another horse\n");
    assert_eq!(place.vault(by_passphrase.clone()).get("a"), Err(State::Damaged(Damage::DoesNotOpen)));
    place.by_passphrase("correct horse\n");
    assert_eq!(place.vault(by_passphrase).get("a"), Ok(Some(secret("one"))));
    let missing = Choice { kept: Kept::Passphrase, passphrase_file: None };
    assert_eq!(place.vault(missing).look(false), State::Absent(Absence::NoPassphraseFile));
    place.keyring.trouble(None);
    let chosen = Arc::new(Mutex::new(place.by_passphrase("correct horse\n")));
    let following = place.following(chosen.clone());
    assert_eq!(following.look(false), state);
    chosen.lock().unwrap().kept = Kept::Keyring;
    assert_eq!(following.get("a"), Ok(Some(secret("one"))));
    assert_eq!(place.by_keyring().get("a"), Ok(Some(secret("one"))));
}

#[test]
fn a_vault_in_memory_reads_and_writes_nothing_and_never_asks_the_keyring() {
    let place = Place::new();
    place.by_keyring().put("a", secret("one"), None).unwrap();
    let asked = place.keyring.with(|state| state.asked);
    let vault = place.vault(Choice { kept: Kept::Memory, passphrase_file: None });
    let state = State::Ready(Kept::Memory);
    assert_eq!(vault.look(true), state);
    assert_eq!(vault.put("b", secret("two"), None), Ok(state.clone()));
    assert_eq!(vault.held().unwrap().len(), 1);
    assert_eq!(vault.key("k").map(drop), Err(state));
    assert_eq!(place.keyring.with(|state| state.asked), asked);
    assert_eq!(Vault::in_memory().look(false), State::Ready(Kept::Memory));
}

#[test]
fn a_key_is_made_once_and_forgetting_takes_file_and_key() {
    let place = Place::new();
    let key = place.by_keyring().key("recordings").unwrap();
    assert_eq!(place.by_keyring().key("recordings").unwrap().expose(), key.expose());
    let vault = place.by_keyring();
    assert_eq!(vault.forget(), Ok(None));
    assert!(!vault.may_hold() && place.keyring.with(|state| state.keys.is_empty()));
    assert_ne!(vault.key("recordings").unwrap().expose(), key.expose());
    let large = Secret::new(vec![0; SECRET_LIMIT + 1]);
    assert_eq!(vault.put("large", large, None), Err(VaultError::TooLarge));
}

#[test]
fn many_programs_at_once_lose_nothing() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for program in 0..4 {
            let place = &place;
            scope.spawn(move || {
                let vault = place.by_keyring();
                for number in 0..10 {
                    vault.put(&format!("{program}-{number}"), secret("x"), None).unwrap();
                }
            });
        }
    });
    assert_eq!(place.by_keyring().held().unwrap().len(), 40);
    assert_eq!(place.keyring.with(|state| state.keys.len()), 1, "keys of files that came too late are gone");
}
