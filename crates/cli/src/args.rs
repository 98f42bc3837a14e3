//! What the program is asked to do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::accounts::AccountsArgs;
use crate::activations::ActivationsArgs;
use crate::app::AppArgs;
use crate::audit::AuditArgs;
use crate::book::{FavouritesArgs, GroupsArgs, LookArgs, ViewsArgs};
use crate::doctor::DoctorArgs;
use crate::documents::DocumentsArgs;
use crate::iam::IamArgs;
use crate::links::LinksArgs;
use crate::login::{LoginArgs, LogoutArgs};
use crate::preferences::PreferencesArgs;
use crate::recordings::RecordingsArgs;
use crate::secrets::SecretsArgs;
use crate::sessions::SessionsArgs;
use crate::tier::TierArgs;
use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand};

use crate::profile::ProfileArgs;
use crate::rdp::RdpArgs;
use crate::ssh_config::SshConfigArgs;

/// Sessions and fleets of AWS Systems Manager, without an AWS CLI or plugin.
#[derive(Debug, Parser)]
#[command(name = "fleetline", version, about, max_term_width = 100, after_help = EXIT_STATUS)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_STATUS: &str =
    "Exit status: 0 ok, 2 usage, 3 denied, 4 target not connectable, 5 credentials, 6 network, \
7 throttled, 8 local resource, 1 other. `exec` returns the remote command's own status once it ran.
Set FLEETLINE_LOG=debug to see what happens on standard error.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign in through IAM Identity Center; the AWS CLI is signed in with it
    Login(LoginArgs),
    /// Sign out, here and at AWS
    Logout(LogoutArgs),
    /// Show and change identities: AWS profiles, sign-ins and their roles
    Accounts(AccountsArgs),
    /// List managed nodes
    Nodes(NodesArgs),
    /// List, save and remove views: queries with their order and columns, shared with the app
    Views(ViewsArgs),
    /// List and change groups of nodes
    Groups(GroupsArgs),
    /// List and change favourite nodes
    #[command(alias = "favorites")]
    Favourites(FavouritesArgs),
    /// Open a shell on a node
    Shell(ShellArgs),
    /// Run a command on a node, with its exit status and its output streams apart
    Exec(ExecArgs),
    /// Say step by step whether a node takes sessions, and why not
    Doctor(DoctorArgs),
    /// Show and change the tier of hybrid nodes
    Tier(TierArgs),
    /// List, make and delete hybrid activations, and deregister nodes
    Activations(ActivationsArgs),
    /// List, show, make, change and compare session documents
    Documents(DocumentsArgs),
    /// Show and save the session preferences of accounts and Regions
    Preferences(PreferencesArgs),
    /// List and end sessions of everybody
    Sessions(SessionsArgs),
    /// Judge what is recorded, sealed and bounded in each account and Region, with the evidence
    Audit(AuditArgs),
    /// List, replay, export and delete recordings of shells
    Recordings(RecordingsArgs),
    /// Say and choose where secrets of Fleetline are kept, and forget them
    Secrets(SecretsArgs),
    /// Permissions
    Iam(IamArgs),
    /// Run the demo fleet: AWS on this computer, with real shells
    Sim(SimArgs),
    /// List, check, import and export saved profiles
    Profile(ProfileArgs),
    /// Forward local ports to a node, or through it to hosts it reaches, until a signal comes
    Forward(ForwardArgs),
    /// Ask the running app: status, forwards, switch them on and off
    App(AppArgs),
    /// Let the desktop open fleetline:// links with the app, or not any more
    Links(LinksArgs),
    /// Offer a SOCKS5 proxy whose connections leave from the node's side, until a signal comes
    Socks(SocksArgs),
    /// Open a node's remote desktop through a forward, until its client ends or a signal comes
    Rdp(Box<RdpArgs>),
    /// Connect standard input and output with a port of a node, as OpenSSH's ProxyCommand wants it
    SshProxy(SshProxyArgs),
    /// Let ssh, scp and sftp reach nodes by their ids and saved names
    SshConfig(SshConfigArgs),
}

