//! The state of the market over time.

use super::Section;
use crate::{
    format::{grouped, percent},
    html::figure,
    report::Report,
    svg::{Series, stacked},
};

/// Colours from calm on, and that of the most hectic.
const COLOURS_BY_STATE: [usize; 3] = [2, 5, 4];
const COLOUR_OF_LAST: usize = 1;

pub(super) fn write(report: &Report) -> Option<Section> {
    let regime = report.findings.regime.as_ref()?;
    let times = report.times()?;
    let samples = report.seen.sampler.samples();
    // The strategy has room for more states than it was told to look for.
    let was_likely = |state: usize| {
        let chances = samples.iter().map(|sample| &sample.regimes);
        let mut chances = chances.chain([&regime.probabilities]);
        chances.any(|all| all.get(state).is_some_and(|chance| *chance > 0.0))
    };
    let places = 0..regime.probabilities.len();
    let count = places
        .rev()
        .find(|state| was_likely(*state))
        .map_or(1, |last| last + 1);
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
            colour: if state > 0 && state + 1 == count {
                COLOUR_OF_LAST
            } else {
                COLOURS_BY_STATE[state % COLOURS_BY_STATE.len()]
            },
            values: samples
                .iter()
                .map(|sample| sample.regimes.get(state).copied().unwrap_or(0.0))
                .collect(),
        })
        .collect();
    let now: Vec<String> = regime
        .probabilities
        .iter()
        .take(count)
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
