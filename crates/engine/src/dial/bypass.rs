//! NO_PROXY: what is reached without a proxy.

use std::net::IpAddr;

use ipnet::IpNet;

use super::proxy::bare;

/// Hosts that are reached directly. Entries are separated by commas or blanks: `*` for everything, an address, a
/// network (`10.0.0.0/8`), or a name, which also stands for all names below it, with or without a leading `.` or
/// `*.`. Any of them but a network may end in `:port` and then counts for that port alone. Names are not looked up.
#[derive(Clone, Debug, Default)]
pub(super) struct Bypass(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug)]
enum Hosts {
    All,
    Network(IpNet),
    Below(String),
}

impl Bypass {
    pub(super) fn parse(text: &str) -> Self {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        Self(entries.map(Entry::parse).collect())
    }

    pub(super) fn contains(&self, host: &str, port: u16) -> bool {
        let host = bare(host).trim_end_matches('.').to_ascii_lowercase();
        let address = host.parse::<IpAddr>().ok();
        self.0.iter().any(|entry| {
            entry.port.is_none_or(|only| only == port)
                && match (&entry.hosts, address) {
                    (Hosts::All, _) => true,
                    (Hosts::Network(network), Some(address)) => network.contains(&address),
                    (Hosts::Below(name), None) => host
                        .strip_suffix(name.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
                    _ => false,
                }
        })
    }
}

impl Entry {
    fn parse(entry: &str) -> Self {
        if let Some(hosts) = Hosts::addresses(entry) {
            return Self { hosts, port: None };
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => match port.parse() {
                Ok(port) => (host, Some(port)),
                Err(_) => (entry, None),
            },
            None => (entry, None),
        };
        let hosts = Hosts::addresses(host).unwrap_or_else(|| match host {
            "*" => Hosts::All,
            name => {
                let name = name.strip_prefix("*.").or_else(|| name.strip_prefix('.')).unwrap_or(name);
                Hosts::Below(name.trim_end_matches('.').to_ascii_lowercase())
            }
        });
        Self { hosts, port }
    }
}

impl Hosts {
    fn addresses(text: &str) -> Option<Self> {
        let text = bare(text);
        let network = text.parse::<IpNet>().ok();
        network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)).map(Self::Network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn direct(list: &str, host: &str, port: u16) -> bool {
        Bypass::parse(list).contains(host, port)
    }

    #[test]
    fn names_stand_for_themselves_and_all_names_below() {
        for list in ["example.com", ".example.com", "*.example.com", "EXAMPLE.com.", "x, example.com"] {
            for host in ["example.com", "a.example.com", "A.B.Example.Com.", "a.example.com"] {
                assert!(direct(list, host, 443), "{list}: {host}");
            }
            for host in ["notexample.com", "example.com.evil", "example.org", "com"] {
                assert!(!direct(list, host, 443), "{list}: {host}");
            }
        }
    }

    #[test]
    fn addresses_and_networks_match_addresses_only() {
        let list = "10.0.0.0/8 192.168.1.7,2001:db8::/32,[::2]:8443";
        for host in ["10.1.2.3", "192.168.1.7", "2001:db8::9", "[2001:db8::9]"] {
            assert!(direct(list, host, 443), "{host}");
        }
        for host in ["11.0.0.1", "192.168.1.8", "2001:db9::1", "ten.example", "::2"] {
            assert!(!direct(list, host, 443), "{host}");
        }
        assert!(direct(list, "[::2]", 8443));
    }

    #[test]
    fn a_port_limits_an_entry_and_a_star_is_everything() {
        assert!(direct("a.example:8080", "x.a.example", 8080));
        assert!(!direct("a.example:8080", "x.a.example", 443));
        assert!(direct("*", "anything.example", 1) && direct("*", "8.8.8.8", 1));
        assert!(direct("10.0.0.1:81", "10.0.0.1", 81) && !direct("10.0.0.1:81", "10.0.0.1", 80));
        assert!(!direct("", "a.example", 443) && !direct(" , ,", "a.example", 443));
    }
}
