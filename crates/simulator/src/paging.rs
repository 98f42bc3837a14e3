//! Page tokens: opaque to callers, good only for the request that got them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Makes and checks the tokens of one simulator.
pub(crate) struct PageTokens {
    key: [u8; 32],
}

/// A token that was not made here, or for another request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadToken;

const TAG_BYTES: usize = 16;

impl PageTokens {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// A token that continues `request` (operation, account, Region and filters as one text) at `position`.
    pub(crate) fn make(&self, request: &str, position: u64) -> String {
        let mut bytes = position.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.tag(request, position)[..TAG_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position a token continues `request` at.
    pub(crate) fn read(&self, request: &str, token: &str) -> Result<u64, BadToken> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| BadToken)?;
        let (position, tag) = bytes.split_first_chunk::<8>().ok_or(BadToken)?;
        let position = u64::from_be_bytes(*position);
        if tag == &self.tag(request, position)[..TAG_BYTES] { Ok(position) } else { Err(BadToken) }
    }

    fn tag(&self, request: &str, position: u64) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new(&{
            let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
            block[..32].copy_from_slice(&self.key);
            block
        });
        mac.update(&position.to_be_bytes());
        mac.update(request.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for PageTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageTokens(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{BadToken, PageTokens};

    #[test]
    fn a_token_is_good_for_its_own_request_only() {
        let tokens = PageTokens::new([7; 32]);
        let token = tokens.make("DescribeSessions/1", 42);
        assert_eq!(tokens.read("DescribeSessions/1", &token), Ok(42));
        assert_eq!(tokens.read("DescribeSessions/2", &token), Err(BadToken));
        assert_eq!(PageTokens::new([8; 32]).read("DescribeSessions/1", &token), Err(BadToken));
        for bad in ["", "x", "AAAA", "not base64!", &token[1..]] {
            assert_eq!(tokens.read("DescribeSessions/1", bad), Err(BadToken), "{bad}");
        }
    }
}
