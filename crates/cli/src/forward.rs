//! `fleetline forward`: listeners on this computer that lead to a node, until a signal ends them.

mod life;
pub(crate) mod spec;

use std::net::SocketAddr;
use std::sync::Arc;

use fleetline_app::problem::{Context, describe_close};
use fleetline_app::{PortInUse, SameUser, web_guard};
use fleetline_control::ForwardSpec;
use fleetline_engine::forward::{
    Admission, AdmitAll, Forward, ForwardOptions, LaneEnd, LanePolicy, LaneStart, Listen, ListenError,
    ListenProblem, LocalAddress, Screen,
};
use fleetline_engine::{Priority, SessionOptions};
use fleetline_ipc::{CommandError, ErrorCode};
use fleetline_store::profiles::BrowserGuard;
use futures_util::FutureExt;
use futures_util::future::{join_all, select_all};
use serde_json::json;

use crate::app::Borrowed;
use crate::args::{ForwardArgs, GuardChoice, ScopeArgs};
use crate::console::{harmless, print, tell};
use crate::failure::Failure;
use crate::signals::EndSignals;
use crate::target::{self, Target};
use life::Life;
use spec::{Goal, Spec};

/// A forward that listens.
pub(crate) struct Running {
    /// The forward.
    pub(crate) forward: Forward,
    /// The node's name.
    pub(crate) node: String,
    /// What errors are about.
    pub(crate) context: Context,
    /// Where it leads, in words.
    pub(crate) goal: String,
    /// Whether it must have a session before it is told.
    pub(crate) at_once: bool,
    life: Life,
}

/// How it is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    /// A JSON object for each forward.
    pub(crate) json: bool,
    /// No notices.
    pub(crate) quiet: bool,
}

/// Listens and forwards until a signal comes. All local ends are bound before AWS is asked for anything.
pub(crate) async fn run(args: ForwardArgs) -> Result<u8, Failure> {
    let json = args.json;
    forward(args).await.map_err(|failure| failure.in_json(json))
}

async fn forward(args: ForwardArgs) -> Result<u8, Failure> {
    let wanted = wanted(&args)?;
    let mut signals =
        EndSignals::catch().map_err(|error| Failure::local("Signals could not be caught", &error))?;
    let told = Told { json: args.json, quiet: args.quiet };
    let mut held = Vec::with_capacity(wanted.len());
    let mut own = Vec::with_capacity(wanted.len());
    for (listen, goal) in wanted {
        match borrowed(&args, &listen, &goal).await {
            Some(app) => held.push(Held::App(Box::new(app))),
            None => own.push((listen, goal)),
        }
    }
    if own.is_empty() {
        return hold(told, held, signals).await;
    }
    let found = tokio::select! {
        found = target::find(&args.target, &args.scope) => found?,
        signal = signals.next() => return Err(Failure::signal(signal.number())),
    };
    for (listen, goal) in own {
        let defaults = ForwardOptions::default();
        let session = SessionOptions {
            limits: defaults.session.limits,
            priority: Priority::Background,
            ..found.options.clone()
        };
        let options = ForwardOptions {
            listen: vec![listen.clone()],
            start: if args.on_demand { LaneStart::OnDemand } else { LaneStart::AtOnce },
            lanes: LanePolicy { max: usize::from(args.lanes), ..LanePolicy::default() },
            admission: admission(args.any_user),
            screen: guarded(&args, &listen, goal.port),
            session,
            ..defaults
        };
        let request = goal.request(&found.id, args.reason.as_deref());
        let document = request.start_session().document;
        let forward =
            Forward::start(found.control.clone(), request, options).map_err(|error| not_bound(&error))?;
        let context = Context { document, ..found.context.clone() };
        held.push(Running::with_context(&found, context, forward, goal.to_string(), !args.on_demand));
    }
    hold(told, held, signals).await
}

