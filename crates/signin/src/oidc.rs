//! The calls of the OIDC service, as a port.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::secret::Secret;
use crate::session::SsoSession;

/// A boxed future, so that the port can be a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// This program as a client of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: Secret,
    /// End in epoch milliseconds.
    pub expires_ms: i64,
}

/// What a person confirms on another page.
#[derive(Clone, Debug)]
pub struct DeviceGrant {
    /// For polling.
    pub device_code: Secret,
    /// To compare with the page: "PMPJ-VZCJ".
    pub user_code: String,
    /// The page.
    pub verification_uri: String,
    /// The page with the code filled in.
    pub verification_uri_complete: String,
    /// Life of the codes.
    pub expires_in: Duration,
    /// Pause between polls; zero if the service names none.
    pub interval: Duration,
}

/// What CreateToken is asked with.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// A device code that may have been confirmed.
    Device(Secret),
    /// A code from the browser's callback.
    Code {
        /// The code.
        code: Secret,
        /// The PKCE verifier.
        verifier: Secret,
        /// The callback address the code was sent to.
        redirect_uri: String,
    },
    /// A refresh token.
    Refresh(Secret),
}

/// What CreateToken gives.
#[derive(Clone, Debug)]
pub struct TokenGrant {
    /// Bearer token of the portal.
    pub access_token: Secret,
    /// Its life in seconds.
    pub expires_in_s: u64,
    /// Gets the next one, if the registration allows it.
    pub refresh_token: Option<Secret>,
}

/// Why a call failed (aws-security-reliability.md A.9).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// Not confirmed yet.
    #[error("the sign-in is not confirmed yet")]
    Pending,
    /// Polled too fast.
    #[error("polled too fast")]
    SlowDown,
    /// The code has expired.
    #[error("the code has expired")]
    Expired,
    /// The person, or the directory, said no.
    #[error("the sign-in was refused")]
    Denied,
    /// The registration is not accepted any more.
    #[error("the registration of this program is not accepted any more")]
    InvalidClient,
    /// The code or the refresh token is not accepted any more.
    #[error("the session is over")]
    InvalidGrant,
    /// The service was not reached.
    #[error("{0}")]
    Network(String),
    /// Anything else, in the service's words.
    #[error("{0}")]
    Other(String),
}

/// The OIDC service of one Region.
pub trait Oidc: fmt::Debug + Send + Sync {
    /// RegisterClient. With `redirect_uri` for the browser's callback, else for device codes.
    fn register<'a>(
        &'a self,
        session: &'a SsoSession,
        redirect_uri: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Registration, OidcError>>;

    /// StartDeviceAuthorization.
    fn start_device<'a>(
        &'a self,
        session: &'a SsoSession,
        client: &'a Registration,
    ) -> BoxFuture<'a, Result<DeviceGrant, OidcError>>;

    /// CreateToken.
    fn create_token<'a>(
        &'a self,
        client: &'a Registration,
        request: TokenRequest,
    ) -> BoxFuture<'a, Result<TokenGrant, OidcError>>;

    /// Where the browser begins: `https://oidc.REGION.amazonaws.com`, without a slash at the end.
    fn authorize_base(&self) -> String;
}
