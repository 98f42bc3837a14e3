//! The fixed words of the demo world: operating systems, agent versions, families of nodes, accounts, and the nodes
//! that appear in the design pictures.

use super::node::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlatformType {
    Linux,
    Windows,
    MacOs,
}

impl PlatformType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
            Self::MacOs => "MacOS",
        }
    }
}

/// An operating system as an agent reports it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Os {
    pub(crate) platform: PlatformType,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) architecture: &'static str,
}

const fn os(
    platform: PlatformType,
    name: &'static str,
    version: &'static str,
    architecture: &'static str,
) -> Os {
    Os { platform, name, version, architecture }
}

use PlatformType::{Linux, MacOs, Windows};

pub(crate) static WIN_2016: Os =
    os(Windows, "Microsoft Windows Server 2016 Datacenter", "10.0.14393", "x86_64");
pub(crate) static WIN_2019: Os =
    os(Windows, "Microsoft Windows Server 2019 Datacenter", "10.0.17763", "x86_64");
pub(crate) static WIN_2022: Os =
    os(Windows, "Microsoft Windows Server 2022 Datacenter", "10.0.20348", "x86_64");
pub(crate) static WIN_2025: Os =
    os(Windows, "Microsoft Windows Server 2025 Datacenter", "10.0.26100", "x86_64");
pub(crate) static WIN_IOT: Os =
    os(Windows, "Microsoft Windows 10 IoT Enterprise LTSC", "10.0.19044", "x86_64");
pub(crate) static UBUNTU_22: Os = os(Linux, "Ubuntu", "22.04", "x86_64");
pub(crate) static UBUNTU_24: Os = os(Linux, "Ubuntu", "24.04", "x86_64");
pub(crate) static AL2: Os = os(Linux, "Amazon Linux", "2", "x86_64");
pub(crate) static AL2023: Os = os(Linux, "Amazon Linux", "2023", "arm64");
pub(crate) static RHEL_8: Os = os(Linux, "Red Hat Enterprise Linux", "8.10", "x86_64");
pub(crate) static RHEL_9: Os = os(Linux, "Red Hat Enterprise Linux", "9.4", "x86_64");
pub(crate) static DEBIAN_12: Os = os(Linux, "Debian GNU/Linux", "12", "arm64");
pub(crate) static MACOS_14: Os = os(MacOs, "macOS", "14.7.1", "arm64_mac");
pub(crate) static MACOS_15: Os = os(MacOs, "macOS", "15.1", "arm64_mac");

/// The newest agent; anything else is not the latest.
pub(crate) const LATEST_AGENT: &str = "3.3.2746.0";

/// Agent versions with their weights.
pub(crate) const AGENT_VERSIONS: &[(&str, u32)] = &[
    (LATEST_AGENT, 720),
    ("3.3.2299.0", 190),
    ("3.2.2303.0", 50),
    ("3.1.1732.0", 22),
    ("3.1.1374.0", 10),
    ("3.0.1390.0", 8),
];

/// Nodes that do the same work and differ by number.
#[derive(Debug)]
pub(crate) struct Family {
    /// Name without the number: "pay-api".
    pub(crate) stem: &'static str,
    pub(crate) kind: Kind,
    pub(crate) systems: &'static [&'static Os],
    /// Application and team.
    pub(crate) work: (&'static str, &'static str),
    /// Environments, drawn with equal chance.
    pub(crate) envs: &'static [&'static str],
    /// Share among the families of the same sort (EC2, hybrid) in the same Region.
    pub(crate) weight: u32,
    /// First two numbers of the addresses.
    pub(crate) network: (u8, u8),
    pub(crate) instance_types: &'static [&'static str],
}

/// An account in a Region.
#[derive(Debug)]
pub(crate) struct RegionPlan {
    pub(crate) region: &'static str,
    /// Nodes when the world has 1,284.
    pub(crate) nodes: u32,
    /// Hybrid ones among them.
    pub(crate) hybrid: u32,
    /// Lost ones among them.
    pub(crate) lost: u32,
    /// Whether the account-Region begins on the standard tier.
    pub(crate) standard_tier: bool,
    pub(crate) families: &'static [Family],
}

