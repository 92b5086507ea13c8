//! Drawings as inline SVG. Coordinates are rounded to a tenth; colours are classes of the page's style, so that one drawing
//! suits light, dark and paper.

mod area;
mod axis;
mod graph;
mod heat;
mod histogram;
mod lanes;
mod line;

pub(crate) use self::{
    area::stacked,
    axis::{Times, Unit},
    graph::{Arc, circle},
    heat::{class_of, legend as heat_legend, matrix, strip, style as heat_style},
    histogram::{Distribution, distributions},
    lanes::{Bar, Lane, lanes},
    line::{Chart, Series, lines},
};

/// Width of the drawings that span the page.
const WIDTH: f64 = 960.0;
/// Colours that series take in turn.
pub(crate) const COLOURS: usize = 10;
/// Room that one letter of a label takes at most, in the widest of the usual fonts.
const LETTER: f64 = 7.6;
/// Most columns of a drawing that say their values under the pointer.
const HOVER_COLUMNS_MAX: usize = 150;

/// The part of a drawing in which values lie.
#[derive(Clone, Copy, Debug)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    const fn width(&self) -> f64 {
        self.right - self.left
    }

    const fn height(&self) -> f64 {
        self.bottom - self.top
    }
}

/// A coordinate: one decimal place, none where it is zero.
fn at(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => String::from("0"),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// The outer element.
fn drawing(width: f64, height: f64, what: &str, inner: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" style=\"max-width:{}px\">{inner}</svg>",
        at(width),
        at(height),
        crate::html::escape(what),
        at(width),
    )
}

/// The names of series with their colours, in rows of bounded width, and the height they take.
fn legend(names: &[(usize, &str)], area: &Area, top: f64) -> (String, f64) {
    const ROW: f64 = 18.0;
    let (mut text, mut x, mut y) = (String::new(), area.left, top);
    for (colour, name) in names {
        let width = 30.0 + LETTER * name.chars().count() as f64;
        if x > area.left && x + width > area.right {
            (x, y) = (area.left, y + ROW);
        }
        text += &format!(
            "<rect class=\"f{}\" x=\"{}\" y=\"{}\" width=\"12\" height=\"10\"/><text x=\"{}\" y=\"{}\">{}</text>",
            colour % COLOURS,
            at(x),
            at(y),
            at(x + 17.0),
            at(y + 9.5),
            crate::html::escape(name)
        );
        x += width;
    }
    (text, y + ROW - top)
}
