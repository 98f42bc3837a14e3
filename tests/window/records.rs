//! What a session leaves behind: its log is opened from the history, searched and replayed, its calls are listed, and the
//! account-Region is judged.

use anyhow::{Result, ensure};
use fleetline_simulator::Simulator;
use serde_json::json;

use crate::lab::{Lab, choose_every_account};
use crate::page::Page;
use crate::shell::open_shell;

const NODE: &str = "pay-api-03";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_log_is_read_and_its_place_is_audited_in_the_real_window() -> Result<()> {
    let Some(lab) = Lab::open().await? else { return Ok(()) };
    let preferences = json!({
        "schemaVersion": "1.0", "sessionType": "Standard_Stream",
        "inputs": {
            "s3BucketName": "corp-logs", "s3EncryptionEnabled": true, "kmsKeyId": "alias/fleet-sessions",
            "cloudWatchLogGroupName": "/corp/sessions", "cloudWatchStreamingEnabled": true,
        },
    });
    let control = lab.simulator.control();
    let Some(node) = control.node(NODE) else { anyhow::bail!("there is no node {NODE}") };
    control.put_document(
        &node.account,
        &node.region,
        "SSM-SessionManagerRunShell",
        &preferences.to_string(),
    )?;
    let place = format!("{}/{}", node.account, node.region);
    lab.run("records", async |page| work(page, &lab.simulator, &place).await).await?;
    lab.close().await;
    Ok(())
}

async fn work(page: &Page<'_>, simulator: &Simulator, place: &str) -> Result<()> {
    choose_every_account(page, simulator).await?;
    page.text_until("[data-testid=count-total]", |text| text.contains("1,284")).await?;
    let tab = open_shell(page, NODE).await?;
    page.row_until(&tab, "a prompt", |row| row.ends_with('$')).await?;
    page.element("[data-terminal-input]").await?.type_keys("echo kept-$((6*7))\u{e007}").await?;
    page.row_until(&tab, "the answer", |row| row == "kept-42").await?;
    page.element("[data-terminal-input]").await?.type_keys("exit\u{e007}").await?;
    let control = simulator.control();
    let ended = control.wait_for(|all| all.len() == 1 && all[0].status.is_over()).await?;
    let session = ended[0].session_id.clone();
    read_the_log(page, &session).await?;
    list_its_calls(page).await?;
    replay_it(page).await?;
    audit(page, place).await
}

async fn read_the_log(page: &Page<'_>, session: &str) -> Result<()> {
    page.click("[data-testid=rail-history]").await?;
    page.click(&format!("[data-session='{session}'] [data-testid=open-log]")).await?;
    page.element(&format!("[data-testid=session-view][data-session='{session}']")).await?;
    let place = page.text("[data-testid=log-place]").await?;
    ensure!(place == format!("s3://corp-logs/{session}.log"), "{place}");
    page.text_until("[data-testid=log-text]", |text| text.contains("kept-42")).await?;
    page.click("[data-testid=log-find]").await?;
    page.type_keys("KEPT-").await?;
    // Typed, and answered.
    page.text_until("[data-testid=log-hits]", |text| text == "1 of 2").await?;
    page.type_keys("\u{e007}").await?;
    page.text_until("[data-testid=log-hits]", |text| text == "2 of 2").await?;
    page.click("[data-testid=log-save]").await?;
    let said = page.text_until("[data-testid=log-saved]", |text| text.ends_with(".log")).await?;
    let (_, path) = said.split_once(" to ").unwrap_or_default();
    let recorded = std::fs::read_to_string(path)?;
    // As the terminal got it, not as it is shown.
    ensure!(recorded.contains("kept-42\r\n"), "{recorded:?}");
    Ok(())
}

async fn list_its_calls(page: &Page<'_>) -> Result<()> {
    page.click("[data-testid=session-view] .toolbar [role=radio]:nth-child(2)").await?;
    page.text_until("[data-testid=session-events]", |text| text.contains("StartSession")).await?;
    page.click("[data-call=StartSession] button").await?;
    page.text_until("[data-testid=session-events] .rec", |text| text.contains("\"sourceIPAddress\"")).await?;
    page.click("[data-testid=session-view] .toolbar [role=radio]:nth-child(1)").await
}

async fn replay_it(page: &Page<'_>) -> Result<()> {
    page.click("[data-testid=log-replay]").await?;
    let tab = page
        .until("a replay in front", async |page| {
            let snapshot = page.call("app_snapshot", json!({})).await?;
            let tabs = snapshot["tabs"].as_array().cloned().unwrap_or_default();
            let replay = tabs.iter().find(|tab| tab["kind"] == "replay");
            Ok(replay.and_then(|tab| tab["id"].as_str()).map(str::to_owned))
        })
        .await?;
    page.row_until(&tab, "what was printed", |row| row == "kept-42").await?;
    page.call("tab_close", json!({ "tab": tab })).await?;
    Ok(())
}

async fn audit(page: &Page<'_>, place: &str) -> Result<()> {
    page.click("[data-testid=rail-history]").await?;
    page.click("[data-testid=session-back]").await?;
    page.click("[data-testid=go-audit]").await?;
    let row = |topic: &str, verdict: &str| {
        format!("[data-place='{place}'] [data-topic={topic}][data-verdict={verdict}]")
    };
    for (topic, verdict, said) in [
        ("s3_log", "good", "s3://corp-logs/"),
        ("sealing", "good", "alias/fleet-sessions"),
        ("cloud_watch_log", "attention", "/corp/sessions"),
        ("longest_limit", "attention", "inputs.maxSessionDuration"),
        ("permissions", "unknown", "IAM"),
        ("cloud_trail", "good", "fleet-trail"),
    ] {
        let text = page.text(&row(topic, verdict)).await?;
        ensure!(text.contains(said), "{topic}: {text}");
    }
    Ok(())
}
