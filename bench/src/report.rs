//! One figure as a row of the table and as a JSON object.

use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    Failure,
    class::Class,
    hiccup::{HiccupNumbers, Hiccups},
    machine::Machine,
    record::{Numbers, Record},
};

/// Head of the table.
pub(crate) const HEADING: &str = "\
times in ns; floor and measured take turns in one run; ratio = measured / floor

scenario                              rate/s                 p50        p90        p99      p99.9          max    samples";

/// Fewer samples than this say nothing about p99.9 but their maximum.
const SAMPLES_FOR_P999: u64 = 10_000;

/// What a figure should be.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bar {
    pub(crate) what: String,
    pub(crate) found: f64,
    pub(crate) is_met: bool,
}

impl Bar {
    /// The figure may be this much at most.
    pub(crate) fn at_most(what: impl Into<String>, found: f64, bound: f64) -> Self {
        Self {
            what: what.into(),
            found,
            is_met: found <= bound,
        }
    }

    /// The figure should be this much at least.
    pub(crate) fn at_least(what: impl Into<String>, found: f64, bound: f64) -> Self {
        Self {
            what: what.into(),
            found,
            is_met: found >= bound,
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_met { "met" } else { "NOT MET" };
        let found = Short(self.found);
        write!(formatter, "bar: {}: found {found}, {verdict}", self.what)
    }
}

/// Another thing that took its turn beside floor and measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) ns: Numbers,
    pub(crate) samples: u64,
    pub(crate) allocations: u64,
}

/// One rate, or one kind of message, of one scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    /// Kind of message; absent where there is only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    /// Events a second; 0 = back to back, or recorded arrivals (`arrivals` says which).
    pub(crate) rate_per_second: u64,
    /// How the load arrived: `even`, `back to back`, or the recording and its speed.
    pub(crate) arrivals: String,
    pub(crate) floor_ns: Numbers,
    pub(crate) measured_ns: Numbers,
    pub(crate) ratio_p50: f64,
    pub(crate) ratio_p90: f64,
    pub(crate) hiccup_ns: HiccupNumbers,
    pub(crate) placement: Class,
    /// Allocations of the measured thread within the recorded events.
    pub(crate) allocations: u64,
    pub(crate) wait: &'static str,
    pub(crate) floor_samples: u64,
    pub(crate) measured_samples: u64,
    pub(crate) peers: Vec<Peer>,
    pub(crate) bars: Vec<Bar>,
    pub(crate) warnings: Vec<String>,
    pub(crate) machine: Machine,
    #[serde(skip)]
    pub(crate) histograms: Vec<Named>,
}

/// A histogram for a file, in ns.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) histogram: Histogram<u64>,
}

impl Report {
    /// A report of even arrivals, or of none, without its hiccups.
    ///
    /// # Errors
    /// As `Record::in_ns`.
    pub(crate) fn new(
        scenario: &'static str,
        rate_per_second: u64,
        floor: &Record,
        measured: &Record,
        machine: &Machine,
    ) -> Result<Self, Failure> {
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
        let is_paced = rate_per_second > 0;
        let named = |name: &str, record: &Record| -> Result<Named, Failure> {
            Ok(Named {
                name: name.to_owned(),
                histogram: record.in_ns()?,
            })
        };
        Ok(Self {
            scenario,
            kind: None,
            rate_per_second,
            arrivals: if is_paced { "even" } else { "back to back" }.to_owned(),
            floor_ns,
            measured_ns,
            ratio_p50: ratio(measured_ns.p50, floor_ns.p50),
            ratio_p90: ratio(measured_ns.p90, floor_ns.p90),
            hiccup_ns: HiccupNumbers::default(),
            placement: Class::Alone,
            allocations: measured.allocations,
            wait: "",
            floor_samples: floor.count(),
            measured_samples: measured.count(),
            peers: Vec::new(),
            bars: Vec::new(),
            warnings,
            machine: machine.clone(),
            histograms: vec![named("floor", floor)?, named("measured", measured)?],
        })
    }

