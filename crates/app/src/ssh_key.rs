//! A public key for a minute, by EC2 Instance Connect.

use std::io::Read;
use std::path::{Path, PathBuf};

use fleetline_engine::ports::{KeyPush, NodeAccess};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_launch::ssh_key::{KEY_FILE_LIMIT, PublicKey, USUAL_KEYS, is_os_user, public_file};

use crate::problem::{Context, describe};

/// Whether a key can be pushed to a node for a user at all.
///
/// # Errors
/// When the node is no EC2 instance, or the user cannot be one.
pub fn may_push(node_id: &str, user: &str) -> Result<(), CommandError> {
    if !node_id.starts_with("i-") {
        return Err(CommandError {
            hint: Some("Put the key on the node itself.".to_owned()),
            ..CommandError::new(
                ErrorCode::Unsupported,
                "Keys are pushed to EC2 instances only; hybrid nodes have no EC2 Instance Connect.",
            )
        });
    }
    if user.is_empty() {
        let message = "A key is pushed for one user of the node: name the user.";
        return Err(CommandError::new(ErrorCode::InvalidInput, message));
    }
    if !is_os_user(user) {
        let message = format!("EC2 Instance Connect takes no user named {user:?}.");
        return Err(CommandError::new(ErrorCode::InvalidInput, message));
    }
    Ok(())
}

/// Pushes the public half of a key, which an SSH server with EC2 Instance Connect takes for 60 s. Without a key file it is
/// the user's own, the first of [`USUAL_KEYS`].
///
/// # Errors
/// When it cannot be pushed, there is no such key, or AWS refuses.
pub async fn push(
    access: &dyn NodeAccess,
    node_id: &str,
    user: &str,
    key_file: Option<&Path>,
    context: &Context,
) -> Result<(), CommandError> {
    may_push(node_id, user)?;
    let key_file = key_file.map(Path::to_owned);
    let found = tokio::task::spawn_blocking(move || public_key(key_file.as_deref())).await;
    let key = found.map_err(|error| CommandError::new(ErrorCode::Internal, error.to_string())).flatten()?;
    let push = KeyPush {
        instance_id: node_id.to_owned(),
        user: user.to_owned(),
        public_key: key.as_str().to_owned(),
    };
    access.push_key(push).await.map_err(|error| describe(&error, context))
}

fn public_key(key_file: Option<&Path>) -> Result<PublicKey, CommandError> {
    let home = std::env::home_dir();
    let path = match key_file {
        Some(path) => public_file(&crate::desktop::expanded(path)),
        None => usual_key(home.as_deref()).ok_or_else(|| CommandError {
            hint: Some("Make one with `ssh-keygen -t ed25519`, or name a key file.".to_owned()),
            ..CommandError::new(
                ErrorCode::InvalidInput,
                format!("There is no key to push: neither {} is in ~/.ssh.", USUAL_KEYS.join(" nor ")),
            )
        })?,
    };
    let text = read(&path).map_err(|error| CommandError {
        hint: Some("`ssh-keygen -y` writes the public half of a private key.".to_owned()),
        ..CommandError::new(
            ErrorCode::InvalidInput,
            format!("The public key {} cannot be read: {error}.", path.display()),
        )
    })?;
    PublicKey::read(&text)
        .map_err(|error| CommandError::new(ErrorCode::InvalidInput, format!("{} {error}.", path.display())))
}

fn usual_key(home: Option<&Path>) -> Option<PathBuf> {
    let directory = home?.join(".ssh");
    USUAL_KEYS.iter().map(|name| directory.join(name)).find(|path| path.is_file())
}

fn read(path: &Path) -> std::io::Result<String> {
    let file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    let mut text = String::new();
    file.take(KEY_FILE_LIMIT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > KEY_FILE_LIMIT {
        return Err(std::io::Error::other("it is too large for a key"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_instances_and_users_of_the_service_are_pushed_to() {
        assert!(may_push("i-0123456789abcdef0", "ec2-user").is_ok());
        assert!(may_push("mi-0123456789abcdef0", "ec2-user").unwrap_err().message.contains("hybrid"));
        assert!(may_push("i-0123456789abcdef0", "").unwrap_err().message.contains("name the user"));
        assert!(may_push("i-0123456789abcdef0", "a b").is_err());
    }

    #[test]
    fn the_named_key_is_read_and_its_faults_are_told_with_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("node");
        let message = |key: &Path| public_key(Some(key)).unwrap_err().message;
        assert!(message(&key).contains("node.pub cannot be read"));
        std::fs::write(directory.path().join("node.pub"), "ssh-ed25519 AAAA").unwrap();
        assert!(message(&key).contains("node.pub is no public key"));
        std::fs::write(directory.path().join("node.pub"), vec![b'a'; 20_000]).unwrap();
        assert!(message(&key).contains("too large"));
        std::fs::create_dir(directory.path().join("d.pub")).unwrap();
        assert!(message(&directory.path().join("d.pub")).contains("it is no file"));
    }

    #[test]
    fn the_usual_keys_are_taken_in_their_order() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(usual_key(Some(home.path())), None);
        let ssh = home.path().join(".ssh");
        std::fs::create_dir(&ssh).unwrap();
        for name in ["id_rsa.pub", "id_ed25519.pub"] {
            std::fs::write(ssh.join(name), "").unwrap();
            assert_eq!(usual_key(Some(home.path())), Some(ssh.join(name)));
        }
    }
}
