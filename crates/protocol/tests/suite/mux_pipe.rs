//! Two mux sessions over a pipe that cuts the bytes at random.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use fleetline_protocol::{Moment, MuxConfig, MuxEvent, MuxSession, MuxStreamId};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Sizes that fall on and beside the limits of messages, frames and budgets.
const SIZES: [usize; 8] = [0, 1, 1024, 1025, 4096, 4097, 32_768, 65_537];

/// One end with its readers and writers.
struct End {
    session: MuxSession,
    /// What is still to be written, and how far it is.
    writing: BTreeMap<MuxStreamId, (Vec<u8>, usize)>,
    received: BTreeMap<MuxStreamId, Vec<u8>>,
    /// Received and not consumed.
    waiting: BTreeMap<MuxStreamId, usize>,
    ended: BTreeMap<MuxStreamId, MuxEvent>,
    salt: u8,
}

fn now() -> Moment {
    Moment::new(Duration::from_secs(1), 0)
}

/// How much each side says on a stream.
fn size_on(id: MuxStreamId) -> usize {
    SIZES[id.0 as usize / 2 % SIZES.len()]
}

/// What one side says on a stream: different for every stream and side.
fn message(salt: u8, id: MuxStreamId) -> Vec<u8> {
    let mut rng = ChaCha12Rng::seed_from_u64(u64::from(id.0) << 8 | u64::from(salt));
    let mut bytes = vec![0; size_on(id)];
    rng.fill_bytes(&mut bytes);
    bytes
}

impl End {
    fn new(config: MuxConfig, salt: u8) -> Self {
        Self {
            session: MuxSession::new(now(), config),
            writing: BTreeMap::new(),
            received: BTreeMap::new(),
            waiting: BTreeMap::new(),
            ended: BTreeMap::new(),
            salt,
        }
    }

    fn begin(&mut self, id: MuxStreamId) {
        self.writing.insert(id, (message(self.salt, id), 0));
        self.received.insert(id, Vec::new());
        self.write(id);
    }

    fn write(&mut self, id: MuxStreamId) {
        let Some((bytes, written)) = self.writing.get_mut(&id) else { return };
        *written += self.session.write(now(), id, &bytes[*written..]).unwrap();
        // The client finishes when it has said all; the server when it has also heard all.
        if *written == bytes.len() && self.salt == CLIENT {
            self.session.finish(now(), id);
        }
    }

    fn work(&mut self, rng: &mut ChaCha12Rng) {
        while let Some(event) = self.session.poll_event() {
            match event {
                MuxEvent::Opened(id) => self.begin(id),
                MuxEvent::Writable(id) => self.write(id),
                MuxEvent::Data { id, bytes } => {
                    *self.waiting.entry(id).or_default() += bytes.len();
                    self.received.get_mut(&id).unwrap().extend_from_slice(&bytes);
                }
                MuxEvent::Finished { id, .. } | MuxEvent::Released(id) => {
                    assert_eq!(self.ended.insert(id, event), None, "{id} ended twice");
                }
                other => panic!("{other:?}"),
            }
        }
        for (id, waiting) in &mut self.waiting {
            let taken = (*waiting).min(rng.next_u32() as usize % 5000);
            self.session.consumed(now(), *id, taken);
            *waiting -= taken;
        }
        if self.salt == SERVER {
            let heard = |id: &MuxStreamId| self.received[id].len() == size_on(*id);
            let said = |(bytes, written): &(Vec<u8>, usize)| bytes.len() == *written;
            let done: Vec<MuxStreamId> =
                self.writing.iter().filter(|(id, text)| heard(id) && said(text)).map(|(id, _)| *id).collect();
            for id in done {
                self.session.finish(now(), id);
            }
        }
    }
}

const CLIENT: u8 = 1;
const SERVER: u8 = 2;

/// Moves some bytes, in pieces of random size; false if there were none.
fn carry(rng: &mut ChaCha12Rng, from: &mut End, to: &mut End) -> bool {
    let mut moved = false;
    for _ in 0..rng.next_u32() % 20 {
        let Some(bytes) = from.session.poll_transmit(now(), 1 + rng.next_u32() as usize % 3000) else {
            break;
        };
        moved = true;
        let cut = rng.next_u32() as usize % (bytes.len() + 1);
        to.session.handle_bytes(now(), bytes.slice(..cut));
        to.session.handle_bytes(now(), bytes.slice(cut..));
    }
    moved
}

fn run(seed: u64, streams: usize) {
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let mut client = End::new(MuxConfig::client(), CLIENT);
    let mut server = End::new(MuxConfig::server(), SERVER);
    let ids: Vec<MuxStreamId> = (0..streams).map(|_| client.session.open(now()).unwrap()).collect();
    for id in &ids {
        client.begin(*id);
    }
    let mut quiet = 0;
    while quiet < 200 && (client.ended.len() < streams || server.ended.len() < streams) {
        client.work(&mut rng);
        server.work(&mut rng);
        let moved = carry(&mut rng, &mut client, &mut server) | carry(&mut rng, &mut server, &mut client);
        quiet = if moved { 0 } else { quiet + 1 };
    }
    for id in &ids {
        assert!(server.received[id] == message(CLIENT, *id), "seed {seed}: {id} to the server differs");
        assert!(client.received[id] == message(SERVER, *id), "seed {seed}: {id} to the client differs");
        assert_eq!(client.ended.get(id), Some(&MuxEvent::Finished { id: *id, unsent_bytes: 0 }));
        assert_eq!(server.ended.get(id), Some(&MuxEvent::Released(*id)));
    }
    assert_eq!((client.session.open_streams(), server.session.open_streams()), (0, 0));
}

#[test]
fn a_hundred_streams_carry_all_bytes_both_ways_at_once() {
    for seed in 0..3 {
        run(seed, 100);
    }
}

#[test]
fn four_mebibytes_pass_both_ways() {
    let mut client = MuxSession::new(now(), MuxConfig::client());
    let mut server = MuxSession::new(now(), MuxConfig::server());
    let id = client.open(now()).unwrap();
    let mut all = vec![0; 4 * 1024 * 1024];
    ChaCha12Rng::seed_from_u64(4).fill_bytes(&mut all);
    let (mut up, mut down) = (0, 0);
    let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
    while at_server.len() < all.len() || at_client.len() < all.len() {
        up += client.write(now(), id, &all[up..]).unwrap();
        pump(&mut client, &mut server, &mut at_server);
        down += server.write(now(), id, &all[down..]).unwrap();
        pump(&mut server, &mut client, &mut at_client);
    }
    assert!(at_server == all && at_client == all);
}

fn pump(from: &mut MuxSession, to: &mut MuxSession, received: &mut Vec<u8>) {
    while let Some(bytes) = from.poll_transmit(now(), 1024) {
        to.handle_bytes(now(), Bytes::clone(&bytes));
        while let Some(event) = to.poll_event() {
            if let MuxEvent::Data { id, bytes } = event {
                to.consumed(now(), id, bytes.len());
                received.extend_from_slice(&bytes);
            }
        }
    }
    while let Some(event) = from.poll_event() {
        assert!(matches!(event, MuxEvent::Writable(_)), "{event:?}");
    }
}
