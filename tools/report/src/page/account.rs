//! Equity, drawdown, exposure, and the instruments at the end.

use super::Section;
use crate::{
    format::{cents, mantissa, number, percent},
    html::{Column, figure, table},
    report::Report,
    sampling::Sample,
    svg::{Chart, Series, Unit, lines},
};

fn values(report: &Report, pick: impl Fn(&Sample) -> f64) -> Vec<f64> {
    report.seen.sampler.samples().iter().map(pick).collect()
}

pub(super) fn write(report: &Report) -> Option<Section> {
    let times = report.times()?;
    let times_ns = report.sample_times();
    let equity = Series {
        name: "equity",
        colour: 0,
        values: values(report, |sample| sample.equity),
    };
    let mut chart = Chart {
        what: "equity over time",
        unit: Unit::Plain,
        includes: Some(report.account.equity_start.to_f64()),
        is_filled: true,
        height: 220.0,
    };
    let mut content = figure(
        "Equity in account currency: cash and positions at the mark. Filled against the start.",
        &lines(times, &times_ns, &[equity], &chart),
    );
    let drawdown = Series {
        name: "drawdown",
        colour: 1,
        values: values(report, |sample| -sample.drawdown),
    };
    chart = Chart {
        what: "drawdown over time",
        unit: Unit::Percent,
        includes: Some(0.0),
        height: 110.0,
        ..chart
    };
    let caption = format!(
        "Drawdown: how far equity is below its highest so far. At worst {} after any input.",
        percent(report.seen.drawdown_max, 3)
    );
    content += &figure(&caption, &lines(times, &times_ns, &[drawdown], &chart));
    content += "<h3>Instruments at the end</h3>\n";
    content += &instruments(report);
    Some(Section {
        id: "equity",
        name: "Equity",
        content,
    })
}

fn instruments(report: &Report) -> String {
    let columns = [
        Column::Words("instrument"),
        Column::Numbers("bid"),
        Column::Numbers("ask"),
        Column::Numbers("position"),
        Column::Numbers("traded"),
        Column::Numbers("fees"),
        Column::Numbers("profit after fees"),
    ];
    let rows = report
        .instruments
        .rows()
        .iter()
        .zip(&report.instrument_rows);
    let rows = rows.map(|(instrument, row)| {
        let price = |value: i64| mantissa(value, instrument.price_exponent);
        let (bid, ask) = match row.quote {
            Some((bid, ask)) => (price(bid), price(ask)),
            None => (String::from("-"), String::from("-")),
        };
        vec![
            instrument.name(),
            bid,
            ask,
            mantissa(row.position, instrument.quantity_exponent),
            cents(row.volume),
            cents(row.fees),
            cents(row.profit),
        ]
    });
    table(&columns, rows)
}

pub(super) fn exposure(report: &Report) -> Option<Section> {
    let times = report.times()?;
    let series = [
        Series {
            name: "gross",
            colour: 0,
            values: values(report, |sample| sample.gross),
        },
        Series {
            name: "net",
            colour: 1,
            values: values(report, |sample| sample.net),
        },
    ];
    let chart = Chart {
        what: "exposure over time",
        unit: Unit::Plain,
        includes: Some(0.0),
        is_filled: true,
        height: 200.0,
    };
    let caption = format!(
        "Value of all positions in account currency, without signs (gross) and with them (net). Gross at most {} after any input.",
        number(report.seen.gross_max, 2)
    );
    Some(Section {
        id: "exposure",
        name: "Exposure",
        content: figure(
            &caption,
            &lines(times, &report.sample_times(), &series, &chart),
        ),
    })
}
