//! One task per shell tab: the owner of its terminal and its session.

mod convert;
mod input;
mod line;
mod local;
mod painter;
mod recording;
mod replay;
mod requests;

use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::ports::{ControlPlane, StartSession};
use fleetline_engine::{
    OutputChunk, SessionOptions, SessionState as EngineState, ShellOptions, TerminalSize, open_shell,
};
use fleetline_ipc::access::Denied;
use fleetline_ipc::document::DocumentEffects;
use fleetline_ipc::recording::RecordingMark;
use fleetline_ipc::replay::ReplayRow;
use fleetline_ipc::session::SessionState;
use fleetline_ipc::terminal::TerminalSize as IpcSize;
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_recording::sealed::Ending;
use fleetline_recording::{Content, Control, Standing};
use fleetline_terminal::{Options, Palette, Size, Terminal, TerminalEvent};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use self::input::Input;
use self::line::Line;
pub(crate) use self::local::LocalCommand;
use self::local::LocalProgram;
use self::painter::Painter;
use self::replay::Replay;
use crate::ports::Ui;
use crate::problem::{Context, denied, describe_close};
use crate::recorder::{Recorder, RecorderState};
use crate::request::TerminalRequest;

/// Requests that may wait for a terminal. Its task answers each within moments, so more means a caller that does not
/// wait for its answers.
pub(crate) const WAITING_REQUESTS: usize = 256;

/// Largest paste and largest text, in bytes.
const TEXT_LIMIT: usize = 1024 * 1024;

/// Longest time between two reports of output that nobody sees.
const ACTIVITY_SPACING: Duration = Duration::from_secs(1);
/// A node that is connected and says nothing for this long has probably a full disk, or a log bucket or group that cannot be
/// written to (aws-security-reliability.md A.11).
const SILENCE: Duration = Duration::from_secs(10);

/// Shortest time between two reports that something was typed or came. The last of it may go untold for as long.
const ACTIVE_SPACING: Duration = Duration::from_secs(5);

/// What the controller asks of a terminal.
pub(crate) enum Command {
    /// A request of the interface.
    Ui(TerminalRequest),
    /// Opens a session in place of one that is over, on a blank screen.
    Open(Box<Opening>),
    /// Tries to resume now.
    Retry,
    /// The theme changed.
    Palette(Palette),
    /// A person does something to the replay.
    Replay(Control),
    /// Records from now on.
    Record(Box<Recorder>),
    /// Ends the recording.
    RecordingStop,
}

/// What a terminal is connected with.
pub(crate) struct Opening {
    pub(crate) kind: OpeningKind,
    pub(crate) context: Context,
}

/// What a terminal can be connected with.
pub(crate) enum OpeningKind {
    /// A session on a node.
    Session { control: Arc<dyn ControlPlane>, request: StartSession, options: Box<SessionOptions> },
    /// A program of this computer.
    Local(LocalCommand),
    /// What was printed before.
    Replay(Content),
}

/// What a terminal tells the controller.
#[derive(Debug)]
pub(crate) enum Report {
    /// The session changed.
    State {
        state: SessionState,
        session_id: Option<String>,
        resumed_after_ms: Option<f64>,
        denied: Option<Box<Denied>>,
    },
    /// The program set a title, cleaned; empty for none.
    Title(String),
    /// The bell rang.
    Bell,
    /// Output arrived while no window shows the terminal.
    Unseen,
    /// The node has said nothing since the session opened; or it has now.
    Silent(bool),
    /// The session may still be open at AWS.
    NotTerminated(CommandError),
    /// Something was typed or came; told every few seconds at most.
    Active,
    /// What the session's document does to it.
    Effects(Box<DocumentEffects>),
    /// How the replay stands.
    Replay(ReplayRow),
    /// The recording began, or is over.
    Recording(Option<RecordingMark>),
    /// The recording ended before it was to.
    RecordingFailed(CommandError),
}

/// A report with the tab it is about.
pub(crate) type Reports = mpsc::Sender<(String, Report)>;

/// A session and the way into it.
struct Live {
    session: Arc<Line>,
    input: Input,
    state: watch::Receiver<EngineState>,
    /// How the replay stands, if it is one.
    replay: Option<watch::Receiver<(ReplayRow, Standing)>>,
    context: Context,
    /// All output was taken.
    drained: bool,
    /// The final state was reported.
    over: bool,
    silence: Silence,
}

/// Whether the node has said anything yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// The session has not opened.
    Before,
    /// It has, and silence is told then.
    Until(Instant),
    /// Silence was told.
    Told,
    /// Something was said.
    Broken,
}

struct Task {
    tab: String,
    reports: Reports,
    ui: Arc<dyn Ui>,
    terminal: Terminal,
    options: Options,
    live: Option<Live>,
    painter: Painter,
    recording: Option<(Recorder, watch::Receiver<RecorderState>)>,
    /// Times are given to the terminal as durations since then.
    epoch: Instant,
    resize_at: Option<Instant>,
    unseen_after: Instant,
    active_after: Instant,
}

