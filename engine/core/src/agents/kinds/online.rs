//! Learns while it trades: for each instrument a linear forecast of the next return by recursive least squares.
//!
//! The inputs are a few of the features, brought to about unit size, and what the other agents expect. What came of each
//! forecast teaches it when its horizon has passed. It trades when the forecast pays for the costs.

use alloc::{vec, vec::Vec};

use serde::{Deserialize, Serialize};

use super::super::{AGENTS_MAX, Agent, AgentError, Cause, Hurdle, Seen, Trust, Wish, seen::refuse};
use crate::{
    event::Side,
    features::{FEATURE_COUNT, index_of},
    instrument::Instruments,
    predict::{Intervals, Rls},
    snapshot::{Decoder, Sink, SnapshotError},
};

/// Parameters of `OnlineLinear`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OnlineConfig {
    /// How far ahead it looks, timer ticks.
    pub horizon_ticks: usize,
    /// Share of the weight that an observation keeps when the next one comes.
    pub forgetting: f64,
    /// Strength of the pull towards zero at the start.
    pub ridge: f64,
    /// Observations of an instrument before it trades it.
    pub warm_up_samples: u64,
    /// What the forecast must promise beyond the costs of both ways, parts per million.
    pub edge_ppm_min: f64,
    /// Size of the largest position as a share of the agent's capital: one whose edge is as large as what forecasts miss by.
    pub position_share: f64,
    /// Share of the outcomes that miss their forecast by less than what an edge is measured against, between 0 and 1.
    pub size_coverage: f64,
}

impl Default for OnlineConfig {
    fn default() -> Self {
        Self {
            horizon_ticks: 5,
            forgetting: 0.999,
            ridge: 10.0,
            warm_up_samples: 300,
            edge_ppm_min: 3.0,
            position_share: 0.25,
            size_coverage: 0.5,
        }
    }
}

/// The features it looks at, with the size that counts as one.
const INPUTS: [(&str, f64); 8] = [
    ("microprice_offset", 10.0),
    ("imbalance_top", 1.0),
    ("imbalance_five", 1.0),
    ("order_flow_1s", 1.0),
    ("trade_sign_1s", 1.0),
    ("return_1s", 50.0),
    ("leader_move", 20.0),
    ("pair_z", 2.0),
];
/// And the mean of what the others expect, and a constant.
const WIDTH: usize = INPUTS.len() + 2;
/// Size of an expected return that counts as one.
const EXPECTED_UNIT: f64 = 2e-5;
/// Longest horizon.
const HORIZON_MAX: usize = 64;
/// What is left of trust after an outcome: half after seven seconds.
const TRUST_KEPT: f64 = 0.99;
/// How fast intervals adapt, and how many outcomes they look back.
const INTERVAL_RATE: f64 = 0.01;
const INTERVAL_WINDOW: usize = 128;
/// Share of capital below which a position counts as none.
const HELD_MIN: f64 = 0.001;
/// Largest input after scaling.
const INPUT_MAX: f64 = 5.0;

/// What it keeps of one instrument.
#[derive(Debug)]
struct Learner {
    rls: Rls,
    /// Inputs and log prices of the last ticks, to be taught with when the horizon has passed.
    inputs: Vec<[f64; WIDTH]>,
    log_prices: Vec<f64>,
    /// What was expected at these ticks, and how much of such expectations came true.
    forecasts: Vec<f64>,
    trust: Trust,
    /// How far outcomes were from what was expected.
    intervals: Intervals,
    hurdle: Hurdle,
    samples: u64,
    expected: f64,
}

/// The agent; see the module.
#[derive(Debug)]
pub struct OnlineLinear {
    config: OnlineConfig,
    columns: [usize; INPUTS.len()],
    learners: Vec<Learner>,
}

impl Learner {
    fn new(config: &OnlineConfig) -> Result<Self, AgentError> {
        let name = OnlineLinear::NAME;
        let weights = "above 0 and at most 1, ridge positive";
        let rls = Rls::new(WIDTH, config.forgetting, config.ridge)
            .map_err(|_| refuse(name, "forgetting", weights))?;
        let intervals = Intervals::new(config.size_coverage, INTERVAL_RATE, INTERVAL_WINDOW)
            .map_err(|_| refuse(name, "size_coverage", "between 0 and 1"))?;
        Ok(Self {
            rls,
            inputs: vec![[0.0; WIDTH]; config.horizon_ticks],
            log_prices: vec![0.0; config.horizon_ticks],
            forecasts: vec![0.0; config.horizon_ticks],
            trust: Trust::new(TRUST_KEPT),
            intervals,
            hurdle: Hurdle::default(),
            samples: 0,
            expected: 0.0,
        })
    }

