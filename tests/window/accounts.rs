//! Signing in and giving codes in the real window, with a headless Chromium as the browser of the system.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use fleetline_simulator::{SignInAnswer, Simulator, SimulatorConfig};
use serde_json::json;

use crate::bus::Bus;
use crate::driver::{Setup, Window};
use crate::lab::keep_picture;
use crate::page::Page;

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_and_codes_work_in_the_real_window() -> Result<()> {
    let Some(setup) = Setup::from_environment() else {
        println!("skipped: FLEETLINE_WINDOW_DRIVER, FLEETLINE_WINDOW_APP and DISPLAY are not all set");
        return Ok(());
    };
    let Some(browser) = browser() else {
        println!("skipped: no Chromium is installed");
        return Ok(());
    };
    let place = tempfile::tempdir()?;
    let config = SimulatorConfig { demo_denials: false, nodes: 120, ..SimulatorConfig::default() };
    let simulator = Simulator::start(config).await?;
    let file = place.path().join("config");
    std::fs::write(&file, aws_config(&simulator))?;
    let path = path_with_browser(place.path(), browser)?;
    let (endpoint, nothing) = (simulator.endpoint(), place.path().join("nothing"));
    let environment = [
        ("AWS_CONFIG_FILE", file.as_path()),
        ("AWS_SHARED_CREDENTIALS_FILE", nothing.as_path()),
        ("AWS_ENDPOINT_URL", Path::new(&endpoint)),
        ("HOME", place.path()),
        ("PATH", Path::new(&path)),
    ];
    let bus = Bus::start()?;
    let window = Window::open(&setup, &bus, &place.path().join("fleetline"), &environment).await?;
    if let Err(error) = work(&Page(&window.session), &simulator).await {
        let picture = keep_picture(&window, "accounts").await?;
        return Err(error.context(format!("the window as it was: {}", picture.display())));
    }
    window.session.close().await?;
    drop(window);
    simulator.shutdown().await;
    Ok(())
}

async fn work(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    page.element("[data-testid=first-run]").await?;
    refusals(page, simulator).await?;
    every_role_of_a_sign_in(page, simulator).await?;
    device_code(page, simulator).await?;
    codes(page, simulator).await
}

/// A person who says no, a page that sends another state, and a sign-in that is given up.
async fn refusals(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    let control = simulator.control();
    control.answer_sign_ins(SignInAnswer::Denies);
    page.click("[data-testid=start-sign-in][data-label=fleet]").await?;
    page.text_until("[data-testid=sign-in-flow][data-step=failed]", |text| text.contains("refused")).await?;
    page.pictures("accounts-first-run-refused").await?;
    control.answer_sign_ins(SignInAnswer::WrongState);
    let before = calls(simulator, "Authorize");
    page.click("[data-testid=sign-in-again]").await?;
    page.until("the browser opened the page", async |_| {
        Ok((calls(simulator, "Authorize") > before).then_some(()))
    })
    .await?;
    page.element("[data-testid=sign-in-flow][data-step=waiting]").await?;
    page.click("[data-testid=sign-in-cancel]").await?;
    ensure!(calls(simulator, "CreateToken") == 0, "no code was redeemed");
    Ok(())
}

/// A sign-in by its start URL; all it opens is added at once.
async fn every_role_of_a_sign_in(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    simulator.control().answer_sign_ins(SignInAnswer::Allows);
    page.element("[data-testid=start-url]").await?.type_keys("https://corp.awsapps.com/start").await?;
    page.element("[data-testid=sso-region]").await?.type_keys("eu-central-1").await?;
    page.click("[data-testid=begin-sign-in]").await?;
    page.click("[data-testid=choose-all-roles]").await?;
    page.pictures("accounts-roles").await?;
    page.click("[data-testid=add-roles]").await?;
    page.text_until("[data-testid=count-total]", |text| !text.trim_start().starts_with('0')).await?;
    page.click("[data-testid=rail-accounts]").await?;
    let own = simulator.accounts().len();
    page.until("every account is ready", async |page| {
        let snapshot = page.call("app_snapshot", json!({})).await?;
        let rows = snapshot["accounts"]["rows"].as_array().context("no rows")?;
        let ready = rows.iter().filter(|row| row["own"] == true && row["state"]["state"] == "ready");
        Ok((ready.filter(|row| row["arn"].is_string()).count() == own).then_some(()))
    })
    .await
}