/// The running app's forward that does the same, unless this one is to be run alone or differs in who may connect.
async fn borrowed(args: &ForwardArgs, listen: &Listen, goal: &Goal) -> Option<Borrowed> {
    if args.alone || args.any_user {
        return None;
    }
    let scope = &args.scope;
    Borrowed::same_as(asked(scope, &args.target, listen, goal.host.clone(), Some(goal.port))?).await
}

/// A forward as the app is asked for it; `None` when the app has none like it.
pub(crate) fn asked(
    scope: &ScopeArgs,
    target: &str,
    listen: &Listen,
    host: Option<String>,
    port: Option<u16>,
) -> Option<ForwardSpec> {
    let one = |names: &[String]| match names {
        [] => Some(None),
        [only] => Some(Some(only.clone())),
        _ => None,
    };
    let listen = match listen {
        Listen::Loopback { port } => fleetline_control::Listen::Loopback { port: *port },
        Listen::Unix { path } => fleetline_control::Listen::Unix { path: path.display().to_string() },
        Listen::Addresses { .. } => return None,
    };
    Some(ForwardSpec {
        source: one(&scope.sources)?,
        region: one(&scope.regions)?,
        target: target.to_owned(),
        host,
        port,
        listen,
        lanes: None,
    })
}

/// A forward that is held until a signal comes.
pub(crate) enum Held {
    /// One of this program.
    Own(Box<Running>),
    /// One of the running app, which does the same.
    App(Box<Borrowed>),
}

impl Held {
    /// Where it listens, where it leads, and through which node.
    fn described(&self) -> (Vec<String>, String, String) {
        match self {
            Self::Own(own) => {
                let listening = own.forward.listeners().iter().map(ToString::to_string).collect();
                (listening, own.node.clone(), own.goal.clone())
            }
            Self::App(app) => (app.row.local.clone(), app.row.name.clone(), app.row.remote.clone()),
        }
    }

    /// What happens to it next, in lines where it is worth any; `None` when nothing more will.
    async fn next(&mut self) -> Option<Vec<String>> {
        match self {
            Self::Own(own) => {
                if !own.life.changed().await {
                    return None;
                }
                let news = own.life.news(&own.forward);
                Some(news.iter().map(|words| format!("{}: {words}", own.goal)).collect())
            }
            Self::App(app) => {
                let event = app.next().await?;
                Some(vec![format!("{}: {}", event.forward.name, event.message)])
            }
        }
    }
}

/// Tells where forwards listen, and what becomes of them, until a signal comes. Their sessions are terminated by then.
pub(crate) async fn hold(told: Told, mut held: Vec<Held>, mut signals: EndSignals) -> Result<u8, Failure> {
    let ended = tokio::select! {
        ended = serve(told, &mut held) => ended,
        signal = signals.next() => Err(Failure::signal(signal.number())),
    };
    stop(held).await;
    ended
}

/// Terminates the sessions of forwards, and leaves those of the app to it.
pub(crate) async fn stop(held: Vec<Held>) {
    join_all(held.into_iter().map(|one| async {
        match one {
            Held::Own(own) => {
                if let Err(error) = own.forward.stop().await {
                    Failure::from(describe_close(&error, &own.context)).tell();
                }
            }
            Held::App(app) => app.leave().await,
        }
    }))
    .await;
}

impl Running {
    /// A forward through a node that was found.
    pub(crate) fn through(found: &Target, forward: Forward, goal: String, at_once: bool) -> Held {
        Self::with_context(found, found.context.clone(), forward, goal, at_once)
    }

    fn with_context(found: &Target, context: Context, forward: Forward, goal: String, at_once: bool) -> Held {
        let node = found.context.node.clone().unwrap_or_else(|| found.id.clone());
        let life = Life::of(&forward);
        Held::Own(Box::new(Self { forward, node, context, goal, at_once, life }))
    }
}

