//! Real programs, recorded in a pseudo-terminal, show what another terminal shows.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fleetline_terminal::{Options, Size, Terminal};

type TestResult = Result<(), Box<dyn Error>>;

struct Recording {
    bytes: Vec<u8>,
    size: Size,
    expected: Vec<String>,
}

fn load(name: &str) -> Result<Recording, Box<dyn Error>> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ref").join(name);
    let size = fs::read_to_string(folder.join("size"))?;
    let (cols, rows) = size.trim().split_once(' ').ok_or("size is two numbers")?;
    let expected = fs::read_to_string(folder.join("expected.txt"))?;
    Ok(Recording {
        bytes: fs::read(folder.join("recording"))?,
        size: Size::new(cols.parse()?, rows.parse()?),
        expected: expected.lines().map(|line| line.trim_end().to_owned()).collect(),
    })
}

fn shows_what_was_expected(name: &str) -> TestResult {
    let recording = load(name)?;
    let mut whole = Terminal::new(recording.size, Options::default());
    whole.feed(&recording.bytes, Duration::ZERO);
    let shown: Vec<String> = whole.mirror().iter().map(|line| line.trim_end().to_owned()).collect();
    assert_eq!(shown, recording.expected, "{name}");

    let mut cut = Terminal::new(recording.size, Options::default());
    for byte in &recording.bytes {
        cut.feed(std::slice::from_ref(byte), Duration::ZERO);
    }
    assert_eq!(cut.frame(true, Duration::ZERO), whole.frame(true, Duration::ZERO), "{name}, byte by byte");
    assert_eq!(cut.take_replies(), whole.take_replies());
    Ok(())
}

#[test]
fn bash_line_editing() -> TestResult {
    shows_what_was_expected("bash")
}

#[test]
fn vim_with_a_split_and_syntax_colours() -> TestResult {
    shows_what_was_expected("vim")
}

#[test]
fn htop_in_tree_view_with_a_search() -> TestResult {
    shows_what_was_expected("htop")
}

#[test]
fn tmux_with_three_panes() -> TestResult {
    shows_what_was_expected("tmux")
}
