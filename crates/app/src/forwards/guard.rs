//! The browser guard for the engine's forwards that lead to web servers (SEC-23).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use fleetline_engine::forward::{FilterRefusal, Filtered, FlowFilter, Screen};
use fleetline_loopback::guard::{self, GuardPolicy, Passed};
use fleetline_store::profiles::BrowserGuard;

/// Ports behind which web servers mostly are: what programs send there is judged like what browsers send.
const HTTP_PORTS: [u16; 13] = [80, 3000, 5000, 5601, 8000, 8008, 8080, 8081, 8888, 9090, 9093, 9200, 15672];

/// What looks at requests of web pages on a forward to this port, where that is wanted. `bind` is the address the forward
/// listens at besides loopback, if any; `aliases` are host names under which pages may call it.
pub fn web_guard(
    wanted: BrowserGuard,
    port: u16,
    bind: Option<IpAddr>,
    aliases: &[String],
) -> Option<Arc<dyn Screen>> {
    let policy = GuardPolicy {
        aliases: aliases.to_vec(),
        address: bind.filter(|address| !address.is_loopback()),
        // A port that is only guessed to be a web server's must not wait for a request that never comes.
        always: wanted == BrowserGuard::On,
        browsers_only: wanted == BrowserGuard::Auto && !HTTP_PORTS.contains(&port),
    };
    (wanted != BrowserGuard::Off).then(|| Arc::new(Guarded(policy)) as Arc<dyn Screen>)
}

/// Refuses what pages of other sites send, and requests that name another host.
#[derive(Debug)]
struct Guarded(GuardPolicy);

impl Screen for Guarded {
    fn begin(&self) -> Box<dyn FlowFilter> {
        Box::new(Watched(guard::BrowserGuard::new(self.0.clone())))
    }
}

struct Watched(guard::BrowserGuard);

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