    /// An edge beside what forecasts miss by, at most 1; 0 while that is not known.
    fn certainty(&self, edge: f64) -> f64 {
        match self.intervals.half_width() {
            Some(half_width) if edge < half_width => edge / half_width,
            Some(_) => 1.0,
            None => 0.0,
        }
    }

    /// What follows from an expected return beside the cost of crossing once and what is held, as a share of capital.
    fn wish(&self, config: &OnlineConfig, expected: f64, cost: f64, held: f64) -> Wish {
        let edge = libm::fabs(expected);
        let direction = if expected > 0.0 { 1.0 } else { -1.0 };
        let pays = edge > 2.0 * cost + self.hurdle.height() + config.edge_ppm_min * 1e-6;
        if pays {
            let size = self.certainty(edge) * config.position_share;
            return Wish::position(direction * size, edge);
        }
        // What is held already costs nothing to keep, and something to leave: it is kept until the forecast is against it, however
        // little that is trusted. Or what was bought in good faith would be held for ever once the faith is gone.
        let is_held = libm::fabs(held) > HELD_MIN;
        let is_against = held * self.expected < 0.0 && libm::fabs(self.expected) > 0.5 * cost;
        if is_held && !is_against {
            Wish::HOLD
        } else {
            Wish::NONE
        }
    }
}

impl OnlineLinear {
    fn inputs(&self, seen: &Seen<'_>, index: usize) -> [f64; WIDTH] {
        let mut vector = [0.0f32; FEATURE_COUNT];
        seen.features.vector(index, seen.now_ns, &mut vector);
        let mut inputs = [0.0; WIDTH];
        for (place, (column, (_, unit))) in self.columns.iter().zip(INPUTS).enumerate() {
            inputs[place] = (f64::from(vector[*column]) / unit).clamp(-INPUT_MAX, INPUT_MAX);
        }
        let mut heard = 0.0;
        for agent in 0..AGENTS_MAX {
            if agent != seen.agent {
                heard += seen.signals.of(agent, index);
            }
        }
        inputs[INPUTS.len()] = (heard / EXPECTED_UNIT).clamp(-INPUT_MAX, INPUT_MAX);
        inputs[INPUTS.len() + 1] = 1.0;
        inputs
    }

    fn tick(&mut self, seen: &Seen<'_>, index: usize) {
        let horizon = self.config.horizon_ticks;
        let inputs = self.inputs(seen, index);
        let learner = &mut self.learners[index];
        let Some(quote) = seen.quote(index) else {
            // What spans a time without a market teaches nothing.
            learner.log_prices.fill(0.0);
            learner.expected = 0.0;
            return;
        };
        learner
            .hurdle
            .on_timer(seen.now_ns, quote.mid_doubled(), 0.0);
        // The mid, not the microprice: what the sizes at the touch take back cannot be earned.
        let log_price = libm::log(quote.mid_doubled() as f64);
        let place = seen.ticks as usize % horizon;
        let before = learner.log_prices[place];
        if before.to_bits() != 0 {
            let outcome = (log_price - before) * 1e6;
            learner.rls.update(&learner.inputs[place], outcome);
            let (forecast, outcome) = (learner.forecasts[place], outcome * 1e-6);
            learner.trust.learn(forecast, outcome);
            learner.intervals.update(outcome - forecast);
            learner.samples += 1;
        }
        learner.inputs[place] = inputs;
        learner.log_prices[place] = log_price;
        learner.expected = learner
            .rls
            .predict(&inputs)
            .map_or(0.0, |forecast| forecast.value * 1e-6);
        learner.forecasts[place] = learner.expected;
    }
}

impl Agent for OnlineLinear {
    type Config = OnlineConfig;
    const NAME: &'static str = "online-linear";

