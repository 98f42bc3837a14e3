//! What was written of sessions that ended before the simulator began: made from the session each time it is asked for,
//! always the same.

use std::fmt::Write as _;

use crate::logs::{LogEvent, StreamedEvent};
use crate::random::Seeded;
use crate::registry::SessionView;
use crate::s3::{Found, Object};
use crate::shared::Shared;

/// Log group of past sessions.
pub(crate) const GROUP: &str = "/fleet/sessions";

/// What people type, with what comes back.
const WORK: [(&str, &str); 8] = [
    ("uptime", " 09:12:44 up 41 days,  3:02,  1 user,  load average: 0.08, 0.11, 0.09"),
    ("systemctl is-active ledger", "active"),
    (
        "df -h /var",
        "Filesystem      Size  Used Avail Use% Mounted on\r\n/dev/nvme1n1     98G   61G   33G  66% /var",
    ),
    ("tail -n 2 /var/log/ledger/app.log", "INFO  batch 4711 closed\r\nWARN  retry 2 of 5: upstream is slow"),
    ("whoami", "ssm-user"),
    ("sudo journalctl -u ledger -n 1 --no-pager", "ledger[812]: month-end check finished, 0 differences"),
    ("ss -ltn | wc -l", "14"),
    ("date -u", "Tue Nov 24 09:13:20 UTC 2026"),
];

/// The object of a past session, if `bucket` and `key` are those of one of the account. `None`: there is no such bucket.
pub(crate) fn object(shared: &Shared, account: usize, bucket: &str, key: &str) -> Option<Found> {
    let name = shared.world.accounts.get(account)?.plan.name;
    if bucket != format!("{name}-session-logs") {
        return None;
    }
    let session = key.strip_suffix(".log").and_then(|id| shared.past.find(account, id));
    Some(match session.filter(|view| !view.s3_url.is_empty()) {
        Some(view) => Found::Object(Object::new(text(view).as_bytes(), view.end_ms.unwrap_or(view.start_ms))),
        None => Found::NoKey,
    })
}

/// The events of a past session in the log group; `None` if it has no such stream.
pub(crate) fn events(
    shared: &Shared,
    (account, region): (usize, &str),
    group: &str,
    stream: &str,
) -> Option<Vec<LogEvent>> {
    let view = shared.past.find(account, stream)?;
    if group != GROUP || view.region != region || view.cloudwatch_url.is_empty() {
        return None;
    }
    let text = text(view);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let lasted = view.end_ms.unwrap_or(view.start_ms) - view.start_ms;
    let pieces: Vec<&[&str]> = lines.chunks(3).collect();
    let count = i64::try_from(pieces.len()).unwrap_or(1).max(1);
    let events = pieces.iter().zip(1_i64..).map(|(piece, number)| {
        let at_ms = view.start_ms + lasted * number / (count + 1);
        StreamedEvent {
            region,
            target: &view.target,
            owner: &view.owner,
            run_as: "ssm-user",
            session_id: &view.session_id,
        }
        .of(piece.concat().as_bytes(), at_ms)
    });
    Some(events.collect())
}

fn text(view: &SessionView) -> String {
    let seed =
        view.session_id.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut numbers = Seeded::new(seed);
    let mut text = String::new();
    for _ in 0..4 + numbers.below(12) {
        let (typed, answer) = WORK[numbers.below(WORK.len())];
        // Nothing fails when text is added to a text.
        write!(text, "[ssm-user ~]$ {typed}\r\n{answer}\r\n").ok();
    }
    text.push_str("[ssm-user ~]$ exit\r\n");
    text
}
