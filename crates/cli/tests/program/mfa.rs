//! Codes of MFA devices on the terminal, and `fleetline accounts`.

use serde_json::Value;

use crate::Lab;
use crate::terminal::Terminal;

/// A lab whose second account is reached by a role with MFA, as the source `core`.
pub(crate) async fn lab() -> Lab {
    let lab = Lab::open().await;
    let accounts = lab.simulator.accounts();
    let (user, target) = (&accounts[0].user, &accounts[1]);
    let role = target.caller_arn.split('/').nth(1).unwrap();
    let place = format!("region = {}\nendpoint_url = {}\n", target.default_region, lab.simulator.endpoint());
    let config = format!(
        "[profile user]\n{place}aws_access_key_id = {}\naws_secret_access_key = {}\n\
         [profile core]\n{place}role_arn = arn:aws:iam::{}:role/{role}\nsource_profile = user\nmfa_serial = {}\n",
        user.access_key_id, user.secret_access_key, target.account_id, user.mfa_serial
    );
    std::fs::write(&lab.config, config).unwrap();
    std::fs::write(&lab.credentials, "").unwrap();
    lab
}

pub(crate) fn code(lab: &Lab) -> String {
    let first = lab.simulator.accounts().remove(0);
    lab.simulator.control().mfa_code(&first.name).unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_code_is_asked_for_on_the_terminal_once_and_a_wrong_one_again() {
    let lab = lab().await;
    let mut terminal = Terminal::start(&lab, &["nodes", "--source", "core", "--csv"], &[]);
    terminal.expect("for the role");
    terminal.write(b"00000\x7f0");
    terminal.write(b"0\r");
    terminal.expect("AWS refused this code");
    terminal.expect("for the role");
    terminal.write(format!("{}\r", code(&lab)).as_bytes());
    terminal.expect("node_id,name");
    assert!(terminal.wait().success());
    assert_eq!(lab.simulator.control().calls()["AssumeRole"], 2);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_on_one_node_asks_before_it_starts_and_escape_gives_none() {
    let lab = lab().await;
    let account = lab.simulator.accounts()[1].account_id.clone();
    let node = lab
        .node(|node| node.account_id == account && node.online && !node.hybrid && node.platform == "Linux");
    let args = ["exec", &node.id, "--source", "core", "--region", &node.region, "--", "echo", "hello"];
    let mut terminal = Terminal::start(&lab, &args, &[]);
    terminal.expect("for the role");
    terminal.write(b"\x1b");
    terminal.expect("needs the code of its MFA device");
    assert_eq!(terminal.wait().exit_code(), 5);
    let mut terminal = Terminal::start(&lab, &args, &[]);
    terminal.expect("for the role");
    terminal.write(format!("{}\r", code(&lab)).as_bytes());
    terminal.expect("hello");
    assert!(terminal.wait().success());
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_terminal_it_says_so_and_sends_nothing() {
    let lab = lab().await;
    lab.run(&["nodes", "--source", "core"]).refused(5);
    assert!(!lab.simulator.control().calls().contains_key("AssumeRole"));
    let listed = lab.run(&["accounts", "list", "--json"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    let core = &listed["sources"][0];
    assert_eq!(
        (core["source"].as_str(), core["state"]["state"].as_str()),
        (Some("core"), Some("needs_code"))
    );
    assert_eq!(core["through"], serde_json::json!(["user"]));
    assert!(!listed.to_string().contains("aws_secret_access_key"), "{listed}");
    let checked = lab.run(&["accounts", "check", "user", "--json"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let checked: Value = serde_json::from_str(&checked.out).unwrap();
    assert!(checked[0]["arn"].as_str().unwrap().ends_with(":user/mika.sato"), "{checked}");
    lab.end().await;
}