/// An account.
#[derive(Debug)]
pub(crate) struct AccountPlan {
    pub(crate) name: &'static str,
    pub(crate) id: &'static str,
    pub(crate) role: &'static str,
    pub(crate) default_region: &'static str,
    pub(crate) regions: &'static [RegionPlan],
}

/// Sum of `nodes` over all plans.
pub(crate) const PLANNED_NODES: u32 = 1284;

const PROD: &[&str] = &["prod"];
const MIXED: &[&str] = &["prod", "prod", "stage", "dev"];
const LAB: &[&str] = &["dev", "stage"];
const GENERAL: &[&str] = &["m7i.large", "m7i.xlarge", "t3.medium"];
const ARM: &[&str] = &["m7g.large", "c7g.xlarge", "t4g.medium"];
const MEMORY: &[&str] = &["r7i.xlarge", "r7i.2xlarge"];
const MAC: &[&str] = &["mac2.metal", "mac2-m2.metal"];
const NONE: &[&str] = &[""];

#[expect(clippy::too_many_arguments, reason = "one row of a table")]
const fn family(
    stem: &'static str,
    kind: Kind,
    systems: &'static [&'static Os],
    work: (&'static str, &'static str),
    envs: &'static [&'static str],
    weight: u32,
    network: (u8, u8),
    instance_types: &'static [&'static str],
) -> Family {
    Family { stem, kind, systems, work, envs, weight, network, instance_types }
}

use Kind::{Azure, Ec2, Edge, Gcp, OnPrem};

const LEDGER: (&str, &str) = ("ledger", "payments");
const CHECKOUT: (&str, &str) = ("checkout", "payments");
const FINANCE: (&str, &str) = ("finance", "payments");
const DIRECTORY: (&str, &str) = ("directory", "identity");
const LINE: (&str, &str) = ("line-control", "plants");
const MES: (&str, &str) = ("mes", "plants");
const TELEMETRY: (&str, &str) = ("telemetry", "plants");
const PATCHING: (&str, &str) = ("patching", "platform");
const BUILD: (&str, &str) = ("build", "platform");
const REPORTS: (&str, &str) = ("reports", "data");

/// What stands in every account-Region of the wide world.
static WIDE_FAMILIES: &[Family] = &[
    family("api", Ec2, &[&AL2023, &UBUNTU_24], CHECKOUT, PROD, 120, (10, 40), ARM),
    family("web", Ec2, &[&AL2023], CHECKOUT, MIXED, 70, (10, 41), ARM),
    family("worker", Ec2, &[&UBUNTU_22, &UBUNTU_24], LEDGER, MIXED, 90, (10, 42), GENERAL),
    family("kafka", Ec2, &[&RHEL_9], LEDGER, PROD, 30, (10, 43), MEMORY),
    family("win", Ec2, &[&WIN_2022, &WIN_2019], FINANCE, MIXED, 40, (10, 44), GENERAL),
    family("az", Azure, &[&WIN_2022, &UBUNTU_22], LEDGER, MIXED, 30, (10, 95), NONE),
    family("plant", OnPrem, &[&RHEL_8, &WIN_IOT], LEDGER, PROD, 20, (172, 40), NONE),
];

const fn wide_region(region: &'static str) -> RegionPlan {
    RegionPlan { region, nodes: 2_400, hybrid: 120, lost: 40, standard_tier: false, families: WIDE_FAMILIES }
}

static WIDE_REGIONS: &[RegionPlan] =
    &[wide_region("eu-central-1"), wide_region("us-east-1"), wide_region("ap-northeast-1")];

const fn wide(name: &'static str, id: &'static str) -> AccountPlan {
    AccountPlan { name, id, role: "FleetOperator", default_region: "eu-central-1", regions: WIDE_REGIONS }
}

