//! Which names and pages are this computer's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Refusal;
use super::head::Head;

/// What a guard lets through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardPolicy {
    /// Names besides those of loopback under which the forward may be called, without a port. Pages of these hosts
    /// may send requests as well. Compared without regard to case.
    pub aliases: Vec<String>,
    /// The address the forward listens at, when it is not loopback.
    pub address: Option<IpAddr>,
    /// Whether bytes that may become a request line are held for as long as that takes. Otherwise they pass after
    /// half a second, for the sake of protocols in which a client begins with a word and waits.
    pub always: bool,
    /// Whether only requests are judged that show a browser, and those after them on their connection. For ports that
    /// nothing tells to be a web server's: programs may use any name there.
    pub browsers_only: bool,
}

impl GuardPolicy {
    /// Judges one head.
    pub(super) fn judge(&self, head: &Head<'_>) -> Result<(), Refusal> {
        let mut hosts = head.values("host");
        let host = hosts.next();
        if hosts.next().is_some() {
            return Err(Refusal::ForeignHost);
        }
        // A head without a host is of an old program; a browser always says one.
        if host.is_some_and(|host| !self.is_own_authority(host)) {
            return Err(Refusal::ForeignHost);
        }
        if let Some(authority) = authority_of(head)
            && !self.is_own_authority(authority)
        {
            return Err(Refusal::ForeignHost);
        }
        let mut from_own_page = false;
        for origin in head.values("origin") {
            if !self.is_own_origin(origin) {
                return Err(Refusal::ForeignPage);
            }
            from_own_page = true;
        }
        let foreign_site = |site: &[u8]| !matches!(site, b"same-origin" | b"same-site" | b"none");
        if !from_own_page && head.values("sec-fetch-site").any(foreign_site) {
            return Err(Refusal::ForeignPage);
        }
        Ok(())
    }

    fn is_own_origin(&self, origin: &[u8]) -> bool {
        let authority = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
        authority.is_some_and(|authority| self.is_own_authority(authority))
    }

    /// Whether `name`, `name:port`, `1.2.3.4:port` or `[::1]:port` is a name of this computer.
    fn is_own_authority(&self, authority: &[u8]) -> bool {
        let Ok(authority) = std::str::from_utf8(authority) else { return false };
        if let Some(rest) = authority.strip_prefix('[') {
            let Some((address, port)) = rest.split_once(']') else { return false };
            return (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
                && address.parse::<Ipv6Addr>().is_ok_and(|address| self.is_own_address(address.into()));
        }
        let name = match authority.split_once(':') {
            Some((_, port)) if !is_port(port) => return false,
            Some((name, _)) => name,
            None => authority,
        };
        if let Ok(address) = name.parse::<Ipv4Addr>() {
            return self.is_own_address(address.into());
        }
        let name = name.to_ascii_lowercase();
        name == "localhost"
            || name.strip_suffix(".localhost").is_some_and(|label| !label.is_empty())
            || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(&name))
    }

    fn is_own_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_loopback() || self.address.is_some_and(|own| own.to_canonical() == address)
    }
}

fn is_port(text: &str) -> bool {
    text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit())
}

/// The authority a target names itself: `http://name/path`, or `name:port` of CONNECT.
fn authority_of<'a>(head: &Head<'a>) -> Option<&'a [u8]> {
    let target = head.target;
    if head.method == b"CONNECT" {
        return Some(target);
    }
    let scheme = target.iter().position(|b| !b.is_ascii_alphanumeric() && !b"+-.".contains(b))?;
    let rest = target[scheme..].strip_prefix(b"://").filter(|_| scheme > 0)?;
    let end = rest.iter().position(|b| b"/?#".contains(b)).unwrap_or(rest.len());
    Some(&rest[..end])
}
