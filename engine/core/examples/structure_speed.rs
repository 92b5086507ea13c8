//! What prices and timers cost the structure: `cargo run --release --example structure_speed`.

#![allow(clippy::print_stdout)]

use std::time::Instant;

use acth_core::{
    hash::StateHasher,
    snapshot::Encoder,
    structure::{Structure, StructureConfig, StructureError},
};

const NS_PER_MS: i64 = 1_000_000;
/// Prices of one instrument in a second.
const PRICES_A_SECOND: i64 = 15;
/// Simulated time that fills all windows before anything is measured.
const WARM_UP_MS: i64 = 600_000;
const MEASURED_MS: i64 = 300_000;
const ROUNDS: usize = 7;

/// A walk of a few instruments that share a factor, from a generator of a few lines.
struct Feed {
    state: u64,
    prices: Vec<f64>,
}

impl Feed {
    /// About normal, of deviation 1.
    fn noise(&mut self) -> f64 {
        let mut sum = 0.0;
        for _ in 0..4 {
            self.state = self
                .state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            sum += (self.state >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
        }
        sum * 1.732
    }

    /// A hundred milliseconds of prices: index, ms and log price.
    fn fill(&mut self, start_ms: i64, batch: &mut Vec<(usize, i64, f64)>) {
        let count = self.prices.len();
        let factors: Vec<f64> = (0..4).map(|_| self.noise() * 1e-4).collect();
        let number = count as i64 * PRICES_A_SECOND / 10;
        batch.clear();
        for place in 0..number {
            let index = (self.noise().abs() * 1e6) as usize % count;
            self.prices[index] += factors[index % 4] + self.noise() * 1e-4;
            batch.push((index, start_ms + place * 100 / number, self.prices[index]));
        }
    }
}

/// Runs the same inputs several times: what one call costs is the least that it ever took, the rest is the machine.
fn measure(count: usize) -> Result<(), StructureError> {
    let mut price_ns = f64::INFINITY;
    let mut timers: Vec<u64> = Vec::new();
    for round in 0..ROUNDS {
        let mut taken = Vec::new();
        let mean_ns = run(count, &mut taken, round + 1 == ROUNDS)?;
        price_ns = price_ns.min(mean_ns);
        if timers.is_empty() {
            timers = taken;
        } else {
            for (least, taken) in timers.iter_mut().zip(taken) {
                *least = taken.min(*least);
            }
        }
    }
    timers.sort_unstable();
    let at = |share: f64| timers[((timers.len() - 1) as f64 * share) as usize] as f64 / 1_000.0;
    println!(
        "{count:>4} instruments: on_price {price_ns:.1} ns; on_timer median {:.1} us, p99 {:.1} us, max {:.1} us",
        at(0.5),
        at(0.99),
        at(1.0),
    );
    Ok(())
}

/// One run: ns of a price on average, and those of each timer.
fn run(count: usize, timers: &mut Vec<u64>, is_told: bool) -> Result<f64, StructureError> {
    let mut structure = Structure::new(&StructureConfig::default(), count)?;
    let mut feed = Feed {
        state: 7,
        prices: vec![4.0; count],
    };
    let mut batch = Vec::new();
    let (mut price_ns, mut prices) = (0u64, 0u64);
    for ms in (0..WARM_UP_MS + MEASURED_MS).step_by(100) {
        feed.fill(ms, &mut batch);
        let is_measured = ms >= WARM_UP_MS;
        let start = Instant::now();
        for (index, ms, price) in &batch {
            structure.on_price(*index, ms * NS_PER_MS, *price);
        }
        if is_measured {
            price_ns += start.elapsed().as_nanos() as u64;
            prices += batch.len() as u64;
        }
        let start = Instant::now();
        structure.on_timer((ms + 100) * NS_PER_MS);
        if is_measured {
            timers.push(start.elapsed().as_nanos() as u64);
        }
    }
    if is_told {
        tell_size(&structure);
        println!(
            "      {} edges, {} pairs, clean correlations renewed {} times in {} s",
            structure.edges().count(),
            structure.pairs().len(),
            structure.cleaned_count(),
            (WARM_UP_MS + MEASURED_MS) / 1_000,
        );
    }
    Ok(price_ns as f64 / prices as f64)
}

/// How large the state is, and what a hash of all of it and of its brief costs.
fn tell_size(structure: &Structure) {
    let mut out = Encoder::default();
    structure.write(&mut out);
    let (mut whole_ns, mut brief_ns) = (u128::MAX, u128::MAX);
    for _ in 0..50 {
        let mut hash = StateHasher::new();
        let start = Instant::now();
        structure.write(&mut hash);
        whole_ns = whole_ns.min(start.elapsed().as_nanos());
        let start = Instant::now();
        structure.write_brief(&mut hash);
        brief_ns = brief_ns.min(start.elapsed().as_nanos());
        std::hint::black_box(hash.finish());
    }
    println!(
        "      state of {} kB; hash of all {:.1} us, of the brief {:.2} us",
        out.into_bytes().len() / 1_000,
        whole_ns as f64 / 1_000.0,
        brief_ns as f64 / 1_000.0,
    );
}

fn main() -> Result<(), StructureError> {
    measure(32)?;
    measure(128)
}
