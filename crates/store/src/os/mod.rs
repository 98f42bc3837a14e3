//! What differs between operating systems: permissions, and making a rename last.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::{create_private_dir, private_file_options, sync_directory};

#[cfg(not(unix))]
mod other;
#[cfg(not(unix))]
pub(crate) use other::{create_private_dir, private_file_options, sync_directory};
