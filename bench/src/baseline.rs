//! A saved run beside this one: what changed, by figures that hold across minutes and machines, which are ratios and rates.

use std::{collections::BTreeMap, fmt, fs, path::Path};

use serde_json::Value;

use crate::Failure;

/// Keys of figures, and whether less is better.
const FIGURES: [(&str, bool); 7] = [
    ("ratio_p50", true),
    ("ratio_p90", true),
    ("ratio_p9999", true),
    ("allocations", true),
    ("rows_per_second", false),
    ("messages_per_second", false),
    ("records_per_second", false),
];

/// The figures of a run by their names.
type Figures = BTreeMap<String, f64>;

/// A saved run.
#[derive(Debug)]
pub(crate) struct Baseline {
    figures: Figures,
}

/// One figure then and now.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    name: String,
    before: f64,
    now: f64,
    /// How much worse it became, as a share; negative = better.
    pub(crate) worse: f64,
}

impl Baseline {
    /// Reads what `--json` printed, or `report.jsonl` of an output folder.
    ///
    /// # Errors
    /// When the file cannot be read or a line of it is no report.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let place = path.display();
        let text = fs::read_to_string(path).map_err(|error| format!("{place}: {error}"))?;
        let mut figures = Figures::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let value = serde_json::from_str(line)
                .map_err(|error| format!("{place}:{number}: expected a report as JSON: {error}"))?;
            collect(&value, &mut figures);
        }
        if figures.is_empty() {
            return Err(format!("{place}: no report in it").into());
        }
        Ok(Self { figures })
    }

    /// What changed in the figures of this report that the baseline has too.
    pub(crate) fn compare(&self, report: &Value) -> Vec<Change> {
        let mut figures = Figures::new();
        collect(report, &mut figures);
        let changes = figures.into_iter().filter_map(|(name, now)| {
            let before = *self.figures.get(&name)?;
            let is_less_better = FIGURES
                .iter()
                .any(|(key, is_less)| *is_less && name.ends_with(key));
            let grown = if before > 0.0 {
                now / before - 1.0
            } else if now > 0.0 {
                f64::INFINITY
            } else {
                0.0
            };
            Some(Change {
                name,
                before,
                now,
                worse: if is_less_better { grown } else { -grown },
            })
        });
        changes.collect()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.worse > 0.0 { "worse" } else { "better" };
        write!(
            formatter,
            "{:<60} {:>14.3} -> {:>14.3}  {:>6.1} % {direction}",
            self.name,
            self.before,
            self.now,
            self.worse.abs() * 100.0
        )
    }
}

/// Collects the figures of one report and of its rows.
fn collect(report: &Value, figures: &mut Figures) {
    let text = |key: &str| report[key].as_str().unwrap_or_default();
    let mut name = text("scenario").to_owned();
    for key in ["kind", "case", "arrivals", "placement"] {
        if !text(key).is_empty() {
            name.push(' ');
            name.push_str(text(key));
        }
    }
    if let Some(rate) = report["rate_per_second"].as_u64() {
        name.push_str(&format!(" {rate}/s"));
    }
    for (key, _) in FIGURES {
        for place in [&report[key], &report["facts"][key]] {
            if let Some(value) = place.as_f64() {
                figures.insert(format!("{name} {key}"), value);
            }
        }
    }
    let rows = report["rows"].as_array().into_iter().flatten();
    rows.filter(|row| row["scenario"].is_string())
        .for_each(|row| collect(row, figures));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_and_worse_are_told_apart() {
        let report = |ratio: f64, rate: f64| {
            serde_json::json!({
                "scenario": "decode",
                "rows": [{"scenario": "decode", "kind": "trade", "ratio_p50": ratio}],
                "rows_per_second": rate,
            })
        };
        let mut figures = Figures::new();
        collect(&report(1.0, 100.0), &mut figures);
        let changes = Baseline { figures }.compare(&report(1.1, 90.0));
        assert_eq!(changes.len(), 2);
        assert!(
            changes
                .iter()
                .all(|change| (change.worse - 0.1).abs() < 1e-9)
        );
    }
}
