//! Shares over time as areas on top of each other, the first at the bottom.

use super::{
    Area, WIDTH,
    axis::{Times, Unit, values},
    drawing, legend,
    line::{Series, hover, path},
};
use crate::format::elapsed;

/// The drawing. Values are shares of 1; what is negative or not finite counts as 0.
pub(crate) fn stacked(
    times: Times,
    times_ns: &[i64],
    series: &[Series<'_>],
    what: &str,
    height: f64,
) -> String {
    let mut area = Area {
        left: 92.0,
        top: 10.0,
        right: WIDTH - 14.0,
        bottom: 10.0 + height,
    };
    let names: Vec<(usize, &str)> = series.iter().map(|s| (s.colour, s.name)).collect();
    let (mut inner, legend_height) = legend(&names, &area, 2.0);
    area.top += legend_height;
    area.bottom += legend_height;
    let (axis, scale, _) = values(&area, 0.0, 1.0, Unit::Percent);
    inner += &times.axis(&area);
    inner += &axis;
    let across = times.scale(&area);
    let xs: Vec<f64> = times_ns
        .iter()
        .map(|ts_ns| across.at(times.seconds(*ts_ns)))
        .collect();
    let mut below = vec![0.0; xs.len()];
    for line in series {
        let share = |index: usize| {
            let value = line.values.get(index).copied().unwrap_or(0.0);
            if value.is_finite() {
                value.max(0.0)
            } else {
                0.0
            }
        };
        let above: Vec<f64> = (0..xs.len()).map(|i| below[i] + share(i)).collect();
        let (back_xs, back): (Vec<f64>, Vec<f64>) = xs.iter().copied().zip(below).rev().collect();
        let upper = path(&xs, &above, &scale);
        let lower = path(&back_xs, &back, &scale).replacen('M', "L", 1);
        inner += &format!("<path class=\"f{}\" d=\"{upper}{lower}Z\"/>", line.colour);
        below = above;
    }
    inner += &hover(&xs, &area, |index| {
        let at_time = elapsed(times_ns[index].saturating_sub(times.ts_start_ns));
        let values = series.iter().rev().map(|line| {
            let value = line.values.get(index).copied().unwrap_or(f64::NAN);
            format!("\n{}: {}", line.name, Unit::Percent.text(value, 3))
        });
        format!("{at_time}{}", values.collect::<String>())
    });
    drawing(WIDTH, area.bottom + 24.0, what, &inner)
}
