//! Remote desktops: the controller's side. What takes time runs in a task of its own and reports back.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::ports::NodeAccess;
use fleetline_ipc::desktop::{DesktopInfo, DesktopOpen, DesktopOutcome, DesktopPassword};
use fleetline_ipc::forward::ForwardState;
use fleetline_ipc::system::NoticeLevel;
use fleetline_ipc::{CommandError, ErrorCode};
use tokio::sync::mpsc;

use super::{Controller, answer, no_node};
use crate::desktop::{
    self, ADMINISTRATOR, CertificatePin, Desktop, Pins, RDP_PORT, Trust, UserName, WindowsPassword, options,
};
use crate::notices;
use crate::problem::{Context, describe};
use crate::request::{DesktopRequest, Reply};

/// How long a copied password stays on the clipboard (SEC-04).
const CLIPBOARD_LIFE: Duration = Duration::from_secs(30);

/// What the controller keeps of desktops.
#[derive(Default)]
pub(super) struct Desktops {
    /// Passwords no client could be handed, until they are copied once or their forward is switched off; by forward.
    passwords: BTreeMap<String, WindowsPassword>,
}

/// What tasks report.
pub(crate) enum DesktopNews {
    /// An attempt is over.
    Tried {
        forward: String,
        node_id: String,
        tried: Box<Result<Tried, Failed>>,
        reply: Reply<DesktopOutcome>,
    },
    /// A client ended as soon as it was started.
    ClientEnded { forward: String, problem: CommandError },
}

/// An attempt that came through.
pub(crate) struct Tried {
    outcome: DesktopOutcome,
    /// The certificate to be trusted from now on.
    trust: Option<CertificatePin>,
    /// The password no client was handed.
    password: Option<WindowsPassword>,
}

/// Why an attempt failed.
pub(crate) enum Failed {
    /// The desktop was not reached: the forward may know more.
    Unreached(String),
    /// Anything else.
    Problem(CommandError),
}

/// Everything an attempt needs.
struct Attempt {
    forward: String,
    address: SocketAddr,
    desktop: Desktop,
    open: DesktopOpen,
    remembered: Option<CertificatePin>,
    /// EC2's side and the instance, when a password is wanted.
    access: Option<(Arc<dyn NodeAccess>, String)>,
    context: Context,
    directory: Option<PathBuf>,
}

impl Controller {
    pub(super) fn desktop_asked(&mut self, request: DesktopRequest) {
        match request {
            DesktopRequest::Info { node_key, reply } => self.desktop_info(&node_key, reply),
            DesktopRequest::Open { open, reply } => self.desktop_open(*open, reply),
            DesktopRequest::CopyPassword { forward, reply } => self.desktop_copy_password(&forward, reply),
        }
    }

    fn desktop_info(&mut self, node_key: &str, reply: Reply<DesktopInfo>) {
        let Some(entry) = self.desk.fleet().get(node_key) else { return answer(reply, Err(no_node())) };
        let node = entry.node();
        let kept = self.forwards.desktop_of(node_key);
        let settings = self.forwards.desktop_settings(kept.as_deref());
        let (port, local_port) = kept
            .as_deref()
            .and_then(|id| self.forwards.row(id).ok())
            .map_or((RDP_PORT, 0), |row| (row.spec.port.unwrap_or(RDP_PORT), row.spec.local_port));
        let info = DesktopInfo {
            source: node.source.to_string(),
            clients: Vec::new(),
            options: options::of_settings(&settings),
            port,
            local_port,
            may_have_password: !node.kind.is_hybrid(),
            certificate: Pins::load(self.disk.store()).of(&node.node_id).map(|pin| pin.to_string()),
        };
        // Clients are asked for their versions.
        tokio::task::spawn_blocking(move || {
            let clients = desktop::installed().iter().map(options::row).collect();
            answer(reply, Ok(DesktopInfo { clients, ..info }));
        });
    }

