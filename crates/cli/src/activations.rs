//! `fleetline activations`.

use clap::{ArgAction, Args as ClapArgs, Subcommand};
use fleetline_app::{ApiError, Sources};
use fleetline_aws::AwsSources;
use fleetline_inventory::hybrid::{Activation, HybridSources, NewActivation};
use fleetline_inventory::node::AccountRegion;
use fleetline_inventory::words::time;
use serde::Serialize;

use crate::args::ScopeArgs;
use crate::console::{harmless, tell, write, write_json};
use crate::failure::Failure;
use crate::fleet::now_ms;
use crate::scope::{self, Scope};
use crate::table;

#[derive(Debug, ClapArgs)]
pub(crate) struct ActivationsArgs {
    #[command(subcommand)]
    command: ActivationsCommand,
}

#[derive(Debug, Subcommand)]
enum ActivationsCommand {
    /// List activations
    List(ListArgs),
    /// Make an activation and print its code, which AWS tells only now
    Create(CreateArgs),
    /// Delete an activation; the nodes it registered stay
    Delete(DeleteArgs),
    /// Deregister a hybrid node
    Deregister(DeregisterArgs),
}

#[derive(Debug, ClapArgs)]
struct ListArgs {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Debug, ClapArgs)]
struct CreateArgs {
    /// Name of a role that trusts ssm.amazonaws.com
    #[arg(long)]
    role: String,
    /// Nodes it may register
    #[arg(long, default_value_t = 1)]
    limit: u32,
    /// Hours until it ends, at most 720
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
    hours: u32,
    /// Name of the nodes
    #[arg(long, default_value = "")]
    name: String,
    /// What it is for
    #[arg(long, default_value = "")]
    description: String,
    /// Tag of the nodes. May be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE", action = ArgAction::Append, value_parser = tag)]
    tags: Vec<(String, String)>,
    /// Print JSON, the code included, instead of install commands
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Debug, ClapArgs)]
struct DeleteArgs {
    /// Id of the activation
    id: String,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Debug, ClapArgs)]
