//! The kernel's socket and process tables as files.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use super::Process;
use super::os::Entry;

const LISTEN: u8 = 10;

/// The socket with these two ends.
pub(super) fn connection(own: SocketAddr, peer: SocketAddr) -> io::Result<Option<Entry>> {
    find(|row| row.state != LISTEN && row.own == own && row.peer == peer)
}

/// A listener whose address overlaps with this one, an exact one first.
pub(super) fn listener(address: SocketAddr) -> io::Result<Option<Entry>> {
    let same_port = |row: &Row| row.state == LISTEN && row.own.port() == address.port();
    let exact = find(|row| same_port(row) && row.own.ip() == address.ip())?;
    if exact.is_some() {
        return Ok(exact);
    }
    let overlaps = |own: IpAddr| match own {
        // "Any" of IPv6 mostly takes IPv4 as well.
        IpAddr::V6(own) if own.is_unspecified() => true,
        IpAddr::V4(own) if own.is_unspecified() => address.is_ipv4(),
        own => address.ip().is_unspecified() && (own.is_ipv4() == address.is_ipv4() || address.is_ipv6()),
    };
    find(|row| same_port(row) && overlaps(row.own.ip()))
}

/// One line of a table.
struct Row {
    own: SocketAddr,
    peer: SocketAddr,
    state: u8,
    uid: u32,
    inode: u64,
}

fn find(wanted: impl Fn(&Row) -> bool) -> io::Result<Option<Entry>> {
    for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
        let text = match fs::read_to_string(table) {
            // A kernel without IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound && table.ends_with('6') => continue,
            text => text?,
        };
        if let Some(row) = text.lines().skip(1).filter_map(row).find(&wanted) {
            return Ok(Some(Entry { state: row.state, uid: row.uid, inode: row.inode }));
        }
    }
    Ok(None)
}

fn row(line: &str) -> Option<Row> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    Some(Row {
        own: address(fields.get(1)?)?,
        peer: address(fields.get(2)?)?,
        state: u8::from_str_radix(fields.get(3)?, 16).ok()?,
        uid: fields.get(7)?.parse().ok()?,
        inode: fields.get(9)?.parse().ok()?,
    })
}

/// An address as the tables write it: words of the machine's own byte order in hexadecimal digits.
fn address(text: &str) -> Option<SocketAddr> {
    let (digits, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    if !matches!(digits.len(), 8 | 32) {
        return None;
    }
    let mut bytes = Vec::new();
    for word in digits.as_bytes().chunks(8) {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    let ip = match bytes.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip.to_canonical(), port))
}

/// The program that has the socket with this inode open.
pub(super) fn process(inode: u64) -> Option<Process> {
    let wanted = format!("socket:[{inode}]");
    let has_it = |process: &Path| {
        let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        files
            .into_iter()
            .any(|file| fs::read_link(file.path()).is_ok_and(|to| to.as_os_str() == wanted.as_str()))
    };
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if has_it(&entry.path()) {
            return Some(Process { pid, name: name(&entry.path())?, age: age(&entry.path()) });
        }
    }
    None
}

/// Bytes of a name the kernel keeps; it cuts longer ones there.
const KEPT_NAME: usize = 15;

/// The program's own name for itself, or its file's where the kernel may have cut that.
fn name(process: &Path) -> Option<String> {
    let comm = fs::read(process.join("comm")).ok()?;
    let comm = comm.trim_ascii_end();
    let file = (comm.len() >= KEPT_NAME).then(|| fs::read_link(process.join("exe")).ok()).flatten();
    let file = file.as_deref().and_then(Path::file_name).map(OsStr::as_bytes);
    // An interpreter, or a program that renamed itself, has a file of another name.
    let whole = file.filter(|file| file.starts_with(comm)).unwrap_or(comm);
    // So the kernel marks the file of a program that was replaced while it runs.
    let whole = whole.strip_suffix(b" (deleted)").unwrap_or(whole);
    Some(String::from_utf8_lossy(whole).into_owned())
}

/// Start times are counted in hundredths of a second on every machine.
const TICKS: u64 = 100;

fn age(process: &Path) -> Option<Duration> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // The name in parentheses may contain anything; the 22nd field is the 20th after it.
    let start: u64 = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()?;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let uptime = uptime.split_ascii_whitespace().next()?.parse().ok()?;
    let uptime = Duration::try_from_secs_f64(uptime).ok()?;
    Some(uptime.saturating_sub(Duration::from_millis(start.saturating_mul(1000 / TICKS))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_the_kernel_cut_is_taken_from_the_file() {
        let place = tempfile::tempdir().unwrap();
        let process = |comm: &str, exe: &str| {
            let process = tempfile::tempdir_in(&place).unwrap();
            fs::write(process.path().join("comm"), format!("{comm}\n")).unwrap();
            std::os::unix::fs::symlink(exe, process.path().join("exe")).unwrap();
            process
        };
        for (comm, exe, expected) in [
            ("postgres", "/usr/lib/postgresql/15/bin/postgres", "postgres"),
            ("fleetline-deskt", "/opt/fleetline/fleetline-desktop", "fleetline-desktop"),
            ("fleetline-deskt", "/opt/fleetline/fleetline-desktop (deleted)", "fleetline-desktop"),
            ("gunicorn: maste", "/usr/bin/python3.11", "gunicorn: maste"),
            ("exactly-fifteen", "/usr/bin/exactly-fifteen", "exactly-fifteen"),
        ] {
            let process = process(comm, exe);
            assert_eq!(name(process.path()).as_deref(), Some(expected));
        }
        let hidden = tempfile::tempdir_in(&place).unwrap();
        fs::write(hidden.path().join("comm"), "fleetline-deskt\n").unwrap();
        assert_eq!(name(hidden.path()).as_deref(), Some("fleetline-deskt"), "a file that may not be seen");
        assert_eq!(name(place.path()), None, "a process that is gone");
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn lines_of_both_tables_are_read() {
        let line = "   1: 0100007F:B0F1 0100007F:C240 01 00000000:00000000 00:00000000 00000000  1000        0 1234 1 0";
        let row = row(line).unwrap();
        assert_eq!(row.own, "127.0.0.1:45297".parse().unwrap());
        assert_eq!(row.peer, "127.0.0.1:49728".parse().unwrap());
        assert_eq!((row.state, row.uid, row.inode), (1, 1000, 1234));
        assert_eq!(address("00000000000000000000000001000000:0050"), "[::1]:80".parse().ok());
        let mapped = address("0000000000000000FFFF00000100007F:0050");
        assert_eq!(mapped, "127.0.0.1:80".parse().ok(), "IPv4 in IPv6 is IPv4");
        for bad in ["", ":", "0100007F", "0100007F:x", "01:50"] {
            assert_eq!(address(bad), None, "{bad}");
        }
        assert!(super::row("garbage").is_none());
    }
}
