//! Values over time as lines.

use super::{
    Area, HOVER_COLUMNS_MAX, WIDTH, at,
    axis::{Scale, Times, Unit, values},
    drawing, legend,
};
use crate::{format::elapsed, html::escape};

/// One line.
pub(crate) struct Series<'a> {
    pub(crate) name: &'a str,
    /// Number of its colour.
    pub(crate) colour: usize,
    /// A value for each time; what is not finite leaves a gap.
    pub(crate) values: Vec<f64>,
}

/// What is drawn beside the lines.
pub(crate) struct Chart<'a> {
    pub(crate) what: &'a str,
    pub(crate) unit: Unit,
    /// A value that must be on the axis.
    pub(crate) includes: Option<f64>,
    /// Whether the first series is filled down to that value.
    pub(crate) is_filled: bool,
    pub(crate) height: f64,
}

/// The drawing: lines, axes, names where there are several, values under the pointer.
pub(crate) fn lines(
    times: Times,
    times_ns: &[i64],
    series: &[Series<'_>],
    chart: &Chart<'_>,
) -> String {
    let mut area = Area {
        left: 92.0,
        top: 10.0,
        right: WIDTH - 14.0,
        bottom: 10.0 + chart.height,
    };
    let mut inner = String::new();
    if series.len() > 1 {
        let names: Vec<(usize, &str)> = series.iter().map(|s| (s.colour, s.name)).collect();
        let (text, height) = legend(&names, &area, 2.0);
        inner += &text;
        area.top += height;
        area.bottom += height;
    }
    let (low, high) = range(series, chart.includes);
    let (axis, scale, digits) = values(&area, low, high, chart.unit);
    inner += &times.axis(&area);
    inner += &axis;
    let across = times.scale(&area);
    let xs: Vec<f64> = times_ns
        .iter()
        .map(|ts_ns| across.at(times.seconds(*ts_ns)))
        .collect();
    for (index, line) in series.iter().enumerate() {
        let path = path(&xs, &line.values, &scale);
        let fill = chart.includes.filter(|_| chart.is_filled && index == 0);
        if let (Some(base), Some(first), Some(last)) = (fill, xs.first(), xs.last())
            && line.values.iter().all(|value| value.is_finite())
        {
            let base = at(scale.at(base));
            inner += &format!(
                "<path class=\"f{} thin\" d=\"{path}L{} {base}L{} {base}Z\"/>",
                line.colour,
                at(*last),
                at(*first)
            );
        }
        inner += &format!("<path class=\"l s{}\" d=\"{path}\"/>", line.colour);
    }
    inner += &hover(&xs, &area, |index| {
        let at_time = elapsed(times_ns[index].saturating_sub(times.ts_start_ns));
        let values = series.iter().map(|line| {
            let value = line.values.get(index).copied().unwrap_or(f64::NAN);
            format!("\n{}: {}", line.name, chart.unit.text(value, digits + 2))
        });
        format!("{at_time}{}", values.collect::<String>())
    });
    drawing(WIDTH, area.bottom + 24.0, chart.what, &inner)
}

fn range(series: &[Series<'_>], includes: Option<f64>) -> (f64, f64) {
    let all = series.iter().flat_map(|line| line.values.iter().copied());
    all.chain(includes)
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        })
}

/// The path through the points; points on a level between two others are left out.
pub(super) fn path(xs: &[f64], values: &[f64], scale: &Scale) -> String {
    let ys: Vec<Option<String>> = values
        .iter()
        .map(|value| value.is_finite().then(|| at(scale.at(*value))))
        .collect();
    let mut text = String::new();
    let mut is_down = false;
    for (index, (x, y)) in xs.iter().zip(&ys).enumerate() {
        let Some(y) = y else {
            is_down = false;
            continue;
        };
        let is_level = |other: Option<&Option<String>>| other.and_then(Option::as_ref) == Some(y);
        let before = index.checked_sub(1).and_then(|before| ys.get(before));
        if is_down && is_level(before) && is_level(ys.get(index + 1)) {
            continue;
        }
        text += &format!("{}{} {y}", if is_down { 'L' } else { 'M' }, at(*x));
        is_down = true;
    }
    text
}

/// Columns that say something under the pointer.
pub(super) fn hover(xs: &[f64], area: &Area, say: impl Fn(usize) -> String) -> String {
    let step = xs.len().div_ceil(HOVER_COLUMNS_MAX).max(1);
    let mut text = String::from("<g class=\"hit\">");
    for index in (0..xs.len()).step_by(step) {
        let next = xs.get(index + step).copied().unwrap_or(area.right);
        let width = (next - xs[index]).max(1.0);
        text += &format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}</title></rect>",
            at(xs[index]),
            at(area.top),
            at(width),
            at(area.height()),
            escape(&say(index))
        );
    }
    text += "</g>";
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leaves_gaps_and_skips_what_is_level() {
        let scale = Scale {
            low: 0.0,
            high: 10.0,
            from: 100.0,
            to: 0.0,
        };
        let xs = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        let values = [5.0, 5.0, 5.0, f64::NAN, 0.0, 10.0];
        assert_eq!(path(&xs, &values, &scale), "M0 50L2 50M4 100L5 0");
    }
}
