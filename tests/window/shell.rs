//! The fleet and a shell: found by a query, opened by key, worked in, cut and closed.

use anyhow::{Context as _, Result, ensure};
use fleetline_simulator::Simulator;
use serde_json::{Value, json};

use crate::lab::{Lab, choose_every_account};
use crate::page::{Page, keys};

/// Lines and bytes per line of the 10 MB file: its text is known without a copy of it.
const LINES: usize = 100_000;
const LINE_BYTES: usize = 105;

#[tokio::test(flavor = "multi_thread")]
async fn fleet_and_shell_work_in_the_real_window() -> Result<()> {
    let Some(lab) = Lab::open().await? else { return Ok(()) };
    lab.run("shell", async |page| work(page, &lab.simulator).await).await?;
    lab.close().await;
    Ok(())
}

/// What a person would do, from the first page to closing the tab.
async fn work(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    choose_every_account(page, simulator).await?;
    page.text_until("[data-testid=count-total]", |text| text.contains("1,284")).await?;
    filter_by_query(page, simulator).await?;
    keep_long_scrollback(page).await?;
    let tab = open_shell(page, "pay-api-03").await?;
    prompt(page, &tab).await?;
    arithmetic(page, &tab).await?;
    editor_and_back(page, &tab).await?;
    resize(page, &tab).await?;
    long_output_through_a_cut(page, &tab, simulator).await?;
    close_tab(page, &tab, simulator).await
}

async fn filter_by_query(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    let control = simulator.control();
    let expected: usize = simulator
        .accounts()
        .iter()
        .flat_map(|account| account.regions.iter().map(|region| (account.name.clone(), region.clone())))
        .flat_map(|(account, region)| control.nodes(&account, &region))
        .filter(|node| node.platform == "Windows" && node.online)
        .count();
    ensure!(expected > 50, "the demo world has too few Windows nodes: {expected}");
    page.click("[data-testid=query-input]").await?;
    page.type_keys("platform:windows -ping:lost ").await?;
    page.text_until("[data-testid=result-count]", |text| {
        text.split_whitespace().next().is_some_and(|count| count.replace(',', "") == expected.to_string())
    })
    .await?;
    Ok(())
}

/// New shells shall keep the whole long output, so that it can be compared.
async fn keep_long_scrollback(page: &Page<'_>) -> Result<()> {
    let mut settings = page.call("app_snapshot", json!({})).await?["settings"].take();
    settings["scrollbackLines"] = json!(200_000);
    page.call("settings_apply", json!({ "settings": settings })).await?;
    Ok(())
}

/// Finds the node by its name in the query box and opens its shell with the keyboard. Returns the tab's id.
pub(crate) async fn open_shell(page: &Page<'_>, name: &str) -> Result<String> {
    find_node(page, name).await?;
    page.element("[data-testid=node-table]").await?.type_keys(keys::ENTER).await?;
    front_shell(page).await
}

/// Finds the node by its name in the query box and selects it.
pub(crate) async fn find_node(page: &Page<'_>, name: &str) -> Result<()> {
    page.click("[data-testid=query-input]").await?;
    // The chip of an earlier query is selected first and then taken away.
    page.type_keys(&keys::BACKSPACE.repeat(6)).await?;
    page.type_keys(&format!("name:{name} ")).await?;
    page.text_until("[data-testid=result-count]", |text| text.starts_with("1 ")).await?;
    // The count may be painted before the rows.
    page.text_until("[data-testid=node-row]", |text| text.contains(name)).await?;
    page.click("[data-testid=node-row]").await
}

/// Waits until a shell is in front. Returns the tab's id.
pub(crate) async fn front_shell(page: &Page<'_>) -> Result<String> {
    page.until("a shell tab in front", async |page| {
        let snapshot = page.call("app_snapshot", json!({})).await?;
        let active = snapshot["activeTab"].as_str().unwrap_or_default();
        Ok((active != "fleet" && !active.is_empty()).then(|| active.to_owned()))
    })
    .await
}

async fn prompt(page: &Page<'_>, tab: &str) -> Result<()> {
    page.row_until(tab, "a prompt", |row| row.ends_with('$')).await?;
    page.element("[data-terminal-input]").await?.click().await.ok();
    Ok(())
}

/// Types a line into the terminal as keys.
async fn line(page: &Page<'_>, text: &str) -> Result<()> {
    page.element("[data-terminal-input]").await?.type_keys(&format!("{text}\u{e007}")).await?;
    Ok(())
}

async fn arithmetic(page: &Page<'_>, tab: &str) -> Result<()> {
    line(page, "echo $((6*7))").await?;
    page.row_until(tab, "42 on a line of its own", |row| row == "42").await?;
    Ok(())
}

