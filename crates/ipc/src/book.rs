//! What a person keeps about their fleet: saved views, favourites, recently used nodes, groups.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::fleet::FleetQuery;

/// A width a person gave to a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ColumnWidth {
    /// Name of the column.
    pub column: String,
    /// CSS pixels, 24 to 2,000.
    pub px: u32,
}

/// How a table looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct TableLayout {
    /// Names of the shown columns in order, at most 64; empty is the default. Unknown names are kept and not shown.
    pub columns: Vec<String>,
    /// Widths of columns; others have their own.
    pub widths: Vec<ColumnWidth>,
}

/// A query with its order and columns under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SavedView {
    /// 1 to 80 characters in one line; unique without regard to case.
    pub name: String,
    /// Filter and order.
    pub query: FleetQuery,
    /// Columns.
    pub layout: TableLayout,
}

/// Nodes a person put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct NodeGroup {
    /// As a view's name.
    pub name: String,
    /// Keys, at most 5,000.
    pub nodes: Vec<String>,
}

/// All of it but the favourites, which are in the rows, and the recents, which are asked for by `is:recent`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct FleetBook {
    /// Saved views in the person's order.
    pub views: Vec<SavedView>,
    /// Groups in the person's order.
    pub groups: Vec<NodeGroup>,
    /// How many favourites there are, listed or not.
    pub favourites: u32,
    /// How the table looks without a saved view.
    pub layout: TableLayout,
    /// Name of the saved view that is shown after a start.
    pub open: Option<String>,
}

/// A change of the book. Nodes are named by their keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(tag = "change", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum BookChange {
    /// Saves a view under its name, in the place of the one of that name.
    SaveView {
        /// The view.
        view: SavedView,
    },
    /// Gives a view another name.
    RenameView {
        /// The view.
        from: String,
        /// Its new name.
        to: String,
    },
    /// Removes a view.
    RemoveView {
        /// The view.
        name: String,
    },
    /// The look of the table of a view, or of the table without a view.
    Layout {
        /// The view.
        view: Option<String>,
        /// Its look.
        layout: TableLayout,
    },
    /// The view that is shown after a start.
    Open {
        /// The view.
        view: Option<String>,
    },
    /// Marks nodes as favourites, or takes the marks away.
    Favourite {
        /// The nodes.
        nodes: Vec<String>,
        /// Whether to mark them.
        on: bool,
    },
    /// Makes an empty group.
    AddGroup {
        /// Its name.
        name: String,
    },
    /// Gives a group another name.
    RenameGroup {
        /// The group.
        from: String,
        /// Its new name.
        to: String,
    },
    /// Removes a group; its nodes stay what they are.
    RemoveGroup {
        /// The group.
        name: String,
    },
    /// Puts nodes into a group, or takes them out.
    Member {
        /// The group.
        group: String,
        /// The nodes.
        nodes: Vec<String>,
        /// Whether they belong to it.
        on: bool,
    },
}

/// What a list of nodes is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum ExportForm {
    /// Comma-separated values with a head; formulas are made harmless.
    Csv,
    /// A JSON array, as `fleetline nodes --json` prints it.
    Json,
}

/// A list of nodes that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Exported {
    /// The file.
    pub path: String,
    /// Nodes in it.
    pub nodes: u32,
}
