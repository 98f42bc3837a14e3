//! Permissions, links, full disks and read-only file systems.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
#[cfg(target_os = "linux")]
use std::process::Command;

use fleetline_store::{Paths, Store, StoreErrorKind};
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn directories_and_files_are_private() {
    let home = TempDir::new().unwrap();
    let paths = Paths::below(&home.path().join("deep/er"));
    let store = Store::open(paths.clone()).unwrap();
    store.save("settings", &std::collections::BTreeMap::from([("a", 1)])).unwrap();
    store.save_cached("k", 1, &1).unwrap();
    assert_eq!((mode(&paths.config), mode(&paths.cache)), (0o700, 0o700));
    assert_eq!(mode(&paths.config.join("settings.toml")), 0o600);
    for file in fs::read_dir(&paths.cache).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[test]
fn a_directory_that_others_can_read_is_closed_to_them() {
    let home = TempDir::new().unwrap();
    let paths = Paths::below(home.path());
    fs::create_dir(&paths.config).unwrap();
    fs::set_permissions(&paths.config, Permissions::from_mode(0o755)).unwrap();
    Store::open(paths.clone()).unwrap();
    assert_eq!(mode(&paths.config), 0o700);
}

#[test]
fn a_symlinked_directory_is_refused() {
    let home = TempDir::new().unwrap();
    let elsewhere = TempDir::new().unwrap();
    let paths = Paths::below(home.path());
    symlink(elsewhere.path(), &paths.config).unwrap();
    assert_eq!(Store::open(paths).unwrap_err().kind, StoreErrorKind::UnsafePlace);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_failed_write_leaves_the_old_file_and_no_temporary() {
    let home = TempDir::new().unwrap();
    let paths = Paths::below(home.path());
    let store = Store::open(paths.clone()).unwrap();
    // A directory in the file's place makes the rename fail after everything else worked.
    fs::create_dir(paths.config.join("settings.toml")).unwrap();
    store.save("settings", &std::collections::BTreeMap::from([("a", 1)])).unwrap_err();
    assert_eq!(fs::read_dir(&paths.config).unwrap().count(), 1);
}

/// A small file system of its own, unmounted at the end.
#[cfg(target_os = "linux")]
struct Mounted(TempDir);

#[cfg(target_os = "linux")]
impl Mounted {
    /// `None` where this process may not mount.
    fn tmpfs(options: &str) -> Option<Self> {
        let place = TempDir::new().unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "fleetline-test"])
            .arg(place.path())
            .output()
            .is_ok_and(|o| o.status.success());
        done.then(|| Self(place))
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0.path()).output());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_the_old_content_stays() {
    let Some(disk) = Mounted::tmpfs("size=64k") else {
        // Not allowed to mount here: the kernel's always-full device stands in for the error itself.
        let error = fs::write("/dev/full", "x").unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        return;
    };
    let store = Store::open(Paths::below(disk.0.path())).unwrap();
    let small = std::collections::BTreeMap::from([("a", "old".to_owned())]);
    store.save("settings", &small).unwrap();
    let large = std::collections::BTreeMap::from([("a", "x".repeat(200_000))]);
    let error = store.save("settings", &large).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::DiskFull);
    assert!(
        error.to_string().ends_with("settings.toml could not be written because the disk is full"),
        "{error}"
    );
    assert_eq!(store.load::<std::collections::BTreeMap<String, String>>("settings").value["a"], "old");
    store.save("settings", &small).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_file_system_is_named() {
    let Some(disk) = Mounted::tmpfs("size=64k") else { return };
    let store = Store::open(Paths::below(disk.0.path())).unwrap();
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(disk.0.path()).status().unwrap();
    assert!(remounted.success());
    let error = store.save("settings", &std::collections::BTreeMap::from([("a", 1)])).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::ReadOnly);
    assert_eq!(
        Store::open(Paths::below(&disk.0.path().join("new"))).unwrap_err().kind,
        StoreErrorKind::ReadOnly
    );
}
