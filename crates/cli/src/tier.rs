//! `fleetline tier`.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use fleetline_app::tier::{TierPatience, settle};
use fleetline_app::{ApiError, NodeListing, Sources};
use fleetline_aws::AwsSources;
use fleetline_inventory::hybrid::{HybridCalls, HybridSources};
use fleetline_inventory::node::InstanceTier;
use fleetline_inventory::tier::{TierObstacle, TierReview, TierSetting};
use fleetline_inventory::words::{self, time};
use serde::Serialize;

use crate::args::ScopeArgs;
use crate::console::{harmless, tell, write, write_json};
use crate::failure::Failure;
use crate::scope::{self, Scope};
use crate::table;

#[derive(Debug, ClapArgs)]
pub(crate) struct TierArgs {
    #[command(subcommand)]
    command: TierCommand,
}

#[derive(Debug, Subcommand)]
enum TierCommand {
    /// Show the tier of accounts and Regions, who set it, and how many hybrid nodes it concerns
    Get(GetArgs),
    /// Change the tier of one account and Region; without --yes only says what that means
    Set(SetArgs),
}

#[derive(Debug, ClapArgs)]
struct GetArgs {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum To {
    Standard,
    Advanced,
}

#[derive(Debug, ClapArgs)]
struct SetArgs {
    /// The tier to change to
    to: To,
    /// Make the change whose consequences were shown
    #[arg(long)]
    yes: bool,
    /// Do not wait until the change has settled
    #[arg(long)]
    no_wait: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TierJson<'a> {
    source: &'a str,
    account_id: &'a str,
    region: &'a str,
    tier: Option<&'static str>,
    value: Option<&'static str>,
    is_default: bool,
    changed_by: &'a str,
    changed: Option<String>,
    hybrid_nodes: u32,
    monthly_cost: String,
}

/// The setting of one account and Region with what it concerns.
struct Found {
    account_id: String,
    setting: TierSetting,
    hybrid_nodes: u32,
}

pub(crate) async fn run(args: TierArgs) -> Result<u8, Failure> {
    match args.command {
        TierCommand::Get(args) => get(args).await,
        TierCommand::Set(args) => set(args).await,
    }
}

async fn get(args: GetArgs) -> Result<u8, Failure> {
    let sources = scope::sources();
    let scopes = scope::chosen(&sources, &args.scope)?;
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for scope in &scopes {
        match look(&sources, scope).await {
            Ok(one) => found.push((scope, one)),
            Err(error) => failures.push(scope.failed(&error)),
        }
    }
    if args.json {
        let rows: Vec<TierJson<'_>> = found.iter().map(|(scope, one)| one.json(scope)).collect();
        write_json(&rows)?;
    } else if !found.is_empty() {
        let rows: Vec<Vec<String>> = found.iter().map(|(scope, one)| one.row(scope)).collect();
        let head = ["SOURCE", "ACCOUNT", "REGION", "TIER", "HYBRID NODES", "ADVANCED A MONTH", "CHANGED BY"];
        for line in table::lines(&head, &rows) {
            write(&line)?;
        }
    }
    failures.dedup();
    match failures.split_last() {
        None => Ok(0),
        Some((last, others)) => {
            others.iter().for_each(Failure::tell);
            Err(last.clone())
        }
    }
}

async fn set(args: SetArgs) -> Result<u8, Failure> {
    let sources = scope::sources();
    let scope = scope::single(&sources, &args.scope)?;
    let to = match args.to {
        To::Standard => InstanceTier::Standard,
        To::Advanced => InstanceTier::Advanced,
    };
    let failed = |error: ApiError| scope.failed(&error);
    let found = look(&sources, &scope).await.map_err(failed)?;
    let review =
        TierReview { from: found.setting.tier, to, hybrid_nodes: found.hybrid_nodes, is_complete: true };
    let place = format!("account {} in {}", found.account_id, scope.region);
    match review.obstacle() {
        Some(TierObstacle::Unchanged) => {
            tell(&format!("The tier of {place} is {} already.", words::tier(Some(to)).unwrap_or_default()));
            return finish(&args, &scope, &found);
        }
        Some(TierObstacle::Pending) => {
            return Err(Failure::usage(format!("The tier of {place} is being changed already."))
                .with_hint("Look with `fleetline tier get`, and try again once it has settled."));
        }
        Some(TierObstacle::TooManyNodes) => {
            return Err(Failure::usage(format!(
                "The tier of {place} cannot go back to standard: {} hybrid nodes are registered, and standard takes 1,000.",
                found.hybrid_nodes
            )));
        }
        None => {}
    }
    tell(&format!("Changing the tier of {place} to {}:", words::tier(Some(to)).unwrap_or_default()));
    for sentence in review.consequences() {
        tell(&format!("  {sentence}"));
    }
    if !args.yes {
        return Err(Failure::usage("Nothing was changed.").with_hint("Add --yes to make the change."));
    }
    let calls = sources.hybrid(&scope.source, &scope.region).map_err(failed)?;
    calls.set_tier(to).await.map_err(failed)?;
    let setting = if args.no_wait { calls.tier_setting().await } else { settled(calls.as_ref()).await };
    let setting = setting.map_err(failed)?;
    finish(&args, &scope, &Found { setting, ..found })
}

async fn settled(calls: &dyn HybridCalls<ApiError>) -> Result<TierSetting, ApiError> {
    let mut told = false;
    let seen = |setting: &TierSetting| {
        if setting.tier == InstanceTier::Pending && !told {
            tell("The change is pending.");
            told = true;
        }
    };
    let setting = settle(calls, TierPatience::default(), seen).await?;
    if setting.tier == InstanceTier::Pending {
        tell("The change is still pending; AWS goes on with it.");
    }
    Ok(setting)
}

fn finish(args: &SetArgs, scope: &Scope, found: &Found) -> Result<u8, Failure> {
    if args.json {
        write_json(&found.json(scope))?;
    } else {
        write(words::tier(Some(found.setting.tier)).unwrap_or_default())?;
    }
    Ok(0)
}

async fn look(sources: &AwsSources, scope: &Scope) -> Result<Found, ApiError> {
    let listing = sources.listing(&scope.source, &scope.region)?;
    let account_id = listing.identity().await?.account_id;
    let setting = sources.hybrid(&scope.source, &scope.region)?.tier_setting().await?;
    let hybrid_nodes = hybrid_nodes(listing.as_ref()).await?;
    Ok(Found { account_id, setting, hybrid_nodes })
}

async fn hybrid_nodes(listing: &dyn NodeListing<ApiError>) -> Result<u32, ApiError> {
    let (mut count, mut next) = (0, None);
    loop {
        let page = listing.page(next).await?;
        count += page.nodes.iter().filter(|node| node.kind.is_hybrid()).count();
        match page.next {
            Some(token) => next = Some(token),
            None => return Ok(u32::try_from(count).unwrap_or(u32::MAX)),
        }
    }
}

impl Found {
    fn month(&self) -> String {
        let to = InstanceTier::Advanced;
        TierReview { from: self.setting.tier, to, hybrid_nodes: self.hybrid_nodes, is_complete: true }
            .month_text()
    }

    fn row(&self, scope: &Scope) -> Vec<String> {
        let cells = [
            scope.source.as_str(),
            &self.account_id,
            &scope.region,
            words::tier(Some(self.setting.tier)).unwrap_or_default(),
            &self.hybrid_nodes.to_string(),
            &self.month(),
            &self.setting.changed_by,
        ];
        cells.into_iter().map(harmless).collect()
    }

    fn json<'a>(&'a self, scope: &'a Scope) -> TierJson<'a> {
        TierJson {
            source: &scope.source,
            account_id: &self.account_id,
            region: &scope.region,
            tier: words::tier(Some(self.setting.tier)),
            value: words::tier(Some(self.setting.value)),
            is_default: self.setting.is_default,
            changed_by: &self.setting.changed_by,
            changed: time(self.setting.changed_ms),
            hybrid_nodes: self.hybrid_nodes,
            monthly_cost: self.month(),
        }
    }
}
