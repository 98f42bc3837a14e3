//! Hybrid activations: listing them, and the codes of new ones while a person needs them.
//!
//! A code is a password that AWS tells once. It stays in this process, wiped when it is forgotten: the clipboard is
//! written from here, and the window gets it only when the person asks to see it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::ports::ApiError;
use fleetline_inventory::hybrid::{
    Activation, ActivationCode, CreatedActivation, HybridCalls, NewActivation,
};
use fleetline_inventory::node::AccountRegion;
use fleetline_ipc::fleet::Tag;
use fleetline_ipc::hybrid::{self as ipc, ActivationRow, ActivationSpec, ActivationText, RevealedCode};
use fleetline_ipc::{CommandError, ErrorCode};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::clock::now_ms;
use crate::rows::millis;

/// How long a code is kept for the person who made it.
pub(crate) const KEPT_FOR: Duration = Duration::from_secs(15 * 60);
/// Codes kept at a time.
const KEPT: usize = 16;
/// Activations listed of one account-Region.
const LISTED: usize = 1_000;
/// What stands in place of a code.
const DOTS: &str = "••••••••••••••••••••";

/// A wish as AWS takes it.
///
/// # Errors
/// If it is outside the limits of the service.
pub(crate) fn wish(spec: ActivationSpec) -> Result<NewActivation, CommandError> {
    let refuse = |message: &str| CommandError::new(ErrorCode::InvalidInput, message);
    if !(1..=720).contains(&spec.hours) {
        return Err(refuse("An activation ends after 1 to 720 hours."));
    }
    let now = now_ms();
    let new = NewActivation {
        role: spec.role,
        limit: spec.limit,
        // A moment less than the whole, so that the longest life is still within 30 days when AWS looks at it.
        expires_ms: Some(now + i64::from(spec.hours) * 3_600_000 - 1_000),
        name: spec.name,
        description: spec.description,
        tags: spec.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
    };
    new.check(now).map_err(refuse)?;
    Ok(new)
}

/// All activations of an account-Region, and whether there are more than are listed.
pub(crate) async fn list(
    calls: Arc<dyn HybridCalls<ApiError>>,
) -> Result<(Vec<ActivationRow>, bool), ApiError> {
    let (mut rows, mut next) = (Vec::new(), None);
    loop {
        let page = calls.activations(next).await?;
        rows.extend(page.activations.into_iter().map(row));
        match page.next {
            Some(_) if rows.len() >= LISTED => return Ok((rows, true)),
            Some(token) => next = Some(token),
            None => return Ok((rows, false)),
        }
    }
}

fn row(activation: Activation) -> ActivationRow {
    ActivationRow {
        id: activation.id,
        description: activation.description,
        name: activation.name,
        role: activation.role,
        limit: activation.limit,
        registered: activation.registered,
        expires_ms: activation.expires_ms.map(millis),
        expired: activation.expired,
        created_ms: activation.created_ms.map(millis),
        tags: activation.tags.into_iter().map(|(key, value)| Tag { key, value }).collect(),
    }
}

/// The codes of new activations, by id.
#[derive(Default)]
pub(crate) struct Codes(HashMap<String, Kept>);

struct Kept {
    made: CreatedActivation,
    at: AccountRegion,
    until: Instant,
}

impl Codes {
    /// Keeps a code. The oldest goes when there are too many.
    pub(crate) fn keep(&mut self, made: CreatedActivation, at: AccountRegion) -> ipc::CreatedActivation {
        if self.0.len() >= KEPT
            && let Some(oldest) = self.0.iter().min_by_key(|(_, kept)| kept.until).map(|(id, _)| id.clone())
        {
            self.0.remove(&oldest);
        }
        let masked = CreatedActivation { id: made.id.clone(), code: ActivationCode::new(DOTS) };
        let row = ipc::CreatedActivation {
            id: made.id.clone(),
            linux: masked.linux_commands(&at).to_string(),
            windows: masked.windows_commands(&at).to_string(),
            forgotten_ms: millis(now_ms()) + KEPT_FOR.as_secs_f64() * 1000.0,
        };
        self.0.insert(made.id.clone(), Kept { made, at, until: Instant::now() + KEPT_FOR });
        row
    }

