//! Signing in and out, and what a sign-in opens.

use fleetline_engine::ports::ApiError;
use fleetline_signin::{Method, Prompt, SignedIn, SignedInAccount, SignedInRole, sign_in};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::config::AwsConfig;
use crate::sources::AwsSources;

/// Accounts whose roles are asked for at the same time.
const AT_ONCE: usize = 4;

/// Why nobody is signed in or out.
pub type SignInFailure = fleetline_signin::SignInFailure<ApiError>;

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
        self.fetch_anew(&sources);
        for source in &sources {
            self.credentials_gate(source).renewed();
        }
        self.tell();
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
        self.tell();
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
        let config = AwsConfig::read(self.settings()).map_err(SignInFailure::Configuration)?;
        let known = config.sources_of_roles(portal.session.label());
        let (portal, known) = (&portal, &known);
        let with_roles = listed.into_iter().map(|(account_id, name, email)| async move {
            let names = portal.roles(&account_id).await?.into_iter();
            let roles = names.map(|name| {
                let source = known.get(&(account_id.as_str(), name.as_str())).map(|name| (*name).to_owned());
                SignedInRole { name, source }
            });
            let roles = roles.collect();
            Ok(SignedInAccount { account_id, name, email, roles })
        });
        let accounts: Result<Vec<_>, ApiError> =
            stream::iter(with_roles).buffered(AT_ONCE).try_collect().await;
        let mut accounts = accounts.map_err(SignInFailure::Portal)?;
        accounts.sort_by(|a, b| (&a.name, &a.account_id).cmp(&(&b.name, &b.account_id)));
        Ok(accounts)
    }
}
