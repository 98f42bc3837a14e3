//! Windows: a key below the user's `Software\Classes`, changed by the system's own `reg.exe`.

use std::fs;
use std::io;
use std::path::Path;

use super::{Links, Opener, SchemeError};

/// Our key. Its default value and `URL Protocol` make it a scheme.
const KEY: &str = r"HKCU\Software\Classes\fleetline";

/// What it opens links with.
const COMMAND: &str = r"HKCU\Software\Classes\fleetline\shell\open\command";

/// The key as another program had made it, in the form `reg export` writes.
const BEFORE: &str = "fleetline.reg";

/// Runs `reg.exe`.
pub(super) trait Registry {
    /// Whether it did what was asked, and what it printed.
    fn reg(&mut self, arguments: &[&str]) -> io::Result<(bool, String)>;
}

pub(super) fn switch_on(registry: &mut impl Registry, links: &Links) -> Result<(), SchemeError> {
    let command = command(&links.program)?;
    match opener(registry, links)? {
        Opener::Us => return Ok(()),
        // A key without a command opens nothing, and is somebody's all the same.
        Opener::Nobody if !registry.reg(&["query", KEY]).map_err(system)?.0 => {}
        _ => keep(registry, &links.memory)?,
    }
    let done = [
        vec!["add", KEY, "/ve", "/d", "URL:Fleetline", "/f"],
        vec!["add", KEY, "/v", "URL Protocol", "/d", "", "/f"],
        vec!["add", COMMAND, "/ve", "/d", &command, "/f"],
    ]
    .iter()
    .try_for_each(|arguments| must(registry, arguments));
    if done.is_err() {
        // The first failure is the one to tell.
        drop(must(registry, &["delete", KEY, "/f"]));
        drop(put_back(registry, &links.memory));
    }
    done
}

pub(super) fn switch_off(registry: &mut impl Registry, links: &Links) -> Result<(), SchemeError> {
    match opener(registry, links)? {
        Opener::Us => must(registry, &["delete", KEY, "/f"])?,
        Opener::Nobody => {}
        // Somebody else has taken the links over: what was before them is nobody's wish any more.
        _ => return forget(&links.memory),
    }
    put_back(registry, &links.memory)
}

pub(super) fn opener(registry: &mut impl Registry, links: &Links) -> Result<Opener, SchemeError> {
    let (found, text) = registry.reg(&["query", COMMAND, "/ve"]).map_err(system)?;
    if !found {
        return Ok(Opener::Nobody);
    }
    let value = text.lines().find_map(|line| line.split_once("REG_SZ")).map(|(_, value)| value.trim());
    Ok(match value {
        Some(value) if value == command(&links.program)? => Opener::Us,
        Some(value) => Opener::Another(value.to_owned()),
        None => Opener::Nobody,
    })
}

fn command(program: &Path) -> Result<String, SchemeError> {
    let text = program.to_str().filter(|text| !text.contains(['"', '%']) && !text.contains(char::is_control));
    let text = text.ok_or_else(|| SchemeError::Program(program.to_owned()))?;
    Ok(format!("\"{text}\" \"%1\""))
}

/// Keeps another program's key in a file and takes it away.
fn keep(registry: &mut impl Registry, memory: &Path) -> Result<(), SchemeError> {
    let failed = |error| SchemeError::Io { path: memory.to_owned(), error };
    fs::create_dir_all(memory).map_err(failed)?;
    let file = memory.join(BEFORE).display().to_string();
    must(registry, &["export", KEY, &file, "/y"])?;
    must(registry, &["delete", KEY, "/f"])
}

fn put_back(registry: &mut impl Registry, memory: &Path) -> Result<(), SchemeError> {
    let file = memory.join(BEFORE);
    if file.exists() {
        must(registry, &["import", &file.display().to_string()])?;
    }
    forget(memory)
}

fn forget(memory: &Path) -> Result<(), SchemeError> {
    let file = memory.join(BEFORE);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(SchemeError::Io { path: file, error }),
        _ => Ok(()),
    }
}

fn must(registry: &mut impl Registry, arguments: &[&str]) -> Result<(), SchemeError> {
    match registry.reg(arguments).map_err(system)? {
        (true, _) => Ok(()),
        (false, text) => Err(SchemeError::System(format!("the registry was not changed: {}", text.trim()))),
    }
}

fn system(error: io::Error) -> SchemeError {
    SchemeError::System(format!("reg.exe did not run: {error}"))
}

/// The system's own.
#[cfg(windows)]
pub(super) struct Reg;

