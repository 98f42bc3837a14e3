//! Times as people write them: "200ms", "1.5s", "2m 30s".

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// A time of not less than nothing and not more than a day.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    const MOST: Duration = Duration::from_secs(24 * 3600);
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| *duration <= MOST)
        .ok_or_else(|| {
            format!("{text:?} is no time; write it as \"200ms\", \"1.5s\" or \"2m\", a day at most")
        })
}

/// For `deserialize_with`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(de::Error::custom)
}

/// The same for a time that may be left out.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn times_have_units_and_limits() {
        assert_eq!(parse("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("2m 30s"), Ok(Duration::from_secs(150)));
        for bad in ["", "5", "-1s", "soon", "25h", "1s 1"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
