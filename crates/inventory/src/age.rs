//! Ages in words and from words.

/// The time since `then` in one unit, as the table shows it: "8 s", "5 min", "3 h", "12 d". A time in the future is "0 s".
pub fn age_text(now_ms: i64, then_ms: i64) -> String {
    let seconds = now_ms.saturating_sub(then_ms).max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Milliseconds of "30s", "5m", "2h", "3d" or "1w".
pub(crate) fn parse_age(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let seconds: i64 = match unit.to_ascii_lowercase() {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let number = &text[..text.len() - unit.len_utf8()];
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse::<i64>().ok()?.checked_mul(seconds)?.checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_one_unit() {
        let texts = [0, 59_999, 60_000, 3_599_000, 7_200_000, 200_000_000].map(|ms| age_text(ms, 0));
        assert_eq!(texts, ["0 s", "59 s", "1 min", "59 min", "2 h", "2 d"]);
        assert_eq!(age_text(0, 5_000), "0 s");
        assert_eq!(age_text(i64::MAX, i64::MIN), age_text(i64::MAX, 0));
    }

    #[test]
    fn ages_parse_with_a_unit_only() {
        assert_eq!(parse_age("5m"), Some(300_000));
        assert_eq!(parse_age("2H"), Some(7_200_000));
        for text in ["", "5", "m", "-5m", "5x", "9223372036854775807w", "5µ"] {
            assert_eq!(parse_age(text), None, "{text:?}");
        }
    }
}
