//! The way to nodes in the application: refusals and their end, checks of session channels, the tier, activations.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is a failed test")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use fleetline_app::tier::TierPatience;
use fleetline_app::{AppHandle, Backend, Ports, Scope, StartOptions, Store, start};
use fleetline_aws::AwsSources;
use fleetline_ipc::ErrorCode;
use fleetline_ipc::access::{CallerKind, CheckRow, Outcome, PolicyKind, Stage};
use fleetline_ipc::fleet::{AccountRegionRow, InstanceTier, NodeRow, Readiness, Tag};
use fleetline_ipc::hybrid::{ActivationSpec, ActivationText, TierObstacle, TierTarget};
use fleetline_ipc::ladder::{Evidence, StepState};
use fleetline_ipc::session::SessionState;
use fleetline_ipc::system::StartChoice;
use fleetline_simulator::{AccountPolicies, Control, DenyReason, DenyRule, Simulator, SimulatorConfig};
use support::{FakeUi, PATIENCE, Ready, Seen, rows};
use tempfile::TempDir;
use tokio::time::timeout;

struct World {
    app: AppHandle,
    ui: Arc<FakeUi>,
    control: Control,
    simulator: Simulator,
    _files: TempDir,
}

/// The account and Region whose hybrid nodes are on the standard tier from the start.
fn standard() -> Scope {
    Scope { source: "plants-eu".into(), region: "eu-central-1".into() }
}

async fn world(change: impl FnOnce(&mut SimulatorConfig)) -> World {
    let mut config = SimulatorConfig { demo_denials: false, ..SimulatorConfig::default() };
    change(&mut config);
    let simulator = Simulator::start(config).await.unwrap();
    let files = TempDir::new().unwrap();
    let (config, credentials) = simulator.write_aws_config(files.path()).unwrap();
    let sources = Arc::new(AwsSources::from_files(config, Some(credentials)));
    let scope = simulator.accounts().into_iter().flat_map(|account| {
        account.regions.into_iter().map(move |region| Scope { source: account.name.clone(), region })
    });
    let backend = Backend { access: Some(sources.clone()), ..Backend::of(sources, scope.collect()) };
    let ui = FakeUi::new();
    let look = Duration::from_millis(20);
    let app = start(Ports {
        launcher: Arc::new(Ready::new(backend)),
        store: Store::in_memory(),
        ui: ui.clone(),
        options: StartOptions {
            choice: Some(StartChoice::Demo),
            tier_patience: TierPatience { look, ..TierPatience::default() },
            ..StartOptions::default()
        },
    });
    let control = simulator.control();
    ui.until("listed", |seen| seen.fleet.total > 0 && !seen.fleet.refreshing).await;
    World { app, ui, control, simulator, _files: files }
}

impl World {
    async fn end(self) {
        self.app.app_quit().await.unwrap();
        let ended = self.control.wait_for(|sessions| sessions.iter().all(|session| session.end_ms.is_some()));
        timeout(PATIENCE, ended).await.expect("every session ends").unwrap();
        self.simulator.shutdown().await;
    }

    async fn node(&self, query: &str) -> NodeRow {
        rows(&self.app, query).await.into_iter().next().expect("the demo has such a node")
    }

    async fn checked(&self, key: &str) -> CheckRow {
        let over = |seen: &Seen| seen.checks.get(key).is_some_and(|check| !check.running);
        self.ui.until("checked", over).await.checks[key].clone()
    }

    fn account_of(&self, node: &NodeRow) -> String {
        self.control.node(&node.node_id).expect("it exists").account
    }
}

fn place(seen: &Seen, scope: &Scope) -> Option<AccountRegionRow> {
    let of = |row: &&AccountRegionRow| row.source == scope.source && row.region == scope.region;
    seen.fleet.account_regions.iter().find(of).cloned()
}

