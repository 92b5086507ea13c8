//! The percentile distribution of several rows in plain characters: latency over percentile, both on logarithmic scales, so that the tail
//! takes as much room as it deserves. It fits 80 columns.

use hdrhistogram::Histogram;

use crate::{measured::Row, text::duration_text};

/// Columns of the plot itself.
const WIDTH: usize = 66;
/// Lines of the plot itself.
const HEIGHT: usize = 18;
/// Columns of the labels on the left.
const LABEL: usize = 9;
/// Most decades of percentiles: up to 99.9999 %.
const DECADES_MAX: u32 = 6;

/// The plot of these rows, each with a letter of its own; empty without a sample.
pub fn plot(rows: &[Row]) -> String {
    let lines: Vec<(char, &Row)> = ('a'..='z')
        .zip(rows.iter().filter(|row| !row.histogram.is_empty()))
        .collect();
    let Some(scale) = Scale::of(&lines) else {
        return String::new();
    };
    let mut cells = vec![[' '; WIDTH]; HEIGHT];
    for (letter, row) in &lines {
        let values = (0..WIDTH).map_while(|column| scale.value_at(column, &row.histogram));
        for (column, value) in values.enumerate() {
            cells[scale.line_of(value)][column] = *letter;
        }
    }
    let mut text = String::new();
    for (line, cells) in cells.iter().enumerate() {
        // A label every third line, and at the bottom.
        let label = if line % 3 == 0 || line + 1 == HEIGHT {
            duration_text(scale.value_of(line) as u64)
        } else {
            String::new()
        };
        let cells: String = cells.iter().collect();
        text += format!("{label:>LABEL$} |{cells}").trim_end();
        text += "\n";
    }
    text += &format!("{:>LABEL$} +{}\n", "", "-".repeat(WIDTH));
    text += &axis(scale.decades);
    for pair in lines.chunks(3) {
        let names = pair
            .iter()
            .map(|(letter, row)| format!("{:<24}", format!("{letter} {}", row.name())));
        text += format!("  {}", names.collect::<String>()).trim_end();
        text += "\n";
    }
    text
}

/// How values and percentiles lie on the plot.
struct Scale {
    decades: u32,
    low_log: f64,
    high_log: f64,
}

impl Scale {
    fn of(lines: &[(char, &Row)]) -> Option<Self> {
        let of = |pick: fn(&Histogram<u64>) -> u64| {
            lines.iter().map(move |(_, row)| pick(&row.histogram))
        };
        let count = of(Histogram::len).max()?;
        let low = of(|histogram| histogram.value_at_quantile(0.0)).min()?;
        let high = of(Histogram::max).max()?;
        let low_log = (low.max(1) as f64).log10();
        Some(Self {
            decades: count.max(10).ilog10().clamp(1, DECADES_MAX),
            low_log,
            // A plot of one value has a height as well.
            high_log: (high.max(1) as f64).log10().max(low_log + 0.1),
        })
    }

    /// The quantile's value at this column; `None` where the histogram has too few samples to tell.
    fn value_at(&self, column: usize, histogram: &Histogram<u64>) -> Option<u64> {
        let exponent = column as f64 / (WIDTH - 1) as f64 * f64::from(self.decades);
        let odds = 10f64.powf(exponent);
        let is_told = odds <= histogram.len() as f64;
        is_told.then(|| histogram.value_at_quantile(1.0 - 1.0 / odds))
    }

    /// The line of this value; the first is the highest.
    fn line_of(&self, value: u64) -> usize {
        let share = ((value.max(1) as f64).log10() - self.low_log) / (self.high_log - self.low_log);
        let from_below = (share.clamp(0.0, 1.0) * (HEIGHT - 1) as f64).round() as usize;
        HEIGHT - 1 - from_below
    }

    fn value_of(&self, line: usize) -> f64 {
        let share = (HEIGHT - 1 - line) as f64 / (HEIGHT - 1) as f64;
        10f64.powf(self.low_log + share * (self.high_log - self.low_log))
    }
}

