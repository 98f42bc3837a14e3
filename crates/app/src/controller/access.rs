//! The way to nodes: checks of session channels, the tier, hybrid activations.

use std::sync::Arc;
use std::time::Duration;

use fleetline_engine::ports::{ApiError, StartSession};
use fleetline_inventory::hybrid::{CreatedActivation, HybridCalls};
use fleetline_inventory::node::{AccountRegion, InstanceTier};
use fleetline_inventory::tier::TierSetting;
use fleetline_ipc::event::Change;
use fleetline_ipc::hybrid::{self as ipc, ActivationSpec, Activations, TierObstacle, TierTarget};
use fleetline_ipc::{CommandError, ErrorCode};
use tokio::task::JoinSet;

use super::{Controller, answer, no_node};
use crate::activations;
use crate::checks::Begun;
use crate::checkup::{Checkup, TrialWish, check_up};
use crate::clock::now_ms;
use crate::forwards::Way;
use crate::ports::Scope;
use crate::problem::{Context, describe};
use crate::request::{AccessRequest, Reply};
use crate::tier::settle;
use crate::tiers::{TierPlace, target};

/// What tasks of this part tell the controller.
pub(crate) enum AccessNews {
    /// A try of a check ended; the next one begins after a pause.
    CheckWaiting { node_key: String, number: u64, tries: u32, pause: Duration },
    /// A check is over.
    CheckDone { node_key: String, number: u64, found: Box<Checkup> },
    /// AWS told what the tier is.
    TierSeen { scope: Scope, setting: TierSetting },
    /// AWS took a change of the tier.
    TierChanging { scope: Scope, to: InstanceTier, reply: Reply<()> },
    /// A change settled, or is not looked at any more.
    TierEnded { scope: Scope, number: u64, end: Result<TierSetting, CommandError> },
    /// An activation was made.
    Made { made: CreatedActivation, at: AccountRegion, reply: Reply<ipc::CreatedActivation> },
    /// A node is out of Systems Manager.
    Deregistered { node_key: String, reply: Reply<()> },
}

impl Controller {
    pub(super) fn access_asked(&mut self, request: AccessRequest) {
        match request {
            AccessRequest::Check { node_key, reply } => answer(reply, self.check_begin(node_key)),
            AccessRequest::CheckStop { node_key, reply } => {
                self.checks.stop(&node_key);
                answer(reply, Ok(()));
            }
            AccessRequest::TierReview { scope, to, reply } => self.tier_review(scope, to, reply),
            AccessRequest::TierChange { scope, to, reply } => self.tier_change(scope, to, reply),
            AccessRequest::TierWatch { scope, reply } => {
                answer(reply, self.tier_watch(scope, InstanceTier::Unknown));
            }
            AccessRequest::Activations { reply } => self.activations(reply),
            AccessRequest::ActivationCreate { spec, reply } => self.activation_create(spec, reply),
            AccessRequest::ActivationDelete { scope, id, reply } => self.activation_delete(scope, id, reply),
            AccessRequest::ActivationCopy { id, which, reply } => match self.codes.text(&id, which) {
                Ok(text) => self.copy_secret(text, reply),
                Err(problem) => answer(reply, Err(problem)),
            },
            AccessRequest::ActivationReveal { id, reply } => answer(reply, self.codes.reveal(&id)),
            AccessRequest::ActivationForget { id, reply } => {
                self.codes.forget(&id);
                answer(reply, Ok(()));
            }
            AccessRequest::Deregister { node_key, reply } => self.deregister(node_key, reply),
        }
    }

