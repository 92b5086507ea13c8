//! Whether two prices stay together: the test of Engle and Granger (1987, Econometrica 55).
//!
//! The first is regressed on the second and a constant; then a unit root in the residuals is tested by an augmented
//! Dickey-Fuller regression without constant. Critical values: MacKinnon, 2010, "Critical values for cointegration
//! tests", Queen's University working paper 1227; p-values: MacKinnon, 1994, J. Business & Economic Statistics 12(2).
//! Both for two series and a constant.

use super::{config::ADF_LAGS_MAX, normal::normal_below};

/// A straight line through points, by least squares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// By how much `y` grows with `x`.
    pub slope: f64,
    /// `y` at `x = 0`.
    pub intercept: f64,
    /// Mean squared residual.
    pub residual_variance: f64,
    /// Mean of `x` and its variance.
    pub x_moments: [f64; 2],
}

impl Line {
    /// The line through `y` over `x`; none for fewer than three points, or when `x` or `y` does not vary.
    pub fn fit(y: &[f64], x: &[f64]) -> Option<Self> {
        if y.len() != x.len() || y.len() < 3 {
            return None;
        }
        let number = y.len() as f64;
        let (x_mean, y_mean) = (
            x.iter().sum::<f64>() / number,
            y.iter().sum::<f64>() / number,
        );
        let (mut x_square, mut product, mut y_square) = (0.0, 0.0, 0.0);
        for (y, x) in y.iter().zip(x) {
            let (dx, dy) = (x - x_mean, y - y_mean);
            x_square += dx * dx;
            product += dx * dy;
            y_square += dy * dy;
        }
        if x_square <= f64::MIN_POSITIVE || y_square <= f64::MIN_POSITIVE {
            return None;
        }
        let slope = product / x_square;
        let rest = (y_square - slope * product).max(0.0);
        Some(Self {
            slope,
            intercept: y_mean - slope * x_mean,
            residual_variance: rest / number,
            x_moments: [x_mean, x_square / number],
        })
    }

    /// What is left of a point.
    pub fn residual(&self, y: f64, x: f64) -> f64 {
        y - self.intercept - self.slope * x
    }
}

/// Unknowns of the largest regression.
const UNKNOWNS: usize = ADF_LAGS_MAX + 1;

/// Statistic of the augmented Dickey-Fuller test without constant: the t-value of the level in a regression of the
/// differences on the level before and `lags` earlier differences. None when the regression has no answer.
pub fn dickey_fuller(values: &[f64], lags: usize) -> Option<f64> {
    let size = lags + 1;
    if lags > ADF_LAGS_MAX || values.len() < 2 * size + 3 {
        return None;
    }
    let mut normal = [[0.0; UNKNOWNS]; UNKNOWNS];
    let (mut right, mut total) = ([0.0; UNKNOWNS], 0.0);
    for place in size..values.len() {
        let row = regressors(values, place, lags);
        let target = values[place] - values[place - 1];
        total += target * target;
        for first in 0..size {
            right[first] += row[first] * target;
            for second in 0..=first {
                normal[first][second] += row[first] * row[second];
            }
        }
    }
    let solved = Cholesky::new(normal, size)?;
    let solution = solved.solve(right);
    // The residuals themselves, not a difference of large sums.
    let mut rest = 0.0;
    for place in size..values.len() {
        let row = regressors(values, place, lags);
        let mut error = values[place] - values[place - 1];
        for index in 0..size {
            error -= solution[index] * row[index];
        }
        rest += error * error;
    }
    let freedom = (values.len() - size - size) as f64;
    let mut unit = [0.0; UNKNOWNS];
    unit[0] = 1.0;
    let variance = rest / freedom * solved.solve(unit)[0];
    let is_answer = variance > 0.0 && rest > total * 1e-24;
    is_answer.then(|| solution[0] / libm::sqrt(variance))
}

