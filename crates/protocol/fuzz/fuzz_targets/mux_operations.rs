#![no_main]
//! Any operations on two mux sessions, compared with a model.

#[path = "../entries/choices.rs"]
mod choices;
#[path = "../entries/mux_operations.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