/// Where to look.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct ScopeArgs {
    /// AWS profile, or `environment` for AWS_ACCESS_KEY_ID and friends. May be repeated. Default: the environment if
    /// it has credentials, else the profile AWS_PROFILE names, else every usable profile
    #[arg(long = "source", value_name = "NAME", action = ArgAction::Append)]
    pub(crate) sources: Vec<String>,
    /// Region to look in, for every source. May be repeated. Default: the Region each source names
    #[arg(long = "region", value_name = "REGION", action = ArgAction::Append)]
    pub(crate) regions: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct NodesArgs {
    /// Filter: words and key:value terms, `-` in front negates; quote it, as in 'platform:windows -ping:lost web', and
    /// write `--` before one that begins with `-`
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// Use a saved view: its query, order and columns. A query beside it filters further, options win
    #[arg(long, value_name = "NAME")]
    pub(crate) view: Option<String>,
    #[command(flatten)]
    pub(crate) look: LookArgs,
    /// Print a JSON array with all that is known of each node
    #[arg(long, conflicts_with = "columns")]
    pub(crate) json: bool,
    /// Print CSV with a head
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ShellArgs {
    /// Node id, or a name that only one node has
    pub(crate) target: String,
    /// Session document; default: the account's shell document
    #[arg(long, value_name = "DOCUMENT")]
    pub(crate) document: Option<String>,
    /// Parameter of the document. May be repeated; the same name again adds a value
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// Why, for the auditors
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Print no banner and no notices
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Record what the node prints, sealed, on this computer; see `fleetline recordings`
    #[arg(long)]
    pub(crate) record: bool,
    /// Record what is typed as well, as far as the node shows it; never what is typed where nothing is shown
    #[arg(long, requires = "record")]
    pub(crate) record_input: bool,
    /// If it fails, say why as a line of JSON on standard error
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExecArgs {
    /// Node id, or a name that only one node has
    pub(crate) target: String,
    /// Document of type NonInteractiveCommands to use instead of AWS-StartNonInteractiveCommand
    #[arg(long, value_name = "DOCUMENT")]
    pub(crate) document: Option<String>,
    /// Parameter of the document. May be repeated; the same name again adds a value
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// Why, for the auditors
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// If it fails, say why as a line of JSON on standard error
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    /// Program and arguments, run without a shell: for pipes use `sh -c '…'`. A single word with spaces in it is
    /// split on the node by shell quoting rules
    #[arg(last = true, required_unless_present = "document", value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ForwardArgs {
    /// Node id, or a name that only one node has
    pub(crate) target: String,
    /// What to listen on and where it leads. LOCAL 0 picks a free port; the addresses are printed, one line each, once
    /// the forwards work. Of three parts a number first means LOCAL:HOST:REMOTE. IPv6 addresses stand in brackets
    #[arg(required = true, value_name = "[BIND:]LOCAL:[HOST:]REMOTE")]
    pub(crate) forwards: Vec<String>,
    /// Most sessions that carry one forward at a time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(crate) lanes: u8,
    /// Listen on a Unix socket instead of a port; the forward is written [HOST:]REMOTE then
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<String>,
    /// Start sessions with the first connection instead of at once
    #[arg(long)]
    pub(crate) on_demand: bool,
    /// Do not use the running app's forward when it has the same
    #[arg(long)]
    pub(crate) alone: bool,
    /// Allow addresses that let other computers in
    #[arg(long)]
    pub(crate) expose: bool,
    /// Let programs of other users of this computer connect
    #[arg(long)]
    pub(crate) any_user: bool,
    /// Refuse requests of web pages of other sites, and those that name another host
    #[arg(long, value_enum, default_value_t = GuardChoice::Auto)]
    pub(crate) browser_guard: GuardChoice,
    /// Host name besides those of this computer under which web pages may call the forward. May be repeated
    #[arg(long = "host-alias", value_name = "NAME", action = ArgAction::Append)]
    pub(crate) host_aliases: Vec<String>,
    /// Print a JSON object for each forward instead of its address, and a failure as JSON on standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// Print no notices
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Why, for the auditors
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

/// Whether requests of web pages are checked before they reach the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum GuardChoice {
    /// All requests on ports that web servers use, those of browsers on others
    Auto,
    /// Always
    On,
    /// Never
    Off,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SocksArgs {
    /// Node id, or a name that only one node has
    pub(crate) target: String,
    /// What to listen on; port 0 picks a free one, printed on the first line
    #[arg(default_value = "1080", value_name = "[BIND:]PORT")]
    pub(crate) listen: String,
    /// Listen on a Unix socket instead of a port
    #[arg(long, value_name = "PATH", conflicts_with = "listen")]
    pub(crate) socket: Option<String>,
    /// Most sessions that lead to one destination at a time
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(crate) lanes: u8,
    /// Do not use the running app's proxy when it has the same
    #[arg(long)]
    pub(crate) alone: bool,
    /// Most sessions at a time over all destinations
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) sessions: u16,
    /// Allow addresses that let other computers in
    #[arg(long)]
    pub(crate) expose: bool,
    /// Let programs of other users of this computer connect
    #[arg(long)]
    pub(crate) any_user: bool,
    /// Print a JSON object instead of the address
    #[arg(long)]
    pub(crate) json: bool,
    /// Print no notices
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Why, for the auditors
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SshProxyArgs {
    /// Node id, or a name that only one node has
    pub(crate) target: String,
    /// Port on the node
    #[arg(default_value_t = 22, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: u16,
    /// Push a public key by EC2 Instance Connect first: the instance's SSH server takes it for 60 seconds. Needs --user
    #[arg(long, requires = "user")]
    pub(crate) push_key: bool,
    /// User the key is pushed for
    #[arg(long, requires = "push_key")]
    pub(crate) user: Option<String>,
    /// Key whose public half is pushed: a .pub file, or the private one with its .pub file beside it. Default: the first
    /// of ~/.ssh/id_ed25519.pub and id_rsa.pub
    #[arg(long, value_name = "FILE", requires = "push_key")]
    pub(crate) key_file: Option<PathBuf>,
    /// Why, for the auditors
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SimArgs {
    /// Loopback address and port to listen on; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// Managed nodes in the simulated world
    #[arg(long, default_value_t = 1284, value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    pub(crate) nodes: u32,
    /// Seed of the world; the same seed gives the same nodes
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Directory for the AWS configuration with a profile per account; default: a temporary one, removed at the end
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) directory: Option<PathBuf>,
    /// Serve HTTPS and WSS, with a certificate of an authority made for this run; the AWS configuration names its file
    #[arg(long)]
    pub(crate) tls: bool,
    /// Refuse WebSocket upgrades that are not signed
    #[arg(long, alias = "require-signed-upgrade")]
    pub(crate) require_signed: bool,
    /// Enforce the documented request rates
    #[arg(long)]
    pub(crate) quotas: bool,
    /// Pace agents as the real agent is paced
    #[arg(long, alias = "pacing")]
    pub(crate) paced: bool,
    /// Wait this long before each API answer, as in 80ms or 1.5s
    #[arg(long, default_value = "0s", value_name = "DURATION", value_parser = duration)]
    pub(crate) latency: Duration,
    /// Let this TOML file say what happens and when: sockets cut, nodes booted, calls throttled and so on
    #[arg(long, value_name = "FILE")]
    pub(crate) scenario: Option<PathBuf>,
    /// Sessions that ended before the simulator began, spread over the last 31 days
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=200_000))]
    pub(crate) history: u32,
    /// Leave out the policies of the demo world, so that nothing is denied
    #[arg(long)]
    pub(crate) no_denials: bool,
    /// Serve POST /_sim/control and GET /_sim/sessions, unsigned, for tests
    #[arg(long)]
    pub(crate) control_http: bool,
    /// Print one line of JSON instead of the variables
    #[arg(long)]
    pub(crate) json: bool,
}

