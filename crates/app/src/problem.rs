//! Failures in one sentence: what happened, why, and what to do. Shared by the desktop app and the CLI.

mod denial;
mod denied;
mod document;
mod sign_in;

use fleetline_access::{Arn, Attempt, Denial, Fault, Known, Place};
use fleetline_engine::ports::{ApiError, ApiErrorKind};
use fleetline_engine::{CloseError, DialError, ReconnectCause, StartError};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::StoreError;

pub use denial::DenialReport;
pub use denied::{denied, denied_call};
pub use document::{describe_document, describe_save};
pub use sign_in::describe_sign_in;

const TLS_HINT: &str = "A proxy that inspects TLS is a usual reason: name its certificate in AWS_CA_BUNDLE.";
const PROXY_HINT: &str =
    "Check the proxy's address, with its user name and password, and whether it lets AWS endpoints through.";
const RESOLVE_HINT: &str =
    "Check the network's name server, the Region, and endpoint settings with host names of their own.";

/// Longest raw text handed on, in bytes.
const DETAIL_LIMIT: usize = 4 * 1024;

/// What the failed call was about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Source (AWS profile) of the call; may be empty.
    pub source: String,
    /// Region of the call; may be empty.
    pub region: String,
    /// The node, as the user knows it: its name or id.
    pub node: Option<String>,
    /// The node's id, which policies name.
    pub node_id: Option<String>,
    /// Account id of the node, if it is known.
    pub account_id: Option<String>,
    /// The session document that was asked for.
    pub document: Option<String>,
}

impl Context {
    fn node(&self) -> String {
        self.node.clone().unwrap_or_else(|| "the node".to_owned())
    }

    fn source(&self) -> String {
        match self.source.as_str() {
            "" => "this source".to_owned(),
            "environment" => "the environment variables".to_owned(),
            name => format!("the AWS profile {name}"),
        }
    }

    /// What the caller was doing, so that a remedy covers node and document whichever AWS named. Nodes are in the account
    /// of whoever reaches them, so the caller's own stands in where the node's is not known.
    fn attempt(&self, denial: &Denial) -> Option<Attempt> {
        let of_caller = || denial.principal.as_deref().and_then(Arn::parse).map(|arn| arn.account.to_owned());
        let account = self.account_id.clone().or_else(of_caller).filter(|account| !account.is_empty())?;
        let target = self.node_id.clone()?;
        Some(Attempt {
            place: Place::new(account, self.region.clone()),
            target,
            document: self.document.clone(),
        })
        .filter(|_| !self.region.is_empty())
    }

    fn place(&self) -> String {
        if self.region.is_empty() { String::new() } else { format!(" in {}", self.region) }
    }
}

/// A failed AWS call as the user reads it. The text AWS gave is kept unchanged in `detail`.
pub fn describe(error: &ApiError, context: &Context) -> CommandError {
    let (code, message, hint) = sentence(error, context);
    CommandError { code, message, hint, detail: Some(detail(error)), request_id: error.request_id.clone() }
}

