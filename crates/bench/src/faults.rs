//! What happens to all sessions of a simulator under soak.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fleetline_simulator::{Control, FrameFaults, LinkFaults, SocketCut};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::sleep;

/// Disturbs until dropped: a fault every two seconds or so, and quiet between them. Counts the faults.
pub(crate) async fn disturb(control: &Control, seed: u64, count: &AtomicU64) {
    let mut random = StdRng::seed_from_u64(seed);
    loop {
        sleep(Duration::from_millis(random.random_range(500..3500))).await;
        let live: Vec<String> = control
            .sessions()
            .into_iter()
            .filter(|session| !session.status.is_over())
            .map(|session| session.session_id)
            .collect();
        if live.is_empty() {
            continue;
        }
        let one = &live[random.random_range(0..live.len())];
        // A session that ended meanwhile is no matter.
        match random.random_range(0..9) {
            0 => drop(control.cut_all_client_sockets_with(SocketCut::Fin).await),
            1 => drop(control.cut_all_client_sockets_with(SocketCut::Reset).await),
            2 => drop(control.cut_client_socket_with(one, SocketCut::Reset).await),
            3 => drop(control.say_bye(one).await),
            4 => drop(control.stall(one, Duration::from_millis(random.random_range(100..4000))).await),
            5 => drop(control.half_open(one).await),
            6 => drop(control.pause_storm(one, 200).await),
            7 => {
                control.expire_tokens();
                control.cut_client_socket(one).await.ok();
            }
            _ => {
                control.set_link_faults(LinkFaults::both(bad_link(&mut random))).await;
                sleep(Duration::from_secs(3)).await;
                control.set_link_faults(LinkFaults::default()).await;
            }
        }
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn bad_link(random: &mut StdRng) -> FrameFaults {
    let mut rate = || random.random_range(0..20);
    FrameFaults {
        drop_per_mille: rate(),
        duplicate_per_mille: rate(),
        reorder_per_mille: rate(),
        corrupt_per_mille: rate(),
        truncate_per_mille: rate(),
        text_per_mille: rate(),
        unknown_per_mille: rate(),
        padded_per_mille: rate(),
        jitter: Duration::from_millis(5),
        ..FrameFaults::default()
    }
}