    fn new(config: &Self::Config, instruments: &Instruments) -> Result<Self, AgentError> {
        if !(1..=HORIZON_MAX).contains(&config.horizon_ticks) {
            return Err(refuse(Self::NAME, "horizon_ticks", "from 1 to 64"));
        }
        if !(config.position_share > 0.0 && config.position_share <= 1.0) {
            return Err(refuse(
                Self::NAME,
                "position_share",
                "above 0 and at most 1",
            ));
        }
        let mut columns = [0; INPUTS.len()];
        for (column, (name, _)) in columns.iter_mut().zip(INPUTS) {
            *column = index_of(name).unwrap_or(0);
        }
        // Each made for itself: a copy would not have the room that was asked for, and grow while it trades.
        let learners = (0..instruments.count()).map(|_| Learner::new(config));
        let learners = learners.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            config: *config,
            columns,
            learners,
        })
    }

    fn observe(&mut self, seen: &Seen<'_>, cause: Cause) {
        if cause == Cause::Timer {
            for index in 0..seen.count() {
                self.tick(seen, index);
            }
        }
    }

    fn signal(&self, _seen: &Seen<'_>, index: usize) -> f64 {
        let learner = &self.learners[index];
        if learner.samples < self.config.warm_up_samples {
            return 0.0;
        }
        learner.expected * learner.trust.share()
    }

    fn act(&mut self, seen: &Seen<'_>, index: usize) -> Wish {
        let expected = seen.signals.of(seen.agent, index);
        let Some(cost) = seen.cost_to_cross(index) else {
            return Wish::NONE;
        };
        self.learners[index].wish(&self.config, expected, cost, seen.held_share(index))
    }

    fn filled(&mut self, seen: &Seen<'_>, index: usize, side: Side, price: i64) {
        // On the way out only the forecast counts, and that is trust's business.
        if seen.held[index] * side.sign() >= 0 {
            self.learners[index].hurdle.filled(seen.now_ns, side, price);
        }
    }

    fn write(&self, out: &mut impl Sink) {
        for learner in &self.learners {
            learner.rls.write(out);
            for inputs in &learner.inputs {
                inputs.iter().for_each(|input| out.f64(*input));
            }
            let kept = learner.log_prices.iter().chain(&learner.forecasts);
            kept.for_each(|value| out.f64(*value));
            learner.trust.write(out);
            learner.intervals.write(out);
            learner.hurdle.write(out);
            out.u64(learner.samples);
            out.f64(learner.expected);
        }
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for learner in &mut self.learners {
            learner.rls.load(from)?;
            for input in learner.inputs.iter_mut().flatten() {
                *input = from.finite()?;
            }
            let kept = learner.log_prices.iter_mut();
            for value in kept.chain(&mut learner.forecasts) {
                *value = from.finite()?;
            }
            learner.trust.load(from)?;
            learner.intervals.load(from)?;
            learner.hurdle.load(from)?;
            learner.samples = from.count()?;
            learner.expected = from.finite()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: f64 = 10e-6;

    /// A learner of whose forecasts half missed by less than 100 parts per million.
    fn learner(config: &OnlineConfig) -> Learner {
        let Ok(mut learner) = Learner::new(config) else {
            panic!("sound parameters");
        };
        for place in 0..400 {
            learner
                .intervals
                .update(if place % 2 == 0 { 100e-6 } else { 101e-6 });
        }
        learner
    }

    #[test]
    fn the_size_follows_the_edge_beside_what_forecasts_miss_by() {
        let config = OnlineConfig::default();
        let learner = learner(&config);
        let share_of = |edge: f64| learner.wish(&config, edge, COST, 0.0).target_share;
        assert!((share_of(50e-6) / config.position_share - 0.5).abs() < 0.01);
        assert!((share_of(-50e-6) + share_of(50e-6)).abs() < 1e-15);
        assert!((share_of(200e-6) - config.position_share).abs() < 1e-15);
        assert!(
            share_of(22e-6).to_bits() == 0,
            "costs and more are not paid"
        );
        let Ok(young) = Learner::new(&config) else {
            panic!("sound parameters");
        };
        let wish = young.wish(&config, 50e-6, COST, 0.0);
        assert!(
            wish.target_share.to_bits() == 0,
            "nothing is known of its misses"
        );
    }

    #[test]
    fn what_is_held_is_left_when_the_forecast_turns_though_nobody_trusts_it() {
        let config = OnlineConfig::default();
        let mut learner = learner(&config);
        for (forecast, is_kept) in [(9e-6, true), (0.0, true), (-4e-6, true), (-6e-6, false)] {
            learner.expected = forecast;
            let wish = learner.wish(&config, 0.0, COST, 0.1);
            assert_eq!(wish.is_holding, is_kept, "{forecast}");
            let wish = learner.wish(&config, 0.0, COST, 0.0005);
            assert!(!wish.is_holding, "too little to be held");
        }
    }
}
