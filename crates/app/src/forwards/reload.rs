//! Taking over a profile file that somebody else has changed.

use std::collections::BTreeMap;

use fleetline_store::profiles::{EffectiveSettings, Profiles};

use super::{ForwardDesk, Kept, LIMIT, Run, saved, spec};

impl ForwardDesk {
    /// Lists what the file says now. A forward that is as it was goes on; one that leads or listens elsewhere is given out
    /// to be stopped and started anew, and one that is gone to be stopped.
    pub(crate) fn reload(&mut self, profiles: Profiles) -> Vec<(String, Run)> {
        let mut before: BTreeMap<String, Kept> =
            std::mem::take(&mut self.kept).into_iter().map(|kept| (kept.id().to_owned(), kept)).collect();
        let mut ended = Vec::new();
        self.bundles = saved::bundles(&profiles);
        for profile in profiles.iter() {
            if saved::is_of_demo(&profile.folder) != self.demo || self.kept.len() >= LIMIT {
                continue;
            }
            let bundle = saved::bundle_of(&self.bundles, &profile.id).map(|bundle| bundle.name.clone());
            let settings = profiles.effective(profile);
            let earlier = before.remove(profile.id.as_str());
            let same_target = |kept: &Kept| kept.saved.kind.target() == profile.kind.target();
            let place = earlier.as_ref().filter(|kept| same_target(kept)).and_then(|kept| kept.place.clone());
            let node_key = place.as_ref().map(|place| place.key.clone()).unwrap_or_default();
            let Some(new) = spec::of_saved(profile, &settings, bundle, node_key) else { continue };
            match earlier {
                Some(mut kept) => {
                    let old_settings = self.profiles.effective(&kept.saved);
                    let restart = spec::needs_restart(&kept.spec, &new) || differs(&old_settings, &settings);
                    if restart {
                        kept.blocked = None;
                        kept.confirmed = None;
                        ended.extend(kept.run.take().map(|run| (kept.id().to_owned(), run)));
                    }
                    kept.saved = profile.clone();
                    kept.spec = new;
                    kept.place = place;
                    self.kept.push(kept);
                }
                None => self.kept.push(Kept::new(profile.clone(), new)),
            }
        }
        ended.extend(before.into_iter().filter_map(|(id, mut kept)| Some((id, kept.run.take()?))));
        self.profiles = profiles;
        ended
    }
}

/// Whether a running forward was started with other settings, besides those of its description.
fn differs(old: &EffectiveSettings, new: &EffectiveSettings) -> bool {
    old.bind.value != new.bind.value
        || old.other_users.value != new.other_users.value
        || old.connections.value != new.connections.value
        || old.host_aliases.value != new.host_aliases.value
        || old.reason.value != new.reason.value
}
