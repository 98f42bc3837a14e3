//! What the fuzz target `guard` does with its input. The tests of fleetline-terminal replay the corpus through it.

use std::time::Duration;

use fleetline_terminal::frame::decode::decode;
use fleetline_terminal::{CellPoint, Options, Scroll, SearchQuery, SelectionKind, Size, Terminal};

/// Output of a program: columns, rows, where to cut, then the bytes. The cut stream must show the same as the whole
/// one, and every frame must be well formed.
pub(crate) fn run(data: &[u8]) {
    let [cols, rows, cut, output @ ..] = data else { return };
    let size = Size::new(u16::from(*cols), u16::from(*rows % 64));
    let options = Options { scrollback_lines: 100, ..Options::default() };
    let mut whole = Terminal::new(size, options.clone());
    whole.feed(output, Duration::ZERO);
    let mut pieces = Terminal::new(size, options);
    for piece in output.chunks(usize::from(*cut) + 1) {
        pieces.feed(piece, Duration::ZERO);
    }
    assert_eq!(pieces.text_of_everything(), whole.text_of_everything());
    assert_eq!(pieces.take_events(), whole.take_events());
    let replies = whole.take_replies();
    assert_eq!(pieces.take_replies(), replies);
    assert!(replies.iter().all(|byte| b"\x1b\x07[]?>;:/$\\".contains(byte) || byte.is_ascii_alphanumeric()));
    assert_eq!(pieces.frame(true, Duration::ZERO), frame(&mut whole));
    handle(&mut whole, *cols, *rows);
    // Again, in the middle of whatever the first time ended in.
    whole.feed(output, Duration::from_secs(1));
    frame(&mut whole);
    handle(&mut whole, *rows, *cols);
}

/// What a person may do in between.
fn handle(terminal: &mut Terminal, a: u8, b: u8) {
    terminal.selection_start(SelectionKind::Word, CellPoint { col: u16::from(a), row: 0, right_half: false });
    let _ = terminal.selection_text();
    terminal.selection_start(SelectionKind::Block, CellPoint { col: u16::from(b), row: 1, right_half: true });
    terminal.selection_update(CellPoint { col: 3, row: u16::from(a), right_half: false });
    let _ = terminal.selection_text();
    terminal.selection_all();
    frame(terminal);
    terminal.search(&SearchQuery { text: "[a-m]+".to_owned(), regex: true, ..SearchQuery::default() });
    terminal.scroll(Scroll::Lines(i32::from(a) - 100));
    let _ = terminal.link_at(u16::from(a), u16::from(b % 64));
    terminal.resize(Size::new(u16::from(b), u16::from(a % 64)));
    frame(terminal);
    terminal.scroll(Scroll::Top);
    frame(terminal);
}

fn frame(terminal: &mut Terminal) -> Option<Vec<u8>> {
    let bytes = terminal.frame(true, Duration::ZERO);
    assert!(
        bytes.as_deref().is_some_and(|bytes| decode(bytes).is_ok()),
        "a full frame is always well formed"
    );
    bytes
}
