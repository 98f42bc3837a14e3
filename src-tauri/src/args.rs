//! The command line of the desktop program.

use std::ffi::OsString;
use std::path::PathBuf;

use fleetline_ipc::settings::Theme;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Fleetline: shells on the machines of a fleet managed by AWS Systems Manager

Usage: fleetline-desktop [OPTIONS]

  --demo              open the demo fleet, whatever was chosen last
  --minimized         start in the tray, without a window
  --data-dir DIR      keep all files below DIR (also: FLEETLINE_HOME)
  --smoke-test DIR    show the fleet, a shell and forwards by itself, then end; see below
  --version           print the version
  --help              print this
  fleetline://…       a link; it is followed only where links are switched on, and after asking

A smoke test shows the fleet, creates DIR/fleet.ready and waits for DIR/fleet.done; then, with shell.ready and
shell.done, it works in a shell, and with forwards.ready and forwards.done it forwards ports of a node. Then it ends.
Status 0: all of it worked; 1: it did not, and the cause is on the error stream. FLEETLINE_THEME=dark or light sets the theme of such a run.
";

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Run the app.
    Run(Args),
    /// Print the usage.
    Help,
    /// Print the version.
    Version,
}

/// How to run the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Args {
    /// Open the demo fleet.
    pub(crate) demo: bool,
    /// Start without showing the window.
    pub(crate) minimized: bool,
    /// Directory for all our files.
    pub(crate) data_dir: Option<PathBuf>,
    /// Directory of the files a smoke test writes and waits for.
    pub(crate) smoke_test: Option<PathBuf>,
    /// A link to follow, unread.
    pub(crate) link: Option<String>,
}

/// The start of links into the app.
pub(crate) const SCHEME: &str = "fleetline://";

/// The link among the words another start was given: exactly one word after the program's own. Nothing else of them is
/// looked at, because any program of this user can send them (SEC-51). macOS sends links as an event instead.
#[cfg(any(test, not(target_os = "macos")))]
pub(crate) fn link(words: &[String]) -> Option<&str> {
    match words {
        [_, only] if only.starts_with(SCHEME) => Some(only),
        _ => None,
    }
}

/// The command line cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArgsError {
    /// An option or a word we do not have.
    #[error("unknown argument {0:?}; --help lists what there is")]
    Unknown(OsString),
    /// An option that needs a directory came last or before an empty word.
    #[error("{0} needs a directory after it")]
    NeedsDirectory(&'static str),
}

/// Reads the words after the program's name.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Asked, ArgsError> {
    let mut words = words.into_iter();
    let mut args = Args::default();
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--demo") => args.demo = true,
            Some("--minimized") => args.minimized = true,
            Some("--data-dir") => args.data_dir = Some(directory("--data-dir", words.next())?),
            Some("--smoke-test") => args.smoke_test = Some(directory("--smoke-test", words.next())?),
            // Any program can start this one with a link, so that a link comes alone.
            Some(link) if link.starts_with(SCHEME) && args == Args::default() => {
                args.link = Some(link.to_owned());
            }
            Some("--help" | "-h") => return Ok(Asked::Help),
            Some("--version" | "-V") => return Ok(Asked::Version),
            _ => return Err(ArgsError::Unknown(word)),
        }
    }
    Ok(Asked::Run(args))
}

fn directory(option: &'static str, word: Option<OsString>) -> Result<PathBuf, ArgsError> {
    word.filter(|word| !word.is_empty()).map(PathBuf::from).ok_or(ArgsError::NeedsDirectory(option))
}

/// The theme a smoke test paints in, from the value of `FLEETLINE_THEME`.
pub(crate) fn theme(value: Option<&str>) -> Option<Theme> {
    match value? {
        "dark" => Some(Theme::Dark),
        "light" => Some(Theme::Light),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Result<Asked, ArgsError> {
        parse(words.iter().map(OsString::from))
    }

    #[test]
    fn no_words_run_the_app_as_it_was_left() {
        assert_eq!(words(&[]), Ok(Asked::Run(Args::default())));
    }

    #[test]
    fn options_are_taken_in_any_order() {
        assert_eq!(
            words(&["--smoke-test", "/s", "--demo", "--data-dir", "/d", "--minimized"]),
            Ok(Asked::Run(Args {
                demo: true,
                minimized: true,
                data_dir: Some("/d".into()),
                smoke_test: Some("/s".into()),
                link: None,
            }))
        );
    }

    #[test]
    fn an_option_without_its_directory_is_refused() {
        assert_eq!(words(&["--data-dir"]), Err(ArgsError::NeedsDirectory("--data-dir")));
        assert_eq!(words(&["--smoke-test", ""]), Err(ArgsError::NeedsDirectory("--smoke-test")));
    }

    #[test]
    fn unknown_words_are_refused_by_name() {
        assert_eq!(words(&["--demo", "i-0123"]), Err(ArgsError::Unknown("i-0123".into())));
    }

    #[test]
    fn a_link_comes_alone_and_nothing_else_of_a_second_start_is_looked_at() {
        let link_text = "fleetline://connect?profile=ledger";
        let Ok(Asked::Run(args)) = words(&[link_text]) else { panic!("not run") };
        assert_eq!(args.link.as_deref(), Some(link_text));
        assert!(words(&["--demo", link_text]).is_err());
        let second =
            |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
        assert_eq!(link(&second(&["fleetline-desktop", link_text])), Some(link_text));
        for other in [&["fleetline-desktop"][..], &["p", "--data-dir", link_text], &["p", "--demo"], &[]] {
            assert_eq!(link(&second(other)), None);
        }
    }

    #[test]
    fn only_named_themes_are_known() {
        assert_eq!(theme(Some("light")), Some(Theme::Light));
        assert_eq!(theme(Some("pink")), None);
        assert_eq!(theme(None), None);
    }
}