fn sentence(error: &ApiError, context: &Context) -> (ErrorCode, String, Option<String>) {
    let (node, source, place) = (context.node(), context.source(), context.place());
    let operation = error.operation;
    let of =
        |code, message: String, hint: &str| (code, message, Some(hint.to_owned()).filter(|h| !h.is_empty()));
    match error.kind {
        ApiErrorKind::NoCredentials if error.code.as_deref() == Some(fleetline_signin::CODE_NEEDED) => of(
            ErrorCode::NotSignedIn,
            format!("{} needs the code of its MFA device.", capital(&source)),
            "Enter the code under Accounts, and the calls that wait go on.",
        ),
        ApiErrorKind::NoCredentials => of(
            ErrorCode::NotSignedIn,
            format!("No credentials were found for {source}."),
            "Sign in, or add credentials to the AWS configuration, and try again.",
        ),
        ApiErrorKind::CredentialsExpired => of(
            ErrorCode::CredentialsExpired,
            format!("The credentials of {source} have expired."),
            "Sign in again; the next call uses the new credentials.",
        ),
        ApiErrorKind::CredentialsInvalid => of(
            ErrorCode::CredentialsInvalid,
            format!("AWS does not accept the credentials of {source}."),
            "Check the access key and its secret, and that the clock of this computer is right.",
        ),
        ApiErrorKind::AccessDenied => {
            let report = DenialReport::of(&error.message, operation, context);
            (ErrorCode::AccessDenied, report.sentence, Some(report.advice))
        }
        ApiErrorKind::TargetNotConnected => of(
            ErrorCode::TargetNotConnected,
            format!(
                "{} has no connection to Session Manager{place}, so it takes no session.",
                capital(&node)
            ),
            "Check that the agent runs on the node and reaches the ssmmessages endpoint, then try again.",
        ),
        ApiErrorKind::TierRequired => of(
            ErrorCode::TierRequired,
            format!(
                "{} is a hybrid node and its account{place} is on the standard tier, which takes no sessions to hybrid nodes.",
                capital(&node)
            ),
            "Change the account's Region to the advanced tier; AWS charges USD 0.00695 per hybrid node and hour for it.",
        ),
        ApiErrorKind::UnknownNode => of(
            ErrorCode::NotFound,
            format!("AWS does not know {node}{place}."),
            "Refresh the fleet, and check the account and the Region.",
        ),
        ApiErrorKind::InvalidDocument => of(
            ErrorCode::InvalidDocument,
            match &context.document {
                Some(document) => format!("{document} is not a session document AWS can use{place}."),
                None => format!("The session document cannot be used{place}."),
            },
            "Choose a document of type Session that exists in this account and Region.",
        ),
        ApiErrorKind::InvalidRequest | ApiErrorKind::Other
            if error.code.as_deref() == Some("TooManyUpdates") =>
        {
            of(
                ErrorCode::InvalidInput,
                format!("AWS refused {operation}{place}: another change of the same setting is on its way."),
                "Wait until it has settled, then look again.",
            )
        }
        // AWS has also said it without a text (anchors.md 4).
        ApiErrorKind::InvalidRequest | ApiErrorKind::Other if is_silent_tier_refusal(error, context) => of(
            ErrorCode::TierRequired,
            format!(
                "AWS refused a session to {node}{place} without a reason, most likely because hybrid nodes take none on the standard tier."
            ),
            "Check the Region and its tier.",
        ),
        ApiErrorKind::InvalidRequest | ApiErrorKind::Other if Known::find(&error.message).is_some() => {
            known(&error.message).unwrap_or((ErrorCode::Service, full_stop(&error.message), None))
        }
        ApiErrorKind::InvalidRequest => of(
            ErrorCode::InvalidInput,
            format!(
                "AWS refused {operation}{place} because the request is not valid: {}",
                full_stop(&error.message)
            ),
            "",
        ),
        ApiErrorKind::KeyUnusable => of(
            ErrorCode::InvalidDocument,
            format!(
                "The KMS key that encrypts this session cannot be used{place}: {}",
                full_stop(&error.message)
            ),
            "Check that the key named in the session preferences exists in this Region and is enabled.",
        ),
        ApiErrorKind::Throttled => of(
            ErrorCode::Throttled,
            format!("AWS limits how often {operation} may be called{place}, and the limit is reached."),
            "Wait a moment and try again; other tools that use the same account count as well.",
        ),
        ApiErrorKind::Network => of(
            ErrorCode::NetworkUnreachable,
            format!("AWS was not reached{place}: {operation} got no answer."),
            "Check the network, the proxy and the endpoint settings.",
        ),
        ApiErrorKind::Resolve => of(
            ErrorCode::NetworkUnreachable,
            format!("AWS was not reached{place}: {}", full_stop(&lowered(&error.message))),
            RESOLVE_HINT,
        ),
        ApiErrorKind::Proxy => of(
            ErrorCode::NetworkUnreachable,
            format!("AWS was not reached{place}: {}", full_stop(&lowered(&error.message))),
            PROXY_HINT,
        ),
        ApiErrorKind::Tls => of(
            ErrorCode::TlsUntrusted,
            format!("The certificate of the AWS endpoint{place} is not trusted."),
            TLS_HINT,
        ),
        ApiErrorKind::Service => of(
            ErrorCode::Service,
            format!("AWS failed to answer {operation}{place}."),
            "Try again; if it lasts, look at the AWS Health Dashboard.",
        ),
        ApiErrorKind::Other => (
            ErrorCode::Service,
            format!("AWS refused {operation}{place}: {}", full_stop(&error.message)),
            None,
        ),
    }
}

