//! Calls about the list of nodes.

use fleetline_ipc::CommandError;
use fleetline_ipc::book::{BookChange, ExportForm, Exported, FleetBook};
use fleetline_ipc::fleet::{Completions, FleetQuery, FleetViewState, FleetWindow, NodeDetail};

use super::AppHandle;
use crate::request::Request;

impl AppHandle {
    /// Lists the whole scope again. A refresh under way is replaced.
    pub async fn fleet_refresh(&self) -> Result<(), CommandError> {
        self.ask(|reply| Request::FleetRefresh { reply }).await
    }

    /// Lists one account-Region of the scope again. One that is being listed goes on.
    pub async fn fleet_refresh_one(&self, source: String, region: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::FleetRefreshOne { source, region, reply }).await
    }

    /// Stops the refresh; what has been listed stays.
    pub async fn fleet_cancel(&self) -> Result<(), CommandError> {
        self.ask(|reply| Request::FleetCancel { reply }).await
    }

    /// Opens a view; at most 16 are open at a time.
    pub async fn fleet_view_open(&self, query: FleetQuery) -> Result<FleetViewState, CommandError> {
        self.ask(|reply| Request::ViewOpen { query, reply }).await
    }

    /// Changes what a view shows.
    pub async fn fleet_view_query(
        &self,
        view: String,
        query: FleetQuery,
    ) -> Result<FleetViewState, CommandError> {
        self.ask(|reply| Request::ViewQuery { view, query, reply }).await
    }

    /// At most 200 rows from `offset`; fewer at the end.
    pub async fn fleet_view_window(
        &self,
        view: String,
        offset: u32,
        len: u32,
    ) -> Result<FleetWindow, CommandError> {
        self.ask(|reply| Request::ViewWindow { view, offset, len, reply }).await
    }

    /// Forgets a view.
    pub async fn fleet_view_close(&self, view: String) -> Result<(), CommandError> {
        self.ask(|reply| Request::ViewClose { view, reply }).await
    }

    /// Index of a node in a view, `None` when the view does not show it.
    pub async fn fleet_view_find(&self, view: String, key: String) -> Result<Option<u32>, CommandError> {
        self.ask(|reply| Request::ViewFind { view, key, reply }).await
    }

    /// Index of the first row at or after `from`, wrapping, whose name begins with `prefix`.
    pub async fn fleet_view_type_ahead(
        &self,
        view: String,
        prefix: String,
        from: u32,
    ) -> Result<Option<u32>, CommandError> {
        self.ask(|reply| Request::ViewTypeAhead { view, prefix, from, reply }).await
    }

    /// Completions of a query at a place, given in UTF-16 code units.
    pub async fn fleet_complete(&self, text: String, cursor: u32) -> Result<Completions, CommandError> {
        self.ask(|reply| Request::Complete { text, cursor, reply }).await
    }

    /// Changes saved views, groups or favourites; returns all of them as they now are.
    pub async fn fleet_book(&self, change: BookChange) -> Result<FleetBook, CommandError> {
        self.ask(|reply| Request::Book { change, reply }).await
    }

    /// Writes what a view shows, or of that the nodes with these keys, to a new file in the user's folder for downloads.
    pub async fn fleet_export(
        &self,
        view: String,
        form: ExportForm,
        keys: Option<Vec<String>>,
    ) -> Result<Exported, CommandError> {
        self.ask(|reply| Request::Export { view, form, keys, reply }).await
    }

    /// Everything about a node.
    pub async fn fleet_node(&self, key: String) -> Result<NodeDetail, CommandError> {
        self.ask(|reply| Request::Node { key, reply }).await
    }
}
