//! Where the browser comes back to: a listener on 127.0.0.1 for exactly one sign-in (SEC-25).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use url::Url;

use crate::pkce::Pkce;
use crate::secret::Secret;

/// Path of the callback.
const PATH: &str = "/oauth/callback";
/// Longest request head, in bytes; a code has a few hundred.
const HEAD_LIMIT: usize = 16 * 1024;
/// How long one connection may take to say what it wants. Browsers open connections they never use.
const PATIENCE: Duration = Duration::from_secs(5);

/// What went wrong on the way back.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// No port on this computer could be listened on.
    #[error("no port on this computer can be listened on: {0}")]
    Listen(io::Error),
    /// The service sent the browser back without a code, for this reason.
    #[error("the sign-in was refused: {0}")]
    Refused(String),
}

/// A listener that waits for one browser.
#[derive(Debug)]
pub struct Callback {
    listener: TcpListener,
    address: SocketAddr,
}

/// What a request turned out to be.
enum Request {
    /// The callback of this sign-in.
    Ours(Result<Secret, String>),
    /// Anything else.
    Other,
}

impl Callback {
    /// Listens on a free port of 127.0.0.1, and on no other address.
    ///
    /// # Errors
    /// If no port can be listened on.
    pub async fn listen() -> Result<Self, CallbackError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(CallbackError::Listen)?;
        let address = listener.local_addr().map_err(CallbackError::Listen)?;
        Ok(Self { listener, address })
    }

    /// The address the browser is sent back to.
    pub fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.address.port())
    }

    /// The address a client registers, without a port.
    pub fn registered_uri() -> String {
        format!("http://127.0.0.1{PATH}")
    }

    /// Waits for the callback of this sign-in. Other requests are answered with 404 and change nothing. The listener
    /// is gone afterwards.
    ///
    /// # Errors
    /// If the service sent the browser back without a code.
    pub async fn code(self, pkce: &Pkce) -> Result<Secret, CallbackError> {
        loop {
            let Ok((mut stream, _)) = self.listener.accept().await else {
                // Out of file descriptors, or the peer was gone already: others may come.
                tokio::task::yield_now().await;
                continue;
            };
            let Ok(Ok(request)) = timeout(PATIENCE, read(&mut stream, self.address, pkce)).await else {
                continue;
            };
            let (status, text) = match &request {
                Request::Ours(Ok(_)) => ("200 OK", "You are signed in. This page can be closed."),
                Request::Ours(Err(_)) => ("200 OK", "You are not signed in. This page can be closed."),
                Request::Other => ("404 Not Found", "There is nothing here."),
            };
            // The browser may have gone away; the code counts all the same.
            let _ = timeout(PATIENCE, answer(&mut stream, status, text)).await;
            match request {
                Request::Ours(Ok(code)) => return Ok(code),
                Request::Ours(Err(reason)) => return Err(CallbackError::Refused(reason)),
                Request::Other => {}
            }
        }
    }
}

async fn read(stream: &mut TcpStream, address: SocketAddr, pkce: &Pkce) -> io::Result<Request> {
    let mut head = zeroize::Zeroizing::new(Vec::with_capacity(HEAD_LIMIT));
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() >= HEAD_LIMIT {
            return Ok(Request::Other);
        }
        let mut part = [0; 2048];
        match stream.read(&mut part).await? {
            0 => return Ok(Request::Other),
            count => head.extend_from_slice(&part[..count]),
        }
    }
    Ok(classify(&String::from_utf8_lossy(&head), address, pkce))
}

fn classify(head: &str, address: SocketAddr, pkce: &Pkce) -> Request {
    let mut lines = head.split("\r\n");
    let target = match lines.next().map(|line| line.split(' ').collect::<Vec<_>>()).as_deref() {
        Some(["GET", target, version]) if version.starts_with("HTTP/1.") => (*target).to_owned(),
        _ => return Request::Other,
    };
    // A page whose name was made to point here names another host.
    let host = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim());
    if host != Some(address.to_string().as_str()) {
        return Request::Other;
    }
    let Ok(url) = Url::parse("http://127.0.0.1").and_then(|base| base.join(&target)) else {
        return Request::Other;
    };
    if url.path() != PATH || url.host_str() != Some("127.0.0.1") {
        return Request::Other;
    }
    let member = |name: &str| {
        let mut found = url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        match (found.next(), found.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    };
    if !member("state").is_some_and(|state| pkce.is_ours(&state)) {
        return Request::Other;
    }
    match (member("code").filter(|code| !code.is_empty()), member("error")) {
        (Some(code), None) => Request::Ours(Ok(Secret::new(code))),
        (_, error) => {
            let reason =
                member("error_description").or(error).unwrap_or_else(|| "no reason was given".to_owned());
            let plain: String = reason.chars().filter(|c| !c.is_control()).take(300).collect();
            Request::Ours(Err(plain))
        }
    }
}

/// The same page for everybody; nothing of the request is in it.
async fn answer(stream: &mut TcpStream, status: &str, text: &str) -> io::Result<()> {
    let page = format!("<!doctype html><meta charset=utf-8><title>Fleetline</title><p>{text}</p>");
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Content-Security-Policy: default-src 'none'\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n",
        page.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(page.as_bytes()).await?;
    stream.shutdown().await
}
