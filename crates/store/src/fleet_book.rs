//! What a person keeps about their fleet: saved views, favourites, recently used nodes, groups. One small document.

use serde::{Deserialize, Serialize};

use crate::Store;
use crate::document::Loaded;
use crate::error::StoreError;

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
    /// Shown columns in order, as the interface names them; empty is the default.
    #[serde(default)]
    pub columns: Vec<String>,
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

impl FleetBook {
    /// Saves a view under its name, in the place of the one of the same name.
    ///
    /// # Errors
    /// If the name or the query does not fit, or there are too many views.
    pub fn save_view(&mut self, view: SavedView) -> Result<(), BookError> {
        check_name(&view.name)?;
        if view.query.len() > QUERY_LENGTH {
            return Err(BookError::Query);
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
    pub fn rename_view(&mut self, from: &str, to: &str) -> Result<(), BookError> {
        check_name(to)?;
        if !same(from, to) && self.views.iter().any(|view| same(&view.name, to)) {
            return Err(BookError::Taken);
        }
        let view = self.views.iter_mut().find(|view| same(&view.name, from)).ok_or(BookError::Unknown)?;
        to.clone_into(&mut view.name);
        Ok(())
    }

    /// Removes a view; returns whether there was one.
    pub fn remove_view(&mut self, name: &str) -> bool {
        let before = self.views.len();
        self.views.retain(|view| !same(&view.name, name));
        self.views.len() < before
    }

    /// Marks a node, or takes the mark away.
    ///
    /// # Errors
    /// If there are too many.
    pub fn set_favourite(&mut self, key: &str, favourite: bool) -> Result<(), BookError> {
        match (self.favourites.binary_search_by(|known| known.as_str().cmp(key)), favourite) {
            (Ok(at), false) => drop(self.favourites.remove(at)),
            (Err(_), true) if self.favourites.len() >= NODES => return Err(BookError::Full),
            (Err(at), true) => self.favourites.insert(at, key.to_owned()),
            (Ok(_), true) | (Err(_), false) => {}
        }
        Ok(())
    }

    /// Whether a node is marked.
    pub fn is_favourite(&self, key: &str) -> bool {
        self.favourites.binary_search_by(|known| known.as_str().cmp(key)).is_ok()
    }

    /// A node was used now. The oldest of too many is forgotten.
    pub fn touch(&mut self, key: &str, now_ms: i64) {
        self.recents.retain(|recent| recent.key != key);
        self.recents.insert(0, RecentNode { key: key.to_owned(), used_ms: now_ms });
        self.recents.truncate(RECENTS);
    }

    /// Makes an empty group.
    ///
    /// # Errors
    /// If the name does not fit or is taken, or there are too many groups.
    pub fn add_group(&mut self, name: &str) -> Result<(), BookError> {
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
    pub fn remove_group(&mut self, name: &str) -> bool {
        let before = self.groups.len();
        self.groups.retain(|group| !same(&group.name, name));
        self.groups.len() < before
    }

    /// Puts a node into a group, or takes it out.
    ///
    /// # Errors
    /// If there is no such group, or it is full.
    pub fn set_member(&mut self, name: &str, key: &str, member: bool) -> Result<(), BookError> {
        let group = self.groups.iter_mut().find(|group| same(&group.name, name)).ok_or(BookError::Unknown)?;
        match (group.nodes.binary_search_by(|known| known.as_str().cmp(key)), member) {
            (Ok(at), false) => drop(group.nodes.remove(at)),
            (Err(_), true) if group.nodes.len() >= NODES => return Err(BookError::Full),
            (Err(at), true) => group.nodes.insert(at, key.to_owned()),
            (Ok(_), true) | (Err(_), false) => {}
        }
        Ok(())
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

    /// Keeps it.
    ///
    /// # Errors
    /// As [`Store::save`].
    pub fn save_fleet_book(&self, book: &FleetBook) -> Result<(), StoreError> {
        self.save(NAME, book)
    }
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
        for key in ["b", "a", "b"] {
            book.set_favourite(key, true).unwrap();
        }
        assert!(book.is_favourite("a") && book.favourites == ["a", "b"]);
        book.set_favourite("a", false).unwrap();
        assert!(!book.is_favourite("a"));
        for turn in 0..60 {
            book.touch(&format!("n{turn}"), turn);
        }
        book.touch("n20", 99);
        assert_eq!(
            (book.recents.len(), book.recents[0].key.as_str(), book.recents[1].key.as_str()),
            (50, "n20", "n59")
        );
        book.add_group("Payments").unwrap();
        assert_eq!(book.add_group("payments"), Err(BookError::Taken));
        book.set_member("PAYMENTS", "b", true).unwrap();
        book.set_member("payments", "a", true).unwrap();
        book.set_member("payments", "b", false).unwrap();
        assert_eq!(book.groups[0].nodes, ["a"]);
        assert_eq!(book.set_member("x", "a", true), Err(BookError::Unknown));
        assert!(book.remove_group("payments"));
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
