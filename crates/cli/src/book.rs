//! `fleetline views`, `groups` and `favourites`: what the user keeps about their fleet, shared with the app.

use clap::{Args, Subcommand};
use fleetline_inventory::{Column, Marks, Query};
use fleetline_store::{BookEdit, BookFailed, FleetBook, Paths, SavedView, Store, TableLayout};
use serde::Serialize;

use crate::args::ScopeArgs;
use crate::console::{harmless, write, write_json};
use crate::failure::Failure;
use crate::fleet::{self, Depth};
use crate::{scope, table, target};

#[derive(Debug, Args)]
pub(crate) struct ViewsArgs {
    #[command(subcommand)]
    command: ViewsCommand,
}

#[derive(Debug, Subcommand)]
enum ViewsCommand {
    /// List saved views
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Save a query under a name, in the place of the view of that name
    Save {
        /// The view's name
        name: String,
        /// As for `fleetline nodes`
        #[arg(value_name = "QUERY")]
        query: Vec<String>,
        #[command(flatten)]
        look: LookArgs,
    },
    /// Give a view another name
    Rename {
        /// The view
        from: String,
        /// Its new name
        to: String,
    },
    /// Remove a view
    Remove {
        /// The view
        name: String,
    },
}

/// Order and columns of a list of nodes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LookArgs {
    /// Column to sort by
    #[arg(long, value_name = "COLUMN", value_parser = column)]
    pub(crate) sort: Option<Column>,
    /// Sort the other way round
    #[arg(long)]
    pub(crate) descending: bool,
    /// Columns to show, separated by commas
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', value_parser = column)]
    pub(crate) columns: Vec<Column>,
}

#[derive(Debug, Args)]
pub(crate) struct GroupsArgs {
    #[command(subcommand)]
    command: GroupsCommand,
}

#[derive(Debug, Subcommand)]
enum GroupsCommand {
    /// List groups with their nodes
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Make a group, or put nodes into it
    Add {
        /// The group
        name: String,
        #[command(flatten)]
        nodes: NodesOfArgs,
    },
    /// Take nodes out of a group; without nodes remove the group
    Remove {
        /// The group
        name: String,
        #[command(flatten)]
        nodes: NodesOfArgs,
    },
    /// Give a group another name
    Rename {
        /// The group
        from: String,
        /// Its new name
        to: String,
    },
}

/// Nodes that are put somewhere.
#[derive(Debug, Args)]
struct NodesOfArgs {
    /// Node id, a name that only one node has, or account/region/node id
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FavouritesArgs {
    #[command(subcommand)]
    command: FavouritesCommand,
}

#[derive(Debug, Subcommand)]
enum FavouritesCommand {
    /// List favourites as account/region/node id
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Mark nodes as favourites
    Add(NodesOfArgs),
    /// Take the mark from nodes
    Remove(NodesOfArgs),
}

/// Does what is asked for about views.
pub(crate) fn views(args: ViewsArgs) -> Result<u8, Failure> {
    match args.command {
        ViewsCommand::List { json } => list_views(&load()?, json),
        ViewsCommand::Save { name, query, look } => {
            let query = query.join(" ");
            if let Some(issue) = Query::parse(&query).issues().first() {
                return Err(Failure::usage(format!("The query is not valid: {}", issue.message)));
            }
            let sort = look.sort.map(|column| column.name().to_owned()).unwrap_or_default();
            let columns = look.columns.iter().map(|column| column.name().to_owned()).collect();
            let layout = TableLayout { columns, ..TableLayout::default() };
            let view = SavedView { name, query, sort, descending: look.descending, layout };
            change(BookEdit::SaveView(view))
        }
        ViewsCommand::Rename { from, to } => change(BookEdit::RenameView { from, to }),
        ViewsCommand::Remove { name } => change(BookEdit::RemoveView(name)),
    }
}

/// Does what is asked for about groups.
pub(crate) async fn groups(args: GroupsArgs) -> Result<u8, Failure> {
    match args.command {
        GroupsCommand::List { json } => list_groups(&load()?, json),
        GroupsCommand::Add { name, nodes } => {
            let nodes = keys(&nodes).await?;
            let known = load()?.groups.iter().any(|group| group.name.to_lowercase() == name.to_lowercase());
            let make = (!known || nodes.is_empty()).then(|| BookEdit::AddGroup(name.clone()));
            let fill = (!nodes.is_empty()).then_some(BookEdit::Member { group: name, nodes, on: true });
            changes(&make.into_iter().chain(fill).collect::<Vec<_>>())
        }
        GroupsCommand::Remove { name, nodes } if nodes.targets.is_empty() => {
            change(BookEdit::RemoveGroup(name))
        }
        GroupsCommand::Remove { name, nodes } => {
            change(BookEdit::Member { group: name, nodes: keys(&nodes).await?, on: false })
        }
        GroupsCommand::Rename { from, to } => change(BookEdit::RenameGroup { from, to }),
    }
}

/// Does what is asked for about favourites.
pub(crate) async fn favourites(args: FavouritesArgs) -> Result<u8, Failure> {
    match args.command {
        FavouritesCommand::List { json: true } => {
            write_json(&load()?.favourites)?;
            Ok(0)
        }
        FavouritesCommand::List { json: false } => lines(load()?.favourites),
        FavouritesCommand::Add(nodes) => {
            change(BookEdit::Favourite { nodes: some(keys(&nodes).await?)?, on: true })
        }
        FavouritesCommand::Remove(nodes) => {
            change(BookEdit::Favourite { nodes: some(keys(&nodes).await?)?, on: false })
        }
    }
}

/// The book as it is on disk.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn load() -> Result<FleetBook, Failure> {
    let loaded = store()?.fleet_book();
    match loaded.setback {
        Some(setback) => Err(Failure::local("Views and groups could not be read", &setback.message)),
        None => Ok(loaded.value),
    }
}

