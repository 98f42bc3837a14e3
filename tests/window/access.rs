//! The way to nodes in the real window: a tier that is reviewed and changed until its nodes take sessions, and a refusal
//! whose panel stays until the policy is mended.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use fleetline_simulator::{AccountPolicies, Simulator};
use serde_json::{Value, json};

use crate::lab::{Lab, choose_every_account};
use crate::page::Page;
use crate::shell::{open_shell, tab_row};

/// Enter, as WebDriver spells it.
const ENTER: &str = "\u{e007}";
/// Escape and F5.
const ESCAPE: &str = "\u{e00c}";
const F5: &str = "\u{e035}";

/// A hybrid node of the account-Region that is on the standard tier from the start.
const BLOCKED: &str = "lej-hmi-01";

/// What listing needs, and nothing that starts a session.
const LISTING: &str = r#"{ "Statement": { "Effect": "Allow", "Action": ["ssm:Describe*", "ssm:Get*", "ec2:Describe*"], "Resource": "*" } }"#;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "not passed yet in the real window"]
async fn a_tier_is_changed_and_a_refusal_is_mended_in_the_real_window() -> Result<()> {
    let Some(lab) = Lab::open().await? else { return Ok(()) };
    lab.run("access", async |page| work(page, &lab.simulator).await).await?;
    lab.close().await;
    Ok(())
}

async fn work(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    choose_every_account(page, simulator).await?;
    page.text_until("[data-testid=count-total]", |text| text.contains("1,284")).await?;
    change_the_tier(page).await?;
    let tab = open_shell(page, BLOCKED).await?;
    page.row_until(&tab, "a prompt on a node that was blocked", |row| row.ends_with('$')).await?;
    page.call("tab_close", json!({ "tab": tab })).await?;
    mend_a_refusal(page, simulator).await
}

/// Banner, review, change, progress, end: by the keyboard alone.
async fn change_the_tier(page: &Page<'_>) -> Result<()> {
    let banner = page.text("[data-testid=tier-banner]").await?;
    ensure!(banner.contains("11 hybrid nodes in plants-eu · eu-central-1"), "{banner}");
    page.element("[data-testid=tier-review]").await?.type_keys(ENTER).await?;
    let command = page.text_until("[data-testid=tier-command]", |text| !text.is_empty()).await?;
    ensure!(
        command == "fleetline tier set advanced --source plants-eu --region eu-central-1 --yes",
        "{command}"
    );
    let dialog = page.text("[data-testid=tier-dialog]").await?;
    for fact in [
        "11 hybrid nodes",
        "USD 0.07645 an hour",
        "USD 55.81",
        "30 minutes or more",
        "ssm:UpdateServiceSetting",
    ] {
        ensure!(dialog.contains(fact), "{fact} is missing in: {dialog}");
    }
    both_themes(page, "tier-review").await?;
    page.element("[data-testid=tier-change]").await?.type_keys(ENTER).await?;
    page.element("[data-testid=tier-changing]").await?;
    picture(page, "tier-changing").await?;
    page.element("[data-testid=tier-settled]").await?;
    picture(page, "tier-settled").await?;
    page.type_keys(ESCAPE).await?;
    page.until("the banner is gone", async |page| {
        Ok(page.0.find("[data-testid=tier-banner]").await?.is_none().then_some(()))
    })
    .await
}

async fn mend_a_refusal(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    let control = simulator.control();
    let node = control.node("pay-api-03").context("the demo has this node")?;
    let policies = AccountPolicies::none().with_identity(LISTING)?;
    control.set_policies(&node.account, Some(policies.clone()))?;
    page.call("tab_activate", json!({ "tab": "fleet" })).await?;
    let tab = open_shell(page, "pay-api-03").await?;
    let sentence = page.text("[data-testid=denied-sentence]").await?;
    ensure!(
        sentence.ends_with("may not start a session on pay-api-03, because no identity policy allows it."),
        "{sentence}"
    );
    ensure!(
        page.0.find("[data-terminal-input]").await?.is_none(),
        "the panel stands in place of the terminal"
    );
    both_themes(page, "denied").await?;
    page.0.set_size(1024, 700).await?;
    picture(page, "denied-small").await?;

    // Asked again without a change, the panel stays.
    let before = tab_row(page, &tab).await?["session"]["denied"]["checkedMs"].clone();
    page.type_keys(F5).await?;
    let again: Value = page
        .until("asked again", async |page| {
            let row = tab_row(page, &tab).await?;
            let denied = &row["session"]["denied"];
            Ok((denied["checkedMs"] != before && row["session"]["state"]["state"] == "failed")
                .then(|| denied.clone()))
        })
        .await?;
    ensure!(again["firstGone"] == false, "{again}");
    let statement = page.text("[data-testid=statement]").await?;
    control.set_policies(&node.account, Some(policies.with_identity(&statement)?))?;
    page.element("[data-testid=check-again]").await?.type_keys(F5).await?;
    page.row_until(&tab, "a prompt", |row| row.ends_with('$')).await?;
    ensure!(page.0.find("[data-testid=denied-panel]").await?.is_none(), "the panel is gone");
    picture(page, "denied-mended").await
}

/// Takes the picture in both themes.
async fn both_themes(page: &Page<'_>, name: &str) -> Result<()> {
    for theme in ["light", "dark"] {
        let mut settings = page.call("app_snapshot", json!({})).await?["settings"].take();
        settings["theme"] = json!(theme);
        page.call("settings_apply", json!({ "settings": settings })).await?;
        page.element(&format!(":root[data-theme={theme}]")).await?;
        picture(page, &format!("{name}-{theme}")).await?;
    }
    Ok(())
}

/// Writes what the window shows beside the build, as base64.
async fn picture(page: &Page<'_>, name: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("access-{name}.png.base64"));
    std::fs::write(path, page.0.screenshot().await?)?;
    Ok(())
}
