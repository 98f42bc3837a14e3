//! Secrets and recordings: where they are kept, a shell recorded by key, and its replay.

use std::path::Path;

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::lab::{Lab, choose_every_account};
use crate::page::{Page, keys};
use crate::shell::open_shell;

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_is_recorded_and_replayed_in_the_real_window() -> Result<()> {
    let Some(lab) = Lab::open().await? else { return Ok(()) };
    let passphrase = lab.home().with_file_name("passphrase");
    std::fs::write(&passphrase, "correct horse\n")?;
    std::fs::set_permissions(&passphrase, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    lab.run("recordings", async |page| {
        choose_every_account(page, &lab.simulator).await?;
        page.text_until("[data-testid=count-total]", |text| text.contains("1,284")).await?;
        refused_without_a_key(page).await?;
        keep_by_passphrase(page, &passphrase).await?;
        record(page).await?;
        replay(page).await?;
        remove(page).await
    })
    .await?;
    lab.close().await;
    Ok(())
}

async fn in_front(page: &Page<'_>, testid: &str) -> Result<()> {
    page.click(&format!("[data-testid=rail-{testid}]")).await
}

/// Nothing on the bus of the test keeps secrets, so the row says what is missing and a recording is refused.
async fn refused_without_a_key(page: &Page<'_>) -> Result<()> {
    in_front(page, "settings").await?;
    page.element("[data-testid=secrets]:not([data-state=looking]):not([data-state=ready])").await?;
    page.element("[data-testid=secrets-again], [data-testid=secrets-unlock]").await?;
    picture(page, "secrets-absent").await?;
    in_front(page, "fleet").await?;
    let tab = open_shell(page, "pay-api-03").await?;
    page.row_until(&tab, "a prompt", |row| row.ends_with('$')).await?;
    press_record(page).await?;
    page.until("the refusal", async |page| {
        let text = page.text("body").await?;
        Ok(text.contains("Recordings need a key that is kept").then_some(()))
    })
    .await?;
    ensure!(page.0.find("[data-testid=recording-mark]").await?.is_none(), "nothing is recorded");
    page.call("tab_close", json!({ "tab": tab })).await?;
    Ok(())
}

async fn keep_by_passphrase(page: &Page<'_>, passphrase: &Path) -> Result<()> {
    in_front(page, "settings").await?;
    page.element("[data-testid=secrets]:not([data-state=looking])").await?;
    let choice = "const [done] = arguments;\
        [...document.querySelectorAll('[role=radio]')].find((one) => one.innerText === 'Passphrase file').click(); done(true);";
    page.0.execute(choice, &[]).await?;
    let field = page.element("[data-testid=passphrase-file]").await?;
    field.type_keys(&format!("{}{}", passphrase.display(), keys::TAB)).await?;
    page.element("[data-testid=secrets][data-state=ready]").await?;
    picture(page, "secrets-ready").await
}

async fn press_record(page: &Page<'_>) -> Result<()> {
    let chord = format!("{}\u{e008}r{}", keys::CONTROL, keys::RELEASE);
    page.element("[data-terminal-input]").await?.type_keys(&chord).await
}

async fn record(page: &Page<'_>) -> Result<()> {
    in_front(page, "fleet").await?;
    let tab = open_shell(page, "pay-api-03").await?;
    page.row_until(&tab, "a prompt", |row| row.ends_with('$')).await?;
    press_record(page).await?;
    page.element("[data-testid=recording-mark]").await?;
    page.element("[data-testid=tab-recording]").await?;
    let line = "printf '\\033[1;32mgreen\\033[0m '; echo rec''orded\u{e007}";
    page.element("[data-terminal-input]").await?.type_keys(line).await?;
    page.row_until(&tab, "its output", |row| row == "green recorded").await?;
    picture(page, "recording").await?;
    press_record(page).await?;
    let script =
        "const [done] = arguments; done(document.querySelector('[data-testid=recording-mark]') === null);";
    page.until("no mark", async |page| Ok((page.0.execute(script, &[]).await? == json!(true)).then_some(())))
        .await?;
    page.call("tab_close", json!({ "tab": tab })).await?;
    Ok(())
}

async fn replay(page: &Page<'_>) -> Result<()> {
    // By the palette, as there is no place for it in the rail.
    page.element("body").await?.type_keys(&format!("{}k{}", keys::CONTROL, keys::RELEASE)).await?;
    page.type_keys("recordings").await?;
    page.text_until("[data-testid=palette-entry]", |text| text.contains("Recordings")).await?;
    page.type_keys(keys::ENTER).await?;
    page.element("[data-testid=recording]").await?;
    picture(page, "recordings").await?;
    page.click("[data-testid=recording-play]").await?;
    page.element("[data-testid=replay]").await?;
    page.element("[data-testid=replay][data-playing=false]").await?;
    let tab = page
        .until("the tab of the replay", async |page| {
            let snapshot = page.call("app_snapshot", json!({})).await?;
            Ok(snapshot["activeTab"].as_str().map(str::to_owned))
        })
        .await?;
    page.row_until(&tab, "what was printed", |row| row.contains("green recorded")).await?;
    picture(page, "replay").await?;
    // Back to the beginning by a key, and on from there.
    page.element("[data-terminal-input]").await?.type_keys("0").await?;
    page.text_until("[data-testid=replay-position]", |text| text == "0:00").await?;
    page.element("[data-terminal-input]").await?.type_keys(" ").await?;
    page.row_until(&tab, "what was printed, again", |row| row.contains("green recorded")).await?;
    // Found as in any terminal.
    let chord = format!("{}\u{e008}f{}", keys::CONTROL, keys::RELEASE);
    page.element("[data-terminal-input]").await?.type_keys(&chord).await?;
    page.type_keys("recorded").await?;
    page.text_until("[data-testid=find-count]", |text| text.contains("of")).await?;
    page.call("tab_close", json!({ "tab": tab })).await?;
    Ok(())
}

async fn remove(page: &Page<'_>) -> Result<()> {
    page.click("[data-testid=tab][data-tab=recordings]").await?;
    page.click("[data-testid=recording-delete]").await?;
    page.click("[data-testid=confirm]").await?;
    page.element("[data-testid=recordings-empty]").await?;
    Ok(())
}

/// Keeps what the window shows beside the build, in both themes.
async fn picture(page: &Page<'_>, name: &str) -> Result<()> {
    let mut settings = page.call("app_snapshot", json!({})).await?["settings"].take();
    for theme in ["light", "dark"] {
        settings["theme"] = json!(theme);
        page.call("settings_apply", json!({ "settings": settings })).await?;
        page.element(&format!("html[data-theme={theme}]")).await?;
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("window-{name}-{theme}.png"));
        std::fs::write(path, STANDARD.decode(page.0.screenshot().await?)?)?;
    }
    Ok(())
}
