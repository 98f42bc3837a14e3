//! The whole menu of ten states, written down line by line.

use std::fmt::Write;

use super::*;

/// What choosing an item does, in a few characters.
fn word(action: &TrayAction) -> String {
    let state = |on: &bool| if *on { "on" } else { "off" };
    match action {
        TrayAction::Open => "open".to_owned(),
        TrayAction::OpenTab(tab) => format!("tab:{tab}"),
        TrayAction::Quit => "quit".to_owned(),
        TrayAction::Connect => "connect".to_owned(),
        TrayAction::Forwards(ForwardAction::Show) => "forwards".to_owned(),
        TrayAction::Forwards(ForwardAction::Switch { forward, on }) => {
            format!("forward-{}:{forward}", state(on))
        }
        TrayAction::Forwards(ForwardAction::SwitchBundle { bundle, on }) => {
            format!("bundle-{}:{bundle}", state(on))
        }
        TrayAction::Forwards(ForwardAction::CopyAddresses { bundle }) => format!("bundle-copy:{bundle}"),
        TrayAction::Forwards(ForwardAction::PauseAll) => "pause-all".to_owned(),
        TrayAction::Forwards(ForwardAction::ResumeAll) => "resume-all".to_owned(),
    }
}

/// Everything a menu says and does, one line an item.
fn written(menu: &Menu) -> String {
    fn lines(items: &[Item], depth: usize, text: &mut String) {
        for item in items {
            let indent = "    ".repeat(depth);
            let _ = match item {
                Item::Action { action, label } => writeln!(text, "{indent}{label} -> {}", word(action)),
                Item::Check { action, label, on } => {
                    writeln!(text, "{indent}[{}] {label} -> {}", if *on { "x" } else { " " }, word(action))
                }
                Item::Label(label) => writeln!(text, "{indent}({label})"),
                Item::Separator => writeln!(text, "{indent}---"),
                Item::Submenu { label, items } => {
                    let _ = writeln!(text, "{indent}{label} >");
                    lines(items, depth + 1, text);
                    Ok(())
                }
            };
        }
    }
    let mut text = format!("{:?} | {}\n", menu.icon, menu.tooltip);
    lines(&menu.items, 0, &mut text);
    text
}

#[track_caller]
fn assert_menu(state: &TrayState, expected: &str) {
    assert_eq!(written(&menu(state)), expected.trim_start_matches('\n'));
}

fn shell(n: usize, state: ShellState) -> TrayShell {
    TrayShell { tab: format!("t{n}"), name: format!("web-{n}"), state }
}

fn forward(id: &str, local: &str, state: ForwardState) -> TrayForward {
    let on = state != ForwardState::Off;
    TrayForward { id: id.into(), name: format!("The {id}"), local: local.into(), favourite: false, on, state }
}

fn favourite(id: &str, local: &str, state: ForwardState) -> TrayForward {
    TrayForward { favourite: true, ..forward(id, local, state) }
}

fn bundle(id: &str, members: &[&str]) -> TrayBundle {
    let members = members.iter().map(|m| (*m).to_owned()).collect();
    TrayBundle { id: id.into(), name: format!("Bundle {id}"), members }
}

#[test]
fn state_1_nothing_runs() {
    assert_menu(
        &TrayState::default(),
        "
Idle | Fleetline
(No sessions)
---
Open Fleetline -> open
Quit -> quit
",
    );
}

#[test]
fn state_2_shells_of_the_demo_fleet() {
    let shells = vec![shell(1, ShellState::Connected), shell(2, ShellState::Connecting)];
    assert_menu(
        &TrayState { shells, demo: true, started: true, ..TrayState::default() },
        "
Running | Fleetline: 2 sessions
(2 sessions · demo fleet)
web-1: shell, connected -> tab:t1
web-2: shell, connecting -> tab:t2
---
Connect to node… -> connect
---
Open Fleetline -> open
Quit and end 2 sessions… -> quit
",
    );
}

#[test]
fn state_3_more_shells_than_are_named() {
    let shells = (0..12).map(|n| shell(n, ShellState::Reconnecting)).collect();
    let mut expected = String::from("Reconnecting | Fleetline: 12 sessions\n(12 sessions)\n");
    for n in 0..10 {
        let _ = writeln!(expected, "web-{n}: shell, reconnecting -> tab:t{n}");
    }
    expected.push_str("(and 2 more)\n---\nOpen Fleetline -> open\nQuit and end 12 sessions… -> quit\n");
    assert_menu(&TrayState { shells, ..TrayState::default() }, &expected);
}

