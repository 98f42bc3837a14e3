//! Where this run keeps its files.

use std::path::{Path, PathBuf};

use fleetline_app::Store;
use fleetline_store::Paths;

/// What could not be used, for the user: stable id, sentence, raw detail.
pub(crate) type Warning = (String, String, Option<String>);

/// The directories and files of one run.
#[derive(Clone)]
pub(crate) struct Place {
    /// Settings, layout and cache.
    pub(crate) store: Store,
    /// The rest, unless there is no place for it.
    pub(crate) files: Option<Files>,
    /// What could not be used.
    pub(crate) warnings: Vec<Warning>,
}

/// What is on disk beside the store.
#[derive(Clone)]
pub(crate) struct Files {
    /// Folder of the log.
    pub(crate) logs: PathBuf,
    /// Folder of what the web view keeps.
    pub(crate) webview: PathBuf,
    /// Size and position of the window.
    pub(crate) window: PathBuf,
    /// Folder of the socket the command line program finds this app by.
    pub(crate) control: PathBuf,
    /// Folder of what the desktop had before links into the app were switched on.
    pub(crate) links: PathBuf,
    /// Sources added here, in the form of the AWS configuration.
    pub(crate) sources: PathBuf,
    /// Folder of sealed secrets and recordings.
    pub(crate) data: PathBuf,
}

impl Place {
    /// Below `data_dir`, else below `FLEETLINE_HOME`, else where the platform puts such files. A place that cannot be
    /// used costs what would be kept there, not the run.
    pub(crate) fn find(data_dir: Option<&Path>) -> Self {
        let paths = data_dir.map_or_else(Paths::resolve, |home| Ok(Paths::below(home)));
        match paths.and_then(|paths| Ok((Store::open(paths.clone())?, paths))) {
            Ok((store, paths)) => Self { store, files: Some(Files::below(&paths)), warnings: Vec::new() },
            Err(error) => {
                let sentence = format!("Settings and layout are not kept: {error}.");
                let warnings = vec![("store".to_owned(), sentence, Some(error.detail))];
                Self { store: Store::in_memory(), files: None, warnings }
            }
        }
    }
}

impl Files {
    fn below(paths: &Paths) -> Self {
        Self {
            logs: paths.cache.join("logs"),
            webview: paths.cache.join("webview"),
            window: paths.config.join("window.json"),
            control: paths.state.join("control"),
            links: paths.state.join("links"),
            sources: paths.aws_sources(),
            data: paths.data.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_below_the_directory_given() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::find(Some(home.path()));
        assert!(place.store.is_persistent() && place.warnings.is_empty());
        let files = place.files.unwrap();
        let all = [
            &files.logs,
            &files.webview,
            &files.window,
            &files.control,
            &files.links,
            &files.sources,
            &files.data,
        ];
        for path in all {
            assert!(path.starts_with(home.path()), "{}", path.display());
        }
    }

    #[test]
    fn a_place_that_cannot_be_used_is_said_and_costs_only_persistence() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        let place = Place::find(Some(&file));
        assert!(!place.store.is_persistent());
        assert!(place.files.is_none());
        let (_, sentence, _) = &place.warnings[0];
        assert!(sentence.starts_with("Settings and layout are not kept: "), "{sentence}");
    }
}