/// A device code that must slow down and runs out, then one that is confirmed.
async fn device_code(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    let control = simulator.control();
    control.answer_sign_ins(SignInAnswer::Asks);
    control.slow_sign_ins_down(1);
    page.call("sign_in", json!({ "name": "fleet", "method": "device" })).await?;
    let code = page.text_until("[data-testid=user-code]", |text| text.contains('-')).await?;
    ensure!(code.len() == 9, "{code}");
    page.pictures("accounts-device-code").await?;
    control.expire_sign_ins();
    page.text_until("[data-testid=sign-in-flow][data-step=failed]", |text| text.contains("expired")).await?;
    control.answer_sign_ins(SignInAnswer::Allows);
    page.click("[data-testid=sign-in-again]").await?;
    page.element("[data-testid=sign-in][data-label=fleet][data-state=ready]").await.map(drop)
}

/// A source with MFA: a wrong code is explained, the right one lists its nodes.
async fn codes(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    // The accounts of the sign-in may be offered meanwhile.
    if page.0.find("[data-testid=roles-dialog]").await?.is_some() {
        page.type_keys("\u{e00c}").await?;
    }
    page.click("[data-testid=account][data-source=core] [data-testid=account-step]").await?;
    page.element("[data-testid=mfa-dialog]").await?;
    let first = simulator.accounts().remove(0).name;
    let right = simulator.control().mfa_code(&first)?.context("a code is left")?;
    let wrong = if right == "000000" { "111111" } else { "000000" };
    page.element("[data-testid=mfa-code]").await?.type_keys(wrong).await?;
    page.text_until("[data-testid=mfa-refused]", |text| text.contains("AWS refused")).await?;
    page.pictures("accounts-mfa-refused").await?;
    page.element("[data-testid=mfa-code]").await?.type_keys(&right).await?;
    page.element("[data-testid=account][data-source=core][data-state=ready]").await?;
    page.until("the question is gone", async |page| {
        Ok(page.0.find("[data-testid=mfa-dialog]").await?.is_none().then_some(()))
    })
    .await?;
    page.pictures("accounts-accounts").await
}

fn calls(simulator: &Simulator, operation: &str) -> u64 {
    simulator.control().calls().get(operation).copied().unwrap_or(0)
}

/// One sign-in, a profile on it, a user's keys, and a role with MFA through them.
fn aws_config(simulator: &Simulator) -> String {
    let accounts = simulator.accounts();
    let role = |index: usize| accounts[index].caller_arn.split('/').nth(1).unwrap_or_default().to_owned();
    let user = &accounts[0].user;
    format!(
        "[sso-session fleet]\nsso_region = eu-central-1\nsso_start_url = https://fleet.awsapps.com/start\n\
         [profile sso]\nregion = eu-central-1\nsso_session = fleet\nsso_account_id = {}\nsso_role_name = {}\n\
         [profile user]\nregion = eu-central-1\naws_access_key_id = {}\naws_secret_access_key = {}\n\
         [profile core]\nregion = eu-central-1\nrole_arn = arn:aws:iam::{}:role/{}\nsource_profile = user\n\
         mfa_serial = {}\n",
        accounts[0].account_id,
        role(0),
        user.access_key_id,
        user.secret_access_key,
        accounts[1].account_id,
        role(1),
        user.mfa_serial
    )
}

fn browser() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        let asked = Command::new(name).arg("--version").output();
        asked.is_ok_and(|output| output.status.success())
    })
}

/// A `PATH` whose `xdg-open` opens pages in a headless browser. It asks no keyring for the key of its cookies: the bus of the
/// window has none, and it would wait.
fn path_with_browser(place: &Path, browser: &str) -> Result<String> {
    let directory: PathBuf = place.join("bin");
    std::fs::create_dir_all(&directory)?;
    let script = format!(
        "#!/bin/sh\nexec timeout 60 {browser} --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
         --disable-background-networking --no-first-run --no-proxy-server --password-store=basic \
         --user-data-dir=\"$(mktemp -d '{}/browser-XXXXXX')\" --dump-dom \"$1\" >/dev/null 2>&1\n",
        place.display()
    );
    let file = directory.join("xdg-open");
    std::fs::write(&file, script)?;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755))?;
    Ok(format!("{}:{}", directory.display(), std::env::var("PATH").unwrap_or_default()))
}
