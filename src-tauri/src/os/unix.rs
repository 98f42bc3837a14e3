//! Linux and macOS: signals and core dumps.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

/// A core dump would hold tokens and credentials (SEC-33). Shells of the demo fleet inherit this.
pub(super) fn forbid_core_dumps() {
    // Refused only where the limit is already lower than what is asked for.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).ok();
    // A process that cannot be dumped can be neither traced nor read through /proc by others of the same user.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).ok();
}

/// Descriptors asked for: each forward that listens has two, and each connection and session one.
const DESCRIPTORS: u64 = 16_384;

/// Lets this process have as many descriptors as it may, up to [`DESCRIPTORS`]. Desktops begin with 256 or 1024.
pub(super) fn allow_many_descriptors() {
    let now = getrlimit(Resource::Nofile);
    let most = now.maximum.map_or(DESCRIPTORS, |maximum| maximum.min(DESCRIPTORS));
    if now.current.is_some_and(|current| current < most) {
        // Without it a large number of forwards cannot be switched on at once, and each says so.
        setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..now }).ok();
    }
}

/// Waits for SIGTERM, SIGINT or SIGHUP.
pub(super) async fn asked_to_end() {
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
    let [Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)] = kinds.map(signal) else {
        tracing::warn!("signals cannot be received: the process ends without terminating its sessions");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
    }
}