/// A BadRequest without a text for a session to a hybrid node.
fn is_silent_tier_refusal(error: &ApiError, context: &Context) -> bool {
    let code = error.code.as_deref();
    error.operation == "StartSession"
        && code == Some("BadRequest")
        && (error.message.trim().is_empty() || Some(error.message.as_str()) == code)
        && context.node_id.as_deref().is_some_and(|id| id.starts_with("mi-"))
}

/// A failure recognised by its text alone.
fn known(text: &str) -> Option<(ErrorCode, String, Option<String>)> {
    let known = Known::find(text)?;
    let code = match (known, known.fault()) {
        (Known::Throttled, _) => ErrorCode::Throttled,
        (Known::StandardTier, _) => ErrorCode::TierRequired,
        (Known::NotConnected | Known::NotConfigured, _) => ErrorCode::TargetNotConnected,
        (Known::WrongDocumentType, _) => ErrorCode::InvalidDocument,
        (Known::TooManyFilters, _) => ErrorCode::Service,
        (_, Fault::Credentials) => ErrorCode::CredentialsExpired,
        (_, Fault::Network) => ErrorCode::NetworkUnreachable,
        (_, Fault::Node | Fault::Account | Fault::Request) => ErrorCode::SessionEnded,
    };
    Some((code, known.cause().to_owned(), Some(known.action().to_owned())))
}

/// Why a session never began.
pub fn describe_start(error: &StartError, context: &Context) -> CommandError {
    match error {
        StartError::Api(error) => describe(error, context),
        StartError::Lost { error: call, .. } => {
            CommandError { message: error.to_string(), ..describe(call, context) }
        }
        StartError::Unreachable { cause, .. }
        | StartError::Refused { cause }
        | StartError::Gone { cause } => describe_cause(cause, error, context),
        StartError::DataKey { key_id, error } => {
            let described = describe(error, context);
            let message = format!(
                "This session must be encrypted with KMS key {key_id}, and KMS gave no key for it. {}",
                described.message
            );
            CommandError { message, ..described }
        }
        StartError::KeyNotOpened { text, .. } => CommandError {
            hint: Some(format!(
                "Usually the node's role lacks a permission. {}",
                Known::NodeRoleKey.action()
            )),
            detail: Some(clipped(text.clone())).filter(|text| !text.is_empty()),
            ..CommandError::new(ErrorCode::SessionEnded, full_stop(&error.to_string()))
        },
        StartError::ByService { .. } | StartError::Channel(_)
            if Known::find(&error.to_string()).is_some() =>
        {
            let text = error.to_string();
            let (code, message, hint) =
                known(&text).unwrap_or((ErrorCode::SessionEnded, full_stop(&text), None));
            CommandError { hint, detail: Some(clipped(text)), ..CommandError::new(code, message) }
        }
        StartError::ByService { .. } | StartError::Channel(_) => CommandError {
            hint: Some("Try again; the node's agent log says more.".to_owned()),
            ..CommandError::new(ErrorCode::SessionEnded, error.to_string())
        },
    }
}

