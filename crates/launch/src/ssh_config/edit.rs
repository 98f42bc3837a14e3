//! Adding and removing one line, on bytes.

/// UTF-8's byte order mark, which stays first.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The line that includes our own file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncludeLine(String);

impl IncludeLine {
    /// Includes a file beside the user's `~/.ssh/config` by its name alone, which OpenSSH looks for in `~/.ssh`.
    /// `None` when the name would need quoting.
    pub fn beside(name: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let fits = !name.is_empty() && !name.starts_with(['-', '.']) && name.bytes().all(plain);
        fits.then(|| Self(format!("Include {name}")))
    }

    /// Includes a file by its absolute path. `None` when OpenSSH could not be told that path.
    pub fn at(path: &str) -> Option<Self> {
        let hard = |c: char| c.is_control() || "\"*?[]\\%".contains(c);
        // Windows' separators work as slashes, and only backslashes are read differently by versions.
        let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
        (!path.is_empty() && !path.contains(hard)).then(|| Self(format!("Include \"{path}\"")))
    }

    /// The line without its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a line of a file is this one, however it is indented.
    fn is(&self, line: &[u8]) -> bool {
        line.trim_ascii() == self.0.as_bytes()
    }
}

/// The file with the line at its top, and nowhere else. Its line end is the one the file's first line has.
pub fn install(file: &[u8], include: &IncludeLine) -> Vec<u8> {
    let (mark, body) = split_mark(file);
    if body.split_inclusive(|b| *b == b'\n').next().is_some_and(|first| first == line(body, include))
        && count(body, include) == 1
    {
        return file.to_vec();
    }
    let rest = remove(body, include);
    [mark, &line(body, include), &rest].concat()
}

/// The file without the line.
pub fn remove(file: &[u8], include: &IncludeLine) -> Vec<u8> {
    let lines = file.split_inclusive(|b| *b == b'\n');
    let mut first = true;
    let mut kept = Vec::with_capacity(file.len());
    for line in lines {
        let (mark, text) = if std::mem::take(&mut first) { split_mark(line) } else { (&[][..], line) };
        kept.extend_from_slice(mark);
        if !include.is(text) {
            kept.extend_from_slice(text);
        }
    }
    kept
}

fn count(body: &[u8], include: &IncludeLine) -> usize {
    body.split(|b| *b == b'\n').filter(|line| include.is(line)).count()
}

fn line(body: &[u8], include: &IncludeLine) -> Vec<u8> {
    let first = body.split_inclusive(|b| *b == b'\n').next().unwrap_or_default();
    let end: &[u8] = if first.ends_with(b"\r\n") { b"\r\n" } else { b"\n" };
    [include.0.as_bytes(), end].concat()
}

fn split_mark(file: &[u8]) -> (&[u8], &[u8]) {
    if file.starts_with(MARK) { file.split_at(MARK.len()) } else { (&[], file) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn include() -> IncludeLine {
        IncludeLine::beside("fleetline.conf").unwrap()
    }

    #[test]
    fn the_line_is_at_the_top_with_the_files_own_line_end() {
        let installed = |file: &[u8]| install(file, &include());
        assert_eq!(installed(b""), b"Include fleetline.conf\n");
        assert_eq!(installed(b"Host a\r\n"), b"Include fleetline.conf\r\nHost a\r\n");
        assert_eq!(installed(b"Host a"), b"Include fleetline.conf\nHost a");
        assert_eq!(installed(b"\xef\xbb\xbfHost a\n"), b"\xef\xbb\xbfInclude fleetline.conf\nHost a\n");
        // One that stands within a block has no meaning of its own; it moves to the top.
        assert_eq!(installed(b"Host a\n  Include fleetline.conf\nX"), b"Include fleetline.conf\nHost a\nX");
    }

    #[test]
    fn only_paths_openssh_reads_in_one_way_are_included() {
        assert_eq!(IncludeLine::at("/home/a b/x").unwrap().as_str(), "Include \"/home/a b/x\"");
        for bad in ["", "a\"b", "a*", "a\nb", "a%h"] {
            assert_eq!(IncludeLine::at(bad), None, "{bad}");
        }
        for bad in ["", "a b", "../x", "-x", "x/y", "x\n"] {
            assert_eq!(IncludeLine::beside(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn removing_gives_back_every_byte(
            lines in prop::collection::vec(
                prop::sample::select(vec![
                    &b"Host *\n"[..],
                    b"\tUser me\r\n",
                    b"\n",
                    b"\r\n",
                    b"# c\xff\xfe\n",
                    b"Match host x exec \"y\"\n",
                    b"Include other\n",
                    b"Include fleetline.conf.d\n",
                    b"Host no-end",
                    b"\xef\xbb\xbf",
                    b"\0\r",
                ]),
                0..12
            )
        ) {
            let file = lines.concat();
            let installed = install(&file, &include());
            prop_assert_eq!(&install(&installed, &include()), &installed, "a second time changes nothing");
            prop_assert_eq!(count(split_mark(&installed).1, &include()), 1);
            prop_assert_eq!(remove(&installed, &include()), file);
        }
    }
}
