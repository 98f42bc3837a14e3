//! The `fleetline` command line program: the same engine as the desktop app, scriptable.
//!
//! Exit status (`exec` returns the remote command's own once it ran): 0 ok, 1 anything without a number of its own,
//! 2 usage, 3 denied, 4 target not connectable, 5 credentials, 6 network, 7 throttled, 8 local resource. Results go to
//! standard output, everything else to standard error.

mod accounts;
mod activations;
mod app;
mod args;
mod audit;
mod book;
mod chosen_document;
mod code;
mod console;
mod doctor;
mod documents;
mod exec;
mod failure;
mod fleet;
mod forward;
mod iam;
mod links;
mod logging;
mod login;
mod nodes;
mod preferences;
mod profile;
mod rdp;
mod recordings;
mod scope;
mod secrets;
mod sessions;
mod shell;
mod signals;
mod sim;
mod socks;
mod ssh_config;
mod ssh_proxy;
mod table;
mod target;
mod tier;
mod timestamp;

use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser;
use failure::Failure;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version go to standard output with status 0, mistakes to standard error with status 2.
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            return if error.print().is_ok() { ExitCode::from(code) } else { ExitCode::from(8) };
        }
    };
    logging::start();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::local("The program could not be started", &error).report(),
    };
    let ended = runtime.block_on(async {
        match args.command {
            Command::Nodes(nodes) => nodes::run(nodes).await,
            Command::Views(views) => book::views(views),
            Command::Groups(groups) => book::groups(groups).await,
            Command::Favourites(favourites) => book::favourites(favourites).await,
            Command::Shell(shell) => shell::run(shell).await,
            Command::Exec(exec) => exec::run(exec).await,
            Command::Doctor(doctor) => doctor::run(doctor).await,
            Command::Tier(tier) => tier::run(tier).await,
            Command::Activations(activations) => activations::run(activations).await,
            Command::Documents(documents) => documents::run(documents).await,
            Command::Preferences(preferences) => preferences::run(preferences).await,
            Command::Recordings(recordings) => recordings::run(recordings).await,
            Command::Secrets(secrets) => secrets::run(secrets).await,
            Command::Sessions(sessions) => sessions::run(sessions).await,
            Command::Audit(audit) => audit::run(audit).await,
            Command::Iam(iam) => iam::run(iam).await,
            Command::Sim(sim) => sim::run(sim).await,
            Command::Profile(profile) => profile::run(profile).await,
            Command::Forward(forward) => forward::run(forward).await,
            Command::App(app) => app::run(app).await,
            Command::Links(links) => links::run(links).await,
            Command::Socks(socks) => socks::run(socks).await,
            Command::Rdp(rdp) => rdp::run(*rdp).await,
            Command::SshProxy(proxy) => ssh_proxy::run(proxy).await,
            Command::Accounts(accounts) => accounts::run(accounts).await,
            Command::Login(login) => login::run(login).await,
            Command::Logout(logout) => login::run_out(logout).await,
            Command::SshConfig(config) => ssh_config::run(config),
        }
    });
    // A thread may still wait for standard input; the program must not wait for it.
    runtime.shutdown_background();
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.report(),
    }
}