async fn editor_and_back(page: &Page<'_>, tab: &str) -> Result<()> {
    line(page, "vim -N -u NONE --cmd 'set shortmess=I'").await?;
    page.row_until(tab, "an empty vim", |row| row == "~").await?;
    page.element("[data-terminal-input]").await?.type_keys("ia line in vim").await?;
    page.row_until(tab, "text typed in vim", |row| row == "a line in vim").await?;
    page.element("[data-terminal-input]").await?.type_keys("\u{e00c}:q!\u{e007}").await?;
    page.row_until(tab, "the screen before vim", |row| row == "42").await?;
    Ok(())
}

async fn resize(page: &Page<'_>, tab: &str) -> Result<()> {
    page.0.set_size(1100, 700).await?;
    page.until("the shell told of the new size", async |page| {
        line(page, "clear; stty size").await?;
        let screen = page.screen(tab).await?;
        let told = screen.iter().find_map(|row| {
            let (rows, cols) = row.trim().split_once(' ')?;
            Some((rows.parse::<usize>().ok()?, cols.parse::<usize>().ok()?))
        });
        Ok(told.filter(|(rows, cols)| *rows == screen.len() && *cols < 170))
    })
    .await?;
    Ok(())
}

fn expected_line(number: usize) -> String {
    let head = format!("line {number:07} of the long file ");
    format!("{head}{}", ".".repeat(LINE_BYTES - 1 - head.len()))
}

/// Prints 10 MB while the gateway's socket is cut in the middle; every byte must still arrive, once and in order.
async fn long_output_through_a_cut(page: &Page<'_>, tab: &str, simulator: &Simulator) -> Result<()> {
    let dots = LINE_BYTES - 1 - "line 0000001 of the long file ".len();
    let make = format!(
        "seq -f \"line %07.0f of the long file $(printf '.%.0s' $(seq {dots}))\" {LINES} > long; wc -c long"
    );
    line(page, &make).await?;
    let size = format!("{} long", LINES * LINE_BYTES);
    page.row_until(tab, "the file's size", |row| row == size).await?;
    line(page, "clear; cat long; echo the end").await?;
    page.row_until(tab, "the middle of the file", |row| {
        row.strip_prefix("line ").and_then(|rest| rest.get(..7)).is_some_and(|n| n > "0010000")
    })
    .await?;
    let middle = page.screen(tab).await?;
    ensure!(!middle.iter().any(|row| row.starts_with("the end")), "the file was over before the cut");
    let session = session_id(page, tab).await?;
    simulator.control().cut_client_socket(&session).await?;
    page.row_until(tab, "the end of the file", |row| row == "the end").await?;
    let row = tab_row(page, tab).await?;
    ensure!(row["session"]["resumedAfterMs"].is_number(), "the session was not resumed: {row}");
    compare(page, tab).await
}

async fn compare(page: &Page<'_>, tab: &str) -> Result<()> {
    page.call("terminal_select", json!({ "tab": tab, "input": { "step": "all" } })).await?;
    let copied = page.call("terminal_copy", json!({ "tab": tab })).await?;
    page.call("terminal_select", json!({ "tab": tab, "input": { "step": "clear" } })).await?;
    let copied = copied.as_str().context("nothing was copied")?;
    let mut lines = copied.lines().map(str::trim_end).skip_while(|line| *line != expected_line(1));
    for number in 1..=LINES {
        let expected = expected_line(number);
        let found = lines.next();
        ensure!(found == Some(expected.as_str()), "line {number} came as {found:?}");
    }
    ensure!(lines.next() == Some("the end"), "something follows the file's last line");
    Ok(())
}

async fn close_tab(page: &Page<'_>, tab: &str, simulator: &Simulator) -> Result<()> {
    let session = session_id(page, tab).await?;
    page.click(&format!("[data-testid=tab][data-tab='{tab}'] [data-testid=tab-close]")).await?;
    // A shell at its prompt closes at once; with a program in front the window asks.
    if let Some(confirm) = page.0.find("[data-testid=close-confirm]").await? {
        confirm.click().await?;
    }
    let ended = |views: &[fleetline_simulator::SessionView]| {
        views.iter().any(|view| view.session_id == session && view.status.is_over())
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), simulator.control().wait_for(ended))
        .await
        .context("the session was not terminated")??;
    ensure!(
        simulator.control().calls().get("TerminateSession") == Some(&1),
        "not exactly one TerminateSession: {:?}",
        simulator.control().calls()
    );
    Ok(())
}

pub(crate) async fn tab_row(page: &Page<'_>, tab: &str) -> Result<Value> {
    let mut snapshot = page.call("app_snapshot", json!({})).await?;
    let tabs = snapshot["tabs"].as_array_mut().context("no tabs")?;
    let row = tabs.iter_mut().find(|row| row["id"] == tab).context("the tab is gone")?;
    Ok(row.take())
}

async fn session_id(page: &Page<'_>, tab: &str) -> Result<String> {
    let row = tab_row(page, tab).await?;
    Ok(row["session"]["sessionId"].as_str().context("the session has no id")?.to_owned())
}
