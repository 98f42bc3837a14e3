//! Forwards of every state a person meets, with traffic through some of them.

use std::net::Ipv4Addr;
use std::time::Duration;

use fleetline_ipc::fleet::NodeRow;
use fleetline_ipc::forward::{
    ForwardGuard, ForwardKind, ForwardLimits, ForwardRow, ForwardSpec, ForwardStart, ForwardState,
};
use tauri::Runtime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Smoke, SmokeError, refused};

/// How often a connection sends, and how much at most.
const BEAT: Duration = Duration::from_millis(50);
const BURST: usize = 8 * 1024;
/// Seconds of traffic that the chart shows.
const SECONDS: usize = 8;

/// What runs beside the window while it is looked at.
pub(super) struct Traffic {
    tasks: JoinSet<()>,
    /// Has the port that a forward wants.
    _taken: TcpListener,
}

impl Traffic {
    pub(super) async fn end(mut self) {
        self.tasks.shutdown().await;
    }
}

impl<R: Runtime> Smoke<R> {
    /// Shows the forwards page with forwards of every state.
    pub(super) async fn forwards(&mut self, node: &NodeRow) -> Result<Traffic, SmokeError> {
        let mut tasks = JoinSet::new();
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = server.local_addr()?.port();
        tasks.spawn(serve(server));
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let closed = {
            // Nothing listens there once this is dropped.
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            listener.local_addr()?.port()
        };
        let base = ForwardSpec {
            name: String::new(),
            kind: ForwardKind::Port,
            bundle: Some("Payments prod".to_owned()),
            node_key: node.key.clone(),
            host: None,
            port: Some(port),
            local_port: 0,
            bind: None,
            socket: None,
            lanes: 4,
            start: ForwardStart::OnDemand,
            favourite: false,
            limits: ForwardLimits::default(),
            guard: ForwardGuard::Auto,
        };
        let named = |name: &str| ForwardSpec { name: name.to_owned(), ..base.clone() };
        let host = |name: &str, port: u16| ForwardSpec {
            kind: ForwardKind::RemoteHost,
            host: Some("localhost".to_owned()),
            port: Some(port),
            ..named(name)
        };
        let alone = |spec: ForwardSpec| ForwardSpec { bundle: None, ..spec };
        let busy = self.forward(ForwardSpec { favourite: true, ..host("Ledger database", port) }).await?;
        let calm = self.forward(named("Ledger reports")).await?;
        let refuses = self.forward(host("Ledger cache", closed)).await?;
        self.forward(named("Metrics")).await?;
        let off = self
            .forward(ForwardSpec { bundle: Some("Plants EU".to_owned()), ..named("OPC UA gateway") })
            .await?;
        self.forward(ForwardSpec {
            bundle: Some("Plants EU".to_owned()),
            limits: ForwardLimits { time_limit_minutes: 120, ..ForwardLimits::default() },
            ..host("HMI line 3", port)
        })
        .await?;
        let local_port = taken.local_addr()?.port();
        self.forward(alone(ForwardSpec { local_port, ..named("Local Postgres") })).await?;
        let switched = self.fleetline.forward_switch(off.id, false).await;
        switched.map_err(|problem| refused("switching a forward off", problem))?;

        for (row, connections) in [(&busy, 12), (&calm, 2)] {
            for number in 0..connections {
                tasks.spawn(send(row.local.clone(), BURST / (number + 1)));
            }
        }
        let mut stream = TcpStream::connect(&refuses.local).await?;
        stream.write_all(b"anybody there?").await?;
        self.state_of(&refuses.id, "being refused", |row| matches!(row.state, ForwardState::Failed { .. }))
            .await?;
        self.state_of(&busy.id, "carrying bytes", |row| row.recent_down.len() >= SECONDS).await?;

        self.is_true("document.querySelector('[data-testid=rail-forwards]').click(); true").await?;
        let selected = format!("document.querySelector('#forward-{}')?.click(); true", busy.id);
        self.shown("showing the forwards", "document.querySelector('[data-testid=forward-cause]') !== null")
            .await?;
        self.is_true(&selected).await?;
        self.shown("showing the connections", "document.querySelectorAll('.cn').length > 8").await?;
        self.painted().await?;
        Ok(Traffic { tasks, _taken: taken })
    }

    async fn forward(&self, spec: ForwardSpec) -> Result<ForwardRow, SmokeError> {
        let made = self.fleetline.forward_create(spec).await;
        made.map_err(|problem| refused("making a forward", problem))
    }

    async fn state_of(
        &mut self,
        id: &str,
        what: &'static str,
        wanted: fn(&ForwardRow) -> bool,
    ) -> Result<(), SmokeError> {
        let (fleetline, id) = (self.fleetline.clone(), id.to_owned());
        self.until(what, async move || {
            let rows = fleetline.app_snapshot().await.ok()?.forwards.rows;
            rows.iter().any(|one| one.id == id && wanted(one)).then_some(Ok(()))
        })
        .await
    }
}

/// Sends four times as much as it receives, as databases do.
async fn serve(listener: TcpListener) {
    let mut connections = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        connections.spawn(async move {
            let (mut question, answer) = (vec![0; BURST], vec![b'.'; BURST * 4]);
            while let Ok(read @ 1..) = stream.read(&mut question).await {
                if stream.write_all(&answer[..read * 4]).await.is_err() {
                    return;
                }
            }
        });
    }
}

/// Asks in waves until it is stopped.
async fn send(to: String, most: usize) {
    let Ok(stream) = TcpStream::connect(to).await else { return };
    let (mut reader, mut writer) = stream.into_split();
    let question = vec![b'?'; most];
    let asking = async {
        for beat in 0_u32.. {
            let wave = 0.6 + 0.4 * (f64::from(beat) / 20.0).sin();
            let length = (most as f64 * wave) as usize;
            if writer.write_all(&question[..length]).await.is_err() {
                return;
            }
            sleep(BEAT).await;
        }
    };
    let mut answer = vec![0; BURST];
    let reading = async { while matches!(reader.read(&mut answer).await, Ok(1..)) {} };
    tokio::join!(asking, reading);
}
