//! Correlations of all instruments, and the graph of those that matter.

use acth_core::findings::Findings;

use super::Section;
use crate::{
    format::{elapsed, grouped, number},
    history::Span,
    html::{Column, figure, paragraph, table},
    report::Report,
    sampling::{pair_index, pairs},
    svg::{
        Arc, Bar, Chart, Lane, Series, Unit, circle, class_of, heat_legend, lanes, lines, matrix,
        strip,
    },
};

/// Pairs that are shown over time.
const PAIRS_MAX: usize = 14;
/// Edges whose stays are drawn.
const LANES_MAX: usize = 24;
/// Most arcs drawn.
const ARCS_MAX: usize = 160;
/// Rows of a table.
const ROWS_MAX: usize = 40;

pub(super) fn write(report: &Report) -> Option<Section> {
    let times = report.times()?;
    let names = report.short_names();
    let count = names.len();
    if count < 2 {
        return None;
    }
    let of_pair = |values: &[f64], first: usize, second: usize| {
        let place = pair_index(first.min(second), first.max(second), count);
        values.get(place).copied().unwrap_or(0.0)
    };
    let is_network = report.findings.regime.is_some();
    let source = if is_network {
        "from every price of both (Hayashi-Yoshida), cleaned of noise"
    } else {
        "from returns between timers, weighted towards the latest"
    };
    let mut content = figure(
        &format!("Correlation of returns at the same time, at the end of the journal, {source}."),
        &matrix(&names, |first, second| {
            of_pair(&report.correlations, first, second)
        }),
    );
    if is_network {
        content += &figure(
            "The same, but each pair with an edge at the lag at which it is strongest: who follows shows here.",
            &matrix(&names, |first, second| {
                of_pair(&report.strongest, first, second)
            }),
        );
    }
    content += &heat_legend();
    let mut ranked: Vec<(usize, usize)> = pairs(count).collect();
    // Ties keep the order of the instruments.
    ranked.sort_by(|one, other| {
        let size = |pair: &(usize, usize)| of_pair(&report.strongest, pair.0, pair.1).abs();
        size(other).total_cmp(&size(one))
    });
    ranked.truncate(PAIRS_MAX);
    let labels: Vec<String> = ranked
        .iter()
        .map(|(first, second)| format!("{} · {}", names[*first], names[*second]))
        .collect();
    let samples = report.seen.sampler.samples();
    let value = |row: usize, sample: usize| {
        let (first, second) = ranked[row];
        let hundredths = samples[sample]
            .correlations
            .get(pair_index(first, second, count));
        f64::from(hundredths.copied().unwrap_or(0)) / 100.0
    };
    content += &figure(
        &format!(
            "The {} pairs that are strongest at the end, over time{}.",
            labels.len(),
            if is_network {
                "; a pair with an edge at its lag"
            } else {
                ""
            }
        ),
        &strip(times, &report.sample_times(), &labels, value),
    );
    Some(Section {
        id: "correlation",
        name: "Correlation",
        content,
    })
}

pub(super) fn graph(report: &Report) -> Option<Section> {
    let findings = &report.findings;
    let history = &report.seen.history;
    if findings.regime.is_none() && findings.edges.is_empty() && history.edges.is_empty() {
        return None;
    }
    let full: Vec<String> = (0..report.instruments.count())
        .map(|index| report.instrument_name(index))
        .collect();
    let index_of = |name: &str| full.iter().position(|known| known == name);
    let arcs = arcs(findings, index_of);
    let mut content = figure(
        "Edges at the end of the journal: wide = strong, red = together, blue = against each other; an arrow leads from the one that is ahead, with the lag beside it.",
        &circle(&report.short_names(), &arcs),
    );
    content += &leads(findings);
    content += &cointegrated(findings);
    content += &stays(report).unwrap_or_default();
    Some(Section {
        id: "graph",
        name: "Who leads whom",
        content,
    })
}

fn arcs(findings: &Findings, index_of: impl Fn(&str) -> Option<usize>) -> Vec<Arc> {
    let mut arcs = Vec::new();
    for edge in findings.edges.iter().take(ARCS_MAX) {
        let (Some(first), Some(second)) = (index_of(&edge.first), index_of(&edge.second)) else {
            continue;
        };
        let is_directed = edge.lag_ms.abs() > 1e-9;
        let (from, to) = if edge.lag_ms < 0.0 {
            (second, first)
        } else {
            (first, second)
        };
        arcs.push(Arc {
            from,
            to,
            strength: edge.correlation,
            label: if is_directed {
                lag(edge.lag_ms.abs())
            } else {
                String::new()
            },
            title: format!(
                "{} and {}: correlation {}, lag {}",
                edge.first,
                edge.second,
                number(edge.correlation, 3),
                lag(edge.lag_ms)
            ),
            is_directed,
        });
    }
    for lead in &findings.leads {
        let (Some(from), Some(to)) = (index_of(&lead.leader), index_of(&lead.follower)) else {
            continue;
        };
        let is_same =
            |arc: &Arc| (arc.from, arc.to) == (from, to) || (arc.to, arc.from) == (from, to);
        if arcs.iter().any(is_same) {
            continue;
        }
        arcs.push(Arc {
            from,
            to,
            strength: lead.correlation,
            label: lag(lead.lag_ms),
            title: format!(
                "{} leads {} by {}",
                lead.leader,
                lead.follower,
                lag(lead.lag_ms)
            ),
            is_directed: true,
        });
    }
    arcs
}

