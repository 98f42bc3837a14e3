//! Times as the program prints them for other programs.

/// RFC 3339 in UTC.
pub(crate) fn time(ms: Option<i64>) -> Option<String> {
    jiff::Timestamp::from_millisecond(ms?).ok().map(|time| time.to_string())
}