    fn desktop_open(&mut self, open: DesktopOpen, reply: Reply<DesktopOutcome>) {
        match self.desktop_prepare(open) {
            Ok((node_id, attempt)) => {
                let news = self.desktop_news.clone();
                let forward = attempt.forward.clone();
                tokio::spawn(async move {
                    let tried = Box::new(attempt.run(news.clone()).await);
                    // After the controller nobody waits for it.
                    drop(news.send(DesktopNews::Tried { forward, node_id, tried, reply }).await);
                });
            }
            Err(problem) => answer(reply, Err(problem)),
        }
    }

    /// Finds or makes the forward of the node's desktop and starts it.
    fn desktop_prepare(&mut self, open: DesktopOpen) -> Result<(String, Attempt), CommandError> {
        options::check(&open.options)?;
        if open.port == 0 {
            return Err(CommandError::new(ErrorCode::InvalidInput, "The port is a number from 1 to 65535."));
        }
        let entry = self.desk.fleet().get(&open.node_key).ok_or_else(no_node)?;
        let node = entry.node().clone();
        let id = self.desktop_forward(&open, node.display_name())?;
        let row = self.forwards.row(&id)?;
        let address = match (&row.state, self.forwards.address_of(&id)) {
            (ForwardState::PortInUse { holder, next_free, .. }, _) => {
                let hint = next_free.map(|free| format!("{free} is the next free port."));
                return Err(CommandError {
                    hint,
                    ..CommandError::new(ErrorCode::InvalidInput, holder.clone())
                });
            }
            (ForwardState::Failed { problem, .. }, None) => return Err(problem.clone()),
            (_, Some(address)) => address,
            (_, None) => {
                let message = "The forward of the desktop is still closing its last listener.";
                return Err(CommandError {
                    hint: Some("Try again in a moment.".to_owned()),
                    ..CommandError::new(ErrorCode::Throttled, message)
                });
            }
        };
        let way = self.way_to(&open.node_key, None)?;
        let access = match open.options.key_file.is_empty() || open.port_only {
            true => None,
            false if node.kind.is_hybrid() => {
                let message = "Only EC2 nodes have a password that a key file opens.";
                return Err(CommandError::new(ErrorCode::InvalidInput, message));
            }
            false => {
                let backend = self.backend.as_ref().and_then(|backend| backend.access.clone());
                let unsupported =
                    || CommandError::new(ErrorCode::Unsupported, "EC2 cannot be asked for passwords here.");
                let access = backend.ok_or_else(unsupported)?;
                let access = access
                    .node_access(&node.source, &node.account_region.region)
                    .map_err(|error| describe(&error, &way.context))?;
                Some((access, node.node_id.to_string()))
            }
        };
        let settings = self.forwards.desktop_settings(Some(&id));
        let mut desktop = desktop::desktop(address, node.display_name(), &settings).map_err(|text| {
            CommandError::new(ErrorCode::InvalidInput, format!("{text} cannot be a user or a domain."))
        })?;
        if access.is_some() && desktop.user.is_none() {
            desktop.user = UserName::new(ADMINISTRATOR);
        }
        let remembered = Pins::load(self.disk.store()).of(&node.node_id);
        let directory = self.disk.store().private_directory("launch").ok().flatten();
        let attempt = Attempt {
            forward: id,
            address,
            desktop,
            open,
            remembered,
            access,
            context: way.context,
            directory,
        };
        Ok((node.node_id.to_string(), attempt))
    }

    fn desktop_forward(&mut self, open: &DesktopOpen, node_name: &str) -> Result<String, CommandError> {
        let (id, edits, restart) = self.forwards.put_desktop(open, node_name, self.desk.fleet())?;
        self.save_profiles(edits);
        if restart && let Some(run) = self.forwards.take_run(&id) {
            self.forward_end(id.clone(), run);
        }
        self.forward_switch(&id, true)?;
        self.emit_forwards();
        Ok(id)
    }

