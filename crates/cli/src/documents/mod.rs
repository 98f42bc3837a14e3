//! `fleetline documents`.

mod change;
pub(crate) mod file;
mod files;
mod list;
mod show;

use std::sync::Arc;

use clap::{Args as ClapArgs, Subcommand};
use fleetline_app::ApiError;
use fleetline_app::problem::describe_document;
use fleetline_documents::{DocumentCalls, DocumentError, DocumentSources, VersionChoice};

use crate::args::ScopeArgs;
use crate::failure::Failure;
use crate::scope::{self, Scope};

#[derive(Debug, ClapArgs)]
pub(crate) struct DocumentsArgs {
    #[command(subcommand)]
    command: DocumentsCommand,
}

#[derive(Debug, Subcommand)]
enum DocumentsCommand {
    /// List session documents of accounts and Regions
    List(list::ListArgs),
    /// Show a document: its content, versions and what it does to a session
    Show(show::ShowArgs),
    /// Compare two versions of a document, or a version with a file
    Diff(show::DiffArgs),
    /// Check a file as AWS would, without calling it
    Check(file::CheckArgs),
    /// Make a document from a file
    Create(change::CreateArgs),
    /// Save a new version of a document from a file; the default stays unless --default is given
    Update(change::UpdateArgs),
    /// Make a version the default, which sessions use
    Default(change::DefaultArgs),
    /// Delete a document, or one version of it
    Delete(change::DeleteArgs),
    /// Write documents to files, as `aws ssm create-document` takes them
    Export(files::ExportArgs),
    /// Make or update documents from files, each named like its file
    Import(files::ImportArgs),
}

pub(crate) async fn run(args: DocumentsArgs) -> Result<u8, Failure> {
    match args.command {
        DocumentsCommand::List(args) => list::run(args).await,
        DocumentsCommand::Show(args) => show::run(args).await,
        DocumentsCommand::Diff(args) => show::diff(args).await,
        DocumentsCommand::Check(args) => file::run(&args),
        DocumentsCommand::Create(args) => change::create(args).await,
        DocumentsCommand::Update(args) => change::update(args).await,
        DocumentsCommand::Default(args) => change::set_default(args).await,
        DocumentsCommand::Delete(args) => change::delete(args).await,
        DocumentsCommand::Export(args) => files::export(args).await,
        DocumentsCommand::Import(args) => files::import(args).await,
    }
}

/// The document calls of one account and Region.
pub(crate) struct Place {
    pub(crate) calls: Arc<dyn DocumentCalls<ApiError>>,
    pub(crate) scope: Scope,
}

impl Place {
    /// The one account and Region the options choose.
    fn single(args: &ScopeArgs) -> Result<Self, Failure> {
        let sources = scope::sources();
        let scope = scope::single(&sources, args)?;
        Self::open(&sources, scope)
    }

    pub(crate) fn open(sources: &fleetline_aws::AwsSources, scope: Scope) -> Result<Self, Failure> {
        match sources.documents(&scope.source, &scope.region) {
            Ok(calls) => Ok(Self { calls, scope }),
            Err(error) => Err(scope.failed(&error)),
        }
    }

    pub(crate) fn failed(&self, name: &str) -> impl Fn(DocumentError<ApiError>) -> Failure {
        let (context, name) = (self.scope.context(), name.to_owned());
        move |error| Failure::from(describe_document(&error, &name, &context))
    }
}

/// A version on the command line.
fn version(text: &str) -> Result<VersionChoice, String> {
    VersionChoice::parse(text).ok_or_else(|| "write a number, `default` or `latest`".to_owned())
}

fn number(text: &str) -> Result<String, String> {
    match fleetline_documents::is_version_number(text) {
        true => Ok(text.to_owned()),
        false => Err("write the number of a version".to_owned()),
    }
}
