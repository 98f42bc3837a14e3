//! Forwards: made, used over cut sockets, switched, moved to a free port, removed, and there in the next run.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::lab::{Lab, choose_every_account};
use crate::page::{Page, keys};
use crate::shell::open_shell;

/// Bytes sent there and back while sockets are cut.
const BYTES: usize = 2_000_000;
/// How much of them has come back when each cut is made.
const CUTS: [usize; 2] = [500_000, 1_400_000];
/// The node the forwards lead through; no other node's name contains it.
const NODE: &str = "pay-api-03";
/// The bundle they are in.
const BUNDLE: &str = "Payments prod";

#[tokio::test(flavor = "multi_thread")]
async fn forwards_work_in_the_real_window_and_are_there_in_the_next() -> Result<()> {
    let Some(lab) = Lab::open().await? else { return Ok(()) };
    let server = Echo::start().await?;
    let mut local = String::new();
    lab.run("forwards", async |page| {
        choose_every_account(page, &lab.simulator).await?;
        page.text_until("[data-testid=count-total]", |text| text.contains("1,284")).await?;
        let tab = open_shell(page, NODE).await?;
        page.row_until(&tab, "a prompt", |row| row.ends_with('$')).await?;
        page.click("[data-testid=rail-forwards]").await?;
        page.element("[data-testid=forwards-empty]").await?;
        page.pictures("forwards-empty").await?;
        let id = create_from_the_inspector(page, server.port).await?;
        carry_bytes_over_cuts(page, &lab, &id).await?;
        switch_off_and_on(page, &id).await?;
        local = meet_a_taken_port(page, &id).await?;
        let other = create(page, server.port).await?;
        ensure!(other != id, "the second forward has the first one's id");
        switch_the_bundle(page, &id, &other).await?;
        remove(page, &other).await?;
        row_until(page, &id, "listening", |row| row["state"]["state"] == "idle").await.map(drop)
    })
    .await?;
    lab.run("forwards-again", async |page| {
        open_again(page, &local).await?;
        page.click("[data-testid=rail-forwards]").await?;
        let id = only(page).await?;
        let row = row_until(page, &id, "listening, with its node", |row| {
            row["state"]["state"] == "idle" && row["nodeName"] == NODE
        })
        .await?;
        ensure!(row["local"] == local, "it listens elsewhere now: {row}");
        exchange(&row, b"after the restart").await?;
        explain_a_closed_destination(page, &id, server).await?;
        remove(page, &id).await?;
        page.element("[data-testid=forwards-empty]").await.map(drop)
    })
    .await?;
    lab.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn other_computers_get_in_only_by_a_typed_address_in_the_real_window() -> Result<()> {
    let Some(lab) = Lab::open().await? else { return Ok(()) };
    let server = Echo::start().await?;
    lab.run("expose", async |page| {
        choose_every_account(page, &lab.simulator).await?;
        page.text_until("[data-testid=count-total]", |text| text.contains("1,284")).await?;
        page.click("[data-testid=rail-forwards]").await?;
        page.element("[data-testid=forwards-empty]").await?;
        page.type_keys(&format!("{}n{}", keys::CONTROL, keys::RELEASE)).await?;
        page.element("[data-testid=forward-dialog]").await?;
        page.type_keys(NODE).await?;
        page.element("[data-testid=forward-dialog] [role=option]:only-child").await?;
        page.type_keys(keys::ENTER).await?;
        page.element("[data-testid=forward-port]").await?.type_keys(&server.port.to_string()).await?;
        page.click("[data-testid=forward-limits]").await?;
        page.element("[data-testid=forward-bind]").await?.type_keys("0.0.0.0").await?;
        page.type_keys(keys::ENTER).await?;
        page.element("[data-testid=expose-dialog]").await?;
        let id = only(page).await?;
        page.type_keys(&format!("127.0.0.1{}", keys::ENTER)).await?;
        page.element("[data-testid=expose-confirm]:disabled").await?;
        page.type_keys(&keys::BACKSPACE.repeat(9)).await?;
        page.type_keys(&format!("0.0.0.0{}", keys::ENTER)).await?;
        let row = row_until(page, &id, "listening", |row| row["state"]["state"] == "idle").await?;
        ensure!(row["local"].as_str().is_some_and(|local| local.starts_with("0.0.0.0:")), "{row}");
        let port = port_of(&row)?;
        exchange(&json!({ "local": format!("127.0.0.1:{port}") }), b"from near").await?;
        // The next start asks again, and says so in the row.
        page.type_keys(" ").await?;
        shown(page, &id, "off").await?;
        page.type_keys(" ").await?;
        page.element("[data-testid=expose-dialog]").await?;
        page.type_keys(keys::ESCAPE).await?;
        shown(page, &id, "exposes").await?;
        page.click("[data-testid=forward-expose]").await?;
        page.element("[data-testid=expose-dialog]").await.map(drop)
    })
    .await?;
    lab.close().await;
    Ok(())
}

/// The window asks before it opens again what was open; the forward listens where it did, and the shell is there.
async fn open_again(page: &Page<'_>, local: &str) -> Result<()> {
    let asked = page.text_until("[data-testid=restore-dialog]", |text| text.contains("1 shell")).await?;
    ensure!(asked.contains("1 forward") && asked.contains(NODE), "it does not say what was open: {asked}");
    let port: u16 = local.rsplit(':').next().context("no port")?.parse()?;
    ensure!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.is_ok(), "it listens before the answer");
    page.pictures("restore").await?;
    page.type_keys(keys::ENTER).await?;
    page.gone("[data-testid=restore-dialog]").await?;
    let tab = page
        .until("the shell's tab", async |page| {
            let mut snapshot = page.call("app_snapshot", json!({})).await?;
            let tabs = snapshot["tabs"].as_array_mut().context("no tabs")?;
            Ok(tabs
                .iter()
                .find(|tab| tab["title"] == NODE)
                .and_then(|tab| tab["id"].as_str().map(str::to_owned)))
        })
        .await?;
    page.row_until(&tab, "a prompt of the new session", |row| row.ends_with('$')).await.map(drop)
}