    pub(super) fn desktop_news(&mut self, news: DesktopNews) {
        let (forward, node_id, tried, reply) = match news {
            DesktopNews::Tried { forward, node_id, tried, reply } => (forward, node_id, tried, reply),
            DesktopNews::ClientEnded { forward, problem } => {
                let id = format!("desktop:{forward}");
                let raised = self.notices.raise(notices::of_problem(id, NoticeLevel::Warn, &problem));
                self.notices_changed(raised);
                return;
            }
        };
        match *tried {
            Ok(tried) => {
                if let Some(pin) = tried.trust {
                    let mut pins = Pins::load(self.disk.store());
                    pins.trust(&node_id, pin);
                    if let Err(error) = pins.save(self.disk.store()) {
                        let problem = crate::problem::describe_store(&error);
                        let raised =
                            self.notices.raise(notices::of_problem("storage", NoticeLevel::Warn, &problem));
                        self.notices_changed(raised);
                    }
                }
                match tried.password {
                    Some(password) => {
                        self.desktops.passwords.insert(forward, password);
                    }
                    None => {
                        self.desktops.passwords.remove(&forward);
                    }
                }
                answer(reply, Ok(tried.outcome));
            }
            Err(Failed::Problem(problem)) => answer(reply, Err(problem)),
            Err(Failed::Unreached(text)) => {
                // A session that was refused says more than a connection that was cut.
                let known = match self.forwards.row(&forward).map(|row| row.state) {
                    Ok(ForwardState::Failed { problem, .. }) => Some(problem),
                    _ => None,
                };
                let problem = known.unwrap_or_else(|| CommandError {
                    hint: Some("Check that remote desktop is switched on there, and its port.".to_owned()),
                    ..CommandError::new(ErrorCode::NetworkUnreachable, text)
                });
                answer(reply, Err(problem));
            }
        }
    }

    /// Copies a password once, and takes it off the clipboard again if it is still there after a while.
    fn desktop_copy_password(&mut self, forward: &str, reply: Reply<()>) {
        let Some(password) = self.desktops.passwords.remove(forward) else {
            let message = "The password was copied already, or there is none.";
            return answer(reply, Err(CommandError::new(ErrorCode::NotFound, message)));
        };
        let ui = self.ui.clone();
        tokio::spawn(async move {
            let (writer, written) = (ui.clone(), password);
            let copied = tokio::task::spawn_blocking(move || {
                let copied = writer.write_clipboard(written.expose());
                (copied, written)
            })
            .await;
            let Ok((copied, password)) = copied else { return };
            let problem = |error: crate::ports::UiError| CommandError {
                detail: Some(error.0),
                ..CommandError::new(ErrorCode::Unsupported, "The clipboard cannot be used right now.")
            };
            answer(reply, copied.map_err(problem));
            tokio::time::sleep(CLIPBOARD_LIFE).await;
            drop(
                tokio::task::spawn_blocking(move || {
                    if ui.read_clipboard().is_ok_and(|now| now == password.expose()) {
                        drop(ui.write_clipboard(""));
                    }
                })
                .await,
            );
        });
    }

    /// A forward was switched off: what was kept for it is of no use any more.
    pub(super) fn desktop_forget(&mut self, forward: &str) {
        self.desktops.passwords.remove(forward);
    }
}

