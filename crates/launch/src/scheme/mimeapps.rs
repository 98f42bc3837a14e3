//! The user's list of default programs, `mimeapps.list` of the MIME applications specification of freedesktop.org, edited
//! in one line. Every other byte stays.

/// The section with the defaults.
const SECTION: &[u8] = b"[Default Applications]";

/// Puts `id` in front of the programs for `kind`. A file that has it in front stays as it is.
pub(super) fn prefer(file: &[u8], kind: &str, id: &str) -> Vec<u8> {
    let without = forget(file, kind, id);
    let newline = newline(file);
    let mut text = Vec::new();
    let mut in_section = false;
    let mut done = false;
    let mut lines = without.split_inclusive(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let bare = trimmed(line);
        if let Some(value) = value_of(bare, kind).filter(|_| in_section && !done) {
            text.extend(&bare[..bare.len() - value.len()]);
            text.extend(format!("{id};").as_bytes());
            text.extend(value);
            text.extend(&line[bare.len()..]);
            done = true;
            continue;
        }
        text.extend(line);
        if bare.starts_with(b"[") {
            in_section = bare == SECTION;
            // The section may come several times; the value may be in a later one.
            if in_section && !done && !has_value(lines.clone(), kind) {
                if !line.ends_with(b"\n") {
                    text.extend(newline);
                }
                text.extend(format!("{kind}={id}").as_bytes());
                text.extend(newline);
                done = true;
            }
        }
    }
    if !done {
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.extend(newline);
        }
        text.extend(SECTION);
        text.extend(newline);
        text.extend(format!("{kind}={id}").as_bytes());
        text.extend(newline);
    }
    text
}

/// Takes `id` out of the programs for `kind`; a line that then names nobody goes.
pub(super) fn forget(file: &[u8], kind: &str, id: &str) -> Vec<u8> {
    let mut text = Vec::new();
    let mut in_section = false;
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        let bare = trimmed(line);
        if bare.starts_with(b"[") {
            in_section = bare == SECTION;
        }
        let value = value_of(bare, kind).filter(|_| in_section);
        let Some(value) = value.filter(|value| names(value).any(|name| name == id.as_bytes())) else {
            text.extend(line);
            continue;
        };
        let rest = match value.strip_prefix(format!("{id};").as_bytes()) {
            // Ours was put in front, and what follows is as it was.
            Some(rest) => rest.to_vec(),
            None => names(value).filter(|name| *name != id.as_bytes()).collect::<Vec<_>>().join(&b";"[..]),
        };
        if rest.is_empty() && !value.ends_with(b";") {
            continue;
        }
        text.extend(&bare[..bare.len() - value.len()]);
        text.extend(rest);
        text.extend(&line[bare.len()..]);
    }
    text
}

/// The program in front for `kind`, if any.
pub(super) fn preferred(file: &[u8], kind: &str) -> Option<String> {
    let mut in_section = false;
    for line in file.split(|byte| *byte == b'\n') {
        let bare = trimmed(line);
        if bare.starts_with(b"[") {
            in_section = bare == SECTION;
        }
        if let Some(value) = value_of(bare, kind).filter(|_| in_section) {
            return names(value).next().map(|name| String::from_utf8_lossy(name).into_owned());
        }
    }
    None
}

fn has_value<'a>(lines: impl Iterator<Item = &'a [u8]>, kind: &str) -> bool {
    let mut in_section = true;
    for line in lines {
        let bare = trimmed(line);
        if bare.starts_with(b"[") {
            in_section = bare == SECTION;
        }
        if in_section && value_of(bare, kind).is_some() {
            return true;
        }
    }
    false
}

/// What stands after `kind=`; spaces around the sign are allowed.
fn value_of<'a>(line: &'a [u8], kind: &str) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(kind.as_bytes())?.trim_ascii_start();
    Some(rest.strip_prefix(b"=")?.trim_ascii_start())
}

