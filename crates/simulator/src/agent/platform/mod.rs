//! What differs between operating systems: the default shell, and how a program and all it started are ended.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::{Interrupt, PROGRAM_SUFFIXES, interrupt, kill_tree, one_command, own_group, shell};
#[cfg(windows)]
pub(super) use windows::{Interrupt, PROGRAM_SUFFIXES, interrupt, kill_tree, one_command, own_group, shell};
