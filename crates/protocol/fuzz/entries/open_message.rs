//! What the fuzz target `open_message` does with its input. The tests of fleetline-protocol replay the corpus through
//! it.

use fleetline_protocol::OpenMessage;

/// Any text as an open message.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(open) = OpenMessage::decode(text) {
        let again = OpenMessage::decode(&open.encode());
        let again = again.map(|again| (again.request_id, again.token.expose().to_owned(), again.opener));
        assert_eq!(again, Ok((open.request_id, open.token.expose().to_owned(), open.opener)));
    }
}
