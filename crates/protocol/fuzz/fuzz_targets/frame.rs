#![no_main]
//! Any bytes as a frame of the data channel.

#[path = "../entries/frame.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
