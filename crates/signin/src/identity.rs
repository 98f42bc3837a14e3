//! Who a source is and how its sign-in stands, and the port behind which both are found out and changed.

use tokio::sync::watch;

use crate::cache::CacheError;
use crate::code::{Code, CodeAsk};
use crate::flow::{Method, Prompt, SignInError};
use crate::oidc::BoxFuture;

/// How a source gets its credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// An access key in the files.
    AccessKey,
    /// AWS_ACCESS_KEY_ID and friends.
    Environment,
    /// A role of IAM Identity Center.
    IdentityCenter,
    /// A role, taken by the credentials of another source or of this computer.
    Role,
    /// A role, taken by a token in a file.
    WebIdentity,
    /// A program prints them.
    Process,
    /// `aws login`.
    ConsoleLogin,
    /// Nothing is configured.
    Nothing,
}

/// When credentials, or the sign-in behind them, end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Never by themselves.
    Never,
    /// They end, and nobody says when.
    Unknown,
    /// At this time in epoch milliseconds.
    At {
        /// The time.
        ms: i64,
        /// Whether the next ones come without a person.
        renews: bool,
    },
}

/// How far a source can be used now, as far as that can be told without a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its credentials, or the sign-in behind them, are at hand.
    Good(Ending),
    /// Nobody is signed in.
    NeedsSignIn,
    /// The sign-in, or what it gave, was over at this time in epoch milliseconds.
    Over {
        /// The time.
        since_ms: i64,
    },
    /// The next use asks a person for a code.
    NeedsCode,
    /// Only using it tells: a program, a token file, the metadata of this computer.
    Unknown,
}

/// Everything the configuration says of a source, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceDetail {
    /// Name of the AWS profile, or `environment`.
    pub name: String,
    /// How it gets credentials.
    pub kind: CredentialKind,
    /// The Region it names.
    pub region: Option<String>,
    /// The account, where the configuration names it.
    pub account_id: Option<String>,
    /// Name of the role, where the configuration names it.
    pub role: Option<String>,
    /// Label of the sign-in its chain begins with.
    pub sign_in: Option<String>,
    /// The sources its role is taken through, nearest first.
    pub through: Vec<String>,
    /// The MFA device whose code it asks for.
    pub mfa_serial: Option<String>,
    /// Its settings as they are written, in the order of their names; what is secret is left out.
    pub settings: Vec<(String, String)>,
    /// Whether this program made it, outside the AWS files.
    pub own: bool,
    /// How it stands.
    pub standing: Standing,
    /// What makes it unusable, as a sentence.
    pub problem: Option<String>,
}

/// A sign-in of the configuration: an `sso-session`, or a start URL of the older form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInDetail {
    /// Its label: the name of the session, else the start URL.
    pub label: String,
    /// `sso_start_url`.
    pub start_url: String,
    /// `sso_region`.
    pub region: String,
    /// How it stands.
    pub standing: Standing,
    /// Sources whose chain begins with it, by name.
    pub sources: Vec<String>,
    /// Whether this program made it, outside the AWS files.
    pub own: bool,
}

/// All sources and sign-ins of one reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// Sources in the order of the configuration's list.
    pub sources: Vec<SourceDetail>,
    /// Sign-ins by label.
    pub sign_ins: Vec<SignInDetail>,
}

/// Who AWS says the caller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Twelve digits.
    pub account_id: String,
    /// ARN.
    pub arn: String,
}

/// A sign-in that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Name of the `sso-session`, or the start URL of the older form.
    pub session: String,
    /// End of the access token in epoch milliseconds. Most are refreshed without a person.
    pub expires_ms: i64,
    /// Sources that use it, by name.
    pub sources: Vec<String>,
}

/// An account a sign-in opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInAccount {
    /// Twelve digits.
    pub account_id: String,
    /// Name; may be empty.
    pub name: String,
    /// Address of its owner; may be empty.
    pub email: String,
    /// The roles the person has there.
    pub roles: Vec<SignedInRole>,
}

