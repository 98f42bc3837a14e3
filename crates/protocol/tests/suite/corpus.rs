//! Every input of the fuzz corpora through the functions the fuzz targets call.

use std::path::Path;

use crate::{mux_operations, operations};

#[path = "../../fuzz/entries/frame.rs"]
mod frame;
#[path = "../../fuzz/entries/mux_frame.rs"]
pub(crate) mod mux_frame;
#[path = "../../fuzz/entries/open_message.rs"]
mod open_message;

fn replay(target: &str, entry: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        entry(&std::fs::read(file.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= 6, "{} holds only {files} files", folder.display());
}

#[test]
fn the_frame_corpus_replays_without_a_panic() {
    replay("frame", frame::run);
}

#[test]
fn the_mux_frame_corpus_replays_without_a_panic() {
    replay("mux_frame", mux_frame::run);
}

#[test]
fn the_open_message_corpus_replays_without_a_panic() {
    replay("open_message", open_message::run);
}

#[test]
fn the_operations_corpus_replays_without_a_panic() {
    replay("operations", operations::run);
}

#[test]
fn the_mux_operations_corpus_replays_without_a_panic() {
    replay("mux_operations", mux_operations::run);
}
