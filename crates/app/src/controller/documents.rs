//! Session documents, asked for beside the controller.

use fleetline_ipc::audit::AuditReport;
use fleetline_ipc::document::{DocumentPlace, PreferencesOutcome};
use fleetline_ipc::{CommandError, ErrorCode};

use super::Controller;
use crate::audit;
use crate::documents::{DocumentRequest, answer, apply_preferences};
use crate::problem::{Context, describe};
use crate::request::Reply;

impl Controller {
    /// Opens the calls and answers in a task of its own: AWS may take its time.
    pub(super) fn document_asked(&self, request: DocumentRequest) {
        let DocumentRequest { place, ask } = request;
        let Some(backend) = &self.backend else {
            return ask.refuse(CommandError::new(ErrorCode::NotFound, "No fleet is open."));
        };
        let context = Context { source: place.source, region: place.region, ..Context::default() };
        match backend.documents.documents(&context.source, &context.region) {
            Ok(calls) => drop(tokio::spawn(answer(calls, context, ask))),
            Err(error) => ask.refuse(describe(&error, &context)),
        }
    }

    /// Judges an account-Region in a task of its own.
    pub(super) fn audit_asked(&self, place: DocumentPlace, reply: Reply<AuditReport>) {
        let Some(backend) = &self.backend else {
            return super::answer(reply, Err(CommandError::new(ErrorCode::NotFound, "No fleet is open.")));
        };
        let (documents, records) = (backend.documents.clone(), backend.records.clone());
        tokio::spawn(async move {
            let DocumentPlace { source, region } = place;
            let found = audit::place(documents.as_ref(), records.as_ref(), &source, &region).await;
            let context = Context { source, region, ..Context::default() };
            let told = found
                .map(|findings| audit::report(&context.source, &context.region, findings))
                .map_err(|error| describe(&error, &context));
            super::answer(reply, told);
        });
    }

    /// Saves session preferences in a task of its own.
    pub(super) fn preferences_apply(
        &self,
        places: Vec<DocumentPlace>,
        text: String,
        reply: Reply<Vec<PreferencesOutcome>>,
    ) {
        let Some(backend) = &self.backend else {
            return super::answer(reply, Err(CommandError::new(ErrorCode::NotFound, "No fleet is open.")));
        };
        let sources = backend.documents.clone();
        tokio::spawn(async move { super::answer(reply, apply_preferences(sources, places, text).await) });
    }
}
