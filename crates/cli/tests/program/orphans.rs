//! Sessions that a killed program leaves behind.

use fleetline_app::{Journal, Paths, Sources, end_orphan};
use fleetline_aws::AwsSources;

use crate::terminal::Terminal;
use crate::{Lab, at};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_a_killed_program_are_listed_and_can_be_ended_and_those_of_a_running_one_are_left_alone()
{
    let lab = Lab::open().await;
    let node = lab.linux();
    let home = lab.directory.path().join("fleetline");
    let variables = [("FLEETLINE_HOME", home.to_str().unwrap())];
    let mut args = vec!["shell", node.id.as_str()];
    args.extend(at(&node));
    let mut killed = Terminal::start(&lab, &args, &variables);
    killed.expect("$ ");
    let left = lab.simulator.control().sessions()[0].session_id.clone();
    let mut running = Terminal::start(&lab, &args, &variables);
    running.expect("$ ");
    // The child's own `kill` begins with SIGHUP, on which the program tidies up.
    let killing = std::process::Command::new("kill").args(["-9", &killed.pid()]).status().unwrap();
    assert!(killing.success() && !killed.wait().success());

    let journal = Journal::open(&Paths::below(&home)).unwrap();
    let orphans = journal.orphans().unwrap();
    let [orphan] = &orphans[..] else { panic!("{orphans:?}") };
    assert_eq!(
        (&*orphan.session, &*orphan.target, &*orphan.source, &*orphan.region),
        (&*left, &*node.id, &*node.account, &*node.region)
    );
    assert!(!lab.simulator.control().session(&left).unwrap().status.is_over());
    let sources = AwsSources::from_files(&lab.config, Some(lab.credentials.clone()));
    assert!(!sources.list().is_empty());
    end_orphan(&journal, &sources, orphan).await.unwrap();
    let over = |sessions: &[fleetline_simulator::SessionView]| {
        sessions.iter().any(|session| session.session_id == left && session.status.is_over())
    };
    lab.simulator.control().wait_for(over).await.unwrap();
    assert_eq!(journal.orphans(), Ok(Vec::new()));

    running.write(b"echo st''ill here\r");
    running.expect("still here");
    running.write(b"exit\r");
    assert_eq!(running.wait().exit_code(), 0);
    drop(journal);
    let last = Journal::open(&Paths::below(&home)).unwrap();
    assert_eq!(last.orphans(), Ok(Vec::new()), "a session that ended is no orphan");
    let text = std::fs::read_to_string(home.join("state/sessions.journal")).unwrap();
    assert!(!text.contains("oken"), "{text}");
    lab.end().await;
}