/// What the book marks, for queries. A book that cannot be read marks nothing.
pub(crate) fn marks() -> Marks {
    load().map(|book| fleetline_app::book::marks(&book)).unwrap_or_default()
}

fn store() -> Result<Store, Failure> {
    let open = || Store::open(Paths::resolve()?);
    open().map_err(|error| Failure::local("Views and groups are not available", &error))
}

fn change(edit: BookEdit) -> Result<u8, Failure> {
    changes(&[edit])
}

fn changes(edits: &[BookEdit]) -> Result<u8, Failure> {
    let done = store()?.edit_fleet_book(edits);
    done.map(|_| 0).map_err(|failed| match failed {
        BookFailed::Refused(refused) => Failure::usage(refused.to_string()),
        BookFailed::Store(error) => Failure::local("The change was not kept", &error),
    })
}

/// Keys of the nodes that are meant. Those written as keys need no look-up.
async fn keys(nodes: &NodesOfArgs) -> Result<Vec<String>, Failure> {
    let (written, wanted): (Vec<String>, Vec<String>) =
        nodes.targets.iter().cloned().partition(|text| text.split('/').count() == 3);
    let mut keys = written;
    if !wanted.is_empty() {
        let sources = scope::sources();
        let scopes = scope::chosen(&sources, &nodes.scope)?;
        let listed = fleet::list(&sources, &scopes, Depth::Facts, None).await;
        for text in wanted {
            keys.push(target::only_match(&text, &listed)?.key().to_owned());
        }
    }
    Ok(keys)
}

fn some(keys: Vec<String>) -> Result<Vec<String>, Failure> {
    if keys.is_empty() { Err(Failure::usage("Name at least one node.")) } else { Ok(keys) }
}

fn column(text: &str) -> Result<Column, String> {
    Column::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Column::ALL.into_iter().map(Column::name).collect();
        format!("columns are {}", names.join(", "))
    })
}

/// Columns by their names in a book; names of other versions are left out.
pub(crate) fn columns_of(names: &[String]) -> Vec<Column> {
    names.iter().filter_map(|name| Column::from_name(name)).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ViewJson<'a> {
    name: &'a str,
    query: &'a str,
    sort: &'a str,
    descending: bool,
    columns: &'a [String],
}

impl<'a> ViewJson<'a> {
    fn of(view: &'a SavedView) -> Self {
        Self {
            name: &view.name,
            query: &view.query,
            sort: &view.sort,
            descending: view.descending,
            columns: &view.layout.columns,
        }
    }
}

fn list_views(book: &FleetBook, as_json: bool) -> Result<u8, Failure> {
    if as_json {
        write_json(&book.views.iter().map(ViewJson::of).collect::<Vec<_>>())?;
        return Ok(0);
    }
    let cells = |view: &SavedView| {
        let sort = match (view.sort.as_str(), view.descending) {
            ("", false) => "name".to_owned(),
            ("", true) => "name, descending".to_owned(),
            (sort, false) => sort.to_owned(),
            (sort, true) => format!("{sort}, descending"),
        };
        vec![harmless(&view.name), harmless(&view.query), harmless(&sort)]
    };
    let rows: Vec<Vec<String>> = book.views.iter().map(cells).collect();
    lines(table::lines(&["NAME", "QUERY", "SORT"], &rows))
}

#[derive(Serialize)]
struct GroupJson<'a> {
    name: &'a str,
    nodes: &'a [String],
}

fn list_groups(book: &FleetBook, as_json: bool) -> Result<u8, Failure> {
    let rows: Vec<GroupJson<'_>> =
        book.groups.iter().map(|group| GroupJson { name: &group.name, nodes: &group.nodes }).collect();
    if as_json {
        write_json(&rows)?;
        return Ok(0);
    }
    let cells = rows.iter().flat_map(|group| {
        let name = harmless(group.name);
        let none = group.nodes.is_empty().then(|| vec![name.clone(), String::new()]);
        let nodes: Vec<_> = group.nodes.iter().map(|node| vec![name.clone(), harmless(node)]).collect();
        none.into_iter().chain(nodes)
    });
    lines(table::lines(&["GROUP", "NODE"], &cells.collect::<Vec<_>>()))
}

fn lines(lines: impl IntoIterator<Item = String>) -> Result<u8, Failure> {
    for line in lines {
        write(&line)?;
    }
    Ok(0)
}
