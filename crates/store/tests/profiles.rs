//! Reading, checking and listing saved profiles.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::fmt::Write;
use std::time::Instant;

use fleetline_store::profiles::{
    Bind, FolderPath, Local, Origin, ProfileId, ProfileKind, ProfileTarget, Remote, Screen, Severity, Start,
    read_text,
};
use fleetline_store::{Paths, Store};
use proptest::prelude::*;

fn id(text: &str) -> ProfileId {
    ProfileId::new(text).unwrap()
}

fn folder(text: &str) -> FolderPath {
    FolderPath::new(text).unwrap()
}

const EVERY_KIND: &str = r#"
version = 1

[defaults]
source = "prod"
lanes = 2

[folder."Databases"]
order = 2
region = "eu-central-1"
lanes = 6

[folder."Databases/Ledger"]
user = "dba"

[profile.shell]
kind = "shell"
node = "i-0123456789abcdef0"

[profile.once]
kind = "document"
name = "Restart the queue"
query = 'tag:Role=queue'
document = "Ops-RestartQueue"
order = 1
[profile.once.parameters]
force = "yes"
names = ["a", "b"]

[profile.ledger]
kind = "forward"
name = "Ledger database"
folder = "Databases/Ledger"
favourite = true
query = "tag:Name=bastion"
host = "ledger.internal"
port = 5432
local-port = 15432
lanes = 8
start = "always"
bind = "127.0.0.2"

[profile.proxy]
kind = "socks"
folder = "Databases"
node = "mi-0123456789abcdef0"
socket = "/run/user/1000/proxy"

[profile.desk]
kind = "rdp"
node = "i-1"
rdp-screen = "1920x1080"

[profile.ssh]
kind = "ssh"
node = "i-1"
port = 2222

[profile.all]
kind = "bundle"
members = ["ledger", "proxy", "gone", "all"]
"#;

#[test]
fn every_kind_is_read_as_it_is_written() {
    let profiles = read_text(EVERY_KIND);
    assert_eq!(profiles.problems(), []);
    assert_eq!(profiles.len(), 7);
    let node = |node: &str| ProfileTarget::Node(node.to_owned());
    let kind = |name: &str| profiles.get(&id(name)).unwrap().kind.clone();
    assert_eq!(
        kind("shell"),
        ProfileKind::Shell { target: node("i-0123456789abcdef0"), document: None, parameters: vec![] }
    );
    assert_eq!(
        kind("once"),
        ProfileKind::Document {
            target: ProfileTarget::Query("tag:Role=queue".into()),
            document: "Ops-RestartQueue".into(),
            parameters: vec![
                ("force".into(), vec!["yes".into()]),
                ("names".into(), vec!["a".into(), "b".into()])
            ],
        }
    );
    assert_eq!(
        kind("ledger"),
        ProfileKind::Forward {
            target: ProfileTarget::Query("tag:Name=bastion".into()),
            remote: Remote { host: Some("ledger.internal".into()), port: 5432 },
            local: Local::Port(15432),
        }
    );
    let socket = Local::Socket("/run/user/1000/proxy".into());
    assert_eq!(kind("proxy"), ProfileKind::Socks { target: node("mi-0123456789abcdef0"), local: socket });
    assert_eq!(kind("desk"), ProfileKind::Rdp { target: node("i-1"), port: 3389, local_port: 0 });
    assert_eq!(kind("ssh"), ProfileKind::Ssh { target: node("i-1"), port: 2222 });
    assert_eq!(profiles.get(&id("shell")).unwrap().name, "shell", "the id stands in for a name");
}

