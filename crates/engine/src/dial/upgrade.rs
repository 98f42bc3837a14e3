//! The WebSocket upgrade.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Request};
use tokio::time::timeout;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::{ByteStream, DataSocket, DialError, DialStep};
use crate::ports::{SignedHeader, StreamUrl};

/// Agents send messages of about 1 KiB; other implementations were seen to take 32 KiB (protocol.md 6.4).
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;
const BUFFER_BYTES: usize = 32 * 1024;
const MAX_BODY_BYTES: usize = 1024;

/// The upgrade request: `url` verbatim, the headers of RFC 6455, and the signature.
pub(super) fn request(url: &StreamUrl, headers: &[SignedHeader]) -> Result<Request<()>, DialError> {
    let mut request = url
        .expose()
        .into_client_request()
        .map_err(|_| DialError::BadUrl { problem: "it is not a WebSocket URL" })?;
    for header in headers {
        let name = HeaderName::from_bytes(header.name.as_bytes())
            .map_err(|_| DialError::BadUrl { problem: "its signature has an invalid header name" })?;
        let mut value = HeaderValue::from_str(&header.value)
            .map_err(|_| DialError::BadUrl { problem: "its signature has an invalid header value" })?;
        value.set_sensitive(true);
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

pub(super) async fn upgrade(
    request: Request<()>,
    stream: Box<dyn ByteStream>,
    deadline: Duration,
) -> Result<DataSocket, DialError> {
    let host = request.uri().host().unwrap_or("the gateway").to_owned();
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    match timeout(deadline, client_async_with_config(request, stream, Some(config))).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(answer))) => Err(DialError::Upgrade {
            status: answer.status().as_u16(),
            body: printable(answer.body().as_deref().unwrap_or_default()),
        }),
        Ok(Err(error)) => Err(DialError::UpgradeBroken { message: error.to_string() }),
        Err(_) => Err(DialError::Timeout { host, step: DialStep::Upgrade }),
    }
}

/// The first KiB as text that can be shown on one line.
pub(super) fn printable(body: &[u8]) -> String {
    let body = &body[..body.len().min(MAX_BODY_BYTES)];
    let text: String =
        String::from_utf8_lossy(body).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use zeroize::Zeroizing;

    use super::*;

    async fn answer_with(answer: &str) -> Result<DataSocket, DialError> {
        let (near, mut far) = duplex(64 * 1024);
        let url = StreamUrl::new("ws://127.0.0.1/v1/data-channel/s?role=publish_subscribe");
        let header = SignedHeader { name: "authorization".into(), value: Zeroizing::new("AWS4 x".into()) };
        let request = request(&url, &[header]).expect("request");
        let answer = answer.to_owned();
        let server = tokio::spawn(async move {
            let mut head = vec![0; 4096];
            let length = far.read(&mut head).await.expect("request");
            far.write_all(answer.as_bytes()).await.expect("answer");
            String::from_utf8_lossy(&head[..length]).to_ascii_lowercase()
        });
        let outcome = upgrade(request, Box::new(near), Duration::from_secs(5)).await;
        let head = server.await.expect("server");
        assert!(head.starts_with("get /v1/data-channel/s?role=publish_subscribe http/1.1\r\n"), "{head}");
        assert!(head.contains("\r\nauthorization: aws4 x\r\n"), "{head}");
        outcome
    }

    #[tokio::test]
    async fn a_refusal_carries_status_and_the_start_of_the_body() {
        let body = format!("denied\n{}", "x".repeat(4000));
        let answer = format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let error = answer_with(&answer).await.err().expect("refused");
        let DialError::Upgrade { status: 403, body } = &error else { panic!("{error:?}") };
        assert!(body.starts_with("denied xxx") && body.len() <= MAX_BODY_BYTES, "{}", body.len());
        assert!(error.is_refusal());
    }

    #[tokio::test]
    async fn garbage_is_not_a_websocket() {
        let error = answer_with("SSH-2.0-OpenSSH_9.2\r\n\r\n").await.err().expect("refused");
        assert!(matches!(error, DialError::UpgradeBroken { .. }), "{error:?}");
    }
}
