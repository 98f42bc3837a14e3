//! A link that loses, repeats and swaps frames, by seed.

use bytes::Bytes;

use crate::config::LinkFaults;
use crate::random::Seeded;

/// One direction of a link.
#[derive(Debug)]
pub(super) struct FaultyLink {
    faults: LinkFaults,
    rng: Seeded,
    /// A frame that waits for the next one to overtake it.
    held: Option<Bytes>,
}

impl FaultyLink {
    pub(super) fn new(faults: LinkFaults, seed: u64) -> Self {
        Self { faults, rng: Seeded::new(seed), held: None }
    }

    /// What comes out when `frame` goes in: none, one or more frames.
    pub(super) fn pass(&mut self, frame: Bytes) -> Vec<Bytes> {
        if self.faults == LinkFaults::default() {
            return vec![frame];
        }
        let mut out = Vec::with_capacity(3);
        if !self.chance(self.faults.drop_per_mille) {
            if self.held.is_none() && self.chance(self.faults.reorder_per_mille) {
                self.held = Some(frame);
                return out;
            }
            if self.chance(self.faults.duplicate_per_mille) {
                out.push(frame.clone());
            }
            out.push(frame);
        }
        out.extend(self.held.take());
        out
    }

    fn chance(&mut self, per_mille: u16) -> bool {
        self.rng.below(1000) < usize::from(per_mille)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::FaultyLink;
    use crate::config::LinkFaults;

    fn through(faults: LinkFaults) -> Vec<u8> {
        let mut link = FaultyLink::new(faults, 5);
        (0..200_u8).flat_map(|n| link.pass(Bytes::from(vec![n]))).map(|frame| frame[0]).collect()
    }

    #[test]
    fn a_link_without_faults_changes_nothing() {
        assert_eq!(through(LinkFaults::default()), (0..200).collect::<Vec<u8>>());
    }

    #[test]
    fn faults_drop_repeat_and_swap() {
        let dropped = through(LinkFaults { drop_per_mille: 200, ..LinkFaults::default() });
        assert!((100..190).contains(&dropped.len()), "{}", dropped.len());
        let repeated = through(LinkFaults { duplicate_per_mille: 200, ..LinkFaults::default() });
        assert!((210..300).contains(&repeated.len()), "{}", repeated.len());
        let swapped = through(LinkFaults { reorder_per_mille: 200, ..LinkFaults::default() });
        assert!(swapped.windows(2).any(|pair| pair[0] > pair[1]), "something is out of order");
        let mut sorted = swapped;
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[0] < pair[1]), "nothing is repeated");
        assert!(sorted.len() >= 199, "at most the last frame is still held");
    }
}
