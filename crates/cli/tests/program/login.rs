//! `fleetline login` with curl as the browser the system opens, and with a real one where there is one.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use fleetline_simulator::SignInAnswer;
use serde_json::Value;

use crate::browser::{HEADLESS, chromium};
use crate::{Lab, Ran};

/// A lab whose first account is also reached by a sign-in, as the source `sso`.
async fn lab() -> Lab {
    let lab = Lab::open().await;
    let account = lab.simulator.accounts().remove(0);
    let config = format!(
        "[sso-session fleet]\nsso_region = eu-central-1\nsso_start_url = https://fleet.awsapps.com/start\n\
         [profile sso]\nregion = {}\nendpoint_url = {}\nsso_session = fleet\nsso_account_id = {}\n\
         sso_role_name = {}\n[profile keys]\naws_access_key_id = a\naws_secret_access_key = b\n",
        account.default_region,
        lab.simulator.endpoint(),
        account.account_id,
        account.caller_arn.split('/').nth(1).unwrap()
    );
    std::fs::write(&lab.config, config).unwrap();
    lab
}

/// A `PATH` whose `xdg-open` is this script, before the real one.
fn path_with_opener(lab: &Lab, script: &str) -> String {
    let directory: PathBuf = lab.directory.path().join("bin");
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("xdg-open");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", directory.display(), std::env::var("PATH").unwrap_or_default())
}

