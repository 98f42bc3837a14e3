//! `fleetline ssh-proxy`: what OpenSSH runs as its ProxyCommand. Standard output carries the target's bytes and nothing
//! else.

use std::io;

use fleetline_app::problem::{Context, describe_close};
use fleetline_app::ssh_key;
use fleetline_engine::{
    EndReason, SSH_DOCUMENT, SessionState, StdioOptions, StdioSession, open_stdio, ssh_session,
};
use fleetline_ipc::{CommandError, ErrorCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::args::SshProxyArgs;
use crate::failure::Failure;
use crate::signals::{EndSignal, EndSignals};
use crate::target;

/// Read from standard input at once.
const READ_BYTES: usize = 64 * 1024;

/// Why the connection is being left.
enum Left {
    /// The session reached its last state.
    Over,
    /// A signal; OpenSSH sends SIGHUP when it is done.
    Signal(EndSignal),
    /// Standard output cannot be written.
    Output(io::Error),
}

/// Connects standard input and output with a port of a node until either side ends it.
pub(crate) async fn run(args: SshProxyArgs) -> Result<u8, Failure> {
    let mut signals =
        EndSignals::catch().map_err(|error| Failure::local("Signals could not be caught", &error))?;
    let found = tokio::select! {
        found = target::find(&args.target, &args.scope) => found?,
        signal = signals.next() => return Err(Failure::signal(signal.number())),
    };
    let mut context = found.context;
    if let (true, Some(user)) = (args.push_key, &args.user) {
        let pushed =
            ssh_key::push(found.access.as_ref(), &found.id, user, args.key_file.as_deref(), &context);
        tokio::select! {
            pushed = pushed => pushed?,
            signal = signals.next() => return Err(Failure::signal(signal.number())),
        }
    }
    context.document = Some(SSH_DOCUMENT.to_owned());
    let mut options = StdioOptions::default();
    options.session = fleetline_engine::SessionOptions { limits: options.session.limits, ..found.options };
    let session = open_stdio(found.control, ssh_session(found.id, args.port, args.reason), options);
    let left = tokio::select! {
        written = copy_output(&session) => match written {
            Ok(()) => Left::Over,
            Err(error) => Left::Output(error),
        },
        never = copy_input(&session) => match never {},
        signal = signals.next() => Left::Signal(signal),
    };
    finish(left, &session, &context).await
}

async fn copy_output(session: &StdioSession) -> io::Result<()> {
    let mut out = tokio::io::stdout();
    while let Some(bytes) = session.recv().await {
        out.write_all(&bytes).await?;
        out.flush().await?;
    }
    Ok(())
}

/// Sends standard input until its end, and then waits for the other side.
async fn copy_input(session: &StdioSession) -> std::convert::Infallible {
    let mut input = tokio::io::stdin();
    loop {
        let mut buffer = Vec::with_capacity(READ_BYTES);
        match input.read_buf(&mut buffer).await {
            // An input that breaks says as little more as one that ends.
            Ok(0) | Err(_) => break,
            // A session that is over is told by its output.
            Ok(_) => drop(session.send(buffer).await),
        }
    }
    session.finish_input().await;
    std::future::pending().await
}

async fn finish(left: Left, session: &StdioSession, context: &Context) -> Result<u8, Failure> {
    if !matches!(left, Left::Over)
        && let Err(error) = session.close().await
    {
        Failure::from(describe_close(&error, context)).tell();
    }
    match left {
        Left::Signal(signal) => Err(Failure::signal(signal.number())),
        // Whoever read the output has seen enough.
        Left::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::signal(13)),
        Left::Output(error) => Err(Failure::local("Standard output could not be written", &error)),
        Left::Over => {
            let state = session.ended().await;
            if let Err(error) = session.close().await {
                Failure::from(describe_close(&error, context)).tell();
            }
            match state {
                SessionState::Failed(error) => Err(Failure::not_started(&error, context)),
                SessionState::Ended(reason) => ended(&reason),
                _ => ended(&EndReason::Defect),
            }
        }
    }
}

fn ended(reason: &EndReason) -> Result<u8, Failure> {
    if reason.is_normal() {
        return Ok(0);
    }
    Err(Failure::from(CommandError::new(ErrorCode::SessionEnded, reason.to_string())))
}
