//! The handle to one session, whatever its kind.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{ClientChannel, ClientConfig, SessionId, TerminalSize};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::dial::Dialer;
use crate::driver::Driver;
use crate::history::HistoryEntry;
use crate::input::{InputSender, SendError, TrySendError, input_queue};
use crate::journal::JournalScope;
use crate::liveness::LivenessTimes;
use crate::output::{OutputChunk, OutputReceiver, output_queue};
use crate::pacing::Priority;
use crate::ports::{ApiError, ControlPlane, StartSession};
use crate::purpose::{Program, Purpose};
use crate::resume::ResumePolicy;
use crate::shared::{FinalState, Shared};
use crate::state::{EndReason, SessionState};
use crate::stats::SessionStats;
use crate::task::SessionTask;
use crate::wake::Wakeups;

/// How long `close` waits for TerminateSession.
const CLOSE_WITHIN: Duration = Duration::from_secs(10);

/// Payload bytes that every gateway and node takes (protocol.md 6.4).
const SMALL_PAYLOAD_BYTES: usize = 1024;

/// Bounds of a session's queues, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Input that waits because the session is not connected or the node is slow. Default 64 KiB.
    pub input_bytes: usize,
    /// Input sent and not acknowledged by the agent. Default 256 KiB.
    pub send_window_bytes: usize,
    /// Output that waits for the consumer; at this bound the agent is pushed back. Default 4 MiB.
    pub output_bytes: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { input_bytes: 64 * 1024, send_window_bytes: 256 * 1024, output_bytes: 4 * 1024 * 1024 }
    }
}

/// How large messages to a port of a node are (protocol.md 6.4). Sessions with programs send small ones always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PortMessages {
    /// Up to 16 KiB of payload, once a probe has shown that gateway and node take them. The default.
    #[default]
    Probed,
    /// Up to 16 KiB from the first one on: another session with the node has shown that they are taken.
    Proven,
    /// At most 1024 bytes, which every gateway and node takes.
    Small,
}

/// How a session is run, whatever its kind.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Queue bounds.
    pub limits: SessionLimits,
    /// Size of messages to ports.
    pub port_messages: PortMessages,
    /// Version reported to the gateway and the agent, four numbers; agents choose features by it
    /// (protocol.md 5.8). Default `1.2.764.0`.
    pub client_version: String,
    /// How long and how often to try to get the data channel back.
    pub resume: ResumePolicy,
    /// How long silence of the gateway and the node is borne.
    pub liveness: LivenessTimes,
    /// Who goes first when AWS limits how fast sessions are started and resumed. Default foreground.
    pub priority: Priority,
    /// Tells of sleep and of changes of the network. Clones are one, so give all sessions clones of one.
    pub wakeups: Wakeups,
    /// Where the session is noted while it is open. Default nowhere.
    pub journal: Option<JournalScope>,
    /// Opens sockets. Clones share one trust store, so give all sessions clones of one dialer.
    pub dialer: Dialer,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            limits: SessionLimits::default(),
            port_messages: PortMessages::default(),
            client_version: "1.2.764.0".to_owned(),
            resume: ResumePolicy::default(),
            liveness: LivenessTimes::default(),
            priority: Priority::default(),
            wakeups: Wakeups::new(),
            journal: None,
            dialer: Dialer::new(),
        }
    }
}

/// Why `close` could not confirm that the session is terminated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseError {
    /// AWS refused, or was not reached after repeats. The session ends by itself after its idle time-out.
    #[error("The session may still be open at AWS: {0}")]
    Refused(ApiError),
    /// No answer in time; the attempt goes on in the background.
    #[error("AWS has not confirmed the end of the session within {} s", CLOSE_WITHIN.as_secs())]
    TimedOut,
}

type Outcome = Option<Result<(), ApiError>>;

/// The handle's side of a session, whatever its purpose. Dropping it ends the session.
#[derive(Debug)]
pub(crate) struct SessionCore {
    shared: Arc<Shared>,
    state: watch::Receiver<SessionState>,
    outcome: watch::Receiver<Outcome>,
}

impl Drop for SessionCore {
    fn drop(&mut self) {
        self.shared.close.cancel();
    }
}