const CURL: &str = "exec curl --silent --show-error --max-time 20 --noproxy '*' --location \"$1\"";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_opens_the_browser_and_every_command_works_until_logout() {
    let lab = lab().await;
    lab.simulator.control().answer_sign_ins(SignInAnswer::Allows);
    let before = lab.run(&["nodes", "--source", "sso"]);
    before.refused(5);
    let path = path_with_opener(&lab, CURL);
    let ran = lab.run_with(&["login", "sso", "--json"], &[("PATH", &path)]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let signed_in: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(signed_in["session"], "fleet");
    assert_eq!(signed_in["sources"], serde_json::json!(["sso"]));
    assert!(signed_in["expires"].as_str().unwrap().ends_with('Z'), "{signed_in}");

    let csv = lab.run(&["nodes", "--source", "sso", "--csv"]);
    assert_eq!((csv.code, csv.err.as_str()), (Some(0), ""), "{csv:?}");
    let account = lab.simulator.accounts().remove(0);
    let nodes = lab.simulator.control().nodes(&account.name, &account.default_region);
    let lines: Vec<&str> = csv.out.split_terminator("\r\n").collect();
    assert!(lines[0].starts_with("node_id,name,"), "{}", lines[0]);
    assert_eq!(lines.len(), nodes.len() + 1);
    assert!(nodes.iter().all(|node| lines.iter().any(|line| line.starts_with(&node.id))));

    let out = lab.run(&["logout", "fleet"]);
    assert_eq!((out.code, out.out.as_str()), (Some(0), "Signed out.\n"), "{out:?}");
    assert_eq!(lab.simulator.control().calls()["Logout"], 1);
    lab.run(&["nodes", "--source", "sso"]).refused(5);
    assert_eq!(lab.run(&["logout", "sso"]).out, "Nobody was signed in.\n");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_url_is_enough_and_its_roles_become_sources() {
    let lab = lab().await;
    lab.simulator.control().answer_sign_ins(SignInAnswer::Allows);
    std::fs::write(&lab.config, "").unwrap();
    let (path, endpoint) = (path_with_opener(&lab, CURL), lab.simulator.endpoint());
    let variables = [("PATH", path.as_str()), ("AWS_ENDPOINT_URL", endpoint.as_str())];
    let url = "https://corp.awsapps.com/start";
    let login = ["login", "--start-url", url, "--region", "eu-central-1", "--json"];
    let ran = lab.run_with(&login, &variables);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let signed_in: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(signed_in["session"], "corp");
    let account = lab.simulator.accounts().remove(0);
    let roles = lab.run_with(&["accounts", "roles", "corp", "--json"], &variables);
    let roles: Value = serde_json::from_str(&roles.out).unwrap();
    assert_eq!(roles.as_array().map(Vec::len), Some(lab.simulator.accounts().len()), "{roles}");
    let role = format!("{}/{}", account.account_id, account.caller_arn.split('/').nth(1).unwrap());
    let add = ["accounts", "add", "corp", &role, "--region", &account.default_region];
    let added = lab.run_with(&add, &variables);
    assert_eq!(added.code, Some(0), "{added:?}");
    let csv = lab.run_with(&["nodes", "--source", added.out.trim(), "--csv"], &variables);
    assert_eq!((csv.code, csv.err.as_str()), (Some(0), ""), "{csv:?}");
    lab.run_with(&["accounts", "add", "corp", "1/Nobody", "--region", "eu-central-1"], &variables).refused(2);
    assert_eq!(lab.run_with(&["accounts", "remove", "corp"], &variables).code, Some(0));
    let left = lab.run_with(&["accounts", "list", "--json"], &variables);
    assert!(!left.out.contains("corp"), "{left:?}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_code_is_printed_and_may_be_confirmed_elsewhere() {
    let lab = lab().await;
    lab.simulator.control().answer_sign_ins(SignInAnswer::Allows);
    let mut child = lab.command(&["login", "fleet", "--device", "--no-browser"]).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let (url, code) = (words[1], words.last().unwrap().trim_end_matches('.'));
    assert!(url.ends_with(&format!("?user_code={code}")), "{line}");
    let browser =
        Command::new("curl").args(["--silent", "--noproxy", "*", "--max-time", "20", url]).output().unwrap();
    assert!(String::from_utf8_lossy(&browser.stdout).contains("Confirmed."), "{browser:?}");
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert!(ran.code == Some(0) && ran.out.starts_with("Signed in to fleet until "), "{ran:?}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_sign_in_and_a_name_that_cannot_sign_in_are_told() {
    let lab = lab().await;
    lab.simulator.control().answer_sign_ins(SignInAnswer::Denies);
    let path = path_with_opener(&lab, CURL);
    let denied = lab.run_with(&["login", "sso"], &[("PATH", &path)]);
    assert_eq!((denied.code, denied.out.as_str()), (Some(5), ""), "{denied:?}");
    assert!(denied.err.contains("fleetline: Nobody is signed in: the sign-in was refused: "), "{denied:?}");
    lab.run(&["login", "keys"]).refused(2);
    lab.run(&["login", "nobody"]).refused(2);
    lab.run(&["nodes", "--csv", "--json"]).code.filter(|code| *code == 2).unwrap();
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_programs_at_once_share_one_refresh_and_corrupt_nothing() {
    let lab = lab().await;
    let control = lab.simulator.control();
    control.answer_sign_ins(SignInAnswer::Allows);
    control.set_sign_in_life(120);
    let path = path_with_opener(&lab, CURL);
    assert_eq!(lab.run_with(&["login", "sso"], &[("PATH", &path)]).code, Some(0));
    control.set_sign_in_life(28_800);
    let before = control.calls()["CreateToken"];
    let args = ["nodes", "--source", "sso", "--json", "ping:lost"];
    let children: Vec<_> = (0..20).map(|_| lab.command(&args).spawn().unwrap()).collect();
    for child in children {
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        assert!(serde_json::from_str::<Value>(&ran.out).unwrap().is_array());
    }
    assert_eq!(control.calls()["CreateToken"] - before, 1, "a refresh token is good once");
    // SHA-1 of "fleet".
    let file = lab.directory.path().join(".aws/sso/cache/f35f940f055fcd1badde7e5fecb2531e079eaa52.json");
    let token: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(token["refreshToken"].is_string() && token["clientSecret"].is_string());
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_browser_comes_back_with_the_code() {
    let Some(browser) = chromium() else { return };
    let lab = lab().await;
    lab.simulator.control().answer_sign_ins(SignInAnswer::Allows);
    let script = format!(
        "exec timeout 60 {browser} {} --no-proxy-server \
         --user-data-dir='{}' --dump-dom \"$1\"",
        HEADLESS.join(" "),
        lab.directory.path().join("browser").display()
    );
    let path = path_with_opener(&lab, &script);
    let ran = lab.run_with(&["login", "sso"], &[("PATH", &path)]);
    assert!(ran.code == Some(0) && ran.out.starts_with("Signed in to fleet until "), "{ran:?}");
    lab.end().await;
}