#[cfg(windows)]
impl Registry for Reg {
    fn reg(&mut self, arguments: &[&str]) -> io::Result<(bool, String)> {
        use std::os::windows::process::CommandExt as _;
        /// CREATE_NO_WINDOW: no console flashes.
        const NO_WINDOW: u32 = 0x0800_0000;
        let root = std::env::var_os("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
        let program = Path::new(&root).join(r"System32\reg.exe");
        let output =
            std::process::Command::new(program).args(arguments).creation_flags(NO_WINDOW).output()?;
        let said = if output.status.success() { output.stdout } else { output.stderr };
        Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Knows the one key, and what `reg` does to it.
    #[derive(Default)]
    struct Fake {
        values: Vec<(String, String)>,
        refuse: Option<&'static str>,
    }

    impl Registry for Fake {
        fn reg(&mut self, arguments: &[&str]) -> io::Result<(bool, String)> {
            if self.refuse.is_some_and(|word| arguments.contains(&word)) {
                return Ok((false, "ERROR: Access is denied.".to_owned()));
            }
            let ok = Ok((true, String::new()));
            match arguments {
                ["query", COMMAND, "/ve"] => {
                    let found = self.values.iter().find(|(name, _)| name == COMMAND);
                    Ok(match found {
                        Some((_, value)) => {
                            (true, format!("\r\n{COMMAND}\r\n    (Default)    REG_SZ    {value}\r\n"))
                        }
                        None => (false, "ERROR: not found".to_owned()),
                    })
                }
                ["query", KEY] => Ok((!self.values.is_empty(), String::new())),
                ["add", key, "/ve", "/d", value, "/f"] => {
                    self.values.push(((*key).to_owned(), (*value).to_owned()));
                    ok
                }
                ["add", key, "/v", name, "/d", value, "/f"] => {
                    self.values.push((format!("{key}|{name}"), (*value).to_owned()));
                    ok
                }
                ["delete", KEY, "/f"] => {
                    self.values.clear();
                    ok
                }
                ["export", KEY, file, "/y"] => {
                    let lines: Vec<String> =
                        self.values.iter().map(|(name, value)| format!("{name}\t{value}")).collect();
                    fs::write(file, lines.join("\n"))?;
                    ok
                }
                ["import", file] => {
                    let text = fs::read_to_string(file)?;
                    let pairs = text.lines().filter_map(|line| line.split_once('\t'));
                    self.values = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                    ok
                }
                other => panic!("reg does not know {other:?}"),
            }
        }
    }

    fn links(memory: &Path) -> Links {
        Links {
            program: PathBuf::from(r"C:\Apps\Fleet line\fleetline-desktop.exe"),
            memory: memory.join("links"),
        }
    }

    #[test]
    fn the_key_comes_and_goes() {
        let place = tempfile::tempdir().unwrap();
        let (mut registry, links) = (Fake::default(), links(place.path()));
        switch_on(&mut registry, &links).unwrap();
        switch_on(&mut registry, &links).unwrap();
        let command = "\"C:\\Apps\\Fleet line\\fleetline-desktop.exe\" \"%1\"".to_owned();
        assert_eq!(
            registry.values,
            [
                (KEY.to_owned(), "URL:Fleetline".to_owned()),
                (format!("{KEY}|URL Protocol"), String::new()),
                (COMMAND.to_owned(), command)
            ]
        );
        assert_eq!(opener(&mut registry, &links).unwrap(), Opener::Us);
        switch_off(&mut registry, &links).unwrap();
        assert_eq!(opener(&mut registry, &links).unwrap(), Opener::Nobody);
        assert!(registry.values.is_empty());
    }

    #[test]
    fn another_programs_key_comes_back_also_when_ours_cannot_be_written() {
        let place = tempfile::tempdir().unwrap();
        let links = links(place.path());
        let theirs =
            vec![(COMMAND.to_owned(), "other.exe %1".to_owned()), (KEY.to_owned(), "theirs".to_owned())];
        let mut registry = Fake::default();
        for before in [theirs[1..].to_vec(), theirs.clone()] {
            registry.values.clone_from(&before);
            switch_on(&mut registry, &links).unwrap();
            assert_eq!(opener(&mut registry, &links).unwrap(), Opener::Us);
            switch_off(&mut registry, &links).unwrap();
            assert_eq!(registry.values, before);
        }
        registry.refuse = Some("URL Protocol");
        assert!(switch_on(&mut registry, &links).unwrap_err().to_string().contains("Access is denied"));
        assert_eq!(registry.values, theirs);
        assert!(!links.memory.join(BEFORE).exists());
    }

    #[test]
    fn a_key_that_somebody_took_over_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let (mut registry, links) = (Fake::default(), links(place.path()));
        switch_on(&mut registry, &links).unwrap();
        registry.values = vec![(COMMAND.to_owned(), "other.exe %1".to_owned())];
        let before = registry.values.clone();
        switch_off(&mut registry, &links).unwrap();
        assert_eq!(registry.values, before);
        assert_eq!(opener(&mut registry, &links).unwrap(), Opener::Another("other.exe %1".to_owned()));
    }
}