fn lag(ms: f64) -> String {
    format!("{} ms", number(ms, 0))
}

fn leads(findings: &Findings) -> String {
    if findings.leads.is_empty() {
        return paragraph("Nobody was found to lead anybody.");
    }
    let columns = [
        Column::Words("leader"),
        Column::Words("follower"),
        Column::Numbers("behind"),
        Column::Numbers("correlation"),
        Column::Numbers("beta"),
    ];
    let rows = findings.leads.iter().take(ROWS_MAX).map(|lead| {
        vec![
            lead.leader.clone(),
            lead.follower.clone(),
            lag(lead.lag_ms),
            number(lead.correlation, 3),
            number(lead.beta, 3),
        ]
    });
    format!("<h3>Leads</h3>\n{}", table(&columns, rows))
}

fn cointegrated(findings: &Findings) -> String {
    if findings.pairs.is_empty() {
        return paragraph("No two prices were found to stay together.");
    }
    let columns = [
        Column::Words("first"),
        Column::Words("second"),
        Column::Numbers("slope"),
        Column::Numbers("apart, deviations"),
        Column::Numbers("Engle-Granger"),
    ];
    let rows = findings.pairs.iter().take(ROWS_MAX).map(|pair| {
        vec![
            pair.first.clone(),
            pair.second.clone(),
            number(pair.slope, 4),
            number(pair.z, 2),
            number(pair.statistic, 2),
        ]
    });
    format!(
        "<h3>Prices that stay together</h3>\n{}",
        table(&columns, rows)
    )
}

/// Edges that came and went, those that stayed longest first.
fn stays(report: &Report) -> Option<String> {
    let times = report.times()?;
    let history = &report.seen.history;
    if history.edges.is_empty() {
        return None;
    }
    let lasted = |spans: &[Span]| -> i64 {
        let of = |span: &Span| span.ts_final_ns.unwrap_or(times.ts_final_ns) - span.ts_start_ns;
        spans.iter().map(of).sum()
    };
    let mut rows: Vec<_> = history.edges.iter().collect();
    rows.sort_by_key(|(pair, spans)| (-lasted(spans), **pair));
    let names = report.short_names();
    let name = |index: u16| match names.get(usize::from(index)) {
        Some(name) => name.clone(),
        None => format!("instrument {index}"),
    };
    let drawn = rows.iter().take(LANES_MAX).map(|((first, second), spans)| {
        let bars = spans.iter().map(|span| Bar {
            ts_start_ns: span.ts_start_ns,
            ts_final_ns: span.ts_final_ns,
            class: format!("h{}", class_of(span.correlation)),
            title: format!(
                "from {}: correlation {}, lag {}",
                elapsed(span.ts_start_ns - times.ts_start_ns),
                number(span.correlation, 3),
                lag(span.lag_ns as f64 / 1e6)
            ),
        });
        Lane {
            name: format!("{} · {}", name(*first), name(*second)),
            bars: bars.collect(),
        }
    });
    let drawn: Vec<Lane> = drawn.collect();
    let mut caption = format!(
        "Edges from when they came until they went, coloured by correlation: {} came, {} went; the {} of {} pairs that stayed longest.",
        grouped(history.edges_came),
        grouped(history.edges_went),
        drawn.len(),
        rows.len()
    );
    if history.spans_left_out > 0 {
        caption += &format!(
            " {} later stays are not drawn.",
            grouped(history.spans_left_out)
        );
    }
    let count = Series {
        name: "edges",
        colour: 2,
        values: report
            .seen
            .sampler
            .samples()
            .iter()
            .map(|sample| sample.edge_count as f64)
            .collect(),
    };
    let chart = Chart {
        what: "number of edges over time",
        unit: Unit::Plain,
        includes: Some(0.0),
        is_filled: true,
        height: 100.0,
    };
    Some(format!(
        "<h3>Edges over time</h3>\n{}{}",
        figure(
            "Edges in the graph.",
            &lines(times, &report.sample_times(), &[count], &chart)
        ),
        figure(&caption, &lanes(times, &drawn, "edges over time"))
    ))
}
