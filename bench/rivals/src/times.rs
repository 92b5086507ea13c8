//! Times of passes: median and best.

use std::time::Duration;

/// Of some passes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Seconds of the median pass.
    pub(crate) median: f64,
    /// Seconds of the shortest pass.
    pub(crate) best: f64,
}

impl Times {
    /// Of these passes; zero when there are none.
    pub(crate) fn of(mut passes: Vec<Duration>) -> Self {
        passes.sort_unstable();
        let seconds = |index: usize| passes.get(index).map_or(0.0, Duration::as_secs_f64);
        Self {
            median: seconds(passes.len() / 2),
            best: seconds(0),
        }
    }
}
