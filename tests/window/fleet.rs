//! Saved views, favourites and the list itself over a restart of the real window.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use fleetline_simulator::{Calls, Condition, DenyReason, DenyRule, Simulator};
use serde_json::{Value, json};

use crate::lab::{Lab, choose_accounts};
use crate::page::{Page, keys};

/// The profile whose keys AWS does not know.
const UNKNOWN: &str = "old-admin";

#[tokio::test(flavor = "multi_thread")]
async fn accounts_views_and_the_list_outlive_a_restart_in_the_real_window() -> Result<()> {
    let Some(lab) = Lab::open().await? else { return Ok(()) };
    lab.add_unknown_keys(UNKNOWN)?;
    let control = lab.simulator.control();
    let denied = lab.simulator.accounts().into_iter().find(|account| account.name == "payments-prod");
    control.deny(DenyRule {
        action: "ssm:DescribeInstance*".to_owned(),
        resource: format!("arn:aws:ssm:us-west-2:{}:*", denied.context("no such account")?.account_id),
        reason: DenyReason::ServiceControlPolicy,
    });
    let mut node = String::new();
    lab.run("fleet", async |page| {
        choose_accounts(page, &lab.simulator, |name| name == "payments-prod").await?;
        page.text_until("[data-testid=scope]", |text| text.contains("denied")).await?;
        add_accounts(page).await?;
        listed(page).await?;
        denied_is_named_and_tried_again(page, &lab.simulator).await?;
        node = keep_a_view(page).await?;
        Ok(())
    })
    .await?;
    // Nothing of AWS answers in time now: what is shown comes from disk.
    control.impose(Calls::all(), Condition::Slow { before: Duration::from_secs(600), after: Duration::ZERO });
    lab.run("fleet-again", async |page| {
        see_it_again(page, &node).await?;
        control.clear_conditions();
        // The calls that hang are given up with the refresh.
        page.click("[data-testid=refresh]").await?;
        page.click("[data-testid=refresh]").await?;
        listed(page).await?;
        page.gone("[data-testid=stale-bar]").await
    })
    .await?;
    lab.close().await;
    Ok(())
}

/// Looks at the app's answers as they come, so that each with rows counts the frames until its first row is on
/// the page, unless another answer takes its place.
const COUNT_FRAMES: &str = "const done = arguments[arguments.length - 1];\
    const ask = window.fetch;\
    window.framesOfAnswers = [];\
    let last = 0;\
    const shown = () => document.querySelector('[data-testid=node-row][data-index=\"0\"]')?.dataset.nodeKey;\
    const count = (answer) => {\
      const first = answer.offset === 0 ? answer.rows[0]?.key : undefined;\
      if (first === undefined || first === shown()) return;\
      let frames = 0;\
      const own = ++last;\
      const look = () => {\
        frames += 1;\
        if (own !== last) return;\
        if (shown() === first || frames > 60) window.framesOfAnswers.push(frames);\
        else requestAnimationFrame(look);\
      };\
      requestAnimationFrame(look);\
    };\
    window.fetch = async (...asked) => {\
      const response = await ask(...asked);\
      if (String(asked[0]).includes('fleet_view_window')) void response.clone().json().then(count);\
      return response;\
    };\
    done();";

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_filter_are_painted_within_two_frames_in_the_real_window() -> Result<()> {
    let Some(lab) = Lab::open().await? else { return Ok(()) };
    lab.run("frames", async |page| {
        choose_accounts(page, &lab.simulator, |name| name != UNKNOWN).await?;
        listed(page).await?;
        page.0.execute(COUNT_FRAMES, &[]).await?;
        page.click("[data-testid=query-input]").await?;
        for text in ["pay", "web", "lej", "mi-", "db"] {
            for key in text.chars() {
                page.type_keys(&key.to_string()).await?;
            }
            page.text_until("[data-testid=result-count]", |text| text.contains("match")).await?;
            page.type_keys(&keys::BACKSPACE.repeat(text.len())).await?;
        }
        let frames = page.until("rows were painted", async |page| {
            let script = "arguments[arguments.length - 1](window.framesOfAnswers);";
            let frames: Vec<u32> = serde_json::from_value(page.0.execute(script, &[]).await?)?;
            Ok((frames.len() > 5).then_some(frames))
        });
        let frames = frames.await?;
        ensure!(frames.iter().all(|count| *count <= 2), "frames until the rows were there: {frames:?}");
        Ok(())
    })
    .await?;
    lab.close().await;
    Ok(())
}

