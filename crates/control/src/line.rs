//! Bounded lines.

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::LINE_LIMIT;

/// Splits bytes into lines without their ends.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    held: Vec<u8>,
    /// How much of `held` has no line end.
    searched: usize,
}

/// A line is longer than [`LINE_LIMIT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Lines {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Puts back a line that [`Self::next`] has returned.
    pub(crate) fn unread(&mut self, mut line: Vec<u8>) {
        line.push(b'\n');
        line.append(&mut self.held);
        self.held = line;
        self.searched = 0;
    }

    /// The next whole line.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        let found = self.held[self.searched..].iter().position(|b| *b == b'\n');
        let Some(at) = found.map(|at| at + self.searched) else {
            self.searched = self.held.len();
            return if self.held.len() >= LINE_LIMIT { Err(TooLong) } else { Ok(None) };
        };
        if at >= LINE_LIMIT {
            return Err(TooLong);
        }
        let mut line: Vec<u8> = self.held.drain(..=at).collect();
        line.pop();
        self.searched = 0;
        Ok(Some(line))
    }

    /// Reads until there is a whole line. `None` at the end of the stream. Nothing is lost when it is cancelled.
    pub(crate) async fn read(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> std::io::Result<Option<Vec<u8>>> {
        loop {
            match self.next() {
                Ok(Some(line)) => return Ok(Some(line)),
                Ok(None) => {}
                Err(TooLong) => {
                    return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "a line is too long"));
                }
            }
            let mut buffer = [0; 8192];
            match stream.read(&mut buffer).await? {
                0 => return Ok(None),
                count => self.push(&buffer[..count]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, bool) {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in pieces {
            lines.push(piece);
            loop {
                match lines.next() {
                    Ok(Some(line)) => found.push(line),
                    Ok(None) => break,
                    Err(TooLong) => return (found, true),
                }
            }
        }
        (found, false)
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_lines(text in "[a\n]{0,60}", cut in 1usize..9) {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(cut).collect();
            let whole = lines(&[text.as_bytes()]);
            prop_assert_eq!(&lines(&pieces), &whole);
            let mut expected: Vec<&str> = text.split('\n').collect();
            expected.pop();
            let found: Vec<_> = whole.0.iter().map(|line| std::str::from_utf8(line).unwrap()).collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn lines_have_a_limit_with_and_without_their_end() {
        let long = vec![b'x'; LINE_LIMIT];
        assert_eq!(lines(&[&long]), (vec![], true));
        let ended = [&long[..], b"\n"].concat();
        assert_eq!(lines(&[&ended]), (vec![], true));
        let fits = [&long[1..], b"\n"].concat();
        assert_eq!(lines(&[&fits]).0.len(), 1);
    }
}
