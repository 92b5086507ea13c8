//! Fair values: correlated random walks of the assets, seen by each instrument after its own delay.
//!
//! On a fixed grid, every factor draws a normal (and at times a jump), every asset adds its own; the loadings are a
//! matrix walked by explicit loops, so the order of every sum is fixed. An instrument's fair value is the asset's path
//! `delay` ago plus the instrument's own mean-reverting premium. That plants who leads whom, and by how much.
//!
//! Seasons change the parameters, never the values: a path, a premium and the memory of own moves go on from where they
//! are, and a delay changes by one step at a time.
//!
//! Invariant: draws depend on the seed and the config only, never on what the traders did.

use ndarray::Array2;

use super::{
    config::WorldConfig,
    season::{Calendar, GLIDE_STEPS, MOMENTUM_S, SeasonConfig},
    truth::{self, Truth},
};
use crate::rng::Random;

/// Seconds in the year that volatilities are quoted for.
const SECONDS_PER_YEAR: f64 = 365.0 * 86_400.0;
const NS_PER_S: f64 = 1e9;
/// Random stream of the fair values; the traders' streams follow.
const STREAM: u64 = 0;

/// The paths of all assets with as much history as the longest delay needs.
#[derive(Clone, Debug)]
pub(super) struct FairValues {
    random: Random,
    step_ns: i64,
    ts_start_ns: i64,
    /// Grid steps made so far.
    step_count: i64,
    /// Move of an asset (row) for one unit of a factor (column) in one calm step.
    loadings: Array2<f64>,
    /// Move of an asset for one unit of its own noise in one calm step.
    own_deviations: Vec<f64>,
    factor_moves: Vec<f64>,
    /// Log price of each asset (row) at each remembered step (column, modulo its count).
    paths: Array2<f64>,
    instruments: Vec<Follower>,
    /// Log premium of each instrument now.
    premiums: Vec<f64>,
    /// Fair price of each instrument (row), remembered like the paths.
    prices: Array2<f64>,
    /// Fading sum of each asset's own noise: what momentum carries on.
    own_sums: Vec<f64>,
    /// Share of that sum that survives one step.
    own_keep: f64,
    calendar: Calendar,
    season: usize,
    regime: Regime,
    jump_probability: f64,
    /// A jump in units of one step's deviation.
    jump_scale: f64,
}

/// How an instrument follows its asset.
#[derive(Clone, Debug)]
struct Follower {
    asset: usize,
    /// Delay as planted.
    planted_steps: i64,
    /// Delay now.
    delay_steps: i64,
    /// Share of the premium that survives one step.
    premium_keep: f64,
    premium_deviation: f64,
}

#[derive(Clone, Debug)]
struct Regime {
    is_busy: bool,
    busy_ratio: f64,
    /// Probability to leave calm and busy times in one step.
    leave: [f64; 2],
}

impl FairValues {
    /// Paths at their start.
    pub(super) fn new(config: &WorldConfig, truth: &Truth, assets: &[usize], seed: u64) -> Self {
        let step_s = config.step_ns as f64 / NS_PER_S;
        let oldest_ns = truth.delay_ns_max() + config.flow.maker_delay_ns_max;
        let columns = (oldest_ns / config.step_ns) as usize + 3;
        let mut paths = Array2::zeros((config.assets.len(), columns));
        for (row, asset) in config.assets.iter().enumerate() {
            paths.row_mut(row).fill(libm::log(asset.price));
        }
        let (loadings, own_deviations) = truth::step_loadings(config, SECONDS_PER_YEAR / step_s);
        let calendar = truth.calendar().clone();
        let (season, first) = calendar.at(config.ts_start_ns);
        let follower = |(index, row): (usize, &super::InstrumentConfig)| {
            let keep = libm::exp(-core::f64::consts::LN_2 * step_s / row.basis_half_life_s);
            let planted_steps = truth.delays_ns()[index] / config.step_ns;
            Follower {
                asset: assets[index],
                planted_steps,
                delay_steps: first.delay_steps(planted_steps),
                premium_keep: keep,
                premium_deviation: row.basis_deviation * libm::sqrt(1.0 - keep * keep),
            }
        };
        let instruments: Vec<Follower> = config
            .instruments
            .iter()
            .enumerate()
            .map(follower)
            .collect();
        let mut prices = Array2::zeros((instruments.len(), columns));
        for (row, follower) in instruments.iter().enumerate() {
            let start = paths[(follower.asset, 0)];
            prices.row_mut(row).fill(libm::exp(start));
        }
        Self {
            random: Random::new(seed, STREAM),
            step_ns: config.step_ns,
            ts_start_ns: config.ts_start_ns,
            step_count: 0,
            loadings,
            own_deviations,
            factor_moves: vec![0.0; config.factors.len()],
            paths,
            instruments,
            premiums: vec![0.0; config.instruments.len()],
            prices,
            own_sums: vec![0.0; config.assets.len()],
            own_keep: libm::exp(-step_s / MOMENTUM_S),
            season,
            regime: Regime {
                is_busy: false,
                busy_ratio: config.regime.busy_ratio,
                leave: [
                    step_s / config.regime.calm_mean_s,
                    step_s / config.regime.busy_mean_s,
                ],
            },
            jump_probability: config.jumps.rate_per_s * step_s,
            jump_scale: config.jumps.deviation / libm::sqrt(step_s),
            calendar,
        }
    }

