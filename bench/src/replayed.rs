//! The replay's figures as a table and as JSON, with the bar and the machine. The scenario itself is shared with the comparison
//! crate and knows neither.

use std::fmt;

use serde::Serialize;

use crate::{machine::Machine, replay::ReplayReport, report::Bar};

/// What the scenario found, as it is told.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Told {
    #[serde(flatten)]
    report: ReplayReport,
    bars: Vec<Bar>,
    machine: Machine,
}

impl Told {
    /// The report with what it should be.
    pub(crate) fn new(report: ReplayReport, machine: &Machine) -> Self {
        let found = report.rows_per_second_best;
        Self {
            bars: vec![Bar::at_least(
                "30 million rows a second on one core, by the best pass",
                found,
                ROWS_PER_SECOND_MIN,
            )],
            report,
            machine: machine.clone(),
        }
    }
}

/// Rows a second that one core should replay at least.
const ROWS_PER_SECOND_MIN: f64 = 30e6;

impl fmt::Display for Told {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "replay of {}", self.report.source)?;
        writeln!(
            formatter,
            "  {} frames, {} messages, {} rows; {} orders, {} decisions compared, {}",
            self.report.frames,
            self.report.messages,
            self.report.rows,
            self.report.orders,
            self.report.decisions_compared,
            if self.report.identical {
                "all identical"
            } else {
                "NOT identical"
            }
        )?;
        writeln!(
            formatter,
            "  median of {} passes {:.2} ms: {:.2} M rows/s, {:.2} M messages/s; best {:.2} ms: {:.2} M rows/s",
            self.report.passes,
            self.report.elapsed_seconds * 1e3,
            self.report.rows_per_second / 1e6,
            self.report.messages_per_second / 1e6,
            self.report.elapsed_seconds_best * 1e3,
            self.report.rows_per_second_best / 1e6,
        )?;
        for seen in &self.report.seen {
            writeln!(
                formatter,
                "  {:<24} sum of the imbalance of its five best levels {:.3}",
                seen.instrument, seen.imbalance_own
            )?;
        }
        self.bars
            .iter()
            .try_for_each(|bar| writeln!(formatter, "  {bar}"))
    }
}
