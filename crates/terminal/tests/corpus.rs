//! The committed fuzzing corpora, replayed.

#[path = "../fuzz/entries/frame_decode.rs"]
mod frame_decode;
#[path = "../fuzz/entries/guard.rs"]
mod guard;

use std::fs;
use std::io;
use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        run(&fs::read(entry?.path())?);
        count += 1;
    }
    assert!(count >= 5, "{target} has {count} inputs");
    Ok(())
}

#[test]
fn output_of_programs() -> io::Result<()> {
    replay("guard", guard::run)
}

#[test]
fn frames() -> io::Result<()> {
    replay("frame_decode", frame_decode::run)
}
