//! botocore reads what we wrote and we read what botocore wrote. Runs with the Python that the variable
//! `FLEETLINE_AWS_PYTHON` names, in which botocore is installed; without the variable it says that it was skipped.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what fails here fails the test")]

use std::path::Path;
use std::process::Command;

use fleetline_signin::{CachedToken, Registration, Secret, SsoSession, TokenCache};

#[test]
fn the_token_cache_is_shared_with_botocore() {
    let Some(python) = std::env::var_os("FLEETLINE_AWS_PYTHON") else {
        println!("SKIPPED: FLEETLINE_AWS_PYTHON does not name a Python with botocore");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let cache = TokenCache::new(directory.path());
    let sessions = [Some("größe"), None].map(|name| SsoSession {
        name: name.map(str::to_owned),
        start_url: "https://fleet.awsapps.com/start".to_owned(),
        region: "eu-central-1".to_owned(),
        scopes: Vec::new(),
    });
    for session in sessions {
        let token = CachedToken {
            access_token: Secret::new("from-fleetline"),
            expires_ms: 4_000_000_000_000,
            refresh_token: None,
            client: Some(Registration {
                client_id: "c".to_owned(),
                client_secret: Secret::new("s"),
                expires_ms: 4_000_000_000_000,
            }),
        };
        cache.put_token(&session, &token).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shared_cache.py");
        let mut command = Command::new(&python);
        command.arg(script).arg(directory.path());
        let name = session.name.as_deref().unwrap_or(&session.start_url);
        command.args([name, &session.start_url, "from-fleetline"]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let back = cache.token(&session).unwrap().unwrap();
        assert_eq!(back.access_token.expose(), "from-botocore");
        assert_eq!(back.refresh_token.unwrap().expose(), "refresh-from-botocore");
        assert_eq!(back.client, token.client);
    }
}
