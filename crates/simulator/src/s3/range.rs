//! The `Range` header.

/// The bytes of an object that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) from: usize,
    /// Behind the last one.
    pub(super) to: usize,
    /// Whether a part was asked for.
    pub(super) is_part: bool,
}

impl Wanted {
    /// Of an object of `length` bytes; `None` if nothing of it is asked for. What is no range asks for everything.
    pub(super) fn read(header: Option<&str>, length: usize) -> Option<Self> {
        let all = Self { from: 0, to: length, is_part: false };
        let Some((first, last)) =
            header.and_then(|text| text.strip_prefix("bytes=")).and_then(|range| range.split_once('-'))
        else {
            return Some(all);
        };
        let number = |text: &str| text.trim().parse::<usize>().ok();
        let (from, to) = match (number(first), number(last)) {
            (Some(from), Some(last)) if from <= last => (from, last.saturating_add(1).min(length)),
            (Some(from), None) if last.trim().is_empty() => (from, length),
            (None, Some(last)) if first.trim().is_empty() => (length.saturating_sub(last), length),
            _ => return Some(all),
        };
        (from < to).then_some(Self { from, to, is_part: true })
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted;

    #[test]
    fn ranges_are_cut_to_the_object() {
        let read = |text: &str| Wanted::read(Some(text), 10).map(|w| (w.from, w.to, w.is_part));
        for (text, wanted) in [
            ("bytes=0-3", Some((0, 4, true))),
            ("bytes=8-99", Some((8, 10, true))),
            ("bytes=4-", Some((4, 10, true))),
            ("bytes=-3", Some((7, 10, true))),
            ("bytes=-99", Some((0, 10, true))),
            ("bytes=10-12", None),
            ("bytes=3-1", Some((0, 10, false))),
            ("lines=1-2", Some((0, 10, false))),
        ] {
            assert_eq!(read(text), wanted, "{text}");
        }
        assert_eq!(Wanted::read(Some("bytes=0-1"), 0), None);
    }
}
