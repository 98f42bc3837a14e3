//! The real window by the keyboard alone: nothing is clicked, and no element is given the focus by a script.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use fleetline_simulator::{AccountPolicies, Simulator};
use serde_json::{Value, json};

use crate::lab::Lab;
use crate::page::{Page, keys};
use crate::shell::{front_shell, tab_row};

/// The profile whose keys AWS does not know.
const UNKNOWN: &str = "old-admin";

/// What listing needs, and nothing that starts a session.
const LISTING: &str = r#"{ "Statement": { "Effect": "Allow", "Action": ["ssm:Describe*", "ssm:Get*", "ec2:Describe*"], "Resource": "*" } }"#;

/// Stops of the Tab key on one page, at most.
const STOPS: usize = 200;

/// Tells what has the focus, whether it had it before, and whether that can be seen: on itself, on what surrounds it, or
/// on the row it points at.
const FOCUSED: &str = "const done = arguments[arguments.length - 1];\
    const one = document.activeElement;\
    if (one === null || one === document.body) { done({ nothing: true }); return; }\
    const probe = document.createElement('i');\
    probe.style.color = 'var(--focus)';\
    document.body.append(probe);\
    const colour = getComputedStyle(probe).color;\
    probe.remove();\
    const around = [];\
    for (let at = one; at !== null && around.length < 4; at = at.parentElement) around.push(at);\
    const pointed = document.getElementById(one.getAttribute('aria-activedescendant') ?? '');\
    const marked = one.matches('[role=grid], [role=listbox]') ? [...one.querySelectorAll('[role=row], [role=option], .gh')] : [];\
    const shows = (element) => {\
      const style = getComputedStyle(element);\
      const outlined = style.outlineStyle !== 'none' && style.outlineColor === colour;\
      return outlined || style.boxShadow.includes(colour) || [style.borderColor, style.backgroundColor].includes(colour);\
    };\
    const seen = [...around, ...(pointed ? [pointed] : []), ...marked].some(shows);\
    const visited = (window.visitedByKeys ??= new Set());\
    const again = visited.has(one);\
    visited.add(one);\
    done({ again, seen, what: one.outerHTML.slice(0, 160) });";

/// Controls that can be used and were not reached: neither by the Tab key nor inside a widget that was, whose arrow keys
/// lead to them.
const MISSED: &str = "const done = arguments[arguments.length - 1];\
    const visited = window.visitedByKeys ?? new Set();\
    const widget = '[role=grid], [role=tablist], [role=listbox], [role=radiogroup], [role=menu], [role=tree]';\
    const entered = new Set([...visited].map((one) => one.closest(widget)).filter((one) => one !== null));\
    const usable = (one) => one.getClientRects().length > 0 && getComputedStyle(one).visibility === 'visible'\
      && !one.matches(':disabled') && one.closest('[aria-hidden=true], [inert]') === null;\
    const controls = [...document.querySelectorAll('button, a[href], input, select, textarea, [tabindex=\"0\"]')];\
    const missed = controls.filter((one) => usable(one) && !visited.has(one) && !entered.has(one.closest(widget)));\
    window.visitedByKeys = new Set();\
    done(missed.map((one) => one.outerHTML.slice(0, 160)));";

