//! `fleetline socks`: a SOCKS5 proxy whose connections leave from a node, until a signal ends it.

use std::sync::Arc;

use fleetline_app::Socks;
use fleetline_engine::forward::{Forward, ForwardOptions, ForwardRequest, LanePolicy, Listen};
use fleetline_engine::{Priority, SessionOptions};

use crate::app::Borrowed;
use crate::args::SocksArgs;
use crate::failure::Failure;
use crate::forward::spec::{LocalEnd, socket_path};
use crate::forward::{Held, Running, Told, admission, asked, hold, not_bound};
use crate::signals::EndSignals;
use crate::target;

/// Listens until a signal comes. Sessions begin with the first connection to each destination.
pub(crate) async fn run(args: SocksArgs) -> Result<u8, Failure> {
    let listen = listen(&args)?;
    let mut signals =
        EndSignals::catch().map_err(|error| Failure::local("Signals could not be caught", &error))?;
    let told = Told { json: args.json, quiet: args.quiet };
    if !args.alone
        && !args.any_user
        && let Some(spec) = asked(&args.scope, &args.target, &listen, None, None)
        && let Some(app) = Borrowed::same_as(spec).await
    {
        return hold(told, vec![Held::App(Box::new(app))], signals).await;
    }
    let found = tokio::select! {
        found = target::find(&args.target, &args.scope) => found?,
        signal = signals.next() => return Err(Failure::signal(signal.number())),
    };
    let defaults = ForwardOptions::default();
    let session = SessionOptions {
        limits: defaults.session.limits,
        priority: Priority::Background,
        ..found.options.clone()
    };
    let options = ForwardOptions {
        listen: vec![listen],
        lanes: LanePolicy { max: usize::from(args.lanes), ..LanePolicy::default() },
        chosen_lanes: usize::from(args.sessions),
        admission: admission(args.any_user),
        negotiator: Some(Arc::new(Socks)),
        session,
        ..defaults
    };
    let request =
        ForwardRequest { reason: args.reason.clone(), ..ForwardRequest::to_chosen(found.id.as_str()) };
    let forward =
        Forward::start(found.control.clone(), request, options).map_err(|error| not_bound(&error))?;
    let running = Running::through(&found, forward, "any host it reaches".to_owned(), false);
    hold(told, vec![running], signals).await
}

fn listen(args: &SocksArgs) -> Result<Listen, Failure> {
    if let Some(path) = &args.socket {
        return Ok(Listen::Unix { path: socket_path(path) });
    }
    let end: LocalEnd = args
        .listen
        .parse()
        .map_err(|why| Failure::usage(format!("{} is no place to listen: {why}.", args.listen)))?;
    if end.bind.is_exposed() && !args.expose {
        let message = format!("{} would let other computers in.", args.listen);
        return Err(Failure::usage(message).with_hint("If that is meant, add --expose."));
    }
    Ok(end.listen())
}
