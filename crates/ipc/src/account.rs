//! Accounts: sources with their state, sign-ins, and codes that are waited for.

use serde::{Deserialize, Serialize};
use specta::Type;

use crate::CommandError;

/// How a source gets its credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// An access key in the AWS files.
    AccessKey,
    /// AWS_ACCESS_KEY_ID and friends.
    Environment,
    /// A role of IAM Identity Center.
    IdentityCenter,
    /// A role taken by other credentials.
    Role,
    /// A role taken by a token in a file.
    WebIdentity,
    /// A program prints them.
    Process,
    /// `aws login`.
    ConsoleLogin,
    /// Nothing is configured.
    Nothing,
}

/// When something ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "ends", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Ending {
    /// Never by itself.
    Never,
    /// It ends, and nobody says when.
    Unknown,
    /// At a time.
    At {
        /// The time.
        ms: f64,
        /// Whether the next credentials come without a person.
        renews: bool,
    },
}

/// How far a source or a sign-in can be used now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "state", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum AccountState {
    /// Credentials, or the sign-in behind them, are at hand.
    Ready {
        /// When they end.
        ending: Ending,
    },
    /// Nobody is signed in.
    NeedsSignIn,
    /// It is over.
    Over {
        /// Since when.
        since_ms: f64,
    },
    /// A code of an MFA device is needed.
    NeedsCode,
    /// Only using it tells.
    NotChecked,
    /// AWS is being asked.
    Checking,
    /// It does not work.
    Failed {
        /// Why.
        problem: CommandError,
    },
}

/// A source on the accounts page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AccountRow {
    /// Name of the AWS profile, or `environment`.
    pub source: String,
    /// How it gets credentials.
    pub kind: CredentialKind,
    /// The account, once it is known.
    pub account_id: Option<String>,
    /// Role or user, once it is known.
    pub role: Option<String>,
    /// The caller's ARN, once AWS told it.
    pub arn: Option<String>,
    /// The Region it names.
    pub region: Option<String>,
    /// Label of the sign-in its chain begins with.
    pub sign_in: Option<String>,
    /// The sources its role is taken through, nearest first.
    pub through: Vec<String>,
    /// The MFA device it asks for.
    pub mfa_serial: Option<String>,
    /// Settings as they are written, without what is secret.
    pub settings: Vec<AccountSetting>,
    /// Whether Fleetline made it, outside the AWS files.
    pub own: bool,
    /// Whether the fleet is listed through it.
    pub in_use: bool,
    /// How it is.
    pub state: AccountState,
    /// When AWS was last asked who it is.
    pub checked_ms: Option<f64>,
}

/// A setting of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct AccountSetting {
    /// Name in the file, or of the variable.
    pub name: String,
    /// Its value, or an ellipsis for what is not shown.
    pub value: String,
}

/// A sign-in of the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct SignInRow {
    /// Name of the `sso-session`, else the start URL.
    pub label: String,
    /// Start URL.
    pub start_url: String,
    /// Region of IAM Identity Center.
    pub region: String,
    /// How it is.
    pub state: AccountState,
    /// Sources that live on it.
    pub sources: Vec<String>,
    /// Whether Fleetline made it, outside the AWS files.
    pub own: bool,
    /// The sign-in that runs, or how the last one ended.
    pub flow: Option<SignInFlow>,
}

/// How to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// In the browser of this computer.
    Browser,
    /// By a code that is compared on any device.
    Device,
}

/// A sign-in under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(tag = "step", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum SignInFlow {
    /// The page is being asked for.
    Preparing,
    /// The page is open in the browser. Its address stays in the program, since it holds a secret of this sign-in.
    Waiting {
        /// The host of the page.
        host: String,
        /// What the page must show, for a device code.
        user_code: Option<String>,
        /// When it is given up.
        until_ms: f64,
        /// Why the browser could not be opened.
        unopened: Option<String>,
    },
    /// It did not succeed.
    Failed {
        /// Why.
        problem: CommandError,
    },
}

/// A code that is waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MfaAsk {
    /// The source.
    pub source: String,
    /// Serial number or ARN of the device.
    pub serial: String,
    /// The role the code opens; `None` for the user itself.
    pub role: Option<String>,
    /// Life of what it gives, in seconds.
    pub duration_s: u32,
    /// Calls and sessions that wait.
    pub waiting: u32,
    /// Whether a code is being tried.
    pub trying: bool,
    /// Why the last code did not do.
    pub refused: Option<MfaRefused>,
}

/// A code AWS did not take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MfaRefused {
    /// When the device shows the next one.
    pub next_ms: f64,
    /// Whether this very code was given before.
    pub used_before: bool,
    /// What AWS said.
    pub text: String,
}

/// Everything the accounts page shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Accounts {
    /// Sources in the order of the configuration.
    pub rows: Vec<AccountRow>,
    /// Sign-ins by label.
    pub sign_ins: Vec<SignInRow>,
    /// Codes that are waited for, oldest first.
    pub asks: Vec<MfaAsk>,
}

/// An account a sign-in opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OpenAccount {
    /// Twelve digits.
    pub account_id: String,
    /// Name; may be empty.
    pub name: String,
    /// Address of its owner; may be empty.
    pub email: String,
    /// The roles there.
    pub roles: Vec<OpenRole>,
}

/// A role a sign-in opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OpenRole {
    /// Its name.
    pub name: String,
    /// The source that uses it already.
    pub source: Option<String>,
    /// Whether the fleet is listed through it.
    pub in_use: bool,
}

/// A role that shall become a source and be listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AccountPick {
    /// Twelve digits.
    pub account_id: String,
    /// Name of the account; may be empty.
    pub account_name: String,
    /// Name of the role.
    pub role: String,
}
