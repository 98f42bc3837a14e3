//! `fleetline accounts`: sources, sign-ins, and the roles a sign-in opens.

use clap::{Args as ClapArgs, Subcommand};
use fleetline_app::Identities;
use fleetline_app::problem::{Context, describe, describe_sign_in};
use fleetline_aws::AwsSources;
use fleetline_ipc::ErrorCode;
use fleetline_signin::{Ending, RolePick, SignInDetail, SourceDetail, Standing};
use serde_json::{Value, json};

use crate::console::{harmless, write};
use crate::failure::Failure;
use crate::scope;
use crate::table;
use crate::timestamp::time;

#[derive(Debug, ClapArgs)]
pub(crate) struct AccountsArgs {
    #[command(subcommand)]
    command: AccountsCommand,
}

#[derive(Debug, Subcommand)]
enum AccountsCommand {
    /// List every source and sign-in with its state; asks AWS nothing
    List {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Ask AWS who sources are; those with an MFA device ask for its code
    Check {
        /// AWS profiles; default: all that need no person
        #[arg(value_name = "SOURCE")]
        sources: Vec<String>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// List the accounts and roles a sign-in opens
    Roles {
        /// AWS profile or sso-session
        #[arg(value_name = "SOURCE|SESSION")]
        name: String,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Make sources of roles that a sign-in opens, without touching the AWS files; prints their names
    Add {
        /// AWS profile or sso-session
        #[arg(value_name = "SOURCE|SESSION")]
        name: String,
        /// Account and role
        #[arg(value_name = "ACCOUNT/ROLE", required_unless_present = "all")]
        roles: Vec<String>,
        /// All of them
        #[arg(long, conflicts_with = "roles")]
        all: bool,
        /// Region in which the new sources look for nodes
        #[arg(long, value_name = "REGION")]
        region: String,
    },
    /// Forget a source or a sign-in that was added by Fleetline
    Remove {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

/// Does what is asked.
pub(crate) async fn run(args: AccountsArgs) -> Result<u8, Failure> {
    let sources = scope::sources();
    match args.command {
        AccountsCommand::List { json } => {
            // Bounded by the vault; nothing else runs meanwhile.
            tokio::task::block_in_place(|| sources.recall_sessions());
            list(&sources, json)
        }
        AccountsCommand::Check { sources: names, json } => check(&sources, &names, json).await,
        AccountsCommand::Roles { name, json } => roles(&sources, &name, json).await,
        AccountsCommand::Add { name, roles, all, region } => add(&sources, &name, &roles, all, &region).await,
        AccountsCommand::Remove { name } => {
            sources.remove(&name).map_err(|failure| Failure::from(describe_sign_in(&failure, &name)))?;
            Ok(0)
        }
    }
}

fn list(sources: &AwsSources, as_json: bool) -> Result<u8, Failure> {
    let details = sources.details();
    if as_json {
        let all = json!({
            "sources": details.sources.iter().map(source_json).collect::<Vec<_>>(),
            "signIns": details.sign_ins.iter().map(sign_in_json).collect::<Vec<_>>(),
        });
        write(&all.to_string())?;
        return Ok(0);
    }
    let mut rows = Vec::new();
    for detail in &details.sources {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let state = match &detail.problem {
            Some(problem) => problem.clone(),
            None => standing_text(detail.standing),
        };
        rows.push(vec![
            detail.name.clone(),
            text(&detail.account_id),
            text(&detail.role),
            how(detail),
            state,
        ]);
    }
    for SignInDetail { label, start_url, standing, .. } in &details.sign_ins {
        let state = standing_text(*standing);
        rows.push(vec![label.clone(), String::new(), String::new(), format!("sign-in {start_url}"), state]);
    }
    for line in table::lines(&["IDENTITY", "ACCOUNT", "ROLE", "SOURCE", "STATE"], &rows) {
        write(&harmless(&line))?;
    }
    Ok(0)
}

async fn check(sources: &AwsSources, names: &[String], as_json: bool) -> Result<u8, Failure> {
    let details = sources.details().sources;
    let at_hand = |detail: &&SourceDetail| {
        detail.problem.is_none() && matches!(detail.standing, Standing::Good(_) | Standing::Unknown)
    };
    let names: Vec<String> = match names {
        [] => details.iter().filter(at_hand).map(|detail| detail.name.clone()).collect(),
        names => names.to_vec(),
    };
    // All at once: none waits for another.
    let asked = names.iter().map(|name| async move { (name, sources.caller(name).await) });
    let answers = futures_util::future::join_all(asked).await;
    let mut worst = None;
    let mut all = Vec::new();
    for (name, answer) in answers {
        let context = Context { source: name.clone(), ..Context::default() };
        match answer {
            Ok(caller) if as_json => {
                all.push(json!({ "source": name, "accountId": caller.account_id, "arn": caller.arn }));
            }
            Ok(caller) => {
                write(&harmless(&format!("{name}: {}", caller.arn)))?;
            }
            Err(error) => {
                let problem = describe(&error, &context);
                if as_json {
                    all.push(json!({ "source": name, "problem": problem }));
                } else {
                    write(&harmless(&format!("{name}: {}", problem.message)))?;
                }
                worst.get_or_insert(problem);
            }
        }
    }
    if as_json {
        write(&Value::Array(all).to_string())?;
    }
    match worst {
        Some(problem) => Err(problem.into()),
        None => Ok(0),
    }
}

async fn roles(sources: &AwsSources, name: &str, as_json: bool) -> Result<u8, Failure> {
    let accounts = opened(sources, name).await?;
    if as_json {
        let account = |account: &fleetline_aws::SignedInAccount| {
            let roles = account.roles.iter().map(|role| json!({ "name": role.name, "source": role.source }));
            json!({
                "accountId": account.account_id,
                "name": account.name,
                "email": account.email,
                "roles": roles.collect::<Vec<_>>(),
            })
        };
        write(&Value::Array(accounts.iter().map(account).collect()).to_string())?;
        return Ok(0);
    }
    let mut rows = Vec::new();
    for account in &accounts {
        for role in &account.roles {
            rows.push(vec![
                account.account_id.clone(),
                account.name.clone(),
                role.name.clone(),
                role.source.clone().unwrap_or_default(),
            ]);
        }
    }
    for line in table::lines(&["ACCOUNT", "NAME", "ROLE", "SOURCE"], &rows) {
        write(&harmless(&line))?;
    }
    Ok(0)
}

async fn add(
    sources: &AwsSources,
    name: &str,
    wanted: &[String],
    all: bool,
    region: &str,
) -> Result<u8, Failure> {
    let accounts = opened(sources, name).await?;
    let offered: Vec<RolePick> = accounts
        .iter()
        .flat_map(|account| account.roles.iter().map(move |role| (account, role)))
        .map(|(account, role)| RolePick {
            account_id: account.account_id.clone(),
            account_name: account.name.clone(),
            role: role.name.clone(),
        })
        .collect();
    let picks = if all {
        offered
    } else {
        let find = |text: &String| {
            let named = |pick: &&RolePick| {
                text.split_once('/').is_some_and(|(account, role)| {
                    role == pick.role && (account == pick.account_id || account == pick.account_name)
                })
            };
            offered.iter().find(named).cloned().ok_or_else(|| {
                Failure::usage(format!("The sign-in {name} opens no role {text}."))
                    .with_hint("`fleetline accounts roles` lists what it opens.")
            })
        };
        wanted.iter().map(find).collect::<Result<_, _>>()?
    };
    let names = sources
        .add_roles(name, region, &picks)
        .map_err(|failure| Failure::from(describe_sign_in(&failure, name)))?;
    for name in names {
        write(&harmless(&name))?;
    }
    Ok(0)
}

async fn opened(sources: &AwsSources, name: &str) -> Result<Vec<fleetline_aws::SignedInAccount>, Failure> {
    let opened = sources.signed_in_accounts(name).await;
    opened.map_err(|failure| Failure::from(describe_sign_in(&failure, name)))
}

fn source_json(detail: &SourceDetail) -> Value {
    let settings = detail.settings.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    json!({
        "source": detail.name,
        "how": how(detail),
        "accountId": detail.account_id,
        "role": detail.role,
        "region": detail.region,
        "signIn": detail.sign_in,
        "through": detail.through,
        "mfaSerial": detail.mfa_serial,
        "settings": settings.collect::<Vec<_>>(),
        "own": detail.own,
        "state": standing_json(detail.standing),
        "problem": detail.problem,
    })
}

fn sign_in_json(detail: &SignInDetail) -> Value {
    json!({
        "label": detail.label,
        "startUrl": detail.start_url,
        "region": detail.region,
        "sources": detail.sources,
        "own": detail.own,
        "state": standing_json(detail.standing),
    })
}

fn standing_json(standing: Standing) -> Value {
    match standing {
        Standing::Good(Ending::At { ms, renews }) => {
            json!({ "state": "ready", "expires": whole_seconds(ms), "renews": renews })
        }
        Standing::Good(Ending::Never) => json!({ "state": "ready", "expires": "never" }),
        Standing::Good(Ending::Unknown) => json!({ "state": "ready" }),
        Standing::NeedsSignIn => json!({ "state": "needs_sign_in" }),
        Standing::Over { since_ms } => json!({ "state": "over", "since": whole_seconds(since_ms) }),
        Standing::NeedsCode => json!({ "state": "needs_code" }),
        Standing::Unknown => json!({ "state": "not_checked" }),
    }
}

fn standing_text(standing: Standing) -> String {
    match standing {
        Standing::Good(Ending::At { ms, renews: false }) => format!("ready until {}", whole_seconds(ms)),
        Standing::Good(Ending::At { .. }) => "ready, renews itself".to_owned(),
        Standing::Good(Ending::Never) => "never expires".to_owned(),
        Standing::Good(Ending::Unknown) => "ready, end not known".to_owned(),
        Standing::NeedsSignIn => "not signed in".to_owned(),
        Standing::Over { since_ms } => format!("expired {}", whole_seconds(since_ms)),
        Standing::NeedsCode => "needs an MFA code".to_owned(),
        Standing::Unknown => "not checked".to_owned(),
    }
}

fn how(detail: &SourceDetail) -> String {
    use fleetline_signin::CredentialKind as Kind;
    let base = match detail.kind {
        Kind::AccessKey => "access key".to_owned(),
        Kind::Environment => "environment".to_owned(),
        Kind::IdentityCenter => {
            format!("IAM Identity Center {}", detail.sign_in.as_deref().unwrap_or_default())
        }
        Kind::Role => match detail.through.first() {
            Some(through) => format!("role through {through}"),
            None => "role".to_owned(),
        },
        Kind::WebIdentity => "web identity".to_owned(),
        Kind::Process => "credential process".to_owned(),
        Kind::ConsoleLogin => "aws login".to_owned(),
        Kind::Nothing => "no credentials".to_owned(),
    };
    if detail.mfa_serial.is_some() { format!("{base}, MFA") } else { base }
}

fn whole_seconds(ms: i64) -> String {
    time(Some(ms / 1000 * 1000)).unwrap_or_default()
}

/// Gets credentials of sources that ask for a code, before anything else needs the terminal.
///
/// # Errors
/// When a code is not given, or what it is for fails.
pub(crate) async fn unlock(sources: &AwsSources, names: &[&str]) -> Result<(), Failure> {
    let details = sources.details().sources;
    for detail in details.iter().filter(|detail| names.contains(&&*detail.name)) {
        let coded =
            detail.through.iter().chain([&detail.name]).any(|name| {
                details.iter().any(|one| one.name == *name && one.standing == Standing::NeedsCode)
            });
        if coded && let Err(error) = sources.caller(&detail.name).await {
            let context = Context { source: detail.name.clone(), ..Context::default() };
            let problem = describe(&error, &context);
            let failure = Failure::from(problem.clone());
            return Err(match problem.code {
                ErrorCode::NotSignedIn => {
                    failure.with_hint("Run the command on a terminal, which asks for the code.")
                }
                _ => failure,
            });
        }
    }
    Ok(())
}