/// 14 accounts in three Regions each: 42 account-Regions that are alike, for measuring.
pub(crate) static WIDE: [AccountPlan; 14] = [
    wide("wide-01", "200000000001"),
    wide("wide-02", "200000000002"),
    wide("wide-03", "200000000003"),
    wide("wide-04", "200000000004"),
    wide("wide-05", "200000000005"),
    wide("wide-06", "200000000006"),
    wide("wide-07", "200000000007"),
    wide("wide-08", "200000000008"),
    wide("wide-09", "200000000009"),
    wide("wide-10", "200000000010"),
    wide("wide-11", "200000000011"),
    wide("wide-12", "200000000012"),
    wide("wide-13", "200000000013"),
    wide("wide-14", "200000000014"),
];

pub(crate) static ACCOUNTS: &[AccountPlan] = &[
    AccountPlan {
        name: "payments-prod",
        id: "111122223333",
        role: "FleetOperator",
        default_region: "eu-central-1",
        regions: &[
            RegionPlan {
                region: "eu-central-1",
                nodes: 418,
                hybrid: 64,
                lost: 12,
                standard_tier: false,
                families: &[
                    family("pay-api", Ec2, &[&AL2023, &UBUNTU_24], CHECKOUT, PROD, 120, (10, 20), ARM),
                    family("pay-web", Ec2, &[&AL2023], CHECKOUT, MIXED, 70, (10, 20), ARM),
                    family(
                        "pay-worker",
                        Ec2,
                        &[&UBUNTU_22, &UBUNTU_24],
                        LEDGER,
                        MIXED,
                        80,
                        (10, 21),
                        GENERAL,
                    ),
                    family("pay-kafka", Ec2, &[&RHEL_9], LEDGER, PROD, 30, (10, 21), MEMORY),
                    family("ctx-rds", Ec2, &[&WIN_2022], FINANCE, PROD, 20, (10, 20), GENERAL),
                    family("pay-win", Ec2, &[&WIN_2022, &WIN_2019], LEDGER, MIXED, 34, (10, 20), GENERAL),
                    family("pay-az", Azure, &[&WIN_2022, &UBUNTU_22], LEDGER, MIXED, 46, (10, 91), NONE),
                    family("fra-hsm", OnPrem, &[&RHEL_8], LEDGER, PROD, 18, (172, 21), NONE),
                ],
            },
            RegionPlan {
                region: "eu-west-1",
                nodes: 96,
                hybrid: 12,
                lost: 3,
                standard_tier: false,
                families: &[
                    family("sql-fin", Ec2, &[&WIN_2019, &WIN_2016], FINANCE, PROD, 10, (10, 24), MEMORY),
                    family("fin-api", Ec2, &[&AL2023], FINANCE, MIXED, 44, (10, 24), ARM),
                    family("fin-etl", Ec2, &[&UBUNTU_22], REPORTS, MIXED, 30, (10, 24), GENERAL),
                    family("dub-az", Azure, &[&UBUNTU_22], FINANCE, LAB, 12, (10, 92), NONE),
                ],
            },
            RegionPlan {
                region: "us-east-1",
                nodes: 233,
                hybrid: 18,
                lost: 9,
                standard_tier: false,
                families: &[
                    family("pay-us-api", Ec2, &[&AL2023, &AL2], CHECKOUT, PROD, 90, (10, 30), ARM),
                    family("pay-us-job", Ec2, &[&UBUNTU_24], LEDGER, MIXED, 96, (10, 30), GENERAL),
                    family("pay-us-win", Ec2, &[&WIN_2022, &WIN_2025], LEDGER, MIXED, 26, (10, 30), GENERAL),
                    family("iad-pos", OnPrem, &[&WIN_IOT, &UBUNTU_22], CHECKOUT, PROD, 18, (172, 30), NONE),
                ],
            },
            RegionPlan {
                region: "us-west-2",
                nodes: 41,
                hybrid: 4,
                lost: 2,
                standard_tier: false,
                families: &[
                    family("pdx-dr", Ec2, &[&AL2023, &RHEL_9], LEDGER, MIXED, 37, (10, 34), GENERAL),
                    family("pdx-tape", OnPrem, &[&RHEL_8], LEDGER, PROD, 4, (172, 34), NONE),
                ],
            },
            RegionPlan {
                region: "ap-northeast-1",
                nodes: 12,
                hybrid: 0,
                lost: 0,
                standard_tier: false,
                families: &[
                    family("nrt-ad", Ec2, &[&WIN_2025], DIRECTORY, PROD, 2, (10, 64), GENERAL),
                    family("nrt-api", Ec2, &[&AL2023], CHECKOUT, PROD, 10, (10, 64), ARM),
                ],
            },
        ],
    },
    AccountPlan {
        name: "plants-eu",
        id: "444455556666",
        role: "FleetOperator",
        default_region: "eu-central-1",
        regions: &[
            RegionPlan {
                region: "eu-central-1",
                nodes: 187,
                hybrid: 11,
                lost: 9,
                standard_tier: true,
                families: &[
                    family("mes-app", Ec2, &[&UBUNTU_22, &RHEL_9], MES, MIXED, 96, (10, 40), GENERAL),
                    family("mes-db", Ec2, &[&RHEL_9], MES, PROD, 36, (10, 40), MEMORY),
                    family("plant-gw", Ec2, &[&AL2], TELEMETRY, MIXED, 44, (10, 41), GENERAL),
                    family("lej-hmi", OnPrem, &[&WIN_2019], LINE, PROD, 5, (192, 168), NONE),
                    family("vie-scada", OnPrem, &[&WIN_2019, &RHEL_8], LINE, PROD, 3, (192, 168), NONE),
                ],
            },
            RegionPlan {
                region: "eu-west-1",
                nodes: 74,
                hybrid: 57,
                lost: 11,
                standard_tier: false,
                families: &[
                    family("tel-ingest", Ec2, &[&AL2023], TELEMETRY, MIXED, 17, (10, 42), ARM),
                    family(
                        "hel-edge",
                        Edge,
                        &[&WIN_IOT, &DEBIAN_12, &UBUNTU_22],
                        TELEMETRY,
                        PROD,
                        45,
                        (172, 22),
                        NONE,
                    ),
                    family("osl-plc", OnPrem, &[&DEBIAN_12], LINE, PROD, 12, (192, 168), NONE),
                ],
            },
        ],
    },
    AccountPlan {
        name: "shared-core",
        id: "123456789012",
        role: "CoreOps",
        default_region: "us-east-1",
        regions: &[
            RegionPlan {
                region: "eu-central-1",
                nodes: 61,
                hybrid: 6,
                lost: 2,
                standard_tier: false,
                families: &[
                    family("core-dns", Ec2, &[&AL2023], DIRECTORY, PROD, 20, (10, 70), ARM),
                    family("obs-store", Ec2, &[&UBUNTU_24], PATCHING, MIXED, 35, (10, 70), MEMORY),
                    family("fra-vpn", OnPrem, &[&DEBIAN_12], DIRECTORY, PROD, 6, (172, 18), NONE),
                ],
            },
            RegionPlan {
                region: "eu-west-1",
                nodes: 52,
                hybrid: 28,
                lost: 2,
                standard_tier: false,
                families: &[
                    family("git-runner", Ec2, &[&UBUNTU_24], BUILD, LAB, 24, (10, 72), GENERAL),
                    family("rep-gcp", Gcp, &[&WIN_2022, &DEBIAN_12], REPORTS, MIXED, 28, (10, 132), NONE),
                ],
            },
            RegionPlan {
                region: "us-east-1",
                nodes: 110,
                hybrid: 12,
                lost: 3,
                standard_tier: false,
                families: &[
                    family("wsus-core", Ec2, &[&WIN_2022], PATCHING, PROD, 6, (10, 31), GENERAL),
                    family("tmp-build", Ec2, &[&WIN_2025, &UBUNTU_24], BUILD, LAB, 40, (10, 70), GENERAL),
                    family("mac-build", Ec2, &[&MACOS_14, &MACOS_15], BUILD, LAB, 8, (10, 73), MAC),
                    family("core-repo", Ec2, &[&AL2023, &RHEL_9], BUILD, PROD, 44, (10, 71), GENERAL),
                    family("bq-sync", Gcp, &[&DEBIAN_12], REPORTS, PROD, 12, (10, 133), NONE),
                ],
            },
            RegionPlan {
                region: "us-west-2",
                nodes: 0,
                hybrid: 0,
                lost: 0,
                standard_tier: false,
                families: &[],
            },
            RegionPlan {
                region: "ap-northeast-1",
                nodes: 0,
                hybrid: 0,
                lost: 0,
                standard_tier: false,
                families: &[],
            },
        ],
    },
];

