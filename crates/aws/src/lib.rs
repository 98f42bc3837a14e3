//! AWS access: sources, identity, inventory, sessions and tier through the official SDK.
//!
//! This is the only crate that knows `aws-sdk-*`. It implements the ports of the engine
//! ([`ControlPlane`](fleetline_engine::ports::ControlPlane), [`ControlPlanes`](fleetline_engine::ports::ControlPlanes))
//! of the documents ([`DocumentCalls`](fleetline_documents::DocumentCalls)), of what sessions left behind
//! ([`RecordCalls`](fleetline_history::RecordCalls)) and of the inventory ([`NodeListing`](fleetline_inventory::ports::NodeListing),
//! [`Sources`](fleetline_inventory::ports::Sources)), and [`Identities`](fleetline_signin::Identities), over one [`AwsSources`], which owns the SDK clients.
//!
//! Rules kept here:
//! * SDK outputs of StartSession and ResumeSession print their token in `Debug`; they are taken apart in
//!   `control.rs` the moment they arrive and never reach a log line.
//! * Errors are told apart by the code AWS sent, never by an SDK enum variant: several codes met in practice are
//!   not declared in the service model.
//! * Nothing is read from the process environment except through [`AwsSettings`].

mod access;
mod call_queue;
mod code_sessions;
mod codes;
mod config;
mod control;
mod credentials;
mod details;
mod documents;
mod endpoints;
mod error;
mod gates;
mod history;
mod hybrid;
mod identities;
mod instances;
mod listing;
mod nodes;
mod own;
mod pace;
mod probe;
mod records;
mod role;
mod settings;
mod signin;
mod skew;
mod sources;
mod sso;
mod transport;
mod upgrade;
mod watch;

pub use codes::CodeDesk;
pub use fleetline_signin::{
    Method as SignInMethod, Prompt as SignInPrompt, SignInError, SignedIn, SignedInAccount,
};
pub use settings::{AwsSettings, ENVIRONMENT_SOURCE};
pub use signin::SignInFailure;
pub use sources::{AwsSources, is_region};
pub use watch::WatchFailed;
