//! Where a request's body ends.

use super::head::Head;

/// Longest line of a chunked body: sizes, their extensions, trailers.
const LINE_LIMIT: usize = 16 * 1024;

/// A body as it passes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// This many bytes.
    Sized(u64),
    /// A size line of a chunked body is next.
    Size,
    /// This many bytes of a chunk, then its line end.
    Chunk(u64),
    /// Trailers, after the last chunk.
    Trailers,
    /// Nothing is left.
    Done,
}

/// What became of bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// This many belong to the body, at least one; more of it may follow.
    Passed(usize),
    /// More input is needed to tell.
    Wait,
    /// The next byte is not the body's any more.
    Ended,
    /// It is not what its head has said.
    Unclear,
}

impl Body {
    /// The body a head announces: `None` when it can be read in two ways, `Some(None)` when what follows is no HTTP.
    pub(super) fn of(head: &Head<'_>) -> Option<Option<Self>> {
        if head.odd {
            return None;
        }
        let upgrade = head.values("upgrade").next().is_some();
        if head.method == b"CONNECT" || upgrade {
            return Some(None);
        }
        let lengths: Vec<&[u8]> = head.values("content-length").collect();
        let encodings: Vec<&[u8]> = head.values("transfer-encoding").collect();
        Some(Some(match (lengths.as_slice(), encodings.as_slice()) {
            ([], []) => Self::Done,
            ([length], []) => Self::Sized(number(length, 10)?),
            ([], [encoding]) if encoding.eq_ignore_ascii_case(b"chunked") => Self::Size,
            _ => return None,
        }))
    }

    /// Looks at the next bytes, at least one.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Progress {
        match self {
            Self::Done | Self::Sized(0) => Progress::Ended,
            Self::Sized(left) => Progress::Passed(count(left, bytes)),
            Self::Chunk(0) => match bytes {
                [b'\r', b'\n', ..] => {
                    *self = Self::Size;
                    Progress::Passed(2)
                }
                [b'\r'] => Progress::Wait,
                _ => Progress::Unclear,
            },
            Self::Chunk(left) => Progress::Passed(count(left, bytes)),
            Self::Size => {
                let Some(line) = line(bytes) else { return more(bytes) };
                let digits = line.split(|b| *b == b';').next().unwrap_or_default().trim_ascii_end();
                match number(digits, 16) {
                    Some(0) => *self = Self::Trailers,
                    Some(size) => *self = Self::Chunk(size),
                    None => return Progress::Unclear,
                }
                Progress::Passed(line.len() + 2)
            }
            Self::Trailers => {
                let Some(line) = line(bytes) else { return more(bytes) };
                if line.is_empty() {
                    *self = Self::Done;
                }
                Progress::Passed(line.len() + 2)
            }
        }
    }
}

/// Takes from what is left as many bytes as there are.
fn count(left: &mut u64, bytes: &[u8]) -> usize {
    let passed = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
    *left -= passed as u64;
    passed
}

/// A line that has ended with CR LF, without that.
fn line(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some(&bytes[..end])
}

/// A line that has not ended yet, or never will.
fn more(bytes: &[u8]) -> Progress {
    let bare = bytes.iter().position(|b| *b == b'\n').is_some();
    if bare || bytes.len() > LINE_LIMIT { Progress::Unclear } else { Progress::Wait }
}

/// Digits only: no sign, no space, no separator.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    u64::from_str_radix(text, radix).ok().filter(|_| plain)
}
