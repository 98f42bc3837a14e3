//! The way to nodes in the real window: a tier that is reviewed and changed until its nodes take sessions, and a refusal
//! whose panel stays until the policy is mended.

use anyhow::{Context as _, Result, ensure};
use fleetline_simulator::{AccountPolicies, Simulator};
use serde_json::{Value, json};

use crate::lab::{Lab, choose_every_account};
use crate::page::{Page, keys};
use crate::shell::{open_shell, tab_row};

/// A hybrid node of the account-Region that is on the standard tier from the start.
const BLOCKED: &str = "lej-hmi-01";

/// What listing needs, and nothing that starts a session.
const LISTING: &str = r#"{ "Statement": { "Effect": "Allow", "Action": ["ssm:Describe*", "ssm:Get*", "ec2:Describe*"], "Resource": "*" } }"#;

#[tokio::test(flavor = "multi_thread")]
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
    page.element("[data-testid=tier-review]").await?.type_keys(keys::ENTER).await?;
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
    page.pictures("access-tier-review").await?;
    page.element("[data-testid=tier-change]").await?.type_keys(keys::ENTER).await?;
    page.element("[data-testid=tier-changing]").await?;
    page.element("[data-testid=tier-settled]").await?;
    page.pictures("access-tier-settled").await?;
    page.type_keys(keys::ESCAPE).await?;
    page.gone("[data-testid=tier-banner]").await
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
    page.pictures("access-denied").await?;

    // Asked again without a change, the panel stays.
    let before = tab_row(page, &tab).await?["session"]["denied"]["checkedMs"].clone();
    page.type_keys(keys::F5).await?;
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
    page.element("[data-testid=check-again]").await?.type_keys(keys::F5).await?;
    page.row_until(&tab, "a prompt", |row| row.ends_with('$')).await?;
    ensure!(page.0.find("[data-testid=denied-panel]").await?.is_none(), "the panel is gone");
    page.pictures("access-mended").await
}
