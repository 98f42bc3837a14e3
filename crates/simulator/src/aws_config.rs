//! The files that let any AWS client find the simulator by profile.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::SimulatorError;
use crate::simulator::SimulatedAccount;

/// Writes both files and returns their paths.
pub(crate) fn write(
    directory: &Path,
    endpoint: &str,
    accounts: &[SimulatedAccount],
) -> Result<(PathBuf, PathBuf), SimulatorError> {
    let mut config = String::new();
    let mut credentials = String::new();
    for account in accounts {
        config.push_str(&format!(
            "[profile {}]\nregion = {}\nendpoint_url = {endpoint}\noutput = json\n\n",
            account.name, account.default_region
        ));
        credentials.push_str(&format!(
            "[{}]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n\n",
            account.name, account.access_key_id, account.secret_access_key, account.session_token
        ));
    }
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| SimulatorError::WriteConfig { path, source }
    };
    fs::create_dir_all(directory).map_err(failed(directory))?;
    let (config_path, credentials_path) = (directory.join("config"), directory.join("credentials"));
    fs::write(&config_path, config).map_err(failed(&config_path))?;
    fs::write(&credentials_path, credentials).map_err(failed(&credentials_path))?;
    Ok((config_path, credentials_path))
}
