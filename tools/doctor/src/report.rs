//! The findings as a table for people and as values for JSON.

use std::fmt;

use serde::Serialize;

use crate::{
    check::{Check, Group},
    finding::{Finding, Severity},
};

/// One line of the report. Names of the JSON keys are stable.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The check.
    pub id: &'static str,
    /// What it is about.
    pub group: Group,
    /// How much it matters.
    pub severity: Severity,
    /// What was found.
    pub finding: String,
    /// Why it matters.
    pub why: &'static str,
    /// The command that changes it.
    pub fix: Option<String>,
}

impl Row {
    pub(crate) fn new(check: &Check, finding: Finding) -> Self {
        Self {
            id: check.id,
            group: check.group,
            severity: finding.severity,
            finding: finding.text,
            why: check.why,
            fix: finding.fix,
        }
    }
}

/// How many findings there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// As it should be.
    pub ok: usize,
    /// Worth knowing.
    pub note: usize,
    /// Could not be read.
    pub unknown: usize,
    /// Costs something.
    pub warn: usize,
    /// Would hurt trading.
    pub bad: usize,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether nothing is bad.
    pub is_fit: bool,
    /// How many of each severity.
    pub counts: Counts,
    /// The findings, in the order of the checks.
    pub checks: Vec<Row>,
}

impl Report {
    pub(crate) fn new(checks: Vec<Row>) -> Self {
        let count = |severity| checks.iter().filter(|row| row.severity == severity).count();
        let counts = Counts {
            ok: count(Severity::Ok),
            note: count(Severity::Note),
            unknown: count(Severity::Unknown),
            warn: count(Severity::Warn),
            bad: count(Severity::Bad),
        };
        Self {
            is_fit: counts.bad == 0,
            counts,
            checks,
        }
    }

    /// Ids of the findings of this severity.
    pub fn ids(&self, severity: Severity) -> Vec<&'static str> {
        let rows = self.checks.iter().filter(|row| row.severity == severity);
        rows.map(|row| row.id).collect()
    }
}

/// Width of the text column: what is longer goes on below itself.
const TEXT_CHARS: usize = 92;

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id_chars = self.checks.iter().map(|row| row.id.len()).max();
        let id_chars = id_chars.unwrap_or_default();
        let mut group = None;
        for row in &self.checks {
            if group != Some(row.group) {
                let gap = if group.is_some() { "\n" } else { "" };
                writeln!(formatter, "{gap}{}", row.group.name())?;
                group = Some(row.group);
            }
            let margin = format!("  {:<7}  {:<id_chars$}  ", row.severity.name(), row.id);
            write_wrapped(formatter, &margin, &row.finding)?;
            if matches!(row.severity, Severity::Warn | Severity::Bad) {
                let blank = format!("  {:<7}  {:>id_chars$}  ", "", "why");
                write_wrapped(formatter, &blank, row.why)?;
            }
            if let Some(fix) = &row.fix {
                // Never broken: it is there to be copied.
                writeln!(formatter, "  {:<7}  {:>id_chars$}  {fix}", "", "fix")?;
            }
        }
        let counts = &self.counts;
        writeln!(
            formatter,
            "\n{} ok, {} to know, {} could not be read, {} cost something, {} would hurt trading",
            counts.ok, counts.note, counts.unknown, counts.warn, counts.bad
        )
    }
}

/// Writes words behind a margin; further lines begin below the first word.
fn write_wrapped(formatter: &mut fmt::Formatter<'_>, margin: &str, text: &str) -> fmt::Result {
    let mut line = margin.to_owned();
    let width = margin.chars().count();
    let mut is_empty = true;
    for word in text.split(' ') {
        let is_full = line.chars().count() + 1 + word.chars().count() > width + TEXT_CHARS;
        if is_full && !is_empty {
            writeln!(formatter, "{}", line.trim_end())?;
            line = " ".repeat(width);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    writeln!(formatter, "{}", line.trim_end())
}
