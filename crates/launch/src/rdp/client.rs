//! Which programs there are for remote desktops.

#[cfg(not(unix))]
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Kinds of operating systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Windows.
    Windows,
    /// macOS.
    MacOs,
    /// Linux and its relatives.
    Unix,
}

impl System {
    /// This one.
    pub const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::MacOs
    } else {
        Self::Unix
    };
}

/// What detection asks the computer.
pub trait Environment {
    /// Which system it is.
    fn system(&self) -> System;
    /// The absolute path of a program in the search path. Never one of the working directory.
    fn find(&self, program: &str) -> Option<PathBuf>;
    /// Whether there is a file or directory.
    fn exists(&self, path: &Path) -> bool;
    /// The directory Windows is installed in.
    fn windows_directory(&self) -> Option<PathBuf>;
    /// The user's home directory.
    fn home(&self) -> Option<PathBuf>;
    /// What a program prints with one argument, at most a few lines. `None` when it fails or prints nothing.
    fn printed(&self, program: &Path, argument: &str) -> Option<String>;
}

/// Generations of FreeRDP with different options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FreeRdpVersion {
    /// 2.x.
    V2,
    /// 3.x and later.
    V3,
}

/// A program that shows remote desktops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Client {
    /// Windows' own, by its absolute path.
    Mstsc(PathBuf),
    /// Windows App or Microsoft Remote Desktop on macOS, by the path of its bundle.
    WindowsApp(PathBuf),
    /// FreeRDP, by its absolute path.
    FreeRdp(PathBuf, FreeRdpVersion),
    /// Remmina, by its absolute path.
    Remmina(PathBuf),
}

impl Client {
    /// Its name for people.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mstsc(_) => "Remote Desktop Connection",
            Self::WindowsApp(bundle) if bundle.ends_with("Windows App.app") => "Windows App",
            Self::WindowsApp(_) => "Microsoft Remote Desktop",
            Self::FreeRdp(_, FreeRdpVersion::V2) => "FreeRDP 2",
            Self::FreeRdp(_, FreeRdpVersion::V3) => "FreeRDP 3",
            Self::Remmina(_) => "Remmina",
        }
    }
}

const FREERDP: [&str; 5] = ["xfreerdp3", "sdl-freerdp3", "sdl-freerdp", "xfreerdp", "wlfreerdp"];

/// The programs there are, the preferred one first: the system's own, then FreeRDP, which takes a password without
/// showing it, then Remmina.
pub fn detect(environment: &impl Environment) -> Vec<Client> {
    let mut found = Vec::new();
    match environment.system() {
        System::Windows => {
            let mstsc = environment.windows_directory().map(|dir| dir.join("System32").join("mstsc.exe"));
            found.extend(mstsc.filter(|path| environment.exists(path)).map(Client::Mstsc));
        }
        System::MacOs => {
            let applications =
                [Some(PathBuf::from("/Applications")), environment.home().map(|h| h.join("Applications"))];
            for name in ["Windows App.app", "Microsoft Remote Desktop.app"] {
                let bundles = applications.iter().flatten().map(|directory| directory.join(name));
                found.extend(bundles.filter(|path| environment.exists(path)).map(Client::WindowsApp));
            }
        }
        System::Unix => {}
    }
    let mut freerdp: Vec<(PathBuf, FreeRdpVersion)> = Vec::new();
    for program in FREERDP {
        let Some(path) = environment.find(program) else { continue };
        // Without a display it says nothing, not even its version; then its name tells enough.
        let version = match environment.printed(&path, "/version") {
            Some(printed) => version(&printed),
            None if program.ends_with('3') => Some(FreeRdpVersion::V3),
            None => Some(FreeRdpVersion::V2),
        };
        let Some(version) = version else { continue };
        if freerdp.iter().all(|(other, _)| *other != path) {
            freerdp.push((path, version));
        }
    }
    // The first of the newest generation.
    freerdp.sort_by_key(|(_, version)| std::cmp::Reverse(*version));
    found.extend(freerdp.into_iter().map(|(path, version)| Client::FreeRdp(path, version)));
    if environment.system() == System::Unix {
        found.extend(environment.find("remmina").map(Client::Remmina));
    }
    found
}

/// From "This is FreeRDP version 2.11.7 (2.11.7)".
fn version(printed: &str) -> Option<FreeRdpVersion> {
    let (_, number) = printed.split_once("FreeRDP version ")?;
    let major: u32 = number.split('.').next()?.parse().ok()?;
    match major {
        2 => Some(FreeRdpVersion::V2),
        3.. => Some(FreeRdpVersion::V3),
        _ => None,
    }
}

/// This computer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Here;

impl Environment for Here {
    fn system(&self) -> System {
        System::HERE
    }

    fn find(&self, program: &str) -> Option<PathBuf> {
        let path = std::env::var_os("PATH")?;
        let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
        let directories = std::env::split_paths(&path).filter(|directory| directory.is_absolute());
        directories.map(|directory| directory.join(&name)).find(|path| is_program(path))
    }

    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }

    fn windows_directory(&self) -> Option<PathBuf> {
        std::env::var_os("SystemRoot").map(PathBuf::from).filter(|path| path.is_absolute())
    }

    fn home(&self) -> Option<PathBuf> {
        std::env::home_dir()
    }

    fn printed(&self, program: &Path, argument: &str) -> Option<String> {
        let mut command = Command::new(program);
        let output = command.arg(argument).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        if !output.status.success() || output.stdout.is_empty() {
            return None;
        }
        let start = output.stdout.get(..output.stdout.len().min(4096))?;
        Some(String::from_utf8_lossy(start).into_owned())
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("exe")) && path.is_file()
}
