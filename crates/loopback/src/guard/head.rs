//! The head of a request, read without changing it.

/// What the first line of held bytes is so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It may still become a request line.
    Open,
    /// A request line of HTTP/1.
    Request,
    /// Anything else.
    Other,
}

/// Longest method; nobody has longer ones.
const METHOD_LIMIT: usize = 32;

/// Longest request line, in bytes.
const LINE_LIMIT: usize = 32 * 1024;

/// Whether the bytes begin with `METHOD target HTTP/1.x`.
pub(super) fn first_line(bytes: &[u8]) -> Line {
    let method = bytes.iter().take_while(|b| is_token(**b)).count();
    if method > METHOD_LIMIT {
        return Line::Other;
    }
    match bytes.get(method) {
        None => return Line::Open,
        Some(b' ') if method > 0 => {}
        Some(_) => return Line::Other,
    }
    let Some(end) = bytes.iter().position(|b| *b == b'\n') else {
        let text = bytes.iter().all(|b| *b >= 0x20 || matches!(b, b'\r' | b'\t'));
        return if text && bytes.len() <= LINE_LIMIT { Line::Open } else { Line::Other };
    };
    let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
    let version = line.rsplit(|b| matches!(b, b' ' | b'\t')).next().unwrap_or_default();
    if version.len() == 8 && version.starts_with(b"HTTP/1.") { Line::Request } else { Line::Other }
}

/// The length of a head with its empty line; `None` when it has not ended yet.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    while let Some(at) = bytes.get(start..)?.iter().position(|b| *b == b'\n') {
        let line = &bytes[start..start + at];
        start += at + 1;
        if line.is_empty() || line == b"\r" {
            return Some(start);
        }
    }
    None
}

/// A head as far as the guard is concerned with it.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    pub(super) method: &'a [u8],
    pub(super) target: &'a [u8],
    /// Names in lower case, values without spaces at their ends.
    fields: Vec<(Vec<u8>, &'a [u8])>,
    /// Something in it is read differently by different programs.
    pub(super) odd: bool,
}

impl<'a> Head<'a> {
    /// Reads a head whose first line is a request line.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let mut head = Self::default();
        let mut lines = bytes.split_inclusive(|b| *b == b'\n');
        let first = head.line(lines.next().unwrap_or_default());
        let mut words = first.split(|b| *b == b' ');
        head.method = words.next().unwrap_or_default();
        head.target = words.next().unwrap_or_default();
        let version = words.next().unwrap_or_default();
        head.odd |=
            words.next().is_some() || head.target.is_empty() || !matches!(version, b"HTTP/1.0" | b"HTTP/1.1");
        for line in lines {
            let line = head.line(line);
            if line.is_empty() {
                continue;
            }
            let Some(colon) = line.iter().position(|b| *b == b':') else {
                head.odd = true;
                continue;
            };
            let (name, value) = (&line[..colon], &line[colon + 1..]);
            // A folded line begins with a space, so its name is no token either.
            head.odd |= name.is_empty() || !name.iter().all(|b| is_token(*b));
            let name = name.trim_ascii().to_ascii_lowercase();
            head.fields.push((name, value.trim_ascii()));
        }
        head
    }

    /// A line without its end. Ends other than CR LF, and control characters within, are odd.
    fn line(&mut self, line: &'a [u8]) -> &'a [u8] {
        let Some(content) = line.strip_suffix(b"\r\n") else {
            self.odd = true;
            return line.strip_suffix(b"\n").unwrap_or(line);
        };
        self.odd |= content.iter().any(|b| (*b < 0x20 && *b != b'\t') || *b == 0x7f);
        content
    }

    /// All values of a field, given in lower case.
    pub(super) fn values<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'b> {
        self.fields.iter().filter(move |(n, _)| n == name.as_bytes()).map(|(_, value)| *value)
    }

    /// Whether a browser sends such a head: programs do not speak of pages, and have names of their own. After DNS
    /// rebinding the name is all there is.
    pub(super) fn is_of_browser(&self) -> bool {
        let marks = |name: &[u8]| name.starts_with(b"sec-") || matches!(name, b"origin" | b"referer");
        self.fields.iter().any(|(name, _)| marks(name))
            || self.values("user-agent").any(|name| name.starts_with(b"Mozilla/"))
    }
}

pub(super) fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}
