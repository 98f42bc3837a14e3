//! What an administrator sets for the sessions of an account-Region.

use crate::control::{Control, ControlError};
use crate::kms::{self, SessionKey};

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
}
