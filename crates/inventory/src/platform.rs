//! Platform names short enough for a table column.

use crate::node::{ManagedNode, PlatformFamily};

/// Long names and what people call them. First match of the beginning wins.
const SHORT: [(&str, &str); 8] = [
    ("Red Hat Enterprise Linux", "RHEL"),
    ("SUSE Linux Enterprise Server", "SLES"),
    ("SLES", "SLES"),
    ("Oracle Linux", "Oracle Linux"),
    ("CentOS", "CentOS"),
    ("Debian", "Debian"),
    ("Rocky Linux", "Rocky"),
    ("AlmaLinux", "AlmaLinux"),
];

/// "Windows 2022", "Ubuntu 24.04", "Amazon Linux 2023"; the family's name where the service said no more.
pub(crate) fn platform_text(node: &ManagedNode) -> String {
    let name = node.platform_name.trim();
    match node.platform {
        PlatformFamily::Windows => windows(name),
        _ if name.is_empty() => match node.platform {
            PlatformFamily::Linux => "Linux".to_owned(),
            PlatformFamily::MacOs => "macOS".to_owned(),
            _ => String::new(),
        },
        _ => {
            let short =
                SHORT.iter().find(|(long, _)| name.starts_with(long)).map_or(name, |(_, short)| short);
            let version = node.platform_version.trim();
            // "Amazon Linux 2023" already ends with its version.
            if version.is_empty() || short.ends_with(version) {
                short.to_owned()
            } else {
                format!("{short} {version}")
            }
        }
    }
}

fn windows(name: &str) -> String {
    if name.contains("IoT") {
        return "Windows IoT".to_owned();
    }
    let year =
        name.split_whitespace().find(|word| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()));
    match year {
        Some(year) if name.split_whitespace().any(|word| word == "R2") => format!("Windows {year} R2"),
        Some(year) => format!("Windows {year}"),
        None => name
            .split_once("Windows ")
            .map_or_else(|| "Windows".to_owned(), |(_, rest)| format!("Windows {rest}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::node;

    #[test]
    fn long_names_become_short_ones() {
        let text = |family, name: &str, version: &str| {
            let mut node = node("i-1");
            (node.platform, node.platform_name, node.platform_version) =
                (family, name.into(), version.into());
            platform_text(&node)
        };
        let windows = PlatformFamily::Windows;
        assert_eq!(text(windows, "Microsoft Windows Server 2022 Datacenter", "10.0.20348"), "Windows 2022");
        assert_eq!(text(windows, "Microsoft Windows Server 2012 R2 Standard", "6.3"), "Windows 2012 R2");
        assert_eq!(text(windows, "Microsoft Windows 10 IoT Enterprise", "10.0"), "Windows IoT");
        assert_eq!(text(windows, "Microsoft Windows 11 Pro", "10.0"), "Windows 11 Pro");
        assert_eq!(text(windows, "", ""), "Windows");
        let linux = PlatformFamily::Linux;
        assert_eq!(text(linux, "Ubuntu", "24.04"), "Ubuntu 24.04");
        assert_eq!(text(linux, "Amazon Linux 2023", "2023"), "Amazon Linux 2023");
        assert_eq!(text(linux, "Red Hat Enterprise Linux Server", "7.9"), "RHEL 7.9");
        assert_eq!(text(linux, "", ""), "Linux");
        assert_eq!(text(PlatformFamily::MacOs, "macOS", "14.5"), "macOS 14.5");
        assert_eq!(text(PlatformFamily::Unknown, "", ""), "");
    }
}
