//! Against moto, an implementation of AWS that is independent of our simulator. Runs `python -m moto.server` with the
//! Python that the variable `FLEETLINE_AWS_PYTHON` names; without the variable it says that it was skipped.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::process::Stdio;

use fleetline_aws::AwsSources;
use fleetline_documents::{DocumentErrorKind, DocumentSources, Owner, Save, SaveError, VersionChoice, save};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running server and sources that lead to it.
struct Moto {
    _server: Child,
    _directory: tempfile::TempDir,
    sources: AwsSources,
}

impl Moto {
    async fn start() -> Option<Self> {
        let Some(python) = std::env::var_os("FLEETLINE_AWS_PYTHON") else {
            println!("SKIPPED: FLEETLINE_AWS_PYTHON does not name a Python with moto");
            return None;
        };
        let mut server = Command::new(python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let endpoint = loop {
            let line = lines.next_line().await.unwrap().expect("the server says where it listens");
            if let Some((_, address)) = line.split_once("Running on ") {
                break address.trim().to_owned();
            }
        };
        // What it says later must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let directory = tempfile::tempdir().unwrap();
        let (config, credentials) = (directory.path().join("config"), directory.path().join("credentials"));
        std::fs::write(&config, format!("[profile moto]\nregion = eu-west-1\nendpoint_url = {endpoint}\n"))
            .unwrap();
        std::fs::write(&credentials, "[moto]\naws_access_key_id = AKIATEST\naws_secret_access_key = test\n")
            .unwrap();
        let sources = AwsSources::from_files(config, Some(credentials));
        Some(Self { _server: server, _directory: directory, sources })
    }
}

fn shell(idle: u32) -> String {
    format!(
        "{{\"schemaVersion\": \"1.0\", \"sessionType\": \"Standard_Stream\", \"inputs\": {{\"idleSessionTimeout\": \"{idle}\"}}}}"
    )
}

#[tokio::test]
async fn documents_are_made_changed_and_deleted_there_too() {
    let Some(moto) = Moto::start().await else { return };
    let calls = moto.sources.documents("moto", "eu-west-1").unwrap();
    let calls = calls.as_ref();
    let asked = |content, base: Option<&str>, make_default| Save {
        name: "Corp-Moto".to_owned(),
        content,
        base: base.map(str::to_owned),
        make_default,
    };
    let first = save(calls, asked(shell(1), None, false)).await.unwrap();
    assert_eq!(first.facts.version, "1");
    let taken = save(calls, asked(shell(2), None, false)).await.unwrap_err();
    assert!(matches!(&taken, SaveError::Call(error) if error.kind == DocumentErrorKind::Exists), "{taken:?}");
    let second = save(calls, asked(shell(2), Some(&first.facts.hash), true)).await.unwrap();
    assert_eq!((second.facts.version.as_str(), second.facts.default_version.as_str()), ("2", "2"));
    let lost = save(calls, asked(shell(3), Some(&first.facts.hash), true)).await.unwrap_err();
    assert!(matches!(lost, SaveError::Changed { .. }), "{lost:?}");
    let same = save(calls, asked(shell(2), Some(&second.facts.hash), false)).await.unwrap();
    assert!(!same.is_new, "the same content is done already");
    let name = "Corp-Moto".to_owned();
    let old = calls.content(name.clone(), VersionChoice::Number("1".to_owned())).await.unwrap();
    assert!(old.contains("\"idleSessionTimeout\": \"1\""), "{old}");
    let mine = calls.list(Owner::Mine, None).await.unwrap().items;
    assert!(mine.iter().any(|document| document.name == name && document.default_version == "2"), "{mine:?}");
    let kept = calls.delete(name.clone(), Some("2".to_owned())).await.unwrap_err();
    assert_eq!(kept.kind, DocumentErrorKind::InUse);
    calls.delete(name.clone(), None).await.unwrap();
    let gone = calls.facts(name, VersionChoice::Default).await.unwrap_err();
    assert_eq!(gone.kind, DocumentErrorKind::Missing);
}
