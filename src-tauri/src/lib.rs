//! The desktop shell: a window, a tray icon and a process around the application. It decides nothing itself.
//!
//! [`run`] is the program. [`bindings`] is public so that tests can compare the commands with the permissions and the
//! generated TypeScript.

mod args;
pub mod bindings;
mod commands;
mod control;
mod frames;
mod instance;
mod launcher;
mod lifetime;
mod logging;
mod os;
mod place;
mod shell;
mod smoke;
mod tray;
mod window;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::{env, io};

use fleetline_app::tier::TierPatience;
use fleetline_app::{Ports, StartOptions, Vault, secrets};
use fleetline_ipc::system::StartChoice;
use tauri::Manager;
use tokio_util::task::TaskTracker;

use crate::args::{Args, Asked};
use crate::launcher::Composer;
use crate::lifetime::{ExitStatus, Runtimes};
use crate::os::Facts;
use crate::place::Place;
use crate::shell::Desktop;
use crate::tray::Tray;

/// Runs the desktop program with the arguments and the environment of this process, which must still have one thread.
///
/// Status 0: ended as asked. 1: could not run, or a smoke test failed. 2: the command line cannot be understood.
pub fn run() -> ExitCode {
    let facts = os::prepare();
    let args = match args::parse(env::args_os().skip(1)) {
        Ok(Asked::Run(args)) => args,
        Ok(Asked::Help) => return say(io::stdout(), args::USAGE, 0),
        Ok(Asked::Version) => {
            return say(io::stdout(), concat!("Fleetline ", env!("CARGO_PKG_VERSION"), "\n"), 0);
        }
        Err(error) => return say(io::stderr(), &format!("fleetline-desktop: {error}\n"), 2),
    };
    if let Some(reason) = os::no_display() {
        return say(io::stderr(), &format!("fleetline-desktop: {reason}\n"), 1);
    }
    let place = Place::find(args.data_dir.as_deref());
    logging::start(place.files.as_ref().map(|files| files.logs.as_path()));
    match start(&args, facts, place) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => {
            tracing::error!(%error, "Fleetline could not start");
            ExitCode::FAILURE
        }
    }
}

/// Prints to a stream that may be closed; then there is nobody to tell.
fn say(mut stream: impl Write, text: &str, code: u8) -> ExitCode {
    drop(stream.write_all(text.as_bytes()));
    ExitCode::from(code)
}

/// Builds the app and runs it to its end, on this thread as every desktop demands.
fn start(args: &Args, facts: Facts, place: Place) -> Result<i32, Box<dyn std::error::Error>> {
    let runtimes = Runtimes::start()?;
    let bindings = bindings::builder::<tauri::Wry>();
    let commands = bindings.invoke_handler();
    let mut builder =
        instance::alone(tauri::Builder::default(), args).plugin(tauri_plugin_clipboard_manager::init());
    if let Some(files) = &place.files {
        builder = builder.plugin(window::remember(&files.window));
    }
    let (setup_args, setup_work, ending) = (args.clone(), runtimes.work(), runtimes.ending());
    let app = builder
        .invoke_handler(commands)
        .on_window_event(lifetime::on_window_event)
        .setup(move |app| {
            bindings.mount_events(app);
            let _inside = setup_work.enter();
            compose(app.handle(), &setup_args, facts, place, ending);
            Ok(())
        })
        .build(tauri::generate_context!())?;
    let work = runtimes.work();
    let code = app.run_return(move |app, event| lifetime::on_run_event(app, event, &work));
    runtimes.end();
    Ok(code)
}

/// Starts the application and shows it. The first owner of every part is here; inside the work runtime.
fn compose(app: &tauri::AppHandle, args: &Args, facts: Facts, place: Place, ending: TaskTracker) {
    app.manage(ExitStatus::default());
    app.manage(Tray::new(app));
    let own_file = place.files.as_ref().map(|files| files.sources.as_path());
    let data = place.files.as_ref().map(|files| files.data.as_path());
    let vault = Vault::of_system(data, secrets::chooser(place.store.clone()));
    let fleetline = fleetline_app::start(Ports {
        launcher: Arc::new(Composer::new(own_file, vault, ending)),
        store: place.store,
        ui: Arc::new(Desktop::new(app.clone(), place.files.as_ref().map(|files| files.links.clone()))),
        options: StartOptions {
            choice: args.demo.then_some(StartChoice::Demo),
            software_gl: facts.software_gl,
            app_version: env!("CARGO_PKG_VERSION").to_owned(),
            tier_patience: TierPatience::default(),
            warnings: place.warnings,
        },
    });
    app.manage(fleetline.clone());
    if let Some(link) = &args.link {
        instance::linked(app, link);
    }
    tokio::spawn(lifetime::end_when_asked(app.clone(), fleetline.clone()));
    if let Some(files) = &place.files {
        control::serve(&files.control, &fleetline);
    }
    let webview = place.files.map(|files| files.webview);
    // Without a tray a hidden window could never be found.
    let hidden = args.minimized && app.state::<Tray<tauri::Wry>>().is_shown();
    if let Err(error) = window::create(app, webview, hidden) {
        tracing::error!(%error, "the window could not be opened");
        app.state::<ExitStatus>().fail();
        let app = app.clone();
        tokio::spawn(async move { lifetime::quit(&app, &fleetline).await });
        return;
    }
    if let Some(steps) = args.smoke_test.clone() {
        let theme = args::theme(env::var("FLEETLINE_THEME").ok().as_deref());
        tokio::spawn(smoke::run(app.clone(), fleetline, steps, theme));
    }
}