fn regressors(values: &[f64], place: usize, lags: usize) -> [f64; UNKNOWNS] {
    let mut row = [0.0; UNKNOWNS];
    row[0] = values[place - 1];
    for lag in 1..=lags {
        row[lag] = values[place - lag] - values[place - lag - 1];
    }
    row
}

/// A positive definite matrix as the product of a triangle with its transpose.
struct Cholesky {
    triangle: [[f64; UNKNOWNS]; UNKNOWNS],
    size: usize,
}

impl Cholesky {
    /// Of the lower triangle of `matrix`; none when it is not positive definite.
    fn new(matrix: [[f64; UNKNOWNS]; UNKNOWNS], size: usize) -> Option<Self> {
        let mut triangle = [[0.0; UNKNOWNS]; UNKNOWNS];
        for row in 0..size {
            for column in 0..=row {
                let mut rest = matrix[row][column];
                for (one, other) in triangle[row].iter().zip(&triangle[column]).take(column) {
                    rest -= one * other;
                }
                triangle[row][column] = if row != column {
                    rest / triangle[column][column]
                } else if rest > matrix[row][row] * 1e-14 {
                    libm::sqrt(rest)
                } else {
                    return None;
                };
            }
        }
        Some(Self { triangle, size })
    }

    fn solve(&self, right: [f64; UNKNOWNS]) -> [f64; UNKNOWNS] {
        let mut solution = right;
        for row in 0..self.size {
            for column in 0..row {
                solution[row] -= self.triangle[row][column] * solution[column];
            }
            solution[row] /= self.triangle[row][row];
        }
        for row in (0..self.size).rev() {
            for column in row + 1..self.size {
                solution[row] -= self.triangle[column][row] * solution[column];
            }
            solution[row] /= self.triangle[row][row];
        }
        solution
    }
}

/// What Engle and Granger's test says of two series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EngleGranger {
    /// First on second.
    pub line: Line,
    /// Statistic of the unit root test: the further below zero, the surer.
    pub statistic: f64,
    /// Chance of such a statistic for independent random walks.
    pub p_value: f64,
}

/// Tests `first` and `second`; `residuals` is scratch of the same length. None when a regression has no answer.
pub fn engle_granger(
    first: &[f64],
    second: &[f64],
    lags: usize,
    residuals: &mut [f64],
) -> Option<EngleGranger> {
    let line = Line::fit(first, second)?;
    if residuals.len() != first.len() {
        return None;
    }
    for ((residual, y), x) in residuals.iter_mut().zip(first).zip(second) {
        *residual = line.residual(*y, *x);
    }
    let statistic = dickey_fuller(residuals, lags)?;
    Some(EngleGranger {
        line,
        statistic,
        p_value: p_value(statistic),
    })
}

/// Critical values at 1 %, 5 % and 10 % for `observations`.
pub fn critical_values(observations: usize) -> [f64; 3] {
    const CURVES: [[f64; 3]; 3] = [
        [-3.89644, -10.9519, -33.527],
        [-3.33613, -6.1101, -6.823],
        [-3.04445, -4.2412, -2.720],
    ];
    let inverse = 1.0 / observations.max(1) as f64;
    CURVES.map(|[limit, slope, bend]| limit + inverse * (slope + inverse * bend))
}

/// Asymptotic chance of a statistic at most this, for independent random walks.
pub fn p_value(statistic: f64) -> f64 {
    /// Beyond these the chance is 1 and 0.
    const REACH: [f64; 2] = [-18.86, 0.92];
    /// Where the two curves meet.
    const MEETING: f64 = -2.62;
    if statistic > REACH[1] {
        return 1.0;
    }
    if statistic < REACH[0] {
        return 0.0;
    }
    let [constant, linear, square, cube] = if statistic <= MEETING {
        [2.92, 1.5012, 0.039796, 0.0]
    } else {
        [2.1945, 0.64695, -0.29198, -0.042377]
    };
    normal_below(constant + statistic * (linear + statistic * (square + statistic * cube)))
}
