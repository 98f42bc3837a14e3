//! The files that let any AWS client find the simulator by profile.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::SimulatorError;
use crate::simulator::SimulatedAccount;

/// The files that were written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) config: PathBuf,
    pub(crate) credentials: PathBuf,
    /// The authority's certificate, if there is one.
    pub(crate) ca: Option<PathBuf>,
}

/// Writes the files and returns their paths.
pub(crate) fn write(
    directory: &Path,
    endpoint: &str,
    ca_pem: Option<&str>,
    accounts: &[SimulatedAccount],
) -> Result<Written, SimulatorError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| SimulatorError::WriteConfig { path, source }
    };
    fs::create_dir_all(directory).map_err(failed(directory))?;
    // The profiles are read by programs that run elsewhere.
    let directory = &std::path::absolute(directory).map_err(failed(directory))?;
    let ca = ca_pem.map(|pem| (directory.join("ca.pem"), pem));
    let bundle = ca.as_ref().map(|(path, _)| format!("ca_bundle = {}\n", path.display())).unwrap_or_default();
    let mut config = String::new();
    let mut credentials = String::new();
    for account in accounts {
        config.push_str(&format!(
            "[profile {}]\nregion = {}\nendpoint_url = {endpoint}\n{bundle}output = json\n\n",
            account.name, account.default_region
        ));
        credentials.push_str(&format!(
            "[{}]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n\n",
            account.name, account.access_key_id, account.secret_access_key, account.session_token
        ));
    }
    let written = Written {
        config: directory.join("config"),
        credentials: directory.join("credentials"),
        ca: ca.as_ref().map(|(path, _)| path.clone()),
    };
    fs::write(&written.config, config).map_err(failed(&written.config))?;
    fs::write(&written.credentials, credentials).map_err(failed(&written.credentials))?;
    if let Some((path, pem)) = ca {
        fs::write(&path, pem).map_err(failed(&path))?;
    }
    Ok(written)
}
