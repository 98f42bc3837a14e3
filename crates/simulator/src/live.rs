//! What changes while the simulator runs, apart from sessions: node states, tiers, denials, throttling, counters.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::activations::{Activation, Activations};
use crate::conditions::{Calls, Condition, Conditions, Verdict};
use crate::config::{CallRate, PortRoute};
use crate::documents::DocumentStore;
use crate::iam::AccountPolicies;
use crate::instance_connect::PushedKeys;
use crate::kms::SessionKey;
use crate::link_faults::LinkFaults;
use crate::policy::DenyRule;
use crate::quotas::Quotas;
use crate::session_failure::SessionFailure;
use crate::tiers::{Change, TierView, Tiers, TooManyUpdates};
use crate::world::World;
use crate::world::node::Node;

/// Registration tier of an account-Region (aws-security-reliability.md A.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Hybrid nodes take no sessions.
    Standard,
    /// Hybrid nodes take sessions.
    Advanced,
}

impl Tier {
    /// The value of the service setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Advanced => "advanced",
        }
    }
}

/// Whether a node's agent is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeState {
    /// The agent pings.
    Online,
    /// Nothing heard since then, in milliseconds of the Unix epoch.
    Lost { since_ms: i64 },
    /// The EC2 instance is stopped.
    Stopped { since_ms: i64 },
}

/// A permission question: may the caller do this to that?
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) action: &'a str,
    pub(crate) resource: String,
    /// Whether the refusal names the resource.
    pub(crate) named: bool,
}

/// Short-lived locks around plain tables: no await happens under them.
#[derive(Debug)]
pub(crate) struct Live {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Nodes that differ from how they were generated, by id, and until when: then they are online.
    nodes: HashMap<String, (NodeState, Option<Instant>)>,
    tiers: Tiers,
    activations: Activations,
    /// Hybrid nodes that were deregistered.
    deregistered: HashSet<String>,
    denials: Vec<DenyRule>,
    /// Policies of the accounts that have any, by account id.
    policies: HashMap<String, Arc<AccountPolicies>>,
    link_faults: LinkFaults,
    port_routes: Vec<PortRoute>,
    /// Agent versions that were set, by node id.
    agent_versions: HashMap<String, String>,
    /// Accounts whose credentials have expired, and until when if they are good again then.
    expired: HashMap<usize, Option<Instant>>,
    /// API calls by operation, refused ones included.
    calls: BTreeMap<String, u64>,
    /// What is wrong with nodes on which sessions fail, by node id.
    session_failures: HashMap<String, SessionFailure>,
    conditions: Conditions,
    quotas: Quotas,
    /// Whether EC2 adds its encoded message to a refusal.
    encoded_denials: bool,
    /// Keys in the session preferences, by account and Region.
    session_keys: HashMap<(usize, String), SessionKey>,
    documents: DocumentStore,
    /// What GetPasswordData tells of nodes, by node id.
    passwords: HashMap<String, String>,
    /// Keys of EC2 Instance Connect.
    pushed_keys: PushedKeys,
    /// ARNs of KMS keys that are disabled.
    disabled_keys: HashSet<String>,
}

impl Live {
    pub(crate) fn new(
        denials: Vec<DenyRule>,
        link_faults: LinkFaults,
        port_routes: Vec<PortRoute>,
        rates: Vec<CallRate>,
    ) -> Self {
        let quotas = Quotas::new(rates);
        Self { state: Mutex::new(State { denials, link_faults, port_routes, quotas, ..State::default() }) }
    }

    /// What links of new sessions do.
    pub(crate) fn link_faults(&self) -> LinkFaults {
        self.lock().link_faults
    }

