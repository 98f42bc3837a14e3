//! Which sources and Regions a command looks in.

use fleetline_app::problem::Context;
use fleetline_app::{ApiError, SourceInfo, Sources, Vault};
use fleetline_aws::{AwsSettings, AwsSources, ENVIRONMENT_SOURCE};
use fleetline_store::Paths;

use crate::args::ScopeArgs;
use crate::code;
use crate::failure::Failure;
use crate::secrets;

/// A source and a Region of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Name of the source.
    pub(crate) source: String,
    /// Region.
    pub(crate) region: String,
}

impl Scope {
    /// What a failure in it is told with.
    pub(crate) fn context(&self) -> Context {
        Context { source: self.source.clone(), region: self.region.clone(), ..Context::default() }
    }

    /// A call in it that failed; where a policy refused, with what would lift it.
    pub(crate) fn failed(&self, error: &ApiError) -> Failure {
        Failure::call(error, &self.context())
    }
}

/// The sources of the user's AWS configuration. Codes of MFA devices are asked for on the terminal.
pub(crate) fn sources() -> AwsSources {
    let sources = sources_with(secrets::vault());
    code::attend(sources.codes());
    sources
}

/// The same, with this vault, and without anybody who could be asked.
pub(crate) fn sources_with(vault: Vault) -> AwsSources {
    let settings = AwsSettings::from_environment(|name| std::env::var(name).ok());
    // Without a place for our files there are no sources of ours.
    AwsSources::new(match Paths::resolve() {
        Ok(paths) => settings.with_own_file(paths.aws_sources()),
        Err(_) => settings,
    })
    .with_vault(vault)
}

/// What the options choose, each pair once.
///
/// # Errors
/// When a source does not exist or names no Region, or when there is none at all.
pub(crate) fn chosen(sources: &AwsSources, args: &ScopeArgs) -> Result<Vec<Scope>, Failure> {
    let known = sources.list();
    let selected = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
    let picked =
        pick(&known, &args.sources, selected.as_deref()).map_err(|failure| match sources.problem() {
            Some(problem) => failure.with_hint(problem),
            None => failure,
        })?;
    let mut scopes = Vec::new();
    for source in picked {
        let regions = match (&args.regions[..], &source.region) {
            ([], Some(region)) => vec![region.clone()],
            ([], None) => {
                return Err(Failure::usage(format!("The source {} names no Region.", source.name))
                    .with_hint("Add --region, or a region to its AWS profile."));
            }
            (regions, _) => regions.to_vec(),
        };
        for region in regions {
            if !fleetline_aws::is_region(&region) {
                return Err(Failure::usage(format!("{region:?} is not the name of a Region."))
                    .with_hint("Regions are written like eu-central-1."));
            }
            let scope = Scope { source: source.name.clone(), region };
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
    }
    Ok(scopes)
}

/// The one source and Region the options choose.
///
/// # Errors
/// As [`chosen`], and when there is more than one.
pub(crate) fn single(sources: &AwsSources, args: &ScopeArgs) -> Result<Scope, Failure> {
    let mut scopes = chosen(sources, args)?;
    match (scopes.pop(), scopes.is_empty()) {
        (Some(scope), true) => Ok(scope),
        _ => Err(Failure::usage("This needs exactly one account and Region.")
            .with_hint("Choose them with --source and --region.")),
    }
}

fn pick<'a>(
    known: &'a [SourceInfo],
    named: &[String],
    selected: Option<&str>,
) -> Result<Vec<&'a SourceInfo>, Failure> {
    let find = |name: &str| known.iter().find(|source| source.name == name);
    let missing = |name: &str| {
        let names: Vec<&str> = known.iter().map(|source| source.name.as_str()).collect();
        let hint = match names.as_slice() {
            [] => "The AWS configuration has no profile.".to_owned(),
            names => format!("Known sources: {}.", names.join(", ")),
        };
        Failure::usage(format!("There is no source {name} in the AWS configuration.")).with_hint(hint)
    };
    if !named.is_empty() {
        return named.iter().map(|name| find(name).ok_or_else(|| missing(name))).collect();
    }
    if let Some(environment) = find(ENVIRONMENT_SOURCE) {
        return Ok(vec![environment]);
    }
    if let Some(name) = selected {
        return Ok(vec![find(name).ok_or_else(|| missing(name))?]);
    }
    let usable: Vec<&SourceInfo> = known.iter().filter(|source| source.problem.is_none()).collect();
    match (usable.is_empty(), known.first()) {
        (false, _) => Ok(usable),
        // Opening it says what is wrong, with the exit status for credentials.
        (true, Some(first)) => Ok(vec![first]),
        (true, None) => Err(no_sources()),
    }
}

fn no_sources() -> Failure {
    let error = fleetline_ipc::CommandError::new(
        fleetline_ipc::ErrorCode::NotSignedIn,
        "No AWS credentials were found: the configuration has no profile and the environment has no keys.",
    );
    Failure::from(error).with_hint("Configure an AWS profile, or run `fleetline sim` for a demo fleet.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, usable: bool) -> SourceInfo {
        SourceInfo {
            name: name.to_owned(),
            region: None,
            method: "access key".to_owned(),
            problem: (!usable).then(|| "broken".to_owned()),
        }
    }

    fn names(result: Result<Vec<&SourceInfo>, Failure>) -> Result<Vec<String>, u8> {
        result
            .map(|sources| sources.into_iter().map(|source| source.name.clone()).collect())
            .map_err(|failure| failure.status())
    }

    #[test]
    fn the_environment_then_the_selected_profile_then_all_usable_ones() {
        let all = [source("a", true), source("b", false), source("c", true)];
        assert_eq!(names(pick(&all, &[], None)), Ok(vec!["a".to_owned(), "c".to_owned()]));
        assert_eq!(names(pick(&all, &[], Some("b"))), Ok(vec!["b".to_owned()]));
        assert_eq!(names(pick(&all, &["c".to_owned()], Some("b"))), Ok(vec!["c".to_owned()]));
        assert_eq!(names(pick(&all, &["nobody".to_owned()], None)), Err(2));
        assert_eq!(names(pick(&[], &[], None)), Err(5));
        let with_environment = [source(ENVIRONMENT_SOURCE, true), source("a", true)];
        assert_eq!(names(pick(&with_environment, &[], Some("a"))), Ok(vec![ENVIRONMENT_SOURCE.to_owned()]));
    }
}