/// Adds three more accounts with the keyboard; the one whose keys AWS does not know says so, and holds nobody else up.
async fn add_accounts(page: &Page<'_>) -> Result<()> {
    page.section(6).await?;
    for name in [UNKNOWN, "plants-eu", "shared-core"] {
        let list = page.element("[data-testid=account-list]").await?;
        list.type_keys(keys::HOME).await?;
        let row = format!("[data-testid=account][data-source={name}]");
        page.until(&format!("{name} selected"), async |page| {
            if page.0.find(&format!("{row}[aria-selected=true]")).await?.is_some() {
                return Ok(Some(()));
            }
            list.type_keys(keys::DOWN).await?;
            Ok(None)
        })
        .await?;
        page.element("[data-testid=account-use]").await?.type_keys(keys::ENTER).await?;
        page.until(&format!("{name} in use"), async |page| {
            Ok(account(page, name).await?["inUse"].as_bool().filter(|in_use| *in_use))
        })
        .await?;
    }
    for name in ["plants-eu", "shared-core"] {
        page.element(&format!("[data-testid=account][data-source={name}][data-state=ready]")).await?;
    }
    let unknown = format!("[data-testid=account][data-source={UNKNOWN}]");
    page.click(&format!("{unknown}[data-state=failed]")).await?;
    page.text_until("[data-testid=account-inspector]", |text| {
        text.contains("AWS does not accept the credentials of the AWS profile old-admin")
    })
    .await?;
    page.pictures("accounts").await?;
    page.section(1).await
}

/// An account as the app knows it.
async fn account(page: &Page<'_>, name: &str) -> Result<Value> {
    let mut snapshot = page.call("app_snapshot", json!({})).await?;
    let rows = snapshot["accounts"]["rows"].as_array_mut().context("no accounts")?;
    let row = rows.iter_mut().find(|row| row["source"] == name).context("no such account")?;
    Ok(row.take())
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
    page.pictures("fleet-scope").await?;
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
    page.element("[data-testid=sort-agent]").await?.type_keys(keys::ENTER).await?;
    page.click("[data-testid=view-save]").await?;
    page.element("[data-testid=name-input]").await?.type_keys("Windows by agent\u{e007}").await?;
    page.text_until("[data-testid=view-menu]", |text| text.contains("Windows by agent")).await?;
    let first = first_row(page).await?;
    page.click(&format!("[data-testid=node-row][data-node-key='{first}']")).await?;
    // The inspector shows another node until the details of this one have come.
    page.element(&format!("[data-testid=inspector][data-node-key='{first}']")).await?;
    page.click("[data-testid=inspector-star]").await?;
    page.until("the node is a favourite", async |page| {
        let snapshot = page.call("app_snapshot", json!({})).await?;
        Ok((snapshot["book"]["favourites"] == 1).then_some(()))
    })
    .await?;
    ensure!(first_row(page).await? == first, "the order changed by itself");
    page.pictures("fleet").await?;
    Ok(first)
}

/// The view is open, its rows are there and grey, the bar says how old they are.
async fn see_it_again(page: &Page<'_>, node: &str) -> Result<()> {
    page.text_until("[data-testid=view-menu]", |text| text.contains("Windows by agent")).await?;
    page.element("[data-testid=stale-bar]").await?;
    page.element(".gr.stale[data-testid=node-row]").await?;
    ensure!(first_row(page).await? == node, "the view has another order than before");
    page.pictures("fleet-stale").await?;
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
