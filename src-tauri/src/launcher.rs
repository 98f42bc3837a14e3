//! Composes what the application talks to: AWS through the user's own configuration, or the demo fleet.

mod demo;

use std::sync::Arc;

use fleetline_app::{ApiError, Backend, BoxFuture, Dialer, Launcher, SourceInfo, Sources};
use fleetline_aws::AwsSources;
use fleetline_ipc::CommandError;
use fleetline_ipc::system::StartChoice;
use tokio_util::task::TaskTracker;

/// Makes a [`Backend`] of a choice.
pub(crate) struct Composer {
    user: Arc<AwsSources>,
    ending: TaskTracker,
}

impl Composer {
    /// The user's own configuration is read when it is asked for, and watched from now on, so that sessions which wait
    /// for credentials try again when it changes. `ending` counts what is still being shut down.
    pub(crate) fn new(ending: TaskTracker) -> Self {
        let user = AwsSources::from_environment(|name| std::env::var(name).ok());
        if let Err(error) = user.changed() {
            tracing::warn!(%error, "AWS configuration");
        }
        Self { user: Arc::new(user), ending }
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
                let backend = Backend {
                    sources: self.user.clone(),
                    documents: self.user.clone(),
                    history: self.user.clone(),
                    control: self.user.clone(),
                    scope: Vec::new(),
                    guard: None,
                };
                Box::pin(async { Ok(backend) })
            }
        }
    }

    fn dialer(&self, source: &str) -> Result<Option<Dialer>, ApiError> {
        self.user.dialer(source).map(Some)
    }
}
