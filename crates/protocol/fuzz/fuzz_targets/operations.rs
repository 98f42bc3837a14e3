#![no_main]
//! Any operations on a client and an agent, compared with a model.

#[path = "../entries/choices.rs"]
mod choices;
#[path = "../entries/operations.rs"]
mod entry;

libfuzzer_sys::fuzz_target!(|data: &[u8]| entry::run(data));
