//! Shells.

use std::io::Write as _;

use fleetline_engine::{EndReason, ServiceCause, SessionState, TerminalSize};
use fleetline_simulator::{FrameFaults, LinkFaults, SessionStatus};
use sha2::{Digest, Sha256};

use crate::{Shell, World, options};

/// Printable, without line ends, and different everywhere.
fn text(length: usize) -> Vec<u8> {
    (0..length as u32).map(|i| b'!' + (i.wrapping_mul(2_654_435_761) >> 24) as u8 % 94).collect()
}

/// A command that prints `file` byte for byte between two marks that its own echo does not contain.
fn print_exactly(file: &std::path::Path) -> String {
    format!("stty -onlcr; printf 'BE''GIN'; cat {}; printf 'EN''D'\r", file.display())
}

#[tokio::test]
async fn a_command_is_computed_on_the_node_and_exit_ends_the_session_without_a_call() {
    let world = World::new(|_| {}).await;
    let mut shell = world.open();
    shell.prompt().await;
    shell.type_in("echo $((6*7))\r").await;
    shell.until("42\r\n").await;
    shell.prompt().await;
    shell.type_in("exit\r").await;
    let state = shell.session.ended().await;
    assert!(matches!(state, SessionState::Ended(EndReason::Finished)), "{state:?}");
    shell.session.close().await.unwrap();
    world.is_clean().await;
    assert_eq!(world.calls("TerminateSession"), 0);
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn the_terminal_size_is_right_at_the_first_prompt_and_after_a_resize() {
    let world = World::new(|_| {}).await;
    let mut shell = world.open();
    // Typed ahead: nothing but the start of the session can have brought the size.
    shell.type_in("stty size\r").await;
    shell.until("43 132\r\n").await;
    shell.session.resize(TerminalSize { cols: 90, rows: 30 });
    shell.prompt().await;
    shell.type_in("until stty size | grep -q '^30 90$'; do :; done; echo res''ized\r").await;
    shell.until("resized").await;
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn ten_megabytes_arrive_byte_for_byte_while_the_socket_is_cut_again_and_again() {
    let world = World::new(|_| {}).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let sent = text(10_000_000);
    file.write_all(&sent).unwrap();
    let mut shell = world.open();
    shell.prompt().await;
    shell.type_in(print_exactly(file.path())).await;
    shell.until("BEGIN").await;
    let id = shell.id();
    for (round, part) in [1_000_000, 3_000_000, 5_000_000, 8_000_000].into_iter().enumerate() {
        while shell.seen.len() < part {
            let chunk = shell.session.recv().await.unwrap();
            shell.seen.extend_from_slice(&chunk.bytes);
        }
        if round % 2 == 0 {
            world.control.cut_client_socket(&id).await.unwrap();
        } else {
            world.control.say_bye(&id).await.unwrap();
        }
    }
    let received = shell.until("END").await;
    assert_eq!(received.len(), sent.len());
    assert!(received == sent);
    assert_eq!(world.control.session(&id).unwrap().client_sockets, 5);
    assert_eq!(world.calls("StartSession"), 1);
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn a_lossy_reordering_link_changes_nothing() {
    let world = World::new(|config| {
        config.link_faults = LinkFaults::both(FrameFaults {
            drop_per_mille: 20,
            duplicate_per_mille: 50,
            reorder_per_mille: 50,
            ..FrameFaults::default()
        });
    })
    .await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let sent = text(300_000);
    file.write_all(&sent).unwrap();
    let mut shell = world.open();
    shell.prompt().await;
    shell.type_in(print_exactly(file.path())).await;
    shell.until("BEGIN").await;
    assert!(shell.until("END").await == sent);
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn a_reader_that_stops_holds_up_its_own_session_only_and_loses_nothing() {
    let world = World::new(|_| {}).await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let sent = text(4_000_000);
    file.write_all(&sent).unwrap();
    let mut slow_options = options();
    slow_options.session.limits.output_bytes = 128 * 1024;
    let mut slow = world.open_with(slow_options);
    slow.prompt().await;
    slow.type_in(print_exactly(file.path())).await;
    slow.until("BEGIN").await;

    // Nobody reads `slow` while another session is opened, used and ended.
    let mut other = world.open();
    other.prompt().await;
    for n in 0..20 {
        other.type_in(format!("echo $(({n}+1000))\r")).await;
        other.until(&format!("{}\r\n", n + 1000)).await;
    }
    other.session.close().await.unwrap();

    assert!(slow.until("END").await == sent);
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn a_paste_of_one_megabyte_arrives_intact() {
    let world = World::new(|_| {}).await;
    let mut shell = world.open();
    shell.prompt().await;
    let paste = text(1_000_000);
    shell.type_in("stty raw -echo; printf 'rea''dy'; head -c 1000000 | sha256sum\r").await;
    shell.until("ready").await;
    shell.type_in(paste.clone()).await;
    let expected = hex::encode(Sha256::digest(&paste));
    shell.until(&expected).await;
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn close_terminates_exactly_once_and_leaves_nothing_behind() {
    let world = World::new(|_| {}).await;
    let mut shell = world.open();
    shell.prompt().await;
    shell.session.close().await.unwrap();
    let Shell { session, .. } = shell;
    drop(session);
    let sessions = world.control.wait_for(|s| s.iter().all(|s| s.status.is_over())).await.unwrap();
    assert_eq!(sessions[0].status, SessionStatus::Terminated);
    assert_eq!(world.calls("TerminateSession"), 1);
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn a_token_that_expires_before_it_is_used_costs_a_resume_and_leaves_no_session() {
    let world = World::new(|_| {}).await;
    world.aws.expire_first_token();
    let mut shell = world.open();
    shell.prompt().await;
    assert_eq!((world.calls("StartSession"), world.calls("ResumeSession")), (1, 1));
    shell.session.close().await.unwrap();
    world.is_clean().await;
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn a_routine_close_is_resumed_and_says_how_long_it_took() {
    let world = World::new(|_| {}).await;
    let mut shell = world.open();
    shell.prompt().await;
    world.control.say_bye(&shell.id()).await.unwrap();
    let state = shell.reach(|s| matches!(s, SessionState::Open { resumed_after: Some(_), .. })).await;
    assert!(matches!(state, SessionState::Open { .. }));
    shell.type_in("echo $((6*7))\r").await;
    shell.until("42\r\n").await;
    assert_eq!(world.control.session(&shell.id()).unwrap().client_sockets, 2);
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn a_session_terminated_by_the_service_ends_with_its_words_and_no_call_of_ours() {
    let world = World::new(|_| {}).await;
    let mut shell = world.open();
    shell.prompt().await;
    world.control.terminate(&shell.id(), "Terminated by the administrator").await.unwrap();
    let state = shell.session.ended().await;
    let SessionState::Ended(EndReason::ByService { cause: ServiceCause::Other, text }) = state else {
        panic!("{state:?}")
    };
    assert_eq!(text, "Terminated by the administrator");
    shell.session.close().await.unwrap();
    assert_eq!(world.calls("TerminateSession"), 0);
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn an_idle_session_ends_with_the_idle_cause() {
    let world = World::new(|config| config.idle_timeout = std::time::Duration::from_secs(1)).await;
    let mut shell = world.open();
    shell.prompt().await;
    let state = shell.session.ended().await;
    let SessionState::Ended(EndReason::ByService { cause: ServiceCause::IdleTimeout, .. }) = state else {
        panic!("{state:?}")
    };
    assert_eq!(world.calls("TerminateSession"), 0);
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn expired_credentials_during_an_outage_wait_for_the_user() {
    let world = World::new(|_| {}).await;
    let mut shell = world.open();
    shell.prompt().await;
    let account = world.control.node(crate::NODE).unwrap().account;
    world.control.set_credentials_expired(&account, true).unwrap();
    world.control.cut_client_socket(&shell.id()).await.unwrap();
    shell.reach(|s| matches!(s, SessionState::Reconnecting { awaits_retry: true, .. })).await;
    world.control.set_credentials_expired(&account, false).unwrap();
    shell.session.retry_now();
    shell.reach(|s| matches!(s, SessionState::Open { .. })).await;
    shell.type_in("echo $((6*7))\r").await;
    shell.until("42\r\n").await;
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn a_throttled_start_waits_and_starts_one_session() {
    let world = World::new(|_| {}).await;
    world.control.throttle_next(2);
    let mut shell = world.open();
    shell.prompt().await;
    assert_eq!((world.calls("StartSession"), world.control.sessions().len()), (3, 1));
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn an_echo_of_two_megabytes_survives_cuts_in_both_directions() {
    let world = World::new(|_| {}).await;
    let mut shell = world.open();
    shell.prompt().await;
    shell.type_in("stty raw -echo; printf 'rea''dy'; head -c 2000000; printf 'END'\r").await;
    shell.until("ready").await;
    let id = shell.id();
    let sent = text(2_000_000);
    let Shell { session, mut seen } = shell;
    let typing = session.send(sent.clone());
    let reading = async {
        let mut next_cut = 0;
        while seen.len() < sent.len() + "END".len() {
            if seen.len() >= next_cut {
                next_cut = seen.len() + 150_000;
                // Until the socket is back there is none to cut.
                world.control.cut_client_socket(&id).await.unwrap();
            }
            seen.extend_from_slice(&session.recv().await.expect("the session lives").bytes);
        }
        seen
    };
    let (typed, seen) = tokio::join!(typing, reading);
    typed.unwrap();
    let expected = [&sent[..], b"END"].concat();
    assert!(
        seen.starts_with(&expected),
        "{:?}",
        seen.iter().zip(&expected).position(|(got, sent)| got != sent)
    );
    assert!(world.control.session(&id).unwrap().client_sockets > 5);
    assert_eq!((world.calls("StartSession"), world.calls("TerminateSession")), (1, 0));
    world.simulator.shutdown().await;
}
