//! What passes between the program and the gateway, byte for byte.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The bytes of one connection: to the gateway, and from it.
type Recorded = Arc<Mutex<[Vec<u8>; 2]>>;

/// A relay in front of a gateway that keeps what it passes on.
pub(super) struct Tap {
    port: u16,
    connections: Arc<Mutex<Vec<Recorded>>>,
}

impl Tap {
    /// In front of the gateway at this address.
    pub(super) fn start(gateway: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::<Mutex<Vec<Recorded>>>::default();
        let keeps = Arc::clone(&connections);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = TcpStream::connect(&gateway).unwrap();
                let recorded = Recorded::default();
                keeps.lock().unwrap().push(Arc::clone(&recorded));
                for (way, from, to) in [(0, &near, &far), (1, &far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let recorded = Arc::clone(&recorded);
                    std::thread::spawn(move || {
                        pass(from, to, |bytes| {
                            recorded.lock().unwrap()[way].extend_from_slice(bytes);
                        })
                    });
                }
            }
        });
        Self { port, connections }
    }

    /// The variable that leads data channels through it.
    pub(super) fn variable(&self) -> (&'static str, String) {
        ("AWS_ENDPOINT_URL_SSMMESSAGES", format!("http://127.0.0.1:{}", self.port))
    }

    /// How many data channels were opened.
    pub(super) fn connections(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    /// Whether any message of any data channel held these bytes, to the gateway or from it.
    pub(super) fn saw(&self, bytes: &[u8]) -> [bool; 2] {
        let connections = self.connections.lock().unwrap();
        let saw = |way: usize| {
            connections.iter().any(|recorded| {
                let payloads = payloads(&recorded.lock().unwrap()[way]);
                payloads.windows(bytes.len()).any(|window| window == bytes)
            })
        };
        [saw(0), saw(1)]
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, record: impl Fn(&[u8])) {
    let mut piece = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        record(&piece[..read]);
        if to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    to.shutdown(std::net::Shutdown::Write).ok();
}

/// The payloads of a WebSocket's frames one after the other, unmasked, and the HTTP head before them (RFC 6455 5.2).
fn payloads(stream: &[u8]) -> Vec<u8> {
    let head = stream.windows(4).position(|window| window == b"\r\n\r\n").map_or(stream.len(), |at| at + 4);
    let (head, mut rest) = stream.split_at(head);
    let mut payloads = head.to_vec();
    while rest.len() >= 2 {
        let is_masked = rest[1] & 0x80 != 0;
        let (length, mut header) = match rest[1] & 0x7f {
            126 if rest.len() >= 4 => (u64::from(u16::from_be_bytes([rest[2], rest[3]])), 4),
            127 if rest.len() >= 10 => (u64::from_be_bytes(rest[2..10].try_into().unwrap()), 10),
            126 | 127 => break,
            short => (u64::from(short), 2),
        };
        let mut mask = [0; 4];
        if is_masked {
            let Some(key) = rest.get(header..header + 4) else { break };
            mask.copy_from_slice(key);
            header += 4;
        }
        let end = rest.len().min(header + usize::try_from(length).unwrap());
        payloads.extend(rest[header.min(end)..end].iter().enumerate().map(|(i, byte)| byte ^ mask[i % 4]));
        rest = &rest[end..];
    }
    payloads
}