fn names(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|name| !name.is_empty())
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii_end()
}

fn newline(file: &[u8]) -> &'static [u8] {
    if file.windows(2).any(|pair| pair == b"\r\n") { b"\r\n" } else { b"\n" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIND: &str = "x-scheme-handler/fleetline";
    const ID: &str = "ours.desktop";

    fn preferring(file: &str) -> String {
        String::from_utf8(prefer(file.as_bytes(), KIND, ID)).unwrap()
    }

    #[test]
    fn it_is_put_in_front_and_taken_out_with_nothing_else_changed() {
        let line = "x-scheme-handler/fleetline=ours.desktop\n";
        for (before, after) in [
            ("[Default Applications]\ntext/html=b.desktop\n", format!("[Default Applications]\n{line}text/html=b.desktop\n")),
            (
                "[Added Associations]\nx-scheme-handler/fleetline=z.desktop\n[Default Applications]\nx-scheme-handler/fleetline=a.desktop;b.desktop;\n",
                "[Added Associations]\nx-scheme-handler/fleetline=z.desktop\n[Default Applications]\nx-scheme-handler/fleetline=ours.desktop;a.desktop;b.desktop;\n".to_owned(),
            ),
            ("[Default Applications]\r\na=b\r\n", "[Default Applications]\r\nx-scheme-handler/fleetline=ours.desktop\r\na=b\r\n".to_owned()),
            ("# mine\n[Default Applications]\n[X]\n[Default Applications]\nx-scheme-handler/fleetline = a.desktop", "# mine\n[Default Applications]\n[X]\n[Default Applications]\nx-scheme-handler/fleetline = ours.desktop;a.desktop".to_owned()),
        ] {
            let with = preferring(before);
            assert_eq!(with, after);
            assert_eq!(preferred(with.as_bytes(), KIND).as_deref(), Some(ID));
            assert_eq!(preferring(&with), with, "again is nothing new");
        }
        assert_eq!(preferring(""), format!("[Default Applications]\n{line}"));
        assert_eq!(preferring("a=b"), format!("a=b\n[Default Applications]\n{line}"));
    }

    #[test]
    fn one_that_somebody_else_put_behind_is_found_as_well() {
        let file = format!("[Default Applications]\n{KIND}=a.desktop;{ID};b.desktop\n");
        assert_eq!(preferred(file.as_bytes(), KIND).as_deref(), Some("a.desktop"));
        let without = forget(file.as_bytes(), KIND, ID);
        assert_eq!(without, format!("[Default Applications]\n{KIND}=a.desktop;b.desktop\n").into_bytes());
        assert_eq!(preferred(b"[Added Associations]\nx-scheme-handler/fleetline=a\n", KIND), None);
    }

    fn file() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            "[a-z/-]{1,12}=[a-z]{1,6}\\.desktop;?",
            Just("[Default Applications]".to_owned()),
            Just("[Added Associations]".to_owned()),
            Just("# a word".to_owned()),
            Just(String::new()),
            "x-scheme-handler/fleetline=[a-z]{1,5}\\.desktop(;[a-z]{1,5}\\.desktop)?;?",
        ];
        proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n") + "\n")
    }

    proptest! {
        #[test]
        fn what_was_there_comes_back_byte_for_byte_where_the_section_was_there(file in file()) {
            prop_assume!(file.contains("[Default Applications]\n"));
            let with = prefer(file.as_bytes(), KIND, ID);
            prop_assert_eq!(preferred(&with, KIND), Some(ID.to_owned()));
            prop_assert_eq!(String::from_utf8(forget(&with, KIND, ID)).unwrap(), file);
        }

        #[test]
        fn any_bytes_are_taken(file in proptest::collection::vec(any::<u8>(), 0..200)) {
            let with = prefer(&file, KIND, ID);
            prop_assert_eq!(preferred(&with, KIND), Some(ID.to_owned()));
        }
    }
}
