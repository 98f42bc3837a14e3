//! Secrets in a real keyring on a bus of the test, and keyrings that are locked, absent or silent.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use zbus::blocking::fdo::DBusProxy;
use zbus::blocking::{Connection, Proxy, connection};
use zbus::zvariant::OwnedObjectPath;

use crate::Lab;
use crate::mfa;
use crate::terminal::Terminal;

const NAME: &str = "org.freedesktop.secrets";
/// A bus on which nothing is started by itself.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=@DIR@</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// A bus of its own, which ends with the test.
struct Bus {
    programs: Vec<Child>,
    directory: tempfile::TempDir,
    address: String,
}

impl Bus {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("bus.conf");
        std::fs::write(&config, BUS.replace("@DIR@", &directory.path().display().to_string())).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon is installed");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { programs: vec![daemon], directory, address: address.trim().to_owned() }
    }

    fn connect(&self) -> Connection {
        connection::Builder::address(self.address.as_str()).unwrap().build().unwrap()
    }

    /// A bus with an unlocked gnome-keyring.
    fn with_keyring() -> Self {
        let mut bus = Self::start();
        let connection = bus.connect();
        let names = DBusProxy::new(&connection).unwrap();
        let mut changes = names.receive_name_owner_changed_with_args(&[(0, NAME)]).unwrap();
        let mut keyring = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--components=secrets", "--unlock"])
            .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
            .env("HOME", bus.directory.path())
            .env("XDG_DATA_HOME", bus.directory.path())
            .env("XDG_RUNTIME_DIR", bus.directory.path())
            .env_remove("DISPLAY")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring is installed");
        keyring.stdin.take().unwrap().write_all(b"password").unwrap();
        bus.programs.push(keyring);
        changes.next().expect("the keyring comes up");
        bus
    }

    fn lock(&self) {
        let bus = self.connect();
        let service =
            Proxy::new(&bus, NAME, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service").unwrap();
        let collection: OwnedObjectPath = service.call("ReadAlias", &("default",)).unwrap();
        let (locked, _): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            service.call("Lock", &(vec![collection],)).unwrap();
        assert_eq!(locked.len(), 1);
    }

    fn variable(&self) -> [(&str, &str); 1] {
        [("DBUS_SESSION_BUS_ADDRESS", &self.address)]
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        for program in self.programs.iter_mut().rev() {
            program.kill().ok();
            program.wait().ok();
        }
    }
}

