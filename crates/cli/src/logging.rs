//! Logs on standard error, when FLEETLINE_LOG asks for them.

use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Crates whose finer events show whole requests and answers, session tokens among them (SEC-31).
const TALKATIVE: [&str; 9] =
    ["aws_", "hyper", "h2", "rustls", "tungstenite", "tokio_tungstenite", "tower", "mio", "want"];

/// Starts logging with the filter in FLEETLINE_LOG (`debug`, `fleetline_engine=trace`). Whatever it says, the SDK and
/// the HTTP stack stay at `info`, because below it they print secrets.
pub(crate) fn start() {
    let Some(filter) = std::env::var("FLEETLINE_LOG").ok().filter(|filter| !filter.is_empty()) else {
        return;
    };
    let discreet = filter_fn(|event| {
        *event.level() <= Level::INFO || !TALKATIVE.iter().any(|name| event.target().starts_with(name))
    });
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_filter(EnvFilter::new(filter).and(discreet));
    tracing_subscriber::registry().with(layer).init();
}
