//! The icon of each state: the app's mark with a badge in its lower right corner (design/04). The shapes differ, so that
//! the states can be told apart where a desktop paints icons in one colour.

use fleetline_app::tray::TrayIcon;
use tauri::image::Image;

/// The mark without a badge.
const MARK: &[u8] = include_bytes!("../../../icons/tray/idle.png");

const GREEN: [u8; 3] = [0x3f, 0xb9, 0x84];
const AMBER: [u8; 3] = [0xf0, 0xb4, 0x40];
const RED: [u8; 3] = [0xe5, 0x48, 0x4d];
const WHITE: [u8; 3] = [0xff, 0xff, 0xff];

/// What a badge has at a point, from its middle, in units of its radius.
type Paint = fn(f32, f32) -> Option<[u8; 3]>;

pub(super) fn icon(state: TrayIcon) -> tauri::Result<Image<'static>> {
    let mark = Image::from_bytes(MARK)?;
    let (width, height) = (mark.width(), mark.height());
    let mut pixels = mark.rgba().to_vec();
    let paint: Paint = match state {
        TrayIcon::Idle => return Ok(Image::new_owned(pixels, width, height)),
        TrayIcon::Running => disc,
        TrayIcon::Reconnecting => arc,
        TrayIcon::Attention => square,
        TrayIcon::Paused => bars,
    };
    stamp(&mut pixels, width, height, paint);
    Ok(Image::new_owned(pixels, width, height))
}

/// A filled circle: something runs.
fn disc(x: f32, y: f32) -> Option<[u8; 3]> {
    (x.hypot(y) <= 1.0).then_some(GREEN)
}

/// A ring with a gap: something is being brought back.
fn arc(x: f32, y: f32) -> Option<[u8; 3]> {
    let is_ring = (0.5..=1.0).contains(&x.hypot(y));
    let is_gap = x > 0.0 && y < 0.0 && y > -x;
    (is_ring && !is_gap).then_some(AMBER)
}

/// A square with a cross: something needs attention.
fn square(x: f32, y: f32) -> Option<[u8; 3]> {
    let is_cross = ((x - y).abs() < 0.28 || (x + y).abs() < 0.28) && x.abs().max(y.abs()) < 0.6;
    (x.abs().max(y.abs()) <= 0.95).then_some(if is_cross { WHITE } else { RED })
}

/// Two bars: all is paused.
fn bars(x: f32, y: f32) -> Option<[u8; 3]> {
    ((0.2..=0.75).contains(&x.abs()) && y.abs() <= 0.9).then_some(AMBER)
}

/// Paints a badge with a clear edge around it, so that it does not run into the mark.
fn stamp(pixels: &mut [u8], width: u32, height: u32, paint: Paint) {
    let radius = width.min(height) as f32 * 0.23;
    let middle = (width as f32 - radius - 1.0, height as f32 - radius - 1.0);
    for (at, pixel) in pixels.chunks_exact_mut(4).enumerate() {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let (left, top) = ((at % width) as f32, (at / width) as f32);
        let unit = |x: f32, y: f32| ((x - middle.0) / radius, (y - middle.1) / radius);
        let (x, y) = unit(left + 0.5, top + 0.5);
        if x.hypot(y) > 1.5 {
            continue;
        }
        // Sixteen looks at each pixel make smooth edges.
        let looks = (0..16).filter_map(|n: u16| {
            let (dx, dy) = (f32::from(n % 4) / 4.0 + 0.125, f32::from(n / 4) / 4.0 + 0.125);
            let (x, y) = unit(left + dx, top + dy);
            paint(x, y)
        });
        let (mut sum, mut hits) = ([0_u16; 3], 0_u16);
        for colour in looks {
            hits += 1;
            for (sum, part) in sum.iter_mut().zip(colour) {
                *sum += u16::from(part);
            }
        }
        let mean = |part: u16| u8::try_from(part / hits.max(1)).unwrap_or(u8::MAX);
        let alpha = u8::try_from(hits * 255 / 16).unwrap_or(u8::MAX);
        pixel.copy_from_slice(&[mean(sum[0]), mean(sum[1]), mean(sum[2]), alpha]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_an_icon_of_its_own_also_in_one_colour() {
        let states = [
            TrayIcon::Idle,
            TrayIcon::Running,
            TrayIcon::Reconnecting,
            TrayIcon::Attention,
            TrayIcon::Paused,
        ];
        let alpha =
            |state| icon(state).unwrap().rgba().iter().skip(3).step_by(4).copied().collect::<Vec<u8>>();
        for (at, state) in states.iter().enumerate() {
            assert_eq!(icon(*state).unwrap().rgba().len(), 64 * 64 * 4);
            for other in &states[at + 1..] {
                let differing =
                    alpha(*state).iter().zip(alpha(*other)).filter(|(a, b)| a.abs_diff(*b) > 128).count();
                assert!(differing > 40, "{state:?} and {other:?} differ in {differing} pixels");
            }
        }
    }
}
