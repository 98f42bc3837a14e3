//! Where the log of a session is: from the addresses DescribeSessions gives, or from what its document says.
//!
//! AWS documents the addresses as reserved, and seldom fills them in; agents write to `PREFIX/SESSION.log` in the bucket
//! and to the stream SESSION in the log group (protocol.md 1.9).

use crate::records::{ObjectPlace, StreamPlace};

impl ObjectPlace {
    /// Where an agent puts the log of a session, by its document's bucket and prefix.
    pub fn of_session(bucket: &str, prefix: &str, session_id: &str) -> Self {
        let key = match prefix.trim_matches('/') {
            "" => format!("{session_id}.log"),
            prefix => format!("{prefix}/{session_id}.log"),
        };
        Self { bucket: bucket.to_owned(), key }
    }

    /// The object of an address: of S3 itself, with the bucket in the path or in the host, or of its console.
    pub fn of_url(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("s3://").map(|_| url))?;
        let of = |bucket: &str, key: &str| {
            let (bucket, key) = (decoded(bucket), decoded(key));
            (!bucket.is_empty() && !key.is_empty()).then_some(Self { bucket, key })
        };
        if let Some(place) = rest.strip_prefix("s3://") {
            let (bucket, key) = place.split_once('/')?;
            return of(bucket, key);
        }
        let (host, path) = rest.split_once('/')?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = path.split_once('#').map_or(path, |(path, _)| path);
        if host.contains("console.") {
            let bucket = path.strip_prefix("s3/object/").or_else(|| path.strip_prefix("s3/buckets/"))?;
            let (bucket, of_path) = bucket.split_once('/').unwrap_or((bucket, ""));
            let of_query = query.split('&').find_map(|pair| pair.strip_prefix("prefix="));
            return of(bucket, of_query.unwrap_or(of_path));
        }
        if host.starts_with("s3.") || host.starts_with("s3-") {
            let (bucket, key) = path.split_once('/')?;
            return of(bucket, key);
        }
        let (bucket, _) = host.split_once(".s3.").or_else(|| host.split_once(".s3-"))?;
        of(bucket, path)
    }

    /// As people write it.
    pub fn words(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }
}

impl StreamPlace {
    /// Where an agent writes the events of a session, by its document's log group.
    pub fn of_session(group: &str, session_id: &str) -> Self {
        Self { group: group.to_owned(), stream: session_id.to_owned() }
    }

    /// The stream of an address of the console, in its older or its newer form.
    pub fn of_url(url: &str) -> Option<Self> {
        let (_, fragment) = url.split_once('#')?;
        let of = |group: &str, stream: &str| {
            (!group.is_empty() && !stream.is_empty())
                .then(|| Self { group: group.to_owned(), stream: stream.to_owned() })
        };
        if let Some(rest) = fragment.strip_prefix("logEventViewer:") {
            let value = |name: &str| rest.split(';').find_map(|pair| pair.strip_prefix(name));
            return of(&decoded(value("group=")?), &decoded(value("stream=")?));
        }
        // The newer console escapes its names twice and writes `$` for `%`.
        let rest = fragment.strip_prefix("logsV2:log-groups/log-group/")?;
        let (group, stream) = rest.split_once("/log-events/")?;
        let name = |text: &str| decoded(&decoded(&text.replace('$', "%")));
        of(&name(group), &name(stream))
    }

    /// As people write it.
    pub fn words(&self) -> String {
        format!("{} · {}", self.group, self.stream)
    }
}

/// Percent-decoded; what is no escape stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_found_in_every_form_of_address() {
        for url in [
            "https://s3.eu-central-1.amazonaws.com/corp-logs/ssm/a%20b.log",
            "https://s3-eu-west-1.amazonaws.com/corp-logs/ssm/a%20b.log",
            "https://corp-logs.s3.eu-central-1.amazonaws.com/ssm/a%20b.log?x=1",
            "https://s3.console.aws.amazon.com/s3/object/corp-logs?region=eu-central-1&prefix=ssm/a%20b.log",
            "https://console.aws.amazon.com/s3/buckets/corp-logs/ssm/a%20b.log",
            "s3://corp-logs/ssm/a%20b.log",
        ] {
            let place = ObjectPlace { bucket: "corp-logs".into(), key: "ssm/a b.log".into() };
            assert_eq!(ObjectPlace::of_url(url), Some(place), "{url}");
        }
        for url in [
            "",
            "https://",
            "https://s3.eu-central-1.amazonaws.com/bucket",
            "ftp://s3.x/b/k",
            "https://example.com/b/k",
        ] {
            assert_eq!(ObjectPlace::of_url(url), None, "{url}");
        }
    }

    #[test]
    fn streams_are_found_in_both_forms_of_the_console() {
        for url in [
            "https://console.aws.amazon.com/cloudwatch/home?region=r#logEventViewer:group=/fleet/sessions;stream=a-1",
            "https://console.aws.amazon.com/cloudwatch/home?region=r#logsV2:log-groups/log-group/$252Ffleet$252Fsessions/log-events/a-1",
        ] {
            assert_eq!(
                StreamPlace::of_url(url),
                Some(StreamPlace::of_session("/fleet/sessions", "a-1")),
                "{url}"
            );
        }
        for url in ["", "https://x/#logEventViewer:group=;stream=a", "https://x/#other", "https://x"] {
            assert_eq!(StreamPlace::of_url(url), None, "{url}");
        }
    }

    #[test]
    fn agents_name_logs_by_the_session() {
        let key = |prefix: &str| ObjectPlace::of_session("b", prefix, "a-1").key;
        assert_eq!(
            [key(""), key("/"), key("x"), key("/x/y/")],
            ["a-1.log", "a-1.log", "x/a-1.log", "x/y/a-1.log"]
        );
    }
}
