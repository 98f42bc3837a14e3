//! Sessions over real sockets: dialling, data channels, shells, commands, resume.
//!
//! [`open_shell`] and [`run_command`] return a handle at once. Behind it one task calls StartSession, keeps a data
//! channel open through any number of sockets, and makes sure that TerminateSession is called for every session the
//! service did not end itself. AWS is reached through [`ports`] only. Nothing here prints, exits, or touches a disk.
//!
//! Events are traced at debug level without payloads and secrets. The WebSocket library below has no such rule: at
//! trace level it logs upgrade headers and messages, so a subscriber must keep `tungstenite` and `tokio_tungstenite`
//! above that level.

mod cause;
mod clock;
mod coalesce;
mod credentials;
mod dial;
mod driver;
mod exec;
pub mod forward;
mod history;
mod input;
mod journal;
mod liveness;
mod output;
mod pacing;
pub mod ports;
mod purpose;
mod resume;
mod sealing;
mod session;
mod shared;
mod shell;
mod start;
mod state;
mod stats;
mod stdio;
mod task;
mod terminate;
mod transport;
mod wake;

pub use cause::{ReconnectCause, SocketLoss};
pub use credentials::CredentialsGate;
pub use dial::{DialError, DialStep, DialTimeouts, Dialer, Proxy, ProxyProblem, ProxyRules};
pub use exec::{CommandEnd, CommandSession, NON_INTERACTIVE_DOCUMENT, RunCommand, run_command};
pub use fleetline_protocol::{CloseReason, DataStream, LargeMessages, SessionId, SessionKind, TerminalSize};
pub use history::{HISTORY_LENGTH, HistoryEntry};
pub use input::{SendError, TrySendError};
pub use journal::{GrantedSession, JournalScope, SessionJournal};
pub use liveness::LivenessTimes;
pub use output::OutputChunk;
pub use pacing::{PacedCall, Pacing, Priority};
pub use resume::ResumePolicy;
pub use session::{CloseError, PortMessages, SessionLimits, SessionOptions};
pub use shell::{ShellOptions, ShellSession, open_shell};
pub use state::{EndReason, LostStart, ServiceCause, SessionState, StartError, StartStep};
pub use stats::SessionStats;
pub use stdio::{SSH_DOCUMENT, StdioOptions, StdioSession, open_stdio, ssh_session};
pub use terminate::terminate_session;
pub use wake::Wakeups;
