//! Who registered, which codes wait for a person, and which tokens are good.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use sha2::{Digest, Sha256};

use super::Refused;

/// Clients, codes and tokens remembered of each kind; the oldest are forgotten.
const REMEMBERED: usize = 1_000;
/// Life of a registration: 90 days.
const CLIENT_MS: i64 = 90 * 24 * 3_600_000;
/// Life of a code.
pub(super) const CODE_S: i64 = 600;
/// Life of an access token in seconds, unless told otherwise.
const TOKEN_S: u32 = 8 * 3_600;

/// What the person in front of the browser does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignInAnswer {
    /// The page asks, and waits for a click.
    #[default]
    Asks,
    /// Opening the page confirms.
    Allows,
    /// Opening the page says no.
    Denies,
    /// Opening the page sends the browser back with a code and a state that is not the program's.
    WrongState,
}

#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) expires_ms: i64,
    /// Callback address without a port.
    callback: Option<String>,
    /// Whether its tokens can be refreshed.
    refreshes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting,
    Allowed,
    Denied,
}

#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) code: String,
    pub(super) user_code: String,
    client: String,
    expires_ms: i64,
    phase: Phase,
}

#[derive(Clone, Debug)]
struct Code {
    code: String,
    client: String,
    redirect_uri: String,
    challenge: String,
    expires_ms: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) access: String,
    pub(super) refresh: Option<String>,
    pub(super) life_s: u32,
    client: String,
    expires_ms: i64,
}

