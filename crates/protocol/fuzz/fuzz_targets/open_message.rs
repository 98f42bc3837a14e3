#![no_main]
//! Any text as an open message.

#[path = "../entries/open_message.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
