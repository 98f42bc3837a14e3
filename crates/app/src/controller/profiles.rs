//! The profile file while the app runs: what others change in it is taken over, and what is wrong in it is told.

use fleetline_ipc::system::{Notice, NoticeLevel};
use fleetline_store::profiles::{LoadedProfiles, Problem, ProfileWatch};

use super::Controller;

/// Problems told at most; the rest is counted.
const TOLD: usize = 20;

/// What the controller knows of the file.
#[derive(Default)]
pub(super) struct ProfileFile {
    watch: Option<ProfileWatch>,
    /// Edits that are not written yet.
    unwritten: usize,
    /// Somebody else changed the file, and it is read once all edits are written.
    is_changed: bool,
}

impl Controller {
    /// Reads the file and watches it from now on. Returns what it says.
    pub(super) fn read_profiles(&mut self) -> LoadedProfiles {
        let loaded = self.disk.store().load_profiles();
        self.tell_problems(&loaded);
        if self.profile_file.watch.is_none() && self.disk.store().is_persistent() {
            let news = self.profile_news.clone();
            let started = ProfileWatch::start(self.disk.store().clone(), loaded.fingerprint, move |_| {
                // One that is not taken yet will read the same file.
                let _ = news.try_send(());
            });
            match started {
                Ok(watch) => self.profile_file.watch = Some(watch),
                Err(error) => tracing::warn!(%error, "changes show at the next start"),
            }
        }
        loaded
    }

    /// Edits were handed to the writer.
    pub(super) fn profiles_edited(&mut self) {
        self.profile_file.unwritten += 1;
    }

    /// The writer is done with edits, whatever came of them.
    pub(super) fn profiles_written(&mut self, fingerprint: Option<fleetline_store::profiles::Fingerprint>) {
        self.profile_file.unwritten = self.profile_file.unwritten.saturating_sub(1);
        if let (Some(watch), Some(fingerprint)) = (&self.profile_file.watch, fingerprint) {
            watch.wrote(fingerprint);
        }
        if self.profile_file.is_changed {
            self.profiles_changed();
        }
    }

    /// Somebody else changed the file. While edits of ours wait, what is in memory is newer than the file.
    pub(super) fn profiles_changed(&mut self) {
        self.profile_file.is_changed = self.profile_file.unwritten > 0;
        if self.profile_file.is_changed || self.backend.is_none() {
            return;
        }
        let loaded = self.disk.store().load_profiles();
        self.tell_problems(&loaded);
        // A file that cannot be read at this moment changes nothing: the owner keeps what it has.
        if loaded.unreadable.is_some() {
            return;
        }
        for (id, run) in self.forwards.reload(loaded.profiles) {
            self.forward_end(id, run);
        }
        self.forwards.find_nodes(self.desk.fleet());
        self.forwards_start(self.forwards.ids());
        self.emit_forwards();
    }

    fn tell_problems(&mut self, loaded: &LoadedProfiles) {
        let path = loaded.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let problems = loaded.profiles.problems();
        let detail = match &loaded.unreadable {
            Some(error) => Some(error.to_string()),
            None => listed(&path, problems),
        };
        let changed = match detail {
            Some(detail) => self.notices.raise(Notice {
                id: "profiles".to_owned(),
                level: NoticeLevel::Warn,
                message: message(loaded).to_owned(),
                detail: Some(detail),
            }),
            None => self.notices.take_down("profiles"),
        };
        self.notices_changed(changed);
    }
}

fn message(loaded: &LoadedProfiles) -> &'static str {
    use fleetline_store::profiles::Severity;
    if loaded.unreadable.is_some() {
        "The saved profiles could not be read; what was loaded before still holds."
    } else if loaded.profiles.problems().iter().any(|problem| problem.severity == Severity::Refused) {
        "Not all of the saved profiles could be read; the rest is loaded."
    } else {
        "The profile file has keys this version does not know; they are kept."
    }
}

/// `path:line:column: what was expected`, one problem a line; `None` without any.
fn listed(path: &str, problems: &[Problem]) -> Option<String> {
    let mut lines: Vec<String> = problems
        .iter()
        .take(TOLD)
        .map(|problem| format!("{path}:{}:{}: {}", problem.line, problem.column, problem.message))
        .collect();
    if problems.len() > TOLD {
        lines.push(format!("and {} more", problems.len() - TOLD));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}
