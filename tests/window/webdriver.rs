//! The part of the W3C WebDriver protocol this test needs, over one HTTP connection per call.

use anyhow::{Context as _, Result, bail};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::page::PATIENCE;

/// Name of the member that holds an element's reference, fixed by the standard.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A WebDriver session.
pub(crate) struct Session {
    port: u16,
    id: String,
}

/// An element of the page.
pub(crate) struct Element<'a> {
    session: &'a Session,
    reference: String,
}

impl Session {
    /// Asks the driver on a loopback port for a session with the capabilities.
    pub(crate) async fn open(port: u16, capabilities: Value) -> Result<Self> {
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let answer = request(port, Method::POST, "/session", Some(body)).await?;
        let id = answer["sessionId"].as_str().context("the driver gave no session id")?.to_owned();
        Ok(Self { port, id })
    }

    /// Ends the session and with it the app.
    pub(crate) async fn close(&self) -> Result<()> {
        request(self.port, Method::DELETE, &format!("/session/{}", self.id), None).await.map(drop)
    }

    /// The first element a CSS selector finds, if there is one.
    pub(crate) async fn find(&self, selector: &str) -> Result<Option<Element<'_>>> {
        let body = json!({ "using": "css selector", "value": selector });
        let found = self.post("elements", body).await?;
        let reference = found[0][ELEMENT].as_str().map(str::to_owned);
        Ok(reference.map(|reference| Element { session: self, reference }))
    }

    /// The element that has the focus.
    pub(crate) async fn focused(&self) -> Result<Element<'_>> {
        let found = request(self.port, Method::GET, &self.path("element/active"), None).await?;
        let reference = found[ELEMENT].as_str().context("nothing has the focus")?.to_owned();
        Ok(Element { session: self, reference })
    }

    /// Runs a function body in the page that calls its last argument when it is done.
    pub(crate) async fn execute(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.post("execute/async", json!({ "script": script, "args": arguments })).await
    }

    /// Moves and resizes the window, in CSS pixels.
    pub(crate) async fn set_size(&self, width: u32, height: u32) -> Result<()> {
        self.post("window/rect", json!({ "x": 0, "y": 0, "width": width, "height": height })).await.map(drop)
    }

    /// The page as a PNG in base64.
    pub(crate) async fn screenshot(&self) -> Result<String> {
        let picture = request(self.port, Method::GET, &self.path("screenshot"), None).await?;
        Ok(picture.as_str().context("no picture")?.to_owned())
    }

    fn path(&self, command: &str) -> String {
        format!("/session/{}/{command}", self.id)
    }

    async fn post(&self, command: &str, body: Value) -> Result<Value> {
        request(self.port, Method::POST, &self.path(command), Some(body)).await
    }
}

impl Element<'_> {
    /// Clicks its middle.
    pub(crate) async fn click(&self) -> Result<()> {
        self.command("click", json!({})).await
    }

    /// Focuses it and types; special keys are the private-use characters of the standard.
    pub(crate) async fn type_keys(&self, keys: &str) -> Result<()> {
        self.command("value", json!({ "text": keys })).await
    }

    async fn command(&self, name: &str, body: Value) -> Result<()> {
        self.session.post(&format!("element/{}/{name}", self.reference), body).await.map(drop)
    }
}

/// One call; the answer's `value`, or its error in words.
/// One call to the driver. A driver that does not answer is an error, so that a test says what it hangs at.
async fn request(port: u16, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
    let called = format!("{method} {path}");
    timeout(PATIENCE, ask(port, method, path, body))
        .await
        .with_context(|| format!("{called}: no answer in {} s", PATIENCE.as_secs()))?
}

async fn ask(port: u16, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
    let socket = TcpStream::connect(("127.0.0.1", port)).await.context("connecting to the driver")?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
    let connection = tokio::spawn(connection);
    let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", format!("127.0.0.1:{port}"))
        .header("content-type", "application/json")
        .header("content-length", body.len())
        .body(Full::new(body))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let bytes = response.into_body().collect().await?.to_bytes();
    connection.abort();
    let mut answer: Value = serde_json::from_slice(&bytes).with_context(|| format!("{path}: no JSON"))?;
    if !status.is_success() {
        bail!("{path}: {} {}", answer["value"]["error"], answer["value"]["message"]);
    }
    Ok(answer["value"].take())
}
