//! `fleetline recordings`: what was recorded in shells of this computer.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use fleetline_app::{Paths, Store, recorder};
use fleetline_ipc::recording::{RecordingList, RecordingRow};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_recording::{Content, Control, MAX_SPEED, MIN_SPEED, Player, Quiet, Step};
use tokio::time::Instant;

use crate::console::{harmless, tell, write, write_json};
use crate::failure::Failure;
use crate::secrets;
use crate::signals::EndSignals;
use crate::table;
use crate::timestamp::time;

/// What a replay may have switched on is switched off: the alternate screen, margins, colours, a hidden cursor.
const UNDO: &[u8] = b"\x1b[?1049l\x1b[r\x1b[0m\x1b[?25h\x1b(B";

#[derive(Debug, ClapArgs)]
pub(crate) struct RecordingsArgs {
    #[command(subcommand)]
    command: RecordingsCommand,
}

#[derive(Debug, Subcommand)]
enum RecordingsCommand {
    /// List recordings, newest first
    List {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Replay one in this terminal. Only text, colours and movements reach it: nothing is answered or opened
    Play {
        /// Its id, or the beginning of it
        #[arg(value_name = "RECORDING")]
        id: String,
        /// How fast, from 0.25 to 32
        #[arg(long, default_value_t = 1.0)]
        speed: f64,
        /// Keep pauses as long as they were, instead of a second at most
        #[arg(long)]
        pauses: bool,
        /// Print all at once
        #[arg(long, conflicts_with_all = ["speed", "pauses"])]
        at_once: bool,
    },
    /// Write one as an asciicast v3 (.cast), in clear
    Export {
        /// Its id, or the beginning of it
        #[arg(value_name = "RECORDING")]
        id: String,
        /// New file to write; `-` is standard output. Default: a new one in the folder for downloads
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Print a JSON object with where it is
        #[arg(long)]
        json: bool,
    },
    /// Delete recordings
    Delete {
        /// Their ids, or the beginnings of them
        #[arg(value_name = "RECORDING", required = true)]
        ids: Vec<String>,
        /// Print a JSON object with what was deleted
        #[arg(long)]
        json: bool,
    },
}

/// The store of the user's files.
pub(crate) fn store() -> Result<Store, Failure> {
    let paths =
        Paths::resolve().map_err(|error| Failure::local("There is no place for recordings", &error))?;
    Store::open(paths).map_err(|error| Failure::local("Recordings cannot be used", &error))
}

/// Does what is asked.
pub(crate) async fn run(args: RecordingsArgs) -> Result<u8, Failure> {
    let play = match args.command {
        RecordingsCommand::Play { id, speed, pauses, at_once } => Some((id, speed, pauses, at_once)),
        other => return blocking(move || act(other)).await,
    };
    let Some((id, speed, pauses, at_once)) = play else { return Ok(0) };
    if !(MIN_SPEED..=MAX_SPEED).contains(&speed) {
        return Err(Failure::usage(format!("The speed is {MIN_SPEED} to {MAX_SPEED}.")));
    }
    let content = blocking(move || {
        let (store, vault) = (store()?, secrets::vault());
        let id = whole_id(&recorder::list(&store, &vault)?, &id)?;
        Ok(recorder::content(&store, &vault, &id)?)
    });
    let content = content.await?;
    let note = content.note.clone();
    let mut signals =
        EndSignals::catch().map_err(|error| Failure::local("Signals could not be caught", &error))?;
    let played = tokio::select! {
        played = replay(content, speed, pauses, at_once) => played,
        signal = signals.next() => Err(Failure::signal(signal.number())),
    };
    let mut out = std::io::stdout();
    if out.is_terminal() {
        // A terminal that is gone needs no undoing.
        drop(out.write_all(UNDO).and_then(|()| out.write_all(b"\r\n")).and_then(|()| out.flush()));
    }
    played?;
    if let Some(note) = note {
        tell(&note);
    }
    Ok(0)
}

async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(act).await;
    done.map_err(|error| Failure::local("The request ended by a defect", &error))?
}

