//! The order of the list, and how a person changes it.
//!
//! Bundles come first, in the order of their numbers and of the file, each with its members in its own order; then what
//! is in no bundle, by number and file too. A forward that is moved changes as little of the file as it can.

use fleetline_ipc::forward::Arrangement;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::profiles::{Edit, ProfileId, ProfileKind, SavedProfile};

use super::{ForwardDesk, Kept, Run, saved, spec};

/// Room between two numbers, so that something can be put between them later.
const STEP: i64 = 16;

/// What an arrangement leads to: what is to be written, and what ran and shall not any more.
pub(crate) type Arranged = (Vec<Edit>, Vec<(String, Run)>);

impl ForwardDesk {
    /// Puts the list in its order.
    pub(super) fn sort(&mut self) {
        self.bundles.sort_by_key(|bundle| numbered(bundle.order));
        let bundles = &self.bundles;
        let place = |kept: &Kept| {
            let within = bundles.iter().enumerate().find_map(|(at, bundle)| {
                let member = saved::members(bundle).iter().position(|id| *id == kept.saved.id)?;
                Some((at, (false, i64::try_from(member).unwrap_or(i64::MAX))))
            });
            within.unwrap_or((usize::MAX, numbered(kept.saved.order)))
        };
        self.kept.sort_by_cached_key(place);
    }

    /// Arranges the list anew.
    pub(crate) fn arrange(&mut self, arrangement: Arrangement) -> Result<Arranged, CommandError> {
        let arranged = match arrangement {
            Arrangement::RenameBundle { bundle, name } => (self.rename_bundle(&bundle, name)?, Vec::new()),
            Arrangement::Ungroup { bundle } => (self.ungroup(&bundle)?, Vec::new()),
            Arrangement::RemoveBundle { bundle } => self.remove_bundle(&bundle)?,
            Arrangement::Place { id, bundle, before } => {
                (self.place(&id, bundle, before.as_deref())?, Vec::new())
            }
            Arrangement::PlaceBundle { bundle, before } => {
                (self.place_bundle(&bundle, before.as_deref())?, Vec::new())
            }
        };
        self.sort();
        Ok(arranged)
    }

    fn rename_bundle(&mut self, bundle: &str, name: String) -> Result<Vec<Edit>, CommandError> {
        spec::check_bundle(&name)?;
        if name == bundle {
            return Ok(Vec::new());
        }
        if self.bundle_at(&name).is_ok() {
            let message = format!("There is a bundle {name} already.");
            return Err(CommandError::new(ErrorCode::InvalidInput, message));
        }
        let at = self.bundle_at(bundle)?;
        self.bundles[at].name.clone_from(&name);
        for kept in self.kept.iter_mut().filter(|kept| kept.spec.bundle.as_deref() == Some(bundle)) {
            kept.spec.bundle = Some(name.clone());
        }
        Ok(vec![Edit::Put(self.bundles[at].clone())])
    }

    fn ungroup(&mut self, bundle: &str) -> Result<Vec<Edit>, CommandError> {
        self.bundle_at(bundle)?;
        let mut edits = Vec::new();
        for kept in self.kept.iter_mut().filter(|kept| kept.spec.bundle.as_deref() == Some(bundle)) {
            kept.spec.bundle = None;
            edits = saved::move_member(&mut self.bundles, &kept.saved, None, |_| false);
        }
        // The last change of the bundle says it all: it is gone, or holds only what is no forward.
        Ok(edits)
    }

    fn remove_bundle(&mut self, bundle: &str) -> Result<Arranged, CommandError> {
        self.bundle_at(bundle)?;
        let (mut edits, mut runs) = (Vec::new(), Vec::new());
        for id in self.members(Some(bundle)) {
            let (run, removed) = self.remove(&id)?;
            edits.extend(removed);
            runs.extend(run.map(|run| (id, run)));
        }
        Ok((edits, runs))
    }

    fn place(
        &mut self,
        id: &str,
        bundle: Option<String>,
        before: Option<&str>,
    ) -> Result<Vec<Edit>, CommandError> {
        let at = self.at(id)?;
        if before == Some(id) {
            return Ok(Vec::new());
        }
        let mut edits = Vec::new();
        if self.kept[at].spec.bundle != bundle {
            if let Some(name) = &bundle {
                spec::check_bundle(name)?;
            }
            let saved = self.kept[at].saved.clone();
            let taken = |id: &ProfileId| {
                self.profiles.get(id).is_some() || self.kept.iter().any(|kept| kept.saved.id == *id)
            };
            edits = saved::move_member(&mut self.bundles, &saved, bundle.as_deref(), taken);
            self.kept[at].spec.bundle.clone_from(&bundle);
        }
        match bundle {
            Some(name) => edits.extend(self.place_in_bundle(at, &name, before)?),
            None => edits.extend(self.place_alone(at, before)),
        }
        Ok(edits)
    }

    fn place_in_bundle(
        &mut self,
        at: usize,
        bundle: &str,
        before: Option<&str>,
    ) -> Result<Option<Edit>, CommandError> {
        let bundle = self.bundle_at(bundle)?;
        let id = &self.kept[at].saved.id;
        let ProfileKind::Bundle { members } = &mut self.bundles[bundle].kind else { return Ok(None) };
        let old = members.clone();
        members.retain(|member| member != id);
        let to = before.and_then(|before| members.iter().position(|member| member.as_str() == before));
        members.insert(to.unwrap_or(members.len()), id.clone());
        let has_moved = *members != old;
        Ok(has_moved.then(|| Edit::Put(self.bundles[bundle].clone())))
    }

