//! What an administrator sets for the sessions of an account-Region.

use crate::control::{Control, ControlError};
use crate::documents::{DocumentFormat, NewContent};
use crate::kms::{self, SessionKey};
use crate::trail::TrailState;

impl Control {
    /// ARN of the KMS key that an account has in a Region. Its alias is `alias/fleet-sessions`.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn kms_key(&self, account: &str, region: &str) -> Result<String, ControlError> {
        let index = self.account(account)?;
        Ok(kms::arn(&self.shared, self.shared.world.accounts[index].plan.id, region))
    }

    /// Enables or disables the KMS key that an account has in a Region: disabled, it neither makes nor opens data keys.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn set_kms_key_enabled(
        &self,
        account: &str,
        region: &str,
        enabled: bool,
    ) -> Result<(), ControlError> {
        self.shared.live.set_key_enabled(self.kms_key(account, region)?, enabled);
        Ok(())
    }

    /// Seals the shells and commands started from now on in an account-Region with this key; `None` seals none. Port
    /// sessions are never sealed (protocol.md 8.7).
    ///
    /// To play a node whose role may not open data keys, [`deny`](Self::deny) `kms:Decrypt` on the key.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn set_session_key(
        &self,
        account: &str,
        region: &str,
        key: Option<SessionKey>,
    ) -> Result<(), ControlError> {
        self.shared.live.set_session_key(self.account(account)?, region, key);
        Ok(())
    }

    /// Whether an account has a trail, and whether it is logging. At first every account has one that is.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn set_trail(&self, account: &str, state: TrailState) -> Result<(), ControlError> {
        self.shared.trail.set_state(self.account(account)?, state);
        Ok(())
    }

    /// Puts a session document (protocol.md 1.9) into an account-Region, in place of any of this name: the account's
    /// own, or its preferences as `SSM-SessionManagerRunShell`; what was there stays as an older version. Sessions started from now on use it: its type, its
    /// parameters, the commands of the node's platform, shell profile, run-as user (only `ssm-user` exists), KMS key,
    /// idle and maximum time, bucket and log group. Where it names no key, [`set_session_key`](Self::set_session_key)
    /// counts.
    ///
    /// # Errors
    /// If there is no such account, the name is none of the account's own, or the text is not such a document in JSON.
    pub fn put_document(
        &self,
        account: &str,
        region: &str,
        name: &str,
        json: &str,
    ) -> Result<(), ControlError> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
        if !(3..=128).contains(&name.len()) || !name.bytes().all(fits) || name.starts_with("AWS-") {
            return Err(ControlError::Invalid(format!("{name} is no name for a document of an account")));
        }
        let new = NewContent::read(json, DocumentFormat::Json)
            .map_err(|error| ControlError::Invalid(format!("{name}: {error}")))?;
        let (account, now_ms) = (self.account(account)?, self.shared.now_ms());
        self.shared.live.documents(|store| store.put((account, region), name, new, now_ms));
        Ok(())
    }
}
