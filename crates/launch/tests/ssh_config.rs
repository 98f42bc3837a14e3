//! Odd configurations, with the real `ssh`.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use fleetline_launch::ssh_config::{Alias, HostEntry, OwnFile, SshConfig, SshConfigError};

fn own() -> OwnFile {
    let ledger = HostEntry {
        alias: Alias::new("ledger").unwrap(),
        node: Alias::new("i-0123456789abcdef0"),
        user: Some("ec2-user".into()),
        port: Some(2222),
        key_file: Some("/keys/my key 100%".into()),
        push_key: true,
    };
    OwnFile { program: "/opt/it's a %dir/fleetline".into(), hosts: vec![ledger] }
}

fn ssh_g(config: &Path, host: &str) -> String {
    let output = Command::new("ssh").arg("-G").arg("-F").arg(config).arg(host).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every kind of oddity people have in theirs that `ssh` still reads.
const CORPUS: [(&str, &[u8]); 14] = [
    ("empty", b""),
    ("plain", b"Host web\n  User me\n"),
    ("no final newline", b"Host web\n  User me"),
    ("CRLF", b"Host web\r\n  User me\r\n"),
    ("mixed ends", b"Host web\r\n  User me\nHost b\r\n  User you"),
    ("comments", b"# first\n\n   # indented\nHost web # here\n  User me\n\n\n"),
    ("Match", b"Match host web exec \"true\"\n  User me\nMatch all\n  Port 7\n"),
    ("options before any host", b"Compression yes\nHost web\n  User me\n"),
    ("wildcards", b"Host * !bad\n  User all\nHost w?b\n  Port 9\n"),
    ("equals and quotes", b"Host=\"web\"\nUser=\"me\"\nHostName = \"a.b\"\n"),
    ("not UTF-8", b"# caf\xe9 \xff\xfe\nHost web\n  User me\n"),
    ("tabs", b"\tHost\tweb\n\t\tUser\tme\n"),
    ("own node rule", b"Host i-* mi-*\n  ProxyCommand other %h\nHost web\n User me\n"),
    ("blank lines only", b"\n\n\r\n"),
];

#[test]
fn install_then_remove_leaves_every_odd_file_as_it_was() {
    for (name, bytes) in CORPUS {
        for mode in [0o600, 0o644, 0o400] {
            let home = tempfile::tempdir().unwrap();
            let ssh = SshConfig::new(home.path(), false).unwrap();
            let config = ssh.config_path();
            fs::write(&config, bytes).unwrap();
            fs::set_permissions(&config, fs::Permissions::from_mode(mode)).unwrap();
            let before = ssh_g(&config, "web");
            let applied = ssh.install(&own()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(applied.verified && applied.config_changed && applied.own_changed, "{name}");
            assert!(ssh.is_installed().unwrap());
            assert_eq!(ssh_g(&config, "web"), before, "{name}");
            let text = fs::read(&config).unwrap();
            assert!(text.ends_with(bytes), "{name}");
            assert_eq!(fs::metadata(&config).unwrap().permissions().mode() & 0o777, mode, "{name}");
            assert_eq!(fs::metadata(ssh.own_path()).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(fs::read(applied.backup.unwrap()).unwrap(), bytes, "{name}");
            let again = ssh.install(&own()).unwrap();
            assert!(!again.config_changed && !again.own_changed, "{name}");
            ssh.remove().unwrap();
            assert_eq!(fs::read(&config).unwrap(), bytes, "{name}");
            assert_eq!(fs::metadata(&config).unwrap().permissions().mode() & 0o777, mode, "{name}");
            assert!(!ssh.own_path().exists() && !ssh.is_installed().unwrap());
        }
    }
}

#[test]
fn ssh_reads_what_was_written() {
    let home = tempfile::tempdir().unwrap();
    let ssh = SshConfig::new(home.path(), false).unwrap();
    ssh.install(&own()).unwrap();
    let config = ssh.config_path();
    let says = |host: &str, line: &str| {
        let said = ssh_g(&config, host);
        assert!(said.lines().any(|l| l == line), "{host}: {line} is not in\n{said}");
    };
    says("ledger", "user ec2-user");
    says("ledger", "port 2222");
    says("ledger", "hostkeyalias i-0123456789abcdef0");
    says("ledger", "identityfile /keys/my key 100%%");
    says(
        "ledger",
        "proxycommand '/opt/it'\\''s a %%dir/fleetline' ssh-proxy i-0123456789abcdef0 %p --push-key --user 'ec2-user' \
         --key-file '/keys/my key 100%%'",
    );
    for node in ["i-0123456789abcdef0", "mi-0123456789abcdef0"] {
        says(node, "proxycommand '/opt/it'\\''s a %%dir/fleetline' ssh-proxy '%h' %p");
    }
    assert!(!ssh_g(&config, "elsewhere").contains("ssh-proxy"));
}

#[test]
fn the_proxy_gets_the_node_and_port_as_single_words() {
    let home = tempfile::tempdir().unwrap();
    let program = home.path().join("it's a %dir");
    fs::create_dir(&program).unwrap();
    let program = program.join("fleet line");
    let seen = home.path().join("seen");
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$#\" \"$@\" > {}\n", seen.display());
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let ssh = SshConfig::new(home.path(), false).unwrap();
    let own = OwnFile { program: program.to_str().unwrap().into(), ..own() };
    ssh.install(&own).unwrap();
    let run = |host: &str| {
        drop(fs::remove_file(&seen));
        let config = ssh.config_path();
        let options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=5"];
        Command::new("ssh").arg("-F").arg(config).args(options).arg(host).arg("true").output().unwrap();
        fs::read_to_string(&seen).ok()
    };
    assert_eq!(run("i-0123456789abcdef0").as_deref(), Some("3\nssh-proxy\ni-0123456789abcdef0\n22\n"));
    let pushing = "8\nssh-proxy\ni-0123456789abcdef0\n2222\n--push-key\n--user\nec2-user\n--key-file\n\
                   /keys/my key 100%\n";
    assert_eq!(run("ledger").as_deref(), Some(pushing));
    // A name that would end the quotes never reaches a shell; others stay one word.
    let trap = home.path().join("trap");
    for host in ["i-'$(touch TRAP)'", "i-'; touch TRAP; '", "i-$(touch TRAP)", "i-`touch TRAP`"] {
        run(&host.replace("TRAP", trap.to_str().unwrap()));
        assert!(!trap.exists(), "{host}");
    }
}

#[test]
fn a_linked_file_stays_a_link_and_changes_where_it_is() {
    let home = tempfile::tempdir().unwrap();
    let dotfiles = tempfile::tempdir().unwrap();
    let real = dotfiles.path().join("ssh-config");
    fs::write(&real, "Host web\n").unwrap();
    let ssh = SshConfig::new(home.path(), false).unwrap();
    symlink(&real, ssh.config_path()).unwrap();
    ssh.install(&own()).unwrap();
    assert!(fs::symlink_metadata(ssh.config_path()).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().starts_with("Include \""));
    ssh.remove().unwrap();
    assert_eq!(fs::read_to_string(&real).unwrap(), "Host web\n");
    assert!(fs::symlink_metadata(ssh.config_path()).unwrap().is_symlink());
}

#[test]
fn without_a_file_one_is_made_and_removing_leaves_it_empty() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join(".ssh");
    let ssh = SshConfig::new(&directory, false).unwrap();
    let applied = ssh.install(&own()).unwrap();
    assert!(applied.verified && applied.backup.is_none());
    assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(ssh.config_path()).unwrap().permissions().mode() & 0o777, 0o600);
    ssh.remove().unwrap();
    assert_eq!(fs::read(ssh.config_path()).unwrap(), b"");
    assert!(SshConfig::new(home.path(), true).unwrap().include().as_str() == "Include fleetline.conf");
}

#[test]
fn a_file_ssh_does_not_read_is_not_touched() {
    let home = tempfile::tempdir().unwrap();
    let ssh = SshConfig::new(home.path(), false).unwrap();
    fs::write(ssh.config_path(), "Host web\n  Nonsense yes\n").unwrap();
    let error = ssh.install(&own()).unwrap_err();
    assert!(matches!(&error, SshConfigError::Broken(said) if said.contains("onsense")), "{error}");
    assert_eq!(fs::read_to_string(ssh.config_path()).unwrap(), "Host web\n  Nonsense yes\n");
    assert!(!ssh.own_path().exists());
}

#[test]
fn a_result_that_reads_differently_is_taken_back() {
    let home = tempfile::tempdir().unwrap();
    // A `ssh` that sees a difference as soon as our line is there.
    let fake = home.path().join("fake-ssh");
    fs::write(&fake, "#!/bin/sh\ngrep -c Include \"$3\"\nexit 0\n").unwrap();
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    let ssh = SshConfig::new(home.path(), false).unwrap().verified_by(&fake);
    fs::write(ssh.config_path(), "Host web\n").unwrap();
    let error = ssh.install(&own()).unwrap_err();
    assert!(matches!(error, SshConfigError::Differs(_)), "{error}");
    assert_eq!(fs::read_to_string(ssh.config_path()).unwrap(), "Host web\n");
    assert!(!ssh.own_path().exists());
}

#[test]
fn without_ssh_the_result_is_said_to_be_unverified() {
    let home = tempfile::tempdir().unwrap();
    let ssh = SshConfig::new(home.path(), false).unwrap().verified_by(home.path().join("no-ssh"));
    fs::write(ssh.config_path(), "Host i-0123456789abcdef0 web\nHost ledger\n").unwrap();
    let applied = ssh.install(&own()).unwrap();
    assert!(!applied.verified);
    assert_eq!(applied.taken_over, ["i-0123456789abcdef0", "ledger"]);
}

#[test]
fn only_the_newest_backups_are_kept() {
    let home = tempfile::tempdir().unwrap();
    let ssh = SshConfig::new(home.path(), false).unwrap().verified_by(home.path().join("no-ssh"));
    for n in 0..9 {
        fs::write(ssh.config_path(), format!("# {n}\n")).unwrap();
        ssh.install(&own()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let names = fs::read_dir(home.path()).unwrap().flatten().map(|e| e.path());
    let mut backups: Vec<_> = names.filter(|p| p.to_str().unwrap().contains("backup")).collect();
    backups.sort();
    let kept: Vec<_> = backups.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(kept, ["# 4\n", "# 5\n", "# 6\n", "# 7\n", "# 8\n"]);
}
