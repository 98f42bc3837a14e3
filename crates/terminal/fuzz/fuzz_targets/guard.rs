#![no_main]
//! Any bytes as output of a program.

#[path = "../entries/guard.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