#[test]
fn state_4_running_forwards_come_before_favourites() {
    let forwards = vec![
        favourite("metrics", "9090", ForwardState::Idle),
        favourite("jenkins", "8080", ForwardState::Off),
        forward("unlisted", "1", ForwardState::Off),
        forward("ledger", "5433", ForwardState::Active { connections: 12 }),
        favourite("desk", "13389", ForwardState::Active { connections: 1 }),
        forward("proxy", "1080", ForwardState::Active { connections: 0 }),
    ];
    assert_menu(
        &TrayState { forwards, ..TrayState::default() },
        "
Running | Fleetline: 3 forwards running
(Running)
[x] The ledger (5433): active, 12 connections -> forward-off:ledger
[x] The desk (13389): active, 1 connection -> forward-off:desk
[x] The proxy (1080): active -> forward-off:proxy
(Favourites)
[x] The metrics (9090): idle -> forward-off:metrics
[ ] The jenkins (8080): off -> forward-on:jenkins
---
(No sessions)
---
Pause all forwards -> pause-all
---
Open Fleetline -> open
Quit and stop 4 forwards… -> quit
",
    );
}

#[test]
fn state_5_one_is_being_brought_back() {
    let forwards = vec![
        forward("a", "1", ForwardState::Reconnecting { connections: 3 }),
        forward("b", "2", ForwardState::Starting),
    ];
    let shells = vec![shell(1, ShellState::Connected)];
    assert_menu(
        &TrayState { forwards, shells, ..TrayState::default() },
        "
Reconnecting | Fleetline: 2 forwards running, 1 session
(Running)
[x] The a (1): reconnecting -> forward-off:a
[x] The b (2): connecting -> forward-off:b
---
(1 session)
web-1: shell, connected -> tab:t1
---
Pause all forwards -> pause-all
---
Open Fleetline -> open
Quit, end 1 session and stop 2 forwards… -> quit
",
    );
}

#[test]
fn state_6_what_failed_is_listed_although_it_is_no_favourite() {
    let failed = ForwardState::Failed { cause: "port 6380 closed".into() };
    let forwards = vec![
        forward("cache", "6380", failed),
        forward("web", "8080", ForwardState::PortInUse),
        forward("db", "5432", ForwardState::Active { connections: 2 }),
    ];
    assert_menu(
        &TrayState { forwards, ..TrayState::default() },
        "
Attention | Fleetline: 1 forward running, 2 need attention
(Running)
[x] The db (5432): active, 2 connections -> forward-off:db
(Favourites)
[x] The cache (6380): failed, port 6380 closed -> forward-off:cache
[x] The web (8080): port in use -> forward-off:web
---
(No sessions)
---
Pause all forwards -> pause-all
---
Open Fleetline -> open
Quit and stop 1 forward… -> quit
",
    );
}

#[test]
fn state_7_bundles_are_submenus_with_a_switch_of_their_own() {
    let forwards = vec![
        forward("a", "1", ForwardState::Active { connections: 1 }),
        forward("b", "2", ForwardState::Off),
        forward("c", "c.sock", ForwardState::Idle),
    ];
    let bundles =
        vec![bundle("mixed", &["b", "a", "gone"]), bundle("full", &["c"]), bundle("none", &["gone"])];
    assert_menu(
        &TrayState { forwards, bundles, ..TrayState::default() },
        "
Running | Fleetline: 1 forward running
(Running)
[x] The a (1): active, 1 connection -> forward-off:a
---
Bundle mixed: 1 of 2 running >
    [ ] All forwards in Bundle mixed -> bundle-on:mixed
    ---
    [ ] The b (2): off -> forward-on:b
    [x] The a (1): active, 1 connection -> forward-off:a
    ---
    Copy all local addresses -> bundle-copy:mixed
Bundle full: 0 of 1 running >
    [x] All forwards in Bundle full -> bundle-off:full
    ---
    [x] The c (c.sock): idle -> forward-off:c
    ---
    Copy all local addresses -> bundle-copy:full
Bundle none >
    (No forwards)
---
(No sessions)
---
Pause all forwards -> pause-all
---
Open Fleetline -> open
Quit and stop 2 forwards… -> quit
",
    );
}

