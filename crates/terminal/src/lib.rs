//! A terminal model that turns bytes into compact paint frames.
