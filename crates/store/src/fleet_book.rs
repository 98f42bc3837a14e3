//! What a person keeps about their fleet: saved views, favourites, recently used nodes, groups. One small document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::Loaded;
use crate::error::StoreError;
use crate::{Store, file};

/// Name of the document.
const NAME: &str = "fleet";
/// Saved views and groups at most.
const LISTS: usize = 200;
/// Favourites at most, and nodes of a group.
const NODES: usize = 5_000;
/// Recently used nodes that are remembered.
const RECENTS: usize = 50;
/// Longest name, in characters.
const NAME_LENGTH: usize = 80;
/// Longest query, in bytes.
const QUERY_LENGTH: usize = 4_096;
/// Columns of a layout at most.
const COLUMNS: usize = 64;

/// How a table looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLayout {
    /// Shown columns in order, as the interface names them; empty is the default.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Widths a person gave to columns, in CSS pixels; other columns have their own.
    #[serde(default)]
    pub widths: BTreeMap<String, u32>,
}

/// A query with its order and columns under a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedView {
    /// Name, unique without regard to case.
    pub name: String,
    /// Query as typed.
    pub query: String,
    /// Column it is sorted by, as the interface names it; empty is the default.
    #[serde(default)]
    pub sort: String,
    /// Whether in descending order.
    #[serde(default)]
    pub descending: bool,
    /// How its table looks.
    #[serde(flatten)]
    pub layout: TableLayout,
}

/// A node that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentNode {
    /// `account/region/node id`.
    pub key: String,
    /// When last, in epoch milliseconds.
    pub used_ms: i64,
}

/// Nodes a person put together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeGroup {
    /// Name, unique without regard to case.
    pub name: String,
    /// Keys, sorted.
    #[serde(default)]
    pub nodes: Vec<String>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetBook {
    /// Views in the person's order.
    pub views: Vec<SavedView>,
    /// Keys, sorted.
    pub favourites: Vec<String>,
    /// Most recent first.
    pub recents: Vec<RecentNode>,
    /// Groups in the person's order.
    pub groups: Vec<NodeGroup>,
    /// How the table looks without a saved view.
    #[serde(default)]
    pub layout: TableLayout,
    /// The saved view that is shown after a start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
}

/// One change of the book. Names are compared without regard to case, nodes are named by `account/region/node id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookEdit {
    /// Saves a view under its name, in the place of the one of the same name.
    SaveView(SavedView),
    /// Gives a view another name.
    RenameView {
        /// The view.
        from: String,
        /// Its new name.
        to: String,
    },
    /// Removes a view.
    RemoveView(String),
    /// How the table of a view looks from now on; `None` is the table without a view.
    Layout {
        /// The view.
        view: Option<String>,
        /// Its look.
        layout: TableLayout,
    },
    /// The view that is shown after a start.
    Open(Option<String>),
    /// Marks nodes, or takes the marks away.
    Favourite {
        /// The nodes.
        nodes: Vec<String>,
        /// Whether to mark them.
        on: bool,
    },
    /// A node was used.
    Touch {
        /// The node.
        node: String,
        /// When, in epoch milliseconds.
        at_ms: i64,
    },
    /// Makes an empty group.
    AddGroup(String),
    /// Gives a group another name.
    RenameGroup {
        /// The group.
        from: String,
        /// Its new name.
        to: String,
    },
    /// Removes a group; its nodes stay what they are.
    RemoveGroup(String),
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

/// Why a change was not made; the sentence says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// Empty, too long, or with control characters.
    #[error("A name has 1 to {NAME_LENGTH} characters in one line.")]
    Name,
    /// Longer than the query box takes.
    #[error("A query has at most {QUERY_LENGTH} bytes.")]
    Query,
    /// Another has it.
    #[error("There is one of this name already.")]
    Taken,
    /// Nothing of this name.
    #[error("There is none of this name.")]
    Unknown,
    /// A limit is reached.
    #[error("There are too many; remove one first.")]
    Full,
}

