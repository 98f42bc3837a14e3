//! The administrator's password of an EC2 node, decrypted on this computer.

use std::io::Read;
use std::path::{Path, PathBuf};

use fleetline_engine::ports::NodeAccess;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_launch::password::{PasswordError, WindowsPassword, decrypt};
use zeroize::Zeroizing;

use crate::problem::{Context, describe};

/// Largest key file read, in bytes; `decrypt` takes no more.
const KEY_LIMIT: u64 = 64 * 1024;

/// Asks EC2 for the encrypted password and opens it with the user's key file. The key is wiped as soon as that is done.
///
/// # Errors
/// When AWS refuses, the file cannot be read, or the two do not fit.
pub async fn administrator_password(
    access: &dyn NodeAccess,
    instance_id: &str,
    key_file: &Path,
    context: &Context,
) -> Result<WindowsPassword, CommandError> {
    // The file first: a wrong path costs no call.
    let path = expanded(key_file);
    let shown = path.clone();
    let read = tokio::task::spawn_blocking(move || read_key(&path)).await;
    let key = read.map_err(|error| std::io::Error::other(error.to_string())).and_then(|read| read);
    let key = key.map_err(|error| CommandError {
        hint: Some("Choose the .pem file of the node's key pair.".to_owned()),
        ..CommandError::new(
            ErrorCode::InvalidInput,
            format!("The key file {} cannot be read: {error}.", shown.display()),
        )
    })?;
    let data =
        access.password_data(instance_id.to_owned()).await.map_err(|error| describe(&error, context))?;
    decrypt(&data, &key).map_err(|error| {
        let code = match error {
            PasswordError::NotReady | PasswordError::Answer => ErrorCode::Service,
            _ => ErrorCode::InvalidInput,
        };
        CommandError::new(code, format!("There is no password: {error}."))
    })
}

/// `~/` is the home directory.
pub(crate) fn expanded(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

fn read_key(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(8 * 1024));
    file.take(KEY_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > KEY_LIMIT {
        return Err(std::io::Error::other("it is too large for a key"));
    }
    Ok(bytes)
}
