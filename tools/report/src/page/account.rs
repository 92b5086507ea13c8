//! Equity, drawdown, exposure, and the instruments at the end.

use acth_core::currency::RateSource;

use super::Section;
use crate::{
    format::{cents, mantissa, number, percent},
    html::{Column, figure, table},
    report::{Account, CurrencyRow, Report},
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
    if report.account.currencies.len() > 1 {
        content += "<h3>Currencies at the end</h3>\n";
        content += &currencies(&report.account);
    }
    content += "<h3>Instruments at the end</h3>\n";
    content += &instruments(report);
    Some(Section {
        id: "equity",
        name: "Equity",
        content,
    })
}

/// The books of every currency in that currency, and what they come to in the account's.
fn currencies(account: &Account) -> String {
    let columns = [
        Column::Words("currency"),
        Column::Numbers("cash"),
        Column::Numbers("positions"),
        Column::Numbers("realised"),
        Column::Numbers("unrealised"),
        Column::Numbers("fees"),
        Column::Numbers("funding"),
        Column::Numbers("equity"),
        Column::Numbers("in the account's currency"),
        Column::Numbers("rate"),
        Column::Words("rate from"),
    ];
    let rows = account.currencies.iter().map(|row| {
        let books = &row.books;
        let amounts = [
            books.cash,
            books.value,
            books.realised,
            books.unrealised,
            books.fees,
            books.funding,
            books.equity,
            books.equity_in_account,
        ];
        let mut cells = vec![row.name.clone()];
        cells.extend(amounts.map(cents));
        cells.extend(rate(row));
        cells
    });
    table(&columns, rows)
}

/// A rate and who gave it.
fn rate(row: &CurrencyRow) -> [String; 2] {
    // A rate has at most 18 decimal places.
    let value = mantissa(row.rate.mantissa(), row.rate.exponent() as u8);
    match (row.source, &row.link) {
        (RateSource::Nobody, _) => [String::from("-"), String::from("nobody")],
        (RateSource::Account, _) => [value, String::from("the account's own")],
        (RateSource::Market, Some(name)) => [value, format!("the market of {name}")],
        (RateSource::Configuration, _) => [value, String::from("the configuration")],
        (RateSource::Market | RateSource::Event, _) => [value, String::from("an event")],
    }
}

fn instruments(report: &Report) -> String {
    let columns = [
        Column::Words("instrument"),
        Column::Words("paid in"),
        Column::Numbers("bid"),
        Column::Numbers("ask"),
        Column::Numbers("position"),
        Column::Numbers("traded"),
        Column::Numbers("fees"),
        Column::Numbers("profit after fees and funding"),
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
            instrument.quote.clone(),
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
