//! One figure of the journal as rows of the table and as a JSON object.

use std::{collections::BTreeMap, fmt};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    Failure,
    machine::Machine,
    report::{Bar, Short},
};

/// Head of the table.
pub(crate) const HEADING: &str = "\
times in ns; each block was measured in one run, its rows alternating

journal                                          min        p50        p99      p99.9     p99.99          max    samples";

/// Longest time told apart: 60 s.
const HIGHEST_NS: u64 = 60_000_000_000;
/// Significant decimal digits kept.
const DIGITS: u8 = 3;

/// Times of one thing.
pub(crate) struct Times(Histogram<u64>);

impl Times {
    /// None yet, with all the memory that they will need.
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut histogram = Histogram::new_with_bounds(1, HIGHEST_NS, DIGITS)?;
        histogram.saturating_record(HIGHEST_NS);
        histogram.reset();
        Ok(Self(histogram))
    }

    /// Counts one.
    #[inline]
    pub(crate) fn add(&mut self, took_ns: i64) {
        self.0.saturating_record(took_ns.max(0).cast_unsigned());
    }

    /// The row of these times, each of which was taken by `per` of what the row is about.
    pub(crate) fn row(&self, what: &str, per: u64) -> Row {
        let share = |took_ns: u64| took_ns as f64 / per as f64;
        let at = |quantile: f64| share(self.0.value_at_quantile(quantile));
        Row {
            what: what.to_owned(),
            min: share(self.0.min()),
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            p9999: at(0.9999),
            max: share(self.0.max()),
            samples: self.0.len(),
        }
    }
}

/// One line of the table, in ns.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) min: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) p9999: f64,
    pub(crate) max: f64,
    pub(crate) samples: u64,
}

/// One block: rows that belong together and what follows from them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct JournalReport {
    pub(crate) scenario: &'static str,
    pub(crate) case: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) facts: BTreeMap<&'static str, f64>,
    pub(crate) bars: Vec<Bar>,
    pub(crate) warnings: Vec<String>,
    pub(crate) machine: Machine,
}

impl JournalReport {
    /// A report of these rows, without conclusions.
    pub(crate) fn new(
        scenario: &'static str,
        case: String,
        rows: Vec<Row>,
        machine: &Machine,
    ) -> Self {
        Self {
            scenario,
            case,
            rows,
            facts: BTreeMap::new(),
            bars: Vec::new(),
            warnings: machine.warning().into_iter().collect(),
            machine: machine.clone(),
        }
    }
}

impl fmt::Display for JournalReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}: {}", self.scenario, self.case)?;
        for row in &self.rows {
            writeln!(
                formatter,
                "  {:<39}{:>10} {:>10} {:>10} {:>10} {:>10} {:>12} {:>10}",
                row.what,
                Short(row.min),
                Short(row.p50),
                Short(row.p99),
                Short(row.p999),
                Short(row.p9999),
                Short(row.max),
                row.samples
            )?;
        }
        let facts = self.facts.iter();
        let facts: Vec<_> = facts
            .map(|(name, value)| format!("{name} {}", Short(*value)))
            .collect();
        if !facts.is_empty() {
            writeln!(formatter, "  {}", facts.join(", "))?;
        }
        for bar in &self.bars {
            writeln!(formatter, "  {bar}")?;
        }
        for warning in &self.warnings {
            writeln!(formatter, "  note: {warning}")?;
        }
        Ok(())
    }
}