/// What a token is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grant<'a> {
    Device(&'a str),
    Code { code: &'a str, verifier: &'a str, redirect_uri: &'a str },
    Refresh(&'a str),
}

#[derive(Debug)]
struct State {
    clients: VecDeque<Client>,
    devices: VecDeque<Device>,
    codes: VecDeque<Code>,
    tokens: VecDeque<Token>,
    answer: SignInAnswer,
    slow_downs: u64,
    token_s: u32,
}

/// The sign-in service of one simulator.
#[derive(Debug)]
pub(crate) struct SignIns(Mutex<State>);

impl Default for SignIns {
    fn default() -> Self {
        Self(Mutex::new(State {
            clients: VecDeque::new(),
            devices: VecDeque::new(),
            codes: VecDeque::new(),
            tokens: VecDeque::new(),
            answer: SignInAnswer::default(),
            slow_downs: 0,
            token_s: TOKEN_S,
        }))
    }
}

impl SignIns {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn answer(&self) -> SignInAnswer {
        self.lock().answer
    }

    pub(crate) fn set_answer(&self, answer: SignInAnswer) {
        self.lock().answer = answer;
    }

    /// The next polls for device codes are told to slow down.
    pub(crate) fn slow_down(&self, polls: u64) {
        self.lock().slow_downs = polls;
    }

    pub(crate) fn set_token_life(&self, seconds: u32) {
        self.lock().token_s = seconds;
    }

    /// Ends every code that waits for a person or for its redemption.
    pub(crate) fn expire_codes(&self) {
        let mut state = self.lock();
        state.devices.iter_mut().for_each(|device| device.expires_ms = 0);
        state.codes.iter_mut().for_each(|code| code.expires_ms = 0);
    }

    /// Signs everybody out, as an administrator would: no token and no refresh is accepted any more.
    pub(crate) fn revoke(&self) {
        self.lock().tokens.clear();
    }

    pub(super) fn register(&self, callback: Option<String>, refreshes: bool, now_ms: i64) -> Client {
        let client = Client {
            id: random(),
            secret: random(),
            expires_ms: now_ms.saturating_add(CLIENT_MS),
            callback,
            refreshes,
        };
        remember(&mut self.lock().clients, client.clone());
        client
    }

    /// Whether the browser may be sent back there with a code for this client; the port is the client's choice.
    pub(super) fn may_redirect(&self, client: &str, redirect_uri: &str) -> bool {
        let state = self.lock();
        let Some(registered) = state.clients.iter().find(|known| known.id == client) else { return false };
        let Ok(mut url) = url::Url::parse(redirect_uri) else { return false };
        url.set_port(None).is_ok() && registered.callback.as_deref() == Some(url.as_str())
    }

    pub(super) fn make_code(&self, client: &str, redirect_uri: &str, challenge: &str, now_ms: i64) -> String {
        let code = Code {
            code: random(),
            client: client.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            challenge: challenge.to_owned(),
            expires_ms: now_ms.saturating_add(CODE_S * 1_000),
        };
        let text = code.code.clone();
        remember(&mut self.lock().codes, code);
        text
    }

    pub(super) fn start_device(&self, id: &str, secret: &str, now_ms: i64) -> Result<Device, Refused> {
        let mut state = self.lock();
        let client = state.client(id, secret, now_ms)?.id.clone();
        let number = rand::random::<u64>();
        // Letters without vowels, as the service takes them.
        let letters: Vec<u8> =
            (0..8).map(|place| b"BCDFGHJKLMNPQRST"[((number >> (4 * place)) & 15) as usize]).collect();
        let letters = String::from_utf8_lossy(&letters).into_owned();
        let device = Device {
            code: random(),
            user_code: format!("{}-{}", &letters[..4], &letters[4..]),
            client,
            expires_ms: now_ms.saturating_add(CODE_S * 1_000),
            phase: Phase::Waiting,
        };
        remember(&mut state.devices, device.clone());
        Ok(device)
    }

    /// The person's word about a user code; `false` if there is no such code any more.
    pub(super) fn decide(&self, user_code: &str, allowed: bool, now_ms: i64) -> bool {
        let mut state = self.lock();
        let waiting = |device: &&mut Device| device.user_code == user_code && device.expires_ms > now_ms;
        let Some(device) = state.devices.iter_mut().find(waiting) else { return false };
        device.phase = if allowed { Phase::Allowed } else { Phase::Denied };
        true
    }

    pub(super) fn create_token(
        &self,
        id: &str,
        secret: &str,
        grant: Grant<'_>,
        now_ms: i64,
    ) -> Result<Token, Refused> {
        let mut state = self.lock();
        let client = state.client(id, secret, now_ms)?.clone();
        match grant {
            Grant::Device(code) => state.redeem_device(&client.id, code, now_ms)?,
            Grant::Code { code, verifier, redirect_uri } => {
                state.redeem_code(&client.id, code, verifier, redirect_uri, now_ms)?;
            }
            Grant::Refresh(refresh) => {
                let ours = |token: &Token| token.client == id && token.refresh.as_deref() == Some(refresh);
                let place = state.tokens.iter().position(ours).ok_or_else(invalid_grant)?;
                // A refresh token is good once.
                state.tokens.remove(place);
            }
        }
        let token = Token {
            access: random(),
            refresh: client.refreshes.then(random),
            life_s: state.token_s,
            client: client.id,
            expires_ms: now_ms.saturating_add(i64::from(state.token_s) * 1_000),
        };
        remember(&mut state.tokens, token.clone());
        Ok(token)
    }

    pub(super) fn is_good(&self, access: &str, now_ms: i64) -> bool {
        self.lock().tokens.iter().any(|token| token.access == access && token.expires_ms > now_ms)
    }

    pub(super) fn log_out(&self, access: &str) {
        self.lock().tokens.retain(|token| token.access != access);
    }
}

impl State {
    fn client(&self, id: &str, secret: &str, now_ms: i64) -> Result<&Client, Refused> {
        let known = self.clients.iter().find(|client| client.id == id && client.secret == secret);
        known.filter(|client| client.expires_ms > now_ms).ok_or_else(|| {
            Refused::new("InvalidClientException", "invalid_client", "Invalid client id or secret")
                .with_status(StatusCode::UNAUTHORIZED)
        })
    }

    fn redeem_device(&mut self, client: &str, code: &str, now_ms: i64) -> Result<(), Refused> {
        let ours = |device: &Device| device.client == client && device.code == code;
        let place = self.devices.iter().position(ours).ok_or_else(invalid_grant)?;
        if self.slow_downs > 0 {
            self.slow_downs -= 1;
            return Err(Refused::new("SlowDownException", "slow_down", "Too many requests"));
        }
        let device = &self.devices[place];
        if device.expires_ms <= now_ms {
            return Err(expired());
        }
        match device.phase {
            Phase::Waiting => Err(Refused::new(
                "AuthorizationPendingException",
                "authorization_pending",
                "Not confirmed yet",
            )),
            Phase::Denied => {
                Err(Refused::new("AccessDeniedException", "access_denied", "The request was denied"))
            }
            Phase::Allowed => {
                self.devices.remove(place);
                Ok(())
            }
        }
    }

    fn redeem_code(
        &mut self,
        client: &str,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
        now_ms: i64,
    ) -> Result<(), Refused> {
        let place = self.codes.iter().position(|known| known.code == code).ok_or_else(invalid_grant)?;
        // Good once, whatever comes with it.
        let Some(known) = self.codes.remove(place) else { return Err(invalid_grant()) };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        if known.expires_ms <= now_ms {
            return Err(expired());
        }
        let fits =
            known.client == client && known.redirect_uri == redirect_uri && known.challenge == challenge;
        if fits { Ok(()) } else { Err(invalid_grant()) }
    }
}

fn expired() -> Refused {
    Refused::new("ExpiredTokenException", "expired_token", "The code has expired")
}

fn invalid_grant() -> Refused {
    Refused::new("InvalidGrantException", "invalid_grant", "Invalid grant provided")
}

fn remember<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() >= REMEMBERED {
        list.pop_front();
    }
    list.push_back(item);
}

fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 24]>())
}
