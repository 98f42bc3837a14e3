//! Failures of document calls.

use fleetline_documents::{DocumentError, DocumentErrorKind, SaveError, short_name};
use fleetline_engine::ports::ApiError;
use fleetline_ipc::{CommandError, ErrorCode};

use super::{Context, describe, detail, full_stop};

/// A failed call on the document `name` as the user reads it.
pub fn describe_document(error: &DocumentError<ApiError>, name: &str, context: &Context) -> CommandError {
    let (name, place) = (short_name(name), context.place());
    let source = &error.source;
    let (code, message, hint) = match error.kind {
        DocumentErrorKind::Call => return describe(source, context),
        DocumentErrorKind::Missing => (
            ErrorCode::InvalidDocument,
            format!("There is no document {name}{place} that this account can use."),
            "Look at the list of documents; one that another account shares is named by its ARN.",
        ),
        DocumentErrorKind::MissingVersion => (
            ErrorCode::InvalidDocument,
            format!("{name} has no such version{place}."),
            "Look at its versions.",
        ),
        DocumentErrorKind::Exists => (
            ErrorCode::Conflict,
            format!("There is a document {name}{place} already."),
            "Choose another name, or save a new version of it.",
        ),
        DocumentErrorKind::Content => (
            ErrorCode::InvalidInput,
            format!("AWS does not accept the content of {name}{place}: {}", full_stop(&source.message)),
            "",
        ),
        DocumentErrorKind::Unchanged => (
            ErrorCode::Conflict,
            format!("The latest version of {name}{place} has this content already."),
            "There is nothing to save.",
        ),
        DocumentErrorKind::Limit => (
            ErrorCode::Service,
            format!("A quota of documents is used up{place}: {}", full_stop(&source.message)),
            "Delete documents or versions that are not needed, or ask AWS for a higher quota.",
        ),
        DocumentErrorKind::InUse => (
            ErrorCode::Conflict,
            format!("AWS does not delete this of {name}{place}: {}", full_stop(&source.message)),
            "Stop sharing the document, or make another version the default, and try again.",
        ),
        DocumentErrorKind::Busy => (
            ErrorCode::Throttled,
            format!("Another change of {name} is under way{place}."),
            "Try again in a moment.",
        ),
    };
    CommandError {
        hint: Some(hint.to_owned()).filter(|hint| !hint.is_empty()),
        detail: Some(detail(source)),
        request_id: source.request_id.clone(),
        ..CommandError::new(code, message)
    }
}

/// Why the document `name` was not saved, as the user reads it.
pub fn describe_save(error: &SaveError<ApiError>, name: &str, context: &Context) -> CommandError {
    let short = short_name(name);
    match error {
        SaveError::Call(error) => describe_document(error, name, context),
        SaveError::Changed { latest } => CommandError {
            hint: Some("Compare your text with it, and save again on top of it.".to_owned()),
            ..CommandError::new(
                ErrorCode::Conflict,
                format!(
                    "Somebody saved version {} of {short}{} while you were editing; nothing was saved.",
                    latest.version,
                    context.place()
                ),
            )
        },
        SaveError::NotDefault { saved, error } => {
            let described = describe_document(error, name, context);
            CommandError {
                message: format!(
                    "Version {} of {short} was saved, but it is not the default. {}",
                    saved.version, described.message
                ),
                ..described
            }
        }
    }
}
