//! `fleetline audit`: whether sessions are recorded, sealed and bounded.

use std::sync::Arc;

use clap::Args as ClapArgs;
use fleetline_app::audit::{fact_words, place, setting_words, topic_words};
use fleetline_documents::audit::{Finding, Setting, Verdict};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::args::ScopeArgs;
use crate::console::{harmless, tell, write, write_json};
use crate::failure::Failure;
use crate::scope::{self, Scope};

/// Places that are read at the same time.
const AT_ONCE: usize = 4;

#[derive(Debug, ClapArgs)]
pub(crate) struct AuditArgs {
    /// Only findings that are gaps, worth a decision, or not known
    #[arg(long)]
    gaps: bool,
    /// Print a JSON array with each account and Region
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
}

pub(crate) async fn run(args: AuditArgs) -> Result<u8, Failure> {
    let sources = Arc::new(scope::sources());
    let scopes = scope::chosen(&sources, &args.scope)?;
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for (number, scope) in scopes.into_iter().enumerate() {
        let (sources, permits) = (Arc::clone(&sources), Arc::clone(&permits));
        tasks.spawn(async move {
            // The semaphore is never closed.
            let permit = permits.acquire().await;
            let found = place(&*sources, &*sources, &scope.source, &scope.region).await;
            drop(permit);
            (number, scope, found)
        });
    }
    let mut places = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        places.extend(ended.ok());
    }
    places.sort_by_key(|(number, ..)| *number);
    let mut failures = Vec::new();
    let mut told = Vec::new();
    for (_, scope, found) in places {
        let findings = match found {
            Ok(findings) => findings,
            Err(error) => {
                failures.push(scope.failed(&error));
                continue;
            }
        };
        let shown: Vec<&Finding> =
            findings.iter().filter(|finding| !args.gaps || finding.verdict != Verdict::Good).collect();
        if args.json {
            told.push(in_json(&scope, &shown));
        } else {
            for line in lines(&scope, &shown) {
                write(&harmless(&line))?;
            }
        }
    }
    if args.json {
        write_json(&told)?;
    } else {
        tell("What IAM policies allow is not read. Run `fleetline audit --json` for the whole evidence.");
    }
    match failures.split_last() {
        None => Ok(0),
        Some((last, others)) => {
            others.iter().for_each(Failure::tell);
            Err(last.clone())
        }
    }
}

fn lines(scope: &Scope, findings: &[&Finding]) -> Vec<String> {
    let mut lines = vec![format!("{} · {}", scope.source, scope.region)];
    for finding in findings {
        let verdict = match finding.verdict {
            Verdict::Good => "good",
            Verdict::Attention => "look",
            Verdict::Gap => "GAP",
            Verdict::Unknown => "?",
        };
        lines.push(format!(
            "  {verdict:<5} {:<26} {}",
            topic_words(finding.topic),
            fact_words(&finding.fact)
        ));
        if finding.verdict != Verdict::Good {
            lines.push(format!(
                "        from {}; changed in {}",
                finding.evidence,
                setting_words(finding.topic.setting())
            ));
        }
    }
    lines
}

fn in_json(scope: &Scope, findings: &[&Finding]) -> Value {
    let findings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let setting = finding.topic.setting();
            json!({
                "topic": finding.topic.name(),
                "verdict": finding.verdict.name(),
                "fact": fact_words(&finding.fact),
                "evidence": finding.evidence,
                "setting": match setting {
                    Setting::Preference(path) => json!({ "document": fleetline_documents::PREFERENCES, "path": path }),
                    other => json!({ "words": setting_words(other) }),
                },
            })
        })
        .collect();
    json!({ "source": scope.source, "region": scope.region, "findings": findings })
}
