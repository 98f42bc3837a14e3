//! Which forward does the same as one that the command line would run.

use fleetline_inventory::{Entry, Fleet};
use fleetline_ipc::forward::{ForwardKind, ForwardSpec};

use fleetline_store::profiles::{EffectiveSettings, ProfileId, ProfileTarget, SavedProfile};

use super::{ForwardDesk, Place, only_match};
use crate::remote::{Wanted, WantedLocal};

impl ForwardDesk {
    /// The forward that does what is wanted; of several one that is on.
    pub(crate) fn same_as(&self, wanted: &Wanted, fleet: &Fleet) -> Option<String> {
        let named = nodes_named(wanted, fleet);
        let fits = self.kept.iter().filter(|kept| {
            kept.place.as_ref().is_some_and(|place| is_there(place, wanted, &named))
                && is_same(&kept.spec, wanted)
        });
        fits.max_by_key(|kept| kept.on).map(|kept| kept.id().to_owned())
    }

    /// A saved profile by its id, as it was edited here last or as the file has it.
    pub(crate) fn profile(&self, id: &ProfileId) -> Option<&SavedProfile> {
        let listed = self.kept.iter().map(|kept| &kept.saved).chain(&self.bundles);
        listed.into_iter().find(|saved| saved.id == *id).or_else(|| self.profiles.get(id))
    }

    /// The settings that hold for a profile.
    pub(crate) fn settings_of(&self, profile: &SavedProfile) -> EffectiveSettings {
        self.profiles.effective(profile)
    }

    /// The node a profile goes to now: by its id within its source and Region, or the only match of its query.
    pub(crate) fn node_of(&self, profile: &SavedProfile, fleet: &Fleet) -> Option<String> {
        let settings = self.profiles.effective(profile);
        match profile.kind.target()? {
            ProfileTarget::Query(text) => only_match(fleet, text).map(|entry| entry.key().to_owned()),
            ProfileTarget::Node(id) => {
                let fits = |entry: &&Entry| {
                    let node = entry.node();
                    node.node_id == *id
                        && settings.source.value.as_ref().is_none_or(|source| *source == node.source)
                        && settings.region.value.as_ref().is_none_or(|r| *r == node.account_region.region)
                };
                fleet.entries().find(fits).map(|entry| entry.key().to_owned())
            }
        }
    }

    /// The name of the bundle that is saved under this id, or is called so.
    pub(crate) fn bundle_named(&self, id_or_name: &str) -> Option<String> {
        let fits = |bundle: &&SavedProfile| bundle.id.as_str() == id_or_name || bundle.name == id_or_name;
        self.bundles.iter().find(fits).map(|bundle| bundle.name.clone())
    }
}

/// Keys of the nodes of this id, or of this name.
fn nodes_named(wanted: &Wanted, fleet: &Fleet) -> Vec<String> {
    let of = |test: &dyn Fn(&Entry) -> bool| -> Vec<String> {
        fleet.entries().filter(|entry| test(entry)).map(|entry| entry.key().to_owned()).collect()
    };
    let by_id = of(&|entry| entry.node().node_id == wanted.target);
    if !by_id.is_empty() {
        return by_id;
    }
    let by_name =
        of(&|entry| entry.node().name == wanted.target || entry.node().computer_name == wanted.target);
    // A name that is not unique means none of them.
    let mut keys = by_name;
    keys.sort();
    keys.dedup();
    if keys.len() == 1 { keys } else { Vec::new() }
}

fn is_there(place: &Place, wanted: &Wanted, named: &[String]) -> bool {
    named.contains(&place.key)
        && wanted.source.as_ref().is_none_or(|source| *source == place.source)
        && wanted.region.as_ref().is_none_or(|region| *region == place.region)
}

fn is_same(spec: &ForwardSpec, wanted: &Wanted) -> bool {
    let goal = match spec.kind {
        ForwardKind::Socks => wanted.port.is_none() && wanted.host.is_none(),
        ForwardKind::Port | ForwardKind::Rdp => wanted.host.is_none() && wanted.port == spec.port,
        ForwardKind::RemoteHost => wanted.host == spec.host && wanted.port == spec.port,
    };
    let local = match (&wanted.local, &spec.socket) {
        (WantedLocal::Socket(path), Some(socket)) => path == socket,
        (WantedLocal::Port(port), None) => *port == 0 || *port == spec.local_port,
        _ => false,
    };
    goal && local
}

#[cfg(test)]
mod tests {
    use fleetline_ipc::forward::{ForwardGuard, ForwardLimits, ForwardStart};

    use super::*;

    #[test]
    fn the_same_goes_to_the_same_place_and_listens_at_the_same_or_at_any_port() {
        let spec = ForwardSpec {
            name: "Ledger".to_owned(),
            kind: ForwardKind::RemoteHost,
            bundle: None,
            node_key: "1/eu/i-1".to_owned(),
            host: Some("db.internal".to_owned()),
            port: Some(5432),
            local_port: 5433,
            bind: None,
            socket: None,
            lanes: 4,
            start: ForwardStart::OnDemand,
            favourite: false,
            limits: ForwardLimits::default(),
            guard: ForwardGuard::Auto,
        };
        let wanted = |host: Option<&str>, port, local| Wanted {
            source: None,
            region: None,
            target: "i-1".to_owned(),
            host: host.map(str::to_owned),
            port,
            local,
        };
        let db = Some("db.internal");
        assert!(is_same(&spec, &wanted(db, Some(5432), WantedLocal::Port(5433))));
        assert!(is_same(&spec, &wanted(db, Some(5432), WantedLocal::Port(0))));
        assert!(!is_same(&spec, &wanted(db, Some(5432), WantedLocal::Port(5434))));
        assert!(!is_same(&spec, &wanted(None, Some(5432), WantedLocal::Port(0))));
        assert!(!is_same(&spec, &wanted(db, None, WantedLocal::Port(0))));
        assert!(!is_same(&spec, &wanted(db, Some(5432), WantedLocal::Socket("/s".to_owned()))));
    }
}
