//! The wall clock, in milliseconds of the Unix epoch.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now.
pub(crate) fn now_ms() -> i64 {
    epoch_ms(SystemTime::now())
}

/// A time; before 1970 it is 0.
pub(crate) fn epoch_ms(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The day of a time in UTC, as 2024-03-12.
pub(crate) fn date_text(ms: i64) -> String {
    // Days to civil date, with eras of 400 years that begin in March.
    let days = ms.div_euclid(86_400_000).saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + carry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let day = 86_400_000;
        for (ms, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_782 * day, "2024-02-29"),
            (19_783 * day, "2024-03-01"),
            (951_782_400_000, "2000-02-29"),
            (4_107_542_399_999, "2100-02-28"),
            (4_107_542_400_000, "2100-03-01"),
        ] {
            assert_eq!(date_text(ms), text);
        }
        date_text(i64::MAX);
        date_text(i64::MIN);
    }
}
