//! What is signed in to, and the names of its cache files.

use sha1::{Digest, Sha1};

/// The scope of account access, which is asked for when the configuration names none.
pub const DEFAULT_SCOPE: &str = "sso:account:access";

/// An `sso-session` of the AWS configuration, or the start URL of a profile of the older form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SsoSession {
    /// Name of the `sso-session`; `None` for the older form.
    pub name: Option<String>,
    /// `sso_start_url`.
    pub start_url: String,
    /// `sso_region`.
    pub region: String,
    /// `sso_registration_scopes`; empty means [`DEFAULT_SCOPE`], and nothing at all in the older form.
    pub scopes: Vec<String>,
}

impl SsoSession {
    /// What names its token: the session, else the start URL.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.start_url)
    }

    /// The scopes that are registered; the older form registers none.
    pub fn registered_scopes(&self) -> Vec<String> {
        match (&self.name, self.scopes.is_empty()) {
            (None, _) => Vec::new(),
            (Some(_), true) => vec![DEFAULT_SCOPE.to_owned()],
            (Some(_), false) => self.scopes.clone(),
        }
    }

    /// File name of the token.
    pub(crate) fn token_file(&self) -> String {
        format!("{}.json", hash(self.label()))
    }

    /// File name of the client registration: the hash of a JSON text as Python writes it.
    pub(crate) fn registration_file(&self) -> String {
        let scopes = self.registered_scopes();
        let scopes = if scopes.is_empty() {
            "null".to_owned()
        } else {
            let quoted: Vec<String> = scopes.iter().map(|scope| python_text(scope)).collect();
            format!("[{}]", quoted.join(", "))
        };
        let name = self.name.as_deref().map_or_else(|| "null".to_owned(), python_text);
        let key = format!(
            "{{\"region\": {}, \"scopes\": {scopes}, \"session_name\": {name}, \"startUrl\": {}, \"tool\": \"botocore\"}}",
            python_text(&self.region),
            python_text(&self.start_url)
        );
        format!("{}.json", hash(&key))
    }
}

fn hash(text: &str) -> String {
    hex::encode(Sha1::digest(text.as_bytes()))
}

/// A JSON text in ASCII, as Python's `json.dumps` writes it.
fn python_text(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(b'"') => out.push_str("\\\""),
            Ok(b'\\') => out.push_str("\\\\"),
            Ok(b'\n') => out.push_str("\\n"),
            Ok(b'\r') => out.push_str("\\r"),
            Ok(b'\t') => out.push_str("\\t"),
            Ok(8) => out.push_str("\\b"),
            Ok(12) => out.push_str("\\f"),
            Ok(byte @ 0x20..=0x7e) => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\u{unit:04x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(name: Option<&str>) -> SsoSession {
        SsoSession {
            name: name.map(str::to_owned),
            start_url: "https://fleet.awsapps.com/start".to_owned(),
            region: "eu-central-1".to_owned(),
            scopes: Vec::new(),
        }
    }

    #[test]
    fn files_are_named_as_the_aws_cli_names_them() {
        // From Python: hashlib.sha1(b"fleet").hexdigest(), and of json.dumps(..., sort_keys=True).
        assert_eq!(session(Some("fleet")).token_file(), "f35f940f055fcd1badde7e5fecb2531e079eaa52.json");
        assert_eq!(session(None).token_file(), "c7f0b72072a996f29dec84cac263ce4f4baa432f.json");
        assert_eq!(
            session(Some("fleet")).registration_file(),
            "3b118430adc0b356391f382fe7fd82c60777bd9f.json"
        );
        assert_eq!(session(None).registration_file(), "b7ad00432ae0d06ab5c746633b2999048f52eed1.json");
        assert_eq!(
            session(Some("größe\"😀")).registration_file(),
            "fe6fc980562012d04abfcd84ae96129423dee1f4.json"
        );
    }
}
