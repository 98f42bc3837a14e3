//! Windows: the console's way to end a program. Logging off and shutting down reach the app through its window.

/// Waits for Ctrl+C in the console this program was started from, if it was.
pub(super) async fn asked_to_end() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
