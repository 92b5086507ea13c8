//! Axes: ticks at round numbers, labels that a person would write.

use super::{Area, at};
use crate::format::number;

/// Room for a label of the time axis.
const TIME_LABEL: f64 = 86.0;
/// Distance of the lines of a value axis, at least.
const VALUE_STEP: f64 = 36.0;

/// Share of a step by which a value may lie outside its ticks.
const ON_TICK: f64 = 0.02;

/// Round numbers that cover a range.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ticks {
    pub(super) values: Vec<f64>,
    /// Decimal places that tell them apart.
    pub(super) digits: usize,
}

impl Ticks {
    /// Ticks at multiples of 1, 2 or 5 times a power of ten, the first at or below `low`, the last at or above `high`,
    /// but for a fiftieth of a step.
    pub(super) fn covering(low: f64, high: f64, count: usize) -> Self {
        let (low, high) = widened(low, high);
        let step = round_step((high - low) / count.max(1) as f64);
        // What is beyond a tick by less than this is on it.
        let first = (low / step + ON_TICK).floor();
        let last = (high / step - ON_TICK).ceil();
        let count = (last - first).min(100.0) as usize;
        let digits = (-step.log10()).ceil().clamp(0.0, 12.0) as usize;
        Self {
            values: (0..=count)
                .map(|index| (first + index as f64) * step)
                .collect(),
            digits,
        }
    }

    pub(super) fn low(&self) -> f64 {
        self.values.first().copied().unwrap_or(0.0)
    }

    pub(super) fn high(&self) -> f64 {
        self.values.last().copied().unwrap_or(1.0)
    }
}

/// A range with a height, whatever came.
fn widened(low: f64, high: f64) -> (f64, f64) {
    let is_usable = low.is_finite() && high.is_finite() && low <= high;
    if !is_usable {
        return (0.0, 1.0);
    }
    let height_min = (low.abs().max(high.abs()) * 1e-9).max(1e-9);
    if high - low < height_min {
        let half = (low.abs() * 1e-3).max(0.5e-3);
        return (low - half, high + half);
    }
    (low, high)
}

/// The smallest of 1, 2, 5 times a power of ten that is at least this.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let found = steps
        .into_iter()
        .find(|digit| digit * power >= step * (1.0 - 1e-9));
    found.unwrap_or(10.0) * power
}

/// A range of values on a range of coordinates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Scale {
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.from + share.clamp(-0.05, 1.05) * (self.to - self.from)
    }
}

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// As they are.
    Plain,
    /// As a percentage of 1.
    Percent,
}

impl Unit {
    pub(super) fn text(self, value: f64, digits: usize) -> String {
        match self {
            Self::Plain => number(value, digits),
            Self::Percent => format!("{} %", number(value * 100.0, digits.saturating_sub(2))),
        }
    }
}

/// Lines and labels of a value axis, and its scale.
pub(super) fn values(area: &Area, low: f64, high: f64, unit: Unit) -> (String, Scale, usize) {
    let count = (area.height() / VALUE_STEP).max(2.0) as usize;
    let ticks = Ticks::covering(low, high, count);
    let scale = Scale {
        low: ticks.low(),
        high: ticks.high(),
        from: area.bottom,
        to: area.top,
    };
    let mut text = String::new();
    for value in &ticks.values {
        let y = scale.at(*value);
        // The line at zero is the one that is looked for.
        let class = if value.abs() < 1e-12 { "zero" } else { "grid" };
        text += &format!(
            "<path class=\"{class}\" d=\"M{} {}H{}\"/><text class=\"e\" x=\"{}\" y=\"{}\">{}</text>",
            at(area.left),
            at(y),
            at(area.right),
            at(area.left - 6.0),
            at(y + 4.0),
            unit.text(*value, ticks.digits)
        );
    }
    (text, scale, ticks.digits)
}