/// A time as jiff writes it, "80ms" or "1m 30s", an hour at most.
fn duration(text: &str) -> Result<Duration, String> {
    const MOST: Duration = Duration::from_secs(3600);
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    parsed
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| *duration <= MOST)
        .ok_or_else(|| "write it as 80ms, 1.5s or 2m, an hour at most".to_owned())
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn exec_takes_its_command_after_two_dashes() {
        let args = Args::try_parse_from(["fleetline", "exec", "i-1", "--", "ls", "-l", "--json"]).unwrap();
        let Command::Exec(exec) = args.command else { panic!("not exec") };
        assert_eq!(exec.command, ["ls", "-l", "--json"]);
        assert!(Args::try_parse_from(["fleetline", "exec", "i-1"]).is_err());
    }

    #[test]
    fn options_and_a_query_with_negations_mix() {
        let args = ["fleetline", "nodes", "platform:windows -ping:lost", "web", "--json"];
        let Command::Nodes(nodes) = Args::try_parse_from(args).unwrap().command else { panic!("not nodes") };
        assert!(nodes.json);
        assert_eq!(nodes.query, ["platform:windows -ping:lost", "web"]);
        let args = ["fleetline", "nodes", "--json", "--", "-ping:lost"];
        let Command::Nodes(nodes) = Args::try_parse_from(args).unwrap().command else { panic!("not nodes") };
        assert_eq!(nodes.query, ["-ping:lost"]);
    }

    #[test]
    fn durations_have_a_unit_and_a_limit() {
        assert_eq!(duration("80ms"), Ok(Duration::from_millis(80)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        for bad in ["", "80", "-1s", "2h", "soon"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parameters_need_a_name() {
        assert_eq!(parameter("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(parameter("=b").is_err() && parameter("a").is_err());
    }
}
