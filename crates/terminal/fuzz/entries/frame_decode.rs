//! What the fuzz target `frame_decode` does with its input. The tests of fleetline-terminal replay the corpus through
//! it.

use fleetline_terminal::frame::decode::{Frame, decode};
use fleetline_terminal::frame::layout::{ATTR_WIDE, HEADER_LEN};

/// Any bytes as a frame, and as the body of a frame with a fitting length.
pub(crate) fn run(data: &[u8]) {
    try_decode(data);
    let mut fitted = data.to_vec();
    if let Some(length) = fitted.get_mut(HEADER_LEN - 4..HEADER_LEN) {
        length.copy_from_slice(&((data.len() - HEADER_LEN) as u32).to_le_bytes());
        fitted[0] = 1;
        try_decode(&fitted);
    }
}

fn try_decode(data: &[u8]) {
    let Ok(frame) = decode(data) else { return };
    assert!(data.len() >= HEADER_LEN);
    painted(&frame);
}

/// A painter may rely on this without checking.
fn painted(frame: &Frame) {
    for line in &frame.lines {
        assert!(line.row < frame.rows);
        for span in &line.spans {
            assert!(span.col + span.cells <= frame.cols && !span.text.is_empty());
            let width = if span.style.attrs & ATTR_WIDE != 0 { 2 } else { 1 };
            assert_eq!(span.cells % width, 0);
        }
    }
    for overlay in &frame.overlays {
        assert!(overlay.row < frame.rows && overlay.end_col <= frame.cols);
    }
}
