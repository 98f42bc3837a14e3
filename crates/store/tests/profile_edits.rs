//! Changing a profile file keeps whatever else people wrote into it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

use std::fmt::Write;

use fleetline_store::profiles::{
    Edit, EditRefused, Folder, FolderPath, ProfileId, SavedProfile, Settings, Whole, edit_text, read_text,
};
use proptest::prelude::*;

fn id(text: &str) -> ProfileId {
    ProfileId::new(text).unwrap()
}

const BY_HAND: &str = "# My machines

version = 1 # the format

# The ledger. Ask Ann before touching it.

# really
[profile.ledger]
kind   = 'forward'   # through the bastion
name = \"Ledger\"
query = \"tag:Name=bastion\"
# default port
port = 0x1538
lanes = 8 # fast
x-team = { owner = \"ann\" }

[profile.web]
kind = \"shell\"
node = \"i-1\"
# the end
";

#[test]
fn a_change_touches_only_its_own_value() {
    let mut ledger = read_text(BY_HAND).get(&id("ledger")).unwrap().clone();
    ledger.name = "Ledger (new)".into();
    ledger.settings.region = Some("eu-west-1".into());
    let edited = edit_text(BY_HAND, &[Edit::Put(ledger.clone())]).unwrap();
    let expected = BY_HAND.replace("name = \"Ledger\"", "name = \"Ledger (new)\"");
    let expected = expected.replace("{ owner = \"ann\" }\n", "{ owner = \"ann\" }\nregion = \"eu-west-1\"\n");
    // The port was left out by hand, so it is said now.
    let expected = expected.replace("region = \"eu-west-1\"\n", "local-port = 0\nregion = \"eu-west-1\"\n");
    assert_eq!(edited, expected);
    assert_eq!(read_text(&edited).get(&id("ledger")), Some(&ledger));
}

#[test]
fn a_removed_key_leaves_its_comments() {
    let mut ledger = read_text(BY_HAND).get(&id("ledger")).unwrap().clone();
    ledger.settings.lanes = None;
    let edited = edit_text(BY_HAND, &[Edit::Put(ledger)]).unwrap();
    assert!(edited.contains("# fast\nx-team = { owner = \"ann\" }\n"), "{edited}");
    assert!(!edited.contains("lanes"), "{edited}");
}

#[test]
fn a_removed_profile_leaves_what_is_not_its_own() {
    let edited = edit_text(BY_HAND, &[Edit::Remove(id("ledger"))]).unwrap();
    assert_eq!(
        edited,
        "# My machines

version = 1 # the format

# The ledger. Ask Ann before touching it.


[profile.web]
kind = \"shell\"
node = \"i-1\"
# the end
"
    );
    let edited = edit_text(&edited, &[Edit::Remove(id("web")), Edit::Remove(id("web"))]).unwrap();
    for kept in ["# My machines", "# the format", "# The ledger", "# the end"] {
        assert!(edited.contains(kept), "{edited}");
    }
}

#[test]
fn a_new_file_names_its_format_and_a_newer_one_is_left_alone() {
    let web = read_text(BY_HAND).get(&id("web")).unwrap().clone();
    let made = edit_text("", &[Edit::Put(web.clone())]).unwrap();
    assert_eq!(made, "version = 1\n\n[profile.web]\nkind = \"shell\"\nname = \"web\"\nnode = \"i-1\"\n");
    let newer = "version = 2\n";
    assert!(read_text(newer).is_newer_format());
    assert_eq!(edit_text(newer, &[Edit::Put(web)]), Err(EditRefused::Newer));
}

#[test]
fn what_cannot_be_read_is_not_overwritten() {
    let web = read_text(BY_HAND).get(&id("web")).unwrap().clone();
    let bad_value = BY_HAND.replace("node = \"i-1\"", "node = 5");
    let refused = edit_text(&bad_value, &[Edit::Put(web)]).unwrap_err();
    assert!(matches!(&refused, EditRefused::Unreadable(problem) if problem.line == 19), "{refused}");
    // Another profile can still be changed.
    let mut ledger = read_text(&bad_value).get(&id("ledger")).unwrap().clone();
    ledger.favourite = true;
    assert!(edit_text(&bad_value, &[Edit::Put(ledger)]).unwrap().contains("node = 5"));
    let bad_syntax = BY_HAND.replace("node = \"i-1\"", "node = ");
    let refused = edit_text(&bad_syntax, &[Edit::Remove(id("ledger"))]).unwrap_err();
    assert!(matches!(&refused, EditRefused::Syntax(problem) if problem.line == 19), "{refused}");
}

#[test]
fn folders_move_with_everything_in_them() {
    let text = "# about b\n[folder.\"a/b\"]\nlanes = 2 # few\nx-own = 1\n[profile.x]\nkind = 'shell'\nnode = 'i-1'\nfolder = 'a/b/c'\n\
                [profile.y]\nkind = 'shell'\nnode = 'i-1'\nfolder = 'ab'\n";
    let path = |text: &str| FolderPath::new(text).unwrap();
    let moved =
        |from: &str, to: &str| edit_text(text, &[Edit::MoveFolder { from: path(from), to: path(to) }]);
    let text_after = moved("a", "z").unwrap();
    assert!(
        text_after.starts_with("# about b\n[folder.\"z/b\"]\nlanes = 2 # few\nx-own = 1\n"),
        "{text_after}"
    );
    let after = read_text(&text_after);
    assert_eq!(after.get(&id("x")).unwrap().folder, path("z/b/c"));
    assert_eq!(after.get(&id("y")).unwrap().folder, path("ab"));
    assert_eq!(after.folders().map(|f| f.path.clone()).collect::<Vec<_>>(), [path("z/b")]);
    assert_eq!(moved("a/b", ""), Err(EditRefused::Folder(path(""))), "its settings have no place there");
    let after = read_text(&moved("a/b/c", "").unwrap());
    assert_eq!(after.get(&id("x")).unwrap().folder, path(""));
    assert_eq!(moved("a", "a/q"), Err(EditRefused::Folder(path("a/q"))));
    assert_eq!(moved("a", "ab"), Err(EditRefused::Folder(path("ab"))));
}

#[test]
fn defaults_and_folders_are_set_and_cleared() {
    let settings = Settings { lanes: Whole::new(3), ..Settings::default() };
    let path = FolderPath::new("A \"b\"").unwrap();
    let folder = Folder { path: path.clone(), order: Some(4), settings: settings.clone() };
    let text =
        edit_text(BY_HAND, &[Edit::Defaults(settings.clone()), Edit::PutFolder(folder.clone())]).unwrap();
    let read = read_text(&text);
    assert_eq!(read.defaults(), &settings);
    assert_eq!(read.folders().collect::<Vec<_>>(), [&folder]);
    let back = edit_text(&text, &[Edit::Defaults(Settings::default()), Edit::RemoveFolder(path)]).unwrap();
    assert!(read_text(&back).defaults().is_empty());
    assert_eq!(read_text(&back).folders().count(), 0);
}

/// A file as a person may have written it.
#[derive(Clone, Debug)]
struct HandWritten {
    profiles: Vec<HandProfile>,
    crlf: bool,
    mark: bool,
    last_break: bool,
}

#[derive(Clone, Debug)]
struct HandProfile {
    attached: bool,
    gap: bool,
    spelling: usize,
    unknown: usize,
    table: bool,
    beside: bool,
    settings: usize,
}

impl HandWritten {
    fn text(&self) -> String {
        let mut text = String::from("# c-top\n\nversion = 1\nx-top = [1, 2] # c-x-top\n");
        for (n, p) in self.profiles.iter().enumerate() {
            if p.gap {
                let _ = write!(text, "\n# c-gap-{n}\n\n");
            }
            if p.attached {
                let _ = writeln!(text, "# c-attached-{n}");
            }
            let _ = writeln!(
                text,
                "[ profile . 'p{n}' ]{}",
                if p.beside { format!(" # c-head-{n}") } else { String::new() }
            );
            let name = ["\"Name\"", "'Name'", "\"N\\u0061me\"", "\"\"\"Name\"\"\""][p.spelling % 4];
            let beside = |what: &str| if p.beside { format!("   # c-{what}-{n}") } else { String::new() };
            let _ = writeln!(text, "name={name}{}", beside("name"));
            let _ = writeln!(text, "\tkind = 'forward'{}\nnode = \"i-{n}\"", beside("kind"));
            let port = ["80", "0x50", "0b1010000", "+80"][p.spelling % 4];
            let _ = writeln!(text, "# c-port-{n}\nport = {port}{}\nlocal-port = 0", beside("port"));
            for u in 0..p.unknown {
                let _ = writeln!(
                    text,
                    "# c-unknown-{n}-{u}\nx-{u} = {{ a = [1,\n  2, # c-in-{n}-{u}\n ], b = 1979-05-27 }}"
                );
            }
            for (s, line) in
                ["lanes = 1_0", "region = 'r'", "other-users = true", "order = 7"].iter().enumerate()
            {
                if p.settings >> s & 1 == 1 {
                    let _ = writeln!(text, "# c-set-{n}-{s}\n{line}{}", beside(&format!("beside{s}")));
                }
            }
            if p.table {
                let _ = writeln!(text, "[profile.p{n}.x-more]\n# c-more-{n}\nanything = true");
            }
        }
        text.push_str("\n# c-end\n");
        if !self.last_break {
            text.truncate(text.trim_end().len());
        }
        if self.crlf {
            text = text.replace('\n', "\r\n");
        }
        if self.mark {
            text.insert(0, '\u{feff}');
        }
        text
    }

    /// The lines from one header to the next.
    fn section(text: &str, n: usize) -> Vec<&str> {
        let head = format!("[ profile . 'p{n}' ]");
        let lines = text.lines().skip_while(|line| !line.starts_with(&head));
        let end = |(at, line): &(usize, &str)| *at == 0 || !line.starts_with("[ profile .");
        lines.enumerate().take_while(end).map(|(_, line)| line).collect()
    }
}

fn comments(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.find("# c-").map(|at| line[at..].trim_end().to_owned())).collect()
}