/// A role a sign-in opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInRole {
    /// Its name.
    pub name: String,
    /// The source that uses it already.
    pub source: Option<String>,
}

/// A role of a sign-in that shall become a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePick {
    /// Twelve digits.
    pub account_id: String,
    /// Name of the account, which becomes part of the source's name; may be empty.
    pub account_name: String,
    /// Name of the role.
    pub role: String,
}

/// Why nobody is signed in or out. `E` is the port error of the implementation.
#[derive(Debug, thiserror::Error)]
pub enum SignInFailure<E: std::fmt::Display> {
    /// Neither a source nor an `sso-session` has this name.
    #[error("There is no AWS profile and no sso-session named {0} in the configuration.")]
    Unknown(String),
    /// The source gets its credentials in another way.
    #[error("The AWS profile {0} does not sign in through IAM Identity Center.")]
    OtherWay(String),
    /// The configuration cannot be used, or what was asked does not fit it; the text is a sentence.
    #[error("{0}")]
    Configuration(String),
    /// The sign-in did not succeed.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The portal, or the way to it.
    #[error("{0}")]
    Portal(E),
    /// The token on this computer cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// Sources, sign-ins and codes of one configuration. `E` is the port error of the implementation.
pub trait Identities<E: std::fmt::Display>: Send + Sync + 'static {
    /// Reads the configuration and the caches anew; never calls AWS.
    fn details(&self) -> Details;

    /// Counts changes of what [`details`](Self::details) and [`asks`](Self::asks) tell. `None` if they cannot be
    /// watched.
    fn changes(&self) -> Option<watch::Receiver<u64>>;

    /// Gets credentials for the source and asks AWS who they are. A code a person was asked for and did not give is
    /// asked for again.
    fn caller<'a>(&'a self, source: &'a str) -> BoxFuture<'a, Result<Caller, E>>;

    /// Signs in a source or a sign-in by its name. Dropping the future cancels.
    fn sign_in<'a>(
        &'a self,
        name: &'a str,
        method: Method,
        prompt: &'a dyn Prompt,
    ) -> BoxFuture<'a, Result<SignedIn, SignInFailure<E>>>;

    /// Signs out; `false` if nobody was signed in.
    fn sign_out<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<bool, SignInFailure<E>>>;

    /// All accounts and roles the sign-in opens, by name of the account.
    fn accounts<'a>(&'a self, name: &'a str)
    -> BoxFuture<'a, Result<Vec<SignedInAccount>, SignInFailure<E>>>;

    /// Adds a sign-in by its start URL, without touching the AWS files. Returns its label; an address that is known
    /// gives the sign-in that has it.
    ///
    /// # Errors
    /// When the address or the Region is none, or the file cannot be written.
    fn add_sign_in(&self, start_url: &str, region: &str) -> Result<String, SignInFailure<E>>;

    /// Makes sources of roles, without touching the AWS files; roles that have a source keep it. Returns the names in
    /// the order of the picks. `region` is where the new ones look for nodes.
    ///
    /// # Errors
    /// When the sign-in is unknown or the file cannot be written; then nothing is added.
    fn add_roles(
        &self,
        name: &str,
        region: &str,
        picks: &[RolePick],
    ) -> Result<Vec<String>, SignInFailure<E>>;

    /// Forgets a source or a sign-in, with its sources, that this program made.
    ///
    /// # Errors
    /// When it is not one of them, or the file cannot be written.
    fn remove(&self, name: &str) -> Result<(), SignInFailure<E>>;

    /// The codes that are waited for, oldest first.
    fn asks(&self) -> Vec<CodeAsk>;

    /// Gives a code to the question of a source. `false` if it asks nothing any more.
    fn give_code(&self, source: &str, code: Code) -> bool;

    /// Takes the question back; whoever waits fails. `false` if it asks nothing any more.
    fn decline_code(&self, source: &str) -> bool;
}
