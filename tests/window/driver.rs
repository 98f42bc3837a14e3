//! The real window behind WebDriver: tauri-driver → WebKitWebDriver → the app.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::bus::Bus;
use crate::webdriver::Session;

/// What `cargo xtask test` prepares for this test.
pub(crate) struct Setup {
    driver: PathBuf,
    app: PathBuf,
}

impl Setup {
    /// Reads it from the environment; `None` where the test is run without it.
    pub(crate) fn from_environment() -> Option<Self> {
        let driver = std::env::var_os("FLEETLINE_WINDOW_DRIVER")?.into();
        let app = std::env::var_os("FLEETLINE_WINDOW_APP")?.into();
        std::env::var_os("DISPLAY")?;
        Some(Self { driver, app })
    }
}

/// A running window. Ended with its driver when dropped.
pub(crate) struct Window {
    pub(crate) session: Session,
    driver: Child,
}

impl Window {
    /// Opens the app on a message bus, with its own home and only the AWS configuration given.
    pub(crate) async fn open(setup: &Setup, bus: &Bus, home: &Path, aws: &[(&str, &Path)]) -> Result<Self> {
        let (port, native) = (free_port()?, free_port()?);
        let mut command = Command::new(&setup.driver);
        command.env("DBUS_SESSION_BUS_ADDRESS", bus.address());
        command.args(["--native-driver", "/usr/bin/WebKitWebDriver"]);
        command.args(["--port", &port.to_string(), "--native-port", &native.to_string()]);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.envs(aws.iter().copied());
        command.env("FLEETLINE_HOME", home).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env_remove("WAYLAND_DISPLAY");
        let driver = own_group(&mut command).stdin(Stdio::null()).spawn().context("starting tauri-driver")?;
        let mut driver = Ended(Some(driver));
        let capabilities = json!({ "browserName": "wry", "tauri:options": { "application": setup.app } });
        let session = connect(port, &capabilities).await?;
        Ok(Self { session, driver: driver.0.take().context("the driver is gone")? })
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        end(&mut self.driver);
    }
}

/// Ends the driver if opening the window fails half-way.
struct Ended(Option<Child>);

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            end(child);
        }
    }
}

/// The driver says nothing when it is ready, so it is asked until it answers.
async fn connect(port: u16, capabilities: &serde_json::Value) -> Result<Session> {
    let begun = Instant::now();
    loop {
        match Session::open(port, capabilities.clone()).await {
            Ok(session) => return Ok(session),
            Err(error) if begun.elapsed() > Duration::from_secs(60) => {
                return Err(error).context("no WebDriver session after 60 s");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A process group of its own, so that everything the driver started can be ended with it.
pub(crate) fn own_group(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0)
}

/// Ends a process and its group.
pub(crate) fn end(leader: &mut Child) {
    let group = format!("-{}", leader.id());
    // Fails only if the whole group has ended already.
    Command::new("kill").args(["-TERM", "--", &group]).stderr(Stdio::null()).status().ok();
    leader.wait().ok();
}
