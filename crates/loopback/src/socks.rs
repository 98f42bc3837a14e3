//! The proxy's side of SOCKS5 (RFC 1928, RFC 1929), as a state machine: CONNECT to a name, an IPv4 or an IPv6 address.
//!
//! Names are not resolved here; they go to the node's side as they are. The driver feeds what the client sends,
//! writes what comes out, and reads no more after a [`Output::Connect`] until it has answered it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where a client wants to go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The host.
    pub host: DestinationHost,
    /// The port, not 0.
    pub port: u16,
}

/// The host of a destination.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DestinationHost {
    /// An address.
    Address(IpAddr),
    /// A name, 1 to 255 printable ASCII characters without spaces.
    Name(String),
}

impl std::fmt::Display for DestinationHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.host {
            DestinationHost::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

/// Why a destination is not reached; each has a reply code of its own in RFC 1928, section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unreachable {
    /// Anything else.
    Failure,
    /// A rule of this side forbids it.
    NotAllowed,
    /// Its network.
    Network,
    /// The host: no route, no name, no answer.
    Host,
    /// Nobody listens there.
    Refused,
    /// It took too long.
    TimedOut,
}

impl Unreachable {
    fn code(self) -> u8 {
        match self {
            Self::Failure => 1,
            Self::NotAllowed => 2,
            Self::Network => 3,
            Self::Host => 4,
            Self::Refused => 5,
            Self::TimedOut => 6,
        }
    }
}

/// Why a client is sent away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SocksError {
    /// It speaks SOCKS4.
    #[error("the program speaks SOCKS4; set it to SOCKS5")]
    Socks4,
    /// It takes this for an HTTP proxy, or for a web server.
    #[error("the program speaks HTTP; set it to use a SOCKS5 proxy")]
    Http,
    /// It speaks something else.
    #[error("the program does not speak SOCKS5")]
    NotSocks,
    /// It offers no way to sign in that is accepted here.
    #[error("the program offers no accepted way to sign in to the proxy")]
    NoMethod,
    /// Wrong user name or password.
    #[error("the program gave a wrong user name or password to the proxy")]
    WrongPassword,
    /// BIND or UDP ASSOCIATE, or an unknown command.
    #[error("the program asked for something other than a TCP connection (command {0})")]
    Command(u8),
    /// An unknown kind of address.
    #[error("the program named its destination in an unknown way (type {0})")]
    AddressType(u8),
    /// A destination that cannot be one.
    #[error("the program named no valid destination")]
    Destination,
    /// The destination was not reached, as the driver said.
    #[error("the destination could not be reached")]
    Unreachable(Unreachable),
    /// It ended before it said where to go.
    #[error("the program ended before it named a destination")]
    Cut,
}

/// What the driver does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Write this to the client.
    Send(Vec<u8>),
    /// Connect, then call [`Socks5::connected`] or [`Socks5::unreachable`].
    Connect(Destination),
    /// The negotiation is over: from here on bytes are copied both ways, these first towards the destination.
    Established(Vec<u8>),
    /// Close the connection after what was to be written.
    Close(SocksError),
}

/// A user name and a password a client must give. Compared in constant time; never shown.
#[derive(Clone)]
pub struct Credentials {
    user: Vec<u8>,
    password: Vec<u8>,
}

impl Credentials {
    /// `None` when one of them is empty or longer than 255 bytes, which the protocol cannot carry.
    pub fn new(user: &str, password: &str) -> Option<Self> {
        let fits = |text: &str| (1..=255).contains(&text.len());
        (fits(user) && fits(password)).then(|| Self { user: user.into(), password: password.into() })
    }

    fn fit(&self, user: &[u8], password: &[u8]) -> bool {
        same(&self.user, user) & same(&self.password, password)
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(..)")
    }
}

fn same(a: &[u8], b: &[u8]) -> bool {
    let different = a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && std::hint::black_box(different) == 0
}

/// One client's negotiation.
#[derive(Debug)]
pub struct Socks5 {
    state: State,
    credentials: Option<Credentials>,
    /// Bytes that were not understood yet. A whole message has at most 513.
    held: Vec<u8>,
    outputs: std::collections::VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Greeting,
    SignIn,
    Request,
    Connecting,
    Over,
}

const VERSION: u8 = 5;
const NO_SIGN_IN: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_FITS: u8 = 0xff;

impl Socks5 {
    /// A new client. With credentials it must sign in.
    pub fn new(credentials: Option<Credentials>) -> Self {
        Self {
            state: State::Greeting,
            credentials,
            held: Vec::new(),
            outputs: std::collections::VecDeque::new(),
        }
    }

    /// Takes what the client has sent.
    pub fn input(&mut self, bytes: &[u8]) {
        if self.state == State::Over {
            return;
        }
        self.held.extend_from_slice(bytes);
        while self.step() {}
    }

    /// The client has sent its last byte.
    pub fn finish(&mut self) {
        if !matches!(self.state, State::Over | State::Connecting) {
            self.close(SocksError::Cut);
        }
    }

    /// What to do next; `None`: nothing until there is more input.
    pub fn output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The destination is reached. `bound` is our end of that connection, where it is known.
    pub fn connected(&mut self, bound: Option<SocketAddr>) {
        if self.state == State::Connecting {
            self.state = State::Over;
            self.reply(0, bound);
            self.outputs.push_back(Output::Established(std::mem::take(&mut self.held)));
        }
    }

