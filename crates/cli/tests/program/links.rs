//! `fleetline links` with the desktop's own programs in a home of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Ran;

const LINK: &str = "fleetline://connect?profile=ledger";

/// A home with this program and a stand-in for the app beside it, which notes what it is started with.
struct Home {
    directory: tempfile::TempDir,
    programs: PathBuf,
}

impl Home {
    fn new(programs: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let programs = directory.path().join(programs);
        fs::create_dir_all(&programs).unwrap();
        let home = Self { directory, programs: programs.clone() };
        let built = Path::new(env!("CARGO_BIN_EXE_fleetline"));
        let own = programs.join("fleetline");
        // A link where that is possible: the program is large.
        fs::hard_link(built, &own).or_else(|_| fs::copy(built, &own).map(drop)).unwrap();
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > '{}'\n", home.path("started").display());
        let app = programs.join("fleetline-desktop");
        fs::write(&app, script).unwrap();
        fs::set_permissions(&app, fs::Permissions::from_mode(0o755)).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, program: impl AsRef<Path>, args: &[&str]) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.path("home"))
            .env("LANG", "C.UTF-8");
        command.env("FLEETLINE_HOME", self.path("fleetline")).args(args).stdin(Stdio::null());
        // xdg-open starts nothing where there is no display; what it starts here needs none.
        // What it finds no program for, it hands to a browser: none may start.
        command.env("DISPLAY", ":0").env("BROWSER", "/bin/false");
        // A bus of their own would be started for them, and note in the home where it is.
        command.env("DBUS_SESSION_BUS_ADDRESS", "disabled:");
        command
    }

    fn links(&self, args: &[&str]) -> Ran {
        let mut words = vec!["links"];
        words.extend(args);
        Ran::of(self.command(self.programs.join("fleetline"), &words).output().unwrap())
    }

    /// What the app was started with by `program`, if it was.
    fn opened_by(&self, program: &[&str]) -> Option<String> {
        let started = self.path("started");
        fs::remove_file(&started).ok();
        let mut args = program[1..].to_vec();
        args.push(LINK);
        let ran = Ran::of(self.command(Path::new("/usr/bin").join(program[0]), &args).output().unwrap());
        let since = Instant::now();
        // It is started and not waited for; a program that found nobody says so by its status.
        while ran.code == Some(0) && since.elapsed() < Duration::from_secs(20) {
            match fs::read_to_string(&started) {
                Ok(text) if text.ends_with('\n') => return Some(text),
                _ => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        None
    }

    /// Every file below the user's home with its content.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut directories = vec![self.path("home")];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    found.push((path.clone(), fs::read(&path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }
}

fn is_equipped() -> bool {
    ["gio", "xdg-open", "xdg-mime"].iter().all(|program| Path::new("/usr/bin").join(program).exists())
}

#[test]
fn links_reach_the_app_while_they_are_on_and_the_home_is_as_before_afterwards() {
    if !is_equipped() {
        return;
    }
    let other = "[Added Associations]\ntext/plain=x.desktop;\n\n[Default Applications]\n# mine\n\
                 x-scheme-handler/fleetline=other.desktop\ntext/html=b.desktop";
    // Only with a desktop does xdg-open start programs whose path has a space.
    let (plain, all) = ([&["xdg-open"][..], &["gio", "open"]], [&["gio", "open"][..]]);
    for (list, programs, openers) in [(None, "opt", &plain[..]), (Some(other), "opt/fleet line", &all[..])] {
        let home = Home::new(programs);
        if let Some(list) = list {
            fs::create_dir_all(home.path("home/.config")).unwrap();
            fs::write(home.path("home/.config/mimeapps.list"), list).unwrap();
        }
        let before = home.files();
        assert_eq!(home.opened_by(&["xdg-open"]), None, "off at first");

        let on = home.links(&["on"]);
        assert_eq!(on.code, Some(0), "{on:?}");
        assert!(on.out.contains("opens fleetline:// links with the app"), "{on:?}");
        let status: serde_json::Value = serde_json::from_str(&home.links(&["status", "--json"]).out).unwrap();
        assert_eq!((&status["on"], &status["opener"]), (&true.into(), &"us".into()));
        let query = ["query", "default", "x-scheme-handler/fleetline"];
        let found = Ran::of(home.command("/usr/bin/xdg-mime", &query).output().unwrap());
        assert!(found.out.starts_with("dev.fleetline.app.links.desktop"), "{found:?}");
        for program in openers {
            assert_eq!(home.opened_by(program).as_deref(), Some(&*format!("{LINK}\n")), "{program:?}");
        }

        let off = home.links(&["off"]);
        assert_eq!(off.code, Some(0), "{off:?}");
        let changed: Vec<PathBuf> =
            home.files().into_iter().filter(|file| !before.contains(file)).map(|(path, _)| path).collect();
        assert_eq!((changed, home.files().len()), (Vec::new(), before.len()));
        assert_eq!(home.opened_by(&["gio", "open"]), None);
        let status = home.links(&["status"]);
        let told = if list.is_some() { "another program: other.desktop" } else { "with no program" };
        assert!(status.out.contains(told) && status.out.contains("does not follow"), "{status:?}");
    }
}

#[test]
fn links_are_not_switched_on_for_an_app_that_is_not_there() {
    let home = Home::new("opt");
    fs::remove_file(home.path("opt/fleetline-desktop")).unwrap();
    let refused = home.links(&["on"]);
    refused.refused(8);
    assert!(refused.err.contains("Install the app beside this program"), "{refused:?}");
    assert!(home.files().is_empty());
    let status: serde_json::Value = serde_json::from_str(&home.links(&["status", "--json"]).out).unwrap();
    assert_eq!((&status["on"], &status["opener"]), (&false.into(), &"nobody".into()));
}
