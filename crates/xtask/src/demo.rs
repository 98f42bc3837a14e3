//! `cargo xtask demo`: the app on the demo fleet, from nothing.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::display::Screen;
use crate::process::{cargo, execute, npm, root, say, target};
use crate::setup;

/// How long the app may take for one step of the demo on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a file the app writes is looked for.
const GLANCE: Duration = Duration::from_millis(100);

/// Options of `demo`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Take pictures under Xvfb even where there is a display.
    #[arg(long)]
    headless: bool,
    /// Do not install or build anything.
    #[arg(long)]
    no_build: bool,
}

impl Options {
    /// Pictures only, of what the tests have already built.
    pub(crate) fn for_tests() -> Self {
        Self { headless: true, no_build: true }
    }
}

/// Installs, builds, opens. Without a display: runs under Xvfb in both themes, writes pictures to
/// `target/demo` and ends with the app's own status.
pub(crate) fn run(options: &Options) -> Result<()> {
    if !options.no_build {
        setup::all()?;
        build()?;
    }
    let has_display = !cfg!(target_os = "linux")
        || env::var_os("DISPLAY").is_some()
        || env::var_os("WAYLAND_DISPLAY").is_some();
    if has_display && !options.headless {
        return execute(Command::new(program()).arg("--demo"));
    }
    setup::display()?;
    let pictures = root().join("target/demo");
    fs::create_dir_all(&pictures).with_context(|| format!("creating {}", pictures.display()))?;
    for theme in ["dark", "light"] {
        take_pictures(theme, &pictures)?;
    }
    say(&format!("pictures are in {}", pictures.display()));
    Ok(())
}

/// Builds the interface, then every crate: a smaller selection would choose other features of shared dependencies
/// and build them a second time.
pub(crate) fn build() -> Result<()> {
    execute(npm().args(["run", "build"]))?;
    execute(cargo().args(["build", "--locked", "--workspace"]))
}

/// The app as `build` left it.
pub(crate) fn program() -> PathBuf {
    target().join("debug").join(format!("fleetline-desktop{}", env::consts::EXE_SUFFIX))
}

/// One run of the app under Xvfb: it shows the fleet, works in a shell and forwards ports by itself.
fn take_pictures(theme: &str, pictures: &Path) -> Result<()> {
    let screen = Screen::start()?;
    let steps = tempfile::tempdir()?;
    let home = steps.path().join("home");
    let mut command = Command::new("dbus-run-session");
    command
        .arg("--")
        .arg(program())
        .args(["--demo", "--smoke-test"])
        .arg(steps.path())
        .env("DISPLAY", screen.name())
        .env("FLEETLINE_HOME", &home)
        .env("FLEETLINE_THEME", theme)
        .env("LIBGL_ALWAYS_SOFTWARE", "1")
        .env_remove("WAYLAND_DISPLAY");
    let mut app = Running(command.spawn().context("starting the app under dbus-run-session")?);
    for step in ["fleet", "shell", "forwards"] {
        app.wait_for(&steps.path().join(format!("{step}.ready")), step)?;
        screen.picture(&pictures.join(format!("{step}.{theme}.png")))?;
        fs::write(steps.path().join(format!("{step}.done")), "")?;
    }
    app.finish()
}

/// The app under test; killed if we stop waiting for it.
struct Running(Child);

impl Running {
    fn wait_for(&mut self, file: &Path, step: &str) -> Result<()> {
        let begun = Instant::now();
        while !file.is_file() {
            if let Some(status) = self.0.try_wait()? {
                bail!("the app ended with {status} before its {step} was ready");
            }
            if begun.elapsed() > PATIENCE {
                bail!("the app did not get its {step} ready in {} s", PATIENCE.as_secs());
            }
            thread::sleep(GLANCE);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            match self.0.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("the app ended with {status}"),
                None if begun.elapsed() > PATIENCE => bail!("the app did not end by itself"),
                None => thread::sleep(GLANCE),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
