//! Session documents: lists, the editor, saving.
//!
//! Nothing is kept here. A text that is edited lives in the window; what it says and what is wrong with it is worked
//! out here from the text alone, and lists are asked of AWS when they are shown.

mod calls;
mod reading;

use fleetline_documents::{DocumentText, compare};
use fleetline_ipc::document::{
    DocumentDetail, DocumentEdit, DocumentLine, DocumentLineChange, DocumentPlace, DocumentReading,
    DocumentRow, DocumentSave, DocumentSaved, DocumentSessionType, DocumentTypeRow,
};
use fleetline_ipc::{CommandError, ErrorCode};

use crate::request::Reply;

pub(crate) use calls::{answer, apply_preferences, effects_of};

/// Largest text the editor takes, in bytes: four times what AWS takes, so that nothing is lost while it is cut down.
const TEXT_LIMIT: usize = 4 * fleetline_documents::MAX_DOCUMENT_BYTES;

/// What is asked of AWS about documents.
pub(crate) enum DocumentAsk {
    List { reply: Reply<Vec<DocumentRow>> },
    Types { names: Vec<String>, reply: Reply<Vec<DocumentTypeRow>> },
    Open { name: String, version: Option<String>, reply: Reply<DocumentDetail> },
    Save { save: DocumentSave, reply: Reply<DocumentSaved> },
    SetDefault { name: String, version: String, reply: Reply<()> },
    Delete { name: String, version: Option<String>, reply: Reply<()> },
}

impl DocumentAsk {
    pub(crate) fn refuse(self, problem: CommandError) {
        // A caller that has gone away no longer needs the answer.
        match self {
            Self::List { reply } => drop(reply.send(Err(problem))),
            Self::Types { reply, .. } => drop(reply.send(Err(problem))),
            Self::Open { reply, .. } => drop(reply.send(Err(problem))),
            Self::Save { reply, .. } => drop(reply.send(Err(problem))),
            Self::SetDefault { reply, .. } | Self::Delete { reply, .. } => drop(reply.send(Err(problem))),
        }
    }
}

/// A request about documents of an account-Region.
pub(crate) struct DocumentRequest {
    pub(crate) place: DocumentPlace,
    pub(crate) ask: DocumentAsk,
}

/// A text to begin a new document with.
pub(crate) fn template(kind: DocumentSessionType) -> DocumentReading {
    reading::of(DocumentText::template(reading::kind_of(kind)).as_str().to_owned())
}

/// A text as the editor shows it.
pub(crate) fn read(text: String) -> Result<DocumentReading, CommandError> {
    within_limit(&text)?;
    Ok(reading::of(text))
}

/// An edit of the form in the text. What cannot be edited comes back as it is, with what is wrong.
pub(crate) fn edit(text: String, edit: &DocumentEdit) -> Result<DocumentReading, CommandError> {
    within_limit(&text)?;
    let Ok(mut document) = DocumentText::parse(text.as_str()) else { return Ok(reading::of(text)) };
    let path = |path: &str| path.split('.').map(str::to_owned).collect();
    let done = match edit {
        DocumentEdit::Text { path: at, value } => document.set_text(&path(at), value),
        DocumentEdit::Flag { path: at, value } => document.set_flag(&path(at), *value),
        DocumentEdit::List { path: at, value } => document.set_list(&path(at), value),
        DocumentEdit::Remove { path: at } => document.remove_with_empty(&path(at)),
        DocumentEdit::RenameParameter { from, to } => document.rename_parameter(from, to),
        DocumentEdit::Format => {
            document = document.formatted();
            Ok(())
        }
    };
    done.map_err(|error| {
        CommandError::new(ErrorCode::InvalidInput, format!("The field was not changed: {error}."))
    })?;
    Ok(reading::of(document.as_str().to_owned()))
}

/// Two texts line by line; layout is no difference.
pub(crate) fn lines(old: &str, new: &str) -> Result<Vec<DocumentLine>, CommandError> {
    within_limit(old)?;
    within_limit(new)?;
    let laid_out = |text: &str| {
        DocumentText::parse(text)
            .map_or_else(|_| text.to_owned(), |text| text.formatted().as_str().to_owned())
    };
    let count = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok());
    let line = |line: fleetline_documents::ComparedLine| DocumentLine {
        change: match line.change {
            fleetline_documents::LineChange::Same => DocumentLineChange::Same,
            fleetline_documents::LineChange::Removed => DocumentLineChange::Removed,
            fleetline_documents::LineChange::Added => DocumentLineChange::Added,
        },
        old: count(line.old),
        new: count(line.new),
        text: line.text,
    };
    Ok(compare(&laid_out(old), &laid_out(new)).into_iter().map(line).collect())
}

fn within_limit(text: &str) -> Result<(), CommandError> {
    if text.len() <= TEXT_LIMIT {
        return Ok(());
    }
    let message = format!("The text has {} bytes; the editor takes at most {TEXT_LIMIT}.", text.len());
    Err(CommandError::new(ErrorCode::InvalidInput, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_of_the_form_change_the_text_and_what_is_wrong_with_it() {
        let start = template(DocumentSessionType::InteractiveCommands);
        assert_eq!(
            start.problems.iter().map(|p| p.path.as_str()).collect::<Vec<_>>(),
            ["properties.linux.commands"]
        );
        let text =
            |path: &str, value: &str| DocumentEdit::Text { path: path.to_owned(), value: value.to_owned() };
        let next = edit(start.text, &text("properties.linux.commands", "ctl {{ tenat }}")).unwrap();
        let next = edit(next.text, &text("parameters.tenant.type", "String")).unwrap();
        let wrong = next.problems.iter().find(|p| p.path == "properties.linux.commands").unwrap();
        assert_eq!((wrong.found.as_deref(), wrong.meant.as_deref()), (Some("tenat"), Some("tenant")));
        assert!(
            wrong.column < wrong.end_column
                && next.text.lines().nth(wrong.line as usize - 1).unwrap().contains("tenat")
        );
        let idle = edit(next.text.clone(), &text("inputs.idleSessionTimeout", "abc")).unwrap();
        assert_eq!(idle.form.as_ref().unwrap().inputs.idle_minutes, "abc", "what is typed stays");
        assert!(idle.problems.iter().any(|p| p.error && p.path == "inputs.idleSessionTimeout"));
        assert!(edit(next.text, &text("schemaVersion.x", "y")).is_err());
    }

    #[test]
    fn a_text_that_is_no_json_keeps_every_letter_and_has_no_form() {
        let reading = read("{\"a\": ".to_owned()).unwrap();
        assert!(reading.form.is_none() && reading.syntax.is_some());
        let again = edit(reading.text.clone(), &DocumentEdit::Format).unwrap();
        assert_eq!(again.text, reading.text);
        assert!(read("x".repeat(TEXT_LIMIT + 1)).is_err());
    }
}
