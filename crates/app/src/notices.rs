//! Standing notices: one per id, in order of their first appearance.

use fleetline_ipc::CommandError;
use fleetline_ipc::system::{Notice, NoticeLevel};
use fleetline_store::{JournalEntry, Setback};

/// All notices that stand.
#[derive(Debug, Default)]
pub(crate) struct Notices(Vec<Notice>);

impl Notices {
    pub(crate) fn rows(&self) -> Vec<Notice> {
        self.0.clone()
    }

    /// Puts a notice up, in place of one with its id. Returns whether anything changed.
    pub(crate) fn raise(&mut self, notice: Notice) -> bool {
        match self.0.iter_mut().find(|standing| standing.id == notice.id) {
            Some(standing) if *standing == notice => false,
            Some(standing) => {
                *standing = notice;
                true
            }
            None => {
                self.0.push(notice);
                true
            }
        }
    }

    /// Takes a notice down. Returns whether it stood.
    pub(crate) fn take_down(&mut self, id: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|notice| notice.id != id);
        self.0.len() != before
    }

    /// Takes down what a mode of the application left behind.
    pub(crate) fn take_down_prefixed(&mut self, prefix: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|notice| !notice.id.starts_with(prefix));
        self.0.len() != before
    }
}

/// A problem as a notice.
pub(crate) fn of_problem(id: impl Into<String>, level: NoticeLevel, problem: &CommandError) -> Notice {
    let message = match &problem.hint {
        Some(hint) => format!("{} {hint}", problem.message),
        None => problem.message.clone(),
    };
    Notice { id: id.into(), level, message, detail: problem.detail.clone() }
}

/// Sessions that may still be open at AWS because the program that held them is gone. `None` without any.
pub(crate) fn of_orphans(orphans: &[JournalEntry]) -> Option<Notice> {
    let message = match orphans {
        [] => return None,
        [_] => "A session of an earlier run may still be open at AWS.".to_owned(),
        several => format!("{} sessions of earlier runs may still be open at AWS.", several.len()),
    };
    let lines: Vec<_> = orphans
        .iter()
        .map(|orphan| {
            let JournalEntry { session, target, source, region, .. } = orphan;
            format!("{session} on {target} ({source}, {region})")
        })
        .collect();
    Some(Notice {
        id: "orphans".to_owned(),
        level: NoticeLevel::Info,
        message,
        detail: Some(lines.join("\n")),
    })
}

/// A document that could not be used as it was found.
pub(crate) fn of_setback(id: impl Into<String>, setback: &Setback) -> Notice {
    let place =
        setback.backup.as_ref().map(|backup| format!("\nKept as {}", backup.display())).unwrap_or_default();
    Notice {
        id: id.into(),
        level: NoticeLevel::Warn,
        message: setback.message.clone(),
        detail: Some(format!("{}: {}{place}", setback.path.display(), setback.detail)),
    }
}
