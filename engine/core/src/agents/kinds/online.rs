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
    predict::Rls,
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
    /// Size of one position as a share of the agent's capital.
    pub position_share: f64,
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
/// Largest input after scaling.
const INPUT_MAX: f64 = 5.0;

/// What it keeps of one instrument.
#[derive(Clone, Debug)]
struct Learner {
    rls: Rls,
    /// Inputs and log prices of the last ticks, to be taught with when the horizon has passed.
    inputs: Vec<[f64; WIDTH]>,
    log_prices: Vec<f64>,
    /// What was expected at these ticks, and how much of such expectations came true.
    forecasts: Vec<f64>,
    trust: Trust,
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
            learner
                .trust
                .learn(learner.forecasts[place], outcome * 1e-6);
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
        let rls = Rls::new(WIDTH, config.forgetting, config.ridge).map_err(|_| {
            refuse(
                Self::NAME,
                "forgetting",
                "above 0 and at most 1, ridge positive",
            )
        })?;
        let learner = Learner {
            rls,
            inputs: vec![[0.0; WIDTH]; config.horizon_ticks],
            log_prices: vec![0.0; config.horizon_ticks],
            forecasts: vec![0.0; config.horizon_ticks],
            trust: Trust::new(TRUST_KEPT),
            hurdle: Hurdle::default(),
            samples: 0,
            expected: 0.0,
        };
        Ok(Self {
            config: *config,
            columns,
            learners: vec![learner; instruments.count()],
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
        let edge = libm::fabs(expected);
        let held = seen.held_share(index);
        let direction = if expected > 0.0 { 1.0 } else { -1.0 };
        let hurdle = self.learners[index].hurdle.height();
        let pays = edge > 2.0 * cost + hurdle + self.config.edge_ppm_min * 1e-6;
        if pays {
            return Wish::position(direction * self.config.position_share, edge);
        }
        // What is held already costs nothing to keep, and something to leave: it is kept until the forecast is against it.
        let is_held = libm::fabs(held) > 0.01;
        let is_against = held * direction < 0.0 && edge > 0.5 * cost;
        if is_held && !is_against {
            return Wish::HOLD;
        }
        Wish::NONE
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
            learner.hurdle.load(from)?;
            learner.samples = from.count()?;
            learner.expected = from.finite()?;
        }
        Ok(())
    }
}
