//! Recordings of shells, kept sealed, and what becomes of them when things go wrong.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use fleetline_recording::{What, cast};
use serde_json::Value;

use crate::terminal::Terminal;
use crate::{Lab, at};

const PATIENCE: Duration = Duration::from_secs(60);

/// A lab whose secrets are sealed with a passphrase.
async fn lab() -> Lab {
    let lab = Lab::open().await;
    let passphrase = lab.directory.path().join("passphrase");
    std::fs::write(&passphrase, "correct horse\n").unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&passphrase, std::fs::Permissions::from_mode(0o600)).unwrap();
    let kept = lab.run(&["secrets", "keep", "passphrase", &passphrase.display().to_string()]);
    assert_eq!(kept.code, Some(0), "{kept:?}");
    lab
}

fn shell(lab: &Lab, options: &[&str]) -> Terminal {
    let node = lab.linux();
    let mut terminal = Terminal::start(lab, &[&["shell", &node.id][..], &at(&node), options].concat(), &[]);
    terminal.expect("Session ");
    terminal.expect("sealed on this computer");
    // Written apart, so that the echo of the command is not taken for its output.
    terminal.write(b"echo rea''dy\r");
    terminal.expect("ready\r\n");
    terminal
}

fn list(lab: &Lab) -> Vec<Value> {
    let listed = lab.run(&["recordings", "list", "--json"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    serde_json::from_str::<Value>(&listed.out).unwrap()["rows"].as_array().unwrap().clone()
}

/// What was printed and typed in the only recording.
fn recorded(lab: &Lab) -> (String, String) {
    let id = list(lab)[0]["id"].as_str().unwrap().to_owned();
    let exported = lab.run(&["recordings", "export", &id[..8], "--out", "-"]);
    assert_eq!(exported.code, Some(0), "{exported:?}");
    assert!(exported.err.contains("It is in clear"), "{exported:?}");
    let content = cast::read(&exported.out).unwrap();
    let text = |typed: bool| {
        let part = |what: &What| match what {
            What::Output(bytes) if !typed => String::from_utf8_lossy(bytes).into_owned(),
            What::Input(bytes) if typed => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        };
        content.events.iter().map(|event| part(&event.what)).collect()
    };
    (text(false), text(true))
}

fn files(lab: &Lab) -> Vec<PathBuf> {
    let directory = lab.directory.path().join(".local/share/fleetline/private/recordings");
    std::fs::read_dir(directory)
        .map(|found| found.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shell_is_recorded_sealed_replayed_exported_and_deleted() {
    let lab = lab().await;
    let mut terminal = shell(&lab, &["--record"]);
    terminal.write(b"exit\r");
    assert!(terminal.wait().success());
    let rows = list(&lab);
    assert_eq!(rows.len(), 1);
    let id = rows[0]["id"].as_str().unwrap().to_owned();
    assert!(
        rows[0]["session"].is_string() && rows[0]["target"].as_str() == Some(&lab.linux().id),
        "{rows:?}"
    );
    let file = std::fs::read(&files(&lab)[0]).unwrap();
    assert!(!file.windows(5).any(|window| window == b"ready"), "it is sealed");
    let (printed, typed) = recorded(&lab);
    assert!(printed.contains("ready\r\n") && typed.is_empty(), "{printed:?} {typed:?}");
    let played = lab.run(&["recordings", "play", &id, "--at-once"]);
    assert!(played.out.contains("ready\r\n") && played.err.is_empty(), "{played:?}");
    let deleted = lab.run(&["recordings", "delete", &id, "--json"]);
    assert_eq!(deleted.code, Some(0), "{deleted:?}");
    assert!(files(&lab).is_empty());
    lab.run(&["recordings", "play", &id]).refused(4);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_at_a_prompt_that_shows_nothing_is_in_no_recording() {
    let lab = lab().await;
    let mut terminal = shell(&lab, &["--record", "--record-input"]);
    terminal.write(b"read -s -p 'Pass''word: ' secret; echo; echo do''ne $(echo -n $secret | wc -c)\r");
    terminal.expect("Password: ");
    for key in "hunter2!".chars() {
        terminal.write(key.to_string().as_bytes());
    }
    terminal.write(b"\r");
    terminal.expect("done 8");
    // Before the prompt, the letters of the prompt itself could be taken for an echo.
    terminal.expect("$ ");
    for key in "true".chars() {
        terminal.write(key.to_string().as_bytes());
        terminal.expect(&key.to_string());
    }
    terminal.write(b"\r");
    terminal.write(b"exit\r");
    assert!(terminal.wait().success());
    let (printed, typed) = recorded(&lab);
    assert!(printed.contains("Password: ") && printed.contains("done 8"), "{printed:?}");
    assert!(typed.contains("true"), "{typed:?}");
    for part in ["hunter2!", "hunter", "unter2"] {
        assert!(!printed.contains(part) && !typed.contains(part), "{printed:?} {typed:?}");
    }
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_killed_in_the_middle_leaves_a_recording_that_plays() {
    let lab = lab().await;
    let mut terminal = shell(&lab, &["--record"]);
    let size = || std::fs::metadata(&files(&lab)[0]).unwrap().len();
    // What was printed is sealed within a second, which shows by the size of the file.
    let (before, until) = (size(), Instant::now() + PATIENCE);
    terminal.write(b"seq -s ' ' 1 300; echo mar''ker\r");
    terminal.expect("marker\r\n");
    while size() < before + 800 {
        assert!(Instant::now() < until, "nothing is written: {} bytes", size());
        std::thread::yield_now();
    }
    let killed = Command::new("kill").args(["-KILL", &terminal.pid()]).status().unwrap();
    assert!(killed.success());
    assert!(!terminal.wait().success());
    let (printed, _) = recorded(&lab);
    assert!(printed.contains("299 300") && printed.contains("ready"), "{printed:?}");
    let played = lab.run(&["recordings", "play", &list(&lab)[0]["id"].as_str().unwrap()[..6], "--at-once"]);
    assert!(played.out.contains("299 300") && played.err.contains("was cut off"), "{played:?}");
    // Its session is left behind for the next run, as any killed program's is.
    lab.simulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_output_is_replayed_without_anything_a_terminal_would_answer_or_open() {
    let lab = lab().await;
    let mut terminal = shell(&lab, &["--record"]);
    terminal.write(
        b"printf 'a\\033[6n\\033[c\\033]52;c;ZXZpbA==\\007\\033]0;evil\\007\\033]8;;http://evil\\033\\\\b\\033[?1000h\\033P$qm\\033\\\\\\005c\\033[31mend\\n'; echo fi''n\r",
    );
    terminal.expect("fin\r\n");
    terminal.write(b"exit\r");
    assert!(terminal.wait().success());
    let (printed, _) = recorded(&lab);
    assert!(
        printed.contains("\u{1b}[6n") && printed.contains("\u{1b}]52;c;"),
        "it is recorded as it was: {printed:?}"
    );
    let id = list(&lab)[0]["id"].as_str().unwrap().to_owned();
    let mut replay = Terminal::start(&lab, &["recordings", "play", &id, "--speed", "32"], &[]);
    assert!(replay.wait().success());
    let shown = replay.text();
    assert!(shown.contains("abc\u{1b}[31mend"), "{shown:?}");
    for hostile in ["\u{1b}[6n", "\u{1b}[c", "\u{1b}]", "\u{1b}P", "\u{1b}[?1000h", "\u{5}"] {
        assert!(!shown.contains(hostile), "{hostile:?} in {shown:?}");
    }
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_that_is_kept_nothing_is_recorded_and_no_session_begins() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let args = [&["shell", &node.id, "--record"][..], &at(&node)].concat();
    let refused = lab.run_with(&args, &[("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")]);
    assert_eq!(refused.code, Some(8), "{refused:?}");
    assert!(refused.err.contains("Recordings need a key that is kept"), "{refused:?}");
    assert!(refused.err.contains("secrets keep passphrase"), "it says what to do: {refused:?}");
    assert!(!lab.simulator.control().calls().contains_key("StartSession"));
    assert!(files(&lab).is_empty());
    lab.end().await;
}
