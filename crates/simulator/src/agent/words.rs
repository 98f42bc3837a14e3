//! Splitting a command line into words by shell quoting, without expansions (protocol.md 7.6).

/// A command line that cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum WordsError {
    /// A quote is not closed.
    #[error("unterminated quote in the command")]
    Quote,
    /// A backslash ends the line.
    #[error("the command ends in a backslash")]
    Backslash,
    /// Nothing but blanks.
    #[error("the command is empty")]
    Empty,
}

/// The words of `line`: single quotes keep everything, double quotes all but `\"`, `\\`, `` \` ``, `\$` and a joined
/// line, and a backslash outside keeps the next character.
pub(super) fn split(line: &str) -> Result<Vec<String>, WordsError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(WordsError::Quote)? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(WordsError::Quote)? {
                        '"' => break,
                        '\\' => match chars.next().ok_or(WordsError::Quote)? {
                            c @ ('"' | '\\' | '`' | '$') => word.push(c),
                            '\n' => {}
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => match chars.next().ok_or(WordsError::Backslash)? {
                '\n' => {}
                c => word.get_or_insert_default().push(c),
            },
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if words.is_empty() { Err(WordsError::Empty) } else { Ok(words) }
}

#[cfg(test)]
mod tests {
    use super::{WordsError, split};

    #[test]
    fn words_are_split_as_a_shell_would() {
        for (line, words) in [
            ("ls -l", vec!["ls", "-l"]),
            ("  a\tb  ", vec!["a", "b"]),
            ("sh -c 'echo $((6*7)); exit 3'", vec!["sh", "-c", "echo $((6*7)); exit 3"]),
            (r#"a "b c" 'd "e'"#, vec!["a", "b c", "d \"e"]),
            (r#"a\ b "\"\\\n\$" ''"#, vec!["a b", "\"\\\\n$", ""]),
            ("x'y'z", vec!["xyz"]),
            ("grüße 日本", vec!["grüße", "日本"]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
    }

    #[test]
    fn what_cannot_be_split_is_named() {
        assert_eq!(split("echo 'a"), Err(WordsError::Quote));
        assert_eq!(split("echo \"a"), Err(WordsError::Quote));
        assert_eq!(split("echo \"a\\"), Err(WordsError::Quote));
        assert_eq!(split("echo \\"), Err(WordsError::Backslash));
        assert_eq!(split(" \n"), Err(WordsError::Empty));
    }
}