    /// The gaps of the same run.
    ///
    /// # Errors
    /// As `Record::in_ns`.
    pub(crate) fn with_hiccups(mut self, hiccups: &Hiccups) -> Result<Self, Failure> {
        self.hiccup_ns = hiccups.numbers();
        self.histograms.push(Named {
            name: "hiccup".to_owned(),
            histogram: hiccups.record().in_ns()?,
        });
        Ok(self)
    }

    /// Another thing of the same run.
    ///
    /// # Errors
    /// As `Record::in_ns`.
    pub(crate) fn with_peer(
        mut self,
        name: &'static str,
        record: &Record,
    ) -> Result<Self, Failure> {
        self.peers.push(Peer {
            name,
            ns: record.numbers(),
            samples: record.count(),
            allocations: record.allocations,
        });
        self.histograms.push(Named {
            name: name.to_owned(),
            histogram: record.in_ns()?,
        });
        Ok(self)
    }

    /// A name of its own among all reports of a run.
    pub(crate) fn name(&self) -> String {
        let mut name = self.scenario.to_owned();
        for part in [self.kind.as_deref().unwrap_or_default(), &self.arrivals] {
            if !part.is_empty() && part != "even" && part != "back to back" {
                name.push('-');
                name.push_str(part);
            }
        }
        if self.rate_per_second > 0 {
            name.push_str(&format!("-{}", self.rate_per_second));
        }
        if self.placement != Class::Alone {
            name.push_str(&format!("-{}", self.placement));
        }
        name.chars()
            .map(|letter| match letter {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' => letter,
                _ => '_',
            })
            .collect()
    }
}

/// How often the divisor goes into the number; 0 where there is nothing to divide by.
pub(crate) fn ratio(measured: f64, floor: f64) -> f64 {
    if floor > 0.0 { measured / floor } else { 0.0 }
}

fn row(
    formatter: &mut fmt::Formatter<'_>,
    head: &str,
    numbers: &Numbers,
    samples: u64,
) -> fmt::Result {
    writeln!(
        formatter,
        "{head:<52} {:>10} {:>10} {:>10} {:>10} {:>12} {samples:>10}",
        Short(numbers.p50),
        Short(numbers.p90),
        Short(numbers.p99),
        Short(numbers.p999),
        Short(numbers.max),
    )
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = match &self.kind {
            Some(kind) => format!("{} {kind}", self.scenario),
            None => self.scenario.to_owned(),
        };
        let rate = match (self.rate_per_second, self.arrivals.as_str()) {
            (0, arrivals) => arrivals.to_owned(),
            (rate, _) => rate.to_string(),
        };
        let head = |what: &str| format!("{title:<30}{rate:>14}  {what}");
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
        for peer in &self.peers {
            row(
                formatter,
                &format!("{:<46}{}", "", peer.name),
                &peer.ns,
                peer.samples,
            )?;
        }
        row(
            formatter,
            &format!("{:<46}idle", ""),
            &self.hiccup_ns.wait,
            0,
        )?;
        writeln!(
            formatter,
            "  ratio p50 {:.2}, p90 {:.2}; placement {}; allocations {}; idle machine: {} gaps over 10 us a second",
            self.ratio_p50,
            self.ratio_p90,
            self.placement,
            self.allocations,
            self.hiccup_ns.over_10us_per_second,
        )?;
        for bar in &self.bars {
            writeln!(formatter, "  {bar}")?;
        }
        for warning in &self.warnings {
            writeln!(formatter, "  note: {warning}")?;
        }
        Ok(())
    }
}

/// A number with as many decimals as say something.
pub(crate) struct Short(pub(crate) f64);

impl fmt::Display for Short {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.0 < 10.0 && self.0.fract() > 0.0 {
            format!("{:.2}", self.0)
        } else if self.0 < 1000.0 && self.0.fract() > 0.0 {
            format!("{:.1}", self.0)
        } else {
            format!("{:.0}", self.0)
        };
        formatter.pad(&text)
    }
}
