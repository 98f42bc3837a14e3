//! An agent that comes through the network, as the real one does (protocol.md 9): its tokens, its control channel, and
//! a session it runs for a client.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use fleetline_protocol::{
    AgentChannel, AgentConfig, AgentEvent, AgentMessage, AgentOutput, Flags, MessageId, MessageType, Moment,
    PayloadType, SessionId, StreamToken,
};
use fleetline_simulator::{SessionStatus, Simulator};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use support::channel::{Client, Socket, binary, dial};
use support::{Answer, Signer, account, host, send, simulator, ssm_error, ssm_ok};
use tokio_tungstenite::tungstenite::Message;

const REGION: &str = "eu-central-1";

/// What every token call carries.
fn request() -> Value {
    json!({ "MessageSchemaVersion": "1.0", "RequestId": "2f1f1c7e-5e68-4c1f-9d5c-a4bb8d2b9f6e" })
}

/// The node whose agent it is, and who it is to AWS.
struct Agent<'a> {
    simulator: &'a Simulator,
    signer: Signer,
    node: String,
}

impl<'a> Agent<'a> {
    fn of(simulator: &'a Simulator, node: &str) -> Self {
        let signer = Signer::new(&account(simulator, "payments-prod"), REGION, "ssmmessages");
        Self { simulator, signer, node: simulator.control().node(node).unwrap().id }
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        let (host, body) = (host(self.simulator), body.to_string());
        let headers = self.signer.sign("POST", &host, path, "", body.as_bytes());
        send(&host, "POST", path, &headers, body.as_bytes()).await
    }

    async fn token(&self, path: &str) -> String {
        let answer = self.post(path, &request()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let (_, rest) = answer.body.split_once("<TokenValue>").unwrap();
        rest.split_once("</TokenValue>").unwrap().0.to_owned()
    }

    async fn upgrade(&self, path: &str, query: &str) -> Socket {
        let headers = self.signer.sign("GET", &host(self.simulator), path, query, b"");
        dial(&format!("ws://{}{path}?{query}", host(self.simulator)), &headers).await.unwrap()
    }

    async fn control_channel(&self) -> Socket {
        let path = format!("/v1/control-channel/{}", self.node);
        let token = self.token(&path).await;
        let mut socket = self.upgrade(&path, "role=subscribe&stream=input").await;
        let open = json!({
            "Cookie": null, "MessageSchemaVersion": "1.0", "RequestId": "r", "TokenValue": token,
            "AgentVersion": "3.3.987.0", "PlatformType": "linux",
        });
        socket.send(Message::text(open.to_string())).await.unwrap();
        // Whoever answers this has taken the open message.
        socket.send(Message::Ping(Bytes::from_static(b"keepalive"))).await.unwrap();
        assert!(matches!(socket.next().await, Some(Ok(Message::Pong(_)))));
        socket
    }

    fn task_complete(&self, session_id: &str, output: &str, copy: u32) -> Bytes {
        let payload = json!({
            "SchemaVersion": 1, "TaskId": session_id, "Topic": "agent_task_complete",
            "FinalTaskStatus": "Success", "IsRoutingFailure": false, "AwsAccountId": "",
            "InstanceId": self.node, "Output": output, "S3Bucket": "", "S3UrlSuffix": "", "CwlGroup": "",
            "CwlStream": "", "RetryNumber": copy,
        });
        AgentMessage {
            message_type: MessageType::AgentTaskComplete,
            schema_version: 1,
            created_ms: 1_700_000_000_000,
            seq: 0,
            flags: Flags::NONE,
            // All copies have the same.
            id: MessageId::from_random([7; 16]),
            payload_type: PayloadType::Unset,
            payload: Bytes::from(payload.to_string()),
        }
        .encode()
    }
}

/// The agent's side of a session, whose program says back what it is told.
struct Echo {
    channel: AgentChannel,
    socket: Socket,
    began: Instant,
}

impl Echo {
    async fn open(agent: &Agent<'_>, session_id: &str) -> Self {
        let path = format!("/v1/data-channel/{session_id}");
        let token = StreamToken::new(agent.token(&path).await);
        let socket = agent.upgrade(&path, "role=publish_subscribe").await;
        let config = AgentConfig::new(agent.node.clone(), SessionId::new(session_id), [3; 32]);
        let mut echo = Self { channel: AgentChannel::new(config), socket, began: Instant::now() };
        let now = echo.now();
        echo.channel.socket_opened(now, &token);
        echo.channel.ready(now);
        // A session without a handshake begins with its first output.
        assert_eq!(echo.channel.send(now, PayloadType::Output, b"$ "), 2);
        echo.flush().await;
        echo
    }

