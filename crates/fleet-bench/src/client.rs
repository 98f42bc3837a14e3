//! The application in a process of its own, without a window.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use fleetline_app::deep_link::Opener;
use fleetline_app::tray::Menu;
use fleetline_app::{
    AppHandle, Backend, BoxFuture, Launcher, Notification, Ports, SourceInfo, Sources as _, StartOptions,
    Store, Ui, UiError, start,
};
use fleetline_aws::AwsSources;
use fleetline_ipc::CommandError;
use fleetline_ipc::event::{AppEvent, Change};
use fleetline_ipc::fleet::{FleetQuery, FleetSummary, ListingState, SortColumn};
use fleetline_ipc::system::StartChoice;
use fleetline_store::Paths;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::{process, tell};

/// Longest wait for a refresh.
const PATIENCE: Duration = Duration::from_secs(600);
/// Rows of a window, as the interface asks for them.
const WINDOW: u32 = 200;
/// What is typed, letter by letter.
const TYPED: [&str; 6] = [
    "api-1024",
    "tag:env=prod platform:windows -ping:lost",
    "10.42.",
    "agent:<3.2 OR kind:hybrid",
    "state:limited wide-07",
    "\"ip-10-40\" region:us-east-1",
];

/// Options of the word that is the application's process.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the AWS configuration is, and the application's files.
    directory: PathBuf,
    /// Accounts and Regions, as JSON.
    places: String,
}

/// Keeps the last summary.
struct Window(watch::Sender<FleetSummary>);

impl Ui for Window {
    fn emit(&self, event: AppEvent) {
        if let Change::Fleet { summary } = event.change {
            self.0.send_replace(summary);
        }
    }

    fn write_clipboard(&self, _: &str) -> Result<(), UiError> {
        Err(UiError("no clipboard".to_owned()))
    }

    fn read_clipboard(&self) -> Result<String, UiError> {
        Err(UiError("no clipboard".to_owned()))
    }

    fn open_url(&self, _: &str) -> Result<(), UiError> {
        Err(UiError("no browser".to_owned()))
    }

    fn downloads(&self) -> Option<PathBuf> {
        None
    }

    fn show_window(&self) {}

    fn hide_window(&self) {}

    fn set_tray(&self, _: Menu) {}

    fn notify(&self, _: Notification) {}

    fn has_tray(&self) -> bool {
        true
    }

    fn start_at_login(&self, _: bool) -> Result<(), UiError> {
        Ok(())
    }

    fn follow_links(&self, _: bool) -> Result<(), UiError> {
        Ok(())
    }

    fn link_opener(&self) -> Result<Opener, UiError> {
        Ok(Opener::Nobody)
    }

    fn exit(&self) {}
}

struct Start(Arc<AwsSources>);

impl Launcher for Start {
    fn sources(&self) -> Vec<SourceInfo> {
        self.0.list()
    }

    fn launch(&self, _: &StartChoice) -> BoxFuture<'_, Result<Backend, CommandError>> {
        let sources = self.0.clone();
        Box::pin(async move { Ok(Backend::of(sources, Vec::new())) })
    }
}

fn refused(problem: CommandError) -> anyhow::Error {
    anyhow::anyhow!(problem.message)
}

pub(crate) async fn run(options: &Options) -> Result<()> {
    let places: Value = serde_json::from_str(&options.places)?;
    let names = |of: &str| -> Result<Vec<String>> { Ok(serde_json::from_value(places[of].clone())?) };
    let choice = StartChoice::Aws { sources: names("names")?, regions: names("regions")? };
    let told = measure(&options.directory, choice).await?;
    tell(&told).await
}

async fn measure(directory: &Path, choice: StartChoice) -> Result<Value> {
    let sources = AwsSources::from_files(directory.join("config"), Some(directory.join("credentials")));
    let (summaries, mut seen) = watch::channel(FleetSummary::default());
    let before = process::memory("VmRSS").unwrap_or_default();
    let began = Instant::now();
    let app = start(Ports {
        launcher: Arc::new(Start(Arc::new(sources))),
        store: Store::open(Paths::below(&directory.join("home")))?,
        ui: Arc::new(Window(summaries)),
        options: StartOptions { choice: Some(choice), ..StartOptions::default() },
    });
    let mut until =
        async |wanted: &(dyn Fn(&FleetSummary) -> bool + Sync)| -> Result<(Duration, FleetSummary)> {
            let summary = timeout(PATIENCE, seen.wait_for(|summary| wanted(summary))).await??.clone();
            Ok((began.elapsed(), summary))
        };
    let (first, at_first) = until(&|summary| summary.total > 0).await?;
    let view = app.fleet_view_open(FleetQuery::default()).await.map_err(refused)?.view;
    let rows = app.fleet_view_window(view.clone(), 0, 60).await.map_err(refused)?.rows;
    ensure!(!rows.is_empty(), "no rows");
    let painted = began.elapsed();
    let listed_all = |summary: &FleetSummary| {
        !summary.account_regions.is_empty()
            && summary.account_regions.iter().all(|one| {
                matches!(one.state, ListingState::Loaded | ListingState::Denied | ListingState::Failed)
            })
    };
    let (listed, _) = until(&listed_all).await?;
    let (ended, summary) = until(&|summary| listed_all(summary) && !summary.refreshing).await?;
    let cpu = process::cpu().unwrap_or_default();
    let count = |state| summary.account_regions.iter().filter(|one| one.state == state).count();
    let keystrokes = keystrokes(&app, &view).await?;
    let scrolled = scroll(&app, &view).await?;
    let resident = process::memory("VmRSS").unwrap_or_default();
    app.app_quit().await.map_err(refused)?;
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    Ok(json!({
        "first_ms": ms(first),
        "first_total": at_first.total,
        "painted_ms": ms(painted),
        "listed_ms": ms(listed),
        "ended_ms": ms(ended),
        "cpu_ms": ms(cpu),
        "total": summary.total,
        "loaded": count(ListingState::Loaded),
        "denied": count(ListingState::Denied),
        "failed": count(ListingState::Failed),
        "keystrokes_ms": keystrokes,
        "scrolled": scrolled,
        "empty": before,
        "resident": resident,
        "peak": process::memory("VmHWM").unwrap_or_default(),
    }))
}

/// Types letter by letter; each is answered with the count and the rows on screen. Milliseconds of each.
async fn keystrokes(app: &AppHandle, view: &str) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    for text in TYPED {
        for end in text.char_indices().map(|(at, c)| at + c.len_utf8()) {
            let query =
                FleetQuery { text: text[..end].to_owned(), sort: SortColumn::Name, descending: false };
            let began = Instant::now();
            app.fleet_view_query(view.to_owned(), query).await.map_err(refused)?;
            app.fleet_view_window(view.to_owned(), 0, WINDOW).await.map_err(refused)?;
            took.push(began.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Ok(took)
}

/// Scrolls from one end to the other and counts the different rows.
async fn scroll(app: &AppHandle, view: &str) -> Result<Value> {
    let state = app.fleet_view_query(view.to_owned(), FleetQuery::default()).await.map_err(refused)?;
    let mut keys = std::collections::HashSet::new();
    let mut offset = 0;
    while offset < state.matched {
        let rows = app.fleet_view_window(view.to_owned(), offset, WINDOW).await.map_err(refused)?.rows;
        let count =
            u32::try_from(rows.len()).ok().filter(|count| *count > 0).context("a hole in the list")?;
        keys.extend(rows.into_iter().map(|row| row.key));
        offset += count;
    }
    Ok(json!({ "matched": state.matched, "different": keys.len() }))
}