/// Makes a forward in a bundle from the inspector of its node. Returns its id.
async fn create_from_the_inspector(page: &Page<'_>, port: u16) -> Result<String> {
    page.section(1).await?;
    page.element("[data-testid=inspector-forward]").await?.type_keys(keys::ENTER).await?;
    page.element("[data-testid=forward-dialog]").await?;
    page.pictures("forward-dialog").await?;
    // The node is chosen already, so that the port is what comes first.
    page.type_keys(&port.to_string()).await?;
    page.element("[data-testid=forward-bundle]").await?.type_keys(BUNDLE).await?;
    page.type_keys(keys::ENTER).await?;
    created(page, 0).await
}

/// Waits until there are more forwards than `before`, and the last one listens and is selected. Returns its id.
async fn created(page: &Page<'_>, before: usize) -> Result<String> {
    let id = page
        .until("a new forward", async |page| {
            let rows = rows(page).await?;
            Ok((rows.len() > before)
                .then(|| rows.last().and_then(|row| row["id"].as_str().map(str::to_owned))))
        })
        .await?
        .context("the forward has no id")?;
    row_until(page, &id, "listening", |row| row["state"]["state"] == "idle").await?;
    page.element(&format!("[data-testid=forward][data-id='{id}'][aria-selected=true]")).await?;
    Ok(id)
}

/// Switches both forwards of the bundle off and on by its head.
async fn switch_the_bundle(page: &Page<'_>, first: &str, second: &str) -> Result<()> {
    let list = page.element("[data-testid=forward-list]").await?;
    for id in [first, second] {
        let row = row_until(page, id, "there", |_| true).await?;
        ensure!(row["spec"]["bundle"] == BUNDLE, "it is in another bundle: {row}");
    }
    // From a row to the head of its bundle, where the keys are for all of it.
    list.type_keys(keys::LEFT).await?;
    for (mark, state) in [("false", "off"), ("true", "idle")] {
        list.type_keys(" ").await?;
        page.element(&format!("[data-testid=bundle-switch][aria-checked={mark}]")).await?;
        shown(page, first, state).await?;
        shown(page, second, state).await?;
        if state == "off" {
            page.pictures("forwards-bundle-off").await?;
        }
    }
    // Back to the second forward.
    page.click(&format!("[data-testid=forward][data-id='{second}']")).await
}

/// Makes a forward to a port of the node with the keyboard alone. Returns its id.
async fn create(page: &Page<'_>, port: u16) -> Result<String> {
    let before = rows(page).await?.len();
    page.type_keys(&format!("{}n{}", keys::CONTROL, keys::RELEASE)).await?;
    page.element("[data-testid=forward-dialog]").await?;
    page.type_keys(NODE).await?;
    page.element("[data-testid=forward-dialog] [role=option]:only-child").await?;
    page.type_keys(keys::ENTER).await?;
    page.element("[data-testid=forward-port]").await?.type_keys(&port.to_string()).await?;
    page.type_keys(keys::ENTER).await?;
    created(page, before).await
}

