//! What `ssh -G` says a host's settings are.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// Hosts of the user's own that are compared.
const SAMPLE: usize = 20;

/// Settings by host, as `ssh` prints them.
pub(super) type Settings = BTreeMap<String, String>;

/// Asks for each host. `Err` is what `ssh` complained about; `Ok(None)`: there is no `ssh`.
pub(super) fn ask(ssh: &OsStr, config: &Path, hosts: &[String]) -> Result<Option<Settings>, String> {
    let mut settings = Settings::new();
    for host in hosts {
        let output = Command::new(ssh)
            .arg("-G")
            .arg("-F")
            .arg(config)
            .arg("--")
            .arg(host)
            .stdin(Stdio::null())
            .output();
        let output = match output {
            Ok(output) => output,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said: Vec<_> = said.lines().map(|line| line.trim_end_matches(char::is_control)).collect();
            return Err(said.join("; "));
        }
        settings.insert(host.clone(), String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Ok(Some(settings))
}

/// Names the user's file gives settings to, without patterns, and one that nobody has.
pub(super) fn sample(config: &[u8]) -> Vec<String> {
    let mut hosts = vec!["host-nobody-has.invalid".to_owned()];
    for line in config.split(|b| *b == b'\n') {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let mut words = line.split([' ', '\t', '=', '\r']).filter(|word| !word.is_empty());
        if !words.next().is_some_and(|word| word.eq_ignore_ascii_case("host")) {
            continue;
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let named = words.filter(|word| word.chars().all(plain) && !word.starts_with('-'));
        hosts.extend(named.map(str::to_owned));
    }
    hosts.dedup();
    hosts.truncate(SAMPLE);
    hosts
}
