//! What the tests share: a small signer and HTTP client of their own, independent of the code under test, and a
//! client of the data channel.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    reason = "each test binary uses a part, and what fails here fails the test"
)]

pub mod channel;
pub mod names;

use std::fmt::Write as _;

use fleetline_simulator::{SimulatedAccount, Simulator, SimulatorConfig};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// A simulator with a small world and every policy of the demo off.
pub async fn simulator(change: impl FnOnce(&mut SimulatorConfig)) -> Simulator {
    let mut config = SimulatorConfig { demo_denials: false, ..SimulatorConfig::default() };
    change(&mut config);
    Simulator::start(config).await.unwrap()
}

/// The account of this name.
pub fn account(simulator: &Simulator, name: &str) -> SimulatedAccount {
    simulator.accounts().into_iter().find(|a| a.name == name).unwrap()
}

/// Host and port of an endpoint.
pub fn host(simulator: &Simulator) -> String {
    simulator.endpoint().trim_start_matches("http://").to_owned()
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// Who signs, for which service and Region.
#[derive(Clone, Debug)]
pub struct Signer {
    pub access_key: String,
    pub secret_key: String,
    pub token: Option<String>,
    pub region: String,
    pub service: String,
    /// Added to the clock, in seconds.
    pub skew_s: i64,
}

impl Signer {
    pub fn new(account: &SimulatedAccount, region: &str, service: &str) -> Self {
        Self {
            access_key: account.access_key_id.clone(),
            secret_key: account.secret_access_key.clone(),
            token: Some(account.session_token.clone()),
            region: region.to_owned(),
            service: service.to_owned(),
            skew_s: 0,
        }
    }

    /// The headers that sign a request without query or with one that is sorted and encoded already.
    pub fn sign(
        &self,
        method: &str,
        host: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> Vec<(String, String)> {
        let time = self.time();
        let mut headers = vec![("host".to_owned(), host.to_owned()), ("x-amz-date".to_owned(), time.clone())];
        if let Some(token) = &self.token {
            headers.push(("x-amz-security-token".to_owned(), token.clone()));
        }
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let mut canonical = format!("{method}\n{path}\n{query}\n");
        for (name, value) in &headers {
            writeln!(canonical, "{name}:{value}").unwrap();
        }
        write!(canonical, "\n{names}\n{}", hex::encode(Sha256::digest(body))).unwrap();
        let (scope, signature) = self.signature(&time, &canonical);
        headers.push((
            "authorization".to_owned(),
            format!(
                "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
                self.access_key
            ),
        ));
        headers
    }

    /// The query that signs a request without body for `expires_s` seconds; `query` comes after `X-Amz-` in order.
    pub fn presign(&self, method: &str, host: &str, path: &str, query: &str, expires_s: u32) -> String {
        let time = self.time();
        let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let scope = format!("{}/{}/{}/aws4_request", &time[..8], self.region, self.service);
        let signed = format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={time}&X-Amz-Expires={expires_s}\
             &X-Amz-Security-Token={}&X-Amz-SignedHeaders=host&{query}",
            encode(&format!("{}/{scope}", self.access_key)),
            encode(self.token.as_deref().unwrap_or_default()),
        );
        let hash = hex::encode(Sha256::digest(b""));
        let canonical = format!("{method}\n{path}\n{signed}\nhost:{host}\n\nhost\n{hash}");
        let (_, signature) = self.signature(&time, &canonical);
        format!("{signed}&X-Amz-Signature={signature}")
    }

    fn time(&self) -> String {
        let now = jiff::Timestamp::now().as_second() + self.skew_s;
        jiff::Timestamp::from_second(now).unwrap().strftime("%Y%m%dT%H%M%SZ").to_string()
    }

    /// Scope and signature of a canonical request.
    fn signature(&self, time: &str, canonical: &str) -> (String, String) {
        let date = &time[..8];
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let hash = hex::encode(Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hash}");
        let mut key = format!("AWS4{}", self.secret_key).into_bytes();
        for part in [date, &self.region, &self.service, "aws4_request", &to_sign] {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(part.as_bytes());
            key = mac.finalize().into_bytes().to_vec();
        }
        (scope, hex::encode(key))
    }
}

/// Sends one request on a connection of its own.
pub async fn send(
    host: &str,
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Answer {
    exchange(TcpStream::connect(host).await.unwrap(), host, method, target, headers, body).await
}

/// Sends one request on `stream` and reads until the other side closes it.
pub async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    host: &str,
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Answer {
    let mut head = format!("{method} {target} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| name == "host") {
        write!(head, "host: {host}\r\n").unwrap();
    }
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "content-length: {}\r\nconnection: close\r\n\r\n", body.len()).unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses a body may close before it has read all of it.
    stream.write_all(body).await.ok();
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).await.ok();
    let text = String::from_utf8_lossy(&raw).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer { status, headers, body: body.to_owned() }
}

/// A signed SSM call.
pub async fn ssm(simulator: &Simulator, signer: &Signer, operation: &str, body: &Value) -> Answer {
    let (host, body) = (host(simulator), body.to_string());
    let mut headers = signer.sign("POST", &host, "/", "", body.as_bytes());
    headers.push(("content-type".into(), "application/x-amz-json-1.1".into()));
    headers.push(("x-amz-target".into(), format!("AmazonSSM.{operation}")));
    send(&host, "POST", "/", &headers, body.as_bytes()).await
}

/// A signed SSM call that must succeed.
pub async fn ssm_ok(simulator: &Simulator, signer: &Signer, operation: &str, body: &Value) -> Value {
    let answer = ssm(simulator, signer, operation, body).await;
    assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
    answer.json()
}

/// Code and text of a signed SSM call that must fail.
pub async fn ssm_error(
    simulator: &Simulator,
    signer: &Signer,
    operation: &str,
    body: &Value,
) -> (String, String) {
    let answer = ssm(simulator, signer, operation, body).await;
    assert_eq!(answer.status, 400, "{operation}: {}", answer.body);
    assert!(answer.header("x-amzn-requestid").is_some_and(|id| id.len() == 36), "request id");
    let body = answer.json();
    (body["__type"].as_str().unwrap().to_owned(), body["message"].as_str().unwrap().to_owned())
}

/// A signed call in a query protocol.
pub async fn query(simulator: &Simulator, signer: &Signer, form: &str) -> Answer {
    let host = host(simulator);
    let mut headers = signer.sign("POST", &host, "/", "", form.as_bytes());
    headers.push(("content-type".into(), "application/x-www-form-urlencoded; charset=utf-8".into()));
    send(&host, "POST", "/", &headers, form.as_bytes()).await
}