async fn carry_bytes_over_cuts(page: &Page<'_>, lab: &Lab, id: &str) -> Result<()> {
    let row = row_until(page, id, "there", |_| true).await?;
    let (mut reader, mut writer) = connect(&row).await?.into_split();
    let sent: Vec<u8> = (0..BYTES).map(|at| (at * at / 7 + at / 251) as u8).collect();
    let copy = sent.clone();
    let writing = tokio::spawn(async move {
        writer.write_all(&copy).await?;
        Ok::<_, std::io::Error>(writer)
    });
    let mut back = Vec::with_capacity(BYTES);
    let mut cuts = CUTS.iter();
    let mut next = cuts.next();
    while back.len() < BYTES {
        ensure!(reader.read_buf(&mut back).await? > 0, "the connection ended after {} bytes", back.len());
        if next.is_some_and(|at| back.len() >= *at) {
            let cut = lab.simulator.control().cut_all_client_sockets().await;
            ensure!(cut > 0, "no socket was there to be cut");
            next = cuts.next();
        }
    }
    ensure!(back == sent, "the bytes came back changed");
    drop((writing.await??, reader));
    let detail = page
        .until("every byte counted", async |page| {
            let detail = page.call("forward_detail", json!({ "id": id })).await?;
            Ok((detail["bytesDown"] == BYTES as f64).then_some(detail))
        })
        .await?;
    ensure!(detail["lanes"][0]["resumes"].as_u64() >= Some(1), "no lane was resumed: {}", detail["lanes"]);
    the_chart_moves(page).await?;
    // The window says how often its lane came back.
    page.text_until("[data-testid=forward-inspector]", |text| text.contains("Resumed")).await?;
    Ok(())
}

/// What was carried stands in the chart of the last minute, and goes to the left from second to second.
async fn the_chart_moves(page: &Page<'_>) -> Result<()> {
    let peak = |points: &str| {
        let heights =
            points.split_whitespace().filter_map(|point| point.split_once(',')?.1.parse::<f64>().ok());
        let (floor, top) = (heights.clone().fold(0.0, f64::max), heights.fold(f64::MAX, f64::min));
        floor - top > 1.0
    };
    let first = page
        .until("bytes in the chart", async |page| Ok(Some(chart(page).await?).filter(|points| peak(points))))
        .await?;
    page.pictures("forwards").await?;
    page.until("a chart that moves", async |page| {
        let points = chart(page).await?;
        Ok((points != first && peak(&points)).then_some(()))
    })
    .await
}

/// The points of what came from the node in the last minute.
async fn chart(page: &Page<'_>) -> Result<String> {
    let script = "arguments[arguments.length - 1](\
        document.querySelector('[data-testid=forward-inspector] polyline.down')?.getAttribute('points') ?? '');";
    let points = page.0.execute(script, &[]).await?;
    Ok(points.as_str().unwrap_or_default().to_owned())
}

async fn switch_off_and_on(page: &Page<'_>, id: &str) -> Result<()> {
    page.type_keys(" ").await?;
    let row = row_until(page, id, "off", |row| row["state"]["state"] == "off").await?;
    shown(page, id, "off").await?;
    page.until("a closed port", async |_| Ok(connect(&row).await.is_err().then_some(()))).await?;
    page.type_keys(" ").await?;
    shown(page, id, "idle").await?;
    exchange(&row, b"on again").await
}

/// Another program takes the port while the forward is off. Returns where it listens in the end.
async fn meet_a_taken_port(page: &Page<'_>, id: &str) -> Result<String> {
    page.type_keys(" ").await?;
    shown(page, id, "off").await?;
    let row = row_until(page, id, "off", |row| row["state"]["state"] == "off").await?;
    let port = port_of(&row)?;
    let taken = page
        .until("the port free", async |_| Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.ok()))
        .await?;
    page.type_keys(" ").await?;
    shown(page, id, "port_in_use").await?;
    let cause = page.text("[data-testid=forward-cause]").await?;
    let holder = format!("Port {port} is held by {} (PID {}), yours.", own_name()?, std::process::id());
    ensure!(cause.contains(&holder), "it says {cause:?}, not {holder:?}");
    page.pictures("forwards-port-taken").await?;
    page.click("[data-testid=forward-use-port]").await?;
    shown(page, id, "idle").await?;
    let row = row_until(page, id, "listening", |row| row["state"]["state"] == "idle").await?;
    ensure!(port_of(&row)? != port, "it still has the taken port");
    exchange(&row, b"elsewhere").await?;
    drop(taken);
    Ok(row["local"].as_str().context("no local end")?.to_owned())
}