#[test]
fn settings_come_from_the_nearest_place_that_says_them() {
    let profiles = read_text(EVERY_KIND);
    let ledger = profiles.effective(profiles.get(&id("ledger")).unwrap());
    assert_eq!((ledger.lanes.value.get(), ledger.lanes.origin), (8, Origin::Profile));
    assert_eq!(ledger.user.value.as_deref(), Some("dba"));
    assert_eq!(ledger.user.origin, Origin::Folder(folder("Databases/Ledger")));
    assert_eq!(ledger.region.origin, Origin::Folder(folder("Databases")));
    assert_eq!(ledger.source.origin, Origin::Defaults);
    assert_eq!((ledger.other_users.value, ledger.other_users.origin), (false, Origin::BuiltIn));
    assert_eq!(ledger.start.value, Start::Always);
    assert!(ledger.bind.value.is_local() && ledger.bind.value != Bind::Loopback);
    let proxy = profiles.effective(profiles.get(&id("proxy")).unwrap());
    assert_eq!((proxy.lanes.value.get(), proxy.lanes.origin), (6, Origin::Folder(folder("Databases"))));
    let shell = profiles.effective(profiles.get(&id("shell")).unwrap());
    assert_eq!((shell.lanes.value.get(), shell.lanes.origin), (2, Origin::Defaults));
    let desk = profiles.effective(profiles.get(&id("desk")).unwrap());
    assert_eq!(desk.rdp_screen.value, Screen::Window { width: 1920, height: 1080 });
    let lines = desk.lines();
    let line = |key: &str| lines.iter().find(|line| line.key == key).unwrap();
    assert_eq!(line("rdp-screen").value.as_deref(), Some("\"1920x1080\""));
    assert!(line("source").origin.is_inherited() && !line("rdp-screen").origin.is_inherited());
    assert_eq!(line("domain").value, None);
}

#[test]
fn folders_and_profiles_have_an_order() {
    let text = "
        [folder.B]
        order = 1
        [profile.x]
        kind = 'shell'
        node = 'i-1'
        folder = 'a/deep'
        [profile.y]
        kind = 'shell'
        node = 'i-1'
        folder = 'B'
        [profile.z]
        kind = 'shell'
        node = 'i-1'
        folder = 'B'
        order = -3
        favourite = true
        [profile.top]
        kind = 'shell'
        node = 'i-1'
        favourite = true
    ";
    let profiles = read_text(text);
    assert_eq!(profiles.problems(), []);
    let folders: Vec<_> = profiles.folder_list().iter().map(ToString::to_string).collect();
    assert_eq!(folders, ["B", "a", "a/deep"]);
    let ids = |list: Vec<&fleetline_store::profiles::SavedProfile>| -> Vec<String> {
        list.iter().map(|p| p.id.to_string()).collect()
    };
    assert_eq!(ids(profiles.ordered()), ["z", "y", "x", "top"]);
    assert_eq!(ids(profiles.in_folder(&folder("B"))), ["z", "y"]);
    assert_eq!(ids(profiles.favourites()), ["z", "top"]);
}

#[test]
fn bundles_are_unfolded_once_and_name_what_is_missing() {
    let profiles = read_text(EVERY_KIND);
    let (found, missing) = profiles.members(&id("all"));
    assert_eq!(found.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["ledger", "proxy"]);
    assert_eq!(missing, [id("gone")]);
}

#[test]
fn each_problem_has_its_place_and_says_what_was_expected_while_the_rest_loads() {
    let text = "version = 1
[profile.a]
kind = 'forward'
node = 'i-1'
port = 0
[profile.b]
kind = 'shell'
node = 'i-1'
   lanes = 'many'
[profile.c]
kind = 'tunnel'
[profile.D]
kind = 'shell'
[profile.e]
kind = 'shell'
node = 'i-1'
query = 'x'
[profile.f]
kind = 'shell'
node = 'i-1'
colour = 'red'
[profile.g]
kind = 'rdp'
node = 'i-1'
host = 'x'
[profile.h]
kind = 'shell'
";
    let profiles = read_text(text);
    assert_eq!(profiles.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["f"]);
    let told: Vec<_> = profiles.problems().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 5, column 8: port must be a port number from 1 to 65535; found 0",
            "line 9, column 12: lanes must be a whole number from 1 to 16; found 'many'",
            "line 11, column 8: kind must be one of \"shell\", \"forward\", \"socks\", \"rdp\", \"ssh\", \"document\", \
             \"bundle\"; found 'tunnel'",
            "line 12, column 1: the profile's id must be 1 to 63 of a-z, 0-9 and -, beginning with a letter or digit",
            "line 17, column 1: node and query exclude each other; expected one of them",
            "line 21, column 1: the key \"colour\" is not known here and is kept; expected a key of a profile or a \
             setting",
            "line 25, column 1: host has no meaning for kind \"rdp\"; expected no such key",
            "line 26, column 1: the target is missing; expected node = \"i-…\" or query = \"tag:Name=…\"",
        ]
    );
    let severities: Vec<_> = profiles.problems().iter().map(|p| p.severity == Severity::Unknown).collect();
    assert_eq!(severities, [false, false, false, false, false, true, false, false]);
    assert_eq!(profiles.problems()[1].within, "profile.b");
}

