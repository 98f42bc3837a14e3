//! Links into the app: read, looked up, and followed once the user has agreed (SEC-50).

use fleetline_inventory::Entry;
use fleetline_ipc::event::Change;
use fleetline_ipc::link::{LinkDone, LinkOpens, LinkQuestion, LinkStatus};
use fleetline_ipc::ssh::SshOptions;
use fleetline_ipc::system::{Notice, NoticeLevel};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::profiles::{ProfileKind, SavedProfile};

use super::{Controller, answer, no_node};
use crate::deep_link::{DeepLink, LinkKind, link_status};
use crate::request::Reply;

/// The one link that waits for an answer.
#[derive(Debug, Default)]
pub(super) struct Links {
    asked: u32,
    waiting: Option<(LinkQuestion, Follow)>,
}

/// How a link is followed.
#[derive(Clone, Debug)]
enum Follow {
    Node(String, LinkKind),
    Forward(String),
    Bundle(String),
    Shell { node_key: String, document: Option<String>, reason: Option<String> },
    Ssh { node_key: String, options: SshOptions },
}

impl Controller {
    /// The operating system, or another start of the program, brought a link.
    pub(super) fn link_opened(&mut self, text: &str) {
        self.ui.show_window();
        if !self.settings.deep_links {
            // Anybody can send one; the switch says that they are wanted.
            return self
                .link_refused("A link was not followed: links are switched off in the settings.", None);
        }
        let link = match DeepLink::parse(text) {
            Ok(link) => link,
            Err(error) => return self.link_refused("A link was not followed.", Some(format!("{error}."))),
        };
        match self.link_found(link) {
            Ok((mut question, follow)) => {
                self.links.asked += 1;
                question.number = self.links.asked;
                self.links.waiting = Some((question, follow));
                let cleared = self.notices.take_down("link");
                self.notices_changed(cleared);
                self.emit_link();
            }
            Err(problem) => self.link_refused("A link was not followed.", Some(problem.message)),
        }
    }

    /// Whether links are followed, and who gets them.
    pub(super) fn link_status(&self, reply: Reply<LinkStatus>) {
        let (ui, on) = (self.ui.clone(), self.settings.deep_links);
        tokio::task::spawn_blocking(move || {
            answer(reply, Ok(link_status(on, ui.link_opener().map_err(|error| error.0))));
        });
    }

    /// What waits for an answer.
    pub(super) fn link_question(&self) -> Option<LinkQuestion> {
        self.links.waiting.as_ref().map(|(question, _)| question.clone())
    }

    /// The user's answer.
    pub(super) fn link_answer(&mut self, number: u32, accept: bool) -> Result<LinkDone, CommandError> {
        let gone = || CommandError::new(ErrorCode::NotFound, "This link is not asked about any more.");
        let (question, follow) = self.links.waiting.take().ok_or_else(gone)?;
        if question.number != number {
            self.links.waiting = Some((question, follow));
            return Err(gone());
        }
        self.emit_link();
        if !accept {
            return Ok(LinkDone::Nothing);
        }
        match follow {
            Follow::Node(node_key, LinkKind::Inspector) => return Ok(LinkDone::ShowNode { node_key }),
            Follow::Node(node_key, LinkKind::Rdp) => return Ok(LinkDone::AskDesktop { node_key }),
            Follow::Node(node_key, LinkKind::Shell) => {
                self.shell_open(&node_key, None, None)?;
            }
            Follow::Node(node_key, LinkKind::Ssh) => {
                self.ssh_open(&node_key, SshOptions { port: 22, ..SshOptions::default() })?;
            }
            Follow::Forward(id) => self.forward_switch(&id, true)?,
            Follow::Bundle(name) => self.forward_bundle(Some(&name), true)?,
            Follow::Shell { node_key, document, reason } => {
                self.shell_open(&node_key, document, reason)?;
            }
            Follow::Ssh { node_key, options } => {
                self.ssh_open(&node_key, options)?;
            }
        }
        Ok(LinkDone::Nothing)
    }