    pub(crate) fn set_link_faults(&self, faults: LinkFaults) {
        self.lock().link_faults = faults;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn node_state(&self, world: &World, node: &Node) -> NodeState {
        if let Some((state, until)) = self.lock().nodes.get(&*node.id) {
            let is_over = until.is_some_and(|until| until <= Instant::now());
            return if is_over { NodeState::Online } else { *state };
        }
        match node.lost_for_s {
            Some(age) => NodeState::Lost { since_ms: world.began_ms - i64::from(age) * 1000 },
            None => NodeState::Online,
        }
    }

    pub(crate) fn set_node_state(&self, id: &str, state: NodeState) {
        self.lock().nodes.insert(id.to_owned(), (state, None));
    }

    /// Nothing is heard of a node for `down`; then it is online, unless something else is said until then.
    pub(crate) fn set_node_away(&self, id: &str, since_ms: i64, down: Duration) {
        let until = Instant::now().checked_add(down);
        self.lock().nodes.insert(id.to_owned(), (NodeState::Lost { since_ms }, until));
    }

    /// Version of a node's agent, as set or as generated.
    pub(crate) fn agent_version<'a>(&self, node: &'a Node) -> Cow<'a, str> {
        match self.lock().agent_versions.get(&*node.id) {
            Some(set) => Cow::Owned(set.clone()),
            None => Cow::Borrowed(node.agent_version),
        }
    }

    /// What GetPasswordData tells of a node.
    pub(crate) fn password_data(&self, id: &str) -> Option<String> {
        self.lock().passwords.get(id).cloned()
    }

    pub(crate) fn set_password_data(&self, id: &str, data: &str) {
        self.lock().passwords.insert(id.to_owned(), data.to_owned());
    }

    /// Does something with the keys of EC2 Instance Connect.
    pub(crate) fn pushed_keys<T>(&self, change: impl FnOnce(&mut PushedKeys) -> T) -> T {
        change(&mut self.lock().pushed_keys)
    }

    pub(crate) fn set_agent_version(&self, id: &str, version: &str) {
        self.lock().agent_versions.insert(id.to_owned(), version.to_owned());
    }

    /// All routes, those that count first at the front.
    pub(crate) fn port_routes(&self) -> Vec<PortRoute> {
        self.lock().port_routes.clone()
    }

    /// Adds a route that counts before all others.
    pub(crate) fn add_port_route(&self, route: PortRoute) {
        self.lock().port_routes.insert(0, route);
    }

    pub(crate) fn tier(&self, world: &World, account: usize, region: &str) -> (Tier, bool) {
        let view = self.tier_view(world, account, region);
        (view.effective, view.customized)
    }

    pub(crate) fn tier_view(&self, world: &World, account: usize, region: &str) -> TierView {
        let id = world.accounts[account].plan.id;
        self.lock().tiers.view(id, region, planned_tier(world, account, region), Instant::now())
    }

    pub(crate) fn change_tier(
        &self,
        world: &World,
        account: usize,
        change: Change<'_>,
    ) -> Result<(), TooManyUpdates> {
        let planned = planned_tier(world, account, change.region);
        self.lock().tiers.change(change, planned, Instant::now())
    }

    pub(crate) fn set_tier(&self, account_id: &str, region: &str, tier: Tier) {
        self.lock().tiers.force(account_id, region, tier, Instant::now());
    }

    /// The refusal of the first question a rule denies.
    pub(crate) fn denial(&self, caller_arn: &str, asks: &[Ask<'_>]) -> Option<String> {
        let state = self.lock();
        asks.iter().find_map(|ask| {
            let rule = state.denials.iter().find(|rule| rule.matches(ask.action, &ask.resource))?;
            Some(rule.text(caller_arn, ask.action, ask.named.then_some(ask.resource.as_str())))
        })
    }

    pub(crate) fn add_activation(&self, account: usize, region: &str, activation: Activation) {
        self.lock().activations.entry((account, region.to_owned())).or_default().push(activation);
    }

    pub(crate) fn activations(&self, account: usize, region: &str) -> Vec<Activation> {
        self.lock().activations.get(&(account, region.to_owned())).cloned().unwrap_or_default()
    }

    /// Whether there was such an activation.
    pub(crate) fn delete_activation(&self, account: usize, region: &str, id: &str) -> bool {
        let mut state = self.lock();
        let Some(activations) = state.activations.get_mut(&(account, region.to_owned())) else {
            return false;
        };
        let before = activations.len();
        activations.retain(|activation| activation.id != id);
        activations.len() < before
    }

    /// Whether the node was registered until now.
    pub(crate) fn deregister(&self, node_id: &str) -> bool {
        self.lock().deregistered.insert(node_id.to_owned())
    }

    pub(crate) fn is_registered(&self, node_id: &str) -> bool {
        !self.lock().deregistered.contains(node_id)
    }

    /// The policies of an account; without any it is governed by rules alone.
    pub(crate) fn policies(&self, account_id: &str) -> Option<Arc<AccountPolicies>> {
        self.lock().policies.get(account_id).cloned()
    }

    pub(crate) fn set_policies(&self, account_id: &str, policies: Option<AccountPolicies>) {
        let mut state = self.lock();
        match policies {
            Some(policies) => state.policies.insert(account_id.to_owned(), Arc::new(policies)),
            None => state.policies.remove(account_id),
        };
    }

    pub(crate) fn deny(&self, rule: DenyRule) {
        self.lock().denials.push(rule);
    }

    pub(crate) fn allow_all(&self) {
        self.lock().denials.clear();
    }

    pub(crate) fn set_expired(&self, account: usize, expired: bool) {
        let mut state = self.lock();
        if expired {
            state.expired.insert(account, None);
        } else {
            state.expired.remove(&account);
        }
    }

    pub(crate) fn set_expired_for(&self, account: usize, time: Duration) {
        self.lock().expired.insert(account, Instant::now().checked_add(time));
    }

    pub(crate) fn is_expired(&self, account: usize) -> bool {
        let state = self.lock();
        state.expired.get(&account).is_some_and(|until| until.is_none_or(|until| Instant::now() < until))
    }

    pub(crate) fn throttle_next(&self, calls: u64) {
        let mut state = self.lock();
        state.conditions.clear_throttling();
        state.conditions.impose(Instant::now(), Calls::all().times(calls), Condition::Throttled);
    }

    pub(crate) fn impose(&self, calls: Calls, condition: Condition) {
        self.lock().conditions.impose(Instant::now(), calls, condition);
    }

    pub(crate) fn clear_conditions(&self) {
        self.lock().conditions.clear();
    }

    /// What a call of `operation` meets now.
    pub(crate) fn judge(&self, operation: &str) -> Verdict {
        self.lock().conditions.judge(Instant::now(), operation)
    }

    pub(crate) fn session_failure(&self, node_id: &str) -> Option<SessionFailure> {
        self.lock().session_failures.get(node_id).copied()
    }

    pub(crate) fn set_session_failure(&self, node_id: &str, failure: Option<SessionFailure>) {
        let mut state = self.lock();
        match failure {
            Some(failure) => state.session_failures.insert(node_id.to_owned(), failure),
            None => state.session_failures.remove(node_id),
        };
    }

    pub(crate) fn encoded_denials(&self) -> bool {
        self.lock().encoded_denials
    }

    pub(crate) fn set_encoded_denials(&self, encoded: bool) {
        self.lock().encoded_denials = encoded;
    }

    /// What seals sessions started now in an account-Region.
    pub(crate) fn session_key(&self, account: usize, region: &str) -> Option<SessionKey> {
        self.lock().session_keys.get(&(account, region.to_owned())).cloned()
    }

    pub(crate) fn set_session_key(&self, account: usize, region: &str, key: Option<SessionKey>) {
        let (mut state, place) = (self.lock(), (account, region.to_owned()));
        match key {
            Some(key) => state.session_keys.insert(place, key),
            None => state.session_keys.remove(&place),
        };
    }

    /// Looks into the documents of all accounts, or changes them.
    pub(crate) fn documents<T>(&self, look: impl FnOnce(&mut DocumentStore) -> T) -> T {
        look(&mut self.lock().documents)
    }

    pub(crate) fn is_key_enabled(&self, arn: &str) -> bool {
        !self.lock().disabled_keys.contains(arn)
    }

    pub(crate) fn set_key_enabled(&self, arn: String, enabled: bool) {
        let mut state = self.lock();
        if enabled {
            state.disabled_keys.remove(&arn);
        } else {
            state.disabled_keys.insert(arn);
        }
    }

    pub(crate) fn count(&self, operation: &str) {
        let mut state = self.lock();
        match state.calls.get_mut(operation) {
            Some(count) => *count += 1,
            None => {
                state.calls.insert(operation.to_owned(), 1);
            }
        }
    }

    pub(crate) fn calls(&self) -> BTreeMap<String, u64> {
        self.lock().calls.clone()
    }

    /// Whether the call is within its rate.
    pub(crate) fn within_quota(&self, account: usize, region: &str, operation: &str) -> bool {
        self.lock().quotas.admit(Instant::now(), account, region, operation)
    }
}

/// The tier the world was made with.
fn planned_tier(world: &World, account: usize, region: &str) -> Tier {
    let planned = world.accounts[account].regions.iter().find(|r| r.plan.region == region);
    if planned.is_some_and(|r| !r.plan.standard_tier) { Tier::Advanced } else { Tier::Standard }
}