    /// A text to be copied.
    ///
    /// # Errors
    /// If the code is not kept any more.
    pub(crate) fn text(&self, id: &str, which: ActivationText) -> Result<Zeroizing<String>, CommandError> {
        let kept = self.kept(id)?;
        Ok(match which {
            ActivationText::Code => Zeroizing::new(kept.made.code.expose().to_owned()),
            ActivationText::Linux => kept.made.linux_commands(&kept.at),
            ActivationText::Windows => kept.made.windows_commands(&kept.at),
        })
    }

    /// The code for the eyes of whoever asks.
    ///
    /// # Errors
    /// If it is not kept any more.
    pub(crate) fn reveal(&self, id: &str) -> Result<RevealedCode, CommandError> {
        Ok(RevealedCode(self.kept(id)?.made.code.expose().to_owned()))
    }

    fn kept(&self, id: &str) -> Result<&Kept, CommandError> {
        self.0.get(id).ok_or_else(|| CommandError {
            hint: Some("Delete the activation and make another one.".to_owned()),
            ..CommandError::new(
                ErrorCode::NotFound,
                "The code of this activation is not kept any more, and AWS does not tell it again.",
            )
        })
    }

    pub(crate) fn forget(&mut self, id: &str) {
        self.0.remove(id);
    }

    pub(crate) fn forget_all(&mut self) {
        self.0.clear();
    }

    /// When the next code is to be forgotten.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.0.values().map(|kept| kept.until).min()
    }

    /// Forgets what was kept long enough.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.0.retain(|_, kept| kept.until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(id: &str) -> CreatedActivation {
        CreatedActivation { id: id.to_owned(), code: ActivationCode::new("c0de-of-the-test") }
    }

    fn at() -> AccountRegion {
        AccountRegion { account_id: "111122223333".to_owned(), region: "eu-central-1".to_owned() }
    }

    #[test]
    fn a_code_is_shown_on_demand_only_and_forgotten_after_its_time() {
        let mut codes = Codes::default();
        let row = codes.keep(made("a"), at());
        let seen = format!("{row:?}");
        assert!(!seen.contains("c0de-of-the-test") && seen.contains(DOTS), "{seen}");
        assert!(!format!("{:?}", codes.reveal("a").unwrap()).contains("c0de-of-the-test"));
        for which in [ActivationText::Code, ActivationText::Linux, ActivationText::Windows] {
            assert!(codes.text("a", which).unwrap().contains("c0de-of-the-test"), "{which:?}");
        }
        let due = codes.due().expect("it is kept for a while");
        codes.expire(due - Duration::from_millis(1));
        assert!(codes.reveal("a").is_ok());
        codes.expire(due);
        assert!(codes.reveal("a").is_err() && codes.due().is_none());
    }

    #[test]
    fn only_some_codes_are_kept() {
        let mut codes = Codes::default();
        for n in 0..=KEPT {
            codes.keep(made(&n.to_string()), at());
        }
        assert!(codes.0.len() == KEPT && codes.reveal(&KEPT.to_string()).is_ok());
        codes.forget_all();
        assert!(codes.due().is_none());
    }

    #[test]
    fn wishes_outside_the_limits_are_refused() {
        let sound = ActivationSpec {
            source: "prod".into(),
            region: "eu-central-1".into(),
            role: "FleetHybridNode".into(),
            limit: 5,
            hours: 720,
            name: String::new(),
            description: String::new(),
            tags: vec![Tag { key: "env".into(), value: "prod".into() }],
        };
        assert!(wish(sound.clone()).is_ok());
        for wrong in [
            ActivationSpec { hours: 721, ..sound.clone() },
            ActivationSpec { hours: 0, ..sound.clone() },
            ActivationSpec { limit: 0, ..sound.clone() },
            ActivationSpec { role: "a/b".into(), ..sound },
        ] {
            assert!(wish(wrong.clone()).is_err_and(|e| e.code == ErrorCode::InvalidInput), "{wrong:?}");
        }
    }
}
