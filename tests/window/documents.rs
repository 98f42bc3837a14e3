//! Session documents and history: one is made with the form, connected with, found in the history, and the session of
//! somebody else is terminated. With the keyboard alone.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use fleetline_simulator::{NodeView, SessionStatus, Simulator, SimulatorConfig};
use serde_json::{Value, json};

use crate::lab::{Lab, choose_every_account};
use crate::page::{Page, keys};
use crate::shell::{find_node, front_shell};

const NAME: &str = "Corp-Greeting";
const COLLEAGUE: &str = "j.weber";

#[tokio::test(flavor = "multi_thread")]
async fn documents_and_history_work_in_the_real_window() -> Result<()> {
    // The colleague's session is not attached to, and shall not end by itself.
    let config = SimulatorConfig {
        demo_denials: false,
        past_sessions: 240,
        token_ttl: Duration::from_secs(3600),
        ..SimulatorConfig::default()
    };
    let Some(lab) = Lab::with(config).await? else { return Ok(()) };
    lab.run("documents", async |page| work(page, &lab.simulator).await).await?;
    lab.close().await;
    Ok(())
}

async fn work(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    choose_every_account(page, simulator).await?;
    page.text_until("[data-testid=count-total]", |text| text.contains("1,284")).await?;
    page.section(4).await?;
    let node = node_of(page, simulator).await?;
    make_a_document(page).await?;
    let tab = connect(page, &node.name).await?;
    page.row_until(&tab, "what the document runs", |row| row == "hello fleet").await?;
    page.section_from_a_shell(3).await?;
    find_the_session(page, &tab).await?;
    terminate_anothers(page, simulator, &node).await?;
    other_pages(page).await
}

/// A node that takes sessions, in the account-Region whose documents are shown.
async fn node_of(page: &Page<'_>, simulator: &Simulator) -> Result<NodeView> {
    let script = "arguments[arguments.length - 1](\
        document.querySelector('[data-testid=document-place]').value);";
    page.element("[data-testid=document-list] [data-document=AWS-StartSSHSession]").await?;
    let place = page.0.execute(script, &[]).await?;
    let (account, region) = place.as_str().and_then(|place| place.split_once('/')).context("no place")?;
    let nodes = simulator.control().nodes(account, region);
    let fits = |node: &NodeView| node.online && !node.hybrid && node.platform == "Linux";
    nodes.into_iter().find(fits).context("no node fits")
}

async fn make_a_document(page: &Page<'_>) -> Result<()> {
    page.pictures("documents-empty").await?;
    page.element("[data-testid=document-new]").await?.type_keys(keys::ENTER).await?;
    page.element("[data-testid=document-new-dialog]").await?;
    page.type_keys(&format!("{NAME}{}", keys::ENTER)).await?;
    page.element(&format!("[data-testid=document-editor][data-name={NAME}]")).await?;
    // The form has the focus; the command is missing, and both say so in the same words.
    page.until("the focus in the form", async |page| {
        let script = "arguments[arguments.length - 1](\
            document.activeElement?.closest('[data-testid=document-form]') !== null);";
        Ok((page.0.execute(script, &[]).await? == true).then_some(()))
    })
    .await?;
    page.text_until("[data-testid=document-errors]", |text| text.starts_with("1 error")).await?;
    page.pictures("documents-errors").await?;
    page.element("[data-field='properties.linux.commands']")
        .await?
        .type_keys("printf 'hello %s\\n' '{{ who }}'; exec sh")
        .await?;
    page.text_until("[data-testid=document-errors]", |text| text.starts_with("1 error")).await?;
    page.element("[data-testid=add-parameter]").await?.type_keys(keys::ENTER).await?;
    // The name is marked, so that typing replaces it; the next field takes the focus with Tab.
    page.element("[data-testid=parameter-name]").await?;
    page.until("the name in focus", async |page| {
        let script = "arguments[arguments.length - 1](document.activeElement?.dataset.testid ?? '');";
        Ok((page.0.execute(script, &[]).await? == "parameter-name").then_some(()))
    })
    .await?;
    page.type_keys(&format!("who{}", keys::TAB)).await?;
    page.element("[data-testid=edit-parameter-who]").await?;
    page.element("[data-field='parameters.who.allowedPattern']").await?.type_keys("^[a-z]{2,12}$").await?;
    page.gone("[data-testid=document-errors]").await?;
    page.pictures("documents-form").await?;
    page.type_keys(&format!("{}s{}", keys::CONTROL, keys::RELEASE)).await?;
    page.element(&format!("[data-testid=document-editor][data-name={NAME}][data-version='1']")).await?;
    page.element(&format!("[data-testid=document-list] [data-document={NAME}]")).await.map(drop)
}

