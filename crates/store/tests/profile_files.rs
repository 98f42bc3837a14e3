//! Profiles on disk: crashes, other programs, and files to give away.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use fleetline_store::profiles::{
    Edit, EditFailed, Import, ImportRefused, Local, ProfileId, ProfileKind, ProfileWatch, Profiles, Severity,
    export_text, import_text, read_text,
};
use fleetline_store::{Paths, Store};
use tempfile::TempDir;

fn id(text: &str) -> ProfileId {
    ProfileId::new(text).unwrap()
}

fn open() -> (TempDir, Store) {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(Paths::below(home.path())).unwrap();
    (home, store)
}

const SHELL: &str = "# mine\n[profile.web]\nkind = 'shell'\nnode = 'i-1'\n";

#[test]
fn edits_reach_the_disk_with_what_stands_there_by_then() {
    let (_home, store) = open();
    assert!(store.load_profiles().profiles.is_empty());
    let web = read_text(SHELL).get(&id("web")).unwrap().clone();
    let saved = store.edit_profiles(&[Edit::Put(web)]).unwrap();
    assert_eq!(saved.fingerprint, store.load_profiles().fingerprint);
    // Somebody adds one by hand in between.
    let path = store.profiles_path().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}[profile.b]\nkind = 'shell'\nnode = 'i-2'\n")).unwrap();
    let saved = store.edit_profiles(&[Edit::Remove(id("web"))]).unwrap();
    assert_eq!(saved.profiles.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(matches!(Store::in_memory().edit_profiles(&[]), Ok(loaded) if loaded.path.is_none()));
}

