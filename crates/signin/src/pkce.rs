//! Proof that whoever redeems a code began the sign-in (RFC 7636).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::form_urlencoded::Serializer;

use crate::oidc::Registration;
use crate::secret::Secret;

/// The secrets of one sign-in in the browser.
#[derive(Clone, Debug)]
pub struct Pkce {
    verifier: Secret,
    state: Secret,
}

impl Default for Pkce {
    fn default() -> Self {
        Self::new()
    }
}

impl Pkce {
    /// New random secrets: 256 bits each.
    pub fn new() -> Self {
        let random = || Secret::new(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
        Self { verifier: random(), state: random() }
    }

    /// What redeems the code.
    pub fn verifier(&self) -> &Secret {
        &self.verifier
    }

    /// The hash of the verifier, which the browser carries.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.expose().as_bytes()))
    }

    /// Whether a callback belongs to this sign-in. Takes the same time whatever the text is, but for its length.
    pub fn is_ours(&self, state: &str) -> bool {
        self.state.expose().as_bytes().ct_eq(state.as_bytes()).into()
    }

    /// Where the browser goes (aws-security-reliability.md A.9; the member is called `scopes` there).
    pub fn authorize_url(
        &self,
        base: &str,
        client: &Registration,
        redirect_uri: &str,
        scopes: &[String],
    ) -> String {
        let query = Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", self.state.expose())
            .append_pair("code_challenge_method", "S256")
            .append_pair("scopes", &scopes.join(" "))
            .append_pair("code_challenge", &self.challenge())
            .finish();
        format!("{base}/authorize?{query}")
    }
}
