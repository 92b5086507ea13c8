//! A policy that was trained offline: a network over features and the others' signals, discrete actions, and the
//! probability of each written down.
//!
//! The actions are positions, evenly spaced from short to long. The network's outputs become probabilities; a small
//! share is spread evenly over all actions, so that a later training can learn what the others would have brought. That
//! share is paid for from a budget: each draw that is not the best action costs its expected price, and risk refills
//! the budget slowly. While it is empty the best action is taken.

use alloc::{vec, vec::Vec};

use serde::{Deserialize, Serialize};

use super::super::{
    Agent, AgentError, Cause, Choice, OUTPUTS_MAX, Prediction, Seen, Wish, seen::refuse,
};
use crate::{
    instrument::Instruments,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// Parameters of `LearnedPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LearnedConfig {
    /// The slot of its model.
    pub slot: usize,
    /// Least time between two decisions on one instrument, milliseconds.
    pub decide_ms: i64,
    /// Share of the probability that is spread evenly over all actions.
    pub explore_share: f64,
    /// What exploring may cost an hour, parts per million of the agent's capital.
    pub explore_budget_ppm: f64,
    /// Size of the largest position as a share of the agent's capital.
    pub position_share: f64,
    /// Start of its random numbers.
    pub seed: u64,
}

impl Default for LearnedConfig {
    fn default() -> Self {
        Self {
            slot: 0,
            decide_ms: 500,
            explore_share: 0.05,
            explore_budget_ppm: 500.0,
            position_share: 0.25,
            seed: 1,
        }
    }
}

/// Largest budget, in hours of refilling.
const BUDGET_HOURS_MAX: f64 = 1.0;
const HOUR_NS: f64 = 3.6e12;

/// The agent; see the module.
#[derive(Debug)]
pub struct LearnedPolicy {
    config: LearnedConfig,
    wishes: Vec<Wish>,
    ts_decided_ns: Vec<i64>,
    /// Numbers drawn so far: with the seed, the whole state of the random source.
    draws: u64,
    /// What exploring may still cost, parts per million of capital.
    budget_ppm: f64,
    ts_budget_ns: i64,
    choice: Option<Choice>,
}

