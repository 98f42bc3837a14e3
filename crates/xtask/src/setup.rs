//! What a machine with only Rust and Node lacks.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::{answers, cache, cargo, execute, npm, program, say};

/// Debian packages of the Tauri toolkit.
const BUILD_PACKAGES: [&str; 6] = [
    "build-essential",
    "pkg-config",
    "libwebkit2gtk-4.1-dev",
    "libayatana-appindicator3-dev",
    "librsvg2-dev",
    "libxdo-dev",
];
/// Debian packages to show a window without a display.
const DISPLAY_PACKAGES: [&str; 4] = ["xvfb", "dbus-x11", "libgl1-mesa-dri", "fonts-dejavu-core"];
/// Debian packages of the programs the tests talk to.
const TEST_PACKAGES: [&str; 21] = [
    "webkit2gtk-driver",
    "chromium",
    "vim",
    "python3-venv",
    "procps",
    "curl",
    "gnome-keyring",
    "openssl",
    "openssh-client",
    "openssh-server",
    "openssh-tests",
    "xrdp",
    "postgresql",
    "redis-server",
    "redis-tools",
    "nginx-light",
    "wrk",
    "squid",
    "haproxy",
    "rsync",
    "util-linux",
];
/// FreeRDP by release of Debian; without it its tests say that they were skipped.
const FREERDP_PACKAGES: [&str; 2] = ["freerdp2-x11", "freerdp3-x11"];

/// System libraries and interface packages: enough to build.
pub(crate) fn all() -> Result<()> {
    system(&BUILD_PACKAGES)?;
    interface()
}

/// What showing the app without a display needs beyond [`all`].
pub(crate) fn display() -> Result<()> {
    system(&DISPLAY_PACKAGES)
}

/// What the tests need beyond [`all`].
pub(crate) fn tests() -> Result<()> {
    system(&TEST_PACKAGES)?;
    system(&DISPLAY_PACKAGES)?;
    if let Some(freerdp) = FREERDP_PACKAGES.iter().find(|package| is_offered(package)) {
        system(&[freerdp])?;
    }
    if !answers("cargo-nextest", "--version") {
        execute(cargo().args(["install", "--locked", "cargo-nextest"]))?;
    }
    Ok(())
}

/// The packages of the interface, exactly as locked.
pub(crate) fn interface() -> Result<()> {
    if !answers(if cfg!(windows) { "npm.cmd" } else { "npm" }, "--version") {
        bail!("npm was not found: install Node.js 20.19 or newer");
    }
    let stamp = cache()?.join("interface.lock");
    let lock = std::fs::read(crate::process::root().join("ui/package-lock.json"))
        .context("reading ui/package-lock.json")?;
    let installed = crate::process::root().join("ui/node_modules/.bin").is_dir();
    if installed && std::fs::read(&stamp).is_ok_and(|kept| kept == lock) {
        return Ok(());
    }
    execute(npm().args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    std::fs::write(&stamp, lock).with_context(|| format!("writing {}", stamp.display()))
}

/// Packages of the Python of [`aws_clients`].
const AWS_CLIENTS: [&str; 3] = ["awscli", "boto3", "moto[server]"];

/// A Python with the independent AWS clients of the tests and an independent server. Returns its interpreter.
pub(crate) fn aws_clients() -> Result<PathBuf> {
    let home = cache()?.join("aws-clients");
    let python = home.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let ready = home.join("ready");
    if std::fs::read_to_string(&ready).is_ok_and(|installed| installed == AWS_CLIENTS.join(" ")) {
        return Ok(python);
    }
    execute(program("python3").args(["-m", "venv"]).arg(&home))?;
    execute(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(AWS_CLIENTS))?;
    std::fs::write(&ready, AWS_CLIENTS.join(" ")).with_context(|| format!("writing {}", ready.display()))?;
    Ok(python)
}

/// `tauri-driver`, which puts WebDriver in front of the real window. Returns the program.
pub(crate) fn window_driver() -> Result<PathBuf> {
    let tools = cache()?.join("tools");
    let driver = tools.join("bin").join(if cfg!(windows) { "tauri-driver.exe" } else { "tauri-driver" });
    if !driver.is_file() {
        execute(
            cargo().args(["install", "--locked", "--version", "^2", "tauri-driver", "--root"]).arg(&tools),
        )?;
    }
    Ok(driver)
}

/// Installs those of `packages` that are missing, on Debian and its kin; elsewhere says what is needed.
pub(crate) fn system(packages: &[&str]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    if !answers("dpkg", "--version") {
        say("this is no Debian: install what https://v2.tauri.app/start/prerequisites/ names for it");
        return Ok(());
    }
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!("installing {}", missing.join(" ")));
    execute(privileged().args(["apt-get", "update", "-qq"]))?;
    execute(
        privileged()
            .args([
                "DEBIAN_FRONTEND=noninteractive",
                // Packages of servers start none: the tests start their own.
                "RUNLEVEL=1",
                "apt-get",
                "install",
                "-y",
                "-qq",
                "--no-install-recommends",
            ])
            .args(&missing),
    )
}

fn is_installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .output()
        .is_ok_and(|output| output.stdout == b"installed")
}

fn is_offered(package: &str) -> bool {
    let policy = Command::new("apt-cache").args(["policy", package]).output();
    policy.is_ok_and(|output| {
        let text = String::from_utf8_lossy(&output.stdout);
        text.contains("Candidate:") && !text.contains("Candidate: (none)")
    })
}

/// `env` as root: directly where we are root, else through sudo.
fn privileged() -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if root {
        return Command::new("env");
    }
    let mut command = Command::new("sudo");
    command.arg("env");
    command
}
