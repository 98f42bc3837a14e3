//! Sign-in through IAM Identity Center, without an SDK: the flows as the AWS CLI runs them, the loopback callback of the
//! browser, and the token cache both programs share (aws-security-reliability.md A.9).
//!
//! The calls themselves are behind [`Oidc`]; what the application may ask about sources and sign-ins is [`Identities`].
//! Tokens and client secrets are redacted and wiped, and are written to the cache only, since that is where the AWS CLI
//! and the SDKs look for them.

#![forbid(unsafe_code)]

mod cache;
mod callback;
mod code;
mod flow;
mod identity;
mod oidc;
mod pkce;
mod secret;
mod session;

pub use cache::{CacheError, CachedToken, TokenCache};
pub use callback::{Callback, CallbackError};
pub use code::{CODE_NEEDED, Code, CodeAsk, CodeRefused, NotACode};
pub use flow::{Method, Prompt, SignInError, TokenError, fresh_token, sign_in};
pub use identity::{
    Caller, CredentialKind, Details, Ending, Identities, RolePick, SignInDetail, SignInFailure, SignedIn,
    SignedInAccount, SignedInRole, SourceDetail, Standing,
};
pub use oidc::{BoxFuture, DeviceGrant, Oidc, OidcError, Registration, TokenGrant, TokenRequest};
pub use pkce::Pkce;
pub use secret::Secret;
pub use session::{DEFAULT_SCOPE, SsoSession};
