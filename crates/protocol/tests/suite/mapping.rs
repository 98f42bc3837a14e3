//! TESTS.md names tests that exist, for every invariant, every pain and the engine's faults of the reference.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const TABLES: &str = include_str!("../../TESTS.md");

/// Keys and test columns of the rows.
fn rows() -> Vec<(&'static str, &'static str)> {
    let rows = TABLES.lines().filter(|line| line.starts_with("| "));
    let rows = rows.filter_map(|line| line.trim_matches('|').split_once('|').zip(line.rsplit_once(" | ")));
    rows.map(|((key, _), (_, tests))| (key.trim(), tests.trim_end_matches('|').trim()))
        .filter(|(key, _)| !key.is_empty())
        .collect()
}

/// The source file of a test, and its name in it.
fn place(name: &str) -> (PathBuf, &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if let Some((file, test)) = name.split_once(".rs::") {
        return (root.parent().unwrap().join(file).with_extension("rs"), test);
    }
    let (module, test) = name.rsplit_once("::").unwrap();
    let file = match module.strip_suffix("::tests") {
        Some(module) => root.join("src").join(module.replace("::", "/")),
        None => root.join("tests/suite").join(module),
    };
    (file.with_extension("rs"), test)
}

/// The attributes of a function, if the source has it.
fn attributes<'a>(source: &'a str, function: &str) -> Option<&'a str> {
    let at = source.find(&format!("fn {function}("))?;
    let before = &source[..at];
    let lines = before.rsplit('\n').skip(1).take_while(|line| line.trim_start().starts_with(['#', '/']));
    let length: usize = lines.map(|line| line.len() + 1).sum();
    let end = before.rfind('\n').unwrap_or(0);
    Some(&before[(end + 1).saturating_sub(length)..end])
}

#[test]
fn every_test_that_is_named_exists() {
    let mut missing = Vec::new();
    let mut named = 0;
    for (key, tests) in rows() {
        for name in tests.split('`').skip(1).step_by(2).filter(|name| name.contains("::")) {
            named += 1;
            let (file, test) = place(name);
            let source = std::fs::read_to_string(&file).unwrap_or_default();
            if attributes(&source, test).is_none_or(|lines| !lines.contains("test")) {
                missing.push(format!("{key}: no test {test} in {}", file.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(named > 150, "only {named} names were found");
}

#[test]
fn every_invariant_and_every_pain_has_a_row_with_a_test_or_a_reason() {
    let letters = 'a'..='z';
    let invariants =
        letters.clone().map(String::from).chain(letters.map(|letter| format!("{letter}{letter}")));
    let faults = (1..=12).chain([16, 17, 23, 24, 25]).map(|fault| format!("F{fault}"));
    let expected: BTreeSet<String> =
        invariants.chain((1..=46).map(|pain| pain.to_string())).chain(faults).collect();
    let found: BTreeSet<String> = rows().iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(found, expected);
    for (key, tests) in rows() {
        assert!(tests.contains("::") != tests.starts_with("none: "), "{key}: {tests}");
        let mut names = tests.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).peekable();
        let runs_by_itself = |name: &str| {
            let (file, test) = place(name);
            let source = std::fs::read_to_string(&file).unwrap_or_default();
            attributes(&source, test).is_some_and(|lines| !lines.contains("#[ignore"))
        };
        assert!(names.peek().is_none() || names.any(runs_by_itself), "{key}: all are run by hand only");
    }
}
