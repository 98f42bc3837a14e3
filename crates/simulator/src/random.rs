//! Seeded numbers for the world and for faulty links: the same seed gives the same numbers. Nothing secret is made
//! of them.

/// SplitMix64, after Steele, Lea and Flood (2014).
#[derive(Clone, Debug)]
pub(crate) struct Seeded {
    state: u64,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is small enough for the bias not to matter; 0 if there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::Seeded;

    #[test]
    fn numbers_are_those_of_the_published_generator() {
        let mut numbers = Seeded::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([numbers.next(), numbers.next(), numbers.next()], expected);
    }
}
