//! `fleetline shell`.

mod escape;
mod input;
mod modes;
mod notices;
mod opening;
mod raw;
mod recording;
mod size;

use std::io::{self, IsTerminal};
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Mutex;

use fleetline_app::problem::{Context, describe_close};
use fleetline_documents::SessionType;
use fleetline_engine::ports::StartSession;
use fleetline_engine::{EndReason, SessionState, ShellOptions, ShellSession, open_shell};
use fleetline_ipc::{CommandError, ErrorCode};
use futures_util::FutureExt;
use tokio::io::AsyncWriteExt;

use crate::args::ShellArgs;
use crate::chosen_document::{self, grouped};
use crate::console::{tell, tell_raw};
use crate::failure::Failure;
use crate::signals::{EndSignal, EndSignals};
use crate::target::{self, Target};
use input::{Input, Reader};
use modes::Modes;
use notices::Notices;
use raw::{Continued, RawTerminal};
use recording::Recording;
use size::Resizes;

/// Sent at the end of piped input, so that a program that reads the terminal sees the end of it.
const END_OF_TRANSMISSION: u8 = 0x04;

/// Why the shell is being left.
enum Left {
    /// The session reached its last state.
    Over,
    /// The escape `Enter ~ .`
    Escape,
    /// A signal.
    Signal(EndSignal),
    /// Standard output cannot be written.
    Output(io::Error),
}

/// Opens a shell in this terminal, or feeds it from a pipe. The terminal is put back on every way out.
pub(crate) async fn run(args: ShellArgs) -> Result<u8, Failure> {
    let json = args.json;
    shell(args).await.map_err(|failure| failure.in_json(json))
}

async fn shell(args: ShellArgs) -> Result<u8, Failure> {
    let mut signals =
        EndSignals::catch().map_err(|error| Failure::local("Signals could not be caught", &error))?;
    let found = tokio::select! {
        found = target::find(&args.target, &args.scope) => found?,
        signal = signals.next() => return Err(Failure::signal(signal.number())),
    };
    let wanted = Wanted {
        document: args.document,
        parameters: grouped(args.parameters),
        reason: args.reason,
        quiet: args.quiet,
        record: args.record.then_some(args.record_input),
    };
    open(found, wanted, signals).await
}

/// A session in this terminal.
pub(crate) struct Wanted {
    /// Session document; `None` is the account's own.
    pub(crate) document: Option<String>,
    /// Its parameters.
    pub(crate) parameters: Vec<(String, Vec<String>)>,
    /// Why, for the auditors.
    pub(crate) reason: Option<String>,
    /// No banner and no notices.
    pub(crate) quiet: bool,
    /// Record it, and whether with what is typed and shown.
    pub(crate) record: Option<bool>,
}

/// Opens a shell on a node that was found; as [`run`].
pub(crate) async fn open(found: Target, args: Wanted, mut signals: EndSignals) -> Result<u8, Failure> {
    let mut context = found.context;
    context.document.clone_from(&args.document);
    let name = context.node.clone().unwrap_or_default();
    let parameters = args.parameters;
    if let Some(document) = &args.document
        && let Some(read) = chosen_document::read(&context, document).await?
    {
        let wanted = [SessionType::StandardStream, SessionType::InteractiveCommands];
        chosen_document::check(&read, document, &parameters, &wanted)?;
    }
    // Said before a session begins that would not be recorded.
    let place = match args.record {
        Some(_) => Some(recording::place().await?),
        None => None,
    };
    let request = StartSession { target: found.id, document: args.document, parameters, reason: args.reason };
    let resizes =
        Resizes::watch().map_err(|error| Failure::local("The terminal could not be watched", &error))?;
    let options = ShellOptions { size: size::current(), session: found.options };
    let session = open_shell(found.control, request, options);

    let typed = io::stdin().is_terminal();
    opening::opened(&session, &mut signals, &context, typed && !args.quiet).await?;
    if !args.quiet {
        let id = session.session_id().map(|id| id.to_string()).unwrap_or_default();
        let how = if typed { " Press Enter ~ ? for help." } else { "" };
        tell(&format!("Session {id} on {name}.{how}"));
    }
    let recorder = match (place, args.record) {
        (Some(place), Some(input)) => match recording::begin(place, &session, &context, input).await {
            Ok(recorder) => Some(recorder),
            Err(failure) => {
                close(&session, &context).await;
                return Err(failure);
            }
        },
        _ => None,
    };
    let entered: io::Result<_> = typed.then(|| Ok((RawTerminal::enter()?, Continued::watch()?))).transpose();
    let (raw, continued) = match entered {
        Ok(entered) => entered.unzip(),
        Err(error) => {
            close(&session, &context).await;
            return Err(Failure::local("The terminal could not be made raw", &error));
        }
    };
    let modes = Mutex::new(Modes::default());
    let notices = Notices { quiet: args.quiet, raw: raw.is_some(), modes: &modes };
    let recorder = recorder.as_ref();
    let left = {
        let conversing = converse(&session, &mut signals, resizes, &notices, recorder, typed);
        let renewing = async {
            match (&raw, continued) {
                (Some(raw), Some(continued)) => raw.renew(continued, &session).await,
                _ => std::future::pending().await,
            }
        };
        let both = async {
            tokio::select! {
                left = conversing => left,
                () = renewing => Left::Over,
            }
        };
        AssertUnwindSafe(both).catch_unwind().await
    };
    let undo = modes.lock().map(|modes| modes.undo()).unwrap_or_default();
    drop(raw);
    if let Some(recorder) = recorder {
        recorder.end().await;
    }
    raw::write_undo(&undo);
    match left {
        Ok(left) => finish(left, &session, &context).await,
        // A defect of ours must not leave a session behind.
        Err(panic) => {
            close(&session, &context).await;
            resume_unwind(panic)
        }
    }
}

