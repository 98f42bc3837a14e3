//! Temporary credentials that were given out.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Credentials remembered; the oldest are forgotten.
const REMEMBERED: usize = 1_000;

/// Temporary credentials of an account's role.
#[derive(Clone, Debug)]
pub(crate) struct TemporaryKey {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) session_token: String,
    pub(crate) expires_ms: i64,
    /// Index of the account.
    pub(crate) account: usize,
    /// A session of the user itself, without a code: it may do what the user may.
    pub(crate) as_user: bool,
}

/// What an access key turns out to be.
pub(crate) enum Lookup {
    /// Of these.
    Known(TemporaryKey),
    /// Of these, and its time is over.
    Over,
    /// Not given out here.
    Unknown,
}

/// All temporary credentials of one simulator.
#[derive(Debug, Default)]
pub(crate) struct Issued(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    keys: VecDeque<TemporaryKey>,
    /// Life of new ones in seconds, whatever is asked for.
    life_s: Option<i64>,
}

impl Issued {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives out credentials that live for `seconds`, unless all have another life.
    pub(crate) fn issue(&self, account: usize, as_user: bool, seconds: i64, now_ms: i64) -> TemporaryKey {
        let seconds = self.lock().life_s.unwrap_or(seconds);
        let random = |length: usize| {
            let bytes: Vec<u8> = (0..length).map(|_| rand::random()).collect();
            STANDARD.encode(bytes)
        };
        let letters: String = random(24).chars().filter(char::is_ascii_alphanumeric).collect();
        let mut name = letters.to_ascii_uppercase().replace(['0', '1', '8', '9'], "Q");
        name.truncate(16);
        let key = TemporaryKey {
            access_key: format!("ASIA{name:Q<16}"),
            secret_key: random(30),
            session_token: random(120),
            expires_ms: now_ms.saturating_add(seconds.saturating_mul(1_000)),
            account,
            as_user,
        };
        let mut state = self.lock();
        if state.keys.len() == REMEMBERED {
            state.keys.pop_front();
        }
        state.keys.push_back(key.clone());
        key
    }

    pub(crate) fn find(&self, access_key: &str, session_token: Option<&str>, now_ms: i64) -> Lookup {
        let state = self.lock();
        let known = state
            .keys
            .iter()
            .find(|key| key.access_key == access_key && session_token == Some(key.session_token.as_str()));
        match known {
            Some(key) if key.expires_ms > now_ms => Lookup::Known(key.clone()),
            Some(_) => Lookup::Over,
            None => Lookup::Unknown,
        }
    }

    /// Gives those that come this life in seconds; `None` as asked.
    pub(crate) fn set_life(&self, life_s: Option<i64>) {
        self.lock().life_s = life_s;
    }

    /// Ends all of them now.
    pub(crate) fn expire(&self) {
        self.lock().keys.iter_mut().for_each(|key| key.expires_ms = 0);
    }
}