/// The time axis that all drawings of a page share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// Core time of the left end, ns since the Unix epoch.
    pub(crate) ts_start_ns: i64,
    /// And of the right end.
    pub(crate) ts_final_ns: i64,
}

/// Distances of ticks that a person would choose, s.
const TIME_STEPS: [f64; 26] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0,
    120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 43_200.0, 86_400.0, 604_800.0,
];

impl Times {
    pub(super) fn seconds(&self, ts_ns: i64) -> f64 {
        ts_ns.saturating_sub(self.ts_start_ns) as f64 / 1e9
    }

    pub(super) fn scale(&self, area: &Area) -> Scale {
        Scale {
            low: 0.0,
            high: self.seconds(self.ts_final_ns).max(1e-3),
            from: area.left,
            to: area.right,
        }
    }

    /// Lines and labels at the bottom of an area.
    pub(super) fn axis(&self, area: &Area) -> String {
        let scale = self.scale(area);
        let steps_max = (area.width() / TIME_LABEL).max(1.0);
        let is_wide = |step: &f64| scale.high / step <= steps_max;
        let last = TIME_STEPS[TIME_STEPS.len() - 1];
        let step = TIME_STEPS.into_iter().find(is_wide);
        let step = step.unwrap_or_else(|| last * (scale.high / last / steps_max).ceil());
        let count = (scale.high / step + 1e-9) as usize;
        let mut text = String::new();
        for index in 0..=count {
            let second = index as f64 * step;
            let x = scale.at(second);
            text += &format!(
                "<path class=\"grid\" d=\"M{} {}V{}\"/><text class=\"m\" x=\"{}\" y=\"{}\">{}</text>",
                at(x),
                at(area.top),
                at(area.bottom + 4.0),
                at(x),
                at(area.bottom + 17.0),
                time_label(second, step)
            );
        }
        text
    }
}

/// A time since the start, as exact as the step needs.
fn time_label(second: f64, step: f64) -> String {
    let whole = second.round() as i64;
    if step < 1.0 {
        let digits = (-step.log10()).ceil().clamp(1.0, 3.0) as usize;
        format!("{second:.digits$} s")
    } else if step < 60.0 && whole < 600 {
        format!("{whole} s")
    } else if step < 3_600.0 && whole < 6 * 3_600 {
        format!("{}:{:02} min", whole / 60, whole % 60)
    } else if step < 86_400.0 {
        format!("{}:{:02} h", whole / 3_600, whole / 60 % 60)
    } else {
        format!("{} d", whole / 86_400)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover() {
        let ticks = Ticks::covering(99_871.3, 100_012.8, 5);
        assert_eq!(
            ticks.values,
            [99_850.0, 99_900.0, 99_950.0, 100_000.0, 100_050.0]
        );
        assert_eq!(ticks.digits, 0);
        let ticks = Ticks::covering(-0.013, 0.021, 4);
        assert_eq!(ticks.digits, 2);
        assert!(ticks.low() <= -0.013 && ticks.high() >= 0.021);
    }

    #[test]
    fn odd_ranges_have_ticks_too() {
        for (low, high) in [
            (5.0, 5.0),
            (0.0, 0.0),
            (f64::NAN, 1.0),
            (1.0, -1.0),
            (f64::INFINITY, f64::NEG_INFINITY),
            (1e15, 1e15),
        ] {
            let ticks = Ticks::covering(low, high, 5);
            assert!(ticks.values.len() >= 2 && ticks.low() < ticks.high());
            assert!(ticks.values.iter().all(|value| value.is_finite()));
        }
    }

    #[test]
    fn times_are_labelled_as_their_step_needs() {
        assert_eq!(time_label(0.5, 0.1), "0.5 s");
        assert_eq!(time_label(20.0, 20.0), "20 s");
        assert_eq!(time_label(90.0, 60.0), "1:30 min");
        assert_eq!(time_label(5_400.0, 1_800.0), "90:00 min");
        assert_eq!(time_label(172_800.0, 86_400.0), "2 d");
    }
}
