//! `fleetline sessions log`.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use fleetline_app::session_log::{Cursor, Place, Reader, Spot, Whereabouts, Window, may_still_come};
use fleetline_history::{SessionRecord, plain_text};
use serde_json::{Value, json};

use super::document_failed;
use super::one::{One, one};
use crate::args::ScopeArgs;
use crate::console::{print, print_part, tell};
use crate::failure::Failure;
use crate::fleet::now_ms;
use crate::scope;

#[derive(Debug, ClapArgs)]
pub(super) struct LogArgs {
    /// Id of the session, active or past
    #[arg(value_name = "SESSION")]
    session: String,
    /// Which place to read where the session is recorded in both
    #[arg(long, value_name = "STORE")]
    store: Option<Store>,
    /// Write the log as it was recorded, control sequences included, into this new file
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    out: Option<PathBuf>,
    /// Print a JSON object with where it is and what was written when
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Store {
    S3,
    Cloudwatch,
}

impl Store {
    fn of(place: &Place) -> Self {
        match place {
            Place::Object(_) => Self::S3,
            Place::Stream(_) => Self::Cloudwatch,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Cloudwatch => "cloudwatch",
        }
    }
}

pub(super) async fn run(args: LogArgs) -> Result<u8, Failure> {
    let sources = scope::sources();
    let scopes = scope::chosen(&sources, &args.scope)?;
    let One { scope, record } = one(&sources, &scopes, &args.session).await?;
    let reader = Reader::open(&sources, &sources, &scope.source, &scope.region)
        .map_err(|error| scope.failed(&error))?;
    let found = reader
        .whereabouts(&record)
        .await
        .map_err(|error| document_failed(&error, &record.document, &scope))?;
    let spots = match found {
        Whereabouts::NeverLogged => {
            let what = "AWS never logs what passes through SSH and port sessions, so there is no log.";
            return without_log(&args, &record, "never_logged", what);
        }
        Whereabouts::NotRecorded { document, missing } => {
            let what = match missing {
                true => format!(
                    "{document} was never saved in {} {}, so nothing is recorded.",
                    scope.source, scope.region
                ),
                false => format!(
                    "The document {document} names neither a bucket nor a log group, so nothing is recorded."
                ),
            };
            return without_log(&args, &record, "not_recorded", &what);
        }
        Whereabouts::At(spots) => spots,
    };
    let chosen = match args.store {
        None => spots.first(),
        Some(store) => spots.iter().find(|spot| Store::of(&spot.place) == store),
    };
    let Some(chosen) = chosen else {
        let store = args.store.map_or("", Store::word);
        return Err(Failure::usage(format!("The session is not recorded in {store}.")));
    };
    let read = |at: Option<Cursor>| {
        let (reader, scope) = (&reader, &scope);
        async move { reader.window(&chosen.place, at.as_ref()).await.map_err(|error| scope.failed(&error)) }
    };
    let Some(first) = read(None).await? else {
        let place = chosen.place.words();
        return match may_still_come(&record, now_ms()) {
            true => {
                let what =
                    format!("There is nothing at {place} yet; agents write the log when the session ends.");
                without_log(&args, &record, "not_yet", &what)
            }
            false => without_log(&args, &record, "missing", &format!("There is no log at {place}.")),
        };
    };
    let mut output = Output::open(&args)?;
    let mut window = first;
    loop {
        output.take(&window)?;
        match window.next {
            Some(next) if !window.is_end => {
                window = read(Some(next))
                    .await?
                    .ok_or_else(|| Failure::usage("The log was taken away while it was read.".to_owned()))?;
            }
            _ => break,
        }
    }
    output.end(&record, chosen)?;
    Ok(0)
}

/// Says why there is no text: an answer with `--json`, a failure otherwise.
fn without_log(args: &LogArgs, record: &SessionRecord, state: &str, what: &str) -> Result<u8, Failure> {
    if args.json {
        let text = json!({ "sessionId": record.session_id, "state": state, "message": what });
        print(&text.to_string()).map_err(|error| Failure::local("The log could not be written", &error))?;
        return Ok(0);
    }
    Err(Failure::usage(what.to_owned()))
}

/// Where the log goes.
enum Output {
    Text,
    Json(Vec<Value>),
    File { path: PathBuf, file: File, bytes: usize },
}

impl Output {
    fn open(args: &LogArgs) -> Result<Self, Failure> {
        match &args.out {
            Some(path) => {
                let file = File::create_new(path).map_err(|error| unwritten(path, &error))?;
                Ok(Self::File { path: path.clone(), file, bytes: 0 })
            }
            None if args.json => Ok(Self::Json(Vec::new())),
            None => Ok(Self::Text),
        }
    }

    fn take(&mut self, window: &Window) -> Result<(), Failure> {
        match self {
            // What a node wrote must not control this terminal.
            Self::Text => print_part(&plain_text(&window.output()))
                .map_err(|error| Failure::local("The log could not be written", &error)),
            Self::Json(pieces) => {
                let piece = |piece: &fleetline_app::session_log::Piece| {
                    let at = crate::timestamp::time(piece.at_ms.map(|ms| ms / 1000 * 1000));
                    json!({ "at": at, "text": plain_text(&piece.output) })
                };
                pieces.extend(window.pieces.iter().map(piece));
                Ok(())
            }
            Self::File { path, file, bytes } => {
                let output = window.output();
                *bytes += output.len();
                file.write_all(&output).map_err(|error| unwritten(path, &error))
            }
        }
    }

    fn end(self, record: &SessionRecord, spot: &Spot) -> Result<(), Failure> {
        match self {
            Self::Text => Ok(()),
            Self::Json(pieces) => {
                let text = json!({
                    "sessionId": record.session_id,
                    "state": "text",
                    "store": Store::of(&spot.place).word(),
                    "place": spot.place.words(),
                    "document": spot.document,
                    "pieces": pieces,
                });
                print(&text.to_string())
                    .map_err(|error| Failure::local("The log could not be written", &error))
            }
            Self::File { path, file, bytes } => {
                file.sync_all().map_err(|error| unwritten(&path, &error))?;
                tell(&format!("{bytes} bytes of {} written to {}.", spot.place.words(), path.display()));
                Ok(())
            }
        }
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::local(&format!("{} could not be written", path.display()), error)
}
