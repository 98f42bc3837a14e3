//! What is written to the log, and where.
//!
//! The log goes to the error stream and to `fleetline.log`, both through one filter and one redaction. `FLEETLINE_LOG`
//! takes the directives of `tracing-subscriber`; the default is `info`, and `warn` for the SDK's own choice of credentials. Libraries that would print tokens or bodies at
//! their finer levels are capped whatever is asked for (SEC-31).

mod file;
mod redact;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::{env, io, panic};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use self::file::LogFile;
use self::writer::Redacting;

/// Names the directives of the filter.
const VARIABLE: &str = "FLEETLINE_LOG";
/// The filter where that is not set.
const DEFAULT: &str = "info,aws_config=warn";

/// Crates whose events below INFO carry headers, bodies or key material, or flood the log, and everything below them.
const CAPPED: &[&str] = &[
    "aws_config",
    "aws_runtime",
    "aws_sdk_ec2",
    "aws_sdk_ssm",
    "aws_sdk_sts",
    "aws_sigv4",
    "aws_smithy_http_client",
    "aws_smithy_runtime",
    "aws_smithy_runtime_api",
    "h2",
    "hyper",
    "hyper_util",
    "mio",
    "rustls",
    "tao",
    "tokio_tungstenite",
    "tungstenite",
    "wry",
    "zbus",
];

/// Starts logging into `folder`, if there is one, and reports panics. A folder that cannot be written costs the file
/// only.
pub(crate) fn start(folder: Option<&Path>) {
    let (file, trouble) = match folder.map(LogFile::open) {
        None => (None, None),
        Some(Ok(file)) => (Some(Arc::new(Mutex::new(file))), None),
        Some(Err(error)) => (None, Some(error)),
    };
    let filter = EnvFilter::builder()
        .with_default_directive(Level::INFO.into())
        .parse_lossy(env::var(VARIABLE).as_deref().unwrap_or(DEFAULT))
        .and(filter_fn(within_cap));
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || Redacting::new(io::stderr(), file.clone()))
        .with_filter(filter);
    // Fails when a subscriber is set already, which then keeps its say.
    drop(tracing_subscriber::registry().with(layer).try_init());
    if let Some(error) = trouble {
        tracing::warn!(%error, "no log file");
    }
    report_panics();
}

fn within_cap(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || !is_capped(metadata.target())
}

fn is_capped(target: &str) -> bool {
    let crate_name = target.split("::").next().unwrap_or(target);
    CAPPED.contains(&crate_name)
}

/// Writes a panic into the log, where it is redacted as everything else, in place of the error stream as it is.
fn report_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        let thread = std::thread::current();
        tracing::error!(place, thread = thread.name().unwrap_or("unnamed"), "panicked: {message}");
    }));
}

#[cfg(test)]
mod tests {
    use super::is_capped;

    #[test]
    fn noisy_crates_are_capped_with_all_their_modules() {
        assert!(is_capped("rustls"));
        assert!(is_capped("aws_smithy_runtime::client::http::body"));
        assert!(is_capped("hyper::proto::h1"));
    }

    #[test]
    fn names_that_only_begin_alike_are_not_capped() {
        assert!(!is_capped("fleetline_engine::dial"));
        assert!(!is_capped("rustls_platform_verifier"));
    }
}