    fn place_alone(&mut self, at: usize, before: Option<&str>) -> Vec<Edit> {
        let moved = self.kept.remove(at);
        let is_alone = |kept: &Kept| kept.spec.bundle.is_none();
        let to =
            before.and_then(|before| self.kept.iter().position(|kept| is_alone(kept) && kept.id() == before));
        let to = to.unwrap_or(self.kept.len());
        self.kept.insert(to, moved);
        let alone: Vec<usize> = (0..self.kept.len()).filter(|at| is_alone(&self.kept[*at])).collect();
        let orders: Vec<Option<i64>> = alone.iter().map(|at| self.kept[*at].saved.order).collect();
        let Some(moved) = alone.iter().position(|at| *at == to) else { return Vec::new() };
        let changes = renumbered(&orders, moved).into_iter().map(|(which, order)| {
            let saved = &mut self.kept[alone[which]].saved;
            saved.order = Some(order);
            Edit::Put(saved.clone())
        });
        changes.collect()
    }

    fn place_bundle(&mut self, bundle: &str, before: Option<&str>) -> Result<Vec<Edit>, CommandError> {
        if before == Some(bundle) {
            return Ok(Vec::new());
        }
        let at = self.bundle_at(bundle)?;
        let moved = self.bundles.remove(at);
        let to = before.and_then(|before| self.bundle_at(before).ok()).unwrap_or(self.bundles.len());
        self.bundles.insert(to, moved);
        let orders: Vec<Option<i64>> = self.bundles.iter().map(|bundle| bundle.order).collect();
        let changes = renumbered(&orders, to).into_iter().map(|(which, order)| {
            self.bundles[which].order = Some(order);
            Edit::Put(self.bundles[which].clone())
        });
        Ok(changes.collect())
    }

    /// The bundle of this name among those listed.
    fn bundle_at(&self, name: &str) -> Result<usize, CommandError> {
        let is_here =
            |bundle: &SavedProfile| saved::is_of_demo(&bundle.folder) == self.demo && bundle.name == name;
        self.bundles.iter().position(is_here).ok_or_else(|| {
            CommandError::new(ErrorCode::NotFound, format!("There is no bundle {name} any more."))
        })
    }
}

/// What comes without a number comes last.
fn numbered(order: Option<i64>) -> (bool, i64) {
    order.map_or((true, 0), |order| (false, order))
}

/// New numbers after the item at `moved` came to its place: for it alone where there is room, else for all.
fn renumbered(orders: &[Option<i64>], moved: usize) -> Vec<(usize, i64)> {
    let before = moved.checked_sub(1).map(|at| orders[at]);
    let after = orders.get(moved + 1).copied();
    let between = match (before, after) {
        (None, None) => return Vec::new(),
        (None, Some(Some(after))) => after.checked_sub(STEP),
        (Some(Some(before)), None) => before.checked_add(STEP),
        // All that follow have none and come after it.
        (Some(Some(before)), Some(None)) => before.checked_add(STEP),
        (Some(Some(before)), Some(Some(after))) => {
            let middle = before.checked_add(after.saturating_sub(before) / 2);
            middle.filter(|middle| before < *middle && *middle < after)
        }
        _ => None,
    };
    if let Some(order) = between {
        return vec![(moved, order)];
    }
    let all = (0..).map(|at: i64| at.saturating_mul(STEP)).zip(orders).enumerate();
    all.filter(|(_, (new, old))| **old != Some(*new)).map(|(at, (new, _))| (at, new)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn applied(orders: &[Option<i64>], moved: usize) -> Vec<Option<i64>> {
        let mut new = orders.to_vec();
        for (at, order) in renumbered(orders, moved) {
            new[at] = Some(order);
        }
        new
    }

    #[test]
    fn one_number_changes_where_there_is_room() {
        assert_eq!(renumbered(&[Some(0), None, Some(16)], 1), [(1, 8)]);
        assert_eq!(renumbered(&[None, Some(0)], 0), [(0, -16)]);
        assert_eq!(renumbered(&[Some(5), Some(0)], 1), [(1, 21)]);
        assert_eq!(renumbered(&[Some(5), Some(9), None], 1), [(1, 21)]);
        assert_eq!(renumbered(&[None], 0), []);
        assert_eq!(renumbered(&[None, None, None], 1), [(0, 0), (1, 16), (2, 32)]);
        assert_eq!(renumbered(&[Some(1), Some(7), Some(2)], 1), [(0, 0), (1, 16), (2, 32)]);
    }

    proptest! {
        #[test]
        fn the_list_is_in_its_order_afterwards(
            mut orders in prop::collection::vec(prop::option::of(any::<i64>()), 1..20),
            from in any::<prop::sample::Index>(),
            to in any::<prop::sample::Index>(),
        ) {
            orders.sort_by_key(|order| numbered(*order));
            let moved = orders.remove(from.index(orders.len()));
            let to = to.index(orders.len() + 1);
            orders.insert(to, moved);
            let new = applied(&orders, to);
            // Equal numbers of others stand in the order of the file, which is theirs already.
            let sorted = new.windows(2).enumerate().all(|(at, pair)| {
                let (a, b) = (numbered(pair[0]), numbered(pair[1]));
                if at == to || at + 1 == to { a < b || orders.len() == 1 } else { a <= b }
            });
            prop_assert!(sorted, "{orders:?}, moved to {to}, became {new:?}");
        }
    }
}
