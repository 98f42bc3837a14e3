//! A session by a document with a parameter, a shell profile, another user and one minute of idleness: the profile is
//! seen, the end is announced, comes on time, and the tab says why. It really takes its minute.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::lab::{Lab, choose_every_account};
use crate::page::{Page, keys};
use crate::shell::{find_node, front_shell};

const NAME: &str = "Corp-Minute";
const NODE: &str = "pay-api-03";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_on_time_and_says_why_in_the_real_window() -> Result<()> {
    let Some(lab) = Lab::open().await? else { return Ok(()) };
    let control = lab.simulator.control();
    let node = control.node(NODE).context("no such node")?;
    let document = json!({
        "schemaVersion": "1.0", "sessionType": "Standard_Stream",
        "parameters": { "ticket": { "type": "String", "allowedPattern": "^CHG-[0-9]+$" } },
        "inputs": {
            "runAsEnabled": true, "runAsDefaultUser": "ssm-user", "idleSessionTimeout": "1",
            "shellProfile": { "linux": "echo pro''file" },
        },
    });
    control.put_document(&node.account, &node.region, NAME, &document.to_string())?;
    lab.run("ending", async |page| {
        choose_every_account(page, &lab.simulator).await?;
        page.text_until("[data-testid=count-total]", |text| text.contains("1,284")).await?;
        let tab = connect(page).await?;
        page.row_until(&tab, "what the profile says", |row| row == "profile").await?;
        let told = "[role=alert][aria-live=assertive]";
        page.text_until(told, |text| text.contains(NODE) && text.contains("because nothing happens in it"))
            .await?;
        page.pictures("ending").await?;
        let sessions = control.wait_for(|sessions| sessions.iter().any(|one| one.status.is_over())).await?;
        let session = sessions.iter().find(|one| one.document == NAME).context("no session")?;
        let lasted = session.end_ms.unwrap_or_default() - session.start_ms;
        ensure!((60_000..90_000).contains(&lasted), "{lasted} ms");
        page.text_until("[data-testid=session-ended]", |text| text.contains("inactivity")).await?;
        page.pictures("ended").await
    })
    .await?;
    lab.close().await;
    Ok(())
}

async fn connect(page: &Page<'_>) -> Result<String> {
    find_node(page, NODE).await?;
    let control_enter = format!("{}{}{}", keys::CONTROL, keys::ENTER, keys::RELEASE);
    page.element("[data-testid=node-table]").await?.type_keys(&control_enter).await?;
    page.element(&format!("[data-testid=connect-document] option[value={NAME}]:not([disabled])")).await?;
    page.element("[data-testid=connect-document]").await?.type_keys(NAME).await?;
    page.element("[data-testid=connect-param-ticket]").await?.type_keys("CHG-48213").await?;
    page.text_until("[data-testid=connect-dialog]", |text| text.contains("ssm-user")).await?;
    page.element("[data-testid=connect-start]:not([disabled])").await?;
    page.type_keys(keys::ENTER).await?;
    front_shell(page).await
}
