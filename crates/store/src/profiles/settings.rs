//! Settings a profile has itself or inherits: from the file's defaults, then from its folders, outermost first.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use toml_edit::{Item, Value};

use super::model::FolderPath;
use super::value::FromToml;

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Whole<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Whole<MIN, MAX> {
    /// `None` out of the range.
    pub fn new(number: u32) -> Option<Self> {
        (MIN..=MAX).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<const MIN: u32, const MAX: u32> fmt::Display for Whole<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// When a forward opens its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Start {
    /// With its first connection; retired when idle.
    #[default]
    OnDemand,
    /// When it is switched on; retired when idle.
    AtOnce,
    /// When it is switched on, and kept.
    Always,
}

/// Where a forward listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Bind {
    /// 127.0.0.1 and ::1.
    #[default]
    Loopback,
    /// This address alone. Anything but loopback needs a typed confirmation at each start (SEC-20).
    Address(IpAddr),
}

impl Bind {
    /// Whether only this computer can connect.
    pub fn is_local(self) -> bool {
        match self {
            Self::Loopback => true,
            Self::Address(address) => address.is_loopback(),
        }
    }

    /// Whether it is every address of this computer.
    pub fn is_wildcard(self) -> bool {
        matches!(self, Self::Address(address) if address.is_unspecified())
    }
}

impl From<Ipv4Addr> for Bind {
    fn from(address: Ipv4Addr) -> Self {
        Self::Address(address.into())
    }
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loopback => f.write_str("loopback"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// Whether requests of web pages are checked before they reach an HTTP forward (SEC-23).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BrowserGuard {
    /// When the connection speaks HTTP.
    #[default]
    Auto,
    /// Always; what is not HTTP passes untouched in either case.
    On,
    /// Never.
    Off,
}

/// Which program shows remote desktops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RdpClient {
    /// The first one found.
    #[default]
    Auto,
    /// Windows' own.
    Mstsc,
    /// Windows App, formerly Microsoft Remote Desktop, on macOS.
    WindowsApp,
    /// FreeRDP 2 or 3.
    FreeRdp,
    /// Remmina.
    Remmina,
}

/// Size of a remote desktop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Screen {
    /// The whole screen.
    #[default]
    Full,
    /// A window, in pixels.
    Window {
        /// 200 to 8192.
        width: u16,
        /// 200 to 8192.
        height: u16,
    },
}

impl Screen {
    /// Reads `full` or `1280x720`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "full" {
            return Some(Self::Full);
        }
        let side = |text: &str| {
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|n| digits && (200..=8192).contains(n))
        };
        let (width, height) = text.split_once('x')?;
        Some(Self::Window { width: side(width)?, height: side(height)? })
    }
}

impl fmt::Display for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Window { width, height } => write!(f, "{width}x{height}"),
        }
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    BuiltIn,
    /// The file's `[defaults]`.
    Defaults,
    /// A folder.
    Folder(FolderPath),
    /// The profile itself.
    Profile,
}

impl Origin {
    /// Whether the profile does not say it itself.
    pub fn is_inherited(&self) -> bool {
        *self != Self::Profile
    }
}

impl fmt::Display for Origin {
    /// As the file names it: `built-in`, `defaults`, `folder Prod/Web`, `profile`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::Defaults => f.write_str("defaults"),
            Self::Folder(path) => write!(f, "folder {path}"),
            Self::Profile => f.write_str("profile"),
        }
    }
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Inherited<T> {
    /// What holds.
    pub value: T,
    /// Who said so.
    pub origin: Origin,
}

/// One setting in words, for lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingLine {
    /// Its key in the file.
    pub key: &'static str,
    /// Its value as the file would write it; `None` when it has none.
    pub value: Option<String>,
    /// Who said so.
    pub origin: Origin,
}