    /// The destination is not reached.
    pub fn unreachable(&mut self, why: Unreachable) {
        if self.state == State::Connecting {
            self.reply(why.code(), None);
            self.close(SocksError::Unreachable(why));
        }
    }

    /// Goes on by one message. `false` when it is not whole yet.
    fn step(&mut self) -> bool {
        let taken = match self.state {
            State::Greeting => self.greeting(),
            State::SignIn => self.sign_in(),
            State::Request => self.request(),
            State::Connecting | State::Over => None,
        };
        if self.state == State::Over {
            self.held.clear();
            return false;
        }
        taken.is_some_and(|taken| {
            self.held.drain(..taken);
            true
        })
    }

    fn greeting(&mut self) -> Option<usize> {
        let first = *self.held.first()?;
        if first != VERSION {
            self.close(match first {
                4 => SocksError::Socks4,
                b'A'..=b'Z' => SocksError::Http,
                _ => SocksError::NotSocks,
            });
            return None;
        }
        let count = usize::from(*self.held.get(1)?);
        let methods = self.held.get(2..2 + count)?;
        let wanted = if self.credentials.is_some() { PASSWORD } else { NO_SIGN_IN };
        if methods.contains(&wanted) {
            self.state = if wanted == PASSWORD { State::SignIn } else { State::Request };
            self.outputs.push_back(Output::Send(vec![VERSION, wanted]));
        } else {
            self.outputs.push_back(Output::Send(vec![VERSION, NONE_FITS]));
            self.close(SocksError::NoMethod);
        }
        Some(2 + count)
    }

    fn sign_in(&mut self) -> Option<usize> {
        let user_length = usize::from(*self.held.get(1)?);
        let user = self.held.get(2..2 + user_length)?;
        let at = 2 + user_length;
        let password_length = usize::from(*self.held.get(at)?);
        let password = self.held.get(at + 1..at + 1 + password_length)?;
        let fits = self.held.first() == Some(&1)
            && self.credentials.as_ref().is_some_and(|credentials| credentials.fit(user, password));
        self.outputs.push_back(Output::Send(vec![1, u8::from(!fits)]));
        if fits {
            self.state = State::Request;
        } else {
            self.close(SocksError::WrongPassword);
        }
        Some(at + 1 + password_length)
    }

    fn request(&mut self) -> Option<usize> {
        let head = self.held.get(..4)?;
        let (version, command, kind) = (head[0], head[1], head[3]);
        if version != VERSION {
            self.close(SocksError::NotSocks);
            return None;
        }
        // The command is judged first: a client that asks for UDP gives a useless address.
        if command != 1 {
            self.reply(7, None);
            self.close(SocksError::Command(command));
            return None;
        }
        let (host, at) = match kind {
            1 => {
                let octets: [u8; 4] = self.held.get(4..8)?.try_into().ok()?;
                (Some(DestinationHost::Address(Ipv4Addr::from(octets).into())), 8)
            }
            4 => {
                let octets: [u8; 16] = self.held.get(4..20)?.try_into().ok()?;
                (Some(DestinationHost::Address(Ipv6Addr::from(octets).into())), 20)
            }
            3 => {
                let length = usize::from(*self.held.get(4)?);
                let name = self.held.get(5..5 + length)?;
                (host_name(name), 5 + length)
            }
            kind => {
                self.reply(8, None);
                self.close(SocksError::AddressType(kind));
                return None;
            }
        };
        let port = u16::from_be_bytes(self.held.get(at..at + 2)?.try_into().ok()?);
        match host.filter(|_| port != 0) {
            Some(host) => {
                self.state = State::Connecting;
                self.outputs.push_back(Output::Connect(Destination { host, port }));
            }
            None => {
                self.reply(1, None);
                self.close(SocksError::Destination);
            }
        }
        Some(at + 2)
    }

    fn reply(&mut self, code: u8, bound: Option<SocketAddr>) {
        let bound = bound.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
        let mut reply = vec![VERSION, code, 0];
        match bound.ip() {
            IpAddr::V4(address) => {
                reply.push(1);
                reply.extend(address.octets());
            }
            IpAddr::V6(address) => {
                reply.push(4);
                reply.extend(address.octets());
            }
        }
        reply.extend(bound.port().to_be_bytes());
        self.outputs.push_back(Output::Send(reply));
    }

    fn close(&mut self, error: SocksError) {
        self.state = State::Over;
        self.outputs.push_back(Output::Close(error));
    }
}

/// A name goes into a parameter of a document, so it has only what names have. One that is an address is one.
fn host_name(bytes: &[u8]) -> Option<DestinationHost> {
    let fits = |b: &u8| b.is_ascii_alphanumeric() || b"-._:".contains(b);
    let text = std::str::from_utf8(bytes).ok()?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(DestinationHost::Address(address));
    }
    let named = !text.is_empty() && !text.starts_with('-') && bytes.iter().all(fits) && !text.contains(':');
    named.then(|| DestinationHost::Name(text.to_owned()))
}

#[cfg(test)]
mod tests;
