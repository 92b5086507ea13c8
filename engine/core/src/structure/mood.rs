//! The market as a whole: how much it moves (regime, changes) and whether it drifts.
//!
//! Once a step, each instrument's move is measured in its own usual size. The logarithm of the mean size, measured
//! against its own slow mean and deviation, is what regime and changes are told from; the mean of the signed moves is
//! what a drift is told from.

use alloc::{vec, vec::Vec};

use super::{
    change::{Cusum, Prior, RunLengths},
    found::Regime,
    hayashi_yoshida::{HayashiYoshida, LOG_PRICE_MAX},
    persist::load_float,
    regime::{HmmFilter, HmmStates},
};
use crate::{
    snapshot::{Decoder, Sink, SnapshotError},
    stats::{Ewma, StatsError},
};

/// A run of fewer observations means that something has just changed.
pub const CHANGE_RUN_SHORT: usize = 10;
/// Faded number of observations before anything is told from them.
const OBSERVATIONS_MIN: f64 = 20.0;
/// Deviations at which an observation is cut.
const OBSERVATION_MAX: f64 = 6.0;
/// Drift per observation that is let pass, and the sum that is an alarm, in deviations: one false alarm in about
/// 6,000 normal observations.
const CUSUM: (f64, f64) = (0.5, 7.5);
/// Belief about a run's observations: about zero, with the variance within one regime.
const PRIOR: Prior = Prior {
    mean: 0.0,
    mean_weight: 0.1,
    shape: 2.0,
    scale: 1.0,
};

/// Last price of one instrument and the usual size of its moves.
#[derive(Clone, Copy, Debug)]
struct Mover {
    log_price: Option<f64>,
    size: Ewma,
}

/// Everything about the market as a whole.
#[derive(Clone, Debug)]
pub(super) struct Mood {
    step_ns: i64,
    movers: Vec<Mover>,
    activity: Ewma,
    signed: Ewma,
    hmm: HmmFilter,
    runs: RunLengths,
    drifts: Cusum,
    change_probability: f64,
    is_alarm: bool,
    change_count: u64,
}

impl Mood {
    /// None of the parts refuses parameters that the configuration's check let pass.
    pub(super) fn new(
        count: usize,
        step_ns: i64,
        half_life_ns: i64,
        states: (usize, f64),
        change: (f64, f64),
    ) -> Result<Option<Self>, StatsError> {
        let mover = Mover {
            log_price: None,
            size: Ewma::new(half_life_ns)?,
        };
        let parts = (
            HmmFilter::new(HmmStates::spread(states.0, states.1)),
            RunLengths::new(change.0, PRIOR),
            Cusum::new(CUSUM.0, CUSUM.1),
        );
        let (Some(hmm), Some(runs), Some(drifts)) = parts else {
            return Ok(None);
        };
        Ok(Some(Self {
            step_ns,
            movers: vec![mover; count],
            activity: Ewma::new(half_life_ns)?,
            signed: Ewma::new(half_life_ns)?,
            hmm,
            runs,
            drifts,
            change_probability: change.1,
            is_alarm: false,
            change_count: 0,
        }))
    }

    /// Looks at the market once a step.
    pub(super) fn observe(&mut self, ticks: &HayashiYoshida) {
        let (mut sizes, mut moves, mut number) = (0.0, 0.0, 0.0);
        for (index, mover) in self.movers.iter_mut().enumerate() {
            let price = ticks.price(index);
            if let (Some(before), Some(now)) = (mover.log_price, price) {
                let usual = mover.size.mean();
                let change = now - before;
                if usual > f64::MIN_POSITIVE {
                    sizes += libm::fabs(change) / usual;
                    moves += change / usual;
                    number += 1.0;
                }
                mover.size.update(libm::fabs(change), self.step_ns);
            }
            mover.log_price = price;
        }
        if number > 0.0 {
            self.observe_size(sizes / number);
            self.observe_move(moves / number);
        }
    }

    fn observe_size(&mut self, size: f64) {
        // A step in which nothing moved has no logarithm; it is as calm as can be told.
        let value = libm::log(size.max(1e-6));
        let score = self.activity.z_score(value);
        let is_known = self.activity.weight() >= OBSERVATIONS_MIN;
        self.activity.update(value, self.step_ns);
        if !is_known {
            return;
        }
        let score = score.clamp(-OBSERVATION_MAX, OBSERVATION_MAX);
        self.hmm.update(score);
        self.runs.update(score);
        let is_settled = self.activity.weight() > 2.0 * OBSERVATIONS_MIN;
        let is_short = self.runs.shorter_than(CHANGE_RUN_SHORT) > self.change_probability;
        let is_alarm = is_settled && is_short;
        self.change_count += u64::from(is_alarm && !self.is_alarm);
        self.is_alarm = is_alarm;
    }

    fn observe_move(&mut self, value: f64) {
        let score = self.signed.z_score(value);
        let is_known = self.signed.weight() >= OBSERVATIONS_MIN;
        self.signed.update(value, self.step_ns);
        if is_known {
            self.drifts
                .update(score.clamp(-OBSERVATION_MAX, OBSERVATION_MAX));
        }
    }

    pub(super) fn regime(&self) -> Regime {
        Regime {
            state: self.hmm.state() as u8,
            probabilities: self.hmm.probabilities(),
        }
    }

    pub(super) const fn is_alarm(&self) -> bool {
        self.is_alarm
    }

    pub(super) const fn change_count(&self) -> u64 {
        self.change_count
    }

    pub(super) const fn drift_count(&self) -> u64 {
        self.drifts.alarm_count()
    }

    pub(super) fn write(&self, out: &mut impl Sink) {
        for mover in &self.movers {
            out.bool(mover.log_price.is_some());
            out.f64(mover.log_price.unwrap_or(0.0));
            mover.size.write(out);
        }
        self.activity.write(out);
        self.signed.write(out);
        self.hmm.write(out);
        self.runs.write(out);
        self.drifts.write(out);
        out.bool(self.is_alarm);
        out.u64(self.change_count);
    }

    pub(super) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for mover in &mut self.movers {
            let is_known = from.bool()?;
            let log_price = load_float(from)?;
            let is_price = libm::fabs(log_price) <= LOG_PRICE_MAX;
            from.expect(is_price, "a log price")?;
            mover.log_price = is_known.then_some(log_price);
            mover.size.load(from)?;
        }
        self.activity.load(from)?;
        self.signed.load(from)?;
        self.hmm.load(from)?;
        self.runs.load(from)?;
        self.drifts.load(from)?;
        self.is_alarm = from.bool()?;
        self.change_count = from.count()?;
        Ok(())
    }
}
