//! Port sessions with real servers on loopback, over the gateway's WebSocket with the client's protocol machine.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{Moment, MuxConfig, MuxEvent, MuxSession, MuxStreamId};
use fleetline_simulator::{PortErrorOrder, PortRoute, PortTarget, Simulator, SimulatorConfig};
use serde_json::{Value, json};
use support::channel::Client;
use support::{Signer, account, simulator, ssm_error, ssm_ok};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const NODE: &str = "pay-api-03";

fn request(simulator: &Simulator, document: &str, parameters: &Value) -> (Signer, Value) {
    let node = simulator.control().node(NODE).unwrap();
    let signer = Signer::new(&account(simulator, &node.account), &node.region, "ssm");
    (signer, json!({ "Target": node.id, "DocumentName": document, "Parameters": parameters }))
}

async fn open(simulator: &Simulator, document: &str, parameters: &Value) -> Client {
    let (signer, body) = request(simulator, document, parameters);
    let answer = ssm_ok(simulator, &signer, "StartSession", &body).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    client
}

/// A server that serves each connection with `serve` in a task of its own; its port.
async fn server<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    port
}

async fn echo(mut stream: TcpStream) {
    let (mut reader, mut writer) = stream.split();
    tokio::io::copy(&mut reader, &mut writer).await.ok();
}

/// Greets, echoes one read with a mark, and closes.
async fn one_answer(mut stream: TcpStream) {
    stream.write_all(b"hello ").await.ok();
    let mut said = [0; 64];
    if let Ok(count) = stream.read(&mut said).await {
        stream.write_all(&said[..count]).await.ok();
        stream.write_all(b"!").await.ok();
    }
}

/// A port where nothing listens.
async fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port().to_string()
}

/// The client's mux session over a data channel.
struct Mux {
    client: Client,
    mux: MuxSession,
    taken: usize,
    received: BTreeMap<MuxStreamId, Vec<u8>>,
    finished: Vec<MuxStreamId>,
}

impl Mux {
    async fn open(simulator: &Simulator, document: &str, parameters: &Value) -> Self {
        let mut client = open(simulator, document, parameters).await;
        client.until("start", |c| c.started).await;
        let mux = MuxSession::new(Moment::default(), MuxConfig::client());
        Self { client, mux, taken: 0, received: BTreeMap::new(), finished: Vec::new() }
    }

    async fn stream(&mut self, bytes: &[u8]) -> MuxStreamId {
        let id = self.mux.open(Moment::default()).unwrap();
        assert_eq!(self.mux.write(Moment::default(), id, bytes), Ok(bytes.len()));
        self.flush().await;
        id
    }

    async fn flush(&mut self) {
        while let Some(bytes) = self.mux.poll_transmit(Moment::default(), 1024) {
            self.client.send(&bytes).await;
        }
    }

    async fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let patience = async {
            loop {
                let output = Bytes::copy_from_slice(&self.client.output[self.taken..]);
                self.taken = self.client.output.len();
                self.mux.handle_bytes(Moment::default(), output);
                while let Some(event) = self.mux.poll_event() {
                    match event {
                        MuxEvent::Data { id, bytes } => {
                            self.received.entry(id).or_default().extend_from_slice(&bytes);
                            self.mux.consumed(Moment::default(), id, bytes.len());
                        }
                        MuxEvent::Finished { id, .. } => self.finished.push(id),
                        other => panic!("{other:?}"),
                    }
                }
                self.flush().await;
                if done(self) {
                    return;
                }
                self.client.step().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), patience).await.unwrap();
    }
}

fn with_route(order: PortErrorOrder, route: PortRoute) -> impl FnOnce(&mut SimulatorConfig) {
    move |config| {
        config.port_error_order = order;
        config.port_routes = vec![route];
    }
}