/// Carries bytes both ways until something ends it.
async fn converse(
    session: &ShellSession,
    signals: &mut EndSignals,
    resizes: Resizes,
    notices: &Notices<'_>,
    recorder: Option<&Recording>,
    typed: bool,
) -> Left {
    // Read only after the terminal is raw, so that nothing typed is taken line by line.
    let reader = Reader::start(typed);
    #[cfg(debug_assertions)]
    assert!(std::env::var_os("FLEETLINE_TEST_PANIC").is_none(), "a panic was asked for");
    let mut output = std::pin::pin!(copy_output(session, notices.modes, recorder));
    let mut input = std::pin::pin!(copy_input(session, reader, notices, recorder));
    let mut sizes = std::pin::pin!(resizes.forward(session, recorder));
    let mut watch = std::pin::pin!(notices.watch(session));
    let mut recorded = std::pin::pin!(recording::watch(recorder, notices.raw));
    let mut input_done = false;
    loop {
        tokio::select! {
            copied = &mut output => {
                return match copied {
                    Ok(()) => Left::Over,
                    Err(error) => Left::Output(error),
                };
            }
            escaped = &mut input, if !input_done => {
                if escaped {
                    return Left::Escape;
                }
                input_done = true;
            }
            () = &mut sizes => {}
            () = &mut watch => {}
            () = &mut recorded => {}
            signal = signals.next() => return Left::Signal(signal),
        }
    }
}

/// Everything the node sends, until the session is over and all was written.
async fn copy_output(
    session: &ShellSession,
    modes: &Mutex<Modes>,
    recorder: Option<&Recording>,
) -> io::Result<()> {
    let mut out = tokio::io::stdout();
    while let Some(chunk) = session.recv().await {
        if let Ok(mut modes) = modes.lock() {
            modes.feed(&chunk.bytes);
        }
        if let Some(recorder) = recorder {
            recorder.printed(&chunk.bytes).await;
        }
        out.write_all(&chunk.bytes).await?;
        out.flush().await?;
    }
    Ok(())
}

/// Everything the user types or pipes. Returns whether the user escaped; `false` at the end of input.
async fn copy_input(
    session: &ShellSession,
    mut reader: Reader,
    notices: &Notices<'_>,
    recorder: Option<&Recording>,
) -> bool {
    let mut last = b'\n';
    while let Some(input) = reader.next().await {
        match input {
            Input::Bytes(bytes) => {
                last = bytes.last().copied().unwrap_or(last);
                if let Some(recorder) = recorder {
                    recorder.typed(&bytes).await;
                }
                if session.send(bytes).await.is_err() {
                    return false;
                }
            }
            Input::Help => notices.help(),
            Input::End => return true,
        }
    }
    // Half a line would swallow the end of transmission, so it is completed first.
    let end: &[u8] =
        if matches!(last, b'\n' | b'\r') { &[END_OF_TRANSMISSION] } else { &[b'\n', END_OF_TRANSMISSION] };
    // A session that is over needs no end of input.
    let _over = session.send(end.to_vec()).await;
    false
}

async fn finish(left: Left, session: &ShellSession, context: &Context) -> Result<u8, Failure> {
    close(session, context).await;
    match left {
        Left::Over => match session.ended().await {
            SessionState::Failed(error) => Err(Failure::not_started(&error, context)),
            SessionState::Ended(reason) => ended(&reason, session.exit_code()),
            _ => Err(Failure::from(CommandError::new(
                ErrorCode::Internal,
                "The session ended without a reason.",
            ))),
        },
        Left::Escape => {
            tell("Session closed.");
            Ok(0)
        }
        Left::Signal(signal) => Err(Failure::signal(signal.number())),
        Left::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::signal(13)),
        Left::Output(error) => Err(Failure::local("The output of the session could not be written", &error)),
    }
}

fn ended(reason: &EndReason, exit_code: Option<i32>) -> Result<u8, Failure> {
    if let Some(code) = exit_code {
        return Ok(u8::try_from(code).unwrap_or(255));
    }
    if reason.is_normal() {
        return Ok(0);
    }
    let code = match reason {
        EndReason::ResumeExhausted { .. } => ErrorCode::NetworkUnreachable,
        EndReason::ResumeRefused { cause } if cause.needs_credentials() => ErrorCode::CredentialsExpired,
        EndReason::Defect => ErrorCode::Internal,
        _ => ErrorCode::SessionEnded,
    };
    Err(Failure::from(CommandError::new(code, reason.to_string())))
}

/// Ends the session if it is not over, and says so when it may be left behind.
async fn close(session: &ShellSession, context: &Context) {
    if let Err(error) = session.close().await {
        Failure::from(describe_close(&error, context)).tell();
    }
}

/// A line for the user that fits the terminal's state.
fn say(raw: bool, line: &str) {
    if raw { tell_raw(line) } else { tell(line) }
}