/// Why a change did not reach the disk. The file is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookFailed {
    /// The book does not allow it.
    #[error("{0}")]
    Refused(#[from] BookError),
    /// The file could not be read or written.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl FleetBook {
    /// Makes a change, or none of it.
    ///
    /// # Errors
    /// If a name does not fit, is taken or is unknown, or a limit is reached.
    pub fn apply(&mut self, edit: &BookEdit) -> Result<(), BookError> {
        let known = |found: bool| if found { Ok(()) } else { Err(BookError::Unknown) };
        match edit {
            BookEdit::SaveView(view) => self.save_view(view.clone()),
            BookEdit::RenameView { from, to } => self.rename_view(from, to),
            BookEdit::RemoveView(name) => known(self.remove_view(name)),
            BookEdit::Layout { view, layout } => self.set_layout(view.as_deref(), layout),
            BookEdit::Open(view) => {
                let found =
                    view.as_ref().map(|name| self.view(name).ok_or(BookError::Unknown)).transpose()?;
                self.open = found.map(|view| view.name.clone());
                Ok(())
            }
            BookEdit::Favourite { nodes, on } => set_keys(&mut self.favourites, nodes, *on),
            BookEdit::Touch { node, at_ms } => {
                self.touch(node, *at_ms);
                Ok(())
            }
            BookEdit::AddGroup(name) => self.add_group(name),
            BookEdit::RenameGroup { from, to } => self.rename_group(from, to),
            BookEdit::RemoveGroup(name) => known(self.remove_group(name)),
            BookEdit::Member { group, nodes, on } => {
                let group = self.groups.iter_mut().find(|known| same(&known.name, group));
                set_keys(&mut group.ok_or(BookError::Unknown)?.nodes, nodes, *on)
            }
        }
    }

    /// A view by its name.
    pub fn view(&self, name: &str) -> Option<&SavedView> {
        self.views.iter().find(|view| same(&view.name, name))
    }

    fn set_layout(&mut self, view: Option<&str>, layout: &TableLayout) -> Result<(), BookError> {
        if layout.columns.len().max(layout.widths.len()) > COLUMNS {
            return Err(BookError::Full);
        }
        let place = match view {
            None => &mut self.layout,
            Some(name) => {
                let view = self.views.iter_mut().find(|view| same(&view.name, name));
                &mut view.ok_or(BookError::Unknown)?.layout
            }
        };
        place.clone_from(layout);
        Ok(())
    }

    fn rename_group(&mut self, from: &str, to: &str) -> Result<(), BookError> {
        check_name(to)?;
        if !same(from, to) && self.groups.iter().any(|group| same(&group.name, to)) {
            return Err(BookError::Taken);
        }
        let group = self.groups.iter_mut().find(|group| same(&group.name, from)).ok_or(BookError::Unknown)?;
        to.clone_into(&mut group.name);
        Ok(())
    }

    /// Saves a view under its name, in the place of the one of the same name.
    ///
    /// # Errors
    /// If the name or the query does not fit, or there are too many views.
    fn save_view(&mut self, view: SavedView) -> Result<(), BookError> {
        check_name(&view.name)?;
        if view.query.len() > QUERY_LENGTH {
            return Err(BookError::Query);
        }
        if view.layout.columns.len().max(view.layout.widths.len()) > COLUMNS {
            return Err(BookError::Full);
        }
        match self.views.iter().position(|known| same(&known.name, &view.name)) {
            Some(at) => self.views[at] = view,
            None if self.views.len() >= LISTS => return Err(BookError::Full),
            None => self.views.push(view),
        }
        Ok(())
    }

    /// Gives a view another name.
    ///
    /// # Errors
    /// If there is no such view, or another has the name.
    fn rename_view(&mut self, from: &str, to: &str) -> Result<(), BookError> {
        check_name(to)?;
        if !same(from, to) && self.views.iter().any(|view| same(&view.name, to)) {
            return Err(BookError::Taken);
        }
        let view = self.views.iter_mut().find(|view| same(&view.name, from)).ok_or(BookError::Unknown)?;
        to.clone_into(&mut view.name);
        if self.open.as_deref().is_some_and(|open| same(open, from)) {
            self.open = Some(to.to_owned());
        }
        Ok(())
    }

    /// Removes a view; returns whether there was one.
    fn remove_view(&mut self, name: &str) -> bool {
        let before = self.views.len();
        self.views.retain(|view| !same(&view.name, name));
        self.open.take_if(|open| same(open, name));
        self.views.len() < before
    }

    /// A node was used now. The oldest of too many is forgotten.
    fn touch(&mut self, key: &str, now_ms: i64) {
        self.recents.retain(|recent| recent.key != key);
        self.recents.insert(0, RecentNode { key: key.to_owned(), used_ms: now_ms });
        self.recents.truncate(RECENTS);
    }

    /// Makes an empty group.
    ///
    /// # Errors
    /// If the name does not fit or is taken, or there are too many groups.
    fn add_group(&mut self, name: &str) -> Result<(), BookError> {
        check_name(name)?;
        if self.groups.iter().any(|group| same(&group.name, name)) {
            return Err(BookError::Taken);
        }
        if self.groups.len() >= LISTS {
            return Err(BookError::Full);
        }
        self.groups.push(NodeGroup { name: name.to_owned(), nodes: Vec::new() });
        Ok(())
    }

    /// Removes a group; returns whether there was one. Its nodes stay what they are.
    fn remove_group(&mut self, name: &str) -> bool {
        let before = self.groups.len();
        self.groups.retain(|group| !same(&group.name, name));
        self.groups.len() < before
    }

    /// What was read from a file people may edit, in the order the rest relies on.
    fn mended(mut self) -> Self {
        self.favourites.sort_unstable();
        self.favourites.dedup();
        for group in &mut self.groups {
            group.nodes.sort_unstable();
            group.nodes.dedup();
        }
        self.recents.sort_by_key(|recent| std::cmp::Reverse(recent.used_ms));
        self.recents.truncate(RECENTS);
        self
    }
}

