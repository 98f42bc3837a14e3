//! How the program says no.

use std::fmt::Display;
use std::process::ExitCode;

use fleetline_app::ApiError;
use fleetline_app::problem::{self, Context, exit_code};
use fleetline_engine::StartError;
use fleetline_ipc::access::Denied;
use fleetline_ipc::{CommandError, ErrorCode};
use serde::Serialize;

use crate::console::{harmless, tell};

/// Why a command failed, with the exit status that follows from it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    error: CommandError,
    status: u8,
    /// Its parts, where a policy refused.
    denied: Option<Box<Denied>>,
    /// Whether it is told as JSON.
    json: bool,
}

/// A failure as `--json` prints it.
#[derive(Serialize)]
struct FailureJson<'a> {
    error: &'a CommandError,
    denied: Option<&'a Denied>,
}

impl Failure {
    /// The request itself is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        CommandError::new(ErrorCode::InvalidInput, message).into()
    }

    /// Something on this computer does not work.
    pub(crate) fn local(what: &str, error: &dyn Display) -> Self {
        CommandError::new(ErrorCode::Storage, format!("{what}: {error}.")).into()
    }

    /// Ended by a signal: 128 and its number, as shells do.
    pub(crate) fn signal(number: u8) -> Self {
        let error = CommandError::new(ErrorCode::Cancelled, String::new());
        Self { status: 128u8.saturating_add(number), ..error.into() }
    }

    /// A session that never began; where a policy refused, with what would lift it.
    pub(crate) fn not_started(error: &StartError, context: &Context) -> Self {
        let denied = problem::denied(error, context).map(Box::new);
        Self { denied, ..problem::describe_start(error, context).into() }
    }

    /// A call that failed; where a policy refused, with what would lift it.
    pub(crate) fn call(error: &ApiError, context: &Context) -> Self {
        let denied = problem::denied_call(error, context).map(Box::new);
        Self { denied, ..problem::describe(error, context).into() }
    }

    /// Told as one line of JSON if `json`: the error, and for a refusal its parts with the policy that lifts it.
    pub(crate) fn in_json(self, json: bool) -> Self {
        Self { json, ..self }
    }

    /// Adds what to do.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.error.hint = Some(hint.into());
        self
    }

    /// The exit status.
    #[cfg(test)]
    pub(crate) fn status(&self) -> u8 {
        self.status
    }

    /// Says it on standard error: one sentence with what to do, and what the other side said indented beneath it.
    pub(crate) fn tell(&self) {
        if self.error.message.is_empty() {
            return;
        }
        if self.json {
            let told = FailureJson { error: &self.error, denied: self.denied.as_deref() };
            // Texts, numbers and lists only: nothing that JSON cannot hold.
            tell(&serde_json::to_string(&told).unwrap_or_default());
            return;
        }
        let mut line = format!("fleetline: {}", harmless(&self.error.message));
        if let Some(hint) = self.error.hint.as_deref().filter(|hint| !hint.is_empty()) {
            line.push(' ');
            line.push_str(&harmless(hint));
        }
        tell(&line);
        for raw in self.error.detail.iter().flat_map(|detail| detail.lines()) {
            tell(&format!("    {}", harmless(raw)));
        }
        if let Some(id) = &self.error.request_id {
            tell(&format!("    request id {}", harmless(id)));
        }
        if let Some(remedy) = self.denied.as_ref().and_then(|denied| denied.remedy.as_ref()) {
            tell("    The smallest policy that allows it:");
            for line in remedy.json.lines() {
                tell(&format!("    {}", harmless(line)));
            }
        }
    }

    /// [`Self::tell`], then the exit status.
    pub(crate) fn report(&self) -> ExitCode {
        self.tell();
        ExitCode::from(self.status)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.error.message)
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        let status = exit_code(error.code);
        Self { error, status, denied: None, json: false }
    }
}
