//! The `fleetline` command line program.

fn main() {}
