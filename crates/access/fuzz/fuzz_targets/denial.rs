#![no_main]
//! Any text as a refusal.

#[path = "../entries/denial.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
