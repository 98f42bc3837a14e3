//! Looking at a document before a session is started by it.

use fleetline_app::problem::{Context, describe, describe_document};
use fleetline_documents::{
    DocumentErrorKind, DocumentSources, DocumentText, SessionDocument, SessionType, VersionChoice,
    check_given,
};

use crate::console::{harmless, tell};
use crate::failure::Failure;
use crate::scope;

/// Values for parameters, in order of entry.
pub(crate) type Given = Vec<(String, Vec<String>)>;

/// Pairs with the same name become one list.
pub(crate) fn grouped(parameters: Vec<(String, String)>) -> Given {
    let mut grouped = Given::new();
    for (name, value) in parameters {
        match grouped.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => grouped.push((name, vec![value])),
        }
    }
    grouped
}

/// Reads the document of the context. `None` when it may not be read, which is told: AWS judges then.
///
/// # Errors
/// When there is no such document.
pub(crate) async fn read(context: &Context, document: &str) -> Result<Option<SessionDocument>, Failure> {
    let calls = scope::sources()
        .documents(&context.source, &context.region)
        .map_err(|error| Failure::from(describe(&error, context)))?;
    let said = match calls.content(document.to_owned(), VersionChoice::Default).await {
        Ok(text) => match DocumentText::parse(text) {
            Ok(text) => return Ok(Some(SessionDocument::read(&text))),
            Err(error) => error.to_string(),
        },
        Err(error) if error.kind == DocumentErrorKind::Missing => {
            return Err(Failure::from(describe_document(&error, document, context)));
        }
        Err(error) => Failure::from(describe_document(&error, document, context)).to_string(),
    };
    tell(&harmless(&format!("{document} is not checked before the start: {said}")));
    Ok(None)
}

/// Judges a document and what is given for it as AWS would.
///
/// # Errors
/// When its sessions are of another type than `wanted`, or AWS would refuse what is given.
pub(crate) fn check(
    document: &SessionDocument,
    name: &str,
    given: &[(String, Vec<String>)],
    wanted: &[SessionType],
) -> Result<(), Failure> {
    if let Some(kind) = document.session_type.filter(|kind| !wanted.contains(kind)) {
        let hint = match kind {
            SessionType::NonInteractiveCommands => "Use `fleetline exec` with it.",
            SessionType::Port => "Use `fleetline forward` for ports.",
            SessionType::StandardStream | SessionType::InteractiveCommands => {
                "Use `fleetline shell` with it."
            }
        };
        let message = format!("Sessions of {} are of type {kind}.", harmless(name));
        return Err(Failure::usage(message).with_hint(hint));
    }
    let problems = check_given(&document.parameters, given);
    let Some((last, others)) = problems.split_last() else { return Ok(()) };
    for problem in others {
        Failure::usage(harmless(&problem.to_string())).tell();
    }
    Err(Failure::usage(harmless(&last.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_parameters_become_one_list() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let grouped = grouped(vec![pair("a", "1"), pair("b", "2"), pair("a", "3")]);
        assert_eq!(grouped[0], ("a".to_owned(), vec!["1".to_owned(), "3".to_owned()]));
        assert_eq!(grouped.len(), 2);
    }
}