/// What to listen on and where it leads.
fn wanted(args: &ForwardArgs) -> Result<Vec<(Listen, Goal)>, Failure> {
    let wrong = |text: &str, why: spec::SpecError| Failure::usage(format!("{text} is no forward: {why}."));
    if let Some(path) = &args.socket {
        let [goal] = args.forwards.as_slice() else {
            return Err(Failure::usage("With --socket there is one forward, written [HOST:]REMOTE."));
        };
        let parsed = goal.parse().map_err(|why| wrong(goal, why))?;
        return Ok(vec![(Listen::Unix { path: spec::socket_path(path) }, parsed)]);
    }
    let mut wanted = Vec::with_capacity(args.forwards.len());
    for text in &args.forwards {
        let spec: Spec = text.parse().map_err(|why| wrong(text, why))?;
        if spec.bind.is_exposed() && !args.expose {
            let message = format!("{text} would let other computers in.");
            return Err(Failure::usage(message).with_hint("If that is meant, add --expose."));
        }
        wanted.push((spec.listen(), spec.goal));
    }
    Ok(wanted)
}

/// Waits until all forwards have a session, says where they listen, and then what becomes of them.
async fn serve(told: Told, held: &mut [Held]) -> Result<u8, Failure> {
    let ready = held.iter().filter_map(|one| match one {
        Held::Own(own) if own.at_once => {
            Some(async { own.forward.ready().await.map_err(|end| not_started(&end, &own.context)) })
        }
        Held::Own(_) | Held::App(_) => None,
    });
    for outcome in join_all(ready).await {
        outcome?;
    }
    for one in held.iter() {
        let (listening, node, goal) = one.described();
        let in_app = matches!(one, Held::App(_));
        let line = if told.json {
            json!({ "listening": listening, "node": node, "destination": goal, "app": in_app }).to_string()
        } else {
            listening.first().map(|address| harmless(address)).unwrap_or_default()
        };
        print(&line).map_err(|error| Failure::local("Standard output could not be written", &error))?;
        if !told.quiet {
            let all = listening.join(" and ");
            tell(&harmless(&match in_app {
                true => format!("{all} is the running app's forward {node} to {goal}."),
                false => format!("{all} leads through {node} to {goal}."),
            }));
        }
    }
    loop {
        let (next, _, _) = select_all(held.iter_mut().map(|one| one.next().boxed())).await;
        match next {
            None => return Ok(0),
            Some(news) => {
                for words in news.iter().filter(|_| !told.quiet) {
                    tell(&harmless(words));
                }
            }
        }
    }
}

pub(crate) fn not_started(end: &LaneEnd, context: &Context) -> Failure {
    match end {
        LaneEnd::Failed(error) => Failure::not_started(error, context),
        LaneEnd::Ended(reason) => {
            Failure::from(CommandError::new(ErrorCode::SessionEnded, reason.to_string()))
        }
    }
}

/// Who may connect.
pub(crate) fn admission(any_user: bool) -> Arc<dyn Admission> {
    if any_user { Arc::new(AdmitAll) } else { Arc::new(SameUser) }
}

/// The browser guard, where it is asked for or the port is one of web servers (SEC-23).
fn guarded(args: &ForwardArgs, listen: &Listen, port: u16) -> Option<Arc<dyn Screen>> {
    let wanted = match args.browser_guard {
        GuardChoice::Auto => BrowserGuard::Auto,
        GuardChoice::On => BrowserGuard::On,
        GuardChoice::Off => BrowserGuard::Off,
    };
    let bind = match listen {
        Listen::Addresses { addresses, .. } => addresses.first().copied(),
        Listen::Loopback { .. } | Listen::Unix { .. } => None,
    };
    web_guard(wanted, port, bind, &args.host_aliases)
}

/// A local end that cannot be had, with who has it and what is free instead.
pub(crate) fn not_bound(error: &ListenError) -> Failure {
    let failure = Failure::local("The forward was not started", error);
    match (&error.at, &error.problem) {
        (LocalAddress::Tcp(address), ListenProblem::InUse) => failure.with_hint(in_use(*address)),
        _ => failure,
    }
}

fn in_use(address: SocketAddr) -> String {
    let found = PortInUse::at(address);
    match found.next_free {
        Some(free) => format!("{} {free} is the next free port.", found.holder),
        None => found.holder,
    }
}