    /// As after a loss of the connection: a new token and a new socket, and the session goes on.
    async fn reopen(&mut self, agent: &Agent<'_>, session_id: &str) {
        let now = self.now();
        self.channel.socket_closed(now);
        let path = format!("/v1/data-channel/{session_id}");
        let token = StreamToken::new(agent.token(&path).await);
        self.socket = agent.upgrade(&path, "role=publish_subscribe").await;
        self.channel.socket_opened(now, &token);
        self.flush().await;
    }

    fn now(&self) -> Moment {
        Moment::new(self.began.elapsed(), 1_700_000_000_000)
    }

    /// Runs until the session is ended from outside. Never, unless it is.
    async fn run(&mut self) {
        loop {
            let timer = self.channel.poll_timeout().map(|at| self.began + at);
            let sleep = async {
                match timer {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                message = self.socket.next() => {
                    if let Some(Ok(Message::Binary(frame))) = message {
                        let now = self.now();
                        self.channel.handle_binary(now, frame);
                    }
                }
                () = sleep => {
                    let now = self.now();
                    self.channel.handle_timeout(now);
                }
            }
            if self.flush().await {
                return;
            }
        }
    }

    /// Sends what there is to send; whether the session was ended.
    async fn flush(&mut self) -> bool {
        while let Some(output) = self.channel.poll_output() {
            match output {
                AgentOutput::Text(text) => self.socket.send(Message::text(text.as_str())).await.unwrap(),
                AgentOutput::Binary(frame) => self.socket.send(Message::Binary(frame)).await.unwrap(),
                AgentOutput::Event(AgentEvent::Data(bytes)) => {
                    let now = self.now();
                    assert_eq!(self.channel.send(now, PayloadType::Output, &bytes), bytes.len());
                    self.channel.consumed(now, bytes.len());
                }
                AgentOutput::Event(AgentEvent::Cancelled) => return true,
                AgentOutput::Event(_) => {}
            }
        }
        false
    }
}

/// Starts a session on the agent's node and gives the answer with what the agent was told of it.
async fn start(agent: &Agent<'_>, control: &mut Socket, request: Value) -> (Value, Value) {
    let user = Signer::new(&account(agent.simulator, "payments-prod"), REGION, "ssm");
    let mut request = request;
    request["Target"] = json!(agent.node);
    let answer = ssm_ok(agent.simulator, &user, "StartSession", &request).await;
    let message = AgentMessage::decode(binary(control).await).unwrap();
    assert_eq!(message.message_type, MessageType::InteractiveShell);
    let payload: Value = serde_json::from_slice(&message.payload).unwrap();
    assert_eq!(payload["TaskId"], answer["SessionId"]);
    (answer, serde_json::from_str(payload["Content"].as_str().unwrap()).unwrap())
}

#[tokio::test]
async fn tokens_of_agents_come_with_201_and_xml_and_other_answers_are_failures() {
    let simulator = simulator(|_| {}).await;
    let agent = Agent::of(&simulator, "pay-api-03");
    let path = format!("/v1/control-channel/{}", agent.node);
    let answer = agent.post(&path, &request()).await;
    assert_eq!(answer.status, 201);
    assert!(
        answer.body.contains("<MessageSchemaVersion>1.0</MessageSchemaVersion><TokenValue>"),
        "{}",
        answer.body
    );
    let unsigned = send(&host(&simulator), "POST", &path, &[], request().to_string().as_bytes()).await;
    assert_eq!(unsigned.status, 403, "{}", unsigned.body);
    let other = agent.post("/v1/control-channel/i-00000000000000000", &request()).await;
    assert_eq!(other.status, 403);
    assert!(other.body.contains("<AccessDeniedException>"), "{}", other.body);
    assert_eq!(agent.post(&path, &json!({})).await.status, 400);
    assert_eq!(agent.post("/v1/data-channel/nobody-0123", &request()).await.status, 403);

    // A token opens what it is for, once.
    let token = agent.token(&path).await;
    for expected in [true, false] {
        let mut socket = agent.upgrade(&path, "role=subscribe&stream=input").await;
        let open = json!({ "MessageSchemaVersion": "1.0", "RequestId": "r", "TokenValue": token });
        socket.send(Message::text(open.to_string())).await.unwrap();
        socket.send(Message::Ping(Bytes::from_static(b"keepalive"))).await.unwrap();
        let is_open = matches!(socket.next().await, Some(Ok(Message::Pong(_))))
            && tokio::time::timeout(Duration::from_millis(300), socket.next()).await.is_err();
        assert_eq!(is_open, expected);
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn an_agent_from_outside_runs_a_session_and_comes_back_after_a_loss() {
    let simulator = simulator(|_| {}).await;
    let agent = Agent::of(&simulator, "pay-api-03");
    let mut control = agent.control_channel().await;
    let user = Signer::new(&account(&simulator, "payments-prod"), REGION, "ssm");
    let one = json!({ "Filters": [{ "Key": "InstanceIds", "Values": [agent.node] }] });
    let listed = ssm_ok(&simulator, &user, "DescribeInstanceInformation", &one).await;
    assert_eq!(listed["InstanceInformationList"][0]["AgentVersion"], "3.3.987.0");
    let (answer, told) = start(&agent, &mut control, json!({})).await;
    assert_eq!(told["DocumentName"], "SSM-SessionManagerRunShell");
    assert_eq!(told["DocumentContent"]["sessionType"], "Standard_Stream");
    let session_id = answer["SessionId"].as_str().unwrap();
    let mut echo = Echo::open(&agent, session_id).await;
    let mut client = Client::new(None);
    client.open(&answer).await;
    let talk = async {
        client.send(b"first ").await;
        client.until_output("first ").await;
    };
    tokio::select! { () = talk => {}, () = echo.run() => panic!("the session was ended") }

    echo.reopen(&agent, session_id).await;
    let talk = async {
        client.send(b"second").await;
        client.until_output("first second").await;
    };
    tokio::select! { () = talk => {}, () = echo.run() => panic!("the session was ended") }
    assert_eq!(client.text(), "$ first second");

    // Ended by the user: the agent is told.
    let ended = json!({ "SessionId": session_id });
    tokio::join!(ssm_ok(&simulator, &user, "TerminateSession", &ended), echo.run());
    client.until("the end", |client| client.closed.is_some()).await;
    simulator.shutdown().await;
}

#[tokio::test]
async fn the_end_of_a_task_is_acknowledged_each_time_it_is_told_and_ends_the_session() {
    let simulator = simulator(|_| {}).await;
    let agent = Agent::of(&simulator, "pay-api-03");
    let mut control = agent.control_channel().await;
    let parameters = json!({ "command": ["top"] });
    let request = json!({ "DocumentName": "AWS-StartInteractiveCommand", "Parameters": parameters });
    let (answer, told) = start(&agent, &mut control, request).await;
    assert_eq!(told["Parameters"], json!({ "command": "top" }), "one text, as the document says");
    let session_id = answer["SessionId"].as_str().unwrap();
    let mut client = Client::new(None);
    client.open(&answer).await;
    for copy in 1..=3 {
        let complete = agent.task_complete(session_id, "The command could not be run.", copy);
        control.send(Message::Binary(complete)).await.unwrap();
        let message = AgentMessage::decode(binary(&mut control).await).unwrap();
        assert_eq!(message.message_type, MessageType::AgentTaskAcknowledge);
        let told: Value = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!((&told["TaskId"], &told["Topic"]), (&json!(session_id), &json!("agent_task_complete")));
        assert_eq!(told["MessageId"], json!(MessageId::from_random([7; 16]).to_string()));
    }
    client.until("the end", |client| client.closed.is_some()).await;
    let sessions = simulator.control().wait_for(|all| all[0].status.is_over()).await.unwrap();
    assert_eq!(
        (sessions[0].status, sessions[0].details.as_str()),
        (SessionStatus::Terminated, "The command could not be run.")
    );
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_worker_whose_session_is_over_is_told_to_give_up() {
    let simulator = simulator(|_| {}).await;
    let agent = Agent::of(&simulator, "pay-api-03");
    let mut control = agent.control_channel().await;
    let (answer, _) = start(&agent, &mut control, json!({})).await;
    let user = Signer::new(&account(&simulator, "payments-prod"), REGION, "ssm");
    let session_id = answer["SessionId"].as_str().unwrap();
    ssm_ok(&simulator, &user, "TerminateSession", &json!({ "SessionId": session_id })).await;
    simulator.control().wait_for(|all| all[0].status.is_over()).await.unwrap();
    let refused = agent.post(&format!("/v1/data-channel/{session_id}"), &request()).await;
    assert_ne!(refused.status, 201);
    // The text the real agent looks for (protocol.md 2.5).
    assert!(refused.body.contains("Session is already terminated"), "{}", refused.body);

    // Without its control channel nothing is heard of the node any more.
    control.close(None).await.unwrap();
    drop(control);
    let control = simulator.control();
    control.wait_for(|_| !control.node("pay-api-03").unwrap().online).await.unwrap();
    let (code, _) = ssm_error(&simulator, &user, "StartSession", &json!({ "Target": agent.node })).await;
    assert_eq!(code, "TargetNotConnected");
    simulator.shutdown().await;
}
