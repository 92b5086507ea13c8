//! A recorded session: our replay from a journal beside hftbacktest from rows in memory, pass by pass in turn.
//!
//! We read the journal, check its checksums, build books, run the strategy through the risk gate and compare every decision. It reads
//! rows that lie in memory and keeps two books an asset, its exchange's and its own.

mod rows;
mod theirs;

use std::{fmt, path::Path, time::Duration};

use serde::Serialize;

use self::theirs::Asset;
use crate::{Failure, ours::Prepared, times::Times};

/// What the comparison found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    scenario: &'static str,
    passes: u32,
    ours: Side,
    hftbacktest: Side,
    /// Their time divided by ours, of the median passes.
    ratio: f64,
    /// The same of the best passes.
    ratio_best: f64,
}

#[derive(Debug, Serialize)]
struct Side {
    rows: u64,
    messages: u64,
    orders: u64,
    elapsed_seconds: f64,
    elapsed_seconds_best: f64,
    /// Of its own rows.
    rows_per_second: f64,
    /// The imbalance of each book summed over its own messages, all books together.
    check_sum: f64,
}

/// Runs both in turn.
pub(crate) fn compare(data: &Path, passes: u32) -> Result<Report, Failure> {
    let prepared = Prepared::new(data)?;
    let instruments = prepared.instruments();
    let rows = rows::read(&prepared.journal(), instruments)?;
    let row_count: usize = rows.iter().map(Vec::len).sum();
    let assets = instruments.rows().iter().zip(&rows);
    let assets: Vec<Asset> = assets.map(|(row, rows)| Asset::new(row, rows)).collect();
    drop(rows);
    let looked = theirs::pass::<true>(&assets)?;
    prepared.pass()?;
    let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
    let mut our_passes = Vec::new();
    for _ in 0..passes {
        let pass = prepared.pass()?;
        our_times.push(pass.elapsed);
        our_passes.truncate(0);
        our_passes.push(pass);
        their_times.push(theirs::pass::<false>(&assets)?.elapsed);
    }
    let found = prepared.report(&our_passes)?;
    let ours = Side::of(
        found.rows,
        found.messages,
        found.orders,
        our_times,
        found.check_sum,
    );
    let check_sum = looked.own_sums.iter().sum();
    let hftbacktest = Side::of(
        row_count as u64,
        looked.feeds,
        looked.orders,
        their_times,
        check_sum,
    );
    Ok(Report {
        scenario: "replay",
        passes,
        ratio: hftbacktest.elapsed_seconds / ours.elapsed_seconds,
        ratio_best: hftbacktest.elapsed_seconds_best / ours.elapsed_seconds_best,
        ours,
        hftbacktest,
    })
}

impl Side {
    fn of(rows: u64, messages: u64, orders: u64, times: Vec<Duration>, check_sum: f64) -> Self {
        let times = Times::of(times);
        Self {
            rows,
            messages,
            orders,
            elapsed_seconds: times.median,
            elapsed_seconds_best: times.best,
            rows_per_second: rows as f64 / times.median,
            check_sum,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14}{:>10}{:>10}{:>8}{:>12}{:>10}{:>14}{:>16}",
            "replay", "rows", "messages", "orders", "median ms", "best ms", "M rows/s", "check sum"
        )?;
        for (name, side) in [("acth", &self.ours), ("hftbacktest", &self.hftbacktest)] {
            writeln!(
                f,
                "{name:<14}{:>10}{:>10}{:>8}{:>12.2}{:>10.2}{:>14.2}{:>16.6}",
                side.rows,
                side.messages,
                side.orders,
                side.elapsed_seconds * 1e3,
                side.elapsed_seconds_best * 1e3,
                side.rows_per_second / 1e6,
                side.check_sum
            )?;
        }
        writeln!(
            f,
            "their time / ours: {:.2} by the medians, {:.2} by the best of {} passes",
            self.ratio, self.ratio_best, self.passes
        )
    }
}
