//! Hides what looks like a secret (SEC-32). The second line of defence: our own types print none to begin with.

use std::borrow::Cow;

/// What stands in the place of a secret.
const HIDDEN: &str = "[hidden]";

/// Names after which, behind `=` or `:`, a value follows that is hidden. Compared without case.
const NAMES: &[&str] = &[
    "x-amz-signature",
    "x-amz-security-token",
    "x-amz-credential",
    "aws_secret_access_key",
    "aws_session_token",
    "secretaccesskey",
    "sessiontoken",
    "tokenvalue",
    "password",
    "authorization",
];

/// `text` with secrets replaced. Borrowed when there is none.
pub(super) fn redact(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        match secret_at(text, at) {
            Some((start, end)) if start >= copied => {
                out.push_str(&text[copied..start]);
                out.push_str(HIDDEN);
                copied = end;
                at = end;
            }
            _ => at += text[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The stretch to hide if a secret, or the name before one, begins at `at`.
fn secret_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let begins_word = !text[..at].chars().next_back().is_some_and(|before| before.is_ascii_alphanumeric());
    let rest = &text[at..];
    if begins_word {
        if let Some(length) = access_key(rest).or_else(|| json_web_token(rest)) {
            return Some((at, at + length));
        }
        if starts_with(rest, "bearer ") {
            return Some((at + 7, at + 7 + value(&rest[7..])));
        }
        for name in NAMES {
            if starts_with(rest, name) {
                let skipped = name.len() + separator(&rest[name.len()..])?;
                let scheme = if starts_with(&rest[skipped..], "bearer ") { 7 } else { 0 };
                let start = skipped + scheme;
                let length = if *name == "authorization" && scheme == 0 {
                    to_line_end(&rest[start..])
                } else {
                    value(&rest[start..])
                };
                return (length > 0).then_some((at + start, at + start + length));
            }
        }
    }
    let address = rest.strip_prefix("://")?;
    user_info(address).map(|length| (at + 3, at + 3 + length))
}

/// `AKIA…` or `ASIA…`: 20 capitals and digits.
fn access_key(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_key = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    let length = bytes.iter().take_while(|b| is_key(b)).count();
    ((text.starts_with("AKIA") || text.starts_with("ASIA")) && length >= 20).then_some(length)
}

/// Three base64url parts, the first of which is a JSON object.
fn json_web_token(text: &str) -> Option<usize> {
    if !text.starts_with("eyJ") {
        return None;
    }
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let length = text.as_bytes().iter().take_while(|b| is_part(b)).count();
    (text[..length].matches('.').count() >= 2).then_some(length)
}

/// The length of `user:password` before the `@` of an address.
fn user_info(text: &str) -> Option<usize> {
    let end =
        text.find(|c: char| c == '/' || c == '"' || c == '\'' || c.is_whitespace()).unwrap_or(text.len());
    let host = text[..end].rfind('@')?;
    text[..host].contains(':').then_some(host)
}

/// Quotes, blanks and one `=` or `:` between a name and its value.
fn separator(text: &str) -> Option<usize> {
    let length = text.find(|c: char| !matches!(c, '=' | ':' | '"' | '\'' | '\\' | ' ')).unwrap_or(text.len());
    text[..length].contains(['=', ':']).then_some(length)
}

fn value(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | '&' | ',' | ';' | ')' | '}'))
        .unwrap_or(text.len())
}

fn to_line_end(text: &str) -> usize {
    text.find(['\n', '\r', '"']).unwrap_or(text.len())
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_and_the_rest_stays() {
        for (text, expected) in [
            ("key AKIAIOSFODNN7EXAMPLE!", "key [hidden]!"),
            ("t=eyJhbGciOi.eyJzdWIi.c2ln-_x end", "t=[hidden] end"),
            (
                "https://h/?X-Amz-Signature=0a1b&X-Amz-Date=1",
                "https://h/?X-Amz-Signature=[hidden]&X-Amz-Date=1",
            ),
            ("x-amz-security-token: \"FwoG/+=\"", "x-amz-security-token: \"[hidden]\""),
            (
                "Authorization: AWS4-HMAC-SHA256 Credential=a/b, Signature=c\nnext",
                "Authorization: [hidden]\nnext",
            ),
            ("Authorization: Bearer abc.def next", "Authorization: Bearer [hidden] next"),
            ("{\"TokenValue\":\"AAEAAd\",\"n\":1}", "{\"TokenValue\":\"[hidden]\",\"n\":1}"),
            ("proxy http://me:pw@proxy:3128/ used", "proxy http://[hidden]@proxy:3128/ used"),
            ("AWS_SECRET_ACCESS_KEY=wJalr/EX", "AWS_SECRET_ACCESS_KEY=[hidden]"),
        ] {
            assert_eq!(redact(text), expected);
        }
    }

    #[test]
    fn several_secrets_in_one_event_are_all_hidden() {
        assert_eq!(redact("password=a password=b"), "password=[hidden] password=[hidden]");
    }

    #[test]
    fn ordinary_text_is_left_alone_and_not_copied() {
        for text in [
            "session mika-0a1b2c opened on i-0f27c81a9be4d3065",
            "https://ssm.eu-west-1.amazonaws.com/?a=1",
            "the password is asked for",
            "AKIA",
            "eyJ",
            "取引先 é password",
            "",
        ] {
            assert!(matches!(redact(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn cut_text_does_not_panic() {
        for cut in ["password=", "Bearer ", "://", "authorization:", "X-Amz-Credential=é"] {
            redact(cut);
        }
    }
}
