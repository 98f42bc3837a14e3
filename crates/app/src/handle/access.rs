//! Calls about what lets sessions begin: nodes, tiers and activations.

use fleetline_ipc::CommandError;
use fleetline_ipc::hybrid::{
    ActivationSpec, ActivationText, Activations, CreatedActivation, RevealedCode, TierReview, TierTarget,
};

use super::AppHandle;
use crate::ports::Scope;
use crate::request::{AccessRequest, Reply, Request};

impl AppHandle {
    async fn access<T>(&self, request: impl FnOnce(Reply<T>) -> AccessRequest) -> Result<T, CommandError> {
        self.ask(|reply| Request::Access(request(reply))).await
    }

    /// Begins a check of a node's session channel: a real session that is opened and ended again. Its progress and end
    /// come as events. Refused while one of this node runs, or eight of others.
    pub async fn node_check(&self, node_key: String) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::Check { node_key, reply }).await
    }

    /// Stops a check; a session that was granted is ended.
    pub async fn node_check_stop(&self, node_key: String) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::CheckStop { node_key, reply }).await
    }

    /// Takes a hybrid node out of Systems Manager, for everybody.
    pub async fn node_deregister(&self, node_key: String) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::Deregister { node_key, reply }).await
    }

    /// What a change of the tier of an account-Region means. AWS is asked for the setting.
    pub async fn tier_review(&self, scope: Scope, to: TierTarget) -> Result<TierReview, CommandError> {
        self.access(|reply| AccessRequest::TierReview { scope, to, reply }).await
    }

    /// Makes the change. Answers when AWS took it; how it settles comes with the fleet's events.
    pub async fn tier_change(&self, scope: Scope, to: TierTarget) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::TierChange { scope, to, reply }).await
    }

    /// Looks again until a change has settled.
    pub async fn tier_watch(&self, scope: Scope) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::TierWatch { scope, reply }).await
    }

    /// The hybrid activations of every account-Region of the fleet, each with its own failure.
    pub async fn activations_list(&self) -> Result<Vec<Activations>, CommandError> {
        self.access(|reply| AccessRequest::Activations { reply }).await
    }

    /// Makes an activation. Its code stays in this process for 15 minutes.
    pub async fn activation_create(&self, spec: ActivationSpec) -> Result<CreatedActivation, CommandError> {
        self.access(|reply| AccessRequest::ActivationCreate { spec, reply }).await
    }

    /// Deletes an activation. Nodes it registered stay.
    pub async fn activation_delete(&self, scope: Scope, id: String) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::ActivationDelete { scope, id, reply }).await
    }

    /// Puts the code of a new activation, or commands with it, on the clipboard.
    pub async fn activation_copy(&self, id: String, which: ActivationText) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::ActivationCopy { id, which, reply }).await
    }

    /// The code of a new activation, for the eyes of whoever asks.
    pub async fn activation_reveal(&self, id: String) -> Result<RevealedCode, CommandError> {
        self.access(|reply| AccessRequest::ActivationReveal { id, reply }).await
    }

    /// Forgets the code of a new activation.
    pub async fn activation_forget(&self, id: String) -> Result<(), CommandError> {
        self.access(|reply| AccessRequest::ActivationForget { id, reply }).await
    }
}
