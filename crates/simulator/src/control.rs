//! The handle with which tests and the command line look into a simulator and disturb it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::agent::version::is_version;
use crate::conditions::{Calls, Condition};
use crate::config::PortRoute;
use crate::gateway::relay::{RelayCommand, SocketCut};
use crate::iam::AccountPolicies;
use crate::instance_connect::PushedKeys;
use crate::link_faults::LinkFaults;
use crate::live::{NodeState, Tier};
use crate::policy::DenyRule;
use crate::registry::SessionView;
use crate::session_failure::SessionFailure;
use crate::shared::Shared;
use crate::ssm::sessions::begin_for_another;
use crate::sso::SignInAnswer;
use crate::world::Account;
use crate::world::node::Node;

/// How long an agent takes to start again.
const AGENT_RESTART: Duration = Duration::from_secs(1);

/// Looks into a running simulator and disturbs it. Cheap to clone; outlives nothing: after
/// [`shutdown`](crate::Simulator::shutdown) it shows the last state.
#[derive(Clone, Debug)]
pub struct Control {
    pub(crate) shared: Arc<Shared>,
}

/// A node, as far as tests and menus need to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// Node id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Account name: the AWS profile that reaches it.
    pub account: String,
    /// Account id.
    pub account_id: String,
    /// Region.
    pub region: String,
    /// `Linux`, `Windows` or `MacOS`.
    pub platform: &'static str,
    /// Whether it is a hybrid node.
    pub hybrid: bool,
    /// Whether its agent is heard.
    pub online: bool,
}

