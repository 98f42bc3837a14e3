//! Bytes of a terminal as text, however they are cut.

/// Turns bytes into text; a character that is cut in two waits for its rest. What is no UTF-8 becomes U+FFFD.
#[derive(Clone, Debug, Default)]
pub struct Utf8 {
    /// The beginning of a character: three bytes at most.
    cut: Vec<u8>,
}

impl Utf8 {
    /// The text of these bytes, as far as it is known.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.cut);
        all.extend_from_slice(bytes);
        let mut text = String::with_capacity(all.len());
        for chunk in all.utf8_chunks() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            let at_end = invalid.as_ptr_range().end == all.as_ptr_range().end;
            if at_end && is_begun(invalid) {
                self.cut = invalid.to_vec();
            } else if !invalid.is_empty() {
                text.push('\u{fffd}');
            }
        }
        text
    }

    /// What is left when nothing more comes.
    pub fn finish(&mut self) -> String {
        if std::mem::take(&mut self.cut).is_empty() { String::new() } else { "\u{fffd}".to_owned() }
    }
}

/// Whether more bytes could make these a character.
fn is_begun(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => false,
        Err(error) => error.valid_up_to() == 0 && error.error_len().is_none() && !bytes.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_text_does_not_depend_on_how_the_bytes_are_cut(bytes: Vec<u8>, cut in 0usize..64) {
            let cut = cut.min(bytes.len());
            let (mut whole, mut parts) = (Utf8::default(), Utf8::default());
            let text = whole.push(&bytes) + &whole.finish();
            let mut pieces = parts.push(&bytes[..cut]);
            pieces += &parts.push(&bytes[cut..]);
            pieces += &parts.finish();
            prop_assert_eq!(pieces, text);
        }
    }

    #[test]
    fn a_character_cut_in_two_is_whole_again() {
        let mut utf8 = Utf8::default();
        assert_eq!(utf8.push(&"a€".as_bytes()[..2]), "a");
        assert_eq!(utf8.push(&"€b".as_bytes()[1..]), "€b");
        assert_eq!(utf8.push(b"\xff") + &utf8.push(b"\xe2") + &utf8.finish(), "\u{fffd}\u{fffd}");
    }
}
