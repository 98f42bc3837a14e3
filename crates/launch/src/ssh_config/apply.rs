//! Writing both files: atomically, with backups, verified by `ssh` itself, and taken back when anything differs.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::edit::{IncludeLine, install, remove};
use super::own_file::{Dialect, OwnFile, OwnFileError};
use super::verify::{Settings, ask, sample};
use crate::private_file;

/// Our file beside the user's.
const OWN_NAME: &str = "fleetline.conf";

/// Backups of the user's file that are kept.
const BACKUPS: usize = 5;

/// Where the configuration is.
#[derive(Clone, Debug)]
pub struct SshConfig {
    directory: PathBuf,
    include: IncludeLine,
    ssh: OsString,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Whether the user's file was changed.
    pub config_changed: bool,
    /// Whether our file was changed or removed.
    pub own_changed: bool,
    /// Where the user's file was copied to before it was changed.
    pub backup: Option<PathBuf>,
    /// Whether `ssh` itself confirmed the result. `false`: there is no `ssh` here to ask.
    pub verified: bool,
    /// Hosts of the user's file whose settings ours come before, because their names are node ids or saved names.
    pub taken_over: Vec<String>,
}

/// Why nothing was changed. Whatever had been written was taken back.
#[derive(Debug, thiserror::Error)]
pub enum SshConfigError {
    /// A file could not be read or written.
    #[error("{} could not be used: {error}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Our file's content.
    #[error("{0}")]
    Content(#[from] OwnFileError),
    /// The directory's path cannot be told to OpenSSH.
    #[error("OpenSSH cannot include files from {}", .0.display())]
    Directory(PathBuf),
    /// Somebody else wrote the user's file meanwhile.
    #[error("{} was changed by another program at the same moment", .0.display())]
    Raced(PathBuf),
    /// `ssh` does not read the user's file as it is.
    #[error("ssh does not accept the configuration as it is: {0}")]
    Broken(String),
    /// `ssh` does not read the result, or reads the user's own hosts differently.
    #[error("ssh read the changed configuration differently, so the change was taken back: {0}")]
    Differs(String),
}

impl SshConfig {
    /// The configuration in `directory`: `config` and what lies beside it. `home` says whether that is the `~/.ssh` of
    /// the user, where OpenSSH finds our file by its name alone.
    pub fn new(directory: &Path, home: bool) -> Result<Self, SshConfigError> {
        let unusable = || SshConfigError::Directory(directory.to_owned());
        let include = if home {
            IncludeLine::beside(OWN_NAME)
        } else {
            let path = std::path::absolute(directory.join(OWN_NAME)).ok();
            path.as_deref().and_then(Path::to_str).and_then(IncludeLine::at)
        };
        let include = include.ok_or_else(unusable)?;
        Ok(Self { directory: directory.to_owned(), include, ssh: OsString::from("ssh") })
    }

    /// Verifies with this program instead of `ssh`.
    pub fn verified_by(mut self, ssh: impl Into<OsString>) -> Self {
        self.ssh = ssh.into();
        self
    }

    /// The user's file.
    pub fn config_path(&self) -> PathBuf {
        self.directory.join("config")
    }

    /// Our file.
    pub fn own_path(&self) -> PathBuf {
        self.directory.join(OWN_NAME)
    }

    /// The line that includes our file.
    pub fn include(&self) -> &IncludeLine {
        &self.include
    }

    /// Whether the line is in the user's file and our file is there.
    pub fn is_installed(&self) -> Result<bool, SshConfigError> {
        let config = read(&self.config_path())?.unwrap_or_default();
        Ok(remove(&config, &self.include) != config && self.own_path().exists())
    }

    /// Writes our file and the line.
    pub fn install(&self, own: &OwnFile) -> Result<Applied, SshConfigError> {
        let text = own.text(Dialect::HERE)?;
        private_directory(&self.directory)?;
        self.change(Some(text.as_bytes()), |config| install(config, &self.include), own)
    }

    /// Removes the line and our file.
    pub fn remove(&self) -> Result<Applied, SshConfigError> {
        let own = OwnFile { program: String::new(), hosts: Vec::new() };
        self.change(None, |config| remove(config, &self.include), &own)
    }

    fn change(
        &self,
        own_text: Option<&[u8]>,
        edit: impl Fn(&[u8]) -> Vec<u8>,
        own: &OwnFile,
    ) -> Result<Applied, SshConfigError> {
        let config_path = resolve(&self.config_path());
        let own_path = self.own_path();
        let old_config = read(&config_path)?;
        let old_own = read(&own_path)?;
        let new_config = edit(old_config.as_deref().unwrap_or_default());
        let mut applied = Applied {
            config_changed: old_config.as_deref().unwrap_or_default() != new_config,
            own_changed: old_own.as_deref() != own_text,
            ..Applied::default()
        };
        let (taken, hosts): (Vec<_>, Vec<_>) = sample(old_config.as_deref().unwrap_or_default())
            .into_iter()
            .partition(|host| is_ours(host, own));
        applied.taken_over = taken;
        let before = match old_config {
            Some(_) => ask(&self.ssh, &config_path, &hosts).map_err(SshConfigError::Broken)?,
            None => None,
        };
        if !applied.config_changed && !applied.own_changed {
            applied.verified = before.is_some();
            return Ok(applied);
        }
        let undo =
            Undo { config: (&config_path, old_config.as_deref()), own: (&own_path, old_own.as_deref()) };
        let done = self.write(&undo, own_text, &new_config, &mut applied).and_then(|()| {
            let check = own_text.map(|_| own);
            applied.verified = self.verify(&config_path, &hosts, before.as_ref(), check)?;
            Ok(())
        });
        match done {
            Ok(()) => Ok(applied),
            Err(error) => {
                undo.run(&new_config, own_text);
                Err(error)
            }
        }
    }

