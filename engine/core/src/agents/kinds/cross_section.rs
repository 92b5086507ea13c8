//! Buys what has risen more than the rest and sells what has risen less, or the other way round: whichever has paid.
//!
//! Once a period every instrument's return of the lookback, in units of its own volatility and less the mean of all, is its
//! score. How much the next period's score follows from this one's is measured as a fading slope over all instruments: positive
//! is momentum, negative reversal. What it promises must pay for the costs, else nothing is wanted.

use alloc::{vec, vec::Vec};

use serde::{Deserialize, Serialize};

use super::super::{Agent, AgentError, Cause, Seen, Wish, seen::refuse};
use crate::{
    instrument::Instruments,
    snapshot::{Decoder, Sink, SnapshotError},
    stats::{EwmaPair, share_of_half_life},
};

/// Parameters of `CrossSection`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CrossSectionConfig {
    /// Length of a period and of the lookback, timer ticks.
    pub period_ticks: u64,
    /// Half-life of the measured slope, observations (periods times instruments).
    pub half_life_samples: f64,
    /// Periods before the first position.
    pub warm_up_periods: u64,
    /// What the score must promise beyond the costs of both ways, parts per million.
    pub edge_ppm_min: f64,
    /// Size of one position as a share of the agent's capital.
    pub position_share: f64,
}

impl Default for CrossSectionConfig {
    fn default() -> Self {
        Self {
            period_ticks: 20,
            half_life_samples: 2_000.0,
            warm_up_periods: 30,
            edge_ppm_min: 3.0,
            position_share: 0.25,
        }
    }
}

/// Largest score: one wild return must not decide the slope.
const SCORE_MAX: f64 = 4.0;
/// Least instruments for a comparison.
const COUNT_MIN: usize = 3;

/// The agent; see the module.
#[derive(Debug)]
pub struct CrossSection {
    config: CrossSectionConfig,
    share: f64,
    /// This period's score on the one before.
    relation: EwmaPair,
    relation_count: u64,
    periods: u64,
    scores: Vec<f64>,
    /// Expected log return of the next period.
    expected: Vec<f64>,
    wishes: Vec<Wish>,
}

impl CrossSection {
    /// Scores of the period that ends now; 0 for what has no quote.
    fn score(&self, seen: &Seen<'_>, index: usize) -> Option<f64> {
        let row = seen.features.row(index);
        let ticks = self.config.period_ticks as usize;
        let seconds = ticks as f64 * 0.1;
        let scale = row.volatility_per_root_second() * libm::sqrt(seconds);
        if seen.quote(index).is_none() || scale <= 0.0 {
            return None;
        }
        Some((row.return_over(ticks) / scale).clamp(-SCORE_MAX, SCORE_MAX))
    }

    fn end_period(&mut self, seen: &Seen<'_>) {
        self.periods += 1;
        let (mut sum, mut count) = (0.0, 0usize);
        for index in 0..seen.count() {
            if let Some(score) = self.score(seen, index) {
                sum += score;
                count += 1;
            }
        }
        if count < COUNT_MIN {
            self.expected.fill(0.0);
            self.wishes.fill(Wish::NONE);
            return;
        }
        let mean = sum / count as f64;
        for index in 0..seen.count() {
            let Some(score) = self.score(seen, index).map(|score| score - mean) else {
                self.scores[index] = 0.0;
                self.expected[index] = 0.0;
                self.wishes[index] = Wish::NONE;
                continue;
            };
            let before = self.scores[index];
            if self.periods > 1 {
                let share = if self.relation_count == 0 {
                    1.0
                } else {
                    self.share
                };
                self.relation.update(before, score, share);
                self.relation_count += 1;
            }
            self.scores[index] = score;
            self.want(seen, index);
        }
    }

    fn want(&mut self, seen: &Seen<'_>, index: usize) {
        self.wishes[index] = Wish::NONE;
        self.expected[index] = 0.0;
        let Some(cost) = seen.cost_to_cross(index) else {
            return;
        };
        if self.periods < self.config.warm_up_periods {
            return;
        }
        let seconds = self.config.period_ticks as f64 * 0.1;
        let scale = seen.features.row(index).volatility_per_root_second() * libm::sqrt(seconds);
        // A slope that is not clearly different from nothing is nothing: 3 standard errors of a correlation of zero.
        let weight = (1.0 / self.share).min(self.relation_count as f64).max(1.0);
        let is_clear = libm::fabs(self.relation.correlation()) > 3.0 / libm::sqrt(weight);
        if !is_clear {
            return;
        }
        let expected = self.relation.slope() * self.scores[index] * scale;
        self.expected[index] = expected;
        let edge = libm::fabs(expected);
        if edge > 2.0 * cost + self.config.edge_ppm_min * 1e-6 {
            let direction = if expected > 0.0 { 1.0 } else { -1.0 };
            self.wishes[index] = Wish::position(direction * self.config.position_share, edge);
        }
    }
}

impl Agent for CrossSection {
    type Config = CrossSectionConfig;
    const NAME: &'static str = "cross-section";

    fn new(config: &Self::Config, instruments: &Instruments) -> Result<Self, AgentError> {
        if !(1..=100).contains(&config.period_ticks) {
            return Err(refuse(Self::NAME, "period_ticks", "from 1 to 100"));
        }
        if !(config.position_share > 0.0 && config.position_share <= 1.0) {
            return Err(refuse(
                Self::NAME,
                "position_share",
                "above 0 and at most 1",
            ));
        }
        let share = share_of_half_life(config.half_life_samples)
            .map_err(|_| refuse(Self::NAME, "half_life_samples", "positive and finite"))?;
        let count = instruments.count();
        Ok(Self {
            config: *config,
            share,
            relation: EwmaPair::default(),
            relation_count: 0,
            periods: 0,
            scores: vec![0.0; count],
            expected: vec![0.0; count],
            wishes: vec![Wish::NONE; count],
        })
    }

    fn observe(&mut self, seen: &Seen<'_>, cause: Cause) {
        if cause == Cause::Timer && seen.ticks.is_multiple_of(self.config.period_ticks) {
            self.end_period(seen);
        }
    }

    fn signal(&self, _seen: &Seen<'_>, index: usize) -> f64 {
        self.expected[index]
    }

    fn act(&mut self, _seen: &Seen<'_>, index: usize) -> Wish {
        self.wishes[index]
    }

    fn write(&self, out: &mut impl Sink) {
        self.relation.write(out);
        out.u64(self.relation_count);
        out.u64(self.periods);
        self.scores.iter().for_each(|score| out.f64(*score));
        self.expected.iter().for_each(|expected| out.f64(*expected));
        self.wishes.iter().for_each(|wish| wish.write(out));
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.relation.load(from)?;
        self.relation_count = from.count()?;
        self.periods = from.count()?;
        for score in &mut self.scores {
            *score = from.f64()?;
        }
        for expected in &mut self.expected {
            *expected = from.f64()?;
        }
        for wish in &mut self.wishes {
            *wish = Wish::load(from)?;
        }
        Ok(())
    }
}