#[test]
fn state_8_all_are_paused() {
    let forwards = vec![favourite("a", "1", ForwardState::Paused), favourite("b", "2", ForwardState::Off)];
    let shells = vec![shell(1, ShellState::Connected)];
    assert_menu(
        &TrayState { forwards, shells, paused: true, started: true, ..TrayState::default() },
        "
Paused | Fleetline: forwards paused, 1 session
(Favourites)
[x] The a (1): paused -> forward-off:a
[ ] The b (2): off -> forward-on:b
---
(1 session)
web-1: shell, connected -> tab:t1
---
Connect to node… -> connect
Resume all forwards -> resume-all
---
Open Fleetline -> open
Quit and end 1 session… -> quit
",
    );
}

#[test]
fn state_9_more_forwards_than_are_named() {
    let mut forwards: Vec<_> =
        (0..9).map(|n| forward(&format!("r{n}"), "1", ForwardState::Active { connections: 0 })).collect();
    forwards.extend((0..4).map(|n| favourite(&format!("f{n}"), "2", ForwardState::Off)));
    let mut expected = String::from("Running | Fleetline: 9 forwards running\n(Running)\n");
    for n in 0..9 {
        let _ = writeln!(expected, "[x] The r{n} (1): active -> forward-off:r{n}");
    }
    expected.push_str(
        "(Favourites)
[ ] The f0 (2): off -> forward-on:f0
3 more… -> forwards
---
(No sessions)
---
Pause all forwards -> pause-all
---
Open Fleetline -> open
Quit and stop 9 forwards… -> quit
",
    );
    assert_menu(&TrayState { forwards, ..TrayState::default() }, &expected);
}

#[test]
fn state_10_only_running_ones_when_they_fill_the_menu() {
    let mut forwards: Vec<_> =
        (0..14).map(|n| forward(&format!("r{n}"), "1", ForwardState::Active { connections: 0 })).collect();
    forwards.push(favourite("f", "2", ForwardState::Failed { cause: "signed out".into() }));
    let mut expected =
        String::from("Attention | Fleetline: 14 forwards running, 1 needs attention\n(Running)\n");
    for n in 0..10 {
        let _ = writeln!(expected, "[x] The r{n} (1): active -> forward-off:r{n}");
    }
    expected.push_str(
        "5 more… -> forwards
---
(No sessions)
---
Pause all forwards -> pause-all
---
Open Fleetline -> open
Quit and stop 14 forwards… -> quit
",
    );
    assert_menu(&TrayState { forwards, ..TrayState::default() }, &expected);
}

#[test]
fn the_menu_speaks_the_language_of_the_window() {
    let state = |language| TrayState {
        forwards: vec![
            forward("web", "8080", ForwardState::Active { connections: 2 }),
            forward("db", "5432", ForwardState::Exposes),
        ],
        bundles: vec![TrayBundle { id: "b".into(), name: "b".into(), members: vec!["web".into()] }],
        shells: vec![TrayShell { tab: "t".into(), name: "n1".into(), state: ShellState::Connected }],
        started: true,
        language,
        ..TrayState::default()
    };
    let texts = |language| {
        let menu = menu(&state(language));
        let mut texts = vec![menu.tooltip];
        texts.extend(menu.items.iter().filter_map(|item| item.label().map(str::to_owned)));
        texts
    };
    let german = texts(Language::De);
    assert_eq!(german[0], "Fleetline: 1 Weiterleitung aktiv, 1 braucht Aufmerksamkeit, 1 Sitzung");
    for line in [
        "The web (8080): aktiv, 2 Verbindungen",
        "Fleetline öffnen",
        "Beenden, 1 Sitzung beenden und 1 Weiterleitung beenden…",
    ] {
        assert!(german.iter().any(|text| text == line), "{line} is not in {german:?}");
    }
    // Nothing is left in English but names.
    for (language, other) in [(Language::De, german), (Language::Ja, texts(Language::Ja))] {
        let english = texts(Language::En);
        let same: Vec<&String> = other.iter().filter(|text| english.contains(text)).collect();
        assert!(same.is_empty(), "{language:?}: {same:?}");
    }
}
