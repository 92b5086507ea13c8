//! Replay of a recorded session on one core: the journal checked, books built, a strategy run, every decision compared.
//!
//! The journal is written before the clock starts, by the engine itself: recordings through the real decoder, the core,
//! the paper venue, in event time. Each pass then opens it anew and replays it on one thread. The strategy reads the five
//! best levels of every book at each book message; its sums show that it has seen what any other engine sees.

mod prepare;
mod strategy;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use acth_core::{core::Core, instrument::Instruments};
use acth_engine::{
    config::ThreadMode,
    replay::{ReplayOptions, ReplayOutcome, replay},
};
use acth_journal::Reader;
use serde::Serialize;
use tempfile::TempDir;

use self::strategy::TopFive;
use crate::Failure;

pub(crate) use self::prepare::recordings;

/// What the strategy saw of one instrument.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Seen {
    pub(crate) instrument: String,
    /// Imbalance of the five best levels, summed over the messages of its own book.
    pub(crate) imbalance_own: f64,
    /// The same, summed over the messages of all books.
    pub(crate) imbalance_all: f64,
}

/// What the scenario found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ReplayReport {
    pub(crate) scenario: &'static str,
    /// What was replayed.
    pub(crate) source: String,
    pub(crate) passes: u32,
    pub(crate) frames: u64,
    pub(crate) messages: u64,
    pub(crate) rows: u64,
    /// Of the median pass, from opening the journal to the last comparison, and of the best.
    pub(crate) elapsed_seconds: f64,
    pub(crate) elapsed_seconds_best: f64,
    pub(crate) messages_per_second: f64,
    pub(crate) rows_per_second: f64,
    pub(crate) rows_per_second_best: f64,
    pub(crate) seen: Vec<Seen>,
    /// The imbalance of each book summed over its own messages, all books together.
    pub(crate) check_sum: f64,
    pub(crate) orders: u64,
    pub(crate) decisions_compared: u64,
    pub(crate) identical: bool,
    pub(crate) crc_checked: bool,
}

/// A journal that is ready to be replayed.
pub(crate) struct Prepared {
    place: TempDir,
    instruments: Instruments,
    source: String,
}

/// One pass over it.
pub(crate) struct Pass {
    pub(crate) elapsed: Duration,
    outcome: ReplayOutcome<Core<TopFive>>,
}

impl Prepared {
    /// Writes the journal into a temporary folder: of the recordings below `data`, or of the simulated world where they
    /// are not there.
    pub(crate) fn new(data: &Path) -> Result<Self, Failure> {
        let place = tempfile::tempdir()?;
        let files = recordings(data);
        let source = match &files {
            Some(files) => names(files),
            None => format!(
                "the simulated world, as {} holds no recording",
                data.display()
            ),
        };
        let instruments = prepare::write(&place.path().join("journal"), files.as_deref())?;
        Ok(Self {
            place,
            instruments,
            source,
        })
    }

    /// What it is about.
    pub(crate) const fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// Where it is.
    pub(crate) fn journal(&self) -> PathBuf {
        self.place.path().join("journal")
    }

    /// Replays it once on this thread.
    pub(crate) fn pass(&self) -> Result<Pass, Failure> {
        let core = prepare::build(&self.instruments)?;
        let path = self.journal();
        let options = ReplayOptions {
            threads: ThreadMode::Single,
        };
        let start = Instant::now();
        let outcome = replay(Reader::open(path)?, |_| Ok(core), options)?;
        let elapsed = start.elapsed();
        if let Some(difference) = &outcome.first_divergence {
            let place = difference.sequence;
            return Err(format!("the replay differs from its journal at sequence {place}").into());
        }
        Ok(Pass { elapsed, outcome })
    }

    /// What several passes came to.
    pub(crate) fn report(&self, passes: &[Pass]) -> Result<ReplayReport, Failure> {
        let last = passes.last().ok_or("no pass was made")?;
        let mut times: Vec<Duration> = passes.iter().map(|pass| pass.elapsed).collect();
        times.sort_unstable();
        let (median, best) = (times[times.len() / 2].as_secs_f64(), times[0].as_secs_f64());
        let outcome = &last.outcome;
        let stats = outcome.machine.stats();
        let seen = self.seen(outcome.machine.strategy());
        Ok(ReplayReport {
            scenario: "replay",
            source: self.source.clone(),
            passes: passes.len() as u32,
            frames: outcome.last_sequence,
            messages: outcome.market_messages,
            rows: outcome.book_rows,
            elapsed_seconds: median,
            elapsed_seconds_best: best,
            messages_per_second: outcome.market_messages as f64 / median,
            rows_per_second: outcome.book_rows as f64 / median,
            rows_per_second_best: outcome.book_rows as f64 / best,
            check_sum: seen.iter().map(|seen| seen.imbalance_own).sum(),
            seen,
            orders: stats.orders,
            decisions_compared: outcome.decisions,
            identical: outcome.identical,
            // The reader has no way to read a frame without it.
            crc_checked: true,
        })
    }

    fn seen(&self, strategy: &TopFive) -> Vec<Seen> {
        let sums = strategy.own_sums().iter().zip(strategy.all_sums());
        let rows = self.instruments().rows().iter().zip(sums);
        rows.map(|(row, (own, all))| Seen {
            instrument: row.name(),
            imbalance_own: *own,
            imbalance_all: *all,
        })
        .collect()
    }
}

fn names(files: &[PathBuf]) -> String {
    let names = files.iter().filter_map(|file| file.file_name());
    let names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    format!("{}, tickers left out", names.join(" and "))
}

/// Writes the journal and replays it `passes` times.
pub(crate) fn run(data: &Path, passes: u32) -> Result<ReplayReport, Failure> {
    let prepared = Prepared::new(data)?;
    // The first pass warms caches and page tables and does not count.
    prepared.pass()?;
    let passes: Result<Vec<Pass>, Failure> = (0..passes.max(1)).map(|_| prepared.pass()).collect();
    prepared.report(&passes?)
}