#[test]
fn a_refused_edit_leaves_the_file_as_it_is() {
    let (_home, store) = open();
    let path = store.profiles_path().unwrap();
    let text = "[profile.web]\nkind = \n";
    std::fs::write(&path, text).unwrap();
    let refused = store.edit_profiles(&[Edit::Remove(id("web"))]).unwrap_err();
    assert!(matches!(refused, EditFailed::Refused(_)), "{refused}");
    std::fs::write(&path, b"\xff").unwrap();
    assert!(matches!(store.edit_profiles(&[]), Err(EditFailed::Store(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"\xff");
}

#[cfg(unix)]
#[test]
fn a_linked_file_is_changed_where_it_is() {
    let (home, store) = open();
    let elsewhere = home.path().join("elsewhere.toml");
    std::fs::write(&elsewhere, SHELL).unwrap();
    std::os::unix::fs::symlink(&elsewhere, store.profiles_path().unwrap()).unwrap();
    store.edit_profiles(&[Edit::Remove(id("web"))]).unwrap();
    assert!(std::fs::symlink_metadata(store.profiles_path().unwrap()).unwrap().is_symlink());
    assert!(!std::fs::read_to_string(&elsewhere).unwrap().contains("profile.web"));
}

const CHILD: &str = "FLEETLINE_TEST_PROFILE_WRITER";

/// Not a test of its own: the process that is killed. It counts up the name of one profile of many, for ever.
#[test]
fn child_that_saves_for_ever() {
    let Some(home) = std::env::var_os(CHILD) else { return };
    let store = Store::open(Paths::below(home.as_ref())).unwrap();
    let mut counted = store.load_profiles().profiles.get(&id("p7")).unwrap().clone();
    loop {
        let number: u64 = counted.name.parse().unwrap();
        counted.name = (number + 1).to_string();
        store.edit_profiles(&[Edit::Put(counted.clone())]).unwrap();
        println!("{}", counted.name);
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_saved() {
    use std::io::{BufRead, BufReader};
    let (home, store) = open();
    let text: String = (0..200)
        .map(|n| {
            format!("# note {n}\n[profile.p{n}]\nname = '0'\nkind = 'shell'\nnode = 'i-{n}'\nx-own = {n}\n")
        })
        .collect();
    std::fs::write(store.profiles_path().unwrap(), text).unwrap();
    let mut seed = 12345_u64;
    for _ in 0..15 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_saves_for_ever", "--nocapture"])
            .env(CHILD, home.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let saves = 1 + (seed >> 60);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut said = 0;
        for _ in 0..saves {
            said = lines.by_ref().find_map(|line| line.parse::<u64>().ok()).unwrap();
        }
        // Somewhere within the next save.
        std::thread::sleep(Duration::from_micros(seed >> 32 & 0xfff));
        child.kill().unwrap();
        child.wait().unwrap();
        said = lines.filter_map(|line| line.parse::<u64>().ok()).last().unwrap_or(said);
        let loaded = store.load_profiles();
        assert!(loaded.unreadable.is_none());
        let refused = |p: &&fleetline_store::profiles::Problem| p.severity == Severity::Refused;
        assert_eq!(loaded.profiles.problems().iter().filter(refused).count(), 0);
        assert_eq!(loaded.profiles.len(), 200);
        let number: u64 = loaded.profiles.get(&id("p7")).unwrap().name.parse().unwrap();
        assert!(number == said || number == said + 1, "{number} on disk, {said} told");
    }
    // The next save removes what the killed ones left, and the comments are all there.
    store.edit_profiles(&[Edit::Remove(id("p0"))]).unwrap();
    let directory = store.profiles_path().unwrap().parent().unwrap().to_owned();
    let left = std::fs::read_dir(directory).unwrap().flatten().map(|e| e.file_name().into_string().unwrap());
    assert_eq!(left.filter(|name| name.ends_with(".tmp")).collect::<Vec<_>>(), Vec::<String>::new());
    let text = std::fs::read_to_string(store.profiles_path().unwrap()).unwrap();
    assert_eq!((text.matches("# note ").count(), text.matches("x-own").count()), (199, 199));
}

const PATIENCE: Duration = Duration::from_secs(20);

fn watch(store: &Store) -> (ProfileWatch, Receiver<Profiles>) {
    let (told, changes) = channel();
    let known = store.load_profiles().fingerprint;
    let watch =
        ProfileWatch::start(store.clone(), known, move |loaded| told.send(loaded.profiles).unwrap()).unwrap();
    (watch, changes)
}

#[test]
fn changes_of_others_are_told_once_and_own_ones_never() {
    let (_home, store) = open();
    let (watch, changes) = watch(&store);
    let path = store.profiles_path().unwrap();
    // A burst, as an editor makes it.
    for cut in [10, 20, SHELL.len()] {
        std::fs::write(&path, &SHELL[..cut]).unwrap();
    }
    let told = changes.recv_timeout(PATIENCE).unwrap();
    assert_eq!(told.len(), 1);
    // One's own change, then another's: only the second is told.
    let mut web = told.get(&id("web")).unwrap().clone();
    web.favourite = true;
    watch.wrote(store.edit_profiles(&[Edit::Put(web)]).unwrap().fingerprint);
    std::fs::write(path.with_file_name("settings.toml"), "a = 1").unwrap();
    std::fs::rename(&path, path.with_file_name("elsewhere")).unwrap();
    let told = changes.recv_timeout(PATIENCE).unwrap();
    assert!(told.is_empty(), "the next thing told is that the file is gone");
    std::fs::rename(path.with_file_name("elsewhere"), &path).unwrap();
    let told = changes.recv_timeout(PATIENCE).unwrap();
    assert!(told.get(&id("web")).unwrap().favourite);
    drop(watch);
    std::fs::write(&path, "").unwrap();
    assert!(changes.recv_timeout(PATIENCE).is_err(), "the callback is gone with the watch");
}

const COLLEAGUE: &str = "version = 1
[defaults]
source = 'theirs'
bind = '0.0.0.0'
[folder.Shared]
lanes = 2
other-users = true
[profile.web]
kind = 'forward'
folder = 'Shared'
node = 'i-9'
port = 80
favourite = true
start = 'always'
command = 'rm -rf /'
socket = '/home/me/.bashrc'
[profile.desk]
kind = 'rdp'
node = 'i-9'
rdp-client = 'mstsc'
rdp-drives = true
[profile.both]
kind = 'bundle'
members = ['web', 'desk', 'other']
[profile.run]
kind = 'document'
node = 'i-9'
document = 'AWS-StartInteractiveCommand'
parameters.command = ['rm -rf /home']
";

#[test]
fn an_imported_file_cannot_decide_what_this_computer_opens() {
    let here = read_text(
        "[profile.web]\nkind = 'shell'\nnode = 'i-1'\n[profile.other]\nkind = 'shell'\nnode = 'i-1'",
    );
    let import = import_text(COLLEAGUE.as_bytes(), &here).unwrap();
    let Import { profiles, folders, problems } = &import;
    let ids: Vec<_> = profiles.iter().map(|p| p.id.as_str()).collect();
    assert_eq!(ids, ["web-2", "desk", "both", "run"]);
    for profile in profiles {
        let settings = &profile.settings;
        assert_eq!((settings.bind, settings.other_users, settings.start), (None, None, None));
        assert_eq!((settings.rdp_client, settings.rdp_drives), (None, None));
        assert!(!profile.favourite);
        assert_eq!(settings.source.as_deref(), Some("theirs"), "what the file gives to all comes along");
    }
    let ProfileKind::Forward { local, .. } = &profiles[0].kind else { panic!("{profiles:?}") };
    assert_eq!(*local, Local::Port(0));
    let ProfileKind::Bundle { members } = &profiles[2].kind else { panic!("{profiles:?}") };
    assert_eq!(*members, [id("web-2"), id("desk")], "never one that is here by chance");
    let ProfileKind::Document { parameters, .. } = &profiles[3].kind else { panic!("{profiles:?}") };
    assert!(parameters.is_empty());
    assert_eq!(folders.len(), 1);
    assert_eq!(folders[0].settings.other_users, None);
    let told: Vec<_> =
        problems.iter().map(|p| (p.line, p.message.split([' ', ',']).next().unwrap())).collect();
    for (line, key) in [
        (4, "bind"),
        (7, "other-users"),
        (14, "start"),
        (16, "socket"),
        (20, "rdp-client"),
        (21, "rdp-drives"),
        (29, "parameters"),
    ] {
        assert!(told.contains(&(line, key)), "{line} {key}: {told:?}");
    }
    assert!(problems.iter().any(|p| p.line == 15 && p.severity == Severity::Unknown), "{problems:?}");
    let (_home, store) = open();
    let added = store.edit_profiles(&import.edits()).unwrap();
    assert_eq!(added.profiles.len(), 4);
    let text = std::fs::read_to_string(store.profiles_path().unwrap()).unwrap();
    for forbidden in ["command =", "rm -rf", "0.0.0.0", "bashrc", "mstsc", "always", "other-users"] {
        assert!(!text.contains(forbidden), "{text}");
    }
}

#[test]
fn what_is_exported_can_be_imported_elsewhere() {
    let mine = read_text(
        "[defaults]\nregion = 'eu-west-1'\nkey-file = '/home/me/key.pem'\n[folder.A]\nlanes = 3\n\
         [folder.B]\nlanes = 9\n[profile.x]\nkind = 'ssh'\nnode = 'i-1'\nfolder = 'A/C'\nuser = 'me'\n\
         [profile.y]\nkind = 'shell'\nnode = 'i-2'\nfolder = 'B'\n",
    );
    let text = export_text(&mine, &[id("x")]).unwrap();
    assert!(!text.contains("key") && !text.contains("profile.y") && !text.contains("folder.B"), "{text}");
    let import = import_text(text.as_bytes(), &Profiles::default()).unwrap();
    assert_eq!(import.problems, []);
    let (_home, store) = open();
    let there = store.edit_profiles(&import.edits()).unwrap().profiles;
    let x = there.effective(there.get(&id("x")).unwrap());
    assert_eq!(x.region.value.as_deref(), Some("eu-west-1"));
    assert_eq!(x.lanes.value.get(), 3);
    assert_eq!(x.user.value.as_deref(), Some("me"));
}

#[test]
fn files_that_are_nothing_for_us_are_refused_by_name() {
    let import = |bytes: &[u8]| import_text(bytes, &Profiles::default()).unwrap_err();
    assert_eq!(import(b"\xff"), ImportRefused::NotText);
    assert_eq!(import(&vec![b' '; 1024 * 1024 + 1]), ImportRefused::TooLarge);
    assert_eq!(import(b"version = 99\n[profile.a]\nkind='shell'\nnode='i-1'"), ImportRefused::Newer);
    assert_eq!(import(b"{\"profiles\": []}"), ImportRefused::Empty);
    assert_eq!(import(b""), ImportRefused::Empty);
}
