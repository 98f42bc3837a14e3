//! Stream URLs that are signed when AWS hands them out, and those that the program signs.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use fleetline_simulator::{NodeView, SimulatorConfig, UpgradeSigning};

use super::forwards::{Forwarding, echo, exchanged, forward};
use super::tap::Tap;
use super::terminal::Terminal;
use super::{Lab, at};

async fn lab(presigned: bool, token_ttl: Duration) -> Lab {
    Lab::new(SimulatorConfig {
        upgrade_signing: UpgradeSigning::Required,
        presigned_urls: presigned.then_some(Duration::from_secs(60)),
        token_ttl,
        demo_denials: false,
        ..SimulatorConfig::default()
    })
    .await
}

const TOKEN_TTL: Duration = Duration::from_secs(60);

fn words<'a>(node: &'a NodeView, word: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec![word];
    args.extend(at(node));
    args.push(&node.id);
    args.extend(rest);
    args
}

fn calls(lab: &Lab, operation: &str) -> u64 {
    lab.simulator.control().calls().get(operation).copied().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_is_signed_by_the_program_unless_it_is_signed_already_and_then_used_as_it_is() {
    for is_presigned in [false, true] {
        let lab = lab(is_presigned, TOKEN_TTL).await;
        let node = lab.linux();
        let tap = Tap::start(lab.simulator.endpoint().trim_start_matches("http://").to_owned());
        let (name, address) = tap.variable();
        let ran = lab.run_with(&words(&node, "exec", &["--", "echo", "opened"]), &[(name, &address)]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), "opened\n"), "{ran:?}");
        // A signature names its host: a URL that carries one is not moved to another.
        assert_eq!(tap.connections(), usize::from(!is_presigned));
        assert_eq!(tap.saw(b"\r\nauthorization: AWS4-HMAC-SHA256 "), [!is_presigned, false]);
        // The gateway refuses what is signed twice.
        assert_eq!(calls(&lab, "OpenDataChannel"), 1);
        lab.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_socket_ends_a_presigned_shell_by_name_and_leaves_no_session() {
    let lab = lab(true, TOKEN_TTL).await;
    let node = lab.linux();
    let mut terminal = Terminal::start(&lab, &words(&node, "shell", &[]), &[]);
    terminal.expect("$ ");
    assert_eq!(lab.simulator.control().cut_all_client_sockets().await, 1);
    terminal.expect("a session with a pre-signed stream URL cannot be resumed");
    assert_eq!(terminal.wait().exit_code(), 1, "{}", terminal.text());
    assert_eq!(calls(&lab, "ResumeSession"), 0);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_expired_cannot_be_replaced_for_a_presigned_url() {
    let lab = lab(true, Duration::ZERO).await;
    let node = lab.linux();
    let ran = lab.run(&words(&node, "exec", &["--", "true"]));
    ran.refused(1);
    assert!(ran.err.contains("pre-signed"), "{ran:?}");
    assert_eq!(calls(&lab, "ResumeSession"), 0);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forwards_over_presigned_urls_go_on_with_another_session() {
    let lab = lab(true, TOKEN_TTL).await;
    let node = lab.linux();
    let mut forwarding = Forwarding::start(forward(&lab, &node, &[&format!("0:{}", echo()), "-q"]));
    let address = forwarding.line();
    let mut open = TcpStream::connect(&address).unwrap();
    open.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    open.write_all(b"x").unwrap();
    open.read_exact(&mut [0]).unwrap();
    assert_eq!(lab.simulator.control().cut_all_client_sockets().await, 1);
    let error = open.read(&mut [0]).expect_err("never an orderly end");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    assert_eq!(exchanged(&address, b"again"), b"again");
    assert_eq!((calls(&lab, "ResumeSession"), calls(&lab, "StartSession")), (0, 2));
    assert_eq!(forwarding.interrupt(), Some(130));
    lab.end().await;
}
