//! SOCKS5 for the engine's forwards whose connections choose where they go.

use fleetline_engine::forward::{Negotiated, Negotiation, Negotiator, Unreached};
use fleetline_loopback::socks::{Output, Socks5, Unreachable};

/// Speaks SOCKS5 with local programs, without a sign-in: who may connect is decided before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Socks;

impl Negotiator for Socks {
    fn begin(&self) -> Box<dyn Negotiation> {
        Box::new(Client(Socks5::new(None)))
    }
}

struct Client(Socks5);

impl Negotiation for Client {
    fn input(&mut self, bytes: &[u8]) {
        self.0.input(bytes);
    }

    fn finish(&mut self) {
        self.0.finish();
    }

    fn output(&mut self) -> Option<Negotiated> {
        Some(match self.0.output()? {
            Output::Send(bytes) => Negotiated::Send(bytes),
            Output::Connect(to) => Negotiated::Reach { host: to.host.to_string(), port: to.port },
            Output::Established(early) => Negotiated::Established(early),
            Output::Close(error) => Negotiated::Refused(error.to_string()),
        })
    }

    fn reached(&mut self) {
        // Our end of the connection is the node's, which is not told.
        self.0.connected(None);
    }

    fn unreached(&mut self, why: Unreached) {
        self.0.unreachable(match why {
            Unreached::Refused => Unreachable::Refused,
            Unreached::NoAnswer => Unreachable::Host,
            Unreached::NotAllowed => Unreachable::NotAllowed,
            Unreached::NoNode => Unreachable::Network,
            Unreached::TimedOut => Unreachable::TimedOut,
            Unreached::Other => Unreachable::Failure,
        });
    }
}