#[test]
fn broken_syntax_costs_only_the_sections_it_is_in() {
    let fine = |name: &str| format!("[profile.{name}]\nkind = 'shell'\nnode = 'i-1'\n");
    let broken = [
        "[profile.x]\nkind = 'shell\nnode = 'i-1'\n",
        "[profile.x]\nkind = 'bundle'\nmembers = ['a',\n",
        "[profile.x]\nkind = 'shell'\nnote = '''never closed\n",
        "[profile.x\nkind = 'shell'\n",
        "[profile.x]\nkind = = 'shell'\n",
        "[profile.x]\nkind = 'shell'\nkind = 'shell'\n",
        "[profile.x]\nkind = 'shell'\nnode = 'i-1'\n[profile.x.parameters]\na = \n",
    ];
    for broken in broken {
        let text = format!("{}{broken}{}", fine("a"), fine("b"));
        let profiles = read_text(&text);
        let ids: Vec<_> = profiles.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(ids, ["a", "b"], "{text}\n{:?}", profiles.problems());
        let problem = &profiles.problems()[0];
        assert!((4..=8).contains(&problem.line), "{text}\n{problem:?}");
        assert!(problem.message.starts_with("not TOML: "), "{problem}");
        assert_eq!(problem.within.split('.').next(), Some("profile"), "{problem:?}");
    }
}

#[test]
fn a_table_that_is_there_twice_is_not_taken_at_all() {
    let one = "[profile.x]\nkind = 'shell'\nnode = 'i-1'\n";
    let profiles = read_text(&format!("{one}[profile.y]\nkind = 'shell'\nnode = 'i-1'\n{one}"));
    assert_eq!(profiles.iter().map(|p| p.id.as_str()).collect::<Vec<_>>(), ["y"]);
    assert_eq!(profiles.problems()[0].line, 7);
}

#[test]
fn a_thousand_profiles_are_read_and_listed() {
    let mut text = String::from("version = 1\n");
    for n in 0..1000 {
        let _ = write!(
            text,
            "\n# number {n}\n[profile.forward-{n}]\nname = \"Forward {n}\"\nkind = \"forward\"\nfolder = \"F{}/G\"\n\
             query = \"tag:Name=node-{n}\"\nport = {}\nlocal-port = {}\nlanes = 2\n",
            n % 20,
            1 + n,
            20000 + n
        );
    }
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(Paths::below(home.path())).unwrap();
    std::fs::write(store.profiles_path().unwrap(), &text).unwrap();
    let start = Instant::now();
    let loaded = store.load_profiles();
    println!("1,000 profiles, {} bytes: read in {:?}", text.len(), start.elapsed());
    let start = Instant::now();
    assert_eq!(loaded.profiles.ordered().len(), 1000);
    println!("put in order in {:?}", start.elapsed());
    assert_eq!(loaded.profiles.folder_list().len(), 40);
    assert_eq!(loaded.profiles.problems(), []);
}

#[test]
fn a_file_that_is_not_text_is_told_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open(Paths::below(home.path())).unwrap();
    std::fs::write(store.profiles_path().unwrap(), b"version = 1\nname = \"\xff\"").unwrap();
    let loaded = store.load_profiles();
    let told: Vec<_> = loaded.profiles.problems().iter().map(ToString::to_string).collect();
    assert_eq!(told, ["line 2, column 9: not UTF-8: expected a text file in UTF-8"]);
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}") {
        read_text(&text);
    }

    /// Texts near the real thing: lines of it, cut, doubled and out of order.
    #[test]
    fn any_mixture_of_lines_is_read_and_problems_point_into_it(
        lines in prop::collection::vec((0usize..64, 0usize..40), 0..40)
    ) {
        let all: Vec<&str> = EVERY_KIND.lines().collect();
        let mut text = String::new();
        for (line, cut) in lines {
            let line = all[line % all.len()];
            let end = (0..=line.len().saturating_sub(cut / 8)).rev().find(|at| line.is_char_boundary(*at));
            text.push_str(&line[..end.unwrap_or(0)]);
            text.push('\n');
        }
        let profiles = read_text(&text);
        for problem in profiles.problems() {
            prop_assert!(problem.line <= text.lines().count() + 1);
            prop_assert!(problem.column >= 1);
        }
    }
}