/// Begins a session in a task of its own. Must be called inside a tokio runtime.
pub(crate) fn begin(
    control: Arc<dyn ControlPlane>,
    request: StartSession,
    terminal: Option<TerminalSize>,
    options: SessionOptions,
    purpose: impl FnOnce(&Arc<Shared>) -> Purpose,
) -> SessionCore {
    let shared = Arc::new(Shared::new(options.priority));
    let (outcome_sender, outcome) = watch::channel(None);
    let clock = Clock::start();

    let mut config = ClientConfig::new(rand::random());
    config.client_version = options.client_version;
    config.send_window_bytes = options.limits.send_window_bytes;
    config.receive_budget_bytes = options.limits.output_bytes;
    config.terminal = terminal;
    match options.port_messages {
        PortMessages::Probed => {}
        PortMessages::Proven => config.port_payload_is_proven = true,
        PortMessages::Small => config.port_payload_bytes = SMALL_PAYLOAD_BYTES,
    }
    let driver = Driver::new(
        control.clone(),
        ClientChannel::new(config),
        clock,
        shared.clone(),
        purpose(&shared),
        options.liveness,
        options.wakeups.listen(),
    );

    let task = SessionTask::new(
        control,
        request,
        options.dialer,
        options.resume,
        options.journal,
        options.wakeups,
        clock,
        shared.clone(),
    );
    let state = shared.subscribe();
    tokio::spawn({
        let final_state = FinalState(shared.clone());
        async move {
            let terminated = task.run(driver).await;
            drop(final_state);
            outcome_sender.send_replace(Some(terminated));
        }
    });
    SessionCore { shared, state, outcome }
}

impl SessionCore {
    pub(crate) fn state(&self) -> watch::Receiver<SessionState> {
        self.state.clone()
    }

    pub(crate) fn session_id(&self) -> Option<SessionId> {
        self.shared.session_id.get().cloned()
    }

    pub(crate) fn stats(&self) -> SessionStats {
        self.shared.stats.read()
    }

    pub(crate) fn history(&self) -> Vec<HistoryEntry> {
        self.shared.history.entries()
    }

    pub(crate) fn set_priority(&self, priority: Priority) {
        self.shared.set_priority(priority);
    }

    pub(crate) fn retry_now(&self) {
        self.shared.retry.notify_one();
    }

    pub(crate) async fn ended(&self) -> SessionState {
        let mut state = self.state.clone();
        match state.wait_for(SessionState::is_final).await {
            Ok(last) => last.clone(),
            Err(_) => SessionState::Ended(EndReason::Defect),
        }
    }

    /// Ends the session without waiting for it.
    pub(crate) fn begin_close(&self) {
        self.shared.close.cancel();
    }

    pub(crate) async fn close(&self) -> Result<(), CloseError> {
        self.shared.close.cancel();
        match timeout(CLOSE_WITHIN, self.settled()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(CloseError::Refused(error)),
            Err(_) => Err(CloseError::TimedOut),
        }
    }

    async fn settled(&self) -> Result<(), ApiError> {
        let mut outcome = self.outcome.clone();
        match outcome.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Ok(())),
            // The task panicked; its guard terminates the session.
            Err(_) => Ok(()),
        }
    }
}

/// The handle's side of a session with a program. Dropping it ends the session.
#[derive(Debug)]
pub(crate) struct SessionHandle {
    core: SessionCore,
    input: InputSender,
    output: OutputReceiver,
    size: watch::Sender<TerminalSize>,
}

/// Begins a session with a program. Must be called inside a tokio runtime.
pub(crate) fn open(
    control: Arc<dyn ControlPlane>,
    request: StartSession,
    terminal: Option<TerminalSize>,
    options: SessionOptions,
) -> SessionHandle {
    let (input, input_receiver) = input_queue(options.limits.input_bytes);
    let (output_sender, output) = output_queue();
    let (size, size_receiver) = watch::channel(terminal.unwrap_or(TerminalSize { cols: 80, rows: 24 }));
    let program = Program::new(input_receiver, output_sender, size_receiver);
    let core = begin(control, request, terminal, options, |_| Purpose::Program(program));
    SessionHandle { core, input, output, size }
}

impl Deref for SessionHandle {
    type Target = SessionCore;

    fn deref(&self) -> &SessionCore {
        &self.core
    }
}

impl SessionHandle {
    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.core.shared.exit_code.get().copied()
    }

    pub(crate) fn notice(&self) -> Option<String> {
        self.core.shared.notice.get().cloned()
    }

    pub(crate) fn sealed_with(&self) -> Option<String> {
        self.core.shared.sealed_with.get().cloned()
    }

    pub(crate) async fn send(&self, bytes: Bytes) -> Result<(), SendError> {
        if self.core.shared.is_final() {
            return Err(SendError::Ended);
        }
        self.input.send(bytes).await
    }

    pub(crate) fn try_send(&self, bytes: Bytes) -> Result<(), TrySendError> {
        match &*self.core.state.borrow() {
            SessionState::Open { .. } => self.input.try_send(bytes),
            SessionState::Starting { .. } | SessionState::Reconnecting { .. } => {
                Err(TrySendError::NotConnected)
            }
            SessionState::Ended(_) | SessionState::Failed(_) => Err(TrySendError::Ended),
        }
    }

    pub(crate) fn resize(&self, size: TerminalSize) {
        self.size.send_if_modified(|current| {
            let changed = *current != size;
            *current = size;
            changed
        });
    }

    pub(crate) async fn recv(&self) -> Option<OutputChunk> {
        self.output.recv().await
    }
}