    fn link_found(&self, link: DeepLink) -> Result<(LinkQuestion, Follow), CommandError> {
        match link {
            DeepLink::Node { node, account, region, open } => {
                let fleet = self.desk.fleet();
                let fits = |entry: &&Entry| {
                    let found = entry.node();
                    found.node_id == node
                        && region.as_ref().is_none_or(|region| *region == found.account_region.region)
                        && account.as_ref().is_none_or(|account| *account == found.account_region.account_id)
                };
                let mut found: Vec<&Entry> = fleet.entries().filter(fits).collect();
                found.dedup_by_key(|entry| entry.key().to_owned());
                let [entry] = found.as_slice() else { return Err(no_node()) };
                let opens = match open {
                    LinkKind::Inspector => LinkOpens::Node,
                    LinkKind::Shell => LinkOpens::Shell,
                    LinkKind::Ssh => LinkOpens::Ssh,
                    LinkKind::Rdp => LinkOpens::Desktop,
                };
                let question = self.question(opens, None, Some(entry));
                Ok((question, Follow::Node(entry.key().to_owned(), open)))
            }
            DeepLink::Profile(id) => {
                let missing = || CommandError::new(ErrorCode::NotFound, "The link names no saved profile.");
                let profile = self.forwards.profile(&id).cloned().ok_or_else(missing)?;
                self.profile_found(&profile)
            }
        }
    }

    fn profile_found(&self, profile: &SavedProfile) -> Result<(LinkQuestion, Follow), CommandError> {
        let name = Some(profile.name.clone());
        let id = profile.id.as_str();
        if let ProfileKind::Bundle { members } = &profile.kind {
            let ports = members.iter().filter_map(|member| self.port_of(member.as_str())).collect();
            let question = LinkQuestion { ports, ..self.question(LinkOpens::Bundle, name, None) };
            return Ok((question, Follow::Bundle(profile.name.clone())));
        }
        let node_key = self.forwards.node_of(profile, self.desk.fleet()).ok_or_else(no_node)?;
        let entry = self.desk.fleet().get(&node_key).ok_or_else(no_node)?;
        let settings = self.forwards.settings_of(profile);
        Ok(match &profile.kind {
            ProfileKind::Forward { .. } | ProfileKind::Socks { .. } | ProfileKind::Rdp { .. } => {
                let ports = self.port_of(id).into_iter().collect();
                let question = LinkQuestion { ports, ..self.question(LinkOpens::Forward, name, Some(entry)) };
                (question, Follow::Forward(id.to_owned()))
            }
            ProfileKind::Shell { document, .. } => {
                let question = LinkQuestion {
                    document: document.clone(),
                    ..self.question(LinkOpens::Shell, name, Some(entry))
                };
                let reason = settings.reason.value;
                (question, Follow::Shell { node_key, document: document.clone(), reason })
            }
            ProfileKind::Ssh { port, .. } => {
                let options = SshOptions {
                    user: settings.user.value.clone().unwrap_or_default(),
                    port: *port,
                    key_file: settings.key_file.value.clone().unwrap_or_default(),
                    push_key: settings.push_key.value,
                };
                (self.question(LinkOpens::Ssh, name, Some(entry)), Follow::Ssh { node_key, options })
            }
            ProfileKind::Document { .. } | ProfileKind::Bundle { .. } => {
                let message = "Links to sessions with a document of their own cannot be followed yet.";
                return Err(CommandError::new(ErrorCode::Unsupported, message));
            }
        })
    }

    fn port_of(&self, id: &str) -> Option<String> {
        let row = self.forwards.row(id).ok()?;
        let to = if row.remote.is_empty() { "any host".to_owned() } else { row.remote };
        Some(format!("{} › {to}", row.local))
    }

    fn question(&self, opens: LinkOpens, profile: Option<String>, entry: Option<&Entry>) -> LinkQuestion {
        let fleet = self.desk.fleet();
        let text = |of: fn(&fleetline_inventory::node::ManagedNode) -> String| {
            entry.map(|entry| of(entry.node())).unwrap_or_default()
        };
        LinkQuestion {
            number: 0,
            opens,
            profile,
            node_name: text(|node| node.display_name().to_owned()),
            node_id: text(|node| node.node_id.to_string()),
            account_name: entry.map(|entry| fleet.listing_of(entry).account_name.clone()).unwrap_or_default(),
            region: text(|node| node.account_region.region.clone()),
            document: None,
            ports: Vec::new(),
        }
    }

    fn link_refused(&mut self, message: &str, detail: Option<String>) {
        let raised = self.notices.raise(Notice {
            id: "link".to_owned(),
            level: NoticeLevel::Warn,
            message: message.to_owned(),
            detail,
        });
        self.notices_changed(raised);
    }

    fn emit_link(&mut self) {
        let question = self.link_question();
        self.emit(Change::Link { question });
    }
}
