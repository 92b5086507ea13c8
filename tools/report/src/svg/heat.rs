//! Correlations as colours: a matrix of all pairs at one time, a strip of some pairs over time.

use super::{
    Area, LETTER, WIDTH, at,
    axis::{Scale, Times},
    drawing,
};
use crate::{format::number, html::escape};

/// Colours from -1 to 1; the middle one is nothing.
const STEPS: i32 = 10;
/// Most instruments whose cells hold their number.
const NUMBERED_MAX: usize = 14;
/// Most instruments whose cells say their value under the pointer.
const TITLED_MAX: usize = 40;
/// Most columns of a strip.
const STRIP_COLUMNS_MAX: usize = 320;

/// The class of a correlation.
pub(crate) fn class_of(correlation: f64) -> usize {
    if !correlation.is_finite() {
        return STEPS as usize;
    }
    let step = (correlation.clamp(-1.0, 1.0) * f64::from(STEPS)).round() as i32;
    (step + STEPS) as usize
}

/// The colours of all classes, on light ground and on dark.
pub(crate) fn style() -> (String, String) {
    let ends = |ground: [f64; 3], low: [f64; 3], high: [f64; 3]| {
        let mut text = String::new();
        for step in -STEPS..=STEPS {
            let share = f64::from(step.abs()) / f64::from(STEPS);
            let end = if step < 0 { low } else { high };
            let mix = |index: usize| (ground[index] + share * (end[index] - ground[index])) as u8;
            text += &format!(
                ".h{}{{fill:#{:02x}{:02x}{:02x}}}",
                step + STEPS,
                mix(0),
                mix(1),
                mix(2)
            );
        }
        text
    };
    (
        ends(
            [242.0, 242.0, 240.0],
            [33.0, 102.0, 172.0],
            [178.0, 24.0, 43.0],
        ),
        ends(
            [40.0, 44.0, 50.0],
            [88.0, 160.0, 220.0],
            [226.0, 92.0, 80.0],
        ),
    )
}

/// What the colours mean.
pub(crate) fn legend() -> String {
    let mut inner = String::new();
    for class in 0..=(2 * STEPS) {
        let x = 4.0 + 14.0 * f64::from(class);
        inner += &format!(
            "<rect class=\"h{class}\" x=\"{}\" y=\"2\" width=\"14\" height=\"12\"/>",
            at(x)
        );
    }
    for (step, label) in [
        (-STEPS, "-1"),
        (-5, "-0.5"),
        (0, "0"),
        (5, "0.5"),
        (STEPS, "1"),
    ] {
        let x = 4.0 + 14.0 * f64::from(step + STEPS) + 7.0;
        inner += &format!("<text class=\"m\" x=\"{}\" y=\"27\">{label}</text>", at(x));
    }
    drawing(304.0, 32.0, "colours of correlations", &inner)
}

/// Longest name in letters.
fn longest(names: &[String]) -> f64 {
    names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0) as f64
}

/// The matrix of all pairs.
pub(crate) fn matrix(names: &[String], correlation: impl Fn(usize, usize) -> f64) -> String {
    let count = names.len();
    let label = (longest(names) * LETTER + 12.0).min(240.0);
    let cell = ((WIDTH - label - 60.0) / count.max(1) as f64).clamp(4.0, 46.0);
    // Names above stand aslant and lean out to the right.
    let top = label * 0.72 + 12.0;
    let mut inner = String::new();
    let is_labelled = cell >= 11.0;
    for (index, name) in names.iter().enumerate().filter(|_| is_labelled) {
        let middle = (index as f64 + 0.5) * cell;
        let (x, y) = (label + middle, top - 6.0);
        inner += &format!(
            "<text class=\"e\" x=\"{}\" y=\"{}\">{name}</text><text transform=\"rotate(-45 {x} {y})\" x=\"{x}\" y=\"{y}\">{name}</text>",
            at(label - 6.0),
            at(top + middle + 4.0),
            name = escape(name),
            x = at(x),
            y = at(y)
        );
    }
    for row in 0..count {
        for column in 0..count {
            let value = if row == column {
                1.0
            } else {
                correlation(row, column)
            };
            let (x, y) = (label + column as f64 * cell, top + row as f64 * cell);
            let title = if count <= TITLED_MAX && row != column {
                let text = format!("{} and {}: {}", names[row], names[column], number(value, 3));
                format!("<title>{}</title>", escape(&text))
            } else {
                String::new()
            };
            inner += &format!(
                "<rect class=\"h{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">{title}</rect>",
                class_of(value),
                at(x),
                at(y),
                at(cell - 0.5),
                at(cell - 0.5)
            );
            if count <= NUMBERED_MAX && row != column {
                let class = if value.abs() > 0.55 {
                    "m cell strong"
                } else {
                    "m cell"
                };
                inner += &format!(
                    "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
                    at(x + cell / 2.0),
                    at(y + cell / 2.0 + 4.0),
                    number(value, 2)
                );
            }
        }
    }
    let side = count as f64 * cell;
    let width = label + side + if is_labelled { label * 0.72 } else { 0.0 } + 8.0;
    drawing(
        width.min(WIDTH + 200.0),
        top + side + 4.0,
        "correlations of all pairs",
        &inner,
    )
}

