//! Finding a document by the name or ARN in a request.

use std::sync::Arc;

use super::{SessionDocument, Stored, Version, managed, plain_name};
use crate::http::auth::Caller;
use crate::shared::Shared;

/// Owner of managed documents, as the API names it.
pub(crate) const AMAZON: &str = "Amazon";

/// A document as a caller sees it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Its name for the caller: its ARN if it is another account's.
    pub(crate) name: String,
    /// Id of the account, or [`AMAZON`].
    pub(crate) owner: String,
    /// ARN, for policies.
    pub(crate) arn: String,
    pub(crate) default: Version,
    pub(crate) latest: Version,
    /// Newest first.
    pub(crate) versions: Vec<Version>,
}

impl Seen {
    /// A document of `account` in the Region of `caller`.
    pub(crate) fn stored(
        shared: &Shared,
        caller: &Caller,
        account: usize,
        name: &str,
        stored: &Stored,
    ) -> Option<Self> {
        let owner = shared.world.accounts[account].plan.id;
        let arn = format!("arn:aws:ssm:{}:{owner}:document/{name}", caller.region);
        Some(Self {
            name: if account == caller.account { name.to_owned() } else { arn.clone() },
            owner: owner.to_owned(),
            arn,
            default: stored.default_version()?.clone(),
            latest: stored.latest()?.clone(),
            versions: stored.versions().cloned().collect(),
        })
    }

    /// A managed document.
    pub(crate) fn managed(caller: &Caller, managed: &managed::Managed) -> Self {
        Self {
            name: managed.name.to_owned(),
            owner: AMAZON.to_owned(),
            arn: format!("arn:aws:ssm:{}::document/{}", caller.region, managed.name),
            default: managed.version.clone(),
            latest: managed.version.clone(),
            versions: vec![managed.version.clone()],
        }
    }

    /// The version a request asks for: a number, `$LATEST`, `$DEFAULT`, or nothing for the default.
    pub(crate) fn version(&self, asked: Option<&str>) -> Option<&Version> {
        match asked {
            None | Some("$DEFAULT") => Some(&self.default),
            Some("$LATEST") => Some(&self.latest),
            Some(number) => {
                let number = number.parse::<u64>().ok()?;
                self.versions.iter().find(|version| version.number == number)
            }
        }
    }
}

/// The document a caller means: its own by name, a managed one, or another account's by ARN if that shares it.
pub(crate) fn find(shared: &Shared, caller: &Caller, given: &str) -> Option<Seen> {
    let name = plain_name(given, &caller.region, caller.account(shared).plan.id);
    if let Some(managed) = managed::find(name) {
        return Some(Seen::managed(caller, managed));
    }
    let (account, name) = match name.strip_prefix(&format!("arn:aws:ssm:{}:", caller.region)) {
        Some(rest) => {
            let (owner, name) = rest.split_once(":document/")?;
            (shared.world.account_named(owner)?, name)
        }
        None => (caller.account, name),
    };
    shared.live.documents(|store| {
        let stored = store.get(account, &caller.region, name)?;
        let reachable = account == caller.account || stored.is_shared_with(caller.account(shared).plan.id);
        reachable.then(|| Seen::stored(shared, caller, account, name, stored))?
    })
}

/// What sessions of a document run, if an account has it.
pub(crate) fn default_of(shared: &Shared, caller: &Caller, given: &str) -> Option<Arc<SessionDocument>> {
    find(shared, caller, given).map(|seen| seen.default.document)
}
