//! Agents that cannot multiplex.

use fleetline_engine::forward::LaneMode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{Behaviour, World};
use crate::{connect, echo, forward, options, pattern, round_trip, target};

fn old() -> Behaviour {
    Behaviour { agent_version: "3.0.196.0", ..Behaviour::default() }
}

/// (pp).
#[tokio::test]
async fn a_greeting_reaches_the_first_connection_and_later_ones_dial_on_data() {
    let world = World::start(old()).await;
    let port = target(|mut stream| async move {
        stream.write_all(b"hello ").await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let _ = tokio::io::copy(&mut reader, &mut writer).await;
    })
    .await;
    let mut options = options();
    options.lanes.max = 1;
    let forward = forward(&world, port, options);
    for round in 0..2 {
        let mut stream = connect(&forward).await;
        if round == 1 {
            stream.write_all(b"x").await.unwrap();
        }
        let mut greeting = [0; 6];
        stream.read_exact(&mut greeting).await.unwrap();
        assert_eq!(&greeting, b"hello ");
        if round == 1 {
            stream.read_exact(&mut [0; 1]).await.unwrap();
        }
        round_trip(&mut stream, pattern(200_000, round)).await;
        stream.set_zero_linger().unwrap();
        drop(stream);
    }
    assert_eq!(forward.snapshot().lanes[0].mode, Some(LaneMode::Basic));
    assert_eq!(world.count("StartSession"), 1);
    forward.stop().await.unwrap();
}

/// (pp).
#[tokio::test]
async fn bytes_of_a_connection_that_is_over_never_reach_the_next() {
    let world = World::start(old()).await;
    let port = target(|mut stream| async move {
        let mut first = [0; 1];
        if stream.read_exact(&mut first).await.is_err() {
            return;
        }
        if first[0] == b'f' {
            while stream.write_all(&[b'f'; 4096]).await.is_ok() {}
        } else {
            stream.write_all(b"clean").await.unwrap();
        }
    })
    .await;
    let mut options = options();
    options.lanes.max = 1;
    let forward = forward(&world, port, options);
    let mut flood = connect(&forward).await;
    flood.write_all(b"f").await.unwrap();
    flood.read_exact(&mut vec![0; 100_000]).await.unwrap();
    flood.set_zero_linger().unwrap();
    drop(flood);
    let mut next = connect(&forward).await;
    next.write_all(b"c").await.unwrap();
    let mut read = [0; 5];
    next.read_exact(&mut read).await.unwrap();
    assert_eq!(&read, b"clean");
}

#[tokio::test]
async fn connections_at_a_time_have_a_lane_each() {
    let world = World::start(old()).await;
    let forward = forward(&world, echo().await, options());
    let mut one = connect(&forward).await;
    round_trip(&mut one, pattern(10, 1)).await;
    let mut two = connect(&forward).await;
    round_trip(&mut two, pattern(10, 2)).await;
    round_trip(&mut one, pattern(10, 3)).await;
    assert_eq!(world.count("StartSession"), 2);
    forward.stop().await.unwrap();
}