fn act(command: RecordingsCommand) -> Result<u8, Failure> {
    let (store, vault) = (store()?, secrets::vault());
    let list = recorder::list(&store, &vault)?;
    match command {
        RecordingsCommand::List { json } => show(&list, json),
        RecordingsCommand::Export { id, out, json } => {
            let id = whole_id(&list, &id)?;
            let stdout = out.as_deref().is_some_and(|out| out.as_os_str() == "-");
            let (path, note) = match out {
                None => recorder::export(&store, &vault, &id)?,
                Some(path) => {
                    let recordings = recorder::recordings(&store)
                        .ok_or_else(|| Failure::usage("This run keeps no recordings."))?;
                    let key = recorder::key(&vault)?;
                    let note = if stdout {
                        recordings.export(&id, &key, &mut std::io::stdout().lock())
                    } else {
                        let mut file = fleetline_recording::export_file(&path)
                            .map_err(|error| Failure::local("The file could not be made", &error))?;
                        recordings.export(&id, &key, &mut file)
                    };
                    (path, note.map_err(|error| recorder::problem(&error))?)
                }
            };
            tell("It is in clear: whoever reads it sees all that the node printed, secrets included.");
            if let Some(note) = note {
                tell(note);
            }
            let path = path.display().to_string();
            if stdout {
                return Ok(0);
            }
            if json {
                write_json(&serde_json::json!({ "id": id, "path": path }))?;
            } else {
                write(&harmless(&path))?;
            }
            Ok(0)
        }
        RecordingsCommand::Delete { ids, json } => {
            let ids: Vec<String> = ids.iter().map(|id| whole_id(&list, id)).collect::<Result<_, _>>()?;
            for id in &ids {
                recorder::delete(&store, id)?;
            }
            if json {
                write_json(&serde_json::json!({ "deleted": ids }))?;
            }
            Ok(0)
        }
        RecordingsCommand::Play { .. } => Ok(0),
    }
}

/// The id that begins like this.
fn whole_id(list: &RecordingList, wanted: &str) -> Result<String, Failure> {
    let wanted = wanted.to_ascii_lowercase();
    let mut found = list.rows.iter().filter(|row| !wanted.is_empty() && row.id.starts_with(&wanted));
    match (found.next(), found.next()) {
        (Some(row), None) => Ok(row.id.clone()),
        (Some(_), Some(_)) => Err(Failure::usage(format!("More than one recording begins with {wanted}."))),
        (None, _) => {
            let error = CommandError::new(ErrorCode::NotFound, format!("There is no recording {wanted}."));
            Err(Failure::from(error).with_hint("`fleetline recordings list` shows them."))
        }
    }
}

fn show(list: &RecordingList, json: bool) -> Result<u8, Failure> {
    if json {
        write_json(list)?;
        return Ok(0);
    }
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of this age are whole and small")]
    let row = |row: &RecordingRow| {
        let seconds = (row.duration_ms / 1000.0) as u64;
        vec![
            row.id.get(..8).unwrap_or(&row.id).to_owned(),
            time(Some(row.started_ms as i64)).unwrap_or_default(),
            format!("{}:{:02}", seconds / 60, seconds % 60),
            format!("{} KiB", (row.bytes / 1024.0).ceil()),
            if row.readable { row.node.clone() } else { "cannot be opened".to_owned() },
            row.target.clone(),
            row.session.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = list.rows.iter().map(row).collect();
    for line in table::lines(&["ID", "BEGAN", "LENGTH", "SIZE", "NODE", "TARGET", "SESSION"], &rows) {
        write(&harmless(&line))?;
    }
    if let Some(problem) = &list.problem {
        Failure::from(problem.clone()).tell();
    }
    Ok(0)
}

async fn replay(content: Content, speed: f64, pauses: bool, at_once: bool) -> Result<(), Failure> {
    let epoch = Instant::now();
    let duration = content.events.last().map(|event| event.at).unwrap_or_default();
    let mut player = Player::new(content, epoch.elapsed());
    player.control(Control::Speed(speed), epoch.elapsed());
    player.control(Control::SkipPauses(!pauses), epoch.elapsed());
    if at_once {
        player.control(Control::Seek(duration), epoch.elapsed());
    }
    let mut quiet = Quiet::default();
    loop {
        match player.step(epoch.elapsed()) {
            Step::Output(bytes) => {
                let mut out = std::io::stdout().lock();
                let written = out.write_all(&quiet.filter(&bytes)).and_then(|()| out.flush());
                written.map_err(|error| Failure::local("The replay could not be written", &error))?;
            }
            // This terminal has the size it has.
            Step::Resize(..) => {}
            Step::Wait(Some(until)) => tokio::time::sleep_until(epoch + until).await,
            Step::Wait(None) => return Ok(()),
        }
    }
}