/// Walks over the whole page with the Tab key.
async fn walk(page: &Page<'_>, name: &str) -> Result<()> {
    page.0.execute(MISSED, &[]).await?;
    let mut unseen = BTreeSet::new();
    let mut stops = 0;
    for _ in 0..STOPS {
        page.type_keys(keys::TAB).await?;
        let focus = page.0.execute(FOCUSED, &[]).await?;
        if focus["nothing"] == true {
            continue;
        }
        if focus["again"] == true {
            break;
        }
        stops += 1;
        if focus["seen"] != true {
            unseen.insert(focus["what"].to_string());
        }
    }
    let missed = page.0.execute(MISSED, &[]).await?;
    ensure!(stops > 5, "{name}: the Tab key stops {stops} times");
    ensure!(missed == json!([]), "{name}: out of reach of the keys: {missed:#}");
    ensure!(unseen.is_empty(), "{name}: the focus is not seen on {unseen:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_reached_and_shows_its_focus_by_keys_in_the_real_window() -> Result<()> {
    let Some(lab) = Lab::open().await? else { return Ok(()) };
    lab.run("keyboard-pages", async |page| {
        page.element("[data-testid=first-run]").await?;
        walk(page, "the first page").await?;
        begin(page, &lab.simulator, "payments-prod").await?;
        page.text_until("[data-testid=count-total]", |text| !text.trim_start().starts_with('0')).await?;
        let sections = ["fleet", "forwards", "history", "documents", "activations", "accounts", "settings"];
        for (number, name) in (1..).zip(sections) {
            page.section(number).await?;
            page.element(&format!("[data-testid=rail-{name}][aria-current=page]")).await?;
            walk(page, name).await?;
        }
        for (name, shown) in [("Recordings", "recordings"), ("Audit", "audit-summary")] {
            page.type_keys(&format!("{}k{}", keys::CONTROL, keys::RELEASE)).await?;
            page.element("[data-testid=palette-input]").await?;
            page.type_keys(&format!(">{name}")).await?;
            page.text_until("[data-testid=palette-entry][aria-selected=true]", |text| text.contains(name))
                .await?;
            page.type_keys(keys::ENTER).await?;
            page.element(&format!("[data-testid={shown}]")).await?;
            walk(page, shown).await?;
        }
        Ok(())
    })
    .await?;
    lab.close().await;
    Ok(())
}

/// Chooses an account on the first page, and every Region any account uses.
async fn begin(page: &Page<'_>, simulator: &Simulator, account: &str) -> Result<()> {
    page.reach(&format!("[data-testid=source][data-source='{account}']")).await?;
    page.type_keys(" ").await?;
    page.reach("[data-testid=regions]").await?;
    let regions: BTreeSet<String> =
        simulator.accounts().into_iter().flat_map(|account| account.regions).collect();
    page.type_keys(&regions.into_iter().collect::<Vec<_>>().join(" ")).await?;
    page.type_keys(keys::ENTER).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_in_is_gone_by_keys_alone_in_the_real_window() -> Result<()> {
    let Some(lab) = Lab::open().await? else { return Ok(()) };
    lab.add_unknown_keys(UNKNOWN)?;
    lab.run("keyboard", async |page| {
        page.element("[data-testid=first-run]").await?;
        begin(page, &lab.simulator, "payments-prod").await?;
        add(page, "plants-eu").await?;
        add(page, UNKNOWN).await?;
        page.element("[data-testid=account][data-source=plants-eu][data-state=ready]").await?;
        page.text_until("[data-testid=account-inspector]", |text| {
            text.contains("AWS does not accept the credentials of the AWS profile old-admin")
        })
        .await?;
        page.section(1).await?;
        keep_a_view(page).await
    })
    .await?;
    lab.run("keyboard-again", async |page| {
        page.text_until("[data-testid=view-menu]", |text| text.contains("Windows")).await?;
        page.text_until("[data-testid=result-count]", |text| text.contains("match")).await?;
        change_the_tier(page).await?;
        let tab = shell_on(page, "lej-hmi-01").await?;
        page.row_until(&tab, "a prompt on a node that was blocked", |row| row.ends_with('$')).await?;
        choose_several(page).await?;
        mend_a_refusal(page, &lab.simulator).await
    })
    .await?;
    lab.close().await;
    Ok(())
}

/// Takes an account into the fleet.
async fn add(page: &Page<'_>, name: &str) -> Result<()> {
    page.section(6).await?;
    page.reach("[data-testid=account-list]").await?;
    page.type_keys(keys::HOME).await?;
    page.until(&format!("{name} selected"), async |page| {
        let row = format!("[data-testid=account][data-source={name}][aria-selected=true]");
        if page.0.find(&row).await?.is_some() {
            return Ok(Some(()));
        }
        page.type_keys(keys::DOWN).await?;
        Ok(None)
    })
    .await?;
    page.reach("[data-testid=account-use]").await?;
    page.type_keys(keys::ENTER).await?;
    page.until(&format!("{name} in use"), async |page| {
        let snapshot = page.call("app_snapshot", json!({})).await?;
        let rows = snapshot["accounts"]["rows"].as_array().context("no accounts")?;
        Ok(rows.iter().any(|row| row["source"] == name && row["inUse"] == true).then_some(()))
    })
    .await
}

async fn keep_a_view(page: &Page<'_>) -> Result<()> {
    page.type_keys("/").await?;
    page.reach("[data-testid=query-input]").await?;
    page.type_keys("platform:windows ").await?;
    page.text_until("[data-testid=result-count]", |text| text.contains("match")).await?;
    page.reach("[data-testid=view-save]").await?;
    page.type_keys(keys::ENTER).await?;
    page.element("[data-testid=name-input]").await?;
    page.type_keys(&format!("Windows{}", keys::ENTER)).await?;
    page.text_until("[data-testid=view-menu]", |text| text.contains("Windows")).await.map(drop)
}

async fn change_the_tier(page: &Page<'_>) -> Result<()> {
    page.reach("[data-testid=tier-review]").await?;
    page.type_keys(keys::ENTER).await?;
    page.element("[data-testid=tier-dialog]").await?;
    page.reach("[data-testid=tier-change]").await?;
    page.type_keys(keys::ENTER).await?;
    page.element("[data-testid=tier-settled]").await?;
    page.type_keys(keys::ESCAPE).await?;
    page.gone("[data-testid=tier-banner]").await
}

/// Filters by the name, and opens a shell on the only row.
async fn shell_on(page: &Page<'_>, name: &str) -> Result<String> {
    ask(page, &format!("name:{name} ")).await?;
    page.text_until("[data-testid=result-count]", |text| text.starts_with("1 ")).await?;
    page.text_until("[data-testid=node-row]", |text| text.contains(name)).await?;
    page.reach("[data-testid=node-table]").await?;
    page.type_keys(keys::HOME).await?;
    page.element("[data-testid=node-row][aria-selected=true]").await?;
    page.type_keys(keys::ENTER).await?;
    front_shell(page).await
}

/// Another query in place of the one that is there.
async fn ask(page: &Page<'_>, query: &str) -> Result<()> {
    page.type_keys("/").await?;
    page.reach("[data-testid=query-input]").await?;
    // The chip of an earlier query is selected first and then taken away.
    page.type_keys(&keys::BACKSPACE.repeat(6)).await?;
    page.type_keys(query).await
}

/// Leaves the shell in front, chooses nodes with Shift and Ctrl, copies their ids and lets them go.
async fn choose_several(page: &Page<'_>) -> Result<()> {
    let chord = format!("{}{}1{}", keys::ALT, keys::SHIFT, keys::RELEASE);
    page.type_keys(&chord).await?;
    page.element("[data-testid=rail-fleet][aria-current=page]").await?;
    ask(page, "platform:windows ").await?;
    page.text_until("[data-testid=result-count]", |text| text.contains("match")).await?;
    page.reach("[data-testid=node-table]").await?;
    page.type_keys(keys::HOME).await?;
    page.element("[data-testid=node-row][data-index='0'][aria-selected=true]").await?;
    for chosen in ["2", "3"] {
        page.type_keys(&format!("{}{}{}", keys::SHIFT, keys::DOWN, keys::RELEASE)).await?;
        page.text_until("[data-testid=choice-count]", |text| text.starts_with(chosen)).await?;
    }
    page.type_keys(&format!("{}{}{}", keys::SHIFT, keys::UP, keys::RELEASE)).await?;
    page.text_until("[data-testid=choice-count]", |text| text.starts_with('2')).await?;
    page.type_keys(&format!("{}c{}", keys::CONTROL, keys::RELEASE)).await?;
    page.text_until("[data-testid=polite]", |text| text.contains("Copied 2 node IDs")).await?;
    page.pictures("keyboard-chosen").await?;
    page.reach("[data-testid=choice-more]").await?;
    page.type_keys(keys::ENTER).await?;
    page.element("[role=menu]").await?;
    page.type_keys(keys::ESCAPE).await?;
    page.reach("[data-testid=choice-none]").await?;
    page.type_keys(keys::ENTER).await?;
    page.gone("[data-testid=choice-bar]").await
}

/// A refused start shows its panel; once the policy is mended, the panel's own button opens the shell.
async fn mend_a_refusal(page: &Page<'_>, simulator: &Simulator) -> Result<()> {
    let control = simulator.control();
    let node = control.node("pay-api-03").context("the demo has this node")?;
    let policies = AccountPolicies::none().with_identity(LISTING)?;
    control.set_policies(&node.account, Some(policies.clone()))?;
    let tab = shell_on(page, "pay-api-03").await?;
    page.text_until("[data-testid=denied-sentence]", |text| text.contains("no identity policy allows it"))
        .await?;
    let statement = page.text("[data-testid=statement]").await?;
    control.set_policies(&node.account, Some(policies.with_identity(&statement)?))?;
    page.reach("[data-testid=check-again]").await?;
    page.type_keys(keys::ENTER).await?;
    page.row_until(&tab, "a prompt", |row| row.ends_with('$')).await?;
    let row: Value = tab_row(page, &tab).await?;
    ensure!(row["session"]["denied"].is_null(), "{row}");
    Ok(())
}
