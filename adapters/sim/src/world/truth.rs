//! What was planted: correlations, who leads whom and by how much. Estimators are tested against it.

use acth_core::instrument::{InstrumentId, Instruments};
use ndarray::Array2;

use super::{
    config::{DELAY_NS_MAX, WorldConfig, WorldError},
    season::{Calendar, SeasonConfig},
};

/// One planted lead: the follower's fair value repeats the leader's moves after `lag_ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlantedLag {
    /// Who moves first.
    pub leader: InstrumentId,
    /// Who moves later.
    pub follower: InstrumentId,
    /// How much later.
    pub lag_ns: i64,
}

/// The parameters of a world that its data only hint at.
#[derive(Clone, Debug)]
pub struct Truth {
    lags: Vec<PlantedLag>,
    delays_ns: Vec<i64>,
    correlation: Array2<f64>,
    calendar: Calendar,
    step_ns: i64,
}

impl Truth {
    pub(super) fn new(
        config: &WorldConfig,
        instruments: &Instruments,
        assets: &[usize],
    ) -> Result<Self, WorldError> {
        let lags = planted_lags(config, instruments)?;
        let delays_ns = delays(&lags, instruments)?;
        for delay_ns in &delays_ns {
            if delay_ns % config.step_ns != 0 || *delay_ns < 0 {
                return Err(WorldError::Value {
                    place: "lags".to_owned(),
                    field: "lag_ns",
                    value: *delay_ns as f64,
                    expected: "multiples of step_ns, not negative",
                });
            }
        }
        let truth = Self {
            lags,
            delays_ns,
            correlation: correlation(config, assets),
            calendar: Calendar::new(config),
            step_ns: config.step_ns,
        };
        let delay_ns_max = truth.delay_ns_max();
        if delay_ns_max > DELAY_NS_MAX {
            return Err(WorldError::Value {
                place: "lags".to_owned(),
                field: "sum of lag_ns",
                value: delay_ns_max as f64,
                expected: "at most 1e10, in every season",
            });
        }
        Ok(truth)
    }

    /// The leads as configured.
    pub fn lags(&self) -> &[PlantedLag] {
        &self.lags
    }

    /// The season from `ts_ns` on, as its index and itself; none in a world without seasons.
    pub fn season_at(&self, ts_ns: i64) -> Option<(usize, &SeasonConfig)> {
        let (index, season) = self.calendar.at(ts_ns);
        (!self.seasons().is_empty()).then_some((index, season))
    }

    /// The seasons in their order.
    pub fn seasons(&self) -> &[SeasonConfig] {
        self.calendar.configured()
    }

    /// The delays (see `delays_ns`) that the season at `ts_ns` leads to. They glide there from those of the season before,
    /// by one grid step in four.
    pub fn delays_ns_at(&self, ts_ns: i64) -> Vec<i64> {
        let (_, season) = self.calendar.at(ts_ns);
        let delay = |delay_ns: &i64| season.delay_steps(delay_ns / self.step_ns) * self.step_ns;
        self.delays_ns.iter().map(delay).collect()
    }

    /// Longest delay of any instrument in any season.
    pub(super) fn delay_ns_max(&self) -> i64 {
        let planted_ns = self.delays_ns.iter().copied().max().unwrap_or(0);
        let in_season =
            |season: &SeasonConfig| season.delay_steps(planted_ns / self.step_ns) * self.step_ns;
        let delays_ns = self.calendar.seasons().iter().map(in_season);
        delays_ns.max().unwrap_or(planted_ns)
    }

    pub(super) const fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    /// How long after the news each instrument's fair value moves, by instrument id. For any two instruments the
    /// difference is the lag of the second behind the first. As planted, with every season's factor at 1.
    pub fn delays_ns(&self) -> &[i64] {
        &self.delays_ns
    }

    /// Long-run correlation of the fair values' moves once every delay is undone, by instrument id. As planted, with every
    /// season's factors at 1.
    pub const fn correlation(&self) -> &Array2<f64> {
        &self.correlation
    }
}

