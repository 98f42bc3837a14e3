//! End to end: the real window, driven by WebDriver, against the simulator over real sockets.
//!
//! `cargo xtask test` prepares the driver and the screen; without them a test says that it was skipped. The name of each
//! test ends with `in_the_real_window`, or has it in the middle, so that they run one at a time (`.config/nextest.toml`).
#![cfg(target_os = "linux")]

mod access;
mod accounts;
mod bus;
mod documents;
mod driver;
mod ending;
mod fleet;
mod forwards;
mod keyboard;
mod lab;
mod notifier;
mod page;
mod recordings;
mod records;
mod shell;
mod tray;
mod webdriver;
