//! What goes into desktop entries (freedesktop.org's desktop entry specification).

/// A program's path, or another single word, as it stands in the value of `Exec`.
///
/// With a reserved character it stands in quotes with their four characters escaped, and then as a value of the file, where
/// a backslash is written twice. Without one it stands as it is, because `xdg-open` knows no quotes where there is no
/// desktop. Percent signs are doubled in both. A line break has no form in it: the caller refuses such a path.
pub fn exec_word(word: &str) -> String {
    if !word.contains([' ', '"', '\'', '\\', '>', '<', '~', '|', '&', ';', '$', '*', '?', '#', '(', ')', '`'])
    {
        return word.replace('%', "%%");
    }
    let mut text = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '`' | '$' | '\\' => text.extend(['\\', c]),
            '%' => text.push_str("%%"),
            _ => text.push(c),
        }
    }
    text.push('"');
    text.replace('\\', r"\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_one_word_whatever_is_in_it() {
        assert_eq!(exec_word("/opt/100%/app"), "/opt/100%%/app");
        assert_eq!(exec_word("/opt/Fleet line/app"), r#""/opt/Fleet line/app""#);
        assert_eq!(exec_word(r#"/a"b$c%d"#), r#""/a\\"b\\$c%%d""#);
    }
}
