//! The application as a whole: first run, sources, snapshot, quitting.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::account::Accounts;
use crate::book::FleetBook;
use crate::fleet::FleetSummary;
use crate::forward::{ForwardKind, Forwards};
use crate::session::TabRow;
use crate::settings::Settings;
use crate::{CommandError, ErrorCode};

/// Languages of the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// German.
    De,
    /// Japanese.
    Ja,
}

/// What the application is pointed at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum AppMode {
    /// Nothing chosen yet: the first-run page.
    FirstRun,
    /// The demo fleet: a simulator inside this process, with shells on this computer.
    Demo,
    /// AWS through the sources chosen.
    Aws {
        /// Names of the AWS profiles in use.
        sources: Vec<String>,
    },
}

/// The choice of the first-run page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum StartChoice {
    /// Explore the demo fleet.
    Demo,
    /// Use AWS profiles of the user's own configuration.
    Aws {
        /// AWS profile names as listed in [`AppSnapshot::sources`], at least one.
        sources: Vec<String>,
        /// Regions to list; empty means each source's own Region.
        regions: Vec<String>,
    },
}

/// An AWS profile (or the environment) the user could choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SourceRow {
    /// Its name in the AWS configuration; `environment` for AWS_ACCESS_KEY_ID and friends.
    pub name: String,
    /// The Region it names, if it names one.
    pub region: Option<String>,
    /// How it gets credentials: "access key", "IAM Identity Center", "assume role", …
    pub method: String,
    /// Why it cannot be used, if that is known without calling AWS.
    pub problem: Option<CommandError>,
}

/// Who we are to AWS, for the status bar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct IdentityRow {
    /// The source the identity belongs to.
    pub source: String,
    /// Account id.
    pub account_id: String,
    /// The caller ARN.
    pub arn: String,
    /// The last part of it, as people say it: user or role session name.
    pub name: String,
    /// When the credentials end, if they end and the end is known.
    pub expires_ms: Option<f64>,
}

/// Severity of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum NoticeLevel {
    /// For information.
    Info,
    /// Needs attention.
    Warn,
    /// Something stopped.
    Bad,
}

/// Something told to the user outside any one view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// Stable while the notice stands; the same id replaces.
    pub id: String,
    /// How bad.
    pub level: NoticeLevel,
    /// One sentence.
    pub message: String,
    /// Raw text folded away.
    pub detail: Option<String>,
}

/// Everything the interface needs to paint itself after a (re)load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AppSnapshot {
    /// Version of the last event already included.
    pub version: f64,
    /// What the application is pointed at.
    pub mode: AppMode,
    /// `linux`, `macos` or `windows`.
    pub platform: String,
    /// The program's version.
    pub app_version: String,
    /// Whether the GL renderer is known to be software, so that Canvas 2D is faster.
    pub software_gl: bool,
    /// AWS profiles that could be chosen.
    pub sources: Vec<SourceRow>,
    /// Identities in use.
    pub identities: Vec<IdentityRow>,
    /// Counters and account-Regions.
    pub fleet: FleetSummary,
    /// Saved views, groups, favourites.
    pub book: FleetBook,
    /// Open tabs in order; the Fleet tab is always first.
    pub tabs: Vec<TabRow>,
    /// Id of the tab in front.
    pub active_tab: String,
    /// Forwards.
    pub forwards: Forwards,
    /// Sources, sign-ins and codes that are waited for.
    pub accounts: Accounts,
    /// Settings in force.
    pub settings: Settings,
    /// Standing notices.
    pub notices: Vec<Notice>,
    /// What was open when the app ended, while nobody has said whether to open it again.
    pub restore: Option<RestoreOffer>,
    /// A link that waits for an answer.
    pub link: Option<crate::link::LinkQuestion>,
}

/// What was open when the app ended last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RestoreOffer {
    /// Names of forwards that were switched on.
    pub forwards: Vec<String>,
    /// Names of the nodes that shells were open on.
    pub shells: Vec<String>,
}

/// What quitting would end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct QuitSummary {
    /// Live shells by tab title.
    pub shells: Vec<String>,
    /// Forwards that listen.
    pub forwards: Vec<QuitForward>,
    /// How many programs have connections through them.
    pub programs: u32,
    /// The program that has moved most through one connection, if there is any.
    pub busiest: Option<QuitClient>,
    /// Whether the program can go on in the tray. Where the desktop has none, the window is minimised instead.
    pub tray: bool,
}

/// A forward that quitting would stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct QuitForward {
    /// Its name.
    pub name: String,
    /// What it leads to.
    pub kind: ForwardKind,
    /// Name of its node.
    pub node_name: String,
    /// Connections it carries.
    pub connections: u32,
}

/// A connection that quitting would cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct QuitClient {
    /// Its program.
    pub client: String,
    /// Bytes moved, both ways together.
    pub bytes: f64,
}

impl CommandError {
    /// A failure with a code and a sentence and nothing else to say.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, detail: None, request_id: None }
    }
}
