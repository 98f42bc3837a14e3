//! `fleetline links`: whether this user's desktop hands links into the app to it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use fleetline_app::deep_link::{Links, link_status, opener_word};
use fleetline_app::{Paths, SETTINGS, Store};
use fleetline_control::{Answer, LinksRow, Request};
use fleetline_ipc::link::LinkStatus;
use fleetline_ipc::settings::Settings;
use fleetline_launch::rdp::{Environment, Here};
use serde_json::json;

use crate::app::ask_running;
use crate::console::{harmless, print};
use crate::failure::Failure;

#[derive(Debug, Args)]
pub(crate) struct LinksArgs {
    #[command(subcommand)]
    command: LinksCommand,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
enum LinksCommand {
    /// Let the desktop open fleetline:// links with the app, which asks before it follows one
    On,
    /// Take that back, and put back what was there before
    Off,
    /// Say whether they are followed, and who gets them
    Status,
}

/// Changes or tells it, through the running app when there is one.
pub(crate) async fn run(args: LinksArgs) -> Result<u8, Failure> {
    let on = match args.command {
        LinksCommand::On => Some(true),
        LinksCommand::Off => Some(false),
        LinksCommand::Status => None,
    };
    let row = match ask_running(Request::Links { on }).await? {
        Some(Answer::Links(row)) => row,
        Some(_) => return Err(Failure::local("The running app was not asked", &"its answer makes no sense")),
        None => row(alone(on)?),
    };
    tell(&row, args.json).map_err(|error| Failure::local("The answer could not be written", &error))?;
    Ok(0)
}

/// Without an app: the desktop's files and the app's settings are changed here.
fn alone(on: Option<bool>) -> Result<LinkStatus, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::local("Links were not switched", error);
    let paths = Paths::resolve().map_err(|error| failed(&error))?;
    let program = desktop_program().map_err(|error| failed(&error))?;
    if on == Some(true) && !program.is_file() {
        let missing = format!("there is no {}", program.display());
        return Err(failed(&missing).with_hint("Install the app beside this program."));
    }
    let links = Links { program, memory: paths.state.join("links") };
    let store = Store::open(paths).map_err(|error| failed(&error))?;
    let loaded = store.load::<Settings>(SETTINGS);
    let mut settings = loaded.value;
    if let Some(on) = on {
        let done = if on { links.switch_on() } else { links.switch_off() };
        done.map_err(|error| failed(&error))?;
        if settings.deep_links != on {
            settings.deep_links = on;
            store.save(SETTINGS, &settings).map_err(|error| {
                if on {
                    // Links that the app would ignore are not offered.
                    drop(links.switch_off());
                }
                failed(&error)
            })?;
        }
    }
    Ok(link_status(settings.deep_links, links.opener().map_err(|error| error.to_string())))
}

/// The app: beside this program, or where programs are looked for.
fn desktop_program() -> std::io::Result<PathBuf> {
    let name = "fleetline-desktop";
    let beside = std::env::current_exe()?.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if beside.is_file() { Ok(beside) } else { Ok(Here.find(name).unwrap_or(beside)) }
}

fn row(status: LinkStatus) -> LinksRow {
    LinksRow { on: status.on, opener: opener_word(status.opener).to_owned(), detail: status.detail }
}

fn tell(row: &LinksRow, json: bool) -> std::io::Result<()> {
    if json {
        return print(&json!({ "on": row.on, "opener": row.opener, "detail": row.detail }).to_string());
    }
    let detail = row.detail.as_deref().map(harmless).unwrap_or_default();
    let gets = match row.opener.as_str() {
        "us" => "The desktop opens fleetline:// links with the app.".to_owned(),
        "nobody" => "The desktop opens fleetline:// links with no program.".to_owned(),
        "another" => format!("The desktop opens fleetline:// links with another program: {detail}."),
        "bundle" => "macOS hands fleetline:// links to the installed app.".to_owned(),
        _ => format!("Who gets fleetline:// links could not be found out: {detail}."),
    };
    let does = if row.on { "It follows each one after asking." } else { "The app does not follow them." };
    print(&format!("{gets}\n{does}"))
}
