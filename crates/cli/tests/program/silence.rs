//! Nodes that say nothing, at the start and in the middle of typing.

use fleetline_simulator::{NodeView, SessionFailure};

use super::terminal::Terminal;
use super::{Lab, at};

fn shell(lab: &Lab, node: &NodeView) -> Terminal {
    let mut args = vec!["shell"];
    args.extend(at(node));
    args.push(&node.id);
    Terminal::start(lab, &args, &[])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_stays_blank_says_what_it_waits_for_and_can_be_left() {
    let lab = Lab::open().await;
    let node = lab.linux();
    lab.simulator.control().fail_sessions(&node.id, Some(SessionFailure::BlankScreen)).unwrap();
    let mut terminal = shell(&lab, &node);
    terminal.expect("The node has said nothing for 10 s; its agent may be busy, or its disk full.");
    terminal.write(b"\x03");
    assert_eq!(terminal.wait().exit_code(), 130);
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_answering_is_named_and_what_was_typed_arrives_once_it_goes_on() {
    let lab = Lab::open().await;
    let node = lab.linux();
    let mut terminal = shell(&lab, &node);
    terminal.expect("$ ");
    let control = lab.simulator.control();
    let session = control.sessions()[0].session_id.clone();
    control.ignore_input(&session, true).await.unwrap();
    terminal.write(b"echo \"[$((6*7))]\"\r");
    terminal.expect("The node does not answer.");
    control.ignore_input(&session, false).await.unwrap();
    terminal.expect("The node answers again.");
    terminal.write(b"exit\r");
    assert_eq!(terminal.wait().exit_code(), 0);
    assert!(terminal.text().contains("[42]"), "{}", terminal.text());
    lab.end().await;
}