/// What listing needs, and nothing that starts a session.
const LISTING: &str = r#"{ "Statement": { "Effect": "Allow", "Action": ["ssm:Describe*", "ssm:Get*", "ec2:Describe*"], "Resource": "*" } }"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_stays_until_a_session_begins_and_its_own_statement_lets_it_begin() {
    let world = world(|_| {}).await;
    let node = world.node("platform:linux kind:ec2 state:ready").await;
    let account = world.account_of(&node);
    let policies = AccountPolicies::none().with_identity(LISTING).unwrap();
    world.control.set_policies(&account, Some(policies.clone())).unwrap();
    let tab = world.app.shell_open(node.key.clone(), None, None).await.unwrap().id;
    let refused = world.ui.session(&tab, "refused", |session| session.denied.is_some()).await;
    let denied = refused.denied.unwrap();
    assert_eq!((denied.caller.kind, denied.action.as_str()), (CallerKind::Role, "ssm:StartSession"));
    assert_eq!((denied.policy, denied.explicit), (Some(PolicyKind::Identity), false));
    assert_eq!(denied.account_id, node.account_id);
    assert_eq!(denied.document.as_deref(), Some("SSM-SessionManagerRunShell"));
    let hit: Vec<Stage> =
        denied.chain.iter().filter(|link| link.outcome == Outcome::NoAllow).map(|link| link.stage).collect();
    assert_eq!(hit, [Stage::Identity]);
    let remedy = denied.remedy.expect("one statement is enough");
    assert!(remedy.terraform.contains("&{aws:userid}"), "{}", remedy.terraform);

    // A second obstacle takes the place of the first one.
    let fixed = policies.with_identity(&remedy.json).unwrap();
    let deny = format!(
        r#"{{ "Statement": {{ "Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*/{}" }} }}"#,
        node.node_id
    );
    let organized = fixed.clone().with_organization(&deny).unwrap();
    world.control.set_policies(&account, Some(organized)).unwrap();
    world.app.tab_restart(tab.clone()).await.unwrap();
    let scp = |kind: Option<PolicyKind>| kind == Some(PolicyKind::ServiceControl);
    let second = world
        .ui
        .session(&tab, "refused by the organization", |session| {
            session.denied.as_ref().is_some_and(|denied| scp(denied.policy))
        })
        .await;
    let second = second.denied.unwrap();
    assert!(second.first_gone && second.remedy.is_none(), "{second:?}");

    world.control.set_policies(&account, Some(fixed)).unwrap();
    world.app.tab_restart(tab.clone()).await.unwrap();
    let open = world.ui.connected(&tab).await;
    assert_eq!(open.denied, None);
    // While AWS was asked again, the panel stood.
    let events = world.ui.seen().events;
    let asked = events.iter().filter_map(|event| match &event.change {
        fleetline_ipc::event::Change::Tabs { tabs, .. } => {
            tabs.iter().find(|row| row.id == tab)?.session.clone()
        }
        _ => None,
    });
    let asked: Vec<bool> = asked
        .filter(|session| matches!(session.state, SessionState::Connecting { .. }))
        .map(|session| session.denied.is_some())
        .collect();
    assert_eq!(asked, [false, true, true], "the panel stays until a session begins");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_data_channel_is_told_as_a_guess_with_the_statement_that_opens_it() {
    let world = world(|_| {}).await;
    let node = world.node("platform:linux kind:ec2 state:ready").await;
    world.control.deny(DenyRule {
        action: "ssmmessages:OpenDataChannel".into(),
        resource: "*".into(),
        reason: DenyReason::Unexplained,
    });
    let tab = world.app.shell_open(node.key.clone(), None, None).await.unwrap().id;
    let refused = world.ui.session(&tab, "refused", |session| session.denied.is_some()).await;
    let SessionState::Failed { problem } = refused.state else { panic!("{:?}", refused.state) };
    assert_eq!(problem.code, ErrorCode::AccessDenied);
    let denied = refused.denied.unwrap();
    assert_eq!(denied.action, "ssmmessages:OpenDataChannel");
    world.control.allow_everything();
    world.app.tab_restart(tab.clone()).await.unwrap();
    world.ui.connected(&tab).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_opens_a_real_session_and_leaves_none() {
    let world = world(|_| {}).await;
    let node = world.node("platform:linux kind:ec2 state:ready").await;
    world.app.node_check(node.key.clone()).await.unwrap();
    let check = world.checked(&node.key).await;
    assert_eq!((check.problem, check.denied), (None, None));
    let ladder = world.app.fleet_node(node.key.clone()).await.unwrap().ladder;
    assert_eq!(ladder[3].evidence, Evidence::IamAllowed);
    assert!(matches!(ladder[4].evidence, Evidence::ChannelOpened { .. }), "{ladder:?}");
    assert!(ladder[4].at_ms.is_some() && ladder.iter().all(|step| step.state == StepState::Passed));
    assert_eq!(world.control.sessions().len(), 1);
    let over = world.control.wait_for(|sessions| sessions.iter().all(|session| session.status.is_over()));
    timeout(PATIENCE, over).await.expect("its session ends").unwrap();

    let account = world.account_of(&node);
    let policies = AccountPolicies::none().with_identity(LISTING).unwrap();
    world.control.set_policies(&account, Some(policies)).unwrap();
    world.app.node_check(node.key.clone()).await.unwrap();
    let denied = world.checked(&node.key).await.denied.expect("refused");
    assert!(denied.remedy.is_some_and(|remedy| remedy.json.contains(&node.node_id)));
    let ladder = world.app.fleet_node(node.key.clone()).await.unwrap().ladder;
    assert_eq!((ladder[3].state, ladder[4].state), (StepState::Stopped, StepState::NotReached));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_online_but_not_connectable_is_tried_again_until_it_is_stopped() {
    let world = world(|_| {}).await;
    let node = world.node("platform:linux kind:ec2 state:ready").await;
    // The list still says that it is online.
    world.control.disconnect_node(&node.node_id).await.unwrap();
    world.app.node_check(node.key.clone()).await.unwrap();
    let waiting = |seen: &Seen| seen.checks.get(&node.key).is_some_and(|check| check.next_try_ms.is_some());
    world.ui.until("waiting for another try", waiting).await;
    let detail = world.app.fleet_node(node.key.clone()).await.unwrap();
    assert_eq!(detail.ladder[4].evidence, Evidence::ChannelTrying { tries: 1 });
    assert!(detail.check.is_some_and(|check| check.running));
    let again = world.app.node_check(node.key.clone()).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::InvalidInput);
    world.app.node_check_stop(node.key.clone()).await.unwrap();
    world.checked(&node.key).await;
    assert!(world.control.sessions().is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tier_is_reviewed_changed_and_watched_until_its_nodes_are_connectable_and_back() {
    let world = world(|config| config.tier_settles_after = Duration::from_millis(500)).await;
    let scope = standard();
    let review = world.app.tier_review(scope.clone(), TierTarget::Advanced).await.unwrap();
    assert_eq!((review.tier, review.obstacle), (InstanceTier::Standard, None));
    assert_eq!((review.hybrid_nodes, review.month_usd, review.is_complete), (11, 55.81, true));
    assert!(
        review.command.starts_with("fleetline tier set advanced --source plants-eu"),
        "{}",
        review.command
    );
    let node = world.node("account:plants-eu region:eu-central-1 kind:hybrid ping:online").await;
    assert_eq!(node.readiness, Readiness::Blocked);

    world.app.tier_change(scope.clone(), TierTarget::Advanced).await.unwrap();
    let changing = |seen: &Seen| place(seen, &scope).is_some_and(|row| row.tier_change.is_some());
    let row = place(&world.ui.until("changing", changing).await, &scope).unwrap();
    assert_eq!(row.tier_change.map(|change| change.to), Some(InstanceTier::Advanced));
    let again = world.app.tier_change(scope.clone(), TierTarget::Standard).await.unwrap_err();
    assert!(again.message.contains("Another change"), "{again:?}");
    let settled = |tier: InstanceTier| {
        let scope = scope.clone();
        move |seen: &Seen| {
            place(seen, &scope).is_some_and(|row| row.tier == tier && row.tier_change.is_none())
        }
    };
    world.ui.until("advanced", settled(InstanceTier::Advanced)).await;
    let node = world.node(&format!("id:{}", node.node_id)).await;
    assert_ne!(node.readiness, Readiness::Blocked, "{node:?}");
    let tab = world.app.shell_open(node.key.clone(), None, None).await.unwrap().id;
    world.ui.connected(&tab).await;

    let back = world.app.tier_review(scope.clone(), TierTarget::Standard).await.unwrap();
    assert!(back.changed_by.contains("assumed-role/") && back.changed_ms.is_some(), "{back:?}");
    world.app.tier_change(scope.clone(), TierTarget::Standard).await.unwrap();
    world.ui.until("standard", settled(InstanceTier::Standard)).await;
    let same = world.app.tier_review(scope.clone(), TierTarget::Standard).await.unwrap();
    assert_eq!(same.obstacle, Some(TierObstacle::Unchanged));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_somebody_else_made_is_watched_as_well_and_a_refused_one_changes_nothing() {
    let world = world(|config| config.tier_settles_after = Duration::from_secs(2)).await;
    let scope = standard();
    let deny = DenyRule {
        action: "ssm:UpdateServiceSetting".into(),
        resource: "*".into(),
        reason: DenyReason::NoIdentityPolicy,
    };
    world.control.deny(deny);
    let refused = world.app.tier_change(scope.clone(), TierTarget::Advanced).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::AccessDenied, "{refused:?}");
    assert_eq!(place(&world.ui.seen(), &scope).unwrap().tier_change, None);
    world.control.allow_everything();
    // The same change by another program: this one only lists.
    let files = TempDir::new().unwrap();
    let (config, credentials) = world.simulator.write_aws_config(files.path()).unwrap();
    let others = AwsSources::from_files(config, Some(credentials));
    let calls =
        fleetline_inventory::hybrid::HybridSources::hybrid(&others, &scope.source, &scope.region).unwrap();
    calls.set_tier(fleetline_inventory::node::InstanceTier::Advanced).await.unwrap();
    world.app.fleet_refresh().await.unwrap();
    let seen = |seen: &Seen| place(seen, &scope).is_some_and(|row| row.tier_change.is_some());
    world.ui.until("seen changing", seen).await;
    let settled = |seen: &Seen| {
        place(seen, &scope).is_some_and(|row| row.tier == InstanceTier::Advanced && row.tier_change.is_none())
    };
    world.ui.until("settled", settled).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_is_made_with_a_code_that_no_event_shows_and_nodes_are_deregistered() {
    let world = world(|_| {}).await;
    let Scope { source, region } = standard();
    let spec = ActivationSpec {
        source,
        region,
        role: "FleetHybridNode".into(),
        limit: 5,
        hours: 24,
        name: "lej-hmi".into(),
        description: "line 4".into(),
        tags: vec![Tag { key: "env".into(), value: "prod".into() }],
    };
    let wrong = world.app.activation_create(ActivationSpec { role: "a/b".into(), ..spec.clone() }).await;
    assert_eq!(wrong.unwrap_err().code, ErrorCode::InvalidInput);
    let made = world.app.activation_create(spec).await.unwrap();
    world.app.activation_copy(made.id.clone(), ActivationText::Code).await.unwrap();
    let code = world.ui.clipboard().unwrap();
    assert!(code.len() >= 20, "{code:?}");
    assert_eq!(world.app.activation_reveal(made.id.clone()).await.unwrap().0, code);
    world.app.activation_copy(made.id.clone(), ActivationText::Linux).await.unwrap();
    let commands = world.ui.clipboard().unwrap();
    assert!(commands.contains(&code) && commands.contains(&made.id), "{commands}");
    let told = format!("{made:?} {:?}", world.ui.seen().events);
    assert!(
        !told.contains(&code),
        "a code is in no answer but the one that was asked for it, and in no event"
    );

    let listed = world.app.activations_list().await.unwrap();
    assert!(listed.len() > 5 && listed.iter().all(|place| place.problem.is_none()), "{listed:?}");
    let rows: Vec<_> = listed.iter().flat_map(|place| &place.rows).collect();
    assert_eq!((rows.len(), rows[0].id.as_str(), rows[0].limit), (1, made.id.as_str(), 5));
    assert!(!format!("{listed:?}").contains(&code));
    world.app.activation_forget(made.id.clone()).await.unwrap();
    let gone = world.app.activation_reveal(made.id.clone()).await.unwrap_err();
    assert_eq!(gone.code, ErrorCode::NotFound);
    world.app.activation_delete(standard(), made.id.clone()).await.unwrap();
    let left = world.app.activations_list().await.unwrap();
    assert!(left.iter().all(|place| place.rows.is_empty()), "{left:?}");

    let hybrid = world.node("account:plants-eu region:eu-central-1 kind:hybrid").await;
    world.app.node_deregister(hybrid.key.clone()).await.unwrap();
    assert_eq!(world.app.fleet_node(hybrid.key).await.unwrap_err().code, ErrorCode::NotFound);
    let ec2 = world.node("kind:ec2").await;
    assert_eq!(world.app.node_deregister(ec2.key).await.unwrap_err().code, ErrorCode::InvalidInput);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_that_refuses_its_activations_hides_no_others() {
    let world = world(|_| {}).await;
    world.control.deny(DenyRule {
        action: "ssm:DescribeActivations".into(),
        resource: "arn:aws:ssm:eu-central-1:*".into(),
        reason: DenyReason::NoIdentityPolicy,
    });
    let listed = world.app.activations_list().await.unwrap();
    let refused = listed.iter().filter(|place| place.problem.is_some());
    assert!(
        refused.clone().count() > 0 && refused.clone().all(|place| place.region == "eu-central-1"),
        "{listed:?}"
    );
    assert!(listed.len() > refused.count());
    world.end().await;
}
