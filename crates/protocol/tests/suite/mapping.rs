//! The table of invariants in the crate's documentation names tests that exist.

use std::path::Path;

const INVARIANTS: &str = include_str!("../../src/lib.rs");

#[test]
fn every_test_named_in_the_table_of_invariants_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let table = INVARIANTS.lines().filter(|line| line.starts_with("//! | "));
    let named: Vec<&str> =
        table.flat_map(|line| line.split('`').skip(1).step_by(2)).filter(|n| n.contains("::")).collect();
    assert!(named.len() > 30, "{named:?}");
    for name in named {
        let (module, test) = name.rsplit_once("::").unwrap();
        let file = match module.strip_suffix("::tests") {
            Some(module) => root.join("src").join(module.replace("::", "/")).with_extension("rs"),
            None => root.join("tests/suite").join(module).with_extension("rs"),
        };
        let source = std::fs::read_to_string(&file).unwrap();
        assert!(source.contains(&format!("fn {test}(")), "{name} is not in {}", file.display());
    }
}
