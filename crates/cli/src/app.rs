//! `fleetline app`: the running app of this user, and what it takes off other commands' hands.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use fleetline_app::Paths;
use fleetline_control::{
    Answer, AskError, Client, ConnectError, Event, Follow, ForwardRow, ForwardSpec, Refusal, RefusalKind,
    Request,
};
use fleetline_ipc::{CommandError, ErrorCode};
use serde_json::json;

use crate::console::{harmless, print};
use crate::failure::Failure;
use crate::table;

#[derive(Debug, Args)]
pub(crate) struct AppArgs {
    #[command(subcommand)]
    command: AppCommand,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum AppCommand {
    /// Say whether the app runs, and what it has open; status 4 when it does not run
    Status,
    /// List its forwards
    Forwards,
    /// Switch on a saved forward, proxy or bundle in it
    Start {
        /// Id of the profile, or the name of a bundle
        #[arg(value_name = "PROFILE")]
        profile: String,
    },
    /// Switch a forward of it off
    Stop {
        /// Id of the forward
        #[arg(value_name = "ID")]
        forward: String,
    },
    /// Bring its window to the front
    Show,
}

/// Where the app listens for this user.
fn directory() -> Option<PathBuf> {
    Paths::resolve().ok().map(|paths| paths.state.join("control"))
}

/// The running app, or none.
async fn connected() -> Result<Option<Client>, Failure> {
    let Some(directory) = directory() else { return Ok(None) };
    match Client::connect(&directory).await {
        Ok(client) => Ok(Some(client)),
        Err(ConnectError::NotRunning) => Ok(None),
        Err(error) => Err(Failure::local("The running app was not asked", &error)),
    }
}

/// Asks the running app.
pub(crate) async fn run(args: AppArgs) -> Result<u8, Failure> {
    let Some(mut client) = connected().await? else {
        if args.json && matches!(args.command, AppCommand::Status) {
            print(&json!({ "running": false }).to_string()).map_err(|error| unwritten(&error))?;
        }
        return Err(Failure::from(CommandError::new(
            ErrorCode::TargetNotConnected,
            "No Fleetline app is running for this user.",
        )));
    };
    let request = match &args.command {
        AppCommand::Status => Request::Status,
        AppCommand::Forwards => Request::Forwards,
        AppCommand::Start { profile } => Request::RunProfile { profile: profile.clone() },
        AppCommand::Stop { forward } => Request::StopForward { forward: forward.clone() },
        AppCommand::Show => Request::Show,
    };
    let program = client.program().to_owned();
    let answer = client.ask(request).await.map_err(|error| refused(&error))?;
    tell_answer(answer, &program, args.json).map_err(|error| unwritten(&error))?;
    Ok(0)
}

/// The running app's answer to a request; `None` when none runs.
pub(crate) async fn ask_running(request: Request) -> Result<Option<Answer>, Failure> {
    match connected().await? {
        Some(mut client) => client.ask(request).await.map(Some).map_err(|error| refused(&error)),
        None => Ok(None),
    }
}

fn unwritten(error: &dyn std::fmt::Display) -> Failure {
    Failure::local("The answer could not be written", error)
}

fn tell_answer(answer: Answer, program: &str, json: bool) -> std::io::Result<()> {
    match answer {
        Answer::Status(status) if json => print(
            &json!({
                "running": true,
                "version": program,
                "demo": status.demo,
                "shells": status.shells,
                "forwards": status.forwards,
            })
            .to_string(),
        ),
        Answer::Status(status) => {
            let what = if status.demo { " on the demo fleet" } else { "" };
            print(&format!(
                "Fleetline {} runs{what}: {} shells open, {} forwards switched on.",
                harmless(program),
                status.shells,
                status.forwards
            ))
        }
        Answer::Forwards { forwards } if json => {
            let text = serde_json::to_string_pretty(&forwards).map_err(std::io::Error::other)?;
            print(&text)
        }
        Answer::Forwards { forwards } => {
            let cells = |row: &ForwardRow| {
                [&row.id, &row.state, &row.local.join(" "), &row.remote, &row.name]
                    .iter()
                    .map(|cell| harmless(cell))
                    .collect()
            };
            let rows: Vec<Vec<String>> = forwards.iter().map(cells).collect();
            table::lines(&["ID", "STATE", "LOCAL", "REMOTE", "NAME"], &rows)
                .iter()
                .try_for_each(|line| print(line))
        }
        Answer::Started { forward, .. } if json => {
            print(&serde_json::to_string(&forward).map_err(std::io::Error::other)?)
        }
        Answer::Started { forward, .. } => {
            print(forward.local.first().map(|local| harmless(local)).unwrap_or_default().as_str())
        }
        // Asked for by another command.
        Answer::Links(_) | Answer::Done | Answer::Hello { .. } => Ok(()),
    }
}

fn refused(error: &AskError) -> Failure {
    let AskError::Refused(Refusal { kind, message }) = error else {
        return Failure::local("The running app did not answer", error);
    };
    let code = match kind {
        RefusalKind::Version | RefusalKind::Request => ErrorCode::InvalidInput,
        RefusalKind::NotFound => ErrorCode::NotFound,
        RefusalKind::Denied => ErrorCode::AccessDenied,
        RefusalKind::NotConnectable => ErrorCode::TargetNotConnected,
        RefusalKind::Local => ErrorCode::Storage,
        RefusalKind::Credentials => ErrorCode::NotSignedIn,
        RefusalKind::Network => ErrorCode::NetworkUnreachable,
        RefusalKind::Busy => ErrorCode::Throttled,
        RefusalKind::Other => ErrorCode::Service,
    };
    Failure::from(CommandError::new(code, message.clone()))
}

/// A forward of the app's that stands for one of this program's.
pub(crate) struct Borrowed {
    /// As the app told it last.
    pub(crate) row: ForwardRow,
    /// Whether it ran before; else it is switched off at the end.
    existing: bool,
    follow: Follow,
}

impl Borrowed {
    /// The forward of the running app that does the same. `None` when no app runs or it has none: this program runs it
    /// itself then.
    pub(crate) async fn same_as(spec: ForwardSpec) -> Option<Self> {
        Self::started(Request::StartForward { forward: spec }).await
    }

    /// A saved forward in the running app; `None` as for [`Self::same_as`].
    pub(crate) async fn saved(profile: &str) -> Option<Self> {
        Self::started(Request::RunProfile { profile: profile.to_owned() }).await
    }

    async fn started(request: Request) -> Option<Self> {
        let mut client = match connected().await {
            Ok(client) => client?,
            Err(failure) => {
                failure.tell();
                return None;
            }
        };
        match client.ask(request).await {
            Ok(Answer::Started { forward, existing }) => {
                let follow = client.follow(forward.id.clone()).await.ok()?;
                Some(Self { row: forward, existing, follow })
            }
            Ok(_) | Err(_) => None,
        }
    }

    /// What happens to it next; `None` when it is switched off, or the app ended.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        self.follow.next().await.ok().flatten()
    }

    /// Leaves it to the app, or switches it off again when this program had it switched on.
    pub(crate) async fn leave(self) {
        if self.existing {
            return;
        }
        let id = self.row.id;
        drop(self.follow);
        if let Ok(Some(mut client)) = connected().await {
            // An app that is gone has stopped it.
            drop(client.ask(Request::StopForward { forward: id }).await);
        }
    }
}
