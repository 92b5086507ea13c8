//! What a pass found: histograms by stage, venue and kind, and the facts that a reader needs to judge them.

use std::collections::BTreeMap;

use acth_engine::clock::Clock;
use hdrhistogram::Histogram;

use crate::{message::MessageKind, stage::Stage};

/// Highest value told apart: 60 s; what is above counts there.
const HIGHEST_NS: u64 = 60_000_000_000;
/// Significant decimal digits kept.
const DIGITS: u8 = 3;
/// How a row without a venue is named.
const VENUE_NONE: &str = "-";

/// A run of the journal, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFacts {
    /// Its number in the journal.
    pub run: u64,
    /// By which clock it went.
    pub clock: Clock,
    /// When it was started, ns since the Unix epoch.
    pub started_ns: i64,
    /// Hash of its configuration.
    pub config_hash: String,
}

/// What one row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowKey {
    pub(crate) stage: Stage,
    /// Index into `Measured::venues`; `u16::MAX` = none.
    pub(crate) venue: u16,
    pub(crate) kind: MessageKind,
}

/// How many rows are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// One for each stage.
    Stage,
    /// One for each stage and venue.
    Venue,
    /// One for each stage, venue and kind of message.
    Kind,
}

/// One row: a histogram and what it is about.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which stage.
    pub stage: Stage,
    /// Which venue; `None` for all together, `-` where there is none.
    pub venue: Option<String>,
    /// Which kind of message; `None` for all together.
    pub kind: Option<MessageKind>,
    /// The durations, ns.
    pub histogram: Histogram<u64>,
    /// How many were below zero (they count as zero): clocks that do not agree.
    pub negative: u64,
}

impl Row {
    /// A name without spaces, such as `order_ack.binance-spot.depth`.
    pub fn name(&self) -> String {
        let mut name = String::from(self.stage.name());
        if let Some(venue) = &self.venue {
            name = format!("{name}.{venue}");
        }
        if let Some(kind) = self.kind {
            name = format!("{name}.{}", kind.name());
        }
        name
    }
}

/// One histogram and what did not fit it.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    pub(crate) histogram: Histogram<u64>,
    pub(crate) negative: u64,
}

impl Counted {
    fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, HIGHEST_NS, DIGITS);
        #[expect(clippy::expect_used, reason = "constant bounds, used by every test")]
        let histogram = histogram.expect("bounds are constants within the histogram's limits");
        Self {
            histogram,
            negative: 0,
        }
    }

    fn add(&mut self, other: &Self) {
        // Equal bounds: nothing can fail to fit.
        let _ = self.histogram.add(&other.histogram);
        self.negative += other.negative;
    }
}

/// Everything that was found in a journal.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// The runs, in order.
    pub runs: Vec<RunFacts>,
    /// Frames read.
    pub frames: u64,
    /// First and last sequence, if there was a frame.
    pub sequences: Option<(u64, u64)>,
    /// Times of the first and last frame, ns since the Unix epoch.
    pub span_ns: Option<(i64, i64)>,
    /// Checksum to which the frame behind the last one chains.
    pub chain: u32,
    /// Messages whose decoding took the longest that the stamp can tell, or longer.
    pub decode_saturated: u64,
    /// Commands of a run by the wall clock that carry no stamps of the core: written before there were any.
    pub unstamped: u64,
    /// Halves that were given up because too many waited for the other one.
    pub lost: u64,
    pub(crate) venues: Vec<String>,
    pub(crate) rows: BTreeMap<RowKey, Counted>,
}

impl Measured {
    /// Counts one duration.
    pub(crate) fn count(&mut self, key: RowKey, start_ns: i64, final_ns: i64) {
        let counted = self.rows.entry(key).or_insert_with(Counted::new);
        let elapsed_ns = final_ns.saturating_sub(start_ns);
        counted.negative += u64::from(elapsed_ns < 0);
        let elapsed_ns = elapsed_ns.max(0).cast_unsigned();
        counted.histogram.saturating_record(elapsed_ns);
    }

    /// The number of a venue's name.
    pub(crate) fn venue_index(&mut self, name: &str) -> u16 {
        let found = self.venues.iter().position(|known| known == name);
        let index = found.unwrap_or_else(|| {
            self.venues.push(name.to_owned());
            self.venues.len() - 1
        });
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    /// True when a run went by event time: a backtest.
    pub fn has_event_time(&self) -> bool {
        self.runs.iter().any(|run| run.clock == Clock::Event)
    }

    /// True when a run went by the wall clock.
    pub fn has_wall_time(&self) -> bool {
        self.runs.iter().any(|run| run.clock == Clock::Wall)
    }

    /// The rows that have a sample, in the order of stages, venues and kinds.
    pub fn rows(&self, by: By) -> Vec<Row> {
        let mut merged: BTreeMap<(Stage, Option<u16>, Option<MessageKind>), Counted> =
            BTreeMap::new();
        for (key, counted) in &self.rows {
            let venue = (by != By::Stage).then_some(key.venue);
            let kind = (by == By::Kind).then_some(key.kind);
            let place = merged.entry((key.stage, venue, kind));
            place.or_insert_with(Counted::new).add(counted);
        }
        let rows = merged
            .into_iter()
            .map(|((stage, venue, kind), counted)| Row {
                stage,
                venue: venue.map(|index| self.venue_name(index).to_owned()),
                kind,
                histogram: counted.histogram,
                negative: counted.negative,
            });
        rows.collect()
    }

    pub(crate) fn venue_name(&self, index: u16) -> &str {
        self.venues
            .get(usize::from(index))
            .map_or(VENUE_NONE, String::as_str)
    }
}
