//! The forwards of remote desktops: one for each node, which keeps its port and what the client is told.

use std::net::SocketAddr;

use fleetline_engine::forward::LocalAddress;
use fleetline_inventory::Fleet;
use fleetline_ipc::CommandError;
use fleetline_ipc::desktop::DesktopOpen;
use fleetline_ipc::forward::{ForwardGuard, ForwardKind, ForwardLimits, ForwardSpec, ForwardStart};
use fleetline_store::profiles::{Edit, EffectiveSettings, SavedProfile, Settings};

use super::{ForwardDesk, Kept};
use crate::desktop::options;

impl ForwardDesk {
    /// The forward of a node's desktop.
    pub(crate) fn desktop_of(&self, node_key: &str) -> Option<String> {
        self.kept.iter().find(|kept| is_desktop_of(kept, node_key)).map(|kept| kept.id().to_owned())
    }

    /// What holds for a desktop: what its forward says, or the defaults of the file.
    pub(crate) fn desktop_settings(&self, id: Option<&str>) -> EffectiveSettings {
        match id.and_then(|id| self.kept.iter().find(|kept| kept.id() == id)) {
            Some(kept) => self.profiles.effective(&kept.saved),
            None => self.profiles.effective_of(&Settings::default()),
        }
    }

    /// Where a forward listens, by TCP.
    pub(crate) fn address_of(&self, id: &str) -> Option<SocketAddr> {
        let run = self.kept.iter().find(|kept| kept.id() == id)?.run.as_ref()?;
        run.forward.listeners().iter().find_map(|listener| match listener {
            LocalAddress::Tcp(address) => Some(*address),
            LocalAddress::Unix(_) => None,
        })
    }

    /// Makes the forward of a node's desktop, or changes it to what is asked for. Returns its id, what is to be written,
    /// and whether it must be started anew.
    pub(crate) fn put_desktop(
        &mut self,
        open: &DesktopOpen,
        node_name: &str,
        fleet: &Fleet,
    ) -> Result<(String, Vec<Edit>, bool), CommandError> {
        let (id, mut edits, restart) = match self.desktop_of(&open.node_key) {
            Some(id) => {
                let old = self.kept[self.at(&id)?].spec.clone();
                // No port of choice: the one it has is kept.
                let local_port = if open.local_port == 0 { old.local_port } else { open.local_port };
                let new = ForwardSpec { port: Some(open.port), local_port, ..old };
                let (edits, restart) = self.edit(&id, new, fleet)?;
                (id, edits, restart)
            }
            None => {
                let name: String = format!("{node_name} desktop").chars().take(80).collect();
                let new = ForwardSpec {
                    name,
                    kind: ForwardKind::Rdp,
                    bundle: None,
                    node_key: open.node_key.clone(),
                    host: None,
                    port: Some(open.port),
                    local_port: open.local_port,
                    bind: None,
                    socket: None,
                    lanes: self.desktop_settings(None).lanes.value.get(),
                    start: ForwardStart::OnDemand,
                    favourite: false,
                    limits: ForwardLimits::default(),
                    guard: ForwardGuard::Auto,
                };
                let (id, edits) = self.create(new, fleet)?;
                (id, edits, false)
            }
        };
        let at = self.at(&id)?;
        let kept = &self.kept[at];
        let bare = SavedProfile { settings: Settings::default(), ..kept.saved.clone() };
        let inherited = self.profiles.effective(&bare);
        let mut settings = kept.saved.settings.clone();
        forget_options(&mut settings);
        options::into_settings(&open.options, &inherited, &mut settings);
        if settings != kept.saved.settings {
            self.kept[at].saved.settings = settings;
            let unchanged = self.kept[at].spec.clone();
            edits.extend(self.put(at, unchanged, false));
        }
        Ok((id, edits, restart))
    }
}

fn is_desktop_of(kept: &Kept, node_key: &str) -> bool {
    kept.spec.kind == ForwardKind::Rdp && kept.spec.node_key == node_key
}

/// Takes what the dialog decides out of settings, so that what is inherited again is not kept.
fn forget_options(settings: &mut Settings) {
    *settings = Settings {
        user: None,
        domain: None,
        key_file: None,
        rdp_client: None,
        rdp_screen: None,
        rdp_all_monitors: None,
        rdp_clipboard: None,
        rdp_drives: None,
        rdp_printers: None,
        rdp_sound: None,
        rdp_keep_awake: None,
        ..settings.clone()
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dialog_decides_is_forgotten_and_nothing_else() {
        let mut settings = Settings {
            user: Some("ann".to_owned()),
            rdp_sound: Some(true),
            reason: Some("CHG-1".to_owned()),
            ..Settings::default()
        };
        forget_options(&mut settings);
        assert_eq!(settings, Settings { reason: Some("CHG-1".to_owned()), ..Settings::default() });
    }
}