impl Attempt {
    async fn run(mut self, news: mpsc::Sender<DesktopNews>) -> Result<Tried, Failed> {
        let seen = desktop::certificate(self.address).await.map_err(|error| match error {
            desktop::CertificateError::Unreached(_) | desktop::CertificateError::Silent => {
                Failed::Unreached(sentence(&error.to_string()))
            }
            other => Failed::Problem(CommandError::new(
                ErrorCode::NetworkUnreachable,
                sentence(&other.to_string()),
            )),
        })?;
        let (mut trust, mut first) = (None, None);
        if let Some(pin) = seen {
            match Trust::judge(self.remembered, pin) {
                Trust::Known => {}
                Trust::First => {
                    trust = Some(pin);
                    first = Some(pin.pairs());
                }
                Trust::Changed if self.open.accept_certificate == Some(pin.to_string()) => trust = Some(pin),
                Trust::Changed => {
                    let before = self.remembered.map(|pin| pin.to_string()).unwrap_or_default();
                    let outcome = DesktopOutcome::CertificateChanged { before, now: pin.to_string() };
                    return Ok(Tried { outcome, trust: None, password: None });
                }
            }
            self.desktop.pin = Some(pin);
        }
        let password = match &self.access {
            Some((access, instance)) => {
                let key_file = Path::new(&self.open.options.key_file);
                let asked =
                    desktop::administrator_password(access.as_ref(), instance, key_file, &self.context).await;
                Some(asked.map_err(Failed::Problem)?)
            }
            None => None,
        };
        let (forward, address) = (self.forward.clone(), self.address.to_string());
        let opened = |client, password| DesktopOutcome::Opened {
            forward: forward.clone(),
            address: address.clone(),
            client,
            password,
            first_certificate: first.clone(),
        };
        if self.open.port_only {
            return Ok(Tried { outcome: opened(None, DesktopPassword::None), trust, password: None });
        }
        let (name, password_given, password) = self.start(password, news).await?;
        let fate = match (&password, password_given) {
            (None, _) => DesktopPassword::None,
            (Some(_), true) => DesktopPassword::Handed,
            (Some(_), false) => DesktopPassword::ToCopy,
        };
        let kept = password.filter(|_| !password_given);
        Ok(Tried { outcome: opened(Some(name), fate), trust, password: kept })
    }

    /// Starts the client, and watches it in a thread of its own.
    async fn start(
        &self,
        password: Option<WindowsPassword>,
        news: mpsc::Sender<DesktopNews>,
    ) -> Result<(String, bool, Option<WindowsPassword>), Failed> {
        let wanted = options::setting(self.open.options.client);
        let (desktop, directory) = (self.desktop.clone(), self.directory.clone());
        let started = tokio::task::spawn_blocking(move || {
            let none = || CommandError {
                hint: Some("Install FreeRDP or Remmina, or only open the port.".to_owned()),
                ..CommandError::new(
                    ErrorCode::Unsupported,
                    "There is no such remote desktop client on this computer.",
                )
            };
            let client = desktop::chosen(desktop::installed(), wanted).ok_or_else(none)?;
            let directory = directory.unwrap_or_else(std::env::temp_dir);
            let running = desktop::start(&client, &desktop, password.as_ref(), &directory)
                .map_err(|error| CommandError::new(ErrorCode::Unsupported, sentence(&error.to_string())))?;
            Ok::<_, CommandError>((running, password))
        });
        let (running, password) = started
            .await
            .map_err(|error| CommandError::new(ErrorCode::Internal, error.to_string()))
            .and_then(|started| started)
            .map_err(Failed::Problem)?;
        let (name, given) = (running.name.to_owned(), running.password_given);
        let (forward, shown) = (self.forward.clone(), name.clone());
        // It lives as long as the client; the program does not wait for it.
        std::thread::spawn(move || match running.wait() {
            Ok(end) if end.status.success() || end.lasted > Duration::from_secs(10) => {
                tracing::debug!(client = shown, status = %end.status, "a remote desktop client ended");
            }
            Ok(end) => {
                let problem = CommandError {
                    detail: Some(end.status.to_string()),
                    ..CommandError::new(ErrorCode::SessionEnded, format!("{shown} ended at once."))
                };
                drop(news.blocking_send(DesktopNews::ClientEnded { forward, problem }));
            }
            Err(error) => tracing::warn!(%error, "a remote desktop client could not be waited for"),
        });
        Ok((name, given, password))
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}