/// A node of the design pictures: always there, always online, when its account-Region has room for it.
#[derive(Debug)]
pub(crate) struct Pictured {
    pub(crate) account: &'static str,
    pub(crate) region: &'static str,
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) os: &'static Os,
    pub(crate) agent_version: &'static str,
    pub(crate) ip: [u8; 4],
    /// Age of the last ping when the picture was taken, in seconds.
    pub(crate) ping_s: u32,
    /// Application and team.
    pub(crate) work: (&'static str, &'static str),
}

#[expect(clippy::too_many_arguments, reason = "one row of a table")]
const fn pictured(
    (account, region): (&'static str, &'static str),
    name: &'static str,
    id: &'static str,
    kind: Kind,
    os: &'static Os,
    agent_version: &'static str,
    ip: [u8; 4],
    ping_s: u32,
    work: (&'static str, &'static str),
) -> Pictured {
    Pictured { account, region, id, name, kind, os, agent_version, ip, ping_s, work }
}

const PAY_EUC1: (&str, &str) = ("payments-prod", "eu-central-1");
const PAY_EUW1: (&str, &str) = ("payments-prod", "eu-west-1");
const PAY_USE1: (&str, &str) = ("payments-prod", "us-east-1");
const PAY_APNE1: (&str, &str) = ("payments-prod", "ap-northeast-1");
const PLANTS_EUC1: (&str, &str) = ("plants-eu", "eu-central-1");
const PLANTS_EUW1: (&str, &str) = ("plants-eu", "eu-west-1");
const CORE_EUW1: (&str, &str) = ("shared-core", "eu-west-1");
const CORE_USE1: (&str, &str) = ("shared-core", "us-east-1");
const OLDER: &str = "3.3.2299.0";

