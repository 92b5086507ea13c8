//! One figure as a row of the table and as a JSON object.

use std::fmt;

use serde::Serialize;

use crate::{
    hiccup::HiccupNumbers,
    machine::Machine,
    record::{Numbers, Record},
};

/// Head of the table.
pub(crate) const HEADING: &str = "\
latency in ns from the intended start; floor and measured windows alternate; ratio = measured / floor

scenario                  rate/s                 p50        p90        p99      p99.9          max    samples";

/// Fewer samples than this say nothing about p99.9 but their maximum.
const SAMPLES_FOR_P999: u64 = 10_000;

/// One rate of one scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    pub(crate) rate_per_second: u64,
    pub(crate) floor_ns: Numbers,
    pub(crate) measured_ns: Numbers,
    pub(crate) ratio_p50: f64,
    pub(crate) ratio_p90: f64,
    pub(crate) hiccup_ns: HiccupNumbers,
    pub(crate) wait: &'static str,
    pub(crate) floor_samples: u64,
    pub(crate) measured_samples: u64,
    pub(crate) warnings: Vec<String>,
    pub(crate) machine: Machine,
}

impl Report {
    /// A report without its hiccups.
    pub(crate) fn new(
        scenario: &'static str,
        rate_per_second: u64,
        floor: &Record,
        measured: &Record,
        machine: &Machine,
    ) -> Self {
        let (floor_ns, measured_ns) = (floor.numbers(), measured.numbers());
        let mut warnings = Vec::new();
        for (name, record) in [("floor", floor), ("measured", measured)] {
            if record.missing_count > 0 {
                warnings.push(format!(
                    "{name}: the rate was not kept, {} events never came through in time",
                    record.missing_count
                ));
            }
        }
        if measured.count() < SAMPLES_FOR_P999 {
            warnings.push("too few samples for p99.9".to_owned());
        }
        Self {
            scenario,
            rate_per_second,
            floor_ns,
            measured_ns,
            ratio_p50: ratio(measured_ns.p50, floor_ns.p50),
            ratio_p90: ratio(measured_ns.p90, floor_ns.p90),
            hiccup_ns: HiccupNumbers {
                max: 0,
                over_10us_per_second: 0.0,
            },
            wait: "",
            floor_samples: floor.count(),
            measured_samples: measured.count(),
            warnings,
            machine: machine.clone(),
        }
    }
}

/// Not rounded: on a stalled floor it can be far below a hundredth. 0 where there is nothing to divide by.
fn ratio(measured: u64, floor: u64) -> f64 {
    if floor == 0 {
        return 0.0;
    }
    measured as f64 / floor as f64
}

fn row(
    formatter: &mut fmt::Formatter<'_>,
    head: &str,
    numbers: &Numbers,
    samples: u64,
) -> fmt::Result {
    let Numbers {
        p50,
        p90,
        p99,
        p999,
        max,
    } = numbers;
    writeln!(
        formatter,
        "{head:<40} {p50:>10} {p90:>10} {p99:>10} {p999:>10} {max:>12} {samples:>10}"
    )
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = |what| format!("{:<22}{:>10}  {what}", self.scenario, self.rate_per_second);
        row(
            formatter,
            &head("floor"),
            &self.floor_ns,
            self.floor_samples,
        )?;
        row(
            formatter,
            &head("here"),
            &self.measured_ns,
            self.measured_samples,
        )?;
        writeln!(
            formatter,
            "  ratio p50 {:.2}, p90 {:.2}; idle machine: {} gaps over 10 us a second, longest {} us; waits by {}",
            self.ratio_p50,
            self.ratio_p90,
            self.hiccup_ns.over_10us_per_second,
            self.hiccup_ns.max / 1000,
            self.wait
        )?;
        for warning in &self.warnings {
            writeln!(formatter, "  note: {warning}")?;
        }
        Ok(())
    }
}