struct DeregisterArgs {
    /// Id of the hybrid node
    node_id: String,
    /// Do it
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

pub(crate) async fn run(args: ActivationsArgs) -> Result<u8, Failure> {
    match args.command {
        ActivationsCommand::List(args) => list(args).await,
        ActivationsCommand::Create(args) => create(args).await,
        ActivationsCommand::Delete(args) => delete(args).await,
        ActivationsCommand::Deregister(args) => deregister(args).await,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ActivationJson {
    source: String,
    region: String,
    activation_id: String,
    name: String,
    description: String,
    role: String,
    limit: u32,
    registered: u32,
    expires: Option<String>,
    expired: bool,
    created: Option<String>,
    tags: std::collections::BTreeMap<String, String>,
}

async fn list(args: ListArgs) -> Result<u8, Failure> {
    let sources = scope::sources();
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for scope in scope::chosen(&sources, &args.scope)? {
        match all_of(&sources, &scope).await {
            Ok(found) => rows.extend(found.into_iter().map(|activation| (scope.clone(), activation))),
            Err(error) => failures.push(scope.failed(&error)),
        }
    }
    if args.json {
        let rows: Vec<ActivationJson> = rows.into_iter().map(json).collect();
        write_json(&rows)?;
        return ended(failures);
    }
    if rows.is_empty() && !failures.is_empty() {
        return ended(failures);
    }
    let head = ["ACTIVATION", "NAME", "ROLE", "REGISTERED", "EXPIRES", "SOURCE", "REGION"];
    let lines: Vec<Vec<String>> = rows.iter().map(|(scope, activation)| row(scope, activation)).collect();
    for line in table::lines(&head, &lines) {
        write(&line)?;
    }
    ended(failures)
}

/// What was found is printed; what could not be asked is told, and decides the exit status.
fn ended(mut failures: Vec<Failure>) -> Result<u8, Failure> {
    failures.dedup();
    let Some(last) = failures.pop() else { return Ok(0) };
    failures.iter().for_each(Failure::tell);
    Err(last)
}

async fn all_of(sources: &AwsSources, scope: &Scope) -> Result<Vec<Activation>, ApiError> {
    let calls = sources.hybrid(&scope.source, &scope.region)?;
    let (mut found, mut next) = (Vec::new(), None);
    loop {
        let page = calls.activations(next).await?;
        found.extend(page.activations);
        match page.next {
            Some(token) => next = Some(token),
            None => return Ok(found),
        }
    }
}

fn row(scope: &Scope, activation: &Activation) -> Vec<String> {
    let end = time(activation.expires_ms).unwrap_or_default();
    let end = if activation.expired { format!("{end} (over)") } else { end };
    let cells = [
        activation.id.as_str(),
        &activation.name,
        &activation.role,
        &format!("{} of {}", activation.registered, activation.limit),
        &end,
        &scope.source,
        &scope.region,
    ];
    cells.into_iter().map(|cell| harmless(cell).replace(['\n', '\t'], " ")).collect()
}

fn json((scope, activation): (Scope, Activation)) -> ActivationJson {
    ActivationJson {
        source: scope.source,
        region: scope.region,
        activation_id: activation.id,
        name: activation.name,
        description: activation.description,
        role: activation.role,
        limit: activation.limit,
        registered: activation.registered,
        expires: time(activation.expires_ms),
        expired: activation.expired,
        created: time(activation.created_ms),
        tags: activation.tags.into_iter().collect(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreatedJson<'a> {
    activation_id: &'a str,
    activation_code: &'a str,
    region: &'a str,
}

async fn create(args: CreateArgs) -> Result<u8, Failure> {
    let now = now_ms();
    let new = NewActivation {
        role: args.role,
        limit: args.limit,
        // A moment less than the whole, so that the longest life is still within 30 days when AWS looks at it.
        expires_ms: Some(now + i64::from(args.hours) * 3_600_000 - 1_000),
        name: args.name,
        description: args.description,
        tags: args.tags,
    };
    new.check(now).map_err(Failure::usage)?;
    let sources = scope::sources();
    let scope = scope::single(&sources, &args.scope)?;
    let failed = |error: ApiError| scope.failed(&error);
    let calls = sources.hybrid(&scope.source, &scope.region).map_err(failed)?;
    let account_id = sources
        .listing(&scope.source, &scope.region)
        .map_err(failed)?
        .identity()
        .await
        .map_err(failed)?
        .account_id;
    let made = calls.create_activation(new).await.map_err(failed)?;
    if args.json {
        let created = CreatedJson {
            activation_id: &made.id,
            activation_code: made.code.expose(),
            region: &scope.region,
        };
        return write_json(&created).map(|()| 0);
    }
    let at = AccountRegion { account_id, region: scope.region.clone() };
    write(&format!("Activation {}", made.id))?;
    write(&format!("Code       {}", made.code.expose()))?;
    write("\nLinux:\n")?;
    write(made.linux_commands(&at).trim_end())?;
    write("\nWindows, in an elevated PowerShell:\n")?;
    write(made.windows_commands(&at).replace("\r\n", "\n").trim_end())?;
    tell("AWS does not tell the code again.");
    Ok(0)
}

async fn delete(args: DeleteArgs) -> Result<u8, Failure> {
    let sources = scope::sources();
    let scope = scope::single(&sources, &args.scope)?;
    let calls = sources.hybrid(&scope.source, &scope.region).map_err(|error| scope.failed(&error))?;
    calls.delete_activation(args.id).await.map_err(|error| scope.failed(&error))?;
    Ok(0)
}

async fn deregister(args: DeregisterArgs) -> Result<u8, Failure> {
    if args.node_id.starts_with("i-") {
        return Err(Failure::usage(
            "Only hybrid nodes can be deregistered; an EC2 instance leaves when it ends.",
        ));
    }
    if !args.yes {
        return Err(Failure::usage(format!(
            "Deregistering {} takes it out of Systems Manager for everybody; it must be activated anew to come back.",
            args.node_id
        ))
        .with_hint("Add --yes to do it."));
    }
    let sources = scope::sources();
    let scope = scope::single(&sources, &args.scope)?;
    let calls = sources.hybrid(&scope.source, &scope.region).map_err(|error| scope.failed(&error))?;
    calls.deregister(args.node_id).await.map_err(|error| scope.failed(&error))?;
    Ok(0)
}