prop_compose! {
    fn hand_profile()(
        attached: bool, gap: bool, spelling in 0usize..4, unknown in 0usize..3, table: bool, beside: bool,
        settings in 0usize..16
    ) -> HandProfile {
        HandProfile { attached, gap, spelling, unknown, table, beside, settings }
    }
}

prop_compose! {
    fn hand_written()(
        profiles in prop::collection::vec(hand_profile(), 1..6), crlf: bool, mark: bool, last_break: bool
    ) -> HandWritten {
        HandWritten { profiles, crlf, mark, last_break }
    }
}

proptest! {
    #[test]
    fn writing_what_is_there_changes_nothing(file in hand_written()) {
        let text = file.text();
        let profiles = read_text(&text);
        prop_assert_eq!(profiles.len(), file.profiles.len(), "{:?}", profiles.problems());
        let edits: Vec<_> = profiles.iter().cloned().map(Edit::Put).collect();
        prop_assert_eq!(edit_text(&text, &edits).unwrap(), text);
    }

    #[test]
    fn a_changed_profile_reads_as_changed_and_every_other_line_and_comment_stays(
        file in hand_written(), which: prop::sample::Index, change in 0usize..64, name in "[a-zA-Zé\"'\\\\ #]{1,12}"
    ) {
        let text = file.text();
        let which = which.index(file.profiles.len());
        let mut profile = read_text(&text).get(&id(&format!("p{which}"))).unwrap().clone();
        if change & 1 != 0 { profile.name = name; }
        if change & 2 != 0 { profile.settings.lanes = None; }
        if change & 4 != 0 { profile.settings.region = Some("else".into()); }
        if change & 8 != 0 { profile.settings.other_users = None; }
        if change & 16 != 0 { profile.order = None; }
        if change & 32 != 0 { profile.folder = FolderPath::new("New/One").unwrap(); }
        let edited = edit_text(&text, &[Edit::Put(profile.clone())]).unwrap();
        let after = read_text(&edited);
        prop_assert_eq!(after.get(&profile.id), Some(&profile), "{}", edited);
        prop_assert_eq!(after.len(), file.profiles.len());
        let (mut before, mut now) = (comments(&text), comments(&edited));
        before.sort();
        now.sort();
        prop_assert_eq!(before, now, "{}", &edited);
        for n in (0..file.profiles.len()).filter(|n| *n != which) {
            prop_assert_eq!(HandWritten::section(&text, n), HandWritten::section(&edited, n), "{}", &edited);
        }
        let unknown = |text: &str| text.matches("x-").count();
        prop_assert_eq!(unknown(&text), unknown(&edited));
        prop_assert_eq!(edited.contains("\r\n"), file.crlf);
        prop_assert!(!edited.replace("\r\n", "").contains('\r'));
        prop_assert_eq!(edited.starts_with('\u{feff}'), file.mark);
        // Taking the change back by the file's own words gives a file that says the same.
        let back: Vec<_> = read_text(&text).iter().cloned().map(Edit::Put).collect();
        let back = read_text(&edit_text(&edited, &back).unwrap());
        prop_assert!(read_text(&text).iter().eq(back.iter()));
    }

    #[test]
    fn profiles_put_at_once_stand_where_they_do_one_after_the_other(
        file in hand_written(), new in 1usize..4, name in "[a-zA-Zé #]{1,12}"
    ) {
        let text = file.text();
        let mut profiles: Vec<_> = read_text(&text).iter().cloned().collect();
        for profile in &mut profiles {
            profile.name.clone_from(&name);
        }
        let first = profiles[0].clone();
        let others = (0..new).map(|n| SavedProfile { id: id(&format!("new{n}")), ..first.clone() });
        profiles.extend(others);
        let edits: Vec<_> = profiles.into_iter().map(Edit::Put).collect();
        let one_by_one = edits.iter().fold(text.clone(), |text, edit| {
            edit_text(&text, std::slice::from_ref(edit)).unwrap()
        });
        prop_assert_eq!(edit_text(&text, &edits).unwrap(), one_by_one);
        let from_nothing = edits.iter().fold(String::new(), |text, edit| {
            edit_text(&text, std::slice::from_ref(edit)).unwrap()
        });
        prop_assert_eq!(edit_text("", &edits).unwrap(), from_nothing);
    }

    #[test]
    fn a_removed_profile_takes_only_its_own_lines(file in hand_written(), which: prop::sample::Index) {
        let text = file.text();
        let which = which.index(file.profiles.len());
        let edited = edit_text(&text, &[Edit::Remove(id(&format!("p{which}")))]).unwrap();
        let after = read_text(&edited);
        prop_assert_eq!(after.get(&id(&format!("p{which}"))), None);
        let now = comments(&edited);
        for comment in comments(&text) {
            let own = comment.split('-').any(|part| part == which.to_string());
            let gap = comment == format!("# c-gap-{which}");
            if !own || gap {
                prop_assert!(now.contains(&comment), "{} is gone from\n{}", comment, edited);
            }
        }
        for n in (0..file.profiles.len()).filter(|n| *n != which) {
            let known = |text: &str| -> Vec<String> {
                let lines = HandWritten::section(text, n).into_iter();
                lines.filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#')).map(str::to_owned).collect()
            };
            prop_assert_eq!(known(&text), known(&edited), "{}", &edited);
        }
    }
}
