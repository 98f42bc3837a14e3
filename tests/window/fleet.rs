//! Saved views, favourites and the list itself over a restart of the real window.

use anyhow::{Context as _, Result, ensure};
use fleetline_simulator::{Calls, Condition, DenyReason, DenyRule, Simulator, SimulatorConfig};
use serde_json::json;

use crate::bus::Bus;
use crate::driver::{Setup, Window};
use crate::lab::{choose_every_account, keep_picture};
use crate::page::Page;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "not passed yet in the real window"]
async fn views_and_the_list_outlive_a_restart_in_the_real_window() -> Result<()> {
    let Some(setup) = Setup::from_environment() else {
        println!("skipped: FLEETLINE_WINDOW_DRIVER, FLEETLINE_WINDOW_APP and DISPLAY are not all set");
        return Ok(());
    };
    let place = tempfile::tempdir()?;
    let simulator =
        Simulator::start(SimulatorConfig { demo_denials: false, ..SimulatorConfig::default() }).await?;
    let denied = simulator.accounts().into_iter().find(|account| account.name == "payments-prod");
    simulator.control().deny(DenyRule {
        action: "ssm:DescribeInstance*".to_owned(),
        resource: format!("arn:aws:ssm:us-west-2:{}:*", denied.context("no such account")?.account_id),
        reason: DenyReason::ServiceControlPolicy,
    });
    let (config, credentials) = simulator.write_aws_config(&place.path().join("aws"))?;
    let aws = [("AWS_CONFIG_FILE", config.as_path()), ("AWS_SHARED_CREDENTIALS_FILE", credentials.as_path())];
    let home = place.path().join("home");
    let bus = Bus::start()?;

    let window = Window::open(&setup, &bus, &home, &aws).await?;
    let page = Page(&window.session);
    let kept = async {
        choose_every_account(&page, &simulator).await?;
        listed(&page).await?;
        denied_is_named_and_tried_again(&page, &simulator).await?;
        keep_a_view(&page).await
    };
    let node = match kept.await {
        Ok(node) => node,
        Err(error) => return Err(error.context(keep_picture(&window, "fleet").await?.display().to_string())),
    };
    window.session.close().await?;
    drop(window);

    // Nothing of AWS answers in time now: what is shown comes from disk.
    let slow =
        Condition::Slow { before: std::time::Duration::from_secs(600), after: std::time::Duration::ZERO };
    simulator.control().impose(Calls::all(), slow);
    let window = Window::open(&setup, &bus, &home, &aws).await?;
    let page = Page(&window.session);
    let seen = async {
        see_it_again(&page, &node).await?;
        simulator.control().clear_conditions();
        // The calls that hang are given up with the refresh.
        page.click("[data-testid=refresh]").await?;
        page.click("[data-testid=refresh]").await?;
        listed(&page).await?;
        page.until("the stale mark goes", async |page| {
            Ok(page.0.find("[data-testid=stale-bar]").await?.is_none().then_some(()))
        })
        .await
    };
    if let Err(error) = seen.await {
        return Err(error.context(keep_picture(&window, "fleet").await?.display().to_string()));
    }
    window.session.close().await?;
    drop(window);
    simulator.shutdown().await;
    Ok(())
}

/// Waits until the refresh has ended.
async fn listed(page: &Page<'_>) -> Result<()> {
    page.until("the fleet is listed", async |page| {
        let snapshot = page.call("app_snapshot", json!({})).await?;
        let fleet = &snapshot["fleet"];
        let done =
            fleet["refreshing"] == false && fleet["total"].as_u64() > Some(1_000) && fleet["stale"] == 0;
        Ok(done.then_some(()))
    })
    .await
}

/// The Region that is denied is named with its cause, and is listed by its own button once it is allowed.
async fn denied_is_named_and_tried_again(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    page.text_until("[data-testid=scope]", |text| text.contains("denied")).await?;
    page.click("[data-testid=scope]").await?;
    let retry = "[data-testid='retry-payments-prod-us-west-2']";
    page.element(retry).await?;
    simulator.control().allow_everything();
    page.click(retry).await?;
    page.text_until("[data-testid=scope]", |text| !text.contains("denied")).await?;
    page.click("[data-testid=scope]").await?;
    listed(page).await
}

/// Filters, sorts, saves that as a view, and marks the first node. Returns its key.
async fn keep_a_view(page: &Page<'_>) -> Result<String> {
    page.click("[data-testid=query-input]").await?;
    page.type_keys("platform:windows ").await?;
    page.text_until("[data-testid=result-count]", |text| text.contains("match")).await?;
    page.click("[data-testid=sort-agent]").await?;
    page.click("[data-testid=view-save]").await?;
    page.element("[data-testid=name-input]").await?.type_keys("Windows by agent\u{e007}").await?;
    page.text_until("[data-testid=view-menu]", |text| text.contains("Windows by agent")).await?;
    page.click("[data-testid=node-row]").await?;
    page.click("[data-testid=inspector-star]").await?;
    page.until("the node is a favourite", async |page| {
        let snapshot = page.call("app_snapshot", json!({})).await?;
        Ok((snapshot["book"]["favourites"] == 1).then_some(()))
    })
    .await?;
    first_row(page).await
}

/// The view is open, its rows are there and grey, the bar says how old they are.
async fn see_it_again(page: &Page<'_>, node: &str) -> Result<()> {
    page.text_until("[data-testid=view-menu]", |text| text.contains("Windows by agent")).await?;
    page.element("[data-testid=stale-bar]").await?;
    page.element(".gr.stale[data-testid=node-row]").await?;
    ensure!(first_row(page).await? == node, "the view has another order than before");
    let script = "const probe = document.createElement('i');\
        probe.style.color = 'var(--off)';\
        document.body.append(probe);\
        const colours = [document.querySelector('.gr.stale .st'), probe].map((one) => getComputedStyle(one).color);\
        probe.remove();\
        arguments[arguments.length - 1](colours);";
    let colours = page.0.execute(script, &[]).await?;
    ensure!(colours[0] == colours[1] && colours[0].is_string(), "a stale status is not grey: {colours}");
    page.click("[data-testid=query-input]").await?;
    page.type_keys("is:favourite ").await?;
    page.text_until("[data-testid=result-count]", |text| text.starts_with("1 ")).await?;
    page.element("[data-testid=view-update]").await?;
    ensure!(first_row(page).await? == node, "the favourite is another node");
    Ok(())
}

async fn first_row(page: &Page<'_>) -> Result<String> {
    let script = "arguments[arguments.length - 1](document.querySelector('[data-testid=node-row][data-index=\"0\"]').dataset.nodeKey);";
    let key = page.0.execute(script, &[]).await?;
    Ok(key.as_str().unwrap_or_default().to_owned())
}
