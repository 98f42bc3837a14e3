//! Commands without a terminal.

use fleetline_engine::{CommandEnd, CommandSession, DataStream, RunCommand, SessionOptions, run_command};

use crate::World;

fn run(world: &World, command: &str) -> CommandSession {
    let run =
        RunCommand { target: world.node_id.clone(), command: command.to_owned(), ..RunCommand::default() };
    run_command(world.aws.clone(), run, SessionOptions::default())
}

async fn collect(command: &CommandSession) -> (Vec<u8>, Vec<u8>) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    while let Some(chunk) = command.recv().await {
        match chunk.stream {
            DataStream::Output => output.extend_from_slice(&chunk.bytes),
            DataStream::StdErr => errors.extend_from_slice(&chunk.bytes),
        }
    }
    (output, errors)
}

#[tokio::test]
async fn both_streams_and_the_exit_status_come_apart() {
    let world = World::new(|_| {}).await;
    let command = run(&world, "sh -c 'echo out; echo err >&2; exit 7'");
    let (output, errors) = collect(&command).await;
    assert_eq!((output.as_slice(), errors.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    let end = command.end().await;
    assert!(matches!(end, CommandEnd::Exited(7)), "{end:?}");
    command.close().await.unwrap();
    world.is_clean().await;
    assert_eq!(world.calls("TerminateSession"), 0);
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn large_output_is_streamed_whole_across_a_cut() {
    let world = World::new(|_| {}).await;
    let command = run(&world, "seq 1 200000");
    let mut output = Vec::new();
    while output.len() < 300_000 {
        output.extend_from_slice(&command.recv().await.unwrap().bytes);
    }
    let id = command.session_id().unwrap();
    world.control.cut_client_socket(id.as_str()).await.unwrap();
    output.extend_from_slice(&collect(&command).await.0);
    let expected: String = (1..=200_000).map(|n| format!("{n}\n")).collect();
    assert!(output == expected.as_bytes(), "{} bytes of {}", output.len(), expected.len());
    assert!(matches!(command.end().await, CommandEnd::Exited(0)));
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn an_interrupt_reaches_the_command() {
    let world = World::new(|_| {}).await;
    let command =
        run(&world, "sh -c 'trap \"echo caught; exit 3\" INT; echo ready; while :; do sleep 0.05; done'");
    assert_eq!(&command.recv().await.unwrap().bytes[..], b"ready\n");
    command.interrupt().await.unwrap();
    assert_eq!(collect(&command).await.0, b"caught\n");
    assert!(matches!(command.end().await, CommandEnd::Exited(3)));
    world.simulator.shutdown().await;
}

#[tokio::test]
async fn closing_a_running_command_terminates_it() {
    let world = World::new(|_| {}).await;
    let command = run(&world, "sh -c 'echo ready; sleep 1000'");
    assert!(command.recv().await.is_some());
    command.close().await.unwrap();
    world.is_clean().await;
    assert_eq!(world.calls("TerminateSession"), 1);
    world.simulator.shutdown().await;
}
