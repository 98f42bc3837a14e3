//! CONNECT through an HTTP proxy (RFC 9110 9.3.6).

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

use super::error::DialError;
use super::proxy::Proxy;
use super::upgrade::printable;
use super::{ByteStream, Target};

/// Longest head of a proxy's answer.
const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// Asks the proxy for a tunnel to `target`. Nothing of what comes after the answer is taken.
pub(super) async fn open(
    stream: &mut Box<dyn ByteStream>,
    proxy: &Proxy,
    target: &Target,
) -> Result<(), DialError> {
    let place = format!("{}:{}", target.host, target.port);
    let mut request = Zeroizing::new(format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n"));
    if let Some(authorization) = proxy.authorization() {
        // Grown once, so that no copy of the credentials is left behind.
        let mut with = Zeroizing::new(String::with_capacity(request.len() + authorization.len() + 64));
        with.push_str(&request);
        with.push_str("Proxy-Authorization: ");
        with.push_str(&authorization);
        with.push_str("\r\n\r\n");
        request = with;
    } else {
        request.push_str("\r\n");
    }
    let broken = |message: String| DialError::ProxyBroken { proxy: proxy.to_string(), message };
    stream.write_all(request.as_bytes()).await.map_err(|error| broken(error.to_string()))?;
    stream.flush().await.map_err(|error| broken(error.to_string()))?;

    let mut head = Vec::new();
    loop {
        if stream.read_buf(&mut head).await.map_err(|error| broken(error.to_string()))? == 0 {
            return Err(broken("it closed the connection without an answer".to_owned()));
        }
        match read_head(&head).map_err(broken)? {
            Some(answer) if (200..300).contains(&answer.status) && answer.length == head.len() => {
                return Ok(());
            }
            Some(answer) if (200..300).contains(&answer.status) => {
                return Err(broken("it sent more than was asked for".to_owned()));
            }
            Some(answer) => {
                let body = head.get(answer.length..).unwrap_or_default();
                return Err(DialError::ProxyRefused {
                    proxy: proxy.to_string(),
                    host: target.name(),
                    status: answer.status,
                    had_credentials: proxy.has_credentials(),
                    offers: answer.offers,
                    reason: if answer.reason.is_empty() { printable(body) } else { answer.reason },
                });
            }
            None if head.len() > MAX_HEAD_BYTES => return Err(broken("its answer is too long".to_owned())),
            None => {}
        }
    }
}

struct Head {
    status: u16,
    reason: String,
    /// Names of the authentication schemes the proxy takes.
    offers: Vec<String>,
    length: usize,
}

/// The head of an answer; `None` while it is incomplete.
fn read_head(bytes: &[u8]) -> Result<Option<Head>, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(format!("its answer is not HTTP ({error})")),
    };
    let scheme = |value: &[u8]| printable(value).split(' ').next().map(str::to_owned);
    Ok(Some(Head {
        status: response.code.unwrap_or_default(),
        reason: printable(response.reason.unwrap_or_default().as_bytes()),
        offers: response
            .headers
            .iter()
            .filter(|header| header.name.eq_ignore_ascii_case("proxy-authenticate"))
            .filter_map(|header| scheme(header.value))
            .take(8)
            .collect(),
        length,
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::duplex;

    use super::*;
    use crate::dial::ProxyRules;
    use crate::ports::StreamUrl;

    fn proxy(address: &str) -> Arc<Proxy> {
        let rules = ProxyRules::default().overridden("test", address);
        rules.choose(true, "a.example", 443).expect("usable").expect("a proxy")
    }

    /// What the proxy was sent, and what came of its answer, given in pieces.
    async fn answered(address: &str, pieces: &[&str]) -> (String, Result<(), DialError>) {
        let (near, mut far) = duplex(64 * 1024);
        let pieces: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
        let server = tokio::spawn(async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                far.read_buf(&mut request).await.expect("request");
            }
            for piece in pieces {
                far.write_all(piece.as_bytes()).await.expect("answer");
                tokio::task::yield_now().await;
            }
            String::from_utf8(request).expect("text")
        });
        let target = Target::parse(&StreamUrl::new("wss://[2001:db8::1]/v1/data-channel/s")).expect("target");
        let mut stream: Box<dyn ByteStream> = Box::new(near);
        let outcome = open(&mut stream, &proxy(address), &target).await;
        drop(stream);
        (server.await.expect("server"), outcome)
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_by_host_and_port_with_the_credentials_of_the_address() {
        let (request, outcome) =
            answered("http://us%3Aer:pass@p:1", &["HTTP/1.1 200 Conn", "ection established\r\n\r", "\n"])
                .await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(
            request,
            "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\
             Proxy-Authorization: Basic dXM6ZXI6cGFzcw==\r\n\r\n"
        );
        let (request, outcome) = answered("p:1", &["HTTP/1.0 200\r\nvia: x\r\n\r\n"]).await;
        assert!(outcome.is_ok() && !request.contains("uthorization"), "{request}");
    }

    #[tokio::test]
    async fn a_refusal_names_the_proxy_the_host_and_what_it_wants() {
        let wants = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n\
                     proxy-authenticate: Basic realm=\"x\"\r\ncontent-length: 3\r\n\r\nno!";
        let (_, outcome) = answered("p:3128", &[wants]).await;
        let error = outcome.expect_err("refused");
        assert_eq!(
            error.to_string(),
            "The proxy p:3128 wants a user name and password (it offers Negotiate, Basic)"
        );
        assert!(error.is_settled() && error.is_about_proxy());
        let (_, outcome) = answered("http://me:canary@p:3128", &[wants]).await;
        let error = outcome.expect_err("refused");
        assert!(error.to_string().contains("does not accept the user name and password"), "{error}");
        assert!(!format!("{error:?} {error}").contains("canary"));
        let (_, outcome) = answered("p:3128", &["HTTP/1.1 403 Forbidden\r\n\r\n"]).await;
        let error = outcome.expect_err("refused").to_string();
        assert_eq!(
            error,
            "The proxy p:3128 refused a connection to [2001:db8::1] with HTTP status 403: Forbidden"
        );
    }

    #[tokio::test]
    async fn an_answer_that_is_no_tunnel_is_named() {
        let long = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(MAX_HEAD_BYTES + 10));
        for pieces in [
            &["SSH-2.0-OpenSSH_9.2\r\n"][..],
            &[],
            &["HTTP/1.1 200 OK\r\n\r\nsurplus"],
            &["HTTP/1.1 200 OK\r\n"],
            &[&long],
        ] {
            let (_, outcome) = answered("p:1", pieces).await;
            let error = outcome.expect_err("broken");
            assert!(matches!(error, DialError::ProxyBroken { .. }), "{pieces:?}: {error:?}");
        }
    }
}
