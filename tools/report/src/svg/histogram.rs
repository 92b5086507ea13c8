//! Durations by stage: a small histogram for each on one logarithmic axis.

use super::{Area, WIDTH, at, drawing};
use crate::{format::grouped, html::escape};

const ROW: f64 = 44.0;
/// Bars for each power of ten.
const BINS_PER_DECADE: u32 = 20;

/// The durations of one stage, ns.
pub(crate) struct Distribution<'a> {
    pub(crate) name: &'a str,
    pub(crate) low_ns: u64,
    pub(crate) high_ns: u64,
    pub(crate) p50_ns: u64,
    pub(crate) p99_ns: u64,
    /// Durations that occurred and how often each did.
    pub(crate) recorded: Vec<(u64, u64)>,
}

/// The drawing; `text_of` writes a duration.
pub(crate) fn distributions(rows: &[Distribution<'_>], text_of: impl Fn(u64) -> String) -> String {
    let low = rows.iter().map(|row| row.low_ns.max(1)).min().unwrap_or(1);
    let high = rows
        .iter()
        .map(|row| row.high_ns.max(1))
        .max()
        .unwrap_or(10);
    let (first, last) = (low.ilog10(), high.ilog10() + 1);
    let area = Area {
        left: 110.0,
        top: 6.0,
        right: WIDTH - 34.0,
        bottom: 6.0 + ROW * rows.len() as f64,
    };
    let decade = area.width() / f64::from(last - first);
    let x_of = |ns: u64| area.left + ((ns.max(1) as f64).log10() - f64::from(first)) * decade;
    let mut inner = String::new();
    for power in first..=last {
        let x = area.left + f64::from(power - first) * decade;
        inner += &format!(
            "<path class=\"grid\" d=\"M{} {}V{}\"/><text class=\"m\" x=\"{}\" y=\"{}\">{}</text>",
            at(x),
            at(area.top),
            at(area.bottom + 4.0),
            at(x),
            at(area.bottom + 17.0),
            power_text(power)
        );
    }
    for (index, row) in rows.iter().enumerate() {
        let base = area.top + ROW * (index as f64 + 1.0) - 4.0;
        inner += &format!(
            "<text class=\"e\" x=\"{}\" y=\"{}\">{}</text><path class=\"grid\" d=\"M{} {}H{}\"/>",
            at(area.left - 6.0),
            at(base - 10.0),
            escape(row.name),
            at(area.left),
            at(base),
            at(area.right)
        );
        inner += &bars(row, first, last, (area.left, base, decade), &text_of);
        for (name, ns) in [("p50", row.p50_ns), ("p99", row.p99_ns)] {
            inner += &format!(
                "<path class=\"mark {name}\" d=\"M{x} {}V{}\"><title>{name} {}</title></path>",
                at(base - ROW + 8.0),
                at(base),
                escape(&text_of(ns)),
                x = at(x_of(ns))
            );
        }
    }
    drawing(WIDTH, area.bottom + 24.0, "durations by stage", &inner)
}

fn power_text(power: u32) -> String {
    let names = ["ns", "us", "ms", "s"];
    let unit = (power / 3).min(3);
    format!("{} {}", 10u64.pow(power - 3 * unit), names[unit as usize])
}

fn bars(
    row: &Distribution<'_>,
    first: u32,
    last: u32,
    (left, base, decade): (f64, f64, f64),
    text_of: &impl Fn(u64) -> String,
) -> String {
    let bins = (last - first) * BINS_PER_DECADE;
    let edge = |bin: usize| {
        let power = f64::from(first) + bin as f64 / f64::from(BINS_PER_DECADE);
        10f64.powf(power).round() as u64
    };
    let mut counts = vec![0u64; bins as usize];
    for (ns, count) in &row.recorded {
        let power = (*ns.max(&1) as f64).log10() - f64::from(first);
        let bin = (power * f64::from(BINS_PER_DECADE)).clamp(0.0, f64::from(bins - 1));
        counts[bin as usize] += count;
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let width = decade / f64::from(BINS_PER_DECADE);
    let mut text = String::new();
    for (bin, count) in counts.into_iter().enumerate() {
        if count == 0 {
            continue;
        }
        // What occurred is seen, however rare.
        let height = (count as f64 / most * (ROW - 10.0)).max(1.0);
        text += &format!(
            "<rect class=\"f0\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{} to {}: {}</title></rect>",
            at(left + width * bin as f64),
            at(base - height),
            at(width - 0.6),
            at(height),
            escape(&text_of(edge(bin))),
            escape(&text_of(edge(bin + 1))),
            grouped(count)
        );
    }
    text
}
