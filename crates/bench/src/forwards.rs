//! The application with many saved forwards: what its start costs, what they cost while nobody uses them, and what those
//! under load reach.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::client::PLACE;
use crate::process;
use crate::world::{self, World};

/// How long any one step may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// Options of `forwards`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Saved forwards, all of them switched on.
    #[arg(long, default_value_t = 1000)]
    saved: usize,
    /// Those under load.
    #[arg(long, default_value_t = 200)]
    active: usize,
    /// Seconds of idling, and of load.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

pub(crate) async fn run(options: &Options) -> Result<()> {
    if options.active > options.saved {
        bail!("{} of {} forwards cannot be under load", options.active, options.saved);
    }
    let world = World::start(&world::Options::default()).await?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["client", "app", &options.saved.to_string()])
        .env(PLACE, world.told.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let pid = child.id().context("it has ended")?;
    let mut input = child.stdin.take().context("no input")?;
    let mut output = BufReader::new(child.stdout.take().context("no output")?).lines();
    let idle = Duration::from_secs(options.seconds);

    let started = told(&mut output).await?;
    say(&format!("{} saved forwards", options.saved), &format!("listed after {}", ms(&started["start_ms"])));
    rest(pid, idle, "switched off").await?;

    input.write_all(b"on\n").await?;
    let switched = told(&mut output).await?;
    let listening = switched["listening"].as_u64().unwrap_or_default();
    say("switched on", &format!("{listening} listen after {}", ms(&switched["switch_ms"])));
    rest(pid, idle, "listening, nobody connects").await?;

    let ports = ports(pid, options.active)?;
    let begun = Instant::now();
    for port in &ports {
        first_answer(*port).await.with_context(|| format!("port {port}"))?;
    }
    say(
        &format!("{} in use", ports.len()),
        &format!("first answers of all after {:.1} s", begun.elapsed().as_secs_f64()),
    );
    rest(pid, idle, "their sessions open, nobody asks").await?;
    let before = process::cpu(pid).unwrap_or_default();
    let begun = Instant::now();
    let report = wrk(&ports, options.seconds).await?;
    let used = process::cpu(pid).unwrap_or_default().saturating_sub(before);
    say("under wrk", &report);
    say(
        "",
        &format!(
            "{:.0} % of a core, {}",
            used.as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0,
            memory(pid)
        ),
    );
    drop(input);
    timeout(PATIENCE, child.wait()).await.context("the application did not end")??;
    world.stop().await?;
    Ok(())
}

async fn told(output: &mut Lines<BufReader<ChildStdout>>) -> Result<Value> {
    let line = timeout(PATIENCE, output.next_line()).await.context("the application hangs")??;
    Ok(serde_json::from_str(&line.context("the application ended")?)?)
}

fn ms(value: &Value) -> String {
    format!("{:.0} ms", value.as_f64().unwrap_or_default())
}

fn memory(pid: u32) -> String {
    process::resident(pid)
        .map_or_else(|| "no memory told".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6))
}

/// What a process uses while nothing happens.
async fn rest(pid: u32, time: Duration, what: &str) -> Result<()> {
    // What the step before set in motion comes to rest.
    sleep(Duration::from_secs(2)).await;
    let before = process::cpu(pid).context("processor time cannot be read here")?;
    sleep(time).await;
    let used = process::cpu(pid).context("it has ended")?.saturating_sub(before);
    let share = used.as_secs_f64() / time.as_secs_f64() * 100.0;
    say(what, &format!("{share:.2} % of a core, {}", memory(pid)));
    Ok(())
}

/// Ports of IPv4 loopback that a process listens on, as the kernel's tables tell.
fn ports(pid: u32, count: usize) -> Result<Vec<u16>> {
    let own: std::collections::BTreeSet<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))?
        .flatten()
        .filter_map(|file| std::fs::read_link(file.path()).ok()?.to_str().map(str::to_owned))
        .collect();
    let table = std::fs::read_to_string(format!("/proc/{pid}/net/tcp"))?;
    let port = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let listens = fields.get(3) == Some(&"0A") && own.contains(&format!("socket:[{}]", fields.get(9)?));
        listens.then(|| u16::from_str_radix(fields[1].split_once(':')?.1, 16).ok()).flatten()
    };
    let ports: Vec<u16> = table.lines().filter_map(port).take(count).collect();
    if ports.len() < count {
        bail!("it listens on {} ports only", ports.len());
    }
    Ok(ports)
}

/// One request through a forward, which opens its session.
async fn first_answer(port: u16) -> Result<()> {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await?;
        if !line.contains(" 200 ") {
            bail!("it answered {line:?}");
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, ask).await.context("no answer")?
}

/// One connection to each port, all at once.
async fn wrk(ports: &[u16], seconds: u64) -> Result<String> {
    let directory = tempfile::tempdir()?;
    let script = directory.path().join("ports.lua");
    let mut text = String::from("local ports = {");
    for port in ports {
        write!(text, "{port},")?;
    }
    text.push_str(
        "}\nlocal next = 0\nfunction setup(thread)\n  next = next + 1\n  \
         thread.addr = wrk.lookup('127.0.0.1', tostring(ports[next]))[1]\nend\n",
    );
    std::fs::write(&script, text)?;
    let count = ports.len().to_string();
    let first = ports.first().context("no ports")?;
    let output = Command::new("wrk")
        .args(["-t", &count, "-c", &count, "-d", &seconds.to_string(), "--timeout", "30", "-s"])
        .arg(&script)
        .arg(format!("http://127.0.0.1:{first}/"))
        .output()
        .await
        .context("starting wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |what: &str| {
        text.lines().find(|line| line.contains(what)).map(str::trim).unwrap_or_default().to_owned()
    };
    if !output.status.success() || text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("wrk: {text}{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(format!("{}, {}", line("requests in"), line("Requests/sec:")))
}

#[expect(clippy::print_stdout, reason = "the result")]
fn say(what: &str, how: &str) {
    println!("{what:<36} {how}");
}
