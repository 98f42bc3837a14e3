//! The list as people see it, and what holds for one profile.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::model::{FolderPath, ProfileId, ProfileKind, SavedProfile};
use super::read::Profiles;
use super::settings::{EffectiveSettings, Origin, Settings};

impl Profiles {
    /// Resolves the settings of one profile: its own, then its folders' from the inside out, then the defaults.
    pub fn effective(&self, profile: &SavedProfile) -> EffectiveSettings {
        let mut layers = vec![(Origin::Defaults, &self.defaults)];
        for path in profile.folder.ancestry() {
            if let Some(folder) = self.folders.get(&path) {
                layers.push((Origin::Folder(path), &folder.settings));
            }
        }
        layers.push((Origin::Profile, &profile.settings));
        EffectiveSettings::resolve(&layers)
    }

    /// Resolves settings that are no profile's: they themselves, then the defaults.
    pub fn effective_of(&self, settings: &Settings) -> EffectiveSettings {
        EffectiveSettings::resolve(&[(Origin::Defaults, &self.defaults), (Origin::Profile, settings)])
    }

    /// Every folder there is, also those only named by profiles, parents before children and siblings in their order.
    pub fn folder_list(&self) -> Vec<FolderPath> {
        let named = self.profiles.iter().map(|p| &p.folder).chain(self.folders.keys());
        let all: BTreeSet<FolderPath> = named.flat_map(FolderPath::ancestry).collect();
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by(|a, b| self.compare_folders(a, b));
        all
    }

    /// The profiles of one folder in their order.
    pub fn in_folder(&self, folder: &FolderPath) -> Vec<&SavedProfile> {
        let mut found: Vec<_> = self.profiles.iter().filter(|p| p.folder == *folder).collect();
        found.sort_by_key(|p| p.order.map_or((true, 0), |order| (false, order)));
        found
    }

    /// All profiles as the list shows them: folder by folder, each in its order, those of the top last.
    pub fn ordered(&self) -> Vec<&SavedProfile> {
        let mut by_folder: BTreeMap<&FolderPath, Vec<&SavedProfile>> = BTreeMap::new();
        for profile in &self.profiles {
            by_folder.entry(&profile.folder).or_default().push(profile);
        }
        for profiles in by_folder.values_mut() {
            profiles.sort_by_key(|p| p.order.map_or((true, 0), |order| (false, order)));
        }
        let folders = self.folder_list().into_iter().chain([FolderPath::default()]);
        folders.flat_map(|folder| by_folder.remove(&folder).unwrap_or_default()).collect()
    }

    /// The favourites in the order of [`Self::ordered`].
    pub fn favourites(&self) -> Vec<&SavedProfile> {
        self.ordered().into_iter().filter(|p| p.favourite).collect()
    }

    /// The profiles a bundle switches, in its order, each once. Bundles within it are followed; ids nobody has are
    /// listed apart.
    pub fn members(&self, bundle: &ProfileId) -> (Vec<&SavedProfile>, Vec<ProfileId>) {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        let mut open = vec![bundle];
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            match self.get(id) {
                Some(SavedProfile { kind: ProfileKind::Bundle { members }, .. }) => {
                    open.extend(members.iter().rev());
                }
                Some(profile) => found.push(profile),
                None => missing.push(id.clone()),
            }
        }
        (found, missing)
    }

    fn compare_folders(&self, a: &FolderPath, b: &FolderPath) -> Ordering {
        for (a, b) in a.ancestry().iter().zip(&b.ancestry()) {
            let place = |path: &FolderPath| {
                let order = self.folders.get(path).and_then(|folder| folder.order);
                order.map_or((true, 0), |order| (false, order))
            };
            let names = || a.as_str().to_lowercase().cmp(&b.as_str().to_lowercase()).then(a.cmp(b));
            let ordering = if a == b { Ordering::Equal } else { place(a).cmp(&place(b)).then_with(names) };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        a.ancestry().len().cmp(&b.ancestry().len())
    }
}