    /// When the next grid step is due.
    pub(super) const fn ts_next_ns(&self) -> i64 {
        self.ts_start_ns + (self.step_count + 1) * self.step_ns
    }

    /// The season that holds for the next step.
    pub(super) fn season(&self) -> (usize, &SeasonConfig) {
        (self.season, &self.calendar.seasons()[self.season])
    }

    /// One grid step of every asset and premium.
    pub(super) fn step(&mut self) {
        let before = self.column(self.step_count);
        self.step_count += 1;
        let column = self.column(self.step_count);
        let season = &self.calendar.seasons()[self.season];
        let (volatility, momentum) = (season.volatility_factor, season.momentum);
        let basis = season.basis_factor;
        let scale = self.regime_scale() * volatility;
        for slot in &mut self.factor_moves {
            let mut moved = self.random.normal() * scale;
            if self.random.chance(self.jump_probability) {
                moved += self.random.normal() * self.jump_scale * volatility;
            }
            *slot = moved;
        }
        let sequel = momentum * (1.0 - self.own_keep);
        for asset in 0..self.own_deviations.len() {
            let own = self.random.normal() * scale * self.own_deviations[asset];
            let mut moved = own;
            for (factor, factor_move) in self.factor_moves.iter().enumerate() {
                moved += self.loadings[(asset, factor)] * factor_move;
            }
            moved += self.own_sums[asset] * sequel;
            self.own_sums[asset] = self.own_sums[asset] * self.own_keep + own;
            self.paths[(asset, column)] = self.paths[(asset, before)] + moved;
        }
        for (premium, follower) in self.premiums.iter_mut().zip(&self.instruments) {
            let noise = self.random.normal() * follower.premium_deviation * basis;
            *premium = *premium * follower.premium_keep + noise;
        }
        self.glide();
        self.see();
        let ts_ns = self.ts_start_ns + self.step_count * self.step_ns;
        self.season = self.calendar.at(ts_ns).0;
    }

    /// Lets every delay that is not the season's come nearer to it.
    fn glide(&mut self) {
        if self.step_count % GLIDE_STEPS != 0 {
            return;
        }
        let season = &self.calendar.seasons()[self.season];
        for follower in &mut self.instruments {
            let wanted_steps = season.delay_steps(follower.planted_steps);
            follower.delay_steps += (wanted_steps - follower.delay_steps).signum();
        }
    }

    /// Writes down what every instrument's fair price is now.
    fn see(&mut self) {
        let column = self.column(self.step_count);
        for index in 0..self.instruments.len() {
            let follower = &self.instruments[index];
            let seen = self.column(self.step_count - follower.delay_steps);
            let log_price = self.paths[(follower.asset, seen)] + self.premiums[index];
            self.prices[(index, column)] = libm::exp(log_price);
        }
    }

    /// Fair price of an instrument as known to somebody who looks `age_ns` late.
    pub(super) fn price(&self, instrument: usize, age_ns: i64) -> f64 {
        let seen = self.step_count - age_ns / self.step_ns;
        self.prices[(instrument, self.column(seen))]
    }

    /// Log premium of an instrument over its asset now.
    pub(super) fn premium(&self, instrument: usize) -> f64 {
        self.premiums[instrument]
    }

    fn regime_scale(&mut self) -> f64 {
        let leave = self.regime.leave[usize::from(self.regime.is_busy)];
        if self.random.chance(leave) {
            self.regime.is_busy = !self.regime.is_busy;
        }
        if self.regime.is_busy {
            self.regime.busy_ratio
        } else {
            1.0
        }
    }

    /// Where a step is remembered; steps before the start read as the start (all columns begin equal).
    fn column(&self, step: i64) -> usize {
        step.rem_euclid(self.paths.ncols() as i64) as usize
    }
}
