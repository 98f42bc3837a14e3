//! The demo fleet: a simulator inside this process, reached through the same AWS code as the real service.

use std::sync::Arc;

use fleetline_app::{Backend, Scope};
use fleetline_aws::AwsSources;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_simulator::{Simulator, SimulatorConfig, SimulatorError};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

/// Sessions the demo fleet had before, so that there is a history to look at.
const PAST_SESSIONS: usize = 900;

/// Starts the simulator and points AWS access at it, by files in a directory that goes away with it. Its ending is
/// counted by `ending`.
pub(crate) async fn launch(ending: TaskTracker) -> Result<Backend, CommandError> {
    let simulator =
        Simulator::start(SimulatorConfig { past_sessions: PAST_SESSIONS, ..SimulatorConfig::default() })
            .await
            .map_err(|error| failed(&error))?;
    let files = tempfile::Builder::new().prefix("fleetline-demo-").tempdir();
    let files = files.map_err(|error| {
        problem(ErrorCode::Storage, "The demo fleet found no temporary directory to use.", error.to_string())
    })?;
    let (config, credentials) = simulator.write_aws_config(files.path()).map_err(|error| failed(&error))?;
    let sources = Arc::new(AwsSources::from_files(config, Some(credentials)));
    let scope = simulator.accounts().into_iter().flat_map(|account| {
        let source = account.name;
        account.regions.into_iter().map(move |region| Scope { source: source.clone(), region })
    });
    Ok(Backend {
        access: Some(sources.clone()),
        identities: Some(sources.clone()),
        guard: Some(Box::new(Running {
            parts: Some((simulator, files, ending.token())),
            ending,
            runtime: Handle::current(),
        })),
        ..Backend::of(sources, scope.collect())
    })
}

/// A running simulator. Dropped, it is shut down in the background: its shells end and their homes are removed.
struct Running {
    parts: Option<(Simulator, TempDir, TaskTrackerToken)>,
    ending: TaskTracker,
    runtime: Handle,
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some((simulator, files, token)) = self.parts.take() else { return };
        let shutdown = async move {
            simulator.shutdown().await;
            if let Err(error) = files.close() {
                tracing::warn!(%error, "the demo fleet's files could not be removed");
            }
            drop(token);
        };
        self.ending.spawn_on(shutdown, &self.runtime);
    }
}

fn failed(error: &SimulatorError) -> CommandError {
    let code = match error {
        SimulatorError::Listen { .. } => ErrorCode::NetworkUnreachable,
        SimulatorError::WriteConfig { .. } => ErrorCode::Storage,
        SimulatorError::Config(_) | SimulatorError::Tls(_) => ErrorCode::Internal,
    };
    problem(code, "The demo fleet could not start.", error.to_string())
}

fn problem(code: ErrorCode, sentence: &str, detail: String) -> CommandError {
    CommandError { detail: Some(detail), ..CommandError::new(code, sentence) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_scope_has_its_source_and_the_end_can_be_waited_for() {
        let ending = TaskTracker::new();
        let backend = launch(ending.clone()).await.unwrap();
        let names: Vec<_> = backend.sources.list().into_iter().map(|source| source.name).collect();
        assert!(backend.scope.len() > names.len(), "some account has several Regions");
        assert!(backend.scope.iter().all(|scope| names.contains(&scope.source)));
        ending.close();
        assert!(!ending.is_empty(), "a running simulator is waited for");
        drop(backend);
        ending.wait().await;
    }
}
