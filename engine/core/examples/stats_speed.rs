//! What one update of each statistic costs: `cargo run --release --example stats_speed`.

#![allow(clippy::print_stdout)]

use std::{hint::black_box, time::Instant};

use acth_core::stats::{Ewma, EwmaCovariance, LeadLag, SampleEwma, StatsError};

/// Rounds; the fastest counts, the others were disturbed.
const ROUNDS: usize = 15;

/// Prints ns per call of `update`, which gets the number of the call.
fn time(name: &str, calls: usize, mut update: impl FnMut(usize)) {
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for call in 0..calls {
            update(black_box(call));
        }
        fastest = fastest.min(start.elapsed().as_nanos() as f64 / calls as f64);
    }
    println!("  {name:<36}{fastest:>10.1}");
}

fn main() -> Result<(), StatsError> {
    println!("ns per update; fastest of {ROUNDS} rounds");
    let values: Vec<f64> = (0..1_024)
        .map(|index| f64::from(index % 37) * 0.01 - 0.2)
        .collect();
    let value = |call: usize| values[call % values.len()];

    let mut ewma = Ewma::new(1_000_000_000)?;
    time("Ewma, event time", 1_000_000, |call| {
        ewma.update(value(call), 1_000_000 + call as i64);
    });
    let mut single = SampleEwma::new(100.0)?;
    time("SampleEwma", 1_000_000, |call| single.update(value(call)));
    for series_count in [4, 16, 32, 64, 128] {
        let mut many = EwmaCovariance::new(series_count, 100.0)?;
        let name = format!("EwmaCovariance, {series_count} series");
        time(&name, 200_000 / series_count, |call| {
            let start = call % (values.len() - series_count);
            many.update(&values[start..start + series_count]);
        });
        black_box(many.correlation(0, series_count - 1));
    }
    for lag_max in [4, 16, 64] {
        let mut lead_lag = LeadLag::new(lag_max, 100.0)?;
        let name = format!("LeadLag, lags 0 to {lag_max}");
        time(&name, 200_000, |call| {
            lead_lag.update(value(call), value(call / 3))
        });
        black_box(lead_lag.best_lag());
    }
    black_box((ewma.mean(), single.mean()));
    Ok(())
}