/// The labels under the plot: 0, 90, 99, 99.9 % and so on.
fn axis(decades: u32) -> String {
    let mut line = vec![' '; LABEL + 2 + WIDTH];
    for decade in 0..=decades {
        let label = match decade {
            0 => String::from("0"),
            1 => String::from("90"),
            2 => String::from("99"),
            more => format!("99.{}", "9".repeat(more as usize - 2)),
        };
        let label = format!("{label}%");
        let column = (WIDTH - 1) * decade as usize / decades as usize;
        let end = (LABEL + 2 + column + label.len() / 2 + 1).min(line.len());
        let start = end.saturating_sub(label.len());
        for (cell, letter) in line[start..end].iter_mut().zip(label.chars()) {
            *cell = letter;
        }
    }
    let line: String = line.into_iter().collect();
    format!("{}\n", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Stage;

    fn row(stage: Stage, values: impl Iterator<Item = u64>) -> Row {
        let mut histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).unwrap();
        values.for_each(|value| histogram.record(value).unwrap());
        Row {
            stage,
            venue: None,
            kind: None,
            histogram,
            negative: 0,
        }
    }

    #[test]
    fn it_fits_80_columns_and_rises_from_left_to_right() {
        let rows = [
            row(Stage::Feed, (1..=100_000).map(|step| step * 1_000)),
            row(Stage::Queue, std::iter::repeat_n(50, 1_000)),
        ];
        let text = plot(&rows);
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert!(
            text.contains("a feed") && text.contains("b queue"),
            "{text}"
        );
        for label in ["0%", "90%", "99%", "99.9%", "99.99%", "99.999%"] {
            assert!(text.contains(label), "{label} in\n{text}");
        }
        // Of a steady row every cell is on one line, as far as its count reaches.
        let steady: Vec<&str> = text.lines().filter(|line| line.contains("bb")).collect();
        assert_eq!(steady.len(), 1, "{text}");
        let lines: Vec<&str> = text.lines().collect();
        let first_column = |line: &str| line.find('a');
        let columns: Vec<usize> = lines[..HEIGHT]
            .iter()
            .rev()
            .filter_map(|line| first_column(line))
            .collect();
        assert!(columns.is_sorted(), "{text}");
    }

    /// How high above the bottom the letter of a column is.
    fn height(text: &str, column: usize) -> Option<usize> {
        let lines: Vec<&str> = text.lines().take(HEIGHT).collect();
        let is_there = |line: &&&str| line.chars().nth(LABEL + 2 + column) == Some('a');
        let from_top = lines.iter().position(|line| is_there(&line))?;
        Some(HEIGHT - 1 - from_top)
    }

    #[test]
    fn a_tail_of_the_first_power_is_a_straight_line() {
        // The share above a value falls as its inverse: what one in n exceeds is n us.
        const COUNT: u64 = 100_000;
        let text = plot(&[row(
            Stage::Feed,
            (0..COUNT).map(|rank| 1_000 * COUNT / (COUNT - rank)),
        )]);
        // In the last decades one sample more or less is seen.
        for (columns, tolerance) in [
            (0..WIDTH * 3 / 5, 0.52),
            (WIDTH * 3 / 5..WIDTH * 4 / 5, 0.7),
        ] {
            for column in columns {
                let expected = column as f64 / (WIDTH - 1) as f64 * (HEIGHT - 1) as f64;
                let missed_by = (height(&text, column).unwrap() as f64 - expected).abs();
                assert!(missed_by < tolerance, "column {column} in\n{text}");
            }
        }
        // All but one of the samples: the second highest, 50 ms.
        assert_eq!(height(&text, WIDTH - 1), Some(HEIGHT - 2), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        let labels = [(0, "100 ms"), (HEIGHT - 1, "1.00 us")];
        for (line, label) in labels {
            assert!(
                lines[line].trim_start().starts_with(label),
                "{label} in\n{text}"
            );
        }
        let axis = "           0%          90%          99%         99.9%        99.99%   99.999%";
        assert_eq!(lines[HEIGHT + 1], axis, "{text}");
    }

    #[test]
    fn beyond_a_million_samples_the_axis_ends_at_the_sixth_nine() {
        let mut row = row(Stage::Feed, std::iter::once(1));
        row.histogram.record_n(1_000, 20_000_000).unwrap();
        let text = plot(&[row]);
        assert!(
            text.contains("99.9999%") && !text.contains("99.99999"),
            "{text}"
        );
    }

    #[test]
    fn nothing_makes_no_plot() {
        assert_eq!(plot(&[]), "");
        assert_eq!(plot(&[row(Stage::Feed, std::iter::empty())]), "");
        assert!(plot(&[row(Stage::Feed, std::iter::once(0))]).contains("a feed"));
    }
}
