#![no_main]
//! Any bytes as what the peer of a mux session sends.

#[path = "../entries/mux_frame.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
