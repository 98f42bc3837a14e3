//! Containers of ECS tasks, by target strings that mean nothing to the program.

use std::io::Write;
use std::net::TcpListener;

use fleetline_simulator::{NodeView, SessionKey};

use super::forwards::{Forwarding, echo, exchanged, forward};
use super::terminal::Terminal;
use super::{Lab, Ran, at};

fn container(lab: &Lab) -> NodeView {
    let accounts = lab.simulator.accounts().into_iter();
    let mut tasks =
        accounts.flat_map(|account| lab.simulator.control().tasks(&account.name, &account.default_region));
    let task = tasks.next().unwrap();
    assert!(task.id.starts_with("ecs:") && task.id.matches('_').count() == 2, "{}", task.id);
    task
}

fn words<'a>(node: &'a NodeView, word: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec![word];
    args.extend(at(node));
    args.push(&node.id);
    args.extend(rest);
    args
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn containers_have_shells_and_commands_sealed_and_not() {
    let lab = Lab::open().await;
    let task = container(&lab);
    let control = lab.simulator.control();
    // The data key is bound to the target's name as both ends know it.
    for key in [None, Some(SessionKey::new("alias/fleet-sessions"))] {
        control.set_session_key(&task.account, &task.region, key).unwrap();
        let mut terminal = Terminal::start(&lab, &words(&task, "shell", &[]), &[]);
        terminal.expect(&format!("on {}.", task.id));
        terminal.expect("$ ");
        terminal.write(b"echo \"[$((6*7))]\"\r");
        terminal.expect("[42]");
        terminal.write(b"exit\r");
        assert_eq!(terminal.wait().exit_code(), 0);
        let ran = lab.run(&words(&task, "exec", &["--", "sh", "-c", "echo out; echo err >&2; exit 7"]));
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(7), "out\n", "err\n"));
    }
    assert_eq!(control.calls().get("GenerateDataKey"), Some(&2));
    // No shell stands between a container's command and its words (protocol.md 7.6).
    let rest =
        ["-q", "--document", "AmazonECS-ExecuteInteractiveCommand", "--param", "command=echo $HOME | wc"];
    let ran = lab.run(&words(&task, "shell", &rest));
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "$HOME | wc\r\n"), "{ran:?}");
    assert!(control.sessions().iter().all(|session| session.target == task.id));
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_carry_forwards_and_plain_connections() {
    let lab = Lab::open().await;
    let task = container(&lab);
    let remote = echo();
    let mut forwarding = Forwarding::start(forward(&lab, &task, &[&format!("0:{remote}"), "-q"]));
    let sent: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    assert!(exchanged(&forwarding.line(), &sent) == sent, "bytes differ");
    assert_eq!(forwarding.interrupt(), Some(130));

    let greeter = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = greeter.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || greeter.accept().unwrap().0.write_all(b"SSH-2.0-test\r\n").unwrap());
    let ran = lab.run(&words(&task, "ssh-proxy", &[&port]));
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "SSH-2.0-test\r\n"), "{ran:?}");
    lab.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_is_not_looked_for_and_one_that_is_not_there_is_not_connectable() {
    let lab = Lab::open().await;
    let task = container(&lab);
    let ran = lab.run(&["exec", &task.id, "--", "true"]);
    ran.refused(2);
    assert!(ran.err.contains("--source and --region"), "{ran:?}");
    let nodes = lab.run(&["nodes", "--json", "--source", &task.account, "--region", &task.region]);
    assert_eq!(nodes.code, Some(0), "{nodes:?}");
    assert!(!nodes.out.contains("ecs:"), "no inventory lists it");
    let gone = NodeView { id: "ecs:web_0123_0123-4".to_owned(), ..task };
    lab.run(&words(&gone, "exec", &["--", "true"])).refused(4);
    let denied = |lab: &Lab, node: &NodeView| -> Ran {
        lab.simulator.control().deny(fleetline_simulator::DenyRule {
            action: "ssm:StartSession".to_owned(),
            resource: "arn:aws:ecs:*:task/*".to_owned(),
            reason: fleetline_simulator::DenyReason::NoIdentityPolicy,
        });
        lab.run(&words(node, "exec", &["--", "true"]))
    };
    denied(&lab, &gone).refused(3);
    lab.end().await;
}
