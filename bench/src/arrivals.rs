//! When a venue's messages really arrive: in bursts. The arrival times of a recorded stream, played at its own speed or
//! faster; where no recording is at hand, made-up ones that cluster in the same way.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use acth_bench::load::numbers::Numbers;
use acth_venues::capture::LineReader;

use crate::{Failure, pace::Window};

/// The recording within the folder of market data.
const RECORDING: &str = "crypto/binance/usdm/btcusdt_20240808.gz";
/// Made-up arrivals: as many as a recording of a few minutes has.
const MADE_COUNT: usize = 90_000;

/// Arrival times in order, from the first one on.
#[derive(Debug)]
pub(crate) struct Arrivals {
    offsets_ns: Vec<i64>,
    pub(crate) name: &'static str,
}

impl Arrivals {
    /// The recording in `data`, or made-up arrivals where there is none.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    pub(crate) fn find(data: &Path) -> Result<Self, Failure> {
        let path = data.join(RECORDING);
        if path.is_file() {
            Self::read(&path)
        } else {
            Ok(Self::made())
        }
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let mut reader = LineReader::open(path, Arc::new(AtomicU64::new(0)))?;
        let mut times_ns = Vec::new();
        while reader.advance()? {
            times_ns.push(reader.ts_recorded_ns());
        }
        times_ns.sort_unstable();
        let first_ns = times_ns.first().copied().unwrap_or(0);
        Ok(Self {
            offsets_ns: times_ns.iter().map(|time_ns| time_ns - first_ns).collect(),
            name: "recorded",
        })
    }

    /// Long quiet, short bursts: two thirds of the distances below 100 us, the rest up to 20 ms.
    fn made() -> Self {
        let mut numbers = Numbers::new(5);
        let mut at_ns = 0;
        let next = |_| {
            let scale = match numbers.below(12) {
                0..8 => 100_000,
                8..11 => 5_000_000,
                _ => 20_000_000,
            };
            at_ns += numbers.below(scale).cast_signed();
            at_ns
        };
        Self {
            offsets_ns: (0..MADE_COUNT).map(next).collect(),
            name: "made-up",
        }
    }

    /// Window `index` of `length_ns`, played `speed` times as fast: the stretch behind that of the window before, from the
    /// start again at the end.
    pub(crate) fn window(&self, index: u32, length_ns: i64, speed: u32) -> Window {
        let span_ns = length_ns.saturating_mul(i64::from(speed));
        let whole_ns = self.offsets_ns.last().copied().unwrap_or(0).max(1);
        let start_ns = span_ns.saturating_mul(i64::from(index)) % whole_ns;
        let from = self.offsets_ns.partition_point(|&at_ns| at_ns < start_ns);
        let mut offsets_ns: Vec<i64> = self.offsets_ns[from..]
            .iter()
            .take_while(|&&at_ns| at_ns < start_ns + span_ns)
            .map(|at_ns| (at_ns - start_ns) / i64::from(speed))
            .collect();
        if offsets_ns.is_empty() {
            offsets_ns.push(0);
        }
        // A few windows a run, each needed until its end.
        Window::recorded(Vec::leak(offsets_ns), length_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_each_other_and_keep_their_distances() {
        let arrivals = Arrivals {
            offsets_ns: vec![0, 10, 1000, 1010, 1020, 2500],
            name: "made-up",
        };
        assert_eq!(arrivals.window(0, 1000, 1).event_count(), 2);
        assert_eq!(arrivals.window(1, 1000, 1).event_count(), 3);
        assert_eq!(arrivals.window(0, 100, 10).event_count(), 2);
        // Behind the end: from the start again.
        assert_eq!(arrivals.window(3, 1000, 1).event_count(), 3);
        assert!(Arrivals::made().offsets_ns.is_sorted());
    }
}
