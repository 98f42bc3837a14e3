//! Which program is the shell of a node.

use std::path::{Path, PathBuf};

use super::home::Home;
use super::program::StartError;
use super::{platform, words};
use crate::config::ShellChoice;
use crate::world::catalogue::PlatformType;

/// A program with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommandLine {
    pub(super) program: PathBuf,
    pub(super) args: Vec<String>,
}

/// The interactive shell of a node of this platform.
pub(super) fn interactive(
    choice: &ShellChoice,
    node: PlatformType,
    home: &Home,
    node_name: &str,
) -> CommandLine {
    match choice {
        ShellChoice::Program { program, args } => {
            CommandLine { program: program.clone(), args: args.clone() }
        }
        ShellChoice::Auto => {
            let power_shell = (node == PlatformType::Windows || cfg!(windows)).then(power_shell).flatten();
            match power_shell {
                Some(program) => CommandLine { program, args: power_shell_args(node_name) },
                None => platform::shell(home),
            }
        }
    }
}

/// A shell that runs one command line.
pub(super) fn one_command(command: &str) -> CommandLine {
    platform::one_command(command)
}

/// The command line split into words and run as it is.
pub(super) fn words(command: &str) -> Result<CommandLine, StartError> {
    let mut words = words::split(command).map_err(|error| StartError(error.to_string()))?.into_iter();
    let program = words.next().unwrap_or_default();
    Ok(CommandLine { program: program.into(), args: words.collect() })
}

fn power_shell() -> Option<PathBuf> {
    ["pwsh", "powershell"].into_iter().find_map(find)
}

fn power_shell_args(node_name: &str) -> Vec<String> {
    let name: String = node_name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let prompt = format!("function prompt {{ \"PS {name} $($PWD.Path)> \" }}");
    ["-NoLogo", "-NoProfile", "-NoExit", "-Command", &prompt].map(str::to_owned).to_vec()
}

/// A program of this name on the path.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .flat_map(|directory| {
            platform::PROGRAM_SUFFIXES.iter().map(move |suffix| directory.join(format!("{name}{suffix}")))
        })
        .find(|file| Path::is_file(file))
}
