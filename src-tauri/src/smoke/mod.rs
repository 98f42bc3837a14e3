//! The smoke test: the app shows the fleet, works in a shell and forwards ports by itself, in step with whoever watches
//! its window.

mod forwards;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use fleetline_app::AppHandle;
use fleetline_ipc::CommandError;
use fleetline_ipc::fleet::{FleetQuery, NodeRow, PlatformFamily, Readiness};
use fleetline_ipc::session::SessionState;
use fleetline_ipc::settings::Theme;
use tauri::{Listener, Manager, Runtime};
use tauri_specta::Event;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::bindings::Emitted;
use crate::lifetime::{self, ExitStatus};
use crate::window;

/// How long any one step may take, also on a slow machine.
const STEP_LIMIT: Duration = Duration::from_secs(60);
/// How often a file, or what the window shows, is looked at. Neither can tell by itself.
const GLANCE: Duration = Duration::from_millis(100);
/// The node whose shell is opened, if the fleet has it.
const NODE: &str = "pay-api-03";
/// Typed into the shell, one after the other.
const WORK: &[&str] = &[
    "mkdir ledger && cd ledger && for n in 1 2 3 4 5 6; do seq $((n * 700)) > transfers-$n.log; done",
    "ls -la --color=always && wc -l *.log",
    "grep -n --color=always 42 transfers-1.log | head -6",
    r#"awk 'BEGIN { for (c = 16; c < 232; c++) printf "\033[48;5;%dm \033[0m%s", c, (c - 15) % 72 ? "" : "\n" }'"#,
    r#"awk 'BEGIN { for (x = 0; x < 72; x++) printf "\033[48;2;%d;%d;190m \033[0m", x * 3, 220 - x * 2; print "" }'"#,
    r"printf '取引先 \033[1mbold\033[0m \033[3mitalic\033[0m \033[4munderlined\033[0m \033[7minverse\033[0m\n'",
    "echo fleetline-$((6*7))",
];
/// Printed by the last of them, and by none of the lines typed.
const PROOF: &str = "fleetline-42";

