//! The flows: code with PKCE, device code, and the refresh of a token.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{sleep, timeout};

use crate::cache::{CacheError, CachedToken, TokenCache};
use crate::callback::{Callback, CallbackError};
use crate::oidc::{DeviceGrant, Oidc, OidcError, Registration, TokenGrant, TokenRequest};
use crate::pkce::Pkce;
use crate::secret::Secret;
use crate::session::SsoSession;

/// How long a person may take in the browser.
const BROWSER_LIMIT: Duration = Duration::from_secs(600);
/// A token this close to its end is refreshed.
const REFRESH_MARGIN_MS: i64 = 5 * 60 * 1000;
/// A registration this close to its end is made anew.
const REGISTRATION_MARGIN_MS: i64 = 60 * 60 * 1000;
/// Pauses between polls where the service names none, and what a demand to slow down adds.
const POLL: Duration = Duration::from_secs(5);

/// How to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// In the browser of this computer, by a code that comes back to it.
    Browser,
    /// By a code that is compared on a page, on any device.
    Device,
}

/// What a person must be shown.
pub trait Prompt: Send + Sync {
    /// Go to this page. For a device code, `user_code` is what the page must show.
    fn visit(&self, url: &str, user_code: Option<&str>);
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The service, or the person, said no, or it was not reached.
    #[error(transparent)]
    Oidc(#[from] OidcError),
    /// The browser did not come back with a code.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The person took too long.
    #[error("the sign-in was not finished in time")]
    TimedOut,
    /// The token cannot be kept.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// Why there is no token without a person.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Somebody must sign in.
    #[error("nobody is signed in, or the sign-in is over")]
    SignInNeeded,
    /// The refresh failed for another reason, and the token is over.
    #[error(transparent)]
    Oidc(OidcError),
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// Signs in and keeps the token where the AWS CLI finds it. Returns its end in epoch milliseconds. Dropping the future
/// cancels the sign-in.
///
/// # Errors
/// When nobody is signed in afterwards; a token that was there before stays.
pub async fn sign_in(
    oidc: &dyn Oidc,
    cache: &TokenCache,
    session: &SsoSession,
    method: Method,
    prompt: &dyn Prompt,
) -> Result<i64, SignInError> {
    let first = attempt(oidc, cache, session, method, prompt, true).await;
    let (client, grant) = match first {
        // The registration of another day was revoked: once more with a new one.
        Err(SignInError::Oidc(OidcError::InvalidClient)) => {
            attempt(oidc, cache, session, method, prompt, false).await?
        }
        outcome => outcome?,
    };
    let token = token_of(grant, client);
    let _lock = cache.lock(session).await?;
    cache.put_token(session, &token)?;
    Ok(token.expires_ms)
}

async fn attempt(
    oidc: &dyn Oidc,
    cache: &TokenCache,
    session: &SsoSession,
    method: Method,
    prompt: &dyn Prompt,
    reuse: bool,
) -> Result<(Registration, TokenGrant), SignInError> {
    let client = client(oidc, cache, session, method, reuse).await?;
    let grant = match method {
        Method::Browser => browser(oidc, session, &client, prompt).await?,
        Method::Device => device(oidc, session, &client, prompt).await?,
    };
    Ok((client, grant))
}

async fn client(
    oidc: &dyn Oidc,
    cache: &TokenCache,
    session: &SsoSession,
    method: Method,
    reuse: bool,
) -> Result<Registration, SignInError> {
    let callback = method == Method::Browser;
    if reuse
        && let Some(known) = cache.registration(session, callback)?
        && known.expires_ms > now_ms() + REGISTRATION_MARGIN_MS
    {
        return Ok(known);
    }
    let redirect_uri = callback.then(Callback::registered_uri);
    let client = oidc.register(session, redirect_uri.as_deref()).await?;
    cache.put_registration(session, &client, callback)?;
    Ok(client)
}

async fn browser(
    oidc: &dyn Oidc,
    session: &SsoSession,
    client: &Registration,
    prompt: &dyn Prompt,
) -> Result<TokenGrant, SignInError> {
    let callback = Callback::listen().await?;
    let redirect_uri = callback.redirect_uri();
    let pkce = Pkce::new();
    let scopes = session.registered_scopes();
    prompt.visit(&pkce.authorize_url(&oidc.authorize_base(), client, &redirect_uri, &scopes), None);
    let code = timeout(BROWSER_LIMIT, callback.code(&pkce)).await.map_err(|_| SignInError::TimedOut)??;
    let verifier = pkce.verifier().clone();
    Ok(oidc.create_token(client, TokenRequest::Code { code, verifier, redirect_uri }).await?)
}

async fn device(
    oidc: &dyn Oidc,
    session: &SsoSession,
    client: &Registration,
    prompt: &dyn Prompt,
) -> Result<TokenGrant, SignInError> {
    let grant = oidc.start_device(session, client).await?;
    prompt.visit(&grant.verification_uri_complete, Some(&grant.user_code));
    let mut polling = Polling::of(&grant);
    loop {
        sleep(polling.next_pause().ok_or(SignInError::TimedOut)?).await;
        match oidc.create_token(client, TokenRequest::Device(grant.device_code.clone())).await {
            Err(OidcError::Pending) => {}
            Err(OidcError::SlowDown) => polling.slow_down(),
            // The network may be away for a moment while a person types.
            Err(OidcError::Network(_)) => {}
            outcome => return Ok(outcome?),
        }
    }
}

/// When a device code is asked about.
#[derive(Debug)]
struct Polling {
    pause: Duration,
    left: Duration,
}

impl Polling {
    fn of(grant: &DeviceGrant) -> Self {
        Self { pause: if grant.interval.is_zero() { POLL } else { grant.interval }, left: grant.expires_in }
    }

    /// The pause before the next poll; `None` when the codes are over by then.
    fn next_pause(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(self.pause)?;
        Some(self.pause)
    }

    fn slow_down(&mut self) {
        self.pause += POLL;
    }
}

/// A token that is good for some minutes, refreshed where that needs nobody. Programs that ask at the same time refresh
/// once: each looks again after it got the lock.
///
/// # Errors
/// When somebody must sign in, or the refresh failed and the token is over.
pub async fn fresh_token(
    oidc: &dyn Oidc,
    cache: &TokenCache,
    session: &SsoSession,
) -> Result<CachedToken, TokenError> {
    if let Some(token) = cache.token(session)?.filter(|token| !is_ending(token)) {
        return Ok(token);
    }
    let _lock = cache.lock(session).await?;
    let Some(token) = cache.token(session)? else { return Err(TokenError::SignInNeeded) };
    if !is_ending(&token) {
        return Ok(token);
    }
    let still_good = |token: CachedToken, error: TokenError| {
        if token.expires_ms > now_ms() { Ok(token) } else { Err(error) }
    };
    let (refresh, client) = match (&token.refresh_token, &token.client) {
        (Some(refresh), Some(client)) if client.expires_ms > now_ms() => (refresh.clone(), client.clone()),
        _ => return still_good(token, TokenError::SignInNeeded),
    };
    match oidc.create_token(&client, TokenRequest::Refresh(refresh.clone())).await {
        Ok(grant) => {
            // A service that gives no new refresh token means the old one.
            let grant = TokenGrant { refresh_token: grant.refresh_token.or(Some(refresh)), ..grant };
            let fresh = token_of(grant, client);
            cache.put_token(session, &fresh)?;
            Ok(fresh)
        }
        Err(OidcError::InvalidGrant | OidcError::InvalidClient | OidcError::Expired | OidcError::Denied) => {
            still_good(token, TokenError::SignInNeeded)
        }
        Err(error) => still_good(token, TokenError::Oidc(error)),
    }
}

fn is_ending(token: &CachedToken) -> bool {
    token.expires_ms <= now_ms() + REFRESH_MARGIN_MS
}

fn token_of(grant: TokenGrant, client: Registration) -> CachedToken {
    let life_ms = i64::try_from(grant.expires_in_s.saturating_mul(1000)).unwrap_or(i64::MAX);
    let refresh_token: Option<Secret> = grant.refresh_token;
    CachedToken {
        access_token: grant.access_token,
        expires_ms: now_ms().saturating_add(life_ms),
        refresh_token,
        client: Some(client),
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polling(interval_s: u64, life_s: u64) -> Polling {
        Polling::of(&DeviceGrant {
            device_code: Secret::new(""),
            user_code: String::new(),
            verification_uri: String::new(),
            verification_uri_complete: String::new(),
            expires_in: Duration::from_secs(life_s),
            interval: Duration::from_secs(interval_s),
        })
    }

    #[test]
    fn polls_slow_down_by_five_seconds_and_end_with_the_codes() {
        let mut polling = polling(1, 14);
        let mut pauses = Vec::new();
        while let Some(pause) = polling.next_pause() {
            pauses.push(pause.as_secs());
            if pauses.len() == 2 {
                polling.slow_down();
            }
        }
        assert_eq!(pauses, [1, 1, 6, 6]);
    }

    #[test]
    fn a_service_that_names_no_interval_is_asked_every_five_seconds() {
        assert_eq!(polling(0, 600).next_pause(), Some(Duration::from_secs(5)));
    }
}