/// Connects to the node with the document. Returns the tab.
async fn connect(page: &Page<'_>, node: &str) -> Result<String> {
    page.section(1).await?;
    find_node(page, node).await?;
    let control_enter = format!("{}{}{}", keys::CONTROL, keys::ENTER, keys::RELEASE);
    page.element("[data-testid=node-table]").await?.type_keys(&control_enter).await?;
    page.element(&format!("[data-testid=connect-document] option[value={NAME}]:not([disabled])")).await?;
    // Typing chooses among the documents.
    page.element("[data-testid=connect-document]").await?.type_keys(NAME).await?;
    page.element("[data-testid=connect-param-who]").await?.type_keys("NOT lower").await?;
    page.text_until("[data-testid=connect-dialog]", |text| text.contains("does not match")).await?;
    page.pictures("connect-wrong").await?;
    page.element("[data-testid=connect-param-who]")
        .await?
        .type_keys(&format!("{}fleet", keys::BACKSPACE.repeat(9)))
        .await?;
    page.element("[data-testid=connect-reason]").await?.type_keys("CHG-48213 month-end check").await?;
    page.text_until("[data-testid=connect-line]", |line| {
        line.contains(NAME) && line.contains(r#"'{"who":["fleet"]}'"#) && line.contains("CHG-48213")
    })
    .await?;
    page.element("[data-testid=connect-start]:not([disabled])").await?;
    page.pictures("connect").await?;
    page.type_keys(keys::ENTER).await?;
    front_shell(page).await
}

/// The session stands among the active ones, with its reason, and leads back to its tab.
async fn find_the_session(page: &Page<'_>, tab: &str) -> Result<()> {
    page.pictures("history").await?;
    page.type_keys("/").await?;
    page.type_keys(&format!("document:{NAME}")).await?;
    let row = "[data-testid=session-table] [data-session][data-status=connected]";
    page.text_until(row, |text| text.contains(NAME) && text.contains("CHG-48213")).await?;
    let table = page.element("[data-testid=session-table]").await?;
    table.type_keys(keys::HOME).await?;
    page.element(&format!("{row}[aria-selected=true]")).await?;
    table.type_keys(keys::ENTER).await?;
    page.element(&format!("[data-testid=shell][data-tab='{tab}']")).await?;
    page.call("tab_activate", json!({ "tab": "fleet" })).await?;
    page.section(3).await
}

/// The session of a colleague appears by itself; its end is asked about with its owner's name, and is made once.
async fn terminate_anothers(page: &Page<'_>, simulator: &Simulator, node: &NodeView) -> Result<()> {
    let control = simulator.control();
    let session = control.begin_session_of(COLLEAGUE, &node.name, "INC-9921 ledger client hangs")?;
    page.type_keys("/").await?;
    let query = format!("{}owner:{COLLEAGUE}", keys::BACKSPACE.repeat(40));
    page.type_keys(&query).await?;
    let row = format!("[data-testid=session-table] [data-session='{session}']");
    page.text_until(&row, |text| text.contains(COLLEAGUE) && text.contains("INC-9921")).await?;
    let table = page.element("[data-testid=session-table]").await?;
    table.type_keys(keys::HOME).await?;
    page.element(&format!("{row}[aria-selected=true]")).await?;
    table.type_keys(keys::DELETE).await?;
    let asked = page.text_until("[data-testid=end-sessions]", |text| text.contains(COLLEAGUE)).await?;
    ensure!(asked.contains(&node.name), "it does not name the node: {asked}");
    page.pictures("history-terminate").await?;
    // What ends something does not have the focus: Escape and Enter alone leave everything as it is.
    page.type_keys(keys::ENTER).await?;
    page.gone("[data-testid=end-sessions]").await?;
    ensure!(!control.calls().contains_key("TerminateSession"), "Enter alone ended a session");
    page.element("[data-testid=session-table]").await?.type_keys(keys::DELETE).await?;
    page.element("[data-testid=end-sessions]").await?;
    page.type_keys(keys::TAB).await?;
    page.type_keys(keys::ENTER).await?;
    let over = control
        .wait_for(|views| views.iter().any(|view| view.session_id == session && view.status.is_over()));
    let views =
        tokio::time::timeout(Duration::from_secs(60), over).await.context("it was not terminated")??;
    let view = views.iter().find(|view| view.session_id == session).context("the session is gone")?;
    ensure!(view.status == SessionStatus::Terminated, "it ended otherwise: {view:?}");
    ensure!(
        control.calls().get("TerminateSession") == Some(&1),
        "not exactly one call: {:?}",
        control.calls()
    );
    page.element(&format!("{row}[data-status=ended]")).await?;
    let own = sessions(page).await?;
    ensure!(own.iter().any(|tab| tab["session"]["state"]["state"] == "connected"), "ours ended too: {own:?}");
    Ok(())
}

/// The tabs with a session.
async fn sessions(page: &Page<'_>) -> Result<Vec<Value>> {
    let mut snapshot = page.call("app_snapshot", json!({})).await?;
    let tabs: Vec<Value> = serde_json::from_value(snapshot["tabs"].take())?;
    Ok(tabs.into_iter().filter(|tab| tab["session"].is_object()).collect())
}

/// Every other page has its chord too.
async fn other_pages(page: &Page<'_>) -> Result<()> {
    page.section(5).await?;
    page.element("[data-testid=activations-empty], [data-testid=activation]").await?;
    page.pictures("activations").await?;
    page.section(7).await?;
    page.element("[data-testid=settings]").await?;
    page.pictures("settings").await
}
