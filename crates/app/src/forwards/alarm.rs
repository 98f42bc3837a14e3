//! What is worth telling a user who does not look: once for each trouble, until it is over.

use std::collections::BTreeSet;

use fleetline_ipc::forward::{ForwardRow, ForwardState};
use fleetline_ipc::system::Language;

use super::ForwardDesk;
use crate::ports::Notification;
use crate::tray::words::{self, Title};

/// Troubles that were told of and are not over.
#[derive(Debug, Default)]
pub(super) struct Alarmed(BTreeSet<String>);

impl Alarmed {
    /// What a row's state is worth telling. `source` is where its node is; a sign-in is asked for once for all of it.
    fn look(&mut self, row: &ForwardRow, source: &str, language: Language) -> Option<Notification> {
        let (own, shared) = (format!("forward:{}", row.id), format!("source:{source}"));
        let name = &row.spec.name;
        let (id, title, body) = match &row.state {
            ForwardState::Active => {
                self.0.remove(&own);
                self.0.remove(&shared);
                return None;
            }
            ForwardState::Idle | ForwardState::Off | ForwardState::Paused => {
                self.0.remove(&own);
                return None;
            }
            ForwardState::Starting { .. } | ForwardState::Reconnecting { awaits_retry: false, .. } => {
                return None;
            }
            ForwardState::Reconnecting { cause, awaits_retry: true } => {
                (shared, words::title(language, Title::SignIn, name), cause.clone())
            }
            ForwardState::Failed { problem, .. } => {
                let hint = problem.hint.as_deref().unwrap_or_default();
                {
                    let body = format!("{} {hint}", problem.message).trim_end().to_owned();
                    (own, words::title(language, Title::Failed, name), body)
                }
            }
            ForwardState::Exposes { address } => {
                (own, words::title(language, Title::Exposes, name), words::exposes(language, address))
            }
            ForwardState::PortInUse { holder, next_free, .. } => {
                let free = next_free.map(|port| words::next_free(language, port));
                let body = format!("{holder}{}", free.unwrap_or_default());
                (own, words::title(language, Title::CannotListen, name), body)
            }
        };
        self.0.insert(id).then_some(Notification { title, body })
    }
}

impl ForwardDesk {
    /// What this state of a forward is worth telling, if it was not told already.
    pub(crate) fn alarm(&mut self, row: &ForwardRow, language: Language) -> Option<Notification> {
        let kept = self.kept.iter().find(|kept| kept.id() == row.id)?;
        let source = kept.place.as_ref().map(|place| place.source.clone()).unwrap_or_default();
        self.alarmed.look(row, &source, language)
    }
}

#[cfg(test)]
mod tests {
    use fleetline_ipc::forward::{ForwardGuard, ForwardKind, ForwardLimits, ForwardSpec, ForwardStart};
    use fleetline_ipc::{CommandError, ErrorCode};

    use super::*;

    fn row(id: &str, state: ForwardState) -> ForwardRow {
        ForwardRow {
            id: id.to_owned(),
            spec: ForwardSpec {
                name: id.to_uppercase(),
                kind: ForwardKind::Port,
                bundle: None,
                node_key: String::new(),
                host: None,
                port: Some(1),
                local_port: 1,
                bind: None,
                socket: None,
                lanes: 1,
                start: ForwardStart::OnDemand,
                favourite: false,
                limits: ForwardLimits::default(),
                guard: ForwardGuard::Auto,
            },
            on: true,
            state,
            node_name: String::new(),
            node_id: String::new(),
            account_name: String::new(),
            region: String::new(),
            local: String::new(),
            remote: String::new(),
            connections: 0,
            lanes: 0,
            rate_down: 0.0,
            rate_up: 0.0,
            recent_down: Vec::new(),
            ends_ms: None,
        }
    }

    fn failed() -> ForwardState {
        let problem = CommandError {
            hint: Some("The session works.".to_owned()),
            ..CommandError::new(ErrorCode::NetworkUnreachable, "Port 6380 is closed.")
        };
        ForwardState::Failed { problem, next_try_ms: None }
    }

    #[test]
    fn a_failure_is_told_once_until_it_is_over() {
        let mut alarmed = Alarmed::default();
        let told = alarmed.look(&row("cache", failed()), "prod", Language::En).unwrap();
        assert_eq!(
            (told.title.as_str(), told.body.as_str()),
            ("CACHE failed", "Port 6380 is closed. The session works.")
        );
        assert_eq!(alarmed.look(&row("cache", failed()), "prod", Language::En), None);
        assert!(
            alarmed.look(&row("other", failed()), "prod", Language::En).is_some(),
            "another one has its own"
        );
        let starting = ForwardState::Starting { step: String::new() };
        assert_eq!(alarmed.look(&row("cache", starting), "prod", Language::En), None);
        assert_eq!(
            alarmed.look(&row("cache", failed()), "prod", Language::En),
            None,
            "an attempt is no end of it"
        );
        alarmed.look(&row("cache", ForwardState::Idle), "prod", Language::En);
        assert!(alarmed.look(&row("cache", failed()), "prod", Language::En).is_some());
    }

    #[test]
    fn a_sign_in_is_asked_for_once_for_all_forwards_of_a_source() {
        let mut alarmed = Alarmed::default();
        let waits =
            || ForwardState::Reconnecting { cause: "The token has expired.".to_owned(), awaits_retry: true };
        assert_eq!(
            alarmed.look(&row("a", waits()), "prod", Language::En).unwrap().title,
            "A needs a sign-in"
        );
        assert_eq!(alarmed.look(&row("b", waits()), "prod", Language::En), None);
        assert!(alarmed.look(&row("c", waits()), "plants", Language::En).is_some());
        let resumes = ForwardState::Reconnecting { cause: String::new(), awaits_retry: false };
        assert_eq!(alarmed.look(&row("a", resumes), "prod", Language::En), None);
        alarmed.look(&row("b", ForwardState::Active), "prod", Language::En);
        assert!(alarmed.look(&row("a", waits()), "prod", Language::En).is_some());
    }
}
