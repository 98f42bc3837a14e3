#![no_main]
//! Any bytes as a frame.

#[path = "../entries/frame_decode.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
