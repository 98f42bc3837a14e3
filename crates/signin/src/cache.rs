//! The token cache that is shared with the AWS CLI and the SDKs: `~/.aws/sso/cache` (aws-security-reliability.md A.9).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::oidc::Registration;
use crate::secret::Secret;
use crate::session::SsoSession;

/// Largest file read, in bytes.
const LIMIT: u64 = 1024 * 1024;

/// The cache cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the sign-in cache {} cannot be used: {source}", .path.display())]
pub struct CacheError {
    /// The file concerned.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

/// A cached sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedToken {
    /// Bearer token of the portal.
    pub access_token: Secret,
    /// Its end in epoch milliseconds.
    pub expires_ms: i64,
    /// Gets the next one.
    pub refresh_token: Option<Secret>,
    /// The client that got it; none in files of old programs.
    pub client: Option<Registration>,
}

/// The directory of the cache.
#[derive(Clone, Debug)]
pub struct TokenCache {
    directory: PathBuf,
}

/// Keeps other programs of ours from refreshing the same session. Ends when dropped.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "holds the lock")] File);

impl TokenCache {
    /// The cache in this directory, which need not exist.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The token of a session. `None` also for a file that is garbled, as other programs treat it.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn token(&self, session: &SsoSession) -> Result<Option<CachedToken>, CacheError> {
        let Some(file) = self.read(&session.token_file())? else { return Ok(None) };
        let text = |name: &str| file.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (Some(access_token), Some(expires_ms)) =
            (text("accessToken"), text("expiresAt").and_then(parse_time))
        else {
            return Ok(None);
        };
        let client = match (
            text("clientId"),
            text("clientSecret"),
            text("registrationExpiresAt").and_then(parse_time),
        ) {
            (Some(id), Some(secret), Some(expires_ms)) => Some(Registration {
                client_id: id.to_owned(),
                client_secret: Secret::new(secret),
                expires_ms,
            }),
            _ => None,
        };
        Ok(Some(CachedToken {
            access_token: Secret::new(access_token),
            expires_ms,
            refresh_token: text("refreshToken").map(Secret::new),
            client,
        }))
    }

    /// Replaces the token of a session in one step. Members other programs put into the file stay.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn put_token(&self, session: &SsoSession, token: &CachedToken) -> Result<(), CacheError> {
        let name = session.token_file();
        let mut file = self.read(&name)?.unwrap_or_default();
        let mut set = |name: &str, value: Option<String>| match value {
            Some(value) => drop(file.insert(name.to_owned(), Value::String(value))),
            None => drop(file.remove(name)),
        };
        set("startUrl", Some(session.start_url.clone()));
        set("region", Some(session.region.clone()));
        set("accessToken", Some(token.access_token.expose().to_owned()));
        set("expiresAt", Some(write_time(token.expires_ms)));
        set("refreshToken", token.refresh_token.as_ref().map(|token| token.expose().to_owned()));
        let client = token.client.as_ref();
        set("clientId", client.map(|client| client.client_id.clone()));
        set("clientSecret", client.map(|client| client.client_secret.expose().to_owned()));
        set("registrationExpiresAt", client.map(|client| write_time(client.expires_ms)));
        self.write(&name, file)
    }

    /// Forgets the token of a session. The registration stays, as with the AWS CLI.
    ///
    /// # Errors
    /// If the file is there and cannot be removed.
    pub fn forget_token(&self, session: &SsoSession) -> Result<(), CacheError> {
        let path = self.directory.join(session.token_file());
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(CacheError { path, source }),
            _ => Ok(()),
        }
    }

    /// The registration of this program for a session; only one that may use the browser's callback where `callback`.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn registration(
        &self,
        session: &SsoSession,
        callback: bool,
    ) -> Result<Option<Registration>, CacheError> {
        let Some(file) = self.read(&session.registration_file())? else { return Ok(None) };
        let text = |name: &str| file.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let grants = file.get("grantTypes").and_then(Value::as_array);
        let may_call_back =
            grants.is_some_and(|grants| grants.iter().any(|grant| grant == "authorization_code"));
        if callback && !may_call_back {
            return Ok(None);
        }
        Ok(match (text("clientId"), text("clientSecret"), text("expiresAt").and_then(parse_time)) {
            (Some(id), Some(secret), Some(expires_ms)) => Some(Registration {
                client_id: id.to_owned(),
                client_secret: Secret::new(secret),
                expires_ms,
            }),
            _ => None,
        })
    }

    /// Keeps a registration.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn put_registration(
        &self,
        session: &SsoSession,
        client: &Registration,
        callback: bool,
    ) -> Result<(), CacheError> {
        let mut file = Map::new();
        file.insert("clientId".to_owned(), Value::from(client.client_id.clone()));
        file.insert("clientSecret".to_owned(), Value::from(client.client_secret.expose()));
        file.insert("expiresAt".to_owned(), Value::from(write_time(client.expires_ms)));
        let scopes = session.registered_scopes();
        if !scopes.is_empty() {
            file.insert("scopes".to_owned(), Value::from(scopes));
        }
        if callback {
            file.insert("grantTypes".to_owned(), Value::from(vec!["authorization_code", "refresh_token"]));
        }
        self.write(&session.registration_file(), file)
    }

    /// Waits until no other program of ours holds the session, off the async threads.
    pub(crate) async fn lock(&self, session: &SsoSession) -> Result<Lock, CacheError> {
        let path = self.directory.join(session.token_file()).with_extension("fleetline.lock");
        let directory = self.directory.clone();
        let shown = path.clone();
        let locked = tokio::task::spawn_blocking(move || {
            create_private_directory(&directory)?;
            let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
                .open(&path)?;
            file.lock()?;
            Ok(Lock(file))
        });
        let locked = locked.await.unwrap_or_else(|_| Err(io::Error::other("the waiting was interrupted")));
        locked.map_err(|source| CacheError { path: shown, source })
    }

    fn read(&self, name: &str) -> Result<Option<Map<String, Value>>, CacheError> {
        let path = self.directory.join(name);
        let read = || -> io::Result<Option<Zeroizing<Vec<u8>>>> {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let mut bytes = Zeroizing::new(Vec::new());
            file.take(LIMIT).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        };
        let bytes = read().map_err(|source| CacheError { path: path.clone(), source })?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// A temporary file beside it, flushed to disk, then renamed: readers see the old or the new content.
    fn write(&self, name: &str, content: Map<String, Value>) -> Result<(), CacheError> {
        let path = self.directory.join(name);
        let text = Zeroizing::new(Value::Object(content).to_string());
        let write = || -> io::Result<()> {
            create_private_directory(&self.directory)?;
            // Created with access for the user alone.
            let mut file = tempfile::Builder::new().prefix(".fleetline-").tempfile_in(&self.directory)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|source| CacheError { path: path.clone(), source })
    }
}

fn create_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn private(options: &mut OpenOptions) -> &OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// `2026-11-25T20:15:00Z`, also as old programs wrote it, with `UTC` at the end.
fn parse_time(text: &str) -> Option<i64> {
    let text = match text.strip_suffix("UTC") {
        Some(start) => format!("{start}Z"),
        None => text.to_owned(),
    };
    text.parse::<Timestamp>().ok().map(|time| time.as_millisecond())
}

fn write_time(epoch_ms: i64) -> String {
    let time = Timestamp::from_second(epoch_ms.div_euclid(1000)).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