    pub(super) fn access_news(&mut self, news: AccessNews) {
        match news {
            AccessNews::CheckWaiting { node_key, number, tries, pause } => {
                if let Some(check) = self.checks.waiting(&node_key, number, tries, pause) {
                    self.emit(Change::Check { check });
                }
            }
            AccessNews::CheckDone { node_key, number, found } => {
                if let Some(check) = self.checks.done(&node_key, number, &found) {
                    self.proofs.take(&node_key, &found);
                    self.emit(Change::Check { check });
                }
            }
            AccessNews::TierSeen { scope, setting } => {
                self.tiers.seen(&scope, &setting);
                self.desk.learn_tier(&scope, setting.tier);
            }
            AccessNews::TierChanging { scope, to, reply } => {
                self.desk.learn_tier(&scope, InstanceTier::Pending);
                answer(reply, self.tier_watch(scope, to));
            }
            AccessNews::TierEnded { scope, number, end } => self.tier_ended(scope, number, end),
            AccessNews::Made { made, at, reply } => answer(reply, Ok(self.codes.keep(made, at))),
            AccessNews::Deregistered { node_key, reply } => {
                self.desk.remove(&node_key);
                answer(reply, Ok(()));
            }
        }
    }

    /// Forgets everything that belongs to the fleet that is left. Sessions of checks are ended by their own tasks.
    pub(super) fn access_leave(&mut self) {
        self.checks.leave();
        self.tiers.leave();
        self.codes.forget_all();
    }

    fn check_begin(&mut self, node_key: String) -> Result<(), CommandError> {
        if self.quitting.is_some() {
            return Err(ending());
        }
        let Way { control, options, context } = self.way_to(&node_key, None)?;
        let backend = self.backend.as_ref().ok_or_else(no_node)?;
        let probe = backend.probes.probe(&context.source, &context.region);
        let node_id = context.node_id.clone().unwrap_or_default();
        let Begun { number, stop, row } = self.checks.begin(&node_key)?;
        self.emit(Change::Check { check: row });
        let news = self.access_told.clone();
        let request = StartSession { target: node_id.clone(), ..StartSession::default() };
        let trial = TrialWish { control, request, options };
        // Awaited when the program quits, so that its session is ended.
        self.terminals.spawn(async move {
            let waiting = |tries, pause| {
                let node_key = node_key.clone();
                // When the controller has much to do, one count is missed and the next one is right.
                drop(news.try_send(AccessNews::CheckWaiting { node_key, number, tries, pause }));
            };
            let stopped = async { drop(stop.await) };
            let found = Box::new(check_up(probe, &node_id, Some(trial), &context, waiting, stopped).await);
            drop(news.send(AccessNews::CheckDone { node_key, number, found }).await);
        });
        Ok(())
    }

    /// The calls of an account-Region of this fleet, and what failures of theirs are about.
    fn hybrid(&self, scope: &Scope) -> Result<(Arc<dyn HybridCalls<ApiError>>, Context), CommandError> {
        let backend = self.backend.as_ref().filter(|_| self.desk.scope().any(|known| known == scope));
        let backend = backend.ok_or_else(|| {
            CommandError::new(ErrorCode::NotFound, "This account and Region are not in the fleet any more.")
        })?;
        let context = context(scope);
        let calls = backend.hybrid.hybrid(&scope.source, &scope.region);
        Ok((calls.map_err(|error| describe(&error, &context))?, context))
    }

    fn tier_place(&self, scope: Scope) -> Result<TierPlace, CommandError> {
        let (listing, hybrid) = self.desk.place(&scope).ok_or_else(no_node)?;
        if listing.account_id.is_empty() {
            return Err(CommandError {
                hint: Some("Wait until it is listed, and try again.".to_owned()),
                ..CommandError::new(ErrorCode::NotFound, "The account of this source is not known yet.")
            });
        }
        Ok(TierPlace::new(scope, listing, hybrid))
    }

