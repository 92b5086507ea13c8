//! Fair values sampled on a grid, and plain estimators over them: sums over all samples, no recursion, no shortcuts.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "shared by tests that each use a part"
)]

use acth_core::instrument::InstrumentId;
use acth_sim::world::{World, WorldConfig};

pub(crate) const SECOND_NS: i64 = 1_000_000_000;

/// Log fair prices of every instrument, one sample a grid step.
pub(crate) struct Sampled {
    pub(crate) world: World,
    pub(crate) step_ns: i64,
    /// By instrument, then step.
    pub(crate) logs: Vec<Vec<f64>>,
}

impl Sampled {
    /// A world without traders to speak of, so that only the fair values take time.
    pub(crate) fn new(mut config: WorldConfig, seed: u64, seconds: i64) -> Self {
        config.flow.makers = 1;
        config.flow.maker_levels = 1;
        config.flow.maker_refresh_per_s = 0.001;
        config.flow.patient_orders_per_s = 0.001;
        config.flow.noise_takers_per_s = 0.001;
        config.flow.informed_takers_per_s = 0.001;
        let step_ns = config.step_ns;
        let mut world = World::new(config, seed).unwrap();
        let start = world.ts_ns();
        let mut logs = vec![Vec::new(); world.instruments().count()];
        for step in 1..=seconds * SECOND_NS / step_ns {
            world.step_until(start + step * step_ns, &mut |_| {});
            for (index, row) in logs.iter_mut().enumerate() {
                row.push(world.fair_price(InstrumentId(index as u16)).unwrap().ln());
            }
        }
        Self {
            world,
            step_ns,
            logs,
        }
    }

    pub(crate) fn id(&self, venue: &str, symbol: &str) -> usize {
        self.world
            .instruments()
            .find(venue, symbol)
            .unwrap()
            .index()
    }

    /// Moves of one instrument over `window` steps, every `stride` steps, between two seconds of the run.
    pub(crate) fn moves(&self, index: usize, span_s: (i64, i64), window: usize) -> Vec<f64> {
        self.shifted(index, span_s, window, window, 0)
    }

    /// The same, `shift` steps later, beginning every `stride` steps.
    pub(crate) fn shifted(
        &self,
        index: usize,
        span_s: (i64, i64),
        window: usize,
        stride: usize,
        shift: usize,
    ) -> Vec<f64> {
        let steps_per_s = (SECOND_NS / self.step_ns) as usize;
        let (first, last) = (
            span_s.0 as usize * steps_per_s,
            span_s.1 as usize * steps_per_s,
        );
        let row = &self.logs[index];
        let starts = (first..last - window - shift).step_by(stride);
        starts
            .map(|at| row[at + shift + window] - row[at + shift])
            .collect()
    }
}

/// Correlation of two series of moves, means taken as zero.
pub(crate) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    ab / (aa * bb).sqrt()
}

/// Standard deviation around the mean.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / count).sqrt()
}
