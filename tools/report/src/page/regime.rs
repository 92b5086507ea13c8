//! The state of the market over time.

use super::Section;
use crate::{
    format::{grouped, percent},
    html::figure,
    report::Report,
    svg::{Series, stacked},
};

/// Colours from calm to hectic.
const COLOURS_BY_STATE: [usize; 4] = [2, 5, 4, 1];

pub(super) fn write(report: &Report) -> Option<Section> {
    let regime = report.findings.regime.as_ref()?;
    let times = report.times()?;
    let samples = report.seen.sampler.samples();
    let count = regime.probabilities.len();
    let names: Vec<String> = (0..count)
        .map(|state| match state {
            0 => String::from("calm (0)"),
            state if state + 1 == count => format!("hectic ({state})"),
            state => format!("state {state}"),
        })
        .collect();
    let series: Vec<Series<'_>> = names
        .iter()
        .enumerate()
        .map(|(state, name)| Series {
            name,
            colour: COLOURS_BY_STATE[state % COLOURS_BY_STATE.len()],
            values: samples
                .iter()
                .map(|sample| sample.regimes.get(state).copied().unwrap_or(0.0))
                .collect(),
        })
        .collect();
    let now: Vec<String> = regime
        .probabilities
        .iter()
        .map(|chance| percent(*chance, 1))
        .collect();
    let caption = format!(
        "Chance of each state of the market. At the end: state {} ({}); {} changes of the market were announced.",
        regime.state,
        now.join(", "),
        grouped(regime.changes)
    );
    Some(Section {
        id: "regime",
        name: "Regime",
        content: figure(
            &caption,
            &stacked(
                times,
                &report.sample_times(),
                &series,
                "regime over time",
                160.0,
            ),
        ),
    })
}