#[tokio::test]
async fn an_ssh_session_is_one_connection_and_ends_with_it() {
    let simulator = simulator(|_| {}).await;
    let port = server(one_answer).await;
    let mut client = open(&simulator, "AWS-StartSSHSession", &json!({ "portNumber": [port] })).await;
    client.until_output("hello ").await;
    assert_eq!(client.properties, json!({ "portNumber": port }), "no type");
    client.send(b"\n").await;
    client.until("the end", |c| c.closed.is_some()).await;
    assert_eq!(client.text(), "hello \n!", "a single line feed passes unchanged");
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_port_that_refuses_ends_a_session_of_one_connection_with_the_agents_words() {
    let simulator = simulator(|_| {}).await;
    let port = free_port().await;
    let mut client = open(&simulator, "AWS-StartSSHSession", &json!({ "portNumber": [port] })).await;
    client.until("the end", |c| c.closed.is_some()).await;
    let words = client.closed.unwrap().to_string();
    assert!(words.contains("Unable to connect to specified port: "), "{words}");
    assert!(words.contains("connection refused"), "{words}");
    simulator.shutdown().await;
}

#[tokio::test]
async fn every_mux_stream_is_a_connection_of_its_own() {
    let simulator = simulator(|_| {}).await;
    let port = server(echo).await;
    let document = "AWS-StartPortForwardingSession";
    let mut mux = Mux::open(&simulator, document, &json!({ "portNumber": [port] })).await;
    assert_eq!(mux.client.properties["type"], "LocalPortForwarding");
    let large = vec![b'x'; 20_000];
    let (a, b) = (mux.stream(b"one").await, mux.stream(&large).await);
    mux.until(|m| {
        m.received.get(&a).is_some_and(|r| r == b"one") && m.received.get(&b).is_some_and(|r| *r == large)
    })
    .await;
    mux.mux.finish(Moment::default(), a);
    mux.client.terminate().await;
    mux.client.until("the end", |c| c.closed.is_some()).await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_refused_target_is_told_by_flag_and_fin_in_either_order_and_closes_one_stream() {
    for order in [PortErrorOrder::FlagFirst, PortErrorOrder::FinFirst] {
        let good = server(echo).await.parse().unwrap();
        let route = |port, target| PortRoute {
            node: "*".to_owned(),
            host: "db.internal".to_owned(),
            port,
            target,
            delay: Duration::ZERO,
        };
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], good));
        let simulator = simulator(with_route(order, route(Some(5432), PortTarget::Refused))).await;
        let document = "AWS-StartPortForwardingSessionToRemoteHost";
        let parameters = json!({ "host": ["db.internal"], "portNumber": ["5432"] });
        let mut mux = Mux::open(&simulator, document, &parameters).await;
        let refused = mux.stream(b"x").await;
        mux.until(|m| m.finished == [refused] && m.client.flags == [3]).await;
        assert!(mux.client.closed.is_none(), "the session goes on");
        // The route is looked up once for each session, as the name is resolved once.
        simulator.control().add_port_route(route(None, PortTarget::Address(address))).unwrap();
        let mut other = Mux::open(&simulator, document, &parameters).await;
        let served = other.stream(b"y").await;
        other.until(|m| m.received.get(&served).is_some_and(|r| r == b"y")).await;
        simulator.shutdown().await;
    }
}

#[tokio::test]
async fn old_agents_carry_one_connection_and_dial_again_with_the_next_bytes() {
    let simulator = simulator(|_| {}).await;
    simulator.control().set_agent_version(NODE, "3.0.196.0").unwrap();
    let port = server(one_answer).await;
    let document = "AWS-StartPortForwardingSession";
    let mut client = open(&simulator, document, &json!({ "portNumber": [port] })).await;
    client.until_output("hello ").await;
    client.send(b"a").await;
    client.until_output("hello a!").await;
    assert!(client.closed.is_none(), "the server's end is not told");
    client.disconnect().await;
    client.send(b"b").await;
    client.until_output("hello a!hello b!").await;
    client.terminate().await;
    client.until("the end", |c| c.closed.is_some()).await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn hosts_beyond_the_node_exist_only_by_route_and_services_are_forbidden() {
    let simulator = simulator(|_| {}).await;
    let document = "AWS-StartPortForwardingSessionToRemoteHost";
    let mut mux =
        Mux::open(&simulator, document, &json!({ "host": ["example.com"], "portNumber": ["80"] })).await;
    let id = mux.stream(b"GET").await;
    mux.until(|m| m.finished == [id] && m.client.flags == [3]).await;
    let host = "169.254.169.254";
    let mut client = open(&simulator, document, &json!({ "host": [host], "portNumber": ["80"] })).await;
    client.until("the end", |c| c.closed.is_some()).await;
    let words = client.closed.unwrap().to_string();
    assert!(words.contains("Forwarding to IP address 169.254.169.254 is forbidden."), "{words}");
    simulator.shutdown().await;
}

#[tokio::test]
async fn parameters_are_judged_as_the_documents_say() {
    let simulator = simulator(|_| {}).await;
    for (document, parameters) in [
        ("AWS-StartSSHSession", json!({ "portNumber": ["0"] })),
        ("AWS-StartPortForwardingSession", json!({ "portNumber": ["65536"] })),
        ("AWS-StartPortForwardingSession", json!({ "host": ["x.internal"] })),
        ("AWS-StartPortForwardingSessionToRemoteHost", json!({ "portNumber": ["80"] })),
    ] {
        let (signer, body) = request(&simulator, document, &parameters);
        let (code, _) = ssm_error(&simulator, &signer, "StartSession", &body).await;
        assert_eq!(code, "InvalidParameters", "{document} {parameters}");
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn an_agent_version_that_is_set_is_listed_and_filtered_by() {
    let simulator = simulator(|_| {}).await;
    let node = simulator.control().node(NODE).unwrap();
    simulator.control().set_agent_version(NODE, "2.3.722.0").unwrap();
    let signer = Signer::new(&account(&simulator, &node.account), &node.region, "ssm");
    let filter = json!({ "Filters": [{ "Key": "AgentVersion", "Values": ["2.3.722.0"] }] });
    let answer = ssm_ok(&simulator, &signer, "DescribeInstanceInformation", &filter).await;
    let listed = answer["InstanceInformationList"].as_array().unwrap();
    assert_eq!(listed.len(), 1, "{answer}");
    assert_eq!(
        (&listed[0]["InstanceId"], &listed[0]["AgentVersion"]),
        (&json!(node.id), &json!("2.3.722.0"))
    );
    simulator.shutdown().await;
}
