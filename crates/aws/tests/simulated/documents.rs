use fleetline_documents::{
    DocumentErrorKind, DocumentSources, Owner, Save, SaveError, VersionChoice, save, short_name,
};
use fleetline_simulator::{DenyReason, DenyRule};

use crate::Lab;

const ACCOUNT: &str = "payments-prod";
const REGION: &str = "eu-central-1";

fn shell(idle: u32) -> String {
    format!(
        "{{\"schemaVersion\": \"1.0\", \"sessionType\": \"Standard_Stream\", \"inputs\": {{\"idleSessionTimeout\": \"{idle}\"}}}}"
    )
}

#[tokio::test]
async fn documents_of_every_owner_are_listed_and_read() {
    let lab = Lab::open().await;
    let calls = lab.sources.documents(ACCOUNT, REGION).unwrap();
    let mut names = Vec::new();
    for owner in Owner::ALL {
        let page = calls.list(owner, None).await.unwrap();
        assert!(page.next.is_none() && page.items.iter().all(|item| item.owner == owner));
        for item in page.items {
            let text = calls.content(item.name.clone(), VersionChoice::Default).await.unwrap();
            assert!(text.contains("\"schemaVersion\""), "{}", item.name);
            assert_eq!(
                calls.facts(item.name.clone(), VersionChoice::Default).await.unwrap().owner_id,
                item.owner_id
            );
            names.push(item.short_name().to_owned());
        }
    }
    for name in ["Corp-LedgerConsole", "Org-BreakGlass", "AWS-StartSSHSession"] {
        assert!(names.iter().any(|found| found == name), "{names:?}");
    }
    let shared = calls.list(Owner::Shared, None).await.unwrap().items;
    assert!(
        shared
            .iter()
            .all(|item| item.name.starts_with("arn:aws:ssm:") && short_name(&item.name).starts_with("Org-"))
    );
    lab.end().await;
}

#[tokio::test]
async fn a_document_lives_through_its_versions() {
    let lab = Lab::open().await;
    let calls = lab.sources.documents(ACCOUNT, REGION).unwrap();
    let (name, latest) = ("Corp-Life".to_owned(), VersionChoice::Latest);
    let made = calls.create(name.clone(), shell(1)).await.unwrap();
    assert_eq!((made.version.as_str(), made.default_version.as_str()), ("1", "1"));
    let taken = calls.create(name.clone(), shell(2)).await.unwrap_err();
    assert_eq!(taken.kind, DocumentErrorKind::Exists);
    for idle in 2..=60 {
        calls.update(name.clone(), shell(idle)).await.unwrap();
    }
    let facts = calls.facts(name.clone(), latest.clone()).await.unwrap();
    assert_eq!((facts.latest_version.as_str(), facts.default_version.as_str()), ("60", "1"));
    assert_eq!(calls.content(name.clone(), VersionChoice::Number("7".to_owned())).await.unwrap(), shell(7));
    let first = calls.versions(name.clone(), None).await.unwrap();
    let second = calls.versions(name.clone(), first.next.clone()).await.unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next), (50, 10, None));
    calls.set_default(name.clone(), "60".to_owned()).await.unwrap();
    let gone = calls.set_default(name.clone(), "61".to_owned()).await.unwrap_err();
    assert_eq!(gone.kind, DocumentErrorKind::MissingVersion);
    let kept = calls.delete(name.clone(), Some("60".to_owned())).await.unwrap_err();
    assert_eq!(kept.kind, DocumentErrorKind::InUse);
    calls.delete(name.clone(), Some("3".to_owned())).await.unwrap();
    calls.delete(name.clone(), None).await.unwrap();
    let missing = calls.facts(name.clone(), latest).await.unwrap_err();
    assert_eq!(missing.kind, DocumentErrorKind::Missing);
    let content = calls.create(name, shell(61)).await.unwrap_err();
    assert_eq!(content.kind, DocumentErrorKind::Content);
    assert!(content.source.message.contains("idleSessionTimeout must be 1 to 60"), "{content}");
    lab.end().await;
}

#[tokio::test]
async fn saving_tells_conflicts_apart_from_what_is_done_already() {
    let lab = Lab::open().await;
    let calls = lab.sources.documents(ACCOUNT, REGION).unwrap();
    let calls = calls.as_ref();
    let asked = |content, base: Option<&str>, make_default| Save {
        name: "Corp-Save".to_owned(),
        content,
        base: base.map(str::to_owned),
        make_default,
    };
    let first = save(calls, asked(shell(1), None, false)).await.unwrap();
    let base = first.facts.hash;
    // The same content again makes no version, but moves the default if that is asked for.
    let same = save(calls, asked(shell(1), Some(&base), true)).await.unwrap();
    assert!(!same.is_new && same.facts.version == "1");
    let second = save(calls, asked(shell(2), Some(&base), false)).await.unwrap();
    assert_eq!((second.facts.version.as_str(), second.facts.default_version.as_str()), ("2", "1"));
    let lost = save(calls, asked(shell(3), Some(&base), true)).await.unwrap_err();
    assert!(matches!(&lost, SaveError::Changed { latest } if latest.version == "2"), "{lost:?}");
    assert_eq!(calls.facts("Corp-Save".to_owned(), VersionChoice::Latest).await.unwrap().version, "2");
    let moved = save(calls, asked(shell(2), Some(&second.facts.hash), true)).await.unwrap();
    assert!(!moved.is_new && moved.facts.default_version == "2");
    lab.simulator.control().deny(DenyRule {
        action: "ssm:UpdateDocumentDefaultVersion".to_owned(),
        resource: "*".to_owned(),
        reason: DenyReason::IdentityPolicy,
    });
    let half = save(calls, asked(shell(4), Some(&second.facts.hash), true)).await.unwrap_err();
    assert!(matches!(&half, SaveError::NotDefault { saved, .. } if saved.version == "3"), "{half:?}");
    lab.end().await;
}