#[track_caller]
fn status(lab: &Lab, variables: &[(&str, &str)]) -> Value {
    let ran = lab.run_with(&["secrets", "status", "--json"], variables);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

/// Lists nodes and gives the code that is asked for.
#[track_caller]
fn list_with_code(lab: &Lab, variables: &[(&str, &str)]) {
    let mut terminal = Terminal::start(lab, &["nodes", "--source", "core", "--csv"], variables);
    terminal.expect("for the role");
    terminal.write(format!("{}\r", mfa::code(lab)).as_bytes());
    terminal.expect("node_id,name");
    assert!(terminal.wait().success());
}

fn sealed(lab: &Lab) -> std::path::PathBuf {
    lab.directory.path().join(".local/share/fleetline/private/secrets.sealed")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_serves_the_next_program_by_the_keyring_and_goes_with_its_profile() {
    let (lab, bus) = (mfa::lab().await, Bus::with_keyring());
    let ready = serde_json::json!({ "state": "ready", "kept": "keyring" });
    assert_eq!(status(&lab, &bus.variable())["state"], ready);
    list_with_code(&lab, &bus.variable());
    let listed = lab.run_with(&["nodes", "--source", "core", "--csv"], &bus.variable());
    assert_eq!(listed.code, Some(0), "{listed:?}");
    assert_eq!(lab.simulator.control().calls()["AssumeRole"], 1, "one code served both");
    let now = status(&lab, &bus.variable());
    assert_eq!((&now["state"], &now["sessions"][0]["source"]), (&ready, &Value::from("core")));
    let file = std::fs::read(sealed(&lab)).unwrap();
    for clear in ["ASIA", "core", "token"] {
        assert!(!file.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear}");
    }
    let state =
        &serde_json::from_str::<Value>(&lab.run_with(&["accounts", "list", "--json"], &bus.variable()).out)
            .unwrap()["sources"][0]["state"]["state"];
    assert_eq!(state, "ready", "a kept session needs no code");
    let config = std::fs::read_to_string(&lab.config).unwrap();
    std::fs::write(&lab.config, config.replace("[profile core]", "[profile other]")).unwrap();
    assert_eq!(status(&lab, &bus.variable())["sessions"], serde_json::json!([]));
    std::fs::write(&lab.config, config).unwrap();
    lab.run_with(&["nodes", "--source", "core"], &bus.variable()).refused(5);
    let forgotten = lab.run_with(&["secrets", "forget"], &bus.variable());
    assert_eq!(forgotten.code, Some(0), "{forgotten:?}");
    assert!(!sealed(&lab).exists());
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_keyring_is_named_and_asks_nobody_while_the_code_serves_its_program() {
    let (lab, bus) = (mfa::lab().await, Bus::with_keyring());
    list_with_code(&lab, &bus.variable());
    bus.lock();
    assert_eq!(status(&lab, &bus.variable())["state"], serde_json::json!({ "state": "locked" }));
    let said = lab.run_with(&["secrets", "status"], &bus.variable());
    assert!(said.out.contains("The keyring is locked") && said.out.contains("secrets unlock"), "{said:?}");
    list_with_code(&lab, &bus.variable());
    assert_eq!(lab.simulator.control().calls()["AssumeRole"], 2);
    // Nobody is there whom the keyring could ask.
    let unlocked = lab.run_with(&["secrets", "unlock", "--json"], &bus.variable());
    let state = serde_json::from_str::<Value>(&unlocked.out).unwrap()["state"]["state"].clone();
    assert_eq!(state, "locked", "{unlocked:?}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_keyring_is_named_and_a_passphrase_file_takes_its_place() {
    let (lab, bus) = (mfa::lab().await, Bus::start());
    let absent = serde_json::json!({ "state": "absent", "what": "keyring", "detail": null });
    assert_eq!(status(&lab, &bus.variable())["state"], absent);
    assert_eq!(status(&lab, &[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")])["state"], absent);
    list_with_code(&lab, &bus.variable());
    assert!(!sealed(&lab).exists(), "nothing is written that nothing seals");
    let passphrase = lab.directory.path().join("passphrase");
    let path = passphrase.display().to_string();
    let keep = ["secrets", "keep", "passphrase", &path, "--json"];
    let what = |ran: crate::Ran| serde_json::from_str::<Value>(&ran.out).unwrap()["state"]["what"].clone();
    assert_eq!(what(lab.run_with(&keep, &bus.variable())), "passphrase_readable");
    std::fs::write(&passphrase, "correct horse\n").unwrap();
    let mode = |mode| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&passphrase, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o644);
    assert_eq!(what(lab.run_with(&keep, &bus.variable())), "passphrase_private");
    mode(0o600);
    list_with_code(&lab, &bus.variable());
    let listed = lab.run_with(&["nodes", "--source", "core", "--csv"], &bus.variable());
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let ready = serde_json::json!({ "state": "ready", "kept": "passphrase" });
    assert_eq!(status(&lab, &bus.variable())["state"], ready);
    std::fs::write(&passphrase, "another horse\n").unwrap();
    let damaged = serde_json::json!({ "state": "damaged", "damage": "does_not_open" });
    assert_eq!(status(&lab, &bus.variable())["state"], damaged);
    let before = std::fs::read(sealed(&lab)).unwrap();
    let forgotten = lab.run_with(&["secrets", "forget", "--json"], &bus.variable());
    assert!(forgotten.err.contains("secrets.sealed.backup-1"), "{forgotten:?}");
    assert_eq!(std::fs::read(sealed(&lab).with_extension("sealed.backup-1")).unwrap(), before);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyring_that_never_answers_is_named_and_holds_nobody_up() {
    let (lab, bus) = (mfa::lab().await, Bus::start());
    // It owns the name and never reads what it is asked.
    let silent = bus.connect();
    silent.request_name(NAME).unwrap();
    assert_eq!(status(&lab, &bus.variable())["state"], serde_json::json!({ "state": "hanging" }));
    list_with_code(&lab, &bus.variable());
    assert_eq!(lab.simulator.control().calls()["AssumeRole"], 1);
    drop(silent);
    lab.end().await;
}