/// The table of all settings: key, type, and what holds when nobody sets it.
macro_rules! settings {
    ($($(#[$doc:meta])* $field:ident: $type:ty, $key:literal, [$($default:tt)*];)+) => {
        /// Settings as one place sets them; `None` is inherited.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Settings {
            $($(#[$doc])* pub $field: Option<$type>,)+
        }

        impl Settings {
            /// Every key in the file, in the order it is written.
            pub const KEYS: &'static [&'static str] = &[$($key),+];

            /// Takes one value from a file. `None` when the key is no setting, else what was expected if it does not fit.
            pub(crate) fn take(&mut self, key: &str, item: &Item) -> Option<Result<(), String>> {
                match key {
                    $($key => Some(match <$type>::read(item) {
                        Some(value) => {
                            self.$field = Some(value);
                            Ok(())
                        }
                        None => Err(<$type>::expected()),
                    }),)+
                    _ => None,
                }
            }

            /// Every setting as the file writes it; `None` is left out.
            pub(crate) fn written(&self) -> Vec<(&'static str, Option<Value>)> {
                vec![$(($key, self.$field.as_ref().map(FromToml::write))),+]
            }

            /// Whether nothing is set.
            pub fn is_empty(&self) -> bool {
                *self == Self::default()
            }
        }

        /// What holds for one profile, each value with its origin.
        #[derive(Clone, Debug, PartialEq)]
        pub struct EffectiveSettings {
            $($(#[$doc])* pub $field: settings!(@effective $type, [$($default)*]),)+
        }

        impl EffectiveSettings {
            /// Resolves layers, outermost first.
            pub(crate) fn resolve(layers: &[(Origin, &Settings)]) -> Self {
                Self {
                    $($field: {
                        let said = layers.iter().rev().find_map(|(origin, layer)| {
                            layer.$field.as_ref().map(|value| (value.clone(), origin.clone()))
                        });
                        settings!(@value said, $type, [$($default)*])
                    },)+
                }
            }

            /// All of them in words, in the order of the file.
            pub fn lines(&self) -> Vec<SettingLine> {
                vec![$(SettingLine {
                    key: $key,
                    value: settings!(@text self.$field.value, [$($default)*]),
                    origin: self.$field.origin.clone(),
                }),+]
            }
        }
    };
    (@effective $type:ty, []) => { Inherited<Option<$type>> };
    (@effective $type:ty, [$($default:tt)+]) => { Inherited<$type> };
    (@value $said:ident, $type:ty, []) => {
        match $said {
            Some((value, origin)) => Inherited { value: Some(value), origin },
            None => Inherited { value: None, origin: Origin::BuiltIn },
        }
    };
    (@value $said:ident, $type:ty, [$($default:tt)+]) => {
        match $said {
            Some((value, origin)) => Inherited { value, origin },
            None => Inherited { value: $($default)+, origin: Origin::BuiltIn },
        }
    };
    (@text $value:expr, []) => { $value.as_ref().map(|value| value.write().to_string()) };
    (@text $value:expr, [$($default:tt)+]) => { Some($value.write().to_string()) };
}

settings! {
    /// AWS profile whose account is looked in.
    source: String, "source", [];
    /// Region looked in.
    region: String, "region", [];
    /// Why, for the auditors; given to AWS with each session.
    reason: String, "reason", [];
    /// When a forward opens its session.
    start: Start, "start", [Start::OnDemand];
    /// Most sessions a forward spreads its connections over, 1 to 16.
    lanes: Whole<1, 16>, "lanes", [Whole(4)];
    /// Most connections a forward carries at once, 1 to 4096 (SEC-24).
    connections: Whole<1, 4096>, "connections", [Whole(256)];
    /// Minutes without a connection after which a forward's sessions are retired, 0 to 1440; 0 never.
    idle_minutes: Whole<0, 1440>, "idle-minutes", [Whole(15)];
    /// Minutes after which a forward switches itself off, 0 to 10080; 0 never.
    time_limit_minutes: Whole<0, 10_080>, "time-limit-minutes", [Whole(0)];
    /// Where a forward listens.
    bind: Bind, "bind", [Bind::Loopback];
    /// Whether programs of other users of this computer may connect (SEC-21).
    other_users: bool, "other-users", [false];
    /// Whether requests of web pages are checked (SEC-23).
    browser_guard: BrowserGuard, "browser-guard", [BrowserGuard::Auto];
    /// Host names a web page may use for the forward, besides those of loopback.
    host_aliases: Vec<String>, "host-aliases", [Vec::new()];
    /// User on the node, for SSH and remote desktops.
    user: String, "user", [];
    /// Windows domain of the user.
    domain: String, "domain", [];
    /// Private key file: for SSH, and to decrypt the password of a Windows node.
    key_file: String, "key-file", [];
    /// Whether the public key is pushed by EC2 Instance Connect before SSH.
    push_key: bool, "push-key", [false];
    /// Which program shows remote desktops.
    rdp_client: RdpClient, "rdp-client", [RdpClient::Auto];
    /// Size of a remote desktop.
    rdp_screen: Screen, "rdp-screen", [Screen::Full];
    /// Whether it spans all monitors.
    rdp_all_monitors: bool, "rdp-all-monitors", [false];
    /// Whether the clipboard is shared with it (SEC-61).
    rdp_clipboard: bool, "rdp-clipboard", [false];
    /// Whether local drives are shared with it (SEC-61).
    rdp_drives: bool, "rdp-drives", [false];
    /// Whether printers are shared with it (SEC-61).
    rdp_printers: bool, "rdp-printers", [false];
    /// Whether its sound is played here.
    rdp_sound: bool, "rdp-sound", [false];
    /// Whether a minimised desktop is kept awake.
    rdp_keep_awake: bool, "rdp-keep-awake", [true];
}
