//! The tray's menu, read and chosen from over the message bus as a desktop does.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::forwards::{Echo, connect, exchange, row_until, talk};
use crate::lab::{Lab, choose_every_account};
use crate::page::Page;

#[tokio::test(flavor = "multi_thread")]
async fn the_trays_menu_switches_forwards_and_quits_beside_what_is_in_the_real_window() -> Result<()> {
    let Some(lab) = Lab::open().await? else { return Ok(()) };
    let server = Echo::start().await?;
    lab.run_with_tray("tray", async |page, tray| {
        let entry = tray.entry_until("the first menu", |entry| entry.label == "Quit").await?;
        ensure!(entry.mark.is_none() && entry.enabled, "quitting is no switch");
        choose_every_account(page, &lab.simulator).await?;
        page.text_until("[data-testid=count-total]", |text| text.contains("1,284")).await?;
        let row = favourite(page, server.port).await?;
        let (id, port) = (row["id"].as_str().context("no id")?, row["spec"]["localPort"].to_string());

        let says = |state: &str| format!("Ledger echo ({port}): {state}");
        tray.choose(&says("idle")).await?;
        let off = tray.entry_until("off", |entry| entry.label == says("off")).await?;
        ensure!(off.mark == Some(false), "it is off and marked: {off:?}");
        tray.choose(&says("off")).await?;
        let on = tray.entry_until("on", |entry| entry.label == says("idle")).await?;
        ensure!(on.mark == Some(true), "it is on and not marked: {on:?}");
        let row = row_until(page, id, "listening", |row| row["state"]["state"] == "idle").await?;
        let mut held = connect(&row).await?;
        talk(&mut held, b"through what the tray switched on").await?;
        let active = says("active, 1 connection");
        let entry = tray.entry_until("counted", |entry| entry.label == active).await?;
        ensure!(entry.mark == Some(true), "it is active and not marked: {entry:?}");
        drop(held);

        let bundle = |running: u32| format!("Payments prod: {running} of 1 running");
        let submenu = tray.entry_until("the bundle", |entry| entry.label == bundle(1)).await?;
        let all = submenu.entries.iter().find(|entry| entry.label == "All forwards in Payments prod");
        ensure!(all.is_some_and(|all| all.mark == Some(true)), "the bundle is not on: {submenu:?}");

        tray.choose("Pause all forwards").await?;
        tray.entry_until("paused", |entry| entry.label == says("paused")).await?;
        page.element(&format!("[data-testid=forward][data-id='{id}'][data-state=paused]")).await?;
        page.until("a closed port", async |_| Ok(connect(&row).await.is_err().then_some(()))).await?;
        tray.choose("Resume all forwards").await?;
        tray.entry_until("back", |entry| entry.label == says("idle")).await?;
        exchange(&row, b"after the pause").await?;

        tray.choose("Quit and stop 1 forward").await?;
        let asked = page.text_until("[data-testid=quit-dialog]", |text| text.contains("1 forward")).await?;
        ensure!(asked.contains("Ledger echo"), "it does not name what would stop: {asked}");
        click_away(page, "[data-testid=quit-hide]").await?;
        visible(page, false).await?;
        exchange(&row, b"from the tray alone").await?;
        tray.choose("Open Fleetline").await?;
        visible(page, true).await?;
        let title = tray.title().await?;
        ensure!(title.starts_with("Fleetline"), "the icon is called {title:?}");
        Ok(())
    })
    .await?;
    lab.close().await;
    Ok(())
}

/// A forward to a port of a node that the tray lists, in a bundle, switched on, with its page in front.
async fn favourite(page: &Page<'_>, port: u16) -> Result<Value> {
    let query = json!({ "text": "name:pay-api-03", "sort": "name", "descending": false });
    let view = page.call("fleet_view_open", json!({ "query": query })).await?["view"].take();
    let found = page.call("fleet_view_window", json!({ "view": view, "offset": 0, "len": 1 })).await?;
    page.call("fleet_view_close", json!({ "view": view })).await?;
    let spec = json!({
        "name": "Ledger echo", "kind": "port", "bundle": "Payments prod", "nodeKey": found["rows"][0]["key"],
        "host": null, "port": port, "localPort": 0, "socket": null, "lanes": 2, "start": "on_demand",
        "favourite": true, "guard": "auto",
        "limits": { "connections": 256, "idleMinutes": 15, "timeLimitMinutes": 0, "otherUsers": false },
    });
    let row = page.call("forward_create", json!({ "spec": spec })).await?;
    page.click("[data-testid=rail-forwards]").await?;
    Ok(row)
}

/// Clicks what takes the window off the screen. The driver's own click waits for a frame after it, and a window that is
/// not on the screen may never draw one.
async fn click_away(page: &Page<'_>, selector: &str) -> Result<()> {
    page.element(selector).await?;
    let script = "const chosen = document.querySelector(arguments[0]); setTimeout(() => chosen.click()); \
                  arguments[1](null)";
    page.0.execute(script, &[json!(selector)]).await?;
    Ok(())
}

/// Waits until the window is on the screen, or is not.
async fn visible(page: &Page<'_>, wanted: bool) -> Result<()> {
    let state = if wanted { "visible" } else { "hidden" };
    page.until(&format!("the window {state}"), async |page| {
        let told = page.0.execute("arguments[0](document.visibilityState)", &[]).await?;
        Ok((told == state).then_some(()))
    })
    .await
}
