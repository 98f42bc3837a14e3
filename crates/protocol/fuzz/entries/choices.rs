//! Reads fuzz input as a series of decisions.

/// What is left of the input.
pub(crate) struct Choices<'a>(pub(crate) &'a [u8]);

impl Choices<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte; 0 when there is none.
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Some number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let wide =
            if limit > 256 { u16::from_be_bytes([self.byte(), self.byte()]) } else { self.byte().into() };
        usize::from(wide) % limit
    }

    /// A size: mostly small.
    pub(crate) fn size(&mut self) -> usize {
        let byte = usize::from(self.byte());
        if byte < 200 { byte } else { (byte - 199) * 137 }
    }
}

/// Byte number `position` of stream number `salt`, so that streams need not be kept to compare them.
pub(crate) fn byte_at(salt: u32, position: usize) -> u8 {
    (position.wrapping_mul(31) ^ (position >> 8) ^ (salt as usize).wrapping_mul(101)) as u8
}

/// Part of a stream.
pub(crate) fn bytes_from(salt: u32, position: usize, count: usize) -> Vec<u8> {
    (position..position + count).map(|position| byte_at(salt, position)).collect()
}
