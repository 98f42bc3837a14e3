//! What the interface may do (SEC-01, SEC-02): the commands that exist, the permissions that are written, the
//! capability that grants them, and the policy of the page agree, and none of them is wider than meant.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn json(path: &str) -> Result<Value> {
    let text = fs::read_to_string(root().join(path)).with_context(|| path.to_owned())?;
    serde_json::from_str(&text).with_context(|| path.to_owned())
}

/// The names of the registered commands, from the bindings made of the very list that is registered.
fn commands() -> Result<BTreeSet<String>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bindings.ts");
    fleetline_desktop::bindings::export(&path)?;
    let text = fs::read_to_string(path)?;
    let names: BTreeSet<_> = text
        .split("__TAURI_INVOKE(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect();
    ensure!(names.contains("app_snapshot"), "the commands cannot be read from the bindings any more");
    Ok(names)
}

/// Permission identifiers with the commands each allows.
type Permissions = BTreeMap<String, Vec<String>>;

/// The permissions, and the identifiers of the default set.
fn permissions() -> Result<(Permissions, BTreeSet<String>)> {
    let text = fs::read_to_string(root().join("src-tauri/permissions/app.toml"))?;
    let file: Value = serde_json::to_value(toml::from_str::<toml::Value>(&text)?)?;
    let strings = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let permissions = file["permission"].as_array().context("no permissions")?;
    let permissions = permissions
        .iter()
        .map(|permission| {
            let identifier = permission["identifier"].as_str().context("a permission without identifier")?;
            Ok((identifier.to_owned(), strings(&permission["commands"]["allow"])))
        })
        .collect::<Result<_>>()?;
    Ok((permissions, strings(&file["default"]["permissions"]).into_iter().collect()))
}

#[test]
fn every_command_has_exactly_its_own_permission_in_the_default_set() -> Result<()> {
    let commands = commands()?;
    let (permissions, default) = permissions()?;
    let expected: BTreeMap<_, _> = commands
        .iter()
        .map(|name| (format!("allow-{}", name.replace('_', "-")), vec![name.clone()]))
        .collect();
    assert_eq!(permissions, expected);
    assert_eq!(default, expected.into_keys().collect());
    Ok(())
}

#[test]
fn one_capability_grants_our_commands_and_events_to_the_main_window_only() -> Result<()> {
    let files: Vec<_> = fs::read_dir(root().join("src-tauri/capabilities"))?.collect::<Result<_, _>>()?;
    assert_eq!(files.len(), 1, "a second capability widens what the interface may do");
    let capability = json("src-tauri/capabilities/main.json")?;
    assert_eq!(capability["windows"], serde_json::json!(["main"]));
    assert_eq!(
        capability["permissions"],
        serde_json::json!(["default", "core:event:allow-listen", "core:event:allow-unlisten"])
    );
    for wide in ["remote", "webviews"] {
        assert!(capability.get(wide).is_none(), "{wide}");
    }
    Ok(())
}

#[test]
fn the_page_has_no_global_api_and_one_hidden_window() -> Result<()> {
    let app = &json("tauri.conf.json")?["app"];
    assert_eq!(app["withGlobalTauri"], Value::Bool(false));
    assert_eq!(app["security"]["freezePrototype"], Value::Bool(true));
    let windows = app["windows"].as_array().context("windows")?;
    assert_eq!(windows.len(), 1);
    assert_eq!(windows[0]["visible"], Value::Bool(false));
    assert_eq!(windows[0]["create"], Value::Bool(false), "the window is created with its navigation rules");
    for wide in ["capabilities", "assetProtocol", "dangerousDisableAssetCspModification", "devCsp"] {
        assert!(app["security"].get(wide).is_none(), "{wide}");
    }
    Ok(())
}

#[test]
fn the_content_security_policy_is_the_strict_one() -> Result<()> {
    let policy = &json("tauri.conf.json")?["app"]["security"]["csp"];
    let policy: BTreeMap<String, Vec<String>> = serde_json::from_value(policy.clone())?;
    ensure!(lint(&policy).is_empty(), "{:?}", lint(&policy));
    for directive in ["default-src", "object-src", "base-uri", "frame-ancestors", "form-action"] {
        assert_eq!(policy.get(directive), Some(&vec!["'none'".to_owned()]), "{directive}");
    }
    for directive in ["script-src", "style-src", "font-src"] {
        assert_eq!(policy.get(directive), Some(&vec!["'self'".to_owned()]), "{directive}");
    }
    assert_eq!(policy.get("connect-src"), Some(&vec!["ipc:".to_owned(), "http://ipc.localhost".to_owned()]));
    Ok(())
}

/// What a policy must never contain.
fn lint(policy: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut found = Vec::new();
    for (directive, sources) in policy {
        for source in sources {
            let wide = source.contains('*')
                || source.contains("unsafe-")
                || matches!(source.as_str(), "http:" | "https:");
            let data = matches!(source.as_str(), "data:" | "blob:") && directive != "img-src";
            if wide || data {
                found.push(format!("{directive} {source}"));
            }
        }
    }
    found
}

#[test]
fn the_lint_finds_what_it_looks_for() {
    for (directive, source) in [
        ("script-src", "'unsafe-inline'"),
        ("style-src", "'unsafe-eval'"),
        ("script-src", "data:"),
        ("script-src", "blob:"),
        ("connect-src", "https:"),
        ("img-src", "https://*.example.com"),
    ] {
        let policy = BTreeMap::from([(directive.to_owned(), vec![source.to_owned()])]);
        assert_eq!(lint(&policy), [format!("{directive} {source}")]);
    }
}
