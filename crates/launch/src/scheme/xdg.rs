//! Linux: a desktop entry with our scheme, and the user's list of defaults.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::mimeapps::{forget, prefer, preferred};
use super::{Opener, SchemeError};
use crate::desktop_entry::exec_word;
use crate::private_file;

/// Our entry. Packages install one of another name, which stays what it is.
const ID: &str = "dev.fleetline.app.links.desktop";

/// The scheme as a MIME type.
const KIND: &str = "x-scheme-handler/fleetline";

/// Where the user's files are.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// `applications` below the user's data.
    applications: PathBuf,
    /// The user's list of defaults.
    defaults: PathBuf,
    /// Our memory of what was there.
    memory: PathBuf,
}

/// Files of the memory: the list before and after our change. No list before: only the second.
const BEFORE: &str = "mimeapps.before";
const AFTER: &str = "mimeapps.after";

impl Places {
    /// By the XDG base directory specification, in which relative paths count as unset.
    #[cfg(target_os = "linux")]
    pub(super) fn of_user(memory: &Path) -> Result<Self, SchemeError> {
        let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || std::env::home_dir().ok_or(SchemeError::NoHome);
        let data = set("XDG_DATA_HOME").map_or_else(|| Ok(home()?.join(".local/share")), Ok)?;
        let config = set("XDG_CONFIG_HOME").map_or_else(|| Ok(home()?.join(".config")), Ok)?;
        Ok(Self::below(&data, &config, memory))
    }

    fn below(data: &Path, config: &Path, memory: &Path) -> Self {
        Self {
            applications: data.join("applications"),
            defaults: config.join("mimeapps.list"),
            memory: memory.to_owned(),
        }
    }

    fn entry_path(&self) -> PathBuf {
        self.applications.join(ID)
    }

    pub(super) fn switch_on(&self, program: &Path) -> Result<(), SchemeError> {
        let entry = entry(program)?;
        let list = read(&self.defaults)?;
        let bytes = list.clone().unwrap_or_default();
        let new = prefer(&bytes, KIND, ID);
        // The entry is there before anything names it.
        replace(&self.entry_path(), entry.as_bytes())?;
        if new == bytes {
            return Ok(());
        }
        // Remembered before it is changed, so that a crash between the two loses nothing.
        let without = forget(&bytes, KIND, ID);
        self.remember(list.as_ref().map(|_| without.as_slice()), &new)?;
        if read(&self.defaults)? != list {
            let error = io::Error::other("another program changed it at the same moment");
            return Err(SchemeError::Io { path: self.defaults.clone(), error });
        }
        replace(&self.defaults, &new)
    }

    pub(super) fn switch_off(&self) -> Result<(), SchemeError> {
        let now = read(&self.defaults)?;
        let before = read(&self.memory.join(BEFORE))?;
        let after = read(&self.memory.join(AFTER))?;
        match now {
            // Nobody has changed it since: it becomes what it was, even no file at all.
            Some(now) if after.as_ref() == Some(&now) => match before {
                Some(before) => replace(&self.defaults, &before)?,
                None => remove(&self.defaults)?,
            },
            Some(now) => {
                let without = forget(&now, KIND, ID);
                if without != now {
                    replace(&self.defaults, &without)?;
                }
            }
            None => {}
        }
        // The entry goes after the line that names it.
        remove(&self.entry_path())?;
        remove(&self.memory.join(BEFORE))?;
        remove(&self.memory.join(AFTER))
    }

    pub(super) fn opener(&self, program: &Path) -> Result<Opener, SchemeError> {
        let list = read(&self.defaults)?.unwrap_or_default();
        Ok(match preferred(&list, KIND) {
            None => Opener::Nobody,
            Some(id) if id != ID => Opener::Another(id),
            Some(_) => match read(&self.entry_path())? {
                None => Opener::Nobody,
                Some(text) if text == entry(program)?.as_bytes() => Opener::Us,
                Some(text) => {
                    let text = String::from_utf8_lossy(&text);
                    let exec = text.lines().find_map(|line| line.strip_prefix("Exec="));
                    Opener::Another(exec.unwrap_or(ID).to_owned())
                }
            },
        })
    }

    /// Keeps the list as it was without us, and as it becomes.
    fn remember(&self, before: Option<&[u8]>, after: &[u8]) -> Result<(), SchemeError> {
        match before {
            Some(before) => replace(&self.memory.join(BEFORE), before)?,
            None => remove(&self.memory.join(BEFORE))?,
        }
        replace(&self.memory.join(AFTER), after)
    }
}

