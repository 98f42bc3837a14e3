//! `cargo xtask test`: everything that must hold before a change lands.

use std::process::Command;

use anyhow::Result;

use crate::process::{cargo, execute, npm};
use crate::{demo, setup};

/// Options of `test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Leave out the window: no end-to-end test, no demo pictures.
    #[arg(long)]
    no_window: bool,
}

/// Cheap checks first, so that a slip shows early.
pub(crate) fn run(options: &Options) -> Result<()> {
    setup::all()?;
    setup::tests()?;
    execute(cargo().args(["fmt", "--all", "--check"]))?;
    interface()?;
    execute(cargo().args(["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    rust(options)?;
    if !options.no_window {
        demo::run(&demo::Options::for_tests())?;
    }
    Ok(())
}

/// The interface: types, lints, its own tests, and the build the app embeds.
fn interface() -> Result<()> {
    for script in ["check", "lint", "test", "build"] {
        execute(npm().args(["run", script]))?;
    }
    Ok(())
}

/// Every test of the workspace, the real window's included, and the examples in the documentation.
fn rust(options: &Options) -> Result<()> {
    let mut tests = cargo();
    tests.args(["nextest", "run", "--locked", "--workspace", "--no-fail-fast"]);
    clear_aws(&mut tests);
    tests.env("FLEETLINE_AWS_PYTHON", setup::aws_clients()?);
    let screen = if options.no_window || !cfg!(target_os = "linux") {
        None
    } else {
        let screen = crate::display::Screen::start()?;
        execute(cargo().args(["build", "--locked", "--workspace"]))?;
        tests.env("FLEETLINE_WINDOW_DRIVER", setup::window_driver()?);
        tests.env("FLEETLINE_WINDOW_APP", demo::program());
        tests.env("DISPLAY", screen.name()).env("LIBGL_ALWAYS_SOFTWARE", "1");
        Some(screen)
    };
    let outcome = execute(&mut tests);
    drop(screen);
    outcome?;
    execute(cargo().args(["test", "--locked", "--workspace", "--doc"]))
}

/// The tests set every AWS variable they depend on; none of the caller's may reach them.
fn clear_aws(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
}

/// Writes `ui/src/host/bindings.ts` from the Rust types.
pub(crate) fn write_bindings() -> Result<()> {
    execute(
        cargo()
            .args(["nextest", "run", "--locked", "--workspace", "--filterset", "binary(bindings)"])
            .env("UPDATE_BINDINGS", "1"),
    )
}