/// Runs a terminal until nobody can ask it any more; then its session is terminated.
pub(crate) async fn run(
    tab: String,
    size: IpcSize,
    options: Options,
    mut commands: mpsc::Receiver<Command>,
    reports: Reports,
    ui: Arc<dyn Ui>,
) {
    let now = Instant::now();
    let mut task = Task {
        tab,
        reports,
        ui,
        terminal: Terminal::new(Size::new(size.cols, size.rows), options.clone()),
        options,
        live: None,
        painter: Painter::new(),
        recording: None,
        epoch: now,
        resize_at: None,
        unseen_after: now,
        active_after: now,
    };
    while let Some(event) = task.next(&mut commands).await {
        task.handle(event).await;
    }
    task.close().await;
}

enum Event {
    Command(Command),
    StateChanged,
    Output(Option<OutputChunk>),
    FrameDue,
    ResizeDue,
    SilenceDue,
    ReplayChanged,
    RecorderChanged,
}

impl Event {
    /// Whether the service would count it against the idle time: bytes to or from the node.
    fn is_activity(&self) -> bool {
        matches!(
            self,
            Self::Output(Some(_))
                | Self::Command(Command::Ui(
                    TerminalRequest::Key { .. }
                        | TerminalRequest::Text { .. }
                        | TerminalRequest::Paste { .. }
                        | TerminalRequest::PasteClipboard { .. }
                ))
        )
    }
}

impl Task {
    /// The next thing to do; `None` when the terminal is to end. Input goes before output, so that an endless output
    /// can be interrupted.
    async fn next(&mut self, commands: &mut mpsc::Receiver<Command>) -> Option<Event> {
        let frame_at = self.painter.due(&self.terminal, self.epoch);
        let silent_at = self.live.as_ref().and_then(|live| match live.silence {
            Silence::Until(at) => Some(at),
            Silence::Before | Silence::Told | Silence::Broken => None,
        });
        let (state, session, replay) = match &mut self.live {
            Some(live) => (
                (!live.over).then_some(&mut live.state),
                (!live.drained).then_some(&live.session),
                live.replay.as_mut(),
            ),
            None => (None, None, None),
        };
        tokio::select! {
            biased;
            command = commands.recv() => Some(Event::Command(command?)),
            () = changed(state) => Some(Event::StateChanged),
            () = changed(replay) => Some(Event::ReplayChanged),
            () = changed(self.recording.as_mut().map(|(_, state)| state)) => Some(Event::RecorderChanged),
            () = at(frame_at) => Some(Event::FrameDue),
            () = at(self.resize_at) => Some(Event::ResizeDue),
            chunk = output(session) => Some(Event::Output(chunk)),
            () = at(silent_at) => Some(Event::SilenceDue),
        }
    }

    async fn handle(&mut self, event: Event) {
        if event.is_activity() && Instant::now() >= self.active_after {
            self.active_after = Instant::now() + ACTIVE_SPACING;
            self.report(Report::Active).await;
        }
        match event {
            Event::Command(Command::Ui(request)) => self.request(request).await,
            Event::Command(Command::Open(opening)) => self.open(*opening).await,
            Event::Command(Command::Retry) => {
                if let Some(live) = &self.live {
                    live.session.retry_now();
                }
            }
            Event::Command(Command::Palette(palette)) => {
                self.options.palette = palette.clone();
                self.terminal.set_palette(palette);
            }
            Event::Command(Command::Replay(control)) => {
                if let Some(replay) = self.live.as_ref().and_then(|live| live.session.replay()) {
                    replay.control(control);
                }
            }
            Event::Command(Command::Record(recorder)) => self.record(*recorder).await,
            Event::Command(Command::RecordingStop) => self.end_recording(Ending::Stopped).await,
            Event::RecorderChanged => self.recorder_changed().await,
            Event::StateChanged => self.report_state().await,
            Event::ReplayChanged => {
                if let Some(rows) = self.live.as_mut().and_then(|live| live.replay.as_mut()) {
                    let row = rows.borrow_and_update().0.clone();
                    self.report(Report::Replay(row)).await;
                }
            }
            Event::Output(chunk) => self.output(chunk).await,
            Event::SilenceDue => {
                if let Some(live) = &mut self.live {
                    live.silence = Silence::Told;
                    self.report(Report::Silent(true)).await;
                }
            }
            Event::FrameDue => self.painter.paint(&mut self.terminal, self.epoch),
            Event::ResizeDue => {
                self.resize_at = None;
                let size = self.terminal.size();
                if let Some(live) = &self.live {
                    live.session.resize(engine_size(size));
                }
                if let Some((recorder, _)) = &mut self.recording {
                    recorder.resized(size.cols, size.rows).await;
                }
            }
        }
    }

