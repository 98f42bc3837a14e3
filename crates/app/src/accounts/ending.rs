//! Notices of credentials that end, before it bites.

use fleetline_ipc::system::Language::{De, En, Ja};
use fleetline_ipc::system::{Language, Notice, NoticeLevel};

/// How long before the end a person is told.
const AHEAD_MS: i64 = 15 * 60_000;

/// What ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expiring {
    /// A sign-in, by the name it has.
    SignIn(String),
    /// The credentials of a source.
    Source(String),
}

impl Expiring {
    fn named(&self, language: Language) -> String {
        match (language, self) {
            (En, Self::SignIn(name)) => format!("The sign-in {name}"),
            (De, Self::SignIn(name)) => format!("Die Anmeldung {name}"),
            (Ja, Self::SignIn(name)) => format!("サインイン {name}"),
            (En, Self::Source(name)) => format!("The session of {name}"),
            (De, Self::Source(name)) => format!("Die Sitzung von {name}"),
            (Ja, Self::Source(name)) => format!("{name} のセッション"),
        }
    }
}

/// What is told of ends, for a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EndingNotices {
    /// What ends within the quarter of an hour.
    pub(crate) soon: Vec<Expiring>,
    /// What has ended.
    pub(crate) over: Vec<Expiring>,
    /// When something changes next.
    pub(crate) due_ms: Option<i64>,
}

impl EndingNotices {
    /// Of what ends when, in epoch milliseconds.
    pub(crate) fn of(endings: &[(Expiring, i64)], now_ms: i64) -> Self {
        let mut notices = Self::default();
        for (ending, end) in endings {
            let next = if *end <= now_ms {
                notices.over.push(ending.clone());
                continue;
            } else if *end - AHEAD_MS <= now_ms {
                notices.soon.push(ending.clone());
                *end
            } else {
                *end - AHEAD_MS
            };
            notices.due_ms = Some(notices.due_ms.map_or(next, |due| due.min(next)));
        }
        notices
    }

    /// The notices, by what they are about.
    pub(crate) fn notices(&self, language: Language) -> [(&'static str, Option<Notice>); 2] {
        [("ending-soon", &self.soon, false), ("ending-over", &self.over, true)].map(|(id, endings, over)| {
            let names: Vec<String> = endings.iter().map(|ending| ending.named(language)).collect();
            let notice = names.first().map(|first| Notice {
                id: id.to_owned(),
                level: NoticeLevel::Warn,
                message: message(language, first, names.len() - 1, over),
                detail: (names.len() > 1).then(|| names.join("\n")),
            });
            (id, notice)
        })
    }

    /// What the tray says, if anything.
    pub(crate) fn tray(&self, language: Language) -> Option<String> {
        let (endings, over) = if self.over.is_empty() { (&self.soon, false) } else { (&self.over, true) };
        let name = match endings.as_slice() {
            [] => return None,
            [one] => one.named(language),
            several => match language {
                En => format!("{} sign-ins", several.len()),
                De => format!("{} Anmeldungen", several.len()),
                Ja => format!("サインイン {} 件", several.len()),
            },
        };
        let is_one = endings.len() == 1;
        Some(match (language, over) {
            (En, false) if is_one => format!("{name} ends soon"),
            (En, false) => format!("{name} end soon"),
            (En, true) if is_one => format!("{name} is over"),
            (En, true) => format!("{name} are over"),
            (De, false) if is_one => format!("{name} endet bald"),
            (De, false) => format!("{name} enden bald"),
            (De, true) if is_one => format!("{name} ist abgelaufen"),
            (De, true) => format!("{name} sind abgelaufen"),
            (Ja, false) => format!("{name}はまもなく期限切れになります"),
            (Ja, true) => format!("{name}は期限切れです"),
        })
    }
}

/// Of the first that ends or is over, and how many others do likewise.
fn message(language: Language, first: &str, more: usize, over: bool) -> String {
    let who = match (language, more) {
        (_, 0) => first.to_owned(),
        (En, 1) => format!("{first} and one other"),
        (En, more) => format!("{first} and {more} others"),
        (De, 1) => format!("{first} und eine weitere"),
        (De, more) => format!("{first} und {more} weitere"),
        (Ja, more) => format!("{first}ほか {more} 件"),
    };
    let ends = match (language, over, more) {
        (En, false, 0) => " ends in less than 15 minutes",
        (En, false, _) => " end in less than 15 minutes",
        (En, true, 0) => " is over",
        (En, true, _) => " are over",
        (De, false, 0) => " endet in weniger als 15 Minuten",
        (De, false, _) => " enden in weniger als 15 Minuten",
        (De, true, 0) => " ist abgelaufen",
        (De, true, _) => " sind abgelaufen",
        (Ja, false, _) => "は 15 分以内に期限切れになります",
        (Ja, true, _) => "は期限切れです",
    };
    let what_to_do = match language {
        En => ". Sign in again under Accounts, so that sessions and lists go on.",
        De => ". Melden Sie sich unter „Konten“ neu an, damit Sitzungen und Listen weiterlaufen.",
        Ja => "。セッションと一覧を続けるには、「アカウント」で再度サインインしてください。",
    };
    format!("{who}{ends}{what_to_do}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now_ms: i64) -> EndingNotices {
        let endings = [
            (Expiring::SignIn("corp".to_owned()), 10_000_000),
            (Expiring::SignIn("lab".to_owned()), 20_000_000),
        ];
        EndingNotices::of(&endings, now_ms)
    }

    #[test]
    fn ends_are_told_a_quarter_of_an_hour_before_and_when_they_come() {
        let early = at(0);
        assert_eq!((early.soon.len(), early.over.len(), early.due_ms), (0, 0, Some(10_000_000 - AHEAD_MS)));
        assert_eq!(early.tray(En), None);
        let soon = at(10_000_000 - AHEAD_MS);
        assert_eq!(
            (soon.soon.as_slice(), soon.due_ms),
            (&[Expiring::SignIn("corp".to_owned())][..], Some(10_000_000))
        );
        assert_eq!(soon.tray(En).as_deref(), Some("The sign-in corp ends soon"));
        let over = at(10_000_000);
        assert_eq!((over.over.len(), over.due_ms), (1, Some(20_000_000 - AHEAD_MS)));
        let both = at(30_000_000);
        assert_eq!(both.tray(En).as_deref(), Some("2 sign-ins are over"));
        assert_eq!(both.due_ms, None);
        let [_, (_, notice)] = both.notices(En);
        assert!(
            notice
                .is_some_and(|notice| notice.message.starts_with("The sign-in corp and one other are over."))
        );
    }

    #[test]
    fn ends_are_told_in_the_language_of_the_window() {
        let both = at(30_000_000);
        assert_eq!(both.tray(De).as_deref(), Some("2 Anmeldungen sind abgelaufen"));
        let soon = at(10_000_000 - AHEAD_MS);
        assert_eq!(soon.tray(Ja).as_deref(), Some("サインイン corpはまもなく期限切れになります"));
        let told = |language| {
            let [(_, soon), _] = soon.notices(language);
            let [_, (_, over)] = both.notices(language);
            [soon, over].map(|notice| notice.expect("there is one").message)
        };
        let [soon, over] = told(De);
        assert!(
            soon.starts_with("Die Anmeldung corp endet in weniger als 15 Minuten. Melden Sie sich"),
            "{soon}"
        );
        assert!(over.starts_with("Die Anmeldung corp und eine weitere sind abgelaufen."), "{over}");
        for language in [De, Ja] {
            let english = told(En);
            assert!(told(language).iter().all(|text| !english.contains(text)), "{language:?}");
        }
    }
}
