//! The committed TypeScript bindings are what the commands and types of today give.
//! `UPDATE_BINDINGS=1` rewrites them.

use std::path::Path;
use std::{env, fs};

use anyhow::{Context, Result, ensure};

#[test]
fn committed_bindings_are_current() -> Result<()> {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/src/host/bindings.ts");
    let folder = tempfile::tempdir()?;
    let fresh = folder.path().join("bindings.ts");
    fleetline_desktop::bindings::export(&fresh)?;
    let fresh = fs::read_to_string(fresh)?;
    if env::var_os("UPDATE_BINDINGS").is_some() {
        return fs::write(&committed, fresh).context("writing the bindings");
    }
    let committed = fs::read_to_string(&committed).context("reading the committed bindings")?;
    let difference = fresh.lines().zip(committed.lines()).position(|(fresh, committed)| fresh != committed);
    ensure!(
        fresh.replace("\r\n", "\n") == committed.replace("\r\n", "\n"),
        "ui/src/host/bindings.ts is out of date from line {}: run this test once with UPDATE_BINDINGS=1",
        difference.map_or_else(|| fresh.lines().count().min(committed.lines().count()) + 1, |line| line + 1),
    );
    Ok(())
}

#[test]
fn frames_are_raw_bytes_and_events_carry_the_contracts_own_type() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bindings.ts");
    fleetline_desktop::bindings::export(&path)?;
    let text = fs::read_to_string(path)?;
    ensure!(text.contains("frames: Channel<ArrayBuffer>"), "frames are not typed as raw bytes");
    ensure!(text.contains("\"app-event\""), "the event has another name");
    Ok(())
}
