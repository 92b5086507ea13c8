//! The agents: who had how much, who earned what, and what sharing guarantees.

use super::Section;
use crate::{
    format::{cents, grouped, number, percent},
    html::{Column, figure, paragraph, table},
    report::Report,
    sampling::Sample,
    svg::{COLOURS, Chart, Series, Unit, lines, stacked},
};

pub(super) fn write(report: &Report) -> Option<Section> {
    let agents = &report.findings.agents;
    let times = report.times()?;
    if agents.is_empty() {
        return None;
    }
    let times_ns = report.sample_times();
    let samples = report.seen.sampler.samples();
    let series = |pick: fn(&Sample) -> &Vec<f64>, index: usize| Series {
        name: &agents[index].name,
        // The house is the grey one.
        colour: (index + COLOURS - 1) % COLOURS,
        values: samples
            .iter()
            .map(|sample| pick(sample).get(index).copied().unwrap_or(0.0))
            .collect(),
    };
    let shares: Vec<Series<'_>> = (1..agents.len())
        .map(|index| series(|sample| &sample.shares, index))
        .collect();
    let mut content = String::new();
    if !shares.is_empty() {
        content += &figure(
            "Each agent's share of the agents' capital; what is missing above stays in cash.",
            &stacked(
                times,
                &times_ns,
                &shares,
                "shares of capital over time",
                200.0,
            ),
        );
    }
    let profits: Vec<Series<'_>> = (0..agents.len())
        .map(|index| series(|sample| &sample.profits, index))
        .collect();
    let chart = Chart {
        what: "profit of each agent over time",
        unit: Unit::Plain,
        includes: Some(0.0),
        is_filled: false,
        height: 220.0,
    };
    content += &figure(
        "Profit of each agent after fees, what is open at the mark, in account currency.",
        &lines(times, &times_ns, &profits, &chart),
    );
    content += "<h3>Accounts</h3>\n";
    content += &accounts(report);
    content += &sharing(report).unwrap_or_default();
    Some(Section {
        id: "agents",
        name: "Agents",
        content,
    })
}

fn accounts(report: &Report) -> String {
    let columns = [
        Column::Words("agent"),
        Column::Numbers("share"),
        Column::Numbers("profit after fees"),
        Column::Numbers("fees"),
        Column::Numbers("funding"),
        Column::Numbers("traded"),
        Column::Numbers("crossed"),
        Column::Numbers("fills"),
        Column::Numbers("shadow return"),
    ];
    let rows = report.findings.agents.iter().map(|agent| {
        vec![
            agent.name.clone(),
            percent(agent.share, 1),
            cents(agent.profit),
            cents(agent.fees),
            cents(agent.funding),
            cents(agent.volume),
            cents(agent.crossed),
            grouped(agent.fills),
            percent(agent.shadow_return, 4),
        ]
    });
    let note = "Crossed: exchanged with other agents without the market. Shadow return: what it would have earned with all of its capital. The house holds what no agent asked for.";
    table(&columns, rows) + &paragraph(note)
}

fn sharing(report: &Report) -> Option<String> {
    let sharing = report.findings.sharing.as_ref()?;
    let times = report.times()?;
    let samples = report.seen.sampler.samples();
    let values = |pick: fn((f64, f64)) -> f64| {
        // Before the first period nothing is bounded.
        let told = |sample: &Sample| sample.regret.filter(|(_, bound)| *bound > 0.0);
        let of = |sample: &Sample| told(sample).map_or(f64::NAN, pick);
        samples.iter().map(of).collect::<Vec<f64>>()
    };
    let series = [
        Series {
            name: "regret",
            colour: 0,
            values: values(|(regret, _)| regret),
        },
        Series {
            name: "bound",
            colour: 1,
            values: values(|(_, bound)| bound),
        },
    ];
    let chart = Chart {
        what: "regret against its bound over time",
        unit: Unit::Plain,
        includes: Some(0.0),
        is_filled: false,
        height: 150.0,
    };
    let caption = format!(
        "Regret of the shares against the best agent kept throughout, in units of loss, and what it cannot exceed: {} of {} after {} periods, {} violations. {} stays in cash.",
        number(sharing.regret, 3),
        number(sharing.bound, 3),
        grouped(sharing.periods),
        grouped(sharing.violations),
        percent(sharing.cash_share, 1)
    );
    let drawn = lines(times, &report.sample_times(), &series, &chart);
    Some(format!("<h3>Regret</h3>\n{}", figure(&caption, &drawn)))
}