fn describe_cause(cause: &ReconnectCause, whole: &StartError, context: &Context) -> CommandError {
    if let ReconnectCause::Dial(DialError::Upgrade { status: 401 | 403, body }) = cause {
        return denied::refused_channel(body, whole, context);
    }
    let code = match cause {
        ReconnectCause::Api(api) => {
            let described = describe(api, context);
            return CommandError { message: whole.to_string(), ..described };
        }
        ReconnectCause::Dial(DialError::Tls { untrusted: true, .. }) => ErrorCode::TlsUntrusted,
        ReconnectCause::Dial(_) => ErrorCode::NetworkUnreachable,
        ReconnectCause::Presigned(_) => ErrorCode::SessionEnded,
        ReconnectCause::Lost(_) if matches!(whole, StartError::Gone { .. }) => ErrorCode::SessionEnded,
        ReconnectCause::Lost(_) => ErrorCode::NetworkUnreachable,
    };
    let hint = match (cause, code) {
        (ReconnectCause::Dial(error), _) if error.is_about_proxy() => PROXY_HINT.to_owned(),
        (ReconnectCause::Dial(DialError::Resolve { .. }), _) => RESOLVE_HINT.to_owned(),
        (_, ErrorCode::TlsUntrusted) => TLS_HINT.to_owned(),
        (_, ErrorCode::NetworkUnreachable) => {
            format!("Check that this computer reaches ssmmessages{}.", in_region(&context.region))
        }
        _ => "Try again.".to_owned(),
    };
    CommandError { hint: Some(hint), ..CommandError::new(code, whole.to_string()) }
}

fn in_region(region: &str) -> String {
    if region.is_empty() { " in the Region".to_owned() } else { format!(" in {region}") }
}

/// A session that may still be open at AWS.
pub fn describe_close(error: &CloseError, context: &Context) -> CommandError {
    let described = match error {
        CloseError::Refused(api) => describe(api, context),
        CloseError::TimedOut => CommandError::new(ErrorCode::NetworkUnreachable, ""),
    };
    CommandError {
        message: format!(
            "The session to {} may still be open at AWS: {}.",
            context.node(),
            close_cause(error)
        ),
        hint: Some(
            "It ends by itself after its idle time-out; the AWS console can terminate it now.".to_owned(),
        ),
        ..described
    }
}

fn close_cause(error: &CloseError) -> String {
    match error {
        CloseError::Refused(_) => "TerminateSession failed".to_owned(),
        CloseError::TimedOut => "AWS has not confirmed its end in time".to_owned(),
    }
}

/// A failure to keep something on disk.
pub fn describe_store(error: &StoreError) -> CommandError {
    CommandError {
        detail: Some(error.detail.clone()),
        hint: Some("Fleetline goes on and keeps the change until it ends.".to_owned()),
        ..CommandError::new(ErrorCode::Storage, full_stop(&error.to_string()))
    }
}

/// The exit status of the CLI for a failure: 2 usage, 3 denied, 4 target not connectable, 5 credentials, 6 network,
/// 7 throttled, 8 local resource, 1 for what has no number of its own.
pub fn exit_code(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::InvalidInput | ErrorCode::InvalidDocument | ErrorCode::Unsupported => 2,
        ErrorCode::AccessDenied => 3,
        ErrorCode::NotFound | ErrorCode::TargetNotConnected | ErrorCode::TierRequired => 4,
        ErrorCode::NotSignedIn | ErrorCode::CredentialsExpired | ErrorCode::CredentialsInvalid => 5,
        ErrorCode::NetworkUnreachable | ErrorCode::TlsUntrusted => 6,
        ErrorCode::Throttled => 7,
        ErrorCode::Storage => 8,
        ErrorCode::SessionEnded
        | ErrorCode::Cancelled
        | ErrorCode::Conflict
        | ErrorCode::Service
        | ErrorCode::Internal => 1,
    }
}

/// What the other side said, unchanged but for its length.
fn detail(error: &ApiError) -> String {
    let text = match &error.code {
        Some(code) => format!("{} ({}): {}", error.operation, code, error.message),
        None => format!("{}: {}", error.operation, error.message),
    };
    clipped(text)
}

fn clipped(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(DETAIL_LIMIT));
    text
}

fn full_stop(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

/// A sentence that goes on after a colon.
fn lowered(text: &str) -> String {
    text.strip_prefix("The ").map_or_else(|| text.to_owned(), |rest| format!("the {rest}"))
}

fn capital(text: &str) -> String {
    // Only our own words; a node keeps the case of its name.
    text.strip_prefix("the ").map_or_else(|| text.to_owned(), |rest| format!("The {rest}"))
}

#[cfg(test)]
mod tests;
