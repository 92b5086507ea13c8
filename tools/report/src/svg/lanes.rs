//! What lasted from when to when: a lane for each thing, bars on it.

use super::{Area, LETTER, WIDTH, at, axis::Times, drawing};
use crate::html::escape;

const ROW: f64 = 20.0;

/// One stay.
pub(crate) struct Bar {
    pub(crate) ts_start_ns: i64,
    /// When it ended; `None` = it goes on.
    pub(crate) ts_final_ns: Option<i64>,
    pub(crate) class: String,
    pub(crate) title: String,
}

/// One thing.
pub(crate) struct Lane {
    pub(crate) name: String,
    pub(crate) bars: Vec<Bar>,
}

/// The drawing.
pub(crate) fn lanes(times: Times, lanes: &[Lane], what: &str) -> String {
    let letters = lanes.iter().map(|lane| lane.name.chars().count()).max();
    let area = Area {
        left: (letters.unwrap_or(0) as f64 * LETTER + 12.0).clamp(92.0, 420.0),
        top: 6.0,
        right: WIDTH - 14.0,
        bottom: 6.0 + ROW * lanes.len() as f64,
    };
    let across = times.scale(&area);
    let mut inner = times.axis(&area);
    for (row, lane) in lanes.iter().enumerate() {
        let y = area.top + ROW * row as f64;
        inner += &format!(
            "<text class=\"e\" x=\"{}\" y=\"{}\">{}</text>",
            at(area.left - 6.0),
            at(y + ROW / 2.0 + 4.0),
            escape(&lane.name)
        );
        for bar in &lane.bars {
            let start = across.at(times.seconds(bar.ts_start_ns));
            let end = bar.ts_final_ns.unwrap_or(times.ts_final_ns);
            let end = across.at(times.seconds(end));
            inner += &format!(
                "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}</title></rect>",
                escape(&bar.class),
                at(start),
                at(y + 3.0),
                at((end - start).max(1.0)),
                at(ROW - 6.0),
                escape(&bar.title)
            );
        }
    }
    drawing(WIDTH, area.bottom + 24.0, what, &inner)
}
