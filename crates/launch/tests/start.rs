//! A client that writes down what it is given.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fleetline_launch::password::WindowsPassword;
use fleetline_launch::rdp::{Client, Desktop, FreeRdpVersion, UserName, plan};
use tempfile::TempDir;

const CANARY: &str = "canary-Pa55;word";

/// A program that writes its arguments, environment, standard input and the file named last into files beside it.
fn client(home: &Path) -> PathBuf {
    let path = home.join("client");
    let script = "#!/bin/sh\ncd \"${0%/*}\"\nprintf '%s\\n' \"$@\" > arguments\nenv > environment\ncat > input\n\
                  for last; do :; done\ncat \"$last\" > file 2>/dev/null\nls -l \"$last\" > mode 2>/dev/null\ntrue\n";
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn desktop() -> Desktop {
    let mut desktop = Desktop::new("127.0.0.1:13389".parse().unwrap(), "web-1");
    desktop.user = UserName::new("Administrator");
    desktop
}

fn written(home: &TempDir, name: &str) -> String {
    fs::read_to_string(home.path().join(name)).unwrap()
}

#[test]
fn a_password_reaches_freerdp_by_its_standard_input_only() {
    let home = tempfile::tempdir().unwrap();
    let client = Client::FreeRdp(client(home.path()), FreeRdpVersion::V3);
    let plan = plan(&client, &desktop(), true).unwrap();
    let password = WindowsPassword::new(CANARY.to_owned());
    let mut started = plan.start(home.path(), Some(&password)).unwrap();
    assert!(started.password_given && started.file.is_none());
    assert!(started.child.wait().unwrap().success());
    assert_eq!(written(&home, "input"), format!("{CANARY}\n"));
    for name in ["arguments", "environment"] {
        assert!(!written(&home, name).contains("canary"), "{name}");
    }
    assert!(written(&home, "arguments").contains("/from-stdin:force\n"));
    assert!(!format!("{plan:?}{started:?}{password:?}").contains("canary"));
}

#[test]
fn only_what_a_client_needs_of_the_environment_reaches_it() {
    let home = tempfile::tempdir().unwrap();
    let client = Client::FreeRdp(client(home.path()), FreeRdpVersion::V2);
    let mut started = plan(&client, &desktop(), false).unwrap().start(home.path(), None).unwrap();
    started.child.wait().unwrap();
    let environment = written(&home, "environment");
    assert!(environment.contains("PATH="));
    // The test runner itself has many variables of its own.
    assert!(std::env::vars().any(|(name, _)| name.starts_with("CARGO")));
    assert!(!environment.contains("CARGO") && !environment.contains("NEXTEST"), "{environment}");
    assert_eq!(written(&home, "input"), "");
}

#[test]
fn a_file_is_private_holds_no_password_and_goes_with_the_start() {
    let home = tempfile::tempdir().unwrap();
    let client = Client::Remmina(client(home.path()));
    let password = WindowsPassword::new(CANARY.to_owned());
    let mut started = plan(&client, &desktop(), true).unwrap().start(home.path(), Some(&password)).unwrap();
    assert!(!started.password_given, "Remmina asks for it");
    started.child.wait().unwrap();
    assert!(written(&home, "file").contains("server=127.0.0.1:13389"));
    assert!(!written(&home, "file").contains("canary") && written(&home, "input").is_empty());
    assert!(written(&home, "mode").starts_with("-rw------- "));
    let path = started.file.as_ref().unwrap().path().to_owned();
    assert!(path.exists());
    drop(started);
    assert!(!path.exists());
}

#[test]
fn a_client_that_is_gone_is_told_and_leaves_no_file() {
    let home = tempfile::tempdir().unwrap();
    let plan = plan(&Client::Remmina("/nowhere/remmina".into()), &desktop(), false).unwrap();
    assert!(plan.start(home.path(), None).is_err());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}
