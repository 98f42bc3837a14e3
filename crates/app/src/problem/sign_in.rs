//! Failures of signing in and out in one sentence.

use fleetline_engine::ports::ApiError;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_signin::{CallbackError, OidcError, SignInError, SignInFailure};

use super::{Context, describe, full_stop};

/// Why nobody is signed in or out, as the user reads it. `name` is what was to be signed in.
pub fn describe_sign_in(failure: &SignInFailure<ApiError>, name: &str) -> CommandError {
    let with = |code, message: String, hint: &str| CommandError {
        hint: Some(hint.to_owned()).filter(|hint| !hint.is_empty()),
        ..CommandError::new(code, message)
    };
    match failure {
        SignInFailure::Unknown(_) | SignInFailure::OtherWay(_) => with(
            ErrorCode::InvalidInput,
            failure.to_string(),
            "Name an AWS profile with sso_session or sso_start_url, or an sso-session.",
        ),
        SignInFailure::Configuration(sentence) => with(ErrorCode::InvalidInput, full_stop(sentence), ""),
        SignInFailure::Portal(error) => {
            describe(error, &Context { source: name.to_owned(), ..Context::default() })
        }
        SignInFailure::Cache(error) | SignInFailure::SignIn(SignInError::Cache(error)) => {
            with(ErrorCode::Storage, format!("The sign-in could not be kept: {error}."), "")
        }
        SignInFailure::SignIn(error) => {
            let (code, hint) = match error {
                SignInError::Oidc(OidcError::Network(_)) => (
                    ErrorCode::NetworkUnreachable,
                    "Check the network, the proxy and the Region of the sign-in.",
                ),
                SignInError::Callback(CallbackError::Listen(_)) => {
                    (ErrorCode::Storage, "Sign in by a code instead.")
                }
                SignInError::TimedOut | SignInError::Oidc(OidcError::Expired) => {
                    (ErrorCode::NotSignedIn, "Begin again; the page waits ten minutes.")
                }
                _ => (ErrorCode::NotSignedIn, ""),
            };
            let why = error.to_string();
            with(code, format!("Nobody is signed in: {}.", why.trim_end_matches('.')), hint)
        }
    }
}
