//! The dependency direction of `crates/ARCHITECTURE.md`, read from the manifests as cargo resolves them.

#![expect(clippy::expect_used, reason = "a test that cannot read the manifests must fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Our crates and which of ours each may use in what it ships (development dependencies are free).
const ALLOWED: [(&str, &[&str]); 23] = [
    ("fleetline-access", &[]),
    ("fleetline-signin", &[]),
    ("fleetline-protocol", &[]),
    ("fleetline-documents", &[]),
    ("fleetline-terminal", &[]),
    ("fleetline-history", &[]),
    ("fleetline-inventory", &[]),
    ("fleetline-store", &[]),
    ("fleetline-ipc", &[]),
    ("fleetline-control", &[]),
    ("fleetline-launch", &[]),
    ("fleetline-loopback", &[]),
    ("fleetline-engine", &["fleetline-protocol"]),
    ("fleetline-vault", &["fleetline-store"]),
    ("fleetline-recording", &["fleetline-store", "fleetline-vault"]),
    (
        "fleetline-aws",
        &[
            "fleetline-documents",
            "fleetline-signin",
            "fleetline-engine",
            "fleetline-history",
            "fleetline-inventory",
            "fleetline-protocol",
            "fleetline-vault",
        ],
    ),
    (
        "fleetline-app",
        &[
            "fleetline-access",
            "fleetline-control",
            "fleetline-documents",
            "fleetline-engine",
            "fleetline-history",
            "fleetline-inventory",
            "fleetline-ipc",
            "fleetline-launch",
            "fleetline-loopback",
            "fleetline-protocol",
            "fleetline-signin",
            "fleetline-store",
            "fleetline-terminal",
            "fleetline-vault",
            "fleetline-recording",
        ],
    ),
    ("fleetline-simulator", &["fleetline-protocol"]),
    (
        "fleetline-cli",
        &[
            "fleetline-signin",
            "fleetline-access",
            "fleetline-app",
            "fleetline-aws",
            "fleetline-control",
            "fleetline-documents",
            "fleetline-engine",
            "fleetline-history",
            "fleetline-inventory",
            "fleetline-ipc",
            "fleetline-launch",
            "fleetline-loopback",
            "fleetline-protocol",
            "fleetline-simulator",
            "fleetline-store",
            "fleetline-vault",
            "fleetline-recording",
        ],
    ),
    (
        "fleetline-desktop",
        &[
            "fleetline-app",
            "fleetline-aws",
            "fleetline-control",
            "fleetline-engine",
            "fleetline-history",
            "fleetline-inventory",
            "fleetline-ipc",
            "fleetline-launch",
            "fleetline-loopback",
            "fleetline-simulator",
            "fleetline-store",
            "fleetline-vault",
        ],
    ),
    (
        "fleetline-bench",
        &[
            "fleetline-app",
            "fleetline-documents",
            "fleetline-engine",
            "fleetline-history",
            "fleetline-inventory",
            "fleetline-ipc",
            "fleetline-protocol",
            "fleetline-simulator",
            "fleetline-store",
        ],
    ),
    (
        "fleetline-fleet-bench",
        &["fleetline-app", "fleetline-aws", "fleetline-ipc", "fleetline-simulator", "fleetline-store"],
    ),
    ("fleetline-xtask", &[]),
];

/// Foreign crates only some of ours may name, by the start of their name.
const CONFINED: [(&str, &[&str]); 8] = [
    ("keyring", &["fleetline-vault"]),
    ("tauri", &["fleetline-desktop"]),
    ("aws-sdk-", &["fleetline-aws"]),
    ("aws-config", &["fleetline-aws"]),
    ("alacritty_terminal", &["fleetline-terminal"]),
    ("tokio-tungstenite", &["fleetline-engine", "fleetline-simulator"]),
    ("portable-pty", &["fleetline-simulator", "fleetline-bench", "fleetline-app"]),
    ("specta", &["fleetline-ipc", "fleetline-desktop"]),
];

/// Foreign crates a sans-IO or plain-data crate must never name.
const FORBIDDEN: [(&str, &[&str]); 13] = [
    ("fleetline-recording", &["tokio", "hyper", "rustls"]),
    ("fleetline-vault", &["tokio", "hyper", "rustls"]),
    ("fleetline-access", &["tokio", "rustls", "tracing", "rand"]),
    ("fleetline-documents", &["tokio", "rustls", "tracing", "rand"]),
    ("fleetline-protocol", &["tokio", "rustls", "tracing", "rand"]),
    ("fleetline-terminal", &["tokio", "rustls", "tracing", "rand"]),
    ("fleetline-history", &["tokio", "rustls", "tracing", "rand"]),
    ("fleetline-inventory", &["tokio", "rustls", "rand"]),
    ("fleetline-ipc", &["tokio", "rustls", "tracing"]),
    ("fleetline-store", &["tokio", "hyper", "rustls"]),
    ("fleetline-control", &["hyper", "rustls", "rand"]),
    ("fleetline-launch", &["tokio", "hyper", "rustls", "tracing"]),
    ("fleetline-loopback", &["tokio", "hyper", "rustls", "tracing"]),
];

/// A package of the workspace as `cargo metadata` shows it.
struct Package {
    shipped: BTreeSet<String>,
    programs: usize,
}

fn members() -> BTreeMap<String, Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo metadata");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    list(&metadata["packages"]).map(|package| (text(&package["name"]), read(package))).collect()
}

fn read(package: &Value) -> Package {
    let shipped = list(&package["dependencies"]).filter(|d| d["kind"].is_null()).map(|d| text(&d["name"]));
    let is_program = |target: &&Value| list(&target["kind"]).any(|kind| kind == "bin");
    Package { shipped: shipped.collect(), programs: list(&package["targets"]).filter(is_program).count() }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("a list").iter()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[test]
fn every_crate_of_ours_is_in_the_table_and_uses_only_what_it_may() {
    let members = members();
    let table: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let named: BTreeSet<&str> = table.keys().copied().collect();
    let found: BTreeSet<&str> = members.keys().map(String::as_str).collect();
    assert_eq!(found, named, "the table and the workspace differ");
    for (name, package) in &members {
        for used in package.shipped.iter().filter(|d| d.starts_with("fleetline-")) {
            assert!(table[name.as_str()].contains(&used.as_str()), "{name} must not depend on {used}");
        }
    }
}

#[test]
fn confined_libraries_stay_where_they_belong() {
    for (name, package) in &members() {
        for used in &package.shipped {
            for (start, owners) in CONFINED {
                assert!(
                    !used.starts_with(start) || owners.contains(&name.as_str()),
                    "{name} must not use {used}"
                );
            }
        }
    }
}

#[test]
fn pure_crates_have_no_runtime_network_or_randomness() {
    let members = members();
    for (name, forbidden) in FORBIDDEN {
        for used in &members[name].shipped {
            assert!(!forbidden.contains(&used.as_str()), "{name} must not use {used}");
        }
    }
}

#[test]
fn the_desktop_package_has_exactly_one_program() {
    assert_eq!(members()["fleetline-desktop"].programs, 1, "every program of this package would be bundled");
}
