//! Where output is cut: before a character that is not complete yet (protocol.md 7.6).

/// How many of `bytes` can be sent now. At most the last three are held back: those that begin a character whose rest
/// has not come. Bytes that are no UTF-8 pass.
pub(super) fn cut(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let lead = bytes[bytes.len() - back];
        let length = match lead {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        return if length > back { bytes.len() - back } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn incomplete_characters_are_held_back() {
        for (bytes, sendable) in [
            (&b""[..], 0),
            (b"abc", 3),
            ("aé".as_bytes(), 3),
            (b"a\xc3", 1),
            (b"\xe2\x82", 0),
            ("€".as_bytes(), 3),
            (b"x\xf0\x9f\x98", 1),
            ("😀".as_bytes(), 4),
            // No UTF-8: passes.
            (b"\x80\x80\x80\x80", 4),
            (b"\xff", 1),
            (b"a\xc0", 2),
        ] {
            assert_eq!(cut(bytes), sendable, "{bytes:x?}");
        }
    }

    #[test]
    fn any_split_of_a_text_comes_out_whole() {
        let text = "aé€😀z".as_bytes();
        for step in 1..5 {
            let (mut held, mut out) = (Vec::new(), Vec::new());
            for chunk in text.chunks(step) {
                held.extend_from_slice(chunk);
                let sendable = cut(&held);
                assert!(std::str::from_utf8(&held[..sendable]).is_ok());
                out.extend(held.drain(..sendable));
            }
            assert_eq!(out, text);
        }
    }
}
