//! What was open when the app ended: offered at the next start, and opened again when the user agrees. Nothing is
//! started at AWS that nobody asked for.

use fleetline_ipc::event::Change;
use fleetline_ipc::ssh::SshOptions;
use fleetline_ipc::system::{AppMode, RestoreOffer};
use fleetline_ipc::{CommandError, ErrorCode};
use serde::{Deserialize, Serialize};

use super::Controller;

/// Shells remembered at most.
const SHELLS: usize = 50;

/// What was open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Open {
    /// Ids of the forwards that were switched on.
    #[serde(default)]
    forwards: Vec<String>,
    /// Shells whose session had not ended.
    #[serde(default)]
    shells: Vec<OpenShell>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OpenShell {
    node: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    document: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ssh: Option<SshOptions>,
}

impl Open {
    fn is_empty(&self) -> bool {
        self.forwards.is_empty() && self.shells.is_empty()
    }
}

/// What the controller knows of it.
#[derive(Debug, Default)]
pub(super) struct Restoring {
    /// As it was written last.
    written: Option<Open>,
    /// What is offered and was not answered yet.
    offer: Option<Open>,
    /// What was agreed to and waits for its node to be listed.
    waiting: Open,
}

impl Controller {
    /// Offers what was open in this mode, once its fleet is being opened.
    pub(super) fn offer_restore(&mut self) {
        let name = document(&self.mode);
        let found = self.disk.store().load_optional::<Open>(name).value.unwrap_or_default();
        self.restoring = Restoring { written: Some(found.clone()), ..Restoring::default() };
        let known = self.forwards.ids();
        let offer =
            Open { forwards: found.forwards.into_iter().filter(|id| known.contains(id)).collect(), ..found };
        if !offer.is_empty() {
            self.restoring.offer = Some(offer);
        }
        self.emit_restore();
    }

    /// The offer as the interface shows it.
    pub(super) fn restore_offer(&self) -> Option<RestoreOffer> {
        let offer = self.restoring.offer.as_ref()?;
        let name = |id: &String| self.forwards.row(id).map(|row| row.spec.name).ok();
        Some(RestoreOffer {
            forwards: offer.forwards.iter().filter_map(name).collect(),
            shells: offer.shells.iter().map(|shell| shell.name.clone()).collect(),
        })
    }

    /// The answer to the offer.
    pub(super) fn restore(&mut self, accept: bool) -> Result<(), CommandError> {
        let Some(offer) = self.restoring.offer.take() else {
            return Err(CommandError::new(ErrorCode::NotFound, "There is nothing to restore any more."));
        };
        if accept {
            self.restoring.waiting = offer;
            self.restore_waiting();
        }
        self.emit_restore();
        self.note_open();
        Ok(())
    }

    /// Opens what was agreed to and whose node is listed by now. With `is_complete` the rest is given up.
    pub(super) fn restore_waiting(&mut self) {
        if self.restoring.waiting.is_empty() {
            return;
        }
        let is_complete = !self.desk.summary().refreshing && self.launching.is_none();
        let waiting = std::mem::take(&mut self.restoring.waiting);
        let (mut rest, mut missing) = (Open::default(), Vec::new());
        for id in waiting.forwards {
            if self.forwards.node_key(&id).is_some() || is_complete {
                // A forward that cannot start says why in its row.
                drop(self.forward_switch(&id, true));
            } else {
                rest.forwards.push(id);
            }
        }
        for shell in waiting.shells {
            if self.desk.fleet().get(&shell.node).is_some() {
                let opened = match shell.ssh {
                    Some(options) => self.ssh_open(&shell.node, options),
                    None => self.shell_open(&shell.node, shell.document, shell.reason),
                };
                if let Err(problem) = opened {
                    missing.push(format!("{}: {}", shell.name, problem.message));
                }
            } else if is_complete {
                missing.push(format!("{}: the node is not in the fleet any more", shell.name));
            } else {
                rest.shells.push(shell);
            }
        }
        self.restoring.waiting = rest;
        if !missing.is_empty() {
            let raised = self.notices.raise(fleetline_ipc::system::Notice {
                id: "restore".to_owned(),
                level: fleetline_ipc::system::NoticeLevel::Warn,
                message: "Not all of the shells could be opened again.".to_owned(),
                detail: Some(missing.join("\n")),
            });
            self.notices_changed(raised);
        }
    }

    /// Writes what is open, when it is something else than before. Not while an offer waits: it would be lost.
    pub(super) fn note_open(&mut self) {
        let is_settled = self.quitting.is_none()
            && self.backend.is_some()
            && self.restoring.offer.is_none()
            && self.restoring.waiting.is_empty();
        if !is_settled {
            return;
        }
        let shells = self.tabs.iter().filter(|tab| tab.is_live()).take(SHELLS).filter_map(|tab| {
            let session = tab.row.session.as_ref()?;
            Some(OpenShell {
                node: session.node_key.clone(),
                name: session.node_name.clone(),
                document: tab.document.clone(),
                reason: tab.reason.clone(),
                ssh: tab.ssh.clone(),
            })
        });
        let open = Open { forwards: self.forwards.ids_on(), shells: shells.collect() };
        if self.restoring.written.as_ref() != Some(&open) {
            self.restoring.written = Some(open.clone());
            self.disk.save(document(&self.mode), open);
        }
    }

    fn emit_restore(&mut self) {
        let offer = self.restore_offer();
        self.emit(Change::Restore { offer });
    }
}

/// The demo fleet and AWS are remembered apart.
fn document(mode: &AppMode) -> &'static str {
    if *mode == AppMode::Demo { "open-demo" } else { "open" }
}