fn planted_lags(
    config: &WorldConfig,
    instruments: &Instruments,
) -> Result<Vec<PlantedLag>, WorldError> {
    let resolve = |name: &String| {
        let found = instruments.iter().find(|(_, row)| row.name() == *name);
        found.map(|(id, _)| id).ok_or_else(|| WorldError::Name {
            place: "lags".to_owned(),
            kind: "instrument",
            name: name.clone(),
        })
    };
    let planted = |row: &super::LagConfig| {
        Ok(PlantedLag {
            leader: resolve(&row.leader)?,
            follower: resolve(&row.follower)?,
            lag_ns: row.lag_ns,
        })
    };
    config.lags.iter().map(planted).collect()
}

/// Sums the lags along each chain of leaders; refuses second leaders and circles.
fn delays(lags: &[PlantedLag], instruments: &Instruments) -> Result<Vec<i64>, WorldError> {
    let mut delays_ns = vec![0; instruments.count()];
    for (id, row) in instruments.iter() {
        let (mut at, mut hops) = (id, 0);
        loop {
            let mut leads = lags.iter().filter(|lag| lag.follower == at);
            let Some(lead) = leads.next() else { break };
            hops += 1;
            if leads.next().is_some() || hops > lags.len() {
                return Err(WorldError::Lag(row.name()));
            }
            delays_ns[id.index()] += lead.lag_ns;
            at = lead.leader;
        }
    }
    Ok(delays_ns)
}

/// Moves per unit of each factor (asset by factor) and per unit of own noise, for `steps_per_year`.
pub(super) fn step_loadings(config: &WorldConfig, steps_per_year: f64) -> (Array2<f64>, Vec<f64>) {
    let mut loadings = Array2::zeros((config.assets.len(), config.factors.len()));
    let mut own = Vec::with_capacity(config.assets.len());
    for (row, asset) in config.assets.iter().enumerate() {
        let deviation = asset.annual_volatility / libm::sqrt(steps_per_year);
        let mut common = 0.0;
        for (column, loading) in asset.loadings.iter().enumerate() {
            loadings[(row, column)] = loading * deviation;
            common += loading * loading;
        }
        own.push(libm::sqrt((1.0 - common).max(0.0)) * deviation);
    }
    (loadings, own)
}

/// Covariance of one second's moves, by explicit loops over calm and busy times and jumps, scaled to correlation.
fn correlation(config: &WorldConfig, assets: &[usize]) -> Array2<f64> {
    let (loadings, own) = step_loadings(config, 365.0 * 86_400.0);
    let regime = &config.regime;
    let busy_share = regime.busy_mean_s / (regime.calm_mean_s + regime.busy_mean_s);
    let noise_variance = 1.0 - busy_share + busy_share * regime.busy_ratio * regime.busy_ratio;
    let jump_variance = config.jumps.rate_per_s * config.jumps.deviation * config.jumps.deviation;
    let factor_variance = noise_variance + jump_variance;
    let count = assets.len();
    let mut matrix = Array2::zeros((count, count));
    for row in 0..count {
        for column in 0..count {
            let (first, second) = (assets[row], assets[column]);
            let mut sum = 0.0;
            for factor in 0..config.factors.len() {
                sum += loadings[(first, factor)] * loadings[(second, factor)] * factor_variance;
            }
            if first == second {
                sum += own[first] * own[first] * noise_variance;
            }
            if row == column {
                let basis = &config.instruments[row];
                let rate = 2.0 * core::f64::consts::LN_2 / basis.basis_half_life_s;
                sum += basis.basis_deviation * basis.basis_deviation * rate;
            }
            matrix[(row, column)] = sum;
        }
    }
    let deviations: Vec<f64> = (0..count).map(|i| libm::sqrt(matrix[(i, i)])).collect();
    for row in 0..count {
        for column in 0..count {
            let scale = deviations[row] * deviations[column];
            if scale > 0.0 {
                matrix[(row, column)] /= scale;
            }
        }
    }
    matrix
}