    fn tier_review(&self, scope: Scope, to: TierTarget, reply: Reply<ipc::TierReview>) {
        let begun = self.hybrid(&scope).and_then(|calls| Ok((calls, self.tier_place(scope)?)));
        let ((calls, context), place) = match begun {
            Ok(begun) => begun,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let news = self.access_told.clone();
        tokio::spawn(async move {
            let reviewed = match calls.tier_setting().await {
                Ok(setting) => {
                    let scope = place.scope.clone();
                    drop(news.send(AccessNews::TierSeen { scope, setting: setting.clone() }).await);
                    Ok(place.review(setting, to))
                }
                Err(error) => Err(describe(&error, &context)),
            };
            answer(reply, reviewed);
        });
    }

    /// Makes a change, unless something became known that stands in its way.
    fn tier_change(&self, scope: Scope, to: TierTarget, reply: Reply<()>) {
        let begun = self.hybrid(&scope).and_then(|calls| Ok((calls, self.tier_place(scope)?)));
        let ((calls, context), place) = match begun {
            Ok(begun) => begun,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let news = self.access_told.clone();
        tokio::spawn(async move {
            let refused = |error: ApiError| describe(&error, &context);
            let made = async {
                let setting = calls.tier_setting().await.map_err(refused)?;
                if let Some(obstacle) = place.clone().review(setting, to).obstacle {
                    return Err(stands_in_the_way(obstacle));
                }
                calls.set_tier(target(to)).await.map_err(refused)
            };
            match made.await {
                Ok(()) => {
                    let told = AccessNews::TierChanging { scope: place.scope.clone(), to: target(to), reply };
                    drop(news.send(told).await);
                }
                Err(problem) => answer(reply, Err(problem)),
            }
        });
    }

    /// Looks at the setting until it has settled.
    pub(super) fn tier_watch(&mut self, scope: Scope, to: InstanceTier) -> Result<(), CommandError> {
        let (calls, context) = self.hybrid(&scope)?;
        let number = self.tiers.begin(scope.clone(), to);
        self.desk.touch();
        let (news, patience) = (self.access_told.clone(), self.options.tier_patience);
        let of = scope.clone();
        let task = tokio::spawn(async move {
            let seen = |setting: &TierSetting| {
                // When the controller has much to do, one look is missed and the next one is right.
                drop(news.try_send(AccessNews::TierSeen { scope: of.clone(), setting: setting.clone() }));
            };
            let end = settle(calls.as_ref(), patience, seen).await;
            let end = end.map_err(|error| describe(&error, &context));
            drop(news.send(AccessNews::TierEnded { scope: of, number, end }).await);
        });
        self.tiers.by(&scope, task.abort_handle());
        Ok(())
    }

    fn tier_ended(&mut self, scope: Scope, number: u64, end: Result<TierSetting, CommandError>) {
        let problem = match &end {
            Ok(setting) if setting.tier == InstanceTier::Pending => Some(CommandError {
                hint: Some("AWS goes on with it; look again later.".to_owned()),
                ..CommandError::new(ErrorCode::Service, "The change of the tier has not settled yet.")
            }),
            Ok(_) => None,
            Err(problem) => Some(problem.clone()),
        };
        if self.tiers.ended(&scope, number, problem) {
            if let Ok(setting) = end {
                self.desk.learn_tier(&scope, setting.tier);
            }
            self.desk.touch();
        }
    }

    fn activations(&self, reply: Reply<Vec<Activations>>) {
        let mut asked = Vec::new();
        for scope in self.desk.scope() {
            let name = self.desk.place(scope).map(|(listing, _)| listing.account_name.clone());
            asked.push((scope.clone(), name.unwrap_or_default(), self.hybrid(scope)));
        }
        tokio::spawn(async move {
            let mut tasks = JoinSet::new();
            let places = asked.len();
            for (at, (scope, account_name, calls)) in asked.into_iter().enumerate() {
                tasks.spawn(async move {
                    let listed = match calls {
                        Ok((calls, context)) => {
                            activations::list(calls).await.map_err(|error| describe(&error, &context))
                        }
                        Err(problem) => Err(problem),
                    };
                    let ((rows, more), problem) = match listed {
                        Ok(listed) => (listed, None),
                        Err(problem) => (Default::default(), Some(problem)),
                    };
                    let Scope { source, region } = scope;
                    (at, Activations { source, account_name, region, rows, more, problem })
                });
            }
            let mut all = Vec::with_capacity(places);
            while let Some(one) = tasks.join_next().await {
                match one {
                    Ok(one) => all.push(one),
                    Err(error) => tracing::error!(%error, "a listing of activations ended by a defect"),
                }
            }
            all.sort_by_key(|(at, _)| *at);
            answer(reply, Ok(all.into_iter().map(|(_, one)| one).collect()));
        });
    }

    fn activation_create(&self, spec: ActivationSpec, reply: Reply<ipc::CreatedActivation>) {
        let scope = Scope { source: spec.source.clone(), region: spec.region.clone() };
        let begun = activations::wish(spec)
            .and_then(|new| Ok((new, self.hybrid(&scope)?)))
            .and_then(|(new, calls)| Ok((new, calls, self.desk.place(&scope).ok_or_else(no_node)?.0)));
        let (new, (calls, context), listing) = match begun {
            Ok(begun) => begun,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let at = AccountRegion { account_id: listing.account_id.clone(), region: scope.region };
        let news = self.access_told.clone();
        tokio::spawn(async move {
            match calls.create_activation(new).await {
                Ok(made) => drop(news.send(AccessNews::Made { made, at, reply }).await),
                Err(error) => answer(reply, Err(describe(&error, &context))),
            }
        });
    }

    fn activation_delete(&self, scope: Scope, id: String, reply: Reply<()>) {
        let (calls, context) = match self.hybrid(&scope) {
            Ok(calls) => calls,
            Err(problem) => return answer(reply, Err(problem)),
        };
        tokio::spawn(async move {
            let deleted = calls.delete_activation(id).await;
            answer(reply, deleted.map_err(|error| describe(&error, &context)));
        });
    }

    fn deregister(&self, node_key: String, reply: Reply<()>) {
        let begun = self.desk.fleet().get(&node_key).ok_or_else(no_node).and_then(|entry| {
            let node = entry.node();
            if !node.kind.is_hybrid() {
                let message = "Only hybrid nodes can be deregistered; an EC2 instance leaves when it ends.";
                return Err(CommandError::new(ErrorCode::InvalidInput, message));
            }
            let scope = Scope { source: node.source.to_string(), region: node.account_region.region.clone() };
            let (calls, context) = self.hybrid(&scope)?;
            let context = Context { node: Some(node.display_name().to_owned()), ..context };
            Ok((calls, context, node.node_id.clone()))
        });
        let (calls, context, node_id) = match begun {
            Ok(begun) => begun,
            Err(problem) => return answer(reply, Err(problem)),
        };
        let news = self.access_told.clone();
        tokio::spawn(async move {
            match calls.deregister(node_id.to_string()).await {
                Ok(()) => drop(news.send(AccessNews::Deregistered { node_key, reply }).await),
                Err(error) => answer(reply, Err(describe(&error, &context))),
            }
        });
    }

    /// What the ladder of a node goes by besides its listing.
    pub(super) fn proof_of(&self, node_key: &str) -> fleetline_inventory::SessionProof {
        let proof = fleetline_inventory::SessionProof {
            open: self.tabs.is_open_on(node_key),
            ..self.proofs.of(node_key)
        };
        match self.checks.row(node_key).filter(|row| row.running) {
            Some(row) => fleetline_inventory::SessionProof {
                denied: false,
                channel: fleetline_inventory::ChannelProof::Trying { tries: row.tries },
                channel_ms: Some(now_ms()),
                ..proof
            },
            None => proof,
        }
    }
}

fn context(scope: &Scope) -> Context {
    Context { source: scope.source.clone(), region: scope.region.clone(), ..Context::default() }
}

fn ending() -> CommandError {
    CommandError::new(ErrorCode::Cancelled, "Fleetline is ending.")
}

fn stands_in_the_way(obstacle: TierObstacle) -> CommandError {
    CommandError::new(
        ErrorCode::InvalidInput,
        match obstacle {
            TierObstacle::Unchanged => "The tier is that already.",
            TierObstacle::Pending => "Another change of the tier is on its way.",
            TierObstacle::TooManyNodes => {
                "AWS refuses the way back to standard while more than 1,000 hybrid nodes are registered."
            }
        },
    )
}
