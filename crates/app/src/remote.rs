//! Answering the command line program over the control socket: what runs here need not run there a second time.

use fleetline_control::{
    Answer, Event, Events, ForwardRow as RowTold, ForwardSpec as SpecAsked, Handler, LinksRow, Listen,
    Refusal, RefusalKind, Request, StatusRow,
};
use fleetline_ipc::forward::{ForwardKind, ForwardRow, ForwardState};
use fleetline_ipc::session::SessionState;
use fleetline_ipc::settings::Settings;
use fleetline_ipc::system::AppMode;
use fleetline_ipc::{CommandError, ErrorCode};

use crate::clock::now_ms;
use crate::deep_link::opener_word;
use crate::handle::AppHandle;

/// What the command line asks about a forward it could run itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// AWS profile, when it is named.
    pub(crate) source: Option<String>,
    /// Region, when it is named.
    pub(crate) region: Option<String>,
    /// Node id or name.
    pub(crate) target: String,
    /// Host beyond the node.
    pub(crate) host: Option<String>,
    /// Port there; `None` is a SOCKS5 proxy.
    pub(crate) port: Option<u16>,
    /// Local port, 0 for any; or the path of a socket.
    pub(crate) local: WantedLocal,
}

/// Where it should listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WantedLocal {
    /// At loopback.
    Port(u16),
    /// At a Unix socket.
    Socket(String),
}

/// The app's side of the control socket.
#[derive(Clone, Debug)]
pub struct Remote {
    app: AppHandle,
}

impl Remote {
    /// Answers for this application.
    pub fn new(app: AppHandle) -> Self {
        Self { app }
    }

    async fn status(&self) -> Result<Answer, Refusal> {
        let snapshot = self.app.app_snapshot().await.map_err(refusal)?;
        let is_live =
            |state: &SessionState| !matches!(state, SessionState::Ended { .. } | SessionState::Failed { .. });
        let shells = snapshot.tabs.iter().filter_map(|tab| tab.session.as_ref());
        Ok(Answer::Status(StatusRow {
            demo: snapshot.mode == AppMode::Demo,
            shells: count(shells.filter(|session| is_live(&session.state)).count()),
            forwards: count(snapshot.forwards.rows.iter().filter(|row| row.on).count()),
        }))
    }

    async fn forwards(&self) -> Result<Vec<ForwardRow>, Refusal> {
        Ok(self.app.app_snapshot().await.map_err(refusal)?.forwards.rows)
    }

    async fn start_forward(&self, asked: SpecAsked) -> Result<Answer, Refusal> {
        let local = match asked.listen {
            Listen::Loopback { port } => WantedLocal::Port(port),
            Listen::Unix { path } => WantedLocal::Socket(path),
            // The app listens at loopback only.
            Listen::Address { .. } => return Err(none_such()),
        };
        let wanted = Wanted {
            source: asked.source,
            region: asked.region,
            target: asked.target,
            host: asked.host,
            port: asked.port,
            local,
        };
        let id = self.app.forward_find(wanted).await.map_err(refusal)?.ok_or_else(none_such)?;
        self.switch_on(&id).await
    }

    async fn switch_on(&self, id: &str) -> Result<Answer, Refusal> {
        let rows = self.forwards().await?;
        let existing = rows.iter().any(|row| row.id == id && row.on);
        if !existing {
            self.app.forward_switch(id.to_owned(), true).await.map_err(refusal)?;
        }
        let row = self.forwards().await?.into_iter().find(|row| row.id == id).ok_or_else(none_such)?;
        Ok(Answer::Started { forward: told(&row), existing })
    }

    async fn run_profile(&self, profile: &str) -> Result<Answer, Refusal> {
        let rows = self.forwards().await?;
        if rows.iter().any(|row| row.id == profile) {
            return self.switch_on(profile).await;
        }
        if let Some(bundle) = self.app.bundle_named(profile.to_owned()).await.map_err(refusal)? {
            self.app.forward_bundle(Some(bundle), true).await.map_err(refusal)?;
            return Ok(Answer::Done);
        }
        Err(Refusal::new(RefusalKind::NotFound, format!("The app has no forward or bundle {profile}.")))
    }