impl Store {
    /// What the person keeps about their fleet; see [`Store::load`] for what a damaged file costs.
    pub fn fleet_book(&self) -> Loaded<FleetBook> {
        let loaded = self.load::<FleetBook>(NAME);
        Loaded { value: loaded.value.mended(), setback: loaded.setback }
    }

    /// Makes changes to the book as it is on disk now, all or none, and returns it. Programs that change it at the same
    /// time take turns, so no change is lost.
    ///
    /// # Errors
    /// When a change does not fit the book, or as [`Store::save`]; the file is as it was.
    pub fn edit_fleet_book(&self, edits: &[BookEdit]) -> Result<FleetBook, BookFailed> {
        // Held until the end of this function; a crash releases it.
        let _turn = self.paths.as_ref().map(|paths| file::lock(&paths.config, NAME)).transpose()?;
        let mut book = self.fleet_book().value;
        for edit in edits {
            book.apply(edit)?;
        }
        self.save(NAME, &book)?;
        Ok(book)
    }
}

/// Puts keys into a sorted list or takes them out; at most [`NODES`] of them.
fn set_keys(keys: &mut Vec<String>, nodes: &[String], on: bool) -> Result<(), BookError> {
    let mut changed = keys.clone();
    if on {
        changed.extend_from_slice(nodes);
        changed.sort_unstable();
        changed.dedup();
    } else {
        changed.retain(|key| !nodes.contains(key));
    }
    if on && changed.len() > NODES {
        return Err(BookError::Full);
    }
    *keys = changed;
    Ok(())
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

fn check_name(name: &str) -> Result<(), BookError> {
    let length = name.chars().count();
    let sound =
        (1..=NAME_LENGTH).contains(&length) && !name.chars().any(char::is_control) && name.trim() == name;
    if sound { Ok(()) } else { Err(BookError::Name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str, query: &str) -> SavedView {
        SavedView { name: name.to_owned(), query: query.to_owned(), ..SavedView::default() }
    }

    #[test]
    fn a_view_is_saved_once_per_name_and_renamed_without_meeting_another() {
        let mut book = FleetBook::default();
        book.save_view(view("Windows", "platform:windows")).unwrap();
        book.save_view(view("windows", "platform:windows -ping:lost")).unwrap();
        book.save_view(view("Lost", "ping:lost")).unwrap();
        assert_eq!(book.views.len(), 2);
        assert_eq!(book.views[0].query, "platform:windows -ping:lost");
        assert_eq!(book.rename_view("Lost", "WINDOWS"), Err(BookError::Taken));
        assert_eq!(book.rename_view("nobody", "x"), Err(BookError::Unknown));
        book.rename_view("windows", "Windows").unwrap();
        assert!(book.remove_view("lost") && !book.remove_view("lost"));
        for name in ["", " x", "a\nb", &"x".repeat(81)] {
            assert_eq!(book.save_view(view(name, "")), Err(BookError::Name), "{name:?}");
        }
        assert_eq!(book.save_view(view("x", &"q".repeat(4_097))), Err(BookError::Query));
    }

    #[test]
    fn favourites_recents_and_groups_hold_each_node_once() {
        let mut book = FleetBook::default();
        let keys = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let favourite = |names: &[&str], on| BookEdit::Favourite { nodes: keys(names), on };
        book.apply(&favourite(&["b", "a", "b"], true)).unwrap();
        assert_eq!(book.favourites, ["a", "b"]);
        book.apply(&favourite(&["a", "z"], false)).unwrap();
        assert_eq!(book.favourites, ["b"]);
        let many: Vec<String> = (0..NODES).map(|n| format!("n{n}")).collect();
        assert_eq!(book.apply(&BookEdit::Favourite { nodes: many, on: true }), Err(BookError::Full));
        assert_eq!(book.favourites, ["b"], "all or none");
        for turn in 0..60 {
            book.apply(&BookEdit::Touch { node: format!("n{turn}"), at_ms: turn }).unwrap();
        }
        book.apply(&BookEdit::Touch { node: "n20".to_owned(), at_ms: 99 }).unwrap();
        assert_eq!(
            (book.recents.len(), book.recents[0].key.as_str(), book.recents[1].key.as_str()),
            (50, "n20", "n59")
        );
        let member = |group: &str, names: &[&str], on| BookEdit::Member {
            group: group.to_owned(),
            nodes: keys(names),
            on,
        };
        book.apply(&BookEdit::AddGroup("Payments".to_owned())).unwrap();
        assert_eq!(book.apply(&BookEdit::AddGroup("payments".to_owned())), Err(BookError::Taken));
        book.apply(&member("PAYMENTS", &["b", "a"], true)).unwrap();
        book.apply(&member("payments", &["b"], false)).unwrap();
        assert_eq!(book.groups[0].nodes, ["a"]);
        assert_eq!(book.apply(&member("x", &["a"], true)), Err(BookError::Unknown));
        let rename = BookEdit::RenameGroup { from: "payments".to_owned(), to: "Ledger".to_owned() };
        book.apply(&rename).unwrap();
        book.apply(&BookEdit::RemoveGroup("ledger".to_owned())).unwrap();
        assert_eq!(book.apply(&rename), Err(BookError::Unknown));
    }

    #[test]
    fn the_open_view_follows_its_name_and_goes_with_it() {
        let mut book = FleetBook::default();
        let open = |name: &str| BookEdit::Open(Some(name.to_owned()));
        assert_eq!(book.apply(&open("Lost")), Err(BookError::Unknown));
        book.apply(&BookEdit::SaveView(view("Lost", "ping:lost"))).unwrap();
        book.apply(&open("lost")).unwrap();
        assert_eq!(book.open.as_deref(), Some("Lost"), "as it is written");
        book.apply(&BookEdit::RenameView { from: "lost".to_owned(), to: "Gone".to_owned() }).unwrap();
        assert_eq!(book.open.as_deref(), Some("Gone"));
        let layout = TableLayout {
            columns: vec!["name".to_owned()],
            widths: BTreeMap::from([("name".to_owned(), 240)]),
        };
        book.apply(&BookEdit::Layout { view: Some("gone".to_owned()), layout: layout.clone() }).unwrap();
        assert_eq!((&book.views[0].layout, &book.layout), (&layout, &TableLayout::default()));
        book.apply(&BookEdit::RemoveView("GONE".to_owned())).unwrap();
        assert_eq!(book.open, None);
        assert_eq!(book.apply(&BookEdit::RemoveView("gone".to_owned())), Err(BookError::Unknown));
    }

    #[test]
    fn changes_of_two_programs_are_both_kept() {
        let home = tempfile::tempdir().unwrap();
        let store = || Store::open(crate::Paths::below(home.path())).unwrap();
        let (window, terminal) = (store(), store());
        let mut saved = view("Windows", "platform:windows");
        saved.layout.columns = vec!["name".to_owned(), "ip".to_owned()];
        saved.layout.widths.insert("name".to_owned(), 180);
        window.edit_fleet_book(&[BookEdit::SaveView(saved.clone())]).unwrap();
        let both = terminal.edit_fleet_book(&[BookEdit::AddGroup("Payments".to_owned())]).unwrap();
        assert_eq!((&both.views[0], both.groups[0].name.as_str()), (&saved, "Payments"));
        let refused = window.edit_fleet_book(&[
            BookEdit::AddGroup("Ledger".to_owned()),
            BookEdit::AddGroup("ledger".to_owned()),
        ]);
        assert_eq!(refused, Err(BookFailed::Refused(BookError::Taken)));
        assert_eq!(terminal.fleet_book().value, both, "all or none");
    }

    #[test]
    fn a_file_edited_by_hand_is_put_in_order() {
        let text = "favourites = ['b', 'a', 'b']\n[[recents]]\nkey = 'old'\nused_ms = 1\n[[recents]]\nkey = 'new'\nused_ms = 2\n\
                    [[groups]]\nname = 'g'\nnodes = ['z', 'y']\n[[views]]\nname = 'v'\nquery = ''\n";
        let parsed: FleetBook = toml::from_str(text).unwrap();
        let book = parsed.mended();
        assert_eq!(book.favourites, ["a", "b"]);
        assert_eq!(book.recents[0].key, "new");
        assert_eq!(book.groups[0].nodes, ["y", "z"]);
    }
}
