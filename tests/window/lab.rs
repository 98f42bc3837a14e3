//! What every test stands on: a simulated fleet, a home for the app, and windows one after the other.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fleetline_simulator::{Simulator, SimulatorConfig};
use tempfile::TempDir;

use crate::bus::Bus;
use crate::driver::{Setup, Window};
use crate::notifier::Tray;
use crate::page::Page;

/// A simulated fleet where nothing is denied, and the files of one user who has it in the AWS configuration.
pub(crate) struct Lab {
    pub(crate) simulator: Simulator,
    setup: Setup,
    place: TempDir,
    config: PathBuf,
    credentials: PathBuf,
}

impl Lab {
    /// `None`, with a word to whoever reads the output, where no window can be shown.
    pub(crate) async fn open() -> Result<Option<Self>> {
        Self::with(SimulatorConfig { demo_denials: false, ..SimulatorConfig::default() }).await
    }

    /// As [`open`](Self::open), over a fleet of one's own.
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    pub(crate) async fn with(config: SimulatorConfig) -> Result<Option<Self>> {
        let Some(setup) = Setup::from_environment() else {
            println!("skipped: FLEETLINE_WINDOW_DRIVER, FLEETLINE_WINDOW_APP and DISPLAY are not all set");
            return Ok(None);
        };
        let place = tempfile::tempdir()?;
        let simulator = Simulator::start(config).await?;
        let (config, credentials) = simulator.write_aws_config(&place.path().join("aws"))?;
        Ok(Some(Self { simulator, setup, place, config, credentials }))
    }

    /// Where the app keeps its files, over all runs.
    pub(crate) fn home(&self) -> PathBuf {
        self.place.path().join("home")
    }

    /// Adds a profile with keys that AWS never gave out.
    pub(crate) fn add_unknown_keys(&self, name: &str) -> Result<()> {
        let append = |path: &Path, text: String| -> Result<()> {
            Ok(std::fs::write(path, std::fs::read_to_string(path)? + &text)?)
        };
        let endpoint = self.simulator.endpoint();
        append(
            &self.config,
            format!("[profile {name}]\nregion = eu-central-1\nendpoint_url = {endpoint}\n"),
        )?;
        append(
            &self.credentials,
            format!(
                "[{name}]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {}\n",
                "x".repeat(40)
            ),
        )
    }

    /// Starts the app, does `work` in its window, and closes it. When the work fails, the window is pictured as it was.
    pub(crate) async fn run(
        &self,
        name: &str,
        work: impl AsyncFnOnce(&Page<'_>) -> Result<()>,
    ) -> Result<()> {
        self.run_on(&Bus::start()?, name, work).await
    }

    /// As [`run`](Self::run), on a desktop that shows the app's tray icon.
    pub(crate) async fn run_with_tray(
        &self,
        name: &str,
        work: impl AsyncFnOnce(&Page<'_>, &Tray) -> Result<()>,
    ) -> Result<()> {
        let bus = Bus::start()?;
        let tray = Tray::offer(&bus).await?;
        self.run_on(&bus, name, async |page| work(page, &tray).await).await
    }

    async fn run_on(
        &self,
        bus: &Bus,
        name: &str,
        work: impl AsyncFnOnce(&Page<'_>) -> Result<()>,
    ) -> Result<()> {
        let aws = [
            ("AWS_CONFIG_FILE", self.config.as_path()),
            ("AWS_SHARED_CREDENTIALS_FILE", self.credentials.as_path()),
        ];
        let window = Window::open(&self.setup, bus, &self.home(), &aws).await?;
        if let Err(error) = work(&Page(&window.session)).await {
            let picture = keep_picture(&window, name).await?;
            return Err(error.context(format!("the window as it was: {}", picture.display())));
        }
        window.session.close().await
    }

    pub(crate) async fn close(self) {
        self.simulator.shutdown().await;
    }
}

/// Chooses everything on the first-run page.
pub(crate) async fn choose_every_account(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    choose_accounts(page, simulator, |_| true).await
}

/// Chooses accounts by their names, and every Region any account uses.
pub(crate) async fn choose_accounts(
    page: &Page<'_>,
    simulator: &Simulator,
    wanted: impl Fn(&str) -> bool,
) -> Result<()> {
    page.element("[data-testid=first-run]").await?;
    let mut regions = std::collections::BTreeSet::new();
    for account in simulator.accounts() {
        if wanted(&account.name) {
            page.click(&format!("[data-testid=source][data-source='{}']", account.name)).await?;
        }
        regions.extend(account.regions);
    }
    let field = page.element("[data-testid=regions]").await?;
    field.type_keys(&regions.into_iter().collect::<Vec<_>>().join(" ")).await?;
    page.click("[data-testid=start-aws]").await
}

/// Writes what the window shows beside the build.
pub(crate) async fn keep_picture(window: &Window, name: &str) -> Result<PathBuf> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("window-{name}-failed.png"));
    let picture = STANDARD.decode(window.session.screenshot().await?).context("the picture is no base64")?;
    std::fs::write(&path, picture)?;
    Ok(path)
}
