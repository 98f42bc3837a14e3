//! `fleetline exec`.

use std::io;

use fleetline_app::problem::{Context, describe_close};
use fleetline_documents::SessionType;
use fleetline_engine::{CommandEnd, DataStream, NON_INTERACTIVE_DOCUMENT, RunCommand, run_command};
use fleetline_ipc::{CommandError, ErrorCode};
use tokio::io::AsyncWriteExt;

use crate::args::ExecArgs;
use crate::chosen_document::{self, Given, grouped};
use crate::failure::Failure;
use crate::signals::{EndSignal, EndSignals};
use crate::target;

/// Runs a command and returns its exit status. The first Ctrl-C goes to the command, the second one ends the session.
pub(crate) async fn run(args: ExecArgs) -> Result<u8, Failure> {
    let json = args.json;
    exec(args).await.map_err(|failure| failure.in_json(json))
}

async fn exec(args: ExecArgs) -> Result<u8, Failure> {
    let mut signals =
        EndSignals::catch().map_err(|error| Failure::local("Signals could not be caught", &error))?;
    let command = command_line(&args.command);
    let found = tokio::select! {
        found = target::find(&args.target, &args.scope) => found?,
        signal = signals.next() => return Err(Failure::signal(signal.number())),
    };
    let mut context = found.context;
    let document = args.document.as_deref().unwrap_or(NON_INTERACTIVE_DOCUMENT);
    context.document = Some(document.to_owned());
    let parameters = parameters(&context, &args, &command).await?;
    let run =
        RunCommand { target: found.id, command, document: args.document, parameters, reason: args.reason };
    let session = run_command(found.control, run, found.options);

    let copied = {
        let mut copy = std::pin::pin!(copy_output(&session));
        let mut interrupted = false;
        loop {
            tokio::select! {
                copied = &mut copy => break copied.map_err(Stopped::Output),
                signal = signals.next() => {
                    if signal != EndSignal::Interrupt || interrupted || session.interrupt().await.is_err() {
                        break Err(Stopped::Signal(signal));
                    }
                    interrupted = true;
                }
            }
        }
    };
    let end = match copied {
        Ok(()) => session.end().await,
        Err(stopped) => {
            let closed = session.close().await;
            if let Err(error) = closed {
                Failure::from(describe_close(&error, &context)).tell();
            }
            return Err(match stopped {
                Stopped::Signal(signal) => Failure::signal(signal.number()),
                // Whoever read the output has seen enough, as with `| head`.
                Stopped::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Failure::signal(13),
                Stopped::Output(error) => {
                    Failure::local("The output of the command could not be written", &error)
                }
            });
        }
    };
    if let Err(error) = session.close().await {
        Failure::from(describe_close(&error, &context)).tell();
    }
    match end {
        CommandEnd::Exited(code) => Ok(exit_status(code)),
        CommandEnd::Failed(error) => Err(Failure::not_started(&error, &context)),
        CommandEnd::Ended(reason) => {
            let message = format!("The session ended before the command reported its exit status: {reason}");
            Err(Failure::from(CommandError::new(ErrorCode::SessionEnded, message)))
        }
    }
}

/// What a chosen document is given: the command line where it takes one, and what the options say. `None`: what the
/// usual document takes.
async fn parameters(context: &Context, args: &ExecArgs, command: &str) -> Result<Option<Given>, Failure> {
    let Some(document) = &args.document else {
        return match (args.command.is_empty(), args.parameters.is_empty()) {
            (true, _) => Err(Failure::usage("There is no command.").with_hint("Write it behind `--`.")),
            (_, false) => {
                Err(Failure::usage("--param needs a document that takes it.").with_hint("Add --document."))
            }
            _ => Ok(None),
        };
    };
    let Some(read) = chosen_document::read(context, document).await? else {
        return Ok((!args.parameters.is_empty()).then(|| grouped(args.parameters.clone())));
    };
    let takes = |name: &str| read.parameters.iter().any(|parameter| parameter.name == name);
    let mut given = grouped(args.parameters.clone());
    let is_given = |given: &Given, name: &str| given.iter().any(|(known, _)| known == name);
    if !args.command.is_empty() {
        if !takes("command") {
            return Err(Failure::usage(format!("{document} takes no command of yours; it has its own.")));
        }
        given.push(("command".to_owned(), vec![command.to_owned()]));
    }
    if takes("separateOutputStream") && !is_given(&given, "separateOutputStream") {
        given.push(("separateOutputStream".to_owned(), vec!["true".to_owned()]));
    }
    chosen_document::check(&read, document, &given, &[SessionType::NonInteractiveCommands])?;
    Ok(Some(given))
}

enum Stopped {
    Signal(EndSignal),
    Output(io::Error),
}

async fn copy_output(session: &fleetline_engine::CommandSession) -> io::Result<()> {
    let (mut out, mut err) = (tokio::io::stdout(), tokio::io::stderr());
    while let Some(chunk) = session.recv().await {
        match chunk.stream {
            DataStream::Output => {
                out.write_all(&chunk.bytes).await?;
                out.flush().await?;
            }
            DataStream::StdErr => {
                err.write_all(&chunk.bytes).await?;
                err.flush().await?;
            }
        }
    }
    Ok(())
}

/// The local exit status for a remote one. The agent reports -1 for a command a signal killed (protocol.md 7.7); that
/// and whatever does not fit becomes 255, so that a failure never looks like success.
fn exit_status(code: i32) -> u8 {
    u8::try_from(code).unwrap_or(255)
}

/// The command line for the agent, which splits it by shell quoting rules and runs it without a shell. One word is
/// left to the agent to split; several words arrive as they are.
fn command_line(words: &[String]) -> String {
    match words {
        [only] => only.clone(),
        words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

/// The word in POSIX shell quoting; bare where nothing needs it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn several_words_are_quoted_and_one_is_left_alone() {
        assert_eq!(command_line(&words(&["ls -l | wc"])), "ls -l | wc");
        assert_eq!(command_line(&words(&["sh", "-c", "echo $HOME"])), "sh -c 'echo $HOME'");
        assert_eq!(command_line(&words(&["echo", "it's", ""])), r"echo 'it'\''s' ''");
    }

    #[test]
    fn statuses_that_do_not_fit_are_failures() {
        assert_eq!((exit_status(0), exit_status(7), exit_status(255)), (0, 7, 255));
        assert_eq!((exit_status(-1), exit_status(256), exit_status(i32::MIN)), (255, 255, 255));
    }
}
