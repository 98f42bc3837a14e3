//! Documents and cache in real directories.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::fs;

use fleetline_store::{Paths, Store, StoreErrorKind};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Look {
    theme: Theme,
    font_px: u32,
    mini: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Theme {
    System,
    Dark,
}

impl Default for Look {
    fn default() -> Self {
        Self { theme: Theme::System, font_px: 13, mini: false }
    }
}

fn store() -> (TempDir, Paths, Store) {
    let home = TempDir::new().unwrap();
    let paths = Paths::below(home.path());
    let store = Store::open(paths.clone()).unwrap();
    (home, paths, store)
}

#[test]
fn a_saved_document_is_loaded_again() {
    let (_home, _, store) = store();
    let look = Look { theme: Theme::Dark, font_px: 15, mini: true };
    store.save("settings", &look).unwrap();
    let loaded = store.load::<Look>("settings");
    assert_eq!((loaded.value, loaded.setback), (look, None));
}

#[test]
fn a_missing_document_is_the_default_without_a_setback() {
    let (_home, _, store) = store();
    let loaded = store.load::<Look>("settings");
    assert_eq!((loaded.value, loaded.setback), (Look::default(), None));
    assert_eq!(store.load_optional::<Look>("choice").value, None);
}

#[test]
fn a_value_that_does_not_fit_costs_that_key_only() {
    let (_home, paths, store) = store();
    let text = "theme = \"plaid\"\nfont_px = 20\nmini = true\nlater = 1\n";
    fs::write(paths.config.join("settings.toml"), text).unwrap();
    let loaded = store.load::<Look>("settings");
    assert_eq!(loaded.value, Look { theme: Theme::System, font_px: 20, mini: true });
    let setback = loaded.setback.unwrap();
    assert!(setback.message.ends_with("defaults are used for: theme."), "{}", setback.message);
    assert_eq!(fs::read_to_string(setback.backup.unwrap()).unwrap(), text);
}

#[test]
fn a_garbled_document_is_kept_aside_and_named() {
    let (_home, paths, store) = store();
    let path = paths.config.join("settings.toml");
    for (round, garbage) in
        [b"theme = \"dark".to_vec(), vec![0xff, 0xfe, 0], vec![b'#'; 2 << 20]].iter().enumerate()
    {
        fs::write(&path, garbage).unwrap();
        let loaded = store.load::<Look>("settings");
        assert_eq!(loaded.value, Look::default());
        let backup = loaded.setback.unwrap().backup.unwrap();
        assert!(backup.ends_with(format!("settings.toml.backup-{}", round + 1)));
        assert_eq!(&fs::read(backup).unwrap(), garbage);
        assert!(!path.exists());
    }
    store.save("settings", &Look::default()).unwrap();
    assert_eq!(store.load::<Look>("settings").setback, None);
}

#[test]
fn an_optional_document_that_is_garbled_is_none_with_a_setback() {
    let (_home, paths, store) = store();
    fs::write(paths.config.join("choice.toml"), "kind = 7").unwrap();
    let loaded = store.load_optional::<std::collections::BTreeMap<String, String>>("choice");
    assert_eq!(loaded.value, None);
    assert!(loaded.setback.unwrap().backup.unwrap().exists());
}

#[test]
fn a_forgotten_document_is_gone_and_may_be_forgotten_again() {
    let (_home, _, store) = store();
    store.save("choice", &Look::default()).unwrap();
    store.forget("choice").unwrap();
    store.forget("choice").unwrap();
    assert_eq!(store.load_optional::<Look>("choice").value, None);
}

#[test]
fn a_store_in_memory_forgets_and_never_fails() {
    let store = Store::in_memory();
    store.save("settings", &Look { theme: Theme::Dark, font_px: 9, mini: true }).unwrap();
    store.save_cached("a", 1, &vec![1]).unwrap();
    assert_eq!(store.load::<Look>("settings").value, Look::default());
    assert_eq!(store.cached::<Vec<i32>>("a"), None);
    assert!(!store.is_persistent());
}

#[test]
fn a_cached_value_comes_back_with_its_time() {
    let (_home, _, store) = store();
    store.save_cached("prod/eu-central-1", 1_700_000_000_000, &vec!["i-1".to_owned()]).unwrap();
    let cached = store.cached::<Vec<String>>("prod/eu-central-1").unwrap();
    assert_eq!((cached.saved_ms, cached.value), (1_700_000_000_000, vec!["i-1".to_owned()]));
    assert_eq!(
        store.cached::<Vec<String>>("prod:eu-central-1"),
        None,
        "another key, though its name looks alike"
    );
    store.forget_cached("prod/eu-central-1");
    assert_eq!(store.cached::<Vec<String>>("prod/eu-central-1"), None);
}

#[test]
fn any_key_stays_inside_the_cache_directory() {
    let (home, paths, store) = store();
    for key in ["../../escape", "", "a\0b", "CON", &"ü/".repeat(500)] {
        store.save_cached(key, 1, &1).unwrap();
        assert_eq!(store.cached::<i32>(key).unwrap().value, 1, "{key:?}");
    }
    assert_eq!(fs::read_dir(&paths.cache).unwrap().count(), 5);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
}

#[test]
fn a_garbled_cache_is_ignored() {
    let (_home, paths, store) = store();
    store.save_cached("a", 1, &vec![1, 2, 3]).unwrap();
    let file = fs::read_dir(&paths.cache).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&file).unwrap();
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..cut]).unwrap();
        assert_eq!(store.cached::<Vec<i32>>("a"), None);
    }
    let other = String::from_utf8(whole).unwrap().replace("\"format\":1", "\"format\":2");
    fs::write(&file, other).unwrap();
    assert_eq!(store.cached::<Vec<i32>>("a"), None);
}

#[test]
fn an_oversized_value_is_refused_and_leaves_no_file() {
    let (_home, paths, store) = store();
    let large = "x".repeat(2 << 20);
    assert_eq!(
        store
            .save("settings", &[("a", &large)].into_iter().collect::<std::collections::BTreeMap<_, _>>())
            .unwrap_err()
            .kind,
        StoreErrorKind::TooLarge
    );
    store.save_cached("a", 1, &1).unwrap();
    let huge = "x".repeat(65 << 20);
    assert_eq!(store.save_cached("a", 2, &huge).unwrap_err().kind, StoreErrorKind::TooLarge);
    assert_eq!(store.cached::<i32>("a"), None, "the old value would mislead");
    assert_eq!(fs::read_dir(&paths.config).unwrap().count(), 0);
}

#[test]
fn a_path_below_a_file_is_refused() {
    let home = TempDir::new().unwrap();
    fs::write(home.path().join("config"), "").unwrap();
    let error = Store::open(Paths::below(home.path())).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::UnsafePlace);
    assert!(error.to_string().contains("is not used because"), "{error}");
}
