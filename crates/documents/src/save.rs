//! Saving an edited document: a new one, or a new version upon the one that was read.

use std::error::Error;

use crate::calls::{
    DocumentCalls, DocumentError, DocumentErrorKind, DocumentFacts, PREFERENCES, VersionChoice,
};
use crate::text::DocumentText;

/// What is to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Save {
    /// Name of the document.
    pub name: String,
    /// The content, as JSON.
    pub content: String,
    /// Hash of the latest version when the edit began; `None` for a document that is made now.
    pub base: Option<String>,
    /// Whether sessions use the version from now on.
    pub make_default: bool,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The document as it now is, at the version with this content.
    pub facts: DocumentFacts,
    /// Whether a version was made: not when the content was there already.
    pub is_new: bool,
}

/// Why it was not saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaveError<E: Error + 'static> {
    /// The latest version is not the one the edit began with: somebody saved another one.
    #[error("version {} was saved by somebody else meanwhile", .latest.version)]
    Changed {
        /// The latest version.
        latest: DocumentFacts,
    },
    /// It was saved, but the default could not be moved.
    #[error("version {} was saved, but is not the default: {error}", .saved.version)]
    NotDefault {
        /// The version that was saved.
        saved: DocumentFacts,
        /// Why it is not the default.
        error: DocumentError<E>,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] DocumentError<E>),
}

/// Saves. The API has no compare-and-set, so the hash of the latest version is read again right before the update; a
/// change between the two calls goes unseen. An update with the content of the latest version is done already.
///
/// # Errors
/// See [`SaveError`].
pub async fn save<E: Error + Send + 'static>(
    calls: &dyn DocumentCalls<E>,
    save: Save,
) -> Result<Saved, SaveError<E>> {
    let Save { name, content, base, make_default } = save;
    let Some(base) = base else {
        // The first version is the default.
        let facts = calls.create(name, content).await?;
        return Ok(Saved { facts, is_new: true });
    };
    let latest = calls.facts(name.clone(), VersionChoice::Latest).await?;
    if latest.hash != base {
        return Err(SaveError::Changed { latest });
    }
    let (facts, is_new) = match calls.update(name.clone(), content).await {
        Ok(facts) => (facts, true),
        Err(error) if error.kind == DocumentErrorKind::Unchanged => (latest, false),
        Err(error) => return Err(error.into()),
    };
    if !make_default || facts.default_version == facts.version {
        return Ok(Saved { facts, is_new });
    }
    match calls.set_default(name, facts.version.clone()).await {
        Ok(()) => {
            let default_version = facts.version.clone();
            Ok(Saved { facts: DocumentFacts { default_version, ..facts }, is_new })
        }
        Err(error) => Err(SaveError::NotDefault { saved: facts, error }),
    }
}

/// What became of session preferences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PreferencesSaved {
    /// They were saved for the first time.
    Created,
    /// They have a new version, which is the default.
    Updated,
    /// They said this already.
    Unchanged,
}

/// Makes the session preferences of an account-Region say `content`: creates them where nobody ever saved any
/// (aws-security-reliability.md A.6), else saves a version that is the default. Preferences whose default says so
/// already are left alone. Gives the version sessions use then.
///
/// # Errors
/// As [`save`].
pub async fn save_preferences<E: Error + Send + 'static>(
    calls: &dyn DocumentCalls<E>,
    content: String,
) -> Result<(PreferencesSaved, String), SaveError<E>> {
    let name = PREFERENCES.to_owned();
    let latest = match calls.facts(name.clone(), VersionChoice::Latest).await {
        Ok(latest) => latest,
        Err(error) if error.kind == DocumentErrorKind::Missing => {
            let made = calls.create(name, content).await?;
            return Ok((PreferencesSaved::Created, made.version));
        }
        Err(error) => return Err(error.into()),
    };
    let now = calls.content(name.clone(), VersionChoice::Default).await?;
    if says_the_same(&now, &content) {
        return Ok((PreferencesSaved::Unchanged, latest.default_version));
    }
    let saved = save(calls, Save { name, content, base: Some(latest.hash), make_default: true }).await?;
    Ok((PreferencesSaved::Updated, saved.facts.version))
}

/// Whether two texts are the same but for their layout.
fn says_the_same(a: &str, b: &str) -> bool {
    match (DocumentText::parse(a), DocumentText::parse(b)) {
        (Ok(a), Ok(b)) => a.value() == b.value(),
        _ => a == b,
    }
}
