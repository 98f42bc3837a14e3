//! Calls about session documents, and connecting with one.

use fleetline_ipc::CommandError;
use fleetline_ipc::connect::{ConnectCheck, ConnectRequest};
use fleetline_ipc::document::{
    DocumentDetail, DocumentEdit, DocumentLine, DocumentPlace, DocumentReading, DocumentRow, DocumentSave,
    DocumentSaved, DocumentSessionType, DocumentTypeRow, PreferencesOutcome,
};
use fleetline_ipc::session::TabRow;

use super::{AppHandle, beside};
use crate::documents::{self, DocumentAsk, DocumentRequest};
use crate::request::{Reply, Request};

impl AppHandle {
    async fn document<T>(
        &self,
        place: DocumentPlace,
        ask: impl FnOnce(Reply<T>) -> DocumentAsk,
    ) -> Result<T, CommandError> {
        self.ask(|reply| Request::Document(DocumentRequest { place, ask: ask(reply) })).await
    }

    /// The session documents of an account-Region: its own, shared ones, those of AWS.
    pub async fn documents_list(&self, place: DocumentPlace) -> Result<Vec<DocumentRow>, CommandError> {
        self.document(place, |reply| DocumentAsk::List { reply }).await
    }

    /// Session types of documents, at most 50, which are read for it.
    pub async fn documents_types(
        &self,
        place: DocumentPlace,
        names: Vec<String>,
    ) -> Result<Vec<DocumentTypeRow>, CommandError> {
        self.document(place, |reply| DocumentAsk::Types { names, reply }).await
    }

    /// A document at a version; without one at the default.
    pub async fn document_open(
        &self,
        place: DocumentPlace,
        name: String,
        version: Option<String>,
    ) -> Result<DocumentDetail, CommandError> {
        self.document(place, |reply| DocumentAsk::Open { name, version, reply }).await
    }

    /// Saves a new document, or a new version. Refused with [`ErrorCode::InvalidInput`] while it has errors, and with
    /// [`ErrorCode::Conflict`] when somebody saved another version meanwhile.
    pub async fn document_save(
        &self,
        place: DocumentPlace,
        save: DocumentSave,
    ) -> Result<DocumentSaved, CommandError> {
        self.document(place, |reply| DocumentAsk::Save { save, reply }).await
    }

    /// Makes a version the one sessions use.
    pub async fn document_set_default(
        &self,
        place: DocumentPlace,
        name: String,
        version: String,
    ) -> Result<(), CommandError> {
        self.document(place, |reply| DocumentAsk::SetDefault { name, version, reply }).await
    }

    /// Deletes a version of a document; without one all of it.
    pub async fn document_delete(
        &self,
        place: DocumentPlace,
        name: String,
        version: Option<String>,
    ) -> Result<(), CommandError> {
        self.document(place, |reply| DocumentAsk::Delete { name, version, reply }).await
    }

    /// Saves session preferences in several account-Regions and says what became of each.
    pub async fn preferences_apply(
        &self,
        places: Vec<DocumentPlace>,
        text: String,
    ) -> Result<Vec<PreferencesOutcome>, CommandError> {
        self.ask(|reply| Request::PreferencesApply { places, text, reply }).await
    }

    /// A text to begin a new document of this type with.
    pub async fn document_template(
        &self,
        kind: DocumentSessionType,
    ) -> Result<DocumentReading, CommandError> {
        beside(move || Ok(documents::template(kind))).await
    }

    /// A text with its form and what is wrong with it; at most 256 KiB.
    pub async fn document_read(&self, text: String) -> Result<DocumentReading, CommandError> {
        beside(move || documents::read(text)).await
    }

    /// An edit of the form, made in the text.
    pub async fn document_edit(
        &self,
        text: String,
        edit: DocumentEdit,
    ) -> Result<DocumentReading, CommandError> {
        beside(move || documents::edit(text, &edit)).await
    }

    /// Two texts line by line; layout is no difference.
    pub async fn document_compare(
        &self,
        old: String,
        new: String,
    ) -> Result<Vec<DocumentLine>, CommandError> {
        beside(move || documents::lines(&old, &new)).await
    }

    /// Judges what is given for a document, whose text the caller has read, and tells the same as command lines.
    pub async fn connect_check(
        &self,
        request: ConnectRequest,
        text: Option<String>,
    ) -> Result<ConnectCheck, CommandError> {
        self.ask(|reply| Request::ConnectCheck { request, text, reply }).await
    }

    /// What was chosen last for a node.
    pub async fn connect_last(&self, node_key: String) -> Result<Option<ConnectRequest>, CommandError> {
        self.ask(|reply| Request::ConnectLast { node_key, reply }).await
    }

    /// Opens a session with a chosen document in a new tab, in state Connecting, and remembers the choice.
    pub async fn connect_open(&self, request: ConnectRequest) -> Result<TabRow, CommandError> {
        self.ask(|reply| Request::ConnectOpen { request, reply }).await
    }
}