/// The `counter`-th number of a stream: mixes the counter with the seed, so there is no state to carry (the finaliser of
/// SplitMix64, Steele and others 2014).
const fn random(seed: u64, counter: u64) -> u64 {
    let mut word = seed.wrapping_add(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl LearnedPolicy {
    fn refill(&mut self, now_ns: i64) {
        let most = self.config.explore_budget_ppm * BUDGET_HOURS_MAX;
        if self.ts_budget_ns == 0 {
            self.budget_ppm = most;
        } else {
            let hours = (now_ns - self.ts_budget_ns).max(0) as f64 / HOUR_NS;
            self.budget_ppm = (self.budget_ppm + hours * self.config.explore_budget_ppm).min(most);
        }
        self.ts_budget_ns = now_ns;
    }

    /// Draws an action. The probabilities are whole numbers that add up to 65,535, and they are what is drawn from.
    fn draw(&mut self, probabilities: &[u16; OUTPUTS_MAX], count: usize) -> usize {
        self.draws += 1;
        let point = random(self.config.seed, self.draws) % 65_535;
        let mut below = 0;
        for (action, probability) in probabilities[..count].iter().enumerate() {
            below += u64::from(*probability);
            if point < below {
                return action;
            }
        }
        count - 1
    }

    fn decide(&mut self, seen: &Seen<'_>, index: usize, prediction: &Prediction, cost: f64) {
        let count = usize::from(prediction.count);
        self.refill(seen.now_ns);
        let may_explore = seen.is_active && self.budget_ppm > 0.0;
        let explore = if may_explore {
            self.config.explore_share
        } else {
            0.0
        };
        let outputs = &prediction.outputs[..count];
        let best = best_of(outputs);
        let probabilities = probabilities_of(outputs, best, explore);
        let draw = self.draws;
        let action = if may_explore {
            self.draw(&probabilities, count)
        } else {
            best
        };
        // Positions from short to long; an action away from the best one costs about the way there and back.
        let share_of = |action: usize| {
            let step = if count > 1 {
                2.0 / (count - 1) as f64
            } else {
                0.0
            };
            (action as f64 * step - 1.0) * self.config.position_share
        };
        let away = libm::fabs(share_of(action) - share_of(best));
        self.budget_ppm -= 2.0 * away * cost * 1e6;
        let target = if count > 1 { share_of(action) } else { 0.0 };
        // A policy that was trained with costs has weighed them: execution may pay for crossing once.
        self.wishes[index] = Wish::position(target, cost * 1.5);
        self.ts_decided_ns[index] = seen.now_ns;
        self.choice = Some(Choice {
            index,
            action: action as u8,
            probabilities,
            observation_hash: prediction.observation_hash,
            model_hash: prediction.model_hash,
            draw,
        });
    }
}

/// The first of the largest outputs.
fn best_of(outputs: &[f32]) -> usize {
    let mut best = 0;
    for (action, output) in outputs.iter().enumerate() {
        if *output > outputs[best] {
            best = action;
        }
    }
    best
}

/// Softmax of the outputs with `explore` of it spread evenly, in parts of 65,535; what rounding leaves goes to the best.
/// Without exploration the best action has all of it.
fn probabilities_of(outputs: &[f32], best: usize, explore: f64) -> [u16; OUTPUTS_MAX] {
    let mut parts = [0u16; OUTPUTS_MAX];
    if explore <= 0.0 {
        parts[best] = u16::MAX;
        return parts;
    }
    let mut weights = [0.0f64; OUTPUTS_MAX];
    let mut sum = 0.0;
    for (weight, output) in weights.iter_mut().zip(outputs) {
        *weight = libm::exp(f64::from(*output) - f64::from(outputs[best]));
        sum += *weight;
    }
    let even = explore / outputs.len() as f64;
    let mut left = u16::MAX;
    for (action, part) in parts[..outputs.len()].iter_mut().enumerate() {
        let probability = (1.0 - explore) * weights[action] / sum + even;
        *part = libm::floor(probability * 65_535.0) as u16;
        left = left.saturating_sub(*part);
    }
    parts[best] = parts[best].saturating_add(left);
    parts
}

impl Agent for LearnedPolicy {
    type Config = LearnedConfig;
    const NAME: &'static str = "learned-policy";

    fn new(config: &Self::Config, instruments: &Instruments) -> Result<Self, AgentError> {
        if config.slot >= super::super::SLOTS {
            return Err(refuse(Self::NAME, "slot", "below 8"));
        }
        if !(0.0..=0.5).contains(&config.explore_share) {
            return Err(refuse(Self::NAME, "explore_share", "from 0 to 0.5"));
        }
        if !(config.position_share > 0.0 && config.position_share <= 1.0) {
            return Err(refuse(
                Self::NAME,
                "position_share",
                "above 0 and at most 1",
            ));
        }
        if config.decide_ms < 0 {
            return Err(refuse(Self::NAME, "decide_ms", "not negative"));
        }
        Ok(Self {
            config: *config,
            wishes: vec![Wish::NONE; instruments.count()],
            ts_decided_ns: vec![0; instruments.count()],
            draws: 0,
            budget_ppm: 0.0,
            ts_budget_ns: 0,
            choice: None,
        })
    }

    fn observe(&mut self, _seen: &Seen<'_>, _cause: Cause) {}

    fn signal(&self, _seen: &Seen<'_>, _index: usize) -> f64 {
        0.0
    }

    fn act(&mut self, seen: &Seen<'_>, index: usize) -> Wish {
        let Some(prediction) = seen.predictions.of(self.config.slot, index).copied() else {
            self.wishes[index] = Wish::NONE;
            return Wish::NONE;
        };
        let age_ns = seen.now_ns - self.ts_decided_ns[index];
        let is_due = age_ns >= self.config.decide_ms * 1_000_000;
        if let (true, Some(cost)) = (is_due, seen.cost_to_cross(index)) {
            self.decide(seen, index, &prediction, cost);
        }
        self.wishes[index]
    }

    fn take_choice(&mut self) -> Option<Choice> {
        self.choice.take()
    }

    fn write(&self, out: &mut impl Sink) {
        self.wishes.iter().for_each(|wish| wish.write(out));
        self.ts_decided_ns.iter().for_each(|time| out.i64(*time));
        out.u64(self.draws);
        out.f64(self.budget_ppm);
        out.i64(self.ts_budget_ns);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for wish in &mut self.wishes {
            *wish = Wish::load(from)?;
        }
        for time in &mut self.ts_decided_ns {
            *time = from.time_ns()?;
        }
        self.draws = from.count()?;
        self.budget_ppm = from.finite()?;
        self.ts_budget_ns = from.time_ns()?;
        Ok(())
    }
}
