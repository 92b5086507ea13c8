//! Who moves with whom: instruments on a circle, an arc for each pair, an arrow from the one ahead to the one that follows.

use super::{WIDTH, at, drawing};
use crate::html::escape;

const RADIUS: f64 = 220.0;
const CENTRE: (f64, f64) = (WIDTH / 2.0, 262.0);
const HEIGHT: f64 = 524.0;
const NODE_RADIUS: f64 = 6.0;
/// Most arcs that have their lag written beside them.
const LABELS_MAX: usize = 28;
/// Places of a label along its arc, the middle first.
const PLACES: [f64; 7] = [0.5, 0.4, 0.6, 0.3, 0.7, 0.22, 0.78];

/// One pair.
pub(crate) struct Arc {
    /// Index of the one ahead; of any of the two where none is.
    pub(crate) from: usize,
    /// Index of the other.
    pub(crate) to: usize,
    /// Correlation, -1 to 1.
    pub(crate) strength: f64,
    /// Written beside it; empty = nothing.
    pub(crate) label: String,
    /// Said under the pointer.
    pub(crate) title: String,
    pub(crate) is_directed: bool,
}

/// The drawing; the first arcs are the most important ones.
pub(crate) fn circle(names: &[String], arcs: &[Arc]) -> String {
    let places: Vec<(f64, f64)> = (0..names.len())
        .map(|index| place(index, names.len(), RADIUS))
        .collect();
    let (mut lines, mut labels, mut taken) = (String::new(), String::new(), Vec::new());
    let usable = arcs
        .iter()
        .filter(|arc| arc.from < names.len() && arc.to < names.len() && arc.from != arc.to);
    for (index, arc) in usable.enumerate() {
        let curve = Curve::between(places[arc.from], places[arc.to]);
        lines += &draw(arc, &curve);
        if index < LABELS_MAX && !arc.label.is_empty() {
            let (x, y) = free_place(&curve, &taken);
            taken.push((x, y));
            labels += &format!(
                "<text class=\"m halo\" x=\"{}\" y=\"{}\">{}</text>",
                at(x),
                at(y + 4.0),
                escape(&arc.label)
            );
        }
    }
    let mut nodes = String::new();
    for (index, name) in names.iter().enumerate() {
        let (x, y) = places[index];
        let (label_x, label_y) = place(index, names.len(), RADIUS + 14.0);
        let side = label_x - CENTRE.0;
        let class = if side.abs() < 12.0 {
            "m"
        } else if side < 0.0 {
            "e"
        } else {
            "b"
        };
        // Above the top and below the bottom a label needs room of its own.
        let lift = (label_y - CENTRE.1) / RADIUS * 5.0 + 4.0;
        nodes += &format!(
            "<circle class=\"node\" cx=\"{}\" cy=\"{}\" r=\"{NODE_RADIUS}\"/><text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
            at(x),
            at(y),
            at(label_x),
            at(label_y + lift),
            escape(name)
        );
    }
    drawing(
        WIDTH,
        HEIGHT,
        "correlation graph",
        &format!("{lines}{nodes}{labels}"),
    )
}

/// The first at the top, on in the direction of a clock.
fn place(index: usize, count: usize, radius: f64) -> (f64, f64) {
    let angle = std::f64::consts::TAU * index as f64 / count.max(1) as f64;
    (
        CENTRE.0 + radius * angle.sin(),
        CENTRE.1 - radius * angle.cos(),
    )
}

/// A quadratic curve that is drawn towards the middle.
struct Curve {
    start: (f64, f64),
    control: (f64, f64),
    end: (f64, f64),
}

impl Curve {
    fn between(start: (f64, f64), end: (f64, f64)) -> Self {
        let inward = |a: f64, b: f64, centre: f64| (a + b) / 2.0 * 0.65 + centre * 0.35;
        Self {
            start,
            control: (
                inward(start.0, end.0, CENTRE.0),
                inward(start.1, end.1, CENTRE.1),
            ),
            end,
        }
    }

    fn at(&self, share: f64) -> (f64, f64) {
        let rest = 1.0 - share;
        let mix =
            |a: f64, b: f64, c: f64| rest * rest * a + 2.0 * rest * share * b + share * share * c;
        (
            mix(self.start.0, self.control.0, self.end.0),
            mix(self.start.1, self.control.1, self.end.1),
        )
    }
}

fn draw(arc: &Arc, curve: &Curve) -> String {
    let strength = arc.strength.abs().min(1.0);
    let width = 0.8 + 5.0 * strength;
    let class = if arc.strength < 0.0 { "neg" } else { "pos" };
    let head = if arc.is_directed {
        arrow(curve, class, 5.0 + width)
    } else {
        String::new()
    };
    format!(
        "<g><title>{}</title><path class=\"arc {class}\" style=\"stroke-width:{}\" d=\"M{} {}Q{} {} {} {}\"/>{head}</g>",
        escape(&arc.title),
        at(width),
        at(curve.start.0),
        at(curve.start.1),
        at(curve.control.0),
        at(curve.control.1),
        at(curve.end.0),
        at(curve.end.1)
    )
}

/// The head at the end of the curve, in its direction.
fn arrow(curve: &Curve, class: &str, size: f64) -> String {
    let (dx, dy) = (curve.end.0 - curve.control.0, curve.end.1 - curve.control.1);
    let length = dx.hypot(dy).max(1e-9);
    let (dx, dy) = (dx / length, dy / length);
    let tip = (
        curve.end.0 - dx * NODE_RADIUS,
        curve.end.1 - dy * NODE_RADIUS,
    );
    let back = (tip.0 - dx * size * 1.5, tip.1 - dy * size * 1.5);
    let half = size * 0.6;
    format!(
        "<path class=\"head {class}\" d=\"M{} {}L{} {}L{} {}Z\"/>",
        at(tip.0),
        at(tip.1),
        at(back.0 - dy * half),
        at(back.1 + dx * half),
        at(back.0 + dy * half),
        at(back.1 - dx * half)
    )
}

/// The place on the curve that is furthest from the labels that are there.
fn free_place(curve: &Curve, taken: &[(f64, f64)]) -> (f64, f64) {
    // A label is wider than high: what is beside it is nearer than what is above.
    let distance = |(x, y): (f64, f64)| {
        let to = |other: &(f64, f64)| ((x - other.0) / 3.0).hypot(y - other.1);
        taken.iter().map(to).fold(40.0, f64::min)
    };
    let mut best = (curve.at(PLACES[0]), -1.0);
    for share in PLACES {
        let point = curve.at(share);
        let far = distance(point);
        if far > best.1 + 1.0 {
            best = (point, far);
        }
    }
    best.0
}
