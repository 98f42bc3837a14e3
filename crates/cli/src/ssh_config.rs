//! `fleetline ssh-config`: one line in the user's OpenSSH configuration, and one file of our own beside it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use fleetline_launch::ssh_config::{Alias, Applied, Dialect, HostEntry, OwnFile, SshConfig};
use fleetline_store::profiles::{ProfileKind, ProfileTarget, Profiles};

use crate::console::{print, tell};
use crate::failure::Failure;
use crate::profile;

#[derive(Debug, Args)]
pub(crate) struct SshConfigArgs {
    #[command(subcommand)]
    command: SshConfigCommand,
    /// The directory of the OpenSSH configuration; default: .ssh in the home directory
    #[arg(long, value_name = "DIRECTORY", global = true)]
    directory: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum SshConfigCommand {
    /// Write the line and the file, or bring the file up to date with the saved profiles
    Install,
    /// Take both away; the configuration is then as it was before
    Remove,
    /// Print what is installed and what installing would write
    Show,
}

/// Changes or shows the configuration.
pub(crate) fn run(args: SshConfigArgs) -> Result<u8, Failure> {
    let directory = match args.directory {
        Some(directory) => directory,
        None => std::env::home_dir()
            .ok_or_else(|| Failure::local("The SSH configuration could not be found", &"no home directory"))?
            .join(".ssh"),
    };
    let failed = |error| Failure::local("The SSH configuration was not changed", &error);
    let config = SshConfig::new(&directory, false).map_err(failed)?;
    match args.command {
        SshConfigCommand::Install => {
            let applied = config.install(&own_file()?).map_err(failed)?;
            say_installed(&config, &applied);
        }
        SshConfigCommand::Remove => {
            let applied = config.remove().map_err(failed)?;
            if applied.config_changed || applied.own_changed {
                tell(&format!("Removed the Include line from {}.", config.config_path().display()));
                say_backup(&applied);
            } else {
                tell("Nothing was installed.");
            }
        }
        SshConfigCommand::Show => show(&config).map_err(|e| Failure::local("It could not be shown", &e))?,
    }
    Ok(0)
}

fn say_installed(config: &SshConfig, applied: &Applied) {
    if applied.config_changed {
        let (line, path) = (config.include().as_str(), config.config_path());
        tell(&format!("Added `{line}` at the top of {}.", path.display()));
        say_backup(applied);
    }
    if applied.own_changed {
        tell(&format!("Wrote {}.", config.own_path().display()));
    }
    if !applied.config_changed && !applied.own_changed {
        tell("It is installed and up to date.");
    }
    if !applied.verified {
        tell("There is no ssh program here, so nothing was verified by it.");
    }
    if !applied.taken_over.is_empty() {
        tell(&format!(
            "These hosts of your file go through Fleetline now: {}.",
            applied.taken_over.join(", ")
        ));
    }
}

fn say_backup(applied: &Applied) {
    if let Some(backup) = &applied.backup {
        tell(&format!("The file as it was is kept as {}.", backup.display()));
    }
}

fn show(config: &SshConfig) -> Result<(), Box<dyn std::error::Error>> {
    let state = if config.is_installed()? { "is installed in" } else { "is not installed in" };
    tell(&format!("Fleetline {state} {}.", config.config_path().display()));
    let file = own_file().map_err(|_| "this program's own path is not known")?;
    print(&format!("# at the top of {}", config.config_path().display()))?;
    print(config.include().as_str())?;
    print(&format!("\n# {}", config.own_path().display()))?;
    print(file.text(Dialect::HERE)?.trim_end())?;
    Ok(())
}

/// The file for this program and the saved SSH profiles.
fn own_file() -> Result<OwnFile, Failure> {
    let unknown =
        |error: &dyn std::fmt::Display| Failure::local("This program's own path is not known", error);
    let program = std::env::current_exe().map_err(|error| unknown(&error))?;
    let program = program.into_os_string().into_string().map_err(|_| unknown(&"it is not text"))?;
    Ok(OwnFile { program, hosts: hosts(&profile::load()?.profiles) })
}

/// The SSH profiles as hosts. One that cannot be a host is told and left out.
fn hosts(profiles: &Profiles) -> Vec<HostEntry> {
    let mut hosts = Vec::new();
    for saved in profiles.ordered() {
        let ProfileKind::Ssh { target, port } = &saved.kind else { continue };
        let node = match target {
            ProfileTarget::Node(node) => Alias::new(node),
            ProfileTarget::Query(_) => None,
        };
        let effective = profiles.effective(saved);
        let Some(alias) = Alias::new(saved.id.as_str()) else { continue };
        let host = HostEntry {
            alias,
            node,
            user: effective.user.value,
            port: (*port != 22).then_some(*port),
            key_file: effective.key_file.value,
            push_key: effective.push_key.value,
        };
        // Each alone, so that one bad value does not cost the others.
        let alone = OwnFile { program: probe().to_owned(), hosts: vec![host.clone()] };
        match alone.text(Dialect::HERE) {
            Ok(_) => hosts.push(host),
            Err(error) => tell(&format!("The profile {} is left out: {error}.", saved.id)),
        }
    }
    hosts
}

/// Any path that can be written.
fn probe() -> &'static str {
    match Dialect::HERE {
        Dialect::Sh => "/fleetline",
        Dialect::Windows => "C:\\fleetline.exe",
    }
}

#[cfg(test)]
mod tests {
    use fleetline_store::profiles::read_text;

    use super::*;

    #[test]
    fn ssh_profiles_become_hosts_with_what_they_inherit() {
        let profiles = read_text(
            "[defaults]\nuser = 'ec2-user'\n[profile.web]\nkind = 'ssh'\nnode = 'i-0123456789abcdef0'\nport = 2222\n\
             [profile.pushed]\nkind = 'ssh'\nnode = 'i-0123456789abcdef1'\npush-key = true\n\
             [profile.any]\nkind = 'ssh'\nquery = 'tag:Name=x'\nuser = '-oProxyCommand=x'\n\
             [profile.shell]\nkind = 'shell'\nnode = 'i-1'\n",
        );
        let hosts = hosts(&profiles);
        assert_eq!(hosts.len(), 2, "{hosts:?}");
        assert_eq!(hosts[0].alias.as_str(), "web");
        assert_eq!(hosts[0].node.as_ref().map(Alias::as_str), Some("i-0123456789abcdef0"));
        assert_eq!((hosts[0].push_key, hosts[1].push_key), (false, true));
        assert_eq!((hosts[0].user.as_deref(), hosts[0].port), (Some("ec2-user"), Some(2222)));
    }
}
