//! Memory of this process while something runs for long.

use std::fmt;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use tokio::time::sleep;

use crate::process;

/// Counts what is allocated. Resident memory alone cannot tell what leaks from what the allocator keeps for later.
#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Between two looks.
const SAMPLE: Duration = Duration::from_secs(5);

/// Both measures of one time.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// What the program holds.
    pub(crate) allocated: Samples,
    /// What the system has given to the process for it; empty where that cannot be read.
    pub(crate) resident: Samples,
}

impl Memory {
    /// Looks until the time is over.
    pub(crate) async fn watch(until: Instant) -> Self {
        let (begun, mut memory) = (Instant::now(), Self::default());
        while Instant::now() < until {
            sleep(SAMPLE).await;
            let minute = begun.elapsed().as_secs_f64() / 60.0;
            memory.allocated.0.push((minute, ALLOCATOR.current_usage() as f64 / 1e6));
            if let Some(bytes) = process::resident(std::process::id()) {
                memory.resident.0.push((minute, bytes as f64 / 1e6));
            }
        }
        memory
    }
}

/// Minutes since the beginning, and MB.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<(f64, f64)>);

impl Samples {
    /// The last two thirds: before that it warms up.
    fn late(&self) -> &[(f64, f64)] {
        &self.0[self.0.len() / 3..]
    }

    /// Least squares over the late part: MB a minute.
    fn slope(&self) -> Option<f64> {
        let late = self.late();
        let count = late.len() as f64;
        let (x, y) = late.iter().fold((0.0, 0.0), |(x, y), sample| (x + sample.0, y + sample.1));
        let (x, y) = (x / count, y / count);
        let (mut over, mut under) = (0.0, 0.0);
        for sample in late {
            over += (sample.0 - x) * (sample.1 - y);
            under += (sample.0 - x).powi(2);
        }
        (under > 0.0).then_some(over / under)
    }

    /// Whether the last third never comes down to where the third before it was at most: work in flight comes and goes,
    /// and what stays is kept for good.
    pub(crate) fn grows(&self) -> bool {
        let third = self.0.len() / 3;
        if third == 0 {
            return false;
        }
        let (before, last) = self.late().split_at(third);
        let most = before.iter().map(|sample| sample.1).fold(0.0, f64::max);
        last.iter().all(|sample| sample.1 > most)
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(first), Some(last), Some(slope)) = (self.0.first(), self.0.last(), self.slope()) else {
            return f.write_str("too short to tell");
        };
        let (least, most) = self
            .late()
            .iter()
            .fold((f64::MAX, 0.0_f64), |(least, most), sample| (least.min(sample.1), most.max(sample.1)));
        write!(
            f,
            "{:.1} MB first, {:.1} last; the last two thirds {least:.1} to {most:.1}, slope {slope:+.2} MB a minute",
            first.1, last.1
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(megabytes: impl Fn(f64) -> f64) -> Samples {
        Samples((0..90).map(|n| (f64::from(n) / 12.0, megabytes(f64::from(n)))).collect())
    }

    #[test]
    fn only_what_stays_counts_as_growth() {
        assert!(samples(|n| 10.0 + n).grows());
        assert!(!samples(|n| 10.0 + 5.0 * (n % 7.0)).grows());
        // Warming up is no growth.
        assert!(!samples(|n| n.min(20.0)).grows());
        assert!(!Samples::default().grows());
        let slope = samples(|n| 10.0 + n).slope().unwrap();
        assert!((slope - 12.0).abs() < 1e-6, "{slope}");
    }
}
