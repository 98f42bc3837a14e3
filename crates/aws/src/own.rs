//! Sign-ins and sources this program made, in a file of its own that has the form of the AWS configuration, so that the
//! AWS files stay as their owner wrote them.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::config::contents;

/// What the file begins with.
const HEAD: &str = "# Sign-ins and AWS profiles added in Fleetline. This file has the form of ~/.aws/config:\n\
     # what should be there as well can be copied. Lines that are not understood are not kept.\n";
/// Sign-ins and roles kept at most, so that no answer of a portal fills the disk.
const LIMIT: usize = 20_000;

/// A sign-in of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnSession {
    pub(crate) name: String,
    pub(crate) start_url: String,
    pub(crate) region: String,
}

/// A role of ours: an AWS profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnRole {
    pub(crate) name: String,
    pub(crate) session: SessionRef,
    pub(crate) account: String,
    pub(crate) role: String,
    pub(crate) region: String,
}

/// What a role signs in by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SessionRef {
    /// An `sso-session`, of the user's files or of ours.
    Named(String),
    /// The older form.
    Address { start_url: String, region: String },
}

/// The content of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnSources {
    pub(crate) sessions: Vec<OwnSession>,
    pub(crate) roles: Vec<OwnRole>,
}

impl OwnSources {
    /// Reads the file; without one there is nothing.
    ///
    /// # Errors
    /// A sentence naming the file.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, String> {
        Ok(Self::parse(&contents(file)?))
    }

    /// Reads what this program writes; anything else counts for nothing.
    fn parse(text: &str) -> Self {
        let mut own = Self::default();
        let mut section: Option<(String, Vec<(String, String)>)> = None;
        let lines = text.lines().map(str::trim).chain(["[]"]);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
            if let Some(head) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                if let Some((head, members)) = section.replace((head.trim().to_owned(), Vec::new())) {
                    own.take(&head, &members);
                }
            } else if let (Some((_, members)), Some((key, value))) = (&mut section, line.split_once('=')) {
                members.push((key.trim().to_owned(), value.trim().to_owned()));
            }
        }
        own
    }

    fn take(&mut self, head: &str, members: &[(String, String)]) {
        let get = |name: &str| {
            let found = members.iter().find(|(key, value)| key == name && !value.is_empty());
            found.map(|(_, value)| value.clone())
        };
        if self.sessions.len() + self.roles.len() >= LIMIT {
            return;
        }
        if let Some(name) = head.strip_prefix("sso-session ") {
            let (Some(start_url), Some(region)) = (get("sso_start_url"), get("sso_region")) else { return };
            self.sessions.push(OwnSession { name: name.trim().to_owned(), start_url, region });
        } else if let Some(name) = head.strip_prefix("profile ") {
            let session = match (get("sso_session"), get("sso_start_url"), get("sso_region")) {
                (Some(name), ..) => SessionRef::Named(name),
                (None, Some(start_url), Some(region)) => SessionRef::Address { start_url, region },
                _ => return,
            };
            let (Some(account), Some(role)) = (get("sso_account_id"), get("sso_role_name")) else { return };
            let (name, region) = (name.trim().to_owned(), get("region").unwrap_or_default());
            self.roles.push(OwnRole { name, session, account, role, region });
        }
    }

    /// The file's text.
    pub(crate) fn to_text(&self) -> String {
        let mut text = HEAD.to_owned();
        for OwnSession { name, start_url, region } in &self.sessions {
            text.push_str(&format!(
                "\n[sso-session {name}]\nsso_start_url = {start_url}\nsso_region = {region}\n\
                 sso_registration_scopes = {}\n",
                fleetline_signin::DEFAULT_SCOPE
            ));
        }
        for OwnRole { name, session, account, role, region } in &self.roles {
            text.push_str(&format!("\n[profile {name}]\n"));
            match session {
                SessionRef::Named(session) => text.push_str(&format!("sso_session = {session}\n")),
                SessionRef::Address { start_url, region } => {
                    text.push_str(&format!("sso_start_url = {start_url}\nsso_region = {region}\n"));
                }
            }
            text.push_str(&format!("sso_account_id = {account}\nsso_role_name = {role}\n"));
            if !region.is_empty() {
                text.push_str(&format!("region = {region}\n"));
            }
        }
        text
    }

    /// Replaces the file in one step.
    ///
    /// # Errors
    /// A sentence naming the file.
    pub(crate) fn write(&self, file: &Path) -> Result<(), String> {
        let write = || -> io::Result<()> {
            let directory = file.parent().ok_or_else(|| io::Error::other("it has no directory"))?;
            fs::create_dir_all(directory)?;
            // Created with access for the user alone.
            let mut new = tempfile::Builder::new().prefix(".aws-sources-").tempfile_in(directory)?;
            new.write_all(self.to_text().as_bytes())?;
            new.as_file().sync_all()?;
            new.persist(file).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|error| format!("The file {} cannot be written: {error}.", file.display()))
    }
}

/// A name that can stand in a section head: what cannot is replaced by hyphens.
pub(crate) fn section_name(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.@+:/".contains(c);
    let replaced: String = text.trim().chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    replaced.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> OwnSources {
        let role = |name: &str, session| OwnRole {
            name: name.to_owned(),
            session,
            account: "111122223333".to_owned(),
            role: "Operator".to_owned(),
            region: "eu-central-1".to_owned(),
        };
        OwnSources {
            sessions: vec![OwnSession {
                name: "corp".to_owned(),
                start_url: "https://corp.awsapps.com/start".to_owned(),
                region: "eu-central-1".to_owned(),
            }],
            roles: vec![
                role("prod.Operator", SessionRef::Named("corp".to_owned())),
                role(
                    "old.Operator",
                    SessionRef::Address {
                        start_url: "https://old.awsapps.com/start".to_owned(),
                        region: "us-east-1".to_owned(),
                    },
                ),
            ],
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(OwnSources::parse(&sample().to_text()), sample());
        assert_eq!(OwnSources::parse(""), OwnSources::default());
    }

    #[test]
    fn garbled_sections_cost_themselves_only() {
        let text =
            format!("x = y\n[profile a\n[profile half]\nsso_session = corp\n{}[what]\n", sample().to_text());
        assert_eq!(OwnSources::parse(&text), sample());
    }

    #[test]
    fn names_fit_into_section_heads() {
        assert_eq!(section_name(" Pay [prod] äö\n"), "Pay--prod");
        assert_eq!(section_name("a.b@c/d_e+f:g"), "a.b@c/d_e+f:g");
    }
}
