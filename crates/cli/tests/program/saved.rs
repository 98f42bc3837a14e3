//! Saved profiles and the SSH configuration, in a home of their own and without AWS.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::Ran;

struct Home(TempDir);

impl Home {
    fn new(profiles: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(home.0.path().join("fleetline/config")).unwrap();
        fs::write(home.profiles(), profiles).unwrap();
        home
    }

    fn profiles(&self) -> PathBuf {
        self.0.path().join("fleetline/config/profiles.toml")
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetline"));
        command.args(args).env_clear();
        command.env("HOME", self.0.path()).env("FLEETLINE_HOME", self.0.path().join("fleetline"));
        command.env("PATH", std::env::var("PATH").unwrap_or_default());
        Ran::of(command.output().unwrap())
    }
}

const PROFILES: &str = "# mine
[profile.web]
kind = 'ssh'
name = 'The web server'
node = 'i-0123456789abcdef0'
user = 'ec2-user'
folder = 'Prod'

[profile.ledger]
kind = 'forward'
query = 'tag:Name=bastion'
port = 5432
bind = '127.0.0.2'
";

#[test]
fn profiles_are_listed_checked_and_carried_to_another_computer() {
    let home = Home::new(PROFILES);
    let listed = home.run(&["profile", "list"]);
    assert_eq!((listed.code, listed.err.as_str()), (Some(0), ""), "{listed:?}");
    assert!(listed.out.contains("The web server") && listed.out.contains("tag:Name=bastion"), "{listed:?}");
    let json = home.run(&["profile", "list", "--json"]);
    let rows: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(rows[0]["id"], "web");
    assert_eq!(rows[1]["query"], "tag:Name=bastion");
    let checked = home.run(&["profile", "check"]);
    assert_eq!((checked.code, checked.out.as_str()), (Some(0), ""), "{checked:?}");

    let file = home.0.path().join("out.toml");
    let file = file.to_str().unwrap();
    assert_eq!(home.run(&["profile", "export", "ledger", "-o", file]).code, Some(0));
    assert!(!fs::read_to_string(file).unwrap().contains("127.0.0.2"));
    home.run(&["profile", "export", "ledger", "-o", file]).refused(8);
    home.run(&["profile", "export", "nobody"]).refused(2);
    let other = Home::new("");
    let seen = other.run(&["profile", "import", "--dry-run", file]);
    assert_eq!(seen.out, "ledger: forward, ledger\n", "{seen:?}");
    assert_eq!(fs::read_to_string(other.profiles()).unwrap(), "");
    assert_eq!(other.run(&["profile", "import", file]).code, Some(0));
    assert_eq!(other.run(&["profile", "import", file]).out, "ledger-2: forward, ledger\n");
    assert!(other.run(&["profile", "list"]).out.contains("ledger-2"));
    other.run(&["profile", "import", "/nowhere"]).refused(8);
}

#[test]
fn what_is_wrong_in_the_file_is_told_with_its_place() {
    let home = Home::new(&format!("{PROFILES}[profile.bad]\nkind = 'shell'\nnode = 7\n"));
    let checked = home.run(&["profile", "check"]);
    assert_eq!(checked.code, Some(2));
    let place = format!("{}:16:8: node must be ", home.profiles().display());
    assert!(checked.out.starts_with(&place), "{checked:?}");
    let listed = home.run(&["profile", "list"]);
    assert!(listed.out.contains("ledger") && listed.err.contains("profile check"), "{listed:?}");
}

#[test]
fn the_ssh_configuration_is_installed_verified_and_taken_back() {
    let home = Home::new(PROFILES);
    let ssh = home.0.path().join(".ssh");
    fs::create_dir(&ssh).unwrap();
    let config = ssh.join("config");
    let mine = b"# mine\r\nHost old\r\n  User me";
    fs::write(&config, mine).unwrap();
    let shown = home.run(&["ssh-config", "show"]);
    assert!(shown.err.contains("is not installed") && shown.out.contains("Host web\n"), "{shown:?}");
    let installed = home.run(&["ssh-config", "install"]);
    assert_eq!(installed.code, Some(0), "{installed:?}");
    assert!(installed.err.contains("Added `Include "), "{installed:?}");
    let said = |host: &str| {
        let output = Command::new("ssh").arg("-G").arg("-F").arg(&config).arg(host).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(
        said("web").contains("\nuser ec2-user\n") || said("web").starts_with("user ec2-user"),
        "{}",
        said("web")
    );
    let proxy = format!("'{}' ssh-proxy i-0123456789abcdef0 %p", env!("CARGO_BIN_EXE_fleetline"));
    assert!(said("web").contains(&proxy), "{}", said("web"));
    assert!(said("mi-0123456789abcdef0").contains(" ssh-proxy '%h' %p"));
    assert!(said("old").contains("user me"));
    assert!(home.run(&["ssh-config", "install"]).err.contains("up to date"));
    assert_eq!(home.run(&["ssh-config", "remove"]).code, Some(0));
    assert_eq!(fs::read(&config).unwrap(), mine);
    assert!(home.run(&["ssh-config", "remove"]).err.contains("Nothing was installed"));
    fs::write(&config, "Nonsense yes\n").unwrap();
    home.run(&["ssh-config", "install"]).refused(8);
    assert_eq!(fs::read(&config).unwrap(), b"Nonsense yes\n");
}
