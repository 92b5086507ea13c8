//! What took how long.

use acth_latency::{By, Row, duration_text};

use super::Section;
use crate::{
    format::grouped,
    html::{Column, figure, paragraph, table},
    report::Report,
    svg::{Distribution, distributions},
};

pub(super) fn write(report: &Report) -> Section {
    let content = match &report.measured {
        Ok(measured) => {
            let rows = measured.rows(By::Stage);
            let mut text = String::new();
            if measured.has_event_time() {
                text += &paragraph(
                    "A run went by the time of its data (a backtest): of that run the journal tells what data and paper venue have, not how long this program took.",
                );
            }
            if rows.is_empty() {
                text += &paragraph("The journal tells no duration.");
            } else {
                text += &stages(&rows);
            }
            text
        }
        Err(error) => paragraph(&format!("Not measured: {error}")),
    };
    Section {
        id: "latency",
        name: "Latency",
        content,
    }
}

fn stages(rows: &[Row]) -> String {
    let columns = [
        Column::Words("stage"),
        Column::Words("from, to"),
        Column::Numbers("count"),
        Column::Numbers("p50"),
        Column::Numbers("p90"),
        Column::Numbers("p99"),
        Column::Numbers("p99.9"),
        Column::Numbers("max"),
    ];
    let cells = rows.iter().map(|row| {
        let at = |quantile| duration_text(row.histogram.value_at_quantile(quantile));
        vec![
            row.stage.name().to_owned(),
            row.stage.meaning().to_owned(),
            grouped(row.histogram.len()),
            at(0.5),
            at(0.9),
            at(0.99),
            at(0.999),
            duration_text(row.histogram.max()),
        ]
    });
    let drawn: Vec<Distribution<'_>> = rows
        .iter()
        .map(|row| Distribution {
            name: row.stage.name(),
            low_ns: row.histogram.min(),
            high_ns: row.histogram.max(),
            p50_ns: row.histogram.value_at_quantile(0.5),
            p99_ns: row.histogram.value_at_quantile(0.99),
            recorded: row
                .histogram
                .iter_recorded()
                .map(|step| (step.value_iterated_to(), step.count_at_value()))
                .collect(),
        })
        .collect();
    let mut text = figure(
        "How often each duration occurred, each stage against its own most frequent one. Dark mark: p50, red mark: p99.",
        &distributions(&drawn, duration_text),
    );
    text += &table(&columns, cells);
    text
}
