//! Cutting a query into words, with their places.

/// A stretch of the text in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Place {
    pub(crate) fn of(self, text: &str) -> &str {
        &text[self.start..self.end]
    }
}

/// The places of the words: stretches without spaces outside quotes. Every place begins and ends at a character.
pub(crate) fn words(text: &str) -> Vec<Place> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c, quoted) in scan(text) {
        if !quoted && c.is_whitespace() {
            words.extend(start.take().map(|start| Place { start, end: at }));
        } else if start.is_none() {
            start = Some(at);
        }
    }
    words.extend(start.map(|start| Place { start, end: text.len() }));
    words
}

/// Parts of a stretch between separators outside quotes. At least one, possibly empty.
pub(crate) fn split(text: &str, place: Place, separator: char) -> Vec<Place> {
    let mut parts = Vec::new();
    let mut start = place.start;
    for (at, c, quoted) in scan(place.of(text)) {
        if !quoted && c == separator {
            parts.push(Place { start, end: place.start + at });
            start = place.start + at + c.len_utf8();
        }
    }
    parts.push(Place { start, end: place.end });
    parts
}

/// The first place of a character outside quotes, relative to the text.
pub(crate) fn find(text: &str, wanted: char) -> Option<usize> {
    scan(text).find(|(_, c, quoted)| !quoted && *c == wanted).map(|(at, _, _)| at)
}

/// The text without its quotes and escapes.
pub(crate) fn unquote(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut inside = false;
    while let Some(c) = chars.next() {
        match c {
            '"' => inside = !inside,
            '\\' if inside && matches!(chars.peek(), Some('"' | '\\')) => plain.extend(chars.next()),
            _ => plain.push(c),
        }
    }
    plain
}

/// Whether a quote is never closed.
pub(crate) fn is_open(text: &str) -> bool {
    let (mut inside, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            '"' if !escaped => inside = !inside,
            '\\' if inside && !escaped => {
                escaped = true;
                continue;
            }
            _ => {}
        }
        escaped = false;
    }
    inside
}

/// The text in quotes when it has characters with a meaning.
pub(crate) fn quote(text: &str) -> String {
    let plain = !text.is_empty()
        && text != "OR"
        && !text.starts_with(['-', '<', '>', '='])
        && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | '=' | ':' | '*' | '\\'));
    if plain {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// All characters with their places and whether they stand inside quotes. Quotes themselves count as inside.
fn scan(text: &str) -> impl Iterator<Item = (usize, char, bool)> {
    let (mut inside, mut escaped) = (false, false);
    text.char_indices().map(move |(at, c)| {
        let was_inside = inside;
        if inside && c == '\\' && !escaped {
            escaped = true;
            return (at, c, true);
        }
        if c == '"' && !escaped {
            inside = !inside;
        }
        escaped = false;
        (at, c, was_inside || inside)
    })
}

/// UTF-16 code units before a byte place.
pub(crate) fn utf16_at(text: &str, byte: usize) -> u32 {
    let units = text[..byte].encode_utf16().count();
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// The byte place of a UTF-16 place; inside a character its beginning, past the end the end.
pub(crate) fn byte_at(text: &str, utf16: u32) -> usize {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > utf16 as usize {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word_texts(text: &str) -> Vec<&str> {
        words(text).into_iter().map(|w| w.of(text)).collect()
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(word_texts(r#" a  tag:"b c"=d "e \" f"g "#), ["a", r#"tag:"b c"=d"#, r#""e \" f"g"#]);
        assert_eq!(word_texts("\"open end"), ["\"open end"]);
    }

    #[test]
    fn quoting_is_undone_by_unquoting() {
        for text in ["", "a b", "a\"b\\c", "OR", "-x", "<3", "plain", "\\"] {
            assert_eq!(unquote(&quote(text)), text);
            assert!(!is_open(&quote(text)));
            assert_eq!(word_texts(&quote(text)).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn places_count_utf16_units() {
        let text = "ä😀b";
        assert_eq!(utf16_at(text, text.len()), 4);
        assert_eq!([0, 1, 2, 3, 4, 9].map(|u| byte_at(text, u)), [0, 2, 2, 6, 7, 7]);
    }
}