/// Why a smoke test failed.
#[derive(Debug, thiserror::Error)]
enum SmokeError {
    #[error("{0} took longer than {limit} s", limit = STEP_LIMIT.as_secs())]
    TooLong(&'static str),
    #[error("{doing}: {}", .problem.message)]
    Refused { doing: &'static str, problem: CommandError },
    #[error("the fleet has no Linux node that is ready")]
    NoNode,
    #[error("the session ended: {0}")]
    Ended(String),
    #[error("the directory of the steps cannot be used: {0}")]
    Steps(#[from] io::Error),
    #[error("the window is gone")]
    NoWindow,
}

/// Runs the test and ends the program: with status 0, or with 1 and the cause in the log.
pub(crate) async fn run<R: Runtime>(
    app: tauri::AppHandle<R>,
    fleetline: AppHandle,
    steps: PathBuf,
    theme: Option<Theme>,
) {
    let (changed, changes) = watch::channel(());
    let listening = Emitted::listen_any(&app, move |_| changed.send_replace(()));
    let test = Smoke { app: app.clone(), fleetline: fleetline.clone(), steps, changes };
    if let Err(error) = test.all(theme).await {
        tracing::error!(%error, "the smoke test failed");
        app.state::<ExitStatus>().fail();
    }
    app.unlisten(listening);
    lifetime::quit(&app, &fleetline).await;
}

struct Smoke<R: Runtime> {
    app: tauri::AppHandle<R>,
    fleetline: AppHandle,
    steps: PathBuf,
    /// Marked with each event of the application.
    changes: watch::Receiver<()>,
}

impl<R: Runtime> Smoke<R> {
    async fn all(mut self, theme: Option<Theme>) -> Result<(), SmokeError> {
        fs::create_dir_all(&self.steps)?;
        if let Some(theme) = theme {
            self.paint_in(theme).await?;
        }
        let node = self.fleet().await?;
        self.step("fleet").await?;
        let tab = self.shell(&node).await?;
        self.step("shell").await?;
        let closed = self.fleetline.tab_close(tab).await;
        closed.map_err(|problem| refused("closing the tab", problem))?;
        let traffic = self.forwards(&node).await?;
        self.step("forwards").await?;
        traffic.end().await;
        Ok(())
    }

    async fn paint_in(&self, theme: Theme) -> Result<(), SmokeError> {
        let snapshot = self
            .fleetline
            .app_snapshot()
            .await
            .map_err(|problem| refused("asking for the state", problem))?;
        let mut settings = snapshot.settings;
        settings.theme = theme;
        self.fleetline
            .settings_apply(settings)
            .await
            .map_err(|problem| refused("setting the theme", problem))?;
        Ok(())
    }

    /// Waits until the fleet is listed and the window shows it, and returns the node to work on.
    async fn fleet(&mut self) -> Result<NodeRow, SmokeError> {
        let fleetline = self.fleetline.clone();
        self.until("listing the fleet", async move || {
            let fleet = fleetline.app_snapshot().await.ok()?.fleet;
            (fleet.total > 0 && !fleet.refreshing).then_some(Ok(()))
        })
        .await?;
        let first = self.rows("").await?.into_iter().next().ok_or(SmokeError::NoNode)?;
        self.shown("showing the fleet", &contains_text(&first.name)).await?;
        let named = self.rows(NODE).await?;
        let linux = self.rows("platform:linux").await?;
        let fit = |row: &NodeRow| row.platform == PlatformFamily::Linux && row.readiness == Readiness::Ready;
        named.into_iter().chain(linux).find(fit).ok_or(SmokeError::NoNode)
    }

    /// The first rows that match, by name.
    async fn rows(&self, text: &str) -> Result<Vec<NodeRow>, SmokeError> {
        let doing = "looking for a node";
        let query = FleetQuery { text: text.to_owned(), ..FleetQuery::default() };
        let view =
            self.fleetline.fleet_view_open(query).await.map_err(|problem| refused(doing, problem))?.view;
        let window = self.fleetline.fleet_view_window(view.clone(), 0, 200).await;
        self.fleetline.fleet_view_close(view).await.map_err(|problem| refused(doing, problem))?;
        Ok(window.map_err(|problem| refused(doing, problem))?.rows)
    }

    /// Opens a shell, works in it, and waits until the window has painted the outcome.
    async fn shell(&mut self, node: &NodeRow) -> Result<String, SmokeError> {
        let opened = self.fleetline.shell_open(node.key.clone(), None, None).await;
        let tab = opened.map_err(|problem| refused("opening a shell", problem))?.id;
        let (fleetline, wanted) = (self.fleetline.clone(), tab.clone());
        self.until("connecting", async move || {
            let tabs = fleetline.app_snapshot().await.ok()?.tabs;
            match tabs.into_iter().find(|tab| tab.id == wanted)?.session?.state {
                SessionState::Connected => Some(Ok(())),
                SessionState::Failed { problem } => Some(Err(SmokeError::Ended(problem.message))),
                SessionState::Ended { cause, .. } => Some(Err(SmokeError::Ended(cause))),
                SessionState::Connecting { .. } | SessionState::Reconnecting { .. } => None,
            }
        })
        .await?;
        self.shown("showing the terminal", "document.querySelector('canvas') !== null").await?;
        self.painted().await?;
        for line in WORK {
            let typed = self.fleetline.terminal_text(tab.clone(), format!("{line}\r")).await;
            typed.map_err(|problem| refused("typing", problem))?;
        }
        self.text(&tab, PROOF).await?;
        self.painted().await?;
        Ok(tab)
    }

    /// Waits until the visible rows of a terminal contain a text.
    async fn text(&self, tab: &str, text: &str) -> Result<(), SmokeError> {
        let begun = Instant::now();
        loop {
            let rows = self.fleetline.terminal_mirror(tab.to_owned()).await;
            let rows = rows.map_err(|problem| refused("reading the terminal", problem))?;
            if rows.iter().any(|row| row.contains(text)) {
                return Ok(());
            }
            if begun.elapsed() > STEP_LIMIT {
                return Err(SmokeError::TooLong("the output of a command"));
            }
            sleep(GLANCE).await;
        }
    }

    /// Asks `found` now and after each event of the application, until it has an answer.
    async fn until<T>(
        &mut self,
        what: &'static str,
        found: impl AsyncFn() -> Option<Result<T, SmokeError>>,
    ) -> Result<T, SmokeError> {
        let looking = async {
            loop {
                self.changes.mark_unchanged();
                if let Some(answer) = found().await {
                    return answer;
                }
                if self.changes.changed().await.is_err() {
                    return Err(SmokeError::NoWindow);
                }
            }
        };
        timeout(STEP_LIMIT, looking).await.unwrap_or(Err(SmokeError::TooLong(what)))
    }

    /// Waits until an expression of JavaScript is true in the window.
    async fn shown(&self, what: &'static str, expression: &str) -> Result<(), SmokeError> {
        let begun = Instant::now();
        while !self.is_true(expression).await? {
            if begun.elapsed() > STEP_LIMIT {
                return Err(SmokeError::TooLong(what));
            }
            sleep(GLANCE).await;
        }
        Ok(())
    }

    /// Waits until the window has painted twice: once what was under way, once what has arrived since.
    async fn painted(&self) -> Result<(), SmokeError> {
        let count = "window.fleetlinePainted = 0; requestAnimationFrame(() => requestAnimationFrame(() => \
                     requestAnimationFrame(() => { window.fleetlinePainted = 1; }))); true";
        self.is_true(count).await?;
        self.shown("painting", "window.fleetlinePainted === 1").await
    }

    async fn is_true(&self, expression: &str) -> Result<bool, SmokeError> {
        let window = self.app.get_webview_window(window::MAIN).ok_or(SmokeError::NoWindow)?;
        let (tell, mut told) = watch::channel(String::new());
        let asked = window.eval_with_callback(expression, move |answer| drop(tell.send(answer)));
        asked.map_err(|_| SmokeError::NoWindow)?;
        timeout(STEP_LIMIT, told.changed())
            .await
            .map_err(|_| SmokeError::TooLong("an answer of the window"))?
            .map_err(|_| SmokeError::NoWindow)?;
        Ok(*told.borrow() == "true")
    }

    /// Says that a step is ready and waits until the watcher is done with it.
    async fn step(&self, name: &str) -> Result<(), SmokeError> {
        fs::write(self.steps.join(format!("{name}.ready")), "")?;
        self.file(&self.steps.join(format!("{name}.done"))).await
    }

    async fn file(&self, path: &Path) -> Result<(), SmokeError> {
        let begun = Instant::now();
        while !path.exists() {
            if begun.elapsed() > STEP_LIMIT {
                return Err(SmokeError::TooLong("the watcher"));
            }
            sleep(GLANCE).await;
        }
        Ok(())
    }
}

fn refused(doing: &'static str, problem: CommandError) -> SmokeError {
    SmokeError::Refused { doing, problem }
}

/// JavaScript for "the page shows this text".
fn contains_text(text: &str) -> String {
    format!("document.body.innerText.includes({})", serde_json::Value::from(text))
}
