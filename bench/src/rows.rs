//! A scenario of several kinds of messages: one report each under one head.

use std::fmt;

use serde::Serialize;

use crate::{
    machine::Machine,
    report::{Named, Report},
};

/// All kinds of one scenario.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Rows {
    pub(crate) scenario: &'static str,
    pub(crate) rows: Vec<Report>,
    pub(crate) machine: Machine,
}

impl Rows {
    /// All histograms, each under its kind's name.
    pub(crate) fn histograms(&self) -> impl Iterator<Item = (String, &Named)> {
        self.rows
            .iter()
            .flat_map(|row| row.histograms.iter().map(|named| (row.name(), named)))
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows.iter().try_for_each(|row| row.fmt(formatter))
    }
}
