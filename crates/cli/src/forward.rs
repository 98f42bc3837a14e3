//! `fleetline forward`: listeners on this computer that lead to a node, until a signal ends them.

mod life;
pub(crate) mod spec;

use std::net::SocketAddr;
use std::sync::Arc;

use fleetline_app::problem::{Context, describe_close};
use fleetline_app::{LocalPrograms, PortInUse};
use fleetline_engine::forward::{
    Forward, ForwardOptions, LaneEnd, LanePolicy, LaneStart, Listen, ListenError, ListenProblem, LocalAddress,
};
use fleetline_engine::{Priority, SessionOptions};
use fleetline_ipc::{CommandError, ErrorCode};
use futures_util::FutureExt;
use futures_util::future::{join_all, select_all};
use serde_json::json;

use crate::args::ForwardArgs;
use crate::console::{harmless, print, tell};
use crate::failure::Failure;
use crate::signals::EndSignals;
use crate::target;
use life::Life;
use spec::{Goal, Spec};

/// A forward that listens.
struct Running {
    forward: Forward,
    goal: Goal,
    /// Document of its sessions.
    document: Option<String>,
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
    let found = tokio::select! {
        found = target::find(&args.target, &args.scope) => found?,
        signal = signals.next() => return Err(Failure::signal(signal.number())),
    };
    let name = found.context.node.clone().unwrap_or_else(|| found.id.clone());
    let mut running = Vec::with_capacity(wanted.len());
    for (listen, goal) in wanted {
        let defaults = ForwardOptions::default();
        let session = SessionOptions {
            limits: defaults.session.limits,
            priority: Priority::Background,
            ..found.options.clone()
        };
        let options = ForwardOptions {
            listen: vec![listen],
            start: if args.on_demand { LaneStart::OnDemand } else { LaneStart::AtOnce },
            lanes: LanePolicy { max: usize::from(args.lanes), ..LanePolicy::default() },
            admission: Arc::new(LocalPrograms::guarded(args.any_user)),
            session,
            ..defaults
        };
        let request = goal.request(&found.id, args.reason.as_deref());
        let document = request.start_session().document;
        let forward =
            Forward::start(found.control.clone(), request, options).map_err(|error| not_bound(&error))?;
        running.push(Running { forward, goal, document });
    }
    let ended = tokio::select! {
        ended = serve(&args, &running, &name, &found.context) => ended,
        signal = signals.next() => Err(Failure::signal(signal.number())),
    };
    for error in
        join_all(running.iter().map(|one| one.forward.stop())).await.into_iter().filter_map(Result::err)
    {
        Failure::from(describe_close(&error, &found.context)).tell();
    }
    ended
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
async fn serve(
    args: &ForwardArgs,
    running: &[Running],
    name: &str,
    context: &Context,
) -> Result<u8, Failure> {
    if !args.on_demand {
        let ready = join_all(running.iter().map(|one| one.forward.ready())).await;
        if let Some((one, end)) = running.iter().zip(ready).find_map(|(one, end)| Some((one, end.err()?))) {
            let context = Context { document: one.document.clone(), ..context.clone() };
            return Err(not_started(&end, &context));
        }
    }
    for one in running {
        let listeners = one.forward.listeners();
        let line = if args.json {
            let listening: Vec<String> = listeners.iter().map(ToString::to_string).collect();
            json!({ "listening": listening, "node": name, "destination": one.goal.to_string() }).to_string()
        } else {
            listeners.first().map(ToString::to_string).unwrap_or_default()
        };
        print(&line).map_err(|error| Failure::local("Standard output could not be written", &error))?;
        if !args.quiet {
            let all: Vec<String> = listeners.iter().map(ToString::to_string).collect();
            tell(&format!("{} leads through {name} to {}.", all.join(" and "), one.goal));
        }
    }
    let mut lives: Vec<_> = running.iter().map(|one| Life::of(&one.forward)).collect();
    loop {
        let (is_alive, at) = {
            let (changed, at, _) = select_all(lives.iter_mut().map(|life| life.changed().boxed())).await;
            (changed, at)
        };
        if !is_alive {
            return Ok(0);
        }
        if let (Some(life), Some(one)) = (lives.get_mut(at), running.get(at)) {
            let news = life.news(&one.forward);
            for words in news.iter().filter(|_| !args.quiet) {
                tell(&harmless(&format!("{}: {words}", one.goal)));
            }
        }
    }
}

fn not_started(end: &LaneEnd, context: &Context) -> Failure {
    match end {
        LaneEnd::Failed(error) => Failure::not_started(error, context),
        LaneEnd::Ended(reason) => {
            Failure::from(CommandError::new(ErrorCode::SessionEnded, reason.to_string()))
        }
    }
}

/// A local end that cannot be had, with who has it and what is free instead.
fn not_bound(error: &ListenError) -> Failure {
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
