//! Build script of the desktop app.
fn main() {}
