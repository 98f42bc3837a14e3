//! Signing in and out, and what a sign-in opens.

use fleetline_engine::ports::ApiError;
use fleetline_signin::{CacheError, Method, Prompt, SignInError, sign_in};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::sources::AwsSources;

/// Accounts whose roles are asked for at the same time.
const AT_ONCE: usize = 4;

/// A sign-in that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Name of the `sso-session`, or the start URL of the older form.
    pub session: String,
    /// End of the access token in epoch milliseconds. Most are refreshed without a person.
    pub expires_ms: i64,
    /// Sources that use it, by name.
    pub sources: Vec<String>,
}

/// An account a sign-in opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInAccount {
    /// Twelve digits.
    pub account_id: String,
    /// Name; may be empty.
    pub name: String,
    /// Address of its owner; may be empty.
    pub email: String,
    /// Names of the roles the person has there.
    pub roles: Vec<String>,
}

/// Why nobody is signed in or out.
#[derive(Debug, thiserror::Error)]
pub enum SignInFailure {
    /// Neither a source nor an `sso-session` has this name.
    #[error("There is no AWS profile and no sso-session named {0} in the configuration.")]
    Unknown(String),
    /// The source gets its credentials in another way.
    #[error("The AWS profile {0} does not sign in through IAM Identity Center.")]
    OtherWay(String),
    /// The configuration cannot be used; the text is a sentence.
    #[error("{0}")]
    Configuration(String),
    /// The sign-in did not succeed.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The portal, or the way to it.
    #[error("{}", .0.message)]
    Portal(ApiError),
    /// The token on this computer cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl AwsSources {
    /// Signs in a source, or an `sso-session`, through IAM Identity Center. The token is kept where the AWS CLI finds
    /// it, and serves every source of the same session; sessions that wait for it go on. Dropping the future cancels.
    ///
    /// # Errors
    /// When nobody is signed in afterwards. A token that was there before stays.
    pub async fn sign_in(
        &self,
        name: &str,
        method: Method,
        prompt: &dyn Prompt,
    ) -> Result<SignedIn, SignInFailure> {
        let (portal, sources) = self.portal(name)?;
        let expires_ms = sign_in(&portal.oidc, &portal.cache, &portal.session, method, prompt).await?;
        self.forget(&sources).await;
        for source in &sources {
            self.credentials_gate(source).renewed();
        }
        Ok(SignedIn { session: portal.session.label().to_owned(), expires_ms, sources })
    }

    /// Signs out a source, or an `sso-session`, with every source that shares the sign-in: the token is forgotten on
    /// this computer first, then ended at AWS. `false` if nobody was signed in.
    ///
    /// # Errors
    /// [`SignInFailure::Portal`] when AWS could not be told; the token is gone from this computer all the same.
    pub async fn sign_out(&self, name: &str) -> Result<bool, SignInFailure> {
        let (portal, sources) = self.portal(name)?;
        let token = portal.cache.token(&portal.session)?;
        portal.cache.forget_token(&portal.session)?;
        self.forget(&sources).await;
        let Some(token) = token else { return Ok(false) };
        portal.log_out(&token).await.map_err(SignInFailure::Portal)?;
        Ok(true)
    }

    /// All accounts and roles the sign-in of a source, or of an `sso-session`, opens, by name.
    ///
    /// # Errors
    /// When nobody is signed in, or AWS does not list them.
    pub async fn signed_in_accounts(&self, name: &str) -> Result<Vec<SignedInAccount>, SignInFailure> {
        let (portal, _) = self.portal(name)?;
        let listed = portal.accounts().await.map_err(SignInFailure::Portal)?;
        let portal = &portal;
        let with_roles = listed.into_iter().map(|(account_id, name, email)| async move {
            let roles = portal.roles(&account_id).await?;
            Ok(SignedInAccount { account_id, name, email, roles })
        });
        let accounts: Result<Vec<_>, ApiError> =
            stream::iter(with_roles).buffered(AT_ONCE).try_collect().await;
        let mut accounts = accounts.map_err(SignInFailure::Portal)?;
        accounts.sort_by(|a, b| (&a.name, &a.account_id).cmp(&(&b.name, &b.account_id)));
        Ok(accounts)
    }
}
