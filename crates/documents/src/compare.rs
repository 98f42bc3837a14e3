//! Two texts line by line.

/// What a line of a comparison is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineChange {
    /// In both.
    Same,
    /// Only in the first.
    Removed,
    /// Only in the second.
    Added,
}

/// A line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedLine {
    /// Where it is.
    pub change: LineChange,
    /// Its number in the first text, from 1.
    pub old: Option<usize>,
    /// Its number in the second text, from 1.
    pub new: Option<usize>,
    /// Its text, without the end of line.
    pub text: String,
}

/// Cells of the table of common lines at most: beyond it the middle is told as removed and added whole. 16 MiB.
const MOST_CELLS: usize = 4 << 20;

/// Compares line by line: a shortest way from `old` to `new`, removals before additions.
pub fn compare(old: &str, new: &str) -> Vec<ComparedLine> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = (old.len() - before).min(new.len() - before);
    let after = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let mut lines = Lines::default();
    for text in old.iter().take(before) {
        lines.same(text);
    }
    let middle = |lines: &[&str]| -> Vec<String> {
        let end = lines.len() - after;
        lines.get(before..end).unwrap_or_default().iter().map(|line| (*line).to_owned()).collect()
    };
    lines.differing(&middle(&old), &middle(&new));
    for text in old.iter().skip(old.len() - after) {
        lines.same(text);
    }
    lines.lines
}

#[derive(Default)]
struct Lines {
    lines: Vec<ComparedLine>,
    old: usize,
    new: usize,
}

impl Lines {
    fn same(&mut self, text: &str) {
        (self.old, self.new) = (self.old + 1, self.new + 1);
        self.push(LineChange::Same, Some(self.old), Some(self.new), text);
    }

    fn removed(&mut self, text: &str) {
        self.old += 1;
        self.push(LineChange::Removed, Some(self.old), None, text);
    }

    fn added(&mut self, text: &str) {
        self.new += 1;
        self.push(LineChange::Added, None, Some(self.new), text);
    }

    fn push(&mut self, change: LineChange, old: Option<usize>, new: Option<usize>, text: &str) {
        self.lines.push(ComparedLine { change, old, new, text: text.to_owned() });
    }

    /// Walks the table of longest common subsequences.
    fn differing(&mut self, old: &[String], new: &[String]) {
        let width = new.len() + 1;
        let cells = (old.len() + 1).saturating_mul(width);
        if cells > MOST_CELLS {
            old.iter().for_each(|line| self.removed(line));
            new.iter().for_each(|line| self.added(line));
            return;
        }
        let mut common = vec![0_u32; cells];
        for (i, a) in old.iter().enumerate().rev() {
            for (j, b) in new.iter().enumerate().rev() {
                common[i * width + j] = if a == b {
                    common[(i + 1) * width + j + 1] + 1
                } else {
                    common[(i + 1) * width + j].max(common[i * width + j + 1])
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < old.len() || j < new.len() {
            match (old.get(i), new.get(j)) {
                (Some(a), Some(b)) if a == b => {
                    self.same(a);
                    (i, j) = (i + 1, j + 1);
                }
                (Some(a), b) if b.is_none() || common[(i + 1) * width + j] >= common[i * width + j + 1] => {
                    self.removed(a);
                    i += 1;
                }
                (_, Some(b)) => {
                    self.added(b);
                    j += 1;
                }
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(lines: &[ComparedLine]) -> Vec<String> {
        let mark = |line: &ComparedLine| match line.change {
            LineChange::Same => ' ',
            LineChange::Removed => '-',
            LineChange::Added => '+',
        };
        lines.iter().map(|line| format!("{}{}", mark(line), line.text)).collect()
    }

    #[test]
    fn what_changed_stands_between_what_stayed() {
        let lines = compare("a\nb\nc\nd\n", "a\nB\nc\nx\nd\n");
        assert_eq!(marked(&lines), [" a", "-b", "+B", " c", "+x", " d"]);
        assert_eq!((lines[5].old, lines[5].new), (Some(4), Some(5)));
        assert_eq!(marked(&compare("", "a")), ["+a"]);
        assert_eq!(marked(&compare("a\na\na", "a\na")), [" a", " a", "-a"]);
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_from_their_comparison(old in "[ab\n]{0,40}", new in "[ab\n]{0,40}") {
            let lines = compare(&old, &new);
            let side = |skip: LineChange| {
                lines.iter().filter(|line| line.change != skip).map(|line| line.text.as_str()).collect::<Vec<_>>()
            };
            prop_assert_eq!(side(LineChange::Added), old.lines().collect::<Vec<_>>());
            prop_assert_eq!(side(LineChange::Removed), new.lines().collect::<Vec<_>>());
        }
    }
}
