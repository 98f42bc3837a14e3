//! Calls about sources, sign-ins, codes and where secrets are kept.

use fleetline_ipc::CommandError;
use fleetline_ipc::account::{AccountPick, OpenAccount, SignInMethod};
use fleetline_ipc::secrets::{SecretsChoice, SecretsStatus};
use zeroize::Zeroizing;

use super::AppHandle;
use crate::request::{AccountRequest, Reply, Request};
use crate::secrets::SecretsRequest;

impl AppHandle {
    async fn account<T>(&self, request: impl FnOnce(Reply<T>) -> AccountRequest) -> Result<T, CommandError> {
        self.ask(|reply| Request::Account(request(reply))).await
    }

    /// Asks AWS who a source is; without one, all that can be asked without a person. The answers come as events. A
    /// source with an MFA device asks for its code.
    pub async fn accounts_check(&self, source: Option<String>) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::Check { source, reply }).await
    }

    /// Begins to sign in, by the name of a source or of a sign-in, and opens the page. Returns the sign-in's label.
    pub async fn sign_in(&self, name: String, method: SignInMethod) -> Result<String, CommandError> {
        self.account(|reply| AccountRequest::SignIn { name, method, reply }).await
    }

    /// Adds a sign-in by its start URL and begins it. Returns its label.
    pub async fn sign_in_add(
        &self,
        start_url: String,
        region: String,
        method: SignInMethod,
    ) -> Result<String, CommandError> {
        self.account(|reply| AccountRequest::AddSignIn { start_url, region, method, reply }).await
    }

    /// Opens the page of a sign-in that waits once more, or copies its address.
    pub async fn sign_in_page(&self, label: String, copy: bool) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::Page { label, copy, reply }).await
    }

    /// Gives a sign-in up, or takes the word of a failed one away.
    pub async fn sign_in_cancel(&self, label: String) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::Cancel { label, reply }).await
    }

    /// Signs out, on this computer and at AWS.
    pub async fn sign_out(&self, name: String) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::SignOut { name, reply }).await
    }

    /// How secrets of ours are kept. With `ask` the keyring may ask a person to unlock it, which takes two minutes at most;
    /// otherwise five seconds.
    pub async fn secrets_status(&self, ask: bool) -> Result<SecretsStatus, CommandError> {
        self.ask(|reply| Request::Secrets(SecretsRequest::Status { ask, reply })).await
    }

    /// Keeps secrets of ours by something else, in every program of the user.
    pub async fn secrets_keep(&self, choice: SecretsChoice) -> Result<SecretsStatus, CommandError> {
        self.ask(|reply| Request::Secrets(SecretsRequest::Keep { choice, reply })).await
    }

    /// Forgets all secrets of ours; a file that cannot be opened is kept aside.
    pub async fn secrets_forget(&self) -> Result<SecretsStatus, CommandError> {
        self.ask(|reply| Request::Secrets(SecretsRequest::Forget { reply })).await
    }

    /// All accounts and roles a sign-in opens.
    pub async fn sign_in_accounts(&self, label: String) -> Result<Vec<OpenAccount>, CommandError> {
        self.account(|reply| AccountRequest::Opened { label, reply }).await
    }

    /// Makes sources of roles and lists the fleet through them. Returns their names.
    pub async fn accounts_use_roles(
        &self,
        label: String,
        region: String,
        picks: Vec<AccountPick>,
    ) -> Result<Vec<String>, CommandError> {
        self.account(|reply| AccountRequest::UseRoles { label, region, picks, reply }).await
    }

    /// Lists the fleet through these sources as well, or no longer.
    pub async fn accounts_use(&self, sources: Vec<String>, in_use: bool) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::Use { sources, in_use, reply }).await
    }

    /// Forgets a source or a sign-in that was added in Fleetline.
    pub async fn account_remove(&self, name: String) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::Remove { name, reply }).await
    }

    /// Gives the code of an MFA device to the source that waits for it.
    pub async fn mfa_answer(&self, source: String, code: String) -> Result<(), CommandError> {
        let code = Zeroizing::new(code);
        self.account(|reply| AccountRequest::GiveCode { source, code, reply }).await
    }

    /// Gives no code: whoever waits for it fails.
    pub async fn mfa_decline(&self, source: String) -> Result<(), CommandError> {
        self.account(|reply| AccountRequest::DeclineCode { source, reply }).await
    }
}
