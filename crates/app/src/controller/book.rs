//! Saved views, groups, favourites, recently used nodes, and lists written to files.

use std::collections::HashSet;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use fleetline_inventory::export;
use fleetline_ipc::book::{BookChange, ExportForm, Exported, FleetBook};
use fleetline_ipc::event::Change;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::BookEdit;

use super::{Controller, answer};
use crate::clock::{date_text, now_ms};
use crate::request::Reply;
use crate::{book, notices};

/// Names that are tried for an export before it fails.
const NAMES: u32 = 1_000;

impl Controller {
    /// Reads the book from disk, where other programs may have changed it. While changes of ours are on their way there,
    /// what is there lacks them; the last of them brings it all.
    pub(super) fn read_book(&mut self) {
        if !self.disk.store().is_persistent() || self.book_written != self.book_edits {
            return;
        }
        let loaded = self.disk.store().fleet_book();
        if let Some(setback) = &loaded.setback {
            let raised = self.notices.raise(notices::of_setback("fleet", setback));
            self.notices_changed(raised);
        }
        self.take_book(loaded.value);
    }

    /// What the disk holds after the change with this number; earlier ones are not the whole truth.
    pub(super) fn book_written(&mut self, number: u64, book: fleetline_store::FleetBook) {
        self.book_written = number;
        if number == self.book_edits && self.disk.store().is_persistent() {
            self.take_book(book);
        }
    }

    fn take_book(&mut self, book: fleetline_store::FleetBook) {
        if book == self.book {
            return;
        }
        self.book = book;
        self.desk.set_marks(book::marks(&self.book));
        let book = book::row(&self.book);
        self.emit(Change::Book { book });
    }

    pub(super) fn book_change(&mut self, change: BookChange) -> Result<FleetBook, CommandError> {
        self.book_edit(book::edit(change)?)?;
        Ok(book::row(&self.book))
    }

    /// A node was used: it stands first among the recent ones.
    pub(super) fn touch(&mut self, node_key: &str) {
        let edit = BookEdit::Touch { node: node_key.to_owned(), at_ms: now_ms() };
        // Nothing about this change can be refused.
        drop(self.book_edit(edit));
    }

    fn book_edit(&mut self, edit: BookEdit) -> Result<(), CommandError> {
        let mut changed = self.book.clone();
        changed.apply(&edit).map_err(book::refused)?;
        self.book_edits += 1;
        self.disk.edit_book(self.book_edits, edit);
        self.take_book(changed);
        Ok(())
    }

    /// Writes what a view shows, or of that the nodes with these keys, in its order, to a new file in the folder for
    /// downloads.
    pub(super) fn export(
        &mut self,
        view: &str,
        form: ExportForm,
        keys: Option<Vec<String>>,
        reply: Reply<Exported>,
    ) {
        let now = now_ms();
        let keys: Option<HashSet<String>> = keys.map(|keys| keys.into_iter().collect());
        let written = self.desk.export(view, now, keys.as_ref(), |fleet, entries| {
            let mut out = Vec::new();
            match form {
                ExportForm::Csv => export::write_csv(&mut out, fleet, &export::COLUMNS, entries)?,
                ExportForm::Json => export::write_json(&mut out, fleet, entries, now)?,
            }
            Ok(out)
        });
        let (nodes, bytes) = match written {
            Ok(written) => written,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let ui = self.ui.clone();
        tokio::task::spawn_blocking(move || {
            let saved = match ui.downloads() {
                Some(folder) => save(&folder, form, now, &bytes),
                None => Err(not_written("This desktop names no folder for downloads.", "")),
            };
            answer(reply, saved.map(|path| Exported { path: path.display().to_string(), nodes }));
        });
    }
}

/// Writes a new file: `fleetline-nodes-2026-11-26.csv`, or with a number where that name is taken.
fn save(folder: &Path, form: ExportForm, now: i64, bytes: &[u8]) -> Result<PathBuf, CommandError> {
    let failed = |error: std::io::Error| {
        not_written(&format!("The list could not be written to {}.", folder.display()), &error.to_string())
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let end = match form {
        ExportForm::Csv => "csv",
        ExportForm::Json => "json",
    };
    let stem = format!("fleetline-nodes-{}", date_text(now));
    let names = std::iter::once(format!("{stem}.{end}"))
        .chain((2..=NAMES).map(|number| format!("{stem}-{number}.{end}")));
    for name in names {
        let path = folder.join(name);
        match std::fs::File::create_new(&path) {
            Ok(file) => {
                let mut out = BufWriter::new(file);
                return match out.write_all(bytes).and_then(|()| out.flush()) {
                    Ok(()) => Ok(path),
                    Err(error) => {
                        // Half a list would be taken for a whole one.
                        drop(std::fs::remove_file(&path));
                        Err(failed(error))
                    }
                };
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(failed(std::io::ErrorKind::AlreadyExists.into()))
}

fn not_written(message: &str, detail: &str) -> CommandError {
    let detail = (!detail.is_empty()).then(|| detail.to_owned());
    CommandError { detail, ..CommandError::new(ErrorCode::Storage, message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_never_writes_over_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("Downloads");
        let names: Vec<String> = (0..3)
            .map(|turn| {
                let path = save(&folder, ExportForm::Csv, 0, &[turn]).unwrap();
                assert_eq!(std::fs::read(&path).unwrap(), [turn]);
                path.file_name().unwrap().to_string_lossy().into_owned()
            })
            .collect();
        assert_eq!(
            names,
            [
                "fleetline-nodes-1970-01-01.csv",
                "fleetline-nodes-1970-01-01-2.csv",
                "fleetline-nodes-1970-01-01-3.csv"
            ]
        );
        let file = folder.join(&names[0]);
        assert_eq!(save(&file, ExportForm::Json, 0, b"").unwrap_err().code, ErrorCode::Storage);
    }
}