/// Our desktop entry. It is in no menu: packages bring one that is.
fn entry(program: &Path) -> Result<String, SchemeError> {
    let refused = || SchemeError::Program(program.to_owned());
    let text = program.to_str().filter(|text| program.is_absolute() && !text.contains(char::is_control));
    let program = exec_word(text.ok_or_else(refused)?);
    Ok(format!(
        "[Desktop Entry]\nType=Application\nName=Fleetline\nExec={program} %u\nIcon=dev.fleetline.app\nTerminal=false\n\
         NoDisplay=true\nMimeType={KIND};\n"
    ))
}

fn failed(path: &Path) -> impl Fn(io::Error) -> SchemeError {
    let path = path.to_owned();
    move |error| SchemeError::Io { path: path.clone(), error }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, SchemeError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path)(error)),
    }
}

fn remove(path: &Path) -> Result<(), SchemeError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
        _ => Ok(()),
    }
}

/// Replaces a file by way of a new one beside it. A link is followed, and the mode of what was there is kept.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), SchemeError> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = path.with_file_name(format!(".{name}.fleetline-{}.tmp", std::process::id()));
    let written = (|| {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut file = private_file::create(&temporary)?;
        file.write_all(bytes)?;
        if let Ok(meta) = fs::metadata(path) {
            file.set_permissions(meta.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    written.map_err(|error| {
        // Already failing: the first reason is the one to report.
        drop(fs::remove_file(&temporary));
        failed(path)(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Home {
        directory: tempfile::TempDir,
        places: Places,
    }

    fn home() -> Home {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let places = Places::below(&at("data"), &at("config"), &at("memory"));
        Home { directory, places }
    }

    const PROGRAM: &str = "/opt/Fleet line/fleetline-desktop";

    /// Every file below a directory with its content.
    fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                found.extend(files(&path))
            } else {
                found.push((path.clone(), fs::read(&path).unwrap()))
            }
        }
        found.sort();
        found
    }

    #[test]
    fn on_and_off_leave_the_home_as_it_was() {
        for list in [
            None,
            Some(""),
            Some("[Default Applications]\nx-scheme-handler/fleetline=o.desktop"),
            Some("# none\n"),
        ] {
            let Home { directory, places } = home();
            if let Some(list) = list {
                fs::create_dir_all(places.defaults.parent().unwrap()).unwrap();
                fs::write(&places.defaults, list).unwrap();
            }
            let before = files(directory.path());
            let program = Path::new(PROGRAM);
            for _ in 0..2 {
                places.switch_on(program).unwrap();
                assert_eq!(places.opener(program).unwrap(), Opener::Us);
            }
            places.switch_off().unwrap();
            assert_ne!(places.opener(program).unwrap(), Opener::Us);
            assert_eq!(files(directory.path()), before, "{list:?}");
            places.switch_off().unwrap();
            assert_eq!(files(directory.path()), before);
        }
    }

    #[test]
    fn what_others_changed_meanwhile_stays() {
        let Home { directory: _directory, places } = home();
        fs::create_dir_all(places.defaults.parent().unwrap()).unwrap();
        fs::write(&places.defaults, "[Default Applications]\ntext/html=a.desktop\n").unwrap();
        places.switch_on(Path::new(PROGRAM)).unwrap();
        let mut list = fs::read_to_string(&places.defaults).unwrap();
        list.push_str("text/plain=b.desktop\n");
        fs::write(&places.defaults, &list).unwrap();
        places.switch_off().unwrap();
        assert_eq!(
            fs::read_to_string(&places.defaults).unwrap(),
            "[Default Applications]\ntext/html=a.desktop\ntext/plain=b.desktop\n"
        );
    }

    #[test]
    fn a_program_that_moved_and_another_one_are_told_apart_from_ours() {
        let Home { directory: _directory, places } = home();
        places.switch_on(Path::new("/old/fleetline-desktop")).unwrap();
        let other = places.opener(Path::new(PROGRAM)).unwrap();
        assert_eq!(other, Opener::Another("/old/fleetline-desktop %u".to_owned()));
        places.switch_on(Path::new(PROGRAM)).unwrap();
        assert_eq!(places.opener(Path::new(PROGRAM)).unwrap(), Opener::Us);
        fs::write(&places.defaults, format!("[Default Applications]\n{KIND}=x.desktop;{ID}\n")).unwrap();
        assert_eq!(places.opener(Path::new(PROGRAM)).unwrap(), Opener::Another("x.desktop".to_owned()));
    }

    #[test]
    fn only_a_whole_path_without_control_characters_gets_an_entry() {
        assert!(entry(Path::new("fleetline-desktop")).is_err());
        assert!(entry(Path::new("/a\nExec=x")).is_err());
        let text = entry(Path::new("/a b\"c$d%e")).unwrap();
        assert!(text.contains("\nExec=\"/a b\\\\\"c\\\\$d%%e\" %u\n"), "{text}");
    }
}
