//! `cargo xtask platforms`: Windows and macOS code is read by a compiler on this Linux machine.
//!
//! Debian ships a compiler with its standard library's sources (`rustc-web`), from which the standard library of a
//! foreign target is built on the way; C and Objective-C parts of dependencies compile with MinGW for Windows and
//! with Zig's clang for macOS. Nothing is linked.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::process::{cache, execute, program, root, say, target};
use crate::setup;

const PACKAGES: [&str; 8] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "gcc-mingw-w64-x86-64",
    "g++-mingw-w64-x86-64",
    "nasm",
    "cmake",
    "python3-venv",
];
const WINDOWS: &str = "x86_64-pc-windows-gnu";
const MACOS: &str = "aarch64-apple-darwin";

/// Options of `platforms`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this target triple.
    #[arg(long)]
    only: Option<String>,
}

/// Type-checks the whole workspace, tests included, for both targets.
pub(crate) fn run(options: &Options) -> Result<()> {
    if !Path::new("/etc/debian_version").exists() {
        bail!("this check uses Debian's compiler packages; on {} build natively instead", env::consts::OS);
    }
    setup::system(&PACKAGES)?;
    let zig = zig()?;
    for triple in
        [WINDOWS, MACOS].into_iter().filter(|t| options.only.as_deref().is_none_or(|only| only == *t))
    {
        check(triple, &zig)?;
        say(&format!("{triple}: the whole workspace type-checks"));
    }
    Ok(())
}

fn check(triple: &str, zig: &Path) -> Result<()> {
    let mut cargo = Command::new("/usr/bin/cargo");
    cargo.current_dir(root());
    // Only the system's own programs: rustup's proxies would choose another compiler.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO") || name.starts_with("RUST") {
            cargo.env_remove(name);
        }
    }
    cargo
        .env("PATH", "/usr/bin:/bin")
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-D warnings")
        .env("CARGO_TARGET_DIR", target().join("platforms"))
        .args(["check", "--locked", "--workspace", "--all-targets", "--target", triple])
        .arg("-Zbuild-std=std,panic_unwind,proc_macro");
    if triple == MACOS {
        let compiler = wrapper(zig)?;
        cargo.env("CC_aarch64_apple_darwin", &compiler).env("CXX_aarch64_apple_darwin", &compiler);
        cargo.env("AR_aarch64_apple_darwin", "ar");
    }
    execute(&mut cargo)
}

/// Zig's folder, from its Python package.
fn zig() -> Result<PathBuf> {
    let home = cache()?.join("zig-env");
    let python = home.join("bin/python");
    if !home.join("ready").is_file() {
        execute(program("python3").args(["-m", "venv"]).arg(&home))?;
        execute(Command::new(&python).args(["-m", "pip", "install", "--quiet", "ziglang"]))?;
        fs::write(home.join("ready"), "").context("marking the Zig environment as ready")?;
    }
    let output = Command::new(&python)
        .args(["-c", "import os, ziglang; print(os.path.dirname(ziglang.__file__))"])
        .output()
        .context("asking Python where Zig is")?;
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).join("zig"))
}

/// A C compiler for macOS that takes the flags build scripts give to Apple's: Zig chooses the architecture and the
/// system version by its own target argument and refuses theirs. Objective-C needs headers that only Apple gives out, and
/// nothing is linked, so each such source stands for an empty one: the Rust side of it is read all the same.
fn wrapper(zig: &Path) -> Result<PathBuf> {
    let path = cache()?.join("cc-macos");
    let empty = cache()?.join("empty.c");
    fs::write(&empty, "").with_context(|| format!("writing {}", empty.display()))?;
    let script = format!(
        "#!/bin/sh\nset --  \"$@\" --end-of-arguments--\nwhile [ \"$1\" != --end-of-arguments-- ]; do\n  case \"$1\" in\n    \
         -arch) shift 2; continue ;;\n    -mmacosx-version-min=*|--target=*) shift; continue ;;\n    \
         *.m|*.mm) set -- \"$@\" '{}'; shift; continue ;;\n  esac\n  \
         set -- \"$@\" \"$1\"\n  shift\ndone\nshift\nexec '{}' cc -target aarch64-macos \"$@\"\n",
        empty.display(),
        zig.display()
    );
    fs::write(&path, script).with_context(|| format!("writing {}", path.display()))?;
    make_executable(&path)?;
    Ok(path)
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("making {} executable", path.display()))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<()> {
    Ok(())
}
