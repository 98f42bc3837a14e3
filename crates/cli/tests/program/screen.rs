//! A display nobody sees: what is painted on it, and keys pressed at it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::rdp::Ends;

/// Width and height of the display.
const SIZE: (usize, usize) = (1280, 900);
/// Bytes of a pixel in the picture: blue, green, red and nothing.
const PIXEL: usize = 4;

/// Xvfb, which keeps its picture in a file.
pub(super) struct Screen {
    directory: tempfile::TempDir,
    _server: Ends,
    number: String,
}

impl Screen {
    /// Starts one on a free display.
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0"]);
        server.arg(format!("{}x{}x24", SIZE.0, SIZE.1)).arg("-fbdir").arg(directory.path());
        let mut server: Child = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { directory, _server: Ends(server), number: number.trim().to_owned() }
    }

    /// Its name for `DISPLAY`.
    pub(super) fn name(&self) -> String {
        format!(":{}", self.number)
    }

    /// The pixels, rows from above.
    pub(super) fn pixels(&self) -> Vec<u8> {
        // An XWD file of version 7: a header of big-endian words, a colour table, rows.
        let file = fs::read(self.directory.path().join("Xvfb_screen0")).unwrap();
        let word = |at: usize| {
            let bytes = file[at * 4..at * 4 + 4].try_into().unwrap();
            usize::try_from(u32::from_be_bytes(bytes)).unwrap()
        };
        let (header, row, colours) = (word(0), word(12), word(19));
        assert_eq!((word(1), word(4), word(5), word(11)), (7, SIZE.0, SIZE.1, 32));
        let start = header + colours * 12;
        let rows = file[start..].chunks(row).take(SIZE.1);
        rows.flat_map(|bytes| &bytes[..SIZE.0 * PIXEL]).copied().collect()
    }

    /// How many pixels have a colour, given as red, green and blue.
    pub(super) fn count(&self, [red, green, blue]: [u8; 3]) -> usize {
        self.pixels().chunks(PIXEL).filter(|pixel| pixel[..3] == [blue, green, red]).count()
    }

    /// Keeps the picture as a file for people.
    pub(super) fn keep(&self, path: &Path) {
        let rgb: Vec<u8> = self.pixels().chunks(PIXEL).flat_map(|bgr| [bgr[2], bgr[1], bgr[0]]).collect();
        let size = (u32::try_from(SIZE.0).unwrap(), u32::try_from(SIZE.1).unwrap());
        let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), size.0, size.1);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(&rgb).unwrap();
    }

    /// Presses a key and lets it go, as the XTEST extension does it; `code` is the server's number of the key.
    pub(super) fn press(&self, code: u8) {
        let mut server = UnixStream::connect(format!("/tmp/.X11-unix/X{}", self.number)).unwrap();
        // Little-endian, protocol 11.0, no authorisation.
        server.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]).unwrap();
        let mut head = [0; 8];
        server.read_exact(&mut head).unwrap();
        assert_eq!(head[0], 1, "the display refuses");
        let mut rest = vec![0; usize::from(u16::from_le_bytes([head[6], head[7]])) * 4];
        server.read_exact(&mut rest).unwrap();
        // QueryExtension, four words.
        server.write_all(b"\x62\0\x04\0\x05\0\0\0XTEST\0\0\0").unwrap();
        let mut reply = [0; 32];
        server.read_exact(&mut reply).unwrap();
        assert_eq!((reply[0], reply[8]), (1, 1), "it has no XTEST");
        for kind in [2, 3] {
            let mut request = [0; 36];
            // FakeInput, nine words: KeyPress or KeyRelease of a key, at once.
            request[..6].copy_from_slice(&[reply[9], 2, 9, 0, kind, code]);
            server.write_all(&request).unwrap();
        }
        // GetInputFocus has a reply, so that what came before it was done.
        server.write_all(&[43, 0, 1, 0]).unwrap();
        loop {
            server.read_exact(&mut reply).unwrap();
            assert_ne!(reply[0], 0, "the display refused the key");
            if reply[0] == 1 {
                return;
            }
        }
    }
}
