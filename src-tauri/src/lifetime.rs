//! How the program lives and ends: its runtimes, closing the window, quitting, being told to end.

use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use fleetline_app::AppHandle;
use tauri::{Manager, RunEvent, Runtime as Desktop, Window, WindowEvent};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

/// How long sessions may take to be terminated at the end. The application has a shorter limit of its own.
const QUIT_LIMIT: Duration = Duration::from_secs(15);
/// How long the demo fleet may take to end its shells after that.
const ENDING_LIMIT: Duration = Duration::from_secs(5);
/// How long blocking tasks may take to end after that.
const TASK_LIMIT: Duration = Duration::from_secs(1);

/// The two runtimes of the program.
pub(crate) struct Runtimes {
    work: Runtime,
    /// Counts what ends in the background and is worth waiting for: the simulator and its shells.
    ending: TaskTracker,
    commands: Option<(oneshot::Sender<()>, thread::JoinHandle<()>)>,
}

impl Runtimes {
    /// Starts both. Commands get a thread of their own: on one thread they begin in the order in which the web view
    /// sent them, so that keys typed quickly arrive in the order they were typed. Everything else runs on all cores.
    pub(crate) fn start() -> io::Result<Self> {
        let work = Builder::new_multi_thread().enable_all().thread_name("work").build()?;
        let commands = Builder::new_current_thread().enable_all().build()?;
        tauri::async_runtime::set(commands.handle().clone());
        let (end, ended) = oneshot::channel();
        let thread = thread::Builder::new().name("commands".to_owned()).spawn(move || {
            // Ends with an error when the sender is dropped, which means the same.
            drop(commands.block_on(ended));
        })?;
        Ok(Self { work, ending: TaskTracker::new(), commands: Some((end, thread)) })
    }

    /// Where the application runs.
    pub(crate) fn work(&self) -> Handle {
        self.work.handle().clone()
    }

    /// What is worth waiting for at the end.
    pub(crate) fn ending(&self) -> TaskTracker {
        self.ending.clone()
    }

    /// Ends both, when what is worth waiting for has ended or has had its time. Other tasks are dropped.
    pub(crate) fn end(mut self) {
        if let Some((end, thread)) = self.commands.take() {
            drop(end);
            // A command that panicked was logged when it did.
            drop(thread.join());
        }
        self.ending.close();
        let ended = async { tokio::time::timeout(ENDING_LIMIT, self.ending.wait()).await };
        if self.work.block_on(ended).is_err() {
            tracing::warn!("the demo fleet did not end in time");
        }
        self.work.shutdown_timeout(TASK_LIMIT);
    }
}

/// The status the program ends with: 0 unless a smoke test failed.
#[derive(Debug, Default)]
pub(crate) struct ExitStatus(AtomicI32);

impl ExitStatus {
    pub(crate) fn fail(&self) {
        self.0.store(1, Ordering::Relaxed);
    }

    pub(crate) fn code(&self) -> i32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Closing the window is a question to the application, which quits, hides or asks.
pub(crate) fn on_window_event<R: Desktop>(window: &Window<R>, event: &WindowEvent) {
    if let WindowEvent::CloseRequested { api, .. } = event {
        api.prevent_close();
        close(window.app_handle());
    }
}

/// What happens to the program as a whole. Sessions are terminated on every way out.
pub(crate) fn on_run_event<R: Desktop>(app: &tauri::AppHandle<R>, event: RunEvent, work: &Handle) {
    match event {
        // Without a code the desktop asks, for example because the last window is gone.
        RunEvent::ExitRequested { code: None, api, .. } => {
            api.prevent_exit();
            close(app);
        }
        // On the usual way the application has ended before this. macOS comes here directly from its Quit item.
        RunEvent::Exit => {
            if let Some(fleetline) = app.try_state::<AppHandle>() {
                let quit = async { tokio::time::timeout(QUIT_LIMIT, fleetline.app_quit()).await };
                if work.block_on(quit).is_err() {
                    tracing::warn!("sessions were not terminated in time");
                }
            }
        }
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => crate::instance::shown(app),
        // The bundle claims the scheme; macOS brings links by an event, not as a word of another start.
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            for url in urls.iter().filter(|url| url.as_str().starts_with(crate::args::SCHEME)) {
                crate::instance::linked(app, url.as_str());
            }
        }
        _ => {}
    }
}

fn close<R: Desktop>(app: &tauri::AppHandle<R>) {
    let Some(fleetline) = app.try_state::<AppHandle>() else { return };
    let fleetline = fleetline.inner().clone();
    tauri::async_runtime::spawn(async move { fleetline.close_requested().await });
}

/// Quits in an orderly way when the system asks this process to end.
pub(crate) async fn end_when_asked<R: Desktop>(app: tauri::AppHandle<R>, fleetline: AppHandle) {
    crate::os::asked_to_end().await;
    tracing::info!("asked to end");
    quit(&app, &fleetline).await;
}

/// Terminates all sessions and ends the program, with or without the application's help.
pub(crate) async fn quit<R: Desktop>(app: &tauri::AppHandle<R>, fleetline: &AppHandle) {
    if tokio::time::timeout(QUIT_LIMIT, fleetline.app_quit()).await.is_err() {
        tracing::warn!("sessions were not terminated in time");
    }
    let code = app.try_state::<ExitStatus>().map_or(0, |status| status.code());
    app.exit(code);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn commands_begin_in_the_order_they_were_sent() {
        let runtimes = Runtimes::start().unwrap();
        let (begun, order) = mpsc::channel();
        for number in 0..1000 {
            let begun = begun.clone();
            tauri::async_runtime::spawn(async move {
                begun.send(number).unwrap();
                // The rest of a command waits for its answer, which must not hold up the next one.
                std::future::pending::<()>().await;
            });
        }
        drop(begun);
        let order: Vec<i32> = order.iter().take(1000).collect();
        assert!(order.is_sorted(), "{order:?}");
        runtimes.end();
    }
}
