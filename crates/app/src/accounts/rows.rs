//! Sources, sign-ins and questions as the interface sees them.

use std::collections::BTreeSet;

use fleetline_ipc::account::{
    AccountRow, AccountSetting, AccountState, CredentialKind, Ending, MfaAsk, MfaRefused, SignInFlow,
    SignInRow,
};
use fleetline_signin::{self as signin, Caller, CodeAsk, SignInDetail, SourceDetail, Standing};

use crate::rows::millis;

/// A device shows another code with each half minute of the clock (RFC 6238).
const CODE_MS: i64 = 30_000;

pub(super) fn account(
    detail: &SourceDetail,
    state: AccountState,
    caller: Option<&Caller>,
    checked_ms: Option<i64>,
    in_use: &BTreeSet<String>,
) -> AccountRow {
    let told = caller.map(|caller| (caller.account_id.clone(), role_of(&caller.arn)));
    let (account_id, role) = match told {
        Some((account, role)) => (Some(account), Some(role)),
        None => (detail.account_id.clone(), detail.role.clone()),
    };
    AccountRow {
        source: detail.name.clone(),
        kind: kind(detail.kind),
        account_id,
        role,
        arn: caller.map(|caller| caller.arn.clone()),
        region: detail.region.clone(),
        sign_in: detail.sign_in.clone(),
        through: detail.through.clone(),
        mfa_serial: detail.mfa_serial.clone(),
        settings: detail
            .settings
            .iter()
            .map(|(name, value)| AccountSetting { name: name.clone(), value: value.clone() })
            .collect(),
        own: detail.own,
        in_use: in_use.contains(&detail.name),
        state,
        checked_ms: checked_ms.map(millis),
    }
}

pub(super) fn sign_in(detail: &SignInDetail, flow: Option<SignInFlow>) -> SignInRow {
    SignInRow {
        label: detail.label.clone(),
        start_url: detail.start_url.clone(),
        region: detail.region.clone(),
        state: state(detail.standing),
        sources: detail.sources.clone(),
        own: detail.own,
        flow,
    }
}

pub(super) fn ask(ask: &CodeAsk) -> MfaAsk {
    MfaAsk {
        source: ask.source.clone(),
        serial: ask.serial.clone(),
        role: ask.role.clone(),
        duration_s: ask.duration_s,
        waiting: u32::try_from(ask.waiting).unwrap_or(u32::MAX),
        trying: ask.trying,
        refused: ask.refused.as_ref().map(|refused| MfaRefused {
            next_ms: millis(refused.at_ms - refused.at_ms.rem_euclid(CODE_MS) + CODE_MS),
            used_before: refused.used_before,
            text: refused.text.clone(),
        }),
    }
}

pub(super) fn state(standing: Standing) -> AccountState {
    match standing {
        Standing::Good(ending) => AccountState::Ready {
            ending: match ending {
                signin::Ending::Never => Ending::Never,
                signin::Ending::Unknown => Ending::Unknown,
                signin::Ending::At { ms, renews } => Ending::At { ms: millis(ms), renews },
            },
        },
        Standing::NeedsSignIn => AccountState::NeedsSignIn,
        Standing::Over { since_ms } => AccountState::Over { since_ms: millis(since_ms) },
        Standing::NeedsCode => AccountState::NeedsCode,
        Standing::Unknown => AccountState::NotChecked,
    }
}

fn kind(kind: signin::CredentialKind) -> CredentialKind {
    match kind {
        signin::CredentialKind::AccessKey => CredentialKind::AccessKey,
        signin::CredentialKind::Environment => CredentialKind::Environment,
        signin::CredentialKind::IdentityCenter => CredentialKind::IdentityCenter,
        signin::CredentialKind::Role => CredentialKind::Role,
        signin::CredentialKind::WebIdentity => CredentialKind::WebIdentity,
        signin::CredentialKind::Process => CredentialKind::Process,
        signin::CredentialKind::ConsoleLogin => CredentialKind::ConsoleLogin,
        signin::CredentialKind::Nothing => CredentialKind::Nothing,
    }
}

/// Whom an ARN names, as people say it: the role of a role session, `user/NAME`, `root`.
fn role_of(arn: &str) -> String {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    match resource.split('/').collect::<Vec<_>>().as_slice() {
        ["assumed-role", role, ..] => (*role).to_owned(),
        _ => resource.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_named_as_they_say_it() {
        for (arn, name) in [
            ("arn:aws:sts::111122223333:assumed-role/FleetOperator/mika", "FleetOperator"),
            ("arn:aws:iam::111122223333:user/ops/mika", "user/ops/mika"),
            ("arn:aws:iam::111122223333:root", "root"),
        ] {
            assert_eq!(role_of(arn), name);
        }
    }

    #[test]
    fn the_next_code_comes_with_the_next_half_minute() {
        let refused = |at_ms| {
            let refused = signin::CodeRefused { at_ms, used_before: false, text: String::new() };
            let ask_of = CodeAsk {
                source: "a".to_owned(),
                serial: "s".to_owned(),
                role: None,
                duration_s: 900,
                waiting: 1,
                trying: false,
                refused: Some(refused),
            };
            ask(&ask_of)
        };
        assert_eq!(refused(60_001).refused.map(|refused| refused.next_ms), Some(90_000.0));
        assert_eq!(refused(90_000).refused.map(|refused| refused.next_ms), Some(120_000.0));
        assert_eq!(refused(0).waiting, 1);
    }
}