/// A name that nothing in the simulator has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No live session of this id.
    #[error("no live session {0}")]
    NoSession(String),
    /// No node of this id or name.
    #[error("no node {0}")]
    NoNode(String),
    /// No account of this name or id.
    #[error("no account {0}")]
    NoAccount(String),
    /// Not what was asked for; the text says why.
    #[error("{0}")]
    Invalid(String),
    /// The simulator was shut down while something was waited for.
    #[error("the simulator has stopped")]
    Stopped,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// All sessions, oldest first; about two thousand ended ones are remembered.
    pub fn sessions(&self) -> Vec<SessionView> {
        self.shared.registry.views()
    }

    /// One session.
    pub fn session(&self, session_id: &str) -> Option<SessionView> {
        self.sessions().into_iter().find(|view| view.session_id == session_id)
    }

    /// The node of this id or name.
    pub fn node(&self, id_or_name: &str) -> Option<NodeView> {
        self.find(id_or_name).map(|(account, region, node)| self.view(account, region, node))
    }

    /// Every node of an account and Region.
    pub fn nodes(&self, account: &str, region: &str) -> Vec<NodeView> {
        let Some(index) = self.shared.world.account_named(account) else { return Vec::new() };
        let account = &self.shared.world.accounts[index];
        account.nodes(region).iter().map(|node| self.view(account, region, node)).collect()
    }

    /// The containers of an account and Region that take sessions by `ecs:` targets. No inventory lists them.
    pub fn tasks(&self, account: &str, region: &str) -> Vec<NodeView> {
        let Some(index) = self.shared.world.account_named(account) else { return Vec::new() };
        let account = &self.shared.world.accounts[index];
        account.tasks(region).iter().map(|task| self.view(account, region, task)).collect()
    }

    /// What the person in front of the browser does from now on.
    pub fn answer_sign_ins(&self, answer: SignInAnswer) {
        self.shared.sign_ins.set_answer(answer);
    }

    /// Tells this many polls for device codes to slow down.
    pub fn slow_sign_ins_down(&self, polls: u64) {
        self.shared.sign_ins.slow_down(polls);
    }

    /// The code the MFA device of the account's user shows, or the next one when that was given before. `None` while
    /// every code that would be taken was given: the next half minute brings another one.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn mfa_code(&self, account: &str) -> Result<Option<String>, ControlError> {
        let index = self.shared.world.account_named(account);
        let index = index.ok_or_else(|| ControlError::NoAccount(account.to_owned()))?;
        let secret = self.shared.world.accounts[index].device_secret.as_bytes();
        let unix_s = u64::try_from(self.shared.now_ms() / 1_000).unwrap_or(0);
        Ok(self.shared.devices.next_code(index, secret, unix_s))
    }

    /// Ends all credentials that STS gave out.
    pub fn expire_temporary_credentials(&self) {
        self.shared.issued.expire();
    }

    /// Life of the credentials STS gives out from now on, whatever is asked for; `None` as asked.
    pub fn set_temporary_life(&self, seconds: Option<i64>) {
        self.shared.issued.set_life(seconds);
    }

    /// Ends the codes of every sign-in that is not finished.
    pub fn expire_sign_ins(&self) {
        self.shared.sign_ins.expire_codes();
    }

    /// Ends every sign-in, also its refresh.
    pub fn revoke_sign_ins(&self) {
        self.shared.sign_ins.revoke();
    }

    /// Life in seconds of access tokens given from now on; 8 hours at first.
    pub fn set_sign_in_life(&self, seconds: u32) {
        self.shared.sign_ins.set_token_life(seconds);
    }

    /// API calls so far by operation, refused ones included.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.shared.live.calls()
    }

    /// Waits until the sessions satisfy `wanted`, which is asked again after every change.
    ///
    /// # Errors
    /// [`ControlError::Stopped`] if the simulator stops first.
    pub async fn wait_for(
        &self,
        mut wanted: impl FnMut(&[SessionView]) -> bool,
    ) -> Result<Vec<SessionView>, ControlError> {
        let mut changes = self.shared.changes.subscribe();
        loop {
            changes.borrow_and_update();
            let sessions = self.sessions();
            if wanted(&sessions) {
                return Ok(sessions);
            }
            tokio::select! {
                changed = changes.changed() => changed.map_err(|_| ControlError::Stopped)?,
                () = self.shared.stop.cancelled() => return Err(ControlError::Stopped),
            }
        }
    }

    /// Whether the agent of a node comes through the network and its control channel is open (protocol.md 9).
    pub fn has_outside_agent(&self, node_id: &str) -> bool {
        self.shared.outside.channel(node_id).is_some()
    }

    /// Cuts the client's socket of a session: the connection ends without a close frame. The session can be resumed.
    ///
    /// # Errors
    /// If there is no live session of this id.
    pub async fn cut_client_socket(&self, session_id: &str) -> Result<(), ControlError> {
        self.cut_client_socket_with(session_id, SocketCut::Fin).await
    }

    /// Cuts the client's socket of a session in this way. The session can be resumed.
    ///
    /// # Errors
    /// If there is no live session of this id.
    pub async fn cut_client_socket_with(&self, session_id: &str, cut: SocketCut) -> Result<(), ControlError> {
        self.command(session_id, RelayCommand::Cut(cut)).await
    }

    /// Cuts the client sockets of all sessions. Returns how many sessions there were.
    pub async fn cut_all_client_sockets(&self) -> usize {
        self.cut_all_client_sockets_with(SocketCut::Fin).await
    }

    /// Cuts the client sockets of all sessions in this way. Returns how many sessions there were.
    pub async fn cut_all_client_sockets_with(&self, cut: SocketCut) -> usize {
        self.command_all(|| RelayCommand::Cut(cut.clone())).await
    }

    /// Makes the client's socket of a session half open: it stays, but nothing arrives at or leaves the gateway
    /// through it any more, pongs included. To the gateway the client is attached until it opens another socket.
    ///
    /// # Errors
    /// If there is no live session of this id.
    pub async fn half_open(&self, session_id: &str) -> Result<(), ControlError> {
        self.command(session_id, RelayCommand::HalfOpen).await
    }

    /// Makes the client sockets of all sessions half open. Returns how many sessions there were.
    pub async fn half_open_all(&self) -> usize {
        self.command_all(|| RelayCommand::HalfOpen).await
    }

    /// Holds all frames of a session in both directions for `time`, then delivers them. Up to 4 MiB are taken
    /// meanwhile; pings are answered as long as that is not full.
    ///
    /// # Errors
    /// If there is no live session of this id.
    pub async fn stall(&self, session_id: &str, time: Duration) -> Result<(), ControlError> {
        self.command(session_id, RelayCommand::Stall(time)).await
    }

    /// [`stall`](Self::stall) for all sessions. Returns how many there were.
    pub async fn stall_all(&self, time: Duration) -> usize {
        self.command_all(|| RelayCommand::Stall(time)).await
    }

    /// Sends the client of a session this many `pause_publication` at once, which mean nothing to it.
    ///
    /// # Errors
    /// If there is no live session of this id.
    pub async fn pause_storm(&self, session_id: &str, frames: u32) -> Result<(), ControlError> {
        self.command(session_id, RelayCommand::Pause { frames }).await
    }

    /// [`pause_storm`](Self::pause_storm) for all sessions. Returns how many there were.
    pub async fn pause_storm_all(&self, frames: u32) -> usize {
        self.command_all(|| RelayCommand::Pause { frames }).await
    }

    /// Makes a session's agent neither take nor acknowledge what the client sends, as one does that is stuck in what it
    /// runs (protocol.md 6.3), or take it again. Its connection lives, and so does what it sends itself.
    ///
    /// # Errors
    /// If there is no live session of this id.
    pub async fn ignore_input(&self, session_id: &str, ignores: bool) -> Result<(), ControlError> {
        self.command(session_id, RelayCommand::IgnoreInput(ignores)).await
    }

    /// [`ignore_input`](Self::ignore_input) for the agents of all sessions. Returns how many there were.
    pub async fn ignore_input_all(&self, ignores: bool) -> usize {
        self.command_all(|| RelayCommand::IgnoreInput(ignores)).await
    }

    /// From now on the links of all sessions, old and new, do this. Frames on their way stay as they are.
    pub async fn set_link_faults(&self, faults: LinkFaults) {
        self.shared.live.set_link_faults(faults);
        self.command_all(|| RelayCommand::SetFaults(faults)).await;
    }

    /// Closes the client's socket with 1000 `Bye`, as the service does every hour.
    ///
    /// # Errors
    /// If there is no live session of this id.
    pub async fn say_bye(&self, session_id: &str) -> Result<(), ControlError> {
        self.command(session_id, RelayCommand::Cut(SocketCut::bye())).await
    }

    /// Ends a session from outside, as an administrator or the idle time-out does, with this text in
    /// `channel_closed`.
    ///
    /// # Errors
    /// If there is no live session of this id.
    pub async fn terminate(&self, session_id: &str, output: &str) -> Result<(), ControlError> {
        self.command(session_id, RelayCommand::Terminate { output: output.to_owned() }).await
    }

    /// [`terminate`](Self::terminate) for all sessions. Returns how many there were.
    pub async fn terminate_all(&self, output: &str) -> usize {
        self.command_all(|| RelayCommand::Terminate { output: output.to_owned() }).await
    }

    /// Makes every token granted so far useless; ResumeSession gives new ones.
    pub fn expire_tokens(&self) {
        self.shared.registry.expire_tokens();
    }

    /// Makes the credentials of an account expired (`ExpiredTokenException`), or good again.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn set_credentials_expired(&self, account: &str, expired: bool) -> Result<(), ControlError> {
        self.shared.live.set_expired(self.account(account)?, expired);
        Ok(())
    }

    /// Makes the credentials of an account expired for `time`; then they are good again, as after a sign-in.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn expire_credentials_for(&self, account: &str, time: Duration) -> Result<(), ControlError> {
        self.shared.live.set_expired_for(self.account(account)?, time);
        Ok(())
    }

    /// Refuses what `rule` matches, from now on.
    pub fn deny(&self, rule: DenyRule) {
        self.shared.live.deny(rule);
    }

    /// Drops all denials, those of the demo world included.
    pub fn allow_everything(&self) {
        self.shared.live.allow_all();
    }

    /// Puts an account under these policies in place of any before; `None` takes them away.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn set_policies(&self, account: &str, policies: Option<AccountPolicies>) -> Result<(), ControlError> {
        let account = self.account(account)?;
        self.shared.live.set_policies(self.shared.world.accounts[account].plan.id, policies);
        Ok(())
    }

    /// Refuses the next `calls` API calls and upgrades with `ThrottlingException` and its like, instead of any that
    /// were to be throttled before.
    pub fn throttle_next(&self, calls: u64) {
        self.shared.live.throttle_next(calls);
    }

    /// Lets a condition meet calls: throttling, errors, lost answers, slowness, refused upgrades. Conditions add up;
    /// of several that refuse, the first one imposed does.
    pub fn impose(&self, calls: Calls, condition: Condition) {
        self.shared.live.impose(calls, condition);
    }

    /// Ends all conditions that were [imposed](Self::impose), and the rest of [`throttle_next`](Self::throttle_next).
    pub fn clear_conditions(&self) {
        self.shared.live.clear_conditions();
    }

    /// Whether EC2 adds an encoded message to what it denies, for `sts:DecodeAuthorizationMessage`. At first not.
    pub fn set_encoded_denials(&self, encoded: bool) {
        self.shared.live.set_encoded_denials(encoded);
    }

    /// Sets the registration tier of an account in a Region.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn set_tier(&self, account: &str, region: &str, tier: Tier) -> Result<(), ControlError> {
        let account = self.account(account)?;
        self.shared.live.set_tier(self.shared.world.accounts[account].plan.id, region, tier);
        Ok(())
    }

    /// Takes a node off the network: it is lost to the inventory, takes no new sessions, and the agents of its live
    /// sessions hear nothing until [`connect_node`](Self::connect_node).
    ///
    /// # Errors
    /// If there is no node of this id or name.
    pub async fn disconnect_node(&self, id_or_name: &str) -> Result<(), ControlError> {
        let since_ms = self.shared.now_ms();
        self.change_node(id_or_name, NodeState::Lost { since_ms }, || RelayCommand::AgentLink { up: false })
            .await
    }

    /// Puts a node back on the network.
    ///
    /// # Errors
    /// If there is no node of this id or name.
    pub async fn connect_node(&self, id_or_name: &str) -> Result<(), ControlError> {
        self.change_node(id_or_name, NodeState::Online, || RelayCommand::AgentLink { up: true }).await
    }

    /// Stops a node as a power cut would: it is lost, and the programs of its live sessions are gone without a word.
    ///
    /// # Errors
    /// If there is no node of this id or name.
    pub async fn stop_node(&self, id_or_name: &str) -> Result<(), ControlError> {
        let since_ms = self.shared.now_ms();
        self.change_node(id_or_name, NodeState::Stopped { since_ms }, || RelayCommand::StopAgent).await
    }

    /// Boots a node again, which takes it `down`. Its sessions are over at once and nobody says so: their programs are
    /// killed, the clients' sockets end without `channel_closed` or close frame, and ResumeSession answers with an empty
    /// token (protocol.md 1.3; 10, row 11). Meanwhile the node is lost to the inventory and takes no sessions; an EC2
    /// instance counts as running. Afterwards it is as before.
    ///
    /// # Errors
    /// If there is no node of this id or name.
    pub async fn reboot_node(&self, id_or_name: &str, down: Duration) -> Result<(), ControlError> {
        let (_, _, node) =
            self.find(id_or_name).ok_or_else(|| ControlError::NoNode(id_or_name.to_owned()))?;
        let now_ms = self.shared.now_ms();
        // First, so that no session begins behind the others' end.
        self.shared.live.set_node_away(&node.id, now_ms, down);
        for relay in self.shared.registry.lose_node(&node.id, now_ms) {
            relay.send(RelayCommand::Lose).await.ok();
        }
        self.shared.changed();
        Ok(())
    }

    /// Starts a node's agent again, with the workers of its sessions: as [`reboot_node`](Self::reboot_node), and the
    /// node is back after one second.
    ///
    /// # Errors
    /// If there is no node of this id or name.
    pub async fn restart_agent(&self, id_or_name: &str) -> Result<(), ControlError> {
        self.reboot_node(id_or_name, AGENT_RESTART).await
    }

    /// Lets sessions that start on a node from now on fail like this; `None` makes it sound again. Sessions that run go
    /// on.
    ///
    /// # Errors
    /// If there is no node of this id or name.
    pub fn fail_sessions(
        &self,
        id_or_name: &str,
        failure: Option<SessionFailure>,
    ) -> Result<(), ControlError> {
        let (_, _, node) =
            self.find(id_or_name).ok_or_else(|| ControlError::NoNode(id_or_name.to_owned()))?;
        self.shared.live.set_session_failure(&node.id, failure);
        Ok(())
    }

    /// Makes a node's agent one of this version: `3.3.987.0`. Sessions that run go on as before; new ones, and the
    /// inventory, show it, and the agent can do what that version could (protocol.md 5.8).
    ///
    /// # Errors
    /// If there is no node of this id or name, or the version is not four numbers.
    pub fn set_agent_version(&self, id_or_name: &str, version: &str) -> Result<(), ControlError> {
        if !is_version(version) {
            return Err(ControlError::Invalid(format!("{version} is no agent version")));
        }
        let (_, _, node) =
            self.find(id_or_name).ok_or_else(|| ControlError::NoNode(id_or_name.to_owned()))?;
        self.shared.live.set_agent_version(&node.id, version);
        self.shared.changed();
        Ok(())
    }

    /// The keys that EC2 Instance Connect holds for a user of a node, as its SSH server would be told them.
    ///
    /// # Errors
    /// If there is no node of this id or name.
    pub fn pushed_keys(&self, id_or_name: &str, user: &str) -> Result<Vec<String>, ControlError> {
        let (_, _, node) =
            self.find(id_or_name).ok_or_else(|| ControlError::NoNode(id_or_name.to_owned()))?;
        let (id, now) = (node.id.to_string(), std::time::Instant::now());
        Ok(self.shared.live.pushed_keys(|keys| keys.of(&id, user, now)))
    }

    /// Lets all keys of EC2 Instance Connect be too old, as they are after 60 s.
    pub fn expire_pushed_keys(&self) {
        self.shared.live.pushed_keys(PushedKeys::expire);
    }

    /// Gives an EC2 node the encrypted password that GetPasswordData tells: Base64 of RSA PKCS#1 v1.5, made with the public
    /// key it was launched with. Without one the answer is empty, as it is until Windows has set one.
    ///
    /// # Errors
    /// If there is no node of this id or name.
    pub fn set_password_data(&self, id_or_name: &str, data: &str) -> Result<(), ControlError> {
        let (_, _, node) =
            self.find(id_or_name).ok_or_else(|| ControlError::NoNode(id_or_name.to_owned()))?;
        self.shared.live.set_password_data(&node.id, data);
        Ok(())
    }

    /// Adds a route that counts before all others, for sessions started from now on.
    ///
    /// # Errors
    /// If it leads beyond this computer's loopback.
    pub fn add_port_route(&self, route: PortRoute) -> Result<(), ControlError> {
        route.check().map_err(ControlError::Invalid)?;
        self.shared.live.add_port_route(route);
        Ok(())
    }

    /// Begins a plain shell of somebody else, who holds the role of the node's account under this session name. No client is
    /// attached, so it ends when [`token_ttl`](crate::SimulatorConfig::token_ttl) is over, if nobody ends it before. An empty
    /// reason is none. Returns its id.
    ///
    /// # Errors
    /// If there is no node of this id or name.
    pub fn begin_session_of(
        &self,
        owner: &str,
        id_or_name: &str,
        reason: &str,
    ) -> Result<String, ControlError> {
        let unknown = || ControlError::NoNode(id_or_name.to_owned());
        let (account, region, node) = self.find(id_or_name).ok_or_else(unknown)?;
        let index = self.account(account.plan.id)?;
        begin_for_another(&self.shared, index, region, node, owner, reason)
            .map_err(|failure| ControlError::Invalid(failure.message))
    }

    async fn change_node(
        &self,
        id_or_name: &str,
        state: NodeState,
        command: impl Fn() -> RelayCommand,
    ) -> Result<(), ControlError> {
        let (_, _, node) =
            self.find(id_or_name).ok_or_else(|| ControlError::NoNode(id_or_name.to_owned()))?;
        self.shared.live.set_node_state(&node.id, state);
        for relay in self.shared.registry.relays(|view| view.target == *node.id) {
            relay.send(command()).await.ok();
        }
        self.shared.changed();
        Ok(())
    }

    /// Tells the relays of all sessions. Returns how many there were.
    async fn command_all(&self, command: impl Fn() -> RelayCommand) -> usize {
        let relays = self.shared.registry.relays(|_| true);
        for relay in &relays {
            relay.send(command()).await.ok();
        }
        relays.len()
    }

    async fn command(&self, session_id: &str, command: RelayCommand) -> Result<(), ControlError> {
        let gone = || ControlError::NoSession(session_id.to_owned());
        let relay = self.shared.registry.relay(session_id).ok_or_else(gone)?;
        relay.send(command).await.map_err(|_| gone())
    }

    pub(crate) fn check_account(&self, name_or_id: &str) -> Result<(), ControlError> {
        self.account(name_or_id).map(|_| ())
    }

    pub(crate) fn account(&self, name_or_id: &str) -> Result<usize, ControlError> {
        self.shared
            .world
            .account_named(name_or_id)
            .ok_or_else(|| ControlError::NoAccount(name_or_id.to_owned()))
    }

    fn find(&self, id_or_name: &str) -> Option<(&Account, &'static str, &Node)> {
        self.shared.world.accounts.iter().find_map(|account| {
            account.regions.iter().find_map(|region| {
                let mut known = region.nodes.iter().chain(&region.tasks);
                let node = known.find(|n| *n.id == *id_or_name || *n.name == *id_or_name)?;
                Some((account, region.plan.region, node))
            })
        })
    }

    fn view(&self, account: &Account, region: &str, node: &Node) -> NodeView {
        NodeView {
            id: node.id.to_string(),
            name: node.name.to_string(),
            account: account.plan.name.to_owned(),
            account_id: account.plan.id.to_owned(),
            region: region.to_owned(),
            platform: node.os.platform.as_str(),
            hybrid: node.kind.is_hybrid(),
            online: self.shared.live.node_state(&self.shared.world, node) == NodeState::Online,
        }
    }
}
