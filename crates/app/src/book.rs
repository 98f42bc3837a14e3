//! What the user keeps about their fleet, between its file, the inventory and the interface.

use fleetline_inventory::Marks;
use fleetline_ipc::book::{BookChange, ColumnWidth, FleetBook, NodeGroup, SavedView, TableLayout};
use fleetline_ipc::fleet::FleetQuery;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::{self as store, BookEdit, BookError};

use crate::rows;

/// Widths a column may have, in CSS pixels.
const WIDTH: std::ops::RangeInclusive<u32> = 24..=2_000;

/// Favourites, recently used nodes and groups, for queries.
pub fn marks(book: &store::FleetBook) -> Marks {
    let used = book.recents.iter().map(|recent| (recent.key.clone(), recent.used_ms));
    let marks = Marks::default().with_favourites(book.favourites.iter().cloned()).with_used(used);
    book.groups.iter().fold(marks, |marks, group| marks.with_group(&group.name, group.nodes.iter().cloned()))
}

/// The book as the interface sees it.
pub(crate) fn row(book: &store::FleetBook) -> FleetBook {
    FleetBook {
        views: book.views.iter().map(view_row).collect(),
        groups: book
            .groups
            .iter()
            .map(|group| NodeGroup { name: group.name.clone(), nodes: group.nodes.clone() })
            .collect(),
        favourites: u32::try_from(book.favourites.len()).unwrap_or(u32::MAX),
        layout: layout_row(&book.layout),
        open: book.open.clone(),
    }
}

/// A change as it is written.
///
/// # Errors
/// When a width is out of bounds.
pub(crate) fn edit(change: BookChange) -> Result<BookEdit, CommandError> {
    Ok(match change {
        BookChange::SaveView { view } => BookEdit::SaveView(store::SavedView {
            name: view.name,
            sort: rows::sort_name(view.query.sort).to_owned(),
            descending: view.query.descending,
            query: view.query.text,
            layout: layout(view.layout)?,
        }),
        BookChange::RenameView { from, to } => BookEdit::RenameView { from, to },
        BookChange::RemoveView { name } => BookEdit::RemoveView(name),
        BookChange::Layout { view, layout: look } => BookEdit::Layout { view, layout: layout(look)? },
        BookChange::Open { view } => BookEdit::Open(view),
        BookChange::Favourite { nodes, on } => BookEdit::Favourite { nodes, on },
        BookChange::AddGroup { name } => BookEdit::AddGroup(name),
        BookChange::RenameGroup { from, to } => BookEdit::RenameGroup { from, to },
        BookChange::RemoveGroup { name } => BookEdit::RemoveGroup(name),
        BookChange::Member { group, nodes, on } => BookEdit::Member { group, nodes, on },
    })
}

/// A refusal in words.
pub(crate) fn refused(error: BookError) -> CommandError {
    let code = if error == BookError::Unknown { ErrorCode::NotFound } else { ErrorCode::InvalidInput };
    CommandError::new(code, error.to_string())
}

fn view_row(view: &store::SavedView) -> SavedView {
    SavedView {
        name: view.name.clone(),
        query: FleetQuery {
            text: view.query.clone(),
            sort: rows::sort_from_name(&view.sort),
            descending: view.descending,
        },
        layout: layout_row(&view.layout),
    }
}

fn layout_row(layout: &store::TableLayout) -> TableLayout {
    let width = |(column, px): (&String, &u32)| ColumnWidth { column: column.clone(), px: *px };
    TableLayout { columns: layout.columns.clone(), widths: layout.widths.iter().map(width).collect() }
}

fn layout(layout: TableLayout) -> Result<store::TableLayout, CommandError> {
    if let Some(wide) = layout.widths.iter().find(|width| !WIDTH.contains(&width.px)) {
        let message =
            format!("A column can have {} to {} pixels, not {}.", WIDTH.start(), WIDTH.end(), wide.px);
        return Err(CommandError::new(ErrorCode::InvalidInput, message));
    }
    let widths = layout.widths.into_iter().map(|width| (width.column, width.px)).collect();
    Ok(store::TableLayout { columns: layout.columns, widths })
}
