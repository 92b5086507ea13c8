//! A latency model for the paper venue from what a journal tells of a real one, or of another paper venue.

use acth_sim::paper::{FittedFrom, LATENCY_MODEL_FORMAT, LatencyModel, Split, VenueLatency};
use hdrhistogram::Histogram;

use crate::{
    error::LatencyError,
    measured::{By, Measured, Row},
    stage::Stage,
};

/// The percentages at which quantiles are taken.
pub const FIT_PERCENT: [f64; 11] = [
    0.0, 1.0, 5.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0,
];
/// Fewest acknowledged orders of a venue unless the caller says otherwise: p99 then stands on one of them.
pub const SAMPLES_MIN: u64 = 100;
/// Longest latency that a model holds: what histograms tell apart.
const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// A model, and what is to be said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The model; it passes its own check.
    pub model: LatencyModel,
    /// Sentences: what was left out, and what was assumed.
    pub notes: Vec<String>,
}

/// Fits a model from `measured`, which came from the journal that is called `journal`. A venue with fewer than `samples_min`
/// acknowledged orders is left out.
///
/// # Errors
/// When no venue has enough.
pub fn fit(measured: &Measured, journal: &str, samples_min: u64) -> Result<Fitted, LatencyError> {
    let rows = measured.rows(By::Venue);
    let mut fitted = Fitted {
        model: LatencyModel {
            format: LATENCY_MODEL_FORMAT,
            percent: FIT_PERCENT.to_vec(),
            fitted_from: source(measured, journal),
            venues: std::collections::BTreeMap::new(),
        },
        notes: Vec::new(),
    };
    let mut counts = Vec::new();
    for name in &measured.venues {
        let find = |stage: Stage| {
            let is_it = |row: &&Row| row.stage == stage && row.venue.as_ref() == Some(name);
            rows.iter().find(is_it)
        };
        let samples = find(Stage::OrderAck).map_or(0, |row| row.histogram.len());
        counts.push(format!("{name} has {samples}"));
        let venue = find(Stage::OrderAck).filter(|_| samples >= samples_min.max(1));
        let Some(ack) = venue else {
            fitted.notes.push(format!(
                "{name} is left out: {samples} acknowledged orders, at least {samples_min} are needed"
            ));
            continue;
        };
        let legs = (find(Stage::OrderLeg), find(Stage::ReportLeg));
        let (venue, note) = fit_venue(name, ack, legs, find(Stage::Feed));
        fitted.notes.extend(note);
        fitted.model.venues.insert(name.clone(), venue);
    }
    if fitted.model.venues.is_empty() {
        let counts = if counts.is_empty() {
            String::from("it names no venue")
        } else {
            counts.join(", ")
        };
        return Err(LatencyError::TooFew(format!(
            "{journal}: too few acknowledged orders to fit from: {counts}; at least {samples_min} of one venue are needed"
        )));
    }
    Ok(fitted)
}

fn source(measured: &Measured, journal: &str) -> FittedFrom {
    let (first_sequence, last_sequence) = measured.sequences.unwrap_or_default();
    let run = measured.runs.last();
    FittedFrom {
        journal: journal.to_owned(),
        run: run.map_or(0, |run| run.run),
        config_hash: run.map_or_else(String::new, |run| run.config_hash.clone()),
        first_sequence,
        last_sequence,
        chain: format!("{:08x}", measured.chain),
    }
}

/// One venue. The two ways are the venue's own word where its clock fits ours in every single order, else halves.
fn fit_venue(
    name: &str,
    ack: &Row,
    legs: (Option<&Row>, Option<&Row>),
    feed: Option<&Row>,
) -> (VenueLatency, Option<String>) {
    let samples = ack.histogram.len();
    let fits = |row: &&Row| row.histogram.len() == samples && row.negative == 0;
    let whole = |ns: u64| ns;
    let half = |ns: u64| ns / 2;
    let feed_samples = feed.map_or(0, |row| row.histogram.len());
    let feed_ns = feed.map_or_else(Vec::new, |row| quantiles(&row.histogram, whole));
    let mut venue = VenueLatency {
        samples,
        split: Split::Measured,
        order_ns: Vec::new(),
        report_ns: Vec::new(),
        feed_samples,
        feed_ns,
    };
    if let (Some(order), Some(report)) = (legs.0.filter(fits), legs.1.filter(fits)) {
        venue.order_ns = quantiles(&order.histogram, whole);
        venue.report_ns = quantiles(&report.histogram, whole);
        return (venue, None);
    }
    venue.split = Split::Halves;
    venue.order_ns = quantiles(&ack.histogram, half);
    venue.report_ns = venue.order_ns.clone();
    let note = format!(
        "{name}: the venue gave no time of its own for every order, or one that our clock contradicts; each way takes half of the whole, \
         so that the sum spreads less than what was measured"
    );
    (venue, Some(note))
}

fn quantiles(histogram: &Histogram<u64>, scale: impl Fn(u64) -> u64) -> Vec<i64> {
    let highest = histogram.max().min(LATENCY_NS_MAX);
    let at = |percent: &f64| {
        let value = if *percent <= 0.0 {
            histogram.min()
        } else {
            histogram.value_at_quantile(percent / 100.0)
        };
        scale(value.min(highest)).cast_signed()
    };
    FIT_PERCENT.iter().map(at).collect()
}