/// Pairs over time, a row each; `value(row, index)` is a pair's correlation at a time.
pub(crate) fn strip(
    times: Times,
    times_ns: &[i64],
    names: &[String],
    value: impl Fn(usize, usize) -> f64,
) -> String {
    const ROW: f64 = 20.0;
    let area = Area {
        left: (longest(names) * LETTER + 12.0).clamp(92.0, 420.0),
        top: 6.0,
        right: WIDTH - 14.0,
        bottom: 6.0 + ROW * names.len() as f64,
    };
    let across = times.scale(&area);
    let step = times_ns.len().div_ceil(STRIP_COLUMNS_MAX).max(1);
    let columns: Vec<usize> = (0..times_ns.len()).step_by(step).collect();
    let mut inner = String::new();
    for (row, name) in names.iter().enumerate() {
        let y = area.top + ROW * row as f64;
        inner += &format!(
            "<text class=\"e\" x=\"{}\" y=\"{}\">{}</text>",
            at(area.left - 6.0),
            at(y + ROW / 2.0 + 4.0),
            escape(name)
        );
        inner += &runs(&columns, |column| class_of(value(row, column)))
            .map(|(class, first, next)| {
                let x = |column: usize| left_of(column, &across, times, times_ns);
                format!(
                    "<rect class=\"h{class}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                    at(x(first)),
                    at(y + 1.0),
                    at((x(next) - x(first)).max(0.5)),
                    at(ROW - 2.0)
                )
            })
            .collect::<String>();
    }
    inner += &times.axis(&area);
    drawing(WIDTH, area.bottom + 24.0, "correlations over time", &inner)
}

/// Coordinate of a sample; that of the end behind the last.
fn left_of(column: usize, across: &Scale, times: Times, times_ns: &[i64]) -> f64 {
    match times_ns.get(column) {
        Some(ts_ns) => across.at(times.seconds(*ts_ns)),
        None => across.to,
    }
}

/// Neighbours of one class as (class, first, behind the last).
fn runs(
    columns: &[usize],
    class: impl Fn(usize) -> usize,
) -> std::vec::IntoIter<(usize, usize, usize)> {
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        let next = columns.get(index + 1).copied().unwrap_or(usize::MAX);
        let class = class(*column);
        match found.last_mut() {
            Some(last) if last.0 == class => last.2 = next,
            _ => found.push((class, *column, next)),
        }
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_reach_from_one_end_to_the_other() {
        let found: Vec<usize> = [-7.0, -1.0, -0.04, 0.0, 0.06, 1.0, f64::NAN]
            .map(class_of)
            .to_vec();
        assert_eq!(found, [0, 0, 10, 10, 11, 20, 10]);
    }

    #[test]
    fn neighbours_of_one_colour_are_one_piece() {
        let classes = [3, 3, 4, 3];
        let found: Vec<_> = runs(&[0, 1, 2, 3], |column| classes[column]).collect();
        assert_eq!(found, [(3, 0, 2), (4, 2, 3), (3, 3, usize::MAX)]);
    }
}