#[rustfmt::skip]
pub(crate) static PICTURED: &[Pictured] = &[
    pictured(PAY_EUC1, "pay-api-03", "i-0c93f5b27ae1d4068", Ec2, &AL2023, LATEST_AGENT, [10, 20, 4, 23], 6, CHECKOUT),
    pictured(PAY_EUC1, "pay-win-07", "mi-0b7d15e84f2ca9360", Azure, &WIN_2019, "3.0.1390.0", [10, 91, 2, 7], 14, LEDGER),
    pictured(PAY_EUC1, "pay-win-05", "i-08a2b6f3d94ce1705", Ec2, &WIN_2022, LATEST_AGENT, [10, 20, 7, 35], 26, LEDGER),
    pictured(PAY_EUC1, "pay-win-03", "i-0c4e8f7a21b93d506", Ec2, &WIN_2022, LATEST_AGENT, [10, 20, 7, 33], 9, LEDGER),
    pictured(PAY_EUC1, "pay-win-08", "mi-06c9f2ab1d57e8430", Azure, &WIN_2022, LATEST_AGENT, [10, 91, 2, 8], 31, LEDGER),
    pictured(PAY_EUC1, "ctx-rds-01", "i-0f27c81a9be4d3065", Ec2, &WIN_2022, LATEST_AGENT, [10, 20, 4, 11], 8, FINANCE),
    pictured(PAY_EUC1, "ctx-rds-02", "i-0a94d17ce35b28f60", Ec2, &WIN_2022, LATEST_AGENT, [10, 20, 4, 12], 21, FINANCE),
    pictured(PAY_EUW1, "sql-fin-01", "i-0731ae8fd5c04b962", Ec2, &WIN_2016, "3.1.1374.0", [10, 24, 3, 50], 6, FINANCE),
    pictured(PAY_EUW1, "sql-fin-02", "i-09c5d2b84e7f1a603", Ec2, &WIN_2019, OLDER, [10, 24, 3, 51], 29, FINANCE),
    pictured(PAY_USE1, "pay-win-11", "i-02e5bd90c7a4f8136", Ec2, &WIN_2022, LATEST_AGENT, [10, 30, 7, 11], 7, LEDGER),
    pictured(PAY_USE1, "pay-win-12", "i-0b16fa7d3e8c42950", Ec2, &WIN_2022, OLDER, [10, 30, 7, 12], 19, LEDGER),
    pictured(PAY_USE1, "pay-win-13", "i-0d40c9e5b7162fa83", Ec2, &WIN_2022, LATEST_AGENT, [10, 30, 7, 13], 2, LEDGER),
    pictured(PAY_APNE1, "nrt-ad-01", "i-05d7e21f84ca6b390", Ec2, &WIN_2025, LATEST_AGENT, [10, 64, 0, 10], 12, DIRECTORY),
    pictured(PAY_APNE1, "nrt-ad-02", "i-0e6b48a07df3925c1", Ec2, &WIN_2025, LATEST_AGENT, [10, 64, 1, 10], 3, DIRECTORY),
    pictured(PLANTS_EUC1, "lej-hmi-01", "mi-03be7a5c19d842f06", OnPrem, &WIN_2019, OLDER, [192, 168, 40, 21], 17, LINE),
    pictured(PLANTS_EUC1, "lej-hmi-02", "mi-0782cd4e6ab93105f", OnPrem, &WIN_2019, OLDER, [192, 168, 40, 22], 44, LINE),
    pictured(PLANTS_EUC1, "lej-mes-01", "mi-09fa30b8d2c67e415", OnPrem, &WIN_2016, "3.1.1732.0", [192, 168, 41, 10], 52, MES),
    pictured(PLANTS_EUC1, "vie-scada-01", "mi-0a6e4d97bc3f21850", OnPrem, &WIN_2019, OLDER, [192, 168, 52, 5], 48, LINE),
    pictured(PLANTS_EUW1, "hel-edge-04", "mi-0c51e9b72fa86d43e", Edge, &WIN_IOT, LATEST_AGENT, [172, 22, 8, 4], 34, TELEMETRY),
    pictured(PLANTS_EUW1, "hel-edge-12", "mi-0d83f6a14bc902e57", Edge, &WIN_IOT, OLDER, [172, 22, 8, 12], 5, TELEMETRY),
    pictured(CORE_EUW1, "rep-gcp-01", "mi-0e18d5c3a7fb49602", Gcp, &WIN_2022, LATEST_AGENT, [10, 132, 0, 41], 11, REPORTS),
    pictured(CORE_EUW1, "rep-gcp-02", "mi-04cf7b2e9ad653018", Gcp, &WIN_2022, LATEST_AGENT, [10, 132, 0, 42], 38, REPORTS),
    pictured(CORE_USE1, "wsus-core-01", "i-01d8c57e2fa6b9430", Ec2, &WIN_2022, LATEST_AGENT, [10, 31, 0, 8], 16, PATCHING),
    pictured(CORE_USE1, "wsus-core-02", "i-0ce24a7fb9150d836", Ec2, &WIN_2022, LATEST_AGENT, [10, 31, 0, 9], 23, PATCHING),
    pictured(CORE_USE1, "wsus-core-03", "i-06f83d1ba4e9c7520", Ec2, &WIN_2022, LATEST_AGENT, [10, 71, 0, 9], 27, PATCHING),
    pictured(CORE_USE1, "tmp-build-22", "i-0fb3e64c18d9a7052", Ec2, &WIN_2025, LATEST_AGENT, [10, 70, 9, 22], 4, BUILD),
];
