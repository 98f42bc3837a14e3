//! What the fuzz target `denial` does with its input. The tests of fleetline-access replay the corpus through it.

use fleetline_access::{Attempt, Denial, Known, Place, Principal, Remedy};

/// Any bytes as the text of a failure. What is found stands in the text, and a remedy never widens it.
pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = Known::find(&text).map(|known| (known.cause(), known.action(), known.fault()));
    let Some(denial) = Denial::find(&text) else { return };
    let parts = [&denial.principal, &denial.action, &denial.resource, &denial.policy_arn, &denial.encoded];
    for part in parts.into_iter().flatten() {
        assert!(!part.is_empty() && text.contains(part.as_str()), "{part:?}");
    }
    if let Some(principal) = &denial.principal {
        Principal::parse(principal).words();
    }
    let attempt = Attempt {
        place: Place::new("111122223333", "eu-central-1"),
        target: "i-0123456789abcdef0".to_owned(),
        document: None,
    };
    for attempt in [None, Some(&attempt)] {
        if let Remedy::Allow(policy) = Remedy::of(&denial, attempt) {
            assert!(!policy.to_json().is_empty() && !policy.to_terraform("x").is_empty());
            for statement in
                policy.statements.iter().filter(|s| s.actions.iter().any(|a| a == "ssm:StartSession"))
            {
                assert!(statement.resources.iter().all(|resource| !resource.contains('*')), "{statement:?}");
            }
        }
    }
}