/// Removes the selected forward by key, and confirms by key.
async fn remove(page: &Page<'_>, id: &str) -> Result<()> {
    page.element("[data-testid=forward-list]").await?.type_keys(keys::DELETE).await?;
    page.element("[data-testid=remove-forward]").await?;
    page.type_keys(keys::TAB).await?;
    page.type_keys(keys::ENTER).await?;
    page.until("the forward gone", async |page| {
        Ok(rows(page).await?.iter().all(|row| row["id"] != id).then_some(()))
    })
    .await
}

async fn explain_a_closed_destination(page: &Page<'_>, id: &str, server: Echo) -> Result<()> {
    let port = server.port;
    server.stop().await;
    page.click(&format!("[data-testid=forward][data-id='{id}']")).await?;
    // The last connection still waits for what the server may have to say.
    page.element("[data-testid=forward-close-all]").await?.type_keys(keys::ENTER).await?;
    let row = row_until(page, id, "without connections", |row| row["connections"] == 0).await?;
    let mut refused = connect(&row).await?;
    refused.write_all(b"anybody there?").await?;
    shown(page, id, "failed").await?;
    let cause = page.text("[data-testid=forward-cause]").await?;
    let expected = format!("Nothing listens on port {port} of {NODE}");
    ensure!(cause.contains(&expected), "it says {cause:?}, not {expected:?}");
    page.pictures("forwards-failed").await
}

/// Waits until the window shows the row in a state.
async fn shown(page: &Page<'_>, id: &str, state: &str) -> Result<()> {
    page.element(&format!("[data-testid=forward][data-id='{id}'][data-state={state}]")).await.map(drop)
}

async fn rows(page: &Page<'_>) -> Result<Vec<Value>> {
    let mut snapshot = page.call("app_snapshot", json!({})).await?;
    Ok(serde_json::from_value(snapshot["forwards"]["rows"].take())?)
}

/// The id of the only forward there is.
async fn only(page: &Page<'_>) -> Result<String> {
    page.until("one forward", async |page| {
        let rows = rows(page).await?;
        let [row] = rows.as_slice() else { return Ok(None) };
        Ok(row["id"].as_str().map(str::to_owned))
    })
    .await
}

pub(crate) async fn row_until(
    page: &Page<'_>,
    id: &str,
    what: &str,
    accept: impl Fn(&Value) -> bool,
) -> Result<Value> {
    page.until(&format!("the forward {what}"), async |page| {
        Ok(rows(page).await?.into_iter().find(|row| row["id"] == id && accept(row)))
    })
    .await
}

fn port_of(row: &Value) -> Result<u16> {
    let port = row["local"].as_str().and_then(|local| local.rsplit(':').next());
    Ok(port.context("no local end")?.parse()?)
}

pub(crate) async fn connect(row: &Value) -> Result<TcpStream> {
    Ok(TcpStream::connect(row["local"].as_str().context("no local end")?).await?)
}

pub(crate) async fn exchange(row: &Value, bytes: &[u8]) -> Result<()> {
    talk(&mut connect(row).await?, bytes).await
}

/// Sends bytes and waits for them to come back.
pub(crate) async fn talk(stream: &mut TcpStream, bytes: &[u8]) -> Result<()> {
    stream.write_all(bytes).await?;
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).await?;
    ensure!(back == bytes, "the bytes came back changed");
    Ok(())
}

/// The name of this program's file.
fn own_name() -> Result<String> {
    let file = std::env::current_exe()?;
    Ok(file.file_name().context("no file name")?.to_string_lossy().into_owned())
}

/// A server that sends back what it receives.
pub(crate) struct Echo {
    pub(crate) port: u16,
    task: JoinHandle<()>,
}

impl Echo {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut reader, mut writer) = stream.split();
                    tokio::io::copy(&mut reader, &mut writer).await.ok();
                });
            }
        });
        Ok(Self { port, task })
    }

    /// Closes the port.
    async fn stop(self) {
        self.task.abort();
        // Ends with the cancellation that was just asked for.
        self.task.await.ok();
    }
}