    async fn open(&mut self, opening: Opening) {
        self.end_recording(Ending::Session).await;
        if self.live.is_some() {
            self.terminal = Terminal::new(self.terminal.size(), self.options.clone());
            self.painter.start_over();
        }
        let size = engine_size(self.terminal.size());
        let line = match opening.kind {
            OpeningKind::Session { control, request, options } => {
                Line::Session(open_shell(control, request, ShellOptions { size, session: *options }))
            }
            OpeningKind::Replay(content) => Line::Replay(Replay::start(content)),
            OpeningKind::Local(command) => match LocalProgram::start(&command, size) {
                Ok(program) => Line::Local(program),
                Err(error) => {
                    let message = format!("{} could not be started: {error}.", command.program.display());
                    let problem = CommandError::new(ErrorCode::Unsupported, message);
                    let state = SessionState::Failed { problem };
                    return self
                        .report(Report::State {
                            state,
                            session_id: None,
                            resumed_after_ms: None,
                            denied: None,
                        })
                        .await;
                }
            },
        };
        let session = Arc::new(line);
        let replay = session.replay().map(|replay| {
            if let Some(size) = replay.size() {
                self.terminal.resize(size);
            }
            let mut rows = replay.rows();
            rows.mark_changed();
            rows
        });
        let mut state = session.state();
        // The first state is reported like any other.
        state.mark_changed();
        self.live = Some(Live {
            input: Input::new(session.clone()),
            session,
            state,
            silence: if replay.is_some() { Silence::Broken } else { Silence::Before },
            replay,
            context: opening.context,
            drained: false,
            over: false,
        });
    }

    async fn report(&mut self, report: Report) {
        // Without a controller there is nobody to tell, and the closed mailbox ends this task.
        drop(self.reports.send((self.tab.clone(), report)).await);
    }

    async fn report_state(&mut self) {
        let Some(live) = &mut self.live else { return };
        let engine_state = live.state.borrow_and_update().clone();
        live.over = engine_state.is_final();
        if live.silence == Silence::Before && matches!(engine_state, EngineState::Open { .. }) {
            live.silence = Silence::Until(Instant::now() + SILENCE);
        }
        let (state, resumed_after_ms) = convert::session_state(&engine_state, &live.context);
        let denied = match &engine_state {
            EngineState::Failed(error) => denied(error, &live.context).map(Box::new),
            _ => None,
        };
        let session_id = live.session.session_id();
        self.report(Report::State { state, session_id, resumed_after_ms, denied }).await;
    }

    async fn output(&mut self, chunk: Option<OutputChunk>) {
        match (&chunk, &mut self.recording) {
            (Some(chunk), Some((recorder, _))) => recorder.printed(&chunk.bytes).await,
            (None, Some(_)) => self.end_recording(Ending::Session).await,
            (_, None) => {}
        }
        let Some(live) = &mut self.live else { return };
        let Some(chunk) = chunk else {
            live.drained = true;
            return;
        };
        let silence = std::mem::replace(&mut live.silence, Silence::Broken);
        if let Some(size) =
            live.session.replay().and_then(Replay::size).filter(|size| *size != self.terminal.size())
        {
            self.terminal.resize(size);
        }
        self.terminal.feed(&chunk.bytes, self.epoch.elapsed());
        let replies = self.terminal.take_replies();
        if !replies.is_empty()
            && let Err(problem) = live.input.send(replies)
        {
            tracing::debug!(code = ?problem.code, "an answer of the terminal was not sent");
        }
        self.painter.changed();
        for event in self.terminal.take_events() {
            match event {
                TerminalEvent::Title(title) => self.report(Report::Title(title.unwrap_or_default())).await,
                TerminalEvent::Bell => self.report(Report::Bell).await,
                // SEC-11 asks the user first; until that question exists, programs do not reach the clipboard.
                TerminalEvent::ClipboardStore(text) => {
                    tracing::debug!(bytes = text.len(), "a program may not set the clipboard");
                }
            }
        }
        if silence == Silence::Told {
            self.report(Report::Silent(false)).await;
        }
        let now = Instant::now();
        if !self.painter.is_attached() && now >= self.unseen_after {
            self.unseen_after = now + ACTIVITY_SPACING;
            self.report(Report::Unseen).await;
        }
    }

    async fn close(mut self) {
        self.end_recording(Ending::Session).await;
        let Some(live) = self.live.take() else { return };
        if let Err(error) = live.session.close().await {
            self.report(Report::NotTerminated(describe_close(&error, &live.context))).await;
        }
    }
}

/// Ready when the state changed; never for a session that is over or not there.
async fn changed<T>(state: Option<&mut watch::Receiver<T>>) {
    match state {
        // The sender lives as long as the session's handle; without it the last state stands.
        Some(state) => match state.changed().await {
            Ok(()) => {}
            Err(_) => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

async fn output(session: Option<&Arc<Line>>) -> Option<OutputChunk> {
    match session {
        Some(session) => session.recv().await,
        None => std::future::pending().await,
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

fn engine_size(size: Size) -> TerminalSize {
    TerminalSize { cols: size.cols, rows: size.rows }
}
