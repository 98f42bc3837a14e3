//! Forwards and bundles among the saved profiles.

use fleetline_store::profiles::{Edit, FolderPath, ProfileId, ProfileKind, Profiles, SavedProfile, Settings};

/// Where forwards of the demo fleet are kept, apart from those of AWS.
const DEMO_FOLDER: &str = "Demo fleet";

pub(super) fn demo_folder() -> FolderPath {
    FolderPath::new(DEMO_FOLDER).unwrap_or_default()
}

/// Whether what is in a folder belongs to the demo fleet.
pub(super) fn is_of_demo(folder: &FolderPath) -> bool {
    folder.ancestry().first().is_some_and(|first| first.as_str() == DEMO_FOLDER)
}

/// A profile that says nothing yet.
pub(super) fn empty(id: ProfileId, folder: FolderPath) -> SavedProfile {
    SavedProfile {
        name: id.as_str().to_owned(),
        id,
        folder,
        order: None,
        favourite: false,
        note: None,
        kind: ProfileKind::Bundle { members: Vec::new() },
        settings: Settings::default(),
    }
}

/// The bundles, in the order of the file.
pub(super) fn bundles(profiles: &Profiles) -> Vec<SavedProfile> {
    let is_bundle = |profile: &&SavedProfile| matches!(profile.kind, ProfileKind::Bundle { .. });
    profiles.iter().filter(is_bundle).cloned().collect()
}

pub(super) fn members(bundle: &SavedProfile) -> &[ProfileId] {
    match &bundle.kind {
        ProfileKind::Bundle { members } => members,
        _ => &[],
    }
}

/// The first bundle a profile is in.
pub(super) fn bundle_of<'a>(bundles: &'a [SavedProfile], id: &ProfileId) -> Option<&'a SavedProfile> {
    bundles.iter().find(|bundle| members(bundle).contains(id))
}

/// Puts a profile into the bundle of this name and takes it out of the one it is in. A bundle that is not there is
/// made; one that becomes empty is removed.
pub(super) fn move_member(
    bundles: &mut Vec<SavedProfile>,
    profile: &SavedProfile,
    to: Option<&str>,
    taken: impl Fn(&ProfileId) -> bool,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    let from = bundles.iter().position(|bundle| members(bundle).contains(&profile.id));
    if from.and_then(|at| bundles.get(at)).map(|bundle| bundle.name.as_str()) == to {
        return edits;
    }
    if let Some(at) = from
        && let Some(bundle) = bundles.get_mut(at)
        && let ProfileKind::Bundle { members } = &mut bundle.kind
    {
        members.retain(|member| *member != profile.id);
        if members.is_empty() {
            edits.push(Edit::Remove(bundles.remove(at).id));
        } else {
            edits.push(Edit::Put(bundle.clone()));
        }
    }
    let Some(name) = to else { return edits };
    let of_demo = is_of_demo(&profile.folder);
    let fits = |bundle: &&mut SavedProfile| bundle.name == name && is_of_demo(&bundle.folder) == of_demo;
    match bundles.iter_mut().find(fits) {
        Some(bundle) => {
            if let ProfileKind::Bundle { members } = &mut bundle.kind {
                members.push(profile.id.clone());
            }
            edits.push(Edit::Put(bundle.clone()));
        }
        None => {
            let is_taken = |id: &ProfileId| taken(id) || bundles.iter().any(|bundle| bundle.id == *id);
            let id = ProfileId::for_name(name, is_taken);
            let folder = if of_demo { demo_folder() } else { FolderPath::default() };
            let kind = ProfileKind::Bundle { members: vec![profile.id.clone()] };
            let bundle = SavedProfile { name: name.to_owned(), kind, ..empty(id, folder) };
            edits.push(Edit::Put(bundle.clone()));
            bundles.push(bundle);
        }
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(id: &str) -> SavedProfile {
        empty(ProfileId::new(id).unwrap(), FolderPath::default())
    }

    #[test]
    fn a_bundle_comes_with_its_first_member_and_goes_with_its_last() {
        let mut bundles = Vec::new();
        let (a, b) = (profile("a"), profile("b"));
        let made = move_member(&mut bundles, &a, Some("Payments prod"), |_| false);
        let [Edit::Put(bundle)] = made.as_slice() else { panic!("{made:?}") };
        assert_eq!((bundle.id.as_str(), members(bundle)), ("payments-prod", &[a.id.clone()][..]));

        move_member(&mut bundles, &b, Some("Payments prod"), |_| false);
        assert_eq!(bundle_of(&bundles, &b.id).map(|bundle| members(bundle).len()), Some(2));
        assert!(move_member(&mut bundles, &b, Some("Payments prod"), |_| false).is_empty());

        let moved = move_member(&mut bundles, &a, Some("Plants"), |_| false);
        assert!(matches!(moved.as_slice(), [Edit::Put(_), Edit::Put(_)]), "{moved:?}");
        let gone = move_member(&mut bundles, &a, None, |_| false);
        assert!(matches!(gone.as_slice(), [Edit::Remove(id)] if id.as_str() == "plants"), "{gone:?}");
        assert_eq!(bundles.len(), 1);
    }

    #[test]
    fn only_its_own_folder_belongs_to_the_demo() {
        assert!(is_of_demo(&demo_folder()) && !is_of_demo(&FolderPath::default()));
        assert!(is_of_demo(&FolderPath::new("Demo fleet/Databases").unwrap()));
        assert!(!is_of_demo(&FolderPath::new("Demo fleets").unwrap()));
    }
}
