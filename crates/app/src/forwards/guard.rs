//! The browser guard for the engine's forwards that lead to web servers (SEC-23).

use std::time::Instant;

use fleetline_engine::forward::{FilterRefusal, Filtered, FlowFilter, Screen};
use fleetline_loopback::guard::{BrowserGuard, GuardPolicy, Passed};

/// Ports behind which web servers mostly are; their forwards are guarded unless that is switched off.
const HTTP_PORTS: [u16; 13] = [80, 3000, 5000, 5601, 8000, 8008, 8080, 8081, 8888, 9090, 9093, 9200, 15672];

/// Whether a port is mostly a web server's.
pub fn is_http_port(port: u16) -> bool {
    HTTP_PORTS.contains(&port)
}

/// Refuses what pages of other sites send, and requests that name another host.
#[derive(Clone, Debug, Default)]
pub struct Guarded(pub GuardPolicy);

impl Screen for Guarded {
    fn begin(&self) -> Box<dyn FlowFilter> {
        Box::new(Watched(BrowserGuard::new(self.0.clone())))
    }
}

struct Watched(BrowserGuard);

fn filtered(passed: Passed) -> Filtered {
    let refused = passed.refused.map(|refused| FilterRefusal {
        reason: refused.refusal.to_string(),
        answer: refused.answer.then(|| refused.refusal.response()),
    });
    Filtered { bytes: passed.bytes, refused }
}

impl FlowFilter for Watched {
    fn input(&mut self, now: Instant, bytes: &[u8]) -> Filtered {
        filtered(self.0.input(now, bytes))
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }

    fn timeout(&mut self, now: Instant) -> Filtered {
        filtered(self.0.timeout(now))
    }

    fn finish(&mut self) -> Filtered {
        filtered(self.0.finish())
    }
}