    async fn links(&self, on: Option<bool>) -> Result<Answer, Refusal> {
        if let Some(on) = on {
            let settings = self.app.app_snapshot().await.map_err(refusal)?.settings;
            self.app.settings_apply(Settings { deep_links: on, ..settings }).await.map_err(refusal)?;
        }
        let status = self.app.link_status().await.map_err(refusal)?;
        let opener = opener_word(status.opener).to_owned();
        Ok(Answer::Links(LinksRow { on: status.on, opener, detail: status.detail }))
    }

    async fn follow(&self, id: String, events: Events) -> Result<Answer, Refusal> {
        let mut rows = self.app.forward_follow(id).await.map_err(refusal)?;
        // One that has stopped before it is followed changes no more.
        let mut is_over = !rows.borrow_and_update().on;
        while is_over || rows.changed().await.is_ok() {
            is_over = false;
            let row = rows.borrow_and_update().clone();
            let (is_on, told) = (row.on, told(&row));
            let message = told.cause.clone().unwrap_or_else(|| sentence(&told.state));
            events.send(Event { at_ms: now_ms(), forward: told, message }).await;
            if !is_on {
                break;
            }
        }
        Ok(Answer::Done)
    }
}

impl Handler for Remote {
    async fn answer(&self, request: Request, events: Events) -> Result<Answer, Refusal> {
        match request {
            Request::Status => self.status().await,
            Request::Forwards => {
                Ok(Answer::Forwards { forwards: self.forwards().await?.iter().map(told).collect() })
            }
            Request::StartForward { forward } => self.start_forward(forward).await,
            Request::RunProfile { profile } => self.run_profile(&profile).await,
            Request::StopForward { forward } => {
                self.app.forward_switch(forward, false).await.map_err(refusal)?;
                Ok(Answer::Done)
            }
            Request::Follow { forward } => self.follow(forward, events).await,
            Request::Links { on } => self.links(on).await,
            Request::Show => {
                self.app.activated().await;
                Ok(Answer::Done)
            }
            // The server has greeted already.
            Request::Hello { .. } => Err(Refusal::new(RefusalKind::Request, "The greeting was said before.")),
        }
    }
}

fn none_such() -> Refusal {
    Refusal::new(RefusalKind::NotFound, "The app has no such forward.")
}

fn told(row: &ForwardRow) -> RowTold {
    let (state, cause) = match &row.state {
        ForwardState::Off => ("off", None),
        ForwardState::Paused => ("paused", None),
        ForwardState::Idle => ("idle", None),
        ForwardState::Starting { .. } => ("starting", None),
        ForwardState::Active => ("active", None),
        ForwardState::Reconnecting { cause, .. } => ("reconnecting", Some(cause.clone())),
        ForwardState::Failed { problem, .. } => ("failing", Some(problem.message.clone())),
        ForwardState::Exposes { address } => (
            "failing",
            Some(format!("Listening on {address} lets other computers in: confirm it in the app.")),
        ),
        ForwardState::PortInUse { holder, .. } => ("failing", Some(holder.clone())),
    };
    let remote = match row.spec.kind {
        ForwardKind::Socks => row.node_name.clone(),
        ForwardKind::Port | ForwardKind::RemoteHost | ForwardKind::Rdp => {
            format!("{} {}", row.node_name, row.remote)
        }
    };
    RowTold {
        id: row.id.clone(),
        name: row.spec.name.clone(),
        state: state.to_owned(),
        cause,
        local: vec![row.local.clone()],
        remote,
        connections: row.connections,
    }
}

fn sentence(state: &str) -> String {
    let mut chars = state.chars();
    chars.next().map(|first| format!("{}{}.", first.to_uppercase(), chars.as_str())).unwrap_or_default()
}

fn refusal(problem: CommandError) -> Refusal {
    let kind = match problem.code {
        ErrorCode::InvalidInput | ErrorCode::Unsupported => RefusalKind::Request,
        ErrorCode::NotFound => RefusalKind::NotFound,
        ErrorCode::AccessDenied => RefusalKind::Denied,
        ErrorCode::TargetNotConnected | ErrorCode::TierRequired => RefusalKind::NotConnectable,
        ErrorCode::NotSignedIn | ErrorCode::CredentialsExpired | ErrorCode::CredentialsInvalid => {
            RefusalKind::Credentials
        }
        ErrorCode::NetworkUnreachable | ErrorCode::TlsUntrusted => RefusalKind::Network,
        ErrorCode::Throttled => RefusalKind::Busy,
        ErrorCode::Storage => RefusalKind::Local,
        _ => RefusalKind::Other,
    };
    Refusal::new(kind, problem.message)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
