//! `fleetline iam`.

use std::collections::BTreeSet;

use clap::{ArgAction, Args as ClapArgs, Subcommand};
use fleetline_access::{Feature, MANAGED_POLICY_LIMIT, Node, Place, Wanted};
use fleetline_inventory::{Column, Entry, Query, View};

use crate::args::ScopeArgs;
use crate::console::{tell, write};
use crate::failure::Failure;
use crate::fleet::{self, Depth, Listed, now_ms};
use crate::{scope, target};

#[derive(Debug, ClapArgs)]
pub(crate) struct IamArgs {
    #[command(subcommand)]
    command: IamCommand,
}

#[derive(Debug, Subcommand)]
enum IamCommand {
    /// Print the least policy for chosen nodes, documents and features
    Policy(PolicyArgs),
}

#[derive(Debug, ClapArgs)]
struct PolicyArgs {
    /// Node ids or names, each of exactly one node
    #[arg(value_name = "NODE")]
    nodes: Vec<String>,
    /// All nodes a query finds
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// What for: inventory, shell, exec, forward, remote-host, ssh, push-key, password, history, tier. May be repeated. Default:
    /// inventory and shell
    #[arg(long = "feature", value_name = "FEATURE", action = ArgAction::Append, value_parser = feature)]
    features: Vec<Feature>,
    /// A further session document, by name or ARN. May be repeated
    #[arg(long = "document", value_name = "DOCUMENT", action = ArgAction::Append)]
    documents: Vec<String>,
    /// ARN of a KMS key that seals sessions. May be repeated
    #[arg(long = "kms-key", value_name = "ARN", action = ArgAction::Append)]
    keys: Vec<String>,
    /// Print it as Terraform instead of JSON
    #[arg(long)]
    terraform: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

fn feature(text: &str) -> Result<Feature, String> {
    Feature::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Feature::ALL.into_iter().map(Feature::name).collect();
        format!("the features are {}", names.join(", "))
    })
}

/// Prints a policy. Nodes are looked up, since their ARNs name their accounts.
pub(crate) async fn run(args: IamArgs) -> Result<u8, Failure> {
    let IamCommand::Policy(args) = args.command;
    let nodes = chosen(&args).await?;
    let features: BTreeSet<Feature> = if args.features.is_empty() {
        [Feature::Inventory, Feature::Shell].into()
    } else {
        args.features.iter().copied().collect()
    };
    let wanted = Wanted { nodes, documents: args.documents, features, keys: args.keys };
    let policy = wanted.policy().map_err(|error| {
        Failure::usage(format!("There is no such policy: {error}."))
            .with_hint("Name nodes, or find them with --query.")
    })?;
    let text = if args.terraform { policy.to_terraform("fleetline") } else { policy.to_json() };
    write(text.trim_end())?;
    if policy.size() > MANAGED_POLICY_LIMIT {
        tell(&format!(
            "fleetline: This policy has {} characters and a managed policy holds {MANAGED_POLICY_LIMIT}. Choose fewer nodes.",
            policy.size()
        ));
    }
    Ok(0)
}

async fn chosen(args: &PolicyArgs) -> Result<Vec<Node>, Failure> {
    if args.nodes.is_empty() && args.query.is_none() {
        return Ok(Vec::new());
    }
    let query = args.query.as_deref().map(Query::parse);
    if let Some(issue) = query.as_ref().and_then(|query| query.issues().first()) {
        return Err(Failure::usage(format!("The query is not valid: {}", issue.message)));
    }
    let sources = scope::sources();
    let scopes = scope::chosen(&sources, &args.scope)?;
    let mut listed = fleet::list(&sources, &scopes, Depth::Facts, None).await;
    let mut nodes = Vec::new();
    for wanted in &args.nodes {
        nodes.push(node(target::only_match(wanted, &listed)?));
    }
    if let Some(query) = query {
        let complete = listed.failures.is_empty();
        nodes.extend(found(query, &mut listed));
        if !complete {
            listed.failures.iter().for_each(Failure::tell);
            return Err(Failure::usage(
                "Part of the scope could not be listed, so the query may find more nodes.",
            )
            .with_hint("Narrow the scope with --source and --region."));
        }
    }
    Ok(nodes)
}

fn found(query: Query, listed: &mut Listed) -> Vec<Node> {
    let mut view = View::new(query, Column::Name, false);
    view.update(&mut listed.fleet, now_ms());
    view.window(&listed.fleet, 0, usize::MAX).map(node).collect()
}

fn node(entry: &Entry) -> Node {
    let at = &entry.node().account_region;
    Node { place: Place::new(at.account_id.clone(), at.region.clone()), id: entry.node().node_id.to_string() }
}
