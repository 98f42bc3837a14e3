//! Composes what the application talks to: AWS through the user's own configuration, or the demo fleet.

mod demo;

use std::path::Path;
use std::sync::Arc;

use fleetline_app::{ApiError, Backend, BoxFuture, Dialer, Identities, Launcher, SourceInfo, Sources, Vault};
use fleetline_aws::{AwsSettings, AwsSources};
use fleetline_ipc::CommandError;
use fleetline_ipc::system::StartChoice;
use tokio_util::task::TaskTracker;

/// Makes a [`Backend`] of a choice.
pub(crate) struct Composer {
    user: Arc<AwsSources>,
    vault: Vault,
    ending: TaskTracker,
}

impl Composer {
    /// The user's own configuration is read when it is asked for, and watched from now on, so that sessions which wait
    /// for credentials try again when it changes. Sources that are added here are kept in `own_file`, secrets
    /// in `vault`. `ending` counts
    /// what is still being shut down.
    pub(crate) fn new(own_file: Option<&Path>, vault: Vault, ending: TaskTracker) -> Self {
        let settings = AwsSettings::from_environment(|name| std::env::var(name).ok());
        let user = AwsSources::new(match own_file {
            Some(file) => settings.with_own_file(file),
            None => settings,
        })
        .with_vault(vault.clone());
        if let Err(error) = user.changed() {
            tracing::warn!(%error, "AWS configuration");
        }
        Self { user: Arc::new(user), vault, ending }
    }
}

impl Launcher for Composer {
    fn sources(&self) -> Vec<SourceInfo> {
        self.user.list()
    }

    fn launch(&self, choice: &StartChoice) -> BoxFuture<'_, Result<Backend, CommandError>> {
        match choice {
            StartChoice::Demo => Box::pin(demo::launch(self.ending.clone())),
            StartChoice::Aws { .. } => {
                let user = self.user.clone();
                let identities = self.identities();
                Box::pin(async move {
                    Ok(Backend { access: Some(user.clone()), identities, ..Backend::of(user, Vec::new()) })
                })
            }
        }
    }

    fn identities(&self) -> Option<Arc<dyn Identities<ApiError>>> {
        Some(self.user.clone())
    }

    fn vault(&self) -> Vault {
        self.vault.clone()
    }

    fn dialer(&self, source: &str) -> Result<Option<Dialer>, ApiError> {
        self.user.dialer(source).map(Some)
    }
}
