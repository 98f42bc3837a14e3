//! Notices of credentials that end, before it bites.

use fleetline_ipc::system::{Notice, NoticeLevel};

/// How long before the end a person is told.
const AHEAD_MS: i64 = 15 * 60_000;

/// What is told of ends, for a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EndingNotices {
    /// Names whose end comes within the quarter of an hour.
    pub(crate) soon: Vec<String>,
    /// Names whose end has come.
    pub(crate) over: Vec<String>,
    /// When something changes next.
    pub(crate) due_ms: Option<i64>,
}

impl EndingNotices {
    /// Of what ends when, in epoch milliseconds.
    pub(crate) fn of(endings: &[(String, i64)], now_ms: i64) -> Self {
        let mut notices = Self::default();
        for (name, end) in endings {
            let next = if *end <= now_ms {
                notices.over.push(name.clone());
                continue;
            } else if *end - AHEAD_MS <= now_ms {
                notices.soon.push(name.clone());
                *end
            } else {
                *end - AHEAD_MS
            };
            notices.due_ms = Some(notices.due_ms.map_or(next, |due| due.min(next)));
        }
        notices
    }

    /// The notices, by what they are about.
    pub(crate) fn notices(&self) -> [(&'static str, Option<Notice>); 2] {
        let notice = |id: &str, level, names: &[String], ends: &str, end: &str| {
            let (first, more) = names.split_first()?;
            let also = match more.len() {
                0 => format!("{first} {ends}"),
                1 => format!("{first} and one other {end}"),
                more => format!("{first} and {more} others {end}"),
            };
            let message = format!("{also}. Sign in again under Accounts, so that sessions and lists go on.");
            let detail = (!more.is_empty()).then(|| names.join("\n"));
            Some(Notice { id: id.to_owned(), level, message, detail })
        };
        let (soon, over) = ("ending-soon", "ending-over");
        let within = ("ends in less than 15 minutes", "end in less than 15 minutes");
        [
            (soon, notice(soon, NoticeLevel::Warn, &self.soon, within.0, within.1)),
            (over, notice(over, NoticeLevel::Warn, &self.over, "is over", "are over")),
        ]
    }

    /// What the tray says, if anything.
    pub(crate) fn tray(&self) -> Option<String> {
        match (self.over.as_slice(), self.soon.as_slice()) {
            ([], []) => None,
            ([], [one]) => Some(format!("{one} ends soon")),
            ([], several) => Some(format!("{} sign-ins end soon", several.len())),
            ([one], _) => Some(format!("{one} is over")),
            (several, _) => Some(format!("{} sign-ins are over", several.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now_ms: i64) -> EndingNotices {
        let endings =
            [("The sign-in corp".to_owned(), 10_000_000), ("The sign-in lab".to_owned(), 20_000_000)];
        EndingNotices::of(&endings, now_ms)
    }

    #[test]
    fn ends_are_told_a_quarter_of_an_hour_before_and_when_they_come() {
        let early = at(0);
        assert_eq!((early.soon.len(), early.over.len(), early.due_ms), (0, 0, Some(10_000_000 - AHEAD_MS)));
        assert_eq!(early.tray(), None);
        let soon = at(10_000_000 - AHEAD_MS);
        assert_eq!(
            (soon.soon.as_slice(), soon.due_ms),
            (&["The sign-in corp".to_owned()][..], Some(10_000_000))
        );
        assert_eq!(soon.tray().as_deref(), Some("The sign-in corp ends soon"));
        let over = at(10_000_000);
        assert_eq!((over.over.len(), over.due_ms), (1, Some(20_000_000 - AHEAD_MS)));
        let both = at(30_000_000);
        assert_eq!(both.tray().as_deref(), Some("2 sign-ins are over"));
        assert_eq!(both.due_ms, None);
        let [_, (_, notice)] = both.notices();
        assert!(
            notice
                .is_some_and(|notice| notice.message.starts_with("The sign-in corp and one other are over."))
        );
    }
}
