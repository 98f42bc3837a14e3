//! A display where there is none: Xvfb, and pictures of what it shows.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long the screen must stand still to be pictured.
const STILL: Duration = Duration::from_secs(1);
/// How long it may move before it is pictured all the same (a progress ring turns for ever).
const PATIENCE: Duration = Duration::from_secs(15);

/// A virtual screen of 1440 × 900 with 24 bits, ended when dropped.
pub(crate) struct Screen {
    server: Child,
    name: String,
    memory: tempfile::TempDir,
}

impl Screen {
    /// Starts the server and waits until it names its display.
    pub(crate) fn start() -> Result<Self> {
        let memory = tempfile::tempdir().context("making a directory for the screen")?;
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp", "-fbdir"])
            .arg(memory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("starting Xvfb")?;
        let stdout = server.stdout.take().context("Xvfb has no output")?;
        let mut number = String::new();
        BufReader::new(stdout).read_line(&mut number).context("waiting for Xvfb")?;
        let number = number.trim();
        if number.is_empty() {
            bail!("Xvfb ended before it opened a display");
        }
        Ok(Self { server, name: format!(":{number}"), memory })
    }

    /// The value for `DISPLAY`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Writes what the screen shows as a PNG, once it has stood still for a second or `PATIENCE` is over.
    pub(crate) fn picture(&self, path: &Path) -> Result<()> {
        let begun = Instant::now();
        let mut image = self.image()?;
        while begun.elapsed() < PATIENCE {
            thread::sleep(STILL);
            let later = self.image()?;
            let still = later.rgb == image.rgb;
            image = later;
            if still {
                break;
            }
        }
        let file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
        let mut encoder = png::Encoder::new(BufWriter::new(file), image.width, image.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(&image.rgb)?;
        Ok(())
    }

    fn image(&self) -> Result<Image> {
        let dump =
            std::fs::read(self.memory.path().join("Xvfb_screen0")).context("reading the screen's memory")?;
        window_dump(&dump).context("the screen's memory is not a window dump")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Both fail only if the server is already gone.
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

struct Image {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

/// Reads the X window dump Xvfb keeps in its frame buffer directory: a big-endian header of 25 words, 12 bytes per
/// colour map entry, then rows of 32-bit pixels in the server's byte order, blue first on little-endian machines.
fn window_dump(dump: &[u8]) -> Option<Image> {
    let word = |index: usize| {
        let bytes = dump.get(index * 4..index * 4 + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let (header, width, height) = (word(0)? as usize, word(4)?, word(5)?);
    let (bits, stride, colours) = (word(11)?, word(12)? as usize, word(19)? as usize);
    if bits != 32 {
        return None;
    }
    let pixels = dump.get(header + colours * 12..)?;
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for row in 0..height as usize {
        let line = pixels.get(row * stride..row * stride + width as usize * 4)?;
        for pixel in line.chunks_exact(4) {
            rgb.extend([pixel[2], pixel[1], pixel[0]]);
        }
    }
    Some(Image { width, height, rgb })
}

#[cfg(test)]
mod tests {
    use super::window_dump;

    fn dump(width: u32, height: u32, stride: u32, pixels: &[u8]) -> Vec<u8> {
        let mut words = [0_u32; 25];
        (words[0], words[4], words[5]) = (100, width, height);
        (words[11], words[12], words[19]) = (32, stride, 1);
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.extend([0; 12]);
        bytes.extend(pixels);
        bytes
    }

    #[test]
    fn pixels_are_read_blue_first_and_row_padding_is_skipped() {
        let image =
            window_dump(&dump(1, 2, 8, &[1, 2, 3, 0, 9, 9, 9, 9, 4, 5, 6, 0, 9, 9, 9, 9])).expect("an image");
        assert_eq!((image.width, image.height), (1, 2));
        assert_eq!(image.rgb, [3, 2, 1, 6, 5, 4]);
    }

    #[test]
    fn a_short_dump_is_refused() {
        assert!(window_dump(&dump(2, 2, 8, &[0; 8])).is_none());
        assert!(window_dump(&[]).is_none());
    }
}