    fn write(
        &self,
        old: &Undo<'_>,
        own_text: Option<&[u8]>,
        new_config: &[u8],
        applied: &mut Applied,
    ) -> Result<(), SshConfigError> {
        let (config_path, old_config) = old.config;
        // Our file is there before the line that needs it, and goes after it.
        if let Some(text) = own_text.filter(|_| applied.own_changed) {
            replace(old.own.0, text, None)?;
        }
        if applied.config_changed {
            if let Some(old_config) = old_config {
                applied.backup = Some(self.back_up(config_path, old_config)?);
            }
            if read(config_path)?.as_deref() != old_config {
                return Err(SshConfigError::Raced(config_path.to_owned()));
            }
            replace(config_path, new_config, Some(config_path))?;
        }
        if own_text.is_none() && applied.own_changed {
            fs::remove_file(old.own.0).map_err(|error| io_error(old.own.0, error))?;
        }
        Ok(())
    }

    fn verify(
        &self,
        config: &Path,
        hosts: &[String],
        before: Option<&Settings>,
        own: Option<&OwnFile>,
    ) -> Result<bool, SshConfigError> {
        if !config.exists() {
            return Ok(false);
        }
        let Some(after) = ask(&self.ssh, config, hosts).map_err(SshConfigError::Differs)? else {
            return Ok(false);
        };
        if let Some(host) =
            before.and_then(|before| hosts.iter().find(|host| before.get(*host) != after.get(*host)))
        {
            return Err(SshConfigError::Differs(format!("the settings of {host} changed")));
        }
        let Some(own) = own else { return Ok(true) };
        let node = "i-0123456789abcdef0";
        let names = own.hosts.iter().map(|host| host.alias.to_string()).chain([node.to_owned()]);
        let names: Vec<String> = names.collect();
        let ours = ask(&self.ssh, config, &names).map_err(SshConfigError::Differs)?.unwrap_or_default();
        for (host, settings) in &ours {
            let proxied = settings.lines().any(|line| {
                line.strip_prefix("proxycommand ").is_some_and(|command| command.contains(" ssh-proxy "))
            });
            if !proxied {
                return Err(SshConfigError::Differs(format!("{host} would not go through Fleetline")));
            }
        }
        Ok(true)
    }

    /// Copies the user's file aside and removes the oldest copies.
    fn back_up(&self, config: &Path, bytes: &[u8]) -> Result<PathBuf, SshConfigError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let backup = config.with_file_name(format!("config.fleetline-backup-{now:013}"));
        replace(&backup, bytes, Some(config))?;
        let directory = config.parent().unwrap_or(&self.directory);
        let entries = fs::read_dir(directory).map_err(|error| io_error(directory, error))?;
        let mut backups: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("config.fleetline-backup-"))
            })
            .collect();
        backups.sort();
        let surplus = backups.len().saturating_sub(BACKUPS);
        for old in &backups[..surplus] {
            fs::remove_file(old).map_err(|error| io_error(old, error))?;
        }
        Ok(backup)
    }
}

/// Whether a name gets its settings from our file.
fn is_ours(host: &str, own: &OwnFile) -> bool {
    host.starts_with("i-")
        || host.starts_with("mi-")
        || own.hosts.iter().any(|entry| entry.alias.as_str() == host)
}

/// What both files were.
struct Undo<'a> {
    config: (&'a Path, Option<&'a [u8]>),
    own: (&'a Path, Option<&'a [u8]>),
}

impl Undo<'_> {
    /// Puts back what was written, unless somebody has changed it since.
    fn run(&self, new_config: &[u8], new_own: Option<&[u8]>) {
        let files = [(self.config, Some(new_config)), (self.own, new_own)];
        for ((path, old), new) in files {
            let Ok(now) = read(path) else { continue };
            if now.as_deref() == old || now.as_deref() != new {
                continue;
            }
            // Nothing more can be done when this fails as well; the backup is there.
            match old {
                Some(old) => drop(replace(path, old, Some(path))),
                None => drop(fs::remove_file(path)),
            }
        }
    }
}

/// Follows links, so that a linked file is changed where it is.
fn resolve(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, SshConfigError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error(path, error)),
    }
}

fn io_error(path: &Path, error: io::Error) -> SshConfigError {
    SshConfigError::Io { path: path.to_owned(), error }
}

/// Replaces a file by way of a new one beside it, with the mode and owner of `like`, or private.
fn replace(path: &Path, bytes: &[u8], like: Option<&Path>) -> Result<(), SshConfigError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = path.with_file_name(format!(".{name}.fleetline-{}.tmp", std::process::id()));
    let written = (|| {
        let mut file = private_file::create(&temporary)?;
        file.write_all(bytes)?;
        if let Some(meta) = like.and_then(|like| fs::metadata(like).ok()) {
            keep_access(&file, &temporary, &meta)?;
        }
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, path)?;
        sync_directory(path)
    })();
    written.map_err(|error| {
        // Already failing: the first reason is the one to report.
        drop(fs::remove_file(&temporary));
        io_error(path, error)
    })
}

#[cfg(unix)]
fn keep_access(file: &File, _path: &Path, meta: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    // Only root can give a file away; for everybody else the owner is the same already.
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (meta.uid(), meta.gid()) {
        fchown(file, Some(meta.uid()), Some(meta.gid()))?;
    }
    file.set_permissions(meta.permissions())
}

#[cfg(not(unix))]
fn keep_access(_file: &File, path: &Path, meta: &fs::Metadata) -> io::Result<()> {
    fs::set_permissions(path, meta.permissions())
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes `~/.ssh` when it is not there.
fn private_directory(path: &Path) -> Result<(), SshConfigError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| io_error(path, error))
}
